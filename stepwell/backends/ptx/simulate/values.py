"""How registers hold values: an array over all threads (or one value for all of them) of the unsigned integer of the register's width,
`bool` for predicates. Arithmetic reads it as the type that an instruction names and writes the bits back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
"""An array over the threads, or a numpy scalar where all threads hold the same."""
Convert = Callable[[Array], Array]

Function = Callable[..., Any]
"""A numpy function of the operands of an instruction."""


def unary(function: Callable[[Array], Any]) -> Function:
    """A function of one operand: like those of two, three, four and any number below, for its parameters to have types."""
    return function


def binary(function: Callable[[Array, Array], Any]) -> Function:
    """A function of two operands."""
    return function


def ternary(function: Callable[[Array, Array, Array], Any]) -> Function:
    """A function of three operands."""
    return function


def quaternary(function: Callable[[Array, Array, Array, Array], Any]) -> Function:
    """A function of four operands."""
    return function


def variadic(function: Callable[[*tuple[Array, ...]], Any]) -> Function:
    """A function of any number of operands."""
    return function


STORAGE: dict[int, Any] = {0: np.bool_, 1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
"""What holds a register of so many bytes; 0 is a predicate."""

POISON: dict[int, Any] = {
    0: np.bool_(True),
    1: np.uint8(0xDB),
    2: np.uint16(0xDBDB),
    4: np.uint32(0xDBDBDBDB),
    8: np.uint64(0xDBDBDBDBDBDBDBDB),
}
"""What a register holds that nothing was written to: as an address it is in no allocation, as a number it stands out."""

NUMPY: dict[str, Any] = {
    "pred": np.bool_,
    **{f"{kind}{8 * size}": STORAGE[size] for kind in "bu" for size in (1, 2, 4, 8)},
    "s8": np.int8, "s16": np.int16, "s32": np.int32, "s64": np.int64,
    "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "tf32": np.float32, "f64": np.float64,
    "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2,
}  # fmt: skip
"""The dtype that an instruction type is computed in, where it is one number."""

PAIRS = {"f16x2": "f16", "bf16x2": "bf16", "u16x2": "u16", "s16x2": "s16", "e4m3x2": "e4m3", "e5m2x2": "e5m2"}
"""Types of two numbers in one register: arrays of them have a last axis of two."""

REGISTER_BYTES = {
    "pred": 0,
    **{t: np.dtype(d).itemsize for t, d in NUMPY.items() if t != "pred"},
    **{p: 2 * np.dtype(NUMPY[t]).itemsize for p, t in PAIRS.items()},
}
"""Bytes of a register of each type; 0 for a predicate."""


def is_float(kind: str) -> bool:
    """Whether a type is of floating-point numbers."""
    return kind[0] == "f" or kind in ("bf16", "bf16x2", "tf32", "e4m3", "e5m2", "e4m3x2", "e5m2x2")


def is_signed(kind: str) -> bool:
    """Whether a type is of signed integers."""
    return kind[0] == "s"


def reader(width: int, kind: str) -> Convert | None:
    """What turns a register of `width` bytes into an array of `kind`; None where nothing needs to be done. Upper bits are dropped."""
    if kind in PAIRS:
        dtype = np.dtype(NUMPY[PAIRS[kind]])
        storage = STORAGE[2 * dtype.itemsize]
        return lambda x: np.ascontiguousarray(x, storage).reshape(-1, 1).view(dtype)
    dtype = np.dtype(NUMPY[kind])
    storage = np.dtype(STORAGE[width])
    if dtype == storage:
        return None
    if kind == "pred" or width == 0:
        raise ValueError(f"a register of type {kind} cannot hold what is read here")
    if dtype.itemsize == width:
        return lambda x: x.view(dtype)
    narrow = STORAGE[dtype.itemsize]
    if dtype.itemsize > width:
        raise ValueError(f"a register of {width} bytes is too small for {kind}")
    return (lambda x: x.astype(narrow)) if dtype == narrow else (lambda x: x.astype(narrow).view(dtype))


def writer(width: int, kind: str) -> Convert | None:
    """What turns an array of `kind` into bits for a register of `width` bytes, extended by the sign where `kind` is signed."""
    if kind in PAIRS:
        storage = STORAGE[REGISTER_BYTES[kind]]
        dtype = np.dtype(NUMPY[PAIRS[kind]])
        return lambda x: np.ascontiguousarray(x, dtype).view(storage)[:, 0]
    dtype = np.dtype(NUMPY[kind])
    storage = np.dtype(STORAGE[width])
    if dtype == storage:
        return None
    if dtype.itemsize == width:
        return lambda x: x.view(storage)
    if dtype.itemsize > width or width == 0 or kind == "pred":
        raise ValueError(f"a register of {width} bytes cannot hold {kind}")
    if is_signed(kind):
        wide = np.dtype(f"i{width}")
        return lambda x: x.astype(wide).view(storage)
    narrow = STORAGE[dtype.itemsize]
    return lambda x: x.view(narrow).astype(storage)


def constant(value: int, float_bits: int, as_float: float, kind: str) -> Any:
    """An immediate operand of an instruction of `kind`, as register bits: a numpy scalar."""
    if kind == "pred":
        return np.bool_(value != 0)
    width = REGISTER_BYTES[kind]
    storage = STORAGE[width]
    if float_bits and kind in ("f32", "f64", "tf32", "f16", "bf16"):
        return np.asarray(as_float, NUMPY[kind]).view(storage)[()]
    return storage(value & ((1 << 8 * width) - 1))
