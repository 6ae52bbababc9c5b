"""What canonicalizes `vector` beyond folds: the table, and the patterns of what makes and moves values. One class per pattern.

Masks are in `vector_canonical_masks`, what is made of scalars in `vector_canonical_elements`, what touches memory, masks around
operations and reductions in `vector_canonical_memory`.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import VectorType
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector import canonical_elements as elements
from stepwell.dialects.vector import canonical_masks as masks
from stepwell.dialects.vector import canonical_memory as memory
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern, taken_apart
from stepwell.dialects.vector.shapes import extents_of, flags_of, is_scalable, shape_of, vector_of
from stepwell.dialects.vector.values import (
    POISON_INDEX,
    all_static,
    defined_by,
    i64_array,
    i64s,
    linear,
    position_of,
    same_splat,
    slice_of,
    splatted,
)


def _same_size(first: Attribute, second: Attribute) -> bool:
    """Whether two vectors have as many elements, whatever the length of scalable ones."""
    return prod(shape_of(first)) == prod(shape_of(second)) and sum(flags_of(first)) == sum(flags_of(second))


# ---- broadcasts ---------------------------------------------------------------------------------------------------------------------


class BroadcastOfShapeCast(VectorPattern):
    """`broadcast(shape_cast(x : vector<2xf32>) to vector<1x2xf32>)` -> `broadcast(x)`: leading extents of 1 come by themselves."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defined_by(op.source, "vector.shape_cast")
        if inner is None:
            return None
        before, after = extents_of(inner.source.type), extents_of(inner.result.type)
        if len(before) > len(shape_of(op.vector.type)) or _stripped(before) != _stripped(after):
            return None
        return make.op(vector.BroadcastOp, [inner.source], op.vector.type)


