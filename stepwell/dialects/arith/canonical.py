"""What canonicalizes `arith` beyond folds: one class per pattern, each of which shows what it does, on all types that the operations take.

A pattern says by `rewritten` what takes the place of the operation; what it makes on the way it makes with the `Maker` that it is given.
Flags that say that nothing overflows survive only where every operation that was joined had them.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from xdsl.dialects.builtin import IntegerAttr, UnitAttr, i1
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import arith
from stepwell.dialects.arith.matching import CMPI, defining, number, overflow_flags, rounding_mode
from stepwell.dialects.arith.numbers import constant, element_type, fold_elements, is_integer, signed, width_of
from stepwell.dialects.support import with_element
from stepwell.ir.rewrite.folding import constant_of

Replacement = SSAValue | Sequence[SSAValue] | None


class Maker:
    """Makes operations, to be inserted before the one that they replace."""

    def __init__(self, op: Operation) -> None:
        self.made: list[Operation] = []
        self._matched = op

    def op(self, kind: type[Operation], operands: Sequence[SSAValue], type: Attribute, **properties: Attribute | None) -> SSAValue:
        """A new operation with one result."""
        given = {name: value for name, value in properties.items() if value is not None}
        made = kind.create(operands=operands, result_types=[type], properties=given)
        self.made.append(made)
        return made.results[0]

    def constant(self, value: Attribute, type: Attribute) -> SSAValue:
        """A new `arith.constant`."""
        return self.op(arith.ConstantOp, [], type, value=value)


class ArithPattern(RewritePattern, ABC):
    """Base of the patterns here."""

    @abstractmethod
    def rewritten(self, op: Any, make: Maker) -> Replacement:
        """What takes the place of `op`; None where the pattern does not match."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        make = Maker(op)
        found = self.rewritten(op, make)
        if found is not None:
            rewriter.replace(op, make.made, [found] if isinstance(found, SSAValue) else list(found))


# ---- sums, differences, products with constants ------------------------------------------------------------------------------------


def _joined(a: Operation, b: Operation) -> arith.IntegerOverflowAttr:
    """The flags that both have."""
    kept = overflow_flags(a) & overflow_flags(b)
    found: Any = a.properties.get("overflowFlags")
    return arith.IntegerOverflowAttr([flag for flag in found.data if flag.value in kept] if kept else "none")


def _combined(compute: Callable[[int, int], int], type: Attribute, a: SSAValue, b: SSAValue) -> Attribute | None:
    left, right = constant_of(a), constant_of(b)
    return None if left is None or right is None else fold_elements(type, compute, left, right)


class AddOfSumWithConstant(ArithPattern):
    """(x + c) + d -> x + (c + d); (x - c) + d -> x + (d - c); (c - x) + d -> (c + d) - x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        lhs, rhs = op.operands
        type = lhs.type
        if constant_of(rhs) is None:
            return None
        if (add := defining(lhs, "arith.addi")) is not None:
            value = _combined(lambda d, c: c + d, type, rhs, add.operands[1])
            return _with_constant(arith.AddiOp, add.operands[0], value, op, add, make)
        if (sub := defining(lhs, "arith.subi")) is None:
            return None
        if (value := _combined(lambda d, c: d - c, type, rhs, sub.operands[1])) is not None:
            return _with_constant(arith.AddiOp, sub.operands[0], value, op, sub, make)
        value = _combined(lambda d, c: c + d, type, rhs, sub.operands[0])
        return _from_constant(value, sub.operands[1], op, sub, make)


def _with_constant(
    kind: type[Operation], x: SSAValue, value: Attribute | None, op: Operation, inner: Operation, make: Maker
) -> Replacement:
    if value is None:
        return None
    return make.op(kind, [x, make.constant(value, x.type)], x.type, overflowFlags=_joined(op, inner))


def _from_constant(value: Attribute | None, x: SSAValue, op: Operation, inner: Operation, make: Maker) -> Replacement:
    if value is None:
        return None
    return make.op(arith.SubiOp, [make.constant(value, x.type), x], x.type, overflowFlags=_joined(op, inner))


class SubOfSumWithConstant(ArithPattern):
    """(x + c) - d -> x + (c - d); (x - c) - d -> x - (c + d); (c - x) - d -> (c - d) - x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        lhs, rhs = op.operands
        type = lhs.type
        if constant_of(rhs) is None:
            return None
        if (add := defining(lhs, "arith.addi")) is not None:
            value = _combined(lambda d, c: c - d, type, rhs, add.operands[1])
            return _with_constant(arith.AddiOp, add.operands[0], value, op, add, make)
        if (sub := defining(lhs, "arith.subi")) is None:
            return None
        if (value := _combined(lambda d, c: c + d, type, rhs, sub.operands[1])) is not None:
            return _with_constant(arith.SubiOp, sub.operands[0], value, op, sub, make)
        value = _combined(lambda d, c: c - d, type, rhs, sub.operands[0])
        return _from_constant(value, sub.operands[1], op, sub, make)


