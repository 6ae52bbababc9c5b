"""`llvm.mlir.poison`, `freeze`, `extractelement`, `select` and `fcmp`: values made of values."""

from __future__ import annotations

from typing import ClassVar, Self, cast

from xdsl.dialects.builtin import (
    IntegerAttr,
    IntegerType,
    VectorType,
    i1,
    i64,
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
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
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
from stepwell.dialects.llvm.elementwise_intrinsics import NO_FLAGS
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
from stepwell.dialects.support import element_of, is_float, same_container, with_element


@irdl_op_definition
class PoisonOp(IRDLOperation):
    """`%p = llvm.mlir.poison : vector<16xf32>`"""

    name = "llvm.mlir.poison"

    res = result_def()
    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($res)"

    def __init__(self, result_type: Attribute) -> None:
        super().__init__(result_types=[result_type])


@irdl_op_definition
class FreezeOp(IRDLOperation):
    """`%b = llvm.freeze %a : i32`"""

    name = "llvm.freeze"
    T: ClassVar = VarConstraint("T", AnyAttr())

    val = operand_def(T)
    res = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$val attr-dict `:` type($val)"

    def __init__(self, val: SSAValue) -> None:
        super().__init__(operands=[val], result_types=[val.type])


@irdl_op_definition
class ExtractElementOp(IRDLOperation):
    """`%e = llvm.extractelement %v[%i : i32] : vector<16xf32>`"""

    name = "llvm.extractelement"

    vector = operand_def(VectorType)
    position = operand_def(IntegerType)
    res = result_def()
    traits = traits_def(Pure())

    def __init__(self, vector: SSAValue, position: SSAValue) -> None:
        super().__init__(operands=[vector, position], result_types=[element_of(vector.type)])

    def verify_(self) -> None:
        if self.res.type != element_of(self.vector.type):
            raise VerifyException(f"of {self.vector.type} gives {self.res.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        vector = parser.parse_unresolved_operand()
        with parser.in_square_brackets():
            position = parser.parse_unresolved_operand()
            parser.parse_punctuation(":")
            position_type = parser.parse_type()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls(parser.resolve_operand(vector, parser.parse_type()), parser.resolve_operand(position, position_type))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.vector)
        with printer.in_square_brackets():
            printer.print_ssa_value(self.position)
            printer.print_string(" : ")
            printer.print_attribute(self.position.type)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.vector.type)


@irdl_op_definition
class SelectOp(IRDLOperation):
    """`%r = llvm.select %c, %a, %b : vector<16xi1>, vector<16xf32>`"""

    name = "llvm.select"
    T: ClassVar = VarConstraint("T", AnyAttr())

    condition = operand_def()
    trueValue = operand_def(T)
    falseValue = operand_def(T)
    res = result_def(T)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, condition: SSAValue, true_value: SSAValue, false_value: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(
            operands=[condition, true_value, false_value], result_types=[true_value.type], properties={"fastmathFlags": fast_math}
        )

    def verify_(self) -> None:
        if self.condition.type != i1 and (
            element_of(self.condition.type) != i1 or not same_container(self.condition.type, self.trueValue.type)
        ):
            raise VerifyException(f"of {self.trueValue.type} has a condition of type {self.condition.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        condition = parser.parse_type()
        parser.parse_punctuation(",")
        type = parser.parse_type()
        flags = cast(FastMathAttr, attributes.pop("fastmathFlags", NO_FLAGS))
        cond, true_value, false_value = parser.resolve_operands(operands, [condition, type, type], start)
        op = cls(cond, true_value, false_value, flags)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(_stated(self.fastmathFlags) | self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.condition.type, self.res.type), printer.print_attribute)


def _stated(flags: FastMathAttr) -> dict[str, Attribute]:
    return {} if flags == NO_FLAGS else {"fastmathFlags": flags}


@irdl_op_definition
class FCmpOp(IRDLOperation):
    """`%c = llvm.fcmp "olt" %a, %b : vector<16xf32>`"""

    name = "llvm.fcmp"
    T: ClassVar = VarConstraint("T", AnyAttr())

    lhs = operand_def(T)
    rhs = operand_def(T)
    res = result_def()
    predicate = prop_def(IntegerAttr)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: str | int, fast_math: FastMathAttr = NO_FLAGS) -> None:
        number = FCmpPredicateFlag(predicate).to_int() if isinstance(predicate, str) else predicate
        super().__init__(
            operands=[lhs, rhs],
            result_types=[with_element(lhs.type, i1)],
            properties={"predicate": IntegerAttr(number, i64), "fastmathFlags": fast_math},
        )

    @property
    def predicate_name(self) -> str:
        return FCmpPredicateFlag.from_int(self.predicate.value.data).value

    def verify_(self) -> None:
        if self.res.type != with_element(self.lhs.type, i1) or not is_float(element_of(self.lhs.type)):
            raise VerifyException(f"of {self.lhs.type} gives {self.res.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        predicate = parser.parse_str_literal()
        lhs = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        rhs = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        flags = cast(FastMathAttr, attributes.pop("fastmathFlags", NO_FLAGS))
        op = cls(parser.resolve_operand(lhs, type), parser.resolve_operand(rhs, type), predicate, flags)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{self.predicate_name}" ')
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(_stated(self.fastmathFlags) | self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)
