"""Operations on n-D vectors as the same operations on their rows, each extracted and the results inserted: 1-D operations remain.

A dimension that is scalable, and what stands behind it, is left as it is: how many rows there are is not known.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import gcd, prod
from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr, VectorType, i64
from xdsl.dialects.ub import PoisonOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.support import element_of
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.more import DeinterleaveOp, InterleaveOp
from stepwell.dialects.vector.moves import BitcastOp, ExtractOp, ExtractStridedSliceOp, InsertOp, InsertStridedSliceOp
from stepwell.dialects.vector.scalable import ScalableExtractOp, ScalableInsertOp
from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of, vector_of
from stepwell.dialects.vector.values import delinear, mask_around
from stepwell.ir.constants import splat

# ---- building blocks ------------------------------------------------------------------------------------------------------------


def put(make: Maker, op: Operation) -> SSAValue:
    """Add an operation, give its first result."""
    make.made.append(op)
    return op.results[0]


def zeros(make: Maker, type: Attribute) -> SSAValue:
    """A vector of zeros."""
    return make.constant(splat(0, cast("VectorType[Any]", type)), type)


def poison(make: Maker, type: Attribute) -> SSAValue:
    """A vector of which nothing is known."""
    return put(make, PoisonOp(type))


def without_first(type: Attribute, count: int = 1) -> Any:
    """The vector type without its outermost dimensions; the element type where none remains."""
    shape, flags = shape_of(type)[count:], flags_of(type)[count:]
    return vector_of(element_of(type), shape, flags) if shape else element_of(type)


def taken(make: Maker, value: SSAValue, *position: int) -> SSAValue:
    """`vector.extract`"""
    return put(make, ExtractOp(value, position))


def placed(make: Maker, value: SSAValue, into: SSAValue, *position: int) -> SSAValue:
    """`vector.insert`"""
    return put(make, InsertOp(value, into, position))


def outer_positions(type: Attribute) -> list[tuple[int, ...]] | None:
    """The positions of all rows, as far outside as no dimension is scalable; None where there is nothing to take apart."""
    shape, flags = shape_of(type)[:-1], flags_of(type)[:-1]
    if True in flags:
        shape = shape[: flags.index(True)]
    return list(product(*map(range, shape))) if shape else None


# ---- the same operation on every row --------------------------------------------------------------------------------------------


class _Unrolled(VectorPattern):
    """An operation of vectors of equal rank, one row after another."""

    def __init__(self, start: Callable[[Maker, Attribute], SSAValue], row: Callable[[Any, list[SSAValue], Attribute], Operation]) -> None:
        self._start = start
        self._row = row

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.results[0].type
        positions = outer_positions(type)
        if positions is None:
            return None
        results = [self._start(make, type)] * len(op.results)
        row_type = without_first(type, len(positions[0]))
        for position in positions:
            rows = [taken(make, operand, *position) for operand in op.operands]
            made = self._row(op, rows, row_type)
            make.made.append(made)
            results = [placed(make, part, whole, *position) for part, whole in zip(made.results, results, strict=True)]
        return results


def _bitcast(_: Any, rows: list[SSAValue], type: Attribute) -> Operation:
    return BitcastOp(rows[0], cast("VectorType[Any]", type))


def _interleave(_: Any, rows: list[SSAValue], type: Attribute) -> Operation:
    return InterleaveOp.create(operands=rows, result_types=[type])


def _deinterleave(_: Any, rows: list[SSAValue], type: Attribute) -> Operation:
    return DeinterleaveOp.create(operands=rows, result_types=[type, type])


class UnrollFma(VectorPattern):
    """`vector.fma` of n-D vectors, row by row of the outermost dimension."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.result.type
        if len(shape_of(type)) < 2 or flags_of(type)[0]:
            return None
        result = zeros(make, type)
        for row in range(shape_of(type)[0]):
            fused = put(make, vector.FMAOp(*(taken(make, operand, row) for operand in op.operands)))
            result = placed(make, fused, result, row)
        return result


