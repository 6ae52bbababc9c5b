"""How the operations of `index` fold: to what is right for addresses of 32 bits and of 64, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import IndexType, IntegerAttr, i1
from xdsl.ir import Operation, SSAValue

from stepwell.dialects.arith.matching import compare
from stepwell.dialects.arith.numbers import signed, unsigned
from stepwell.dialects.index import PREDICATES
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of

INDEX = IndexType()
Compute = Callable[[int, int, int], int | None]
"""Of two numbers given as signed, and the width."""


def _number(value: SSAValue) -> int | None:
    constant = constant_of(value)
    return signed(constant.value.data, 64) if isinstance(constant, IntegerAttr) else None


def agreed(compute: Compute, a: int, b: int) -> int | None:
    """The result for 64 bits, if the one for 32 bits is its low half."""
    wide = compute(a, b, 64)
    narrow = compute(signed(a, 32), signed(b, 32), 32)
    if wide is None or narrow is None or unsigned(wide, 32) != unsigned(narrow, 32):
        return None
    return signed(wide, 64)


def _binary(compute: Compute, right_neutral: int | None = None) -> Folder:
    def fold(op: Operation) -> Folded:
        lhs, rhs = op.operands
        right = _number(rhs)
        if right is None:
            return None
        if right == right_neutral:
            return (lhs,)
        left = _number(lhs)
        value = None if left is None else agreed(compute, left, right)
        return None if value is None else (IntegerAttr(value, INDEX),)

    return fold


def _unsigned(compute: Callable[[int, int], int | None]) -> Compute:
    return lambda a, b, bits: compute(unsigned(a, bits), unsigned(b, bits))


def _truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _shift(compute: Callable[[int, int, int], int]) -> Compute:
    return lambda a, b, bits: compute(a, b, bits) if 0 <= b < bits else None


def _cmp(op: Any) -> Folded:
    lhs, rhs = op.operands
    predicate = op.predicate
    if lhs is rhs:
        return (_bool(predicate in ("eq", "sle", "sge", "ule", "uge")),)
    a, b = _number(lhs), _number(rhs)
    if a is None or b is None or predicate not in PREDICATES:
        return None
    wide, narrow = compare(predicate, a, b, 64), compare(predicate, signed(a, 32), signed(b, 32), 32)
    return (_bool(wide),) if wide == narrow else None


def _bool(value: bool) -> IntegerAttr[Any]:
    return IntegerAttr(-1 if value else 0, i1)


def _cast(extend: Callable[[int, int], int]) -> Folder:
    def fold(op: Operation) -> Folded:
        value = _number(op.operands[0])
        if value is None:
            return None
        source: Any = op.operands[0].type
        target: Any = op.results[0].type
        if isinstance(source, IndexType):
            bits = target.bitwidth
            wide, narrow = extend(value, 64), extend(value, 32)
            if unsigned(wide, bits) != unsigned(narrow, bits):
                return None
            return (IntegerAttr(signed(wide, bits), target, truncate_bits=True),)
        constant: Any = constant_of(op.operands[0])
        return (IntegerAttr(signed(extend(constant.value.data, source.bitwidth), 64), INDEX),)

    return fold


def _same(op: Operation) -> bool:
    return op.operands[0] is op.operands[1]


def _sub(op: Operation) -> Folded:
    """a - a -> 0"""
    return (IntegerAttr(0, INDEX),) if _same(op) else _plain_sub(op)


_plain_sub = _binary(lambda a, b, w: a - b, 0)

FOLDS: dict[str, Folder] = {
    f"index.{name}": folder
    for name, folder in {
        "add": _binary(lambda a, b, w: a + b, 0),
        "sub": _sub,
        "mul": _binary(lambda a, b, w: a * b, 1),
        "divs": _binary(lambda a, b, w: _truncated(a, b) if b else None),
        "divu": _binary(_unsigned(lambda a, b: a // b if b else None)),
        "ceildivs": _binary(lambda a, b, w: -(-a // b) if b else None),
        "ceildivu": _binary(_unsigned(lambda a, b: -(-a // b) if b else None)),
        "floordivs": _binary(lambda a, b, w: a // b if b else None),
        "rems": _binary(lambda a, b, w: a - b * _truncated(a, b) if b else None),
        "remu": _binary(_unsigned(lambda a, b: a % b if b else None)),
        "maxs": _binary(lambda a, b, w: max(a, b)),
        "maxu": _binary(_unsigned(max)),
        "mins": _binary(lambda a, b, w: min(a, b)),
        "minu": _binary(_unsigned(min)),
        "shl": _binary(_shift(lambda a, b, w: a << b)),
        "shrs": _binary(_shift(lambda a, b, w: a >> b)),
        "shru": _binary(_shift(lambda a, b, w: unsigned(a, w) >> b)),
        "and": _binary(lambda a, b, w: a & b),
        "or": _binary(lambda a, b, w: a | b),
        "xor": _binary(lambda a, b, w: a ^ b),
        "cmp": _cmp,
        "casts": _cast(signed),
        "castu": _cast(unsigned),
    }.items()
}