class ConstantMinusSum(ArithPattern):
    """d - (x + c) -> (d - c) - x; d - (x - c) -> (c + d) - x; d - (c - x) -> x + (d - c)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        lhs, rhs = op.operands
        type = lhs.type
        if constant_of(lhs) is None:
            return None
        if (add := defining(rhs, "arith.addi")) is not None:
            value = _combined(lambda d, c: d - c, type, lhs, add.operands[1])
            return _from_constant(value, add.operands[0], op, add, make)
        if (sub := defining(rhs, "arith.subi")) is None:
            return None
        if (value := _combined(lambda d, c: d + c, type, lhs, sub.operands[1])) is not None:
            return _from_constant(value, sub.operands[0], op, sub, make)
        value = _combined(lambda d, c: d - c, type, lhs, sub.operands[0])
        return _with_constant(arith.AddiOp, sub.operands[1], value, op, sub, make)


class SubOfDifference(ArithPattern):
    """(a - b) - a -> 0 - b"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        lhs, rhs = op.operands
        sub = defining(lhs, "arith.subi")
        if sub is None or sub.operands[0] is not rhs or (zero := constant((0,), rhs.type)) is None:
            return None
        return _from_constant(zero, sub.operands[1], op, sub, make)


class AddOfNegated(ArithPattern):
    """x + y * -1 -> x - y; x * -1 + y -> y - x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        for value, other in ((op.operands[1], op.operands[0]), (op.operands[0], op.operands[1])):
            product = defining(value, "arith.muli")
            if product is not None and number(product.operands[1]) == -1:
                return make.op(arith.SubiOp, [other, product.operands[0]], other.type, overflowFlags=arith.IntegerOverflowAttr("none"))
        return None


class MulOfProductWithConstant(ArithPattern):
    """(x * c) * d -> x * (c * d)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        product = defining(op.operands[0], "arith.muli")
        if product is None:
            return None
        value = _combined(lambda c, d: c * d, op.operands[0].type, product.operands[1], op.operands[1])
        return _with_constant(arith.MuliOp, product.operands[0], value, op, product, make)


# ---- products and sums in two parts -------------------------------------------------------------------------------------------------


class ExtendedWithUnusedHigh(ArithPattern):
    """addui_extended, mulsi_extended, mului_extended whose second result is unused -> addi, muli"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        low, high = op.results
        if high.first_use is not None:
            return None
        kind = arith.AddiOp if op.name == "arith.addui_extended" else arith.MuliOp
        value = make.op(kind, list(op.operands), low.type, overflowFlags=arith.IntegerOverflowAttr("none"))
        return (value, high)


class SignedExtendedByOne(ArithPattern):
    """mulsi_extended(x, 1) -> x, extsi(x < 0)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        lhs, rhs = op.operands
        if number(rhs) != 1 or element_type(lhs.type) == i1 or (zero := constant((0,), lhs.type)) is None:
            return None
        negative = make.op(
            arith.CmpiOp, [lhs, make.constant(zero, lhs.type)], with_element(lhs.type, i1), predicate=IntegerAttr(CMPI.index("slt"), 64)
        )
        return (lhs, make.op(arith.ExtSIOp, [negative], lhs.type))


