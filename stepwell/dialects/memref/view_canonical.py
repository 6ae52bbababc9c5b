"""The canonical form of views: `subview`, `reinterpret_cast`, `expand_shape`, `collapse_shape`, `transpose`, `view`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.arith import ConstantOp, MuliOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, IntegerAttr, MemRefType, NoneAttr
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import Groups, collapsed_type, expanded_type, groups_of, has_identity_map, is_castable, layout_of, strided
from stepwell.dialects.memref import CastOp, CollapseShapeOp, ExpandShapeOp, ExtractStridedMetaDataOp, ReinterpretCastOp, SubviewOp, ViewOp
from stepwell.dialects.memref.folds import fold_cast
from stepwell.dialects.support import mixed
from stepwell.ir.rewrite.folding import Folded, constant_of

MemRef = MemRefType[Any]
Index = int | SSAValue


def _constant(value: Index) -> int | None:
    if isinstance(value, int):
        return value
    attribute = constant_of(value)
    return cast("IntegerAttr[Any]", attribute).value.data if isinstance(attribute, IntegerAttr) else None


def _type(value: SSAValue) -> MemRef:
    return cast(MemRef, value.type)


def _made_by(value: SSAValue) -> Operation | None:
    return value.op if isinstance(value, OpResult) else None


def _with_constants(values: Sequence[Index], allowed: Callable[[int], bool]) -> list[Index]:
    """Operands that are constants as numbers, if such a number may stand there."""
    found: list[Index] = []
    for value in values:
        known = None if isinstance(value, int) else _constant(value)
        found.append(known if known is not None and allowed(known) else value)
    return found


def _same(a: Sequence[Index], b: Sequence[Index]) -> bool:
    return len(a) == len(b) and all(x is y or (isinstance(x, int) and x == y) for x, y in zip(a, b, strict=True))


def _replace_by_cast(op: Operation, new: Operation, rewriter: PatternRewriter) -> None:
    """Replace a view by another one, cast to the type of the first."""
    type = cast(MemRef, op.results[0].type)
    same = new.results[0].type == type
    rewriter.replace(op, [new] if same else [new, CastOp.get(new.results[0], type)])


def keeps_knowledge(cast_op: Operation | None) -> bool:
    """Whether a cast only forgets extents, strides and offsets, so that its user may look through it and know more."""
    if not isinstance(cast_op, CastOp):
        return False
    source, dest = cast_op.source.type, cast_op.dest.type
    if not isinstance(source, MemRefType) or not isinstance(dest, MemRefType):
        return False
    before, after = cast(MemRef, source), cast(MemRef, dest)
    if before.element_type != after.element_type or before.get_num_dims() != after.get_num_dims():
        return False
    try:
        (strides, offset), (new_strides, new_offset) = layout_of(before), layout_of(after)
    except VerifyException:
        return False
    if any(a == DYNAMIC_INDEX and b != DYNAMIC_INDEX for a, b in zip(before.get_shape(), after.get_shape(), strict=True)):
        return False
    return all(a is not None or b is None for a, b in zip((*strides, offset), (*new_strides, new_offset), strict=True))


# ---- subview ------------------------------------------------------------------------------------------------------------------------


def dropped_dims(op: SubviewOp) -> set[int] | None:
    """The dimensions of extent 1 that the result lacks; None where the types do not fit."""
    offsets, sizes, strides = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
    full = SubviewOp.infer_result_type(_type(op.source), offsets, sizes, strides)
    result = _type(op.result)
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
        offsets = _with_constants(old[0], lambda v: v >= 0)
        sizes = _with_constants(old[1], lambda v: v >= 0)
        strides = _with_constants(old[2], lambda v: v != 0)
        if _same(offsets, old[0]) and _same(sizes, old[1]) and _same(strides, old[2]):
            return
        source = _type(op.source)
        dropped = dropped_dims(op)
        if dropped is None or not _fits(source.get_shape(), offsets, sizes, strides):
            return
        type = _reduced(SubviewOp.infer_result_type(source, offsets, sizes, strides), dropped)
        _replace_by_cast(op, SubviewOp.get(op.source, offsets, sizes, strides, type), rewriter)


class SubViewOpMemRefCastFolder(RewritePattern):
    """A subview of a cast that only forgets: a subview of what is cast, whose type knows more."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SubviewOp, rewriter: PatternRewriter) -> None:
        maker = _made_by(op.source)
        if not keeps_knowledge(maker) or any(constant_of(value) is not None for value in op.operands):
            return
        assert maker is not None
        source, dropped = maker.operands[0], dropped_dims(op)
        offsets, sizes, strides = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
        if dropped is None or not _fits(_type(source).get_shape(), offsets, sizes, strides):
            return
        type = _reduced(SubviewOp.infer_result_type(_type(source), offsets, sizes, strides), dropped)
        _replace_by_cast(op, SubviewOp.get(source, offsets, sizes, strides, type), rewriter)


