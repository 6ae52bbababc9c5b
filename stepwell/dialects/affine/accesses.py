"""`affine.load`, `store`, `vector_load`, `vector_store` and `prefetch`: memory at subscripts that are affine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.affine import YieldOp as YieldOp
from xdsl.dialects.builtin import (
    AffineMapAttr,
    BoolAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    VectorType,
    i32,
)
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AnyAttr,
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
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect

from stepwell.dialects.affine.indices import DelinearizeIndexOp as DelinearizeIndexOp
from stepwell.dialects.affine.indices import LinearizeIndexOp as LinearizeIndexOp
from stepwell.dialects.affine.loops import ForOp as ForOp
from stepwell.dialects.affine.maps import (
    parse_value_map,
    print_value_map,
)
from stepwell.dialects.support import element_of, shape_of


def _identity(memref: SSAValue) -> AffineMapAttr:
    return AffineMapAttr(AffineMap.identity(len(shape_of(memref.type) or ())))


def _parse_memref_type(parser: Parser) -> MemRefType[Any]:
    start = parser.pos
    type = parser.parse_type()
    if not isinstance(type, MemRefType):
        parser.raise_error("expected a memref type", start)
    return cast(MemRefType[Any], type)


@irdl_op_definition
class LoadOp(IRDLOperation):
    """Reads one element.

    ```mlir
    %b = affine.load %B[%n floordiv 32, %k, %n mod 32] : memref<?x?x32xf32>
    ```
    """

    name = "affine.load"
    T: ClassVar = VarConstraint("T", AnyAttr())

    memref = operand_def(MemRefType.constr(T))
    indices = var_operand_def(IndexType)
    result = result_def(T)
    map = prop_def(AffineMapAttr)
    traits = traits_def(MemoryReadEffect())

    def __init__(self, memref: SSAValue, indices: Sequence[SSAValue], map: AffineMapAttr | None = None) -> None:
        super().__init__(operands=[memref, indices], properties={"map": map or _identity(memref)}, result_types=[element_of(memref.type)])

    @classmethod
    def parse(cls, parser: Parser) -> LoadOp:
        memref = parser.parse_unresolved_operand()
        map, indices = parse_value_map(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_memref_type(parser)
        op = cls(parser.resolve_operand(memref, type), indices, AffineMapAttr(map))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.memref)
        print_value_map(printer, self.map.data, self.indices)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


@irdl_op_definition
class StoreOp(IRDLOperation):
    """Writes one element.

    ```mlir
    affine.store %v, %C[%m, %n + 1] : memref<?x?xf32>
    ```
    """

    name = "affine.store"
    T: ClassVar = VarConstraint("T", AnyAttr())

    value = operand_def(T)
    memref = operand_def(MemRefType.constr(T))
    indices = var_operand_def(IndexType)
    map = prop_def(AffineMapAttr)
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, value: SSAValue, memref: SSAValue, indices: Sequence[SSAValue], map: AffineMapAttr | None = None) -> None:
        super().__init__(operands=[value, memref, indices], properties={"map": map or _identity(memref)})

    @classmethod
    def parse(cls, parser: Parser) -> StoreOp:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        memref = parser.parse_unresolved_operand()
        map, indices = parse_value_map(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_memref_type(parser)
        op = cls(parser.resolve_operand(value, type.get_element_type()), parser.resolve_operand(memref, type), indices, AffineMapAttr(map))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.memref)
        print_value_map(printer, self.map.data, self.indices)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


@irdl_op_definition
class VectorLoadOp(IRDLOperation):
    """Reads the elements that follow one another from a place on: `%v = affine.vector_load %A[%i + 3] : memref<100xf32>, vector<8xf32>`."""

    name = "affine.vector_load"

    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    result = result_def(VectorType)
    map = prop_def(AffineMapAttr)
    traits = traits_def(MemoryReadEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        memref = parser.parse_unresolved_operand()
        map, indices = parse_value_map(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(memref, _parse_memref_type(parser))
        parser.parse_punctuation(",")
        type = parser.parse_type()
        properties = {"map": AffineMapAttr(map)}
        return cls.create(operands=[value, *indices], result_types=[type], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.memref)
        print_value_map(printer, self.map.data, self.indices)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.memref.type, self.result.type), printer.print_attribute)


@irdl_op_definition
class VectorStoreOp(IRDLOperation):
    """Writes elements one after the other from a place on: `affine.vector_store %v, %A[%i + 3] : memref<100xf32>, vector<8xf32>`."""

    name = "affine.vector_store"

    value = operand_def(VectorType)
    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    map = prop_def(AffineMapAttr)
    traits = traits_def(MemoryWriteEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        stored = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        memref = parser.parse_unresolved_operand()
        map, indices = parse_value_map(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        target = parser.resolve_operand(memref, _parse_memref_type(parser))
        parser.parse_punctuation(",")
        value = parser.resolve_operand(stored, parser.parse_type())
        return cls.create(operands=[value, target, *indices], properties={"map": AffineMapAttr(map)}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.memref)
        print_value_map(printer, self.map.data, self.indices)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.memref.type, self.value.type), printer.print_attribute)


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Asks for a cache line ahead of its use. Changes nothing; may lie outside the memref.

    ```mlir
    affine.prefetch %B[%p, %k + 8], read, locality<3>, data : memref<?x?xf32>
    ```
    """

    name = "affine.prefetch"

    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    isWrite = prop_def(BoolAttr)
    localityHint = prop_def(IntegerAttr)
    isDataCache = prop_def(BoolAttr)
    map = prop_def(AffineMapAttr)

    def __init__(
        self,
        memref: SSAValue,
        indices: Sequence[SSAValue],
        map: AffineMapAttr | None = None,
        *,
        is_write: bool = False,
        locality: int = 3,
        is_data_cache: bool = True,
    ) -> None:
        super().__init__(
            operands=[memref, indices],
            properties={
                "isWrite": BoolAttr.from_bool(is_write),
                "localityHint": IntegerAttr(locality, i32),
                "isDataCache": BoolAttr.from_bool(is_data_cache),
                "map": map or _identity(memref),
            },
        )

    @classmethod
    def parse(cls, parser: Parser) -> PrefetchOp:
        memref = parser.parse_unresolved_operand()
        map, indices = parse_value_map(parser)
        is_write, locality, is_data = parse_prefetch_hints(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_memref_type(parser)
        op = cls(
            parser.resolve_operand(memref, type), indices, AffineMapAttr(map), is_write=is_write, locality=locality, is_data_cache=is_data
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.memref)
        print_value_map(printer, self.map.data, self.indices)
        print_prefetch_hints(printer, bool(self.isWrite), self.localityHint.value.data, bool(self.isDataCache))
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


def parse_prefetch_hints(parser: Parser) -> tuple[bool, int, bool]:
    """`, read|write, locality<n>, data|instr`, shared with `memref.prefetch`."""
    parser.parse_punctuation(",")
    is_write = parser.parse_optional_keyword_in(("read", "write"))
    if is_write is None:
        parser.raise_error("rw specifier has to be 'read' or 'write'")
    parser.parse_punctuation(",")
    parser.parse_keyword("locality")
    with parser.in_angle_brackets():
        locality = parser.parse_integer(allow_boolean=False)
    parser.parse_punctuation(",")
    is_data = parser.parse_optional_keyword_in(("data", "instr"))
    if is_data is None:
        parser.raise_error("cache type has to be 'data' or 'instr'")
    return is_write == "write", locality, is_data == "data"


def print_prefetch_hints(printer: Printer, is_write: bool, locality: int, is_data: bool) -> None:
    printer.print_string(f", {'write' if is_write else 'read'}, locality<{locality}>, {'data' if is_data else 'instr'}")
