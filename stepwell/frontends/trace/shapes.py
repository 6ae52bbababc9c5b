"""Functions of `stepwell.numpy` that make tensors, or move the elements of some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.values import Value, check, dtype_of_value, emit, promoted, shape_of
from stepwell.ir.constants import element_type_of, tensor_type

Shape = int | Sequence[int]


def _shape(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(int(extent) for extent in shape)


def axis_of(axis: int, rank: int, what: str) -> int:
    """An axis counted from the front."""
    if not -rank <= axis < rank:
        fail(f"{what}: axis {axis} is out of range for rank {rank}")
    return axis % rank


def axes_of(axis: int | Sequence[int] | None, rank: int, what: str) -> tuple[int, ...]:
    """Axes counted from the front; all for None."""
    if axis is None:
        return tuple(range(rank))
    found = [axis_of(a, rank, what) for a in ((axis,) if isinstance(axis, int) else axis)]
    if len(set(found)) != len(found):
        fail(f"{what}: an axis stands twice in {axis}")
    return tuple(found)


# ---- made of nothing --------------------------------------------------------------------------------------------------------------------


def asarray(x: Value, dtype: Any = None) -> Value:
    """A value as a tensor."""
    from stepwell.frontends.trace.elementwise import astype

    x = promoted(x)[0]
    return x if dtype is None else astype(x, dtype)


def full(shape: Shape, value: float | bool, dtype: Any = None) -> Value:
    """One number everywhere."""
    return np.full(_shape(shape), value, dtype_of_value(value) if dtype is None else dtype)


def zeros(shape: Shape, dtype: Any = np.float32) -> Value:
    """Zeros."""
    return np.zeros(_shape(shape), dtype)


def ones(shape: Shape, dtype: Any = np.float32) -> Value:
    """Ones."""
    return np.ones(_shape(shape), dtype)


def zeros_like(x: Value, dtype: Any = None) -> Value:
    """Zeros in the shape and dtype of x."""
    return np.zeros(shape_of(x), dtype_of_value(check(x)) if dtype is None else dtype)


def ones_like(x: Value, dtype: Any = None) -> Value:
    """Ones in the shape and dtype of x."""
    return np.ones(shape_of(x), dtype_of_value(check(x)) if dtype is None else dtype)


def full_like(x: Value, value: float, dtype: Any = None) -> Value:
    """One number in the shape and dtype of x."""
    return np.full(shape_of(x), value, dtype_of_value(check(x)) if dtype is None else dtype)


def arange(start: float, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Value:
    """start, start + step, ... before stop; i64 of integers, f32 of floats."""
    low, high = (0, start) if stop is None else (start, stop)
    wanted = np.float32 if any(isinstance(v, float) for v in (low, high, step)) else np.int64
    return np.arange(low, high, step, dtype=wanted if dtype is None else dtype)


def eye(rows: int, columns: int | None = None, *, k: int = 0, dtype: Any = np.float32) -> Value:
    """Ones on a diagonal."""
    return np.eye(rows, columns, k, dtype)


def linspace(start: float, stop: float, num: int, *, dtype: Any = np.float32) -> Value:
    """`num` numbers from start to stop, as far apart from each other."""
    return cast(Value, np.linspace(start, stop, num, dtype=dtype))


def tril(x: Value, *, k: int = 0) -> Value:
    """The lower triangle, zeros above."""
    return _triangle(x, k, lower=True)


def triu(x: Value, *, k: int = 0) -> Value:
    """The upper triangle, zeros below."""
    return _triangle(x, k, lower=False)


def _triangle(x: Value, k: int, *, lower: bool) -> Value:
    from stepwell.frontends.trace.elementwise import where

    x = promoted(x)[0]
    rows, columns = shape_of(x)[-2:]
    mask = np.tri(rows, columns, k if lower else k - 1, dtype=np.bool_)
    return where(mask if lower else ~mask, x, 0)


# ---- moved ------------------------------------------------------------------------------------------------------------------------------


def reshape(x: Value, *shape: int | Sequence[int]) -> Value:
    """x in another shape; an extent of -1 is what is left."""
    x = promoted(x)[0]
    wanted = _shape(cast(Shape, shape[0] if len(shape) == 1 else shape))
    size = math.prod(shape_of(x))
    if wanted.count(-1) == 1:
        known = -math.prod(wanted)
        if known == 0 or size % known:
            fail(f"reshape: {size} elements do not fill {list(wanted)}")
        wanted = tuple(size // known if extent == -1 else extent for extent in wanted)
    if wanted == shape_of(x):
        return x
    return emit(nn.ReshapeOp, [x], result_type=tensor_type(wanted, element_type_of(dtype_of_value(x))))


def ravel(x: Value) -> Value:
    """All elements in one axis."""
    return reshape(x, -1)


def permute_dims(x: Value, axes: Sequence[int]) -> Value:
    """Axis d of the result is axis axes[d] of x."""
    x = promoted(x)[0]
    rank = len(shape_of(x))
    order = [axis_of(a, rank, "permute_dims") for a in axes]
    return x if order == list(range(rank)) else emit(nn.TransposeOp, [x], permutation=order)


def transpose(x: Value, axes: Sequence[int] | None = None) -> Value:
    """`permute_dims`, or all axes turned round."""
    return permute_dims(x, list(range(len(shape_of(x))))[::-1] if axes is None else axes)


def matrix_transpose(x: Value) -> Value:
    """The last two axes in each other's place."""
    rank = len(shape_of(x))
    if rank < 2:
        fail(f"a value of rank {rank} has no matrix transpose")
    return permute_dims(x, [*range(rank - 2), rank - 1, rank - 2])


