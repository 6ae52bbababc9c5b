"""Names for locations, `#loc3`: an operation that is printed in, names and their definitions out, numbered as MLIR numbers them.

A printer that writes nothing meets every location once (`visit`), in the order in which MLIR does: an operation's own before those of its
arguments and of what is inside. What only ends operations may be defined behind the IR; what stands elsewhere is defined in front of it.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FusedLoc, LocationAttr, NameLoc, UnknownLoc
from xdsl.ir import Attribute


def parts_of(location: Attribute) -> tuple[Attribute, ...]:
    """The locations that one is made of."""
    match location:
        case NameLoc():
            return (
                () if isinstance(location.location, UnknownLoc) or not isinstance(location.location, LocationAttr) else (location.location,)
            )
        case CallSiteLoc():
            return (location.callee, location.caller)
        case FusedLoc(locations=ArrayAttr(data=parts)):
            return tuple(parts)
        case _:
            return ()


class LocationAliases:
    """Locations with a depth each, which is 0 for those that are made of no others."""

    def __init__(self) -> None:
        self._depths: dict[Attribute, int] = {}
        self._in_front: set[Attribute] = set()
        self._names: dict[Attribute, str] = {}

    def visit(self, location: Attribute, *, may_follow: bool) -> int:
        """Take note of a location and of its parts. `may_follow` says whether it may be defined behind its use."""
        known = location in self._depths
        if known and (may_follow or location in self._in_front):
            return self._depths[location]
        if not may_follow:
            self._in_front.add(location)
        self._depths.setdefault(location, 0)
        depth = 1 + max((self.visit(part, may_follow=may_follow) for part in parts_of(location)), default=-1)
        self._depths[location] = depth
        return depth

    def number(self) -> None:
        """Give names to everything that was met."""
        for number, location in enumerate(sorted(self._depths, key=lambda one: self._depths[one])):
            self._names[location] = f"#loc{number or ''}"

    def name(self, location: Attribute) -> str | None:
        """The name of a location, if it has one."""
        return self._names.get(location)

    def defined(self, *, in_front: bool, simple: bool | None = None) -> list[Attribute]:
        """What is defined in front of the IR or behind it, in order; of those in front, the simple ones or the others."""
        found = [one for one in self._names if (one in self._in_front) is in_front]
        return [one for one in found if simple is None or (self._depths[one] == 0) is simple]


def location_text(location: Any, aliases: LocationAliases | None, metadata: Any, *, whole: bool) -> str:
    """What stands between the parentheses of `loc(...)`. `whole` writes the location itself out, though it has a name; `metadata` prints
    an attribute into a string."""
    if not whole and aliases is not None and (name := aliases.name(location)) is not None:
        return name

    def inner(part: Attribute) -> str:
        return location_text(part, aliases, metadata, whole=False)

    match location:
        case UnknownLoc():
            return "unknown"
        case NameLoc():
            parts = parts_of(location)
            return metadata(location.desc) + (f"({inner(parts[0])})" if parts else "")
        case CallSiteLoc():
            return f"callsite({inner(location.callee)} at {inner(location.caller)})"
        case FusedLoc():
            about = "" if location.metadata.name == "none" else f"<{metadata(location.metadata)}>"
            return f"fused{about}[{', '.join(inner(part) for part in parts_of(location))}]"
        case _:
            return f"{metadata(location.filename)}:{location.line.data}:{location.column.data}{getattr(location, 'end', '')}"