# ---- bits -------------------------------------------------------------------------------------------------------------------------


class BitsOfBitsWithConstant(ArithPattern):
    """(x & c) & d -> x & (c & d), and so for | and ^"""

    COMPUTE: ClassVar[dict[str, Callable[[int, int], int]]] = {
        "arith.andi": lambda a, b: a & b,
        "arith.ori": lambda a, b: a | b,
        "arith.xori": lambda a, b: a ^ b,
    }

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op.operands[0], op.name)
        if inner is None:
            return None
        value = _combined(self.COMPUTE[op.name], op.operands[0].type, inner.operands[1], op.operands[1])
        if value is None:
            return None
        x = inner.operands[0]
        return make.op(type(op), [x, make.constant(value, x.type)], x.type)


class BitsOfExtended(ArithPattern):
    """ext(x) & ext(y) -> ext(x & y), and so for | and ^"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        a, b = op.operands
        for name in ("arith.extui", "arith.extsi"):
            left, right = defining(a, name), defining(b, name)
            if left is None or right is None or left.operands[0].type != right.operands[0].type:
                continue
            inner = make.op(type(op), [left.operands[0], right.operands[0]], left.operands[0].type)
            has = ["nonNeg" in side.properties for side in (left, right)]
            known = any(has) if op.name == "arith.andi" else all(has)
            return make.op(type(left), [inner], a.type, nonNeg=UnitAttr() if known else None)
        return None


INVERSE = {
    "eq": "ne", "ne": "eq", "slt": "sge", "sge": "slt", "sle": "sgt", "sgt": "sle", "ult": "uge", "uge": "ult", "ule": "ugt", "ugt": "ule"
}  # fmt: skip


class NotOfComparison(ArithPattern):
    """cmpi(p, a, b) ^ true -> cmpi(not p, a, b)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        compared = defining(op.operands[0], "arith.cmpi")
        if compared is None or number(op.operands[1]) != -1:
            return None
        predicate = INVERSE[CMPI[compared.properties["predicate"].value.data]]
        return make.op(arith.CmpiOp, list(compared.operands), op.results[0].type, predicate=IntegerAttr(CMPI.index(predicate), 64))


class CompareExtended(ArithPattern):
    """ext(x) == ext(y) -> x == y, and so for !="""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if CMPI[op.properties["predicate"].value.data] not in ("eq", "ne"):
            return None
        a, b = op.operands
        for name in ("arith.extui", "arith.extsi"):
            left, right = defining(a, name), defining(b, name)
            if left is not None and right is not None and left.operands[0].type == right.operands[0].type:
                return make.op(
                    arith.CmpiOp, [left.operands[0], right.operands[0]], op.results[0].type, predicate=op.properties["predicate"]
                )
        return None


# ---- select -------------------------------------------------------------------------------------------------------------------------


class SelectOfSelect(ArithPattern):
    """select(p, select(p, a, b), c) -> select(p, a, c), and on the other side"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op.operands
        if (inner := defining(yes, "arith.select")) is not None and inner.operands[0] is cond:
            return make.op(arith.SelectOp, [cond, inner.operands[1], no], yes.type)
        if (inner := defining(no, "arith.select")) is not None and inner.operands[0] is cond:
            return make.op(arith.SelectOp, [cond, yes, inner.operands[2]], yes.type)
        return None


def _not(value: SSAValue, make: Maker) -> SSAValue | None:
    all_ones = constant((-1,), value.type)
    return None if all_ones is None else make.op(arith.XOrIOp, [value, make.constant(all_ones, value.type)], value.type)


class SelectOfNestedConditions(ArithPattern):
    """select(p, select(q, x, y), y) -> select(p & q, x, y), and the three like it with the inner one on the other side or the other way"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op.operands
        if (inner := defining(yes, "arith.select")) is not None:
            return self._join(arith.AndIOp, cond, inner, no, make, op)
        if (inner := defining(no, "arith.select")) is not None:
            return self._join(arith.OrIOp, cond, inner, yes, make, op)
        return None

    def _join(self, kind: type[Operation], cond: SSAValue, inner: Any, other: SSAValue, make: Maker, op: Any) -> Replacement:
        inner_cond, x, y = inner.operands
        if inner_cond.type != cond.type or other not in (x, y):
            return None
        same_side = y if kind is arith.AndIOp else x
        if other is not same_side:
            negated = _not(inner_cond, make)
            if negated is None:
                return None
            inner_cond, x, y = negated, y, x
        return make.op(arith.SelectOp, [make.op(kind, [cond, inner_cond], cond.type), x, y], op.results[0].type)


