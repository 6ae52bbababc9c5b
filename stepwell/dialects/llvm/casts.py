"""The casts of `llvm` that xDSL lacks or has for scalars only."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Self

from xdsl.dialects.builtin import (
    IntegerType,
)
from xdsl.dialects.llvm import AddOp as AddOp
from xdsl.dialects.llvm import AndOp as AndOp
from xdsl.dialects.llvm import AShrOp as AShrOp
from xdsl.dialects.llvm import BrOp as BrOp
from xdsl.dialects.llvm import CallIntrinsicOp as CallIntrinsicOp
from xdsl.dialects.llvm import CondBrOp as CondBrOp
from xdsl.dialects.llvm import FAddOp as FAddOp
from xdsl.dialects.llvm import FastMathAttr as FastMathAttr
from xdsl.dialects.llvm import FCmpPredicateFlag as FCmpPredicateFlag
from xdsl.dialects.llvm import FDivOp as FDivOp
from xdsl.dialects.llvm import FMulOp as FMulOp
from xdsl.dialects.llvm import FNegOp as FNegOp
from xdsl.dialects.llvm import FRemOp as FRemOp
from xdsl.dialects.llvm import FSubOp as FSubOp
from xdsl.dialects.llvm import ICmpPredicateFlag as ICmpPredicateFlag
from xdsl.dialects.llvm import InlineAsmOp as InlineAsmOp
from xdsl.dialects.llvm import InsertElementOp as InsertElementOp
from xdsl.dialects.llvm import IntToPtrOp as IntToPtrOp
from xdsl.dialects.llvm import LinkageAttr as LinkageAttr
from xdsl.dialects.llvm import LLVMPointerType as LLVMPointerType
from xdsl.dialects.llvm import LLVMVoidType as LLVMVoidType
from xdsl.dialects.llvm import LShrOp as LShrOp
from xdsl.dialects.llvm import MulOp as MulOp
from xdsl.dialects.llvm import OrOp as OrOp
from xdsl.dialects.llvm import OverflowAttr as OverflowAttr
from xdsl.dialects.llvm import PtrToIntOp as PtrToIntOp
from xdsl.dialects.llvm import SDivOp as SDivOp
from xdsl.dialects.llvm import SExtOp as SExtOp
from xdsl.dialects.llvm import ShlOp as ShlOp
from xdsl.dialects.llvm import ShuffleVectorOp as ShuffleVectorOp
from xdsl.dialects.llvm import SRemOp as SRemOp
from xdsl.dialects.llvm import StackRestoreOp as StackRestoreOp
from xdsl.dialects.llvm import StackSaveOp as StackSaveOp
from xdsl.dialects.llvm import SubOp as SubOp
from xdsl.dialects.llvm import TruncOp as TruncOp
from xdsl.dialects.llvm import UDivOp as UDivOp
from xdsl.dialects.llvm import UndefOp as UndefOp
from xdsl.dialects.llvm import UnreachableOp as UnreachableOp
from xdsl.dialects.llvm import URemOp as URemOp
from xdsl.dialects.llvm import XOrOp as XOrOp
from xdsl.dialects.llvm import ZExtOp as ZExtOp
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.aggregates import ExtractValueOp as ExtractValueOp
from stepwell.dialects.llvm.aggregates import ICmpOp as ICmpOp
from stepwell.dialects.llvm.aggregates import InsertValueOp as InsertValueOp
from stepwell.dialects.llvm.calls import CallOp as CallOp
from stepwell.dialects.llvm.functions import FuncOp as FuncOp
from stepwell.dialects.llvm.functions import ReturnOp as ReturnOp
from stepwell.dialects.llvm.globals import AddressOfOp as AddressOfOp
from stepwell.dialects.llvm.globals import ConstantOp as ConstantOp
from stepwell.dialects.llvm.globals import GlobalOp as GlobalOp
from stepwell.dialects.llvm.globals import ZeroOp as ZeroOp
from stepwell.dialects.llvm.linkage import CallingConventionAttr as CallingConventionAttr
from stepwell.dialects.llvm.memory import AllocaOp as AllocaOp
from stepwell.dialects.llvm.memory import LoadOp as LoadOp
from stepwell.dialects.llvm.memory import StoreOp as StoreOp
from stepwell.dialects.llvm.types import LLVMArrayType as LLVMArrayType
from stepwell.dialects.llvm.types import LLVMFunctionType as LLVMFunctionType
from stepwell.dialects.llvm.types import LLVMStructType as LLVMStructType
from stepwell.dialects.support import element_of, is_float, same_container


class CastOperation(IRDLOperation, ABC):
    """Elementwise on vectors. `KINDS`: which elements it takes and gives; `WIDTHS`: `<` where the result is wider, `>` where narrower."""

    KINDS: ClassVar[tuple[str, str] | None] = None
    WIDTHS: ClassVar[str] = ""

    arg = operand_def()
    res = result_def()
    traits = traits_def(Pure())

    def __init__(self, arg: SSAValue, result_type: Attribute) -> None:
        super().__init__(operands=[arg], result_types=[result_type])

    def verify_(self) -> None:
        source, dest = element_of(self.arg.type), element_of(self.res.type)
        fits = self.KINDS is None or (_kind(source), _kind(dest)) == self.KINDS
        fits = fits and (self.KINDS is None or same_container(self.arg.type, self.res.type))
        widths = getattr(source, "bitwidth", 0), getattr(dest, "bitwidth", 0)
        fits = fits and {"": True, "<": widths[0] < widths[1], ">": widths[0] > widths[1]}[self.WIDTHS]
        if not fits:
            raise VerifyException(f"cannot cast {self.arg.type} to {self.res.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        arg = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        op = cls(parser.resolve_operand(arg, source), parser.parse_type())
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.arg)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.arg.type)
        printer.print_string(" to ")
        printer.print_attribute(self.res.type)


def _kind(type: Attribute) -> str:
    return "int" if isinstance(type, IntegerType) else "float" if is_float(type) else "?"


@irdl_op_definition
class FPToSIOp(CastOperation):
    name = "llvm.fptosi"
    KINDS: ClassVar = ("float", "int")


@irdl_op_definition
class FPToUIOp(CastOperation):
    name = "llvm.fptoui"
    KINDS: ClassVar = ("float", "int")


@irdl_op_definition
class SIToFPOp(CastOperation):
    name = "llvm.sitofp"
    KINDS: ClassVar = ("int", "float")


@irdl_op_definition
class UIToFPOp(CastOperation):
    name = "llvm.uitofp"
    KINDS: ClassVar = ("int", "float")


@irdl_op_definition
class FPExtOp(CastOperation):
    name = "llvm.fpext"
    KINDS: ClassVar = ("float", "float")
    WIDTHS: ClassVar = "<"


@irdl_op_definition
class FPTruncOp(CastOperation):
    name = "llvm.fptrunc"
    KINDS: ClassVar = ("float", "float")
    WIDTHS: ClassVar = ">"


@irdl_op_definition
class BitcastOp(CastOperation):
    """The same bits under another type; vectors of other lengths are fine."""

    name = "llvm.bitcast"


@irdl_op_definition
class AddrSpaceCastOp(CastOperation):
    name = "llvm.addrspacecast"
