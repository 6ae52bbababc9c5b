"""Printed IR that knows which operation begins on which line."""

from __future__ import annotations

from io import StringIO

from xdsl.ir import Operation

from stepwell.ir.text.printer import IRPrinter, PrintOptions

SHORT = PrintOptions(elide_larger=8, aliases=False)
"""For reading only: large constants are left out."""


class MarkingPrinter(IRPrinter):
    """Remembers where in the text each operation begins."""

    def __init__(self, stream: StringIO, options: PrintOptions) -> None:
        super().__init__(stream, options)
        self._stream = stream
        self.marks: list[tuple[int, Operation]] = []

    def print_op(self, op: Operation) -> None:
        self.marks.append((self._stream.tell(), op))
        super().print_op(op)


def marked_lines(op: Operation, options: PrintOptions = SHORT, *, first_line_only: bool = False) -> list[tuple[str, Operation | None]]:
    """The lines of `op`, each with the first operation that begins on it; `first_line_only` shows a module as one line."""
    stream = StringIO()
    printer = MarkingPrinter(stream, options)
    if first_line_only:
        stream.write("module")
        printer.print_op_attributes(op.attributes, print_keyword=True)
        printer.marks.append((0, op))
    else:
        printer.print_op(op)
    lines: list[tuple[str, Operation | None]] = []
    marks = iter(printer.marks)
    mark = next(marks, None)
    offset = 0
    for line in stream.getvalue().split("\n"):
        owner: Operation | None = None
        end = offset + len(line)
        while mark is not None and mark[0] <= end:
            owner = mark[1] if owner is None else owner
            mark = next(marks, None)
        lines.append((line, owner))
        offset = end + 1
    return lines
