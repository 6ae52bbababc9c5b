"""Writing IR: an operation in, MLIR text out, as upstream's tools read it.

What this printer does beyond xDSL's: the spelling is MLIR's (names of values, `#map` for maps that are written above the IR, `return`
within a function, the predecessors of a block); a splat is printed from its one element; constants above a limit are elided or written in
hex without being unpacked; resources that the IR refers to are printed after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import IO, Any

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
)
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.printer import Printer

from stepwell.ir.text.printer import IRPrinter as IRPrinter
from stepwell.ir.text.printer import PrintOptions as PrintOptions


def print_ir(op: Operation, options: PrintOptions | None = None, dialects: Iterable[Dialect] = ()) -> str:
    """The text of `op`, ending in a newline. Resources of `dialects` that it refers to follow it."""
    options = options or PrintOptions()
    stream = StringIO()
    printer = _printer(stream, options, op)
    if options.generic:
        printer.meet(op)
    printer.print_op(op)
    if printer.aliases is None:
        front, text, behind = "", stream.getvalue(), ""
    else:
        front, text, behind = printer.aliases.finish(stream.getvalue())
    stream.seek(0)
    stream.truncate()
    printer.print_metadata(dialects)
    late = f"\n{behind[:-1]}" if behind else ""
    return f"{front}{text}{late}{stream.getvalue()}\n"


def print_attribute(attribute: Attribute) -> str:
    """The text of a type or another attribute."""
    stream = StringIO()
    IRPrinter(stream, PrintOptions(elide_larger=16, aliases=False)).print_attribute(attribute)
    return stream.getvalue()


def _printer(stream: IO[str], options: PrintOptions, op: Operation) -> IRPrinter:
    if not options.decorated:
        return IRPrinter(stream, options)
    from stepwell.ir.text.decorated_printing import DecoratedPrinter

    return DecoratedPrinter(stream, options, op)


def print_line(op: Operation) -> str:
    """`op` alone in the generic form, without its regions, on one line: for notes in diagnostics."""
    if not op.regions:
        return print_ir(op, PrintOptions(generic=True, elide_larger=16, aliases=False)).rstrip("\n")
    bare = op.clone_without_regions()
    text = print_ir(bare, PrintOptions(generic=True, elide_larger=16, aliases=False)).rstrip("\n")
    bare.drop_all_references()
    return " ".join(text.split())


def print_payload(attribute: DenseIntOrFPElementsAttr[Any], printer: Printer) -> None:
    """For printers of ops whose text has the type elsewhere: a constant without its type, within the limits of our printer."""
    if isinstance(printer, IRPrinter):
        printer.print_payload(attribute)
    else:
        attribute.print_without_type(printer)


def print_location(location: Attribute, printer: Printer) -> None:
    """For printers of ops that print the arguments of their regions: a location, written out."""
    if isinstance(printer, IRPrinter):
        printer.print_location(location, whole=True)
    else:
        printer.print_attribute(location)
