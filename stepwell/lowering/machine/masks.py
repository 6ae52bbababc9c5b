"""Masks: which lanes of a piece are inside. A mask that is known to be all true is `None` and makes no instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.ir.constants import array_of
from stepwell.ir.text.narrow import as_dense
from stepwell.lowering.machine.emit_tables import piece
from stepwell.lowering.machine.index import ZERO, Index, constant
from stepwell.lowering.machine.layout import Layout, vector_text
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported


def row_position(layout: Layout, row: int) -> list[int]:
    """The leading indices of a row."""
    position: list[int] = []
    for extent in reversed(layout.shape[:-1]):
        row, at = divmod(row, extent)
        position.append(at)
    return position[::-1]


def bounds_of(w: Walk, mask: SSAValue) -> list[Index] | None:
    """The bounds of a `create_mask` or `constant_mask`; None for any other mask."""
    op = mask.owner
    if isinstance(op, Operation):
        if op.name == "vector.create_mask":
            return [w.index_of(operand) for operand in op.operands]
        if op.name == "vector.constant_mask":
            return [constant(n) for n in constant_mask_sizes(op)]
    return None


def constant_mask_sizes(op: Operation) -> list[int]:
    """The bounds of a `vector.constant_mask`."""
    held: Any = attribute(op, "mask_dim_sizes")
    return [int(v) for v in held.iter_values()]


def mask_piece(w: Walk, mask: SSAValue, piece: int) -> Token | None:
    """A piece of a mask value; None if all of it is known to be true."""
    op = mask.owner
    if isinstance(op, Operation):
        bounds = bounds_of(w, mask)
        if bounds is not None:
            return bounded_piece(w, w.layout(mask), bounds, piece)
        held = as_dense(attribute(op, "value")) if op.name == "arith.constant" else None
        if held is not None and bool(array_of(held).all()):
            return None
        if op.name == "vector.broadcast" and isinstance((source := op.operands[0]).owner, Operation) and w.layout(source).shape:
            layout, inner = w.layout(mask), w.layout(source)
            if inner.shape == layout.shape[-len(inner.shape) :]:
                return mask_piece(w, source, piece % inner.count)
    return w.piece(mask, piece)


def bounded_piece(w: Walk, layout: Layout, bounds: Sequence[Index], piece: int) -> Token | None:
    """The lanes of a piece whose position is below `bounds` in every dimension; None if all are."""
    row, chunk = divmod(piece, layout.chunks)
    lanes = layout.lanes_of(piece)
    position = row_position(layout, row) if lanes else _scalar_position(layout, piece)
    conditions: list[Token] = []
    for at, bound, extent in zip(position, bounds, layout.shape, strict=False):
        known = bound.known
        if known is not None:
            if at >= known:
                return w.sink.splat(lanes, "i1", 0)
        elif extent:
            conditions.append(_below(w, at, bound))
    inside = _all(w, conditions)
    if not lanes:
        return inside
    mask = _lanes_below(w, layout, bounds[-1], chunk * layout.lanes, lanes)
    if inside is None:
        return mask
    i1 = vector_text(lanes, "i1")
    mask = w.sink.splat(lanes, "i1", 1) if mask is None else mask
    return w.sink.select("i1", inside, i1, mask, w.sink.splat(lanes, "i1", 0))


def _lanes_below(w: Walk, layout: Layout, bound: Index, first: int, lanes: int) -> Token | None:
    """Which of the lanes first, first + 1, ... are below a bound; None if all are. Shared by all rows, and by all masks of that bound."""
    known = bound.known
    if known is not None:
        inside = min(max(known - first, 0), lanes)
        if inside == lanes:
            return None
        return w.sink.splat(lanes, "i1", 0) if not inside else w.sink.vector("i1", [i < inside for i in range(lanes)])
    limit = w.materialise(w.extreme("smin", [bound, constant(layout.shape[-1])]))  # so that it fits in 32 bits

    def splat() -> Token:
        return w.splat_of(w.sink.cast("trunc", "i64", limit, "i32"), lanes, "i32")

    def compare() -> Token:
        limits = w.pure(("limit", limit, lanes), (limit,), splat)
        return w.sink.compare("icmp", "slt", vector_text(lanes, "i32"), w.sink.vector("i32", range(first, first + lanes)), limits)

    return w.pure(("lanes", limit, first, lanes), (limit,), compare)


def _scalar_position(layout: Layout, piece: int) -> list[int]:
    position = row_position(layout, piece)
    return [*position, 0] if layout.shape else []


def _below(w: Walk, at: int, bound: Index) -> Token:
    # Made where it is used: a comparison costs less than a register that keeps its result.
    return w.sink.compare("icmp", "slt", "i64", w.sink.integer("i64", at), w.materialise(bound))


def _all(w: Walk, conditions: list[Token]) -> Token | None:
    if not conditions:
        return None
    result = conditions[0]
    for other in conditions[1:]:
        result = w.sink.binary("and", "i1", result, other)
    return result


@piece("vector.create_mask", "vector.constant_mask")
def emit_mask(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])
    bounds = bounds_of(w, op.results[0])
    if bounds is None:
        raise unsupported(op, "has no bounds")
    if not layout.shape:
        bounds = [*bounds, ZERO]
    token = bounded_piece(w, layout, bounds, piece)
    return w.sink.splat(layout.lanes_of(piece), "i1", 1) if token is None else token
