"""Arithmetic of `arith` that says more than xDSL's: how it rounds, that a shift is exact; negation and the remainder of floats."""

from __future__ import annotations

from typing import Any, ClassVar

from xdsl.dialects import arith as shipped
from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import UnitAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.irdl.declarative_assembly_format import AttributeVariable, CustomDirective, ParsingState, PrintingState, irdl_custom_directive
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Commutative, Pure
from xdsl.utils.str_enum import StrEnum

NO_FLAGS = FastMathFlagsAttr("none")


class RoundingMode(StrEnum):
    """How the result of an operation on floats is rounded."""

    TO_NEAREST_EVEN = "to_nearest_even"
    DOWNWARD = "downward"
    UPWARD = "upward"
    TOWARD_ZERO = "toward_zero"
    TO_NEAREST_AWAY = "to_nearest_away"


@irdl_attr_definition
class RoundingModeAttr(EnumAttribute[RoundingMode]):
    """`to_nearest_even`, ..."""

    name = "arith.roundingmode"


@irdl_custom_directive
class Rounding(CustomDirective):
    """Maybe the keyword of a rounding mode."""

    mode: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        keyword = parser.parse_optional_keyword_in([mode.value for mode in RoundingMode])
        if keyword is None:
            self.mode.set_empty(state)
        else:
            self.mode.set(state, RoundingModeAttr(RoundingMode(keyword)))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        mode: Any = self.mode.get(op)
        if mode is not None:
            state.print_whitespace(printer)
            printer.print_string(mode.data.value)


ROUNDED = "$lhs `,` $rhs custom<Rounding>($roundingmode) (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


@irdl_op_definition
class AddfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.addf %a, %b : f32`, also `arith.addf %a, %b upward fastmath<nnan> : f32`"""

    name = "arith.addf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure(), Commutative())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class SubfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.subf %a, %b : f32`"""

    name = "arith.subf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class MulfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.mulf %a, %b : f32`"""

    name = "arith.mulf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure(), Commutative())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class DivfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.divf %a, %b : f32`"""

    name = "arith.divf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class ShRSIOp(shipped.SignlessIntegerBinaryOperation):
    """`%c = arith.shrsi %a, %b : i32`; `exact` where only zeros are shifted out."""

    name = "arith.shrsi"
    isExact = opt_prop_def(UnitAttr)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`exact` $isExact^)? attr-dict `:` type($result)"


@irdl_op_definition
class ShRUIOp(shipped.SignlessIntegerBinaryOperation):
    """`%c = arith.shrui %a, %b : i32`"""

    name = "arith.shrui"
    isExact = opt_prop_def(UnitAttr)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`exact` $isExact^)? attr-dict `:` type($result)"


@irdl_op_definition
class NegfOp(IRDLOperation):
    """`%b = arith.negf %a : f32`"""

    name = "arith.negf"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    operand = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$operand (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, operand: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[operand], result_types=[operand.type], properties={"fastmath": fastmath})


@irdl_op_definition
class RemfOp(IRDLOperation):
    """`%r = arith.remf %a, %b : f32`: the remainder of the division rounded toward zero, of the sign of `%a`."""

    name = "arith.remf"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, lhs: SSAValue, rhs: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type], properties={"fastmath": fastmath})
