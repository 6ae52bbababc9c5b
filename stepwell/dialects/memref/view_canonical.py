"""The canonical form of views: `subview`, `reinterpret_cast`, `expand_shape`, `collapse_shape`, `transpose`, `view`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, MemRefType, NoneAttr
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects.known_indices import Index, known, same, with_constants
from stepwell.dialects.layouts import is_castable, layout_of, strided
from stepwell.dialects.memref import ExtractStridedMetaDataOp, ViewOp
from stepwell.dialects.memref.folds import fold_cast
from stepwell.dialects.memref.reshape_canonical import (
    CollapseShapeOpMemRefCastFolder,
    ComposeCollapseOfExpandOp,
    ComposeReassociativeReshapeOps,
    ExpandShapeOpMemRefCastFolder,
    FoldExpandOfCollapse,
    fold_reshape,
)
from stepwell.dialects.memref.view_parts import MemRef, keeps_knowledge, made_by, memref_type, replace_by_cast
from stepwell.dialects.memref.views import CastOp, ReinterpretCastOp, SubviewOp
from stepwell.dialects.support import mixed
from stepwell.ir.rewrite.folding import Folded, constant_of

# ---- subview ------------------------------------------------------------------------------------------------------------------------


def dropped_dims(op: SubviewOp) -> set[int] | None:
    """The dimensions of extent 1 that the result lacks; None where the types do not fit."""
    offsets, sizes, strides = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
    full = SubviewOp.infer_result_type(memref_type(op.source), offsets, sizes, strides)
    result = memref_type(op.result)
    if full.get_num_dims() == result.get_num_dims():
        return set()
    wanted = list(zip(result.get_shape(), layout_of(result)[0], strict=True))
    return _dropped(list(zip(full.get_shape(), layout_of(full)[0], strict=True)), wanted, 0)


def _dropped(full: list[tuple[int, int | None]], wanted: list[tuple[int, int | None]], first: int) -> set[int] | None:
    if not full:
        return set() if not wanted else None
    if len(full) > len(wanted) and full[0][0] == 1:
        rest = _dropped(full[1:], wanted, first + 1)
        if rest is not None:
            return {first, *rest}
    if wanted and full[0] == wanted[0]:
        return _dropped(full[1:], wanted[1:], first + 1)
    return None


def _reduced(full: MemRef, dropped: set[int]) -> MemRef:
    if not dropped:
        return full
    strides, offset = layout_of(full)
    kept = [dim for dim in range(full.get_num_dims()) if dim not in dropped]
    return strided(full, [full.get_shape()[dim] for dim in kept], tuple(strides[dim] for dim in kept), offset)


def _fits(shape: Sequence[int], offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]) -> bool:
    """Whether no slice is known to leave its source."""
    for extent, offset, size, stride in zip(shape, offsets, sizes, strides, strict=True):
        if extent == DYNAMIC_INDEX or not isinstance(offset, int):
            continue
        if offset >= extent:
            return False
        if isinstance(size, int) and isinstance(stride, int) and offset + (size - 1) * stride >= extent:
            return False
    return True


class SubViewConstantArgumentFolder(RewritePattern):
    """Constants among offsets, sizes and strides are part of the operation, and of its type."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SubviewOp, rewriter: PatternRewriter) -> None:
        if len(op.operands) == 1:
            return
        old = (op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides())
        offsets = with_constants(old[0], lambda v: v >= 0)
        sizes = with_constants(old[1], lambda v: v >= 0)
        strides = with_constants(old[2], lambda v: v != 0)
        if (offsets, sizes, strides) == old:
            return
        source = memref_type(op.source)
        dropped = dropped_dims(op)
        if dropped is None or not _fits(source.get_shape(), offsets, sizes, strides):
            return
        type = _reduced(SubviewOp.infer_result_type(source, offsets, sizes, strides), dropped)
        replace_by_cast(op, SubviewOp.get(op.source, offsets, sizes, strides, type), rewriter)


