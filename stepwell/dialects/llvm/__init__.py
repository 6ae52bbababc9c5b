"""`llvm`: LLVM IR as ops. Upstream's dialect; ours are the ops that xDSL lacks, and those of its ops that take scalars only.

The intrinsics stand in `llvm_intrinsics`. Integer arithmetic, memory, calls, functions and globals are xDSL's.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import llvm as shipped
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FunctionType,
    IntegerAttr,
    IntegerType,
    VectorType,
    i1,
    i32,
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
from xdsl.dialects.utils import parse_dynamic_index_list_without_types, print_dynamic_index_list
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    successor_def,
    traits_def,
    var_operand_def,
    var_successor_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.aggregates import ExtractValueOp as ExtractValueOp
from stepwell.dialects.llvm.aggregates import ICmpOp as ICmpOp
from stepwell.dialects.llvm.aggregates import InsertValueOp as InsertValueOp
from stepwell.dialects.llvm.functions import CallingConventionAttr as CallingConventionAttr
from stepwell.dialects.llvm.functions import CallOp as CallOp
from stepwell.dialects.llvm.functions import FuncOp as FuncOp
from stepwell.dialects.llvm.functions import ReturnOp as ReturnOp
from stepwell.dialects.llvm.globals import AddressOfOp as AddressOfOp
from stepwell.dialects.llvm.globals import ConstantOp as ConstantOp
from stepwell.dialects.llvm.globals import GlobalOp as GlobalOp
from stepwell.dialects.llvm.globals import ZeroOp as ZeroOp
from stepwell.dialects.llvm.intrinsics import INTRINSICS, NO_FLAGS
from stepwell.dialects.llvm.memory import AllocaOp as AllocaOp
from stepwell.dialects.llvm.memory import LoadOp as LoadOp
from stepwell.dialects.llvm.memory import StoreOp as StoreOp
from stepwell.dialects.llvm.types import TYPES
from stepwell.dialects.llvm.types import LLVMArrayType as LLVMArrayType
from stepwell.dialects.llvm.types import LLVMFunctionType as LLVMFunctionType
from stepwell.dialects.llvm.types import LLVMStructType as LLVMStructType
from stepwell.dialects.support import element_of, is_float, replace_ops, same_container, with_element
from stepwell.ir.rules import shown

GEP_USE_SSA_VAL = shipped.GEP_USE_SSA_VAL
"""In `rawConstantIndices`, marks an index that is an operand."""


# ---- values ---------------------------------------------------------------------------------------------------------------------


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


# ---- casts ----------------------------------------------------------------------------------------------------------------------


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


# ---- addresses ------------------------------------------------------------------------------------------------------------------


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


# ---- control flow ---------------------------------------------------------------------------------------------------------------


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


LLVM = replace_ops(
    shipped.LLVM,
    [
        *(PoisonOp, FreezeOp, ExtractElementOp, SelectOp, FCmpOp),
        *(FPToSIOp, FPToUIOp, SIToFPOp, UIToFPOp, FPExtOp, FPTruncOp, BitcastOp, AddrSpaceCastOp),
        *(GEPOp, SwitchOp),
        *(LoadOp, StoreOp, AllocaOp, FuncOp, CallOp, ReturnOp, GlobalOp, AddressOfOp, ConstantOp, ZeroOp),
        *(InsertValueOp, ExtractValueOp, ICmpOp),
        *INTRINSICS,
    ],
    [*TYPES, CallingConventionAttr],
)
