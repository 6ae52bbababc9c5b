"""The textual form of a pass pipeline, as text and as a tree.

    pipeline := element (`,` element)*
    element  := anchor `(` pipeline? `)`  |  name options?
    anchor   := the name of an operation, or `any`
    options  := `{` (key (`=` value)?)* `}`           separated by blanks
    value    := text without blanks, or "text", or 'text', or {anything balanced}

Lines of a pipeline file may end in a comment: `// ...`.

Nothing here knows which passes exist; `pass_manager` gives the tree a meaning. Every node remembers its column, for error messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stepwell.ir.diagnostics import CompileError

SOURCE = "MLIR Textual PassPipeline Parser"
"""What stands for the file name in the location of an error."""


@dataclass(frozen=True)
class PassText:
    """`name{key=value ...}`; a key without value maps to None."""

    name: str
    options: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return self.name + options_to_text(self.options)


@dataclass(frozen=True)
class NestText:
    """`anchor(element, ...)`"""

    anchor: str
    elements: tuple[Element, ...]
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.anchor}({','.join(map(str, self.elements))})"


Element = PassText | NestText


class PipelineText(str):
    """The type of a pass option that is itself a pipeline: `inline{op-pipelines={func.func(canonicalize,cse)}}`."""


def pipeline_error(message: str, column: int, hint: str | None = None) -> CompileError:
    """An error at a column (from 1) of the pipeline text."""
    return CompileError(message, location=f"{SOURCE}:1:{column}", hint=hint)


def parse_elements(text: str) -> tuple[Element, ...]:
    """The elements of a pipeline. Raises CompileError at the offending column."""
    return _Parser(text).parse()


def parse_options(text: str) -> dict[str, str | None]:
    """The options between the braces, as the value of a flag `--pass='key=value ...'` has them."""
    return _Parser(text).options(end="")


def options_to_text(options: Mapping[str, str | None]) -> str:
    """`{key=value ...}`, or nothing where there are no options."""
    if not options:
        return ""
    return "{" + " ".join(key if value is None else f"{key}={quote(value)}" for key, value in options.items()) + "}"


def quote(value: str) -> str:
    """`value` in a form that the parser reads back as one value."""
    if value and not re.search(r"[\s{}()\"']", value):
        return value
    if "(" in value and value.count("{") == value.count("}"):
        return "{" + value + "}"
    return '"' + value + '"' if '"' not in value else "{" + value + "}"


def indented(element: Element, depth: int = 0) -> str:
    """An element on lines of its own, nested ones further right."""
    margin = "  " * depth
    if isinstance(element, PassText) or not element.elements:
        return f"{margin}{element}"
    inner: Sequence[str] = [indented(nested, depth + 1) for nested in element.elements]
    return f"{margin}{element.anchor}(\n" + ",\n".join(inner) + f"\n{margin})"


class _Parser:
    """Recursive descent over one line of text."""

    NAME = re.compile(r"[\w.$-]+")
    BLANK = re.compile(r"(?:\s|//[^\n]*(?=\n))*")
    PLAIN_VALUE = re.compile(r"[^\s{}\"']+")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> tuple[Element, ...]:
        elements = self._elements()
        if self._at < len(self._text):
            raise self._error(f"encountered unexpected '{self._text[self._at]}'")
        return elements

    def _elements(self) -> tuple[Element, ...]:
        self._skip_blanks()
        elements: list[Element] = []
        if self._peek() in ("", ")"):
            return ()
        while True:
            elements.append(self._element())
            self._skip_blanks()
            if self._peek() in ("", ")"):
                return tuple(elements)
            self._expect(",", "expected ',' after parsing pipeline")

    def _element(self) -> Element:
        self._skip_blanks()
        column = self._at + 1
        match = self.NAME.match(self._text, self._at)
        if not match:
            raise self._error("expected the name of a pass, a pipeline or an operation")
        self._at = match.end()
        self._skip_blanks()
        if self._peek() == "(":
            self._at += 1
            elements = self._elements()
            self._expect(")", f"expected ')' to close '{match[0]}('")
            return NestText(match[0], elements, column)
        if self._peek() == "{":
            self._at += 1
            return PassText(match[0], self.options(end="}"), column)
        return PassText(match[0], {}, column)

    def options(self, end: str) -> dict[str, str | None]:
        """Options up to `end`, a closing brace or the end of the text."""
        options: dict[str, str | None] = {}
        while True:
            self._skip_blanks()
            if self._peek() == end:
                self._at += len(end)
                return options
            match = self.NAME.match(self._text, self._at)
            if not match:
                raise self._error("missing closing '}' while processing pass options" if end else "expected the name of an option")
            self._at = match.end()
            options[match[0]] = None
            if self._peek() == "=":
                self._at += 1
                options[match[0]] = self._value()

    def _value(self) -> str:
        opening = self._peek()
        if opening in ("'", '"'):
            close = self._text.find(opening, self._at + 1)
        elif opening == "{":
            close = self._closing_brace()
        else:
            match = self.PLAIN_VALUE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            return match[0] if match else ""
        if close < 0:
            raise self._error(f"this {opening} is never closed")
        value = self._text[self._at + 1 : close]
        self._at = close + 1
        return value

    def _closing_brace(self) -> int:
        depth = 0
        for position in range(self._at, len(self._text)):
            depth += {"{": 1, "}": -1}.get(self._text[position], 0)
            if depth == 0:
                return position
        return -1

    def _skip_blanks(self) -> None:
        match = self.BLANK.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expect(self, token: str, message: str) -> None:
        if self._peek() != token:
            raise self._error(message)
        self._at += 1

    def _error(self, message: str) -> CompileError:
        return pipeline_error(message, self._at + 1)
