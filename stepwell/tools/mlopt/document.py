"""What a language server knows of one text: its diagnostics, names, definitions and references, and what may be written next."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import PLACE, CompileError, Diagnostic
from stepwell.ir.registry import all_dialects, make_context
from stepwell.ir.text.parsing import Source, parse_module
from stepwell.ir.verify import verify_all
from stepwell.tools.mlopt.diagnostics import all_diagnostics_of
from stepwell.tools.mlopt.names import K, Name, NameIndex
from stepwell.tools.mlopt.split import split

WORD = re.compile(r"[A-Za-z_][\w$.]*")
MARKER = "// -----"


class Document:
    """What is known of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.source = Source(text)
        self.index = NameIndex(text)
        self.diagnostics: list[Diagnostic] = []
        self._types: dict[tuple[int, int], list[str]] = {}
        """Types of the results of an operation by the line and column of its name."""
        for piece in split(text, MARKER):
            self._read(piece.text, piece.first_line)

    def _read(self, text: str, first_line: int) -> None:
        try:
            module = parse_module(text, make_context(allow_unregistered=True), name="text", first_line=first_line)
            self.diagnostics += all_diagnostics_of(verify_all(module))
        except CompileError as error:
            self.diagnostics += all_diagnostics_of([error])
            return
        except RecursionError:
            self.diagnostics.append(Diagnostic("error", "the IR is nested too deeply", f"text:{first_line}:1"))
            return
        for op in module.walk():
            match = PLACE.match(_place(op))
            if match:
                self._types[int(match["line"]), int(match["column"])] = [str(result.type) for result in op.results]

    def offset(self, line: int, character: int) -> int:
        """The position of a line and a character, both from 0."""
        start = 0
        for _ in range(line):
            following = self.text.find("\n", start)
            if following < 0:
                return len(self.text)
            start = following + 1
        end = self.text.find("\n", start)
        return min(start + character, end if end >= 0 else len(self.text))

    def hover(self, position: int) -> str | None:
        """What to show for the word at `position`, as Markdown."""
        name = self.index.at(position)
        if name is not None:
            return self._hover_name(name)
        start = position
        while start and re.match(r"[\w$.]", self.text[start - 1]):
            start -= 1
        word = WORD.match(self.text, start)
        found = _operation(word[0]) if word else None
        if found is None:
            return None
        return f"**{found.name}**\n\n{inspect.getdoc(found) or ''}".strip()

    def _hover_name(self, name: Name) -> str | None:
        definition = self.index.definition(name)
        if definition is None:
            return None
        if name.kind is not K.PERCENT_IDENT:
            line = self.text[self.text.rfind("\n", 0, definition.start) + 1 :].partition("\n")[0].strip()
            return f"```mlir\n{line}\n```"
        type = self._type_of(definition)
        return f"```mlir\n{name.text} : {type}\n```" if type else None

    def _type_of(self, definition: Name) -> str | None:
        token = self.index.operation_of(definition)
        if token is None:
            return self.index.type_text(definition)
        types = self._types.get(self.source.line_and_column(token.start))
        return ", ".join(types) if types else None

    def completions(self, position: int) -> list[tuple[str, str]]:
        """(text, kind) for what may stand at `position`; kind is dialect, operation or attribute."""
        line = self.text[self.text.rfind("\n", 0, position) + 1 : position]
        word = re.search(r"[\w$.]*$", line)
        prefix = word[0] if word else ""
        if "{" in line and line.rfind("{") > line.rfind("}"):
            names = [found for found in WORD.findall(line) if _operation(found)]
            return [(name, "attribute") for name in _attributes(names[-1])] if names else []
        if "." in prefix:
            return [(name, "operation") for name in _operations(prefix.partition(".")[0]) if name.startswith(prefix)]
        return [(name, "dialect") for name in all_dialects() if name.startswith(prefix)]


def _place(op: Operation) -> str:
    from stepwell.ir.locations import place_of

    return place_of(op.location) or ""


@cache
def _context() -> Context:
    return make_context()


def _operation(name: str) -> type[Operation] | None:
    """The class of an operation; names without a dialect are of `func` or `builtin`."""
    candidates = (name,) if "." in name else (f"func.{name}", f"builtin.{name}")
    return next((found for candidate in candidates if (found := _context().get_optional_op(candidate))), None)


def _operations(dialect: str) -> Iterator[str]:
    """All operations of a dialect, the rare ones included."""
    context: Any = _context()
    if context.get_optional_dialect(dialect) is None:
        return
    context.get_optional_op(f"{dialect}.?")  # nothing is called so: now the rare part is loaded, too
    yield from sorted(op.name for op in context.loaded_ops if op.name.partition(".")[0] == dialect)


def _attributes(name: str) -> list[str]:
    found: Any = _operation(name)
    if found is None or not hasattr(found, "get_irdl_definition"):
        return []
    definition = found.get_irdl_definition()
    return sorted({*definition.attributes, *definition.properties})
