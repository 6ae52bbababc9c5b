"""Pieces of `vector` ops that rearrange: broadcast, extract, insert, slices, shape casts, transposes, shuffles; and vector.fma."""

from __future__ import annotations

from math import prod
from typing import Any

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import Operation, SSAValue

from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_array
from stepwell.lowering.machine.emit_tables import anchor
from stepwell.lowering.machine.emit_tables import piece as pieces
from stepwell.lowering.machine.index import Index
from stepwell.lowering.machine.layout import Layout, vector_text
from stepwell.lowering.machine.masks import row_position
from stepwell.lowering.machine.pieces_arith import constant_splat, in_f32, number
from stepwell.lowering.machine.pieces_math import fused_multiply_add
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported


@anchor("vector.fma")
def emit_fma(w: Walk, op: Operation) -> None:
    """Accumulation: emitted where it stands, row by row."""
    a, b, c = op.operands
    layout = w.layout(op.results[0])
    table: list[Token] = []
    for piece in range(layout.count):
        lanes = layout.lanes_of(piece)
        args = [w.piece(a, piece), w.piece(b, piece), w.piece(c, piece)]
        table.append(in_f32(w, layout.element, lanes, args, lambda t, x, lanes=lanes: fused_multiply_add(w, t, lanes, x)))
    w.set_result(op.results[0], table)


# ---- broadcast ------------------------------------------------------------------------------------------------------------------


