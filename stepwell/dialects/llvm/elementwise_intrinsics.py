"""The `llvm.intr.*` ops that work element by element: one class per intrinsic, one base class per signature."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Self

from xdsl.dialects.builtin import (
    AnyFloatConstr,
    BoolAttr,
    SignlessIntegerConstraint,
    VectorType,
)
from xdsl.dialects.llvm import FastMathAttr
from xdsl.ir import SSAValue
from xdsl.irdl import (
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

NO_FLAGS = FastMathAttr(None)
AnyFloatLike = AnyFloatConstr | VectorType.constr(AnyFloatConstr)
AnyIntegerLike = SignlessIntegerConstraint | VectorType.constr(SignlessIntegerConstraint)


class Intrinsic(IRDLOperation, ABC):
    """`llvm.intr.name(%a, %b) {attributes} : (types) -> type`"""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_function_type()
        known = cls.get_irdl_definition().properties
        properties = {name: attributes.pop(name) for name in list(attributes) if name in known}
        if "fastmathFlags" in known:
            properties.setdefault("fastmathFlags", NO_FLAGS)
        return cls.create(
            operands=parser.resolve_operands(operands, type.inputs.data, start),
            result_types=type.outputs.data,
            properties=properties,
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        with printer.in_parens():
            printer.print_list(self.operands, printer.print_ssa_value)
        stated = {name: value for name, value in self.properties.items() if value != NO_FLAGS}
        printer.print_op_attributes(stated | self.attributes)
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)


# ---- floats ---------------------------------------------------------------------------------------------------------------------


class UnaryFloat(Intrinsic, ABC):
    """f(x), elementwise on vectors."""

    T: ClassVar = VarConstraint("T", AnyFloatLike)
    arg = operand_def(T)
    res = result_def(T)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, arg: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(operands=[arg], result_types=[arg.type], properties={"fastmathFlags": fast_math})


class BinaryFloat(Intrinsic, ABC):
    """f(x, y), elementwise on vectors."""

    T: ClassVar = VarConstraint("T", AnyFloatLike)
    lhs = operand_def(T)
    rhs = operand_def(T)
    res = result_def(T)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type], properties={"fastmathFlags": fast_math})


class TernaryFloat(Intrinsic, ABC):
    """f(a, b, c), elementwise on vectors."""

    T: ClassVar = VarConstraint("T", AnyFloatLike)
    a = operand_def(T)
    b = operand_def(T)
    c = operand_def(T)
    res = result_def(T)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, a: SSAValue, b: SSAValue, c: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(operands=[a, b, c], result_types=[a.type], properties={"fastmathFlags": fast_math})


@irdl_op_definition
class FAbsOp(UnaryFloat):
    name = "llvm.intr.fabs"


@irdl_op_definition
class FSqrtOp(UnaryFloat):
    name = "llvm.intr.sqrt"


@irdl_op_definition
class FFloorOp(UnaryFloat):
    name = "llvm.intr.floor"


@irdl_op_definition
class FCeilOp(UnaryFloat):
    name = "llvm.intr.ceil"


@irdl_op_definition
class FTruncOp(UnaryFloat):
    name = "llvm.intr.trunc"


@irdl_op_definition
class RoundOp(UnaryFloat):
    name = "llvm.intr.round"


@irdl_op_definition
class RoundEvenOp(UnaryFloat):
    name = "llvm.intr.roundeven"


@irdl_op_definition
class RintOp(UnaryFloat):
    name = "llvm.intr.rint"


@irdl_op_definition
class NearbyintOp(UnaryFloat):
    name = "llvm.intr.nearbyint"


@irdl_op_definition
class CopySignOp(BinaryFloat):
    name = "llvm.intr.copysign"


@irdl_op_definition
class MinNumOp(BinaryFloat):
    name = "llvm.intr.minnum"


@irdl_op_definition
class MaxNumOp(BinaryFloat):
    name = "llvm.intr.maxnum"


@irdl_op_definition
class MinimumOp(BinaryFloat):
    name = "llvm.intr.minimum"


@irdl_op_definition
class MaximumOp(BinaryFloat):
    name = "llvm.intr.maximum"


@irdl_op_definition
class FMAOp(TernaryFloat):
    """a * b + c, rounded once."""

    name = "llvm.intr.fma"


@irdl_op_definition
class FMulAddOp(TernaryFloat):
    """a * b + c, rounded once or twice."""

    name = "llvm.intr.fmuladd"


# ---- integers -------------------------------------------------------------------------------------------------------------------


class UnaryInteger(Intrinsic, ABC):
    """f(x), elementwise on vectors."""

    T: ClassVar = VarConstraint("T", AnyIntegerLike)
    arg = operand_def(T)
    res = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, arg: SSAValue) -> None:
        super().__init__(operands=[arg], result_types=[arg.type])


class BinaryInteger(Intrinsic, ABC):
    """f(x, y), elementwise on vectors."""

    T: ClassVar = VarConstraint("T", AnyIntegerLike)
    lhs = operand_def(T)
    rhs = operand_def(T)
    res = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue) -> None:
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type])


@irdl_op_definition
class SMinOp(BinaryInteger):
    name = "llvm.intr.smin"


@irdl_op_definition
class SMaxOp(BinaryInteger):
    name = "llvm.intr.smax"


@irdl_op_definition
class UMinOp(BinaryInteger):
    name = "llvm.intr.umin"


@irdl_op_definition
class UMaxOp(BinaryInteger):
    name = "llvm.intr.umax"


@irdl_op_definition
class CtPopOp(UnaryInteger):
    name = "llvm.intr.ctpop"


@irdl_op_definition
class ByteSwapOp(UnaryInteger):
    name = "llvm.intr.bswap"


@irdl_op_definition
class BitReverseOp(UnaryInteger):
    name = "llvm.intr.bitreverse"


class _FlaggedUnary(IRDLOperation, ABC):
    """f(x) with a flag that says whether a special operand is poison. Upstream prints the generic form."""

    FLAG: ClassVar[str]
    T: ClassVar = VarConstraint("T", AnyIntegerLike)
    arg = operand_def(T)
    res = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, arg: SSAValue, is_poison: bool = False) -> None:
        super().__init__(operands=[arg], result_types=[arg.type], properties={self.FLAG: BoolAttr.from_bool(is_poison)})


@irdl_op_definition
class AbsOp(_FlaggedUnary):
    name = "llvm.intr.abs"
    FLAG: ClassVar = "is_int_min_poison"
    is_int_min_poison = prop_def(BoolAttr)


@irdl_op_definition
class CountLeadingZerosOp(_FlaggedUnary):
    name = "llvm.intr.ctlz"
    FLAG: ClassVar = "is_zero_poison"
    is_zero_poison = prop_def(BoolAttr)


@irdl_op_definition
class CountTrailingZerosOp(_FlaggedUnary):
    name = "llvm.intr.cttz"
    FLAG: ClassVar = "is_zero_poison"
    is_zero_poison = prop_def(BoolAttr)
