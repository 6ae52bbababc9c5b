"""`func`: functions, calls and returns. The classes are xDSL's, which everything builds and matches; how they read and write is ours.

xDSL's parser drops the attributes of the arguments of declarations, and its printer those of the results. Here both survive:

```mlir
func.func private @f(memref<4xf32> {llvm.noalias}) -> (i32 {llvm.noundef})
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import UNKNOWN_LOC, ArrayAttr, DictionaryAttr, FunctionType
from xdsl.dialects.func import CallOp as CallOp
from xdsl.dialects.func import Func as Func
from xdsl.dialects.func import FuncOp as FuncOp
from xdsl.dialects.func import ReturnOp as ReturnOp
from xdsl.ir import Attribute, Region
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.ir.text.printing import print_location

Attributes = dict[str, Attribute]
RESERVED = ("sym_name", "function_type", "sym_visibility", "arg_attrs", "res_attrs")


# ---- reading ------------------------------------------------------------------------------------------------------------------------


def parse_function(cls: type[FuncOp], parser: Parser) -> FuncOp:
    """`[visibility] @name(arguments) [-> results] [attributes {...}] [region]`"""
    visibility = parser.parse_optional_visibility_keyword()
    name = parser.parse_symbol_name()
    named: list[Parser.Argument] = []
    inputs: list[Attribute] = []
    of_arguments: list[Attributes] = []
    parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_argument(parser, named, inputs, of_arguments))
    outputs, of_results = _parse_results(parser)
    extra = parser.parse_optional_attr_dict_with_keyword(RESERVED)
    start = parser.pos
    region = parser.parse_optional_region(named or None)
    if region is not None and (region.first_block is None or (region.first_block is region.last_block and not region.first_block.ops)):
        parser.raise_error("expected non-empty function body", start)
    properties: dict[str, Attribute] = {"sym_name": name, "function_type": FunctionType.from_lists(inputs, outputs)}
    if visibility is not None:
        properties["sym_visibility"] = visibility
    if any(of_arguments):
        properties["arg_attrs"] = ArrayAttr(DictionaryAttr(attributes) for attributes in of_arguments)
    if any(of_results):
        properties["res_attrs"] = ArrayAttr(DictionaryAttr(attributes) for attributes in of_results)
    return cls.create(properties=properties, attributes=dict(extra.data) if extra else {}, regions=[region or Region()])


def _parse_argument(parser: Parser, named: list[Parser.Argument], inputs: list[Attribute], attributes: list[Attributes]) -> None:
    """`%name: type {attributes} loc(...)` in a definition, the same without a name in a declaration."""
    argument = None
    if inputs and not named:
        if parser._current_token.kind is MLIRTokenKind.PERCENT_IDENT:  # pyright: ignore[reportPrivateUsage]
            parser.raise_error("expected type instead of SSA identifier")
    else:
        argument = parser.parse_optional_argument()
        if argument is None and named:
            parser.raise_error("expected SSA identifier")
    if argument is None:
        type = parser.parse_optional_type()
        if type is None:
            parser.raise_error("expected non-function type")
        inputs.append(type)
    else:
        named.append(argument)
        inputs.append(argument.type)
    attributes.append(parser.parse_optional_dictionary_attr_dict())
    location = parser.parse_optional_location()
    if argument is not None:
        argument.location = location


def _parse_results(parser: Parser) -> tuple[list[Attribute], list[Attributes]]:
    """Nothing, `-> type`, or `-> (type {attributes}, ...)`."""
    types: list[Attribute] = []
    attributes: list[Attributes] = []

    def one() -> None:
        types.append(parser.parse_type())
        attributes.append(parser.parse_optional_dictionary_attr_dict())

    if parser.parse_optional_punctuation("->") is None:
        return [], []
    if parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, one) is None:
        types.append(parser.parse_type())
        attributes.append({})
    return types, attributes


# ---- writing ------------------------------------------------------------------------------------------------------------------------


def print_function(self: FuncOp, printer: Printer) -> None:
    """What `parse_function` reads."""
    op = self
    if op.sym_visibility is not None:
        printer.print_string(f" {op.sym_visibility.data}")
    printer.print_string(" ")
    printer.print_symbol_name(op.sym_name.data)
    inputs, outputs = op.function_type.inputs.data, op.function_type.outputs.data
    of_arguments, of_results = _each(op.arg_attrs, len(inputs)), _each(op.res_attrs, len(outputs))
    entry = op.body.first_block
    with printer.in_parens():
        if entry is None:
            printer.print_list(zip(inputs, of_arguments, strict=True), lambda pair: _print_type(printer, *pair))
        else:
            printer.print_list(zip(entry.args, of_arguments, strict=False), lambda pair: _print_argument(printer, *pair))
    if outputs:
        printer.print_string(" -> ")
        if len(outputs) == 1 and not of_results[0].data and not isinstance(outputs[0], FunctionType):
            printer.print_attribute(outputs[0])
        else:
            with printer.in_parens():
                printer.print_list(zip(outputs, of_results, strict=True), lambda pair: _print_type(printer, *pair))
    printer.print_op_attributes(op.attributes, reserved_attr_names=RESERVED, print_keyword=True)
    if entry is not None:
        printer.print_string(" ", indent=0)
        printer.print_region(op.body, False, False)


def _each(attributes: ArrayAttr[DictionaryAttr] | None, count: int) -> Sequence[DictionaryAttr]:
    return attributes.data if attributes is not None and len(attributes) == count else (DictionaryAttr({}),) * count


def _print_type(printer: Printer, type: Attribute, attributes: DictionaryAttr) -> None:
    printer.print_attribute(type)
    if attributes.data:
        printer.print_op_attributes(attributes.data)


def _print_argument(printer: Printer, argument: Any, attributes: DictionaryAttr) -> None:
    printer.print_block_argument(argument, print_type=False)
    printer.print_string(": ")
    _print_type(printer, argument.type, attributes)
    if printer.print_debuginfo:
        printer.print_string(" ")
        print_location(argument.location or UNKNOWN_LOC, printer)


FuncOp.parse = classmethod(parse_function)  # pyright: ignore[reportAttributeAccessIssue]
FuncOp.print = print_function
