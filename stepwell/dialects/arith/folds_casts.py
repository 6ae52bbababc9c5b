"""How the casts of `arith` fold: casts of casts, constants converted."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most folds: they look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from xdsl.ir import Attribute, Operation, OpResult

from stepwell.dialects.arith.matching import defining, flags, folded, overflow_flags, rounding_mode
from stepwell.dialects.arith.numbers import (
    EXACT_FLOATS,
    Number,
    bits_of,
    element_type,
    fold_elements,
    from_bits,
    is_integer,
    rounded,
    signed,
    unsigned,
    width_of,
)
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of


def _cast(compute: Callable[[Any, Attribute, Attribute], Number | None], *rules: Folder) -> Folder:
    """Rules in turn, then the conversion of constants; `compute` gets the value and the types of the elements."""

    def fold(op: Operation) -> Folded:
        for rule in rules:
            if (found := rule(op)) is not None:
                return found
        operand = constant_of(op.operands[0])
        if operand is None:
            return None
        source, target = element_type(op.operands[0].type), element_type(op.results[0].type)
        return folded(fold_elements(op.results[0].type, lambda value: compute(value, source, target), operand))

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