class SelectOfNot(ArithPattern):
    """select(c ^ true, a, b) -> select(c, b, a)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op.operands
        inverted = defining(cond, "arith.xori")
        if inverted is None or number(inverted.operands[1]) != -1:
            return None
        return make.op(arith.SelectOp, [inverted.operands[0], no, yes], yes.type)


class SelectOfOneAndZero(ArithPattern):
    """select(c, 1, 0) -> extui c; select(c, 0, 1) -> extui (c ^ true); select(c, false, true) -> c ^ true"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op.operands
        element = element_type(yes.type)
        if not is_integer(element) or cond.type != with_element(yes.type, i1):
            return None
        one = signed(1, width_of(element))
        values = number(yes), number(no)
        if element == i1:
            return _not(cond, make) if values == (0, one) else None
        if width_of(element) <= 1 or element.name == "index":
            return None
        if values == (one, 0):
            return make.op(arith.ExtUIOp, [cond], yes.type)
        if values == (0, one) and (inverted := _not(cond, make)) is not None:
            return make.op(arith.ExtUIOp, [inverted], yes.type)
        return None


EXTREMA = {
    "slt": arith.MinSIOp, "sle": arith.MinSIOp, "sgt": arith.MaxSIOp, "sge": arith.MaxSIOp,
    "ult": arith.MinUIOp, "ule": arith.MinUIOp, "ugt": arith.MaxUIOp, "uge": arith.MaxUIOp,
}  # fmt: skip
OTHER_EXTREMUM = {
    arith.MinSIOp: arith.MaxSIOp, arith.MaxSIOp: arith.MinSIOp, arith.MinUIOp: arith.MaxUIOp, arith.MaxUIOp: arith.MinUIOp
}  # fmt: skip


class SelectOfComparison(ArithPattern):
    """select(a < b, a, b) -> min(a, b), and so for the other comparisons of integers"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op.operands
        compared = defining(cond, "arith.cmpi")
        if compared is None or {yes, no} != set(compared.operands):
            return None
        kind = EXTREMA.get(CMPI[compared.properties["predicate"].value.data])
        if kind is None:
            return None
        return make.op(kind if compared.operands[0] is yes else OTHER_EXTREMUM[kind], list(compared.operands), yes.type)


# ---- casts --------------------------------------------------------------------------------------------------------------------------


class SignExtendOfZeroExtended(ArithPattern):
    """extsi(extui(x)) -> extui(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op.operands[0], "arith.extui")
        if inner is None:
            return None
        return make.op(arith.ExtUIOp, [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))


class TruncateOfExtended(ArithPattern):
    """trunci(ext(x)) -> ext(x) where x is narrower than the result"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        target = op.results[0].type
        for name, kind in (("arith.extsi", arith.ExtSIOp), ("arith.extui", arith.ExtUIOp)):
            if (inner := defining(op.operands[0], name)) is not None:
                source = inner.operands[0]
                if width_of(element_type(source.type)) < width_of(element_type(target)):
                    return make.op(kind, [source], target, nonNeg=inner.properties.get("nonNeg"))
        return None


class TruncateOfSignedShift(ArithPattern):
    """trunci(shrsi(x, c)) -> trunci(shrui(x, c)) where only bits of x remain"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shift = defining(op.operands[0], "arith.shrsi")
        if shift is None or (by := number(shift.operands[1])) is None:
            return None
        type = op.operands[0].type
        if by != width_of(element_type(type)) - width_of(element_type(op.results[0].type)):
            return None
        shifted = make.op(arith.ShRUIOp, list(shift.operands), type, **shift.properties)
        return make.op(arith.TruncIOp, [shifted], op.results[0].type, **op.properties)


