"""`memref`, what runs beside the program or at once: `dma_start`, `dma_wait`, `generic_atomic_rmw`; and `distinct_objects`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsTerminator, MemoryReadEffect, MemoryWriteEffect, Pure, is_side_effect_free
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.rules import shown


def _rank(value: SSAValue) -> int:
    return cast("MemRefType[Any]", value.type).get_num_dims()


def _print_access(printer: Printer, memref: SSAValue, indices: Sequence[SSAValue]) -> None:
    printer.print_ssa_value(memref)
    with printer.in_square_brackets():
        printer.print_list(indices, printer.print_ssa_value)


class _Operands:
    """Cuts the operands of an op into accesses, and complains as upstream where they are too few or of wrong types."""

    def __init__(self, op: Operation) -> None:
        self._operands = op.operands
        self.taken = 0

    def require(self, count: int) -> None:
        if len(self._operands) < count:
            raise VerifyException(f"expected at least {count} operands")

    def memref(self, what: str) -> SSAValue:
        value = self._operands[self.taken]
        if not isinstance(value.type, MemRefType):
            raise VerifyException(f"expected {what} to be of memref type")
        self.taken += 1
        return value

    def indices(self, what: str, count: int) -> Sequence[SSAValue]:
        values = self._operands[self.taken : self.taken + count]
        if any(not isinstance(value.type, IndexType) for value in values):
            raise VerifyException(f"expected {what} to be of index type")
        self.taken += count
        return values


@irdl_op_definition
class DmaStartOp(IRDLOperation):
    """Starts a copy of so many elements; the element of the tag is what to wait for. With strides: every so many elements a piece.

    ```mlir
    memref.dma_start %src[%i, %j], %dst[%k], %count, %tag[%t] : memref<40x8xf32>, memref<8xf32, 1>, memref<1xi32>
    memref.dma_start %src[%i, %j], %dst[%k], %count, %tag[%t], %stride, %piece : memref<40x8xf32>, memref<8xf32, 1>, memref<1xi32>
    ```
    """

    name = "memref.dma_start"

    arguments = var_operand_def()
    traits = traits_def(MemoryWriteEffect(), MemoryReadEffect())

    def verify_(self) -> None:
        parts = _Operands(self)
        parts.require(4)
        source = parts.memref("source")
        parts.require(_rank(source) + 4)
        parts.indices("source indices", _rank(source))
        dest = parts.memref("destination")
        parts.require(_rank(source) + _rank(dest) + 4)
        parts.indices("destination indices", _rank(dest))
        parts.indices("num elements", 1)
        tag = parts.memref("tag")
        parts.require(_rank(source) + _rank(dest) + _rank(tag) + 4)
        parts.indices("tag indices", _rank(tag))
        if len(self.operands) - parts.taken not in (0, 2):
            raise VerifyException("incorrect number of operands")
        if any(not isinstance(value.type, IndexType) for value in self.operands[parts.taken :]):
            raise VerifyException("expected stride and num elements per stride to be of type index")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        def access() -> tuple[Any, Sequence[SSAValue]]:
            memref = parser.parse_unresolved_operand()
            indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
            return memref, indices

        source, source_indices = access()
        parser.parse_punctuation(",")
        dest, dest_indices = access()
        parser.parse_punctuation(",")
        count = parser.parse_operand(INDEX)
        parser.parse_punctuation(",")
        tag, tag_indices = access()
        strides: list[SSAValue] = []
        while parser.parse_optional_punctuation(","):
            strides.append(parser.parse_operand(INDEX))
        if len(strides) not in (0, 2):
            parser.raise_error("expected two stride related operands")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        if len(types) != 3:
            parser.raise_error("fewer/more types expected", start)
        memrefs = parser.resolve_operands([source, dest, tag], types, start)
        operands = [memrefs[0], *source_indices, memrefs[1], *dest_indices, count, memrefs[2], *tag_indices, *strides]
        return cls.create(operands=operands, attributes=attributes)

    def print(self, printer: Printer) -> None:
        operands = list(self.operands)
        source, operands = operands[0], operands[1:]
        source_indices, operands = operands[: _rank(source)], operands[_rank(source) :]
        dest, operands = operands[0], operands[1:]
        dest_indices, operands = operands[: _rank(dest)], operands[_rank(dest) :]
        (count, tag), operands = operands[:2], operands[2:]
        printer.print_string(" ")
        _print_access(printer, source, source_indices)
        printer.print_string(", ")
        _print_access(printer, dest, dest_indices)
        printer.print_string(", ")
        printer.print_ssa_value(count)
        printer.print_string(", ")
        _print_access(printer, tag, operands[: _rank(tag)])
        for stride in operands[_rank(tag) :]:
            printer.print_string(", ")
            printer.print_ssa_value(stride)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([source.type, dest.type, tag.type], printer.print_attribute)


@irdl_op_definition
class DmaWaitOp(IRDLOperation):
    """Waits for the copy of a tag: `memref.dma_wait %tag[%i], %count : memref<2xi32>`."""

    name = "memref.dma_wait"

    arguments = var_operand_def()
    traits = traits_def(MemoryWriteEffect(), MemoryReadEffect())

    def verify_(self) -> None:
        parts = _Operands(self)
        parts.require(2)
        rank, found = _rank(parts.memref("tag")), len(self.operands) - 2
        if rank != found:
            numbers = f"expected {rank}, but got {found}"
            raise VerifyException(f"expected tagIndices to have the same number of elements as the tagMemRef rank, {numbers}")
        parts.indices("tag indices", found + 1)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        tag = parser.parse_unresolved_operand()
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
        parser.parse_punctuation(",")
        count = parser.parse_operand(INDEX)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        memref = parser.resolve_operand(tag, parser.parse_type())
        return cls.create(operands=[memref, *indices, count], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        _print_access(printer, self.operands[0], self.operands[1:-1])
        printer.print_string(", ")
        printer.print_ssa_value(self.operands[-1])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)


@irdl_op_definition
class GenericAtomicRMWOp(IRDLOperation):
    """An element is replaced by what the region makes of it, at once: gives the new value.

    ```mlir
    %new = memref.generic_atomic_rmw %m[%i] : memref<10xf32> {
    ^bb0(%old : f32):
      %twice = arith.addf %old, %old : f32
      memref.atomic_yield %twice : f32
    }
    ```
    """

    name = "memref.generic_atomic_rmw"

    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    result = result_def()
    atomic_body = region_def()
    traits = traits_def(MemoryWriteEffect(), MemoryReadEffect())

    def verify_(self) -> None:
        type = cast("MemRefType[Any]", self.memref.type)
        if self.result.type != type.element_type:
            raise VerifyException("failed to verify that result type matches element type of memref")
        if len(self.indices) != type.get_num_dims():
            numbers = f"expected {type.get_num_dims()} but got {len(self.indices)}"
            raise VerifyException(f"invalid number of indices for accessed memref, {numbers}")
        block = self.atomic_body.block
        if len(block.args) != 1:
            raise VerifyException("expected single number of entry block arguments")
        if block.args[0].type != self.result.type:
            raise VerifyException("expected block argument of the same type result type")
        if any(not is_side_effect_free(op) for op in block.ops if not isinstance(op, AtomicYieldOp)):
            raise VerifyException("body of 'memref.generic_atomic_rmw' should contain only operations with no side effects")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        memref = parser.parse_unresolved_operand()
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
        parser.parse_punctuation(":")
        start = parser.pos
        type = parser.parse_type()
        if not isinstance(type, MemRefType):
            parser.raise_error("expected a memref type", start)
        type = cast("MemRefType[Any]", type)
        value = parser.resolve_operand(memref, type)
        body = parser.parse_region()
        attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=[value, *indices], result_types=[type.element_type], regions=[body], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        _print_access(printer, self.memref, self.indices)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)
        printer.print_string(" ")
        printer.print_region(self.atomic_body)
        printer.print_op_attributes(self.attributes)


@irdl_op_definition
class AtomicYieldOp(IRDLOperation):
    """Ends the body of `memref.generic_atomic_rmw` with the new value of the element."""

    name = "memref.atomic_yield"

    value = operand_def()
    traits = traits_def(HasParent(GenericAtomicRMWOp), IsTerminator(), Pure())
    assembly_format = "$value attr-dict `:` type($value)"

    def verify_(self) -> None:
        parent = self.parent_op()
        if isinstance(parent, GenericAtomicRMWOp) and parent.result.type != self.value.type:
            types = f"'{shown(self.value.type)}' and its parent: '{shown(parent.result.type)}'"
            raise VerifyException(f"types mismatch between yield op: {types}")


@irdl_op_definition
class DistinctObjectsOp(IRDLOperation):
    """The same memrefs, of which it is known that they share no memory: `%c, %d = memref.distinct_objects %a, %b : memref<4xf32>, ...`."""

    name = "memref.distinct_objects"

    operands_ = var_operand_def(MemRefType)
    results_ = var_result_def(MemRefType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        if not self.operands:
            raise VerifyException("expected at least one operand")
        if tuple(self.operand_types) != tuple(self.result_types):
            raise VerifyException("operand types and result types must match")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls.create(operands=parser.resolve_operands(operands, types, start), result_types=types, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)


ASYNCHRONOUS: list[type[Operation]] = [DmaStartOp, DmaWaitOp, GenericAtomicRMWOp, AtomicYieldOp, DistinctObjectsOp]
