"""The ops of `vector` that move elements between vectors: transposes, casts of shape and bits, extraction and insertion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    VectorType,
    i64,
)
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.support import IntegerList, element_of, mixed
from stepwell.dialects.vector.shapes import Vector, flags_of, shape_of, vector_of


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


def _integers(attribute: Any) -> tuple[int, ...]:
    """The numbers of an array of integer attributes."""
    return tuple(value.value.data for value in attribute)


def _i64_array(values: Sequence[int]) -> ArrayAttr[IntegerAttr[Any]]:
    return ArrayAttr(IntegerAttr(value, i64) for value in values)


# ---- moving elements ------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """`vector.transpose %v, [1, 0] : vector<2x4xf32> to vector<4x2xf32>`"""

    name = "vector.transpose"

    vector = operand_def(VectorType)
    result = result_def(VectorType)
    permutation = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(Pure())
    custom_directives = (IntegerList,)
    assembly_format = "$vector `,` custom<IntegerList>($permutation) attr-dict `:` type($vector) `to` type($result)"

    def __init__(self, vector: SSAValue, permutation: Sequence[int]) -> None:
        shape, flags = shape_of(vector.type), flags_of(vector.type)
        result = vector_of(element_of(vector.type), [shape[dim] for dim in permutation], [flags[dim] for dim in permutation])
        super().__init__(operands=[vector], result_types=[result], properties={"permutation": _i64s(permutation)})


@irdl_op_definition
class ShapeCastOp(IRDLOperation):
    """`vector.shape_cast %v : vector<2x4xf32> to vector<8xf32>`: the same elements in row-major order."""

    name = "vector.shape_cast"

    source = operand_def(VectorType)
    result = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def __init__(self, source: SSAValue, result_type: Vector) -> None:
        super().__init__(operands=[source], result_types=[result_type])


@irdl_op_definition
class BitcastOp(IRDLOperation):
    """`vector.bitcast %v : vector<4x8xf32> to vector<4x16xi16>`: the bits of each row under another element type."""

    name = "vector.bitcast"

    source = operand_def(VectorType)
    result = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def __init__(self, source: SSAValue, result_type: Vector) -> None:
        super().__init__(operands=[source], result_types=[result_type])


@irdl_op_definition
class ShuffleOp(IRDLOperation):
    """`vector.shuffle %a, %b [0, 5, -1] : vector<4xf32>, vector<4xf32>`: rows of both, counted through; -1 is poison."""

    name = "vector.shuffle"

    v1 = operand_def(VectorType)
    v2 = operand_def(VectorType)
    mask = prop_def(DenseArrayBase.constr(i64))
    result = result_def(VectorType)
    traits = traits_def(Pure())

    def __init__(self, v1: SSAValue, v2: SSAValue, mask: Sequence[int]) -> None:
        result = vector_of(element_of(v1.type), (len(mask), *shape_of(v1.type)[1:]))
        super().__init__(operands=[v1, v2], result_types=[result], properties={"mask": _i64s(mask)})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = [parser.parse_unresolved_operand()]
        parser.parse_punctuation(",")
        operands.append(parser.parse_unresolved_operand())
        mask = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        types = [parser.parse_type()]
        parser.parse_punctuation(",")
        types.append(parser.parse_type())
        if not isinstance(types[0], VectorType):
            parser.raise_error("expected vector type", start)
        first, second = parser.resolve_operands(operands, types, start)
        op = cls(first, second, mask)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(f" {list(self.mask.get_values())}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)


@irdl_op_definition
class ExtractOp(IRDLOperation):
    """`vector.extract %v[0, %i] : f32 from vector<2x4xf32>`; fewer indices than dimensions give a vector."""

    name = "vector.extract"

    source = operand_def(VectorType)
    dynamic_position = var_operand_def(IndexType)
    static_position = prop_def(DenseArrayBase.constr(i64))
    result = result_def()
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `` custom<DynamicIndexList>($dynamic_position, $static_position) attr-dict `:` type($result) `from` type($source)"
    )

    def __init__(self, source: SSAValue, position: Sequence[int | SSAValue], result_type: Attribute | None = None) -> None:
        static, dynamic = split_dynamic_index_list(list(position), DYNAMIC_INDEX)
        rest = shape_of(source.type)[len(static) :]
        if result_type is None:
            element = element_of(source.type)
            result_type = vector_of(element, rest, flags_of(source.type)[len(static) :]) if rest else element
        super().__init__(operands=[source, dynamic], result_types=[result_type], properties={"static_position": _i64s(static)})

    def mixed_position(self) -> list[int | SSAValue]:
        return mixed(self.static_position, self.dynamic_position)


@irdl_op_definition
class InsertOp(IRDLOperation):
    """`vector.insert %s, %v [0, %i] : f32 into vector<2x4xf32>`"""

    name = "vector.insert"

    source = operand_def()
    dest = operand_def(VectorType)
    dynamic_position = var_operand_def(IndexType)
    static_position = prop_def(DenseArrayBase.constr(i64))
    result = result_def(VectorType)
    traits = traits_def(Pure())
    custom_directives = (DynamicIndexList,)

    def __init__(self, source: SSAValue, dest: SSAValue, position: Sequence[int | SSAValue]) -> None:
        static, dynamic = split_dynamic_index_list(list(position), DYNAMIC_INDEX)
        super().__init__(operands=[source, dest, dynamic], result_types=[dest.type], properties={"static_position": _i64s(static)})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from xdsl.dialects.utils import parse_dynamic_index_list_without_types

        source = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        dest = parser.parse_unresolved_operand()
        dynamic, static = parse_dynamic_index_list_without_types(parser, DYNAMIC_INDEX)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source_type = parser.parse_type()
        parser.parse_keyword("into")
        dest_type = parser.parse_type()
        indices = iter([parser.resolve_operand(value, INDEX) for value in dynamic])
        position = [next(indices) if value == DYNAMIC_INDEX else value for value in static]
        op = cls(parser.resolve_operand(source, source_type), parser.resolve_operand(dest, dest_type), position)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        from xdsl.dialects.utils import print_dynamic_index_list

        printer.print_string(" ")
        printer.print_list((self.source, self.dest), printer.print_ssa_value)
        printer.print_string(" ")
        print_dynamic_index_list(printer, DYNAMIC_INDEX, self.dynamic_position, self.static_position.get_values())
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" into ")
        printer.print_attribute(self.dest.type)

    def mixed_position(self) -> list[int | SSAValue]:
        return mixed(self.static_position, self.dynamic_position)


@irdl_op_definition
class ExtractStridedSliceOp(IRDLOperation):
    """`vector.extract_strided_slice %v {offsets = [0, 8], sizes = [4, 8], strides = [1, 1]} : vector<4x32xf32> to vector<4x8xf32>`"""

    name = "vector.extract_strided_slice"

    source = operand_def(VectorType)
    offsets = prop_def(ArrayAttr[IntegerAttr])
    sizes = prop_def(ArrayAttr[IntegerAttr])
    strides = prop_def(ArrayAttr[IntegerAttr])
    result = result_def(VectorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int] | None = None) -> None:
        shape = (*sizes, *shape_of(source.type)[len(sizes) :])
        super().__init__(
            operands=[source],
            result_types=[vector_of(element_of(source.type), shape, flags_of(source.type))],
            properties={
                "offsets": _i64_array(offsets),
                "sizes": _i64_array(sizes),
                "strides": _i64_array(strides or (1,) * len(sizes)),
            },
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source_type = parser.parse_type()
        parser.parse_keyword("to")
        type = parser.parse_type()
        properties = {name: attributes.pop(name) for name in ("offsets", "sizes", "strides") if name in attributes}
        return cls.create(
            operands=[parser.resolve_operand(source, source_type)], result_types=[type], properties=properties, attributes=attributes
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        _print_slice(printer, self.properties, self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" to ")
        printer.print_attribute(self.result.type)


def _print_slice(printer: Printer, properties: dict[str, Attribute], attributes: dict[str, Attribute]) -> None:
    """`{offsets = [0, 8], ...}`: the numbers without the i64 that they are."""
    printer.print_string(" ")
    with printer.in_braces():
        printer.print_string(
            ", ".join(f"{name} = {list(_integers(properties[name]))}" for name in ("offsets", "sizes", "strides") if name in properties)
        )
        for name, attribute in attributes.items():
            printer.print_string(f", {name} = ")
            printer.print_attribute(attribute)


@irdl_op_definition
class InsertStridedSliceOp(IRDLOperation):
    """`vector.insert_strided_slice %a, %v {offsets = [0, 8], strides = [1, 1]} : vector<4x8xf32> into vector<4x32xf32>`"""

    name = "vector.insert_strided_slice"

    source = operand_def(VectorType)
    dest = operand_def(VectorType)
    offsets = prop_def(ArrayAttr[IntegerAttr])
    strides = prop_def(ArrayAttr[IntegerAttr])
    result = result_def(VectorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, dest: SSAValue, offsets: Sequence[int], strides: Sequence[int] | None = None) -> None:
        super().__init__(
            operands=[source, dest],
            result_types=[dest.type],
            properties={"offsets": _i64_array(offsets), "strides": _i64_array(strides or (1,) * len(shape_of(source.type)))},
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        dest = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source_type = parser.parse_type()
        parser.parse_keyword("into")
        type = parser.parse_type()
        properties = {name: attributes.pop(name) for name in ("offsets", "strides") if name in attributes}
        return cls.create(
            operands=[parser.resolve_operand(source, source_type), parser.resolve_operand(dest, type)],
            result_types=[type],
            properties=properties,
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        _print_slice(printer, self.properties, self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" into ")
        printer.print_attribute(self.dest.type)
