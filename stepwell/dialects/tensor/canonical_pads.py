"""The patterns that canonicalize `pad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, DenseArrayBase, UnitAttr, i64
from xdsl.ir import Attribute, Operation, OpResult, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects.affine import ApplyOp
from stepwell.dialects.known_indices import known
from stepwell.dialects.tensor import CastOp, ExtractSliceOp, Index, PadOp
from stepwell.dialects.tensor.facts import Tensor, cast_before, knows_as_much, with_shape
from stepwell.ir.rewrite.folding import constant_of


def _maker(value: SSAValue) -> Operation | None:
    return value.op if isinstance(value, OpResult) else None


def _pad(source: SSAValue, low: Sequence[Index], high: Sequence[Index], region: Region, type: Attribute, *, nofold: bool) -> PadOp:
    static = [[amount if isinstance(amount, int) else DYNAMIC_INDEX for amount in amounts] for amounts in (low, high)]
    dynamic = [[amount for amount in amounts if isinstance(amount, SSAValue)] for amounts in (low, high)]
    properties: dict[str, Attribute] = {
        "static_low": DenseArrayBase.from_list(i64, static[0]),
        "static_high": DenseArrayBase.from_list(i64, static[1]),
    }
    if nofold:
        properties["nofold"] = UnitAttr()
    return PadOp(operands=[source, *dynamic], properties=properties, regions=[region], result_types=[type])


def _padded(source: Sequence[int], low: Sequence[Index], high: Sequence[Index], known_before: Sequence[int]) -> list[int]:
    """The extents after padding; where they do not follow, those that were known before."""
    shape: list[int] = []
    for extent, a, b, before in zip(source, low, high, known_before, strict=True):
        shape.append(before if extent == DYNAMIC_INDEX or not isinstance(a, int) or not isinstance(b, int) else extent + a + b)
    return shape


class FoldStaticZeroPadding(RewritePattern):
    """`pad %t low[0] high[0]` -> `cast %t`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        if op.nofold is None and all(known(amount) == 0 for amount in (*op.mixed_low(), *op.mixed_high())):
            rewriter.replace(op, CastOp(op.source, op.result.type))


class FoldSourceTensorCast(RewritePattern):
    """`pad(cast(x))` -> `cast(pad(x))`, where x knows more than the cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        inner = cast_before(op.source)
        if inner is None:
            return
        type = cast(Tensor, op.result.type)
        low, high = op.mixed_low(), op.mixed_high()
        more = with_shape(type, _padded(cast(Tensor, inner.source.type).get_shape(), low, high, type.get_shape()))
        if more == type:
            op.operands[0] = inner.source
            rewriter.notify_op_modified(op)
            return
        pad = _pad(inner.source, low, high, op.detach_region(op.region), more, nofold=op.nofold is not None)
        rewriter.replace(op, (pad, CastOp(pad.result, type)))


class FoldTargetTensorCast(RewritePattern):
    """`cast(pad(x))` to more static extents, and no other use -> `pad(x)` of that type"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        user = op.result.get_user_of_unique_use()
        if not isinstance(user, CastOp) or not knows_as_much(user.dest.type, op.result.type) or user.dest.type == op.result.type:
            return
        pad = _pad(op.source, op.mixed_low(), op.mixed_high(), op.detach_region(op.region), user.dest.type, nofold=op.nofold is not None)
        rewriter.insert(pad)
        rewriter.replace(user, (), [pad.result])
        rewriter.erase(op)


