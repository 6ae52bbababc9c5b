"""What becomes of a tensor that `linalg.fill` has filled: whoever reads, reshapes, pads, packs or copies it can have the value itself.

One pattern with the fill as its root looks at the operations that use it; what each of them turns into is said in its docstring.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, IntegerAttr, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp
from stepwell.dialects.known_indices import known
from stepwell.dialects.linalg import CopyOp, FillOp
from stepwell.dialects.linalg.canonical_base import maker
from stepwell.dialects.tensor import ConcatOp, DimOp, EmptyOp, InsertSliceOp, PadOp
from stepwell.ir.rewrite.folding import constant_of

Index = int | SSAValue


def same_value(a: SSAValue | None, b: SSAValue | None) -> bool:
    """One value, or equal constants."""
    if a is None or b is None:
        return False
    return a is b or ((constant := constant_of(a)) is not None and constant == constant_of(b))


def _filled(value: SSAValue, dest: SSAValue) -> FillOp:
    return FillOp([value], [dest], [dest.type])


class FoldFill(RewritePattern):
    """`user(fill %v outs(%t))` -> something without the tensor in between."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FillOp, rewriter: PatternRewriter) -> None:
        if not op.results:
            return
        for use in list(op.results[0].uses):
            fold = _FOLDS.get(use.operation.name)
            if fold is not None and fold(op, use.operation, use.index, rewriter):
                return


