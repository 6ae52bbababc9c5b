"""Between numpy arrays and `dense` attributes, without Python lists.

The payload of a dense attribute is its bytes in row-major order. A splat holds the bytes of **one** element whatever its shape, so that
`dense<0.0> : tensor<4096x4096xf32>` costs four bytes. Element types and numpy dtypes correspond one to one: `i8` is int8, `ui8` is uint8,
`i1` is bool, `index` is int64, `bf16` is `ml_dtypes.bfloat16`.

Types of less than a byte take one byte for each element, as in the payloads of MLIR: `i4` and `i2` extended by their sign, the others by
zeros. Arrays from elsewhere (`ml_dtypes` does not extend signs) may hold anything above their bits: whoever reads an element looks at its
bits only.
"""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache
from typing import Any, cast

import ml_dtypes
import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    BFloat16Type,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float4E2M1FNType,
    Float6E2M3FNType,
    Float6E3M2FNType,
    Float8E4M3FNType,
    Float8E4M3FNUZType,
    Float8E5M2FNUZType,
    Float8E5M2Type,
    Float8E8M0FNUType,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute

Array = np.ndarray[Any, np.dtype[Any]]
ShapedType = TensorType[Any] | VectorType[Any] | MemRefType[Any]

DYNAMIC = DYNAMIC_INDEX
"""How `?` stands in a shape: -2^63, as upstream."""

NARROW_FLOATS: dict[type[Attribute], np.dtype[Any]] = {
    Float4E2M1FNType: np.dtype(ml_dtypes.float4_e2m1fn),
    Float6E2M3FNType: np.dtype(ml_dtypes.float6_e2m3fn),
    Float6E3M2FNType: np.dtype(ml_dtypes.float6_e3m2fn),
    Float8E4M3FNType: np.dtype(ml_dtypes.float8_e4m3fn),
    Float8E4M3FNUZType: np.dtype(ml_dtypes.float8_e4m3fnuz),
    Float8E5M2Type: np.dtype(ml_dtypes.float8_e5m2),
    Float8E5M2FNUZType: np.dtype(ml_dtypes.float8_e5m2fnuz),
    Float8E8M0FNUType: np.dtype(ml_dtypes.float8_e8m0fnu),
}
"""The floating-point types of at most a byte. Tensors of them are stored and moved; to compute with them they are converted (`nn.cast`)."""

_NARROW_INTEGERS: dict[Attribute, np.dtype[Any]] = {
    IntegerType(4): np.dtype(ml_dtypes.int4),
    IntegerType(2): np.dtype(ml_dtypes.int2),
    IntegerType(4, Signedness.UNSIGNED): np.dtype(ml_dtypes.uint4),
    IntegerType(2, Signedness.UNSIGNED): np.dtype(ml_dtypes.uint2),
}
_SIGN_EXTENDED = {np.dtype(ml_dtypes.int4): 4, np.dtype(ml_dtypes.int2): 2}

_ELEMENT_TO_DTYPE: dict[Attribute, np.dtype[Any]] = {
    Float32Type(): np.dtype(np.float32),
    Float64Type(): np.dtype(np.float64),
    Float16Type(): np.dtype(np.float16),
    BFloat16Type(): np.dtype(ml_dtypes.bfloat16),
    IndexType(): np.dtype(np.int64),
    IntegerType(1): np.dtype(np.bool_),
    **{IntegerType(w): np.dtype(f"int{w}") for w in (8, 16, 32, 64)},
    **{IntegerType(w, Signedness.UNSIGNED): np.dtype(f"uint{w}") for w in (8, 16, 32, 64)},
    **{kind(): dtype for kind, dtype in NARROW_FLOATS.items()},
    **_NARROW_INTEGERS,
}
_DTYPE_TO_ELEMENT: dict[np.dtype[Any], Attribute] = {d: t for t, d in _ELEMENT_TO_DTYPE.items() if not isinstance(t, IndexType)}


def dtype_of(element: Attribute) -> np.dtype[Any]:
    """The numpy dtype of an element type. Raises KeyError for a type that has none."""
    return _ELEMENT_TO_DTYPE[element]


def element_type_of(dtype: np.dtype[Any]) -> Attribute:
    """The element type of a numpy dtype. Raises KeyError for a dtype that has none."""
    return _DTYPE_TO_ELEMENT[dtype]


def is_narrow(element: Attribute) -> bool:
    """Whether an element type is only stored and moved: `i4 ui4 i2 ui2`, and floats of at most 8 bits."""
    if isinstance(element, IntegerType):
        return 1 < cast(IntegerType, element).width.data < 8
    return type(element) in NARROW_FLOATS


@lru_cache(maxsize=4096)
def tensor_type(shape: tuple[int, ...], element: Attribute) -> TensorType[Any]:
    """A cached tensor type; `DYNAMIC` stands for `?`."""
    return TensorType(element, shape)


