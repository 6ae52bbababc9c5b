"""Where names are defined and used in MLIR text, found from its tokens alone, so that it works in text that does not parse.

In: a text. Out: for a position, the definition of the name there and all its uses. Names of values and blocks belong to the braces that
they stand in; a value is defined where it is a result (`%a = ...`, `iter_args(%a = ...)`) or an argument of a function or a block. Symbols
are defined by the first `@name` behind the name of an operation.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.ir.text.lexing import FastLexer

K = MLIRTokenKind
OPENING = {K.L_BRACE: K.R_BRACE, K.L_PAREN: K.R_PAREN, K.L_SQUARE: K.R_SQUARE}
CLOSING = frozenset(OPENING.values())


class Name(NamedTuple):
    """One occurrence of a name."""

    kind: MLIRTokenKind
    text: str
    start: int
    end: int
    scope: tuple[int, ...]
    """The braces around it, from the outermost: numbers of their tokens."""
    is_definition: bool
    token: int
    """Which token it is."""


class NameIndex:
    """All names of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.names = list(self._names())
        self._starts = [name.start for name in self.names]

    def at(self, position: int) -> Name | None:
        """The name that `position` is in, or just behind."""
        number = bisect_right(self._starts, position) - 1
        found = self.names[number] if number >= 0 else None
        return found if found is not None and position <= found.end else None

    def definition(self, name: Name) -> Name | None:
        """Where `name` is defined: the nearest definition before it that it can see; for blocks and symbols, also one behind it."""
        if name.is_definition:
            return name
        visible = [d for d in self.names if d.is_definition and _same(d, name) and _sees(name, d)]
        if name.kind is K.PERCENT_IDENT:
            before = [d for d in visible if d.start < name.start]
            return before[-1] if before else (visible[0] if visible else None)
        return visible[0] if visible else None

    def references(self, name: Name) -> list[Name]:
        """All occurrences that mean the same, the definition first."""
        target = self.definition(name)
        if target is None:
            return [other for other in self.names if _same(other, name)]
        return [target, *(other for other in self.names if other is not target and _same(other, name) and self.definition(other) is target)]

    def type_text(self, definition: Name) -> str | None:
        """The type that stands behind an argument: `%x: type`."""
        tokens = self.tokens
        index = definition.token + 1
        if index >= len(tokens) or tokens[index].kind is not K.COLON:
            return None
        depth = 0
        first = index + 1
        for token in tokens[first:]:
            if depth == 0 and token.kind in (K.COMMA, K.R_PAREN, K.L_BRACE):
                return self.text[tokens[first].start : token.start].strip()
            depth += (token.kind in (K.L_PAREN, K.LESS, K.L_SQUARE)) - (token.kind in (K.R_PAREN, K.GREATER, K.R_SQUARE))
        return None

    def operation_of(self, definition: Name) -> Any:
        """The token that names the operation whose result is defined here, or None for an argument."""
        tokens = self.tokens
        for number in range(definition.token + 1, len(tokens) - 1):
            if tokens[number].kind is K.EQUAL:
                return tokens[number + 1] if tokens[number + 1].kind in (K.BARE_IDENT, K.STRING_LIT) else None
            if tokens[number].kind not in (K.COMMA, K.PERCENT_IDENT, K.COLON, K.INTEGER_LIT):
                return None
        return None

    # ---- reading

    def _names(self) -> Any:
        tokens = self.tokens
        brackets: list[int] = []
        for index, token in enumerate(tokens):
            if token.kind in OPENING:
                brackets.append(index)
            elif token.kind in CLOSING and brackets:
                brackets.pop()
            elif token.kind in (K.PERCENT_IDENT, K.CARET_IDENT, K.AT_IDENT):
                scope = tuple(number for number in brackets if tokens[number].kind is K.L_BRACE)
                text = token.text.partition("#")[0]
                yield Name(token.kind, text, token.start, token.end, scope, self._defines(index, brackets), index)

    def _defines(self, index: int, brackets: list[int]) -> bool:
        tokens = self.tokens
        kind = tokens[index].kind
        before = tokens[index - 1] if index else None
        if kind is K.AT_IDENT:
            return before is not None and before.kind is K.BARE_IDENT and before.text not in ("call", "func.call", "llvm.call")
        if kind is K.CARET_IDENT:
            return self._begins_line(index)
        inner = brackets[-1] if brackets else None
        if inner is not None and tokens[inner].kind is K.L_PAREN and inner > 0:
            opener = tokens[inner - 1]
            if opener.kind is K.AT_IDENT or (opener.kind is K.CARET_IDENT and self._begins_line(inner - 1)):
                return index + 1 < len(tokens) and tokens[index + 1].kind is K.COLON
        return self._is_result(index)

    def _is_result(self, index: int) -> bool:
        """`%a`, `%a:2` or `%a, %b` before an equals sign, perhaps in parentheses."""
        tokens = self.tokens
        position = index + 1
        while position < len(tokens) and tokens[position].kind in (K.COMMA, K.PERCENT_IDENT, K.COLON, K.INTEGER_LIT):
            position += 1
        if position < len(tokens) and tokens[position].kind is K.EQUAL:
            return position == index + 1 or self._begins_line(self._first_of_list(index))
        if position + 1 < len(tokens) and tokens[position].kind is K.R_PAREN:
            return tokens[position + 1].kind is K.EQUAL
        return False

    def _first_of_list(self, index: int) -> int:
        """The first token of a list `%a:2, %b` that `index` is in."""
        tokens = self.tokens
        while index:
            before, here = tokens[index - 1].kind, tokens[index].kind
            goes_on = here in (K.COMMA, K.COLON) if before is K.PERCENT_IDENT else before in (K.COMMA, K.COLON, K.INTEGER_LIT)
            if not goes_on:
                break
            index -= 1
        return index

    def _begins_line(self, index: int) -> bool:
        start = self.tokens[index].start
        return not self.text[self.text.rfind("\n", 0, start) + 1 : start].strip()


def _same(one: Name, other: Name) -> bool:
    return one.kind is other.kind and one.text == other.text


def _sees(use: Name, definition: Name) -> bool:
    if use.kind is K.AT_IDENT:
        return True
    if use.kind is K.CARET_IDENT:
        return use.scope == definition.scope
    return use.scope[: len(definition.scope)] == definition.scope


def _tokens(text: str) -> list[Any]:
    lexer = FastLexer(Input(text, "text"))
    found: list[Any] = []
    while lexer.pos <= len(text):
        try:
            token = lexer.lex()
        except ParseError:
            lexer.pos = max(lexer.pos, found[-1].end if found else 0) + 1
            continue
        if token.kind is K.EOF:
            break
        found.append(token)
    return found
