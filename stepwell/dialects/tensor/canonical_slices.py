"""The patterns that canonicalize `extract_slice`, `insert_slice` and `parallel_insert_slice`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.known_indices import known
from stepwell.dialects.slices import Index, verify_in_bounds, verify_part
from stepwell.dialects.tensor import CastOp, ExtractSliceOp, InsertSliceOp
from stepwell.dialects.tensor.facts import Tensor, cast_before, dropped_dims, dropped_dims_of_more_static, knows_as_much, with_shape
from stepwell.dialects.tensor.more import ParallelInsertSliceOp


def _folded(values: Sequence[Index], *, non_negative: bool) -> list[Index]:
    """The values with constants as integers. A negative offset or size stays as it is: no static one may be negative."""
    result: list[Index] = []
    for value in values:
        number = known(value)
        result.append(value if number is None or (non_negative and number < 0) or number == DYNAMIC_INDEX else number)
    return result


def _static_box(op: Any) -> tuple[list[Index], list[Index], list[Index]] | None:
    """Offsets, sizes and strides with constants as integers; None where nothing changes."""
    if not op.offsets and not op.sizes and not op.strides:
        return None
    box = (
        _folded(op.mixed_offsets(), non_negative=True),
        _folded(op.mixed_sizes(), non_negative=True),
        _folded(op.mixed_strides(), non_negative=False),
    )
    changed = sum(isinstance(value, SSAValue) for part in box for value in part) < len(op.offsets) + len(op.sizes) + len(op.strides)
    return box if changed else None


def _may_be(whole: Tensor, offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]) -> bool:
    """Whether such a slice is not known to leave the tensor."""
    try:
        verify_in_bounds(whole.get_shape(), offsets, sizes, strides)
    except VerifyException:
        return False
    return True


def _static(sizes: Sequence[Index]) -> list[int]:
    return [size if isinstance(size, int) else DYNAMIC_INDEX for size in sizes]


def _part_type(old: Tensor, old_sizes: Sequence[int], sizes: Sequence[Index]) -> Tensor | None:
    """The type of a slice of the new sizes that lacks the dimensions which the old type lacked."""
    dropped = dropped_dims(old_sizes, old.get_shape())
    if dropped is None:
        return None
    return with_shape(old, [size for dim, size in enumerate(_static(sizes)) if dim not in dropped])


def _has_constants(op: Operation, first: int) -> bool:
    """Whether other patterns have something to do first."""
    return any(known(operand) is not None for operand in op.operands[first:])


class ExtractSliceConstantArguments(RewritePattern):
    """`extract_slice %t[%c0] [%c4] [%c1]` -> `cast(extract_slice %t[0] [4] [1])`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractSliceOp, rewriter: PatternRewriter) -> None:
        box = _static_box(op)
        if box is None or not _may_be(cast(Tensor, op.source.type), *box):
            return
        type = _part_type(cast(Tensor, op.result.type), op.static_sizes.get_values(), box[1])
        if type is None:
            return
        slice = ExtractSliceOp(op.source, *box, type)
        rewriter.replace(op, slice if type == op.result.type else (slice, CastOp(slice.result, op.result.type)))


