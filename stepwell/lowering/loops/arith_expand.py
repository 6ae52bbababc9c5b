"""The pass `arith-expand`: operations of `arith` that few targets have, in terms of those that all have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import BFloat16Type, Float32Type, IntegerAttr, ShapedType, i1, i16, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects.arith import Arith, ConstantOp
from stepwell.dialects.support import with_element
from stepwell.ir.constants import splat
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import walk_and_rewrite
from stepwell.ir.rules import element

KINDS: dict[str, type[Operation]] = {kind.name: kind for kind in Arith.operations}
INTEGER = {name: number for number, name in enumerate("eq ne slt sle sgt sge ult ule ugt uge".split())}
FLOAT = {"ugt": 9, "ult": 11, "une": 13, "uno": 14}
"""The numbers of the predicates of `cmpi` and `cmpf`."""


@dataclass(frozen=True)
class ArithExpand(Pass):
    """Expand divisions that round up or down; where asked, minima and maxima, and conversions from and to bf16.

    before:  %q = arith.ceildivui %a, %b : i32
    after:   %q = arith.select %a_is_zero, %zero, %one_more_than_of_a_minus_one_by_b : i32
    """

    name: ClassVar[str] = "arith-expand"
    anchor: ClassVar[str] = "any"

    include_bf16: bool = False
    include_min_max_f: bool = False
    include_min_max_i: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        table = dict(DIVISIONS)
        if self.include_min_max_f:
            table |= FLOAT_EXTREMA
        if self.include_min_max_i:
            table |= INTEGER_EXTREMA
        if self.include_bf16:
            table |= BF16
        walk_and_rewrite(op, (Expand(table),))


class Expand(RewritePattern):
    """Rewrites the operations of a table; a row gives the value that takes the place of the result, None where it does not apply."""

    def __init__(self, table: dict[str, Row]) -> None:
        self._table = table

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        row = self._table.get(op.name)
        value = row(_Writer(rewriter), *op.operands, op) if row is not None else None
        if value is not None:
            rewriter.replace(op, [], [value])


class _Writer:
    """Writes operations in front of the one that is rewritten."""

    def __init__(self, rewriter: PatternRewriter) -> None:
        self._rewriter = rewriter

    def constant(self, value: int, type: Attribute) -> SSAValue:
        """An integer, in every element of a shaped type."""
        bits = getattr(element(type), "bitwidth", 64)
        value = value - (1 << bits) if value >= 1 << (bits - 1) and bits > 1 else value
        attribute = splat(value, cast(Any, type)) if isinstance(type, ShapedType) else IntegerAttr(value, cast(Any, type))
        return self._insert(ConstantOp.create(properties={"value": attribute}, result_types=[type]))

    def _insert(self, op: Operation) -> SSAValue:
        self._rewriter.insert(op)
        return op.results[0]

    def do(self, name: str, *operands: SSAValue, type: Attribute | None = None) -> SSAValue:
        """The result of `arith.name`, of the type of the last operand unless said otherwise."""
        kind = KINDS[f"arith.{name}"]
        made = kind.create(operands=operands, result_types=[type or operands[-1].type], properties=_defaults(kind))
        return self._insert(made)

    def compare(self, predicate: str, a: SSAValue, b: SSAValue) -> SSAValue:
        """Of integers or, with a predicate that says so, floats."""
        name = "cmpf" if predicate in FLOAT and not hasattr(element(a.type), "signedness") else "cmpi"
        number = (FLOAT if name == "cmpf" else INTEGER)[predicate]
        kind = KINDS[f"arith.{name}"]
        properties: dict[str, Attribute] = {**_defaults(kind), "predicate": IntegerAttr(number, i64)}
        return self._insert(kind.create(operands=[a, b], result_types=[with_element(a.type, i1)], properties=properties))


def _defaults(kind: Any) -> dict[str, Attribute]:
    """The properties that every operation of that class has."""
    known: dict[str, Any] = kind.get_irdl_definition().properties
    return {name: definition.default_value for name, definition in known.items() if definition.default_value is not None}


Row = Callable[..., SSAValue | None]


# ---- divisions ---------------------------------------------------------------------------------------------------------------------------


def _ceil_unsigned(w: _Writer, a: SSAValue, b: SSAValue, _: Operation) -> SSAValue:
    """0 for a = 0, else (a - 1) / b + 1"""
    zero = w.constant(0, a.type)
    is_zero = w.compare("eq", a, zero)
    one = w.constant(1, a.type)
    quotient = w.do("divui", w.do("subi", a, one), b)
    return w.do("select", is_zero, zero, w.do("addi", quotient, one))


def _ceil_signed(w: _Writer, a: SSAValue, b: SSAValue, _: Operation) -> SSAValue:
    """One more than a / b where that is not exact and the signs agree."""
    zero, one = w.constant(0, a.type), w.constant(1, a.type)
    quotient = w.do("divsi", a, b)
    inexact = w.compare("ne", a, w.do("muli", quotient, b))
    agree = w.compare("eq", w.compare("slt", a, zero), w.compare("slt", b, zero))
    rounds = w.do("andi", inexact, agree)
    return w.do("select", rounds, w.do("addi", quotient, one), quotient)


def _floor_signed(w: _Writer, a: SSAValue, b: SSAValue, _: Operation) -> SSAValue:
    """One less than a / b where that is not exact and the signs differ."""
    quotient = w.do("divsi", a, b)
    inexact = w.compare("ne", a, w.do("muli", quotient, b))
    zero = w.constant(0, a.type)
    differ = w.compare("ne", w.compare("slt", a, zero), w.compare("slt", b, zero))
    rounds = w.do("andi", inexact, differ)
    return w.do("select", rounds, w.do("addi", quotient, w.constant(-1, a.type)), quotient)


DIVISIONS: dict[str, Row] = {
    "arith.ceildivui": _ceil_unsigned,
    "arith.ceildivsi": _ceil_signed,
    "arith.floordivsi": _floor_signed,
}


# ---- minima and maxima -------------------------------------------------------------------------------------------------------------------


def _integer(predicate: str) -> Row:
    def row(w: _Writer, a: SSAValue, b: SSAValue, _: Operation) -> SSAValue:
        return w.do("select", w.compare(predicate, a, b), a, b)

    return row


def _float(predicate: str, *, nan: int) -> Row:
    """`predicate` holds if either is NaN, so that `a` is chosen; where operand number `nan` is NaN, the result is `b`."""

    def row(w: _Writer, a: SSAValue, b: SSAValue, _: Operation) -> SSAValue:
        chosen = w.do("select", w.compare(predicate, a, b), a, b)
        tested = (a, b)[nan]
        return w.do("select", w.compare("uno", tested, tested), b, chosen)

    return row


INTEGER_EXTREMA: dict[str, Row] = {
    f"arith.{name}{kind}i": _integer(f"{kind}{sign}") for name, sign in (("max", "gt"), ("min", "lt")) for kind in "su"
}
FLOAT_EXTREMA: dict[str, Row] = {
    "arith.maximumf": _float("ugt", nan=1),
    "arith.minimumf": _float("ult", nan=1),
    "arith.maxnumf": _float("ugt", nan=0),
    "arith.minnumf": _float("ult", nan=0),
}


# ---- bf16 --------------------------------------------------------------------------------------------------------------------------------


def _from_bf16(w: _Writer, a: SSAValue, op: Operation) -> SSAValue | None:
    """bf16 is the high half of f32."""
    result = op.results[0].type
    if not isinstance(element(a.type), BFloat16Type) or not isinstance(element(result), Float32Type):
        return None
    wide = with_element(a.type, i32)
    bits = w.do("extui", w.do("bitcast", a, type=with_element(a.type, i16)), type=wide)
    return w.do("bitcast", w.do("shli", bits, w.constant(16, wide)), type=result)


def _to_bf16(w: _Writer, a: SSAValue, op: Operation) -> SSAValue | None:
    """The high half of f32, rounded to nearest even by adding half a unit of it, less one where it is even; NaN stays one."""
    result = op.results[0].type
    if not isinstance(element(a.type), Float32Type) or not isinstance(element(result), BFloat16Type) or "roundingmode" in op.properties:
        return None
    wide, narrow = with_element(a.type, i32), with_element(a.type, i16)
    is_nan = w.compare("une", a, a)
    half_less_one, nan = w.constant(0x7FFF, wide), w.constant(0x7FC0, narrow)
    sixteen, one = w.constant(16, wide), w.constant(1, wide)
    bits = w.do("bitcast", a, type=wide)
    odd = w.do("andi", w.do("shrui", bits, sixteen), one)
    rounded = w.do("addi", bits, w.do("addi", odd, half_less_one))
    high = w.do("trunci", w.do("shrui", rounded, sixteen), type=narrow)
    return w.do("bitcast", w.do("select", is_nan, nan, high), type=result)


BF16: dict[str, Row] = {"arith.extf": _from_bf16, "arith.truncf": _to_bf16}
