"""What canonicalizes masks that `vector.create_mask` and `constant_mask` make, and steps that are compared."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import IntegerAttr, VectorType
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import arith, vector
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.shapes import extents_of, is_scalable, shape_of
from stepwell.dialects.vector.values import (
    FALSE,
    LIMIT,
    POISON_INDEX,
    TRUE,
    defined_by,
    dense_from,
    dense_of,
    i64s,
    integer_of,
    owner_of,
    position_of,
    scalar_from,
    slice_of,
    splat_of,
)


def _constant_mask(make: Maker, sizes: Sequence[int], type: Attribute) -> SSAValue:
    sizes = [0] * len(sizes) if 0 in sizes else sizes
    return make.op(vector.ConstantMaskOp, [], type, mask_dim_sizes=i64s(sizes))


class CreateMaskOfConstants(VectorPattern):
    """`create_mask %c3, %c2 : vector<4x3xi1>` -> `constant_mask [3, 2]`; of a scalable extent all or nothing must be known."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.mask_vector.type
        sizes: list[int] = []
        for value, (extent, scalable) in zip(op.mask_dim_sizes, extents_of(type) or [(1, False)], strict=True):
            number = integer_of(value)
            if number is None and scalable and (factor := _vscale_times(value)) is not None and factor >= extent:
                number = extent
            elif number is None or (scalable and number > 0):
                return None
            sizes.append(min(max(number, 0), extent))
        return _constant_mask(make, sizes, type)


def _vscale_times(value: SSAValue) -> int | None:
    """c, of `vscale * c`."""
    product = defined_by(value, "arith.muli")
    if product is None:
        return 1 if defined_by(value, "vector.vscale") is not None else None
    for scale, factor in ((product.lhs, product.rhs), (product.rhs, product.lhs)):
        if defined_by(scale, "vector.vscale") is not None:
            return integer_of(factor)
    return None


class TransposeOfMask(VectorPattern):
    """`transpose(create_mask %a, %b), [1, 0]` -> `create_mask %b, %a`, and so for constant masks."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        permutation = op.permutation.get_values()
        if (mask := defined_by(op.vector, "vector.create_mask")) is not None:
            return make.op(vector.CreateMaskOp, [mask.mask_dim_sizes[dim] for dim in permutation], op.result.type)
        if (mask := defined_by(op.vector, "vector.constant_mask")) is not None:
            sizes = mask.mask_dim_sizes.get_values()
            return _constant_mask(make, [sizes[dim] for dim in permutation], op.result.type)
        return None


class ExtractOfMask(VectorPattern):
    """`extract(create_mask %c2, %b)[1]` -> `create_mask %b`; false where the position lies beyond."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        mask: Any = owner_of(op.source)
        if mask is None or mask.name not in ("vector.create_mask", "vector.constant_mask"):
            return None
        position, type = position_of(op), op.result.type
        sizes: list[SSAValue | int] = list(mask.mask_dim_sizes if mask.name == "vector.create_mask" else mask.mask_dim_sizes.get_values())
        if POISON_INDEX in position or not shape_of(op.source.type):
            return None
        known = True
        for index, size, (extent, scalable) in zip(position, sizes, extents_of(op.source.type), strict=False):
            bound = integer_of(size)
            if bound is not None and (bound <= 0 or (isinstance(index, int) and bound <= index)):
                return _truth(make, FALSE, type)
            if bound is None or (not isinstance(index, int) and (scalable or bound < extent)):
                known = False
        if not known:
            return None
        rest = sizes[len(position) :]
        if not rest:
            return _truth(make, TRUE, type)
        if mask.name == "vector.create_mask":
            return make.op(vector.CreateMaskOp, [size for size in rest if isinstance(size, SSAValue)], type)
        return _constant_mask(make, [size for size in rest if isinstance(size, int)], type)


def _truth(make: Maker, element: bytes, type: Attribute) -> SSAValue:
    return make.constant(dense_from(type, [element]) if isinstance(type, VectorType) else scalar_from(element, type), type)


class SliceOfMask(VectorPattern):
    """`extract_strided_slice(create_mask %a, %b) offsets [2, 0]` -> `create_mask (%a - 2), %b`; numbers for a constant mask."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        offsets, sizes = slice_of(op)
        if (mask := defined_by(op.source, "vector.constant_mask")) is not None:
            pairs = zip(mask.mask_dim_sizes.get_values(), offsets, sizes, strict=True)
            return _constant_mask(make, [min(max(bound - offset, 0), size) for bound, offset, size in pairs], op.result.type)
        if (mask := defined_by(op.source, "vector.create_mask")) is None:
            return None
        bounds: list[SSAValue] = []
        for bound, offset in zip(mask.mask_dim_sizes, offsets, strict=True):
            if offset:
                moved = arith.SubiOp(bound, make.constant(IntegerAttr(offset, INDEX), INDEX))
                make.made.append(moved)
                bound = moved.result
            bounds.append(bound)
        return make.op(vector.CreateMaskOp, bounds, op.result.type)


class ShapeCastOfMask(VectorPattern):
    """`shape_cast(create_mask %a, %c1 : vector<4x1xi1>) to vector<4xi1>` -> `create_mask %a`: trailing extents of 1 go."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        mask: Any = owner_of(op.source)
        if mask is None or mask.name not in ("vector.create_mask", "vector.constant_mask"):
            return None
        before, after = extents_of(op.source.type), extents_of(op.result.type)
        dropped = before[len(after) :]
        if not after or before[: len(after)] != after or any(extent != (1, False) for extent in dropped):
            return None
        sizes = mask.mask_dim_sizes if mask.name == "vector.create_mask" else mask.mask_dim_sizes.get_values()
        if any((number := integer_of(size)) is None or number < 1 for size in sizes[len(after) :]):
            return None
        if mask.name == "vector.create_mask":
            return make.op(vector.CreateMaskOp, sizes[: len(after)], op.result.type)
        return _constant_mask(make, sizes[: len(after)], op.result.type)


class StepCompared(RewritePattern):
    """`cmpi ult (step : vector<4xindex>), dense<4>` -> `dense<true>`, where all elements compare alike."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        type = op.result.type
        if is_scalable(type) or shape_of(type)[0] > LIMIT:
            return
        for use in list(op.result.uses):
            compare: Any = use.operation
            dense = dense_of(compare.operands[1 - use.index]) if compare.name == "arith.cmpi" else None
            if dense is None or (bound := splat_of(dense)) is None or compare.predicate.value.data not in _UNSIGNED:
                continue
            relation, number = _UNSIGNED[compare.predicate.value.data], int.from_bytes(bound, "little")
            pairs = ((step, number) if use.index == 0 else (number, step) for step in range(shape_of(type)[0]))
            found = {relation(a, b) for a, b in pairs}
            if len(found) == 1:
                value = dense_from(compare.result.type, [TRUE if found.pop() else FALSE])
                rewriter.replace(compare, [arith.ConstantOp.create(result_types=[compare.result.type], properties={"value": value})])


_UNSIGNED: dict[int, Callable[[int, int], bool]] = {
    0: operator.eq,
    1: operator.ne,
    6: operator.lt,
    7: operator.le,
    8: operator.gt,
    9: operator.ge,
}
"""The predicates of `arith.cmpi` that take numbers as unsigned, by number."""