class SubViewOpMemRefCastFolder(RewritePattern):
    """A subview of a cast that only forgets: a subview of what is cast, whose type knows more."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SubviewOp, rewriter: PatternRewriter) -> None:
        maker = made_by(op.source)
        if not keeps_knowledge(maker) or any(constant_of(value) is not None for value in op.operands):
            return
        assert maker is not None
        source, dropped = maker.operands[0], dropped_dims(op)
        offsets, sizes, strides = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
        if dropped is None or not _fits(memref_type(source).get_shape(), offsets, sizes, strides):
            return
        type = _reduced(SubviewOp.infer_result_type(memref_type(source), offsets, sizes, strides), dropped)
        replace_by_cast(op, SubviewOp.get(source, offsets, sizes, strides, type), rewriter)


class TrivialSubViewOpFolder(RewritePattern):
    """A subview of everything is the source, or a cast of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SubviewOp, rewriter: PatternRewriter) -> None:
        source, result = memref_type(op.source), memref_type(op.result)
        if len(op.operands) != 1 or source.get_num_dims() != result.get_num_dims() or DYNAMIC_INDEX in source.get_shape():
            return
        if any(op.static_offsets.get_values()) or any(stride != 1 for stride in op.static_strides.get_values()):
            return
        if tuple(op.static_sizes.get_values()) != source.get_shape():
            return
        if source == result:
            rewriter.replace(op, [], [op.source])
        elif is_castable(source, result):
            rewriter.replace(op, CastOp.get(op.source, result))


def _fold_subview(op: SubviewOp) -> Folded:
    source, result = memref_type(op.source), memref_type(op.result)
    if source != result:
        return None
    strides, offset = layout_of(result)
    if DYNAMIC_INDEX not in result.get_shape() and None not in (*strides, offset):
        return (op.source,)
    inner = made_by(op.source)
    if not isinstance(inner, SubviewOp) or not same(op.mixed_sizes(), inner.mixed_sizes()):
        return None
    nothing_cut = all(known(o) == 0 for o in op.mixed_offsets()) and all(known(s) == 1 for s in op.mixed_strides())
    return (op.source,) if nothing_cut else None


# ---- reinterpret_cast ---------------------------------------------------------------------------------------------------------------


def _mixed_parts(op: ReinterpretCastOp) -> tuple[list[Index], list[Index], list[Index]]:
    return mixed(op.static_offsets, op.offsets), mixed(op.static_sizes, op.sizes), mixed(op.static_strides, op.strides)


def _fold_reinterpret_cast(op: ReinterpretCastOp) -> Folded:
    inner = made_by(op.source)
    is_same_memory = isinstance(inner, ReinterpretCastOp | CastOp)
    if isinstance(inner, SubviewOp):
        is_same_memory = all(known(offset) == 0 for offset in inner.mixed_offsets())
    if is_same_memory and inner is not None:
        op.operands[0] = inner.operands[0]
        return op.results
    same = op.source.type == op.result.type and DYNAMIC_INDEX not in memref_type(op.result).get_shape()
    return (op.source,) if same and tuple(op.static_offsets.get_values()) == (0,) else None


class ReinterpretCastOpConstantFolder(RewritePattern):
    """Constants among offset, sizes and strides are part of the operation, and of its type. Negative sizes and offsets stay outside."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReinterpretCastOp, rewriter: PatternRewriter) -> None:
        if len(op.operands) == 1:
            return
        old = _mixed_parts(op)
        offsets = with_constants(old[0], lambda v: v >= 0)
        sizes = with_constants(old[1], lambda v: v >= 0)
        strides = with_constants(old[2], lambda v: True)
        if (offsets, sizes, strides) == old:
            return
        static = [stride if isinstance(stride, int) else None for stride in strides]
        offset = offsets[0] if isinstance(offsets[0], int) else None
        shape = [size if isinstance(size, int) else DYNAMIC_INDEX for size in sizes]
        type = strided(memref_type(op.result), shape, tuple(static), offset)
        replace_by_cast(op, ReinterpretCastOp.get(op.source, offsets[0], sizes, strides, type), rewriter)


class ReinterpretCastOpExtractStridedMetadataFolder(RewritePattern):
    """What was taken apart and is put together in the same way is what it was, or a cast of it; in another way, another view of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReinterpretCastOp, rewriter: PatternRewriter) -> None:
        taken = made_by(op.source)
        if not isinstance(taken, ExtractStridedMetaDataOp):
            return
        source, result = memref_type(taken.source), memref_type(op.result)
        if not _puts_together(op, taken) or not (source == result or is_castable(source, result)):
            new = ReinterpretCastOp.create(operands=[taken.source, *op.operands[1:]], result_types=[result], properties=dict(op.properties))
            rewriter.replace(op, new)
        elif source == result:
            rewriter.replace(op, [], [taken.source])
        else:
            rewriter.replace(op, CastOp.get(taken.source, result))


