"""Outer products, row by row: each element of the first vector times the second one, combined with a row of the accumulator."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import VectorType
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects import arith, vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.support import element_of, is_float
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.shapes import combines, flags_of, shape_of
from stepwell.dialects.vector.values import mask_around
from stepwell.lowering.vectors.lower_multi_reduction import COMBINERS, arith_op
from stepwell.lowering.vectors.rows import placed, put, taken, zeros


def multiplied(make: Maker, kind: str, a: SSAValue, b: SSAValue, acc: SSAValue | None, mask: SSAValue | None) -> SSAValue:
    """a * b, combined with the accumulator where the mask is set."""
    floats = is_float(element_of(a.type) if isinstance(a.type, VectorType) else a.type)
    if floats and acc is not None and kind == "add" and isinstance(acc.type, VectorType):
        result = put(make, vector.FMAOp(a, b, acc))
    else:
        result = put(make, arith_op(arith.MulfOp if floats else arith.MuliOp, a, b))
        if acc is None:
            return result
        result = put(make, arith_op(COMBINERS[kind][0 if floats else 1], result, acc))
    return result if mask is None else make.op(arith.SelectOp, [mask, result, acc], result.type)


class UnrollOuterProduct(VectorPattern):
    """`outerproduct %a, %b, %acc` -> for each row `fma(broadcast(%a[i]), %b, %acc[i])`; with a scalar `fma(%a, broadcast(%b), %acc)`"""

    def replaced(self, op: Operation) -> Operation:
        return mask_around(op) or op

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type, kind = op.result.type, op.kind.data.value
        around = mask_around(op)
        if not combines(kind, element_of(type)) or (around is not None and around.passthru is not None):
            return None
        mask = around.mask if around is not None else None
        if not isinstance(op.rhs.type, VectorType):
            return multiplied(make, kind, op.lhs, put(make, vector.BroadcastOp(op.rhs, op.lhs.type)), op.acc, mask)
        if flags_of(type)[0]:
            return None
        result = zeros(make, type)
        for row in range(shape_of(type)[0]):
            factor = put(make, vector.BroadcastOp(taken(make, op.lhs, row), op.rhs.type))
            acc = None if op.acc is None else taken(make, op.acc, row)
            lanes = None if mask is None else taken(make, mask, row)
            result = placed(make, multiplied(make, kind, factor, op.rhs, acc, lanes), result, row)
        return result


PATTERNS: dict[str, Sequence[RewritePattern]] = {"vector.outerproduct": (UnrollOuterProduct(),)}
"""By operation: how it is lowered."""