@pieces("vector.broadcast", "vector.splat")
def emit_broadcast(w: Walk, op: Operation, piece: int) -> Token:
    source, result = op.operands[0], op.results[0]
    inner, layout = w.layout(source), w.layout(result)
    row = _source_row(inner, layout, piece // layout.chunks)
    if inner.lanes or not layout.lanes:
        return w.piece(source, row * inner.chunks + piece % layout.chunks)
    # One scalar for the whole row: all full pieces of the row are the same value.
    lanes = layout.lanes_of(piece)
    known = constant_splat(source)
    if known is not None:
        return w.sink.splat(lanes, layout.element.llvm, number(known, layout.element))
    splat = w.splat_of(w.piece(source, row), lanes, layout.element.llvm)
    first = piece - piece % layout.chunks
    for other in range(first, first + layout.chunks):
        if layout.lanes_of(other) == lanes and other != piece:
            w.set_piece(result, other, splat)
    return splat


def _source_row(inner: Layout, layout: Layout, row: int) -> int:
    """The row of a broadcast's source that a row of the result comes from."""
    if not inner.shape:
        return 0
    position = row_position(layout, row)[len(layout.shape) - len(inner.shape) :]
    source = 0
    for at, extent in zip(position, inner.shape[:-1], strict=True):
        source = source * extent + (at if extent != 1 else 0)
    return source


# ---- element and slice access ---------------------------------------------------------------------------------------------------


def _static_position(op: Operation) -> list[int]:
    held: Any = attribute(op, "static_position")
    return [int(v) for v in held.iter_values()] if isinstance(held, DenseArrayBase) else []


@pieces("vector.extract")
def emit_extract(w: Walk, op: Operation, piece: int) -> Token:
    source, layout = w.layout(op.operands[0]), w.layout(op.results[0])
    position = _static_position(op)
    dynamic = list(op.operands[1:])
    if DYNAMIC in position:
        if len(position) != len(source.shape) or DYNAMIC in position[:-1] or not source.lanes:
            raise unsupported(op, "takes a position that is not constant for the last dimension only")
        return _extract_at(w, op.operands[0], _flat_row(source, position[:-1]), w.index_of(dynamic[0]))
    if len(position) == len(source.shape):
        return w.element(op.operands[0], _flat(source.shape, position))
    rest = source.shape[len(position) :]
    first = _flat(source.shape[: len(position)], position) * prod(rest)
    return _same_elements(w, op.operands[0], layout, piece, first)


@pieces("vector.extractelement")
def emit_extract_element(w: Walk, op: Operation, piece: int) -> Token:
    if len(op.operands) == 1:
        return w.piece(op.operands[0], 0)
    source = w.layout(op.operands[0])
    lane = w.index_of(op.operands[1]) if source.lanes else None
    if lane is not None and lane.known is not None:
        return w.element(op.operands[0], lane.known)
    assert lane is not None
    return _extract_at(w, op.operands[0], 0, lane)


def _extract_at(w: Walk, source: SSAValue, row: int, lane: Index) -> Token:
    """An element of a row at a place known at run time. A row of several pieces goes through the stack."""
    layout = w.layout(source)
    first = row * layout.chunks
    if layout.chunks == 1:
        return w.sink.extract_at(layout.type_of(first), w.piece(source, first), w.materialise(lane))
    element = layout.element
    if element.bits == 1:
        raise CompileError("an element of a mask of several pieces is read at a place that is not constant")
    buffer = w.sink.stack(element.memory, layout.chunks * layout.lanes, 64)
    for chunk in range(layout.chunks):
        place = w.sink.address(element.memory, buffer, chunk * layout.lanes) if chunk else buffer
        w.sink.store(layout.type_of(first + chunk), w.piece(source, first + chunk), place, element.size)
    return w.sink.load(element.memory, w.sink.address(element.memory, buffer, w.materialise(lane)), element.size)


@pieces("vector.insert")
def emit_insert(w: Walk, op: Operation, piece: int) -> Token:
    value, into = op.operands[:2]
    position = _static_position(op)
    if DYNAMIC in position:
        raise unsupported(op, "at a position that is not constant is not converted")
    layout, inner = w.layout(op.results[0]), w.layout(value)
    first = _flat(layout.shape[: len(position)], position) * prod(layout.shape[len(position) :])
    begin, end = _span(layout, piece)
    count = prod(inner.shape) if inner.shape else 1
    if end <= first or begin >= first + count:
        return w.piece(into, piece)
    if inner.lanes == layout.lanes and inner.chunks == layout.chunks and len(position) < len(layout.shape):
        return w.piece(value, piece - _flat(layout.shape[: len(position)], position) * inner.count)

    def element(flat: int) -> Token:
        return w.element(value, flat - first) if first <= flat < first + count else w.element(into, flat)

    if count == 1 and layout.lanes:
        return w.sink.insert(layout.type_of(piece), w.piece(into, piece), layout.element.llvm, w.element(value, 0), first - begin)
    return w.assemble(layout, piece, element)


def _flat(shape: tuple[int, ...], position: list[int]) -> int:
    flat = 0
    for at, extent in zip(position, shape, strict=True):
        flat = flat * extent + at
    return flat


def _flat_row(layout: Layout, position: list[int]) -> int:
    return _flat(layout.shape[:-1], position)


def _span(layout: Layout, piece: int) -> tuple[int, int]:
    """Flat indices of the first element of a piece and of the one after its last."""
    lanes = layout.lanes_of(piece)
    if not lanes:
        return piece, piece + 1
    row, chunk = divmod(piece, layout.chunks)
    begin = row * layout.shape[-1] + chunk * layout.lanes
    return begin, begin + lanes


def _same_elements(w: Walk, source: SSAValue, layout: Layout, piece: int, shift: int = 0) -> Token:
    """A piece whose elements are those of `source`, `shift` further on in row-major order: a piece of it where they are cut alike."""
    inner = w.layout(source)
    begin, end = _span(layout, piece)
    begin, end = begin + shift, end + shift
    if inner.lanes and layout.lanes:
        row, column = divmod(begin, inner.shape[-1])
        candidate = row * inner.chunks + column // inner.lanes
        if candidate < inner.count and _span(inner, candidate) == (begin, end):
            return w.piece(source, candidate)
        if candidate < inner.count and _span(inner, candidate)[1] >= end:
            offset = begin - _span(inner, candidate)[0]
            type = inner.type_of(candidate)
            return w.sink.shuffle(type, w.piece(source, candidate), w.sink.poison(type), range(offset, offset + end - begin))
    return w.assemble(layout, piece, lambda flat: w.element(source, flat + shift))


@pieces("vector.shape_cast")
def emit_shape_cast(w: Walk, op: Operation, piece: int) -> Token:
    return _same_elements(w, op.operands[0], w.layout(op.results[0]), piece)


def _integers(op: Operation, name: str) -> list[int]:
    held: Any = attribute(op, name)
    if (array := as_array(held)) is not None:
        return [int(a.value.data) for a in array]
    return [int(v) for v in held.iter_values()]


@pieces("vector.extract_strided_slice")
def emit_extract_slice(w: Walk, op: Operation, piece: int) -> Token:
    source, layout = w.layout(op.operands[0]), w.layout(op.results[0])
    offsets = [*_integers(op, "offsets"), *[0] * (len(source.shape) - len(_integers(op, "offsets")))]
    row, chunk = divmod(piece, layout.chunks)
    position = [at + offset for at, offset in zip(row_position(layout, row), offsets, strict=False)]
    first = chunk * layout.lanes + offsets[-1]
    source_row = _flat_row(source, position)
    lanes = layout.lanes_of(piece)
    if not lanes:
        return w.element(op.operands[0], source_row * source.shape[-1] + offsets[-1])
    if source.lanes and first % source.lanes == 0:
        candidate = source_row * source.chunks + first // source.lanes
        if source.lanes_of(candidate) == lanes:
            return w.piece(op.operands[0], candidate)
        if source.lanes_of(candidate) > lanes:
            type = source.type_of(candidate)
            return w.sink.shuffle(type, w.piece(op.operands[0], candidate), w.sink.poison(type), range(lanes))
    start = source_row * source.shape[-1] + first
    shift = start - _span(layout, piece)[0]
    return _same_elements(w, op.operands[0], layout, piece, shift)


@pieces("vector.insert_strided_slice")
def emit_insert_slice(w: Walk, op: Operation, piece: int) -> Token:
    value, into = op.operands
    inner, layout = w.layout(value), w.layout(op.results[0])
    offsets = _integers(op, "offsets")
    shape = (1,) * (len(layout.shape) - len(inner.shape)) + inner.shape

    def source_of(flat: int) -> int | None:
        position: list[int] = []
        for extent in reversed(layout.shape):
            flat, at = divmod(flat, extent)
            position.append(at)
        within = [at - offset for at, offset in zip(position[::-1], offsets, strict=True)]
        return _flat(shape, within) if all(0 <= at < e for at, e in zip(within, shape, strict=True)) else None

    begin, end = _span(layout, piece)
    sources = [source_of(flat) for flat in range(begin, end)]
    if all(s is None for s in sources):
        return w.piece(into, piece)
    first = sources[0]
    if first is not None and sources == list(range(first, first + end - begin)):
        return _same_elements(w, value, layout, piece, first - begin)

    def element(flat: int) -> Token:
        source = sources[flat - begin]
        return w.element(into, flat) if source is None else w.element(value, source)

    return w.assemble(layout, piece, element)


@pieces("vector.from_elements")
def emit_from_elements(w: Walk, op: Operation, piece: int) -> Token:
    return w.assemble(w.layout(op.results[0]), piece, lambda flat: w.piece(op.operands[flat], 0))


@anchor("vector.to_elements")
def emit_to_elements(w: Walk, op: Operation) -> None:
    for flat, result in enumerate(op.results):
        w.set_scalar(result, w.element(op.operands[0], flat))


@pieces("vector.step")
def emit_step(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])
    begin, end = _span(layout, piece)
    return w.sink.vector("i64", range(begin, end)) if layout.lanes else w.sink.integer("i64", begin)


