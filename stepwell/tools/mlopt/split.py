"""`--split-input-file`: one text in, its pieces between marker lines out, each with the number of its first line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of the input and where it begins in it (from 1)."""

    text: str
    first_line: int


def split(text: str, marker: str | None) -> list[Piece]:
    """The pieces of `text` between lines that hold only `marker`; the whole where `marker` is None."""
    if marker is None:
        return [Piece(text, 1)]
    pieces: list[Piece] = []
    lines: list[str] = []
    first_line = 1
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() == marker:
            pieces.append(Piece("\n".join(lines) + "\n", first_line))
            lines, first_line = [], number + 1
        else:
            lines.append(line)
    return [*pieces, Piece("\n".join(lines), first_line)]


def near_misses(text: str, marker: str) -> Iterator[tuple[int, int]]:
    """Line and column of lines that begin like the marker but are not it."""
    beginning = marker[:-2]
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped != marker and stripped.startswith(beginning) and set(stripped[len(beginning) :]) <= {"-", " "}:
            yield number, line.index(beginning) + 1
