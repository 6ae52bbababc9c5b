"""A text, where it stands, and the tokens of it: the part of the parser that everything else of it is built on."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from xdsl.context import Context
from xdsl.parser import Parser
from xdsl.parser.generic_parser import ParserState
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import KIND_BY_PUNCTUATION_SPELLING, MLIRTokenKind, PunctuationSpelling

from stepwell.ir.text.lexing import FastLexer


class Source:
    """A text and where it stands: `name` is its file, `first_line` the number of its first line there."""

    def __init__(self, text: str, name: str = "-", first_line: int = 1) -> None:
        self.text = text
        self.name = name
        self._first_line = first_line
        self._line_starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._line_starts.append(position + 1)
            position = text.find("\n", position + 1)

    def line_and_column(self, position: int) -> tuple[int, int]:
        """Both from 1, in the file."""
        line = bisect_right(self._line_starts, position) - 1
        return line + self._first_line, position - self._line_starts[line] + 1

    def place_at(self, position: int) -> str:
        """`file:line:col`"""
        line, column = self.line_and_column(position)
        return f"{self.name}:{line}:{column}"


class TokenParser(Parser):
    """xDSL's parser on a faster lexer, with the methods that are called for every token made short."""

    def __init__(self, ctx: Context, source: Source) -> None:
        super().__init__(ctx, "", source.name)
        self._parser_state = ParserState(FastLexer(Input(source.text, source.name)))
        self._source = source
        self._text = source.text

    @property
    def pos(self) -> int:
        token: Any = self._parser_state.current_token
        return token.start

    @property
    def _current_token(self) -> Any:
        return self._parser_state.current_token

    def _consume_token(self, expected_kind: MLIRTokenKind | None = None) -> Any:
        state = self._parser_state
        consumed = state.current_token
        assert expected_kind is None or consumed.kind is expected_kind, f"unexpected token {consumed.text}"
        state.current_token = state.lexer.lex()
        return consumed

    def _parse_optional_token(self, expected_kind: MLIRTokenKind) -> Any:
        state = self._parser_state
        consumed = state.current_token
        if consumed.kind is not expected_kind:
            return None
        state.current_token = state.lexer.lex()
        return consumed

    def parse_optional_punctuation(self, punctuation: PunctuationSpelling) -> PunctuationSpelling | None:
        state = self._parser_state
        if state.current_token.kind is not KIND_BY_PUNCTUATION_SPELLING[punctuation]:
            return None
        state.current_token = state.lexer.lex()
        return punctuation

    def parse_optional_characters(self, text: str) -> str | None:
        state = self._parser_state
        if state.current_token.text != text:
            return None
        state.current_token = state.lexer.lex()
        return text

    def goes_on_behind(self, position: int, kinds: frozenset[MLIRTokenKind]) -> bool:
        """Go to the token behind `position` if it is one of `kinds` or the name of an operation; otherwise stay."""
        state = self._parser_state
        lexer = state.lexer
        before, lexer.pos = lexer.pos, position
        token: Any = lexer.lex()
        if token.kind in kinds or (token.kind is MLIRTokenKind.BARE_IDENT and ("." in token.text or token.text == "return")):
            state.current_token = token
            return True
        lexer.pos = before
        return False
