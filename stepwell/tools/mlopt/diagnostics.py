"""From errors to what a user reads: the place, the message, the source line, a caret, the notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TextIO

from stepwell.ir.diagnostics import CompileError

PLACE = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+)$")
PLACED_NOTE = re.compile(r"^(?P<place>.*?:\d+:\d+): note: (?P<message>.*)$", re.DOTALL)


class Diagnostic(NamedTuple):
    """One thing to say. `line` is None where the place is not in a file."""

    kind: str
    message: str
    location: str | None = None

    @property
    def line(self) -> int | None:
        """The line in the file."""
        match = PLACE.match(self.location or "")
        return int(match["line"]) if match else None


def diagnostics_of(error: CompileError) -> Iterator[Diagnostic]:
    """The error itself, then its notes; a note without a place of its own is about the place of the error."""
    yield Diagnostic("error", error.message + (f" ({error.hint})" if error.hint else ""), error.location)
    for note in getattr(error, "__notes__", ()):
        match = PLACED_NOTE.match(note)
        yield Diagnostic("note", match["message"], match["place"]) if match else Diagnostic("note", note, error.location)


def show(diagnostic: Diagnostic, sources: Mapping[str, str], stream: TextIO) -> None:
    """Write a diagnostic, with the source line that it is about if `sources` (file name -> text) has it."""
    prefix = f"{diagnostic.location}: " if diagnostic.location else ""
    stream.write(f"{prefix}{diagnostic.kind}: {diagnostic.message}\n")
    match = PLACE.match(diagnostic.location or "")
    if match and match["file"] in sources:
        lines = sources[match["file"]].split("\n")
        number = int(match["line"]) - 1
        if number < len(lines) and lines[number].strip():
            stream.write(f"{lines[number]}\n{_caret(lines[number], int(match['column']))}\n")


def _caret(line: str, column: int) -> str:
    """A caret below `column`; tabs stay tabs, so that it stands where the eye expects it."""
    return "".join("\t" if c == "\t" else " " for c in line[: column - 1].ljust(column - 1)) + "^"