class TruncateOfShiftedProduct(ArithPattern):
    """trunci(shrui(ext(a) * ext(b), width)) -> the high part of mulsi_extended or mului_extended(a, b)"""

    KINDS = (("arith.extsi", arith.MulSIExtendedOp), ("arith.extui", arith.MulUIExtendedOp))

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shift = defining(op.operands[0], "arith.shrui")
        product = defining(shift.operands[0], "arith.muli") if shift is not None else None
        if shift is None or product is None:
            return None
        target = op.results[0].type
        narrow, wide = width_of(element_type(target)), width_of(element_type(op.operands[0].type))
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
        inner = defining(op.operands[0], "arith.extsi" if op.name == "arith.index_cast" else "arith.extui")
        if inner is None:
            return None
        return make.op(type(op), [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))


class BitcastOfBitcast(ArithPattern):
    """bitcast(bitcast(x)) -> bitcast(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defining(op.operands[0], "arith.bitcast")
        return None if inner is None else make.op(arith.BitcastOp, [inner.operands[0]], op.results[0].type)


class FloatOfExtended(ArithPattern):
    """sitofp(extsi(x)) -> sitofp(x); sitofp(extui(x)) and uitofp(extui(x)) -> uitofp(x)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if op.name == "arith.sitofp" and (inner := defining(op.operands[0], "arith.extsi")) is not None:
            return make.op(arith.SIToFPOp, [inner.operands[0]], op.results[0].type)
        if (inner := defining(op.operands[0], "arith.extui")) is not None:
            return make.op(arith.UIToFPOp, [inner.operands[0]], op.results[0].type, nonNeg=inner.properties.get("nonNeg"))
        return None


class TruncateOfFloat(ArithPattern):
    """truncf(sitofp(x)) -> sitofp(x), and so for uitofp, unless the rounding is said"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if rounding_mode(op) is not None:
            return None
        for name in ("arith.sitofp", "arith.uitofp"):
            if (inner := defining(op.operands[0], name)) is not None:
                return make.op(type(inner), list(inner.operands), op.results[0].type, nonNeg=inner.properties.get("nonNeg"))
        return None


# ---- floats ---------------------------------------------------------------------------------------------------------------------------


class ProductOfNegated(ArithPattern):
    """(-x) * (-y) -> x * y, (-x) / (-y) -> x / y"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        left, right = (defining(value, "arith.negf") for value in op.operands)
        if left is None or right is None:
            return None
        return make.op(type(op), [left.operands[0], right.operands[0]], op.results[0].type, **op.properties)


class AddOfNegatedFloat(ArithPattern):
    """(-x) + y -> y - x; x + (-y) -> x - y"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        for value, other in ((op.operands[0], op.operands[1]), (op.operands[1], op.operands[0])):
            if (negated := defining(value, "arith.negf")) is not None:
                return make.op(arith.SubfOp, [other, negated.operands[0]], op.results[0].type, **op.properties)
        return None


class SubFromNegativeZero(ArithPattern):
    """-0.0 - x -> -x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        zero = number(op.operands[0])
        if zero is None or rounding_mode(op) is not None or not isinstance(zero, float) or str(zero) != "-0.0":
            return None
        return make.op(arith.NegfOp, [op.operands[1]], op.results[0].type, fastmath=op.properties.get("fastmath"))


# ---- comparisons of converted integers ------------------------------------------------------------------------------------------------


