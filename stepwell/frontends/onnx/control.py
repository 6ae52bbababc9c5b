"""ONNX control flow, as far as it is decided when the model is compiled: known branches and steps are put in place of the node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis

MAX_STEPS = 256
"""Of a loop that is unrolled."""


@converter("If")
def _if(n: Node, condition: Value) -> Sequence[Value]:
    return n.branch(n.graph("then_branch" if _truth(n, condition) else "else_branch"))


def _truth(n: Node, condition: Value) -> bool:
    known = n.known(condition, "condition")
    if known.size != 1:
        n.fail(f"its condition has {known.size} elements, not one")
    return bool(known.reshape(-1)[0])


@converter("Loop")
def _loop(n: Node, limit: Value | None, condition: Value | None = None, *carried: Value) -> Sequence[Value]:
    """The steps one after the other. The body takes (step, condition, carried...) and gives (condition, carried..., parts of stacks...)."""
    body = n.graph("body")
    stacks = len(body.output) - 1 - len(carried)
    if stacks < 0:
        n.fail(f"its body has {len(body.output)} outputs for {len(carried)} carried values")
    steps = None if limit is None else n.known_int(limit, "trip count")
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
    output_axes, output_backward = n.ints("scan_output_axes", (0,) * stacks), n.ints("scan_output_directions", (0,) * stacks)
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
