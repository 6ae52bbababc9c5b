"""`vector`: values of any rank as numpy arrays. Transfers are exact about padding, masks and promises of bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from xdsl.ir import Operation
from xdsl.ir.affine import AffineDimExpr

from stepwell.backends.interpreter import arithmetic
from stepwell.backends.interpreter.machine import Implementation
from stepwell.backends.interpreter.values import checked, element_dtype, is_array, shape_of
from stepwell.dialects import vector
from stepwell.dialects.support import element_of, is_float
from stepwell.dialects.vector.contraction import ContractionOp
from stepwell.dialects.vector.more import DeinterleaveOp, InterleaveOp
from stepwell.ir.constants import Array

Index = tuple[Any, ...]


# ---- transfers ------------------------------------------------------------------------------------------------------------------


class Transfer:
    """Where the elements of a transfer lie, decoded once: for each dimension of the vector the dimension of the source, None for a
    broadcast."""

    def __init__(self, op: Any, shape: Sequence[int]) -> None:
        self.name = op.name
        self.shape = tuple(shape)
        self.dims = [expr.position if isinstance(expr, AffineDimExpr) else None for expr in op.permutation_map.data.results]
        self.in_bounds = [bool(inside) for inside in op.in_bounds]
        walked = sorted(dim for dim in self.dims if dim is not None)
        self.order = [walked.index(dim) for dim in self.dims if dim is not None]
        """The axes of a box of the source in the order of the vector's dimensions."""

    def box(self, source: Array, start: Sequence[int]) -> tuple[tuple[Any, ...], tuple[slice, ...]]:
        """The part that lies inside: as subscripts of the source, and of the vector without its broadcast dimensions."""
        whole: list[Any] = [None] * source.ndim
        parts: list[slice] = []
        for size, dim in zip(self.shape, self.dims, strict=True):
            if dim is None:
                continue
            first, extent = start[dim], source.shape[dim]
            low, high = max(0, -first), min(size, extent - first)
            high = max(high, low)
            parts.append(slice(low, high))
            whole[dim] = slice(max(first + low, 0), max(first + high, 0))
        for dim, part in enumerate(whole):
            if part is None:
                if not 0 <= start[dim] < source.shape[dim]:
                    raise IndexError(f"index {start[dim]} is out of bounds of dimension {dim} of extent {source.shape[dim]}")
                whole[dim] = start[dim]
        return tuple(whole), tuple(parts)

    def masked(self, mask: Array | None) -> Array | None:
        """The mask with the vector's dimensions, those of broadcasts of extent 1."""
        if mask is None:
            return None
        turned = mask.transpose(self.order) if mask.ndim else mask
        return turned.reshape([1 if dim is None else size for size, dim in zip(self.shape, self.dims, strict=True)])

    def check_promises(self, parts: Sequence[slice], mask: Array | None) -> None:
        """Raise IndexError where an element lies outside although `in_bounds` promises otherwise and the mask does not hide it."""
        walked = iter(parts)
        for axis, (size, dim, promised) in enumerate(zip(self.shape, self.dims, self.in_bounds, strict=True)):
            if dim is None:
                continue
            part = next(walked)
            if not promised or (part.start, part.stop) == (0, size):
                continue
            outside = np.ones(size, np.bool_)
            outside[part] = False
            if mask is None or np.any(mask & outside.reshape([-1 if a == axis else 1 for a in range(len(self.shape))])):
                raise IndexError(f"elements outside of dimension {dim}, which in_bounds promises not to be")


def transfer_read(op: vector.TransferReadOp) -> Callable[..., Array]:
    transfer = Transfer(op, op.result.type.get_shape())
    dtype, indices = element_dtype(op.result.type), len(op.indices)
    inner = [size for size, dim in zip(transfer.shape, transfer.dims, strict=True) if dim is not None]
    spread = [1 if dim is None else size for size, dim in zip(transfer.shape, transfer.dims, strict=True)]

    def read(source: Array, *operands: Any) -> Array:
        start, padding, *masks = operands[:indices], operands[indices], *operands[indices + 1 :]
        mask = transfer.masked(masks[0] if masks else None)
        if mask is not None and not mask.any():
            return np.full(transfer.shape, padding, dtype)
        whole, parts = transfer.box(source, start)
        transfer.check_promises(parts, mask)
        result = np.full(inner, padding, dtype)
        result[parts] = source[whole].transpose(transfer.order) if inner else source[whole]
        result = result.reshape(spread)
        if mask is not None:
            result = np.where(mask, result, np.array(padding, dtype))
        return np.broadcast_to(result, transfer.shape)

    return read


