"""`memref` and the basics of `bufferization`: buffers are numpy arrays, views of them are numpy views, and so alias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from xdsl.dialects import bufferization
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, VectorType
from xdsl.ir import Attribute, Operation

from stepwell.backends.interpreter.deallocation import DEALLOCATION, buffer_of
from stepwell.backends.interpreter.machine import Code, Control, Frame, Implementation, Step
from stepwell.backends.interpreter.values import checked, element_dtype, garbage
from stepwell.dialects import memref
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.vector.more import TypeCastOp
from stepwell.ir.constants import Array


def same(op: Operation) -> Callable[..., Any]:
    """The operand itself."""

    def pass_on(value: Any, *_: Any) -> Any:
        return value

    return pass_on


def nothing(op: Operation) -> Callable[..., None]:
    return lambda *_: None


# ---- buffers --------------------------------------------------------------------------------------------------------------------


def allocate(op: Any) -> Callable[..., Array]:
    """A new buffer of garbage."""
    type = op.results[0].type
    vector = _vector(type)
    shape = type.get_shape() if vector is None else (*type.get_shape(), *vector.get_shape())  # vectors are further dimensions
    dtype = element_dtype(type if vector is None else vector)

    def make(*sizes: int) -> Array:
        rest = iter(sizes)
        return garbage([next(rest) if size == DYNAMIC_INDEX else size for size in shape], dtype)

    return make


def _vector(type: Any) -> Any:
    """The type of the vectors that a buffer holds; None where it holds scalars."""
    return type.element_type if type.element_type.name == VectorType.name else None


def load(op: Any) -> Callable[..., Any]:
    def read(buffer: Array, *indices: Any) -> Any:
        return buffer[checked(indices, buffer.shape)]

    def read_vector(buffer: Array, *indices: Any) -> Any:
        return buffer[checked(indices, buffer.shape[: len(indices)])].copy()

    return read_vector if isinstance(op.results[0].type, VectorType) else read


def store(op: Operation) -> Callable[..., None]:
    def write(value: Any, buffer: Array, *indices: Any) -> None:
        buffer[checked(indices, buffer.shape[: len(indices)])] = value

    return write


def copy(source: Array, destination: Array) -> None:
    if source.shape != destination.shape:
        raise ValueError(f"a copy of shape {source.shape} to {destination.shape}")
    destination[...] = source


def get_global(op: memref.GetGlobalOp, code: Code) -> Step:
    name, result = op.name_.string_value(), code.slot(op.memref)
    machine = code.machine

    def step(frame: Frame) -> None:
        frame[result] = machine.global_buffer(name)

    return step


# ---- views ----------------------------------------------------------------------------------------------------------------------


def check_shape(type: Attribute, array: Array) -> Array:
    """The array, if its shape fits the type. A cast that asserts what is not so is an error."""
    assert isinstance(type, MemRefType)
    if any(size not in (DYNAMIC_INDEX, given) for size, given in zip(type.get_shape(), array.shape, strict=True)):
        raise ValueError(f"a buffer of shape {array.shape} is not {type}")
    strides, itemsize = type.get_strides(), array.itemsize
    for size, stride, given in zip(array.shape, strides or (), array.strides, strict=True):
        # Strides of a buffer without elements mean nothing; numpy has them at 0.
        if stride is not None and size > 1 and array.size and stride * itemsize != given:
            raise ValueError(f"a buffer of shape {array.shape} and strides {[s // itemsize for s in array.strides]} is not {type}")
    return array


def cast(op: memref.CastOp) -> Callable[[Array], Array]:
    type = op.dest.type
    return lambda array: check_shape(type, array)


def mixed_values(static: Sequence[int], dynamic: Sequence[int]) -> list[int]:
    """Static numbers, and the values of operands where they are dynamic."""
    rest = iter(dynamic)
    return [next(rest) if value == DYNAMIC_INDEX else int(value) for value in static]


def slices(shape: Sequence[int], offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> tuple[slice, ...]:
    """A box as numpy slices. Raises IndexError where it leaves the shape."""
    for dim, (extent, offset, size, stride) in enumerate(zip(shape, offsets, sizes, strides, strict=True)):
        last = offset + (size - 1) * stride
        if size < 0 or (size > 0 and not (0 <= offset < extent and 0 <= last < extent)):
            raise IndexError(f"a slice of {size} elements from {offset} by {stride} leaves dimension {dim} of extent {extent}")
        if stride < 1 and size > 1:
            raise IndexError(f"a slice by {stride} along dimension {dim}")
    return tuple(
        slice(offset, offset + (size - 1) * stride + 1, stride) if size else slice(0, 0)
        for offset, size, stride in zip(offsets, sizes, strides, strict=True)
    )


def slice_reader(op: Any) -> Callable[..., tuple[list[int], list[int], list[int]]]:
    """A function of an op's dynamic operands that gives offsets, sizes and strides."""
    parts = [tuple(attribute.get_values()) for attribute in (op.static_offsets, op.static_sizes, op.static_strides)]
    counts = [part.count(DYNAMIC_INDEX) for part in parts]

    def read(*operands: int) -> tuple[list[int], list[int], list[int]]:
        rest = list(operands)
        values: list[list[int]] = []
        for part, count in zip(parts, counts, strict=True):
            values.append(mixed_values(part, rest[:count]))
            del rest[:count]
        return values[0], values[1], values[2]

    return read


