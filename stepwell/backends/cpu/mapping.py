"""Weights in memory: files of the cache, mapped one behind the other as if they were one.

Programs of one model for several shapes have the same large weights, and small constants of their own. Each program wants one block, which
the operating system can make of two files, but Python's `mmap` cannot.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from stepwell.backends.cpu.cache import ObjectCache
from stepwell.backends.cpu.image import WeightsBlob

_MAP_SHARED, _MAP_PRIVATE, _MAP_FIXED = 1, 2, 0x10
_MAP_ANONYMOUS = 0x20 if sys.platform == "linux" else 0x1000
_PROT_READ = 1
_FAILED = ctypes.c_void_p(-1).value


def map_weights(store: ObjectCache, blob: WeightsBlob, *, checked: bool = False) -> Any:
    """The weights as read-only memory, None where the cache has them no more. `checked`: that they are what was written is known."""
    checksums = [None if checked else part.checksum for part in blob.parts]
    maps = [store.map_blob(part.key, part.size, checksum) for part, checksum in zip(blob.parts, checksums, strict=True)]
    if any(mapped is None for mapped in maps) or len(maps) == 1:
        return maps[0] if len(maps) == 1 else None
    return map_together([(store.blob_path(part.key), part.size) for part in blob.parts]) if can_map_together() else None


def are_kept(store: ObjectCache, blob: WeightsBlob) -> bool:
    """Whether the cache has the weights, or there are none."""
    return not blob.size or all(store.blob_path(part.key) is not None for part in blob.parts)


def can_map_together() -> bool:
    """Whether the system can do it."""
    return sys.platform in ("linux", "darwin")


@cache
def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc


def map_together(files: Sequence[tuple[Path | None, int]]) -> Any:
    """Read-only memory with the contents of files, each given with its size; all but the last must fill whole pages. None where a file is
    gone, has another size, or cannot be mapped.
    """
    total = sum(size for _, size in files)
    if any(path is None or not size for path, size in files) or any(size % mmap.PAGESIZE for _, size in files[:-1]):
        return None
    libc = _libc()
    address = libc.mmap(None, total, _PROT_READ, _MAP_PRIVATE | _MAP_ANONYMOUS, -1, 0)
    if address in (None, _FAILED):
        return None

    class Block(ctypes.c_ubyte * total):
        """The memory, which is given back when nobody uses it any more."""

    block = Block.from_address(address)
    weakref.finalize(block, libc.munmap, address, total)
    at = address
    for path, size in files:
        assert path is not None
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return None
        try:
            if os.fstat(descriptor).st_size != size:
                return None
            if libc.mmap(at, size, _PROT_READ, _MAP_SHARED | _MAP_FIXED, descriptor, 0) != at:
                return None
        finally:
            os.close(descriptor)
        at += size
    return block