def transfer_write(op: vector.TransferWriteOp) -> Callable[..., Any]:
    transfer = Transfer(op, shape_of(op.vector.type))
    indices, functional = len(op.indices), op.result is not None

    def write(value: Array, target: Array, *operands: Any) -> Any:
        mask = transfer.masked(operands[indices] if len(operands) > indices else None)
        target = target.copy() if functional else target
        if mask is None or mask.any():
            whole, parts = transfer.box(target, operands[:indices])
            transfer.check_promises(parts, mask)
            if value.ndim:
                region = target[whole].transpose(transfer.order)
                np.copyto(region, value[parts], where=True if mask is None else mask[parts])
            else:
                target[whole] = value
        return target if functional else None

    return write


# ---- rows -----------------------------------------------------------------------------------------------------------------------


def _rows(base: Array, indices: Sequence[int], shape: Sequence[int], mask: Array | None = None) -> Index:
    """Subscripts of a box at `indices` along the last dimensions. Elements that the mask hides may lie outside; they read element 0."""
    grids = np.indices(shape) if shape else ()
    lead = base.ndim - len(shape)
    subscripts: list[Any] = [*indices[:lead], *(grid + first for grid, first in zip(grids, indices[lead:], strict=True))]
    if mask is not None:
        subscripts = [np.where(mask, subscript, 0) for subscript in subscripts]
    return checked(subscripts, base.shape)


def load(op: vector.LoadOp) -> Callable[..., Array]:
    shape = op.result.type.get_shape()

    def read(base: Array, *indices: int) -> Array:
        return base[_rows(base, indices, shape)]

    return read


def store(op: vector.StoreOp) -> Callable[..., None]:
    def write(value: Array, base: Array, *indices: int) -> None:
        base[_rows(base, indices, value.shape)] = value

    return write


def masked_load(op: vector.MaskedLoadOp) -> Callable[..., Array]:
    def read(base: Array, *operands: Any) -> Array:
        *indices, mask, passed = operands
        if not mask.any():
            return passed
        return np.where(mask, base[_rows(base, indices, mask.shape, mask)], passed)

    return read


def masked_store(op: vector.MaskedStoreOp) -> Callable[..., None]:
    def write(base: Array, *operands: Any) -> None:
        *indices, mask, value = operands
        if mask.any():
            subscripts = np.broadcast_arrays(*_rows(base, indices, mask.shape, mask))
            base[tuple(subscript[mask] for subscript in subscripts)] = value[mask]

    return write


def _scattered(base: Array, offsets: Sequence[int], indices: Array, mask: Array) -> Index:
    subscripts = [np.full(indices.shape, offset) for offset in offsets]
    subscripts[-1] = subscripts[-1] + indices
    return checked([np.where(mask, subscript, 0) for subscript in subscripts], base.shape)


def gather(op: vector.GatherOp) -> Callable[..., Array]:
    def read(base: Array, *operands: Any) -> Array:
        *offsets, indices, mask, passed = operands
        return np.where(mask, base[_scattered(base, offsets, indices, mask)], passed) if mask.any() else passed

    return read


def scatter(op: vector.ScatterOp) -> Callable[..., None]:
    def write(base: Array, *operands: Any) -> None:
        *offsets, indices, mask, value = operands
        subscripts = _scattered(base, offsets, indices, mask) if mask.any() else ()
        for lane in zip(*np.nonzero(mask), strict=True):
            base[tuple(subscript[lane] for subscript in subscripts)] = value[lane]

    return write


# ---- making vectors -------------------------------------------------------------------------------------------------------------


def broadcast(op: vector.BroadcastOp) -> Callable[[Any], Array]:
    shape, dtype = op.vector.type.get_shape(), element_dtype(op.vector.type)
    return lambda value: np.broadcast_to(np.asarray(value, dtype), shape)


def create_mask(op: vector.CreateMaskOp) -> Callable[..., Array]:
    shape = op.mask_vector.type.get_shape()
    lanes = [np.arange(size).reshape([-1 if a == axis else 1 for a in range(len(shape))]) for axis, size in enumerate(shape)]

    def make(*sizes: int) -> Array:
        if not shape:
            return np.array(sizes[0] > 0)
        inside = reduce(np.logical_and, [lane < size for lane, size in zip(lanes, sizes, strict=True)])
        return np.broadcast_to(inside, shape)

    return make


