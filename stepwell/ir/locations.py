"""Where an operation came from, in words that a user can follow."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation


def place_of(location: Attribute) -> str | None:
    """`file:line:col`, or the name of the source node, or None for an unknown place."""
    match location:
        case FileLineColLoc():
            return f"{location.filename.data}:{location.line.data}:{location.column.data}"
        case NameLoc():
            inner = place_of(location.location)
            return f"{location.desc.data} at {inner}" if inner else location.desc.data
        case CallSiteLoc():
            return place_of(location.callee)
        case FusedLoc(locations=ArrayAttr(data=parts)):
            return next((found for part in parts if (found := place_of(part))), None)
        case _:
            return None


def place(op: Operation) -> str | None:
    """The place of the nearest operation, `op` or one around it, that has one."""
    current: Operation | None = op
    while current is not None:
        if found := place_of(current.location):
            return found
        current = current.parent_op()
    return None
