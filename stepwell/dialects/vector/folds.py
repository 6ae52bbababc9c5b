"""How the operations of `vector` fold: the table, and the folds of what makes and moves values without touching memory.

A folder gives the values or constants that an operation is worth, the operation's own results where it has changed itself, else None.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import AnyFloat, IntegerType, VectorType
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects.support import FLOATS
from stepwell.dialects.vector import fold_transfers as transfers
from stepwell.dialects.vector.fold_extract import fold_extract
from stepwell.dialects.vector.shapes import is_scalable, keeps_order, shape_of
from stepwell.dialects.vector.values import (
    FALSE,
    LIMIT,
    POISON,
    POISON_INDEX,
    TRUE,
    box,
    bytes_of,
    defined_by,
    dense_from,
    dense_of,
    elements_of,
    i64_array,
    i64s,
    inserted_slice_of,
    is_poison,
    linear,
    owner_of,
    position_of,
    same_splat,
    slice_of,
    splat_of,
    split,
    with_constants,
)
from stepwell.ir.rewrite.folding import constant_of

Folded = Sequence[SSAValue | Attribute] | None


def _of_splat(source: SSAValue, type: Attribute) -> Folded:
    """A vector of another shape with the same elements everywhere, or poison everywhere."""
    if is_poison(source):
        return (POISON,)
    dense = dense_of(source)
    splat = splat_of(dense) if dense is not None else None
    return (dense_from(type, [splat]),) if splat is not None else None


def _broadcast(op: Any) -> Folded:
    source, type = op.source, op.vector.type
    if source.type == type:
        return (source,)
    if (folded := _of_splat(source, type)) is not None:
        return folded
    if (element := bytes_of(constant_of(source), type.element_type)) is not None:
        return (dense_from(type, [element]),)
    if (inner := defined_by(source, "vector.broadcast")) is not None:
        op.operands = [inner.source]
        return op.results
    return None


def _constant_mask(op: Any) -> Folded:
    sizes, type = op.mask_dim_sizes.get_values(), op.mask_vector.type
    if tuple(sizes) == (shape_of(type) or (1,)):
        return (dense_from(type, [TRUE]),)
    return (dense_from(type, [FALSE]),) if not any(sizes) else None


def _step(op: Any) -> Folded:
    type = op.result.type
    if shape_of(type) != (1,) or is_scalable(type):
        return None
    return (dense_from(type, [bytes(type.element_type.compile_time_size)]),)


def _from_elements(op: Any) -> Folded:
    type, values = op.dest.type, op.elements
    first = owner_of(values[0])
    whole = first is not None and first.name == "vector.to_elements" and first.operands[0].type == type
    if (
        first is not None
        and whole
        and len(values) == len(first.results)
        and all(a is b for a, b in zip(values, first.results, strict=True))
    ):
        return (first.operands[0],)
    if len(values) > LIMIT:
        return None
    elements: list[bytes] = []
    for value in values:
        element = bytes_of(constant_of(value), type.element_type)
        if element is None:
            return None
        elements.append(element)
    return (dense_from(type, elements),)


def _to_elements(op: Any) -> Folded:
    made = defined_by(op.source, "vector.from_elements")
    if made is not None:
        return tuple(made.elements)
    broadcast = defined_by(op.source, "vector.broadcast")
    if broadcast is not None and not isinstance(broadcast.source.type, VectorType):
        return (broadcast.source,) * len(op.results)
    if is_poison(op.source):
        return (POISON,) * len(op.results)
    return None


# ---- moving -------------------------------------------------------------------------------------------------------------------------


def _transpose(op: Any) -> Folded:
    permutation = list(op.permutation.get_values())
    source, type = op.vector, op.result.type
    if source.type == type and keeps_order(permutation, type):
        return (source,)
    if (folded := _of_splat(source, type)) is not None:
        return folded
    if (inner := defined_by(source, "vector.transpose")) is not None:
        before = inner.permutation.get_values()
        op.operands = [inner.vector]
        op.properties["permutation"] = i64s([before[dim] for dim in permutation])
        return op.results
    return None


def _shape_cast(op: Any) -> Folded:
    source, type = op.source, op.result.type
    if source.type == type:
        return (source,)
    if (folded := _of_splat(source, type)) is not None:
        return folded
    if (dense := dense_of(source)) is not None:
        return (dense_from(type, elements_of(dense)),) if prod(shape_of(type)) <= LIMIT else None
    if (inner := defined_by(source, "vector.shape_cast")) is not None:
        op.operands = [inner.source]
        return op.results
    transpose = defined_by(source, "vector.transpose")
    if transpose is not None and keeps_order(transpose.permutation.get_values(), transpose.vector.type):
        op.operands = [transpose.vector]
        return op.results
    broadcast = defined_by(source, "vector.broadcast")
    return (broadcast.source,) if broadcast is not None and broadcast.source.type == type else None


def _bitcast(op: Any) -> Folded:
    source, type = op.source, op.result.type
    if source.type == type:
        return (source,)
    if (inner := defined_by(source, "vector.bitcast")) is not None:
        op.operands = [inner.source]
        return op.results
    if is_poison(source):
        return (POISON,)
    dense = dense_of(source)
    splat = splat_of(dense) if dense is not None else None
    if splat is None:
        return None
    bits, new_bits = _bits(source.type.element_type), _bits(type.element_type)
    if not bits or not new_bits or new_bits % bits:
        return None
    return (dense_from(type, [splat * (new_bits // bits)]),)


def _bits(element: Attribute) -> int:
    """The bits of a number that fills its bytes, else 0."""
    width: int = cast("AnyFloat", element).bitwidth if isinstance(element, (*FLOATS, IntegerType)) else 0
    return width if width % 8 == 0 and width // 8 == cast("Any", element).compile_time_size else 0


def _insert(op: Any) -> Folded:
    source, dest, position = op.source, op.dest, position_of(op)
    if POISON_INDEX in position or (is_poison(source) and is_poison(dest)):
        return (POISON,)
    if not position and source.type == dest.type:
        return (source,)
    shape = shape_of(dest.type)
    if (found := with_constants(position, shape)) is not None:
        static, dynamic = split(found)
        op.operands = [source, dest, *dynamic]
        op.properties["static_position"] = static
        return op.results
    inner = defined_by(dest, "vector.insert")
    if inner is not None and inner is not op:
        before = position_of(inner)
        if len(before) == len(position) and all(a is b or (isinstance(a, int) and a == b) for a, b in zip(before, position, strict=True)):
            op.operands = [source, inner.dest, *op.dynamic_position]
            return op.results
    if (dense := dense_of(dest)) is None or is_scalable(dest.type) or not 0 < prod(shape) <= LIMIT:
        return None
    numbers = [index for index in position if isinstance(index, int)]
    rest = shape[len(position) :]
    new = _elements(source, dest.type.element_type)
    if new is None or len(numbers) != len(position):
        return None
    elements, count = elements_of(dense), prod(rest)
    first = linear(numbers, shape[: len(numbers)]) * count
    return (dense_from(dest.type, [*elements[:first], *new, *elements[first + count :]]),)


def _elements(value: SSAValue, element: Attribute) -> list[bytes] | None:
    """Of a constant, scalar or vector."""
    if isinstance(value.type, VectorType):
        dense = dense_of(value)
        return elements_of(dense) if dense is not None else None
    found = bytes_of(constant_of(value), element)
    return [found] if found is not None else None


def _extract_slice(op: Any) -> Folded:
    source, type = op.source, op.result.type
    if source.type == type:
        return (source,)
    if (folded := _of_splat(source, type)) is not None:
        return folded
    offsets, sizes = slice_of(op)
    shape = shape_of(source.type)
    dense = dense_of(source)
    if dense is not None and not is_scalable(source.type) and prod(shape) <= LIMIT:
        elements = elements_of(dense)
        return (dense_from(type, [elements[number] for number in box(offsets, sizes, shape)]),)
    return _slice_of_inserted(op, offsets, sizes)


def _slice_of_inserted(op: Any, offsets: list[int], sizes: list[int]) -> Folded:
    """Back through the slices inserted before: over those beside, into the one that holds all."""
    value: SSAValue = op.source
    while (inserted := defined_by(value, "vector.insert_strided_slice")) is not None:
        into, put = inserted_slice_of(inserted)
        sides = list(zip(offsets, sizes, into, put, strict=True))
        if any(a + n <= b or b + m <= a for a, n, b, m in sides):
            value = inserted.dest
            if value is op.source:
                return None
            continue
        if len(shape_of(inserted.source.type)) != len(into) or not all(b <= a and a + n <= b + m for a, n, b, m in sides):
            break
        value = inserted.source
        offsets = [a - b for a, _, b, _ in sides]
        if value.type == op.result.type:
            return (value,)
    if value is op.source:
        return None
    op.operands = [value]
    op.properties["offsets"] = i64_array(offsets[: len(op.offsets)] if not any(offsets[len(op.offsets) :]) else offsets)
    if len(op.offsets) != len(op.sizes) or shape_of(value.type)[len(op.sizes) :] != tuple(sizes[len(op.sizes) :]):
        op.properties["offsets"], op.properties["sizes"] = i64_array(offsets), i64_array(sizes)
        op.properties["strides"] = i64_array([1] * len(sizes))
    return op.results


def _insert_slice(op: Any) -> Folded:
    source, dest = op.source, op.dest
    if source.type == dest.type:
        return (source,)
    if same_splat(source, dest):
        return (dest,)
    taken = defined_by(source, "vector.extract_strided_slice")
    if taken is not None and taken.source is dest and slice_of(taken) == inserted_slice_of(op):
        return (dest,)
    new, old = dense_of(source), dense_of(dest)
    if new is None or old is None or is_scalable(dest.type) or prod(shape_of(dest.type)) > LIMIT:
        return None
    elements = elements_of(old)
    for number, element in zip(box(*inserted_slice_of(op), shape_of(dest.type)), elements_of(new), strict=True):
        elements[number] = element
    return (dense_from(dest.type, elements),)


def _shuffle(op: Any) -> Folded:
    mask, first, second = list(op.mask.get_values()), op.v1, op.v2
    shape = shape_of(first.type)
    if is_poison(first) and is_poison(second):
        return (POISON,)
    if not shape:
        return None
    extent = shape[0]
    if mask == list(range(extent)):
        return (first,)
    if mask == list(range(extent, extent + shape_of(second.type)[0])):
        return (second,)
    lost = [
        index != POISON_INDEX and is_poison(first if index < extent else second)  # what is taken of poison is poison
        for index in mask
    ]
    if any(lost):
        mask = [POISON_INDEX if gone else index for index, gone in zip(mask, lost, strict=True)]
    if all(index == POISON_INDEX for index in mask):
        return (POISON,)
    constant = _shuffled(op, mask)
    if constant is not None:
        return (constant,)
    if any(lost):
        op.properties["mask"] = i64s(mask)
        return op.results
    return None


def _shuffled(op: Any, mask: Sequence[int]) -> Attribute | None:
    """Rows of constants; a row of poison may be any, so it is the first there is."""
    both = [dense_of(op.v1), dense_of(op.v2)]
    if any(dense is None and not is_poison(value) for dense, value in zip(both, (op.v1, op.v2), strict=True)):
        return None
    row = prod(shape_of(op.result.type)[1:])
    if row * (sum(shape_of(value.type)[0] for value in (op.v1, op.v2))) > LIMIT:
        return None
    rows: list[list[bytes] | None] = []
    for value, dense in zip((op.v1, op.v2), both, strict=True):
        elements = elements_of(dense) if dense is not None else None
        for start in range(0, row * shape_of(value.type)[0], row):
            rows.append(elements[start : start + row] if elements is not None else None)
    spare = next((found for found in rows if found is not None), None)
    if spare is None:
        return None
    taken: list[bytes] = []
    for index in mask:
        taken += (rows[index] if index != POISON_INDEX else None) or spare
    return dense_from(op.result.type, taken)


def _interleave(op: Any) -> Folded:
    parts = defined_by(op.lhs, "vector.deinterleave")
    if parts is not None and op.lhs is parts.results[0] and op.rhs is parts.results[1]:
        return (parts.source,)
    return None


def _deinterleave(op: Any) -> Folded:
    whole = defined_by(op.source, "vector.interleave")
    return (whole.lhs, whole.rhs) if whole is not None and whole.lhs.type == op.res1.type else None


FOLDS: dict[str, Callable[[Any], Folded]] = {
    "vector.broadcast": _broadcast,
    "vector.constant_mask": _constant_mask,
    "vector.step": _step,
    "vector.from_elements": _from_elements,
    "vector.to_elements": _to_elements,
    "vector.transpose": _transpose,
    "vector.shape_cast": _shape_cast,
    "vector.bitcast": _bitcast,
    "vector.extract": fold_extract,
    "vector.insert": _insert,
    "vector.extract_strided_slice": _extract_slice,
    "vector.insert_strided_slice": _insert_slice,
    "vector.shuffle": _shuffle,
    "vector.interleave": _interleave,
    "vector.deinterleave": _deinterleave,
    "vector.transfer_read": transfers.fold_read,
    "vector.transfer_write": transfers.fold_write,
    "vector.load": transfers.fold_base,
    "vector.store": transfers.fold_base,
    "vector.maskedload": transfers.fold_base,
    "vector.maskedstore": transfers.fold_base,
    "vector.gather": transfers.fold_base,
    "vector.scatter": transfers.fold_base,
    "vector.expandload": transfers.fold_base,
    "vector.compressstore": transfers.fold_base,
}