class CompareConverted(ArithPattern):
    """cmpf(sitofp(x), c) -> cmpi(x, c'), c' the next integer, where every value of x is exact as a float"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        import math

        value = op.operands[0]
        bound = number(op.operands[1])
        if not isinstance(bound, float) or math.isnan(bound) or not isinstance(value, OpResult):
            return None
        if value.op.name not in ("arith.sitofp", "arith.uitofp"):
            return None
        is_signed = value.op.name == "arith.sitofp"
        source = value.op.operands[0]
        bits = width_of(element_type(source.type))
        if bits - is_signed > PRECISION.get(element_type(value.type).name, 0) or element_type(source.type) == i1:
            return None
        predicate = CMPF_AS_CMPI.get(arith.CMPF_PREDICATES[op.properties["predicate"].value.data])
        if predicate is None:
            return None
        least, greatest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
        known = self._decided(predicate, bound, least, greatest)
        if known is not None:
            answer = constant((known,), op.results[0].type)
            return None if answer is None else make.constant(answer, op.results[0].type)
        whole = int(bound)
        if not bound.is_integer():
            predicate = (NEXT_BELOW if bound > 0 else NEXT_ABOVE)[predicate]
        limit = constant((whole,), source.type)
        if limit is None:
            return None
        name = predicate if predicate in ("eq", "ne") else ("s" if is_signed else "u") + predicate
        return make.op(
            arith.CmpiOp,
            [source, make.constant(limit, source.type)],
            op.results[0].type,
            predicate=IntegerAttr(CMPI.index(name), 64),
        )

    def _decided(self, predicate: str, bound: float, least: int, greatest: int) -> bool | None:
        """The answer where it is the same for all integers of the type."""
        if bound > greatest:
            return predicate in ("lt", "le", "ne")
        if bound < least:
            return predicate in ("gt", "ge", "ne")
        if predicate in ("eq", "ne") and bound != int(bound):
            return predicate == "ne"
        return None


NEXT_BELOW = {"lt": "le", "le": "le", "gt": "gt", "ge": "gt"}
"""How to compare with the next integer below a bound between two."""

NEXT_ABOVE = {"lt": "lt", "le": "lt", "gt": "ge", "ge": "ge"}

PRECISION = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}
"""The integers of so many bits are exact."""

CMPF_AS_CMPI = {
    **{f"o{name}": name for name in ("eq", "gt", "ge", "lt", "le")},
    **{f"u{name}": name for name in ("eq", "gt", "ge", "lt", "le", "ne")},
    "one": "ne",
}
"""Integers are never unordered."""

PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "arith.addi": (AddOfSumWithConstant(), AddOfNegated()),
    "arith.subi": (SubOfSumWithConstant(), ConstantMinusSum(), SubOfDifference()),
    "arith.muli": (MulOfProductWithConstant(),),
    "arith.addui_extended": (ExtendedWithUnusedHigh(),),
    "arith.mulsi_extended": (ExtendedWithUnusedHigh(), SignedExtendedByOne()),
    "arith.mului_extended": (ExtendedWithUnusedHigh(),),
    "arith.andi": (BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.ori": (BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.xori": (NotOfComparison(), BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.cmpi": (CompareExtended(),),
    "arith.cmpf": (CompareConverted(),),
    "arith.select": (SelectOfSelect(), SelectOfNot(), SelectOfNestedConditions(), SelectOfOneAndZero(), SelectOfComparison()),
    "arith.extsi": (SignExtendOfZeroExtended(),),
    "arith.trunci": (TruncateOfExtended(), TruncateOfSignedShift(), TruncateOfShiftedProduct()),
    "arith.index_cast": (IndexCastOfExtended(),),
    "arith.index_castui": (IndexCastOfExtended(),),
    "arith.bitcast": (BitcastOfBitcast(),),
    "arith.sitofp": (FloatOfExtended(),),
    "arith.uitofp": (FloatOfExtended(),),
    "arith.truncf": (TruncateOfFloat(),),
    "arith.mulf": (ProductOfNegated(),),
    "arith.divf": (ProductOfNegated(),),
    "arith.addf": (AddOfNegatedFloat(),),
    "arith.subf": (SubFromNegativeZero(),),
    **{
        f"arith.{name}": ()
        for name in "divui divsi ceildivui ceildivsi floordivsi remui remsi shli shrui shrsi minsi maxsi minui maxui".split()
    },
}
"""Instead of those that the shipped definitions name: folds do what they do, on all types."""