def _stripped(extents: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """Without the leading extents of 1."""
    first = next((dim for dim, extent in enumerate(extents) if extent != (1, False)), len(extents))
    return extents[first:]


class BroadcastToShapeCast(VectorPattern):
    """`broadcast x : vector<4xf32> to vector<1x4xf32>` -> `shape_cast x`: nothing is repeated."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if not isinstance(op.source.type, VectorType) or not _same_size(op.source.type, op.vector.type):
            return None
        return make.op(vector.ShapeCastOp, [op.source], op.vector.type)


class ShapeCastOfBroadcast(VectorPattern):
    """`shape_cast(broadcast(x : vector<3xf32>) to vector<2x4x3xf32>) to vector<8x3xf32>` -> `broadcast(x) to vector<8x3xf32>`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        broadcast = defined_by(op.source, "vector.broadcast")
        if broadcast is None:
            return None
        x, wide, result = broadcast.source, extents_of(broadcast.vector.type), extents_of(op.result.type)
        if not isinstance(x.type, VectorType):
            return make.op(vector.BroadcastOp, [x], op.result.type)
        if _same_size(x.type, op.result.type):
            return make.op(vector.ShapeCastOp, [x], op.result.type)
        extents = extents_of(x.type)
        kept = _stripped(extents)
        rank = len(kept)
        ends_alike = not rank or (wide[-rank:] == kept and result[-rank:] == kept)
        return make.op(vector.BroadcastOp, [x], op.result.type) if ends_alike and len(extents) <= len(result) else None


class TransposeOfBroadcast(VectorPattern):
    """`transpose(broadcast x), p` -> `broadcast x`, where p moves only extents along which x is repeated, and none past one of x's own."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        broadcast = defined_by(op.vector, "vector.broadcast")
        if broadcast is None:
            return None
        permutation, group, groups = op.permutation.get_values(), 0, list[int]()
        extents = extents_of(broadcast.source.type)
        for extent in [(1, False)] * (len(permutation) - len(extents)) + extents:
            group += extent != (1, False)
            groups.append(group)
            group += extent != (1, False)
        if any(groups[dim] != groups[place] for place, dim in enumerate(permutation)):
            return None
        return make.op(vector.BroadcastOp, [broadcast.source], op.result.type)


class ExtractOfBroadcast(VectorPattern):
    """`extract(broadcast x to vector<2x4xf32>)[i]` -> `broadcast x to vector<4xf32>`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.result.type
        broadcast = defined_by(op.source, "vector.broadcast") or _only_wider(op.source)
        if broadcast is None or not isinstance(type, VectorType):
            return None
        if len(op.static_position) > len(shape_of(op.source.type)) - len(shape_of(broadcast.source.type)):
            return None
        return make.op(vector.BroadcastOp, [broadcast.source], type)


def _only_wider(value: SSAValue) -> Any:
    """The shape cast that only puts extents of 1 in front, as a broadcast would."""
    made = defined_by(value, "vector.shape_cast")
    if made is None:
        return None
    before, after = extents_of(made.source.type), extents_of(value.type)
    return made if len(before) < len(after) and after[len(after) - len(before) :] == before else None


class SliceOfBroadcast(VectorPattern):
    """`extract_strided_slice(broadcast x)` -> `broadcast x`, or of a slice of x where it cuts through x."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        broadcast = defined_by(op.source, "vector.broadcast")
        if broadcast is None:
            return None
        x, type = broadcast.source, op.result.type
        shape = shape_of(x.type)
        lead = len(shape_of(op.source.type)) - len(shape)
        offsets, sizes = (values[lead:] for values in slice_of(op))
        offsets = [0 if extent == 1 else offset for extent, offset in zip(shape, offsets, strict=True)]
        sizes = [1 if extent == 1 else size for extent, size in zip(shape, sizes, strict=True)]
        if tuple(sizes) != shape:
            sliced = vector_of(type.element_type, sizes, flags_of(x.type))
            given = {"offsets": i64_array(offsets), "sizes": i64_array(sizes), "strides": i64_array([1] * len(sizes))}
            x = make.op(vector.ExtractStridedSliceOp, [x], sliced, **given)
        return make.op(vector.BroadcastOp, [x], type)


class InsertOfSplats(VectorPattern):
    """`insert(broadcast x, broadcast x)` -> `broadcast x`, and shuffles of such."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        first, second = op.operands[0], op.operands[1]
        if op.name == "vector.insert" and POISON_INDEX in position_of(op):
            return None
        scalar = first if not isinstance(first.type, VectorType) else None
        if scalar is not None:
            return second if splatted(second) is scalar else None
        if not same_splat(first, second) or (found := splatted(first)) is None:
            return None
        return make.op(vector.BroadcastOp, [found], op.result.type)


# ---- extractions and insertions -------------------------------------------------------------------------------------------------------


class ExtractToShapeCast(VectorPattern):
    """`extract x[0, 0] : vector<4xf32> from vector<1x1x4xf32>` -> `shape_cast x`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        position = position_of(op)
        lead = extents_of(op.source.type)[: len(position)]
        if not isinstance(op.result.type, VectorType) or not all_static(position) or any(extent != (1, False) for extent in lead):
            return None
        return make.op(vector.ShapeCastOp, [op.source], op.result.type)


class ExtractOfElements(VectorPattern):
    """`extract(from_elements %a, %b, %c, %d : vector<2x2xf32>)[1]` -> `from_elements %c, %d : vector<2xf32>`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        made, position, type = defined_by(op.source, "vector.from_elements"), position_of(op), op.result.type
        if made is None or not all_static(position) or not isinstance(type, VectorType):
            return None
        count = prod(shape_of(type))
        first = linear(cast("list[int]", position), shape_of(op.source.type)[: len(position)]) * count
        return make.op(vector.FromElementsOp, list(made.elements)[first : first + count], type)


class InsertOfAll(VectorPattern):
    """`insert x, y [0] : vector<4xf32> into vector<1x4xf32>` -> `shape_cast x`; of a scalar -> `broadcast x`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        source, type, position = op.source, op.dest.type, position_of(op)
        if POISON_INDEX in position or any(extent != (1, False) for extent in extents_of(type)[: len(position)]):
            return None
        return make.op(vector.ShapeCastOp if isinstance(source.type, VectorType) else vector.BroadcastOp, [source], type)


class InsertChainToElements(VectorPattern):
    """`insert %b, (insert %a, x [0]) [1] : f32 into vector<2xf32>` -> `from_elements %a, %b`, where every element is inserted."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.result.type
        shape = shape_of(type)
        if is_scalable(type) or prod(shape) > SCALARS_AT_MOST or _goes_on(op):
            return None
        elements: dict[int, tuple[Any, int]] = {}
        chain: list[Any] = []
        insert = op
        while insert is not None and len(elements) < prod(shape):
            position = position_of(insert)
            if not all_static(position) or (chain and len(list(insert.result.uses)) != 1):
                return None
            chain.append(insert)
            count = prod(shape[len(position) :])
            first = linear(cast("list[int]", position), shape[: len(position)]) * count
            for number in range(count):
                elements.setdefault(first + number, (insert, number))
            insert = defined_by(insert.dest, "vector.insert")
        if len(elements) < prod(shape):
            return None
        parts: dict[Any, Sequence[SSAValue]] = {}
        used = {insert for insert, _ in elements.values()}
        for insert in reversed(chain):
            if insert in used:
                parts[insert] = taken_apart(insert.source, make)
        values = [parts[insert][part] for insert, part in (elements[number] for number in range(prod(shape)))]
        return make.op(vector.FromElementsOp, values, type)


def _goes_on(op: Any) -> bool:
    """Whether something is inserted into the result: then the last insertion looks at the whole chain."""
    return any(use.operation.name == "vector.insert" and use.index == 1 for use in op.result.uses)


class SliceOfSlice(VectorPattern):
    """`extract_strided_slice(extract_strided_slice x [a]) [b]` -> `extract_strided_slice x [a + b]`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defined_by(op.source, "vector.extract_strided_slice")
        if inner is None:
            return None
        rank = max(len(op.offsets), len(inner.offsets))
        (offsets, sizes), (before, _) = slice_of(op), slice_of(inner)
        joined = [a + b for a, b in zip(offsets, before, strict=True)][:rank]
        given = {"offsets": i64_array(joined), "sizes": i64_array(sizes[:rank]), "strides": i64_array([1] * rank)}
        return make.op(vector.ExtractStridedSliceOp, [inner.source], op.result.type, **given)


class ShapeCastOfSlice(VectorPattern):
    """`shape_cast(extract_strided_slice x [2, 0] sizes [1, 4] : vector<3x4xf32>) to vector<4xf32>` -> `extract x[2]`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        inner = defined_by(op.source, "vector.extract_strided_slice")
        if inner is None:
            return None
        extents, rest = extents_of(inner.source.type), extents_of(op.result.type)
        offsets, sizes = slice_of(inner)
        lead = len(extents) - len(rest)
        if lead <= 0 or extents[lead:] != rest or not rest or any(size != 1 for size in sizes[:lead]) or any(offsets[lead:]):
            return None
        if tuple(sizes[lead:]) != shape_of(op.result.type) or any(flag for _, flag in extents[:lead]):
            return None
        return make.op(vector.ExtractOp, [inner.source], op.result.type, static_position=i64s(offsets[:lead]))


SCALARS_AT_MOST = 1024
"""Vectors of more elements are not made of scalars."""

PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "vector.create_mask": (masks.CreateMaskOfConstants(),),
    "vector.broadcast": (BroadcastOfShapeCast(), BroadcastToShapeCast()),
    "vector.shape_cast": (ShapeCastOfBroadcast(), masks.ShapeCastOfMask(), elements.ShapeCastOfElements(), ShapeCastOfSlice()),
    "vector.step": (masks.StepCompared(),),
    "vector.transpose": (TransposeOfBroadcast(), masks.TransposeOfMask(), elements.TransposeOfElements(), elements.TransposeOfShapeCast()),
    "vector.extract": (ExtractOfBroadcast(), ExtractOfElements(), masks.ExtractOfMask(), ExtractToShapeCast()),
    "vector.insert": (InsertOfAll(), InsertOfSplats(), InsertChainToElements()),
    "vector.extract_strided_slice": (SliceOfSlice(), masks.SliceOfMask(), SliceOfBroadcast()),
    "vector.insert_strided_slice": (InsertOfSplats(),),
    "vector.shuffle": (InsertOfSplats(), elements.ShuffleOf0D(), elements.ShuffleToInterleave(), elements.ShuffleOfOne()),
    "vector.from_elements": (elements.FromEqualElements(), elements.FromExtractedElements()),
    "vector.to_elements": (elements.ToElementsOfBroadcast(),),
    **memory.PATTERNS,
}
