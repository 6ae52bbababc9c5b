"""`llvm.getelementptr`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects import llvm as shipped
from xdsl.dialects.builtin import (
    DenseArrayBase,
    FunctionType,
    IntegerAttr,
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
from xdsl.dialects.utils import parse_dynamic_index_list_without_types, print_dynamic_index_list
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
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
from stepwell.dialects.support import element_of, with_element
from stepwell.ir.rules import shown

GEP_USE_SSA_VAL = shipped.GEP_USE_SSA_VAL
"""In `rawConstantIndices`, marks an index that is an operand."""


@irdl_op_definition
class GEPOp(IRDLOperation):
    """An address inside an aggregate: the base, constant and computed indices, the type that they walk.

    ```mlir
    %q = llvm.getelementptr inbounds %p[%i, 3] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.array<8 x f32>
    ```
    `rawConstantIndices` holds `GEP_USE_SSA_VAL` where the index is the next operand. Vectors of indices give vectors of pointers.
    """

    name = "llvm.getelementptr"

    ptr = operand_def()
    ssa_indices = var_operand_def()
    elem_type = prop_def()
    rawConstantIndices = prop_def(DenseArrayBase.constr(i32))
    noWrapFlags = opt_prop_def(IntegerAttr)
    result = result_def()
    traits = traits_def(Pure())

    def __init__(
        self,
        ptr: SSAValue,
        indices: Sequence[int | SSAValue],
        elem_type: Attribute,
        *,
        inbounds: bool = False,
        result_type: Attribute | None = None,
    ) -> None:
        dynamic = [index for index in indices if isinstance(index, SSAValue)]
        constants = [GEP_USE_SSA_VAL if isinstance(index, SSAValue) else index for index in indices]
        if result_type is None:
            types: list[Attribute] = [value.type for value in (ptr, *dynamic)]
            vector = next((type for type in types if element_of(type) is not type), None)
            result_type = ptr.type if vector is None else with_element(vector, element_of(ptr.type))
        super().__init__(
            operands=[ptr, dynamic],
            result_types=[result_type],
            properties={
                "elem_type": elem_type,
                "rawConstantIndices": DenseArrayBase.from_list(i32, constants),
                "noWrapFlags": IntegerAttr(3, i32) if inbounds else None,
            },
        )

    def mixed_indices(self) -> list[int | SSAValue]:
        values = iter(self.ssa_indices)
        return [next(values) if index == GEP_USE_SSA_VAL else int(index) for index in self.rawConstantIndices.get_values()]

    @property
    def inbounds(self) -> bool:
        """Whether the address is within the object that the base points into."""
        return self.noWrapFlags is not None and cast("IntegerAttr[Any]", self.noWrapFlags).value.data & 1 == 1

    def verify_(self) -> None:
        constants = self.rawConstantIndices.get_values()
        if constants.count(GEP_USE_SSA_VAL) != len(self.ssa_indices):
            raise VerifyException("expected as many dynamic indices as specified in 'rawConstantIndices'")
        if self.noWrapFlags is not None and cast("IntegerAttr[Any]", self.noWrapFlags).value.data == 1:
            raise VerifyException("'inbounds_flag' cannot be used directly.")
        current = self.elem_type
        for position, index in enumerate(constants[1:], 1):
            if isinstance(current, (LLVMArrayType, VectorType)):
                current = current.type if isinstance(current, LLVMArrayType) else cast(Attribute, current.element_type)
            elif isinstance(current, LLVMStructType):
                if index == GEP_USE_SSA_VAL:
                    raise VerifyException(f"expected index {position} indexing a struct to be constant")
                if not 0 <= index < len(current.types):
                    raise VerifyException(f"index {position} indexing a struct is out of bounds")
                current = current.types.data[index]
            else:
                raise VerifyException(f"type '{shown(current)}' cannot be indexed (index #{position})")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        flags = 0
        while True:
            word = parser.parse_optional_keyword_in(_GEP_FLAGS)
            if word is None:
                break
            flags |= _GEP_FLAGS[word]
            if parser.parse_optional_punctuation("|") is None:
                break
        ptr = parser.parse_unresolved_operand()
        dynamic, constants = parse_dynamic_index_list_without_types(parser, GEP_USE_SSA_VAL)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type: Any = parser.parse_type()
        if not isinstance(type, FunctionType):
            parser.raise_error(f"invalid kind of type specified: expected builtin.function, but found '{shown(type)}'", start)
        parser.parse_punctuation(",")
        elem_type = parser.parse_type()
        count, given = len(dynamic) + 1, len(type.inputs)
        if count != given:
            parser.raise_error(f"number of operands and types do not match: got {count} operands and {given} types", start)
        if len(type.outputs) != 1:
            parser.raise_error("op requires one result", start)
        properties: dict[str, Attribute] = {"elem_type": elem_type, "rawConstantIndices": DenseArrayBase.from_list(i32, constants)}
        if flags:
            properties["noWrapFlags"] = IntegerAttr(flags, i32)
        return cls.create(
            operands=parser.resolve_operands([ptr, *dynamic], type.inputs.data, start),
            result_types=type.outputs.data,
            properties=properties,
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        flags = 0 if self.noWrapFlags is None else cast("IntegerAttr[Any]", self.noWrapFlags).value.data
        words = ["inbounds"] if flags & 3 == 3 else [word for word, bit in (("inbounds_flag", 1), ("nusw", 2)) if flags & bit]
        printer.print_string(" ")
        if flags:
            printer.print_string(" | ".join([*words, *(["nuw"] if flags & 4 else [])]) + " ")
        printer.print_ssa_value(self.ptr)
        print_dynamic_index_list(printer, GEP_USE_SSA_VAL, self.ssa_indices, self.rawConstantIndices.get_values())
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)
        printer.print_string(", ")
        printer.print_attribute(self.elem_type)


_GEP_FLAGS = {"inbounds": 3, "inbounds_flag": 1, "nusw": 2, "nuw": 4}
