"""`vector`, third part: contractions, masks around operations, scans, interleaving, compressed memory accesses, scalable vectors."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Self

from xdsl.dialects.builtin import (
    BoolAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    VectorType,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.dialects.vector import CombiningKindAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, MemoryReadEffect, MemoryWriteEffect, Pure, RecursiveMemoryEffect
from xdsl.utils.str_enum import StrEnum

from stepwell.dialects.support import parse_result_types
from stepwell.dialects.vector import parse_kind
from stepwell.dialects.vector.contraction import ContractionOp, IteratorTypeAttr
from stepwell.dialects.vector.scalable import ScalableExtractOp, ScalableInsertOp, VectorScaleOp


class Punctuation(StrEnum):
    """What `vector.print` writes behind a value."""

    NO_PUNCTUATION = "no_punctuation"
    NEW_LINE = "newline"
    COMMA = "comma"
    OPEN = "open"
    CLOSE = "close"


@irdl_attr_definition
class PunctuationAttr(EnumAttribute[Punctuation]):
    """`#vector.punctuation<comma>`"""

    name = "vector.punctuation"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Punctuation:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(Punctuation)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


# ---- masks ----------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a `vector.mask`."""

    name = "vector.yield"

    arguments = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($arguments^ `:` type($arguments))?"


@irdl_op_definition
class MaskOp(IRDLOperation):
    """Runs one operation on the lanes of a mask; elsewhere the result is `passthru`, or anything.

    ```mlir
    %r = vector.mask %m, %passthru { vector.reduction <add>, %v : vector<8xf32> into f32 } : vector<8xi1> -> f32
    ```
    """

    name = "vector.mask"

    mask = operand_def(VectorType)
    passthru = opt_operand_def()
    res = var_result_def()
    body = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        mask = parser.parse_unresolved_operand()
        passthru = parser.parse_unresolved_operand() if parser.parse_optional_punctuation(",") else None
        body = parser.parse_region()
        if not body.blocks:
            body.add_block(Block())
        block = body.block
        if not isinstance(block.last_op, YieldOp):
            masked = block.last_op
            block.add_op(YieldOp.create(operands=masked.results if masked else ()))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        types = parse_result_types(parser, optional=True)
        values = [parser.resolve_operand(mask, type)]
        if passthru is not None:
            if not types:
                parser.raise_error(f"'{cls.name}' expects a result if passthru operand is provided")
            values.append(parser.resolve_operand(passthru, types[0]))  # pyright: ignore[reportArgumentType]
        return cls.create(operands=values, result_types=types, regions=[body], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        ops = list(self.body.block.ops)
        printer.print_string(" { ")
        if len(ops) == 2 and list(ops[1].operands) == list(ops[0].results):
            printer.print_string(ops[0].name)  # nobody names its results
            ops[0].print(printer)
        else:
            printer.print_list(ops, printer.print_op, "\n")
        printer.print_string(" }")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.mask.type)
        if self.results:
            printer.print_string(" -> ")
            if len(self.results) == 1:
                printer.print_attribute(self.results[0].type)
            else:
                with printer.in_parens():
                    printer.print_list(self.result_types, printer.print_attribute)


