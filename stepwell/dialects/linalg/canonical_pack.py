"""The patterns that canonicalize `linalg.pack` and `linalg.unpack`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseIntOrFPElementsAttr, TensorType
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.arith import ConstantOp
from stepwell.dialects.known_indices import same
from stepwell.dialects.linalg.canonical_base import maker
from stepwell.dialects.linalg.pack import PackOp, UnPackOp, constant_of
from stepwell.dialects.linalg.verify import shape_of
from stepwell.dialects.tensor import CastOp, ExtractSliceOp
from stepwell.dialects.tensor.facts import cast_before, dense_of, element_at, is_splat, is_static, knows_as_much, with_shape
from stepwell.ir.rewrite.folding import constant_of as constant_attribute

Tiling = PackOp | UnPackOp


def _same_tiling(a: Tiling, b: Tiling, rank: int) -> bool:
    """Whether one undoes the other: equal tiles of equal dimensions in equal order."""
    same_dims = a.tiled_dims() == b.tiled_dims() and a.outer_permutation(rank) == b.outer_permutation(rank)
    return same_dims and same(a.mixed_tiles(), b.mixed_tiles())


def _like(op: Tiling, source: SSAValue, dest: SSAValue, padding: SSAValue | None, tiles: list[int | SSAValue] | None = None) -> Tiling:
    """The op on other operands."""
    outer = cast(Any, op.properties.get("outer_dims_perm"))
    perm = tuple(outer.get_values()) if outer is not None else ()
    sizes = op.mixed_tiles() if tiles is None else tiles
    made: Tiling
    if isinstance(op, PackOp):
        made = PackOp.get(source, dest, op.tiled_dims(), sizes, padding_value=padding, outer_dims_perm=perm)
    else:
        made = UnPackOp.get(source, dest, op.tiled_dims(), sizes, outer_dims_perm=perm)
    made.attributes |= op.attributes
    return made


def _padding(op: Tiling) -> SSAValue | None:
    return op.padding_value if isinstance(op, PackOp) else None


def _replace(op: Tiling, made: Tiling, rewriter: PatternRewriter) -> None:
    """Put `made` in the place of `op`, cast to its type."""
    rewriter.insert(made, InsertPoint.before(op))
    result: SSAValue = made.results[0]
    if result.type != op.results[0].type:
        back = CastOp(result, op.results[0].type)
        rewriter.insert(back, InsertPoint.before(op))
        result = back.dest
    rewriter.replace(op, [], [result])


class FoldConstantSplat(RewritePattern):
    """`pack (constant splat)` -> `constant splat`, and so with unpack; what pads must be the same"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | UnPackOp, rewriter: PatternRewriter) -> None:
        dense = dense_of(op.source)
        if dense is None or not is_splat(dense) or not op.results or not is_static(op.results[0].type):
            return
        padding = _padding(op)
        if padding is None or constant_attribute(padding) == element_at(dense, 0):
            type = cast(Any, op.results[0].type)
            rewriter.replace(op, ConstantOp(DenseIntOrFPElementsAttr(type, dense.data)))


class FoldPackOfUnpack(RewritePattern):
    """`pack(unpack(x))` -> `x`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        inner = maker(op.source)
        if not op.results or not isinstance(inner, UnPackOp) or op.padding_value is not None or inner.source.type != op.dest.type:
            return
        if _same_tiling(op, inner, len(shape_of(op.source))):
            rewriter.replace(op, [], [inner.source])


class FoldUnpackOfPack(RewritePattern):
    """`unpack(pack(x))` -> `x`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UnPackOp, rewriter: PatternRewriter) -> None:
        inner = maker(op.source)
        if not op.results or not isinstance(inner, PackOp) or inner.padding_value is not None or inner.source.type != op.dest.type:
            return
        if _same_tiling(op, inner, len(shape_of(op.dest))):
            rewriter.replace(op, [], [inner.source])


class DropPadding(RewritePattern):
    """A padding value that nothing needs goes: all tiles are known to be full."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        if op.padding_value is None or not op.results or DYNAMIC_INDEX in op.static_tiles():
            return
        shape = shape_of(op.source)
        if any(shape[dim] == DYNAMIC_INDEX for dim in op.tiled_dims()) or op.needs_padding():
            return
        _replace(op, _like(op, op.source, op.dest, None), rewriter)


class InferStaticShapes(RewritePattern):
    """What one of source and destination knows of an extent that is not cut, the other knows by a cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | UnPackOp, rewriter: PatternRewriter) -> None:
        if not op.results or not isinstance(op.source.type, TensorType):
            return
        plain, packed = (op.source, op.dest) if isinstance(op, PackOp) else (op.dest, op.source)
        shape, packed_shape = list(shape_of(plain)), list(shape_of(packed))
        outer = op.outer_permutation(len(shape))
        for dim in range(len(shape)):
            position = outer.index(dim)
            if dim in op.tiled_dims() or (shape[dim] == DYNAMIC_INDEX) == (packed_shape[position] == DYNAMIC_INDEX):
                continue
            shape[dim] = packed_shape[position] = max(shape[dim], packed_shape[position])
        if (tuple(shape), tuple(packed_shape)) == (shape_of(plain), shape_of(packed)):
            return
        plain, packed = (_cast(value, extents, op, rewriter) for value, extents in ((plain, shape), (packed, packed_shape)))
        source, dest = (plain, packed) if isinstance(op, PackOp) else (packed, plain)
        _replace(op, _like(op, source, dest, _padding(op)), rewriter)


