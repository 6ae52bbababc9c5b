"""The pass `choose-schedule`: a default schedule for every kernel that has none."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DenseIntOrFPElementsAttr, IntegerAttr, StringAttr, i64
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation
from xdsl.ir.affine import AffineDimExpr

from stepwell.dialects import arith
from stepwell.ir.passes import Pass
from stepwell.ir.remarks import analysed
from stepwell.lowering.schedule.memory import Names, ScheduleMemory, general_forms, iterations, memory, named_extents
from stepwell.lowering.schedule.primitives import schedule_attr
from stepwell.lowering.schedule.strategies.contraction import schedule_contraction
from stepwell.lowering.schedule.strategies.general import schedule_general
from stepwell.lowering.schedule.strategies.model import KernelModel
from stepwell.lowering.schedule.strategies.plan import Machine, Plan
from stepwell.lowering.schedule.strategies.unit_loops import drop_unit_loops, drop_unread
from stepwell.lowering.structured.description import describe
from stepwell.lowering.structured.kernels import SymbolTable, calls_by_callee, kernels, name_of

TASK_SECONDS = 10e-6
"""How long a task of the thread pool should at least run."""
FLOPS_PER_SECOND = 60e9
BYTES_PER_SECOND = 8e9
SERIAL = 1 << 40
"""The grain of a kernel that is too small to share."""

Steps = tuple[tuple[Any, ...], ...]


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
    Kernels that bear a schedule keep it (and get their costs). `vector_bytes` is the width of the target's vector registers, `dot4` whether
    it sums products of bytes four at a time.
    """

    name: ClassVar[str] = "choose-schedule"
    vector_bytes: int = 64
    dot4: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        machine = Machine(self.vector_bytes, self.dot4)
        calls = calls_by_callee(op)
        known = memory()
        for kernel in kernels(op):
            if "schedule" in kernel.attributes:
                continue
            kernel_calls = calls.get(name_of(kernel), [])
            drop_unread(kernel)
            drop_unit_loops(kernel)
            model = KernelModel(kernel)
            constants = _constant_arguments(kernel_calls)
            if known is None:
                plan, further = choose(model, machine, constants), list[Steps]()
            else:
                plan, further = _choose_from(known, kernel, model, machine, constants)
            for position, stage in enumerate(model.stages):
                stage.op.attributes["loops"] = ArrayAttr(StringAttr(name) for name in stage.names)
                stage.op.attributes.setdefault("stage", StringAttr(f"s{position}"))
            kernel.attributes["schedule"] = schedule_attr(plan.steps)
            primitives = " ".join(str(step[0]) for step in plan.steps)
            analysed(kernel, "choose-schedule", Iterations=str(plan.iterations), Primitives=primitives)
            for steps in further:
                _add_form(op, kernel, steps)
            for call in kernel_calls:
                _write_costs(call, model, plan)


def _choose_from(
    known: ScheduleMemory, kernel: FuncOp, model: KernelModel, machine: Machine, constants: frozenset[int]
) -> tuple[Plan, list[Steps]]:
    """The schedule of a kernel of a program of any shape, and those of further forms that it is to have. Names the loops."""
    structure = describe(kernel, extents=False)
    stages = [stage.extents for stage in model.stages]
    if known.general and (old := known.find(structure, stages)) is not None:
        extents = named_extents(old.names, stages)
        assert extents is not None
        known.reused += extents != old.extents
        for stage, own in zip(model.stages, old.names, strict=True):
            stage.names = list(own)
        return Plan(list(old.steps), iterations(old.steps, extents)), []
    plan = choose(model, machine, constants)
    names: Names = tuple(tuple(stage.names) for stage in model.stages)
    extents = named_extents(names, stages) or model.extents
    if not known.general:
        steps = known.reuse(structure, plan.steps, extents, names)
        return (plan if list(steps) == plan.steps else Plan(list(steps), iterations(steps, extents))), []
    forms: list[Steps] = [tuple(plan.steps)]
    if plan.movable is not None:
        varying = known.varying(structure, names, extents, _constant_loops(model, constants))
        forms = general_forms(plan.steps, extents, varying, plan.movable)
    known.remember_forms(structure, forms, extents, names)
    return Plan(list(forms[0]), iterations(forms[0], extents)), forms[1:]


def _constant_loops(model: KernelModel, constants: frozenset[int]) -> frozenset[str]:
    """The loops that walk a dimension of an argument that is a constant: weights decide their extents."""
    found: set[str] = set()
    for stage in model.stages:
        for operand, map in zip(stage.operands, stage.maps, strict=True):
            if model.argument_number(operand) in constants:
                found.update(stage.names[e.position] for e in map.results if isinstance(e, AffineDimExpr))
    return frozenset(found)


def _add_form(module: Operation, kernel: FuncOp, steps: Steps) -> None:
    """A further form of a kernel, behind it: the same with another schedule, which nobody calls yet."""
    form = kernel.clone()
    form.properties["sym_name"] = StringAttr(SymbolTable(module).fresh(name_of(kernel)))
    form.attributes["schedule"] = schedule_attr(steps)
    block = kernel.parent
    assert block is not None
    block.insert_op_after(form, kernel)


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
