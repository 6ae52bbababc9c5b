"""What the folds and patterns of `vector` ask of values: constants as lists of elements, poison, splats; positions and offsets as lists.

An element of a constant is its bytes here, so that no fold asks how a number is written, and NaNs keep their bits.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    VectorType,
    i64,
)
from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from stepwell.dialects.vector.shapes import shape_of
from stepwell.ir.payloads import dense_attribute
from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.rules import is_signless, width

Position = list[int | SSAValue]
POISON = PoisonAttr()
POISON_INDEX = -1
TRUE, FALSE = b"\xff", b"\x00"
"""Elements of a mask."""
LIMIT = 1 << 16
"""Constants of more elements than this are not taken apart."""


def owner_of(value: SSAValue) -> Operation | None:
    """The operation that a value is a result of."""
    return value.op if isinstance(value, OpResult) else None


def defined_by(value: SSAValue, name: str) -> Any:
    """The operation of that name that a value is a result of; None where it is no such."""
    return value.op if isinstance(value, OpResult) and value.op.name == name else None


def mask_around(op: Operation) -> Any:
    """The `vector.mask` that an operation is the body of; None where there is none."""
    around = op.parent_op()
    return around if around is not None and around.name == "vector.mask" else None


def is_poison(value: SSAValue) -> bool:
    """Whether a value is poison as a whole."""
    return defined_by(value, "ub.poison") is not None


def dense_of(value: SSAValue) -> DenseIntOrFPElementsAttr[Any] | None:
    """The elements of a constant vector."""
    found = constant_of(value)
    return cast("DenseIntOrFPElementsAttr[Any]", found) if isinstance(found, DenseIntOrFPElementsAttr) else None


def integer_of(value: SSAValue | int) -> int | None:
    """The number, of a value that is a constant too."""
    if isinstance(value, int):
        return value
    found = constant_of(value)
    return found.value.data if isinstance(found, IntegerAttr) else None


def elements_of(dense: DenseIntOrFPElementsAttr[Any]) -> list[bytes]:
    """Each element's bytes, in row-major order."""
    payload, count, size = dense.data.data, prod(dense.get_shape()), dense.get_element_type().compile_time_size
    if len(payload) == size:
        return [payload] * count
    return [payload[start : start + size] for start in range(0, len(payload), size)]


def splat_of(dense: DenseIntOrFPElementsAttr[Any]) -> bytes | None:
    """The one element's bytes, where all are equal."""
    return dense.data.data if len(dense.data.data) == dense.get_element_type().compile_time_size else None


def dense_from(type: Attribute, elements: Sequence[bytes]) -> DenseIntOrFPElementsAttr[Any]:
    """A constant of these elements; equal ones are kept once."""
    equal = all(element == elements[0] for element in elements)
    return dense_attribute(cast(Any, type), elements[0] if equal else b"".join(elements))


def bytes_of(value: Attribute | None, type: Attribute) -> bytes | None:
    """A number as an element of that type; None where it is no number, or none that fits.

    Constants of `llvm` may say a number of another type than their result's: a float stands for its bits then.
    """
    if isinstance(value, IntegerAttr):
        return _integer(value.value.data, value.type, type)
    if isinstance(value, FloatAttr) and (value.type == type or (is_signless(type) and width(type) == value.type.bitwidth)):
        return value.type.pack((value.value.data,))
    return None


def _integer(number: int, given: Attribute, type: Attribute) -> bytes | None:
    if given != type and not (isinstance(type, IntegerType | IndexType) and 0 <= number < 1 << ((width(type) or 64) - 1)):
        return None
    if isinstance(type, IntegerType):
        number = cast("Any", type).get_normalized_value(number)
    return cast("Any", type).pack((number,))


def scalar_from(element: bytes, type: Any) -> Attribute:
    """An element as a number."""
    (number,) = type.unpack(element, 1)
    return IntegerAttr(int(number), type) if isinstance(type, IntegerType | IndexType) else FloatAttr(number, type)


