"""`scf`: structured control flow. Upstream's dialect; ours are `if` (verified), and `parallel` with its reductions (upstream's syntax)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects import scf as shipped
from xdsl.dialects.builtin import IndexType, i1
from xdsl.dialects.scf import ConditionOp as ConditionOp
from xdsl.dialects.scf import IndexSwitchOp as IndexSwitchOp
from xdsl.dialects.scf import YieldOp as YieldOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    region_def,
    traits_def,
    var_operand_def,
    var_region_def,
    var_result_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import (
    HasParent,
    IsTerminator,
    OpTrait,
    Pure,
    RecursiveMemoryEffect,
)

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.scf.loops import COUNTS, LOOPS
from stepwell.dialects.scf.loops import ExecuteRegionOp as ExecuteRegionOp
from stepwell.dialects.scf.loops import ForallOp as ForallOp
from stepwell.dialects.scf.loops import ForOp as ForOp
from stepwell.dialects.scf.loops import InParallelOp as InParallelOp
from stepwell.dialects.scf.loops import WhileOp as WhileOp
from stepwell.dialects.support import parse_result_types, replace_ops


@irdl_op_definition
class IfOp(shipped.IfOp):
    """Runs one of two regions. A subclass, with every field said again, because `scf.yield` wants xDSL's `if` for its parent.

    ```mlir
    %r = scf.if %c -> (f32) {
      scf.yield %a : f32
    } else {
      scf.yield %b : f32
    }
    ```
    """

    name = "scf.if"

    cond = operand_def(i1)
    output = var_result_def()
    true_region = region_def("single_block")
    false_region = region_def()

    def __init__(
        self,
        cond: SSAValue,
        return_types: Sequence[Attribute],
        true_region: Region,
        false_region: Region | None = None,
        attributes: dict[str, Attribute] | None = None,
    ) -> None:
        IRDLOperation.__init__(
            self, operands=[cond], result_types=[return_types], regions=[true_region, false_region or Region()], attributes=attributes or {}
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        cond = parser.parse_operand(i1)
        types: Sequence[Attribute] = ()
        if parser.parse_optional_punctuation("->"):
            parsed = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
            types = [parser.parse_type()] if parsed is None else parsed
        then = _close(parser.parse_region())
        orelse = _close(parser.parse_region()) if parser.parse_optional_keyword("else") else None
        return cls(cond, types, then, orelse, parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.cond)
        if self.results:
            printer.print_string(" -> ")
            with printer.in_parens():
                printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.true_region, print_block_terminators=bool(self.results))
        if self.false_region.blocks:
            printer.print_string(" else ")
            printer.print_region(self.false_region, print_block_terminators=bool(self.results))
        printer.print_op_attributes(self.attributes)


def _close(region: Region) -> Region:
    """A region whose block ends in a yield, also where the text leaves it out."""
    if not region.blocks:
        region.add_block(Block())
    if not isinstance(region.block.last_op, YieldOp):
        region.block.add_op(YieldOp())
    return region


@irdl_op_definition
class ParallelOp(IRDLOperation):
    """A band of loops whose iterations may run in any order; values reduced over them are its results.

    ```mlir
    %s = scf.parallel (%i, %j) = (%c0, %c0) to (%M, %N) step (%c14, %c32) init (%zero) -> f32 {
      ...
      scf.reduce(%v : f32) {
      ^bb0(%a: f32, %b: f32):
        %sum = arith.addf %a, %b : f32
        scf.reduce.return %sum : f32
      }
    }
    ```
    """

    name = "scf.parallel"

    lowerBound = var_operand_def(IndexType)
    upperBound = var_operand_def(IndexType)
    step = var_operand_def(IndexType)
    initVals = var_operand_def()
    res = var_result_def()
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = lazy_traits_def(lambda: _parallel_traits())

    def __init__(
        self,
        lower_bounds: Sequence[SSAValue],
        upper_bounds: Sequence[SSAValue],
        steps: Sequence[SSAValue],
        body: Region,
        init_vals: Sequence[SSAValue] = (),
    ) -> None:
        if body.block.last_op is None or not body.block.last_op.has_trait(IsTerminator, value_if_unregistered=False):
            body.block.add_op(ReduceOp())
        super().__init__(
            operands=[lower_bounds, upper_bounds, steps, init_vals], regions=[body], result_types=[[value.type for value in init_vals]]
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        def operand() -> SSAValue:
            return parser.parse_operand(INDEX)

        def values() -> list[SSAValue]:
            position = parser.pos
            found = parser.parse_comma_separated_list(parser.Delimiter.PAREN, operand)
            if len(found) != len(arguments):
                parser.raise_error(f"custom op 'scf.parallel' expected {len(arguments)} operands", position)
            return found

        arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False))
        parser.parse_punctuation("=")
        lower = values()
        parser.parse_keyword("to")
        upper = values()
        parser.parse_keyword("step")
        steps = values()
        start = parser.pos
        unresolved: list[UnresolvedOperand] = []
        if parser.parse_optional_keyword("init"):
            unresolved = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        types = parse_result_types(parser, optional=True)
        if len(unresolved) != len(types):
            parser.raise_error(f"custom op 'scf.parallel' {COUNTS.format(len(unresolved), len(types))}", start)
        inits = parser.resolve_operands(unresolved, types, start)
        body = parser.parse_region([argument.resolve(INDEX) for argument in arguments])
        op = cls(lower, upper, steps, body, inits)
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        def values(before: str, operands: Sequence[SSAValue]) -> None:
            printer.print_string(before)
            with printer.in_parens():
                printer.print_list(operands, printer.print_ssa_value)

        values(" ", self.body.block.args)
        values(" = ", self.lowerBound)
        values(" to ", self.upperBound)
        values(" step ", self.step)
        if self.initVals:
            values(" init ", self.initVals)
            printer.print_string(" -> ")
            if len(self.results) == 1:
                printer.print_attribute(self.results[0].type)
            else:
                with printer.in_parens():
                    printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Ends the body of `scf.parallel`: for each value the region that joins two partial results."""

    name = "scf.reduce"

    args = var_operand_def()
    reductions = var_region_def("single_block")
    traits = lazy_traits_def(lambda: _reduce_traits())

    def __init__(self, args: Sequence[SSAValue] = (), regions: Sequence[Region] = ()) -> None:
        super().__init__(operands=[args], regions=[regions])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        values: Sequence[SSAValue] = ()
        regions: list[Region] = []
        if parser.parse_optional_punctuation("("):
            start = parser.pos
            unresolved = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
            parser.parse_punctuation(":")
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            parser.parse_punctuation(")")
            values = parser.resolve_operands(unresolved, types, start)
        first = parser.parse_optional_region()
        if first is not None:
            regions = [first]
            while parser.parse_optional_punctuation(","):
                regions.append(parser.parse_region())
        op = cls(values, regions)
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        if self.args:
            with printer.in_parens():
                printer.print_list(self.args, printer.print_ssa_value)
                printer.print_string(" : ")
                printer.print_list(self.args.types, printer.print_attribute)
        printer.print_string(" ")
        if self.reductions:
            printer.print_list(self.reductions, printer.print_region)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ReduceReturnOp(IRDLOperation):
    """`scf.reduce.return %sum : f32`"""

    name = "scf.reduce.return"
    result = operand_def()
    traits = traits_def(HasParent(ReduceOp), IsTerminator(), Pure())
    assembly_format = "$result attr-dict `:` type($result)"

    def __init__(self, result: SSAValue) -> None:
        super().__init__(operands=[result])


def _parallel_traits() -> tuple[OpTrait, ...]:
    return (RecursiveMemoryEffect(),)


def _reduce_traits() -> tuple[OpTrait, ...]:
    return RecursiveMemoryEffect(), HasParent(ParallelOp), IsTerminator()


Scf = replace_ops(shipped.Scf, [*LOOPS, IfOp, ParallelOp, ReduceOp, ReduceReturnOp])
