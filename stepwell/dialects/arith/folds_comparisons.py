"""How comparisons and `select` of `arith` fold."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most folds: they look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import IntegerAttr, TensorType, i1
from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute, OpResult, SSAValue

from stepwell.dialects.arith.comparisons import CMPI_PREDICATES as CMPI
from stepwell.dialects.arith.matching import SWAPPED, compare, defining, folded, number, operand_width
from stepwell.dialects.arith.numbers import POISON, Number, constant, element_type, fold_elements, splat_or_scalar
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of


def _cmpi(op: Any) -> Folded:
    lhs, rhs = op._operands
    type = op.results[0].type
    predicate = CMPI[op.properties["predicate"].value.data]
    if lhs is rhs:
        return folded(constant((predicate in ("eq", "sle", "sge", "ule", "uge"),), type)) if _is_static(type) else None
    right = constant_of(rhs)
    if right is not None and (found := _cmpi_with_zero_or_true(predicate, lhs, rhs, splat_or_scalar(right))) is not None:
        return found
    left = constant_of(lhs)
    if left is None:
        return None
    if right is None:
        if isinstance(left, PoisonAttr):
            return (POISON,)
        op.properties["predicate"] = IntegerAttr(CMPI.index(SWAPPED[predicate]), 64)
        op.operands = (rhs, lhs)
        return op.results
    bits = operand_width(op)
    return folded(fold_elements(type, lambda a, b: compare(predicate, a, b, bits), left, right))


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
    left, right = (constant_of(value) for value in op._operands)
    for attribute in (left, right):  # whatever the other one is, NaN does not compare
        one = splat_or_scalar(attribute)
        if isinstance(one, float) and math.isnan(one):
            left = right = attribute
    if left is None or right is None:
        return None
    holds = CMPF[op.properties["predicate"].value.data]
    return folded(fold_elements(op.results[0].type, holds, left, right))


# ---- select ---------------------------------------------------------------------------------------------------------------------


def _select(op: Any) -> Folded:
    cond, yes, no = op._operands
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
        return folded(fold_elements(op.results[0].type, lambda c, a, b: a if c else b, condition, left, right))
    return None


def _is_static(type: Attribute) -> bool:
    return not isinstance(type, TensorType) or type.has_static_shape()


COMPARISONS: dict[str, Folder] = {"cmpi": _cmpi, "cmpf": _cmpf, "select": _select}
