"""TensorProto in, numpy array out. Every claim that the file makes about sizes is checked before memory is asked for.

Weights of a real model arrive as `raw_data` or as external data; both are read when they are asked for and become a read-only view of one
`bytes` object, which `stepwell.ir.constants.dense` takes over without a further copy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from onnx import TensorProto

from stepwell.frontends.onnx.large_tensors import LargeTensors
from stepwell.ir.constants import NARROW_FLOATS, Array
from stepwell.ir.diagnostics import CompileError

MAX_DIMENSION = 2**31 - 1
MAX_BYTES = 2**40
"""No tensor of a model may be larger. It bounds the arithmetic on sizes; whether the machine has the memory is asked later."""

_DTYPES: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
    TensorProto.FLOAT16: np.dtype(np.float16),
    TensorProto.BFLOAT16: np.dtype(ml_dtypes.bfloat16),
    TensorProto.INT8: np.dtype(np.int8),
    TensorProto.INT16: np.dtype(np.int16),
    TensorProto.INT32: np.dtype(np.int32),
    TensorProto.INT64: np.dtype(np.int64),
    TensorProto.UINT8: np.dtype(np.uint8),
    TensorProto.UINT16: np.dtype(np.uint16),
    TensorProto.UINT32: np.dtype(np.uint32),
    TensorProto.UINT64: np.dtype(np.uint64),
    TensorProto.BOOL: np.dtype(np.bool_),
    TensorProto.FLOAT8E4M3FN: np.dtype(ml_dtypes.float8_e4m3fn),
    TensorProto.FLOAT8E4M3FNUZ: np.dtype(ml_dtypes.float8_e4m3fnuz),
    TensorProto.FLOAT8E5M2: np.dtype(ml_dtypes.float8_e5m2),
    TensorProto.FLOAT8E5M2FNUZ: np.dtype(ml_dtypes.float8_e5m2fnuz),
    TensorProto.FLOAT8E8M0: np.dtype(ml_dtypes.float8_e8m0fnu),
    TensorProto.FLOAT6E2M3: np.dtype(ml_dtypes.float6_e2m3fn),
    TensorProto.FLOAT6E3M2: np.dtype(ml_dtypes.float6_e3m2fn),
    TensorProto.FLOAT4E2M1: np.dtype(ml_dtypes.float4_e2m1fn),
    TensorProto.INT4: np.dtype(ml_dtypes.int4),
    TensorProto.UINT4: np.dtype(ml_dtypes.uint4),
    TensorProto.INT2: np.dtype(ml_dtypes.int2),
    TensorProto.UINT2: np.dtype(ml_dtypes.uint2),
}
_ELEMENT_TYPES = {dtype: number for number, dtype in _DTYPES.items()}

# Bits of an element where several share a byte, in raw data and, but for those of 6 bits, in the typed field too.
_PACKED_BITS: dict[int, int] = {
    **dict.fromkeys((TensorProto.FLOAT4E2M1, TensorProto.INT4, TensorProto.UINT4), 4),
    **dict.fromkeys((TensorProto.INT2, TensorProto.UINT2), 2),
    **dict.fromkeys((TensorProto.FLOAT6E2M3, TensorProto.FLOAT6E3M2), 6),
}

# Where the elements stand when they are not raw, and the dtype that the numbers in that field have.
# float16, bfloat16 and narrower floats are stored as bit patterns.
_TYPED_FIELDS: dict[int, tuple[str, type[np.generic]]] = {
    TensorProto.FLOAT: ("float_data", np.float32),
    TensorProto.DOUBLE: ("double_data", np.float64),
    TensorProto.INT64: ("int64_data", np.int64),
    TensorProto.UINT32: ("uint64_data", np.uint64),
    TensorProto.UINT64: ("uint64_data", np.uint64),
}


def quote(name: str) -> str:
    """A name of the model as it stands in a message: quoted, on one line, of bounded length."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


def dtype_of_element(element_type: int, what: str) -> np.dtype[Any]:
    """The dtype of an ONNX element type. `what` names the thing in the message."""
    dtype = _DTYPES.get(element_type)
    if dtype is None:
        known = dict(zip(TensorProto.DataType.values(), TensorProto.DataType.keys(), strict=True))
        raise CompileError(f"{what} has element type {known.get(element_type, element_type)}, which is not supported")
    return dtype


def element_of_dtype(dtype: np.dtype[Any]) -> int:
    """The ONNX element type of a dtype that `dtype_of_element` gives."""
    return _ELEMENT_TYPES[dtype]


def checked_shape(dimensions: Iterable[int], itemsize: int, what: str) -> tuple[int, ...]:
    """The shape as a tuple, refused where a dimension or the whole is absurd."""
    shape = tuple(int(d) for d in dimensions)
    for d in shape:
        if not 0 <= d <= MAX_DIMENSION:
            raise CompileError(f"{what} has dimension {d}, outside 0 to {MAX_DIMENSION}")
    if math.prod(shape) * itemsize > MAX_BYTES:
        raise CompileError(f"{what} of shape {list(shape)} needs {math.prod(shape) * itemsize} bytes, more than the limit of {MAX_BYTES}")
    return shape


@dataclass(frozen=True)
class Origin:
    """Where the contents of tensors are that are not in the ModelProto."""

    folder: Path | None = None
    """Where external data may lie; None if the model came from memory."""
    large: LargeTensors | None = None
    """What was left in the model's file."""


