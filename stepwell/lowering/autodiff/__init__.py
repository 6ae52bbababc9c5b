"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "nn-jvp": "stepwell.lowering.autodiff.passes:Jvp",
    "nn-vjp": "stepwell.lowering.autodiff.passes:Vjp",
}
