"""`math`: functions beyond arithmetic, elementwise on scalars, n-D vectors and tensors. Upstream's dialect; ours are the ops that xDSL
lacks."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Self

from xdsl.dialects import math as shipped
from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import i1
from xdsl.dialects.math import AbsFOp as AbsFOp
from xdsl.dialects.math import AbsIOp as AbsIOp
from xdsl.dialects.math import AcoshOp as AcoshOp
from xdsl.dialects.math import AcosOp as AcosOp
from xdsl.dialects.math import AsinhOp as AsinhOp
from xdsl.dialects.math import AsinOp as AsinOp
from xdsl.dialects.math import Atan2Op as Atan2Op
from xdsl.dialects.math import AtanhOp as AtanhOp
from xdsl.dialects.math import AtanOp as AtanOp
from xdsl.dialects.math import CbrtOp as CbrtOp
from xdsl.dialects.math import CeilOp as CeilOp
from xdsl.dialects.math import CopySignOp as CopySignOp
from xdsl.dialects.math import CoshOp as CoshOp
from xdsl.dialects.math import CosOp as CosOp
from xdsl.dialects.math import CountLeadingZerosOp as CountLeadingZerosOp
from xdsl.dialects.math import CountTrailingZerosOp as CountTrailingZerosOp
from xdsl.dialects.math import CtPopOp as CtPopOp
from xdsl.dialects.math import ErfOp as ErfOp
from xdsl.dialects.math import Exp2Op as Exp2Op
from xdsl.dialects.math import ExpM1Op as ExpM1Op
from xdsl.dialects.math import ExpOp as ExpOp
from xdsl.dialects.math import FloorOp as FloorOp
from xdsl.dialects.math import FPowIOp as FPowIOp
from xdsl.dialects.math import IPowIOp as IPowIOp
from xdsl.dialects.math import Log1pOp as Log1pOp
from xdsl.dialects.math import Log2Op as Log2Op
from xdsl.dialects.math import Log10Op as Log10Op
from xdsl.dialects.math import LogOp as LogOp
from xdsl.dialects.math import PowFOp as PowFOp
from xdsl.dialects.math import RoundEvenOp as RoundEvenOp
from xdsl.dialects.math import RoundOp as RoundOp
from xdsl.dialects.math import RsqrtOp as RsqrtOp
from xdsl.dialects.math import SinhOp as SinhOp
from xdsl.dialects.math import SinOp as SinOp
from xdsl.dialects.math import SqrtOp as SqrtOp
from xdsl.dialects.math import TanhOp as TanhOp
from xdsl.dialects.math import TanOp as TanOp
from xdsl.dialects.math import TruncOp as TruncOp
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, VarConstraint, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import replace_ops, with_element

NO_FLAGS = FastMathFlagsAttr("none")


@irdl_op_definition
class FmaOp(IRDLOperation):
    """`%d = math.fma %a, %b, %c : vector<4xf32>`: a * b + c, rounded once."""

    name = "math.fma"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    a = operand_def(T)
    b = operand_def(T)
    c = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$a `,` $b `,` $c (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, a: SSAValue, b: SSAValue, c: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[a, b, c], result_types=[a.type], properties={"fastmath": fastmath})


@irdl_op_definition
class ErfcOp(shipped.FloatingPointLikeUnaryMathOperation):
    """`%y = math.erfc %x : f32`: 1 - erf(x), without the cancellation."""

    name = "math.erfc"
    traits = traits_def(Pure())


@irdl_op_definition
class ClampFOp(IRDLOperation):
    """`%y = math.clampf %x to [%lo, %hi] : f32`: minimumf(maximumf(x, lo), hi)."""

    name = "math.clampf"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    value = operand_def(T)
    min = operand_def(T)
    max = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$value `to` `[` $min `,` $max `]` (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, value: SSAValue, min: SSAValue, max: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[value, min, max], result_types=[value.type], properties={"fastmath": fastmath})


class Classification(IRDLOperation, ABC):
    """A question about a float, answered by i1 in the same container."""

    operand = operand_def(shipped.floatingPointLike)
    result = result_def()
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, operand: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[operand], result_types=[with_element(operand.type, i1)], properties={"fastmath": fastmath})

    def verify_(self) -> None:
        if self.result.type != with_element(self.operand.type, i1):
            raise VerifyException(f"of {self.operand.type} has a result of type {self.result.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls(parser.resolve_operand(operand, parser.parse_type()))
        if (flags := attributes.pop("fastmath", None)) is not None:
            op.properties["fastmath"] = flags
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operand)
        flags: dict[str, Attribute] = {} if self.fastmath == NO_FLAGS else {"fastmath": self.fastmath}
        printer.print_op_attributes(flags | self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.operand.type)


@irdl_op_definition
class IsNaNOp(Classification):
    """`%b = math.isnan %x : f32`"""

    name = "math.isnan"


@irdl_op_definition
class IsInfOp(Classification):
    """`%b = math.isinf %x : f32`"""

    name = "math.isinf"


@irdl_op_definition
class IsFiniteOp(Classification):
    """`%b = math.isfinite %x : f32`"""

    name = "math.isfinite"


@irdl_op_definition
class IsNormalOp(Classification):
    """`%b = math.isnormal %x : f32`"""

    name = "math.isnormal"


Math = replace_ops(shipped.Math, [FmaOp, ErfcOp, ClampFOp, IsNaNOp, IsInfOp, IsFiniteOp, IsNormalOp])