class ExtractSliceOpCastFolder(RewritePattern):
    """`extract_slice(cast(x))` -> `extract_slice(x)`, where x knows more than the cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractSliceOp, rewriter: PatternRewriter) -> None:
        inner = cast_before(op.source)
        if inner is None or _has_constants(op, 1):
            return
        if _may_be(cast(Tensor, inner.source.type), op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()):
            slice = ExtractSliceOp(inner.source, op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides(), op.result.type)
            rewriter.replace(op, slice)


# ---- insert_slice, parallel_insert_slice ----------------------------------------------------------------------------------------------

Insertion = InsertSliceOp | ParallelInsertSliceOp
Box = tuple[Sequence[Index], Sequence[Index], Sequence[Index]]


def _insertion(op: Insertion, source: SSAValue, dest: SSAValue, box: Box) -> Insertion:
    """The same kind of insertion. A parallel one has the same fields, and no result."""
    if isinstance(op, InsertSliceOp):
        return InsertSliceOp(source, dest, *box)
    dynamic = [[value for value in values if isinstance(value, SSAValue)] for values in box]
    static = [DenseArrayBase.from_list(i64, _static(values)) for values in box]
    properties: dict[str, Attribute] = dict(zip(("static_offsets", "static_sizes", "static_strides"), static, strict=True))
    return ParallelInsertSliceOp(operands=[source, dest, *dynamic], properties=properties)


def _cast_source(op: Insertion, source: SSAValue, type: Tensor, rewriter: PatternRewriter) -> SSAValue:
    """A cast of the source, in front of the block in which parallel insertions happen."""
    around = op.parent_op()
    place = around if isinstance(op, ParallelInsertSliceOp) and around is not None else op
    made = CastOp(source, type)
    rewriter.insert(made, InsertPoint.before(place))
    return made.dest


def _fits(whole: Tensor, part: Tensor, box: Box) -> bool:
    try:
        verify_part(whole, part, _static(box[1]))
    except VerifyException:
        return False
    return _may_be(whole, *box)


class InsertSliceOpConstantArgumentFolder(RewritePattern):
    """`insert_slice %s into %t[%c0] [%c4] [%c1]` -> `insert_slice (cast %s) into %t[0] [4] [1]`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: InsertSliceOp | ParallelInsertSliceOp, rewriter: PatternRewriter) -> None:
        box = _static_box(op)
        old = cast(Tensor, op.source.type)
        if box is None or not _may_be(cast(Tensor, op.dest.type), *box):
            return
        type = _part_type(old, op.static_sizes.get_values(), box[1])
        if type is None:
            return
        source = op.source if type == old else _cast_source(op, op.source, type, rewriter)
        rewriter.replace(op, _insertion(op, source, op.dest, box))


class InsertSliceOpCastFolder(RewritePattern):
    """`insert_slice (cast %s) into (cast %t)` -> `cast(insert_slice %s into %t)`, where %s and %t know more than their casts."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: InsertSliceOp | ParallelInsertSliceOp, rewriter: PatternRewriter) -> None:
        casts = cast_before(op.source), cast_before(op.dest)
        if casts == (None, None) or _has_constants(op, 2):
            return
        source, dest = casts[0].source if casts[0] else op.source, casts[1].source if casts[1] else op.dest
        type = cast(Tensor, source.type)
        sizes = op.mixed_sizes()
        dropped = dropped_dims_of_more_static(op.static_sizes.get_values(), type.get_shape())
        if dropped is None:
            return
        extents = iter(type.get_shape())
        for dim in range(len(sizes)):
            if dim not in dropped and (extent := next(extents)) != DYNAMIC_INDEX:
                sizes[dim] = extent
        box = op.mixed_offsets(), sizes, op.mixed_strides()
        if not _fits(cast(Tensor, dest.type), type, box):
            return
        made = _insertion(op, source, dest, box)
        back = CastOp(made.results[0], op.results[0].type) if op.results and made.results[0].type != op.results[0].type else None
        rewriter.replace(op, (made, back) if back else made)


class InsertSliceOpSourceCastInserter(RewritePattern):
    """`insert_slice %s into %t[..] [4] [..]` of a `tensor<?xf32>` -> the source is cast to `tensor<4xf32>`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: InsertSliceOp | ParallelInsertSliceOp, rewriter: PatternRewriter) -> None:
        type, dest = cast(Tensor, op.source.type), cast(Tensor, op.dest.type)
        if type.get_num_dims() != dest.get_num_dims():
            return
        sizes = [known(size) for size in op.mixed_sizes()]
        if any(size is not None and size < 0 for size in sizes):
            return
        more = with_shape(type, [extent if size is None else size for extent, size in zip(type.get_shape(), sizes, strict=True)])
        box = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
        if more == type or not knows_as_much(more, type) or not _fits(dest, more, box):
            return
        op.operands[0] = _cast_source(op, op.source, more, rewriter)
        rewriter.notify_op_modified(op)


_INSERT = (InsertSliceOpConstantArgumentFolder(), InsertSliceOpCastFolder(), InsertSliceOpSourceCastInserter())

SLICES: dict[str, Sequence[RewritePattern]] = {
    "tensor.extract_slice": (ExtractSliceConstantArguments(), ExtractSliceOpCastFolder()),
    "tensor.insert_slice": _INSERT,
    "tensor.parallel_insert_slice": _INSERT,
}