def type_of(array: Array) -> TensorType[Any]:
    """The tensor type of a numpy array."""
    return tensor_type(tuple(array.shape), element_type_of(array.dtype))


def dense(array: Array, type: ShapedType | None = None) -> DenseIntOrFPElementsAttr[Any]:
    """A dense attribute that holds the bytes of `array`, a splat where all elements are bitwise equal."""
    type = type or type_of(array)
    if array.dtype in _SIGN_EXTENDED:
        array = _sign_extended(array)
    if array.size > 1 and array[_first(array)].tobytes() == array[_last(array)].tobytes():
        array = np.ascontiguousarray(array)
        if _is_uniform(array):
            array = array[_first(array)]
    return DenseIntOrFPElementsAttr(type, BytesAttr(_bytes_of(array)))


def _sign_extended(array: Array) -> Array:
    """The same small integers, the bits of each byte above its own equal to its sign."""
    spare = 8 - _SIGN_EXTENDED[array.dtype]
    storage = np.array(array, order="C").view(np.int8)
    storage <<= spare
    storage >>= spare
    return storage


_CHUNK = 1 << 16
"""Elements that are worked on at a time, so that what is made of them stays in the cache."""


def _first(array: Array) -> tuple[int, ...]:
    return (0,) * array.ndim


def _last(array: Array) -> tuple[int, ...]:
    return (-1,) * array.ndim


def _is_uniform(array: Array) -> bool:
    """Whether all elements of a contiguous array have the same bits."""
    bits = array.reshape(-1).view(f"u{array.itemsize}")
    return all(bool((bits[i : i + _CHUNK] == bits[0]).all()) for i in range(0, bits.size, _CHUNK))


def _bytes_of(array: Array) -> bytes:
    """The elements in row-major order: one copy, or the very object where the array is a view of a whole `bytes` (weights from a file)."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    if isinstance(owner, bytes) and len(owner) == array.nbytes and array.flags.c_contiguous:
        return owner
    if array.nbytes < _CHUNK or array.flags.c_contiguous:
        return array.tobytes()
    return _written_in_order(array)


def _written_in_order(array: Array) -> bytes:
    """The bytes of a large strided array, without a second copy on the way and at the speed of memory.

    C programs make a `bytes` in two steps: ask for one without contents, fill it before anybody sees it. So does this.
    """
    make: Any = ctypes.pythonapi.PyBytes_FromStringAndSize
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)
    begin: Any = ctypes.pythonapi.PyBytes_AsString
    begin.restype, begin.argtypes = ctypes.c_void_p, (ctypes.py_object,)
    raw = make(None, array.nbytes)
    memory = (ctypes.c_char * array.nbytes).from_address(begin(raw))
    copy_in_tiles(np.ndarray(array.shape, array.dtype, cast(Any, memory)), array)
    return raw


def copy_in_tiles(target: Array, source: Array) -> None:
    """`target[...] = source`, in tiles where the neighbours in `source` are not those in `target`.

    A transposition element by element touches a line of the cache, and often a page, for each. Those of a tile are still there when they
    are touched again.
    """
    rows, columns = 256, 64
    if source.ndim < 2 or abs(source.strides[-1]) <= source.itemsize or source.shape[-1] <= columns:
        target[...] = source
        return
    strides = [abs(stride) if extent > 1 else sys.maxsize for stride, extent in zip(source.strides, source.shape, strict=True)]
    dense = strides.index(min(strides))  # along this dimension the source is read from one element to the next
    for row in range(0, source.shape[dense], rows):
        begin = (*(slice(None),) * dense, slice(row, row + rows), ...)
        into, out_of = target[begin], source[begin]
        for column in range(0, source.shape[-1], columns):
            into[..., column : column + columns] = out_of[..., column : column + columns]


def splat(value: float | bool, type: ShapedType) -> DenseIntOrFPElementsAttr[Any]:
    """`dense<value> : type` in the space of one element."""
    one = np.array(value, dtype_of(type.get_element_type()))
    return DenseIntOrFPElementsAttr(type, BytesAttr((_sign_extended(one) if one.dtype in _SIGN_EXTENDED else one).tobytes()))


def is_splat(attribute: DenseIntOrFPElementsAttr[Any]) -> bool:
    """Whether the payload is one element."""
    return len(attribute.data.data) == dtype_of(attribute.get_element_type()).itemsize


def array_of(attribute: DenseIntOrFPElementsAttr[Any]) -> Array:
    """A read-only numpy view of the payload, broadcast if it is a splat. Costs nothing."""
    flat = np.frombuffer(attribute.data.data, dtype_of(attribute.get_element_type()))
    shape = attribute.get_shape()
    return np.broadcast_to(flat.reshape(()), shape) if flat.size == 1 else flat.reshape(shape)
