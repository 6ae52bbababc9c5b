"""The `llvm.intr.vector.reduce.*` ops: a vector in, a scalar out."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import (
    AnyFloatConstr,
    IntegerType,
    VectorType,
)
from xdsl.dialects.llvm import FastMathAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.elementwise_intrinsics import NO_FLAGS, Intrinsic
from stepwell.dialects.support import element_of


def _verify_reduction(op: IRDLOperation, vector: Attribute, result: Attribute) -> None:
    if element_of(vector) != result:
        raise VerifyException(f"of {vector} gives {result}")


class StartedReduction(IRDLOperation, ABC):
    """start + v[0] + v[1] + ... in order unless `reassoc`. Upstream prints the generic form."""

    start_value = operand_def(AnyFloatConstr)
    vector = operand_def(VectorType)
    res = result_def(AnyFloatConstr)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, start_value: SSAValue, vector: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(operands=[start_value, vector], result_types=[start_value.type], properties={"fastmathFlags": fast_math})

    def verify_(self) -> None:
        _verify_reduction(self, self.vector.type, self.res.type)


class FloatReduction(Intrinsic, ABC):
    """The extremum of a vector."""

    vector = operand_def(VectorType)
    res = result_def(AnyFloatConstr)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    def __init__(self, vector: SSAValue, fast_math: FastMathAttr = NO_FLAGS) -> None:
        super().__init__(operands=[vector], result_types=[element_of(vector.type)], properties={"fastmathFlags": fast_math})

    def verify_(self) -> None:
        _verify_reduction(self, self.vector.type, self.res.type)


class IntegerReduction(IRDLOperation, ABC):
    """All elements combined. Upstream prints the generic form."""

    vector = operand_def(VectorType)
    res = result_def(IntegerType)
    traits = traits_def(Pure())

    def __init__(self, vector: SSAValue) -> None:
        super().__init__(operands=[vector], result_types=[element_of(vector.type)])

    def verify_(self) -> None:
        _verify_reduction(self, self.vector.type, self.res.type)


@irdl_op_definition
class ReduceFAddOp(StartedReduction):
    name = "llvm.intr.vector.reduce.fadd"


@irdl_op_definition
class ReduceFMulOp(StartedReduction):
    name = "llvm.intr.vector.reduce.fmul"


@irdl_op_definition
class ReduceFMaxOp(FloatReduction):
    name = "llvm.intr.vector.reduce.fmax"


@irdl_op_definition
class ReduceFMinOp(FloatReduction):
    name = "llvm.intr.vector.reduce.fmin"


@irdl_op_definition
class ReduceFMaximumOp(FloatReduction):
    name = "llvm.intr.vector.reduce.fmaximum"


@irdl_op_definition
class ReduceFMinimumOp(FloatReduction):
    name = "llvm.intr.vector.reduce.fminimum"


@irdl_op_definition
class ReduceAddOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.add"


@irdl_op_definition
class ReduceMulOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.mul"


@irdl_op_definition
class ReduceAndOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.and"


@irdl_op_definition
class ReduceOrOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.or"


@irdl_op_definition
class ReduceXorOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.xor"


@irdl_op_definition
class ReduceSMaxOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.smax"


@irdl_op_definition
class ReduceSMinOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.smin"


@irdl_op_definition
class ReduceUMaxOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.umax"


@irdl_op_definition
class ReduceUMinOp(IntegerReduction):
    name = "llvm.intr.vector.reduce.umin"
