"""What canonicalizes casts, and operations on floats."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most matches: patterns look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

from stepwell.dialects import arith
from stepwell.dialects.arith.canonical_base import ArithPattern, Maker, Replacement
from stepwell.dialects.arith.matching import defining, number, rounding_mode
from stepwell.dialects.arith.numbers import element_type, width_of

# ---- casts --------------------------------------------------------------------------------------------------------------------------


class SignExtendOfZeroExtended(ArithPattern):
    """extsi(extui(x)) -> extui(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op._operands[0], "arith.extui")
        if inner is None:
            return None
        return make.op(arith.ExtUIOp, [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))


class TruncateOfExtended(ArithPattern):
    """trunci(ext(x)) -> ext(x) where x is narrower than the result"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        target = op.results[0].type
        for name, kind in (("arith.extsi", arith.ExtSIOp), ("arith.extui", arith.ExtUIOp)):
            if (inner := defining(op._operands[0], name)) is not None:
                source = inner.operands[0]
                if width_of(element_type(source.type)) < width_of(element_type(target)):
                    return make.op(kind, [source], target, nonNeg=inner.properties.get("nonNeg"))
        return None


class TruncateOfSignedShift(ArithPattern):
    """trunci(shrsi(x, c)) -> trunci(shrui(x, c)) where only bits of x remain"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shift = defining(op._operands[0], "arith.shrsi")
        if shift is None or (by := number(shift.operands[1])) is None:
            return None
        type = op._operands[0].type
        if by != width_of(element_type(type)) - width_of(element_type(op.results[0].type)):
            return None
        shifted = make.op(arith.ShRUIOp, list(shift.operands), type, **shift.properties)
        return make.op(arith.TruncIOp, [shifted], op.results[0].type, **op.properties)


class TruncateOfShiftedProduct(ArithPattern):
    """trunci(shrui(ext(a) * ext(b), width)) -> the high part of mulsi_extended or mului_extended(a, b)"""

    KINDS = (("arith.extsi", arith.MulSIExtendedOp), ("arith.extui", arith.MulUIExtendedOp))

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shift = defining(op._operands[0], "arith.shrui")
        product = defining(shift.operands[0], "arith.muli") if shift is not None else None
        if shift is None or product is None:
            return None
        target = op.results[0].type
        narrow, wide = width_of(element_type(target)), width_of(element_type(op._operands[0].type))
        if number(shift.operands[1]) != narrow or wide < 2 * narrow:
            return None
        for name, kind in self.KINDS:
            left, right = (defining(value, name) for value in product.operands)
            if left is not None and right is not None and left.operands[0].type == right.operands[0].type == target:
                made = kind.create(operands=[left.operands[0], right.operands[0]], result_types=[target, target])
                make.made.append(made)
                return made.results[1]
        return None


class IndexCastOfExtended(ArithPattern):
    """index_cast(extsi(x)) -> index_cast(x); index_castui(extui(x)) -> index_castui(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op._operands[0], "arith.extsi" if op.name == "arith.index_cast" else "arith.extui")
        if inner is None:
            return None
        return make.op(type(op), [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))


class BitcastOfBitcast(ArithPattern):
    """bitcast(bitcast(x)) -> bitcast(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op._operands[0], "arith.bitcast")
        return None if inner is None else make.op(arith.BitcastOp, [inner.operands[0]], op.results[0].type)


class FloatOfExtended(ArithPattern):
    """sitofp(extsi(x)) -> sitofp(x); sitofp(extui(x)) and uitofp(extui(x)) -> uitofp(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if op.name == "arith.sitofp" and (inner := defining(op._operands[0], "arith.extsi")) is not None:
            return make.op(arith.SIToFPOp, [inner.operands[0]], op.results[0].type)
        if (inner := defining(op._operands[0], "arith.extui")) is not None:
            return make.op(arith.UIToFPOp, [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))
        return None


class TruncateOfFloat(ArithPattern):
    """truncf(sitofp(x)) -> sitofp(x), and so for uitofp, unless the rounding is said"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if rounding_mode(op) is not None:
            return None
        for name in ("arith.sitofp", "arith.uitofp"):
            if (inner := defining(op._operands[0], name)) is not None:
                return make.op(type(inner), list(inner.operands), op.results[0].type, nonNeg=inner.properties.get("nonNeg"))
        return None


# ---- floats ---------------------------------------------------------------------------------------------------------------------------


class ProductOfNegated(ArithPattern):
    """(-x) * (-y) -> x * y, (-x) / (-y) -> x / y"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        left, right = (defining(value, "arith.negf") for value in op._operands)
        if left is None or right is None:
            return None
        return make.op(type(op), [left.operands[0], right.operands[0]], op.results[0].type, **op.properties)


class AddOfNegatedFloat(ArithPattern):
    """(-x) + y -> y - x; x + (-y) -> x - y"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        for value, other in ((op._operands[0], op._operands[1]), (op._operands[1], op._operands[0])):
            if (negated := defining(value, "arith.negf")) is not None:
                return make.op(arith.SubfOp, [other, negated.operands[0]], op.results[0].type, **op.properties)
        return None


class SubFromNegativeZero(ArithPattern):
    """-0.0 - x -> -x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        zero = number(op._operands[0])
        if zero is None or rounding_mode(op) is not None or not isinstance(zero, float) or str(zero) != "-0.0":
            return None
        return make.op(arith.NegfOp, [op._operands[1]], op.results[0].type, fastmath=op.properties.get("fastmath"))
