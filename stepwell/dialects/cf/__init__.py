"""`cf`: branches. The classes are xDSL's; a conditional branch is read and written with its weights, a discardable attribute here:

```mlir
cf.cond_br %c weights([90, 10]), ^bb1, ^bb2
```
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import DenseArrayBase, DenseIntElementsAttr, IntegerType, VectorType, i1, i32
from xdsl.dialects.cf import AssertOp as AssertOp
from xdsl.dialects.cf import BranchOp as BranchOp
from xdsl.dialects.cf import Cf as Cf
from xdsl.dialects.cf import ConditionalBranchOp as ConditionalBranchOp
from xdsl.dialects.cf import SwitchOp as SwitchOp
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

WEIGHTS = "branch_weights"


def _parse_edge(parser: Parser) -> tuple[Block, list[SSAValue]]:
    """`^block` or `^block(%a, %b : type, type)`"""
    block = parser.parse_successor()
    values: list[SSAValue] = []
    if parser.parse_optional_punctuation("(") is not None:
        start = parser.pos
        unresolved = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation(")")
        values = list(parser.resolve_operands(unresolved, types, start))
    return block, values


def _print_edge(printer: Printer, block: Block, values: Any) -> None:
    printer.print_block_name(block)
    if values:
        with printer.in_parens():
            printer.print_list(values, printer.print_operand)
            printer.print_string(" : ")
            printer.print_list([value.type for value in values], printer.print_attribute)


def parse_cond_br(cls: type[ConditionalBranchOp], parser: Parser) -> ConditionalBranchOp:
    """`%c [weights([...])], ^then(...), ^else(...) [attributes]`"""
    condition = parser.parse_operand(i1)
    weights: list[int] | None = None
    if parser.parse_optional_keyword("weights") is not None:
        parser.parse_punctuation("(")
        weights = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer())
        parser.parse_punctuation(")")
    parser.parse_punctuation(",")
    then_block, then_values = _parse_edge(parser)
    parser.parse_punctuation(",")
    else_block, else_values = _parse_edge(parser)
    attributes: dict[str, Attribute] = parser.parse_optional_attr_dict()
    if weights is not None:
        attributes[WEIGHTS] = DenseArrayBase.from_list(i32, weights)
    return cls.create(
        operands=[condition, *then_values, *else_values],
        successors=[then_block, else_block],
        properties={"operandSegmentSizes": DenseArrayBase.from_list(i32, [1, len(then_values), len(else_values)])},
        attributes=attributes,
    )


def print_cond_br(self: ConditionalBranchOp, printer: Printer) -> None:
    """What `parse_cond_br` reads."""
    op = self
    printer.print_string(" ")
    printer.print_operand(op.cond)
    weights: Any = op.attributes.get(WEIGHTS)
    if weights is not None:
        printer.print_string(f" weights([{', '.join(str(w) for w in weights.get_values())}])")
    printer.print_string(", ")
    _print_edge(printer, op.then_block, op.then_arguments)
    printer.print_string(", ")
    _print_edge(printer, op.else_block, op.else_arguments)
    printer.print_op_attributes({name: value for name, value in op.attributes.items() if name != WEIGHTS})


def _wrapped(type: Attribute, value: int) -> int:
    return cast("Any", type).get_normalized_value(value) if isinstance(type, IntegerType) else value


def parse_switch(cls: type[SwitchOp], parser: Parser) -> SwitchOp:
    """`%flag : type, [default: ^block(...), 42: ^block(...), ...] [attributes]`"""
    flag = parser.parse_unresolved_operand()
    parser.parse_punctuation(":")
    type: Attribute = parser.parse_type()
    parser.parse_punctuation(",")
    parser.parse_punctuation("[")
    if parser.parse_optional_keyword("default") is None:
        parser.raise_error("expected 'default'")
    parser.parse_punctuation(":")
    edges = [_parse_edge(parser)]
    values: list[int] = []
    while parser.parse_optional_punctuation(",") is not None:
        value = parser.parse_optional_integer()
        if value is None:
            parser.raise_error("expected integer value")
        values.append(value)
        parser.parse_punctuation(":")
        edges.append(_parse_edge(parser))
    parser.parse_punctuation("]")
    attributes = parser.parse_optional_attr_dict()
    default, *cases = edges
    passed = [value for _, operands in cases for value in operands]
    properties: dict[str, Attribute] = {
        "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, len(default[1]), len(passed)]),
        "case_operand_segments": DenseArrayBase.from_list(i32, [len(operands) for _, operands in cases]),
    }
    if values:
        wrapped = [_wrapped(type, value) for value in values]
        properties["case_values"] = DenseIntElementsAttr.from_list(VectorType(cast("Any", type), (len(values),)), wrapped)
    return cls.create(
        operands=[parser.resolve_operand(flag, type), *default[1], *passed],
        successors=[block for block, _ in edges],
        properties=properties,
        attributes=attributes,
    )


ConditionalBranchOp.parse = classmethod(parse_cond_br)  # pyright: ignore[reportAttributeAccessIssue]
ConditionalBranchOp.print = print_cond_br
SwitchOp.parse = classmethod(parse_switch)  # pyright: ignore[reportAttributeAccessIssue]
