"""`tensor`, second part: `parallel_insert_slice`, `rank`, `scatter`, and `reshape` also of tensors of unknown rank."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, TensorType, UnitAttr, UnrankedTensorType, i64
from xdsl.dialects.utils import DynamicIndexList
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    BaseAttr,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.slices import verify_slice
from stepwell.dialects.support import IntegerList, mixed, require
from stepwell.ir.rules import shown

AnyTensor = BaseAttr(TensorType) | BaseAttr(UnrankedTensorType)
Tensor = TensorType[Any]


def _element(type: Attribute) -> Attribute:
    return cast("Any", type).element_type


@irdl_op_definition
class ParallelInsertSliceOp(IRDLOperation):
    """A thread's part of a shared result, inside `scf.forall.in_parallel`.

    ```mlir
    tensor.parallel_insert_slice %part into %shared[%i, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<?x8xf32>
    ```
    """

    name = "tensor.parallel_insert_slice"

    source = operand_def(TensorType)
    dest = operand_def(TensorType)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `into` $dest `` custom<DynamicIndexList>($offsets, $static_offsets) custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `into` type($dest)"
    )

    def mixed_offsets(self) -> list[int | SSAValue]:
        return mixed(self.static_offsets, self.offsets)

    def mixed_sizes(self) -> list[int | SSAValue]:
        return mixed(self.static_sizes, self.sizes)

    def mixed_strides(self) -> list[int | SSAValue]:
        return mixed(self.static_strides, self.strides)

    def verify_(self) -> None:
        verify_slice(self, cast(Tensor, self.dest.type), cast(Tensor, self.source.type))


@irdl_op_definition
class RankOp(IRDLOperation):
    """`tensor.rank %t : tensor<*xf32>`"""

    name = "tensor.rank"

    tensor = operand_def(AnyTensor)
    result = result_def(IndexType)
    traits = traits_def(Pure())
    assembly_format = "$tensor attr-dict `:` type($tensor)"


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements in the shape that a tensor of integers says.

    `tensor.reshape %t(%shape) : (tensor<?xf32>, tensor<2xi32>) -> tensor<?x?xf32>`
    """

    name = "tensor.reshape"

    source = operand_def(AnyTensor)
    shape = operand_def(TensorType)
    result = result_def(AnyTensor)
    traits = traits_def(Pure())
    assembly_format = "$source `(` $shape `)` attr-dict `:` functional-type(operands, results)"

    def __init__(self, source: SSAValue, shape: SSAValue, result_type: Attribute) -> None:
        super().__init__(operands=[source, shape], result_types=[result_type])

    def verify_(self) -> None:
        source, shape, result = self.source.type, cast(Tensor, self.shape.type), self.result.type
        if _element(source) != _element(result):
            raise VerifyException("element types of source and destination tensor types should be the same")
        if shape.get_num_dims() != 1:
            raise VerifyException(f"takes a shape of one dimension, not {shape}")
        extent = shape.get_shape()[0]
        if isinstance(result, UnrankedTensorType):
            return
        sizes = cast(Tensor, result).get_shape()
        if extent == DYNAMIC_INDEX:
            raise VerifyException("cannot use shape operand with dynamic length to reshape to statically-ranked tensor type")
        if extent != len(sizes):
            raise VerifyException("length of shape operand differs from the result's tensor rank")
        if isinstance(source, TensorType):
            before = cast(Tensor, source).get_shape()
            if DYNAMIC_INDEX not in before and DYNAMIC_INDEX not in sizes and prod(before) != prod(sizes):
                raise VerifyException("source and destination tensor should have the same number of elements")


def _verify_coordinates(what: str, whole: str, dims: Sequence[int], indices: Tensor, type: Tensor) -> None:
    """The dimensions along which coordinates count: some of `type`'s, in order, as many as the rows of `indices` are long."""
    if not dims:
        raise VerifyException(f"{what}_dims must be non-empty")
    if len(dims) > type.get_num_dims():
        raise VerifyException(f"{what}_dims overflow {whole} rank")
    if not indices.get_shape() or indices.get_shape()[-1] not in (len(dims), DYNAMIC_INDEX):
        raise VerifyException(f"{what}_dims length must match the size of last dimension of indices")
    for dim in dims:
        if dim < 0:
            raise VerifyException(f"{what}_dims value must be non-negative")
        if dim >= type.get_num_dims():
            raise VerifyException(f"{what}_dims value must be smaller than {whole} rank")
    if any(a >= b for a, b in pairwise(dims)):
        raise VerifyException(f"{what}_dims values must be strictly increasing")


def _verify_slices(what: str, found: Tensor, dims: Sequence[int], indices: Tensor, whole: Tensor) -> None:
    """A slice for each row of `indices`, its indexed dimensions of extent 1 or dropped."""
    batch = indices.get_shape()[:-1]
    full = TensorType(found.element_type, [*batch, *(1 if dim in dims else size for dim, size in enumerate(whole.get_shape()))])
    reduced = TensorType(found.element_type, [*batch, *(size for dim, size in enumerate(whole.get_shape()) if dim not in dims)])
    if found.get_shape() not in (full.get_shape(), reduced.get_shape()) or found.element_type != whole.element_type:
        variants = f"'{shown(full)}' or its rank-reduced variant '{shown(reduced)}'"
        raise VerifyException(f"{what} type mismatch: expected {variants} (got: '{shown(found)}')")


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
            properties={"gather_dims": DenseArrayBase.from_list(i64, gather_dims), "unique": UnitAttr() if unique else None},
        )

    def verify_(self) -> None:
        source, indices = cast(Tensor, self.source.type), cast(Tensor, self.indices.type)
        dims = list(self.gather_dims.get_values())
        _verify_coordinates("gather", "source", dims, indices, source)
        _verify_slices("result", cast(Tensor, self.result.type), dims, indices, source)

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
class ScatterOp(IRDLOperation):
    """A tensor with slices replaced where rows of `indices` say.

    ```mlir
    %r = tensor.scatter %parts into %t[%rows] scatter_dims([0]) unique : (tensor<2x4xf32>, tensor<8x4xf32>, tensor<2x1xindex>)
      -> tensor<8x4xf32>
    ```
    """

    name = "tensor.scatter"

    source = operand_def(TensorType)
    dest = operand_def(TensorType)
    indices = operand_def(TensorType)
    scatter_dims = prop_def(DenseArrayBase.constr(i64))
    unique = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    custom_directives = (IntegerList,)
    assembly_format = (
        "$source `into` $dest `[` $indices `]` `scatter_dims` `(` custom<IntegerList>($scatter_dims) `)` (`unique` $unique^)?"
        "attr-dict `:` functional-type(operands, results)"
    )

    def verify_(self) -> None:
        dims = list(self.scatter_dims.get_values())
        dest, indices = cast(Tensor, self.dest.type), cast(Tensor, self.indices.type)
        require(self.unique is not None, "requires 'unique' attribute to be set")
        _verify_coordinates("scatter", "dest", dims, indices, dest)
        _verify_slices("source", cast(Tensor, self.source.type), dims, indices, dest)
        if self.result.type != dest:
            raise VerifyException("failed to verify that all of {dest, result} have same type")


RARE: tuple[list[type[Operation]], list[type[Attribute]]] = ([ParallelInsertSliceOp, RankOp, ScatterOp], [])
