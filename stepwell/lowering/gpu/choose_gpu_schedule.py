"""The pass `choose-gpu-schedule`: a default schedule for every kernel that has none, for a machine of many threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, i64
from xdsl.ir import Operation

from stepwell.ir.passes import Pass
from stepwell.lowering.gpu.contraction import schedule_contraction
from stepwell.lowering.gpu.rows import schedule_rows
from stepwell.lowering.schedule.primitives import schedule_attr
from stepwell.lowering.schedule.strategies.model import KernelModel
from stepwell.lowering.schedule.strategies.plan import Plan
from stepwell.lowering.schedule.strategies.unit_loops import drop_unit_loops, drop_unread
from stepwell.lowering.structured.kernels import calls_by_callee, kernels, name_of


@dataclass(frozen=True)
class ChooseGpuSchedule(Pass):
    """Name the loops of each kernel and write its schedule: what all stages run in parallel is fused, every iteration of it a thread.

    before:
    ```mlir
    func.func private @k(%a: tensor<4x768xf32>, %b: tensor<768x32xf32>, %out: tensor<4x32xf32>) {kernel} {
      ... linalg.generic {indexing_maps = [(d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d2, d1), (d0, d1, d2) -> (d0, d1)]}
    ```
    after:
    ```mlir
    func.func private @k(...) {kernel, schedule = [["fuse", "m", "n"], ["parallel", "m", "n"]]} {
      ... linalg.generic {...} attrs = {loops = ["m", "n", "k"], stage = "s1"}
    ```
    Kernels that bear a schedule keep it. Threads next to each other are next to each other in the last dimension of the result.
    """

    name: ClassVar[str] = "choose-gpu-schedule"

    def run(self, op: Operation, ctx: Context) -> None:
        calls = calls_by_callee(op)
        for kernel in kernels(op):
            if "schedule" in kernel.attributes:
                continue
            drop_unread(kernel)
            drop_unit_loops(kernel)
            model = KernelModel(kernel)
            plan = schedule_contraction(model) or schedule_rows(model) or schedule_threads(model)
            for position, stage in enumerate(model.stages):
                stage.op.attributes["loops"] = ArrayAttr(StringAttr(name) for name in stage.names)
                stage.op.attributes.setdefault("stage", StringAttr(f"s{position}"))
            kernel.attributes["schedule"] = schedule_attr(plan.steps)
            for call in calls.get(name_of(kernel), []):
                call.attributes["flops"] = IntegerAttr(model.flops, i64)
                call.attributes["bytes"] = IntegerAttr(model.bytes, i64)


def schedule_threads(model: KernelModel) -> Plan:
    """A thread for every iteration of the loops that all stages run in parallel; what is left runs inside of it."""
    plan = Plan()
    several = len(model.stages) > 1 and any({stage.names[d] for d in stage.parallels} != set(model.common) for stage in model.stages)
    parts = model.separate() if several else None
    if parts is None:
        plan.add("fuse", *model.common)
        parts = [model]
    for part in parts:
        if part.common:
            plan.add("parallel", *part.common)
    return plan
