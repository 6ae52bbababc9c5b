"""`memref.prefetch`, `copy`, and what is asked of a buffer: its rank, its address."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import (
    BoolAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    i32,
)
from xdsl.dialects.memref import AllocaOp as AllocaOp
from xdsl.dialects.memref import AllocaScopeOp as AllocaScopeOp
from xdsl.dialects.memref import AllocaScopeReturnOp as AllocaScopeReturnOp
from xdsl.dialects.memref import AllocOp as AllocOp
from xdsl.dialects.memref import AssumeAlignmentOp as AssumeAlignmentOp
from xdsl.dialects.memref import DeallocOp as DeallocOp
from xdsl.dialects.memref import DimOp as DimOp
from xdsl.dialects.memref import ExtractStridedMetaDataOp as ExtractStridedMetaDataOp
from xdsl.dialects.memref import GetGlobalOp as GetGlobalOp
from xdsl.dialects.memref import LoadOp as LoadOp
from xdsl.dialects.memref import StoreOp as StoreOp
from xdsl.dialects.memref import ViewOp as ViewOp
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure

from stepwell.dialects.affine.accesses import parse_prefetch_hints, print_prefetch_hints
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.memref.views import AnyMemRef


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Asks for a cache line ahead of its use. Changes nothing; may lie outside the memref.

    ```mlir
    memref.prefetch %B[%p, %k], read, locality<3>, data : memref<?x?xf32>
    ```
    """

    name = "memref.prefetch"

    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    isWrite = prop_def(BoolAttr)
    localityHint = prop_def(IntegerAttr)
    isDataCache = prop_def(BoolAttr)

    def __init__(
        self, memref: SSAValue, indices: Sequence[SSAValue], *, is_write: bool = False, locality: int = 3, is_data_cache: bool = True
    ) -> None:
        super().__init__(
            operands=[memref, indices],
            properties={
                "isWrite": BoolAttr.from_bool(is_write),
                "localityHint": IntegerAttr(locality, i32),
                "isDataCache": BoolAttr.from_bool(is_data_cache),
            },
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        memref = parser.parse_unresolved_operand()
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
        is_write, locality, is_data = parse_prefetch_hints(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls(parser.resolve_operand(memref, parser.parse_type()), indices, is_write=is_write, locality=locality, is_data_cache=is_data)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.memref)
        with printer.in_square_brackets():
            printer.print_list(self.indices, printer.print_ssa_value)
        print_prefetch_hints(printer, bool(self.isWrite), self.localityHint.value.data, bool(self.isDataCache))
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


@irdl_op_definition
class CopyOp(IRDLOperation):
    """Copies all elements: `memref.copy %a, %b : memref<4xf32> to memref<?xf32>`."""

    name = "memref.copy"

    source = operand_def(AnyMemRef)
    destination = operand_def(AnyMemRef)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$source `,` $destination attr-dict `:` type($source) `to` type($destination)"

    def __init__(self, source: SSAValue, destination: SSAValue) -> None:
        super().__init__(operands=[source, destination])


@irdl_op_definition
class RankOp(IRDLOperation):
    """`memref.rank %m : memref<?x?xf32>`"""

    name = "memref.rank"
    source = operand_def(AnyMemRef)
    rank = result_def(IndexType())
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source)"


@irdl_op_definition
class ExtractAlignedPointerAsIndexOp(IRDLOperation):
    """`memref.extract_aligned_pointer_as_index %m : memref<?xf32> -> index`"""

    name = "memref.extract_aligned_pointer_as_index"
    source = operand_def(AnyMemRef)
    aligned_pointer = result_def(IndexType())
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($aligned_pointer)"
