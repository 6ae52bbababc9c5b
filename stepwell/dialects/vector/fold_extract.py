"""How `vector.extract` folds: what it takes is followed back through the operations that moved it, to where it came from.

In: the operation. Out: the value or constant that it takes, or the same operation with a source nearer to the origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

from xdsl.ir import Attribute, SSAValue

from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of
from stepwell.dialects.vector.values import (
    LIMIT,
    POISON,
    POISON_INDEX,
    Position,
    all_static,
    delinear,
    dense_from,
    dense_of,
    elements_of,
    inserted_slice_of,
    is_poison,
    linear,
    owner_of,
    position_of,
    scalar_from,
    slice_of,
    splat_of,
    split,
    with_constants,
)

STEPS_AT_MOST = 4096


class Whole(NamedTuple):
    """All of a dimension is taken; it is this dimension of what is extracted."""

    dim: int


Where = list["int | SSAValue | Whole"]
"""What is taken of each dimension of a vector: an index, or all of it."""
Place = tuple[SSAValue, Where]


def fold_extract(op: Any) -> Sequence[SSAValue | Attribute] | None:
    """`extract(insert(a, b, p), p) -> a`, and so on."""
    source, position = op.source, position_of(op)
    if POISON_INDEX in position or is_poison(source):
        return (POISON,)
    found = with_constants(position, shape_of(source.type))
    if found is not None:
        return _changed(op, source, found)
    best = _origin(source, position)
    if best is not None:
        value, position = best
        if value.type == op.result.type and not position:
            return (value,)
        return _changed(op, value, position)
    if not position and source.type == op.result.type:
        return (source,)
    constant = _constant(source, position, op.result.type)
    return None if constant is None else (constant,)


def _changed(op: Any, source: SSAValue, position: Position) -> Sequence[SSAValue | Attribute]:
    static, dynamic = split(position)
    op.operands = [source, *dynamic]
    op.properties["static_position"] = static
    return op.results


def _constant(source: SSAValue, position: Position, type: Attribute) -> Attribute | None:
    dense = dense_of(source)
    if dense is None:
        return None
    splat, shape = splat_of(dense), shape_of(source.type)
    if splat is not None:
        return dense_from(type, [splat]) if shape_of(type) else scalar_from(splat, type)
    if not all_static(position) or prod(shape) > LIMIT:
        return None
    count = prod(shape_of(type))
    first = linear([int(index) for index in position if isinstance(index, int)], shape[: len(position)]) * count
    elements = elements_of(dense)[first : first + count]
    return dense_from(type, elements) if shape_of(type) else scalar_from(elements[0], type)


# ---- the way back -------------------------------------------------------------------------------------------------------------------


def _origin(source: SSAValue, position: Position) -> tuple[SSAValue, Position] | None:
    """The farthest value from which the same can be extracted at a position of leading dimensions."""
    value: SSAValue = source
    where: Where = [*position, *(Whole(dim) for dim in range(len(shape_of(source.type)) - len(position)))]
    best: tuple[SSAValue, Position] | None = None
    for _ in range(STEPS_AT_MOST):
        op = owner_of(value)
        step = _STEPS.get(op.name) if op is not None else None
        place = step(op, value, where) if step is not None else None
        if place is None or place[0] is source:
            return best
        value, where = place
        indices = [index for index in where if not isinstance(index, Whole)]
        if where[len(indices) :] == [Whole(dim) for dim in range(len(where) - len(indices))]:
            best = value, indices
    return best


def _through_extract(op: Any, value: SSAValue, where: Where) -> Place | None:
    position = position_of(op)
    indices = [index for index in where if not isinstance(index, Whole)]
    if not all_static(position) or not all_static(indices):
        return None
    return op.source, [*position, *where]


def _through_transpose(op: Any, value: SSAValue, where: Where) -> Place | None:
    before: Where = [0] * len(where)
    for dim, source in enumerate(op.permutation.get_values()):
        before[source] = where[dim]
    return op.vector, before


def _through_insert(op: Any, value: SSAValue, where: Where) -> Place | None:
    position = position_of(op)
    if POISON_INDEX in position:
        return None
    pairs = list(zip(where, position, strict=False))
    if any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs):
        return op.dest, where
    if all(a is b or (isinstance(a, int) and a == b) for a, b in pairs):
        return op.source, where[len(position) :]
    return None


def _through_broadcast(op: Any, value: SSAValue, where: Where) -> Place | None:
    shape, wide = shape_of(op.source.type), shape_of(value.type)
    flags, wide_flags = flags_of(op.source.type), flags_of(value.type)
    lead = len(wide) - len(shape)
    if any(isinstance(index, Whole) for index in where[:lead]):
        return None
    before = where[lead:]
    for dim, index in enumerate(before):
        if (shape[dim], flags[dim]) == (wide[lead + dim], wide_flags[lead + dim]):
            continue
        if isinstance(index, Whole):
            return None
        before[dim] = 0
    return op.source, before


def _through_shuffle(op: Any, value: SSAValue, where: Where) -> Place | None:
    if not isinstance(where[0], int):
        return None
    index, shape = op.mask.get_values()[where[0]], shape_of(op.v1.type)
    if index == POISON_INDEX:
        return None
    extent = shape[0] if shape else 1
    source, row = (op.v1, index) if index < extent else (op.v2, index - extent)
    return source, [row, *where[1:]] if shape else []


def _through_shape_cast(op: Any, value: SSAValue, where: Where) -> Place | None:
    indices = [index for index in where if not isinstance(index, Whole)]
    taken = where[len(indices) :]
    if taken != [Whole(dim) for dim in range(len(taken))]:
        return None
    shape, wide = shape_of(op.source.type), shape_of(value.type)
    flags, wide_flags = flags_of(op.source.type), flags_of(value.type)
    kept, lead = len(shape) - len(taken), len(wide) - len(shape)
    if kept < 0 or (taken and (shape[kept:], flags[kept:]) != (wide[len(indices) :], wide_flags[len(indices) :])):
        return None
    if 0 <= lead <= len(indices) and (shape, flags) == (wide[lead:], wide_flags[lead:]):
        return op.source, where[lead:]  # what is in front are extents of 1
    if not all_static(indices) or any(flags[:kept]) or any(wide_flags[: len(indices)]):
        return None
    numbers = [index for index in indices if isinstance(index, int)]
    return op.source, [*delinear(linear(numbers, wide[: len(numbers)]), shape[:kept]), *taken]


def _through_extracted_slice(op: Any, value: SSAValue, where: Where) -> Place | None:
    offsets, sizes = slice_of(op)
    before: Where = []
    for index, offset, size, extent in zip(where, offsets, sizes, shape_of(op.source.type), strict=True):
        if isinstance(index, int):
            before.append(index + offset)
        elif offset or (isinstance(index, Whole) and size != extent):
            return None
        else:
            before.append(index)
    return op.source, before


def _through_inserted_slice(op: Any, value: SSAValue, where: Where) -> Place | None:
    offsets, sizes = inserted_slice_of(op)
    extents = shape_of(value.type)
    if any(isinstance(i, int) and not o <= i < o + s for i, o, s in zip(where, offsets, sizes, strict=True)):
        return op.dest, where
    before: Where = []
    for index, offset, size, extent in zip(where, offsets, sizes, extents, strict=True):
        if isinstance(index, int):
            before.append(index - offset)
        elif size != extent:
            return None
        else:
            before.append(index)
    lead = len(before) - len(shape_of(op.source.type))
    if any(isinstance(index, Whole) for index in before[:lead]):
        return None
    return op.source, before[lead:]


def _through_elements(op: Any, value: SSAValue, where: Where) -> Place | None:
    numbers = [index for index in where if isinstance(index, int)]
    if len(numbers) != len(where) or is_scalable(value.type):
        return None
    return op.elements[linear(numbers, shape_of(value.type))], []


_STEPS: dict[str, Callable[[Any, SSAValue, Where], Place | None]] = {
    "vector.extract": _through_extract,
    "vector.transpose": _through_transpose,
    "vector.insert": _through_insert,
    "vector.broadcast": _through_broadcast,
    "vector.shuffle": _through_shuffle,
    "vector.shape_cast": _through_shape_cast,
    "vector.extract_strided_slice": _through_extracted_slice,
    "vector.insert_strided_slice": _through_inserted_slice,
    "vector.from_elements": _through_elements,
}
"""By the operation that made a vector: where the same elements were before."""
