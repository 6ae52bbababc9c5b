"""How operations of `arith` on integers fold: rules for what stands on the right, rules for what the operands are, constants computed."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most folds: they look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

from xdsl.dialects.builtin import TensorType
from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects.arith.matching import defining, folded, number, operand_width, overflow_flags
from stepwell.dialects.arith.numbers import (
    POISON,
    constant,
    element_type,
    fold_elements,
    signed,
    splat_or_scalar,
    unsigned,
    width_of,
    zero_like,
)
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of

Rule = Callable[[Operation, SSAValue, SSAValue], Folded]
"""Of an operation and its two operands."""


# ---- two operands -----------------------------------------------------------------------------------------------------------------


def _integers(
    compute: Callable[[int, int, int], int | None],
    *rules: Rule,
    right: Mapping[int, Rule] | None = None,
    by_width: Callable[[int], Mapping[int, Rule]] | None = None,
    left: Collection[int] = (),
) -> Folder:
    """Constants on the right by their value, which may depend on the width; constants on the left that stay what they are; rules in turn;
    then the computation of constants, where `compute` also gets the width."""

    def fold(op: Operation) -> Folded:
        lhs, rhs = op._operands
        right_constant, left_constant = constant_of(rhs), constant_of(lhs)
        if right_constant is not None and (value := splat_or_scalar(right_constant)) is not None:
            table = right if by_width is None else by_width(width_of(element_type(rhs.type)))
            if table is not None and (then := table.get(value)) is not None:  # pyright: ignore[reportCallIssue, reportArgumentType]
                return then(op, lhs, rhs)
        if left_constant is not None and left and splat_or_scalar(left_constant) in left:
            return (lhs,)
        for rule in rules:
            if (found := rule(op, lhs, rhs)) is not None:
                return found
        if right_constant is None:
            return (POISON,) if isinstance(left_constant, PoisonAttr) else None
        if isinstance(right_constant, PoisonAttr):
            return (POISON,)
        if left_constant is None:
            return None
        (result,) = op.results
        bits = width_of(element_type(lhs.type))
        return folded(fold_elements(result.type, lambda a, b: compute(a, b, bits), left_constant, right_constant))

    return fold


def _lhs(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    return (lhs,)


def _rhs(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    return (rhs,)


def _zero(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    return folded(zero_like(op.results[0].type))


def _same(then: Rule) -> Rule:
    return lambda op, lhs, rhs: then(op, lhs, rhs) if lhs is rhs else None


def _add_of_sub(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    """(a - b) + b -> a, b + (a - b) -> a"""
    for value, other in ((lhs, rhs), (rhs, lhs)):
        if (sub := defining(value, "arith.subi")) is not None and sub.operands[1] is other:
            return (sub.operands[0],)
    return None


def _sub_of_add(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    """(a + b) - b -> a, (a + b) - a -> b"""
    if (add := defining(lhs, "arith.addi")) is not None:
        if add.operands[1] is rhs:
            return (add.operands[0],)
        if add.operands[0] is rhs:
            return (add.operands[1],)
    return None


def _sub_of_sub(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    """a - (a - b) -> b"""
    sub = defining(rhs, "arith.subi")
    return (sub.operands[1],) if sub is not None and sub.operands[0] is lhs else None


def _div_of_mul(flag: str) -> Rule:
    """(a * b) / b -> a, if the product does not overflow."""

    def rule(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
        product = defining(lhs, "arith.muli")
        if product is None or flag not in overflow_flags(product):
            return None
        if product.operands[0] is rhs:
            return (product.operands[1],)
        return (product.operands[0],) if product.operands[1] is rhs else None

    return rule


def _is_not_of(value: SSAValue, other: SSAValue) -> bool:
    """Whether `value` is `other ^ -1`."""
    xor = defining(value, "arith.xori")
    return xor is not None and xor.operands[0] is other and number(xor.operands[1]) == -1


def _complements(value: int) -> Rule:
    """x & ~x -> 0, x | ~x -> -1"""

    def rule(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
        return folded(constant((value,), op.results[0].type)) if _is_not_of(lhs, rhs) or _is_not_of(rhs, lhs) else None

    return rule


def _and_of_and(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    """a & (a & b) -> a & b"""
    for value, other in ((lhs, rhs), (rhs, lhs)):
        inner = defining(value, "arith.andi")
        if inner is not None and other in inner.operands:
            return (value,)
    return None


def _xor_of_xor(op: Operation, lhs: SSAValue, rhs: SSAValue) -> Folded:
    """(a ^ b) ^ b -> a, (a ^ b) ^ a -> b, and the other way round"""
    for value, other in ((lhs, rhs), (rhs, lhs)):
        inner = defining(value, "arith.xori")
        if inner is not None:
            if inner.operands[1] is other:
                return (inner.operands[0],)
            if inner.operands[0] is other:
                return (inner.operands[1],)
    return None


@cache
def _signed_extremes(greatest_absorbs: bool, bits: int) -> Mapping[int, Rule]:
    """Of max (min), the greatest (least) number stays, whatever the other one is, and the least (greatest) makes no difference."""
    least, greatest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if bits else (0, 0)
    return {least: _lhs, greatest: _rhs} if greatest_absorbs else {greatest: _lhs, least: _rhs}


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


_idempotent = _same(_lhs)
_nothing = _same(_zero)

INTEGERS: dict[str, Folder] = {
    "addi": _integers(lambda a, b, w: a + b, _add_of_sub, right={0: _lhs}),
    "subi": _integers(lambda a, b, w: a - b, _nothing, _sub_of_add, _sub_of_sub, right={0: _lhs}),
    "muli": _integers(lambda a, b, w: a * b, right={0: _rhs, 1: _lhs}),
    "divui": _integers(_as_unsigned(_unsigned_div), _div_of_mul("nuw"), right={1: _lhs}),
    "divsi": _integers(_trunc_div, _div_of_mul("nsw"), right={1: _lhs}),
    "ceildivui": _integers(_as_unsigned(lambda a, b: -(-a // b) if b else None), right={1: _lhs}),
    "ceildivsi": _integers(_ceil_div, right={1: _lhs}),
    "floordivsi": _integers(_floor_div, right={1: _lhs}),
    "remui": _integers(_as_unsigned(lambda a, b: a % b if b else None), right={1: _zero}),
    "remsi": _integers(_trunc_rem, right={1: _zero}),
    "andi": _integers(lambda a, b, w: a & b, _complements(0), _and_of_and, _idempotent, right={0: _rhs, -1: _lhs}),
    "ori": _integers(lambda a, b, w: a | b, _complements(-1), _idempotent, right={0: _lhs, -1: _rhs}),
    "xori": _integers(lambda a, b, w: a ^ b, _nothing, _xor_of_xor, right={0: _lhs}),
    "shli": _integers(_shift(lambda a, b, w: a << b), right={0: _lhs}),
    "shrui": _integers(_shift(lambda a, b, w: unsigned(a, w) >> b), _nothing, right={0: _lhs}, left=(0,)),
    "shrsi": _integers(_shift(lambda a, b, w: a >> b), _nothing, right={0: _lhs}, left=(0, -1)),
    "maxsi": _integers(lambda a, b, w: max(a, b), _idempotent, by_width=lambda bits: _signed_extremes(True, bits)),
    "minsi": _integers(lambda a, b, w: min(a, b), _idempotent, by_width=lambda bits: _signed_extremes(False, bits)),
    "maxui": _integers(_as_unsigned(max), _idempotent, right={-1: _rhs, 0: _lhs}),
    "minui": _integers(_as_unsigned(min), _idempotent, right={0: _rhs, -1: _lhs}),
}


# ---- two results ------------------------------------------------------------------------------------------------------------------


def _add_extended(op: Operation) -> Folded:
    lhs, rhs = op._operands
    bits = operand_width(op)
    if number(rhs) == 0:
        none = constant((0,), op.results[1].type) if _is_static(op.results[1].type) else None
        return None if none is None else (lhs, none)
    return _two(
        op,
        lambda a, b: a + b,
        lambda a, b: (unsigned(a, bits) + unsigned(b, bits)) >> bits,
    )


def _two(op: Operation, low: Callable[..., int], high: Callable[..., int]) -> Folded:
    constants = [constant_of(value) for value in op._operands]
    first = fold_elements(op.results[0].type, low, *constants)
    second = fold_elements(op.results[1].type, high, *constants)
    return None if first is None or second is None else (first, second)


def _mul_extended(is_signed: bool) -> Folder:
    def fold(op: Operation) -> Folded:
        lhs, rhs = op._operands
        bits, by = operand_width(op), number(rhs)
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


EXTENDED: dict[str, Folder] = {
    "addui_extended": _add_extended,
    "mulsi_extended": _mul_extended(True),
    "mului_extended": _mul_extended(False),
}
