"""`affine.for`: a loop from the largest of some bounds to the smallest of others, perhaps with values that it carries along."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects.affine import YieldOp
from xdsl.dialects.builtin import AffineMapAttr, DenseArrayBase, IndexType, IntegerAttr, i32
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr, AffineMap, AffineSymExpr
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.dialects.affine.maps import INDEX, parse_applied, print_applied
from stepwell.dialects.support import parse_result_types

ONE_SYMBOL = AffineMapAttr(AffineMap(0, 1, (AffineExpr.symbol(0),)))
"""The map of a bound that is one value."""


@irdl_op_definition
class ForOp(IRDLOperation):
    """A loop.

    ```mlir
    %sum = affine.for %i = max affine_map<(d0) -> (d0, 0)>(%a) to %n step 4 iter_args(%acc = %zero) -> (f32) {
      ...
      affine.yield %next : f32
    }
    ```
    """

    name = "affine.for"

    lowerBoundOperands = var_operand_def(IndexType)
    upperBoundOperands = var_operand_def(IndexType)
    inits = var_operand_def()
    res = var_result_def()
    lowerBoundMap = prop_def(AffineMapAttr)
    upperBoundMap = prop_def(AffineMapAttr)
    step = prop_def(IntegerAttr)
    body = region_def()

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    @staticmethod
    def from_region(
        lowerBoundOperands: Sequence[Operation | SSAValue],
        upperBoundOperands: Sequence[Operation | SSAValue],
        inits: Sequence[Operation | SSAValue],
        result_types: Sequence[Attribute],
        lower_bound: int | AffineMapAttr,
        upper_bound: int | AffineMapAttr,
        region: Region,
        step: int | IntegerAttr[Any] = 1,
    ) -> ForOp:
        """A loop of this body; a bound of type int is a constant."""
        bounds = [AffineMapAttr(AffineMap.constant_map(b)) if isinstance(b, int) else b for b in (lower_bound, upper_bound)]
        return ForOp(
            operands=[lowerBoundOperands, upperBoundOperands, inits],
            result_types=[result_types],
            properties={
                "lowerBoundMap": bounds[0],
                "upperBoundMap": bounds[1],
                "step": IntegerAttr(step, INDEX) if isinstance(step, int) else step,
            },
            regions=[region],
        )

    def verify_(self) -> None:
        for map, operands in ((self.lowerBoundMap.data, self.lowerBoundOperands), (self.upperBoundMap.data, self.upperBoundOperands)):
            if len(operands) != map.num_dims + map.num_symbols:
                raise VerifyException("operand count must match with affine map dimension and symbol count")
        if self.inits.types != self.result_types:
            raise VerifyException("types mismatch between loop-carried values and results")
        if self.body.block.arg_types != (INDEX, *self.result_types):
            raise VerifyException("types mismatch between the arguments of the body and the loop-carried values")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        variable = _parse_variable(parser)
        parser.parse_punctuation("=")
        lower, lower_operands = _parse_bound(parser, "lower", "max")
        if parser.parse_optional_keyword("to") is None:
            parser.raise_error("expected 'to' between bounds")
        upper, upper_operands = _parse_bound(parser, "upper", "min")
        step = _parse_step(parser) if parser.parse_optional_keyword("step") else 1
        carried: Sequence[tuple[Any, Any]] = ()
        types: Sequence[Attribute] = ()
        inits: Sequence[SSAValue] = ()
        if parser.parse_optional_keyword("iter_args"):
            start = parser.pos

            def pair() -> tuple[Any, Any]:
                argument = _parse_variable(parser)
                parser.parse_punctuation("=")
                return argument, parser.parse_unresolved_operand()

            carried = parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)
            types = parse_result_types(parser)
            if len(types) != len(carried):
                parser.raise_error("mismatch between the number of loop-carried values and results", start)
            inits = parser.resolve_operands([value for _, value in carried], types, start)
        arguments = [argument.resolve(type) for (argument, _), type in zip(carried, types, strict=True)]
        body = parser.parse_optional_region((variable.resolve(INDEX), *arguments))
        if body is None:
            parser.raise_error("expected '{' to begin a region")
        if not isinstance(body.block.last_op, YieldOp):
            body.block.add_op(YieldOp.create())
        attributes = parser.parse_optional_attr_dict()
        return cls.create(
            operands=[*lower_operands, *upper_operands, *inits],
            result_types=types,
            properties={
                "lowerBoundMap": lower,
                "upperBoundMap": upper,
                "step": IntegerAttr(step, INDEX),
                "operandSegmentSizes": _segments(len(lower_operands), len(upper_operands), len(inits)),
            },
            regions=[body],
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        variable, *carried = self.body.block.args
        printer.print_string(" ")
        printer.print_ssa_value(variable)
        printer.print_string(" = ")
        _print_bound(printer, self.lowerBoundMap, self.lowerBoundOperands, "max")
        printer.print_string(" to ")
        _print_bound(printer, self.upperBoundMap, self.upperBoundOperands, "min")
        if self.step.value.data != 1:
            printer.print_string(f" step {self.step.value.data}")
        if carried:
            printer.print_string(" iter_args")
            with printer.in_parens():
                printer.print_list(zip(carried, self.inits, strict=True), lambda pair: _print_assignment(printer, *pair))
            printer.print_string(" -> ")
            with printer.in_parens():
                printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False, print_block_terminators=bool(carried))
        printer.print_op_attributes(self.attributes)


def _parse_variable(parser: Parser) -> Any:
    argument = parser.parse_optional_argument(expect_type=False)
    if argument is None:
        parser.raise_error("expected SSA operand")
    if parser._current_token.kind is MLIRTokenKind.HASH_IDENT:  # pyright: ignore[reportPrivateUsage]
        parser.raise_error("result number not allowed in argument list")
    return argument


def _parse_bound(parser: Parser, which: str, extremum: str) -> tuple[AffineMapAttr, Sequence[SSAValue]]:
    """`4`, `%n` or `max affine_map<...>(%i)[%n]`; the word stands only where it matters."""
    has_word = parser.parse_optional_keyword(extremum) is not None
    if (operand := parser.parse_optional_operand(INDEX)) is not None:
        return ONE_SYMBOL, (operand,)
    start = parser.pos
    if (value := parser.parse_optional_integer(allow_boolean=False)) is not None:
        if not -(2**63) <= value < 2**63:
            parser.raise_error("integer constant out of range for attribute")
        return AffineMapAttr(AffineMap.constant_map(value)), ()
    map, operands = parse_applied(parser, each=True)
    if not isinstance(map, AffineMapAttr):
        parser.raise_error("expected valid affine map representation for loop bounds", start)
    if len(map.data.results) > 1 and not has_word:
        parser.raise_error(f"{which} loop bound affine map with multiple results requires '{extremum}' prefix", start)
    return map, operands


def _parse_step(parser: Parser) -> int:
    start = parser.pos
    step = parser.parse_optional_integer(allow_boolean=False)
    if step is None:
        parser.raise_error("expected attribute value")
    if step <= 0:
        parser.raise_error("expected step to be representable as a positive signed integer", start)
    return step


def _segments(*counts: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, counts)


def _print_bound(printer: Printer, bound: AffineMapAttr, operands: Sequence[SSAValue], extremum: str) -> None:
    map = bound.data
    if len(map.results) == 1:
        result = map.results[0]
        if not operands and isinstance(result, AffineConstantExpr):
            printer.print_string(str(result.value))
            return
        if map.num_dims == 0 and map.num_symbols == 1 and isinstance(result, AffineSymExpr):
            printer.print_ssa_value(operands[0])
            return
    else:
        printer.print_string(f"{extremum} ")
    print_applied(printer, bound, operands)


def _print_assignment(printer: Printer, argument: SSAValue, value: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(value)
