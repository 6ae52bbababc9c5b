"""The pass `snapshot-op-locations`: the IR is written to a file, and every operation comes from its line there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, FusedLoc, IntAttr, LocationAttr, NameLoc, NoneAttr, StringAttr
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.text.marked_printing import MarkingPrinter
from stepwell.ir.text.printing import PrintOptions


@dataclass(frozen=True)
class SnapshotOpLocations(Pass):
    """Give operations the place in the file `filename` where they are now printed; with `tag`, beside the place where they came from.

    before:  ... loc("model.py":1:1)
    after:   ... loc("snapshot.mlir":10:2)
    """

    name: ClassVar[str] = "snapshot-op-locations"
    anchor: ClassVar[str] = "any"

    filename: str = ""
    tag: str = ""
    print_debuginfo: bool = False
    print_op_generic: bool = False
    print_local_scope: bool = False
    pretty_debuginfo: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        stream = StringIO()
        pretty = self.print_debuginfo and self.pretty_debuginfo
        aliases = not self.print_local_scope
        options = PrintOptions(generic=self.print_op_generic, debuginfo=self.print_debuginfo, pretty_debuginfo=pretty, aliases=aliases)
        printer = MarkingPrinter(stream, options)
        printer.print_op(op)
        text = stream.getvalue() + "\n"
        file = self.filename or tempfile.NamedTemporaryFile(prefix="mlir_snapshot-", suffix=".mlir", delete=False).name
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CompileError(f"cannot open output file '{file}': {error.strerror}", location=place(op)) from error
        for offset, marked in printer.marks:
            line, column = text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1)  # upstream counts so
            marked.location = self._location(marked, FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(column)))

    def _location(self, op: Operation, new: FileLineColLoc) -> LocationAttr:
        if not self.tag:
            return new
        return FusedLoc((op.location, NameLoc(StringAttr(self.tag), new)), NoneAttr())
