"""What canonicalizes vectors made of scalars, taken apart, or shuffled."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import VectorType
from xdsl.dialects.ub import PoisonOp
from xdsl.ir import SSAValue

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern, taken_apart
from stepwell.dialects.vector.shapes import is_scalable, keeps_order, shape_of, vector_of
from stepwell.dialects.vector.values import (
    LIMIT,
    POISON,
    POISON_INDEX,
    all_static,
    defined_by,
    delinear,
    i64s,
    is_poison,
    linear,
    position_of,
)


class FromEqualElements(VectorPattern):
    """`from_elements %a, %a` -> `broadcast %a`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        first = op.elements[0]
        return make.op(vector.BroadcastOp, [first], op.dest.type) if all(value is first for value in op.elements) else None


class FromExtractedElements(VectorPattern):
    """`from_elements (extract x[1, 0]), (extract x[1, 1]) : vector<2xf32>` -> `extract x[1]`, with a `shape_cast` where it is needed."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        first = defined_by(op.elements[0], "vector.extract")
        if first is None or len(op.elements) == 1 or is_scalable(first.source.type):
            return None
        shape, count = shape_of(first.source.type), len(op.elements)
        start = _number(op.elements[0], first.source)
        if start is None or start % count or any(_number(value, first.source) != start + n for n, value in enumerate(op.elements)):
            return None
        lead = next((dim for dim in range(len(shape) + 1) if prod(shape[dim:]) == count), None)
        if lead is None:
            return None
        while lead < len(shape) and shape[lead:] != shape_of(op.dest.type) and shape[lead] == 1:
            lead += 1
        value, rest = first.source, shape[lead:]
        if lead:
            position = delinear(start // count, shape[:lead])
            value = make.op(vector.ExtractOp, [value], vector_of(op.dest.type.element_type, rest), static_position=i64s(position))
        return value if rest == shape_of(op.dest.type) else make.op(vector.ShapeCastOp, [value], op.dest.type)


def _number(value: SSAValue, source: SSAValue) -> int | None:
    """Which element of `source` a value is."""
    taken = defined_by(value, "vector.extract")
    if taken is None or taken.source is not source or not all_static(position := position_of(taken)):
        return None
    shape = shape_of(source.type)
    return linear(cast("list[int]", position), shape) if len(position) == len(shape) else None


class TransposeOfElements(VectorPattern):
    """`transpose(from_elements %a, %b, %c, %d : vector<2x2xf32>), [1, 0]` -> `from_elements %a, %c, %b, %d`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        made = defined_by(op.vector, "vector.from_elements")
        if made is None or len(made.elements) > LIMIT:
            return None
        permutation, shape, result = op.permutation.get_values(), shape_of(op.vector.type), shape_of(op.result.type)
        values: list[SSAValue] = []
        for number in range(len(made.elements)):
            position = [0] * len(shape)
            for dim, index in zip(permutation, delinear(number, result), strict=True):
                position[dim] = index
            values.append(made.elements[linear(position, shape)])
        return make.op(vector.FromElementsOp, values, op.result.type)


class TransposeOfShapeCast(VectorPattern):
    """`transpose(shape_cast x), p` -> `shape_cast x`, where p moves only extents of 1."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defined_by(op.vector, "vector.shape_cast")
        if inner is None or not keeps_order(op.permutation.get_values(), op.vector.type):
            return None
        return make.op(vector.ShapeCastOp, [inner.source], op.result.type)


class ShapeCastOfElements(VectorPattern):
    """`shape_cast(from_elements ...)` -> `from_elements ...` of the other shape."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        made = defined_by(op.source, "vector.from_elements")
        return make.op(vector.FromElementsOp, list(made.elements), op.result.type) if made is not None else None


class ToElementsOfBroadcast(VectorPattern):
    """`to_elements(broadcast x : vector<2xf32>)` -> `to_elements x`, each result several times."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        broadcast = defined_by(op.source, "vector.broadcast")
        if broadcast is None or not isinstance(broadcast.source.type, VectorType) or len(op.results) > LIMIT:
            return None
        shape, wide = shape_of(broadcast.source.type), shape_of(op.source.type)
        parts = taken_apart(broadcast.source, make)
        values: list[SSAValue] = []
        for number in range(len(op.results)):
            position = delinear(number, wide)[len(wide) - len(shape) :]
            values.append(parts[linear([0 if size == 1 else index for index, size in zip(position, shape, strict=True)], shape)])
        return values


class ShuffleOf0D(VectorPattern):
    """`shuffle %a, %b [0] : vector<f32>, vector<f32>` -> `shape_cast %a : vector<f32> to vector<1xf32>`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        mask = op.mask.get_values()
        if shape_of(op.v1.type) or len(mask) != 1 or mask[0] == POISON_INDEX:
            return None
        return make.op(vector.ShapeCastOp, [op.operands[mask[0]]], op.result.type)


class ShuffleToInterleave(VectorPattern):
    """`shuffle %a, %b [0, 2, 1, 3] : vector<2xf32>, vector<2xf32>` -> `interleave %a, %b`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shape = shape_of(op.v1.type)
        if op.v1.type != op.v2.type or len(shape) > 1:
            return None
        count = shape[0] if shape else 1
        if list(op.mask.get_values()) != [row + side for row in range(count) for side in (0, count)]:
            return None
        from stepwell.dialects.vector.more import InterleaveOp  # one of the dialect's rare operations

        return make.op(InterleaveOp, [op.v1, op.v2], op.result.type)


class ShuffleOfOne(VectorPattern):
    """`shuffle %a, %b [1, 0]` -> `shuffle %a, poison [1, 0]`: what is not taken need not be computed."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        count = (shape_of(op.v1.type) or (1,))[0]
        mask = [index for index in op.mask.get_values() if index != POISON_INDEX]
        for number, used in enumerate((any(index < count for index in mask), any(index >= count for index in mask))):
            value = op.operands[number]
            if used or is_poison(value):
                continue
            operands = list(op.operands)
            operands[number] = make.op(PoisonOp, [], value.type, value=POISON)
            return make.op(vector.ShuffleOp, operands, op.result.type, mask=op.mask)
        return None
