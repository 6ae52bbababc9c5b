"""The rarer operations of `arith`, which load when the parser meets one."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects import arith as shipped
from xdsl.irdl import IRDLOperation, VarConstraint, irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, traits_def
from xdsl.traits import Pure

from stepwell.dialects.arith import NO_FLAGS, FastMathFlagsAttr, Rounding, RoundingModeAttr


@irdl_op_definition
class SubUIExtendedOp(IRDLOperation):
    """`%difference, %borrow = arith.subui_extended %a, %b : i32, i1`"""

    name = "arith.subui_extended"
    T: ClassVar = VarConstraint("T", shipped.signlessIntegerLike)

    lhs = operand_def(T)
    rhs = operand_def(T)
    diff = result_def(T)
    borrow = result_def()
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs attr-dict `:` type($diff) `,` type($borrow)"


@irdl_op_definition
class FlushDenormalsOp(IRDLOperation):
    """`%b = arith.flush_denormals %a : f32`: numbers too small for the normal range become zeros of their sign."""

    name = "arith.flush_denormals"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    operand = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$operand (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


@irdl_op_definition
class ScalingExtFOp(IRDLOperation):
    """`%c = arith.scaling_extf %a, %scale : f4E2M1FN, f8E8M0FNU to f32`: widened and multiplied by the scale."""

    name = "arith.scaling_extf"

    input = operand_def()
    scale = operand_def()
    result = result_def()
    fastmath = opt_prop_def(FastMathFlagsAttr)
    traits = traits_def(Pure())
    assembly_format = "$input `,` $scale (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `,` type($scale) `to` type($result)"


@irdl_op_definition
class ScalingTruncFOp(IRDLOperation):
    """`%c = arith.scaling_truncf %a, %scale : f32, f8E8M0FNU to f4E2M1FN`: divided by the scale and narrowed."""

    name = "arith.scaling_truncf"

    input = operand_def()
    scale = operand_def()
    result = result_def()
    roundingmode = opt_prop_def(RoundingModeAttr)
    fastmath = opt_prop_def(FastMathFlagsAttr)
    custom_directives = (Rounding,)
    traits = traits_def(Pure())
    assembly_format = (
        "$input `,` $scale custom<Rounding>($roundingmode) (`fastmath` `` $fastmath^)? attr-dict"
        " `:` type($input) `,` type($scale) `to` type($result)"
    )


@irdl_op_definition
class SincosOp(IRDLOperation):
    """`%sin, %cos = math.sincos %a : f32`"""

    name = "math.sincos"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    operand = operand_def(T)
    sin = result_def(T)
    cos = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$operand (`fastmath` `` $fastmath^)? attr-dict `:` type($operand)"


RARE = ([SubUIExtendedOp, FlushDenormalsOp, ScalingExtFOp, ScalingTruncFOp], [])
RARE_MATH = ([SincosOp], [])
