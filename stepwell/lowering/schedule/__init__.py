"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "choose-schedule": "stepwell.lowering.schedule.choose_schedule:ChooseSchedule",
    "apply-schedule": "stepwell.lowering.schedule.apply_schedule:ApplySchedule",
}
