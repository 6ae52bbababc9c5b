"""Ops of `transform` whose syntax is more than a line of the table: sequences, loops over handles, matchers, what takes regions."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseArrayBase, IntegerAttr, SymbolRefAttr, UnitAttr, i64
from xdsl.dialects.transform import TransformHandleType, YieldOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import parse_result_types, print_result_types
from stepwell.dialects.transform.matchers import MatchStructuredOp, MatchStructuredYieldOp
from stepwell.dialects.transform.parts import I32, ensure_yield, parse_functional, parse_mode, parse_operands, print_functional, print_mode


@irdl_op_definition
class SequenceOp(IRDLOperation):
    """`transform.sequence %root : !transform.any_op failures(propagate) { ^bb0(%arg0: !transform.any_op): ... }`"""

    name = "transform.sequence"
    handles = var_operand_def()
    res = var_result_def()
    failure_propagation_mode = prop_def(Attribute)
    operandSegmentSizes = opt_prop_def(Attribute)
    body = region_def("single_block")
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))

    def verify_(self) -> None:
        arguments = self.body.block.args
        if not arguments or not isinstance(arguments[0].type, TransformHandleType):
            raise VerifyException("expects the entry block argument to be of type implementing TransformHandleTypeInterface")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parse_operands(parser)
        values: Sequence[SSAValue] = ()
        results: Sequence[Attribute] = ()
        if operands:
            values, results = parse_functional(parser, operands)
        else:
            results = parse_result_types(parser, optional=True)
        start = parser.pos
        mode = parse_mode(parser)
        if mode is None:
            parser.raise_error("expected 'failures'", start)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = ensure_yield(parser.parse_region())
        sizes = DenseArrayBase.from_list(I32, [min(1, len(values)), max(0, len(values) - 1)])
        properties: dict[str, Attribute] = {"failure_propagation_mode": mode, "operandSegmentSizes": sizes}
        return cls.create(
            operands=values,
            result_types=results,
            properties=properties,
            attributes={} if attributes is None else dict(attributes.data),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        if self.operands:
            printer.print_string(" ")
            printer.print_list(self.operands, printer.print_ssa_value)
            printer.print_string(" : ")
            if len(self.operands) > 1:
                with printer.in_parens():
                    printer.print_list(self.operand_types, printer.print_attribute)
            else:
                printer.print_attribute(self.operand_types[0])
        if self.results:
            print_result_types(printer, self.result_types)
        print_mode(printer, self.failure_propagation_mode)
        if self.attributes:
            printer.print_string(" attributes")
            printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_region(self.body)


@irdl_op_definition
class ForeachOp(IRDLOperation):
    """`%r = transform.foreach %a, %b : !transform.any_op, !transform.any_op -> !transform.any_op { ^bb0(%x: ..., %y: ...): ... }`"""

    name = "transform.foreach"
    targets = var_operand_def()
    res = var_result_def()
    with_zip_shortest = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))

    def verify_(self) -> None:
        arguments = self.body.block.args
        if len(arguments) != len(self.operands):
            raise VerifyException(f"expects {len(self.operands)} arguments in its body, one for each handle, got {len(arguments)}")
        last = self.body.block.last_op
        if last is not None and len(last.operands) != len(self.results):
            raise VerifyException("expects the same number of results as the terminator has operands")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parse_operands(parser)
        zipped = parser.parse_optional_keyword("with_zip_shortest") is not None
        values, results = parse_functional(parser, operands)
        region = ensure_yield(parser.parse_region())
        attributes = parser.parse_optional_attr_dict()
        properties: dict[str, Attribute] = {"with_zip_shortest": UnitAttr()} if zipped else {}
        return cls.create(operands=values, result_types=results, properties=properties, attributes=attributes, regions=[region])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        if self.with_zip_shortest is not None:
            printer.print_string(" with_zip_shortest")
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)
        if self.results:
            printer.print_string(" -> ")
            printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.body)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class ForeachMatchOp(IRDLOperation):
    """`%r = transform.foreach_match in %a @match -> @action, @other -> @other_action : (!transform.any_op) -> !transform.any_op`"""

    name = "transform.foreach_match"
    handles = var_operand_def()
    res = var_result_def()
    restrict_root = opt_prop_def(UnitAttr)
    flatten_results = opt_prop_def(UnitAttr)
    matchers = prop_def(ArrayAttr)
    actions = prop_def(ArrayAttr)

    def verify_(self) -> None:
        if len(self.matchers) != len(self.actions):
            raise VerifyException("expected the same number of matchers and actions")
        if not self.matchers:
            raise VerifyException("expected at least one match/action pair")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        for flag in ("restrict_root", "flatten_results"):
            if parser.parse_optional_keyword(flag):
                properties[flag] = UnitAttr()
        parser.parse_keyword("in")
        operands = parse_operands(parser)

        def pair() -> tuple[Attribute, Attribute]:
            matcher = SymbolRefAttr(parser.parse_symbol_name().data)
            parser.parse_punctuation("->")
            return matcher, SymbolRefAttr(parser.parse_symbol_name().data)

        pairs = parser.parse_comma_separated_list(parser.Delimiter.NONE, pair)
        properties["matchers"] = ArrayAttr(matcher for matcher, _ in pairs)
        properties["actions"] = ArrayAttr(action for _, action in pairs)
        attributes = parser.parse_optional_attr_dict()
        values, results = parse_functional(parser, operands)
        return cls.create(operands=values, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        for flag in ("restrict_root", "flatten_results"):
            if flag in self.properties:
                printer.print_string(f" {flag}")
        printer.print_string(" in ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(" ")

        def pair(both: tuple[Attribute, Attribute]) -> None:
            printer.print_attribute(both[0])
            printer.print_string(" -> ")
            printer.print_attribute(both[1])

        printer.print_list(list(zip(self.matchers, self.actions, strict=True)), pair)
        printer.print_op_attributes(self.attributes)
        print_functional(printer, self)


@irdl_op_definition
class SplitOp(IRDLOperation):
    """`%s = transform.structured.split %t after 42 {dimension = 0} : !transform.any_op`, or `after %handle {...} : type, type`"""

    name = "transform.structured.split"
    handles = var_operand_def()
    res = var_result_def()
    dimension = opt_prop_def(Attribute)
    static_chunk_sizes = opt_prop_def(Attribute)
    multiway = opt_prop_def(Attribute)

    def verify_(self) -> None:
        size = self.static_chunk_sizes
        static = isinstance(size, IntegerAttr) and cast("IntegerAttr[Any]", size).value.data != DYNAMIC_INDEX
        if static == (len(self.operands) > 1):
            raise VerifyException("expects either a dynamic or a static split point to be provided")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands: list[Any] = [parser.parse_unresolved_operand()]
        parser.parse_keyword("after")
        dynamic = parser.parse_optional_unresolved_operand()
        size = parser.parse_integer() if dynamic is None else DYNAMIC_INDEX
        operands += [] if dynamic is None else [dynamic]
        properties: dict[str, Attribute] = {"static_chunk_sizes": IntegerAttr(size, i64)}
        attributes = parser.parse_optional_attr_dict()
        for name in ("dimension", "multiway"):
            if name in attributes:
                properties[name] = attributes.pop(name)
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        values = parser.resolve_operands(operands, types, start)
        return cls.create(operands=values, result_types=types[:1], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])
        printer.print_string(" after ")
        if len(self.operands) > 1:
            printer.print_ssa_value(self.operands[1])
        else:
            printer.print_string(f"{cast('IntegerAttr[Any]', self.static_chunk_sizes).value.data} ")
        shown = {name: self.properties[name] for name in ("dimension", "multiway") if name in self.properties}
        printer.print_op_attributes({**shown, **self.attributes})
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)


@irdl_op_definition
class ReplaceOp(IRDLOperation):
    """`%r = transform.structured.replace %t { ... } : (!transform.any_op) -> !transform.any_op`"""

    name = "transform.structured.replace"
    handles = var_operand_def()
    res = var_result_def()
    body_region = region_def()
    traits = traits_def(NoTerminator())

    def verify_(self) -> None:
        inside = [op for block in self.body_region.blocks for op in block.ops]
        if len(inside) != 1:
            raise VerifyException("expected one operation in block")
        if inside[0].operands:
            raise VerifyException("expected replacement without operands")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = [parser.parse_unresolved_operand()]
        region = parser.parse_region()
        attributes = parser.parse_optional_attr_dict()
        values, results = parse_functional(parser, operands)
        return cls.create(operands=values, result_types=results, attributes=attributes, regions=[region])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])
        printer.print_string(" ")
        printer.print_region(self.body_region)
        printer.print_op_attributes(self.attributes)
        print_functional(printer, self)


@irdl_op_definition
class HoistPadOp(IRDLOperation):
    """`%r = transform.structured.hoist_pad %p by 1 loops, transpose by [1, 0] : (!transform.any_op) -> !transform.any_op`"""

    name = "transform.structured.hoist_pad"
    handles = var_operand_def()
    res = var_result_def()
    num_loops = prop_def(IntegerAttr)
    transpose = opt_prop_def(DenseArrayBase)

    def verify_(self) -> None:
        order = [] if self.transpose is None else list(cast(Any, self.transpose).get_values())
        if sorted(order) != list(range(len(order))):
            raise VerifyException(f"expects transpose to be a permutation, found {order}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = [parser.parse_unresolved_operand()]
        parser.parse_keyword("by")
        properties: dict[str, Attribute] = {"num_loops": IntegerAttr(parser.parse_integer(), i64)}
        parser.parse_keyword("loops")
        if parser.parse_optional_punctuation(","):
            parser.parse_keyword("transpose")
            parser.parse_keyword("by")
            order = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
            properties["transpose"] = DenseArrayBase.from_list(i64, order)
        attributes = parser.parse_optional_attr_dict()
        values, results = parse_functional(parser, operands)
        return cls.create(operands=values, result_types=results, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])
        printer.print_string(f" by {self.num_loops.value.data} loops")
        if self.transpose is not None:
            printer.print_string(f", transpose by {list(cast(Any, self.transpose).get_values())}")
        printer.print_op_attributes(self.attributes)
        print_functional(printer, self)


OWN_OPS: list[type[Operation]] = [
    *(SequenceOp, ForeachOp, ForeachMatchOp, MatchStructuredOp, MatchStructuredYieldOp),
    *(SplitOp, ReplaceOp, HoistPadOp),
]
