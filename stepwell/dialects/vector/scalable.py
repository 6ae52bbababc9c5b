"""Scalable vectors: `vector.vscale`, `scalable.insert`, `scalable.extract`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, Self

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from stepwell.dialects.affine.maps import INDEX


@irdl_op_definition
class VectorScaleOp(IRDLOperation):
    """How many times longer scalable vectors are than they say: `%n = vector.vscale`."""

    name = "vector.vscale"

    res = result_def(IndexType)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.create(result_types=[INDEX], attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ScalableInsertOp(IRDLOperation):
    """`vector.scalable.insert %v, %sv[4] : vector<4xf32> into vector<[8]xf32>`"""

    name = "vector.scalable.insert"

    valueToStore = operand_def(VectorType)
    dest = operand_def(VectorType)
    res = result_def(VectorType)
    pos = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        dest = parser.parse_unresolved_operand()
        position, attributes = _parse_position(parser)
        type = parser.parse_type()
        parser.parse_keyword("into")
        whole = parser.parse_type()
        values = parser.resolve_operands([value, dest], [type, whole], parser.pos)
        return cls.create(operands=values, result_types=[whole], properties={"pos": position}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(f"[{self.pos.value.data}]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.valueToStore.type)
        printer.print_string(" into ")
        printer.print_attribute(self.dest.type)


@irdl_op_definition
class ScalableExtractOp(IRDLOperation):
    """`vector.scalable.extract %sv[4] : vector<4xf32> from vector<[8]xf32>`"""

    name = "vector.scalable.extract"

    source = operand_def(VectorType)
    res = result_def(VectorType)
    pos = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        position, attributes = _parse_position(parser)
        type = parser.parse_type()
        parser.parse_keyword("from")
        value = parser.resolve_operand(source, parser.parse_type())
        return cls.create(operands=[value], result_types=[type], properties={"pos": position}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f"[{self.pos.value.data}]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.res.type)
        printer.print_string(" from ")
        printer.print_attribute(self.source.type)


def _parse_position(parser: Parser) -> tuple[IntegerAttr[Any], dict[str, Attribute]]:
    """`[4] :`"""
    with parser.in_square_brackets():
        position = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation(":")
    return position, attributes
