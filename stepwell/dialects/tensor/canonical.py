"""The patterns that canonicalize `tensor`, by operation: what `stepwell.ir.rewrite.pattern_set` asks for. Here are those about casts,
extents and single elements; those about slices, reshapes and paddings stand in `canonical_slices`, `canonical_shapes` and `canonical_pads`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, TensorType, UnrankedTensorType
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import IndexCastOp
from stepwell.dialects.known_indices import known
from stepwell.dialects.tensor import (
    BitcastOp,
    CastOp,
    ConcatOp,
    DimOp,
    EmptyOp,
    ExtractOp,
    ExtractSliceOp,
    GenerateOp,
    InsertOp,
    ReshapeOp,
)
from stepwell.dialects.tensor.canonical_pads import PADS
from stepwell.dialects.tensor.canonical_shapes import SHAPES
from stepwell.dialects.tensor.canonical_slices import SLICES
from stepwell.dialects.tensor.elements import concatenated_shape
from stepwell.dialects.tensor.facts import Tensor, dropped_dims, knows_as_much, with_shape


def _maker(value: SSAValue) -> Operation | None:
    return value.op if isinstance(value, OpResult) else None


# ---- casts ------------------------------------------------------------------------------------------------------------------------


class ChainedTensorBitcast(RewritePattern):
    """`bitcast(bitcast(x))` -> `bitcast(x)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BitcastOp, rewriter: PatternRewriter) -> None:
        if isinstance(inner := _maker(op.source), BitcastOp):
            rewriter.replace(op, BitcastOp(operands=[inner.source], result_types=[op.dest.type]))


def _joined(a: Attribute, b: Attribute) -> Attribute | None:
    """The type that knows what either knows; None where they contradict each other."""
    if isinstance(a, UnrankedTensorType):
        return b
    if isinstance(b, UnrankedTensorType):
        return a
    one, two = cast("Tensor", a), cast("Tensor", b)
    if one.get_num_dims() != two.get_num_dims():
        return None
    shape: list[int] = []
    for x, y in zip(one.get_shape(), two.get_shape(), strict=True):
        if x != y and DYNAMIC_INDEX not in (x, y):
            return None
        shape.append(y if x == DYNAMIC_INDEX else x)
    return with_shape(one, shape)


class ChainedTensorCast(RewritePattern):
    """`cast(cast(x))` -> `cast(x)`, unless the type between knew something that neither end knows."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CastOp, rewriter: PatternRewriter) -> None:
        if not isinstance(inner := _maker(op.source), CastOp):
            return
        through = _joined(inner.source.type, inner.dest.type)
        merged = None if through is None else _joined(through, op.dest.type)
        if merged is not None and merged == _joined(inner.source.type, op.dest.type):
            rewriter.replace(op, CastOp(inner.source, op.dest.type))


class TensorCastExtractSlice(RewritePattern):
    """`cast(extract_slice %t[..] [%n] [..])` to a static extent -> `extract_slice %t[..] [4] [..]`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CastOp, rewriter: PatternRewriter) -> None:
        slice = _maker(op.source)
        if not isinstance(slice, ExtractSliceOp) or op.source.type == op.dest.type or not knows_as_much(op.dest.type, op.source.type):
            return
        type, old = cast(Tensor, op.dest.type), cast(Tensor, op.source.type)
        dropped = dropped_dims(slice.static_sizes.get_values(), old.get_shape())
        if dropped is None:
            return
        sizes, extents = slice.mixed_sizes(), iter(type.get_shape())
        for dim in range(len(sizes)):
            if dim not in dropped and (extent := next(extents)) != DYNAMIC_INDEX:
                sizes[dim] = extent
        rewriter.replace(op, ExtractSliceOp(slice.source, slice.mixed_offsets(), sizes, slice.mixed_strides(), type))


class FoldEmptyTensorWithCastOp(RewritePattern):
    """`cast(empty(%n) : tensor<?xf32>) to tensor<4xf32>` -> `empty() : tensor<4xf32>`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CastOp, rewriter: PatternRewriter) -> None:
        empty = _maker(op.source)
        if not isinstance(empty, EmptyOp) or not knows_as_much(op.dest.type, op.source.type):
            return
        old, new, sizes = cast(Tensor, op.source.type).get_shape(), cast(Tensor, op.dest.type).get_shape(), iter(empty.dynamic_sizes)
        dynamic = [(next(sizes), extent) for was, extent in zip(old, new, strict=True) if was == DYNAMIC_INDEX]
        rewriter.replace(op, EmptyOp([size for size, extent in dynamic if extent == DYNAMIC_INDEX], op.dest.type))


# ---- extents ----------------------------------------------------------------------------------------------------------------------


class DimOfCastOp(RewritePattern):
    """`dim(cast(x))` -> `dim(x)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DimOp, rewriter: PatternRewriter) -> None:
        if isinstance(inner := _maker(op.source), CastOp):
            rewriter.replace(op, DimOp(inner.source, op.index))


