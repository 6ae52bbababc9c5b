"""How the operations of `arith` fold: by their name, a function from the operation to what it is worth (`stepwell.ir.rewrite.folding`).

What is said of one number holds of the elements of vectors and tensors. Constants stand on the right where operands commute: the driver
puts them there. Identities of floats hold for every value, NaN and -0.0 included, unless a fast-math flag gives more freedom.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr, TensorType, i1
from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from stepwell.dialects.arith.numbers import (
    EXACT_FLOATS,
    POISON,
    Number,
    bits_of,
    constant,
    element_type,
    fold_elements,
    from_bits,
    is_integer,
    round_exact,
    rounded,
    signed,
    splat_or_scalar,
    unsigned,
    width_of,
    zero_like,
)
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of

CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
SWAPPED = {
    "eq": "eq",
    "ne": "ne",
    "slt": "sgt",
    "sle": "sge",
    "sgt": "slt",
    "sge": "sle",
    "ult": "ugt",
    "ule": "uge",
    "ugt": "ult",
    "uge": "ule",
}


def number(value: SSAValue) -> Number | None:
    """The one value of a scalar or splat constant; integers are signed."""
    return splat_or_scalar(constant_of(value))


def defining(value: SSAValue, name: str) -> Any:
    """The operation of that name that gives `value`, or None."""
    return value.op if isinstance(value, OpResult) and value.op.name == name else None


def flags(op: Operation) -> set[str]:
    """The fast-math flags that hold."""
    found: Any = op.properties.get("fastmath")
    return {flag.value for flag in found.data} if found is not None else set()


def overflow_flags(op: Operation) -> set[str]:
    """`nsw`, `nuw`."""
    found: Any = op.properties.get("overflowFlags")
    return {flag.value for flag in found.data} if found is not None else set()


def _width(op: Operation) -> int:
    return width_of(element_type(op.operands[0].type))


def _result(attribute: Attribute | None) -> Folded:
    return None if attribute is None else (attribute,)


# ---- integers of two operands ---------------------------------------------------------------------------------------------------


def _integers(compute: Callable[[int, int, int], int | None], *rules: Folder) -> Folder:
    """Rules in turn, then the computation of constants; `compute` also gets the width."""

    def fold(op: Operation) -> Folded:
        for rule in rules:
            if (folded := rule(op)) is not None:
                return folded
        lhs, rhs = op.operands
        right = constant_of(rhs)
        if isinstance(right, PoisonAttr):
            return (POISON,)
        left = constant_of(lhs)
        if left is None or (right is None and not isinstance(left, PoisonAttr)):
            return None
        bits = _width(op)
        return _result(fold_elements(op.results[0].type, lambda a, b: compute(a, b, bits), left, right))

    return fold


def _right_is(value: int, then: Callable[[Any], Folded]) -> Folder:
    return lambda op: then(op) if number(op.operands[1]) == value else None


def _left_is(value: int) -> Folder:
    return lambda op: (op.operands[0],) if number(op.operands[0]) == value else None


def _lhs(op: Operation) -> Folded:
    return (op.operands[0],)


def _rhs(op: Operation) -> Folded:
    return (op.operands[1],)


def _zero(op: Operation) -> Folded:
    return _result(zero_like(op.results[0].type))


def _same_operands(then: Callable[[Any], Folded]) -> Folder:
    return lambda op: then(op) if op.operands[0] is op.operands[1] else None


def _add_of_sub(op: Operation) -> Folded:
    """(a - b) + b -> a, b + (a - b) -> a"""
    lhs, rhs = op.operands
    if (sub := defining(lhs, "arith.subi")) is not None and sub.operands[1] is rhs:
        return (sub.operands[0],)
    if (sub := defining(rhs, "arith.subi")) is not None and sub.operands[1] is lhs:
        return (sub.operands[0],)
    return None


def _sub_of_add(op: Operation) -> Folded:
    """(a + b) - b -> a, (a + b) - a -> b"""
    lhs, rhs = op.operands
    if (add := defining(lhs, "arith.addi")) is not None:
        if add.operands[1] is rhs:
            return (add.operands[0],)
        if add.operands[0] is rhs:
            return (add.operands[1],)
    return None


def _sub_of_sub(op: Operation) -> Folded:
    """a - (a - b) -> b"""
    sub = defining(op.operands[1], "arith.subi")
    return (sub.operands[1],) if sub is not None and sub.operands[0] is op.operands[0] else None


def _div_of_mul(flag: str) -> Folder:
    """(a * b) / b -> a, if the product does not overflow."""

    def fold(op: Operation) -> Folded:
        product = defining(op.operands[0], "arith.muli")
        if product is None or flag not in overflow_flags(product):
            return None
        if product.operands[0] is op.operands[1]:
            return (product.operands[1],)
        return (product.operands[0],) if product.operands[1] is op.operands[1] else None

    return fold


def _is_not_of(value: SSAValue, other: SSAValue) -> bool:
    """Whether `value` is `other ^ -1`."""
    xor = defining(value, "arith.xori")
    return xor is not None and xor.operands[0] is other and number(xor.operands[1]) == -1


def _complements(value: int) -> Folder:
    """x & ~x -> 0, x | ~x -> -1"""

    def fold(op: Operation) -> Folded:
        lhs, rhs = op.operands
        return _result(constant((value,), op.results[0].type)) if _is_not_of(lhs, rhs) or _is_not_of(rhs, lhs) else None

    return fold


def _and_of_and(op: Operation) -> Folded:
    """a & (a & b) -> a & b"""
    for value, other in (op.operands, tuple(reversed(op.operands))):
        inner = defining(value, "arith.andi")
        if inner is not None and other in inner.operands:
            return (value,)
    return None


def _xor_of_xor(op: Operation) -> Folded:
    """(a ^ b) ^ b -> a, (a ^ b) ^ a -> b, and the other way round"""
    for value, other in (op.operands, tuple(reversed(op.operands))):
        inner = defining(value, "arith.xori")
        if inner is not None:
            if inner.operands[1] is other:
                return (inner.operands[0],)
            if inner.operands[0] is other:
                return (inner.operands[1],)
    return None


def _least(is_signed: bool, greatest: bool) -> Callable[[int], int]:
    """The least or greatest value of a width, as a signed number."""
    if is_signed:
        return lambda bits: (1 << (bits - 1)) - 1 if greatest else -(1 << (bits - 1))
    return lambda bits: -1 if greatest else 0


def _absorbing(value: Callable[[int], int]) -> Folder:
    return lambda op: (op.operands[1],) if number(op.operands[1]) == value(_width(op)) else None


def _neutral(value: Callable[[int], int]) -> Folder:
    return lambda op: (op.operands[0],) if number(op.operands[1]) == value(_width(op)) else None


def _floor_div(a: int, b: int, bits: int) -> int | None:
    return a // b if b and signed(a // b, bits) == a // b else None


def _ceil_div(a: int, b: int, bits: int) -> int | None:
    return -(-a // b) if b and signed(-(-a // b), bits) == -(-a // b) else None


def _trunc_div(a: int, b: int, bits: int) -> int | None:
    if not b:
        return None
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return quotient if signed(quotient, bits) == quotient else None


def _trunc_rem(a: int, b: int, bits: int) -> int | None:
    return None if not b else (1 if a >= 0 else -1) * (abs(a) % abs(b))


def _as_unsigned(compute: Callable[[int, int], int | None]) -> Callable[[int, int, int], int | None]:
    return lambda a, b, bits: compute(unsigned(a, bits), unsigned(b, bits))


def _unsigned_div(a: int, b: int) -> int | None:
    return a // b if b else None


def _shift(compute: Callable[[int, int, int], int]) -> Callable[[int, int, int], int | None]:
    """Shifts by the width or more are not known."""
    return lambda a, b, bits: compute(a, unsigned(b, bits), bits) if unsigned(b, bits) < bits else None


_is_zero = _right_is(0, _lhs)
_is_one = _right_is(1, _lhs)
_idempotent = _same_operands(_lhs)

INTEGERS: dict[str, Folder] = {
    "addi": _integers(lambda a, b, w: a + b, _is_zero, _add_of_sub),
    "subi": _integers(lambda a, b, w: a - b, _same_operands(_zero), _is_zero, _sub_of_add, _sub_of_sub),
    "muli": _integers(lambda a, b, w: a * b, _right_is(0, _rhs), _is_one),
    "divui": _integers(_as_unsigned(_unsigned_div), _is_one, _div_of_mul("nuw")),
    "divsi": _integers(_trunc_div, _is_one, _div_of_mul("nsw")),
    "ceildivui": _integers(_as_unsigned(lambda a, b: -(-a // b) if b else None), _is_one),
    "ceildivsi": _integers(_ceil_div, _is_one),
    "floordivsi": _integers(_floor_div, _is_one),
    "remui": _integers(_as_unsigned(lambda a, b: a % b if b else None), _right_is(1, _zero)),
    "remsi": _integers(_trunc_rem, _right_is(1, _zero)),
    "andi": _integers(lambda a, b, w: a & b, _right_is(0, _rhs), _right_is(-1, _lhs), _complements(0), _and_of_and, _idempotent),
    "ori": _integers(lambda a, b, w: a | b, _is_zero, _right_is(-1, _rhs), _complements(-1), _idempotent),
    "xori": _integers(lambda a, b, w: a ^ b, _is_zero, _same_operands(_zero), _xor_of_xor),
    "shli": _integers(_shift(lambda a, b, w: a << b), _is_zero),
    "shrui": _integers(_shift(lambda a, b, w: unsigned(a, w) >> b), _is_zero, _left_is(0), _same_operands(_zero)),
    "shrsi": _integers(_shift(lambda a, b, w: a >> b), _is_zero, _left_is(0), _left_is(-1), _same_operands(_zero)),
    "maxsi": _integers(lambda a, b, w: max(a, b), _idempotent, _absorbing(_least(True, True)), _neutral(_least(True, False))),
    "minsi": _integers(lambda a, b, w: min(a, b), _idempotent, _absorbing(_least(True, False)), _neutral(_least(True, True))),
    "maxui": _integers(_as_unsigned(max), _idempotent, _absorbing(_least(False, True)), _neutral(_least(False, False))),
    "minui": _integers(_as_unsigned(min), _idempotent, _absorbing(_least(False, False)), _neutral(_least(False, True))),
}


# ---- integers of two results ------------------------------------------------------------------------------------------------------


def _add_extended(op: Operation) -> Folded:
    lhs, rhs = op.operands
    bits = _width(op)
    if number(rhs) == 0:
        none = constant((0,), op.results[1].type) if _is_static(op.results[1].type) else None
        return None if none is None else (lhs, none)
    return _two(
        op,
        lambda a, b: a + b,
        lambda a, b: (unsigned(a, bits) + unsigned(b, bits)) >> bits,
    )


def _two(op: Operation, low: Callable[..., int], high: Callable[..., int]) -> Folded:
    constants = [constant_of(value) for value in op.operands]
    first = fold_elements(op.results[0].type, low, *constants)
    second = fold_elements(op.results[1].type, high, *constants)
    return None if first is None or second is None else (first, second)


def _mul_extended(is_signed: bool) -> Folder:
    def fold(op: Operation) -> Folded:
        lhs, rhs = op.operands
        bits, by = _width(op), number(rhs)
        if by == 0:
            return (rhs, rhs)
        if by == 1 and not is_signed and (none := zero_like(op.results[1].type)) is not None:
            return (lhs, none)
        if is_signed:
            return _two(op, lambda a, b: a * b, lambda a, b: (a * b) >> bits)
        return _two(op, lambda a, b: a * b, lambda a, b: (unsigned(a, bits) * unsigned(b, bits)) >> bits)

    return fold


def _is_static(type: Attribute) -> bool:
    return not isinstance(type, TensorType) or type.has_static_shape()


# ---- floats of two operands -------------------------------------------------------------------------------------------------------


def _floats(
    compute: Callable[[float, float], float | None], *rules: Folder, exact: Callable[[Fraction, Fraction], Fraction] | None = None
) -> Folder:
    """Rules in turn, then the computation of constants, rounded. `exact` computes what is rounded in another direction."""

    def fold(op: Operation) -> Folded:
        for rule in rules:
            if (folded := rule(op)) is not None:
                return folded
        lhs, rhs = op.operands
        right = constant_of(rhs)
        if isinstance(right, PoisonAttr):
            return (POISON,)
        left = constant_of(lhs)
        if left is None or (right is None and not isinstance(left, PoisonAttr)):
            return None
        type = op.results[0].type
        format = element_type(type)
        mode = rounding_mode(op)
        if mode in (None, "to_nearest_even"):
            return _result(fold_elements(type, lambda a, b: _rounded(compute(a, b), format), left, right))
        if (compute_exactly := exact) is None:
            return None
        return _result(fold_elements(type, lambda a, b: _directed(compute_exactly, a, b, format, mode), left, right))

    return fold


def rounding_mode(op: Operation) -> str | None:
    """How an operation rounds; None where it does not say."""
    found: Any = op.properties.get("roundingmode")
    return None if found is None else str(found.data.value)


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


def _is_float(value: SSAValue, wanted: float) -> bool:
    found = number(value)
    return isinstance(found, float) and found == wanted and math.copysign(1, found) == math.copysign(1, wanted)


def _float_right(wanted: float, then: Callable[[Any], Folded], *needed: str) -> Folder:
    return lambda op: then(op) if _is_float(op.operands[1], wanted) and flags(op) >= set(needed) else None


def _mul_by_zero(op: Operation) -> Folded:
    """x * 0 -> 0, given that there are no NaNs (nor infinities times zero) and that signs of zeros do not matter."""
    return (op.operands[1],) if flags(op) >= {"nnan", "nsz"} and number(op.operands[1]) == 0.0 else None


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


def _nan_right(op: Operation) -> Folded:
    found = number(op.operands[1])
    return (op.operands[0],) if isinstance(found, float) and math.isnan(found) else None


FLOATS: dict[str, Folder] = {
    "addf": _floats(lambda a, b: a + b, _float_right(-0.0, _lhs), _float_right(0.0, _lhs, "nsz"), exact=lambda a, b: a + b),
    "subf": _floats(lambda a, b: a - b, _float_right(0.0, _lhs), _float_right(-0.0, _lhs, "nsz"), exact=lambda a, b: a - b),
    "mulf": _floats(lambda a, b: a * b, _float_right(1.0, _lhs), _mul_by_zero, exact=lambda a, b: a * b),
    "divf": _floats(_divide, _float_right(1.0, _lhs), exact=lambda a, b: a / b),
    "remf": _floats(_remainder),
    "maximumf": _floats(_with_nan(_greater), _idempotent, _float_right(-math.inf, _lhs)),
    "minimumf": _floats(_with_nan(_smaller), _idempotent, _float_right(math.inf, _lhs)),
    "maxnumf": _floats(_without_nan(_greater), _idempotent, _nan_right),
    "minnumf": _floats(_without_nan(_smaller), _idempotent, _nan_right),
}


def _negf(op: Operation) -> Folded:
    """-(-x) -> x"""
    if (inner := defining(op.operands[0], "arith.negf")) is not None:
        return (inner.operands[0],)
    return _result(fold_elements(op.results[0].type, lambda a: -a, constant_of(op.operands[0])))


# ---- comparisons ----------------------------------------------------------------------------------------------------------------


def compare(predicate: str, a: int, b: int, bits: int) -> bool:
    """Of integers, given as signed."""
    if predicate[0] == "u":
        a, b = unsigned(a, bits), unsigned(b, bits)
    return {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[predicate[-2:]]


def _cmpi(op: Any) -> Folded:
    lhs, rhs = op.operands
    type = op.results[0].type
    predicate = CMPI[op.properties["predicate"].value.data]
    if lhs is rhs:
        return _result(constant((predicate in ("eq", "sle", "sge", "ule", "uge"),), type)) if _is_static(type) else None
    right = constant_of(rhs)
    if right is not None and (folded := _cmpi_with_zero_or_true(predicate, lhs, rhs, number(rhs))) is not None:
        return folded
    left = constant_of(lhs)
    if left is None:
        return None
    if right is None:
        if isinstance(left, PoisonAttr):
            return (POISON,)
        op.properties["predicate"] = IntegerAttr(CMPI.index(SWAPPED[predicate]), 64)
        op.operands = (rhs, lhs)
        return op.results
    bits = _width(op)
    return _result(fold_elements(type, lambda a, b: compare(predicate, a, b, bits), left, right))


def _cmpi_with_zero_or_true(predicate: str, lhs: SSAValue, rhs: SSAValue, right: Number | None) -> Folded:
    """x != 0 -> x and x == 1 -> x for booleans; also of x extended, compared with 0."""
    element = element_type(lhs.type)
    if element == i1 and ((predicate == "ne" and right == 0) or (predicate == "eq" and right == -1)):
        return (lhs,)
    if predicate == "ne" and right == 0 and isinstance(lhs, OpResult) and lhs.op.name in ("arith.extsi", "arith.extui"):
        inner = lhs.op.operands[0]
        if element_type(inner.type) == i1:
            return (inner,)
    return None


CMPF: tuple[Callable[[float, float], bool], ...] = (
    lambda a, b: False,
    lambda a, b: a == b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a < b or a > b,
    lambda a, b: not _unordered(a, b),
    lambda a, b: _unordered(a, b) or a == b,
    lambda a, b: _unordered(a, b) or a > b,
    lambda a, b: _unordered(a, b) or a >= b,
    lambda a, b: _unordered(a, b) or a < b,
    lambda a, b: _unordered(a, b) or a <= b,
    lambda a, b: a != b,
    lambda a, b: _unordered(a, b),
    lambda a, b: True,
)
"""By the number of the predicate."""


def _unordered(a: float, b: float) -> bool:
    return math.isnan(a) or math.isnan(b)


def _cmpf(op: Any) -> Folded:
    left, right = (constant_of(value) for value in op.operands)
    for attribute in (left, right):  # whatever the other one is, NaN does not compare
        one = splat_or_scalar(attribute)
        if isinstance(one, float) and math.isnan(one):
            left = right = attribute
    if left is None or right is None:
        return None
    holds = CMPF[op.properties["predicate"].value.data]
    return _result(fold_elements(op.results[0].type, holds, left, right))


# ---- select ---------------------------------------------------------------------------------------------------------------------


def _select(op: Any) -> Folded:
    cond, yes, no = op.operands
    if yes is no:
        return (yes,)
    condition = constant_of(cond)
    if isinstance(condition, PoisonAttr):
        return (POISON,)
    if (one := splat_or_scalar(condition)) is not None:
        return (yes if one else no,)
    if isinstance(constant_of(yes), PoisonAttr):
        return (no,)
    if isinstance(constant_of(no), PoisonAttr):
        return (yes,)
    if element_type(yes.type) == i1 and cond.type == yes.type and number(yes) == -1 and number(no) == 0:
        return (cond,)
    compared = defining(cond, "arith.cmpi")
    if compared is not None and {yes, no} == set(compared.operands):
        predicate = CMPI[compared.properties["predicate"].value.data]
        if predicate == "eq":
            return (no,)
        if predicate == "ne":
            return (yes,)
    if condition is not None and (left := constant_of(yes)) is not None and (right := constant_of(no)) is not None:
        return _result(fold_elements(op.results[0].type, lambda c, a, b: a if c else b, condition, left, right))
    return None


# ---- casts ----------------------------------------------------------------------------------------------------------------------


def _cast(compute: Callable[[Any, Attribute, Attribute], Number | None], *rules: Folder) -> Folder:
    """Rules in turn, then the conversion of constants; `compute` gets the value and the types of the elements."""

    def fold(op: Operation) -> Folded:
        for rule in rules:
            if (folded := rule(op)) is not None:
                return folded
        operand = constant_of(op.operands[0])
        if operand is None:
            return None
        source, target = element_type(op.operands[0].type), element_type(op.results[0].type)
        return _result(fold_elements(op.results[0].type, lambda value: compute(value, source, target), operand))

    return fold


def _through(name: str) -> Folder:
    """ext(ext(x)) -> ext(x), trunc(trunc(x)) -> trunc(x), in place."""

    def fold(op: Operation) -> Folded:
        inner = defining(op.operands[0], name)
        if inner is None:
            return None
        for flag in ("nonNeg", "overflowFlags"):
            if flag in op.properties or flag in inner.properties:
                _merge_flag(op, inner, flag)
        op.operands[0] = inner.operands[0]
        return op.results

    return fold


def _merge_flag(op: Operation, inner: Operation, flag: str) -> None:
    if flag == "nonNeg":  # the outer one sees a number that is not negative anyhow
        op.properties.pop(flag, None)
        if flag in inner.properties:
            op.properties[flag] = inner.properties[flag]
        return
    from xdsl.dialects.arith import IntegerOverflowAttr

    kept = overflow_flags(op) & overflow_flags(inner)
    op.properties[flag] = IntegerOverflowAttr([f for f in cast(Any, op.properties[flag]).data if f.value in kept] or "none")


def _trunc_of_ext(op: Operation) -> Folded:
    """trunc(ext(x)) -> x where it comes back to the type, trunc(x) where x is wider."""
    value = op.operands[0]
    if not isinstance(value, OpResult) or value.op.name not in ("arith.extsi", "arith.extui"):
        return None
    source = value.op.operands[0]
    if source.type == op.results[0].type:
        return (source,)
    if width_of(element_type(source.type)) > width_of(element_type(op.results[0].type)):
        op.operands[0] = source
        return op.results
    return None


def _truncf_of_extf(op: Operation) -> Folded:
    """truncf(extf(x)) -> x where it comes back to the type, truncf(x) where x is wider."""
    inner = defining(op.operands[0], "arith.extf")
    if inner is None or rounding_mode(op) is not None:
        return None
    source, target = inner.operands[0], op.results[0].type
    if source.type == target:
        return (source,)
    if width_of(element_type(source.type)) > width_of(element_type(target)):
        op.operands[0] = source
        return op.results
    return None


def _extf_of_truncf(op: Operation) -> Folded:
    """extf(truncf(x)) -> x where both may be contracted."""
    inner = defining(op.operands[0], "arith.truncf")
    if inner is None or inner.operands[0].type != op.results[0].type or rounding_mode(inner) is not None:
        return None
    return (inner.operands[0],) if "contract" in flags(op) and "contract" in flags(inner) else None


def _to_float(is_signed: bool) -> Callable[[Any, Attribute, Attribute], Number | None]:
    def compute(value: int, source: Attribute, target: Attribute) -> Number | None:
        if not isinstance(target, EXACT_FLOATS):
            return None
        whole = value if is_signed else unsigned(value, width_of(source))
        try:
            double = float(whole)
        except OverflowError:
            return None
        if int(double) != whole and width_of(target) < 64:
            return None  # it would be rounded twice
        return rounded(double, target)

    return compute


def _to_integer(is_signed: bool) -> Callable[[Any, Attribute, Attribute], Number | None]:
    def compute(value: float, source: Attribute, target: Attribute) -> Number | None:
        if not math.isfinite(value):
            return None
        whole, bits = int(value), width_of(target)
        least, limit = (-(1 << (bits - 1)), 1 << (bits - 1)) if is_signed else (0, 1 << bits)
        return whole if least <= whole < limit else None

    return compute


def _exactly(value: float, source: Attribute, target: Attribute) -> Number | None:
    """Only what loses nothing."""
    if not isinstance(target, EXACT_FLOATS) or math.isnan(value):
        return None
    return value if rounded(value, target) == value else None


def _reinterpret(value: Number, source: Attribute, target: Attribute) -> Number | None:
    bits = unsigned(int(value), width_of(source)) if is_integer(source) else bits_of(value, source)
    if is_integer(target):
        return signed(bits, width_of(target))
    return from_bits(bits, target) if isinstance(target, EXACT_FLOATS) else None


def _bitcast_of_itself(op: Operation) -> Folded:
    return (op.operands[0],) if op.operands[0].type == op.results[0].type else None


def _there_and_back(name: str) -> Folder:
    """cast(cast(x)) -> x where the type in between is as wide."""

    def fold(op: Operation) -> Folded:
        inner = defining(op.operands[0], name)
        if inner is None or inner.operands[0].type != op.results[0].type:
            return None
        narrow = width_of(element_type(op.operands[0].type)) < width_of(element_type(op.results[0].type))
        return None if narrow else (inner.operands[0],)

    return fold


CASTS: dict[str, Folder] = {
    "extsi": _cast(lambda value, source, target: value, _through("arith.extsi")),
    "extui": _cast(lambda value, source, target: unsigned(value, width_of(source)), _through("arith.extui")),
    "trunci": _cast(lambda value, source, target: value, _trunc_of_ext, _through("arith.trunci")),
    "index_cast": _cast(lambda value, source, target: value, _there_and_back("arith.index_cast")),
    "index_castui": _cast(lambda value, source, target: unsigned(value, width_of(source)), _there_and_back("arith.index_castui")),
    "sitofp": _cast(_to_float(True)),
    "uitofp": _cast(_to_float(False)),
    "fptosi": _cast(_to_integer(True)),
    "fptoui": _cast(_to_integer(False)),
    "extf": _cast(_exactly, _extf_of_truncf),
    "truncf": _cast(_exactly, _truncf_of_extf),
    "bitcast": _cast(_reinterpret, _bitcast_of_itself),
}

FOLDS: dict[str, Folder] = {
    f"arith.{name}": folder
    for table in (
        INTEGERS,
        FLOATS,
        CASTS,
        {
            "addui_extended": _add_extended,
            "mulsi_extended": _mul_extended(True),
            "mului_extended": _mul_extended(False),
            "negf": _negf,
            "cmpi": _cmpi,
            "cmpf": _cmpf,
            "select": _select,
        },
    )
    for name, folder in table.items()
}
