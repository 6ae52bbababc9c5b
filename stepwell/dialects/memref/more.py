"""`memref` and `bufferization`, what few programs use: `realloc`, `reshape`, `transpose`, `alloca_scope`, `atomic_rmw`;
`dealloc` by ownership."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntegerAttr, MemRefType, UnrankedMemRefType, i1, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    BaseAttr,
    IRDLOperation,
    ParsePropInAttrDict,
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
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, NoMemoryEffect, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.control import REDUCTIONS
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import layout_of, strided
from stepwell.dialects.memref.dma import ASYNCHRONOUS
from stepwell.dialects.support import parse_result_types, print_result_types

AnyMemRef = BaseAttr(MemRefType) | BaseAttr(UnrankedMemRefType)
MemRef = MemRefType[Any]


def _element(type: Attribute) -> Attribute:
    return cast("Any", type).element_type


@irdl_op_definition
class ReallocOp(IRDLOperation):
    """`%b = memref.realloc %a(%n) : memref<?xf32> to memref<?xf32>`: more or less room for the same elements."""

    name = "memref.realloc"

    source = operand_def(MemRefType)
    dynamicResultSize = opt_operand_def(IndexType)
    alignment = opt_prop_def(IntegerAttr)
    result = result_def(MemRefType)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$source (`(` $dynamicResultSize^ `)`)? attr-dict `:` type($source) `to` type($result)"

    def verify_(self) -> None:
        source, result = cast(MemRef, self.source.type), cast(MemRef, self.result.type)
        if source.get_num_dims() != 1 or result.get_num_dims() != 1:
            raise VerifyException(f"takes and gives memrefs of rank 1, not {source} and {result}")
        if source.layout != result.layout:
            raise VerifyException("unsupported layout of source or result: they must be those of contiguous memory")
        is_dynamic = result.get_shape()[0] < 0
        if is_dynamic and self.dynamicResultSize is None:
            raise VerifyException("missing dimension operand for result type")
        if not is_dynamic and self.dynamicResultSize is not None:
            raise VerifyException("unnecessary dimension operand for result type")


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """`memref.reshape %m(%shape) : (memref<*xf32>, memref<?xindex>) -> memref<*xf32>`: the shape stands in memory."""

    name = "memref.reshape"

    source = operand_def(AnyMemRef)
    shape = operand_def(MemRefType)
    result = result_def(AnyMemRef)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$source `(` $shape `)` attr-dict `:` functional-type(operands, results)"

    def verify_(self) -> None:
        shape = cast(MemRef, self.shape.type)
        if _element(self.source.type) != _element(self.result.type):
            raise VerifyException("element types of source and destination memref types should be the same")
        if shape.get_num_dims() != 1:
            raise VerifyException(f"takes a shape of one dimension, not {shape}")
        if isinstance(self.result.type, MemRefType):
            if shape.get_shape()[0] < 0:
                raise VerifyException("cannot use shape operand with dynamic length to reshape to statically-ranked memref type")
            if shape.get_shape()[0] != cast(MemRef, self.result.type).get_num_dims():
                raise VerifyException("length of shape operand differs from the result's memref rank")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """`memref.transpose %m (i, j) -> (j, i) : memref<?x?xf32> to memref<?x?xf32, strided<[1, ?]>>`: a view."""

    name = "memref.transpose"

    input = operand_def(MemRefType)
    permutation = prop_def(AffineMapAttr)
    result = result_def(MemRefType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        map, source, result = self.permutation.data, cast(MemRef, self.input.type), cast(MemRef, self.result.type)
        dims = [expr.position for expr in map.results if isinstance(expr, AffineDimExpr)]
        if sorted(dims) != list(range(map.num_dims)) or len(dims) != len(map.results):
            raise VerifyException("expected a permutation map")
        if map.num_dims != source.get_num_dims():
            raise VerifyException("expected a permutation map of same rank as the input")
        strides, offset = layout_of(source)
        expected = strided(source, [source.get_shape()[dim] for dim in dims], tuple(strides[dim] for dim in dims), offset)
        if result.get_shape() != expected.get_shape() or layout_of(result) != layout_of(expected):
            raise VerifyException(f"result type '{result}' is not equivalent to the canonical transposed input type '{expected}'")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        map: AffineMap = parser.parse_affine_map()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(operand, parser.parse_type())
        parser.parse_keyword("to")
        properties = {"permutation": AffineMapAttr(map)}
        return cls.create(operands=[value], result_types=[parser.parse_type()], properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.input)
        printer.print_string(f" {self.permutation.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.input.type)
        printer.print_string(" to ")
        printer.print_attribute(self.result.type)


@irdl_op_definition
class AllocaScopeReturnOp(IRDLOperation):
    """Ends the body of `memref.alloca_scope`."""

    name = "memref.alloca_scope.return"

    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($values^ `:` type($values))?"


@irdl_op_definition
class AllocaScopeOp(IRDLOperation):
    """Where `memref.alloca` inside is freed: `%r = memref.alloca_scope -> (f32) { ... memref.alloca_scope.return %v : f32 }`."""

    name = "memref.alloca_scope"

    res = var_result_def()
    bodyRegion = region_def()
    traits = traits_def(RecursiveMemoryEffect())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        types = parse_result_types(parser, optional=True)
        region = parser.parse_region()
        if not region.blocks:
            region.add_block(Block())
        last = region.blocks[-1].last_op
        if last is None or not last.has_trait(IsTerminator, value_if_unregistered=False):
            region.blocks[-1].add_op(AllocaScopeReturnOp.create())
        return cls.create(result_types=types, regions=[region], attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        if self.results:
            print_result_types(printer, self.result_types)
        printer.print_string(" ")
        plain = not self.results and len(self.bodyRegion.blocks) == 1
        printer.print_region(self.bodyRegion, print_entry_block_args=False, print_block_terminators=not plain)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class AtomicRMWOp(IRDLOperation):
    """`%old = memref.atomic_rmw addf %v, %m[%i] : (f32, memref<10xf32>) -> f32`"""

    name = "memref.atomic_rmw"

    value = operand_def()
    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    kind = prop_def(IntegerAttr)
    result = result_def()

    def verify_(self) -> None:
        memref = cast(MemRef, self.memref.type)
        if self.value.type != memref.element_type or self.result.type != self.value.type:
            raise VerifyException("failed to verify that result type matches element type of memref")
        name = REDUCTIONS[self.kind.value.data]
        is_float = not isinstance(self.value.type, IndexType) and "i" != str(self.value.type)[:1]
        if name != "assign" and is_float != name.endswith("f"):
            raise VerifyException(f"with kind '{name}' expects {'a floating-point' if name.endswith('f') else 'an integer'} type")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parser.parse_optional_keyword_in(REDUCTIONS)
        if kind is None:
            parser.raise_error(f"expected one of {', '.join(REDUCTIONS)}")
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        memref = parser.parse_unresolved_operand()
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        type = parser.parse_function_type()
        values = parser.resolve_operands([value, memref], type.inputs.data, start)
        properties = {"kind": IntegerAttr(REDUCTIONS.index(kind), i64)}
        return cls.create(operands=[*values, *indices], result_types=type.outputs.data, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {REDUCTIONS[self.kind.value.data]} ")
        printer.print_list((self.value, self.memref), printer.print_ssa_value)
        with printer.in_square_brackets():
            printer.print_list(self.indices, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : (")
        printer.print_list((self.value.type, self.memref.type), printer.print_attribute)
        printer.print_string(") -> ")
        printer.print_attribute(self.result.type)


@irdl_op_definition
class OwnershipDeallocOp(IRDLOperation):
    """Frees what is owned and not retained; says which of the retained is owned now.

    `%o = bufferization.dealloc (%a : memref<2xf32>) if (%c) retain (%b : memref<?xf32>)`
    """

    name = "bufferization.dealloc"

    memrefs = var_operand_def(AnyMemRef)
    conditions = var_operand_def(i1)
    retained = var_operand_def(AnyMemRef)
    updatedConditions = var_result_def(i1)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def verify_(self) -> None:
        if len(self.memrefs) != len(self.conditions):
            raise VerifyException("must have the same number of conditions as memrefs to deallocate")
        if len(self.retained) != len(self.results):
            raise VerifyException("must have the same number of updated conditions (results) as retained operands")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        def values() -> Sequence[SSAValue]:
            """`(%a, %b : type, type)`"""
            start = parser.pos
            with parser.in_parens():
                operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
                parser.parse_punctuation(":")
                types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            return parser.resolve_operands(operands, types, start)

        memrefs: Sequence[SSAValue] = ()
        conditions: Sequence[SSAValue] = ()
        start = parser.pos
        if parser.parse_optional_punctuation("("):
            parser._resume_from(start)  # pyright: ignore[reportPrivateUsage]  # `values` reads the parenthesis
            memrefs = values()
            parser.parse_keyword("if")
            conditions = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_operand(i1))
        retained = values() if parser.parse_optional_keyword("retain") else ()
        attributes = parser.parse_optional_attr_dict()
        return cls(operands=[memrefs, conditions, retained], result_types=[[i1] * len(retained)], attributes=attributes)

    def print(self, printer: Printer) -> None:
        def values(before: str, operands: Sequence[SSAValue]) -> None:
            printer.print_string(f"{before}(")
            printer.print_list(operands, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([operand.type for operand in operands], printer.print_attribute)
            printer.print_string(")")

        if self.memrefs:
            values(" ", self.memrefs)
            printer.print_string(" if (")
            printer.print_list(self.conditions, printer.print_ssa_value)
            printer.print_string(")")
        if self.retained:
            values(" retain ", self.retained)
        printer.print_op_attributes(self.attributes)


RARE: tuple[list[type[Operation]], list[type[Attribute]]] = (
    [ReallocOp, ReshapeOp, TransposeOp, AllocaScopeOp, AllocaScopeReturnOp, AtomicRMWOp, *ASYNCHRONOUS],
    [],
)
RARE_BUFFERIZATION: tuple[list[type[Operation]], list[type[Attribute]]] = ([OwnershipDeallocOp], [])