def constant_mask(op: vector.ConstantMaskOp) -> Callable[[], Array]:
    mask = np.zeros(op.mask_vector.type.get_shape(), np.bool_)
    sizes = op.mask_dim_sizes.get_values()
    mask[tuple(slice(0, size) for size in sizes) if mask.ndim else ()] = True if mask.ndim else bool(sizes[0])
    return lambda: mask


def step(op: vector.StepOp) -> Callable[[], Array]:
    lanes = np.arange(op.result.type.get_shape()[0], dtype=np.int64)
    return lambda: lanes


def from_elements(op: vector.FromElementsOp) -> Callable[..., Array]:
    shape, dtype = op.dest.type.get_shape(), element_dtype(op.dest.type)
    return lambda *elements: np.array(elements, dtype).reshape(shape)


def to_elements(value: Array) -> tuple[Any, ...]:
    return tuple(value.reshape(-1))


# ---- combining ------------------------------------------------------------------------------------------------------------------

_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "minsi": np.minimum,
    "maxsi": np.maximum,
    "minnumf": np.fmin,
    "maxnumf": np.fmax,
    "minimumf": arithmetic.minimum,
    "maximumf": arithmetic.maximum,
}


def combiner(kind: str, type: Any) -> Callable[[Any, Any], Any]:
    """The function of a combining kind on elements of this type."""
    dtype = element_dtype(type)
    if dtype == np.bool_ and not is_float(element_of(type)):
        # 1 is -1 where i1 is signed, and addition is exclusive or.
        bits = {"add": "xor", "mul": "and", "minsi": "or", "maxsi": "and", "minui": "and", "maxui": "or"}
        return _COMBINE[bits.get(kind, kind)]
    if kind in ("minui", "maxui"):
        bits_dtype = np.dtype(f"uint{dtype.itemsize * 8}")
        choose = np.minimum if kind == "minui" else np.maximum
        return lambda a, b: choose(np.asarray(a).view(bits_dtype), np.asarray(b).view(bits_dtype)).view(dtype)[()]
    return _COMBINE[kind]


def reduction(op: vector.ReductionOp) -> Callable[..., Any]:
    combine = combiner(op.kind.data, op.vector.type)

    def fold(value: Array, *start: Any) -> Any:
        lanes = list(value.reshape(-1))
        return reduce(combine, [*start, *lanes] if start else lanes)

    return fold


def multi_reduction(op: vector.MultiDimReductionOp) -> Callable[..., Any]:
    combine = combiner(op.kind.data, op.source.type)
    dims = tuple(op.reduction_dims.get_values())

    def fold(value: Array, start: Any) -> Any:
        kept = [dim for dim in range(value.ndim) if dim not in dims]
        lanes = value.transpose([*dims, *kept]).reshape(-1, *(value.shape[dim] for dim in kept))
        return np.asarray(reduce(combine, [start, *lanes]))[()]

    return fold


def contract(op: ContractionOp) -> Callable[..., Any]:
    """The products of all points of the iteration space, summed over the loops that the result does not have, and added to the start."""
    if op.kind.data != "add":
        raise TypeError(f"a contraction that combines by {op.kind.data} is not evaluated")
    lhs, rhs, out = ([e.position for e in map.data.results if isinstance(e, AffineDimExpr)] for map in op.indexing_maps)

    def multiply(a: Array, b: Array, start: Any) -> Any:
        return (np.einsum(a, lhs, b, rhs, out) + start)[()]

    return multiply


def outer_product(op: vector.OuterProductOp) -> Callable[..., Array]:
    kind = op.kind.data
    combine = combiner(kind, op.result.type)
    fused = kind == "add" and is_float(element_of(op.result.type))

    def multiply(lhs: Array, rhs: Any, *start: Array) -> Array:
        left = lhs.reshape(-1, 1) if is_array(rhs) and rhs.ndim else lhs
        if not start:
            return left * rhs
        return arithmetic.fma(np.broadcast_to(left, start[0].shape), rhs, start[0]) if fused else combine(start[0], left * rhs)

    return multiply


# ---- moving elements ------------------------------------------------------------------------------------------------------------


