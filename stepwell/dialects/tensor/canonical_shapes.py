"""The patterns that canonicalize `collapse_shape` and `expand_shape`: chains become one, casts move behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.arith import IntegerOverflowAttr, IntegerOverflowFlag
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp, MuliOp
from stepwell.dialects.known_indices import known
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.support import reassociation_attr
from stepwell.dialects.tensor import CastOp, CollapseShapeOp, ExpandShapeOp, FromElementsOp, Index, SplatOp
from stepwell.dialects.tensor.facts import Groups, Tensor, cast_before, collapsing_groups, is_static, with_shape


def _maker(value: SSAValue) -> Operation | None:
    return value.op if isinstance(value, OpResult) else None


def _collapse(source: SSAValue, groups: Groups, type: Tensor) -> CollapseShapeOp:
    return CollapseShapeOp.create(operands=[source], properties={"reassociation": reassociation_attr(groups)}, result_types=[type])


def _expand(source: SSAValue, groups: Groups, shape: Sequence[Index], type: Tensor) -> ExpandShapeOp:
    made = ExpandShapeOp.get(source, groups, shape)
    made.results[0]._type = type  # pyright: ignore[reportPrivateUsage]  # the same shape, perhaps with an encoding
    return made


def _composed(inner: Groups, outer: Groups) -> Groups:
    """The groups of a collapse to `inner`'s groups and of these to `outer`'s."""
    return [[dim for group in groups for dim in inner[group]] for groups in outer]


class ComposeReassociativeReshapeOps(RewritePattern):
    """`collapse(collapse(x))` -> `collapse(x)`, and so with `expand`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp | ExpandShapeOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.src)
        if isinstance(op, CollapseShapeOp) and isinstance(inner, CollapseShapeOp):
            groups = _composed(groups_of(inner.reassociation), groups_of(op.reassociation))
            rewriter.replace(op, _collapse(inner.src, groups, cast(Tensor, op.result.type)))
        elif isinstance(op, ExpandShapeOp) and isinstance(inner, ExpandShapeOp):
            groups = _composed(groups_of(op.reassociation), groups_of(inner.reassociation))
            rewriter.replace(op, _expand(inner.src, groups, op.mixed_output_shape(), cast(Tensor, op.result.type)))


class ComposeCollapseOfExpandOp(RewritePattern):
    """`collapse(expand(x))` -> `collapse(x)` or `expand(x)`, where the groups of one are unions of groups of the other."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.src)
        if not isinstance(inner, ExpandShapeOp):
            return
        source, result = cast(Tensor, inner.src.type), cast(Tensor, op.result.type)
        of_expand, of_collapse = groups_of(inner.reassociation), groups_of(op.reassociation)
        if source.get_num_dims() > result.get_num_dims():
            if (groups := _unions(of_expand, of_collapse)) is not None:
                rewriter.replace(op, _collapse(inner.src, groups, result))
        elif source.get_num_dims() < result.get_num_dims() and (groups := _unions(of_collapse, of_expand)) is not None:
            extents = inner.mixed_output_shape()
            shape = [_product([extents[dim] for dim in group], rewriter) for group in of_collapse]
            rewriter.replace(op, _expand(inner.src, groups, shape, result))


def _unions(many: Groups, few: Groups) -> Groups | None:
    """For each group of `few`, the numbers of the groups of `many` that it consists of; None where one of them lies across."""
    unions: Groups = []
    next_group = 0
    for group in few:
        union: list[int] = []
        while next_group < len(many):
            end = many[next_group][-1]
            if end > group[-1]:
                return None
            union.append(next_group)
            next_group += 1
            if end == group[-1]:
                break
        if not union:
            return None
        unions.append(union)
    return unions


def _product(extents: Sequence[Index], rewriter: PatternRewriter) -> Index:
    """The product of extents, computed where it is not known."""
    number = 1
    value: SSAValue | None = None
    for extent in extents:
        if isinstance(extent, int):
            number *= extent
        else:
            value = extent if value is None else _times(value, extent, rewriter)
    if value is None or number == 0:
        return number
    if number == 1:
        return value
    constant = ConstantOp(IntegerAttr(number, INDEX))
    rewriter.insert(constant)
    return _times(value, constant.result, rewriter)


def _times(a: SSAValue, b: SSAValue, rewriter: PatternRewriter) -> SSAValue:
    no_wrap = IntegerOverflowAttr([IntegerOverflowFlag.NSW])  # a number of elements
    product = MuliOp.create(operands=[a, b], result_types=[INDEX], properties={"overflowFlags": no_wrap})
    rewriter.insert(product)
    return product.results[0]


class ComposeExpandOfCollapseOp(RewritePattern):
    """`expand(collapse(x))` -> `collapse(x)` or `expand(x)`, where the shapes leave no doubt which dimensions are joined or split."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExpandShapeOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.src)
        if not isinstance(inner, CollapseShapeOp):
            return
        source, result = cast(Tensor, inner.src.type), cast(Tensor, op.result.type)
        of_collapse, of_expand = groups_of(inner.reassociation), groups_of(op.reassociation)
        if source.get_num_dims() > result.get_num_dims():
            groups = _collapsing(of_collapse, of_expand, source.get_shape(), result.get_shape())
            if groups is not None:
                rewriter.replace(op, _collapse(inner.src, groups, result))
        elif source.get_num_dims() < result.get_num_dims():
            groups = _collapsing(of_expand, of_collapse, result.get_shape(), source.get_shape())
            if groups is not None:
                rewriter.replace(op, _expand(inner.src, groups, op.mixed_output_shape(), result))


