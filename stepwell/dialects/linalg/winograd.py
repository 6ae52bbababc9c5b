"""The transforms of Winograd's convolution: of the filter, of the image's tiles, and back."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, ShapedType, TensorType
from xdsl.ir import Operation
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, traits_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.linalg.named import parse_ins_and_outs, print_ins_and_outs
from stepwell.dialects.linalg.verify import StructuredEffect, shape_of
from stepwell.dialects.support import compatible_shapes, parse_result_types, print_result_types

SIZES = {"F_2_3": (2, 3), "F_4_3": (4, 3), "F_2_5": (2, 5)}
"""Outputs of a tile and extent of the filter, by name."""


class WinogradTransform(IRDLOperation):
    """What the three share: `fmr(F_4_3)` says the sizes of output and filter."""

    def sizes(self) -> tuple[int, int]:
        """Outputs of a tile, extent of the filter."""
        return list(SIZES.values())[cast("IntegerAttr[Any]", self.properties["fmr"]).value.data]

    def expected(self, shape: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that the output, which says what is not transformed, should have. Raises where the input's is wrong."""
        raise NotImplementedError

    def verify_(self) -> None:
        if len(self.operands) != 2 or list(self.result_types) != [self.operands[1].type]:
            raise VerifyException("takes an input and an output, and gives what is in the output")
        if cast("IntegerAttr[Any]", self.properties["fmr"]).value.data not in range(len(SIZES)):
            raise VerifyException("has an fmr that does not exist")
        shape, output = (shape_of(value) for value in self.operands)
        if not compatible_shapes(self.expected(shape, output), output):
            raise VerifyException("the output shape is not expected")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("fmr")
        with parser.in_parens():
            start = parser.pos
            name = parser.parse_identifier()
        if name not in SIZES:
            parser.raise_error(f"expected one of {', '.join(SIZES)}", start)
        inputs, outputs = parse_ins_and_outs(parser)
        attributes = parser.parse_optional_attr_dict()
        types = parse_result_types(parser, optional=True)
        properties = {"fmr": IntegerAttr(list(SIZES).index(name), 32)}
        return cls.create(operands=[*inputs, *outputs], result_types=types, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" fmr({list(SIZES)[cast('IntegerAttr[Any]', self.properties['fmr']).value.data]})")
        print_ins_and_outs(printer, self.operands[:1], self.operands[1:])
        printer.print_op_attributes(self.attributes)
        if self.results:
            print_result_types(printer, self.result_types)


@irdl_op_definition
class WinogradFilterTransformOp(WinogradTransform):
    """`linalg.winograd_filter_transform fmr(F_4_3) ins(%f : tensor<2x3x3x5xf32>) outs(%o : tensor<6x6x5x2xf32>) -> tensor<6x6x5x2xf32>`"""

    name = "linalg.winograd_filter_transform"
    filter = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())

    def expected(self, shape: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
        m, r = self.sizes()
        count, height, width, channels = shape
        if height not in (r, 1):
            raise VerifyException("expect filter height either equals to r or 1")
        if width not in (r, 1):
            raise VerifyException("expect filter width either equals to r or 1")
        if height == width == 1:
            raise VerifyException("expect either filter height or width equals to r")
        tile = m + r - 1
        return tile if height == r else 1, tile if width == r else 1, channels, count


@irdl_op_definition
class WinogradInputTransformOp(WinogradTransform):
    """The image's side: `tensor<2x14x14x5xf32>` to `tensor<6x6x3x3x2x5xf32>` (tile, tile, tiles, tiles, n, c)."""

    name = "linalg.winograd_input_transform"
    input = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())

    def expected(self, shape: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
        m, r = self.sizes()
        count, *extents, channels = shape
        inner = [1 if extent == 1 else m + r - 1 for extent in output[:2]]
        tiles = [n if tile == 1 or n == DYNAMIC_INDEX else (n - (r - 1)) // m for tile, n in zip(inner, extents, strict=True)]
        return *inner, *tiles, count, channels


@irdl_op_definition
class WinogradOutputTransformOp(WinogradTransform):
    """The way back."""

    name = "linalg.winograd_output_transform"
    value = operand_def(ShapedType)
    output = operand_def(ShapedType)
    result = var_result_def(TensorType)
    fmr = prop_def(IntegerAttr)
    traits = traits_def(StructuredEffect())

    def expected(self, shape: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
        m, r = self.sizes()
        height, width, *tiles, count, filters = shape
        for extent, what in ((height, "height"), (width, "width")):
            if extent not in (m + r - 1, 1, DYNAMIC_INDEX):
                raise VerifyException(f"expect input {what} equals to input tile size")
        extents = [tiles[i] if inner == 1 or tiles[i] == DYNAMIC_INDEX else tiles[i] * m for i, inner in enumerate((height, width))]
        return count, *extents, filters


WINOGRAD_OPS: list[type[Operation]] = [WinogradFilterTransformOp, WinogradInputTransformOp, WinogradOutputTransformOp]
