"""`func`, `cf` and `scf`: calls, branches and structured control flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, cast

from xdsl.dialects import cf, func
from xdsl.ir import Block, Operation, SSAValue

from stepwell.backends.interpreter.machine import Body, Branch, Code, Control, Frame, Implementation, Step
from stepwell.backends.interpreter.memory import mixed_values, slice_reader, slices
from stepwell.backends.interpreter.values import element_dtype, is_index
from stepwell.dialects import scf


def call(op: func.CallOp, code: Code) -> Step:
    name = op.callee.string_value()
    operands, results = code.slots(op.operands), code.slots(op.results)
    machine = code.machine

    def step(frame: Frame) -> None:
        values = machine.function(name)([frame[slot] for slot in operands])
        for slot, value in zip(results, values, strict=True):
            frame[slot] = value

    return step


# ---- cf -------------------------------------------------------------------------------------------------------------------------


def _jump(code: Code, block: Block, operands: Sequence[SSAValue]) -> Callable[[Frame], Body]:
    """Pass values to a block's arguments, all at once: they may be each other's old values."""
    slots = code.slots(operands)
    found: list[Body] = []

    def jump(frame: Frame) -> Body:
        if not found:
            found.append(code.body(block))
        values = [frame[slot] for slot in slots]
        for slot, value in zip(found[0].arguments, values, strict=True):
            frame[slot] = value
        return found[0]

    return jump


def branch(op: cf.BranchOp, code: Code) -> Callable[[Frame], Body | None]:
    return _jump(code, op.successor, op.arguments)


def conditional_branch(op: cf.ConditionalBranchOp, code: Code) -> Callable[[Frame], Body | None]:
    condition = code.slot(op.cond)
    then = _jump(code, op.then_block, op.then_arguments)
    orelse = _jump(code, op.else_block, op.else_arguments)
    return lambda frame: then(frame) if frame[condition] else orelse(frame)


def switch(op: cf.SwitchOp, code: Code) -> Callable[[Frame], Body | None]:
    flag = code.slot(op.flag)
    default = _jump(code, op.default_block, op.default_operands)
    values = [int(v) for v in op.case_values.get_values()] if op.case_values is not None else []
    operands = iter(op.case_operands)
    counts = op.case_operand_segments.get_values()
    jumps = [_jump(code, block, [next(operands) for _ in range(int(n))]) for block, n in zip(op.case_blocks, counts, strict=True)]
    table = dict(zip(values, jumps, strict=True))
    return lambda frame: table.get(int(frame[flag]), default)(frame)


def assertion(op: cf.AssertOp) -> Callable[[Any], None]:
    message = op.msg.data

    def check(condition: Any) -> None:
        if not condition:
            raise ValueError(f"assertion failed: {message}")

    return check


# ---- scf ------------------------------------------------------------------------------------------------------------------------


def if_(op: scf.IfOp, code: Code) -> Step:
    condition, results = code.slot(op.cond), code.slots(op.results)
    then = code.body(op.true_region.block)
    orelse = code.body(op.false_region.block) if op.false_region.blocks else None

    def step(frame: Frame) -> None:
        body = then if frame[condition] else orelse
        if body is not None:
            body.run(frame)
            for slot, source in zip(results, body.results, strict=True):
                frame[slot] = frame[source]

    return step


def for_(op: scf.ForOp, code: Code) -> Step:
    lower, upper, stride = code.slot(op.lb), code.slot(op.ub), code.slot(op.step)
    inits, results = code.slots(op.iter_args), code.slots(op.results)
    body = code.body(op.body.block)
    variable, *carried = body.arguments
    machine = code.machine
    convert: Callable[[int], Any] = int if is_index(op.lb.type) else element_dtype(op.lb.type).type

    def step(frame: Frame) -> None:
        by = int(frame[stride])
        if by <= 0:
            raise ValueError(f"the step of a loop must be positive, got {by}")
        values = [frame[slot] for slot in inits]
        for i in machine.expect(frame[lower], frame[upper], by):
            frame[variable] = convert(i)
            for slot, value in zip(carried, values, strict=True):
                frame[slot] = value
            body.run(frame)
            values = [frame[slot] for slot in body.results]
        for slot, value in zip(results, values, strict=True):
            frame[slot] = value

    return step


def while_(op: scf.WhileOp, code: Code) -> Step:
    inits, results = code.slots(op.arguments), code.slots(op.results)
    before, after = code.body(op.before_region.block), code.body(op.after_region.block)

    def step(frame: Frame) -> None:
        values = [frame[slot] for slot in inits]
        while True:
            before.run_with(frame, *values)
            condition, *passed = before.yielded(frame)
            if not condition:
                break
            after.run_with(frame, *passed)
            values = after.yielded(frame)
        for slot, value in zip(results, passed, strict=True):
            frame[slot] = value

    return step


def parallel(op: scf.ParallelOp, code: Code) -> Step:
    lower, upper, steps = code.slots(op.lowerBound), code.slots(op.upperBound), code.slots(op.step)
    inits, results = code.slots(op.initVals), code.slots(op.results)
    body = code.body(op.body.block)
    reduce = body.terminator
    machine = code.machine
    reductions = [code.body(region.block) for region in reduce.regions] if reduce is not None else []

    def step(frame: Frame) -> None:
        values = [frame[slot] for slot in inits]
        ranges = [machine.expect(frame[a], frame[b], frame[c]) for a, b, c in zip(lower, upper, steps, strict=True)]
        for point in product(*machine.expect_all(ranges)):
            body.run_with(frame, *point)
            for k, (reduction, source) in enumerate(zip(reductions, body.results, strict=True)):
                reduction.run_with(frame, values[k], frame[source])
                values[k] = frame[reduction.results[0]]
        for slot, value in zip(results, values, strict=True):
            frame[slot] = value

    return step


def forall(op: scf.ForallOp, code: Code) -> Step:
    """One thread after the other, each of which writes its parts into copies of the shared outputs."""
    bounds = [
        (tuple(static.get_values()), code.slots(dynamic))
        for static, dynamic in (
            (op.staticLowerBound, op.dynamicLowerBound),
            (op.staticUpperBound, op.dynamicUpperBound),
            (op.staticStep, op.dynamicStep),
        )
    ]
    outputs, results = code.slots(op.outputs), code.slots(op.results)
    body = code.body(op.region.block)
    shared = body.arguments[len(op.staticStep) :]
    end = op.region.block.last_op
    writes = [_shared_write(write, code) for write in end.region.block.ops] if isinstance(end, scf.InParallelOp) else []
    machine = code.machine

    def step(frame: Frame) -> None:
        values = [frame[slot].copy() for slot in outputs]
        lower, upper, steps = (mixed_values(static, [frame[slot] for slot in slots]) for static, slots in bounds)
        ranges = [machine.expect(a, b, c) for a, b, c in zip(lower, upper, steps, strict=True)]
        for point in product(*machine.expect_all(ranges)):
            body.run_with(frame, *point, *values)
            for write in writes:
                write(frame)
        for slot, source in zip(results, values, strict=True):
            frame[slot] = source

    assert len(shared) == len(results)
    return step


def _shared_write(op: Operation, code: Code) -> Step:
    """`tensor.parallel_insert_slice`: what a thread writes, in place."""
    read = slice_reader(cast(Any, op))
    source, dest, *rest = code.slots(op.operands)

    def write(frame: Frame) -> None:
        offsets, sizes, strides = read(*(frame[slot] for slot in rest))
        target = frame[dest]
        target[slices(target.shape, offsets, sizes, strides)] = frame[source].reshape(sizes)

    return write


def execute_region(op: scf.ExecuteRegionOp, code: Code) -> Step:
    run, results = code.region(op.regions[0]), code.slots(op.results)

    def step(frame: Frame) -> None:
        for slot, value in zip(results, run(frame, ()), strict=True):
            frame[slot] = value

    return step


def index_switch(op: scf.IndexSwitchOp, code: Code) -> Step:
    flag, results = code.slot(op.arg), code.slots(op.results)
    default = code.body(op.default_region.block)
    cases = {int(case): code.body(region.block) for case, region in zip(op.cases.get_values(), op.case_regions, strict=True)}

    def step(frame: Frame) -> None:
        body = cases.get(int(frame[flag]), default)
        body.run(frame)
        for slot, value in zip(results, body.yielded(frame), strict=True):
            frame[slot] = value

    return step


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {cf.AssertOp: assertion}

CONTROL: dict[type[Operation], Control] = {
    func.CallOp: call,
    scf.IfOp: if_,
    scf.ForOp: for_,
    scf.WhileOp: while_,
    scf.ParallelOp: parallel,
    scf.ForallOp: forall,
    scf.ExecuteRegionOp: execute_region,
    scf.IndexSwitchOp: index_switch,
}

BRANCHES: dict[type[Operation], Branch] = {
    cf.BranchOp: branch,
    cf.ConditionalBranchOp: conditional_branch,
    cf.SwitchOp: switch,
}
