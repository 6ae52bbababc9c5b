"""Where an array's data lies, quickly.

`array.ctypes.data` builds an object and costs more than the rest of a small call. CPython stores the pointer at a fixed place of every
array object (the first field of `PyArrayObject`), so it can be read in place. A probe checks that at import; where it fails, the slow
way is taken.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stepwell.ir.constants import Array


_OFFSET = object.__basicsize__
_read = ctypes.c_size_t.from_address


def _peek(array: Array) -> int:
    return _read(id(array) + _OFFSET).value


def _ask(array: Array) -> int:
    return int(array.ctypes.data)


def _peek_works() -> bool:
    import sys

    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    probes = [np.arange(7), np.zeros((3, 4), np.float32)[1:], np.array(1.0), np.zeros((0, 3))]
    return all(_peek(probe) == _ask(probe) for probe in probes)


address_of = _peek if _peek_works() else _ask
"""The address of the first element of an array."""

_ALIGNMENT = 64


def aligned_bytes(size: int) -> Array:
    """Uninitialised memory that starts at a multiple of 64."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -address_of(raw) % _ALIGNMENT
    return raw[start : start + size]
