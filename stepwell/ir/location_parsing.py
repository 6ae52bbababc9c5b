"""Locations in text that xDSL's parser does not read: fused ones with metadata, `fused<#attribute>["a.py":1:2, ...]`, lines without a
column, `"a.py":3`, and ranges, `"a.py":3:4 to 5:6`; and names of locations that are defined further down."""

from __future__ import annotations

import re
from typing import Any

from xdsl.dialects.builtin import UNKNOWN_LOC, CallSiteLoc, FileLineColLoc, FusedLoc, IntAttr, LocationAttr, NameLoc, NoneAttr, StringAttr
from xdsl.ir import Attribute, Operation
from xdsl.parser import AttrParser
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.ir.locations import RangeEnd

_read = AttrParser._parse_location  # pyright: ignore[reportPrivateUsage]


def parse_location(parser: Any) -> LocationAttr:
    """A location, behind the parenthesis of `loc(`. What stands in it is read by this as well."""
    if parser._current_token.kind is MLIRTokenKind.STRING_LIT:
        return _file_or_name(parser)
    if parser._current_token.kind is not MLIRTokenKind.BARE_IDENT:
        return _read(parser)
    if parser.parse_optional_keyword("fused") is not None:
        metadata: Any = NoneAttr()
        if parser.parse_optional_punctuation("<") is not None:
            metadata = parser.parse_attribute()
            parser.parse_punctuation(">")
        return FusedLoc(tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser._parse_location)), metadata)
    if parser.parse_optional_keyword("callsite") is not None:
        with parser.in_parens():
            callee = parser._parse_location()
            if parser.parse_optional_keyword("at") is None:
                parser.raise_error("expected 'at' in callsite location")
            return CallSiteLoc(callee, parser._parse_location())
    return _read(parser)


def _file_or_name(parser: Any) -> LocationAttr:
    text = parser.parse_str_literal()
    if parser.parse_optional_punctuation(":") is None:
        if parser.parse_optional_punctuation("(") is None:
            return NameLoc(StringAttr(text), UNKNOWN_LOC)
        inner = parser._parse_location()
        parser.parse_punctuation(")")
        return NameLoc(StringAttr(text), inner)
    line = parser.parse_integer(False, False)
    column = parser.parse_integer(False, False) if parser.parse_optional_punctuation(":") else 0
    begin = FileLineColLoc(StringAttr(text), IntAttr(line), IntAttr(column))
    if parser.parse_optional_keyword("to") is None:
        return begin
    last = parser.parse_optional_integer(False, False)
    end = (line if last is None else last, parser.parse_integer(False, False) if parser.parse_optional_punctuation(":") else 0)
    return begin if end == (line, column) else FusedLoc((begin,), RangeEnd(end))


_NAME_ALONE = re.compile(r"loc\s*\(\s*#([A-Za-z_][\w$]*)\s*\)")


class LaterLocations:
    """Locations by names that are not defined yet where they are used. Each is a placeholder until the whole text is read."""

    def __init__(self) -> None:
        self._places: dict[LocationAttr, tuple[str, int]] = {}

    def read(self, parser: Any, text: str) -> LocationAttr | None:
        """The placeholder for `loc(#name)` where the parser stands, if the name has no meaning yet."""
        match = _NAME_ALONE.match(text, parser.pos)
        if match is None or f"#{match[1]}" in parser.attribute_aliases:
            return None
        for _ in range(4):
            parser._consume_token()
        placeholder = NameLoc(StringAttr(f"#{match[1]}"), UNKNOWN_LOC)
        self._places.setdefault(placeholder, (f"#{match[1]}", match.start(1) - 1))
        return placeholder

    def resolve(self, root: Operation, parser: Any) -> None:
        """Put locations into the place of placeholders."""
        if not self._places:
            return
        meanings: dict[LocationAttr, LocationAttr] = {}
        for placeholder, (name, position) in self._places.items():
            found: Attribute | None = parser.attribute_aliases.get(name)
            if found is None:
                parser.raise_error("operation location alias was never defined", position, position)
            elif isinstance(found, LocationAttr):
                meanings[placeholder] = found
            else:
                parser.raise_error(f"expected location, but found '{found}'", position, position)
        for op in root.walk():
            op.location = meanings.get(op.location, op.location)
            for argument in (argument for region in op.regions for block in region.blocks for argument in block.args):
                argument.location = meanings.get(argument.location, argument.location)
