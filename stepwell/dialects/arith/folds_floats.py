"""How operations of `arith` on floats fold: identities that hold for every value, NaN and -0.0 included, and constants, rounded."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most folds: they look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects.arith.matching import defining, flags, folded, rounding_mode
from stepwell.dialects.arith.numbers import POISON, element_type, fold_elements, round_exact, rounded, splat_or_scalar
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of

Rule = Callable[[Operation, SSAValue, SSAValue, float], Folded]
"""Of an operation, its two operands, and the constant that the right one is."""


def _floats(
    compute: Callable[[float, float], float | None],
    *rules: Rule,
    exact: Callable[[Fraction, Fraction], Fraction] | None = None,
    is_idempotent: bool = False,
) -> Folder:
    """Rules for a constant on the right in turn, then the computation of constants, rounded. `exact` computes what is rounded in another
    direction."""

    def fold(op: Operation) -> Folded:
        lhs, rhs = op._operands
        if is_idempotent and lhs is rhs:
            return (lhs,)
        right, left = constant_of(rhs), constant_of(lhs)
        if right is None:
            return (POISON,) if isinstance(left, PoisonAttr) else None
        value = splat_or_scalar(right)
        if isinstance(value, float):
            for rule in rules:
                if (found := rule(op, lhs, rhs, value)) is not None:
                    return found
        if isinstance(right, PoisonAttr):
            return (POISON,)
        if left is None:
            return None
        type = op.results[0].type
        format = element_type(type)
        mode = rounding_mode(op)
        if mode in (None, "to_nearest_even"):
            return folded(fold_elements(type, lambda a, b: _rounded(compute(a, b), format), left, right))
        if (compute_exactly := exact) is None:
            return None
        return folded(fold_elements(type, lambda a, b: _directed(compute_exactly, a, b, format, mode), left, right))

    return fold


def _rounded(value: float | None, format: Attribute) -> float | None:
    return None if value is None else rounded(value, format)


def _directed(exact: Callable[[Fraction, Fraction], Fraction], a: float, b: float, format: Attribute, mode: str | None) -> float | None:
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    try:
        value = exact(Fraction(a), Fraction(b))
    except ZeroDivisionError:
        return None
    return round_exact(value, format, mode) if value else None  # the sign of a zero depends on more


def _lhs_if(wanted: float, *needed: str) -> Rule:
    """The left operand, if the right one is `wanted`, and the flags are there."""
    sign = math.copysign(1, wanted)

    def rule(op: Operation, lhs: SSAValue, rhs: SSAValue, right: float) -> Folded:
        return (lhs,) if right == wanted and math.copysign(1, right) == sign and flags(op) >= set(needed) else None

    return rule


def _mul_by_zero(op: Operation, lhs: SSAValue, rhs: SSAValue, right: float) -> Folded:
    """x * 0 -> 0, given that there are no NaNs (nor infinities times zero) and that signs of zeros do not matter."""
    return (rhs,) if right == 0.0 and flags(op) >= {"nnan", "nsz"} else None


def _nan_right(op: Operation, lhs: SSAValue, rhs: SSAValue, right: float) -> Folded:
    return (lhs,) if math.isnan(right) else None


def _divide(a: float, b: float) -> float:
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _remainder(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or b == 0.0:
        return math.nan
    return math.fmod(a, b)


def _greater(a: float, b: float) -> float:
    """Of two zeros of different sign, +0."""
    if a == b:
        return a if math.copysign(1, a) > 0 else b
    return max(a, b)


def _smaller(a: float, b: float) -> float:
    if a == b:
        return a if math.copysign(1, a) < 0 else b
    return min(a, b)


def _with_nan(compute: Callable[[float, float], float]) -> Callable[[float, float], float]:
    """NaN if one is."""
    return lambda a, b: math.nan if math.isnan(a) or math.isnan(b) else compute(a, b)


def _without_nan(compute: Callable[[float, float], float]) -> Callable[[float, float], float]:
    """The number if one is a NaN."""
    return lambda a, b: b if math.isnan(a) else a if math.isnan(b) else compute(a, b)


FLOATS: dict[str, Folder] = {
    "addf": _floats(lambda a, b: a + b, _lhs_if(-0.0), _lhs_if(0.0, "nsz"), exact=lambda a, b: a + b),
    "subf": _floats(lambda a, b: a - b, _lhs_if(0.0), _lhs_if(-0.0, "nsz"), exact=lambda a, b: a - b),
    "mulf": _floats(lambda a, b: a * b, _lhs_if(1.0), _mul_by_zero, exact=lambda a, b: a * b),
    "divf": _floats(_divide, _lhs_if(1.0), exact=lambda a, b: a / b),
    "remf": _floats(_remainder),
    "maximumf": _floats(_with_nan(_greater), _lhs_if(-math.inf), is_idempotent=True),
    "minimumf": _floats(_with_nan(_smaller), _lhs_if(math.inf), is_idempotent=True),
    "maxnumf": _floats(_without_nan(_greater), _nan_right, is_idempotent=True),
    "minnumf": _floats(_without_nan(_smaller), _nan_right, is_idempotent=True),
}


def negf(op: Operation) -> Folded:
    """-(-x) -> x"""
    (value,) = op._operands
    if (inner := defining(value, "arith.negf")) is not None:
        return (inner.operands[0],)
    operand = constant_of(value)
    return None if operand is None else folded(fold_elements(op.results[0].type, lambda a: -a, operand))
