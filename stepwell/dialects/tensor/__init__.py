"""`tensor`: values of shaped type, their slices and shapes. Upstream's dialect; ours are the ops that xDSL lacks or whose result types
it does not verify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects import tensor as shipped
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.dialects.utils import AbstractYieldOperation, DynamicIndexList, split_dynamic_index_list, verify_dynamic_index_list
from xdsl.dialects.utils.reshape_ops_utils import ContiguousArrayOfIntArray
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import HasParent, IsTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.slices import verify_groups, verify_slice
from stepwell.dialects.support import Reassociation, compatible_shapes, element_of, mixed, reassociation_attr, replace_ops
from stepwell.dialects.tensor.elements import ELEMENT_OPS, verify_dynamic_sizes
from stepwell.dialects.tensor.elements import CastOp as CastOp
from stepwell.dialects.tensor.elements import ConcatOp as ConcatOp
from stepwell.dialects.tensor.elements import DimOp as DimOp
from stepwell.dialects.tensor.elements import EmptyOp as EmptyOp
from stepwell.dialects.tensor.elements import ExtractOp as ExtractOp
from stepwell.dialects.tensor.elements import FromElementsOp as FromElementsOp
from stepwell.dialects.tensor.elements import InsertOp as InsertOp
from stepwell.dialects.tensor.elements import SplatOp as SplatOp
from stepwell.dialects.tensor.more import GatherOp as GatherOp
from stepwell.dialects.tensor.more import ReshapeOp as ReshapeOp
from stepwell.ir.rules import shown, width

Tensor = TensorType[Any]
Index = SSAValue | int


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


def _split(values: Sequence[Index]) -> tuple[list[int], list[SSAValue]]:
    return split_dynamic_index_list(list(values), DYNAMIC_INDEX)


# ---- slices ---------------------------------------------------------------------------------------------------------------------


def _slice_properties(offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> dict[str, Attribute]:
    return {"static_offsets": _i64s(offsets), "static_sizes": _i64s(sizes), "static_strides": _i64s(strides)}


@irdl_op_definition
class ExtractSliceOp(IRDLOperation):
    """A box of a tensor; extents of 1 may be dropped from the result.

    ```mlir
    %s = tensor.extract_slice %t[%i, 0] [4, %n] [1, 1] : tensor<?x?xf32> to tensor<4x?xf32>
    ```
    """

    name = "tensor.extract_slice"

    source = operand_def(TensorType)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `` custom<DynamicIndexList>($offsets, $static_offsets) custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `to` type($result)"
    )

    def __init__(
        self,
        source: SSAValue,
        offsets: Sequence[Index],
        sizes: Sequence[Index],
        strides: Sequence[Index],
        result_type: Attribute | None = None,
    ) -> None:
        """`result_type=None` keeps all extents."""
        (static_offsets, dynamic_offsets), (static_sizes, dynamic_sizes), (static_strides, dynamic_strides) = (
            _split(values) for values in (offsets, sizes, strides)
        )
        super().__init__(
            operands=[source, dynamic_offsets, dynamic_sizes, dynamic_strides],
            result_types=[result_type or TensorType(element_of(source.type), static_sizes)],
            properties=_slice_properties(static_offsets, static_sizes, static_strides),
        )

    def mixed_offsets(self) -> list[int | SSAValue]:
        return mixed(self.static_offsets, self.offsets)

    def mixed_sizes(self) -> list[int | SSAValue]:
        return mixed(self.static_sizes, self.sizes)

    def mixed_strides(self) -> list[int | SSAValue]:
        return mixed(self.static_strides, self.strides)

    def verify_(self) -> None:
        verify_slice(self, cast(Tensor, self.source.type), cast(Tensor, self.result.type))


@irdl_op_definition
class InsertSliceOp(IRDLOperation):
    """A tensor with a box replaced: `%r = tensor.insert_slice %s into %t[0, 4] [8, 8] [1, 1] : tensor<8x8xf32> into tensor<8x16xf32>`."""

    name = "tensor.insert_slice"
    DEST: ClassVar = VarConstraint("DEST", base(TensorType))

    source = operand_def(TensorType)
    dest = operand_def(DEST)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(DEST)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `into` $dest `` custom<DynamicIndexList>($offsets, $static_offsets) custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `into` type($dest)"
    )

    def __init__(
        self, source: SSAValue, dest: SSAValue, offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]
    ) -> None:
        (static_offsets, dynamic_offsets), (static_sizes, dynamic_sizes), (static_strides, dynamic_strides) = (
            _split(values) for values in (offsets, sizes, strides)
        )
        super().__init__(
            operands=[source, dest, dynamic_offsets, dynamic_sizes, dynamic_strides],
            result_types=[dest.type],
            properties=_slice_properties(static_offsets, static_sizes, static_strides),
        )

    def mixed_offsets(self) -> list[int | SSAValue]:
        return mixed(self.static_offsets, self.offsets)

    def mixed_sizes(self) -> list[int | SSAValue]:
        return mixed(self.static_sizes, self.sizes)

    def mixed_strides(self) -> list[int | SSAValue]:
        return mixed(self.static_strides, self.strides)

    def verify_(self) -> None:
        verify_slice(self, cast(Tensor, self.dest.type), cast(Tensor, self.source.type))


# ---- reshapes -------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class CollapseShapeOp(IRDLOperation):
    """Joins neighbouring extents: `tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>`."""

    name = "tensor.collapse_shape"

    src = operand_def(TensorType)
    reassociation = prop_def(ContiguousArrayOfIntArray())
    result = result_def(TensorType)
    traits = traits_def(Pure())
    custom_directives = (Reassociation,)
    assembly_format = "$src custom<Reassociation>($reassociation) attr-dict `:` type($src) `into` type($result)"

    @classmethod
    def get(cls, src: SSAValue, reassociation: Sequence[Sequence[int]], result_type: Attribute | None = None) -> CollapseShapeOp:
        if result_type is None:
            shape = cast(Tensor, src.type).get_shape()
            result_type = TensorType(element_of(src.type), [_product([shape[i] for i in group]) for group in reassociation])
        return cls(operands=[src], properties={"reassociation": reassociation_attr(reassociation)}, result_types=[result_type])

    def verify_(self) -> None:
        verify_groups(groups_of(self.reassociation), cast(Tensor, self.src.type), cast(Tensor, self.result.type))


def _product(sizes: Sequence[int]) -> int:
    product = 1
    for size in sizes:
        product = DYNAMIC_INDEX if DYNAMIC_INDEX in (product, size) else product * size
    return product


@irdl_op_definition
class ExpandShapeOp(IRDLOperation):
    """Splits extents: `tensor.expand_shape %t [[0, 1], [2]] output_shape [2, %n, 4] : tensor<?x4xf32> into tensor<2x?x4xf32>`."""

    name = "tensor.expand_shape"

    src = operand_def(TensorType)
    output_shape = var_operand_def(IndexType)
    reassociation = prop_def(ContiguousArrayOfIntArray())
    static_output_shape = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList, Reassociation)
    assembly_format = (
        "$src custom<Reassociation>($reassociation) `output_shape` custom<DynamicIndexList>($output_shape, $static_output_shape) attr-dict"
        "`:` type($src) `into` type($result)"
    )

    @classmethod
    def get(cls, src: SSAValue, reassociation: Sequence[Sequence[int]], shape: Sequence[Index]) -> ExpandShapeOp:
        static, dynamic = _split(shape)
        return cls(
            operands=[src, dynamic],
            properties={"reassociation": reassociation_attr(reassociation), "static_output_shape": _i64s(static)},
            result_types=[TensorType(element_of(src.type), static)],
        )

    def mixed_output_shape(self) -> list[int | SSAValue]:
        return mixed(self.static_output_shape, self.output_shape)

    def verify_(self) -> None:
        result = cast(Tensor, self.result.type)
        rank, given = result.get_num_dims(), len(self.static_output_shape)
        if given != rank:
            raise VerifyException(
                f"expected number of static shape dims to be equal to the output rank ({rank}) but found {given} inputs instead"
            )
        verify_dynamic_sizes(result, self.output_shape)
        if tuple(self.static_output_shape.get_values()) != result.get_shape():
            raise VerifyException(f"expected output shape {list(self.static_output_shape.get_values())} to be that of '{shown(result)}'")
        verify_groups(groups_of(self.reassociation), result, cast(Tensor, self.src.type))


# ---- computed tensors -----------------------------------------------------------------------------------------------------------


@irdl_op_definition
class YieldOp(AbstractYieldOperation[Attribute]):
    """The element of a `tensor.pad` or `tensor.generate`."""

    name = "tensor.yield"
    traits = traits_def(IsTerminator(), Pure())


def _is_no_yield_of(last: Operation | None, element: Attribute) -> bool:
    """Whether a body ends wrongly. A terminator that belongs somewhere else complains itself, and is left to it."""
    if isinstance(last, YieldOp):
        return tuple(last.operand_types) != (element,)
    return last is None or not last.has_trait(HasParent, value_if_unregistered=False)


@irdl_op_definition
class PadOp(IRDLOperation):
    """A tensor with elements before and after along each dimension.

    ```mlir
    %r = tensor.pad %t low[0, 1] high[0, %n] {
    ^bb0(%i: index, %j: index):
      tensor.yield %zero : f32
    } : tensor<4x4xf32> to tensor<4x?xf32>
    ```
    """

    name = "tensor.pad"

    source = operand_def(TensorType)
    low = var_operand_def(IndexType)
    high = var_operand_def(IndexType)
    static_low = prop_def(DenseArrayBase.constr(i64))
    static_high = prop_def(DenseArrayBase.constr(i64))
    nofold = opt_prop_def(UnitAttr)
    region = region_def("single_block")
    result = result_def(TensorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source (`nofold` $nofold^)? `low` `` custom<DynamicIndexList>($low, $static_low)"
        "`high` `` custom<DynamicIndexList>($high, $static_high) $region attr-dict `:` type($source) `to` type($result)"
    )

    @classmethod
    def get(cls, source: SSAValue, low: Sequence[Index], high: Sequence[Index], value: SSAValue) -> PadOp:
        """Pads by one value."""
        (static_low, dynamic_low), (static_high, dynamic_high) = _split(low), _split(high)
        type = cast(Tensor, source.type)
        body = Block([YieldOp(value)], arg_types=[INDEX] * type.get_num_dims())
        return cls(
            operands=[source, dynamic_low, dynamic_high],
            result_types=[TensorType(type.element_type, _padded(type.get_shape(), static_low, static_high))],
            properties={"static_low": _i64s(static_low), "static_high": _i64s(static_high)},
            regions=[Region(body)],
        )

    def mixed_low(self) -> list[int | SSAValue]:
        return mixed(self.static_low, self.low)

    def mixed_high(self) -> list[int | SSAValue]:
        return mixed(self.static_high, self.high)

    def constant_value(self) -> SSAValue | None:
        """The value that pads, where it is defined outside the region."""
        last = self.region.block.last_op
        value = last.operands[0] if last is not None and last.operands else None
        return (
            value if value is not None and value.owner is not self.region.block and value.owner.parent_region() is not self.region else None
        )

    def verify_(self) -> None:
        source, result = cast(Tensor, self.source.type), cast(Tensor, self.result.type)
        low, high = self.static_low.get_values(), self.static_high.get_values()
        rank = source.get_num_dims()
        verify_dynamic_index_list(low, self.low, DYNAMIC_INDEX, " in the low padding")
        verify_dynamic_index_list(high, self.high, DYNAMIC_INDEX, " in the high padding")
        if not len(low) == len(high) == rank == result.get_num_dims():
            raise VerifyException(f"expected as many low and high paddings as the rank {rank}, got {len(low)} and {len(high)}")
        for amount in (*low, *high):
            if amount < 0 and amount != DYNAMIC_INDEX:
                raise VerifyException(f"expected paddings to be non-negative, but got {amount}")
        expected = _padded(source.get_shape(), low, high)
        if element_of(source) != element_of(result) or not compatible_shapes(expected, result.get_shape()):
            inferred = TensorType(source.element_type, expected)
            raise VerifyException(f"specified type '{shown(result)}' does not match the inferred type '{shown(inferred)}'")
        arguments, last = self.region.block.arg_types, self.region.block.last_op
        if len(arguments) != rank:
            raise VerifyException(f"expected the block to have {rank} arguments")
        for index, argument in enumerate(arguments):
            if not isinstance(argument, IndexType):
                raise VerifyException(f"expected block argument {index + 1} to be an index")
        if _is_no_yield_of(last, source.element_type):
            raise VerifyException("expected yield type to match shape element type")


def _padded(shape: Sequence[int], low: Sequence[int], high: Sequence[int]) -> list[int]:
    return [DYNAMIC_INDEX if DYNAMIC_INDEX in parts else sum(parts) for parts in zip(shape, low, high, strict=True)]


@irdl_op_definition
class GenerateOp(IRDLOperation):
    """A tensor computed element by element from its indices.

    ```mlir
    %t = tensor.generate %m {
    ^bb0(%i: index, %j: index):
      tensor.yield %e : f32
    } : tensor<?x4xf32>
    ```
    """

    name = "tensor.generate"

    dynamicExtents = var_operand_def(IndexType)
    body = region_def("single_block")
    result = result_def(TensorType)
    traits = traits_def(RecursiveMemoryEffect())
    assembly_format = "$dynamicExtents $body attr-dict `:` type($result)"

    def __init__(self, extents: Sequence[SSAValue], body: Region, result_type: Attribute) -> None:
        super().__init__(operands=[extents], regions=[body], result_types=[result_type])

    def verify_(self) -> None:
        result = cast(Tensor, self.result.type)
        verify_dynamic_sizes(result, self.dynamicExtents)
        arguments, last = self.body.block.arg_types, self.body.block.last_op
        if not all(isinstance(argument, IndexType) for argument in arguments):
            raise VerifyException("all body arguments must be index")
        if len(arguments) != result.get_num_dims():
            raise VerifyException("must have one body argument per input dimension")
        if _is_no_yield_of(last, result.element_type):
            raise VerifyException("body must be terminated with a `yield` operation of the tensor element type")


@irdl_op_definition
class BitcastOp(IRDLOperation):
    """`%b = tensor.bitcast %a : tensor<4xf32> to tensor<4xi32>`"""

    name = "tensor.bitcast"

    source = operand_def(TensorType)
    dest = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($dest)"

    def verify_(self) -> None:
        source, dest = cast(Tensor, self.source.type), cast(Tensor, self.dest.type)
        same = compatible_shapes(source.get_shape(), dest.get_shape()) and width(element_of(source)) == width(element_of(dest))
        if not same:
            raise VerifyException(f"operand type '{shown(source)}' and result type '{shown(dest)}' are cast incompatible")


TensorDialect = replace_ops(
    shipped.Tensor,
    [
        *ELEMENT_OPS,
        ReshapeOp,
        ExtractSliceOp,
        InsertSliceOp,
        CollapseShapeOp,
        ExpandShapeOp,
        YieldOp,
        PadOp,
        GenerateOp,
        GatherOp,
        BitcastOp,
    ],
)
