"""Memory of a device, in order with a stream: `gpu.wait`, `memcpy`, `memset`, `alloc`, `dealloc`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import ClassVar, Self

from xdsl.dialects.builtin import (
    IndexType,
    MemRefType,
    UnitAttr,
)
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    opt_result_def,
    result_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.gpu.launches import TOKEN, parse_async, print_async
from stepwell.dialects.support import element_of


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Waits, or with `async` gives a token for when it could: `%t = gpu.wait async [%a, %b]`."""

    name = "gpu.wait"
    asyncDependencies = var_operand_def(AsyncTokenType)
    asyncToken = opt_result_def(AsyncTokenType)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = parse_async(parser)
        attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=tokens, result_types=[TOKEN] if is_async else [], attributes=attributes)

    def print(self, printer: Printer) -> None:
        print_async(printer, self, bool(self.results), self.asyncDependencies)
        printer.print_op_attributes(self.attributes)


class StreamOperation(IRDLOperation):
    """`gpu.memcpy async [%t] %dst, %src : type, type`"""

    COUNT: ClassVar[int] = 2

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = parse_async(parser)
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        values = parser.resolve_operands(operands, types, start)
        return cls.create(operands=[*tokens, *values], result_types=[TOKEN] if is_async else [], attributes=attributes)

    def print(self, printer: Printer) -> None:
        values = self.operands[len(self.operands) - self.COUNT :]
        print_async(printer, self, bool(self.results), self.operands[: len(self.operands) - self.COUNT])
        printer.print_string(" ")
        printer.print_list(values, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([value.type for value in values], printer.print_attribute)


@irdl_op_definition
class MemcpyOp(StreamOperation):
    """Copies a buffer."""

    name = "gpu.memcpy"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dst = operand_def(MemRefType)
    src = operand_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)

    def verify_(self) -> None:
        if element_of(self.dst.type) != element_of(self.src.type):
            raise VerifyException("arguments have incompatible element type")


@irdl_op_definition
class MemsetOp(StreamOperation):
    """Fills a buffer."""

    name = "gpu.memset"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dst = operand_def(MemRefType)
    value = operand_def()
    asyncToken = opt_result_def(AsyncTokenType)


@irdl_op_definition
class DeallocOp(StreamOperation):
    """Frees a buffer."""

    name = "gpu.dealloc"
    COUNT: ClassVar = 1
    asyncDependencies = var_operand_def(AsyncTokenType)
    memref = operand_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)


@irdl_op_definition
class AllocOp(IRDLOperation):
    """`%m, %t = gpu.alloc async [%t0] host_shared (%n)[%s] : memref<?xf32>`"""

    name = "gpu.alloc"
    asyncDependencies = var_operand_def(AsyncTokenType)
    dynamicSizes = var_operand_def(IndexType)
    symbolOperands = var_operand_def(IndexType)
    memref = result_def(MemRefType)
    asyncToken = opt_result_def(AsyncTokenType)
    hostShared = opt_prop_def(UnitAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        is_async, tokens = parse_async(parser)
        shared = parser.parse_optional_keyword("host_shared") is not None
        sizes = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_operand(INDEX))
        symbols = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX)) or []
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls(
            operands=[tokens, sizes, symbols],
            result_types=[parser.parse_type(), [TOKEN] if is_async else []],
            properties={"hostShared": UnitAttr()} if shared else {},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        print_async(printer, self, self.asyncToken is not None, self.asyncDependencies)
        printer.print_string(" host_shared (" if self.hostShared is not None else " (")
        printer.print_list(self.dynamicSizes, printer.print_ssa_value)
        printer.print_string(")")
        if self.symbolOperands:
            printer.print_string("[")
            printer.print_list(self.symbolOperands, printer.print_ssa_value)
            printer.print_string("]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)
