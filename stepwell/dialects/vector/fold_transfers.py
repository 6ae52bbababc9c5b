"""How the operations of `vector` that touch memory or tensors fold: casts in front of them, bounds that are known, masks that are true
everywhere, tensors that were written before."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, BoolAttr, DenseArrayBase, MemRefType, TensorType, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import layout_of
from stepwell.dialects.vector.shapes import flags_of, shape_of
from stepwell.dialects.vector.values import defined_by, dense_of, integer_of, mask_around, splat_of

Folded = Sequence[SSAValue | Attribute] | None


def mask_is(mask: SSAValue, value: bool) -> bool:
    """Whether a mask is known to be all true, or all false."""
    dense = dense_of(mask)
    if dense is not None:
        splat = splat_of(dense)
        return splat is not None and any(splat) == value
    constant = defined_by(mask, "vector.constant_mask")
    if constant is not None:
        sizes = tuple(constant.mask_dim_sizes.get_values())
        return sizes == (shape_of(mask.type) or (1,)) if value else not any(sizes)
    created = defined_by(mask, "vector.create_mask")
    if created is None:
        return False
    sizes = [integer_of(size) for size in created.mask_dim_sizes]
    if not value:
        return any(size is not None and size <= 0 for size in sizes)
    extents = zip(sizes, shape_of(mask.type) or (1,), flags_of(mask.type) or (False,), strict=True)
    return all(size is not None and not flag and size >= extent for size, extent, flag in extents)


# ---- what transfers have in common ------------------------------------------------------------------------------------------------------


def map_of(op: Any) -> AffineMap:
    """The permutation map of a transfer."""
    return cast(AffineMapAttr, op.permutation_map).data


def bounds_of(op: Any) -> list[bool]:
    """Which dimensions are known to lie inside."""
    return [bool(flag) for flag in cast("ArrayAttr[BoolAttr]", op.in_bounds)]


def vector_of_transfer(op: Any) -> Any:
    """The type of the vector that is moved."""
    return op.result.type if op.name == "vector.transfer_read" else op.vector.type


def is_inside(op: Any) -> bool:
    """Whether all dimensions that are walked are known to lie inside."""
    pairs = zip(bounds_of(op), map_of(op).results, strict=True)
    return all(inside or not isinstance(expr, AffineDimExpr) for inside, expr in pairs)


def same_place(first: Any, second: Any) -> bool:
    """Whether two transfers walk the same elements of their sources in the same way, all of them."""
    return (
        vector_of_transfer(first) == vector_of_transfer(second)
        and map_of(first) == map_of(second)
        and first.mask is None
        and second.mask is None
        and same_indices(first, second)
    )


def same_indices(first: Any, second: Any) -> bool:
    """Whether two transfers begin at the same element."""
    return all(_same_index(a, b) for a, b in zip(first.indices, second.indices, strict=True))


def _same_index(a: SSAValue, b: SSAValue) -> bool:
    return a is b or ((number := integer_of(a)) is not None and number == integer_of(b))


def disjoint(first: Any, second: Any) -> bool:
    """Whether two transfers to or from one source are known to have no element in common."""
    extents = [_extents(op) for op in (first, second)]
    for dim, (a, b) in enumerate(zip(first.indices, second.indices, strict=True)):
        at, other = integer_of(a), integer_of(b)
        if at is None or other is None:
            continue
        extent, second_extent = extents[0].get(dim, 1), extents[1].get(dim, 1)
        if (extent and at + extent <= other) or (second_extent and other + second_extent <= at):
            return True
    return False


def _extents(op: Any) -> dict[int, int]:
    """How many elements of each dimension of the source are walked; 0 for not known."""
    vector = vector_of_transfer(op)
    sides = zip(map_of(op).results, shape_of(vector), flags_of(vector), strict=False)
    return {expr.position: 0 if flag else extent for expr, extent, flag in sides if isinstance(expr, AffineDimExpr)}


# ---- folds ------------------------------------------------------------------------------------------------------------------------------


def fold_read(op: Any) -> Folded:
    """A read."""
    if mask_around(op) is None and (written := _written(op)) is not None:
        return (written,)
    return _fold_transfer(op, 0)


def fold_write(op: Any) -> Folded:
    """A write."""
    if isinstance(op.source.type, TensorType) and mask_around(op) is None:
        read = defined_by(op.vector, "vector.transfer_read")
        if read is not None and read.source is op.source and same_place(read, op):
            return (op.source,)
        if read is not None and _copies_all(read, op):
            return (read.source,)
    return _fold_transfer(op, 1)


def _written(op: Any) -> SSAValue | None:
    """What was written to the place of a tensor that is read."""
    write = defined_by(op.source, "vector.transfer_write")
    while write is not None and write.result is not None and not isinstance(op.source.type, MemRefType):
        if same_place(write, op):
            return write.vector if is_inside(write) else None
        if not disjoint(write, op):
            return None
        before = defined_by(write.source, "vector.transfer_write")
        write = before if before is not write else None
    return None


def _copies_all(read: Any, write: Any) -> bool:
    """Whether a write puts all of a tensor of the same type into the place of another."""
    shape = shape_of(write.vector.type)
    return (
        read.source.type == write.source.type
        and write.source.type.element_type == write.vector.type.element_type
        and write.source.type.get_shape() == shape
        and not any(flags_of(write.vector.type))
        and same_place(read, write)
        and map_of(write) == AffineMap.identity(len(shape))
        and all(integer_of(index) == 0 for index in write.indices)
    )


def _fold_transfer(op: Any, source: int) -> Folded:
    """What reads and writes share; `source` is the number of the operand that is read or written."""
    bounds, known = bounds_of(op), _known_bounds(op)
    changed = known != bounds
    if changed:
        op.properties["in_bounds"] = ArrayAttr(BoolAttr.from_bool(flag) for flag in known)
    if op.mask is not None and mask_is(op.mask, True):
        sizes = [*op.properties["operandSegmentSizes"].get_values()[:-1], 0]
        op.operands = list(op.operands)[:-1]
        op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, sizes)
        changed = True
    return op.results if _without_cast(op, source) or changed else None


def _known_bounds(op: Any) -> list[bool]:
    bounds, vector = bounds_of(op), vector_of_transfer(op)
    exprs = map_of(op).results
    source = op.source.type.get_shape()
    if op.source.type.element_type != vector.element_type:
        return bounds  # extents count other things
    found: list[bool] = []
    for inside, expr, size, scalable in zip(bounds, exprs, shape_of(vector), flags_of(vector), strict=False):
        if not inside and isinstance(expr, AffineDimExpr) and not scalable and source[expr.position] != DYNAMIC_INDEX:
            index = integer_of(op.indices[expr.position])
            inside = index is not None and 0 <= index <= source[expr.position] - size
        found.append(inside)
    walked = [isinstance(expr, AffineDimExpr) for expr in exprs]
    if all(inside for inside, walks in zip(found, walked, strict=True) if walks):
        return [True] * len(found)  # an element that is repeated lies inside where all others do
    return found


def _without_cast(op: Any, operand: int) -> bool:
    """Read and write what was there before a cast that only forgets extents."""
    value: SSAValue = op.operands[operand]
    if isinstance(value.type, MemRefType):
        cast_op = defined_by(value, "memref.cast")
    elif op.name == "vector.transfer_read":
        cast_op = defined_by(value, "tensor.cast")
    else:
        return False
    if cast_op is None or not _forgets(cast_op.source.type, value.type):
        return False
    op.operands[operand] = cast_op.source
    return True


def _forgets(before: Attribute, after: Attribute) -> bool:
    """Whether whatever the second type knows, the first knows, too."""
    if isinstance(before, TensorType) and isinstance(after, TensorType):
        return before.encoding == after.encoding and _at_most(after.get_shape(), before.get_shape(), DYNAMIC_INDEX)
    if not isinstance(before, MemRefType) or not isinstance(after, MemRefType):
        return False
    try:
        (strides, offset), (known, known_offset) = layout_of(before), layout_of(after)
    except VerifyException:
        return False
    shapes = _at_most(after.get_shape(), before.get_shape(), DYNAMIC_INDEX)
    return shapes and _at_most((*known, known_offset), (*strides, offset), None) and before.memory_space == after.memory_space


def _at_most(less: Sequence[int | None], more: Sequence[int | None], unknown: int | None) -> bool:
    return all(a in (b, unknown) for a, b in zip(less, more, strict=True))


_BASES = {"vector.store": 1}
"""The number of the operand that is the memory, where it is not the first."""


def fold_base(op: Any) -> Folded:
    """Loads and stores: the memory before a cast."""
    return op.results if _without_cast(op, _BASES.get(op.name, 0)) else None
