"""The rarer operations of `func`, which load when the parser meets one: functions as values."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import FunctionType, SymbolRefAttr
from xdsl.ir import Attribute, Operation
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, Pure, SymbolTable, SymbolUserOpInterface
from xdsl.utils.exceptions import VerifyException


class _NamesAFunction(SymbolUserOpInterface):
    def verify(self, op: Operation) -> None:
        assert isinstance(op, ConstantOp)
        name = op.value.string_value()
        found: Any = SymbolTable.lookup_symbol(op, op.value)
        if found is None or found.name != "func.func":
            raise VerifyException(f"reference to undefined function '{name}'")
        if found.function_type != op.result.type:
            raise VerifyException("reference to function with mismatched type")


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """`%f = func.constant @name : (i32) -> f32`: a function as a value."""

    name = "func.constant"
    value = prop_def(SymbolRefAttr)
    result = result_def()
    traits = traits_def(Pure(), ConstantLike(), _NamesAFunction())

    @classmethod
    def parse(cls, parser: Parser) -> ConstantOp:
        attributes = parser.parse_optional_attr_dict()
        value = parser.parse_attribute()
        if not isinstance(value, SymbolRefAttr):
            parser.raise_error("invalid kind of attribute specified")
        parser.parse_punctuation(":")
        type = parser.parse_type()
        return cls.create(properties={"value": value}, result_types=[type], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_attribute(self.value)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


@irdl_op_definition
class CallIndirectOp(IRDLOperation):
    """`%r = func.call_indirect %f(%a) : (i32) -> f32`"""

    name = "func.call_indirect"
    callee = operand_def(FunctionType)
    callee_operands = var_operand_def()
    res = var_result_def()

    def verify_(self) -> None:
        type: Any = self.callee.type
        if tuple(type.inputs.data) != tuple(v.type for v in self.callee_operands) or tuple(type.outputs.data) != tuple(self.result_types):
            raise VerifyException("failed to verify that callee input types match argument types, and its results those of the call")

    @classmethod
    def parse(cls, parser: Parser) -> CallIndirectOp:
        callee = parser.parse_unresolved_operand()
        start = parser.pos
        operands = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_function_type()
        values = [parser.resolve_operand(callee, type), *parser.resolve_operands(operands, type.inputs.data, start)]
        return cls.create(operands=values, result_types=list(type.outputs.data), attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.callee)
        with printer.in_parens():
            printer.print_list(self.callee_operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.callee.type)


RARE: tuple[list[type[IRDLOperation]], list[type[Attribute]]] = ([ConstantOp, CallIndirectOp], [])
