"""What a pass says about an operation without stopping: warnings and remarks at its place, with a note that shows it.

    remark(op, "vectorised", notes=[(other, "because of this load")])

`mlopt` prints them as MLIR does, and `--verify-diagnostics` sees them.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation

from stepwell.ir.diagnostics import Diagnostic, report
from stepwell.ir.locations import place

SEE = "see current operation: "
"""How the note begins that shows the operation; `--mlir-print-op-on-diagnostic=0` leaves such notes out."""

Notes = Sequence[tuple[Operation, str]]


def remark(op: Operation, message: str, notes: Notes = ()) -> None:
    """Tell something about `op`: what was done with it, or why nothing was."""
    _report("remark", op, message, notes)


def warning(op: Operation, message: str, notes: Notes = ()) -> None:
    """Warn of something about `op` that is legal and probably not meant."""
    _report("warning", op, message, notes)


def _report(kind: str, op: Operation, message: str, notes: Notes) -> None:
    from stepwell.ir.text.printing import print_line

    where = place(op)
    said = [Diagnostic("note", text, place(other)) for other, text in notes]
    report(Diagnostic(kind, message, where, (*said, Diagnostic("note", SEE + print_line(op), where))))
