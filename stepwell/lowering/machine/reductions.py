"""Reductions along lanes and along whole dimensions; outer products. They are anchors: emitted where they stand."""

from __future__ import annotations

from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.ir.text.narrow import as_array
from stepwell.lowering.machine.emit_tables import anchor
from stepwell.lowering.machine.layout import Element, vector_text
from stepwell.lowering.machine.masks import row_position
from stepwell.lowering.machine.pieces_arith import in_f32, integer_extreme, mangled, maximum, maxnum
from stepwell.lowering.machine.pieces_math import fused_multiply_add
from stepwell.lowering.machine.pieces_vector import _flat  # pyright: ignore[reportPrivateUsage]
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported

_INTEGER = {"and": "and", "or": "or", "xor": "xor"}
_EXTREMES = {"minsi": "smin", "maxsi": "smax", "minui": "umin", "maxui": "umax"}


def kind_of(op: Operation) -> str:
    """`add`, `maximumf`, ... of a reduction."""
    held: Any = attribute(op, "kind")
    return str(held.data.value if hasattr(held.data, "value") else held.data)


def combine(w: Walk, kind: str, element: Element, lanes: int, a: Token, b: Token) -> Token:
    """One step of a reduction on two pieces."""
    type = vector_text(lanes, element.llvm)
    if kind in _INTEGER:
        return w.sink.binary(_INTEGER[kind], type, a, b)
    if kind in _EXTREMES:
        return integer_extreme(w, _EXTREMES[kind], element, lanes, a, b)
    if kind in ("add", "mul"):
        if not element.is_float:
            return w.sink.binary(kind, type, a, b)
        return in_f32(w, element, lanes, [a, b], lambda t, x: w.sink.binary("f" + kind, t, x[0], x[1]))
    rule, greater = {"maximumf": (maximum, True), "minimumf": (maximum, False), "maxnumf": (maxnum, True), "minnumf": (maxnum, False)}[kind]
    return in_f32(w, element, lanes, [a, b], lambda t, x: rule(w, greater, t, x[0], x[1], lanes))


def across_lanes(w: Walk, kind: str, element: Element, lanes: int, value: Token) -> Token:
    """All lanes of one piece into a scalar. Sums of floats are reassociated: in order, they would take one step for each lane."""
    if not lanes:
        return value
    if lanes == 1:
        return w.sink.extract(vector_text(1, element.llvm), value, 0)
    if kind in ("add", "mul") and element.kind == "float":
        type = vector_text(lanes, element.llvm)
        start = w.sink.float(element.llvm, -0.0 if kind == "add" else 1.0)
        name = f"llvm.vector.reduce.f{kind}.{mangled(element.llvm, lanes)}"
        return w.sink.intrinsic(name, element.llvm, (element.llvm, type), (start, value), "reassoc")
    if not element.is_float:
        name = f"llvm.vector.reduce.{_EXTREMES.get(kind, kind)}.{mangled(element.llvm, lanes)}"
        return w.sink.intrinsic(name, element.llvm, (vector_text(lanes, element.llvm),), (value,))
    # A tree of halves. Lanes past a power of two are combined first.
    size = 1 << (lanes.bit_length() - 1)
    type = vector_text(lanes, element.llvm)
    poison = w.sink.poison(type)
    if size < lanes:
        low = w.sink.shuffle(type, value, poison, range(size))
        high = w.sink.shuffle(type, value, poison, [size + i if size + i < lanes else i for i in range(size)])
        if kind in ("add", "mul"):  # an element may not be taken twice
            total = across_lanes(w, kind, element, size, low)
            for lane in range(size, lanes):
                total = combine(w, kind, element, 0, total, w.sink.extract(type, value, lane))
            return total
        value = combine(w, kind, element, size, low, high)
    while size > 1:
        half = size // 2
        type = vector_text(size, element.llvm)
        poison = w.sink.poison(type)
        low = w.sink.shuffle(type, value, poison, range(half)) if half > 1 else w.sink.extract(type, value, 0)
        high = w.sink.shuffle(type, value, poison, range(half, size)) if half > 1 else w.sink.extract(type, value, 1)
        value = combine(w, kind, element, half if half > 1 else 0, low, high)
        size = half
    return value


def pieces_to_scalar(w: Walk, kind: str, value: SSAValue, pieces: range) -> Token:
    """Some pieces of a value into one scalar: full pieces together first, then across lanes."""
    layout = w.layout(value)
    by_lanes: dict[int, Token] = {}
    for piece in pieces:
        lanes, token = layout.lanes_of(piece), w.piece(value, piece)
        by_lanes[lanes] = token if lanes not in by_lanes else combine(w, kind, layout.element, lanes, by_lanes[lanes], token)
    total: Token = None
    for lanes, token in by_lanes.items():
        scalar = across_lanes(w, kind, layout.element, lanes, token)
        total = scalar if total is None else combine(w, kind, layout.element, 0, total, scalar)
    return total


