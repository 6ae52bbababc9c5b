"""Reading declarative assembly formats without judging: in a parser, out an operation that may be wrong, for the verifier to say so.

xDSL checks the types that it reads against the operation's constraints while it binds the constraints' variables, so that a wrong type is
reported as a failure to parse. Here the binding goes on after a wrong type: the first type that a variable meets is its value, and what
does not fit is left to the verifier, which knows the whole operation. Only parsers that ask for it (`reads_leniently`) read so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from xdsl.dialects.builtin import TensorType, VectorType
from xdsl.ir import Attribute
from xdsl.irdl import AttrConstraint, IRDLOperation, OpDef, OptionalDef
from xdsl.irdl.declarative_assembly_format import FormatProgram, ParsingState
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span

from stepwell.ir.rules import shown

_strict_parse = FormatProgram.parse


def _parse(self: FormatProgram, parser: Parser, op_type: type[Any]) -> Any:
    return _lenient_parse(self, parser, op_type) if getattr(parser, "reads_leniently", False) else _strict_parse(self, parser, op_type)


def _lenient_parse(program: FormatProgram, parser: Parser, op_type: type[IRDLOperation]) -> IRDLOperation:
    definition = op_type.get_irdl_definition()
    state = ParsingState(op_type)
    for statement in program.stmts:
        statement.parse(parser, state)
    _check_kinds(state, op_type, parser)
    problem = _bind_variables(state, definition)
    try:
        operand_types = program.resolve_operand_types(state, definition)
        result_types = program.resolve_result_types(state, definition)
    except (VerifyException, KeyError, ValueError, AttributeError, IndexError) as error:
        raise (problem or error) from error  # the type that does not fit is why another one is not known
    operands = [
        parser.resolve_operands(unresolved, types, parser.pos)
        for unresolved, types in zip(cast("list[Any]", state.operands), operand_types, strict=True)
    ]
    return op_type.build(
        result_types=result_types,
        operands=operands,
        attributes=state.attributes,
        properties=state.properties,
        regions=state.regions,
        successors=state.successors,
    )


KINDS: dict[type[Attribute], str] = {TensorType: "builtin.tensor", VectorType: "builtin.vector"}
"""Classes of types that a format which asks for them reads and nothing else, so that another type is an error of syntax, as upstream."""


@cache
def _kinds_of(op_type: type[IRDLOperation]) -> Sequence[tuple[bool, int, type[Attribute]]]:
    """Operands (True) and results (False) that allow types of one class in `KINDS`, by number."""
    definition = op_type.get_irdl_definition()
    found: list[tuple[bool, int, type[Attribute]]] = []
    for is_operand, fields in ((True, definition.operands), (False, definition.results)):
        for index, (_, field) in enumerate(fields):
            inner = getattr(getattr(field.constr, "constraint", field.constr), "constr", None)
            bases = inner.get_bases() if isinstance(inner, AttrConstraint) else None
            found += [(is_operand, index, kind) for kind in bases or () if kind in KINDS and len(bases or ()) == 1]
    return found


def _check_kinds(state: ParsingState, op_type: type[IRDLOperation], parser: Parser) -> None:
    """Raise a ParseError where a type that was written is not of the only class that its place allows."""
    for is_operand, index, kind in _kinds_of(op_type):
        written = (state.operand_types if is_operand else state.result_types)[index]
        for type in (written,) if isinstance(written, Attribute) else written or ():
            if not isinstance(type, kind):
                raise wrong_kind(parser, op_type.name, kind, type)


def wrong_kind(parser: Parser, name: str, kind: type[Attribute], found: Attribute) -> ParseError:
    """The error about a type that was just read: it is not of the kind that the operation called `name` takes."""
    next_token = parser._current_token.span  # pyright: ignore[reportPrivateUsage]
    end = len(next_token.input.content[: next_token.start].rstrip())
    message = f"custom op '{name}' invalid kind of type specified: expected {KINDS[kind]}, but found '{shown(found)}'"
    return ParseError(Span(end - 1, end, next_token.input), message)


def _bind_variables(state: ParsingState, definition: OpDef) -> VerifyException | None:
    """Give the constraint variables their values; the first thing that does not fit."""
    context = state.context
    problem: VerifyException | None = None

    def attempt(check: Any, *arguments: Any) -> None:
        nonlocal problem
        try:
            check(*arguments, context)
        except VerifyException as error:
            problem = problem or error

    for operand, types, (_, operand_def) in zip(state.operands, state.operand_types, definition.operands, strict=True):
        attempt(operand_def.constr.verify_length, len(operand) if isinstance(operand, Sequence) else 1)
        if types is not None:
            attempt(operand_def.constr.verify, (types,) if isinstance(types, Attribute) else types)
    for types, (_, result_def) in zip(state.result_types, definition.results, strict=True):
        if types is not None:
            attempt(result_def.constr.verify, (types,) if isinstance(types, Attribute) else types)
    for given, defined in ((state.properties, definition.properties), (state.attributes, definition.attributes)):
        for name, attribute_def in defined.items():
            if isinstance(attribute_def, OptionalDef) and attribute_def.default_value is None:
                continue
            attribute = given.get(name, attribute_def.default_value)
            if attribute is not None:
                attempt(attribute_def.constr.verify, attribute)
    return problem


FormatProgram.parse = _parse
