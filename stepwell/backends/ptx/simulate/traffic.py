"""What a run costs, counted: instructions by name, sectors of global memory by request, bank conflicts of shared memory.

Counting follows NVIDIA's profilers: a request is one instruction of one warp, a sector is 32 bytes, a bank holds 4 bytes and serves one
word of it in a cycle.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP

SECTOR = 32
BANKS = 32
BANK_BYTES = 4


@dataclass
class Traffic:
    """Counters of a launch."""

    instructions: Counter[str] = field(default_factory=Counter[str])
    """Thread instructions, by opcode with its modifiers."""
    global_requests: int = 0
    global_sectors: int = 0
    global_ideal: int = 0
    """Sectors that the same bytes would fill without gaps."""
    shared_requests: int = 0
    shared_cycles: int = 0
    shared_ideal: int = 0
    """Cycles without bank conflicts: one for each 128 bytes of a request."""

    bulk_bytes: int = 0
    """Bytes of global memory that bulk copies moved."""
    tensor_work: Counter[str] = field(default_factory=Counter[str])
    """Multiplications of tensor cores, by the type of A."""
    ctas: int = 0
    touched: Array = field(default_factory=lambda: np.zeros(0, bool))
    """Which sectors of global memory were touched at all."""

    @property
    def distinct_sectors(self) -> int:
        """How many sectors of global memory were touched at all."""
        return int(np.count_nonzero(self.touched))

    def touch(self, first: Array, last: Array) -> None:
        """Notes sectors, from each first to each last."""
        top = int(last.max()) + 1 if last.size else 0
        if top > self.touched.size:
            self.touched = np.concatenate([self.touched, np.zeros(max(top, 2 * self.touched.size) - self.touched.size, bool)])
        for step in range(int((last - first).max(initial=0)) + 1):
            self.touched[np.minimum(first + step, last)] = True

    @property
    def sectors_against_ideal(self) -> float:
        """How much of what global memory moves is asked for: 1 is best."""
        return self.global_ideal / self.global_sectors if self.global_sectors else 1.0

    @property
    def bank_conflicts(self) -> int:
        """Cycles of shared memory beyond the ideal."""
        return self.shared_cycles - self.shared_ideal

    def bulk(self, places: Array, sizes: Array) -> None:
        """Counts bulk copies from or to ranges of global memory."""
        self.bulk_bytes += int(sizes.sum())
        self.touch(places // SECTOR, (places + sizes - 1) // SECTOR)

    def access(self, space: str, place: Array, width: int, warps: Array, write: bool) -> None:
        """Counts an access of threads (of these warps, in order) to `width` bytes at `place` each."""
        if space == "global":
            self._sectors(place, width, warps)
        elif space == "shared":
            self._banks(place, width, warps)

    def _sectors(self, place: Array, width: int, warps: Array) -> None:
        first = place // SECTOR
        pieces = [first, (place + width - 1) // SECTOR] if width > 1 else [first]
        self.touch(pieces[0], pieces[-1])
        touched = np.unique(np.concatenate([warps * (1 << 44) + piece for piece in pieces]))
        asked = np.unique(warps * (1 << 49) + place)
        self.global_requests += np.unique(warps).size
        self.global_sectors += touched.size
        per_warp = np.unique(asked >> 49, return_counts=True)[1]
        self.global_ideal += int((-(-per_warp * width // SECTOR)).sum())

    def _banks(self, place: Array, width: int, warps: Array) -> None:
        """Accesses of 8 and 16 bytes are served in 2 and 4 phases of half and quarter warps."""
        phases = max(width // BANK_BYTES, 1)
        lane_group = np.zeros(place.size, np.int64)
        if phases > 1:
            start = np.r_[0, np.flatnonzero(np.diff(warps)) + 1]
            rank = np.arange(place.size) - np.repeat(start, np.diff(np.r_[start, place.size]))
            lane_group = rank // (WARP // phases)
        request = warps * phases + lane_group
        words = np.concatenate([request * (1 << 40) + (place // BANK_BYTES + part) for part in range(max(width // BANK_BYTES, 1))])
        words = np.unique(words)
        bank = (words >> 40) * BANKS + (words & ((1 << 40) - 1)) % BANKS
        load, count = np.unique(bank, return_counts=True)
        requests, start = np.unique(load // BANKS, return_index=True)
        self.shared_cycles += int(np.maximum.reduceat(count, start).sum())
        self.shared_ideal += requests.size
        self.shared_requests += np.unique(warps).size
