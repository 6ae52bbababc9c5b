"""Strided slices: of n-D vectors row by row, of 1-D vectors as shuffles; of scalable rows, which no shuffle knows, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.moves import ExtractStridedSliceOp, InsertStridedSliceOp, ShuffleOp
from stepwell.dialects.vector.shapes import is_scalable, shape_of
from stepwell.dialects.vector.values import integers
from stepwell.lowering.vectors.rows import placed, put, taken, zeros


def _first(op: Any) -> range:
    """What is taken of the outermost dimension."""
    offset, size, stride = (integers(attribute)[0] for attribute in (op.offsets, op.sizes, op.strides))
    return range(offset, offset + size * stride, stride)


class UnrollExtractedSlice(VectorPattern):
    """A slice in several dimensions: that of the others, of every row that is taken."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        offsets, sizes, strides = integers(op.offsets), integers(op.sizes), integers(op.strides)
        if len(offsets) == 1:
            return None
        result = zeros(make, op.result.type)
        for row, index in enumerate(_first(op)):
            one = taken(make, op.source, index)
            result = placed(make, put(make, ExtractStridedSliceOp(one, offsets[1:], sizes[1:], strides[1:])), result, row)
        return result


class ExtractedSliceToShuffle(VectorPattern):
    """A slice in the outermost dimension is a shuffle of rows; a chain of insertions where something is scalable."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if len(op.offsets) != 1:
            return None
        if not is_scalable(op.source.type) and not is_scalable(op.result.type):
            return put(make, ShuffleOp(op.source, op.source, list(_first(op))))
        rows = [taken(make, op.source, index) for index in _first(op)]
        result = zeros(make, op.result.type)
        for index, row in enumerate(rows):
            result = placed(make, row, result, index)
        return result


class InsertedSliceOfLowerRank(VectorPattern):
    """A slice of fewer dimensions goes into the part of the destination that has as many."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        missing = len(shape_of(op.dest.type)) - len(shape_of(op.source.type))
        if not missing:
            return None
        offsets = integers(op.offsets)
        part = taken(make, op.dest, *offsets[:missing])
        part = put(make, InsertStridedSliceOp(op.source, part, offsets[missing:], integers(op.strides)))
        return placed(make, part, op.dest, *offsets[:missing])


class UnrollInsertedSlice(VectorPattern):
    """A slice of as many dimensions, row by row; 1-D as two shuffles."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shape, whole = shape_of(op.source.type), shape_of(op.dest.type)
        if len(shape) != len(whole):
            return None
        if op.source.type == op.dest.type:
            return op.source
        offsets, strides = integers(op.offsets), integers(op.strides)
        indices = range(offsets[0], offsets[0] + shape[0] * strides[0], strides[0])
        if len(shape) == 1:
            if is_scalable(op.dest.type):
                return None
            widened = put(make, ShuffleOp(op.source, op.source, [*range(shape[0]), *([0] * (whole[0] - shape[0]))]))
            chosen = [indices.index(index) if index in indices else whole[0] + index for index in range(whole[0])]
            return put(make, ShuffleOp(widened, op.dest, chosen))
        result = op.dest
        for row, index in enumerate(indices):
            part = put(make, InsertStridedSliceOp(taken(make, op.source, row), taken(make, op.dest, index), offsets[1:], strides[1:]))
            result = placed(make, part, result, index)
        return result


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    "vector.extract_strided_slice": (UnrollExtractedSlice(), ExtractedSliceToShuffle()),
    "vector.insert_strided_slice": (InsertedSliceOfLowerRank(), UnrollInsertedSlice()),
}
"""By operation: how it is lowered."""
