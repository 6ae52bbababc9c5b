"""Between numpy arrays and `dense` attributes, without Python lists.

The payload of a dense attribute is its bytes in row-major order. A splat holds the bytes of **one** element whatever its shape, so that
`dense<0.0> : tensor<4096x4096xf32>` costs four bytes. Element types and numpy dtypes correspond one to one: `i8` is int8, `ui8` is uint8,
`i1` is bool, `index` is int64, `bf16` is `ml_dtypes.bfloat16`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from ml_dtypes import bfloat16
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    BFloat16Type,
    BytesAttr,
    DenseIntOrFPElementsAttr,
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

_ELEMENT_TO_DTYPE: dict[Attribute, np.dtype[Any]] = {
    Float32Type(): np.dtype(np.float32),
    Float64Type(): np.dtype(np.float64),
    Float16Type(): np.dtype(np.float16),
    BFloat16Type(): np.dtype(bfloat16),
    IndexType(): np.dtype(np.int64),
    IntegerType(1): np.dtype(np.bool_),
    **{IntegerType(w): np.dtype(f"int{w}") for w in (8, 16, 32, 64)},
    **{IntegerType(w, Signedness.UNSIGNED): np.dtype(f"uint{w}") for w in (8, 16, 32, 64)},
}
_DTYPE_TO_ELEMENT: dict[np.dtype[Any], Attribute] = {d: t for t, d in _ELEMENT_TO_DTYPE.items() if not isinstance(t, IndexType)}


def dtype_of(element: Attribute) -> np.dtype[Any]:
    """The numpy dtype of an element type. Raises KeyError for a type that has none."""
    return _ELEMENT_TO_DTYPE[element]


def element_type_of(dtype: np.dtype[Any]) -> Attribute:
    """The element type of a numpy dtype. Raises KeyError for a dtype that has none."""
    return _DTYPE_TO_ELEMENT[dtype]


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
    array = np.ascontiguousarray(array)
    raw = array.reshape(-1).view(np.uint8).reshape(-1, array.itemsize) if array.size else None
    if raw is not None and array.size > 1 and bool((raw[-1] == raw[0]).all()) and bool((raw == raw[0]).all()):
        return DenseIntOrFPElementsAttr(type, BytesAttr(raw[0].tobytes()))
    return DenseIntOrFPElementsAttr(type, BytesAttr(_bytes_of(array)))


def _bytes_of(array: Array) -> bytes:
    """The bytes of a contiguous array: a copy, or the very object where the array is a view of a whole `bytes` (weights from a file)."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return owner if isinstance(owner, bytes) and len(owner) == array.nbytes else array.tobytes()


def splat(value: float | bool, type: ShapedType) -> DenseIntOrFPElementsAttr[Any]:
    """`dense<value> : type` in the space of one element."""
    return DenseIntOrFPElementsAttr(type, BytesAttr(np.array(value, dtype_of(type.get_element_type())).tobytes()))


def is_splat(attribute: DenseIntOrFPElementsAttr[Any]) -> bool:
    """Whether the payload is one element."""
    return len(attribute.data.data) == dtype_of(attribute.get_element_type()).itemsize


def array_of(attribute: DenseIntOrFPElementsAttr[Any]) -> Array:
    """A read-only numpy view of the payload, broadcast if it is a splat. Costs nothing."""
    flat = np.frombuffer(attribute.data.data, dtype_of(attribute.get_element_type()))
    shape = attribute.get_shape()
    return np.broadcast_to(flat.reshape(()), shape) if flat.size == 1 else flat.reshape(shape)
