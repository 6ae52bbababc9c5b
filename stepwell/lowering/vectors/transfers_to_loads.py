"""Transfers that are known to lie inside, along a contiguous dimension, are loads and stores; where they have a mask, masked ones."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import MemRefType, VectorType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.layouts import layout_of
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.fold_transfers import bounds_of, map_of, vector_of_transfer
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.dialects.vector.values import mask_around
from stepwell.lowering.vectors.rows import put


def broadcasts_of(map: AffineMap) -> list[int] | None:
    """The results of a map that are constant, where the others are the innermost dimensions in order; None where they are not."""
    if len(map.results) > map.num_dims:
        return None
    constant: list[int] = []
    for position, (result, dim) in enumerate(zip(map.results, range(map.num_dims - len(map.results), map.num_dims), strict=True)):
        if isinstance(result, AffineConstantExpr) and result.value == 0:
            constant.append(position)
        elif not isinstance(result, AffineDimExpr) or result.position != dim:
            return None
    return constant


def is_contiguous(type: MemRefType[Any]) -> bool:
    """Whether the innermost dimension has stride 1."""
    try:
        strides, _ = layout_of(type)
    except VerifyException:
        return False
    return not strides or strides[-1] == 1


class _Transfer:
    """What both directions ask: whether a transfer of at most so many dimensions is a plain access."""

    def __init__(self, most: int) -> None:
        self._most = most

    def fits(self, op: Any) -> bool:
        type = vector_of_transfer(op)
        source = op.source.type
        if len(shape_of(type)) > self._most or mask_around(op) is not None or not isinstance(source, MemRefType):
            return False
        if not is_contiguous(cast("MemRefType[Any]", source)) or not all(bounds_of(op)):
            return False
        return op.mask is None or len(shape_of(type)) == 1


def _same_elements(source: Any, type: Any) -> bool:
    """A buffer of vectors holds the vector itself, any other its elements."""
    element = source.element_type
    return element == type if isinstance(element, VectorType) else element == type.element_type


class ReadToLoad(VectorPattern):
    """`transfer_read %m[%i], %pad {in_bounds = [true]}` -> `vector.load %m[%i]`, broadcast where the map does so"""

    def __init__(self, most: int) -> None:
        self._transfer = _Transfer(most)

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if not self._transfer.fits(op) or (repeated := broadcasts_of(map_of(op))) is None:
            return None
        type = op.result.type
        shape, flags = list(shape_of(type)), flags_of(type)
        read = vector_of(type.element_type, [1 if dim in repeated else size for dim, size in enumerate(shape)], flags)
        if not _same_elements(op.source.type, read):
            return None
        if op.mask is not None:
            fill = put(make, vector.BroadcastOp(op.padding, read))
            loaded = put(make, vector.MaskedLoadOp(op.source, op.indices, op.mask, fill))
        else:
            loaded = put(make, vector.LoadOp(op.source, op.indices, read))
        return put(make, vector.BroadcastOp(loaded, type)) if repeated else loaded


class WriteToStore(RewritePattern):
    """`transfer_write %v, %m[%i] {in_bounds = [true]}` -> `vector.store %v, %m[%i]`"""

    def __init__(self, most: int) -> None:
        self._transfer = _Transfer(most)

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        write: Any = op
        if not self._transfer.fits(write) or broadcasts_of(map_of(write)) != []:
            return
        if not _same_elements(write.source.type, write.vector.type):
            return
        value: SSAValue = write.vector
        if write.mask is not None:
            rewriter.replace(op, [vector.MaskedStoreOp(write.source, write.indices, write.mask, value)])
        else:
            rewriter.replace(op, [vector.StoreOp(value, write.source, write.indices)])


def transfer_patterns(most: int) -> Mapping[str, Sequence[RewritePattern]]:
    """The patterns for transfers of at most so many dimensions."""
    return {"vector.transfer_read": (ReadToLoad(most),), "vector.transfer_write": (WriteToStore(most),)}
