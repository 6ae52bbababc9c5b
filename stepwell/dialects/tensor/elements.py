"""`tensor`, the ops of single elements and whole shapes: cast, dim, empty, concat, extract, insert, from_elements, splat.

Upstream's definitions and messages. Their folds stand in `tensor_folds`, their patterns in `tensor_canonical`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr, TensorType, UnrankedTensorType, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    AnyAttr,
    BaseAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import compatible_shapes
from stepwell.ir.rules import shown
from stepwell.ir.text.formats import wrong_kind

AnyTensor = BaseAttr(TensorType) | BaseAttr(UnrankedTensorType)
Tensor = TensorType[Any]


def verify_dynamic_sizes(type: Tensor, sizes: Sequence[SSAValue]) -> None:
    """One operand for each `?` of the type."""
    expected = type.get_shape().count(DYNAMIC_INDEX)
    if expected != len(sizes):
        raise VerifyException(f"incorrect number of dynamic sizes, has {len(sizes)}, expected {expected}")


def is_cast_compatible(source: Attribute, dest: Attribute) -> bool:
    """Whether `tensor.cast` may stand between two types: equal elements, nothing static contradicts."""
    if not isinstance(source, (TensorType, UnrankedTensorType)) or not isinstance(dest, (TensorType, UnrankedTensorType)):
        return False
    a, b = cast("Tensor", source), cast("Tensor", dest)
    if a.element_type != b.element_type:
        return False
    return isinstance(source, UnrankedTensorType) or isinstance(dest, UnrankedTensorType) or compatible_shapes(a.get_shape(), b.get_shape())


@irdl_op_definition
class CastOp(IRDLOperation):
    """The same tensor, its type knowing more or less: `tensor.cast %t : tensor<?x4xf32> to tensor<2x?xf32>`."""

    name = "tensor.cast"

    source = operand_def(AnyTensor)
    dest = result_def(AnyTensor)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($dest)"

    def __init__(self, source: SSAValue | Operation, dest: Attribute) -> None:
        super().__init__(operands=(source,), result_types=(dest,))

    def verify_(self) -> None:
        if not is_cast_compatible(self.source.type, self.dest.type):
            a, b = shown(self.source.type), shown(self.dest.type)
            raise VerifyException(f"operand type '{a}' and result type '{b}' are cast incompatible")


@irdl_op_definition
class DimOp(IRDLOperation):
    """An extent: `tensor.dim %t, %i : tensor<?x4xf32>`; undefined where `%i` is no dimension."""

    name = "tensor.dim"

    source = operand_def(AnyTensor)
    index = operand_def(IndexType)
    result = result_def(IndexType)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "attr-dict $source `,` $index `:` type($source)"

    def __init__(self, source: SSAValue | Operation, index: SSAValue | Operation) -> None:
        super().__init__(operands=(source, index), result_types=(IndexType(),))


@irdl_op_definition
class EmptyOp(IRDLOperation):
    """A tensor of which only the shape matters: `tensor.empty(%n) : tensor<4x?xf32>`."""

    name = "tensor.empty"

    dynamic_sizes = var_operand_def(IndexType)
    tensor = result_def(TensorType)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "`(` $dynamic_sizes `)` attr-dict `:` type($tensor)"

    def __init__(self, dynamic_sizes: Sequence[SSAValue], tensor_type: Attribute) -> None:
        super().__init__(operands=(dynamic_sizes,), result_types=(tensor_type,))

    def verify_(self) -> None:
        verify_dynamic_sizes(cast(Tensor, self.tensor.type), self.dynamic_sizes)


def concatenated_shape(inputs: Sequence[Tensor], dim: int) -> list[int]:
    """The shape that inputs of one rank have together. Raises VerifyException where static extents contradict each other."""
    shape: list[int] = []
    for i in range(inputs[0].get_num_dims()):
        extents = [type.get_shape()[i] for type in inputs]
        if i == dim:
            shape.append(DYNAMIC_INDEX if DYNAMIC_INDEX in extents else sum(extents))
            continue
        static = set(extents) - {DYNAMIC_INDEX}
        if len(static) > 1:
            raise VerifyException(f"static concatenation size mismatch along non-concatenated dimension {i}")
        shape.append(static.pop() if static else DYNAMIC_INDEX)
    return shape


@irdl_op_definition
class ConcatOp(IRDLOperation):
    """Tensors one after the other: `tensor.concat dim(0) %a, %b : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>`."""

    name = "tensor.concat"

    inputs = var_operand_def(TensorType)
    dim = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "`dim` `(` $dim `)` $inputs attr-dict `:` functional-type(operands, results)"

    def __init__(self, inputs: Sequence[SSAValue | Operation], dim: int, result_type: Attribute) -> None:
        super().__init__(operands=(inputs,), result_types=(result_type,), properties={"dim": IntegerAttr(dim, i64)})

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("requires at least one input")
        types, result, dim = [cast(Tensor, value.type) for value in self.inputs], cast(Tensor, self.result.type), self.dim.value.data
        if any(type.get_num_dims() != result.get_num_dims() for type in types):
            raise VerifyException("rank of concatenated inputs must match result rank")
        if any(type.element_type != result.element_type for type in types):
            raise VerifyException("inputs and result element type must match")
        if not 0 <= dim < result.get_num_dims():
            raise VerifyException("concatenation dim must be less than the tensor rank")
        shape = concatenated_shape(types, dim)
        if not compatible_shapes(shape, result.get_shape()):
            inferred = shown(TensorType(result.element_type, shape))
            raise VerifyException(f"result type '{shown(result)}'does not match inferred shape '{inferred}' static sizes")


@irdl_op_definition
class ExtractOp(IRDLOperation):
    """An element: `tensor.extract %t[%i, %j] : tensor<?x4xf32>`."""

    name = "tensor.extract"
    ELEMENT: ClassVar = VarConstraint("ELEMENT", AnyAttr())

    tensor = operand_def(TensorType.constr(ELEMENT))
    indices = var_operand_def(IndexType)
    result = result_def(ELEMENT)
    traits = traits_def(Pure())
    assembly_format = "$tensor `[` $indices `]` attr-dict `:` type($tensor)"

    def __init__(self, tensor: SSAValue, indices: Sequence[SSAValue], result_type: Attribute | None = None) -> None:
        super().__init__(operands=[tensor, indices], result_types=[result_type or cast(Tensor, tensor.type).element_type])

    def verify_(self) -> None:
        if cast(Tensor, self.tensor.type).get_num_dims() != len(self.indices):
            raise VerifyException("incorrect number of indices for extract_element")


@irdl_op_definition
class InsertOp(IRDLOperation):
    """A tensor with one element replaced: `tensor.insert %x into %t[%i] : tensor<?xf32>`."""

    name = "tensor.insert"
    ELEMENT: ClassVar = VarConstraint("ELEMENT", AnyAttr())
    TENSOR: ClassVar = VarConstraint("TENSOR", TensorType.constr(ELEMENT))

    scalar = operand_def(ELEMENT)
    dest = operand_def(TENSOR)
    indices = var_operand_def(IndexType)
    result = result_def(TENSOR)
    traits = traits_def(Pure())
    assembly_format = "$scalar `into` $dest `[` $indices `]` attr-dict `:` type($dest)"

    def __init__(self, scalar: SSAValue, dest: SSAValue, indices: Sequence[SSAValue]) -> None:
        super().__init__(operands=(scalar, dest, indices), result_types=(dest.type,))

    def verify_(self) -> None:
        if cast(Tensor, self.dest.type).get_num_dims() != len(self.indices):
            raise VerifyException("incorrect number of indices")


def _parse_tensor_type(parser: Parser, name: str) -> Tensor:
    type = parser.parse_type()
    if not isinstance(type, TensorType):
        raise wrong_kind(parser, name, TensorType, type)
    return cast("Tensor", type)


@irdl_op_definition
class FromElementsOp(IRDLOperation):
    """A tensor of its elements in row-major order: `tensor.from_elements %a, %b : tensor<1x2xf32>`."""

    name = "tensor.from_elements"
    ELEMENT: ClassVar = VarConstraint("ELEMENT", AnyAttr())

    elements = var_operand_def(ELEMENT)
    result = result_def(TensorType.constr(ELEMENT))
    traits = traits_def(Pure())

    def __init__(self, *elements: SSAValue, result_type: Attribute | None = None) -> None:
        super().__init__(operands=(elements,), result_types=(result_type or TensorType(elements[0].type, (len(elements),)),))

    def verify_(self) -> None:
        shape, count = cast(Tensor, self.result.type).get_shape(), len(self.elements)
        if DYNAMIC_INDEX in shape:
            raise VerifyException(f"result #0 must be statically shaped tensor of any type values, but got '{shown(self.result.type)}'")
        if prod(shape) != count:
            raise VerifyException(f"number of operands and types do not match: got {count} operands and {prod(shape)} types")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_optional_undelimited_comma_separated_list(
            parser.parse_optional_unresolved_operand, parser.parse_unresolved_operand
        )
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_tensor_type(parser, cls.name)
        values = parser.resolve_operands(operands or [], [type.element_type] * len(operands or []), start)
        return cls.create(operands=values, result_types=[type], attributes=attributes)

    def print(self, printer: Printer) -> None:
        if self.elements:
            printer.print_string(" ")
            printer.print_list(self.elements, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


@irdl_op_definition
class SplatOp(IRDLOperation):
    """A tensor of equal elements: `tensor.splat %x[%n] : tensor<4x?xf32>`."""

    name = "tensor.splat"
    ELEMENT: ClassVar = VarConstraint("ELEMENT", AnyAttr())

    input = operand_def(ELEMENT)
    dynamicSizes = var_operand_def(IndexType)
    result = result_def(TensorType.constr(ELEMENT))
    traits = traits_def(Pure())

    def __init__(self, input: SSAValue, dynamicSizes: Sequence[SSAValue], result_type: Attribute) -> None:
        super().__init__(operands=(input, dynamicSizes), result_types=(result_type,))

    def verify_(self) -> None:
        verify_dynamic_sizes(cast(Tensor, self.result.type), self.dynamicSizes)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        value = parser.parse_unresolved_operand()
        sizes = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(IndexType()))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_tensor_type(parser, cls.name)
        values = parser.resolve_operands([value], [type.element_type], start)
        return cls.create(operands=[*values, *(sizes or ())], result_types=[type], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.input)
        if self.dynamicSizes:
            with printer.in_square_brackets():
                printer.print_list(self.dynamicSizes, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


ELEMENT_OPS: list[type[Operation]] = [CastOp, DimOp, EmptyOp, ConcatOp, ExtractOp, InsertOp, FromElementsOp, SplatOp]
