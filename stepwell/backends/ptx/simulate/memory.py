"""Memory of the simulated machine: a heap of allocations for global memory, and one block of bytes for each CTA (shared) or thread
(local).

Addresses are those that a 64-bit GPU would show: global ones start at `GLOBAL`, generic ones of shared and local memory lie in windows of
their own. An access outside every allocation, one that is not aligned, or one that goes over an end raises `Fault`, which names the first
thread. What nobody wrote reads as 0xFF in every byte: NaN as a float.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.values import Array
from stepwell.ir.diagnostics import CompileError

GLOBAL = 0x7A00_0000_0000
SHARED = 0x7B00_0000_0000
LOCAL = 0x7C00_0000_0000
WINDOW = 0x0100_0000_0000
"""Bytes of address space that each of them has."""
GAP = 256
"""Bytes between allocations that belong to nobody."""
NEAR = 1 << 20
"""How far behind an allocation an address is told to be behind it."""
MAX_HEAP = 16 << 30
FRESH = 0xFF


class Fault(Exception):
    """A wrong access; `place` is the first wrong one among the addresses that were looked at, -1 where the message names the thread."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True)
class Allocation:
    """A piece of the heap."""

    address: int
    size: int
    name: str


class Bytes:
    """A block of bytes that is read as integers of any width."""

    def __init__(self, size: int) -> None:
        self.data = np.full(-(-size // 16) * 16, FRESH, np.uint8)
        self.views: dict[int, Array] = {1: self.data}
        for width in (2, 4, 8):
            self.views[width] = self.data.view(np.dtype(f"u{width}"))


class Heap:
    """Global memory. Addresses are handed out in order; what is freed is never handed out again, so that a late access is seen."""

    def __init__(self) -> None:
        self.block = Bytes(1 << 16)
        self.used = 0
        self.starts: list[int] = []
        self.allocations: list[Allocation] = []
        self.freed: dict[int, Allocation] = {}

    def allocate(self, size: int, name: str = "", align: int = 256) -> int:
        """The address of `size` fresh bytes. Raises CompileError where the heap would become too large."""
        if size < 0 or self.used + size + GAP > MAX_HEAP:
            raise CompileError(f"out of memory: {size} bytes asked for, {MAX_HEAP - self.used} left", hint="free allocations")
        start = -(-(self.used + GAP) // max(align, 16)) * max(align, 16)
        self.used = start + size
        if self.used > self.block.data.size:
            larger = Bytes(max(self.used, 2 * self.block.data.size))
            larger.data[: self.block.data.size] = self.block.data
            self.block = larger
        allocation = Allocation(GLOBAL + start, size, name)
        self.starts.append(allocation.address)
        self.allocations.append(allocation)
        return allocation.address

    def free(self, address: int) -> None:
        """Gives an allocation back. Raises CompileError where there is none at the address."""
        place = bisect_right(self.starts, address) - 1
        if place < 0 or self.starts[place] != address:
            raise CompileError(f"no allocation begins at 0x{address:x}")
        self.freed[address] = self.allocations[place]
        del self.starts[place], self.allocations[place]

    def write(self, address: int, content: bytes | Array) -> None:
        """Copies bytes from the host. Raises Fault beyond an allocation."""
        raw = np.frombuffer(content, np.uint8) if isinstance(content, bytes) else np.ascontiguousarray(content).reshape(-1).view(np.uint8)
        start = self._host_range(address, raw.size)
        self.block.data[start : start + raw.size] = raw

    def read(self, address: int, size: int) -> Array:
        """A copy of bytes. Raises Fault beyond an allocation."""
        start = self._host_range(address, size)
        return self.block.data[start : start + size].copy()

    def _host_range(self, address: int, size: int) -> int:
        owner = self.owner(address)
        if owner is None or address + size > owner.address + owner.size:
            raise Fault(self.describe(address, size), 0)
        return address - GLOBAL

    def owner(self, address: int) -> Allocation | None:
        """The allocation that an address lies in."""
        place = bisect_right(self.starts, address) - 1
        if place < 0:
            return None
        found = self.allocations[place]
        return found if address < found.address + found.size or found.size == 0 == address - found.address else None

    def owner_of_place(self, place: int) -> str:
        """What lies at a place of the block, for a message."""
        found = self.owner(place + GLOBAL)
        return f"0x{place + GLOBAL:x}" if found is None else f"byte {place + GLOBAL - found.address} of {_named(found)}"

    def locate(self, address: Any, width: int) -> Array:
        """Places of the bytes at these addresses in the block; all `width` bytes of each lie in one allocation and are aligned."""
        low = int(address.min())
        high = int(address.max()) if address.size > 1 else low
        owner = self.owner(low)
        if owner is None or high + width > owner.address + owner.size:
            self._check_each(address, width)
        check_alignment(address, width)
        return (address - np.uint64(GLOBAL)).astype(np.int64)

    def _check_each(self, address: Array, width: int) -> None:
        flat = np.atleast_1d(address)
        starts = np.array([GLOBAL - 1, *self.starts], np.uint64)
        ends = np.array([0, *(a.address + a.size for a in self.allocations)], np.uint64)
        wrong = flat + np.uint64(width) > ends[np.searchsorted(starts, flat, "right") - 1]
        wrong |= flat < np.uint64(GLOBAL)
        if wrong.any():
            place = int(np.argmax(wrong))
            raise Fault(self.describe(int(flat[place]), width), place)

    def describe(self, address: int, width: int) -> str:
        """Where a wrong address lies, for an error."""
        text = f"{width} bytes at 0x{address:x}"
        for freed in self.freed.values():
            if freed.address <= address < freed.address + freed.size:
                return f"{text}, in {_named(freed)}, which was freed"
        place = bisect_right(self.starts, address) - 1
        if place >= 0 and address - self.allocations[place].address - self.allocations[place].size < NEAR:
            near = self.allocations[place]
            return f"{text}, {address + width - near.address - near.size} bytes over the end of {_named(near)}"
        return f"{text}, which is in no allocation"


def _named(allocation: Allocation) -> str:
    name = f"'{allocation.name}'" if allocation.name else f"the allocation at 0x{allocation.address:x}"
    return f"{name} ({allocation.size} bytes)"


def check_alignment(address: Any, width: int) -> None:
    """Raises Fault for the first address that is no multiple of `width`."""
    if width > 1:
        rest = address & address.dtype.type(width - 1)
        if rest.any():
            place = int(np.argmax(np.atleast_1d(rest) != 0))
            raise Fault(f"{width} bytes at 0x{int(np.atleast_1d(address)[place]):x}, which is not aligned", place)


class Private:
    """Memory of which each of `count` owners (a CTA, a thread) has `size` bytes: shared and local memory."""

    def __init__(self, name: str, count: int, size: int) -> None:
        self.name = name
        self.size = size
        self.stride = -(-max(size, 1) // 128) * 128
        self.block = Bytes(count * self.stride)

    def locate(self, address: Any, width: int, owner: Array) -> Array:
        """Places in the block of the bytes at these addresses of these owners."""
        return self.places(address, width, owner * self.stride, int(address.max()))

    def places(self, address: Any, width: int, base: Array, high: int) -> Array:
        """The same for owners whose memory begins at `base`; `high` is the highest address."""
        if high + width > self.size:
            flat = np.atleast_1d(address)
            place = int(np.argmax(flat > max(self.size - width, -1) if self.size >= width else flat >= 0))
            over = f"{width} bytes at 0x{int(flat[place]):x} of {self.name} memory, of which there are {self.size}"
            raise Fault(over, place)
        check_alignment(address, width)
        return base + (address if address.dtype.itemsize < 8 else address.astype(np.int64))