def splatted(value: SSAValue) -> SSAValue | None:
    """The scalar that a vector is made of everywhere, by a broadcast."""
    broadcast = defined_by(value, "vector.broadcast")
    return broadcast.source if broadcast is not None and not isinstance(broadcast.source.type, VectorType) else None


def same_splat(first: SSAValue, second: SSAValue) -> bool:
    """Whether two vectors are made of one and the same scalar everywhere."""
    scalar = splatted(first)
    if scalar is not None:
        return splatted(second) is scalar
    a, b = dense_of(first), dense_of(second)
    return a is not None and b is not None and (found := splat_of(a)) is not None and found == splat_of(b)


# ---- positions ----------------------------------------------------------------------------------------------------------------------


def position_of(op: Any) -> Position:
    """Where an extraction or insertion takes place."""
    dynamic = iter(cast("Iterable[SSAValue]", op.dynamic_position))
    return [next(dynamic) if index == DYNAMIC_INDEX else int(index) for index in op.static_position.get_values()]


def all_static(position: Sequence[int | SSAValue]) -> bool:
    """Whether all indices are numbers, none of them poison."""
    return all(isinstance(index, int) and index != POISON_INDEX for index in position)


def split(position: Sequence[int | SSAValue]) -> tuple[DenseArrayBase[Any], list[SSAValue]]:
    """The attribute for the numbers, and the operands."""
    static = [index if isinstance(index, int) else DYNAMIC_INDEX for index in position]
    return DenseArrayBase.from_list(i64, static), [index for index in position if not isinstance(index, int)]


def with_constants(position: Position, shape: Sequence[int]) -> Position | None:
    """The position with constants as numbers, where there are any inside the shape, or poison; else None."""
    found: Position = []
    for index, size in zip(position, shape, strict=False):
        number = None if isinstance(index, int) else integer_of(index)
        found.append(index if number is None or not -1 <= number < size else number)
    return found if any(a is not b for a, b in zip(found, position, strict=True)) else None


def linear(position: Sequence[int], shape: Sequence[int]) -> int:
    """The number of an element in row-major order."""
    number = 0
    for index, size in zip(position, shape, strict=True):
        number = number * size + index
    return number


def delinear(number: int, shape: Sequence[int]) -> list[int]:
    """The position of an element from its number."""
    position: list[int] = []
    for size in reversed(shape):
        number, index = divmod(number, size)
        position.append(index)
    return position[::-1]


def box(offsets: Sequence[int], sizes: Sequence[int], shape: Sequence[int]) -> list[int]:
    """The numbers of the elements of a box, in row-major order."""
    ranges = [range(offset, offset + size) for offset, size in zip(offsets, sizes, strict=True)]
    return [linear(position, shape) for position in product(*ranges)]


def integers(attribute: Any) -> list[int]:
    """The numbers of an array of integer attributes."""
    return [value.value.data for value in attribute]


def i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    """`array<i64: ...>`"""
    return DenseArrayBase.from_list(i64, values)


def i64_array(values: Sequence[int]) -> ArrayAttr[IntegerAttr[Any]]:
    """`[1 : i64, ...]`"""
    return ArrayAttr(IntegerAttr(value, i64) for value in values)


def slice_of(op: Any) -> tuple[list[int], list[int]]:
    """Offsets and sizes of `extract_strided_slice`, for all dimensions."""
    shape, offsets, sizes = shape_of(op.source.type), integers(op.offsets), integers(op.sizes)
    rest = len(shape) - len(offsets)
    return offsets + [0] * rest, sizes + list(shape[len(sizes) :])


def inserted_slice_of(op: Any) -> tuple[list[int], list[int]]:
    """Offsets and sizes in the destination of `insert_strided_slice`, for all dimensions."""
    size = shape_of(op.source.type)
    return integers(op.offsets), [1] * (len(op.offsets) - len(size)) + list(size)
