"""Gathers and scatters: generics that read at computed positions.

In: data and indices. Out: generics with `tensor.extract`. Every computed index counts from the end if negative and is then clamped, so
that no read is ever outside. A scatter is written as a gather: each element of the result looks through the updates for those that name
it, in order.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_unsigned, number
from stepwell.lowering.structured.emit import Emitter, Read, dims, element_of, lowers, shape_of, zero
from stepwell.lowering.structured.scalars import INDEX, Scalars, signless, wide


def resolved(s: Scalars, index: SSAValue, extent: SSAValue, unsigned: bool) -> SSAValue:
    """An index that counts from the end if negative, as a position (not yet clamped)."""
    i = s.to_index(index, unsigned=unsigned)
    return i if unsigned else s.select(s.compare("lt", i, s.constant(0, INDEX)), s.plus(i, extent), i)


def clamped(s: Scalars, position: SSAValue, extent: SSAValue) -> SSAValue:
    """A position inside 0 to extent - 1."""
    return s.larger(s.smaller(position, s.minus(extent, s.constant(1, INDEX))), s.constant(0, INDEX))


def _unsigned(value: SSAValue) -> bool:
    return is_unsigned(element_of(value))


@lowers(nn.GatherOp)
def lower_gather(op: nn.GatherOp, e: Emitter) -> None:
    """y[before..., i..., after...] = x[before..., indices[i...], after...]."""
    x, indices = e.values(op)
    axis, count = number(op.axis), len(shape_of(indices))
    rank = len(shape_of(x)) - 1 + count
    extent, unsigned = e.dim(x, axis), _unsigned(op.indices)

    def body(s: Scalars, index: SSAValue, _: SSAValue) -> SSAValue:
        at = clamped(s, resolved(s, index, extent, unsigned), extent)
        loops = [e.index(s, d) for d in range(rank) if not axis <= d < axis + count]
        return e.extract(s, x, [*loops[:axis], at, *loops[axis:]], raw=True)

    e.define(op.y, e.generic([(indices, dims(count, axis))], e.destination(op.y), dims(rank), rank, body, raw=True))


@lowers(nn.GatherElementsOp)
def lower_gather_elements(op: nn.GatherElementsOp, e: Emitter) -> None:
    """y[i...] = x[i..., indices[i...] in the place of the axis]."""
    x, indices = e.values(op)
    axis, rank = number(op.axis), len(shape_of(x))
    extent, unsigned = e.dim(x, axis), _unsigned(op.indices)

    def body(s: Scalars, index: SSAValue, _: SSAValue) -> SSAValue:
        at = [e.index(s, d) for d in range(rank) if d != axis]
        at.insert(axis, clamped(s, resolved(s, index, extent, unsigned), extent))
        return e.extract(s, x, at, raw=True)

    e.define(op.y, e.generic([(indices, dims(rank))], e.destination(op.y), dims(rank), rank, body, raw=True))


@lowers(nn.GatherNdOp)
def lower_gather_nd(op: nn.GatherNdOp, e: Emitter) -> None:
    """y[b..., i..., rest...] = x[b..., indices[b..., i..., 0], indices[b..., i..., 1], ..., rest...]."""
    x, indices = e.values(op)
    batch, depth = number(op.batch_dims), shape_of(indices)[-1]
    tuples = len(shape_of(indices)) - 1
    rank = len(op.result_type.get_shape())
    extents, unsigned = [e.dim(x, batch + t) for t in range(depth)], _unsigned(op.indices)

    def body(s: Scalars, *rest: SSAValue) -> SSAValue:
        found = [clamped(s, resolved(s, i, n, unsigned), n) for i, n in zip(rest[:-1], extents, strict=True)]
        return e.extract(s, x, [*(e.index(s, d) for d in range(batch)), *found, *(e.index(s, d) for d in range(tuples, rank))], raw=True)

    e.define(op.y, e.generic(_tuple_reads(e, indices, tuples), e.destination(op.y), dims(rank), rank, body, raw=True))


def _tuple_reads(e: Emitter, indices: SSAValue, tuples: int, first: int = 0) -> list[Read]:
    """One operand for each component of the index tuples, whose loops begin at `first`."""
    return [(indices, (*dims(tuples, first), zero() + t)) for t in range(shape_of(indices)[-1])]


# ---- scatters ---------------------------------------------------------------------------------------------------------------------


def _combine(op: nn.ScatterNdOp | nn.ScatterElementsOp) -> Callable[[Scalars, SSAValue, SSAValue], SSAValue]:
    unsigned = is_unsigned(op.result_type.element_type)
    match op.reduction.data:
        case "add":
            return lambda s, old, new: s.plus(old, new)
        case "mul":
            return lambda s, old, new: s.times(old, new)
        case "max":
            return lambda s, old, new: s.larger(old, new, unsigned=unsigned)
        case "min":
            return lambda s, old, new: s.smaller(old, new, unsigned=unsigned)
        case _:
            return lambda s, old, new: new


def _copied(op: nn.ScatterNdOp | nn.ScatterElementsOp, e: Emitter, x: SSAValue) -> SSAValue:
    """The data in the place where updates are combined with it."""
    return e.pointwise([x], e.accumulator(op.y), lambda s, a: a)


@lowers(nn.ScatterElementsOp)
def lower_scatter_elements(op: nn.ScatterElementsOp, e: Emitter) -> None:
    """y[p...] = x[p...] combined, for each j, with updates[p..., j, p...] where indices[p..., j, p...] is p on the axis."""
    x, indices, updates = e.values(op)
    axis: int = number(op.axis)
    rank = len(shape_of(x))
    extent, unsigned = e.dim(x, axis), _unsigned(op.indices)
    combine = _combine(op)
    others = [d for d in range(rank) if d != axis]
    # Where the indices are shorter than the data, what lies beyond them is not updated.
    cut = [d for d in others if shape_of(indices)[d] != shape_of(x)[d]]
    steps: list[Read] = [(_line(e, indices, axis), dims(1, rank))]

    def body(s: Scalars, _: SSAValue, old: SSAValue) -> SSAValue:
        at = [e.index(s, d) for d in range(rank)]
        here = at[axis]
        at[axis] = e.index(s, rank)
        named: SSAValue | None = None
        for d in cut:
            n = s.constant(shape_of(indices)[d], INDEX)
            inside = s.compare("lt", at[d], n)
            named = inside if named is None else s.both(named, inside)
            at[d] = clamped(s, at[d], n)
        equal = s.compare("eq", resolved(s, e.extract(s, indices, at, raw=True), extent, unsigned), here)
        return s.select(equal if named is None else s.both(named, equal), combine(s, old, e.extract(s, updates, at)), old)

    base = _copied(op, e, x)
    e.settle(op.y, e.generic(steps, base, dims(rank), rank + 1, body, reductions=(rank,)))


def _line(e: Emitter, value: SSAValue, axis: int) -> SSAValue:
    """A tensor that nobody reads, as long as an axis: it gives a loop its extent."""
    return e.window((shape_of(value)[axis],))


@lowers(nn.ScatterNdOp)
def lower_scatter_nd(op: nn.ScatterNdOp, e: Emitter) -> None:
    """y[p..., rest...] = x[p..., rest...] combined, for each i, with updates[i..., rest...] where the tuple indices[i...] is p."""
    x, indices, updates = e.values(op)
    rank, depth, tuples = len(shape_of(x)), shape_of(indices)[-1], len(shape_of(indices)) - 1
    extents, unsigned = [e.dim(x, t) for t in range(depth)], _unsigned(op.indices)
    combine = _combine(op)
    loops = rank + tuples
    reads: list[Read] = [(updates, (*dims(tuples, rank), *dims(rank - depth, depth))), *_tuple_reads(e, indices, tuples, rank)]

    def body(s: Scalars, update: SSAValue, *rest: SSAValue) -> SSAValue:
        old = rest[-1]
        named: SSAValue | None = None
        for t, (index, extent) in enumerate(zip(rest[:-1], extents, strict=True)):
            equal = s.compare("eq", resolved(s, index, extent, unsigned), e.index(s, t))
            named = equal if named is None else s.both(named, equal)
        new = combine(s, old, update)
        return new if named is None else s.select(named, new, old)

    base = _copied(op, e, x)
    e.settle(op.y, e.generic(reads, base, dims(rank), loops, body, reductions=range(rank, loops)))


# ---- index tensors ----------------------------------------------------------------------------------------------------------------


@lowers(nn.OneHotOp)
def lower_one_hot(op: nn.OneHotOp, e: Emitter) -> None:
    """values[1] where the index is the position on the new axis, else values[0]."""
    indices, values = e.values(op)
    axis, rank = number(op.axis), len(op.result_type.get_shape())
    unsigned = _unsigned(op.indices)

    def body(s: Scalars, index: SSAValue, off: SSAValue, on: SSAValue, _: SSAValue) -> SSAValue:
        position = resolved(s, index, s.constant(number(op.depth), INDEX), unsigned)
        return s.select(s.compare("eq", position, e.index(s, axis)), on, off)

    loops = dims(rank)
    reads: list[Read] = [(indices, [d for i, d in enumerate(loops) if i != axis]), (values, (zero(),)), (values, (zero() + 1,))]
    e.define(op.y, e.generic(reads, e.destination(op.y), loops, rank, body, raw=True))


@lowers(nn.IotaOp)
def lower_iota(op: nn.IotaOp, e: Emitter) -> None:
    """The loop of the axis as a number."""
    rank, axis = len(op.result_type.get_shape()), number(op.axis)
    element = op.result_type.element_type

    def body(s: Scalars, _: SSAValue) -> SSAValue:
        return s.from_index(e.index(s, axis), wide(signless(element)))

    e.define(op.y, e.generic([], e.destination(op.y), dims(rank), rank, body))
