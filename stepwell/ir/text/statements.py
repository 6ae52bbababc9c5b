"""Statements that have been read before: a line that differs from an earlier one in names of values alone is not parsed again.

In: the parser, standing before an operation. Out: the operation, if its whole line, with `%` for each name, was parsed before and the
values that it names now have the types that the values had then; otherwise None, and the parser reads on. What is remembered: the class,
the attributes, the result types, and which name is which operand.

    %a = arith.addi %x, %y : i32        read by the parser; remembered as `arith.addi %, % : i32`
    %b = arith.addi %a, %x : i32        the same again

Lines with regions, successors, strings, comments or locations are never remembered, and neither are those that continue on the next line.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, cast

from xdsl.dialects.builtin import UNKNOWN_LOC, IntAttr, IntegerAttr
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.ir.text.lexing import skip_blanks
from stepwell.ir.text.naming import is_default_name
from stepwell.ir.text.tokens import TokenParser

LONGEST = 300
"""Longer lines are rarely read twice."""

_OPERAND = re.compile(r"%([A-Za-z0-9$._-]+(?:#[0-9]+)?)")
_RESULT = re.compile(r"%([A-Za-z0-9$._-]+) *= *")
_BEGINS = frozenset(
    {
        MLIRTokenKind.PERCENT_IDENT,
        MLIRTokenKind.R_BRACE,
        MLIRTokenKind.STRING_LIT,
        MLIRTokenKind.CARET_IDENT,
        MLIRTokenKind.EOF,
    }
)
"""What may stand behind a statement that is over."""
_NUMBER = re.compile(r"([a-z_.]+ )([0-9]{1,18})( : (?:i[0-9]+|index))")
"""An operation that is a number and its type."""
_MAY_DEDUPLICATE = "affine."
"""Operations of this dialect pass a value once that is named twice: with such names they are parsed."""


class _Template(NamedTuple):
    kind: type[Operation]
    properties: dict[str, Attribute]
    attributes: dict[str, Attribute]
    result_types: tuple[Attribute, ...]
    operand_types: tuple[Attribute, ...]
    order: tuple[int, ...]
    """For each operand, its number among the names."""


class Statement(NamedTuple):
    """A line that may be remembered: which operation, and where it stands."""

    key: tuple[str, str]
    result: str | None
    names: list[str]
    name_position: int
    end: int


class Statements:
    """The lines that one parser has read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._templates: dict[tuple[str, str], _Template] = {}
        self._numbers: dict[tuple[str, str], _Template] = {}
        self._hints: dict[str, str | None] = {}

    def at(self, start: int, dialect: str) -> Statement | None:
        """The statement that begins at `start`, if it is one that may be remembered. Names without a dialect are of `dialect`."""
        text = self._text
        end = text.find("\n", start)
        if end < 0 or end - start > LONGEST:
            return None
        line = text[start:end]
        if '"' in line or "//" in line or line[-1] == "{":
            return None
        result = None
        offset = 0
        if line[0] == "%":
            match = _RESULT.match(line)
            if match is None:
                return None
            result, offset = match[1], match.end()
        parts = _OPERAND.split(line[offset:])
        return Statement(("%".join(parts[::2]), dialect), result, parts[1::2], start + offset, end)

    def again(self, statement: Statement, parser: TokenParser) -> Operation | None:
        """The operation of a statement whose like has been read."""
        template = self._templates.get(statement.key)
        if template is None and (template := self._with_number(statement.key)) is None:
            return None
        known = parser.ssa_values
        values: list[SSAValue] = []
        for name, type in zip(statement.names, template.operand_types, strict=True):
            value = _value(name, known)
            if value is None or (value.type is not type and value.type != type):
                return None
            values.append(value)
        result = statement.result
        if (result is None) is bool(template.result_types) or result in known or result in parser.forward_ssa_references:
            return None
        if template.kind.name.startswith(_MAY_DEDUPLICATE) and len(set(values)) != len(values):
            return None
        if not parser.goes_on_behind(statement.end, _BEGINS):
            return None
        operands = [values[number] for number in template.order]
        op = template.kind.create(
            operands=operands, result_types=template.result_types, properties=template.properties, attributes=template.attributes
        )
        if result is not None:
            known[result] = tuple(op.results)
            hint = self._hint(result)
            if hint is not None and not is_default_name(op.results[0], hint):
                op.results[0]._name = hint  # pyright: ignore[reportPrivateUsage]  # checked already
        return op

    def remember(self, statement: Statement, op: Operation, parser: TokenParser) -> None:
        """Take note of what the parser made of a statement."""
        is_plain = not op.regions and not op.successors and op.location is UNKNOWN_LOC
        if not is_plain or len(op.results) != (statement.result is not None) or parser.pos != skip_blanks(self._text, statement.end):
            return
        values = [_value(name, parser.ssa_values) for name in statement.names]
        operands = op.operands
        if len(values) != len(operands) or len(set(values)) != len(values) or set(values) != set(operands):
            return
        order = tuple(values.index(operand) for operand in operands)
        types = tuple(value.type for value in values if value is not None)
        results = tuple(result.type for result in op.results)
        template = self._templates[statement.key] = _Template(type(op), op.properties, op.attributes, results, types, order)
        if (match := _NUMBER.fullmatch(statement.key[0])) is not None and _is_number(op.properties.get("value"), int(match[2])):
            self._numbers[match[1] + match[3], statement.key[1]] = template

    def _with_number(self, key: tuple[str, str]) -> _Template | None:
        """`arith.constant 7 : i32`, where the same was read with another number."""
        match = _NUMBER.fullmatch(key[0])
        template = self._numbers.get((match[1] + match[3], key[1])) if match is not None else None
        if match is None or template is None:
            return None
        number, type = int(match[2]), cast("Any", template.properties["value"]).type
        bits = int(match[3][4:]) if match[3] != " : index" else 64
        if number >= 1 << max(bits - 1, 0):
            return None  # it may mean a negative one, or nothing
        value = object.__new__(IntegerAttr)
        vars(value).update(value=IntAttr(number), type=type)
        found = self._templates[key] = template._replace(properties={**template.properties, "value": value})
        return found

    def _hint(self, name: str) -> str | None:
        if name not in self._hints:
            self._hints[name] = OpResult.extract_valid_name(name) if SSAValue.is_valid_name(name) else None
        return self._hints[name]


def _value(name: str, known: Any) -> SSAValue | None:
    found = known.get(name)
    if found is not None:
        return found[0] if len(found) == 1 else None
    name, hash, index = name.partition("#")
    found = known.get(name) if hash else None
    return found[int(index)] if found is not None and int(index) < len(found) else None


def _is_number(value: Attribute | None, number: int) -> bool:
    return type(value) is IntegerAttr and cast("IntegerAttr[Any]", value).value.data == number
