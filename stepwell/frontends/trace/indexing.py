"""Reads at indices: `x[...]` with numbers, slices, None, `...` and tensors of indices; `take` and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.trace.elementwise import BOOL
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.shapes import axis_of, broadcast_to, permute_dims, reshape, stack
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import Value, check, dtype_of_value, emit, promoted, shape_of, to_dtype


def _index(value: Value) -> Value:
    value = check(value)
    dtype = dtype_of_value(value)
    if dtype.kind not in "iu":
        what = "a mask, whose result has a shape that only a run knows" if dtype == BOOL else f"of dtype {dtype}"
        fail(f"an index tensor must hold integers, this one is {what}", hint="stepwell.numpy.where(mask, x, 0) keeps the shape")
    return value if isinstance(value, Tracer) else np.asarray(value)


def take(x: Value, indices: Value, axis: int = 0) -> Value:
    """x at indices along an axis: embeddings of tokens. Negative ones count from the end."""
    x = promoted(x)[0]
    return emit(nn.GatherOp, [x, _index(indices)], axis=axis_of(axis, len(shape_of(x)), "take"))


def take_along_axis(x: Value, indices: Value, axis: int = -1) -> Value:
    """y[i, j] = x[i, indices[i, j]] for the last axis, and so on."""
    x = promoted(x)[0]
    return emit(nn.GatherElementsOp, [x, _index(indices)], axis=axis_of(axis, len(shape_of(x)), "take_along_axis"))


def one_hot(indices: Value, classes: int, dtype: Any = np.float32) -> Value:
    """A new last axis that holds 1 at the index and 0 elsewhere."""
    return emit(nn.OneHotOp, [_index(indices), np.array([0, 1], dtype)], depth=classes)


def getitem(x: Value, key: Any) -> Value:
    """`x[key]`, as numpy reads it; masks are not allowed."""
    entries: list[Any] = list(cast("tuple[Any, ...]", key)) if isinstance(key, tuple) else [key]
    shape = shape_of(x)
    named = sum(1 for entry in entries if entry is not None and entry is not Ellipsis)
    if named > len(shape):
        fail(f"{named} indices for a value of rank {len(shape)}")
    gap = [slice(None)] * (len(shape) - named)
    dots = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        fail("an index may have one '...'")
    at = dots[0] if dots else len(entries)
    entries = [*entries[:at], *gap, *entries[at + 1 :]]
    return _read(x, entries)


def _read(x: Value, entries: Sequence[Any]) -> Value:
    """First slices and numbers, in one `nn.slice`; then new and dropped axes; last tensors of indices."""
    starts: list[int] = []
    ends: list[int] = []
    steps: list[int] = []
    result: list[int] = []
    tensors: list[tuple[int, Value]] = []
    extents = iter(shape_of(x))
    for entry in entries:
        if entry is None:
            result.append(1)
            continue
        extent = next(extents)
        if isinstance(entry, slice):
            try:
                start, end, step = entry.indices(extent)
            except TypeError:
                fail("the bounds of a slice are whole numbers", hint="stepwell.numpy.take reads at traced places")
            count = len(range(start, end, step))
            result.append(count)
            end = start + count * step
        elif isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
            if not -extent <= entry < extent:
                fail(f"index {entry} is out of range for an axis of extent {extent}")
            start = int(cast(int, entry)) % extent
            end, step = start + 1, 1
        else:
            tensors.append((len(result), _index(entry)))
            start, end, step = 0, extent, 1
            result.append(extent)
        for values, value in zip((starts, ends, steps), (start, end, step), strict=True):
            values.append(value)
    if (starts, ends, steps) != ([0] * len(starts), list(shape_of(x)), [1] * len(steps)):
        x = emit(nn.SliceOp, [x], starts=starts, ends=ends, steps=steps)
    return _gather(reshape(x, result), tensors)


def _gather(x: Value, tensors: Sequence[tuple[int, Value]]) -> Value:
    """x at tensors of indices, one for each of some axes."""
    if not tensors:
        return x
    if len(tensors) == 1:
        axis, indices = tensors[0]
        return take(x, indices, axis)
    axes = [axis for axis, _ in tensors]
    joint = np.broadcast_shapes(*(shape_of(i) for _, i in tensors))
    tuples = stack([broadcast_to(to_dtype(i, np.dtype(np.int64)), joint) for _, i in tensors], len(joint))
    rest = [d for d in range(len(shape_of(x))) if d not in axes]
    found = emit(nn.GatherNdOp, [permute_dims(x, [*axes, *rest]), tuples])
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return found  # numpy, too, puts the axes of indices that do not stand together in front
    before = sum(1 for d in rest if d < axes[0])
    return permute_dims(
        found, [*range(len(joint), len(joint) + before), *range(len(joint)), *range(len(joint) + before, len(shape_of(found)))]
    )
