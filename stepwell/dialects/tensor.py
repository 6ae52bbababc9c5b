"""`tensor`: values of shaped type, their slices and shapes. Upstream's dialect; ours are the ops that xDSL lacks or whose result types
it does not verify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import tensor as shipped
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.dialects.tensor import CastOp as CastOp
from xdsl.dialects.tensor import ConcatOp as ConcatOp
from xdsl.dialects.tensor import DimOp as DimOp
from xdsl.dialects.tensor import EmptyOp as EmptyOp
from xdsl.dialects.tensor import ExtractOp as ExtractOp
from xdsl.dialects.tensor import FromElementsOp as FromElementsOp
from xdsl.dialects.tensor import InsertOp as InsertOp
from xdsl.dialects.tensor import SplatOp as SplatOp
from xdsl.dialects.utils import AbstractYieldOperation, DynamicIndexList, split_dynamic_index_list, verify_dynamic_index_list
from xdsl.dialects.utils.reshape_ops_utils import ContiguousArrayOfIntArray
from xdsl.ir import Attribute, Block, Region, SSAValue
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
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine_maps import INDEX
from stepwell.dialects.layouts import groups_of, verify_groups
from stepwell.dialects.memref import verify_in_bounds
from stepwell.dialects.support import Reassociation, describe, element_of, is_rank_reduction, mixed, reassociation_attr, replace_ops
from stepwell.dialects.tensor_more import ReshapeOp as ReshapeOp

Tensor = TensorType[Any]
Index = SSAValue | int


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


def _split(values: Sequence[Index]) -> tuple[list[int], list[SSAValue]]:
    return split_dynamic_index_list(list(values), DYNAMIC_INDEX)


# ---- slices ---------------------------------------------------------------------------------------------------------------------


def _verify_slice(op: Any, whole: Tensor, part: Tensor) -> None:
    """Raise VerifyException unless `part` is a box of `whole`, or such a box without some extents of 1."""
    for what, static, dynamic in (
        ("offset", op.static_offsets, op.offsets),
        ("size", op.static_sizes, op.sizes),
        ("stride", op.static_strides, op.strides),
    ):
        verify_dynamic_index_list(static.get_values(), dynamic, DYNAMIC_INDEX, f" in the {what} arguments")
        if len(static) != whole.get_num_dims():
            raise VerifyException(f"has {len(static)} {what}s for a tensor of rank {whole.get_num_dims()}")
    verify_in_bounds(op.name, whole.get_shape(), op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides())
    sizes = op.static_sizes.get_values()
    if element_of(whole) != element_of(part) or not is_rank_reduction(sizes, part.get_shape()):
        raise VerifyException(f"has a slice of type {part} where sizes are {describe(sizes)}")


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
        _verify_slice(self, cast(Tensor, self.source.type), cast(Tensor, self.result.type))


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
        _verify_slice(self, cast(Tensor, self.dest.type), cast(Tensor, self.source.type))


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
        source, result = cast(Tensor, self.src.type), cast(Tensor, self.result.type)
        if element_of(source) != element_of(result):
            raise VerifyException(f"makes {result} of {source}")
        verify_groups(groups_of(self.reassociation), source.get_shape(), result.get_shape())


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
        source, result = cast(Tensor, self.src.type), cast(Tensor, self.result.type)
        shape = self.static_output_shape.get_values()
        verify_dynamic_index_list(shape, self.output_shape, DYNAMIC_INDEX, " in the output shape")
        if element_of(source) != element_of(result) or tuple(shape) != result.get_shape():
            raise VerifyException(f"of {source} to {describe(shape)} gives {result}")
        verify_groups(groups_of(self.reassociation), result.get_shape(), source.get_shape())


# ---- computed tensors -----------------------------------------------------------------------------------------------------------


@irdl_op_definition
class YieldOp(AbstractYieldOperation[Attribute]):
    """The element of a `tensor.pad` or `tensor.generate`."""

    name = "tensor.yield"
    traits = traits_def(IsTerminator(), Pure())


def _verify_body(op: Any, region: Region, rank: int, element: Attribute) -> None:
    last = region.block.last_op
    if region.block.arg_types != (INDEX,) * rank:
        raise VerifyException(f"needs a region of {rank} index arguments")
    if not isinstance(last, YieldOp) or tuple(last.operand_types) != (element,):
        raise VerifyException(f"must yield one {element}")


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
        verify_dynamic_index_list(low, self.low, DYNAMIC_INDEX, " in the low padding")
        verify_dynamic_index_list(high, self.high, DYNAMIC_INDEX, " in the high padding")
        if not len(low) == len(high) == source.get_num_dims() == result.get_num_dims():
            raise VerifyException(f"pads {source} by {len(low)} and {len(high)} amounts to {result}")
        for amount in (*low, *high):
            if amount < 0 and amount != DYNAMIC_INDEX:
                raise VerifyException(f"by a negative amount {amount}")
        expected = _padded(source.get_shape(), low, high)
        if any(a != b and DYNAMIC_INDEX not in (a, b) for a, b in zip(expected, result.get_shape(), strict=True)):
            raise VerifyException(f"gives {result} where the shape {describe(expected)} is expected")
        if element_of(source) != element_of(result):
            raise VerifyException(f"makes {result} of {source}")
        _verify_body(self, self.region, source.get_num_dims(), source.element_type)


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
        if result.get_shape().count(DYNAMIC_INDEX) != len(self.dynamicExtents):
            raise VerifyException(f"has {len(self.dynamicExtents)} extents for {result}")
        _verify_body(self, self.body, result.get_num_dims(), result.element_type)


@irdl_op_definition
class GatherOp(IRDLOperation):
    """Slices at computed positions.

    ```mlir
    %r = tensor.gather %t[%i] gather_dims([0]) : (tensor<8x4xf32>, tensor<3x1xindex>) -> tensor<3x1x4xf32>
    ```
    The last dimension of the indices holds the coordinates along `gather_dims`; the other dimensions of the source are taken whole. The
    gathered
    dimensions of the result have extent 1, or are dropped.
    """

    name = "tensor.gather"

    source = operand_def(TensorType)
    indices = operand_def(TensorType)
    gather_dims = prop_def(DenseArrayBase.constr(i64))
    unique = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(
        self, source: SSAValue, indices: SSAValue, gather_dims: Sequence[int], result_type: Attribute, *, unique: bool = False
    ) -> None:
        super().__init__(
            operands=[source, indices],
            result_types=[result_type],
            properties={"gather_dims": _i64s(gather_dims), "unique": UnitAttr() if unique else None},
        )

    def verify_(self) -> None:
        source, indices = cast(Tensor, self.source.type).get_shape(), cast(Tensor, self.indices.type).get_shape()
        dims = self.gather_dims.get_values()
        if not dims or list(dims) != sorted(set(dims)) or not all(0 <= dim < len(source) for dim in dims):
            raise VerifyException(f"along dimensions {list(dims)} of {self.source.type}")
        if not indices or indices[-1] != len(dims):
            raise VerifyException(f"along {len(dims)} dimensions by indices of type {self.indices.type}")
        kept = [1 if dim in dims else size for dim, size in enumerate(source)]
        dropped = [size for dim, size in enumerate(source) if dim not in dims]
        result = list(cast(Tensor, self.result.type).get_shape())
        if result not in ([*indices[:-1], *kept], [*indices[:-1], *dropped]) or element_of(self.result.type) != element_of(
            self.source.type
        ):
            raise VerifyException(f"of {self.source.type} by {self.indices.type} gives {self.result.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        source = parser.parse_unresolved_operand()
        with parser.in_square_brackets():
            indices = parser.parse_unresolved_operand()
        parser.parse_keyword("gather_dims")
        with parser.in_parens():
            dims = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
        unique = parser.parse_optional_keyword("unique") is not None
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_function_type()
        operands = parser.resolve_operands([source, indices], type.inputs.data, start)
        op = cls(operands[0], operands[1], dims, type.outputs.data[0], unique=unique)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        with printer.in_square_brackets():
            printer.print_ssa_value(self.indices)
        printer.print_string(f" gather_dims({list(self.gather_dims.get_values())})")
        printer.print_string(" unique" if self.unique is not None else "")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)


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
        widths = [getattr(element_of(type), "bitwidth", None) for type in (source, dest)]
        if len(source.get_shape()) != len(dest.get_shape()) or widths[0] is None or widths[0] != widths[1]:
            raise VerifyException(f"cannot make {dest} of {source}")


TensorDialect = replace_ops(
    shipped.Tensor,
    [ReshapeOp, ExtractSliceOp, InsertSliceOp, CollapseShapeOp, ExpandShapeOp, YieldOp, PadOp, GenerateOp, GatherOp, BitcastOp],
)