def _collapsing(many: Groups, few: Groups, source: Sequence[int], target: Sequence[int]) -> Groups | None:
    """How the shape `source` collapses into `target`, where the dimensions `many[i]` and `few[i]` hold the same elements."""
    if not many:
        return collapsing_groups(source, target)
    found: Groups = []
    for left, right in zip(many, few, strict=True):
        a, b = [source[dim] for dim in left], [target[dim] for dim in right]
        if len(a) == len(b):
            if a != b or a.count(DYNAMIC_INDEX) > 1:
                return None
            found += [[dim] for dim in left]
            continue
        groups = collapsing_groups(a, b) if len(b) != 1 else [list(range(len(a)))]
        if groups is None:
            return None
        found += [[left[dim] for dim in group] for group in groups]
    return found


class FoldReshapeWithSplat(RewritePattern):
    """`expand(splat %x)` -> `splat %x`, static"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp | ExpandShapeOp, rewriter: PatternRewriter) -> None:
        if isinstance(inner := _maker(op.src), SplatOp) and is_static(inner.result.type) and is_static(op.result.type):
            rewriter.replace(op, SplatOp(inner.input, [], op.result.type))


class FoldReshapeWithFromElements(RewritePattern):
    """`collapse(from_elements %x)` -> `from_elements %x`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp | ExpandShapeOp, rewriter: PatternRewriter) -> None:
        if isinstance(inner := _maker(op.src), FromElementsOp) and is_static(op.result.type):
            rewriter.replace(op, FromElementsOp.create(operands=inner.elements, result_types=[op.result.type]))


class FoldCollapseOfCastOp(RewritePattern):
    """`collapse(cast(x))` -> `cast(collapse(x))`, where x knows more than the cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        inner = cast_before(op.src)
        if inner is None:
            return
        type = cast(Tensor, op.result.type)
        made = CollapseShapeOp.get(inner.source, groups_of(op.reassociation))
        shape = cast(Tensor, made.result.type).get_shape()
        if shape == type.get_shape():
            op.operands[0] = inner.source
            rewriter.notify_op_modified(op)
            made.erase()
            return
        made.results[0]._type = with_shape(type, shape)  # pyright: ignore[reportPrivateUsage]
        rewriter.replace(op, (made, CastOp(made.result, type)))


class ConvertToStaticExpandShape(RewritePattern):
    """`expand(cast(x)) output_shape [%c2, ..]` -> `cast(expand(cast(x)) output_shape [2, ..])`, where x knows what is split."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExpandShapeOp, rewriter: PatternRewriter) -> None:
        inner = cast_before(op.src)
        if inner is None:
            return
        type, extents = cast(Tensor, op.result.type), cast(Tensor, inner.source.type).get_shape()
        shape: list[Any] = op.mixed_output_shape()
        groups = groups_of(op.reassociation)
        changed = False
        for extent, group in zip(extents, groups, strict=True):
            for dim in group if extent != DYNAMIC_INDEX else ():  # of an unknown extent, one part at least is unknown
                number = known(shape[dim])
                if isinstance(shape[dim], SSAValue) and number is not None and number >= 0:
                    shape[dim] = number
                    changed = True
        if not changed:
            return
        static = [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in shape]
        source = [_static_product([static[dim] for dim in group]) for group in groups]
        before = CastOp(op.src, with_shape(cast(Tensor, op.src.type), source))
        made = _expand(before.dest, groups, shape, with_shape(type, static))
        rewriter.replace(op, (before, made, CastOp(made.result, type)))


def _static_product(extents: Sequence[int]) -> int:
    product = 1
    for extent in extents:
        product = DYNAMIC_INDEX if DYNAMIC_INDEX in (product, extent) else product * extent
    return product


_BOTH = (ComposeReassociativeReshapeOps(), FoldReshapeWithSplat(), FoldReshapeWithFromElements())

SHAPES: dict[str, Sequence[RewritePattern]] = {
    "tensor.collapse_shape": (*_BOTH, ComposeCollapseOfExpandOp(), FoldCollapseOfCastOp()),
    "tensor.expand_shape": (*_BOTH, ComposeExpandOfCollapseOp(), ConvertToStaticExpandShape()),
}