# ---- permutations ---------------------------------------------------------------------------------------------------------------


@pieces("vector.shuffle")
def emit_shuffle(w: Walk, op: Operation, piece: int) -> Token:
    a, b = op.operands
    layout, inner = w.layout(op.results[0]), w.layout(a)
    mask = _integers(op, "mask")
    if len(inner.shape) == 1 and inner.count == 1 and inner.shape == w.layout(b).shape and inner.lanes and layout.lanes:
        begin, end = _span(layout, piece)
        return w.sink.shuffle(inner.type_of(0), w.piece(a, 0), w.piece(b, 0), mask[begin:end])
    row = prod(inner.shape[1:])
    split = inner.shape[0] if inner.shape else 1

    def element(flat: int) -> Token:
        at, rest = divmod(flat, row)
        source = max(mask[at], 0)
        return w.element(a, source * row + rest) if source < split else w.element(b, (source - split) * row + rest)

    return w.assemble(layout, piece, element)


@pieces("vector.bitcast")
def emit_bitcast(w: Walk, op: Operation, piece: int) -> Token:
    inner, layout = w.layout(op.operands[0]), w.layout(op.results[0])
    if inner.element.bits != layout.element.bits:
        raise unsupported(op, "between elements of different width is not converted")
    value = w.piece(op.operands[0], piece)
    if inner.type_of(piece) == layout.type_of(piece):
        return value
    return w.sink.cast("bitcast", inner.type_of(piece), value, layout.type_of(piece))