class TrivialSubViewOpFolder(RewritePattern):
    """A subview of everything is the source, or a cast of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SubviewOp, rewriter: PatternRewriter) -> None:
        source, result = _type(op.source), _type(op.result)
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
    source, result = _type(op.source), _type(op.result)
    if source != result:
        return None
    strides, offset = layout_of(result)
    if DYNAMIC_INDEX not in result.get_shape() and None not in (*strides, offset):
        return (op.source,)
    inner = _made_by(op.source)
    if not isinstance(inner, SubviewOp) or not _same(op.mixed_sizes(), inner.mixed_sizes()):
        return None
    nothing_cut = all(_constant(o) == 0 for o in op.mixed_offsets()) and all(_constant(s) == 1 for s in op.mixed_strides())
    return (op.source,) if nothing_cut else None


# ---- reinterpret_cast ---------------------------------------------------------------------------------------------------------------


def _mixed_parts(op: ReinterpretCastOp) -> tuple[list[Index], list[Index], list[Index]]:
    return mixed(op.static_offsets, op.offsets), mixed(op.static_sizes, op.sizes), mixed(op.static_strides, op.strides)


def _fold_reinterpret_cast(op: ReinterpretCastOp) -> Folded:
    inner = _made_by(op.source)
    is_same_memory = isinstance(inner, ReinterpretCastOp | CastOp)
    if isinstance(inner, SubviewOp):
        is_same_memory = all(_constant(offset) == 0 for offset in inner.mixed_offsets())
    if is_same_memory and inner is not None:
        op.operands[0] = inner.operands[0]
        return op.results
    same = op.source.type == op.result.type and DYNAMIC_INDEX not in _type(op.result).get_shape()
    return (op.source,) if same and tuple(op.static_offsets.get_values()) == (0,) else None


class ReinterpretCastOpConstantFolder(RewritePattern):
    """Constants among offset, sizes and strides are part of the operation, and of its type. Negative sizes and offsets stay outside."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReinterpretCastOp, rewriter: PatternRewriter) -> None:
        if len(op.operands) == 1:
            return
        old = _mixed_parts(op)
        offsets = _with_constants(old[0], lambda v: v >= 0)
        sizes = _with_constants(old[1], lambda v: v >= 0)
        strides = _with_constants(old[2], lambda v: True)
        if _same(offsets, old[0]) and _same(sizes, old[1]) and _same(strides, old[2]):
            return
        known = [stride if isinstance(stride, int) else None for stride in strides]
        offset = offsets[0] if isinstance(offsets[0], int) else None
        shape = [size if isinstance(size, int) else DYNAMIC_INDEX for size in sizes]
        type = strided(_type(op.result), shape, tuple(known), offset)
        _replace_by_cast(op, ReinterpretCastOp.get(op.source, offsets[0], sizes, strides, type), rewriter)