def _puts_together(op: ReinterpretCastOp, taken: ExtractStridedMetaDataOp) -> bool:
    """Whether offset, sizes and strides are those that were taken."""
    source = memref_type(taken.source)
    if source.get_num_dims() != memref_type(op.result).get_num_dims():
        return False
    strides, offset = layout_of(source)
    static = [offset, *(None if extent == DYNAMIC_INDEX else extent for extent in source.get_shape()), *strides]
    given = [part for parts in _mixed_parts(op) for part in parts]
    pairs = zip(given, static, taken.results[1:], strict=True)
    return all(value is result or (constant is not None and known(value) == constant) for value, constant, result in pairs)


# ---- transpose, view ------------------------------------------------------------------------------------------------------------------


def _fold_transpose(op: Any) -> Folded:
    map: AffineMap = op.permutation.data
    positions = [cast(AffineDimExpr, expr).position for expr in map.results]
    if positions == list(range(len(positions))) and op.input.type == op.result.type:
        return (op.input,)
    inner = made_by(op.input)
    if inner is None or inner.name != op.name:
        return None
    before = [cast(AffineDimExpr, e).position for e in cast(AffineMapAttr, inner.properties["permutation"]).data.results]
    composed = tuple(AffineDimExpr(before[position]) for position in positions)
    op.operands = [inner.operands[0]]
    op.properties["permutation"] = AffineMapAttr(AffineMap(len(positions), 0, composed))
    return op.results


def _fold_view(op: ViewOp) -> Folded:
    source, result = memref_type(op.source), memref_type(op.result)
    if source == result and DYNAMIC_INDEX not in source.get_shape() and known(op.byte_shift) == 0:
        return (op.source,)
    return fold_cast(op, op.source)


class ViewOpShapeFolder(RewritePattern):
    """Constant extents are part of the type: `view %m[%o][%c5] : ... to memref<?x4xi32>` -> a cast of a `memref<5x4xi32>`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ViewOp, rewriter: PatternRewriter) -> None:
        constants = [known(size) for size in op.sizes]
        if not any(size is not None and size >= 0 for size in constants):
            return
        type = memref_type(op.result)
        pairs = iter(zip(op.sizes, constants, strict=True))
        shape: list[int] = []
        sizes: list[SSAValue] = []
        for extent in type.get_shape():
            if extent == DYNAMIC_INDEX:
                value, size = next(pairs)
                if size is None or size < 0:
                    sizes.append(value)
                else:
                    extent = size
            shape.append(extent)
        static = MemRefType(type.element_type, shape, NoneAttr(), type.memory_space)
        replace_by_cast(op, ViewOp(op.source, op.byte_shift, sizes, static), rewriter)


VIEW_PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "memref.collapse_shape": (ComposeReassociativeReshapeOps(), ComposeCollapseOfExpandOp(), CollapseShapeOpMemRefCastFolder()),
    "memref.expand_shape": (ComposeReassociativeReshapeOps(), FoldExpandOfCollapse(), ExpandShapeOpMemRefCastFolder()),
    "memref.reinterpret_cast": (ReinterpretCastOpExtractStridedMetadataFolder(), ReinterpretCastOpConstantFolder()),
    "memref.subview": (SubViewConstantArgumentFolder(), SubViewOpMemRefCastFolder(), TrivialSubViewOpFolder()),
    "memref.view": (ViewOpShapeFolder(),),
}
VIEW_FOLDS: dict[str, Callable[[Any], Folded]] = {
    "memref.collapse_shape": fold_reshape,
    "memref.expand_shape": fold_reshape,
    "memref.reinterpret_cast": _fold_reinterpret_cast,
    "memref.subview": _fold_subview,
    "memref.transpose": _fold_transpose,
    "memref.view": _fold_view,
}
