"""Locations in text that xDSL's parser does not read: fused ones with metadata, `fused<#attribute>["a.py":1:2, ...]`."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import CallSiteLoc, FusedLoc, LocationAttr, NoneAttr
from xdsl.parser import AttrParser
from xdsl.utils.mlir_lexer import MLIRTokenKind

_read = AttrParser._parse_location  # pyright: ignore[reportPrivateUsage]


def parse_location(parser: Any) -> LocationAttr:
    """A location, behind the parenthesis of `loc(`. What stands in it is read by this as well."""
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
