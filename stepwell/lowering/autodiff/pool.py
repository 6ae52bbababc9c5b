"""Derivatives of pools. Sums and means are linear; of a maximum the derivative goes to the first element that is it, in row-major order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints
from stepwell.dialects.nn.pool import PoolOp
from stepwell.dialects.nn.window import split_layout
from stepwell.ir.constants import dtype_of
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import JVP, TRANSPOSE, Tangents, same_op

LOWEST = -np.inf


def _spatial_axes(op: PoolOp) -> range:
    n = len(ints(op.kernel))
    return range(1, 1 + n) if op.layout.data == "channels_last" else range(2, 2 + n)


def _padded(op: PoolOp, x: SSAValue, value: float, e: Emitter) -> SSAValue:
    pads, axes, rank = ints(op.pads), _spatial_axes(op), len(shape_of(x))
    n = len(axes)
    low = [pads[d - axes.start] if d in axes else 0 for d in range(rank)]
    high = [pads[n + d - axes.start] if d in axes else 0 for d in range(rank)]
    return e.padded(x, low, high, value)


def _taps(op: PoolOp, padded: SSAValue, e: Emitter) -> Iterator[SSAValue]:
    """What every window sees at each of its places, in row-major order, each in the shape of the result."""
    axes, strides, dilations = _spatial_axes(op), ints(op.strides), ints(op.dilations)
    shape, result = shape_of(padded), shape_of(op.results[0])
    for place in np.ndindex(*ints(op.kernel)):
        starts, ends, steps = [0] * len(shape), list(shape), [1] * len(shape)
        for d, axis in enumerate(axes):
            starts[axis], steps[axis] = place[d] * dilations[d], strides[d]
            ends[axis] = starts[axis] + (result[axis] - 1) * strides[d] + 1
        yield e.make(nn.SliceOp, padded, starts=starts, ends=ends, steps=steps)


def _max_pool(op: nn.MaxPoolOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """The tangent of the first element that is the maximum"""
    (tangent,) = tangents
    if tangent is None:
        return None
    taken: SSAValue | None = None
    total: SSAValue | None = None
    values = list(_taps(op, _padded(op, op.x, LOWEST, e), e))
    for value, change in zip(values, _taps(op, _padded(op, tangent, 0, e), e), strict=True):
        here = e.make(nn.EqOp, value, op.y)
        first = here if taken is None else e.make(nn.AndOp, here, e.make(nn.NotOp, taken))
        taken = here if taken is None else e.make(nn.OrOp, taken, here)
        total = e.sum_of(total, e.select(first, change, 0.0))
    return total


def _transposed_sum_pool(op: nn.SumPoolOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    return [_spread_windows(op, cotangent, e)]


def _transposed_avg_pool(op: nn.AvgPoolOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    counts = op.counts(shape_of(op.x)).astype(dtype_of(element_of(op.x)))
    return [_spread_windows(op, e.div(cotangent, e.constant(counts)), e)]


def _spread_windows(op: PoolOp, cotangent: SSAValue, e: Emitter) -> SSAValue:
    """Each window's cotangent given to all of its elements: a transposed convolution with ones, every channel on its own."""
    last = op.layout.data == "channels_last"
    rank, n = len(shape_of(op.x)), len(ints(op.kernel))
    strides, pads, dilations, kernel = ints(op.strides), ints(op.pads), ints(op.dilations), ints(op.kernel)
    batch, channels, before = split_layout(shape_of(op.x), last)
    _, _, after = split_layout(shape_of(op.results[0]), last)
    first = e.transpose(cotangent, [0, rank - 1, *range(1, rank - 1)]) if last else cotangent
    if kernel == strides and not any(pads) and set(dilations) == {1}:
        # Windows that do not overlap: every element has one.
        split = e.reshape(first, (batch, channels, *(extent for a in after for extent in (a, 1))))
        wide = e.broadcast(split, (batch, channels, *(extent for a, k in zip(after, kernel, strict=True) for extent in (a, k))))
        x = e.reshape(wide, (batch, channels, *(a * k for a, k in zip(after, kernel, strict=True))))
        x = e.padded(x, [0] * rank, [0, 0, *(b - a * k for b, a, k in zip(before, after, kernel, strict=True))])
    else:
        ones = e.constant(np.ones((1, 1, *kernel), dtype_of(element_of(op.x))))
        reach = [(after[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1 - pads[d] - pads[n + d] for d in range(n)]
        x = e.make(
            nn.ConvTransposeOp,
            e.reshape(first, (batch * channels, 1, *after)),
            ones,
            strides=strides,
            pads=pads,
            dilations=dilations,
            output_pads=[before[d] - reach[d] for d in range(n)],
        )
        x = e.reshape(x, (batch, channels, *before))
    return e.transpose(x, [0, *range(2, rank), 1]) if last else x


JVP[nn.MaxPoolOp] = _max_pool
JVP.update(dict.fromkeys((nn.SumPoolOp, nn.AvgPoolOp), same_op))
TRANSPOSE[nn.SumPoolOp] = _transposed_sum_pool
TRANSPOSE[nn.AvgPoolOp] = _transposed_avg_pool
