"""What canonicalizes sums, differences, products and bits of integers.

Flags that say that nothing overflows survive only where every operation that was joined had them.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most matches: patterns look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from xdsl.dialects.builtin import IntegerAttr, UnitAttr, i1
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import arith
from stepwell.dialects.arith.canonical_base import ArithPattern, Maker, Replacement
from stepwell.dialects.arith.comparisons import CMPI_PREDICATES as CMPI
from stepwell.dialects.arith.matching import defining, number, overflow_flags
from stepwell.dialects.arith.numbers import constant, element_type, fold_elements
from stepwell.dialects.support import with_element
from stepwell.ir.rewrite.folding import constant_of

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
        lhs, rhs = op._operands
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
        lhs, rhs = op._operands
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
        lhs, rhs = op._operands
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
        lhs, rhs = op._operands
        sub = defining(lhs, "arith.subi")
        if sub is None or sub.operands[0] is not rhs or (zero := constant((0,), rhs.type)) is None:
            return None
        return _from_constant(zero, sub.operands[1], op, sub, make)


class AddOfNegated(ArithPattern):
    """x + y * -1 -> x - y; x * -1 + y -> y - x"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        for value, other in ((op._operands[1], op._operands[0]), (op._operands[0], op._operands[1])):
            product = defining(value, "arith.muli")
            if product is not None and number(product.operands[1]) == -1:
                return make.op(arith.SubiOp, [other, product.operands[0]], other.type, overflowFlags=arith.IntegerOverflowAttr("none"))
        return None


class MulOfProductWithConstant(ArithPattern):
    """(x * c) * d -> x * (c * d)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        product = defining(op._operands[0], "arith.muli")
        if product is None:
            return None
        value = _combined(lambda c, d: c * d, op._operands[0].type, product.operands[1], op._operands[1])
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
        lhs, rhs = op._operands
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
        inner = defining(op._operands[0], op.name)
        if inner is None:
            return None
        value = _combined(self.COMPUTE[op.name], op._operands[0].type, inner.operands[1], op._operands[1])
        if value is None:
            return None
        x = inner.operands[0]
        return make.op(type(op), [x, make.constant(value, x.type)], x.type)


class BitsOfExtended(ArithPattern):
    """ext(x) & ext(y) -> ext(x & y), and so for | and ^"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        a, b = op._operands
        for name in ("arith.extui", "arith.extsi"):
            left, right = defining(a, name), defining(b, name)
            if left is None or right is None or left.operands[0].type != right.operands[0].type:
                continue
            inner = make.op(type(op), [left.operands[0], right.operands[0]], left.operands[0].type)
            has = ["nonNeg" in side.properties for side in (left, right)]
            known = any(has) if op.name == "arith.andi" else all(has)
            return make.op(type(left), [inner], a.type, nonNeg=UnitAttr() if known else None)
        return None
