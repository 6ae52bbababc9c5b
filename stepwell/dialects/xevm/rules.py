"""What must hold of operations of `xevm`: which tiles the machine can move, which types go together.

`TILES` says for each manner of moving a tile, and each size of its elements, the bounds of height and width and the numbers of blocks.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any, NamedTuple

from xdsl.dialects.builtin import IntegerAttr, VectorType

from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.rules import element, fail, width


class Tile(NamedTuple):
    """Bounds of a tile; `together` is the most that width times blocks may be."""

    height: tuple[int, int]
    width: tuple[int, int]
    blocks: tuple[int, ...] = (1,)
    together: int | None = None


PLAIN = {
    8: Tile((1, 32), (4, 64), (1, 2, 4), 64),
    16: Tile((1, 32), (2, 32), (1, 2, 4), 32),
    32: Tile((1, 32), (1, 16), (1, 2), 16),
    64: Tile((1, 32), (1, 8)),
}
TRANSPOSED = {32: Tile((1, 32), (1, 8)), 64: Tile((8, 8), (1, 4))}
PACKED = {8: Tile((4, 32), (4, 16), (1, 2, 4)), 16: Tile((2, 32), (2, 16), (1, 2, 4), 32)}
STORED = {bits: Tile((1, 8), tile.width) for bits, tile in PLAIN.items()}

SUBGROUP = 16
"""Lanes of a subgroup, which share a tile."""


def _number(op: Any, name: str, default: int = 0) -> int:
    found = op.properties.get(name)
    return found.value.data if found is not None else default


def _check_tile(op: Any, tiles: dict[int, Tile], otherwise: str) -> None:
    bits, height, across, blocks = (_number(op, name, 1) for name in ("elem_size_in_bits", "tile_height", "tile_width", "v_blocks"))
    tile = tiles.get(bits)
    if tile is None:
        fail(otherwise)
    if not tile.height[0] <= height <= tile.height[1]:
        fail(
            f"expecting tile_height to be {tile.height[0]} for {bits} bit elements"
            if tile.height[0] == tile.height[1]
            else f"expecting tile_height to be between {tile.height[0]} and {tile.height[1]}"
        )
    if not tile.width[0] <= across <= tile.width[1]:
        fail(f"expecting tile_width to be between {tile.width[0]} and {tile.width[1]}")
    if blocks not in tile.blocks:
        *front, last = map(str, tile.blocks)
        comma = "," if len(front) > 1 else ""
        fail(f"expecting v_blocks to be {', '.join(front)}{comma} or {last}" if front else f"expecting v_blocks to be {last}")
    if tile.together is not None and across * blocks > tile.together:
        fail(f"tile_width * v_blocks should be less than or equal to {tile.together} for {bits} bit elements")


def _check_matrix(op: Any) -> None:
    across, pitch = constant_of(op.base_width), constant_of(op.base_pitch)
    if isinstance(across, IntegerAttr) and isinstance(pitch, IntegerAttr) and pitch.value.data < across.value.data:
        fail("4th operand (base pitch) should be >= 2nd operand (base width)")
    if _number(op, "elem_size_in_bits") not in (8, 16, 32):
        fail("expecting 'elem_size_in_bits' to be 8, 16, or 32")
    if _number(op, "tile_height") not in (1, 2, 4, 8, 16, 32):
        fail("expecting tile_height to be 1, 2, 4, 8, 16, or 32")
    if _number(op, "v_blocks", 1) not in (1, 2, 4, 8):
        fail("expecting v_blocks to be 1, 2, 4, or 8")


def verify_load(op: Any) -> None:
    """`xevm.blockload2d`"""
    result: Any = op.res.type
    bits = _number(op, "elem_size_in_bits")
    if isinstance(result, VectorType):
        size = result.element_count() * width(element(result))
        expected = bits * _number(op, "tile_height") * _number(op, "tile_width") * _number(op, "v_blocks") // SUBGROUP
        if size != expected:
            fail(f"result size of {size} bits does not match the expected size of {expected} bits")
    transposed, packed = _number(op, "transpose"), _number(op, "pack_register")
    if transposed and packed:
        fail("transpose and pack_register are mutually exclusive")
    if transposed:
        _check_tile(op, TRANSPOSED, "transpose is only supported for 32 and 64 bit elements")
    elif packed:
        _check_tile(op, PACKED, "pack_register is only supported for 8 and 16 bit elements")
    else:
        _check_tile(op, PLAIN, "expecting elem_size_in_bits to be 8, 16, 32, or 64")
    _check_matrix(op)
    if (bits == 32 or packed) and width(element(result)) != 32:
        fail("expecting result element type to be 32 bits")
    if packed and _number(op, "tile_width") != SUBGROUP:
        fail("tile_width when pack_register is true should be equal to subgroup size (16 elements)")


def verify_store(op: Any) -> None:
    """`xevm.blockstore2d`"""
    _check_tile(op, STORED, "expecting elem_size_in_bits to be 8, 16, 32, or 64")
    _check_matrix(op)
    _check_width(op, {8: (16, 32), 16: (16,), 32: (16,)})


def verify_prefetch(op: Any) -> None:
    """`xevm.blockprefetch2d`"""
    _check_matrix(op)
    _check_width(op, {8: (16, 32), 16: (16,), 32: (8, 16)})


def _check_width(op: Any, widths: dict[int, tuple[int, ...]]) -> None:
    bits = _number(op, "elem_size_in_bits")
    allowed = widths.get(bits)
    if allowed is not None and _number(op, "tile_width") not in allowed:
        fail(f"tile_width for {bits} bit elements should be equal to {' or '.join(map(str, allowed))}")


def verify_block(op: Any) -> None:
    """`xevm.blockload` and `xevm.blockstore`: a scalar, or a vector of a length that the machine moves at once."""
    type: Any = op.res.type if op.results else op.val.type
    if not isinstance(type, VectorType):
        return
    count = type.element_count()
    if width(element(type)) == 8:
        if count not in (2, 4, 8, 16):
            fail("vector size must be 2, 4, 8 or 16 for 8-bit element type")
    elif count not in (2, 4, 8):
        fail("vector size must be 2, 4 or 8 for element type > 8 bits")


def verify_mma(op: Any) -> None:
    """The accumulator of a product has the type of the result."""
    if op.c is not None and op.c.type != op.results[0].type:
        fail("type of C operand must match result type")


def _verify_conversion(op: Any, *, narrows: bool) -> None:
    source: Any = op.operands[0].type
    target: Any = op.results[0].type
    if isinstance(source, VectorType) != isinstance(target, VectorType):
        fail("both src and dst should be vector types or both should be scalar types")
    before, after = width(element(source)), width(element(target))
    if narrows and before <= after:
        fail("dst element bitwidth should be less than src element bitwidth")
    if not narrows and before >= after:
        fail("dst element bitwidth should be greater than src element bitwidth")


def verify_truncf(op: Any) -> None:
    """`xevm.truncf`"""
    _verify_conversion(op, narrows=True)


def verify_extf(op: Any) -> None:
    """`xevm.extf`"""
    _verify_conversion(op, narrows=False)
