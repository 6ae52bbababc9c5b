"""Attributes as rows of a table: enumerations, and attributes whose body is kept as it is written.

`enumeration("nvvm.shfl_kind", "bfly up down idx")` is an attribute that holds one of these words. `body("llvm.di_file", ...)` is one that
holds a list of words, strings and further attributes in MLIR's spelling: it prints what was parsed, and equal bodies are equal attributes.
What must stand in a body is said by the parameters that it needs and may have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar, cast

from xdsl.ir import Attribute, Data, OpaqueSyntaxAttribute, SpacedOpaqueSyntaxAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

Item = str | Attribute
"""A piece of a body: a word, a number, a string literal with its quotes, punctuation, or an attribute or type."""


# ---- enumerations ---------------------------------------------------------------------------------------------------------------


class Enumeration(Data[str]):
    """One of a few words."""

    CASES: ClassVar[tuple[str, ...]]
    LABEL: ClassVar[str]
    BRACKETS: ClassVar[bool]

    @classmethod
    def parse_case(cls, parser: AttrParser) -> str:
        """A word that is one of the cases."""
        for case in cls.CASES:
            if not case.isidentifier() and parser.parse_optional_characters(case):
                return case
        word = parser.parse_optional_keyword_in(cls.CASES)
        if word is None:
            parser.raise_error(f"expected {cls.LABEL} to be one of: {', '.join(cls.CASES)}")
        return word

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        if parser.parse_optional_punctuation("<") is None:
            return cls.parse_case(parser)
        case = cls.parse_case(parser)
        parser.parse_punctuation(">")
        return case

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>" if self.BRACKETS else self.data)


def enumeration(name: str, cases: str, *, spaced: bool = False, label: str = "") -> type[Enumeration]:
    """The class of an enumeration. `spaced`: MLIR prints it `#gpu<name case>`, not `#gpu.name<case>`."""
    bases = (Enumeration, SpacedOpaqueSyntaxAttribute) if spaced else (Enumeration,)
    fields = {"name": name, "CASES": tuple(cases.split()), "LABEL": label or f"'{name}'", "BRACKETS": not spaced, "__doc__": f"`#{name}`"}
    return cast("type[Enumeration]", irdl_attr_definition(type(name.replace(".", "_"), bases, fields)))


# ---- bodies ---------------------------------------------------------------------------------------------------------------------

_CLOSING = {"<": ">", "(": ")", "[": "]", "{": "}"}
_TEXTUAL = (MLIRTokenKind.STRING_LIT, MLIRTokenKind.AT_IDENT)


def read_body(parser: AttrParser) -> tuple[Item, ...]:
    """What stands up to the bracket that closes the current one, which is not read."""
    found: list[Item] = []
    open_brackets: list[str] = []
    end = -1
    while True:
        token = parser._current_token  # pyright: ignore[reportPrivateUsage]
        text = token.text
        if token.kind == MLIRTokenKind.EOF:
            parser.raise_error("expected '>'")
        if text in (">", ")", "]", "}"):
            if not open_brackets:
                return tuple(found)
            if open_brackets.pop() != text:
                parser.raise_error(f"unbalanced '{text}' character in pretty dialect name")
        if text in _CLOSING:
            open_brackets.append(_CLOSING[text])
        if text.startswith("#"):
            found.append(parser.parse_attribute())
        elif text.startswith("!"):
            found.append(parser.parse_type())
        elif text == "loc" and (location := parser.parse_optional_location()) is not None:
            found.append(location)
        else:
            parser._consume_token()  # pyright: ignore[reportPrivateUsage]
            if text[0] == "x" and found and token.span.start == end and str(found[-1])[-1] in "0123456789?":
                found[-1] = f"{found[-1]}{text}"  # the dimensions of a type: `4` and `x8xf32`
            else:
                found.append(text)
            end = token.span.end


_NO_SPACE_BEFORE = frozenset({">", ")", "]", "}", ",", ":"})
_NO_SPACE_AFTER = frozenset({"<", "(", "[", "{"})


def print_body(printer: Printer, items: Sequence[Item]) -> None:
    """The pieces with MLIR's spaces."""
    before: Item = "<"
    for item in items:
        glued = item in ("<", "(", "[") and isinstance(before, str) and (before.isidentifier() or before == "]")
        if not (before in _NO_SPACE_AFTER or item in _NO_SPACE_BEFORE or glued or before == "-"):
            printer.print_string(" ")
        if isinstance(item, str):
            printer.print_string(item)
        else:
            printer.print_attribute(item)
        before = item


