"""Resampling: a subscript where the scale is a whole number and the nearest is wanted, else tables of positions and weights.

In: `nn.resize`. Out: a generic that reads at `d floordiv scale`; or at positions that come in tables (further arguments of the kernel);
or the sum over a few taps for each resampled axis, of weights times data.
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr

from stepwell.dialects import nn
from stepwell.ir.constants import dtype_of
from stepwell.lowering.structured.emit import Emitter, Read, dims, element_of, lowers, shape_of
from stepwell.lowering.structured.index import clamped
from stepwell.lowering.structured.scalars import Scalars, wide


@lowers(nn.ResizeOp)
def lower_resize(op: nn.ResizeOp, e: Emitter) -> None:
    """Nearest or weighted, by the number of taps."""
    (x,) = e.values(op)
    axes = op.resampled_axes()
    taps = {a: op.taps(a) for a in axes}
    if all(positions.shape[1] == 1 for positions, _ in taps.values()):
        _nearest(op, e, x, {a: positions[:, 0] for a, (positions, _) in taps.items()})
    else:
        _weighted(op, e, x, taps)


def _nearest(op: nn.ResizeOp, e: Emitter, x: SSAValue, positions: dict[int, np.ndarray]) -> None:
    shape = shape_of(x)
    rank = len(shape)
    loops = dims(rank)
    factors = {a: len(p) // shape[a] for a, p in positions.items()}
    if all(f and np.array_equal(positions[a], np.arange(len(positions[a])) // f) for a, f in factors.items()):
        read = [loops[d] // AffineConstantExpr(factors[d]) if factors.get(d, 1) > 1 else loops[d] for d in range(rank)]
        e.define(op.y, e.generic([(x, read)], e.destination(op.y), loops, rank, lambda s, a, _: a, raw=True))
        return
    extents = {a: e.dim(x, a) for a in positions}
    reads: list[Read] = [(e.table(p.astype(np.int32)), (loops[a],)) for a, p in positions.items()]

    def body(s: Scalars, *rest: SSAValue) -> SSAValue:
        at = [e.index(s, d) for d in range(rank)]
        for axis, position in zip(positions, rest[:-1], strict=True):
            at[axis] = clamped(s, s.to_index(position), extents[axis])
        return e.extract(s, x, at, raw=True)

    e.define(op.y, e.generic(reads, e.destination(op.y), loops, rank, body, raw=True))


def _weighted(op: nn.ResizeOp, e: Emitter, x: SSAValue, taps: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    rank = len(shape_of(x))
    loops = dims(rank)
    dtype = dtype_of(wide(element_of(x)))
    extents = {a: e.dim(x, a) for a in taps}
    reads: list[Read] = []
    for tap, (axis, (positions, weights)) in zip(dims(len(taps), rank), taps.items(), strict=True):
        reads.append((e.table(positions.astype(np.int32)), (loops[axis], tap)))
        reads.append((e.table(weights.astype(dtype)), (loops[axis], tap)))

    def body(s: Scalars, *rest: SSAValue) -> SSAValue:
        at = [e.index(s, d) for d in range(rank)]
        factor: SSAValue | None = None
        for axis, position, weight in zip(taps, rest[0:-1:2], rest[1:-1:2], strict=True):
            at[axis] = clamped(s, s.to_index(position), extents[axis])
            factor = weight if factor is None else s.times(factor, weight)
        assert factor is not None
        return s.plus(rest[-1], s.times(factor, e.extract(s, x, at), contract=True), contract=True)

    out = e.accumulator(op.y)
    total = e.generic(reads, e.filled(0, out), loops, rank + len(taps), body, reductions=range(rank, rank + len(taps)))
    e.settle(op.y, total)
