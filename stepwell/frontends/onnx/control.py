"""ONNX control flow. What is decided when the model is compiled is put in place of the node: the branch that is taken, a few known steps.

The rest becomes `nn.if` and `nn.loop`, if every shape in it is known; a branch or body of which that cannot be said is not imported so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from onnx import GraphProto
from xdsl.dialects.builtin import i1, i64
from xdsl.ir import Region

from stepwell.dialects import nn
from stepwell.dialects.nn.base import Tensor
from stepwell.dialects.nn.control import COUNT
from stepwell.frontends.onnx.node import Node, Value, ValueAbsent, ValueSequence, ValueText
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.ir.constants import tensor_type

MAX_STEPS = 256
"""Of a loop that is unrolled."""
UNROLLED = 2
"""Loops of so many known steps are unrolled in any case."""


# ---- If -------------------------------------------------------------------------------------------------------------------------


@converter("If")
def _if(n: Node, condition: Value) -> Sequence[Value]:
    branches = n.graph("then_branch"), n.graph("else_branch")
    if condition.array is None and is_plain(condition):
        found = n.attempt(lambda: _run_time_if(n, condition, *branches))
        if found is not None:
            return found
    return n.branch(branches[0 if _truth(n, condition) else 1])


def _run_time_if(n: Node, condition: Value, then: GraphProto, otherwise: GraphProto) -> Sequence[Value]:
    regions: list[Region] = []
    types: list[list[Tensor]] = []
    flag = _flag(n, condition)
    for graph in (then, otherwise):
        with n.builder.region() as block:
            results = plain(n, n.branch(graph))
            values = [n.builder.ssa(v) for v in results]
        block.add_op(nn.YieldOp(*values))
        regions.append(Region(block))
        types.append([v.type for v in results])
    if types[0] != types[1]:
        n.unsupported("its branches differ in the shapes of their results")
    return n.builder.add(nn.IfOp(n.builder.ssa(flag), *regions))


def is_plain(value: Value) -> bool:
    """Whether a value is a tensor of numbers."""
    return not isinstance(value, (ValueSequence, ValueAbsent, ValueText))


def plain(n: Node, values: Sequence[Value]) -> Sequence[Value]:
    """The values, if all are tensors of numbers."""
    if not all(map(is_plain, values)):
        n.unsupported("a sequence, an optional or text passes through it")
    return values


def _truth(n: Node, condition: Value) -> bool:
    known = n.known(condition, "condition")
    if known.size != 1:
        n.fail(f"its condition has {known.size} elements, not one")
    return bool(known.reshape(-1)[0])


def _flag(n: Node, condition: Value) -> Value:
    """A condition as `tensor<i1>`."""
    if condition.size != 1:
        n.fail(f"its condition has {condition.size} elements, not one")
    return n.cast(n.reshape(condition, ()), i1)


# ---- loops ----------------------------------------------------------------------------------------------------------------------

Body = Callable[[Value, Sequence[Value], Sequence[Value]], "tuple[Value | None, Sequence[Value], Sequence[Value]]"]
"""(number of the step, what is carried, slices) -> (condition of the next step, what is carried on, parts of stacks)"""


def run_time_loop(
    n: Node,
    body: Body,
    carried: Sequence[Value],
    *,
    trips: int | None = None,
    count: Value | None = None,
    condition: Value | None = None,
    scanned: Sequence[tuple[Value, int, bool]] = (),
    stacks: Sequence[tuple[int, bool]] = (),
) -> Sequence[Value]:
    """A loop as `nn.loop`: what it carries at the end, then the stacks. Raises what `Node.attempt` waits for where it is none."""
    b = n.builder
    plain(n, [*carried, *(x for x, _, _ in scanned)])
    shapes = [(*x.shape[:axis], *x.shape[axis + 1 :]) for x, axis, _ in scanned]
    types = [COUNT, *(v.type for v in carried), *(tensor_type(s, x.element) for s, (x, _, _) in zip(shapes, scanned, strict=True))]
    inits = [b.ssa(v) for v in carried]
    operands = [*inits, *(b.ssa(x) for x, _, _ in scanned)]
    limit = None if count is None else b.ssa(n.cast(n.reshape(count, ()), i64))
    first = n.constant(np.array(True)) if condition is None else _flag(n, condition)
    with b.region(types, [*operands, *(v for v in (limit, first.ssa) if v is not None)]) as block:
        arguments = [Value(t, None, a) for t, a in zip(types, block.args, strict=True)]
        step, state, slices = arguments[0], arguments[1 : 1 + len(carried)], arguments[1 + len(carried) :]
        going, following, parts = body(step, state, slices)
        plain(n, [*following, *parts])
        if [v.type for v in following] != [v.type for v in carried]:
            n.unsupported("what it carries changes its shape")
        ends = going is not None and not (going.array is not None and bool(going.array.all()))
        conditional = ends or first.array is None or not bool(first.array.all())
        yielded = [*([_flag(n, n.constant(np.array(True)) if going is None else going)] if conditional else []), *following, *parts]
        if conditional and stacks:
            n.unsupported("it may end before its last step, so that what it stacks has no known shape")
        if trips is None and stacks:
            n.unsupported("what it stacks has no known shape")
        values = [b.ssa(v) for v in yielded]
    block.add_op(nn.YieldOp(*values))
    scans = [(x, axis, backward) for x, (_, axis, backward) in zip(operands[len(inits) :], scanned, strict=True)]
    if trips is None and limit is None and not conditional:
        n.fail("it never ends")
    return b.add(
        nn.LoopOp.make(
            Region(block),
            inits,
            trips=trips,
            count=limit,
            condition=b.ssa(first) if conditional else None,
            scanned=scans,
            stacks=stacks,
        )
    )


@converter("Loop")
def _loop(n: Node, limit: Value | None, condition: Value | None = None, *carried: Value) -> Sequence[Value]:
    """The body takes (step, condition, carried...) and gives (condition, carried..., parts of stacks...)."""
    body = n.graph("body")
    stacks = len(body.output) - 1 - len(carried)
    if stacks < 0:
        n.fail(f"its body has {len(body.output)} outputs for {len(carried)} carried values")
    known = limit is None or limit.array is not None
    steps = None if limit is None or not known else max(n.known_int(limit, "trip count"), 0)
    never = condition is not None and condition.array is not None and not _truth(n, condition)
    if not never and (steps is None or steps > UNROLLED or (stacks and steps == 0)):

        def step_of(step: Value, state: Sequence[Value], _: Sequence[Value]) -> tuple[Value, Sequence[Value], Sequence[Value]]:
            following, *results = n.branch(body, [step, n.constant(np.array(True)), *state])
            return following, results[: len(carried)], results[len(carried) :]

        found = n.attempt(
            lambda: run_time_loop(
                n, step_of, carried, trips=steps, count=None if known else limit, condition=condition, stacks=[(0, False)] * stacks
            )
        )
        if found is not None:
            return found
    return _unrolled(n, body, stacks, None if limit is None else n.known_int(limit, "trip count"), condition, carried)


def _unrolled(
    n: Node, body: GraphProto, stacks: int, steps: int | None, condition: Value | None, carried: Sequence[Value]
) -> Sequence[Value]:
    """The steps one after the other."""
    parts: list[list[Value]] = [[] for _ in range(stacks)]
    state, going, step = list(carried), condition is None or _truth(n, condition), 0
    while going and (steps is None or step < steps):
        if step == MAX_STEPS:
            n.unsupported(f"it takes more than {MAX_STEPS} steps")
        truth = n.constant(np.array(True))
        following, *results = n.branch(body, [n.constant(np.array(step, np.int64)), truth, *state])
        state = results[: len(carried)]
        for stack, part in zip(parts, results[len(carried) :], strict=True):
            stack.append(part)
        going, step = _truth(n, following), step + 1
    return (*state, *(_stacked(n, stack, 0) for stack in parts))


@converter("Scan", since=9)
def _scan(n: Node, *operands: Value) -> Sequence[Value]:
    """One step for each slice of the scanned operands. The body takes (state..., slices...) and gives (state..., parts of stacks...)."""
    body, scanned = n.graph("body"), n.int("num_scan_inputs")
    if not 0 < scanned <= len(operands) or len(body.output) < len(operands) - scanned:
        n.fail(f"it scans {scanned} of {len(operands)} operands and its body has {len(body.output)} outputs")
    state, sources = list(operands[: len(operands) - scanned]), operands[len(operands) - scanned :]
    stacks = len(body.output) - len(state)
    axes = [n.axis(a, x.rank) for a, x in zip(n.ints("scan_input_axes", (0,) * scanned), sources, strict=True)]
    backward = n.ints("scan_input_directions", (0,) * scanned)
    lengths = {x.shape[axis] for axis, x in zip(axes, sources, strict=True)}
    if len(lengths) != 1 or len(backward) != scanned:
        n.fail(f"the scanned operands have {sorted(lengths)} slices")
    (steps,) = lengths
    output_axes, output_backward = n.ints("scan_output_axes", (0,) * stacks), n.ints("scan_output_directions", (0,) * stacks)
    if len(output_axes) != stacks or len(output_backward) != stacks:
        n.fail(f"it says axes and directions of other than {stacks} outputs")
    if steps > UNROLLED or steps == 0:

        def step_of(_: Value, now: Sequence[Value], slices: Sequence[Value]) -> tuple[None, Sequence[Value], Sequence[Value]]:
            results = n.branch(body, [*now, *slices])
            ranks = [part.rank + 1 for part in results[len(now) :]]
            placed[:] = [(n.axis(a, rank), bool(r)) for a, rank, r in zip(output_axes, ranks, output_backward, strict=True)]
            return None, results[: len(now)], results[len(now) :]

        placed: list[tuple[int, bool]] = [(0, False)] * stacks
        scans = [(x, axis, bool(reverse)) for x, axis, reverse in zip(sources, axes, backward, strict=True)]
        found = n.attempt(lambda: run_time_loop(n, step_of, state, trips=steps, scanned=scans, stacks=placed))
        if found is not None:
            return found
    if steps > MAX_STEPS:
        n.unsupported(f"it takes {steps} steps, more than {MAX_STEPS}")

    parts: list[list[Value]] = [[] for _ in range(stacks)]
    for step in range(steps):
        at = [steps - 1 - step if reverse else step for reverse in backward]
        slices = [_dropped(n, slice_axis(n, x, axis, t, t + 1), axis) for x, axis, t in zip(sources, axes, at, strict=True)]
        results = n.branch(body, [*state, *slices])
        state = results[: len(state)]
        for stack, part in zip(parts, results[len(state) :], strict=True):
            stack.append(part)
    outputs = zip(parts, output_axes, output_backward, strict=True)
    return (*state, *(_stacked(n, stack[::-1] if reverse else stack, axis) for stack, axis, reverse in outputs))


def _dropped(n: Node, x: Value, axis: int) -> Value:
    return n.reshape(x, (*x.shape[:axis], *x.shape[axis + 1 :]))


def _stacked(n: Node, parts: Sequence[Value], axis: int) -> Value:
    """The parts along a new axis."""
    if not parts:
        n.unsupported("it takes no step, so that the shape of what it stacks is unknown")
    axis = n.axis(axis, parts[0].rank + 1)
    wide = [n.reshape(p, (*p.shape[:axis], 1, *p.shape[axis:])) for p in parts]
    return wide[0] if len(wide) == 1 else n.op(nn.ConcatOp, *wide, axis=axis)
