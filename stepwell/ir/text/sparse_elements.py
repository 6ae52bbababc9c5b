"""`sparse<[[0, 0], [1, 2]], [1, 5]> : tensor<3x4xi32>`: constants of which only some elements are written, the others are zero."""

# The parser reads literals by methods of xDSL's that are not public.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, ShapedType, TensorType, i64
from xdsl.ir import Attribute, BuiltinAttribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.printer import Printer


@irdl_attr_definition
class SparseElementsAttr(ParametrizedAttribute, BuiltinAttribute):
    """Positions, as a tensor of (elements, rank) or one for all, and the elements that stand there."""

    name = "builtin.sparse_elements"

    positions: DenseIntOrFPElementsAttr = param_def()  # pyright: ignore[reportMissingTypeArgument]
    elements: DenseIntOrFPElementsAttr = param_def()  # pyright: ignore[reportMissingTypeArgument]
    type: Attribute = param_def()

    def print_builtin(self, printer: Printer) -> None:
        printer.print_string("sparse<")
        if len(self.elements):
            _print_bare(printer, self.positions)
            printer.print_string(", ")
            _print_bare(printer, self.elements)
        printer.print_string("> : ")
        printer.print_attribute(self.type)

    @staticmethod
    def parse(parser: Any) -> SparseElementsAttr:
        """Behind the word `sparse`."""
        positions: list[Any] = []
        values: list[Any] = []
        shapes: list[list[int]] = [[0], [0]]
        parser.parse_punctuation("<")
        start = parser.pos
        if parser.parse_optional_punctuation(">") is None:
            positions, shapes[0] = parser._parse_tensor_literal()
            parser.parse_punctuation(",")
            values, shapes[1] = parser._parse_tensor_literal()
            parser.parse_punctuation(">")
        parser.parse_punctuation(":")
        type: Any = parser.parse_type()
        if not isinstance(type, ShapedType):
            parser.raise_error("elements literal must be a shaped type", start, start)
        numbers: list[int] = [value.to_type(parser, i64) for value in positions]
        extents: Any = type.get_shape()
        rank = len(extents)
        found_rank = len(numbers) // max(1, len(values)) if shapes[0] else rank
        if values and (found_rank != rank or len(shapes[1]) > 1):
            parser.raise_error(f"expected {rank} indices for each element, and a list of elements", start, start)
        for row in range(0, len(numbers), max(1, rank)):
            index = numbers[row : row + rank]
            if any(not 0 <= at < extent for at, extent in zip(index, extents, strict=False)):
                where = ", ".join(map(str, index))
                message = (
                    f"sparse index #{row // max(1, rank)} is not contained within the value shape, with index=[{where}], and type={type}"
                )
                parser.raise_error(message, start, start)
        element: Any = cast("Any", type).get_element_type()
        held = DenseIntOrFPElementsAttr(TensorType(element, shapes[1]), BytesAttr(parser._pack(values, element)))
        return SparseElementsAttr(DenseIntOrFPElementsAttr.from_list(TensorType(i64, shapes[0]), numbers), held, type)


def _print_bare(printer: Printer, literal: DenseIntOrFPElementsAttr[Any]) -> None:
    """Elements without `dense<...>` around them, nested as their shape says."""
    values: Any = list(literal.iter_attrs())
    shape = list(literal.get_shape())

    def write(at: int, dims: list[int]) -> int:
        if not dims:
            values[at].print_without_type(printer)
            return at + 1
        printer.print_string("[")
        for index in range(dims[0]):
            printer.print_string(", " if index else "")
            at = write(at, dims[1:])
        printer.print_string("]")
        return at

    write(0, shape)
