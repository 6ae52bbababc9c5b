"""The canonical form of `memref.expand_shape` and `memref.collapse_shape`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.arith import ConstantOp, MuliOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.known_indices import Index, known, with_constants
from stepwell.dialects.layouts import Groups, collapsed_type, expanded_type, groups_of, has_identity_map, is_castable
from stepwell.dialects.memref import CastOp, CollapseShapeOp, ExpandShapeOp
from stepwell.dialects.memref.view_parts import MemRef, keeps_knowledge, made_by, memref_type, replace_by_cast
from stepwell.dialects.support import mixed
from stepwell.ir.rewrite.folding import Folded


def _is_plain(*values: SSAValue) -> bool:
    return all(has_identity_map(memref_type(value)) for value in values)


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
        inner = made_by(op.src)
        if isinstance(op, CollapseShapeOp):
            if not isinstance(inner, CollapseShapeOp) or not _is_plain(inner.src, inner.result, op.result):
                return
            groups = _joined(groups_of(op.reassociation), groups_of(inner.reassociation))
            if groups is not None:
                rewriter.replace(op, _collapse(inner.src, groups, memref_type(op.result)))
        elif isinstance(inner, ExpandShapeOp) and _is_plain(inner.src, inner.result, op.result):
            groups = _joined(groups_of(inner.reassociation), groups_of(op.reassociation))
            if groups is not None:
                rewriter.replace(op, _expand(inner.src, groups, _output_shape(op), memref_type(op.result)))


class ComposeCollapseOfExpandOp(RewritePattern):
    """A collapse of an expansion is the shorter way: one collapse or one expansion, where the groups allow it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        inner = made_by(op.src)
        if not isinstance(inner, ExpandShapeOp):
            return
        source, result = memref_type(inner.src), memref_type(op.result)
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
        if (constant := known(extent)) is not None:
            number *= constant
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
        inner = made_by(op.src)
        if not isinstance(inner, CollapseShapeOp):
            return
        source, result = memref_type(inner.src), memref_type(op.result)
        if groups_of(op.reassociation) != groups_of(inner.reassociation) or source.get_shape() != result.get_shape():
            return
        if source != result and DYNAMIC_INDEX not in source.get_shape() and is_castable(source, result):
            rewriter.replace(op, CastOp.get(inner.src, result))


class CollapseShapeOpMemRefCastFolder(RewritePattern):
    """A collapse of a cast that only forgets: a collapse of what is cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        maker = made_by(op.src)
        if not keeps_knowledge(maker):
            return
        assert maker is not None
        groups = groups_of(op.reassociation)
        try:
            type = collapsed_type(memref_type(maker.operands[0]), groups)
        except VerifyException:
            return
        replace_by_cast(op, _collapse(maker.operands[0], groups, type), rewriter)


class ExpandShapeOpMemRefCastFolder(RewritePattern):
    """An expansion of a cast that only forgets: an expansion of what is cast, where its extents are known as well."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExpandShapeOp, rewriter: PatternRewriter) -> None:
        maker = made_by(op.src)
        if not keeps_knowledge(maker):
            return
        assert maker is not None
        source, groups = maker.operands[0], groups_of(op.reassociation)
        shape = with_constants(_output_shape(op), lambda v: True)
        static = [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in shape]
        for group, extent in zip(groups, memref_type(source).get_shape(), strict=True):
            if (extent == DYNAMIC_INDEX) != any(static[dim] == DYNAMIC_INDEX for dim in group):
                return
        try:
            type = expanded_type(memref_type(source), groups, static)
        except VerifyException:
            return
        replace_by_cast(op, _expand(source, groups, shape, type), rewriter)


def fold_reshape(op: Any) -> Folded:
    """A reshape to the same type, or back to it."""
    if op.src.type == op.result.type:
        return (op.src,)
    inner = made_by(op.src)
    opposite = ExpandShapeOp if isinstance(op, CollapseShapeOp) else CollapseShapeOp
    if not isinstance(inner, opposite) or inner.src.type != op.result.type:
        return None
    source = memref_type(inner.src)
    if groups_of(inner.reassociation) == groups_of(op.reassociation):
        dynamic = source.get_shape().count(DYNAMIC_INDEX)
        if isinstance(op, CollapseShapeOp) or dynamic == 0 or _one_dynamic_in_each(source, groups_of(op.reassociation)):
            return (inner.src,)
    return None


def _one_dynamic_in_each(type: MemRef, groups: Groups) -> bool:
    """Whether no group has two unknown extents, which an expansion could give other values."""
    return all(sum(type.get_shape()[dim] == DYNAMIC_INDEX for dim in group) <= 1 for group in groups)
