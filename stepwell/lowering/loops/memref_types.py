"""The memref types of the ABI, cached: building a memref type costs 50 us."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from xdsl.dialects.builtin import MemRefType, NoneAttr, StridedLayoutAttr
from xdsl.ir import Attribute

from stepwell.ir.constants import DYNAMIC

MemRef = MemRefType[Any]


@lru_cache(maxsize=4096)
def argument_type(shape: tuple[int, ...], element: Attribute) -> MemRef:
    """What a kernel takes for a tensor: any offset, any strides but the last, which is 1."""
    strides = (*(None for _ in shape[1:]), 1) if shape else ()
    return MemRefType(element, shape, StridedLayoutAttr(strides, None))


@lru_cache(maxsize=4096)
def packed_type(shape: tuple[int, ...], element: Attribute) -> MemRef:
    """What a kernel takes for an operand packed in tiles: row-major without gaps, so that strides inside a tile are known."""
    strides: list[int | None] = [1]
    for extent in reversed(shape[1:]):
        strides.insert(0, None if strides[0] is None or extent == DYNAMIC else strides[0] * extent)
    return MemRefType(element, shape, StridedLayoutAttr(strides, None))


@lru_cache(maxsize=4096)
def buffer_type(shape: tuple[int, ...], element: Attribute) -> MemRef:
    """A row-major buffer of its own."""
    return MemRefType(element, shape, NoneAttr())
