"""Parts of syntax that ops of `transform` share: how failures go, functional types, regions that end in a yield."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr, IntegerType
from xdsl.dialects.transform import YieldOp
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator

from stepwell.dialects.support import parse_result_types

MODES = ("propagate", "suppress")
I32 = IntegerType(32)


def parse_mode(parser: Parser) -> IntegerAttr[Any] | None:
    """`failures(propagate)`, if it stands there."""
    if parser.parse_optional_keyword("failures") is None:
        return None
    with parser.in_parens():
        start = parser.pos
        mode = parser.parse_identifier()
    if mode not in MODES:
        parser.raise_error(f"expected one of {', '.join(MODES)}", start)
    return IntegerAttr(MODES.index(mode) + 1, I32)


def print_mode(printer: Printer, mode: Attribute | None) -> None:
    if isinstance(mode, IntegerAttr):
        printer.print_string(f" failures({MODES[cast('IntegerAttr[Any]', mode).value.data - 1]})")


def parse_functional(parser: Parser, operands: Sequence[Any]) -> tuple[Sequence[SSAValue], Sequence[Attribute]]:
    """`: (types) -> types`, or the operands' types alone."""
    parser.parse_punctuation(":")
    start = parser.pos
    types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
    if types is None:
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    results = parse_result_types(parser, optional=True)
    return parser.resolve_operands(operands, types, start), results


def print_functional(printer: Printer, op: Operation) -> None:
    printer.print_string(" : ")
    if op.results:
        printer.print_operation_type(op)
    else:
        printer.print_list(op.operand_types, printer.print_attribute)


def parse_operands(parser: Parser) -> list[Any]:
    first = parser.parse_optional_unresolved_operand()
    operands = [] if first is None else [first]
    while operands and parser.parse_optional_punctuation(","):
        operands.append(parser.parse_unresolved_operand())
    return operands


def ensure_yield(region: Region) -> Region:
    """An implicit terminator is made explicit."""
    block = region.block
    if block.last_op is None or not block.last_op.has_trait(IsTerminator, value_if_unregistered=False):
        block.add_op(YieldOp())
    return region
