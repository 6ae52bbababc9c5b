"""`tensor`: values of shaped type. A tensor is never written: what changes it makes a new array."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Operation

from stepwell.backends.interpreter.machine import Code, Control, Frame, Implementation, Step
from stepwell.backends.interpreter.memory import allocate, extent, kept_dimensions, mixed_values, slice_reader, slices
from stepwell.backends.interpreter.values import checked, element_dtype, shape_of
from stepwell.dialects import tensor
from stepwell.dialects.layouts import groups_of
from stepwell.ir.constants import Array

# ---- elements -------------------------------------------------------------------------------------------------------------------


def extract(op: Operation) -> Callable[..., Any]:

    def read(array: Array, *indices: Any) -> Any:
        return array[checked(indices, array.shape)]

    return read


def insert(op: Operation) -> Callable[..., Array]:
    def write(value: Any, array: Array, *indices: Any) -> Array:
        result = array.copy()
        result[checked(indices, array.shape)] = value
        return result

    return write


def from_elements(op: tensor.FromElementsOp) -> Callable[..., Array]:
    shape, dtype = op.result.type.get_shape(), element_dtype(op.result.type)
    return lambda *elements: np.array(elements, dtype).reshape(shape)


def splat(op: tensor.SplatOp) -> Callable[..., Array]:
    shape, dtype = op.result.type.get_shape(), element_dtype(op.result.type)

    def fill(value: Any, *sizes: int) -> Array:
        return np.full(mixed_values(shape, sizes), value, dtype)

    return fill


# ---- shapes ---------------------------------------------------------------------------------------------------------------------


def cast(op: tensor.CastOp) -> Callable[[Array], Array]:
    shape = shape_of(op.dest.type)

    def check(array: Array) -> Array:
        if any(size not in (DYNAMIC_INDEX, given) for size, given in zip(shape, array.shape, strict=True)):
            raise ValueError(f"a tensor of shape {array.shape} is not {op.dest.type}")
        return array

    return check


def collapse_shape(op: Any) -> Callable[[Array], Array]:
    groups = groups_of(op.reassociation)
    return lambda array: array.reshape([prod(array.shape[i] for i in group) for group in groups])


def expand_shape(op: Any) -> Callable[..., Array]:
    static, groups = tuple(op.static_output_shape.get_values()), groups_of(op.reassociation)

    def expand(array: Array, *dynamic: int) -> Array:
        shape = mixed_values(static, dynamic)
        for group, size in zip(groups, array.shape, strict=True):
            if prod(shape[i] for i in group) != size:
                raise ValueError(f"an extent of {size} is not split into {[shape[i] for i in group]}")
        return array.reshape(shape)

    return expand


def reshape(array: Array, shape: Array) -> Array:
    return array.reshape([int(size) for size in shape])


# ---- slices ---------------------------------------------------------------------------------------------------------------------


def extract_slice(op: tensor.ExtractSliceOp) -> Callable[..., Array]:
    read = slice_reader(op)
    kept = kept_dimensions(tuple(op.static_sizes.get_values()), op.result.type.get_shape())

    def take(array: Array, *operands: int) -> Array:
        box = slices(array.shape, *read(*operands))
        return array[tuple(part if dim in kept else part.start for dim, part in enumerate(box))]

    return take


def insert_slice(op: tensor.InsertSliceOp) -> Callable[..., Array]:
    read = slice_reader(op)

    def put(source: Array, dest: Array, *operands: int) -> Array:
        offsets, sizes, strides = read(*operands)
        result = dest.copy()
        result[slices(dest.shape, offsets, sizes, strides)] = source.reshape(sizes)
        return result

    return put


def concat(op: tensor.ConcatOp) -> Callable[..., Array]:
    dim = op.dim.value.data
    return lambda *arrays: np.concatenate(arrays, dim)


def gather(op: tensor.GatherOp) -> Callable[..., Array]:
    dims = tuple(op.gather_dims.get_values())
    rank, result_rank = len(shape_of(op.source.type)), len(shape_of(op.result.type))

    def take(array: Array, indices: Array) -> Array:
        subscripts = checked([indices[..., k] for k in range(len(dims))], [array.shape[dim] for dim in dims])
        rest = [dim for dim in range(rank) if dim not in dims]
        taken = np.transpose(array, [*dims, *rest])[subscripts]
        if result_rank == indices.ndim - 1 + rank:
            taken = taken.reshape([*indices.shape[:-1], *(1 if dim in dims else array.shape[dim] for dim in range(rank))])
        return taken

    return take


# ---- regions --------------------------------------------------------------------------------------------------------------------


def pad(op: tensor.PadOp, code: Code) -> Step:
    parts = [tuple(attribute.get_values()) for attribute in (op.static_low, op.static_high)]
    source, low, high, result = code.slot(op.source), code.slots(op.low), code.slots(op.high), code.slot(op.result)
    body = code.body(op.region.block)
    constant = op.constant_value() if hasattr(op, "constant_value") else None
    value = code.slot(constant) if constant is not None else None

    def step(frame: Frame) -> None:
        array: Array = frame[source]
        before = mixed_values(parts[0], [frame[slot] for slot in low])
        after = mixed_values(parts[1], [frame[slot] for slot in high])
        if any(amount < 0 for amount in (*before, *after)):
            raise ValueError(f"padding by {before} and {after}")
        shape = [size + a + b for size, a, b in zip(array.shape, before, after, strict=True)]
        inside = tuple(slice(a, a + size) for size, a in zip(array.shape, before, strict=True))
        if value is not None:
            padded = np.full(shape, frame[value], array.dtype)
        else:
            padded = np.empty(shape, array.dtype)
            for point in product(*map(range, shape)):
                body.run_with(frame, *point)
                padded[point] = frame[body.results[0]]
        padded[inside] = array
        frame[result] = padded

    return step


def generate(op: tensor.GenerateOp, code: Code) -> Step:
    static, dtype = op.result.type.get_shape(), element_dtype(op.result.type)
    extents, result = code.slots(op.dynamicExtents), code.slot(op.result)
    body = code.body(op.body.block)

    def step(frame: Frame) -> None:
        array = np.empty(mixed_values(static, [frame[slot] for slot in extents]), dtype)
        for point in product(*map(range, array.shape)):
            body.run_with(frame, *point)
            array[point] = frame[body.results[0]]
        frame[result] = array

    return step


def bitcast(op: tensor.BitcastOp) -> Callable[[Array], Array]:
    dtype = element_dtype(op.dest.type)
    return lambda array: np.ascontiguousarray(array).view(dtype).reshape(array.shape)


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    tensor.EmptyOp: allocate,
    tensor.DimOp: lambda op: extent,
    tensor.ExtractOp: extract,
    tensor.InsertOp: insert,
    tensor.FromElementsOp: from_elements,
    tensor.SplatOp: splat,
    tensor.CastOp: cast,
    tensor.BitcastOp: bitcast,
    tensor.CollapseShapeOp: collapse_shape,
    tensor.ExpandShapeOp: expand_shape,
    tensor.ReshapeOp: lambda op: reshape,
    tensor.ExtractSliceOp: extract_slice,
    tensor.InsertSliceOp: insert_slice,
    tensor.ConcatOp: concat,
    tensor.GatherOp: gather,
}

CONTROL: dict[type[Operation], Control] = {
    tensor.PadOp: pad,
    tensor.GenerateOp: generate,
}
