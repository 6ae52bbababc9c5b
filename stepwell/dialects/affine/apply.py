"""`affine.apply`, `min` and `max`: index arithmetic by maps."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Self, cast

from xdsl.dialects.affine import YieldOp as YieldOp
from xdsl.dialects.builtin import (
    AffineMapAttr,
    IndexType,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from stepwell.dialects.affine.indices import DelinearizeIndexOp as DelinearizeIndexOp
from stepwell.dialects.affine.indices import LinearizeIndexOp as LinearizeIndexOp
from stepwell.dialects.affine.loops import ForOp as ForOp
from stepwell.dialects.affine.maps import (
    INDEX,
    parse_applied,
    print_applied,
)


@irdl_op_definition
class ApplyOp(IRDLOperation):
    """The one result of a map: `%j = affine.apply affine_map<(d0)[s0] -> (d0 * 4 + s0)>(%i)[%n]`."""

    name = "affine.apply"

    mapOperands = var_operand_def(IndexType)
    map = prop_def(AffineMapAttr)
    result = result_def(IndexType)
    traits = traits_def(Pure())

    def __init__(self, map_operands: Sequence[SSAValue], affine_map: AffineMapAttr) -> None:
        super().__init__(operands=[map_operands], properties={"map": affine_map}, result_types=[INDEX])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        map, operands = parse_applied(parser)
        if not isinstance(map, AffineMapAttr):
            parser.raise_error("expected an affine map", start)
        attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=operands, result_types=[INDEX], properties={"map": map}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_applied(printer, self.map, self.mapOperands)
        printer.print_op_attributes(self.attributes)


class Extremum(IRDLOperation, ABC):
    """The smallest or the largest result of a map."""

    arguments = var_operand_def(IndexType())
    result = result_def(IndexType())
    map = prop_def(AffineMapAttr)
    traits = traits_def(Pure())

    def __init__(self, map_operands: Sequence[SSAValue], affine_map: AffineMapAttr) -> None:
        super().__init__(operands=[map_operands], properties={"map": affine_map}, result_types=[INDEX])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        map, operands = parse_applied(parser)
        op = cls(operands, cast(AffineMapAttr, map))
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_applied(printer, self.map, self.arguments)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class MinOp(Extremum):
    """`%e = affine.min affine_map<(d0)[s0] -> (d0 + 14, s0)>(%m)[%M]`"""

    name = "affine.min"


@irdl_op_definition
class MaxOp(Extremum):
    """`%e = affine.max affine_map<(d0) -> (d0 - 14, 0)>(%m)`"""

    name = "affine.max"
