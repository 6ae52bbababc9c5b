"""Writing IR: an operation in, MLIR text out, as upstream's tools read it.

What this printer does beyond xDSL's: a splat is printed from its one element, constants above a limit are elided or written in hex without
being unpacked, and resources that the IR refers to are printed after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import IO, Any, cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.printer import Printer


@dataclass(frozen=True)
class PrintOptions:
    """How IR is printed; each field is a flag of `mlopt`."""

    generic: bool = False
    """Print every operation in the generic form."""
    debuginfo: bool = False
    """Print locations."""
    elide_larger: int | None = None
    """Print a constant of more elements as `dense_resource<__elided__>`; such text cannot be compiled."""
    hex_larger: int = 100
    """Print a constant of more elements as a hex string."""


def print_ir(op: Operation, options: PrintOptions | None = None, dialects: Iterable[Dialect] = ()) -> str:
    """The text of `op`, ending in a newline. Resources of `dialects` that it refers to follow it."""
    stream = StringIO()
    printer = IRPrinter(stream, options or PrintOptions())
    printer.print_op(op)
    printer.print_metadata(dialects)
    stream.write("\n")
    return stream.getvalue()


def print_line(op: Operation) -> str:
    """`op` alone in the generic form, without its regions, on one line: for notes in diagnostics."""
    if not op.regions:
        return print_ir(op, PrintOptions(generic=True, elide_larger=16)).rstrip("\n")
    bare = op.clone_without_regions()
    text = print_ir(bare, PrintOptions(generic=True, elide_larger=16)).rstrip("\n")
    bare.drop_all_references()
    return " ".join(text.split())


class IRPrinter(Printer):
    """xDSL's printer, faster, with limits for constants."""

    def __init__(self, stream: IO[str], options: PrintOptions) -> None:
        super().__init__(stream, print_generic_format=options.generic, print_debuginfo=options.debuginfo)
        self._options = options
        self._write = stream.write

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        if "\n" in text:
            super().print_string(text, indent=indent)
        else:
            self._current_column += len(text)
            self._write(text)

    def print_attribute(self, attribute: Attribute) -> None:
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            self._print_dense(cast("DenseIntOrFPElementsAttr[Any]", attribute))
        else:
            super().print_attribute(attribute)

    def _print_dense(self, attribute: DenseIntOrFPElementsAttr[Any]) -> None:
        self.print_payload(attribute)
        self.print_string(" : ")
        self.print_attribute(attribute.get_type())

    def print_payload(self, attribute: DenseIntOrFPElementsAttr[Any]) -> None:
        """A constant without its type."""
        count = len(attribute)
        if count > 1 and self._options.elide_larger is not None and count > self._options.elide_larger:
            self.print_string("dense_resource<__elided__>")
        elif count > max(1, self._options.hex_larger):
            self.print_string(f'dense<"0x{attribute.data.data.hex().upper()}">')
        elif count <= 1:
            attribute.print_without_type(self)
        else:
            self.print_string("dense<")
            attribute._print_dense_list(attribute.get_values(), attribute.get_shape(), self)  # pyright: ignore[reportPrivateUsage]
            self.print_string(">")


def print_payload(attribute: DenseIntOrFPElementsAttr[Any], printer: Printer) -> None:
    """For printers of ops whose text has the type elsewhere: a constant without its type, within the limits of our printer."""
    if isinstance(printer, IRPrinter):
        printer.print_payload(attribute)
    else:
        attribute.print_without_type(printer)
