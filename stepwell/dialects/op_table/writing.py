"""Prints an operation by the format of its row, as MLIR prints it."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
)
from xdsl.ir import Attribute, Block, Region, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.printer import Printer

from stepwell.dialects.op_table.formats import Element
from stepwell.dialects.op_table.rows import FIXED, Part, RowOperation, attribute_names, default_of, enumerants, field_name


class Writing:
    """A printer that knows whether a space is due, and which attributes were printed."""

    def __init__(self, printer: Printer, op: RowOperation) -> None:
        self.printer = printer
        self.op = op
        self.space = True
        self.said: set[str] = set()
        self._after_punctuation = False

    def word(self, text: str) -> None:
        """Print a literal with the spaces that MLIR puts around it."""
        tight = ">)}]," if self._after_punctuation else "<>(){}[],"
        if self.space and not (len(text) == 1 and text in tight):
            self.printer.print_string(" ")
        self.printer.print_string(text)
        self.space = len(text) != 1 or text not in "<({["
        self._after_punctuation = not (text[0].isalpha() or text[0] == "_")

    def gap(self) -> None:
        """Print the space that is due before something that is no literal."""
        if self.space:
            self.printer.print_string(" ")
        self.space = True
        self._after_punctuation = False


def write_element(op: RowOperation, writing: Writing, element: Element) -> None:
    printer = writing.printer
    match element.what:
        case "literal":
            if not element.text.strip():
                printer.print_string(element.text)
                writing.space = False
            else:
                writing.word(element.text)
        case "name":
            _write_name(op, writing, element.text)
        case "type":
            target = element.inside[0]
            values = _held(op, target)
            writing.gap()
            if values:
                printer.print_list([value.type for value in values], printer.print_attribute)
        case "functional-type":
            writing.gap()
            first, second = element.inside
            printer.print_function_type([v.type for v in _held(op, first)], [v.type for v in _held(op, second)])
        case "prop-dict":
            stated = {name: value for name, value in op.properties.items() if not _is_silent(op, writing, name, value)}
            if stated:
                printer.print_string(" <")
                printer.print_attr_dict(stated)
                printer.print_string(">")
                writing.space = True
            writing.said.update(op.properties)
        case "attr-dict" | "attr-dict-with-keyword":
            held = {**op.properties, **op.attributes}
            stated = {name: value for name, value in held.items() if not _is_silent(op, writing, name, value)}
            if stated:
                printer.print_string(" attributes" if element.what.endswith("keyword") else "")
                printer.print_op_attributes(stated)
                writing.space = True
        case "operands":
            writing.gap()
            if op.operands:
                printer.print_list(op.operands, printer.print_ssa_value)
        case "group":
            branch = element.inside if _present(op, element) else element.otherwise
            for inner in branch:
                if not (inner.what == "name" and inner.anchor and _kind_of_attribute(op, inner.text) == "unit"):
                    write_element(op, writing, inner)
        case _:
            op.CUSTOM[element.what][1](writing, element.inside)


def _is_silent(op: RowOperation, writing: Writing, name: str, value: Attribute) -> bool:
    if name in writing.said or name in ("operandSegmentSizes", "resultSegmentSizes"):
        return True
    if name == "fastmathFlags" and not getattr(value, "data", True):
        return True
    part = next((part for part in op.ROW["attrs"] if part.name == name), None)
    return part is not None and "=" in part.kind and default_of(part) == value


def _kind_of_attribute(op: RowOperation, name: str) -> str:
    return next((part.kind for part in op.ROW["attrs"] if part.name == name), "")


def _held(op: Any, element: Element) -> Sequence[SSAValue]:
    if element.what == "operands":
        return op.operands
    if element.what == "results":
        return op.results
    value = getattr(op, field_name(element.text))
    if value is None:
        return ()
    return [value] if isinstance(value, SSAValue) else list(value)


def _present(op: Any, element: Element) -> bool:
    name = element.text
    if not name:
        return bool(element.inside)
    value = getattr(op, field_name(name), None)
    if name in attribute_names(type(op)):
        part = next(part for part in op.ROW["attrs"] if part.name == name)
        return value is not None and not ("=" in part.kind and default_of(part) == value)
    if isinstance(value, Region):
        return bool(value.blocks)
    return value is not None and (isinstance(value, (SSAValue, Block)) or len(value) > 0)


def _write_name(op: Any, writing: Writing, name: str) -> None:
    printer = writing.printer
    value = getattr(op, field_name(name))
    for key, values in op.ROW.items():
        part = next((part for part in values if part.name == name), None)
        if part is None:
            continue
        match key:
            case "ins":
                held = [value] if isinstance(value, SSAValue) else list(value or ())
                writing.gap()
                if held:
                    printer.print_list(held, printer.print_ssa_value)
            case "regions":
                if value is not None:
                    writing.gap()
                    for region in [value] if isinstance(value, Region) else value:
                        printer.print_region(region)
            case "successors":
                writing.gap()
                printer.print_list([value] if isinstance(value, Block) else value, printer.print_block_name)
            case _:
                if value is not None:
                    writing.gap()
                    write_attribute(printer, part, value)
        return


def write_attribute(printer: Printer, part: Part, value: Any) -> None:
    """An attribute as formats print it."""
    kind = part.kind.partition("=")[0] if "=" in part.kind and not part.kind.startswith("ienum") else part.kind
    if kind.startswith("ienum") and isinstance(value, IntegerAttr):
        printer.print_string(enumerants(kind)[cast("IntegerAttr[Any]", value).value.data])
    elif kind.startswith("enum(") and hasattr(value, "CASES"):
        spaced = " " if issubclass(type(value), SpacedOpaqueSyntaxAttribute) else ""  # as MLIR prints what stands behind `#gpu<mode`
        printer.print_string(f"<{value.data}>" if kind[5] == "<" else f"{spaced}{value.data}")
    elif kind in FIXED and isinstance(value, (IntegerAttr, FloatAttr)):
        if kind == "i1":
            printer.print_string("true" if cast(Any, value).value.data else "false")
        else:
            cast(Any, value).print_without_type(printer)
    elif kind.startswith("body("):
        value.print_parameter(printer)
    elif kind == "symname":
        printer.print_symbol_name(value.data)
    elif kind in ("i32array", "i64array"):
        printer.print_string(str(list(value.get_values())))
    else:
        printer.print_attribute(value)
