"""Names for attributes, `#map1` and `#loc3`, whose meaning is written in front of the IR or behind it, numbered as MLIR numbers them.

What has a name is printed as a mark. When all is printed it is known what needs names, how deep each is nested in others, and in which
order they were met; then marks become names. What only ends operations, a location with what stands in it, may be defined behind the IR;
what stands elsewhere is defined in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FusedLoc, LocationAttr, NameLoc, UnknownLoc
from xdsl.ir import Attribute

from stepwell.ir.locations import RangeEnd, range_of

_MARK = re.compile("\x01([0-9]+)\x02")
"""No printed text has these characters: strings have them escaped."""


@dataclass
class _Named:
    """An attribute that has a name, and what it means."""

    stem: str
    follows: bool
    """Whether it may be defined behind the IR."""
    text: str = ""
    depth: int = 1
    inner: list[int] = field(default_factory=list[int])
    """Those that occur in its text, by number."""


class Aliases:
    """What was met that has a name, in order."""

    def __init__(self) -> None:
        self._numbers: dict[Attribute, int] = {}
        self._met: list[_Named] = []
        self._follows = False
        """Whether what is printed now stands in something that may follow."""

    def mark(self, attribute: Attribute, stem: str, text: Callable[[], str], *, follows: bool = False) -> str:
        """What to print for `attribute`; `text` writes it out, with marks in it. `follows`: it may be defined behind its use."""
        follows = follows or self._follows
        number = self._numbers.get(attribute)
        if number is None:
            number = self._numbers[attribute] = len(self._met)
            named = _Named(stem, follows)
            self._met.append(named)
            outer, self._follows = self._follows, follows
            named.text = text()
            self._follows = outer
            named.inner = [int(found) for found in _MARK.findall(named.text)]
            named.depth = 1 + max((self._met[inner].depth for inner in named.inner), default=0)
        elif not follows:
            self._put_in_front(self._met[number])
        return f"\x01{number}\x02"

    def _put_in_front(self, named: _Named) -> None:
        if named.follows:
            named.follows = False
            for inner in named.inner:
                self._put_in_front(self._met[inner])

    def finish(self, text: str) -> tuple[str, str, str]:
        """The definitions in front of a printed text, the text with names in it, and the definitions behind it."""
        if not self._met:
            return "", text, ""
        order = sorted(range(len(self._met)), key=lambda number: (self._met[number].depth, self._met[number].stem))
        names: dict[int, str] = {}
        used: set[str] = set()
        next_number: dict[str, int] = {}
        for number in order:
            stem = name = self._met[number].stem
            if name in used:
                stem += "_" if stem[-1].isdigit() else ""
                while name in used:
                    next_number[stem] = next_number.get(stem, 0) + 1
                    name = f"{stem}{next_number[stem]}"
            used.add(name)
            names[number] = f"#{name}"

        def named(found: re.Match[str]) -> str:
            return names[int(found[1])]

        def lines(follows: bool) -> str:
            chosen = (number for number in order if self._met[number].follows is follows)
            return "".join(f"{names[number]} = {_MARK.sub(named, self._met[number].text)}\n" for number in chosen)

        return lines(False), _MARK.sub(named, text), lines(True)


def parts_of(location: Attribute) -> tuple[Attribute, ...]:
    """The locations that one is made of."""
    match location:
        case FusedLoc(metadata=RangeEnd()):
            return ()
        case NameLoc():
            is_there = isinstance(location.location, LocationAttr) and not isinstance(location.location, UnknownLoc)
            return (location.location,) if is_there else ()
        case CallSiteLoc():
            return (location.callee, location.caller)
        case FusedLoc(locations=ArrayAttr(data=parts)):
            return tuple(parts)
        case _:
            return ()


def location_text(location: Any, inner: Callable[[Attribute], str], attribute: Callable[[Attribute], str]) -> str:
    """What stands between the parentheses of `loc(...)`; `inner` writes the locations in it, `attribute` anything else."""
    match location:
        case UnknownLoc():
            return "unknown"
        case NameLoc():
            parts = parts_of(location)
            return attribute(location.desc) + (f"({inner(parts[0])})" if parts else "")
        case CallSiteLoc():
            return f"callsite({inner(location.callee)} at {inner(location.caller)})"
        case FusedLoc(metadata=RangeEnd(data=(line, column))) if (found := range_of(location)) is not None:
            begin = found[0]
            last = "" if line == begin.line.data else str(line)
            return f"{location_text(begin, inner, attribute)} to {last}:{column}"
        case FusedLoc():
            about = "" if location.metadata.name == "none" else f"<{attribute(location.metadata)}>"
            return f"fused{about}[{', '.join(inner(part) for part in parts_of(location))}]"
        case _:
            return f"{attribute(location.filename)}:{location.line.data}:{location.column.data}"
