"""What must hold between the operands and results of the operations of `vector` that move elements, with MLIR's words."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, VectorType
from xdsl.dialects.utils import verify_dynamic_index_list
from xdsl.ir import Attribute

from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.ir.rules import element, fail, shown, width


def shuffle(op: Any) -> None:
    """Operands of one rank and equal trailing extents; indices into both, or -1 for poison."""
    first, second, whole = (shape_of(value.type) for value in (op.v1, op.v2, op.result))
    mask = op.mask.get_values()
    if len(first) != len(second) or len(whole) != max(1, len(first)):
        fail("rank mismatch")
    if not first[1:] == second[1:] == whole[1:]:
        fail("dimension mismatch")
    if not mask or len(mask) != whole[0]:
        fail("invalid mask length")
    limit = (first[0] + second[0]) if first else 2
    for number, index in enumerate(mask, 1):
        if not -1 <= index < limit:
            fail(f"mask index #{number} out of range")


def transpose(op: Any) -> None:
    """A permutation, and the result that it makes."""
    permutation = op.permutation.get_values()
    (shape, flags), (result, result_flags) = (
        (shape_of(op.vector.type), flags_of(op.vector.type)),
        (shape_of(op.result.type), flags_of(op.result.type)),
    )
    if len(shape) != len(result):
        fail(f"vector result rank mismatch: {len(result)}")
    if len(permutation) != len(shape):
        fail(f"transposition length mismatch: {len(permutation)}")
    seen: set[int] = set()
    for number, dim in enumerate(permutation):
        if not 0 <= dim < len(shape):
            fail(f"transposition index out of range: {dim}")
        if dim in seen:
            fail(f"duplicate position index: {dim}")
        seen.add(dim)
        if (shape[dim], flags[dim]) != (result[number], result_flags[number]):
            fail(f"dimension size mismatch at: {dim}")


def shape_cast(op: Any) -> None:
    """The same elements in another shape."""
    source, result = op.source.type, op.result.type
    if element(source) != element(result):
        fail(f"source element type ('{shown(element(source))}') does not match result element type ('{shown(element(result))}')")
    counts = prod(shape_of(source)), prod(shape_of(result))
    if counts[0] != counts[1]:
        fail(f"has different number of elements at source ({counts[0]}) and result ({counts[1]})")
    scalable = sum(flags_of(source)), sum(flags_of(result))
    if scalable[0] != scalable[1]:
        fail(f"has different number of scalable dims at source ({scalable[0]}) and result ({scalable[1]})")


def bitcast(op: Any) -> None:
    """Equal leading extents, and as many bits in a row."""
    source, result = op.source.type, op.result.type
    shape, new_shape = shape_of(source), shape_of(result)
    for dim, (size, new_size) in enumerate(zip(shape[:-1], new_shape[:-1], strict=True)):
        if size != new_size:
            fail(f"dimension size mismatch at: {dim}")
    bits, new_bits = _bits(element(source)), _bits(element(result))
    if not shape:
        if bits != new_bits:
            fail("source/result bitwidth of the 0-D vector element types must be equal")
    elif bits * shape[-1] != new_bits * new_shape[-1]:
        fail("source/result bitwidth of the minor 1-D vectors must be equal")


def _bits(type: Attribute) -> int:
    return 64 if isinstance(type, IndexType) else width(type)


def _positions(op: Any, shape: Sequence[int], words: str) -> None:
    for number, (index, size) in enumerate(zip(op.static_position.get_values(), shape, strict=False), 1):
        if index != DYNAMIC_INDEX and not -1 <= index < size:
            fail(
                f"expected position attribute #{number} to be a non-negative integer smaller than the corresponding {words} dimension"
                " or poison (-1)"
            )


def extract(op: Any) -> None:
    """A position inside the source, and the type of what is there."""
    source, result = op.source.type, op.result.type
    position = op.static_position.get_values()
    verify_dynamic_index_list(position, op.dynamic_position, DYNAMIC_INDEX)
    if isinstance(result, VectorType) and not shape_of(result):
        fail("expected a scalar instead of a 0-d vector as the result type")
    rank = len(position)
    if rank > len(shape_of(source)):
        fail("expected position attribute of rank no greater than vector rank")
    rest = shape_of(source)[rank:]
    expected = vector_of(element(source), rest, flags_of(source)[rank:]) if rest else element(source)
    if result != expected:
        fail(f"inferred type(s) '{shown(expected)}' are incompatible with return type(s) of operation '{shown(result)}'")
    _positions(op, shape_of(source), "vector")


def insert(op: Any) -> None:
    """A position inside the destination, and a source that fits there."""
    source, dest = op.source.type, op.dest.type
    position = op.static_position.get_values()
    verify_dynamic_index_list(position, op.dynamic_position, DYNAMIC_INDEX)
    is_vector = isinstance(source, VectorType)
    if is_vector and not shape_of(source):
        fail("expected a scalar instead of a 0-d vector as the source operand")
    rank = len(position)
    if rank > len(shape_of(dest)):
        fail("expected position attribute of rank no greater than dest vector rank")
    if is_vector and len(shape_of(source)) + rank != len(shape_of(dest)):
        fail("expected position attribute rank + source rank to match dest vector rank")
    if not is_vector and rank != len(shape_of(dest)):
        fail("expected position attribute rank to match the dest vector rank")
    _positions(op, shape_of(dest), "dest vector")
    if shape_of(source) != shape_of(dest)[rank:] or flags_of(source) != flags_of(dest)[rank:]:
        fail(f"cannot put {shown(source)} into {shown(dest)} at a position of {rank} indices")


# ---- slices -------------------------------------------------------------------------------------------------------------------------


def _integers(attribute: Any) -> tuple[int, ...]:
    return tuple(value.value.data for value in attribute)


def _confined(values: Sequence[int], shape: Sequence[int], name: str, first: int, beyond: int) -> None:
    """Each value lies in [first, extent + beyond)."""
    for dim, (value, extent) in enumerate(zip(values, shape, strict=False)):
        if not first <= value < extent + beyond:
            fail(f"expected {name} dimension {dim} to be confined to [{first}, {extent + beyond})")


def _unit(strides: Sequence[int]) -> None:
    if any(stride != 1 for stride in strides):
        fail("expected strides to be confined to [1, 2)")


def _whole_scalable(source: Attribute, sizes: Sequence[int]) -> None:
    for dim, (size, extent, scalable) in enumerate(zip(sizes, shape_of(source), flags_of(source), strict=False)):
        if scalable and size != extent:
            fail(f"expected size at idx={dim} to match the corresponding base size from the input vector ({size} vs {extent})")


def extract_strided_slice(op: Any) -> None:
    """A box of the leading dimensions, all of the others."""
    offsets, sizes, strides = _integers(op.offsets), _integers(op.sizes), _integers(op.strides)
    source, shape = op.source.type, shape_of(op.source.type)
    if not len(offsets) == len(sizes) == len(strides):
        fail("expected offsets, sizes and strides attributes of same size")
    if len(offsets) > len(shape):
        fail("expected offsets attribute of rank no greater than vector rank")
    _confined(offsets, shape, "offsets", 0, 0)
    _confined(sizes, shape, "sizes", 1, 1)
    _unit(strides)
    _confined([a + b for a, b in zip(offsets, sizes, strict=True)], shape, "sum(offsets, sizes)", 1, 1)
    expected = vector_of(element(source), (*sizes, *shape[len(sizes) :]), flags_of(source))
    if op.result.type != expected:
        fail(f"expected result type to be '{shown(expected)}'")
    _whole_scalable(source, sizes)


def insert_strided_slice(op: Any) -> None:
    """A box of the trailing dimensions."""
    offsets, strides = _integers(op.offsets), _integers(op.strides)
    source, dest = op.source.type, op.dest.type
    size, shape = shape_of(source), shape_of(dest)
    if len(offsets) != len(shape):
        fail("expected offsets of same size as destination vector rank")
    if len(strides) != len(size):
        fail("expected strides of same size as source vector rank")
    if len(size) > len(shape):
        fail("expected source rank to be no greater than destination rank")
    lead = len(shape) - len(size)
    _confined(offsets, shape, "offsets", 0, 0)
    _unit(strides)
    sums = [offset + extent for offset, extent in zip(offsets, (1,) * lead + tuple(size), strict=True)]
    _confined(sums, shape, "sum(offsets, source vector shape)", 1, 1)
    for dim, (scalable, extent) in enumerate(zip(flags_of(source), size, strict=True)):
        if scalable != flags_of(dest)[lead + dim]:
            fail(f"mismatching scalable flags (at source vector idx={dim})")
        if scalable and extent != shape[lead + dim]:
            whole = shape[lead + dim]
            fail(f"expected size at idx={dim} to match the corresponding base size from the input vector ({extent} vs {whole})")
