"""The pass `affine-loop-tile`: perfect nests in, nests over tiles with nests over points inside out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Block, Operation, Region
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, dim
from stepwell.ir.integer_sets import NotLinear, constant, plus
from stepwell.ir.passes import Pass
from stepwell.lowering.affine.dependence import ACCESSES, dependence
from stepwell.lowering.affine.footprint import footprint_bytes
from stepwell.lowering.affine.full_tiles import separate_full_tiles
from stepwell.lowering.affine.loops import (
    IDENTITY,
    Bound,
    lower_bound,
    new_loop,
    perfect_nest,
    step_of,
    terminator,
    trip_count,
    trip_count_divisor,
    upper_bound,
    with_dim,
)

DEFAULT_SIZE = 4


@dataclass(frozen=True)
class AffineLoopTiling(Pass):
    """Tile the outermost perfect nests of a function where no dependence forbids it.

    before:  affine.for %i = 0 to 256 { f(%i) }
    after:   affine.for %t = 0 to 256 step 32 { affine.for %i = %t to %t + 32 { f(%i) } }
    """

    name: ClassVar[str] = "affine-loop-tile"
    anchor: ClassVar[str] = "func.func"

    cache_size: int = 512
    """KiB that the data of a tile should fit in, where no sizes are given."""
    separate: bool = False
    """Whole tiles get loops of their own, whose bounds are simple."""
    tile_size: int = 0
    """One size for all loops; 0 for none."""
    tile_sizes: tuple[int, ...] = ()
    """Sizes for each nest; 4 for loops behind the last."""

    def run(self, op: Operation, ctx: Context) -> None:
        for block in op.regions[0].blocks:
            for loop in [inner for inner in block.ops if isinstance(inner, affine.ForOp)]:
                nest = perfect_nest(loop)
                if may_tile(nest):
                    points = tile(nest, self._sizes(nest))
                    if self.separate:
                        separate_full_tiles(points)

    def _sizes(self, nest: Sequence[affine.ForOp]) -> list[int]:
        if self.tile_size:
            return [self.tile_size] * len(nest)
        if self.tile_sizes:
            return [*self.tile_sizes, *[DEFAULT_SIZE] * len(nest)][: len(nest)]
        if self.cache_size == 0:
            return [1] * len(nest)
        footprint = footprint_bytes(nest[0])
        if footprint is None:
            return _divisors(nest, [DEFAULT_SIZE] * len(nest))
        excess = -(-footprint // (self.cache_size * 1024))
        if excess <= 1:
            return [1] * len(nest)
        size = int(excess ** (1 / len(nest)))
        sizes = [size] * (len(nest) - 1)
        return _divisors(nest, [*sizes, max(1, excess // size ** len(sizes))])


def _divisors(nest: Sequence[affine.ForOp], sizes: Sequence[int]) -> list[int]:
    """Sizes that divide the trip counts, and not all of them."""
    found: list[int] = []
    for loop, size in zip(nest, sizes, strict=True):
        count = trip_count(loop)
        if count is not None:
            size = count // 2 if count > 1 and size > count // 2 else size
            while count % size:
                size -= 1
        found.append(size)
    return found


def may_tile(nest: Sequence[affine.ForOp]) -> bool:
    """Whether the loops carry nothing, their bounds do not depend on each other, and no dependence goes backwards in any of them."""
    if any(loop.results for loop in nest):
        return False
    variables = [loop.body.block.args[0] for loop in nest]
    if any(value in variables for loop in nest for value in loop.operands):
        return False
    accesses = [op for op in nest[0].body.walk() if isinstance(op, ACCESSES)]
    return not any(_goes_backwards(a, b, nest) for a in accesses for b in accesses)


def _goes_backwards(first: Operation, second: Operation, nest: Sequence[affine.ForOp]) -> bool:
    try:
        for depth in range(1, len(nest) + 1):
            pairs = dependence(first, second, depth)
            for loop in nest if pairs is not None else ():
                assert pairs is not None
                if not pairs.known.copy().at_least(plus(constant(-1), pairs.distance(loop), -1)).is_empty():
                    return True
    except NotLinear:
        return True
    return False


def tile(nest: Sequence[affine.ForOp], sizes: Sequence[int]) -> list[affine.ForOp]:
    """Put a nest over tiles, and one over the points of a tile inside, in the place of a nest. The loops over points."""
    tile_blocks = [Block(arg_types=[INDEX]) for _ in nest]
    point_blocks = [Block(arg_types=[INDEX]) for _ in nest]
    tiles = [
        new_loop(lower_bound(loop), upper_bound(loop), step_of(loop) * size, Region(block))
        for loop, size, block in zip(nest, sizes, tile_blocks, strict=True)
    ]
    points: list[affine.ForOp] = []
    for loop, size, outer, block in zip(nest, sizes, tile_blocks, point_blocks, strict=True):
        start: Bound = (IDENTITY, [outer.args[0]])
        points.append(new_loop(start, _end(loop, size, outer), step_of(loop), Region(block)))
        old = loop.body.block.args[0]
        block.args[0].name_hint = outer.args[0].name_hint = old.name_hint
        old.replace_all_uses_with(block.args[0])
    body, end = nest[-1].body.block, terminator(nest[-1])
    for op in list(body.ops):
        if op is not end:
            op.detach()
            point_blocks[-1].add_op(op)
    chain = [*tiles, *points]
    for outer, inner in pairwise(chain):
        outer.body.block.add_op(inner)
    for loop in chain:
        loop.location = nest[0].location
        loop.body.block.add_op(affine.YieldOp.create())
    Rewriter.insert_op(tiles[0], InsertPoint.before(nest[0]))
    Rewriter.erase_op(nest[0])
    return points


def _end(loop: affine.ForOp, size: int, outer: Block) -> Bound:
    """Where the points of a tile end: at the next tile, or where the loop ends."""
    step, count = step_of(loop), trip_count(loop)
    tile = outer.args[0]
    if count is not None and count < size:
        return AffineMap(1, 0, (add(dim(0), AffineConstantExpr(count * step)),)), [tile]
    following = AffineConstantExpr(size * step)
    if trip_count_divisor(loop) % size == 0:
        return AffineMap(1, 0, (add(dim(0), following),)), [tile]
    map, operands = upper_bound(loop)
    return with_dim(map, operands, [add(AffineDimExpr(map.num_dims), following), *map.results], tile)
