"""The pass `apply-schedule`: every kernel's schedule, applied to its affine loops in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.primitives import apply_step, steps_of


@dataclass(frozen=True)
class ApplySchedule(Pass):
    """Apply the steps of each kernel's `schedule` attribute and remove it.

    before:
    ```mlir
    func.func private @k(%x: memref<?xf32>, %N: index)
        attributes {schedule = [["fuse", "n"], ["split", "n", 32, "nr"], ["vectorize", "nr"]]} {
      affine.for %n = 0 to %N { ... } {loop = "n", iterator = "parallel"}
    ```
    after:
    ```mlir
    func.func private @k(%x: memref<?xf32>, %N: index) {
      affine.for %n = 0 to %N step 32 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (32, s0 - d0)>(%n)[%N] {
          ...
        } {loop = "nr", iterator = "parallel", vector = 32 : index}
      } {loop = "n", iterator = "parallel"}
    ```
    `steps` stops after so many steps and keeps the rest of the attribute: for looking at a schedule half-way (-1: all).
    """

    name: ClassVar[str] = "apply-schedule"
    steps: int = -1

    def run(self, op: Operation, ctx: Context) -> None:
        for func in op.walk():
            if not isinstance(func, FuncOp) or (schedule := func.attributes.get("schedule")) is None:
                continue
            steps = steps_of(schedule)
            now = steps if self.steps < 0 else steps[: self.steps]
            for step in now:
                apply_step(func, step)
            if len(now) == len(steps):
                del func.attributes["schedule"]
            else:
                func.attributes["schedule"] = type(schedule)(list(schedule)[len(now) :])  # pyright: ignore
