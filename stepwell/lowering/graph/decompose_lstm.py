"""An LSTM as one matmul for all inputs and a loop over time.

    p = x w^T + b                        for all steps at once: [T, B, 4H]
    for t: z = p[t] + h r^T              [B, 4H], gates i, o, f, g
           c = sigmoid(f) c + sigmoid(i) tanh(g)
           h = sigmoid(o) tanh(c)

The loop is `nn.loop`, whose lowering keeps h in y. Sequences of one or two steps are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.ir import Block, Operation, Region, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, PythonValue
from stepwell.dialects.nn.control import COUNT
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.patterns import Replacement, Site
from stepwell.lowering.graph.values import element_of, is_static, shape_of

UNROLLED = 2
"""Sequences up to so many steps have no loop."""


def lstm_steps(op: nn.LstmOp, site: Site) -> Replacement:
    """An LSTM of one or two directions -> for each a projection and a loop"""
    if not is_static(*op.operands):
        return None
    directions = shape_of(op.w)[0]
    results = [_direction(op, d, site) for d in range(directions)]
    ys, hs, cs = zip(*results, strict=True)
    return tuple(_stacked(parts, axis, result.type, site) for parts, axis, result in ((ys, 1, op.y), (hs, 0, op.h), (cs, 0, op.c)))


def _stacked(parts: tuple[SSAValue, ...], axis: int, type: Any, site: Site) -> SSAValue:
    """The directions side by side along a new axis."""
    shape = type.get_shape()
    single = tensor_type((*shape[:axis], 1, *shape[axis + 1 :]), type.element_type)
    widened = [site.make(nn.ReshapeOp, part, result_type=single) for part in parts]
    return widened[0] if len(widened) == 1 else site.make(nn.ConcatOp, *widened, axis=axis)


def _direction(op: nn.LstmOp, d: int, site: Site) -> tuple[SSAValue, SSAValue, SSAValue]:
    """(y [T, B, H], last h [B, H], last c [B, H]) of one direction."""
    steps, _, inputs = shape_of(op.x)
    hidden, element = shape_of(op.r)[2], element_of(op.x)

    def of_direction(value: SSAValue) -> SSAValue:
        shape = shape_of(value)
        part = site.make(nn.SliceOp, value, starts=[d, *[0] * (len(shape) - 1)], ends=[d + 1, *shape[1:]])
        return site.make(nn.ReshapeOp, part, result_type=tensor_type(shape[1:], element))

    w, r = (site.make(nn.TransposeOp, of_direction(v), permutation=[1, 0]) for v in (op.w, op.r))
    both = of_direction(op.b)
    halves = [site.make(nn.SliceOp, both, starts=[i * 4 * hidden], ends=[(i + 1) * 4 * hidden]) for i in (0, 1)]
    bias = site.make(nn.AddOp, *halves)
    assert shape_of(w) == (inputs, 4 * hidden)
    projected = site.make(nn.AddOp, site.make(nn.MatmulOp, op.x, w), bias)
    h, c = of_direction(op.h0), of_direction(op.c0)
    backward = op.direction.data == "reverse" or d == 1
    if steps == 0:
        return site.splat(0, tensor_type((0, *shape_of(h)), element)), h, c
    if steps <= UNROLLED:
        return _unrolled(projected, r, h, c, backward, site)
    return _loop(projected, r, h, c, backward, site)


def _unrolled(p: SSAValue, r: SSAValue, h: SSAValue, c: SSAValue, backward: bool, site: Site) -> tuple[SSAValue, SSAValue, SSAValue]:
    steps, batch, gates = shape_of(p)
    element = element_of(p)
    outputs: dict[int, SSAValue] = {}
    for t in reversed(range(steps)) if backward else range(steps):
        part = site.make(nn.SliceOp, p, starts=[t, 0, 0], ends=[t + 1, batch, gates])
        at = site.make(nn.ReshapeOp, part, result_type=tensor_type((batch, gates), element))
        h, c = _step(_Insert(site.insert), at, r, h, c)
        outputs[t] = site.make(nn.ReshapeOp, h, result_type=tensor_type((1, *shape_of(h)), element))
    parts = [outputs[t] for t in range(steps)]
    return (parts[0] if steps == 1 else site.make(nn.ConcatOp, *parts, axis=0)), h, c


def _loop(p: SSAValue, r: SSAValue, h: SSAValue, c: SSAValue, backward: bool, site: Site) -> tuple[SSAValue, SSAValue, SSAValue]:
    steps, batch, gates = shape_of(p)
    body = Block(arg_types=[COUNT, h.type, c.type, tensor_type((batch, gates), element_of(p))])

    def add(op: Operation) -> SSAValue:
        body.add_op(op)
        return op.results[0]

    _, h_before, c_before, at = body.args
    h_after, c_after = _step(_Insert(add), at, r, h_before, c_before)
    body.add_op(nn.YieldOp(h_after, c_after, h_after))
    loop = nn.LoopOp.make(Region(body), [h, c], trips=steps, scanned=[(p, 0, backward)], stacks=[(0, backward)])
    site.insert(loop)
    last_h, last_c, all_y = loop.results
    return all_y, last_h, last_c


class _Insert:
    """Puts operations where a step is written: before the matched one, or at the end of the loop's body."""

    def __init__(self, insert: Callable[[Operation], SSAValue]) -> None:
        self._insert = insert

    def __call__(self, op: Operation) -> SSAValue:
        return self._insert(op)

    def make(self, kind: type[NnOp], *operands: SSAValue, **attributes: PythonValue) -> SSAValue:
        return self._insert(kind.make(*operands, **attributes))


def _step(inside: _Insert, p: SSAValue, r: SSAValue, h: SSAValue, c: SSAValue) -> tuple[SSAValue, SSAValue]:
    """(h, c) after one step with projected input p [B, 4H]."""
    batch, hidden = shape_of(h)
    z = inside.make(nn.AddOp, inside.make(nn.MatmulOp, h, r), p)
    i, o, f, g = (inside.make(nn.SliceOp, z, starts=[0, k * hidden], ends=[batch, (k + 1) * hidden]) for k in range(4))
    kept = inside.make(nn.MulOp, inside.make(nn.SigmoidOp, f), c)
    new = inside.make(nn.MulOp, inside.make(nn.SigmoidOp, i), inside.make(nn.TanhOp, g))
    c = inside.make(nn.AddOp, kept, new)
    h = inside.make(nn.MulOp, inside.make(nn.SigmoidOp, o), inside.make(nn.TanhOp, c))
    return h, c
