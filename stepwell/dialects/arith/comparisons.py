"""Comparisons and `select` of `arith`: elementwise on n-D vectors and tensors, as upstream."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Self

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import IntegerAttr, i1, i64
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.arith.arithmetic import NO_FLAGS
from stepwell.dialects.support import with_element

CMPI_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
CMPF_PREDICATES = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)
ENUM_EXPECTED = "expected string or keyword containing one of the following enum values for attribute"


class Comparison(IRDLOperation, ABC):
    """Elementwise: operands of one type, a result of i1 in the same container."""

    PREDICATES: ClassVar[tuple[str, ...]]
    T: ClassVar = VarConstraint("T", AnyAttr())

    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def()
    predicate = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: int | str) -> None:
        number = self.PREDICATES.index(predicate) if isinstance(predicate, str) else predicate
        super().__init__(operands=[lhs, rhs], result_types=[with_element(lhs.type, i1)], properties={"predicate": IntegerAttr(number, i64)})

    @property
    def predicate_name(self) -> str:
        return self.PREDICATES[self.predicate.value.data]

    def verify_(self) -> None:
        if self.result.type != with_element(self.lhs.type, i1):
            raise VerifyException(f"of {self.lhs.type} has a result of type {self.result.type}")
        if not 0 <= self.predicate.value.data < len(self.PREDICATES):
            raise VerifyException(f"has no predicate {self.predicate.value.data}")

    @classmethod
    def parse_comparison(cls, parser: Parser) -> Self:
        predicate = parser.parse_optional_keyword_in(cls.PREDICATES) or parser.parse_optional_boolean()
        if predicate is None:
            parser.raise_error(f"{ENUM_EXPECTED} 'predicate' [{', '.join(cls.PREDICATES)}]")
        name = predicate if isinstance(predicate, str) else str(predicate).lower()
        parser.parse_punctuation(",")
        lhs = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        rhs = parser.parse_unresolved_operand()
        flags = parse_fastmath(parser) if "fastmath" in cls.get_irdl_definition().properties else None
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        op = cls(parser.resolve_operand(lhs, type), parser.resolve_operand(rhs, type), name)
        if flags is not None:
            op.properties["fastmath"] = flags
        op.attributes |= attributes
        return op

    def print_comparison(self, printer: Printer, flags: FastMathFlagsAttr | None = None) -> None:
        printer.print_string(f" {self.predicate_name}, ")
        printer.print_ssa_value(self.lhs)
        printer.print_string(", ")
        printer.print_ssa_value(self.rhs)
        if flags is not None and flags != NO_FLAGS:
            printer.print_string(" fastmath")
            flags.print_parameter(printer)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)


def parse_fastmath(parser: Parser) -> FastMathFlagsAttr:
    """An optional `fastmath<...>`."""
    return FastMathFlagsAttr(FastMathFlagsAttr.parse_parameter(parser)) if parser.parse_optional_keyword("fastmath") else NO_FLAGS


@irdl_op_definition
class CmpiOp(Comparison):
    """`%c = arith.cmpi slt, %a, %b : vector<4xi32>`"""

    name = "arith.cmpi"
    PREDICATES: ClassVar = CMPI_PREDICATES

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_comparison(parser)

    def print(self, printer: Printer) -> None:
        self.print_comparison(printer)


@irdl_op_definition
class CmpfOp(Comparison):
    """`%c = arith.cmpf olt, %a, %b : vector<4xf32>`. `o...` is false, `u...` true where an operand is a NaN."""

    name = "arith.cmpf"
    PREDICATES: ClassVar = CMPF_PREDICATES
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: int | str, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(lhs, rhs, predicate)
        self.properties["fastmath"] = fastmath

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_comparison(parser)

    def print(self, printer: Printer) -> None:
        self.print_comparison(printer, self.fastmath)


@irdl_op_definition
class SelectOp(IRDLOperation):
    """`%r = arith.select %c, %a, %b : f32`, or elementwise `arith.select %c, %a, %b : vector<4xi1>, vector<4xf32>`."""

    name = "arith.select"
    T: ClassVar = VarConstraint("T", AnyAttr())

    cond = operand_def()
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, cond: SSAValue, lhs: SSAValue, rhs: SSAValue) -> None:
        super().__init__(operands=[cond, lhs, rhs], result_types=[lhs.type])

    def verify_(self) -> None:
        if self.cond.type != i1 and self.cond.type != (expected := with_element(self.result.type, i1)):
            raise VerifyException(
                f"expected condition type to have the same shape as the result type, expected '{expected}', but got '{self.cond.type}'"
            )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type, cond_type = parser.parse_type(), i1
        if parser.parse_optional_punctuation(","):
            type, cond_type = parser.parse_type(), type
        op = cls(*parser.resolve_operands(operands, [cond_type, type, type], start))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        if self.cond.type != i1:
            printer.print_attribute(self.cond.type)
            printer.print_string(", ")
        printer.print_attribute(self.result.type)
