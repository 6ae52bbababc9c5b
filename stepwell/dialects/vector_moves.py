"""The ops of `vector` that move elements between vectors: transposes, casts of shape and bits, extraction and insertion."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from math import prod
from typing import Any, Self

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    VectorType,
    i64,
)
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list, verify_dynamic_index_list
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
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine_maps import INDEX
from stepwell.dialects.support import IntegerList, describe, element_of, mixed

Vector = VectorType[Any]


def _shape(type: Attribute) -> tuple[int, ...]:
    """The shape of a vector, () of a scalar."""
    return type.get_shape() if isinstance(type, VectorType) else ()


def _scalable(type: Attribute) -> tuple[bool, ...]:
    """Which extents of a vector are scalable."""
    return tuple(bool(flag) for flag in type.get_scalable_dims()) if isinstance(type, VectorType) else ()


def _vector(element: Attribute, shape: Sequence[int], scalable: Sequence[bool]) -> Vector:
    return VectorType(element, shape, ArrayAttr(BoolAttr.from_bool(flag) for flag in scalable) if any(scalable) else None)


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
        shape = _shape(vector.type)
        result = VectorType(element_of(vector.type), [shape[dim] for dim in permutation])
        super().__init__(operands=[vector], result_types=[result], properties={"permutation": _i64s(permutation)})

    def verify_(self) -> None:
        shape, permutation = _shape(self.vector.type), self.permutation.get_values()
        if sorted(permutation) != list(range(len(shape))):
            raise VerifyException(f"cannot permute {self.vector.type} by {tuple(permutation)}")
        scalable = _scalable(self.vector.type)
        expected = _vector(element_of(self.vector.type), [shape[dim] for dim in permutation], [scalable[dim] for dim in permutation])
        if self.result.type != expected:
            raise VerifyException(f"gives {self.result.type} where {expected} is expected")


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

    def verify_(self) -> None:
        same_elements = element_of(self.source.type) == element_of(self.result.type)
        if not same_elements or prod(_shape(self.source.type)) != prod(_shape(self.result.type)):
            raise VerifyException(f"cannot make {self.result.type} of {self.source.type}")


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

    def verify_(self) -> None:
        source, result = _shape(self.source.type), _shape(self.result.type)
        bits = [(shape[-1] if shape else 1) * _bits(element_of(t)) for shape, t in ((source, self.source.type), (result, self.result.type))]
        if len(source) != len(result) or source[:-1] != result[:-1] or bits[0] != bits[1]:
            raise VerifyException(f"cannot make {self.result.type} of {self.source.type}")


def _bits(element: Attribute) -> int:
    return 64 if isinstance(element, IndexType) else getattr(element, "bitwidth", 0)


def _verify_position(name: str, position: Sequence[int | SSAValue], whole: Attribute, part: Attribute) -> None:
    """Raise VerifyException unless `part` is what `whole` has at a position of its leading dimensions."""
    shape = _shape(whole)
    if len(position) > len(shape) or _shape(part) != shape[len(position) :] or element_of(part) != element_of(whole):
        raise VerifyException(f"at a position of {len(position)} indices in {whole} moves {part}")
    for dim, (index, size) in enumerate(zip(position, shape, strict=False)):
        if isinstance(index, int) and not -1 <= index < size:
            raise VerifyException(f"at index {index} of dimension {dim} of {whole}")


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
        rest = _shape(source.type)[len(static) :]
        result_type = result_type or (VectorType(element_of(source.type), rest) if rest else element_of(source.type))
        super().__init__(operands=[source, dynamic], result_types=[result_type], properties={"static_position": _i64s(static)})

    def mixed_position(self) -> list[int | SSAValue]:
        return mixed(self.static_position, self.dynamic_position)

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_position.get_values(), self.dynamic_position, DYNAMIC_INDEX)
        _verify_position(self.name, self.mixed_position(), self.source.type, self.result.type)


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

    def verify_(self) -> None:
        verify_dynamic_index_list(self.static_position.get_values(), self.dynamic_position, DYNAMIC_INDEX)
        _verify_position(self.name, self.mixed_position(), self.dest.type, self.source.type)
        if self.dest.type != self.result.type:
            raise VerifyException(f"into {self.dest.type} gives {self.result.type}")


class _StridedSlice(IRDLOperation, ABC):
    """What the two strided slices verify: unit strides, a box inside the shape."""

    def _verify_box(self, offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int], shape: Sequence[int]) -> None:
        if not len(offsets) == len(sizes) == len(strides) <= len(shape):
            raise VerifyException(f"slices {len(offsets)} dimensions of shape {describe(shape)}")
        if any(stride != 1 for stride in strides):
            raise VerifyException("takes strides of 1 only")
        for dim, (offset, size, extent) in enumerate(zip(offsets, sizes, shape, strict=False)):
            if offset < 0 or size < 1 or offset + size > extent:
                raise VerifyException(f"leaves dimension {dim} of extent {extent}: {offset} + {size}")


@irdl_op_definition
class ExtractStridedSliceOp(_StridedSlice):
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
        shape = (*sizes, *_shape(source.type)[len(sizes) :])
        super().__init__(
            operands=[source],
            result_types=[VectorType(element_of(source.type), shape)],
            properties={
                "offsets": _i64_array(offsets),
                "sizes": _i64_array(sizes),
                "strides": _i64_array(strides or (1,) * len(sizes)),
            },
        )

    def verify_(self) -> None:
        offsets, sizes, strides = _integers(self.offsets), _integers(self.sizes), _integers(self.strides)
        shape = _shape(self.source.type)
        self._verify_box(offsets, sizes, strides, shape)
        expected = _vector(element_of(self.source.type), (*sizes, *shape[len(sizes) :]), _scalable(self.source.type))
        if self.result.type != expected:
            raise VerifyException(f"gives {self.result.type} where {expected} is expected")

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
class InsertStridedSliceOp(_StridedSlice):
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
            properties={"offsets": _i64_array(offsets), "strides": _i64_array(strides or (1,) * len(_shape(source.type)))},
        )

    def verify_(self) -> None:
        offsets, strides = _integers(self.offsets), _integers(self.strides)
        source, dest = _shape(self.source.type), _shape(self.dest.type)
        if len(offsets) != len(dest) or len(source) > len(dest) or len(strides) != len(source):
            raise VerifyException(f"puts {self.source.type} into {self.dest.type} at {len(offsets)} offsets")
        if element_of(self.source.type) != element_of(self.dest.type) or self.result.type != self.dest.type:
            raise VerifyException(f"puts {self.source.type} into {self.dest.type} and gives {self.result.type}")
        sizes = (1,) * (len(dest) - len(source)) + source
        self._verify_box(offsets, sizes, (1,) * (len(dest) - len(source)) + strides, dest)

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