def _reshape(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`reshape(fill %v outs(%t))` -> `fill %v outs(reshape %t)`"""
    if index:
        return False
    made = user.clone()
    made.operands[0] = fill.outputs[0]
    rewriter.insert(made, InsertPoint.before(user))
    rewriter.replace(user, _filled(fill.inputs[0], made.results[0]))
    return True


def _extract(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`tensor.extract (fill %v)[...]` -> `%v`"""
    if index:
        return False
    rewriter.replace(user, [], [fill.inputs[0]])
    return True


def _copy(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`copy ins(fill %v) outs(%t)` -> `fill %v outs(%t)`; `copy outs(fill %v outs(%t))` -> `copy outs(%t)`"""
    copy = cast(CopyOp, user)
    if not copy.results or copy.operands[0].type != copy.operands[1].type:
        return False
    if index == 0:
        rewriter.replace(user, _filled(fill.inputs[0], copy.outputs[0]))
    else:
        rewriter.replace(user, CopyOp([copy.inputs[0]], [fill.outputs[0]], [copy.results[0].type]))
    return True


def _transpose(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`transpose ins(fill %v) outs(%t)` -> `fill %v outs(%t)`"""
    if index or not user.results:
        return False
    rewriter.replace(user, _filled(fill.inputs[0], user.operands[1]))
    return True


def _pack(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`pack (fill %v) padding_value(%v) into %t` -> `fill %v outs(%t)`"""
    pack: Any = user
    if index or not user.results or (pack.padding_value is not None and not same_value(pack.padding_value, fill.inputs[0])):
        return False
    rewriter.replace(user, _filled(fill.inputs[0], pack.dest))
    return True


def _unpack(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`unpack %p into (fill %v outs(%t))` -> `unpack %p into %t`: all of it is overwritten"""
    if index != 1:
        return False
    user.operands[1] = fill.outputs[0]
    rewriter.notify_op_modified(user)
    return True


def _concat(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`concat (fill %v outs(%s)), (fill %v outs(%t))` -> `fill %v outs(concat %s, %t)`"""
    fills = [maker(value) for value in user.operands]
    if not all(isinstance(made, FillOp) and same_value(made.inputs[0], fill.inputs[0]) for made in fills):
        return False
    outputs = [cast(FillOp, made).outputs[0] for made in fills]
    made = ConcatOp.create(operands=outputs, result_types=user.result_types, properties=dict(user.properties))
    rewriter.insert(made, InsertPoint.before(user))
    rewriter.replace(user, _filled(fill.inputs[0], made.results[0]))
    return True


# ---- paddings -------------------------------------------------------------------------------------------------------------------


def _sum(terms: Sequence[Index], rewriter: PatternRewriter, before: Operation) -> Index:
    """The sum, as one `affine.apply` of what is not known."""
    from stepwell.dialects.affine import ApplyOp

    numbers = [known(term) for term in terms]
    values = [term for term, number in zip(terms, numbers, strict=True) if number is None]
    total = sum(number for number in numbers if number is not None)
    if not values:
        return total
    if len(values) == 1 and total == 0:
        return values[0]
    expr: AffineExpr = AffineExpr.symbol(0)
    for position in range(1, len(values)):
        expr = expr + AffineExpr.symbol(position)
    if total:
        expr = expr + total
    apply = ApplyOp([cast(SSAValue, value) for value in values], AffineMapAttr(AffineMap(0, len(values), (expr,))))
    rewriter.insert(apply, InsertPoint.before(before))
    return apply.result


def _extent(source: SSAValue, dim: int, rewriter: PatternRewriter, before: Operation) -> Index:
    extent = cast("TensorType[Any]", source.type).get_shape()[dim]
    if extent != DYNAMIC_INDEX:
        return extent
    position = ConstantOp(IntegerAttr(dim, INDEX))
    made = DimOp(source, position.result)
    rewriter.insert([position, made], InsertPoint.before(before))
    return made.result


def _pad(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`pad (fill %v) by %v` -> `fill %v outs(empty)`"""
    pad = cast(PadOp, user)
    if index or not same_value(_padding(pad), fill.inputs[0]):
        return False
    type = cast("TensorType[Any]", pad.results[0].type)
    sizes: list[SSAValue] = []
    for dim, (low, high, extent) in enumerate(zip(pad.mixed_low(), pad.mixed_high(), type.get_shape(), strict=True)):
        if extent != DYNAMIC_INDEX:
            continue
        size = _sum([_extent(fill.outputs[0], dim, rewriter, user), low, high], rewriter, user)
        if isinstance(size, int):
            constant = ConstantOp(IntegerAttr(size, INDEX))
            rewriter.insert(constant, InsertPoint.before(user))
            size = constant.result
        sizes.append(size)
    empty = EmptyOp(sizes, type)
    rewriter.insert(empty, InsertPoint.before(user))
    rewriter.replace(user, _filled(fill.inputs[0], empty.results[0]))
    return True


def _padding(pad: PadOp) -> SSAValue | None:
    """The value that pads, where it is a constant or comes from outside."""
    last = pad.region.block.last_op
    if last is None or not last.operands:
        return None
    value = last.operands[0]
    return value if constant_of(value) is not None else pad.constant_value()


def _insert_slice(fill: FillOp, user: Operation, index: int, rewriter: PatternRewriter) -> bool:
    """`insert_slice (pad %s by %v) into (fill %v)` -> `insert_slice %s into (fill %v)`, also through insertions elsewhere"""
    if index != 1:
        return False
    pending: list[Operation] = [user]
    while pending:
        op = cast(InsertSliceOp, pending.pop())
        pad = maker(op.source)
        if isinstance(pad, PadOp) and same_value(_padding(pad), fill.inputs[0]) and _insert_unpadded(fill, op, pad, rewriter):
            return True
        pending += [use.operation for use in op.results[0].uses if isinstance(use.operation, InsertSliceOp) and use.index == 1]
    return False


def _insert_unpadded(fill: FillOp, op: InsertSliceOp, pad: PadOp, rewriter: PatternRewriter) -> bool:
    if not _keeps_rank(op):
        return False
    dest = op.dest
    while isinstance(earlier := maker(dest), InsertSliceOp):
        if not _keeps_rank(earlier) or not _are_disjoint(op, earlier):
            return False
        dest = earlier.dest
    if maker(dest) is not fill:
        return False
    pairs = zip(pad.mixed_low(), op.mixed_offsets(), strict=True)
    offsets = [_sum(pair, rewriter, op) for pair in pairs]
    source: SSAValue = pad.source
    sizes = [_extent(source, dim, rewriter, op) for dim in range(len(offsets))]
    rewriter.replace(op, InsertSliceOp(source, op.dest, offsets, sizes, op.mixed_strides()))
    return True


def _keeps_rank(op: InsertSliceOp) -> bool:
    return cast(Any, op.source.type).get_num_dims() == cast(Any, op.dest.type).get_num_dims()


def _are_disjoint(a: InsertSliceOp, b: InsertSliceOp) -> bool:
    """Whether two insertions are known to lie apart in some dimension."""
    for one, two in zip(zip(*_box(a), strict=True), zip(*_box(b), strict=True), strict=True):
        if all(isinstance(number, int) for number in (*one, *two)):
            (start, size, stride), (other, other_size, other_stride) = cast(Any, one), cast(Any, two)
            if start + (size - 1) * stride < other or other + (other_size - 1) * other_stride < start:
                return True
    return False


def _box(op: InsertSliceOp) -> tuple[list[Index], list[Index], list[Index]]:
    return op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()


_FOLDS: dict[str, Callable[[FillOp, Operation, int, PatternRewriter], bool]] = {
    "tensor.collapse_shape": _reshape,
    "tensor.expand_shape": _reshape,
    "tensor.extract": _extract,
    "tensor.pad": _pad,
    "tensor.insert_slice": _insert_slice,
    "tensor.concat": _concat,
    "linalg.copy": _copy,
    "linalg.transpose": _transpose,
    "linalg.pack": _pack,
    "linalg.unpack": _unpack,
}

PATTERN = FoldFill()
