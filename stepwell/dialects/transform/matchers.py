"""`transform.match.structured`: the ops that ask about structured ops, and what must hold of them."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.dialects.transform import TransformHandleType, TransformValueHandleType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, region_def, traits_def, var_operand_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.transform.parts import parse_functional, parse_mode, print_functional, print_mode

_MATCHERS = frozenset(
    f"transform.match.structured.{name}"
    for name in (
        *("body", "classify_contraction_dims", "classify_convolution_dims", "dim", "elemental_bitwidth", "init", "input"),
        *("num_inits", "num_inputs", "rank", "result", "yield"),
    )
)


@irdl_op_definition
class MatchStructuredOp(IRDLOperation):
    """Runs matchers on a structured op: `transform.match.structured failures(suppress) %a : (...) -> ... { ^bb0(%s: ...): ... }`"""

    name = "transform.match.structured"
    handles = var_operand_def()
    res = var_result_def()
    failure_propagation_mode = opt_prop_def(Attribute)
    body_region = region_def("single_block")

    def verify_(self) -> None:
        block = self.body_region.block
        if len(block.args) != 1:
            raise VerifyException("expected one body argument")
        if not isinstance(block.args[0].type, TransformHandleType):
            raise VerifyException("expected body argument to implement TransformHandleTypeInterface")
        for op in block.ops:
            if op.name not in _MATCHERS and not op.name.startswith("transform.match."):
                raise VerifyException("expects nested operations to implement MatchOpInterface")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        mode = parse_mode(parser)
        operands = [parser.parse_unresolved_operand()]
        values, results = parse_functional(parser, operands)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = parser.parse_region()
        block = region.block
        if not isinstance(block.last_op, MatchStructuredYieldOp):
            block.add_op(MatchStructuredYieldOp.create())
        return cls.create(
            operands=values,
            result_types=results,
            properties={} if mode is None else {"failure_propagation_mode": mode},
            attributes={} if attributes is None else dict(attributes.data),
            regions=[region],
        )

    def print(self, printer: Printer) -> None:
        print_mode(printer, self.failure_propagation_mode)
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])
        print_functional(printer, self)
        if self.attributes:
            printer.print_string(" attributes")
            printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_region(self.body_region)


@irdl_op_definition
class MatchStructuredYieldOp(IRDLOperation):
    """`transform.match.structured.yield %a : !transform.any_op`"""

    name = "transform.match.structured.yield"
    handles = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($handles^)? attr-dict (`:` type($handles)^)?"

    def __init__(self, *handles: SSAValue) -> None:
        super().__init__(operands=[list(handles)])


def verify_predicate(op: Operation) -> None:
    """A matcher stands in `transform.match.structured` and looks at the op that it is run on."""
    parent = op.parent_op()
    if not isinstance(parent, MatchStructuredOp):
        raise VerifyException("expects parent op to be 'transform.match.structured'")
    if (
        op.operands
        and op.operands[0] is not parent.body_region.block.args[0]
        and op.name != "transform.match.structured.elemental_bitwidth"
    ):
        raise VerifyException("expected predicate to apply to the surrounding structured op")


def _flag(op: Operation, name: str) -> bool:
    return name in op.properties or name in op.attributes


def _numbers(op: Operation, name: str) -> list[int]:
    found = op.properties.get(name) or op.attributes.get(name)
    return [int(value) for value in cast(Any, found).get_values()] if isinstance(found, DenseArrayBase) else []


def verify_positions(op: Operation, name: str) -> None:
    """`[all]`, `[except(...)]` or positions, each once."""
    numbers, every = _numbers(op, name), _flag(op, "is_all")
    if every and _flag(op, "is_inverted"):
        raise VerifyException("cannot request both 'all' and 'inverted' values in the list")
    if every and numbers:
        raise VerifyException("cannot both request 'all' and specific values in the list")
    if not every and not numbers:
        raise VerifyException("must request specific values in the list if 'all' is not specified")
    if len(set(numbers)) != len(numbers):
        raise VerifyException("expected the listed values to be unique")


def verify_matcher(op: Operation) -> None:
    """What each matcher asks."""
    kind = op.name.rpartition(".")[2]
    if kind != "elemental_bitwidth":
        verify_predicate(op)
    if kind == "body":
        wanted = [name for name in ("reduction_position", "passthrough", "elementwise", "contraction") if _flag(op, name)]
        if len(wanted) > 1:
            kinds = '"reduction_position", "passthrough", "elementwise", "contraction"'
            raise VerifyException(f"only one of {{{kinds}}} is allowed")
    elif kind == "dim":
        verify_positions(op, "raw_dim_list")
        if _flag(op, "parallel") and _flag(op, "reduction"):
            raise VerifyException("cannot request the same dimension to be both parallel and reduction")
    elif kind in ("input", "init"):
        verify_positions(op, "raw_position_list")
        if _flag(op, "permutation") and _flag(op, "projected_permutation"):
            raise VerifyException('"permutation" and "projected_permutation" are mutually exclusive')
        several = _flag(op, "is_all") or _flag(op, "is_inverted") or len(_numbers(op, "raw_position_list")) != 1
        if op.results and several and not isinstance(op.results[0].type, TransformValueHandleType):
            raise VerifyException("cannot bind multiple inputs/inits to the same value")
    elif kind == "result":
        if _flag(op, "any") and _flag(op, "single"):
            raise VerifyException("'any' and 'single' are mutually exclusive")
        is_value = isinstance(op.results[0].type, TransformValueHandleType)
        if is_value == (_flag(op, "any") or _flag(op, "single")):
            raise VerifyException("expects either the any/single keyword or the type value handle result type")