def swapaxes(x: Value, a: int, b: int) -> Value:
    """Two axes in each other's place."""
    order = list(range(len(shape_of(x))))
    a, b = axis_of(a, len(order), "swapaxes"), axis_of(b, len(order), "swapaxes")
    order[a], order[b] = order[b], order[a]
    return permute_dims(x, order)


def moveaxis(x: Value, source: int, destination: int) -> Value:
    """An axis in another place, the others in order."""
    rank = len(shape_of(x))
    source, destination = axis_of(source, rank, "moveaxis"), axis_of(destination, rank, "moveaxis")
    order = [d for d in range(rank) if d != source]
    order.insert(destination, source)
    return permute_dims(x, order)


def expand_dims(x: Value, axis: int = 0) -> Value:
    """A new axis of extent 1."""
    shape = list(shape_of(x))
    shape.insert(axis_of(axis, len(shape) + 1, "expand_dims"), 1)
    return reshape(x, shape)


def squeeze(x: Value, axis: int | Sequence[int] | None = None) -> Value:
    """Without axes of extent 1."""
    shape = shape_of(x)
    gone = [d for d, n in enumerate(shape) if n == 1] if axis is None else axes_of(axis, len(shape), "squeeze")
    if any(shape[d] != 1 for d in gone):
        fail(f"squeeze: axes {list(gone)} of {list(shape)} are not all of extent 1")
    return reshape(x, [n for d, n in enumerate(shape) if d not in gone])


def broadcast_to(x: Value, shape: Shape) -> Value:
    """x repeated up to a shape."""
    x, wanted = promoted(x)[0], _shape(shape)
    if shape_of(x) == wanted:
        return x
    return emit(nn.BroadcastToOp, [x], result_type=tensor_type(wanted, element_type_of(dtype_of_value(x))))


def concat(values: Sequence[Value], axis: int = 0) -> Value:
    """One after the other along an axis."""
    if not values:
        fail("concat: nothing is given")
    parts = promoted(*values)
    return emit(nn.ConcatOp, parts, axis=axis_of(axis, len(shape_of(parts[0])), "concat"))


concatenate = concat


def stack(values: Sequence[Value], axis: int = 0) -> Value:
    """Beside each other along a new axis."""
    return concat([expand_dims(v, axis) for v in values], axis)


def split(x: Value, parts: int | Sequence[int], axis: int = 0) -> list[Value]:
    """Equal parts along an axis, or parts that end at these places."""
    axis = axis_of(axis, len(shape_of(x)), "split")
    extent = shape_of(x)[axis]
    if isinstance(parts, int):
        if extent % parts:
            fail(f"split: {extent} elements cannot be cut into {parts} equal parts")
        parts = [extent // parts * i for i in range(1, parts)]
    bounds = [0, *parts, extent]
    return [slice_axis(x, axis, start, end) for start, end in pairwise(bounds)]


def slice_axis(x: Value, axis: int, start: int, end: int, step: int = 1) -> Value:
    """Elements of one axis, as `nn.slice` counts."""
    shape = shape_of(x)
    starts, ends, steps = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis], ends[axis], steps[axis] = start, end, step
    return emit(nn.SliceOp, [x], starts=starts, ends=ends, steps=steps)


def flip(x: Value, axis: int | Sequence[int] | None = None) -> Value:
    """From the other end along axes."""
    x = promoted(x)[0]
    shape = shape_of(x)
    turned = axes_of(axis, len(shape), "flip")
    starts = [n - 1 if d in turned else 0 for d, n in enumerate(shape)]
    ends = [-1 if d in turned else n for d, n in enumerate(shape)]
    return emit(nn.SliceOp, [x], starts=starts, ends=ends, steps=[-1 if d in turned else 1 for d in range(len(shape))])


def roll(x: Value, shift: int, axis: int) -> Value:
    """Moved along an axis; what leaves at the end enters at the front."""
    axis = axis_of(axis, len(shape_of(x)), "roll")
    extent = shape_of(x)[axis]
    at = -shift % extent if extent else 0
    return concat(split(x, [at], axis)[::-1], axis) if at else promoted(x)[0]


def repeat(x: Value, repeats: int, axis: int) -> Value:
    """Every element so often along an axis."""
    axis = axis_of(axis, len(shape_of(x)), "repeat")
    shape = list(shape_of(x))
    wide = broadcast_to(expand_dims(x, axis + 1), [*shape[: axis + 1], repeats, *shape[axis + 1 :]])
    return reshape(wide, [*shape[:axis], shape[axis] * repeats, *shape[axis + 1 :]])


def tile(x: Value, repetitions: Sequence[int]) -> Value:
    """The whole so often along every axis."""
    shape = (1,) * (len(repetitions) - len(shape_of(x))) + shape_of(x)
    times = (1,) * (len(shape) - len(repetitions)) + tuple(repetitions)
    split_shape = [e for n in shape for e in (1, n)]
    wide = broadcast_to(reshape(x, split_shape), [e for n, t in zip(shape, times, strict=True) for e in (t, n)])
    return reshape(wide, [n * t for n, t in zip(shape, times, strict=True)])


def pad(x: Value, widths: Sequence[tuple[int, int]], mode: str = "constant", constant_values: float = 0) -> Value:
    """(before, after) elements around every axis: a number, the axis reflected without its edge, or its edge repeated."""
    x = promoted(x)[0]
    low, high = [int(a) for a, _ in widths], [int(b) for _, b in widths]
    return emit(nn.PadOp, [x], low=low, high=high, value=float(constant_values), mode=mode)
