"""What canonicalizes comparisons, and `select`."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most matches: patterns look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import IntegerAttr, i1
from xdsl.ir import Operation, OpResult, SSAValue

from stepwell.dialects import arith
from stepwell.dialects.arith.canonical_base import ArithPattern, Maker, Replacement
from stepwell.dialects.arith.comparisons import CMPI_PREDICATES as CMPI
from stepwell.dialects.arith.matching import defining, number
from stepwell.dialects.arith.numbers import constant, element_type, is_integer, signed, width_of
from stepwell.dialects.support import with_element

# ---- comparisons -------------------------------------------------------------------------------------------------------------------

INVERSE = {
    "eq": "ne", "ne": "eq", "slt": "sge", "sge": "slt", "sle": "sgt", "sgt": "sle", "ult": "uge", "uge": "ult", "ule": "ugt", "ugt": "ule"
}  # fmt: skip


class NotOfComparison(ArithPattern):
    """cmpi(p, a, b) ^ true -> cmpi(not p, a, b)"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        compared = defining(op._operands[0], "arith.cmpi")
        if compared is None or number(op._operands[1]) != -1:
            return None
        predicate = INVERSE[CMPI[compared.properties["predicate"].value.data]]
        return make.op(arith.CmpiOp, list(compared.operands), op.results[0].type, predicate=IntegerAttr(CMPI.index(predicate), 64))


class CompareExtended(ArithPattern):
    """ext(x) == ext(y) -> x == y, and so for !="""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if CMPI[op.properties["predicate"].value.data] not in ("eq", "ne"):
            return None
        a, b = op._operands
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
        cond, yes, no = op._operands
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
        cond, yes, no = op._operands
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
        cond, yes, no = op._operands
        inverted = defining(cond, "arith.xori")
        if inverted is None or number(inverted.operands[1]) != -1:
            return None
        return make.op(arith.SelectOp, [inverted.operands[0], no, yes], yes.type)


class SelectOfOneAndZero(ArithPattern):
    """select(c, 1, 0) -> extui c; select(c, 0, 1) -> extui (c ^ true); select(c, false, true) -> c ^ true"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        cond, yes, no = op._operands
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
        cond, yes, no = op._operands
        compared = defining(cond, "arith.cmpi")
        if compared is None or {yes, no} != set(compared.operands):
            return None
        kind = EXTREMA.get(CMPI[compared.properties["predicate"].value.data])
        if kind is None:
            return None
        return make.op(kind if compared.operands[0] is yes else OTHER_EXTREMUM[kind], list(compared.operands), yes.type)


# ---- comparisons of converted integers ------------------------------------------------------------------------------------------------


class CompareConverted(ArithPattern):
    """cmpf(sitofp(x), c) -> cmpi(x, c'), c' the next integer, where every value of x is exact as a float"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        import math

        value = op._operands[0]
        bound = number(op._operands[1])
        if not isinstance(bound, float) or math.isnan(bound) or not isinstance(value, OpResult):
            return None
        if value.op.name not in ("arith.sitofp", "arith.uitofp"):
            return None
        is_signed = value.op.name == "arith.sitofp"
        source = value.op._operands[0]
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
