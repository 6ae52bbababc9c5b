"""`llvm.insertvalue`, `llvm.extractvalue` and `llvm.icmp`: members of structs and arrays, comparison of integers and pointers."""

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, i1, i64
from xdsl.dialects.llvm import ICmpPredicateFlag
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.types import LLVMArrayType, LLVMStructType
from stepwell.dialects.support import with_element
from stepwell.ir.rules import shown


def member_type(parser: Parser | None, container: Attribute, position: list[int], start: int = 0) -> Attribute:
    """The type at a position inside of a struct or array. Raises through the parser, or VerifyException where there is none."""
    from stepwell.dialects.llvm.compatible import is_compatible

    def refuse(message: str) -> None:
        if parser is None:
            raise VerifyException(message)
        parser.raise_error(message, start)

    if not is_compatible(container):
        refuse(f"expected LLVM IR Dialect type, got '{shown(container)}'")
    current = container
    for index in position:
        if isinstance(current, LLVMArrayType):
            if not 0 <= index < current.size.data:
                refuse(f"position out of bounds: {index}")
            current = current.type
        elif isinstance(current, LLVMStructType):
            if not 0 <= index < len(current.types):
                refuse(f"position out of bounds: {index}")
            current = current.types.data[index]
        else:
            refuse(f"expected LLVM IR structure/array type, got: '{shown(current)}'")
    return current


def _position(parser: Parser) -> list[int]:
    return list(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)))


def _numbers(position: DenseArrayBase[Any]) -> list[int]:
    return [int(index) for index in position.get_values()]


@irdl_op_definition
class ExtractValueOp(IRDLOperation):
    """`%m = llvm.extractvalue %s[0, 1] : !llvm.struct<(array<2 x f32>)>`"""

    name = "llvm.extractvalue"

    container = operand_def()
    res = result_def()
    position = prop_def(DenseArrayBase)
    traits = traits_def(Pure())

    def __init__(self, position: DenseArrayBase[Any], container: SSAValue, result_type: Attribute) -> None:
        super().__init__(operands=[container], properties={"position": position}, result_types=[result_type])

    def verify_(self) -> None:
        wanted = member_type(None, self.container.type, _numbers(self.position))
        if wanted != self.res.type:
            raise VerifyException(
                f"Type mismatch: extracting from '{shown(self.container.type)}' should produce '{shown(wanted)}' but this op returns "
                f"'{shown(self.res.type)}'"
            )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        container = parser.parse_unresolved_operand()
        position = _position(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        member = member_type(parser, type, position, start)
        return cls.create(
            operands=[parser.resolve_operand(container, type)],
            result_types=[member],
            properties={"position": DenseArrayBase.from_list(i64, position)},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.container)
        printer.print_string(str(_numbers(self.position)))
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.container.type)
        printer.print_string(" ")


@irdl_op_definition
class InsertValueOp(IRDLOperation):
    """`%t = llvm.insertvalue %m, %s[0] : !llvm.struct<(f32, i32)>`"""

    name = "llvm.insertvalue"

    container = operand_def()
    value = operand_def()
    res = result_def()
    position = prop_def(DenseArrayBase)
    traits = traits_def(Pure())

    def __init__(self, position: DenseArrayBase[Any], container: SSAValue, value: SSAValue) -> None:
        super().__init__(operands=[container, value], properties={"position": position}, result_types=[container.type])

    def verify_(self) -> None:
        wanted = member_type(None, self.container.type, _numbers(self.position))
        if wanted != self.value.type:
            raise VerifyException(f"Type mismatch: cannot insert '{shown(self.value.type)}' into '{shown(self.container.type)}'")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        container = parser.parse_unresolved_operand()
        position = _position(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        member = member_type(parser, type, position, start)
        return cls.create(
            operands=[parser.resolve_operand(container, type), parser.resolve_operand(value, member)],
            result_types=[type],
            properties={"position": DenseArrayBase.from_list(i64, position)},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list((self.value, self.container), printer.print_ssa_value)
        printer.print_string(str(_numbers(self.position)))
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.container.type)
        printer.print_string(" ")


_PREDICATES = [flag.value for flag in ICmpPredicateFlag]


@irdl_op_definition
class ICmpOp(IRDLOperation):
    """`%c = llvm.icmp "slt" %a, %b : i32`, elementwise on vectors; pointers compare as numbers."""

    name = "llvm.icmp"

    lhs = operand_def()
    rhs = operand_def()
    res = result_def()
    predicate = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: IntegerAttr[Any]) -> None:
        super().__init__(operands=[lhs, rhs], result_types=[with_element(lhs.type, i1)], properties={"predicate": predicate})

    def verify_(self) -> None:
        if self.lhs.type != self.rhs.type:
            raise VerifyException("requires all operands to have the same type")
        if self.res.type != with_element(self.lhs.type, i1):
            raise VerifyException("failed to verify that result type has i1 element type and same shape as operands")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        predicate = parser.parse_optional_str_literal()
        if predicate is None:
            parser.raise_error("invalid kind of attribute specified")
        if predicate not in _PREDICATES:
            parser.raise_error(f"'{predicate}' is an incorrect value of the 'predicate' attribute")
        lhs = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        rhs = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        return cls.create(
            operands=[parser.resolve_operand(lhs, type), parser.resolve_operand(rhs, type)],
            result_types=[with_element(type, i1)],
            properties={"predicate": IntegerAttr(_PREDICATES.index(predicate), i64)},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{_PREDICATES[cast("IntegerAttr[Any]", self.predicate).value.data]}" ')
        printer.print_list((self.lhs, self.rhs), printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)
