"""Transfers whose map permutes or repeats dimensions become transfers of the innermost dimensions in order, transposed or broadcast."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.fold_transfers import bounds_of, map_of, vector_of_transfer
from stepwell.dialects.vector.moves import TransposeOp
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.dialects.vector.values import mask_around
from stepwell.lowering.vectors.rows import put
from stepwell.lowering.vectors.transfers_to_loads import broadcasts_of

_T = TypeVar("_T")


def permutation_of(map: AffineMap) -> list[int] | None:
    """For each result the place that it would have among the innermost dimensions in order; broadcasts take the places that are free.

    None where dimensions further outside are walked.
    """
    rank = len(map.results)
    first, leading = max(map.num_dims - rank, 0), max(rank - map.num_dims, 0)
    places: list[int | None] = []
    for result in map.results:
        if isinstance(result, AffineConstantExpr) and result.value == 0:
            places.append(None)
        elif isinstance(result, AffineDimExpr) and result.position >= first:
            places.append(result.position - first + leading)
        else:
            return None
    free = iter(sorted(set(range(max(rank, map.num_dims))) - set(places)))
    return [next(free) if place is None else place for place in places]


def _moved(items: Sequence[_T], permutation: Sequence[int]) -> list[_T]:
    """Each item at the place that the permutation says."""
    at = {place: item for place, item in zip(permutation, items, strict=True)}
    return [at[place] for place in range(len(items))]


def _is_ours(op: Any) -> bool:
    return bool(shape_of(vector_of_transfer(op))) and bool(map_of(op).results) and mask_around(op) is None


class PermutedRead(VectorPattern):
    """`transfer_read %m[%i, %j] {(d0, d1) -> (d1, d0)}` -> `transpose(transfer_read %m[%i, %j])`"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        map, type = map_of(op), op.result.type
        permutation = permutation_of(map) if _is_ours(op) else None
        if permutation is None or permutation == list(range(len(permutation))):
            return None
        read = vector_of(type.element_type, _moved(shape_of(type), permutation), _moved(flags_of(type), permutation))
        new = AffineMap(map.num_dims, 0, tuple(_moved(map.results, permutation)))
        bounds = _moved(bounds_of(op), permutation)
        value = put(
            make,
            vector.TransferReadOp.get(op.source, op.indices, op.padding, read, mask=op.mask, in_bounds=bounds, permutation_map=new),
        )
        return put(make, TransposeOp(value, permutation))


class ReadOfLeadingBroadcasts(VectorPattern):
    """`transfer_read {(d0, d1) -> (0, d1)}` -> `broadcast(transfer_read {(d0, d1) -> (d1)})`"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        if not _is_ours(op):
            return None
        map, type = map_of(op), op.result.type
        results: list[AffineExpr] = list(map.results)
        while results and isinstance(results[0], AffineConstantExpr) and results[0].value == 0:
            results.pop(0)
        dropped = len(map.results) - len(results)
        new = AffineMap(map.num_dims, 0, tuple(results))
        if not dropped or broadcasts_of(new) is None:
            return None
        read = vector_of(type.element_type, shape_of(type)[dropped:], flags_of(type)[dropped:])
        bounds = bounds_of(op)[dropped:]
        value = put(
            make,
            vector.TransferReadOp.get(op.source, op.indices, op.padding, read, mask=op.mask, in_bounds=bounds, permutation_map=new),
        )
        return put(make, vector.BroadcastOp(value, type))


def _replace_write(
    op: Any, rewriter: PatternRewriter, make: Maker, value: SSAValue, mask: SSAValue | None, map: AffineMap, bounds: Sequence[bool]
) -> None:
    made = vector.TransferWriteOp.get(value, op.source, op.indices, mask=mask, in_bounds=bounds, permutation_map=map)
    rewriter.replace(op, [*make.made, made], list(made.results))


class PermutedWrite(RewritePattern):
    """`transfer_write %v, %m[%i, %j] {(d0, d1) -> (d1, d0)}` -> `transfer_write transpose(%v), %m[%i, %j]`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        write: Any = op
        map = map_of(write)
        permutation = permutation_of(map) if _is_ours(write) else None
        if permutation is None or map.is_minor_identity():
            return
        make = Maker()
        value = put(make, TransposeOp(write.vector, _moved(range(len(permutation)), permutation)))
        new = AffineMap.minor_identity(map.num_dims, len(map.results))
        _replace_write(write, rewriter, make, value, write.mask, new, _moved(bounds_of(write), permutation))


class WriteOfOuterDimensions(RewritePattern):
    """`transfer_write {(d0, d1) -> (d0)}` -> a write of one more dimension, of extent 1: `{(d0, d1) -> (d1, d0)}`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        write: Any = op
        map = map_of(write)
        if not _is_ours(write) or permutation_of(map) is not None:
            return
        walked = [result.position for result in map.results if isinstance(result, AffineDimExpr)]
        if len(walked) != len(map.results):
            return
        missing = [dim for dim in range(min(walked), map.num_dims) if dim not in walked]
        make, type = Maker(), write.vector.type
        ones, fixed = [1] * len(missing), [False] * len(missing)
        wide = vector_of(type.element_type, [*ones, *shape_of(type)], [*fixed, *flags_of(type)])
        value = put(make, vector.BroadcastOp(write.vector, wide))
        mask = write.mask
        if mask is not None:
            shape, flags = shape_of(mask.type), flags_of(mask.type)
            mask = put(make, vector.BroadcastOp(mask, vector_of(mask.type.element_type, [*ones, *shape], [*fixed, *flags])))
            mask = put(make, TransposeOp(mask, [*range(len(ones), len(ones) + len(shape)), *range(len(ones))]))
        new = AffineMap(map.num_dims, 0, (*(AffineExpr.dimension(dim) for dim in missing), *map.results))
        _replace_write(write, rewriter, make, value, mask, new, [True] * len(missing) + bounds_of(write))


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    "vector.transfer_read": (PermutedRead(), ReadOfLeadingBroadcasts()),
    "vector.transfer_write": (PermutedWrite(), WriteOfOuterDimensions()),
}
"""By operation: how maps become those of the innermost dimensions."""