class ReinterpretCastOpExtractStridedMetadataFolder(RewritePattern):
    """What was taken apart and is put together in the same way is what it was, or a cast of it; in another way, another view of it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReinterpretCastOp, rewriter: PatternRewriter) -> None:
        taken = _made_by(op.source)
        if not isinstance(taken, ExtractStridedMetaDataOp):
            return
        source, result = _type(taken.source), _type(op.result)
        if not _puts_together(op, taken) or not (source == result or is_castable(source, result)):
            new = ReinterpretCastOp.create(operands=[taken.source, *op.operands[1:]], result_types=[result], properties=dict(op.properties))
            rewriter.replace(op, new)
        elif source == result:
            rewriter.replace(op, [], [taken.source])
        else:
            rewriter.replace(op, CastOp.get(taken.source, result))


def _puts_together(op: ReinterpretCastOp, taken: ExtractStridedMetaDataOp) -> bool:
    """Whether offset, sizes and strides are those that were taken."""
    source = _type(taken.source)
    if source.get_num_dims() != _type(op.result).get_num_dims():
        return False
    strides, offset = layout_of(source)
    known = [offset, *(None if extent == DYNAMIC_INDEX else extent for extent in source.get_shape()), *strides]
    given = [part for parts in _mixed_parts(op) for part in parts]
    pairs = zip(given, known, taken.results[1:], strict=True)
    return all(value is result or (constant is not None and _constant(value) == constant) for value, constant, result in pairs)


# ---- expand_shape, collapse_shape -----------------------------------------------------------------------------------------------------


def _is_plain(*values: SSAValue) -> bool:
    return all(has_identity_map(_type(value)) for value in values)


def _joined(outer: Groups, inner: Groups) -> Groups | None:
    """The groups of two reshapes in a row: each of `outer`, of groups of `inner`."""
    if len(outer) == len(inner):
        return None
    return [[index for number in group for index in inner[number]] for group in outer]


def _collapse(src: SSAValue, groups: Groups, type: MemRef) -> CollapseShapeOp:
    new = CollapseShapeOp.get(src, groups)
    new.results[0]._type = type  # pyright: ignore[reportPrivateUsage]  # the caller knows it, perhaps in another spelling
    return new


def _expand(src: SSAValue, groups: Groups, shape: Sequence[Index], type: MemRef) -> ExpandShapeOp:
    new = ExpandShapeOp.get(src, groups, list(shape))
    new.results[0]._type = type  # pyright: ignore[reportPrivateUsage]
    return new


def _output_shape(op: ExpandShapeOp) -> list[Index]:
    return mixed(op.static_output_shape, op.output_shape)


class ComposeReassociativeReshapeOps(RewritePattern):
    """A collapse of a collapse is one; so is an expansion of an expansion."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp | ExpandShapeOp, rewriter: PatternRewriter) -> None:
        inner = _made_by(op.src)
        if isinstance(op, CollapseShapeOp):
            if not isinstance(inner, CollapseShapeOp) or not _is_plain(inner.src, inner.result, op.result):
                return
            groups = _joined(groups_of(op.reassociation), groups_of(inner.reassociation))
            if groups is not None:
                rewriter.replace(op, _collapse(inner.src, groups, _type(op.result)))
        elif isinstance(inner, ExpandShapeOp) and _is_plain(inner.src, inner.result, op.result):
            groups = _joined(groups_of(inner.reassociation), groups_of(op.reassociation))
            if groups is not None:
                rewriter.replace(op, _expand(inner.src, groups, _output_shape(op), _type(op.result)))


class ComposeCollapseOfExpandOp(RewritePattern):
    """A collapse of an expansion is the shorter way: one collapse or one expansion, where the groups allow it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        inner = _made_by(op.src)
        if not isinstance(inner, ExpandShapeOp):
            return
        source, result = _type(inner.src), _type(op.result)
        expansion, collapse = groups_of(inner.reassociation), groups_of(op.reassociation)
        if expansion == collapse and source.get_shape() == result.get_shape():
            if source != result and is_castable(source, result):
                rewriter.replace(op, CastOp.get(inner.src, result))
            return
        before, after = source.get_num_dims(), result.get_num_dims()
        if before == after or not _is_plain(inner.src, inner.result, op.result):
            return
        many, few = (expansion, collapse) if before > after else (collapse, expansion)
        groups: Groups = []
        number = 0
        for group in few:
            members: list[int] = []
            while number < len(many) and group:
                last = many[number][-1]
                if last > group[-1]:
                    return
                members.append(number)
                number += 1
                if last == group[-1]:
                    break
            groups.append(members)
        if before > after:
            rewriter.replace(op, _collapse(inner.src, groups, result))
            return
        created: list[Operation] = []
        shape = [_product([_output_shape(inner)[dim] for dim in group], created) for group in collapse]
        rewriter.replace(op, [*created, _expand(inner.src, groups, shape, result)])


def _product(extents: Sequence[Index], created: list[Operation]) -> Index:
    number = 1
    value: SSAValue | None = None
    for extent in extents:
        if (known := _constant(extent)) is not None:
            number *= known
        elif isinstance(extent, SSAValue):
            if value is None:
                value = extent
            else:
                created.append(MuliOp(value, extent))
                value = created[-1].results[0]
    if value is None:
        return number
    if number != 1:
        factor = ConstantOp.create(properties={"value": IntegerAttr(number, INDEX)}, result_types=[INDEX])
        created += [factor, MuliOp(value, factor.result)]
        value = created[-1].results[0]
    return value


class FoldExpandOfCollapse(RewritePattern):
    """An expansion that undoes a collapse of static extents is a cast of what was collapsed."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExpandShapeOp, rewriter: PatternRewriter) -> None:
        inner = _made_by(op.src)
        if not isinstance(inner, CollapseShapeOp):
            return
        source, result = _type(inner.src), _type(op.result)
        if groups_of(op.reassociation) != groups_of(inner.reassociation) or source.get_shape() != result.get_shape():
            return
        if source != result and DYNAMIC_INDEX not in source.get_shape() and is_castable(source, result):
            rewriter.replace(op, CastOp.get(inner.src, result))