def _cast(value: SSAValue, shape: list[int], before: Tiling, rewriter: PatternRewriter) -> SSAValue:
    if list(shape_of(value)) == shape:
        return value
    made = CastOp(value, with_shape(cast(Any, value.type), shape))
    rewriter.insert(made, InsertPoint.before(before))
    return made.dest


class FoldCast(RewritePattern):
    """`pack (cast %s) into (cast %d)` -> `pack %s into %d`, where the casts only forgot extents. Tiles may become known."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | UnPackOp, rewriter: PatternRewriter) -> None:
        if not op.results:
            return
        casts = [cast_before(value) for value in (op.source, op.dest)]
        if not any(casts):
            return
        source, dest = (value if made is None else made.source for value, made in zip((op.source, op.dest), casts, strict=True))
        tiles = op.mixed_tiles()
        packed = shape_of(dest if isinstance(op, PackOp) else source)
        for index, extent in enumerate(packed[len(packed) - len(tiles) :]):
            if extent != DYNAMIC_INDEX and not isinstance(tiles[index], int):
                if constant_of(tiles[index]) not in (None, extent):
                    return
                tiles[index] = extent
        _replace(op, _like(op, source, dest, _padding(op), tiles), rewriter)


class FoldCastConsumer(RewritePattern):
    """`cast(pack into %d)` -> `pack into (cast %d)`, where the cast says more about extents other than tiles."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp | UnPackOp, rewriter: PatternRewriter) -> None:
        if not op.results or len(list(op.results[0].uses)) != 1:
            return
        user = next(iter(op.results[0].uses)).operation
        if not isinstance(user, CastOp) or user.parent is not op.parent or user.dest.type == op.results[0].type:
            return
        if not knows_as_much(user.dest.type, op.results[0].type) or DYNAMIC_INDEX in op.static_tiles():
            return
        dest = CastOp(op.dest, user.dest.type)
        rewriter.insert(dest, InsertPoint.before(op))
        made = _like(op, op.source, dest.dest, _padding(op))
        rewriter.insert(made, InsertPoint.before(op))
        rewriter.replace(user, [], [made.results[0]])
        rewriter.erase(op)


class UnpackIntoDestination(RewritePattern):
    """`unpack %p into (op outs(%d))` -> `unpack %p into %d`: all of it is overwritten"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UnPackOp, rewriter: PatternRewriter) -> None:
        inner: Any = maker(op.dest)
        if not op.results or inner is None or not hasattr(inner, "get_indexing_maps"):
            return
        outputs = [value for value in inner.outputs if isinstance(value.type, TensorType)]
        _replace(op, _like(op, op.source, outputs[cast(Any, op.dest).index], None), rewriter)


class FoldExtractSlice(RewritePattern):
    """`extract_slice (unpack %p into %d)` -> `unpack %p into (extract_slice %d)`, where less than a tile is cut off at the ends"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UnPackOp, rewriter: PatternRewriter) -> None:
        if not op.results or len(list(op.results[0].uses)) != 1:
            return
        user = next(iter(op.results[0].uses)).operation
        if not isinstance(user, ExtractSliceOp) or not _is_cut_at_the_end(op, user):
            return
        type = user.results[0].type
        dest = ExtractSliceOp(op.dest, user.mixed_offsets(), user.mixed_sizes(), user.mixed_strides(), type)
        rewriter.insert(dest, InsertPoint.before(op))
        made = _like(op, op.source, dest.results[0], None)
        rewriter.insert(made, InsertPoint.before(op))
        rewriter.replace(user, [], [made.results[0]])
        rewriter.erase(op)


def _is_cut_at_the_end(op: UnPackOp, user: ExtractSliceOp) -> bool:
    cut, rank = shape_of(user.results[0]), len(shape_of(op.dest))
    box = (*((offset, 0) for offset in user.mixed_offsets()), *((stride, 1) for stride in user.mixed_strides()))
    if len(cut) != rank or any(value != wanted for value, wanted in box) or any(not isinstance(size, int) for size in user.mixed_sizes()):
        return False
    outer = op.outer_permutation(rank)
    counts = [shape_of(op.source)[outer.index(dim)] for dim in range(rank)]
    tiles = dict(zip(op.tiled_dims(), op.static_tiles(), strict=True))
    for dim, (count, extent) in enumerate(zip(counts, cut, strict=True)):
        tile = tiles.get(dim, 1)
        if DYNAMIC_INDEX in (count, extent, tile) or not 0 <= count * tile - extent < tile:
            return False
    return True


PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "linalg.pack": (FoldConstantSplat(), FoldPackOfUnpack(), DropPadding(), FoldCast(), FoldCastConsumer(), InferStaticShapes()),
    "linalg.unpack": (
        *(FoldConstantSplat(), FoldUnpackOfPack(), UnpackIntoDestination(), FoldExtractSlice(), FoldCast(), FoldCastConsumer()),
        InferStaticShapes(),
    ),
}