class UnrollGather(VectorPattern):
    """`vector.gather` of n-D vectors, row by row of the outermost dimension."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.result.type
        if len(shape_of(type)) < 2 or flags_of(type)[0] or mask_around(op) is not None:
            return None
        result = poison(make, type)
        for row in range(shape_of(type)[0]):
            rows = [taken(make, operand, row) for operand in (op.indices, op.mask, op.pass_thru)]
            gathered = vector.GatherOp(op.base, op.offsets, *rows)
            gathered.properties |= {name: value for name, value in op.properties.items() if name == "alignment"}
            result = placed(make, put(make, gathered), result, row)
        return result


class UnrollFromElements(VectorPattern):
    """`from_elements` of an n-D vector from those of its rows."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type, elements = op.dest.type, list(op.elements)
        if len(shape_of(type)) < 2:
            return None
        result, row_type = poison(make, type), without_first(type)
        size = len(elements) // shape_of(type)[0]
        for row in range(shape_of(type)[0]):
            made = put(make, vector.FromElementsOp(elements[row * size : (row + 1) * size], row_type))
            result = placed(make, made, result, row)
        return result


class UnrollToElements(VectorPattern):
    """`to_elements` of an n-D vector from those of its rows."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.source.type
        if len(shape_of(type)) < 2:
            return None
        rows = [vector.ToElementsOp(taken(make, op.source, row)) for row in range(shape_of(type)[0])]
        make.made += rows
        return [element for row in rows for element in row.results]


# ---- moves of rows --------------------------------------------------------------------------------------------------------------


class UnrollBroadcast(VectorPattern):
    """A broadcast of a vector along one dimension after the other, until scalars are broadcast or rows repeated."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        source, type = op.source, op.vector.type
        if not isinstance(source.type, VectorType):
            return None
        before, after = shape_of(source.type), shape_of(type)
        if prod(before) == 1 and not is_scalable(source.type):
            return put(make, vector.BroadcastOp(taken(make, source, *([0] * len(before))), type))
        row_type = without_first(type)
        if len(before) < len(after):
            row = put(make, vector.BroadcastOp(source, row_type))
            return self._repeated(make, row, type)
        stretched = next((dim for dim, (a, b) in enumerate(zip(before, after, strict=True)) if a != b), None)
        if stretched is None:
            return source
        if stretched == 0:
            row = put(make, vector.BroadcastOp(taken(make, source, 0), row_type))
            return self._repeated(make, row, type)
        if flags_of(type)[0]:
            return None
        result = poison(make, type)
        for index in range(after[0]):
            row = put(make, vector.BroadcastOp(taken(make, source, index), row_type))
            result = placed(make, row, result, index)
        return result

    @staticmethod
    def _repeated(make: Maker, row: SSAValue, type: Any) -> SSAValue:
        result = poison(make, type)
        for index in range(shape_of(type)[0]):
            result = placed(make, row, result, index)
        return result