class CollapseShapeOpMemRefCastFolder(RewritePattern):
    """A collapse of a cast that only forgets: a collapse of what is cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        maker = _made_by(op.src)
        if not keeps_knowledge(maker):
            return
        assert maker is not None
        groups = groups_of(op.reassociation)
        try:
            type = collapsed_type(_type(maker.operands[0]), groups)
        except VerifyException:
            return
        _replace_by_cast(op, _collapse(maker.operands[0], groups, type), rewriter)


class ExpandShapeOpMemRefCastFolder(RewritePattern):
    """An expansion of a cast that only forgets: an expansion of what is cast, where its extents are known as well."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExpandShapeOp, rewriter: PatternRewriter) -> None:
        maker = _made_by(op.src)
        if not keeps_knowledge(maker):
            return
        assert maker is not None
        source, groups = maker.operands[0], groups_of(op.reassociation)
        shape = _with_constants(_output_shape(op), lambda v: True)
        static = [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in shape]
        for group, extent in zip(groups, _type(source).get_shape(), strict=True):
            if (extent == DYNAMIC_INDEX) != any(static[dim] == DYNAMIC_INDEX for dim in group):
                return
        try:
            type = expanded_type(_type(source), groups, static)
        except VerifyException:
            return
        _replace_by_cast(op, _expand(source, groups, shape, type), rewriter)


def _fold_reshape(op: Any) -> Folded:
    """A reshape to the same type, or back to it."""
    if op.src.type == op.result.type:
        return (op.src,)
    inner = _made_by(op.src)
    opposite = ExpandShapeOp if isinstance(op, CollapseShapeOp) else CollapseShapeOp
    if not isinstance(inner, opposite) or inner.src.type != op.result.type:
        return None
    source = _type(inner.src)
    if groups_of(inner.reassociation) == groups_of(op.reassociation):
        dynamic = source.get_shape().count(DYNAMIC_INDEX)
        if isinstance(op, CollapseShapeOp) or dynamic == 0 or _one_dynamic_in_each(source, groups_of(op.reassociation)):
            return (inner.src,)
    return None


def _one_dynamic_in_each(type: MemRef, groups: Groups) -> bool:
    """Whether no group has two unknown extents, which an expansion could give other values."""
    return all(sum(type.get_shape()[dim] == DYNAMIC_INDEX for dim in group) <= 1 for group in groups)


# ---- transpose, view ------------------------------------------------------------------------------------------------------------------


def _fold_transpose(op: Any) -> Folded:
    map: AffineMap = op.permutation.data
    positions = [cast(AffineDimExpr, expr).position for expr in map.results]
    if positions == list(range(len(positions))) and op.input.type == op.result.type:
        return (op.input,)
    inner = _made_by(op.input)
    if inner is None or inner.name != op.name:
        return None
    before = [cast(AffineDimExpr, e).position for e in cast(AffineMapAttr, inner.properties["permutation"]).data.results]
    composed = tuple(AffineDimExpr(before[position]) for position in positions)
    op.operands = [inner.operands[0]]
    op.properties["permutation"] = AffineMapAttr(AffineMap(len(positions), 0, composed))
    return op.results


def _fold_view(op: ViewOp) -> Folded:
    source, result = _type(op.source), _type(op.result)
    if source == result and DYNAMIC_INDEX not in source.get_shape() and _constant(op.byte_shift) == 0:
        return (op.source,)
    return fold_cast(op, op.source)


class ViewOpShapeFolder(RewritePattern):
    """Constant extents are part of the type: `view %m[%o][%c5] : ... to memref<?x4xi32>` -> a cast of a `memref<5x4xi32>`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ViewOp, rewriter: PatternRewriter) -> None:
        known = [_constant(size) for size in op.sizes]
        if not any(size is not None and size >= 0 for size in known):
            return
        type = _type(op.result)
        pairs = iter(zip(op.sizes, known, strict=True))
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
        _replace_by_cast(op, ViewOp(op.source, op.byte_shift, sizes, static), rewriter)


VIEW_PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "memref.collapse_shape": (ComposeReassociativeReshapeOps(), ComposeCollapseOfExpandOp(), CollapseShapeOpMemRefCastFolder()),
    "memref.expand_shape": (ComposeReassociativeReshapeOps(), FoldExpandOfCollapse(), ExpandShapeOpMemRefCastFolder()),
    "memref.reinterpret_cast": (ReinterpretCastOpExtractStridedMetadataFolder(), ReinterpretCastOpConstantFolder()),
    "memref.subview": (SubViewConstantArgumentFolder(), SubViewOpMemRefCastFolder(), TrivialSubViewOpFolder()),
    "memref.view": (ViewOpShapeFolder(),),
}
VIEW_FOLDS: dict[str, Callable[[Any], Folded]] = {
    "memref.collapse_shape": _fold_reshape,
    "memref.expand_shape": _fold_reshape,
    "memref.reinterpret_cast": _fold_reinterpret_cast,
    "memref.subview": _fold_subview,
    "memref.transpose": _fold_transpose,
    "memref.view": _fold_view,
}
