"""`llvm.switch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerType,
    VectorType,
    i32,
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
from xdsl.ir import Block, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    successor_def,
    traits_def,
    var_operand_def,
    var_successor_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator
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


@irdl_op_definition
class SwitchOp(IRDLOperation):
    """Branches by the value of an integer.

    ```mlir
    llvm.switch %i : i32, ^default(%a : i32) [
      42: ^bb2(%b : f32),
      43: ^bb3
    ]
    ```
    """

    name = "llvm.switch"

    value = operand_def(IntegerType)
    defaultOperands = var_operand_def()
    caseOperands = var_operand_def()
    case_values = opt_prop_def(DenseIntOrFPElementsAttr)
    case_operand_segments = prop_def(DenseArrayBase.constr(i32))
    branch_weights = opt_prop_def()
    defaultDestination = successor_def()
    caseDestinations = var_successor_def()

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsTerminator())

    def __init__(
        self,
        value: SSAValue,
        default: tuple[Block, Sequence[SSAValue]],
        cases: Sequence[tuple[int, Block, Sequence[SSAValue]]],
    ) -> None:
        values = [case for case, _, _ in cases]
        type = VectorType(value.type, [len(values)])
        super().__init__(
            operands=[value, default[1], [operand for _, _, operands in cases for operand in operands]],
            successors=[default[0], [block for _, block, _ in cases]],
            properties={
                "case_values": DenseIntOrFPElementsAttr.from_list(cast(Any, type), values) if values else None,
                "case_operand_segments": DenseArrayBase.from_list(i32, [len(operands) for _, _, operands in cases]),
            },
        )

    def cases(self) -> list[tuple[int, Block, list[SSAValue]]]:
        """Value, block and operands of each case."""
        values = [] if self.case_values is None else [int(cast(Any, v)) for v in self.case_values.get_values()]
        operands = iter(self.caseOperands)
        segments = self.case_operand_segments.get_values()
        return [
            (value, block, [next(operands) for _ in range(int(count))])
            for value, block, count in zip(values, self.caseDestinations, segments, strict=True)
        ]

    def verify_(self) -> None:
        count = 0 if self.case_values is None else len(self.case_values)
        segments = self.case_operand_segments.get_values()
        if not count == len(self.caseDestinations) == len(segments) or sum(segments) != len(self.caseOperands):
            raise VerifyException(f"has {count} values for {len(self.caseDestinations)} cases")
        targets = [(self.defaultDestination, list(self.defaultOperands)), *((block, operands) for _, block, operands in self.cases())]
        for block, operands in targets:
            if block.arg_types != tuple(operand.type for operand in operands):
                raise VerifyException(f"passes {len(operands)} operands to a block of {len(block.args)} arguments, or of other types")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        resolved = parser.resolve_operand(value, parser.parse_type())
        parser.parse_punctuation(",")
        default = _parse_target(parser)

        def case() -> tuple[int, Block, Sequence[SSAValue]]:
            number = parser.parse_integer(allow_boolean=False)
            parser.parse_punctuation(":")
            return number, *_parse_target(parser)

        cases = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, case)
        op = cls(resolved, default, cases)
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" : ")
        printer.print_attribute(self.value.type)
        printer.print_string(", ")
        _print_target(printer, self.defaultDestination, self.defaultOperands)
        printer.print_string(" [")
        for index, (value, block, operands) in enumerate(self.cases()):
            printer.print_string(f"{',' if index else ''}\n  {value}: ")
            _print_target(printer, block, operands)
        printer.print_string("\n]")
        printer.print_op_attributes(self.attributes)


def _parse_target(parser: Parser) -> tuple[Block, Sequence[SSAValue]]:
    block = parser.parse_successor()
    if not parser.parse_optional_punctuation("("):
        return block, ()
    start = parser.pos
    operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return block, parser.resolve_operands(operands, types, start)


def _print_target(printer: Printer, block: Block, operands: Sequence[SSAValue]) -> None:
    printer.print_block_name(block)
    if operands:
        with printer.in_parens():
            printer.print_list(operands, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([operand.type for operand in operands], printer.print_attribute)
