"""The loops of `scf` in all of upstream's spellings: `for` (also `unsigned`), `while`, `execute_region`, `forall` with its `in_parallel`.

The first three are subclasses, with every field said again, because xDSL's ops name xDSL's classes as their parents and patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import scf as shipped
from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseArrayBase, IndexType, TensorType, UnitAttr, UnregisteredOp, i64
from xdsl.dialects.scf import YieldOp
from xdsl.dialects.utils.dynamic_index_list import parse_dynamic_index_list_without_types, print_dynamic_index_list
from xdsl.dialects.utils.format import parse_assignment, print_assignment
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, NoTerminator, RecursiveMemoryEffect, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.support import mixed, parse_result_types, print_result_types

COUNTS = "number of operands and types do not match: got {} operands and {} types"


def _with_yield(region: Region) -> Region:
    if not region.blocks:
        region.add_block(Block())
    if not isinstance(region.block.last_op, YieldOp):
        region.block.add_op(YieldOp())
    return region


@irdl_op_definition
class ForOp(shipped.ForOp):
    """Counts from a lower to an upper bound; what it carries from one iteration to the next are its results.

    ```mlir
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> (f32) {
      ...
      scf.yield %next : f32
    }
    ```
    Other types than `index` are said after the types of the results: `-> (f32) : i32`. `scf.for unsigned` compares as unsigned.
    """

    name = "scf.for"
    T: ClassVar = VarConstraint("T", AnyAttr())

    lb = operand_def(T)
    ub = operand_def(T)
    step = operand_def(T)
    iter_args = var_operand_def()
    res = var_result_def()
    body = region_def("single_block")
    unsignedCmp = opt_prop_def(UnitAttr)
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp), shipped.ForOpHasCanonicalizationPatternsTrait(), RecursiveMemoryEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        unsigned = parser.parse_optional_keyword("unsigned") is not None
        induction = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=")
        lower = parser.parse_unresolved_operand()
        parser.parse_keyword("to")
        upper = parser.parse_unresolved_operand()
        parser.parse_keyword("step")
        step = parser.parse_unresolved_operand()
        carried: list[tuple[Parser.UnresolvedArgument, Any]] = []
        types: Sequence[Attribute] = ()
        start = parser.pos
        if parser.parse_optional_keyword("iter_args"):
            carried = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, lambda: parse_assignment(parser))
            types = parse_result_types(parser)
            if len(types) != len(carried):
                parser.raise_error("mismatch in number of loop-carried values and defined values", start)
        type = parser.parse_type() if parser.parse_optional_punctuation(":") else INDEX
        inits = parser.resolve_operands([operand for _, operand in carried], types, start)
        bounds = [parser.resolve_operand(operand, type) for operand in (lower, upper, step)]
        arguments = [induction.resolve(type), *(argument.resolve(t) for (argument, _), t in zip(carried, types, strict=True))]
        body = parser.parse_region(arguments)
        if not carried:
            _with_yield(body)
        op = cls(*bounds, inits, body)  # pyright: ignore[reportCallIssue]
        op.attributes |= parser.parse_optional_attr_dict()
        if unsigned:
            op.properties["unsignedCmp"] = UnitAttr()
        return op

    def print(self, printer: Printer) -> None:
        induction, *carried = self.body.block.args
        printer.print_string(" unsigned " if self.unsignedCmp else " ")
        printer.print_ssa_value(induction)
        for before, value in ((" = ", self.lb), (" to ", self.ub), (" step ", self.step)):
            printer.print_string(before)
            printer.print_ssa_value(value)
        if carried:
            printer.print_string(" iter_args(")
            printer.print_list(zip(carried, self.iter_args, strict=True), lambda pair: print_assignment(printer, *pair))
            printer.print_string(") -> (")
            printer.print_list(self.result_types, printer.print_attribute)
            printer.print_string(") " if not isinstance(induction.type, IndexType) else ")")
        if not isinstance(induction.type, IndexType):
            printer.print_string(" : ")
            printer.print_attribute(induction.type)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False, print_block_terminators=bool(self.iter_args))
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class WhileOp(shipped.WhileOp):
    """`before` computes the condition and what `after` gets; `after` yields what `before` gets next.

    ```mlir
    %r = scf.while (%x = %a) : (f32) -> f32 {
      scf.condition(%c) %y : f32
    } do {
    ^bb0(%y: f32):
      scf.yield %z : f32
    }
    ```
    """

    name = "scf.while"

    arguments = var_operand_def()
    res = var_result_def()
    before_region = region_def("single_block")
    after_region = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        pairs = parser.parse_optional_comma_separated_list(Parser.Delimiter.PAREN, lambda: parse_assignment(parser)) or []
        parser.parse_punctuation(":")
        type = parser.parse_function_type()
        if len(pairs) != len(type.inputs):
            parser.raise_error(f"expected as many input types as operands (expected {len(pairs)} got {len(type.inputs)})", start)
        arguments = parser.resolve_operands([operand for _, operand in pairs], type.inputs.data, start)
        before = parser.parse_region([a.resolve(t) for (a, _), t in zip(pairs, type.inputs, strict=True)] or None)
        parser.parse_keyword("do")
        op = cls(arguments, type.outputs.data, before, parser.parse_region())
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op.attributes |= attributes.data if attributes else {}
        return op

    def print(self, printer: Printer) -> None:
        if self.arguments:
            printer.print_string(" (")
            pairs = zip(self.before_region.block.args, self.arguments, strict=True)
            printer.print_list(pairs, lambda pair: print_assignment(printer, *pair))
            printer.print_string(")")
        printer.print_string(" : ")
        printer.print_operation_type(self)
        printer.print_string(" ")
        printer.print_region(self.before_region, print_entry_block_args=False)
        printer.print_string(" do ")
        printer.print_region(self.after_region)
        printer.print_op_attributes(self.attributes, print_keyword=True)


@irdl_op_definition
class ExecuteRegionOp(shipped.ExecuteRegionOp):
    """Runs its region, which may have several blocks, once: `%v = scf.execute_region -> f32 no_inline { ... }`."""

    name = "scf.execute_region"

    outs = var_result_def()
    region = region_def()
    no_inline = opt_prop_def(UnitAttr)
    traits = traits_def(RecursiveMemoryEffect(), shipped.ExecuteRegionOpHasCanonicalizationPatternsTrait())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        types = parse_result_types(parser, optional=True)
        no_inline = parser.parse_optional_keyword("no_inline") is not None
        op = cls(types, parser.parse_region())
        op.attributes |= parser.parse_optional_attr_dict()
        if no_inline:
            op.properties["no_inline"] = UnitAttr()
        return op

    def print(self, printer: Printer) -> None:
        if self.results:
            print_result_types(printer, self.result_types)
        printer.print_string(" no_inline " if self.no_inline else " ")
        printer.print_region(self.region, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)


# ---- forall ---------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class InParallelOp(IRDLOperation):
    """Ends the body of `scf.forall`: what the threads write into the shared results.

    ```mlir
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %t into %o[%i] [1] [1] : tensor<1xf32> into tensor<100xf32>
    }
    ```
    """

    name = "scf.forall.in_parallel"

    region = region_def("single_block")
    traits = traits_def(IsTerminator(), NoTerminator(), RecursiveMemoryEffect())

    @classmethod
    def get(cls, region: Region | None = None) -> InParallelOp:
        return cls.create(regions=[region or Region(Block())])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        return cls.create(regions=[region], attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_region(self.region, print_entry_block_args=False)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ForallOp(IRDLOperation):
    """A band of loops whose iterations run in any order, on tensors: each writes its part of the shared results.

    ```mlir
    %r = scf.forall (%i, %j) in (%n, 4) shared_outs(%o = %t) -> (tensor<?x4xf32>) {
      ...
    } {mapping = [#gpu.thread<y>, #gpu.thread<x>]}
    scf.forall (%i) = (0) to (%n) step (8) { ... }
    ```
    """

    name = "scf.forall"

    dynamicLowerBound = var_operand_def(IndexType)
    dynamicUpperBound = var_operand_def(IndexType)
    dynamicStep = var_operand_def(IndexType)
    staticLowerBound = prop_def(DenseArrayBase.constr(i64))
    staticUpperBound = prop_def(DenseArrayBase.constr(i64))
    staticStep = prop_def(DenseArrayBase.constr(i64))
    outputs = var_operand_def(TensorType)
    mapping = opt_prop_def(ArrayAttr)
    res = var_result_def(TensorType)
    region = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    def lower_bounds(self) -> list[int | SSAValue]:
        return mixed(self.staticLowerBound, self.dynamicLowerBound)

    def upper_bounds(self) -> list[int | SSAValue]:
        return mixed(self.staticUpperBound, self.dynamicUpperBound)

    def steps(self) -> list[int | SSAValue]:
        return mixed(self.staticStep, self.dynamicStep)

    def _is_normal(self) -> bool:
        return set(self.staticLowerBound.get_values()) <= {0} and set(self.staticStep.get_values()) <= {1}

    def verify_(self) -> None:
        rank = len(self.staticUpperBound)
        block = self.region.block
        if self.outputs.types != self.result_types:
            raise VerifyException("has results of other types than its shared outputs")
        if block.arg_types[:rank] != (INDEX,) * rank:
            raise VerifyException(f"expects {rank} index arguments in its body")
        if tuple(block.arg_types[rank:]) != tuple(self.outputs.types):
            raise VerifyException("type mismatch between its shared outputs and the arguments of its body")
        if not isinstance(block.last_op, InParallelOp):
            found = block.last_op.name if block.last_op else "nothing"
            if isinstance(block.last_op, UnregisteredOp):
                return
            raise VerifyException(f"expects regions to end with 'scf.forall.in_parallel', found '{found}'")
        mapped = rank if self.mapping is None else sum("mask" not in str(attribute) for attribute in self.mapping)
        if mapped != rank:
            raise VerifyException("mapping attribute size must match op rank")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        def bounds() -> tuple[list[SSAValue], list[int]]:
            dynamic, static = parse_dynamic_index_list_without_types(parser, DYNAMIC_INDEX, delimiter=parser.Delimiter.PAREN)
            return [parser.resolve_operand(operand, INDEX) for operand in dynamic], list(static)

        arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False))
        lower: tuple[list[SSAValue], list[int]] = [], [0] * len(arguments)
        steps: tuple[list[SSAValue], list[int]] = [], [1] * len(arguments)
        if parser.parse_optional_punctuation("="):
            lower = bounds()
            parser.parse_keyword("to")
            upper = bounds()
            parser.parse_keyword("step")
            steps = bounds()
        else:
            parser.parse_keyword("in")
            upper = bounds()
        start = parser.pos
        pairs: list[tuple[Parser.UnresolvedArgument, Any]] = []
        types: Sequence[Attribute] = ()
        if parser.parse_optional_keyword("shared_outs"):
            pairs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_assignment(parser))
            types = parse_result_types(parser)
        if len(pairs) != len(types):
            parser.raise_error(f"custom op 'scf.forall' {COUNTS.format(len(pairs), len(types))}", start)
        outputs = parser.resolve_operands([operand for _, operand in pairs], types, start)
        shared = [argument.resolve(type) for (argument, _), type in zip(pairs, types, strict=True)]
        region = parser.parse_region([*(argument.resolve(INDEX) for argument in arguments), *shared])
        if not isinstance(region.block.last_op, InParallelOp) and (region.block.last_op is None or not outputs):
            if region.block.last_op is None or not region.block.last_op.has_trait(IsTerminator):
                region.block.add_op(InParallelOp.get())
        attributes = parser.parse_optional_attr_dict()
        properties: dict[str, Attribute] = {
            "staticLowerBound": DenseArrayBase.from_list(i64, lower[1]),
            "staticUpperBound": DenseArrayBase.from_list(i64, upper[1]),
            "staticStep": DenseArrayBase.from_list(i64, steps[1]),
        }
        if "mapping" in attributes:
            properties["mapping"] = attributes.pop("mapping")
        op = cls(
            operands=[lower[0], upper[0], steps[0], outputs],
            result_types=[types],
            properties=properties,
            attributes=attributes,
            regions=[region],
        )
        return op

    def print(self, printer: Printer) -> None:
        rank = len(self.staticUpperBound)
        induction, shared = self.region.block.args[:rank], self.region.block.args[rank:]

        def bounds(before: str, dynamic: Sequence[SSAValue], static: DenseArrayBase[Any]) -> None:
            printer.print_string(before)
            values = cast("Sequence[int]", static.get_values())
            print_dynamic_index_list(printer, DYNAMIC_INDEX, dynamic, values, delimiter=Parser.Delimiter.PAREN)

        printer.print_string(" (")
        printer.print_list(induction, printer.print_ssa_value)
        printer.print_string(")")
        if self._is_normal():
            bounds(" in ", self.dynamicUpperBound, self.staticUpperBound)
        else:
            bounds(" = ", self.dynamicLowerBound, self.staticLowerBound)
            bounds(" to ", self.dynamicUpperBound, self.staticUpperBound)
            bounds(" step ", self.dynamicStep, self.staticStep)
        if self.outputs:
            printer.print_string(" shared_outs(")
            printer.print_list(zip(shared, self.outputs, strict=True), lambda pair: print_assignment(printer, *pair))
            printer.print_string(") -> (")
            printer.print_list(self.result_types, printer.print_attribute)
            printer.print_string(")")
        printer.print_string(" ")
        last = self.region.block.last_op
        printer.print_region(
            self.region,
            print_entry_block_args=False,
            print_block_terminators=isinstance(last, InParallelOp) and (not last.region.block.is_empty or bool(last.attributes)),
        )
        attributes = self.attributes if self.mapping is None else {"mapping": self.mapping, **self.attributes}
        printer.print_op_attributes(attributes)


LOOPS = [ForOp, WhileOp, ExecuteRegionOp, ForallOp, InParallelOp]
