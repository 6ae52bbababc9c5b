"""`affine` beyond loops and accesses: splitting and joining of indices, and copies that run in the background (`dma_start`, `dma_wait`)."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, DenseArrayBase, IndexType, MemRefType, UnitAttr, VectorType, i64
from xdsl.dialects.utils.dynamic_index_list import parse_dynamic_index_list_without_types, print_dynamic_index_list
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX, is_valid_dim, parse_value_map, print_value_map
from stepwell.dialects.support import element_of, mixed


def _parse_basis(parser: Parser) -> tuple[list[SSAValue], DenseArrayBase[Any]]:
    """`(4, %n, 8)`"""
    dynamic, static = parse_dynamic_index_list_without_types(parser, DYNAMIC_INDEX, delimiter=parser.Delimiter.PAREN)
    return [parser.resolve_operand(operand, INDEX) for operand in dynamic], DenseArrayBase.from_list(i64, static)


def _print_basis(printer: Printer, dynamic: Sequence[SSAValue], static: DenseArrayBase[Any]) -> None:
    print_dynamic_index_list(printer, DYNAMIC_INDEX, dynamic, static.get_values(), delimiter=Parser.Delimiter.PAREN)


def _verify_index_like(type: Attribute) -> None:
    if not isinstance(element_of(type), IndexType) or not isinstance(type, IndexType | VectorType):
        raise VerifyException(f"works on index or vectors of index, not {type}")


def _verify_basis(static: DenseArrayBase[Any], dynamic: Sequence[SSAValue]) -> None:
    values = static.get_values()
    if sum(value == DYNAMIC_INDEX for value in values) != len(dynamic):
        raise VerifyException("mismatch between dynamic and static basis (kDynamic marker but no corresponding dynamic basis entry)")
    if any(value <= 0 and value != DYNAMIC_INDEX for value in values):
        raise VerifyException("no basis element may be statically non-positive")


@irdl_op_definition
class DelinearizeIndexOp(IRDLOperation):
    """The subscripts of a linear index: `%i, %j = affine.delinearize_index %x into (%n, 8) : index, index`.

    The basis may lack its first (outermost) element, which does not matter for the values.
    """

    name = "affine.delinearize_index"

    linear_index = operand_def()
    dynamic_basis = var_operand_def(IndexType)
    static_basis = prop_def(DenseArrayBase.constr(i64))
    multi_index = var_result_def()
    traits = traits_def(Pure())

    def basis(self) -> list[int | SSAValue]:
        return mixed(self.static_basis, self.dynamic_basis)

    def verify_(self) -> None:
        _verify_index_like(self.linear_index.type)
        if len(self.results) - len(self.static_basis) not in (0, 1):
            raise VerifyException("should return an index for each basis element and up to one extra index")
        _verify_basis(self.static_basis, self.dynamic_basis)
        if any(type != self.linear_index.type for type in self.result_types):
            raise VerifyException(f"has results that are not {self.linear_index.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        index = parser.parse_unresolved_operand()
        parser.parse_keyword("into")
        dynamic, static = _parse_basis(parser)
        attributes = parser.parse_optional_attr_dict()
        types: Sequence[Attribute] = ()
        if parser.parse_optional_punctuation(":"):
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        operand = parser.resolve_operand(index, types[0] if types else INDEX)
        return cls(operands=[operand, dynamic], result_types=[types], properties={"static_basis": static}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.linear_index)
        printer.print_string(" into ")
        _print_basis(printer, self.dynamic_basis, self.static_basis)
        printer.print_op_attributes(self.attributes)
        if self.results:
            printer.print_string(" : ")
            printer.print_list(self.result_types, printer.print_attribute)


@irdl_op_definition
class LinearizeIndexOp(IRDLOperation):
    """The linear index of subscripts: `%x = affine.linearize_index disjoint [%i, %j] by (%n, 8) : index`.

    `disjoint` promises that every subscript is within its basis element.
    """

    name = "affine.linearize_index"

    multi_index = var_operand_def()
    dynamic_basis = var_operand_def(IndexType)
    static_basis = prop_def(DenseArrayBase.constr(i64))
    disjoint = opt_prop_def(UnitAttr)
    linear_index = result_def()

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(Pure())

    def basis(self) -> list[int | SSAValue]:
        return mixed(self.static_basis, self.dynamic_basis)

    def verify_(self) -> None:
        _verify_index_like(self.linear_index.type)
        if len(self.multi_index) - len(self.static_basis) not in (0, 1):
            raise VerifyException("should be passed a basis element for each index except possibly the first")
        _verify_basis(self.static_basis, self.dynamic_basis)
        if any(value.type != self.linear_index.type for value in self.multi_index):
            raise VerifyException(f"has subscripts that are not {self.linear_index.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        disjoint = parser.parse_optional_keyword("disjoint") is not None
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_unresolved_operand)
        parser.parse_keyword("by")
        dynamic, static = _parse_basis(parser)
        attributes = parser.parse_optional_attr_dict()
        type = parser.parse_type() if parser.parse_optional_punctuation(":") else INDEX
        operands = [parser.resolve_operand(index, type) for index in indices]
        properties: dict[str, Attribute] = {"static_basis": static}
        if disjoint:
            properties["disjoint"] = UnitAttr()
        return cls(operands=[operands, dynamic], result_types=[type], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" disjoint [" if self.disjoint else " [")
        printer.print_list(self.multi_index, printer.print_ssa_value)
        printer.print_string("] by ")
        _print_basis(printer, self.dynamic_basis, self.static_basis)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.linear_index.type)


# ---- copies in the background ---------------------------------------------------------------------------------------------------

Access = tuple[SSAValue, AffineMap, Sequence[SSAValue]]


class _Accesses:
    """Parses `%m[map], ...` whose types follow later."""

    def __init__(self, parser: Parser, count: int) -> None:
        self._parser = parser
        self._memrefs: list[Any] = []
        self.maps: list[AffineMap] = []
        self._indices: list[list[SSAValue]] = []
        for _ in range(count):
            self._memrefs.append(parser.parse_unresolved_operand())
            map, indices = parse_value_map(parser)
            self.maps.append(map)
            self._indices.append(indices)
            parser.parse_punctuation(",")

    def resolve(self) -> list[list[SSAValue]]:
        """`: type, ...`; the operands of each access: the memref, then what its map takes."""
        parser = self._parser
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        memrefs = parser.resolve_operands(self._memrefs, types, start)
        return [[memref, *indices] for memref, indices in zip(memrefs, self._indices, strict=True)]


def _accesses(op: IRDLOperation, maps: Sequence[AffineMapAttr]) -> tuple[list[Access], Sequence[SSAValue]]:
    """The operands of `op`, cut into accesses by these maps, and what is left over."""
    rest = list(op.operands)
    found: list[Access] = []
    for attribute in maps:
        count = 1 + attribute.data.num_dims + attribute.data.num_symbols
        found.append((rest[0], attribute.data, rest[1:count]))
        rest = rest[count:]
    return found, rest


def _print_accesses(printer: Printer, accesses: Sequence[Access]) -> None:
    def access(one: Access) -> None:
        printer.print_ssa_value(one[0])
        print_value_map(printer, one[1], one[2])

    printer.print_list(accesses, access)


def _verify_accesses(accesses: Sequence[Access], names: Sequence[str]) -> None:
    for (memref, map, indices), name in zip(accesses, names, strict=True):
        if not isinstance(memref.type, MemRefType):
            raise VerifyException(f"expected {name or 'tag '}to be of memref type")
        if cast("MemRefType[Any]", memref.type).get_num_dims() != len(map.results):
            raise VerifyException(f"subscripts {len(map.results)} dimensions of {memref.type}")
        for index in indices:
            if not is_valid_dim(index):
                raise VerifyException(f"{name}index must be a valid dimension or symbol identifier")


@irdl_op_definition
class DmaStartOp(IRDLOperation):
    """Starts a copy of so many elements; the element of the tag is what to wait for. With strides: every so many elements a piece.

    ```mlir
    affine.dma_start %src[%i, 0], %dst[%i], %tag[0], %count : memref<40x8xf32>, memref<8xf32, 1>, memref<1xi32>
    affine.dma_start %src[%i, 0], %dst[%i], %tag[0], %count, %stride, %piece : memref<40x8xf32>, memref<8xf32, 1>, memref<1xi32>
    ```
    """

    name = "affine.dma_start"

    arguments = var_operand_def()
    src_map = prop_def(AffineMapAttr)
    dst_map = prop_def(AffineMapAttr)
    tag_map = prop_def(AffineMapAttr)
    MAPS: ClassVar = ("src_map", "dst_map", "tag_map")

    def _parts(self) -> tuple[list[Access], Sequence[SSAValue]]:
        return _accesses(self, (self.src_map, self.dst_map, self.tag_map))

    def verify_(self) -> None:
        accesses, rest = self._parts()
        _verify_accesses(accesses, ("src ", "dst ", "tag "))
        if len(rest) not in (1, 3) or any(value.type != INDEX for value in rest):
            raise VerifyException("expects a number of elements, and either none or two values for strides, all of type index")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        accesses = _Accesses(parser, 3)
        rest = [parser.parse_operand(INDEX)]
        while parser.parse_optional_punctuation(",") and (further := parser.parse_optional_operand(INDEX)) is not None:
            rest.append(further)
        if len(rest) not in (1, 3):
            parser.raise_error("expected stride and num elements per stride")
        attributes = parser.parse_optional_attr_dict()
        operands = [value for group in accesses.resolve() for value in group]
        maps = {name: AffineMapAttr(map) for name, map in zip(cls.MAPS, accesses.maps, strict=True)}
        return cls.create(operands=[*operands, *rest], properties=maps, attributes=attributes)

    def print(self, printer: Printer) -> None:
        accesses, rest = self._parts()
        printer.print_string(" ")
        _print_accesses(printer, accesses)
        printer.print_string(", ")
        printer.print_list(rest, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([memref.type for memref, _, _ in accesses], printer.print_attribute)


@irdl_op_definition
class DmaWaitOp(IRDLOperation):
    """Waits for the copy of a tag: `affine.dma_wait %tag[%i], %count : memref<2xi32>`."""

    name = "affine.dma_wait"

    arguments = var_operand_def()
    tag_map = prop_def(AffineMapAttr)

    def verify_(self) -> None:
        accesses, rest = _accesses(self, (self.tag_map,))
        _verify_accesses(accesses, ("",))
        if len(rest) != 1 or rest[0].type != INDEX:
            raise VerifyException("expects a number of elements of type index")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        accesses = _Accesses(parser, 1)
        count = parser.parse_operand(INDEX)
        attributes = parser.parse_optional_attr_dict()
        operands = accesses.resolve()[0]
        return cls.create(operands=[*operands, count], properties={"tag_map": AffineMapAttr(accesses.maps[0])}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        accesses, rest = _accesses(self, (self.tag_map,))
        printer.print_string(" ")
        _print_accesses(printer, accesses)
        printer.print_string(", ")
        printer.print_ssa_value(rest[0])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(accesses[0][0].type)


INDICES = [DelinearizeIndexOp, LinearizeIndexOp, DmaStartOp, DmaWaitOp]
