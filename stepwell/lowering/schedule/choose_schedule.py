"""The pass `choose-schedule`: a default schedule for every kernel that has none."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DenseIntOrFPElementsAttr, IntegerAttr, StringAttr, i64
from xdsl.dialects.func import CallOp
from xdsl.ir import Operation

from stepwell.dialects import arith
from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.memory import iterations, memory, structure_of
from stepwell.lowering.schedule.primitives import schedule_attr
from stepwell.lowering.schedule.strategies.contraction import schedule_contraction
from stepwell.lowering.schedule.strategies.general import schedule_general
from stepwell.lowering.schedule.strategies.model import KernelModel
from stepwell.lowering.schedule.strategies.plan import Machine, Plan
from stepwell.lowering.schedule.strategies.unit_loops import drop_unit_loops, drop_unread
from stepwell.lowering.structured.kernels import calls_by_callee, kernels, name_of

TASK_SECONDS = 10e-6
"""How long a task of the thread pool should at least run."""
FLOPS_PER_SECOND = 60e9
BYTES_PER_SECOND = 8e9
SERIAL = 1 << 40
"""The grain of a kernel that is too small to share."""


@dataclass(frozen=True)
class ChooseSchedule(Pass):
    """Name the loops of each kernel and write its schedule.

    before:
    ```mlir
    %r = func.call @k(%a, %b, %out) : ...
    func.func private @k(%a: tensor<128x768xf32>, %b: tensor<768x3072xf32>, %out: tensor<128x3072xf32>) {kernel} {
      ... linalg.generic {indexing_maps = [(d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d2, d1), (d0, d1, d2) -> (d0, d1)]}
    ```
    after:
    ```mlir
    %r = func.call @k(%a, %b, %out) {grain = 4 : i64, flops = 603979776 : i64, bytes = 11403264 : i64} : ...
    func.func private @k(...) {kernel, schedule = [["pack_operand", 1, 1, 32], ["fuse", "m", "n"], ["split", "m", 8, "mr", "exact"], ...]} {
      ... linalg.generic {...} attrs = {loops = ["m", "n", "k"], stage = "s1"}
    ```
    Kernels that bear a schedule keep it (and get their costs). `vector_bytes` is the width of the target's vector registers.
    """

    name: ClassVar[str] = "choose-schedule"
    vector_bytes: int = 64

    def run(self, op: Operation, ctx: Context) -> None:
        machine = Machine(self.vector_bytes)
        calls = calls_by_callee(op)
        for kernel in kernels(op):
            if "schedule" in kernel.attributes:
                continue
            kernel_calls = calls.get(name_of(kernel), [])
            drop_unread(kernel)
            drop_unit_loops(kernel)
            model = KernelModel(kernel)
            known = memory()
            structure = "" if known is None else structure_of(kernel)
            plan = choose(model, machine, _constant_arguments(kernel_calls))
            if known is not None:
                steps = list(known.reuse(structure, plan.steps, model.extents))
                if steps != plan.steps:
                    plan = Plan(steps, iterations(steps, model.extents))
            for position, stage in enumerate(model.stages):
                stage.op.attributes["loops"] = ArrayAttr(StringAttr(name) for name in stage.names)
                stage.op.attributes.setdefault("stage", StringAttr(f"s{position}"))
            kernel.attributes["schedule"] = schedule_attr(plan.steps)
            for call in kernel_calls:
                _write_costs(call, model, plan)


def choose(model: KernelModel, machine: Machine, constants: frozenset[int]) -> Plan:
    """The schedule of one kernel."""
    plan = schedule_contraction(model, machine, constants) if model.main.product is not None else None
    return plan if plan is not None else schedule_general(model, machine)


def _constant_arguments(calls: list[CallOp]) -> frozenset[int]:
    """The arguments that are constants in every call."""
    numbers: set[int] | None = None
    for call in calls:
        here = {
            i
            for i, operand in enumerate(call.operands)
            if isinstance(operand.owner, arith.ConstantOp) and isinstance(operand.owner.value, DenseIntOrFPElementsAttr)
        }
        numbers = here if numbers is None else numbers & here
    return frozenset(numbers or ())


def _write_costs(call: CallOp, model: KernelModel, plan: Plan) -> None:
    def number(value: int) -> IntegerAttr[Any]:
        return IntegerAttr(value, i64)

    seconds = max(model.flops / FLOPS_PER_SECOND, model.bytes / BYTES_PER_SECOND)
    per_iteration = seconds / max(plan.iterations, 1)
    grain = max(1, ceil(TASK_SECONDS / per_iteration)) if per_iteration > 0 else SERIAL
    if grain * 2 > plan.iterations:
        grain = SERIAL
    call.attributes["grain"] = number(grain)
    call.attributes["flops"] = number(model.flops)
    call.attributes["bytes"] = number(model.bytes)