@pieces("vector.transpose")
def emit_transpose(w: Walk, op: Operation, piece: int) -> Token:
    """Rows are renamed where the last dimension stays; else blocks of lanes x lanes go through shuffles."""
    source = op.operands[0]
    inner, layout = w.layout(source), w.layout(op.results[0])
    permutation = _integers(op, "permutation")
    rank = len(permutation)
    strides = [prod(inner.shape[d + 1 :]) for d in range(rank)]

    def source_flat(position: list[int]) -> int:
        return sum(at * strides[permutation[d]] for d, at in enumerate(position))

    if not layout.lanes or not inner.lanes or permutation[-1] == rank - 1:
        if layout.lanes and inner.lanes:
            row, chunk = divmod(piece, layout.chunks)
            flat = source_flat([*row_position(layout, row), 0])
            return w.piece(source, flat // inner.shape[-1] * inner.chunks + chunk)

        def element(flat: int) -> Token:
            position: list[int] = []
            for extent in reversed(layout.shape):
                flat, at = divmod(flat, extent)
                position.append(at)
            return w.element(source, source_flat(position[::-1]))

        return w.assemble(layout, piece, element)

    # Lanes of the result run along source dimension `along`; the source's lanes are dimension `across` of the result.
    across = permutation.index(rank - 1)
    row, chunk = divmod(piece, layout.chunks)
    position = row_position(layout, row)
    wanted = position[across]
    position[across] = wanted - wanted % inner.lanes
    in_lanes = min(inner.lanes, inner.shape[-1] - position[across])
    first = chunk * layout.lanes
    first_rows = [source_flat([*position, lane]) // inner.shape[-1] for lane in range(first, first + layout.lanes_of(piece))]
    source_chunk = position[across] // inner.lanes
    pieces = [w.piece(source, r * inner.chunks + source_chunk) for r in first_rows]
    columns = transpose_block(w, pieces, in_lanes, layout.element.llvm)
    for lane, column in enumerate(columns):
        position[across] = wanted - wanted % inner.lanes + lane
        target = _flat_row(layout, position) * layout.chunks + chunk
        if target != piece:
            w.set_piece(op.results[0], target, column)
    return columns[wanted % inner.lanes]


def transpose_block(w: Walk, rows: list[Token], lanes: int, element: str) -> list[Token]:
    """`lanes` vectors of len(rows) elements: column j of the rows. log2(n) stages of two-input shuffles on n rows, n a power of two."""
    count = len(rows)
    size = 1 << (max(count, lanes) - 1).bit_length()
    type = vector_text(size, element)
    poison = w.sink.poison(type)
    given = vector_text(lanes, element)
    widen = [*range(lanes), *[-1] * (size - lanes)]
    block = [row if lanes == size else w.sink.shuffle(given, row, w.sink.poison(given), widen) for row in rows]
    block += [poison] * (size - count)
    # Stage s exchanges, between rows that differ in bit s, the lanes that differ in bit s.
    bit = 1
    while bit < size:
        low = [lane if not lane & bit else size + lane - bit for lane in range(size)]
        high = [lane + bit if not lane & bit else size + lane for lane in range(size)]
        done = list(block)
        for row in range(size):
            if row & bit:
                continue
            a, b = block[row], block[row | bit]
            if a is poison and b is poison:
                continue
            done[row] = w.sink.shuffle(type, a, b, low)
            done[row | bit] = w.sink.shuffle(type, a, b, high)
        block = done
        bit *= 2
    columns = block[:lanes]
    if count == size:
        return columns
    return [w.sink.shuffle(type, column, poison, range(count)) for column in columns]


@pieces("vector.interleave")
def emit_interleave(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])

    def element(flat: int) -> Token:
        return w.element(op.operands[flat % 2], flat // 2)

    return w.assemble(layout, piece, element)


@pieces("ub.poison")
def emit_poison(w: Walk, op: Operation, piece: int) -> Token:
    return w.sink.poison(w.layout(op.results[0]).type_of(piece))
