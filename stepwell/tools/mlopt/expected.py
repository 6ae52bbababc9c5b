"""`--verify-diagnostics`: what the comments of a file expect, held against what was said.

    // expected-error {{text}}             on this line; also -warning, -note, -remark
    // expected-error @+1 {{text}}         one line further down; @-2, @above (the line before), @below (the line after)
    // expected-error @unknown {{text}}    at no place in the file
    // expected-error-re {{a{{[0-9]+}}b}}  text, with regular expressions in double braces

Both directions count: an expectation that nothing met, and a diagnostic that nobody expected. As upstream, several `@above` and `@below`
next to each other are about the nearest line that holds no expectation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stepwell.ir.diagnostics import CompileError, Diagnostic

EXPECTATION = re.compile(
    r"expected-(?P<kind>error|note|remark|warning)(?P<regex>-re)? *(?P<place>@(?:[+-]\d+|above|below|unknown))? *\{\{(?P<text>.*)\}\}$"
)
START = re.compile(r"expected-(?:error|note|remark|warning)(?:-re)? *(?:@(?:[+-]\d+|above|below|unknown))? *\{\{")
BEGINNING = re.compile(r"//\s*expected-(?:error|warning|note|remark)(?:-re)? *(?:@\S*)? *\{")


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
        return self.kind == diagnostic.kind and self.is_about(diagnostic)

    def is_about(self, diagnostic: Diagnostic) -> bool:
        """Whether it is, but perhaps of another kind."""
        return self.line == diagnostic.line and self.pattern.search(diagnostic.message) is not None


def expectations(text: str, file: str, first_line: int = 1) -> list[Expectation]:
    """The expectations in `text`. Raises CompileError for a comment that looks like one but cannot be read."""
    found: list[Expectation] = []
    below: list[Expectation] = []
    last_plain = first_line - 1
    for number, line in enumerate(text.split("\n"), first_line):
        comments = list(_in_line(line)) if "expected-" in line else []
        if not comments:
            for waiting in below:
                waiting.line = number
            below.clear()
            last_plain = number
            if BEGINNING.search(line):
                where = f"{file}:{number}:{line.index('//') + 1}"
                raise CompileError("this expectation is not of the form expected-error @+1 {{text}}", location=where)
        for start, match in comments:
            written = f"{file}:{number}:{start + 1}"
            expectation = Expectation(match["kind"], number, _pattern(match, written), match["text"], written)
            found.append(expectation)
            match match["place"]:
                case None:
                    pass
                case "@above":
                    expectation.line = last_plain
                case "@below":
                    below.append(expectation)
                case "@unknown":
                    expectation.line = None
                case place:
                    expectation.line = number + int(place[1:])
    return found


def _in_line(line: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The expectations in one line and where they start. The text of the only one reaches to the last braces of the line, as upstream."""
    starts = [match.start() for match in START.finditer(line)]
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(line)
        close = line.rfind("}}", start, end)
        match = EXPECTATION.match(line[start : close + 2]) if close > 0 else None
        if match:
            yield start, match


def _pattern(match: re.Match[str], written: str) -> re.Pattern[str]:
    text = match["text"]
    if not match["regex"]:
        return re.compile(re.escape(text))
    pieces = re.split(r"\{\{(.*?)\}\}", text)  # literal, regex, literal, ...
    try:
        return re.compile("".join(_posix(piece) if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)))
    except re.error as error:
        raise CompileError(f"invalid regex: {error.msg}", location=written) from error


def _posix(pattern: str) -> str:
    """The classes of POSIX that Python spells differently."""
    for name, characters in (("digit", r"\d"), ("alnum", "a-zA-Z0-9"), ("alpha", "a-zA-Z"), ("space", r"\s"), ("xdigit", "0-9a-fA-F")):
        pattern = pattern.replace(f"[:{name}:]", characters)
    return pattern


def compare(expected: list[Expectation], said: Iterable[Diagnostic], *, only_expected: bool) -> list[Diagnostic]:
    """Complaints about the differences; empty where all is as expected. With `only_expected`, unexpected diagnostics are no complaint."""
    complaints: list[Diagnostic] = []
    for diagnostic in said:
        fitting = [e for e in expected if e.meets(diagnostic)]
        if fitting:
            next((e for e in fitting if not e.met), fitting[0]).met = True
        elif not only_expected:
            complaints.append(_complaint(expected, diagnostic))
    complaints += [Diagnostic("error", f'expected {e.kind} "{e.text}" was not produced', e.written) for e in expected if not e.met]
    return complaints


def _complaint(expected: list[Expectation], diagnostic: Diagnostic) -> Diagnostic:
    near = next((e for e in expected if not e.met and e.is_about(diagnostic)), None)
    if near:
        return Diagnostic("error", f"'{diagnostic.kind}' diagnostic emitted when expecting a '{near.kind}'", near.written)
    return Diagnostic("error", f"unexpected {diagnostic.kind}: {diagnostic.message}", diagnostic.location)