class DimOfDestStyleOp(RewritePattern):
    """The extent of what an operation writes into its destination is the destination's: `dim(fill outs(%t))` -> `dim(%t)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DimOp, rewriter: PatternRewriter) -> None:
        if isinstance(op.source, OpResult) and (dest := destination_of(op.source)) is not None:
            rewriter.replace(op, DimOp(dest, op.index))


def destination_of(result: OpResult) -> SSAValue | None:
    """The operand whose shape a result has because the operation overwrites it."""
    op: Any = result.op
    if isinstance(op, InsertOp):
        return op.dest
    outputs: Sequence[SSAValue] | None = getattr(op, "outputs", None) if op.dialect_name() == "linalg" else None
    if outputs is None or len(outputs) != len(op.results):  # with some outputs in memory, results are not in step
        return None
    found = outputs[result.index]
    return found if isinstance(found.type, TensorType) else None


class DimOfReshapeOp(RewritePattern):
    """`dim(reshape %t(%shape), %i)` -> `extract %shape[%i]`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DimOp, rewriter: PatternRewriter) -> None:
        if not isinstance(reshape := _maker(op.source), ReshapeOp):
            return
        extent = ExtractOp(reshape.shape, [op.index])
        if isinstance(extent.result.type, IndexType):
            rewriter.replace(op, extent)
        else:
            rewriter.replace(op, (extent, IndexCastOp.create(operands=[extent.result], result_types=[INDEX])))


def _static_sizes(type: Tensor, sizes: Sequence[SSAValue]) -> tuple[Tensor, list[SSAValue]] | None:
    """The type with the extents that are constants, and the sizes that are left; None where none is a constant or one is negative."""
    shape, left, given = list(type.get_shape()), list[SSAValue](), iter(sizes)
    for dim, extent in enumerate(shape):
        if extent != DYNAMIC_INDEX:
            continue
        size = next(given)
        number = known(size)
        if number is None or number < 0:
            left.append(size)
        else:
            shape[dim] = number
    return None if len(left) == len(sizes) else (with_shape(type, shape), left)