class Body(Data[tuple[Item, ...]]):
    """An attribute that holds what stands between its brackets."""

    CHECK: ClassVar[Callable[[AttrParser, tuple[Item, ...]], None] | None] = None
    ALIAS: ClassVar[str | None] = None
    """How the printer's name for it begins, where it has one: `tbaa_tag` for `#tbaa_tag1`."""

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Item, ...]:
        if parser.parse_optional_punctuation("<") is None:
            items: tuple[Item, ...] = ()
        else:
            items = read_body(parser) or ("",)
            if cls.CHECK is not None:
                cls.CHECK(parser, items)
            parser.parse_punctuation(">")
        return items

    def print_parameter(self, printer: Printer) -> None:
        if self.data:
            printer.print_string("<")
            print_body(printer, [item for item in self.data if item != ""])
            printer.print_string(">")

    def parameter(self, name: str) -> Item | None:
        """The first item of `name = ...` at the outermost level."""
        return parameters(self.data).get(name, (None,))[0]


@cache
def parameters(items: tuple[Item, ...]) -> dict[str, tuple[Item, ...]]:
    """`a = x, b = y z` by name."""
    found: dict[str, tuple[Item, ...]] = {}
    depth, at = 0, 0
    start: str | None = None
    for index, item in enumerate(items):
        if item in _CLOSING:
            depth += 1
        elif item in (">", ")", "]", "}"):
            depth -= 1
        elif depth == 0 and item == "=":
            start, at = str(items[index - 1]), index + 1
            found[start] = items[at:]
        elif depth == 0 and item == "," and start is not None:
            found[start] = items[at:index]
            start = None
    return found


def struct(required: str = "", optional: str = "", **kinds: tuple[type[Any] | str, ...]) -> Callable[[AttrParser, tuple[Item, ...]], None]:
    """A check that a body is `name = value, ...` of these names."""
    needed, known = required.split(), {*required.split(), *optional.split()}

    def check(parser: AttrParser, items: tuple[Item, ...]) -> None:
        found = parameters(items)
        for name in found:
            if optional and name not in known:
                parser.raise_error(f"duplicate or unknown struct parameter name: {name}")
        for name in needed:
            if name not in found:
                parser.raise_error(f"struct is missing required parameter: {name}")
        for name, allowed in kinds.items():
            value = found.get(name, (None,))[0]
            if value is not None and not isinstance(value, str) and value.name not in allowed:
                parser.raise_error("invalid kind of attribute specified")

    return check


def body(
    name: str,
    check: Callable[[AttrParser, tuple[Item, ...]], None] | None = None,
    *,
    type_: bool = False,
    opaque: bool = False,
    alias: bool = False,
) -> type[Body]:
    """The class of an attribute, or of a type, that holds its body. `alias`: the printer gives it a name."""
    bases: tuple[type, ...] = (Body, TypeAttribute) if type_ else (Body,)
    if opaque:
        bases = (*bases, OpaqueSyntaxAttribute)
    fields: dict[str, Any] = {
        "name": name,
        "CHECK": None if check is None else staticmethod(check),
        "ALIAS": name.partition(".")[2] if alias else None,
        "__doc__": f"`{name}<...>`",
    }
    return cast("type[Body]", irdl_attr_definition(type(name.replace(".", "_"), bases, fields)))