def to_array(tensor: TensorProto, origin: Origin, what: str | None = None) -> Array:
    """The elements of a tensor."""
    what = what or f"tensor {quote(tensor.name)}"
    dtype = dtype_of_element(tensor.data_type, what)
    shape = checked_shape(tensor.dims, dtype.itemsize, what)
    if tensor.HasField("segment"):
        raise CompileError(f"{what} is stored in segments, which is not supported")

    packed = _PACKED_BITS.get(tensor.data_type)
    size = math.prod(shape) * dtype.itemsize if packed is None else -(-math.prod(shape) * packed // 8)
    if tensor.data_location == TensorProto.EXTERNAL:
        raw = _external_bytes(tensor, origin.folder, size, what)
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data if origin.large is None else origin.large.contents(tensor.raw_data)
    else:
        return _from_typed_field(tensor, dtype, shape, what)

    if len(raw) != size:
        raise CompileError(f"{what} of shape {list(shape)} and type {dtype} needs {size} bytes but has {len(raw)}")
    if packed is not None:
        return _unpacked(np.frombuffer(raw, np.uint8), packed, math.prod(shape)).view(dtype).reshape(shape)
    if dtype == np.bool_ and np.frombuffer(raw, np.uint8).max(initial=0) > 1:
        raise CompileError(f"{what} is boolean but holds bytes other than 0 and 1")
    return np.frombuffer(raw, dtype).reshape(shape)


def to_strings(tensor: TensorProto, what: str | None = None) -> Array:
    """The elements of a tensor of strings, as an array of `str` objects."""
    what = what or f"tensor {quote(tensor.name)}"
    shape = checked_shape(tensor.dims, 1, what)
    if len(tensor.string_data) != math.prod(shape):
        raise CompileError(f"{what} of shape {list(shape)} has {len(tensor.string_data)} strings")
    strings = np.empty(len(tensor.string_data), object)
    strings[:] = [text.decode(errors="replace") for text in tensor.string_data]
    return strings.reshape(shape)


def _from_typed_field(tensor: TensorProto, dtype: np.dtype[Any], shape: tuple[int, ...], what: str) -> Array:
    field, stored = _TYPED_FIELDS.get(tensor.data_type, ("int32_data", np.int32))
    numbers = getattr(tensor, field)
    if (packed := _PACKED_BITS.get(tensor.data_type, 8)) < 6:
        count = -(-math.prod(shape) * packed // 8)
        if len(numbers) != count:
            raise CompileError(f"{what} of shape {list(shape)} and type {dtype} needs {count} entries but {field} has {len(numbers)}")
        held = np.fromiter(numbers, np.int32, count).astype(np.uint8)
        return _unpacked(held, packed, math.prod(shape)).view(dtype).reshape(shape)
    if len(numbers) != math.prod(shape):
        raise CompileError(f"{what} of shape {list(shape)} needs {math.prod(shape)} elements but {field} has {len(numbers)}")
    array = np.fromiter(numbers, stored, len(numbers))
    if tensor.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return array.astype(np.uint16).view(dtype).reshape(shape)
    if dtype in NARROW_FLOATS.values():
        return (array.astype(np.uint8) & np.uint8((1 << packed) - 1)).view(dtype).reshape(shape)
    return array.astype(dtype, copy=False).reshape(shape)


def _unpacked(packed: Array, bits: int, count: int) -> Array:
    """Elements of 2, 4 or 6 bits, the first in the lowest bits of a byte (of 6 bits: of three bytes), as one byte each."""
    if bits == 6:
        groups = np.zeros((-(-count // 4), 3), np.uint32)
        groups.reshape(-1)[: packed.size] = packed
        words = groups[:, 0] | groups[:, 1] << 8 | groups[:, 2] << 16
    else:
        words = packed
    per = 4 if bits == 6 else 8 // bits
    fields = np.empty((words.size, per), np.uint8)
    for index in range(per):
        fields[:, index] = words >> words.dtype.type(index * bits) & words.dtype.type((1 << bits) - 1)
    return fields.reshape(-1)[:count]


# ---- external data --------------------------------------------------------------------------------------------------------------


def _external_bytes(tensor: TensorProto, folder: Path | None, size: int, what: str) -> bytes:
    """The bytes that `external_data` points at, in a regular file inside the model's folder, also after links are followed."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None:
        raise CompileError(f"{what} is stored in the file {quote(location)}", hint="load the model from its path, not from bytes")
    path = _confined(folder, location, what)
    offset = _natural(entries.get("offset", "0"), f"the offset of {what}")
    length = _natural(entries.get("length", str(size)), f"the length of {what}")
    if length != size:
        raise CompileError(f"{what} needs {size} bytes but its external data has length {length}")
    with path.open("rb") as file:
        available = os.fstat(file.fileno()).st_size - offset
        if available < length:
            raise CompileError(f"{what} needs bytes {offset} to {offset + length} of {quote(location)}, which has {available + offset}")
        file.seek(offset)
        return file.read(length)


def _confined(folder: Path, location: str, what: str) -> Path:
    parts = Path(location).parts
    if not location or "\0" in location or Path(location).is_absolute() or ".." in parts or "\\" in location or ":" in location:
        raise CompileError(f"{what} names the external file {quote(location)}; it must be a relative path inside the model's folder")
    try:
        root = folder.resolve(strict=True)
        path = (root / location).resolve(strict=True)
    except (OSError, RuntimeError):
        raise CompileError(f"{what} is stored in {quote(location)}, which does not exist beside the model") from None
    if not path.is_relative_to(root):
        raise CompileError(f"{what} is stored in {quote(location)}, a link that leaves the model's folder")
    if not path.is_file():
        raise CompileError(f"{what} is stored in {quote(location)}, which is not a regular file")
    return path


def _natural(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise CompileError(f"{what} is {quote(text)}, not a natural number")
    return int(text)
