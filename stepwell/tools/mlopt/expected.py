"""`--verify-diagnostics`: what the comments of a file expect, held against what was said.

    // expected-error {{text}}             on this line; also -warning, -note, -remark
    // expected-error @+1 {{text}}         one line further down; @-2, @above (the line before), @below (the line after)
    // expected-error @unknown {{text}}    at no place in the file
    // expected-error-re {{a{{[0-9]+}}b}}  text, with regular expressions in double braces

Both directions count: an expectation that nothing met, and a diagnostic that nobody expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.mlopt.diagnostics import Diagnostic

EXPECTATION = re.compile(
    r"expected-(?P<kind>error|warning|note|remark)(?P<regex>-re)? *(?P<place>@(?:[+-]\d+|above|below|unknown))? *"
    r"\{\{(?P<text>(?:[^\n{}]|\{\{[^\n]*?\}\}|\{(?!\{)|\}(?!\}))*)\}\}"
)
BEGINNING = re.compile(r"//\s*expected-(?:error|warning|note|remark)\b")


@dataclass
class Expectation:
    """One comment. `line` is where the diagnostic must be, None for no place; `written` is where the comment stands."""

    kind: str
    line: int | None
    pattern: re.Pattern[str]
    text: str
    written: str
    met: bool = False

    def meets(self, diagnostic: Diagnostic) -> bool:
        """Whether `diagnostic` is what this comment expects."""
        return self.kind == diagnostic.kind and self.line == diagnostic.line and self.pattern.search(diagnostic.message) is not None


def expectations(text: str, file: str, first_line: int = 1) -> list[Expectation]:
    """The expectations in `text`. Raises CompileError for a comment that looks like one but cannot be read."""
    found: list[Expectation] = []
    for number, line in enumerate(text.split("\n"), first_line):
        if "expected-" not in line or "//" not in line:
            continue
        comment = line.index("//")
        matches = list(EXPECTATION.finditer(line, comment))
        for match in matches:
            target = _target(match["place"], number)
            written = f"{file}:{number}:{match.start() + 1}"
            found.append(Expectation(match["kind"], target, _pattern(match), match["text"], written))
        if not matches and BEGINNING.match(line, comment):
            raise CompileError("this expectation is not of the form expected-error @+1 {{text}}", location=f"{file}:{number}:{comment + 1}")
    return found


def _target(place: str | None, line: int) -> int | None:
    match place:
        case None:
            return line
        case "@above":
            return line - 1
        case "@below":
            return line + 1
        case "@unknown":
            return None
        case _:
            return line + int(place[1:])


def _pattern(match: re.Match[str]) -> re.Pattern[str]:
    text = match["text"]
    if not match["regex"]:
        return re.compile(re.escape(text))
    pieces = re.split(r"\{\{(.*?)\}\}", text)  # literal, regex, literal, ...
    return re.compile("".join(piece if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)))


def compare(expected: list[Expectation], said: Iterable[Diagnostic], *, only_expected: bool) -> list[Diagnostic]:
    """Complaints about the differences; empty where all is as expected. With `only_expected`, unexpected diagnostics are no complaint."""
    complaints: list[Diagnostic] = []
    for diagnostic in said:
        open_ones = [e for e in expected if not e.met and e.meets(diagnostic)]
        if open_ones:
            open_ones[0].met = True
        elif not only_expected and not any(e.meets(diagnostic) for e in expected):
            complaints.append(Diagnostic("error", f"unexpected {diagnostic.kind}: {diagnostic.message}", diagnostic.location))
    complaints += [Diagnostic("error", f'expected {e.kind} "{e.text}" was not produced', e.written) for e in expected if not e.met]
    return complaints