@irdl_op_definition
class PrintOp(IRDLOperation):
    """Prints a value or a text: `vector.print %v : vector<4xf32>`, `vector.print str "sum: "`."""

    name = "vector.print"

    source = opt_operand_def()
    punctuation = prop_def(PunctuationAttr, default_value=PunctuationAttr(Punctuation.NEW_LINE))
    stringLiteral = opt_prop_def(StringAttr)

    def __init__(self, source: SSAValue) -> None:
        super().__init__(operands=[source])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"punctuation": PunctuationAttr(Punctuation.NEW_LINE)}
        operand = parser.parse_optional_unresolved_operand()
        values: list[SSAValue] = []
        if operand is not None:
            parser.parse_punctuation(":")
            values = [parser.resolve_operand(operand, parser.parse_type())]
        if parser.parse_optional_keyword("str"):
            properties["stringLiteral"] = StringAttr(parser.parse_str_literal())
        if parser.parse_optional_keyword("punctuation"):
            properties["punctuation"] = PunctuationAttr(PunctuationAttr.parse_parameter(parser))
        return cls.create(operands=values, properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        if self.source is not None:
            printer.print_string(" ")
            printer.print_ssa_value(self.source)
            printer.print_string(" : ")
            printer.print_attribute(self.source.type)
        if self.stringLiteral is not None:
            printer.print_string(" str ")
            printer.print_attribute(self.stringLiteral)
        if self.punctuation.data != Punctuation.NEW_LINE:
            printer.print_string(f" punctuation <{self.punctuation.data}>")
        printer.print_op_attributes(self.attributes)


# ---- scans and interleaving -----------------------------------------------------------------------------------------------------


@irdl_op_definition
class ScanOp(IRDLOperation):
    """Running combinations along a dimension, and the last of them.

    ```mlir
    %all, %last = vector.scan <add>, %v, %init {inclusive = true, reduction_dim = 1 : i64} : vector<4x8xf32>, vector<4xf32>
    ```
    """

    name = "vector.scan"

    source = operand_def(VectorType)
    initial_value = operand_def(VectorType)
    dest = result_def(VectorType)
    accumulated_value = result_def(VectorType)
    kind = prop_def(CombiningKindAttr)
    reduction_dim = prop_def(IntegerAttr)
    inclusive = prop_def(BoolAttr)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parse_kind(parser, cls.name)
        parser.parse_punctuation(",")
        source = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        initial = parser.parse_unresolved_operand()
        start = parser.pos
        attributes = parser.parse_optional_attr_dict()
        if "inclusive" not in attributes or "reduction_dim" not in attributes:
            parser.raise_error("expected attributes inclusive and reduction_dim", start)
        parser.parse_punctuation(":")
        types = [parser.parse_type()]
        parser.parse_punctuation(",")
        types.append(parser.parse_type())
        values = parser.resolve_operands([source, initial], types, start)
        properties = {"kind": kind, **{name: attributes.pop(name) for name in ("inclusive", "reduction_dim")}}
        return cls.create(operands=values, result_types=types, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" <{self.kind.data}>, ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes({"inclusive": self.inclusive, "reduction_dim": self.reduction_dim, **self.attributes})
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)


@irdl_op_definition
class InterleaveOp(IRDLOperation):
    """`vector.interleave %a, %b : vector<4xf32> -> vector<8xf32>`: a0, b0, a1, b1, ..."""

    name = "vector.interleave"

    lhs = operand_def(VectorType)
    rhs = operand_def(VectorType)
    result = result_def(VectorType)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        parser.parse_punctuation("->")
        values = parser.resolve_operands(operands, [type] * 2, start)
        return cls.create(operands=values, result_types=[parser.parse_type()], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)
        printer.print_string(" -> ")
        printer.print_attribute(self.result.type)


@irdl_op_definition
class DeinterleaveOp(IRDLOperation):
    """`%a, %b = vector.deinterleave %v : vector<8xf32> -> vector<4xf32>`: the even and the odd elements."""

    name = "vector.deinterleave"

    source = operand_def(VectorType)
    res1 = result_def(VectorType)
    res2 = result_def(VectorType)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(operand, parser.parse_type())
        parser.parse_punctuation("->")
        return cls.create(operands=[value], result_types=[parser.parse_type()] * 2, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" -> ")
        printer.print_attribute(self.res1.type)


# ---- memory ---------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class ExpandLoadOp(IRDLOperation):
    """Reads neighbouring elements into the lanes of a mask.

    `vector.expandload %base[%i], %mask, %pass : memref<?xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>`
    """

    name = "vector.expandload"

    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    mask = operand_def(VectorType)
    pass_thru = operand_def(VectorType)
    result = result_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$base `[` $indices `]` `,` $mask `,` $pass_thru attr-dict `:` type($base) `,` type($mask) `,` type($pass_thru)`into` type($result)"
    )


@irdl_op_definition
class CompressStoreOp(IRDLOperation):
    """Writes the lanes of a mask to neighbouring elements.

    `vector.compressstore %base[%i], %mask, %v : memref<?xf32>, vector<16xi1>, vector<16xf32>`
    """

    name = "vector.compressstore"

    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    mask = operand_def(VectorType)
    value_to_store = operand_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$base `[` $indices `]` `,` $mask `,` $value_to_store attr-dict `:` type($base) `,` type($mask) `,` type($value_to_store)"
    )


@irdl_op_definition
class TypeCastOp(IRDLOperation):
    """A memref of scalars as a memref of one vector: `vector.type_cast %m : memref<4x3xf32> to memref<vector<4x3xf32>>`."""

    name = "vector.type_cast"

    memref = operand_def(MemRefType)
    result = result_def(MemRefType)
    traits = traits_def(Pure())
    assembly_format = "$memref attr-dict `:` type($memref) `to` type($result)"


RARE: tuple[list[type[Operation]], list[type[Attribute]]] = (
    [
        *(ContractionOp, MaskOp, YieldOp, ScanOp, InterleaveOp, DeinterleaveOp, ExpandLoadOp, CompressStoreOp, TypeCastOp),
        *(VectorScaleOp, ScalableInsertOp, ScalableExtractOp, PrintOp),
    ],
    [IteratorTypeAttr, PunctuationAttr],
)