class FoldStaticPadding(RewritePattern):
    """`pad %t low[%c1]` -> `cast(pad %t low[1])`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        low, high = _static(op.mixed_low()), _static(op.mixed_high())
        if low is None and high is None:
            return
        type = cast(Tensor, op.result.type)
        low, high = low or op.mixed_low(), high or op.mixed_high()
        more = with_shape(type, _padded(cast(Tensor, op.source.type).get_shape(), low, high, type.get_shape()))
        if not knows_as_much(more, type):
            return
        pad = _pad(op.source, low, high, op.detach_region(op.region), more, nofold=op.nofold is not None)
        rewriter.replace(op, pad if more == type else (pad, CastOp(pad.result, type)))


def _static(amounts: Sequence[Index]) -> list[Index] | None:
    """The amounts with constants as integers; None where nothing changes."""
    numbers = [known(amount) if isinstance(amount, SSAValue) else None for amount in amounts]
    if all(number is None or number < 0 for number in numbers):
        return None
    return [amount if number is None or number < 0 else number for amount, number in zip(amounts, numbers, strict=True)]


# ---- paddings of paddings -------------------------------------------------------------------------------------------------------------


def _value_of(op: PadOp) -> SSAValue | Attribute | None:
    """What all new elements are: a value from outside, or a constant."""
    value = op.region.block.last_op
    if value is None:
        return None
    constant = constant_of(value.operands[0])
    return op.constant_value() if constant is None else constant


def _same_value(a: PadOp, b: PadOp) -> bool:
    one, two = _value_of(a), _value_of(b)
    return one is not None and (one is two or (isinstance(one, Attribute) and one == two))


class FoldOrthogonalPaddings(RewritePattern):
    """`pad(extract_slice(pad(extract_slice x)))` along different dimensions -> `pad(extract_slice x)`

    The inner padding must not be seen by the outer slice but whole: where there is one, the outer slice takes all of it.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        outer_slice = _maker(op.source)
        inner = _maker(outer_slice.source) if isinstance(outer_slice, ExtractSliceOp) else None
        inner_slice = _maker(inner.source) if isinstance(inner, PadOp) and inner.nofold is None else None
        if not (isinstance(outer_slice, ExtractSliceOp) and isinstance(inner, PadOp) and isinstance(inner_slice, ExtractSliceOp)):
            return
        rank = cast(Tensor, op.source.type).get_num_dims()
        source = cast(Tensor, inner_slice.source.type)
        if {source.get_num_dims(), cast(Tensor, inner.source.type).get_num_dims()} != {rank} or not _same_value(op, inner):
            return
        strides = (*outer_slice.mixed_strides(), *inner_slice.mixed_strides())
        if any(known(stride) != 1 for stride in strides) or any(known(amount) != 0 for amount in (*op.mixed_low(), *inner.mixed_low())):
            return
        box = _orthogonal_box(op, outer_slice, inner, inner_slice)
        if box is None:
            return
        offsets, sizes, high = box
        slice = ExtractSliceOp(inner_slice.source, offsets, sizes, [1] * rank)
        pad = _pad(slice.result, op.mixed_low(), high, op.detach_region(op.region), op.result.type, nofold=op.nofold is not None)
        rewriter.replace(op, (slice, pad))


def _orthogonal_box(
    outer: PadOp, outer_slice: ExtractSliceOp, inner: PadOp, inner_slice: ExtractSliceOp
) -> tuple[list[Index], list[Index], list[Index]] | None:
    """Offsets and sizes of the one slice and the amounts of the one padding; None where the paddings meet along a dimension."""
    offsets: list[Index] = []
    sizes: list[Index] = []
    high: list[Index] = []
    slices = zip(
        inner_slice.mixed_offsets(), inner_slice.mixed_sizes(), outer_slice.mixed_offsets(), outer_slice.mixed_sizes(), strict=True
    )
    shape = cast(Tensor, inner.result.type).get_shape()
    source = cast(Tensor, inner_slice.source.type).get_shape()
    for dim, (inner_offset, inner_size, outer_offset, outer_size) in enumerate(slices):
        inner_high, outer_high = inner.mixed_high()[dim], outer.mixed_high()[dim]
        inner_pads, outer_pads = known(inner_high) != 0, known(outer_high) != 0
        inner_slices = known(inner_offset) != 0 or known(inner_size) != source[dim]
        outer_slices = known(outer_offset) != 0 or known(outer_size) != shape[dim]
        if (inner_pads and outer_pads) or (inner_slices and outer_slices) or (inner_pads and outer_slices):
            return None
        offsets.append(inner_offset if inner_slices else outer_offset)
        sizes.append(inner_size if inner_pads or inner_slices else outer_size)
        high.append(inner_high if inner_pads else outer_high)
    return offsets, sizes, high


class FoldConsecutiveConstantPadding(RewritePattern):
    """`pad(pad %t low[a]) low[b]` by one value -> `pad %t low[a + b]`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.source)
        if op.nofold is not None or not isinstance(inner, PadOp) or inner.nofold is not None or not _same_value(op, inner):
            return
        low = [_sum(a, b, rewriter) for a, b in zip(op.mixed_low(), inner.mixed_low(), strict=True)]
        high = [_sum(a, b, rewriter) for a, b in zip(op.mixed_high(), inner.mixed_high(), strict=True)]
        rewriter.replace(op, _pad(inner.source, low, high, op.detach_region(op.region), op.result.type, nofold=False))


def _sum(a: Index, b: Index, rewriter: PatternRewriter) -> Index:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0 or b == 0:
        return b if a == 0 else a
    symbols = [value for value in (a, b) if isinstance(value, SSAValue)]
    terms: list[Any] = [AffineExpr.symbol(number) for number in range(len(symbols))]
    terms += [AffineExpr.constant(value) for value in (a, b) if isinstance(value, int)]
    apply = ApplyOp(symbols, AffineMapAttr(AffineMap(0, len(symbols), (terms[0] + terms[1],))))
    rewriter.insert(apply)
    return apply.result


PADS: dict[str, Sequence[RewritePattern]] = {
    "tensor.pad": (
        FoldStaticZeroPadding(),
        FoldSourceTensorCast(),
        FoldTargetTensorCast(),
        FoldOrthogonalPaddings(),
        FoldStaticPadding(),
        FoldConsecutiveConstantPadding(),
    ),
}