def kept_dimensions(sizes: Sequence[int], reduced: Sequence[int]) -> list[int]:
    """The dimensions of a box that a rank-reduced type keeps. Static extents of 1 are dropped where the type has no place for them."""
    kept: list[int] = []
    to_drop = len(sizes) - len(reduced)
    for dim, size in enumerate(sizes):
        place = len(kept)
        fits = place < len(reduced) and reduced[place] in (size, DYNAMIC_INDEX)
        if size == 1 and to_drop and not (fits and reduced[place] == 1):
            to_drop -= 1
        else:
            kept.append(dim)
    return kept


def subview(op: memref.SubviewOp) -> Callable[..., Array]:
    read, type = slice_reader(op), op.result.type
    static_sizes = tuple(op.static_sizes.get_values())
    kept = kept_dimensions(static_sizes, type.get_shape())

    def view(buffer: Array, *operands: int) -> Array:
        box = slices(buffer.shape, *read(*operands))
        return buffer[tuple(part if dim in kept else part.start for dim, part in enumerate(box))]

    return view


def reinterpret_cast(op: memref.ReinterpretCastOp) -> Callable[..., Array]:
    read = slice_reader(op)

    def view(buffer: Array, *operands: int) -> Array:
        (offset,), sizes, strides = read(*operands)
        flat = buffer_of(buffer)
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if all(sizes) and not (0 <= offset and max(offset, last) < flat.size):
            raise IndexError(f"elements {offset} to {last} of a buffer of {flat.size}")
        return as_strided(flat[offset:], sizes, [stride * flat.itemsize for stride in strides], writeable=flat.flags.writeable)

    return view


def view(op: memref.ViewOp) -> Callable[..., Array]:
    type = op.result.type
    shape, dtype = type.get_shape(), element_dtype(type)

    def make(buffer: Array, shift: int, *dynamic: int) -> Array:
        sizes = mixed_values(shape, dynamic)
        count = prod(sizes) * dtype.itemsize
        if not 0 <= shift <= shift + count <= buffer.shape[0]:
            raise IndexError(f"bytes {shift} to {shift + count} of a buffer of {buffer.shape[0]}")
        return buffer[shift : shift + count].view(dtype).reshape(sizes)

    return make


def expand_shape(op: Any) -> Callable[..., Array]:
    static, groups = tuple(op.static_output_shape.get_values()), groups_of(op.reassociation)

    def view(buffer: Array, *dynamic: int) -> Array:
        shape = mixed_values(static, dynamic)
        for group, size in zip(groups, buffer.shape, strict=True):
            if prod(shape[i] for i in group) != size:
                raise ValueError(f"an extent of {size} is not split into {[shape[i] for i in group]}")
        return buffer.reshape(shape, copy=False)

    return view


def collapse_shape(op: Any) -> Callable[[Array], Array]:
    groups = groups_of(op.reassociation)
    return lambda buffer: buffer.reshape([prod(buffer.shape[i] for i in group) for group in groups], copy=False)


def extract_strided_metadata(buffer: Array) -> tuple[Any, ...]:
    """A memref of rank 0, offset, sizes, strides."""
    root = buffer_of(buffer)
    offset = (buffer.__array_interface__["data"][0] - root.__array_interface__["data"][0]) // buffer.itemsize
    strides = [stride // buffer.itemsize for stride in buffer.strides]
    return (root[:1].reshape(()) if root.size else root.reshape(-1)[:0], offset, *buffer.shape, *strides)


# ---- queries --------------------------------------------------------------------------------------------------------------------


def extent(array: Array, dim: int) -> int:
    return array.shape[checked((dim,), (array.ndim,))[0]]


def to_tensor(array: Array) -> Array:
    return array.copy()


def materialize(op: bufferization.MaterializeInDestinationOp) -> Callable[..., Any]:
    def write(source: Array, destination: Array) -> tuple[Any, ...]:
        if op.results:
            return (source,)
        copy(source, destination)
        return ()

    return write


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    memref.AllocOp: allocate,
    memref.AllocaOp: allocate,
    memref.LoadOp: load,
    memref.StoreOp: store,
    memref.CopyOp: lambda op: copy,
    memref.PrefetchOp: nothing,
    memref.AssumeAlignmentOp: same,
    memref.MemorySpaceCastOp: same,
    TypeCastOp: same,
    memref.CastOp: cast,
    memref.SubviewOp: subview,
    memref.ReinterpretCastOp: reinterpret_cast,
    memref.ViewOp: view,
    memref.ExpandShapeOp: expand_shape,
    memref.CollapseShapeOp: collapse_shape,
    memref.ExtractStridedMetaDataOp: lambda op: extract_strided_metadata,
    memref.DimOp: lambda op: extent,
    memref.RankOp: lambda op: np.ndim,
    bufferization.ToTensorOp: lambda op: to_tensor,
    bufferization.ToBufferOp: lambda op: np.array,
    bufferization.CloneOp: lambda op: np.array,
    bufferization.AllocTensorOp: allocate,
    bufferization.MaterializeInDestinationOp: materialize,
    **DEALLOCATION,
}

CONTROL: dict[type[Operation], Control] = {memref.GetGlobalOp: get_global}