@anchor("vector.reduction")
def emit_reduction(w: Walk, op: Operation) -> None:
    value = op.operands[0]
    kind, element = kind_of(op), w.layout(value).element
    total = pieces_to_scalar(w, kind, value, range(w.layout(value).count))
    if len(op.operands) > 1:
        total = combine(w, kind, element, 0, w.piece(op.operands[1], 0), total)
    w.set_scalar(op.results[0], total)


@anchor("vector.multi_reduction")
def emit_multi_reduction(w: Walk, op: Operation) -> None:
    value, start = op.operands
    inner, kind = w.layout(value), kind_of(op)
    dims = _dims(op)
    rank = len(inner.shape)
    kept = [d for d in range(rank) if d not in dims]
    rows: dict[tuple[int, ...], list[int]] = {}
    for row in range(inner.rows):
        position = row_position(inner, row) if inner.lanes else [*row_position(inner, row), 0]
        rows.setdefault(tuple(position[d] for d in kept if d < rank - 1), []).append(row)
    if rank - 1 in kept and inner.lanes:
        # Lanes stay lanes: rows are added up.
        layout = w.layout(op.results[0])
        table: list[Token] = [None] * layout.count
        for position, members in rows.items():
            target = _flat(tuple(inner.shape[d] for d in kept[:-1]), list(position))
            for chunk in range(inner.chunks):
                piece = target * inner.chunks + chunk
                total = w.piece(start, piece)
                for row in members:
                    total = combine(w, kind, inner.element, layout.lanes_of(piece), total, w.piece(value, row * inner.chunks + chunk))
                table[piece] = total
        w.set_result(op.results[0], table)
        return

    # Lanes are added up too: every element of the result is a scalar.
    totals = [_rows_to_scalar(w, kind, value, members) for members in rows.values()]
    result = op.results[0]
    layout = w.layout(result)
    full = [combine(w, kind, inner.element, 0, w.element(start, i) if layout.shape else w.piece(start, 0), t) for i, t in enumerate(totals)]
    if not layout.shape:
        w.set_scalar(result, full[0])
        return
    w.set_result(result, [w.assemble(layout, piece, lambda flat: full[flat]) for piece in range(layout.count)])


def _rows_to_scalar(w: Walk, kind: str, value: SSAValue, rows: list[int]) -> Token:
    """Several rows into one scalar: piece by piece, then across lanes once."""
    layout = w.layout(value)
    chunks: list[Token] = []
    for chunk in range(layout.chunks):
        lanes = layout.lanes_of(chunk)
        total = w.piece(value, rows[0] * layout.chunks + chunk)
        for row in rows[1:]:
            total = combine(w, kind, layout.element, lanes, total, w.piece(value, row * layout.chunks + chunk))
        chunks.append(total)
    full, last = layout.lanes, layout.last_lanes
    total = chunks[0]
    for chunk in chunks[1 : len(chunks) if full == last else -1]:
        total = combine(w, kind, layout.element, full, total, chunk)
    scalar = across_lanes(w, kind, layout.element, layout.lanes_of(0), total)
    if len(chunks) > 1 and full != last:
        scalar = combine(w, kind, layout.element, 0, scalar, across_lanes(w, kind, layout.element, last, chunks[-1]))
    return scalar


def _dims(op: Operation) -> list[int]:
    held: Any = attribute(op, "reduction_dims")
    if (array := as_array(held)) is not None:
        return [int(a.value.data) for a in array]
    return [int(v) for v in held.iter_values()]


@anchor("vector.outerproduct")
def emit_outerproduct(w: Walk, op: Operation) -> None:
    """Row i is lhs[i] * rhs (+ acc): the same accumulation as a `vector.fma` of two broadcasts."""
    lhs, rhs = op.operands[:2]
    acc = op.operands[2] if len(op.operands) > 2 else None
    layout = w.layout(op.results[0])
    if attribute(op, "kind") is not None and kind_of(op) != "add":
        raise unsupported(op, "of a kind other than add is not converted")
    if len(layout.shape) != 2 or not layout.element.is_float:
        raise unsupported(op, "is converted for float vectors only")
    table: list[Token] = []
    for row in range(layout.rows):
        scalar = w.element(lhs, row)
        splats: dict[int, Token] = {}
        for chunk in range(layout.chunks):
            piece = row * layout.chunks + chunk
            lanes = layout.lanes_of(piece)
            if lanes not in splats:
                splats[lanes] = w.splat_of(scalar, lanes, layout.element.llvm) if lanes else scalar
            args = [splats[lanes], w.piece(rhs, chunk)]
            if acc is None:
                table.append(in_f32(w, layout.element, lanes, args, lambda t, x: w.sink.binary("fmul", t, x[0], x[1])))
            else:
                args.append(w.piece(acc, piece))
                table.append(in_f32(w, layout.element, lanes, args, lambda t, x, lanes=lanes: fused_multiply_add(w, t, lanes, x)))
    w.set_result(op.results[0], table)
