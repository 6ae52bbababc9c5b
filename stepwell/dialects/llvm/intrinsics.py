"""The `llvm.intr.*` ops: one class per intrinsic, one base class per signature.

Upstream prints most as `llvm.intr.name(%a, %b) {attributes} : (types) -> type`, and a few in generic form; those say so.
"""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Self

from xdsl.dialects.builtin import (
    AnyFloatConstr,
    BoolAttr,
    IntegerAttr,
    IntegerType,
    SignlessIntegerConstraint,
    VectorType,
    i1,
)
from xdsl.dialects.llvm import FastMathAttr, LLVMPointerType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import element_of, shape_of

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


# ---- reductions of a vector to a scalar -----------------------------------------------------------------------------------------


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


# ---- memory ---------------------------------------------------------------------------------------------------------------------

PointerVector = VectorType.constr(LLVMPointerType)


def _i32(value: int) -> IntegerAttr[Any]:
    return IntegerAttr(value, IntegerType(32))


def _verify_masked(op: IRDLOperation, row: Attribute, *others: Attribute) -> None:
    """Raise VerifyException unless `row` is a vector, the first of the others is its mask and the rest have its length."""
    lengths = {shape_of(type) for type in (row, *others)}
    if len(lengths) != 1 or None in lengths or element_of(others[0]) != i1:
        raise VerifyException("has operands of unequal lengths or a mask that is not of i1")


@irdl_op_definition
class MaskedLoadOp(IRDLOperation):
    """`%v = llvm.intr.masked.load %p, %mask, %pass {alignment = 4 : i32} : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>`"""

    name = "llvm.intr.masked.load"

    data = operand_def(LLVMPointerType)
    mask = operand_def(VectorType)
    pass_thru = opt_operand_def(VectorType)
    res = result_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "operands attr-dict `:` functional-type(operands, results)"

    def __init__(self, data: SSAValue, mask: SSAValue, pass_thru: SSAValue, alignment: int) -> None:
        super().__init__(operands=[data, mask, pass_thru], result_types=[pass_thru.type], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.res.type, *self.operand_types[1:])
        if self.pass_thru is not None and self.pass_thru.type != self.res.type:
            raise VerifyException(f"gives {self.res.type} and passes {self.pass_thru.type} through")


@irdl_op_definition
class MaskedStoreOp(IRDLOperation):
    """`llvm.intr.masked.store %v, %p, %mask {alignment = 4 : i32} : vector<16xf32>, vector<16xi1> into !llvm.ptr`"""

    name = "llvm.intr.masked.store"

    value = operand_def(VectorType)
    data = operand_def(LLVMPointerType)
    mask = operand_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $data `,` $mask attr-dict `:` type($value) `,` type($mask) `into` type($data)"

    def __init__(self, value: SSAValue, data: SSAValue, mask: SSAValue, alignment: int) -> None:
        super().__init__(operands=[value, data, mask], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.value.type, self.mask.type)


@irdl_op_definition
class MaskedGatherOp(IRDLOperation):
    """`%v = llvm.intr.masked.gather %ps, %mask, %pass {alignment = 4 : i32} : (vector<4x!llvm.ptr>, ...) -> vector<4xf32>`"""

    name = "llvm.intr.masked.gather"

    ptrs = operand_def(PointerVector)
    mask = operand_def(VectorType)
    pass_thru = opt_operand_def(VectorType)
    res = result_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "operands attr-dict `:` functional-type(operands, results)"

    def __init__(self, ptrs: SSAValue, mask: SSAValue, pass_thru: SSAValue, alignment: int) -> None:
        super().__init__(operands=[ptrs, mask, pass_thru], result_types=[pass_thru.type], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.res.type, *self.operand_types[1:], self.ptrs.type)


@irdl_op_definition
class MaskedScatterOp(IRDLOperation):
    """`llvm.intr.masked.scatter %v, %ps, %mask {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into vector<4x!llvm.ptr>`"""

    name = "llvm.intr.masked.scatter"

    value = operand_def(VectorType)
    ptrs = operand_def(PointerVector)
    mask = operand_def(VectorType)
    alignment = prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $ptrs `,` $mask attr-dict `:` type($value) `,` type($mask) `into` type($ptrs)"

    def __init__(self, value: SSAValue, ptrs: SSAValue, mask: SSAValue, alignment: int) -> None:
        super().__init__(operands=[value, ptrs, mask], properties={"alignment": _i32(alignment)})

    def verify_(self) -> None:
        _verify_masked(self, self.value.type, self.mask.type, self.ptrs.type)


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Asks for a cache line: `rw` 1 to write, `hint` 0 to 3 (3: keep close), `cache` 1 for data. Upstream prints the generic form."""

    name = "llvm.intr.prefetch"

    addr = operand_def(LLVMPointerType)
    rw = prop_def(IntegerAttr)
    hint = prop_def(IntegerAttr)
    cache = prop_def(IntegerAttr)

    def __init__(self, addr: SSAValue, *, rw: int = 0, hint: int = 3, cache: int = 1) -> None:
        super().__init__(operands=[addr], properties={"rw": _i32(rw), "hint": _i32(hint), "cache": _i32(cache)})


@irdl_op_definition
class MemcpyOp(IRDLOperation):
    """Copies bytes between disjoint buffers. Upstream prints the generic form."""

    name = "llvm.intr.memcpy"

    dst = operand_def(LLVMPointerType)
    src = operand_def(LLVMPointerType)
    len = operand_def(IntegerType)
    isVolatile = prop_def(BoolAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, dst: SSAValue, src: SSAValue, len: SSAValue) -> None:
        super().__init__(operands=[dst, src, len], properties={"isVolatile": BoolAttr.from_bool(False)})


@irdl_op_definition
class MemsetOp(IRDLOperation):
    """Fills bytes. Upstream prints the generic form."""

    name = "llvm.intr.memset"

    dst = operand_def(LLVMPointerType)
    val = operand_def(IntegerType(8))
    len = operand_def(IntegerType)
    isVolatile = prop_def(BoolAttr)
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, dst: SSAValue, val: SSAValue, len: SSAValue) -> None:
        super().__init__(operands=[dst, val, len], properties={"isVolatile": BoolAttr.from_bool(False)})


INTRINSICS: list[type[IRDLOperation]] = [
    *(FAbsOp, FSqrtOp, FFloorOp, FCeilOp, FTruncOp, RoundOp, RoundEvenOp, RintOp, NearbyintOp),
    *(CopySignOp, MinNumOp, MaxNumOp, MinimumOp, MaximumOp, FMAOp, FMulAddOp),
    *(SMinOp, SMaxOp, UMinOp, UMaxOp, CtPopOp, ByteSwapOp, BitReverseOp, AbsOp, CountLeadingZerosOp, CountTrailingZerosOp),
    *(ReduceFAddOp, ReduceFMulOp, ReduceFMaxOp, ReduceFMinOp, ReduceFMaximumOp, ReduceFMinimumOp),
    *(ReduceAddOp, ReduceMulOp, ReduceAndOp, ReduceOrOp, ReduceXorOp, ReduceSMaxOp, ReduceSMinOp, ReduceUMaxOp, ReduceUMinOp),
    *(MaskedLoadOp, MaskedStoreOp, MaskedGatherOp, MaskedScatterOp, PrefetchOp, MemcpyOp, MemsetOp),
]
