"""Pieces of `vector.contract` of bytes: four products to a lane, summed and added to it.

In: `vector.contract` over one loop of four, summed, of an unsigned factor (`arith.extui` of `i8`) and a signed one (`arith.extsi`); the
last dimension of the result, the lanes, is the signed factor's own. Out: `vpdpbusd` where the processor has it (AVX512-VNNI, AVX-VNNI),
else four widening multiplications of every fourth byte. Both are exact modulo 2^32.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from stepwell.lowering.machine.emit_tables import anchor
from stepwell.lowering.machine.layout import vector_text
from stepwell.lowering.machine.masks import row_position
from stepwell.lowering.machine.memory import unit_stride_read
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported

QUAD = 4


@anchor("vector.contract")
def emit_contract(w: Walk, op: Operation) -> None:
    """Row by row; bytes of the signed factor are loaded a register at a time, those of the unsigned one are broadcast by four."""
    lhs, rhs, acc = op.operands
    maps = _dims(op)
    bytes_a, bytes_b = _bytes_of(lhs, "arith.extui"), _bytes_of(rhs, "arith.extsi")
    layout = w.layout(acc)
    rank = len(maps[2]) + 1
    if (
        bytes_a is None
        or bytes_b is None
        or layout.element.bits != 32
        or not layout.lanes
        or maps[2] != list(range(rank - 1))
        or maps[1] != [rank - 2, rank - 1]
        or maps[0][-1:] != [rank - 1]
        or rank - 2 in maps[0]
        or w.layout(rhs).shape[-1] != QUAD
    ):
        raise unsupported(op, "is converted for sums of four products of an unsigned byte and a signed one")
    registers = [_quads(w, bytes_b, chunk, layout.lanes_of(chunk)) for chunk in range(layout.chunks)]
    extents = w.layout(lhs).shape
    splats: dict[tuple[int, int], Token] = {}
    table: list[Token] = []
    for piece in range(layout.count):
        row, chunk = divmod(piece, layout.chunks)
        lanes = layout.lanes_of(piece)
        position = row_position(layout, row)
        source = 0
        for d, extent in zip(maps[0][:-1], extents, strict=False):
            source = source * extent + position[d]
        if (source, lanes) not in splats:
            splats[source, lanes] = _splat_quad(w, w.piece(bytes_a, source), lanes)
        table.append(_dot(w, lanes, w.piece(acc, piece), splats[source, lanes], registers[chunk]))
    w.set_result(op.results[0], table)


def _dims(op: Operation) -> list[list[int]]:
    held: Any = attribute(op, "indexing_maps")
    maps: list[AffineMapAttr] = list(held)
    return [[e.position for e in map.data.results if isinstance(e, AffineDimExpr)] for map in maps]


def _bytes_of(factor: SSAValue, widening: str) -> SSAValue | None:
    """What a factor was widened from."""
    op = factor.owner
    while isinstance(op, Operation) and op.name == "vector.shape_cast":
        op = op.operands[0].owner
    if not isinstance(op, Operation) or op.name != widening or "i8" not in str(op.operands[0].type):
        return None
    return op.operands[0]


def _quads(w: Walk, value: SSAValue, chunk: int, lanes: int) -> Token:
    """The bytes of as many rows of four as there are lanes, in one register."""
    first = chunk * w.target.lanes
    if (token := unit_stride_read(w, value, first, lanes)) is not None:
        return token
    register = w.piece(value, first)
    for row in range(1, lanes):
        # Twice as wide with poison behind, then the next four put in their place.
        wide = vector_text(QUAD * (row + 1), "i8")
        if row == 1:
            register = w.sink.shuffle("<4 x i8>", register, w.piece(value, first + 1), range(8))
            continue
        old = vector_text(QUAD * row, "i8")
        grown = w.sink.shuffle(old, register, w.sink.poison(old), range(QUAD * (row + 1)))
        more = w.sink.shuffle(
            "<4 x i8>", w.piece(value, first + row), w.sink.poison("<4 x i8>"), [k % QUAD for k in range(QUAD * (row + 1))]
        )
        order = [k if k < QUAD * row else QUAD * (row + 1) + k for k in range(QUAD * (row + 1))]
        register = w.sink.shuffle(wide, grown, more, order)
    return register


def _splat_quad(w: Walk, quad: Token, lanes: int) -> Token:
    word = w.sink.cast("bitcast", "<4 x i8>", quad, "i32")
    return w.sink.cast("bitcast", vector_text(lanes, "i32"), w.splat_of(word, lanes, "i32"), vector_text(QUAD * lanes, "i8"))


def _dot(w: Walk, lanes: int, acc: Token, a: Token, b: Token) -> Token:
    type, bytes_type = vector_text(lanes, "i32"), vector_text(QUAD * lanes, "i8")
    if w.target.has_dot4 and lanes in (4, 8, 16):
        name = f"llvm.x86.avx512.vpdpbusd.{32 * lanes}"
        return w.sink.intrinsic(name, type, (type, bytes_type, bytes_type), (acc, a, b))
    for k in range(QUAD):
        every = range(k, QUAD * lanes, QUAD)
        left, right = (w.sink.shuffle(bytes_type, x, w.sink.poison(bytes_type), every) for x in (a, b))
        wide_a = w.sink.cast("zext", vector_text(lanes, "i8"), left, type)
        wide_b = w.sink.cast("sext", vector_text(lanes, "i8"), right, type)
        acc = w.sink.binary("add", type, acc, w.sink.binary("mul", type, wide_a, wide_b))
    return acc
