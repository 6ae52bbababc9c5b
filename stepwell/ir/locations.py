"""Where an operation came from, in words that a user can follow."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Data, Operation
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer


@irdl_attr_definition
class RangeEnd(Data[tuple[int, int]]):
    """The line and the column at which a location ends that begins at a place in a file: `"a.c":1:2 to 3:4`.

    xDSL's locations are a closed set without ranges, so a range is the place of its beginning, fused with this as what is said about it.
    It has no text of its own.
    """

    name = "stepwell.range_end"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, int]:
        parser.raise_error("the end of a location stands in the location")

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data[0]}:{self.data[1]}>")


def range_of(location: Attribute) -> tuple[FileLineColLoc, RangeEnd] | None:
    """Beginning and end of a range; None for other locations."""
    match location:
        case FusedLoc(locations=ArrayAttr(data=(FileLineColLoc() as begin,)), metadata=RangeEnd() as end):
            return begin, end
        case _:
            return None


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