class ReplaceEmptyTensorStaticShapeDims(RewritePattern):
    """`empty(%c4) : tensor<?xf32>` -> `cast(empty() : tensor<4xf32>)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: EmptyOp, rewriter: PatternRewriter) -> None:
        if (found := _static_sizes(cast(Tensor, op.tensor.type), op.dynamic_sizes)) is not None:
            empty = EmptyOp(found[1], found[0])
            rewriter.replace(op, (empty, CastOp(empty.tensor, op.tensor.type)))


class StaticTensorGenerate(RewritePattern):
    """`generate %c4 {...} : tensor<?xf32>` -> `cast(generate {...} : tensor<4xf32>)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenerateOp, rewriter: PatternRewriter) -> None:
        if (found := _static_sizes(cast(Tensor, op.result.type), op.dynamicExtents)) is not None:
            generate = GenerateOp(found[1], op.detach_region(op.body), found[0])
            rewriter.replace(op, (generate, CastOp(generate.result, op.result.type)))


# ---- concat -----------------------------------------------------------------------------------------------------------------------


class SingleInputConcatOp(RewritePattern):
    """`concat %a` -> `cast %a`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter) -> None:
        if len(op.inputs) == 1:
            rewriter.replace(op, CastOp(op.inputs[0], op.result.type))


def _inferred_shape(op: ConcatOp) -> list[int] | None:
    try:
        return concatenated_shape([cast(Tensor, value.type) for value in op.inputs], op.dim.value.data)
    except VerifyException:
        return None


class InferConcatOperandTypes(RewritePattern):
    """An input is cast to the extents that another input or the result knows."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter) -> None:
        dim, inferred = op.dim.value.data, _inferred_shape(op)
        if inferred is None:
            return
        result = cast(Tensor, op.result.type).get_shape()
        extents = [b if a == DYNAMIC_INDEX else a for a, b in zip(inferred, result, strict=True)]
        for number, value in enumerate(op.inputs):
            type = cast(Tensor, value.type)
            shape = [old if i == dim else extents[i] for i, old in enumerate(type.get_shape())]
            if tuple(shape) != type.get_shape():
                conversion = CastOp(value, with_shape(type, shape))
                rewriter.insert(conversion)
                op.operands[number] = conversion.dest
                rewriter.notify_op_modified(op)


class InferConcatResultType(RewritePattern):
    """The result knows the extents that the inputs know; a cast gives the old type."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter) -> None:
        type, shape = cast(Tensor, op.result.type), _inferred_shape(op)
        if shape is None:
            return
        more = _joined(type, with_shape(type, shape))
        if more is not None and more != type:
            concat = ConcatOp(op.inputs, op.dim.value.data, more)
            rewriter.replace(op, (concat, CastOp(concat.result, type)))


# ---- elements -----------------------------------------------------------------------------------------------------------------------


class ExtractFromTensorCast(RewritePattern):
    """`extract(cast(x))` -> `extract(x)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.tensor)
        if isinstance(inner, CastOp) and isinstance(inner.source.type, TensorType):
            rewriter.replace(op, ExtractOp(inner.source, op.indices))


class ExtractFromTensorGenerate(RewritePattern):
    """`extract(generate {f})[%i]` -> `f(%i)`, where f does nothing but compute."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractOp, rewriter: PatternRewriter) -> None:
        generate = _maker(op.tensor)
        if not isinstance(generate, GenerateOp) or not is_side_effect_free(generate):
            return
        block = generate.body.block
        values: dict[SSAValue, SSAValue] = dict(zip(block.args, op.indices, strict=True))
        *body, last = block.ops
        copies = [inner.clone(values) for inner in body]
        rewriter.replace(op, copies, [values.get(last.operands[0], last.operands[0])])


class ExtractElementFromIndexCast(RewritePattern):
    """`extract(index_cast(t))` -> `index_cast(extract(t))`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractOp, rewriter: PatternRewriter) -> None:
        inner = _maker(op.tensor)
        if isinstance(inner, IndexCastOp):
            element = ExtractOp(inner.operands[0], op.indices)
            rewriter.replace(op, (element, IndexCastOp.create(operands=[element.result], result_types=[op.result.type])))


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    "tensor.bitcast": (ChainedTensorBitcast(),),
    "tensor.cast": (ChainedTensorCast(), TensorCastExtractSlice(), FoldEmptyTensorWithCastOp()),
    "tensor.concat": (SingleInputConcatOp(), InferConcatOperandTypes(), InferConcatResultType()),
    "tensor.dim": (DimOfCastOp(), DimOfDestStyleOp(), DimOfReshapeOp()),
    "tensor.empty": (ReplaceEmptyTensorStaticShapeDims(),),
    "tensor.extract": (ExtractFromTensorCast(), ExtractFromTensorGenerate(), ExtractElementFromIndexCast()),
    "tensor.generate": (StaticTensorGenerate(),),
    **SLICES,
    **SHAPES,
    **PADS,
}
