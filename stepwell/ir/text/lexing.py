"""Tokens of MLIR text: what xDSL's lexer gives, from one regular expression, in linear time.

In: a text. Out: tokens that know their text and where they stand; their spans are made when somebody asks for them, which is seldom.
"""

from __future__ import annotations

import re
from typing import Any

from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRTokenKind, StringLiteral

_SUFFIX = r"(?:[0-9]++|[a-zA-Z$._-][a-zA-Z0-9$._-]*+)"
_STRING = r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"'

_KINDS: tuple[tuple[str, Any], ...] = (
    ("%" + _SUFFIX, MLIRTokenKind.PERCENT_IDENT),
    (",", MLIRTokenKind.COMMA),
    ("[a-zA-Z_][a-zA-Z0-9_$.]*+", MLIRTokenKind.BARE_IDENT),
    (":", MLIRTokenKind.COLON),
    ("=", MLIRTokenKind.EQUAL),
    (r"0x[0-9a-fA-F]++", MLIRTokenKind.INTEGER_LIT),
    (r"[0-9]++\.[0-9]*+(?:[eE][+-]?[0-9]++)?", MLIRTokenKind.FLOAT_LIT),
    ("[0-9]++", MLIRTokenKind.INTEGER_LIT),
    ("<", MLIRTokenKind.LESS),
    (">", MLIRTokenKind.GREATER),
    (r"\(", MLIRTokenKind.L_PAREN),
    (r"\)", MLIRTokenKind.R_PAREN),
    (r"\[", MLIRTokenKind.L_SQUARE),
    (r"\]", MLIRTokenKind.R_SQUARE),
    (r"\{-#", MLIRTokenKind.FILE_METADATA_BEGIN),
    (r"\{", MLIRTokenKind.L_BRACE),
    (r"\}", MLIRTokenKind.R_BRACE),
    ("->", MLIRTokenKind.ARROW),
    ("-", MLIRTokenKind.MINUS),
    (_STRING, MLIRTokenKind.STRING_LIT),
    ("@(?:[a-zA-Z_][a-zA-Z0-9_$.]*+|" + _STRING + ")", MLIRTokenKind.AT_IDENT),
    (r"#-\}", MLIRTokenKind.FILE_METADATA_END),
    ("#" + _SUFFIX, MLIRTokenKind.HASH_IDENT),
    ("!" + _SUFFIX, MLIRTokenKind.EXCLAMATION_IDENT),
    (r"\^" + _SUFFIX, MLIRTokenKind.CARET_IDENT),
    (r"\?", MLIRTokenKind.QUESTION),
    (r"\*", MLIRTokenKind.STAR),
    (r"\+", MLIRTokenKind.PLUS),
    ("/", MLIRTokenKind.SLASH),
    (r"\|", MLIRTokenKind.VERTICAL_BAR),
    (r"\.\.\.", MLIRTokenKind.ELLIPSIS),
    (r"\Z", MLIRTokenKind.EOF),
)
BLANKS = r"[ \t\n\r\f\v]*+(?://[^\n]*+[ \t\n\r\f\v]*+)*+"
_TOKEN = re.compile(BLANKS + "(?:" + "|".join(f"({pattern})" for pattern, _ in _KINDS) + ")", re.ASCII)
_KIND_OF_GROUP: tuple[Any, ...] = (MLIRTokenKind.EOF, *(kind for _, kind in _KINDS))
_BLANKS = re.compile(BLANKS, re.ASCII)


class FastToken:
    """What xDSL's `Token` is: a kind and a span. The text is at hand, the span is made on demand."""

    __slots__ = ("_input", "_span", "end", "kind", "start", "text")

    def __init__(self, kind: MLIRTokenKind, text: str, start: int, end: int, input: Input[str]) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self._input = input
        self._span: Span[str] | None = None

    @property
    def span(self) -> Span[str]:
        """Where the token stands."""
        if self._span is None:
            is_string = self.kind in (MLIRTokenKind.STRING_LIT, MLIRTokenKind.BYTES_LIT)
            self._span = StringLiteral(self.start, self.end, self._input) if is_string else Span(self.start, self.end, self._input)
        return self._span

    content = property(lambda self: self.text)
    bytes = property(lambda self: self.text.encode())


class FastLexer(MLIRLexer):
    """One match for each token."""

    def lex(self) -> Any:
        """The next token. Raises ParseError where none begins."""
        match = _TOKEN.match(self.input.content, self.pos)
        if match is None:
            return self._refuse()
        group: Any = match.lastindex
        start, end = match.span(group)
        self.pos = end
        kind = _KIND_OF_GROUP[group]
        text = match[group]
        if "\\" in text and kind is MLIRTokenKind.STRING_LIT and not StringLiteral(start, end, self.input).bytes_contents.isascii():
            return FastToken(MLIRTokenKind.BYTES_LIT, text, start, end, self.input)
        return FastToken(kind, text, start, end, self.input)

    def _refuse(self) -> Any:
        match = _BLANKS.match(self.input.content, self.pos)
        start = match.end() if match else self.pos
        character = self.input.content[start : start + 1]
        if character == '"' or self.input.content[start : start + 2] == '@"':
            raise ParseError(Span(start, start + 1, self.input), "End of file reached before closing string literal.")
        self.pos = start
        token: Any = super().lex()  # has a message for nearly everything
        return FastToken(token.kind, token.text, token.span.start, token.span.end, self.input)


def skip_blanks(text: str, position: int) -> int:
    """Where the next token begins."""
    match = _BLANKS.match(text, position)
    assert match is not None
    return match.end()
