"""From errors to what a user reads: the place, the message, the source line, a caret, the notes; or a line of JSON for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from stepwell.ir.diagnostics import PLACE, CompileError, Diagnostic

__all__ = ["Diagnostic", "Style", "all_diagnostics_of", "diagnostics_of", "flat", "show"]

PLACED_NOTE = re.compile(r"^(?P<place>.*?:\d+:\d+): note: (?P<message>.*)$", re.DOTALL)
SEE = "see current operation: "
ABOUT_THE_PASS = "while running pass "
LEVELS = {"errors": ("error",), "warnings": ("error", "warning"), "remarks": ("error", "warning", "remark")}


@dataclass(frozen=True)
class Style:
    """How diagnostics are shown; the fields are flags of `mlopt`."""

    json: bool = False
    notes: bool = True
    current_operation: bool = True
    """Show the operation that an error is about."""
    level: str = "remarks"
    """errors, warnings or remarks: what is shown, from the gravest."""


def diagnostics_of(error: CompileError) -> Iterator[Diagnostic]:
    """The error itself, with its notes; a note without a place of its own is about the place of the error."""
    notes: list[Diagnostic] = []
    for note in getattr(error, "__notes__", ()):
        match = PLACED_NOTE.match(note)
        notes.append(Diagnostic("note", match["message"], match["place"]) if match else Diagnostic("note", note, error.location))
    yield Diagnostic("error", error.message + (f" ({error.hint})" if error.hint else ""), error.location, tuple(notes))


def all_diagnostics_of(errors: Iterable[CompileError]) -> list[Diagnostic]:
    """Those of several errors, in their order."""
    return [diagnostic for error in errors for diagnostic in diagnostics_of(error)]


def flat(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Every diagnostic, followed by its notes."""
    for diagnostic in diagnostics:
        yield diagnostic
        yield from diagnostic.notes


def show(diagnostic: Diagnostic, sources: Mapping[str, str], stream: TextIO, style: Style | None = None) -> None:
    """Write a diagnostic and its notes, with the source lines that they are about if `sources` (file name -> text) has them."""
    style = style or Style()
    if diagnostic.kind != "note" and diagnostic.kind not in LEVELS[style.level]:
        return
    notes = [note for note in diagnostic.notes if style.notes and (style.current_operation or not note.message.startswith(SEE))]
    if style.json:
        stream.write(_as_json(diagnostic, notes) + "\n")
        return
    for shown in (diagnostic, *notes):
        _show_one(shown, sources, stream)


def _show_one(diagnostic: Diagnostic, sources: Mapping[str, str], stream: TextIO) -> None:
    prefix = f"{diagnostic.location}: " if diagnostic.location else ""
    stream.write(f"{prefix}{diagnostic.kind}: {diagnostic.message}\n")
    if diagnostic.kind == "note" and diagnostic.message.startswith((SEE, ABOUT_THE_PASS)):
        return  # its place has just been shown
    match = PLACE.match(diagnostic.location or "")
    if match and match["file"] in sources:
        lines = sources[match["file"]].split("\n")
        number = int(match["line"]) - 1
        if 0 <= number < len(lines) and lines[number].strip():
            stream.write(f"{lines[number]}\n{_caret(lines[number], int(match['column']))}\n")


def _caret(line: str, column: int) -> str:
    """A caret below `column`; tabs stay tabs, so that it stands where the eye expects it."""
    return "".join("\t" if c == "\t" else " " for c in line[: column - 1].ljust(column - 1)) + "^"


def _as_json(diagnostic: Diagnostic, notes: Iterable[Diagnostic]) -> str:
    """One object on one line: severity, message, file, line, column, notes."""
    import json

    return json.dumps({**_fields(diagnostic), "notes": [_fields(note) for note in notes]}, ensure_ascii=False)


def _fields(diagnostic: Diagnostic) -> dict[str, object]:
    match = PLACE.match(diagnostic.location or "")
    found: dict[str, object] = {"severity": diagnostic.kind, "message": diagnostic.message}
    if match:
        return {**found, "file": match["file"], "line": int(match["line"]), "column": int(match["column"])}
    return {**found, "file": None, "line": None, "column": None, "location": diagnostic.location}
