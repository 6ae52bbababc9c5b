"""`vector.reduction` becomes LLVM's reductions: of integers combined with the start afterwards, of floats with it in front.

Under a `vector.mask` the `vp` reductions count lanes as well; the two that LLVM lacks there (`maximumf`, `minimumf`) see, in lanes that are
off, what MLIR puts there.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, IntegerType, VectorType, i32, i64
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import arith, llvm
from stepwell.dialects.support import is_float
from stepwell.dialects.vector.scalable import VectorScaleOp
from stepwell.dialects.vector.shapes import is_scalable, shape_of
from stepwell.ir.constants import dtype_of, splat
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined
from stepwell.lowering.machine.to_llvm_patterns import llvm_class
from stepwell.lowering.machine.vector_elements_to_llvm import INDEX, Converted, no_type

COMBINED: dict[str, tuple[str, str]] = {
    "add": ("add", "llvm.add"),
    "mul": ("mul", "llvm.mul"),
    "and": ("and", "llvm.and"),
    "or": ("or", "llvm.or"),
    "xor": ("xor", "llvm.xor"),
    "minui": ("umin", "ule"),
    "minsi": ("smin", "sle"),
    "maxui": ("umax", "uge"),
    "maxsi": ("smax", "sge"),
}
"""Of integers: the reduction, and what combines its result with the start: an operation, or the comparison that chooses."""

STARTED: dict[str, tuple[str, float]] = {"add": ("fadd", 0.0), "mul": ("fmul", 1.0)}
"""Of floats: reductions that have a start, and the one that changes nothing."""

EXTREMA: dict[str, tuple[str, str]] = {
    "minimumf": ("fminimum", "llvm.intr.minimum"),
    "maximumf": ("fmaximum", "llvm.intr.maximum"),
    "minnumf": ("fmin", "llvm.intr.minnum"),
    "maxnumf": ("fmax", "llvm.intr.maxnum"),
}
"""Of floats: the reduction, and what combines its result with the start."""


def _flags(op: Any, reassociate: bool) -> dict[str, Attribute]:
    given = set(op.fastmath.data)
    if reassociate:
        given.add(FastMathFlag.REASSOC)
    return {"fastmathFlags": llvm.FastMathAttr(tuple(given) if given else None)}


def _constant(rewriter: Conversion, value: Attribute, type: Attribute) -> SSAValue:
    return rewriter.create(llvm.ConstantOp, (), (type,), properties={"value": value}).results[0]


def _reduced(rewriter: Conversion, name: str, operands: Sequence[SSAValue], type: Attribute, flags: dict[str, Attribute]) -> SSAValue:
    return rewriter.create(llvm_class(f"llvm.intr.vector.reduce.{name}"), operands, (type,), properties=flags).results[0]


def _extremum(
    rewriter: Conversion, kind: str, value: SSAValue, acc: SSAValue | None, type: Attribute, flags: dict[str, Attribute]
) -> SSAValue:
    name, combining = EXTREMA[kind]
    result = _reduced(rewriter, name, (value,), type, flags)
    if acc is None:
        return result
    plain: dict[str, Attribute] = {"fastmathFlags": llvm.FastMathAttr(None)}
    return rewriter.create(llvm_class(combining), (result, acc), (type,), properties=plain).results[0]


class ConvertReduction(ConversionPattern):
    """`vector.reduction <add>, %v, %acc : vector<16xf32> into f32` -> `llvm.intr.vector.reduce.fadd(%acc, %v)`"""

    names = ("vector.reduction",)

    def __init__(self, *, reassociate: bool) -> None:
        self._reassociate = reassociate

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.dest.type)
        if type is None:
            return no_type(op)
        kind, acc = op.kind.data.value, operands[1] if len(operands) > 1 else None
        if isinstance(type, IntegerType):
            return (_of_integers(rewriter, kind, operands[0], acc, type),)
        if not is_float(type):
            return Declined("only integers and floats are reduced")
        flags = _flags(op, self._reassociate)
        if kind in STARTED:
            name, neutral = STARTED[kind]
            start = acc if acc is not None else _constant(rewriter, FloatAttr(neutral, cast(Any, type)), type)
            return (_reduced(rewriter, name, (start, operands[0]), type, flags),)
        return (_extremum(rewriter, kind, operands[0], acc, type, flags),)


def _of_integers(rewriter: Conversion, kind: str, value: SSAValue, acc: SSAValue | None, type: Attribute) -> SSAValue:
    name, combining = COMBINED[kind]
    result = _reduced(rewriter, name, (value,), type, {})
    if acc is None:
        return result
    if combining.startswith("llvm."):
        properties = {"overflowFlags": IntegerAttr(0, i32)} if kind in ("add", "mul") else {}
        return rewriter.create(llvm_class(combining), (acc, result), (type,), properties=properties).results[0]
    predicate = IntegerAttr(llvm.ICmpPredicateFlag(combining).to_int(), i64)
    chosen = rewriter.create(llvm.ICmpOp, (acc, result), (IntegerType(1),), properties={"predicate": predicate}).results[0]
    return rewriter.insert(llvm.SelectOp(chosen, acc, result)).results[0]


# ---- under a mask ---------------------------------------------------------------------------------------------------------------


def _neutral(kind: str, type: Any) -> Attribute:
    """What a reduction may start with and not notice."""
    if is_float(type):
        quiet = np.uint64(0x7FF8 << 48).view(np.float64)
        value = {"add": 0.0, "mul": 1.0, "minnumf": -quiet, "maxnumf": quiet}[kind]
        return FloatAttr(float(value), type)
    bits = type.width.data
    value = {"mul": 1, "and": -1, "minui": -1, "minsi": (1 << (bits - 1)) - 1, "maxsi": -(1 << (bits - 1))}.get(kind, 0)
    return IntegerAttr(value, type)


def _lanes(rewriter: Conversion, type: VectorType[Any]) -> SSAValue:
    """How many lanes a vector has."""
    known = _constant(rewriter, IntegerAttr(shape_of(type)[0], i32), i32)
    if not is_scalable(type):
        return known
    scale = rewriter.create(VectorScaleOp, (), (INDEX,)).results[0]
    scale = rewriter.create(arith.IndexCastOp, (scale,), (i32,)).results[0]
    none = {"overflowFlags": arith.IntegerOverflowAttr("none")}
    return rewriter.create(arith.MuliOp, (known, scale), (i32,), properties=none).results[0]


class ConvertMaskedReduction(ConversionPattern):
    """`vector.mask %m { vector.reduction <add>, %v }` -> `llvm.intr.vp.reduce.fadd(0, %v, %m, lanes)`"""

    names = ("vector.mask",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        masked: Any = op.body.block.first_op
        if masked is None or masked.name != "vector.reduction" or op.passthru is not None:
            return Declined("only reductions are converted under a mask")
        type = rewriter.types.convert(masked.dest.type)
        vector_type = rewriter.types.convert(masked.vector.type)
        if type is None or not isinstance(vector_type, VectorType):
            return no_type(op)
        value = rewriter.cast(rewriter.current(masked.vector), vector_type)
        acc = None if masked.acc is None else rewriter.cast(rewriter.current(masked.acc), type)
        for inner in list(op.body.block.ops):  # not to be visited any more
            inner.detach()
            inner.drop_all_references()
        kind, mask = masked.kind.data.value, operands[0]
        if kind in ("maximumf", "minimumf"):
            return (self._extremum(rewriter, masked, value, acc, mask, type),)
        name = STARTED[kind][0] if is_float(type) and kind in STARTED else EXTREMA[kind][0] if kind in EXTREMA else COMBINED[kind][0]
        start = acc if acc is not None else _constant(rewriter, _neutral(kind, type), type)
        operands = (start, value, mask, _lanes(rewriter, cast("VectorType[Any]", vector_type)))
        return (rewriter.create(llvm_class(f"llvm.intr.vp.reduce.{name}"), operands, (type,)).results[0],)

    @staticmethod
    def _extremum(rewriter: Conversion, masked: Any, value: SSAValue, acc: SSAValue | None, mask: SSAValue, type: Attribute) -> SSAValue:
        kind, dtype = masked.kind.data.value, dtype_of(type)
        info = _finfo(dtype)
        number = float(info.max) if kind == "minimumf" else -float(info.smallest_subnormal)
        row = cast("VectorType[Any]", value.type)
        neutral = _constant(rewriter, splat(number, row), row)
        chosen = rewriter.insert(llvm.SelectOp(mask, value, neutral)).results[0]
        return _extremum(rewriter, kind, chosen, acc, type, _flags(masked, False))


def _finfo(dtype: np.dtype[Any]) -> Any:
    import ml_dtypes

    return ml_dtypes.finfo(dtype)