class UnrollTranspose(VectorPattern):
    """A transpose, element by element; innermost dimensions that stay where they are move as one."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if is_scalable(op.vector.type):
            return None
        order = list(op.permutation.get_values())
        while order and order[-1] == len(order) - 1:
            order.pop()
        result = poison(make, op.result.type)
        for position in product(*map(range, shape_of(op.vector.type)[: len(order)])):
            element = taken(make, op.vector, *position) if position else op.vector
            result = placed(make, element, result, *(position[dim] for dim in order)) if position else element
        return result


class UnrollShapeCast(VectorPattern):
    """A shape cast moves the largest pieces that are whole in rows of both shapes."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if is_scalable(op.source.type) or is_scalable(op.result.type):
            return None
        before, after = list(shape_of(op.source.type)), list(shape_of(op.result.type))
        outer, other = len(before) - 1, len(after) - 1
        while outer >= 0 and other >= 0 and before[outer] == after[other]:
            outer, other = outer - 1, other - 1
        result = poison(make, op.result.type)
        if outer < 0 or other < 0:
            row = put(make, ExtractOp(op.source, [0] * max(len(before) - len(after), 0)))
            return put(make, InsertOp(row, result, [0] * max(len(after) - len(before), 0)))
        step = gcd(before[outer], after[other])
        if step == 1:
            for number in range(prod(before[: outer + 1])):
                piece = taken(make, op.source, *delinear(number, before[: outer + 1]))
                result = placed(make, piece, result, *delinear(number, after[: other + 1]))
            return result
        return self._by_slices(op, make, result, before, after, outer, other, step)

    @staticmethod
    def _by_slices(
        op: Any, make: Maker, result: SSAValue, before: list[int], after: list[int], outer: int, other: int, step: int
    ) -> SSAValue:
        piece_shape = [step, *before[outer + 1 :]]
        per_source, per_result = before[outer] // step, after[other] // step
        empty = poison(make, vector_of(element_of(op.result.type), after[other:]))
        source, target = op.source, empty
        for number in range(prod(before) // prod(piece_shape)):
            row, phase = divmod(number, per_source)
            if phase == 0:
                source = put(make, ExtractOp(op.source, delinear(row, before[:outer])))
            inner = [0] * (len(piece_shape) - 1)
            piece = put(make, ExtractStridedSliceOp(source, [phase * step, *inner], piece_shape))
            row, phase = divmod(number, per_result)
            target = put(make, InsertStridedSliceOp(piece, empty if phase == 0 else target, [phase * step, *inner]))
            if phase + 1 == per_result:
                result = put(make, InsertOp(target, result, delinear(row, after[:other])))
        return result


class UnrollScalableShapeCast(VectorPattern):
    """A shape cast between vectors of which only the innermost dimension is scalable moves pieces of the shorter row."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if not all(flags and flags[-1] and not any(flags[:-1]) for flags in map(flags_of, (op.source.type, op.result.type))):
            return None
        before, after = shape_of(op.source.type), shape_of(op.result.type)
        step = min(before[-1], after[-1])
        piece_type = vector_of(element_of(op.source.type), [step], [True])
        result = poison(make, op.result.type)
        source = target = None
        for start in range(0, prod(before), step):
            *row, offset = delinear(start, before)
            if source is None:
                source = taken(make, op.source, *row) if row else op.source
            piece = source if step == before[-1] else _scalable_extract(make, source, offset, piece_type)
            if offset + step >= before[-1]:
                source = None
            *row, offset = delinear(start, after)
            if target is None:
                target = piece if step == after[-1] else taken(make, result, *row) if row else result
            if step < after[-1]:
                target = _scalable_insert(make, piece, target, offset)
            if not row:
                result = target
            if offset + step >= after[-1]:
                result = placed(make, target, result, *row) if row else target
                target = None
        return result


def _scalable_extract(make: Maker, value: SSAValue, position: int, type: Attribute) -> SSAValue:
    return make.op(ScalableExtractOp, [value], type, pos=_i64(position))


def _scalable_insert(make: Maker, value: SSAValue, into: SSAValue, position: int) -> SSAValue:
    return make.op(ScalableInsertOp, [value, into], into.type, pos=_i64(position))


def _i64(value: int) -> Attribute:
    return IntegerAttr(value, i64)


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    "vector.bitcast": (_Unrolled(poison, _bitcast),),
    "vector.broadcast": (UnrollBroadcast(),),
    "vector.shape_cast": (UnrollShapeCast(), UnrollScalableShapeCast()),
    "vector.interleave": (_Unrolled(zeros, _interleave),),
    "vector.deinterleave": (_Unrolled(zeros, _deinterleave),),
    "vector.transpose": (UnrollTranspose(),),
    "vector.fma": (UnrollFma(),),
    "vector.gather": (UnrollGather(),),
    "vector.from_elements": (UnrollFromElements(),),
    "vector.to_elements": (UnrollToElements(),),
}
"""By operation: how it is taken apart."""