def transpose(op: vector.TransposeOp) -> Callable[[Array], Array]:
    permutation = tuple(op.permutation.get_values())
    return lambda value: value.transpose(permutation)


def shape_cast(op: vector.ShapeCastOp) -> Callable[[Array], Array]:
    shape = op.result.type.get_shape()
    return lambda value: value.reshape(shape)


def bitcast(op: vector.BitcastOp) -> Callable[[Array], Array]:
    shape, dtype = op.result.type.get_shape(), element_dtype(op.result.type)
    return lambda value: np.ascontiguousarray(value).view(dtype).reshape(shape)


def _position(op: Any, source: int) -> Callable[[Sequence[Any]], list[int]]:
    """A function of the operands behind the first `source` that gives the subscripts of a position."""
    places = [index if isinstance(index, int) else None for index in op.mixed_position()]

    def read(operands: Sequence[Any]) -> list[int]:
        dynamic = iter(operands[source:])
        return [next(dynamic) if place is None else place for place in places]

    return read


def extract(op: vector.ExtractOp) -> Callable[..., Any]:
    position = _position(op, 1)
    count = len(op.mixed_position())

    def take(*operands: Any) -> Any:
        value = operands[0]
        return value[checked(position(operands), value.shape[:count])]

    return take


def insert(op: vector.InsertOp) -> Callable[..., Array]:
    position = _position(op, 2)
    count = len(op.mixed_position())

    def put(*operands: Any) -> Array:
        result = np.array(operands[1])
        result[checked(position(operands), result.shape[:count])] = operands[0]
        return result

    return put


def extract_strided_slice(op: vector.ExtractStridedSliceOp) -> Callable[[Array], Array]:
    box = tuple(slice(a.value.data, a.value.data + s.value.data) for a, s in zip(op.offsets, op.sizes, strict=True))
    return lambda value: value[box]


def insert_strided_slice(op: vector.InsertStridedSliceOp) -> Callable[..., Array]:
    offsets = [offset.value.data for offset in op.offsets]
    shape = shape_of(op.source.type)
    sizes = (1,) * (len(offsets) - len(shape)) + tuple(shape)
    box = tuple(slice(offset, offset + size) for offset, size in zip(offsets, sizes, strict=True))

    def put(source: Array, dest: Array) -> Array:
        result = np.array(dest)
        result[box] = source.reshape(sizes)
        return result

    return put


def shuffle(op: vector.ShuffleOp) -> Callable[..., Array]:
    mask = np.array([max(0, lane) for lane in op.mask.get_values()])

    def choose(a: Array, b: Array) -> Array:
        both = np.concatenate([a.reshape(1) if not a.ndim else a, b.reshape(1) if not b.ndim else b])
        return both[mask]

    return choose


def interleave(a: Array, b: Array) -> Array:
    """Element of a, element of b, and so on along the last dimension."""
    both = np.stack([a, b], axis=-1)
    return both.reshape(*a.shape[:-1], -1)


def deinterleave(whole: Array) -> tuple[Array, Array]:
    return whole[..., ::2], whole[..., 1::2]


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    vector.TransferReadOp: transfer_read,
    vector.TransferWriteOp: transfer_write,
    vector.LoadOp: load,
    vector.StoreOp: store,
    vector.MaskedLoadOp: masked_load,
    vector.MaskedStoreOp: masked_store,
    vector.GatherOp: gather,
    vector.ScatterOp: scatter,
    vector.BroadcastOp: broadcast,
    vector.CreateMaskOp: create_mask,
    vector.ConstantMaskOp: constant_mask,
    vector.StepOp: step,
    vector.FromElementsOp: from_elements,
    vector.ToElementsOp: lambda op: to_elements,
    vector.FMAOp: lambda op: arithmetic.fma,
    vector.ReductionOp: reduction,
    vector.MultiDimReductionOp: multi_reduction,
    vector.OuterProductOp: outer_product,
    ContractionOp: contract,
    vector.TransposeOp: transpose,
    vector.ShapeCastOp: shape_cast,
    vector.BitcastOp: bitcast,
    vector.ExtractOp: extract,
    vector.InsertOp: insert,
    vector.ExtractStridedSliceOp: extract_strided_slice,
    vector.InsertStridedSliceOp: insert_strided_slice,
    vector.ShuffleOp: shuffle,
    InterleaveOp: lambda op: interleave,
    DeinterleaveOp: lambda op: deinterleave,
}
