"""Races in shared memory, found by vector clocks of warps (Lamport's happens-before; FastTrack of Flanagan and Freund, 2009, for the
shadow).

Every warp has a clock that counts its synchronisations, and knows for every other warp of its CTA up to which clock that one's accesses
happened before its own. Each granule of shared memory remembers its last writer and its last reader as (thread, clock). Two accesses by
different threads, one of them a write, race unless the later warp knows the clock of the earlier access. Inside a warp, threads are
ordered by `bar.warp.sync` and by barriers only: that they run in step is no promise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Wave

NOBODY = -1
SEVERAL = -2
"""More than one reader since the last write; the clock is that of the latest."""
PENDING = np.int64(1) << 60
"""A clock that nobody knows: an asynchronous access that has not been waited for."""


class Races:
    """The shadow of a wave's shared memory. `granule` is the narrowest access of the kernel, in bytes."""

    def __init__(self, wave: Wave, granule: int) -> None:
        self.granule = granule
        cells = wave.shared.block.data.size // granule
        self.writer = np.full(cells, NOBODY, np.int64)
        self.written_at = np.zeros(cells, np.int64)
        self.reader = np.full(cells, NOBODY, np.int64)
        self.read_at = np.zeros(cells, np.int64)
        self.per_cta = wave.padded // WARP
        self.known = np.zeros((wave.warps, self.per_cta), np.int64)
        """[warp, other warp of its CTA]: accesses of the other one before this clock happened before."""
        self.clock = np.ones(wave.warps, np.int64)

    # synchronisation

    def warps_meet(self, warps: Array) -> None:
        """Each of these warps has met itself: what its threads did is known to all of them."""
        own = warps % self.per_cta
        self.known[warps, own] = self.clock[warps] + 1
        self.clock[warps] += 1

    def threads_meet(self, warps: Array) -> None:
        """These warps (of one CTA or of several) have met at a barrier: within a CTA each knows what all of them know."""
        self.warps_meet(warps)
        for cta in np.unique(warps // self.per_cta):
            here = warps[warps // self.per_cta == cta]
            self.known[here] = self.known[here].max(0)

    # accesses

    def access(self, wave: Wave, place: Array, width: int, lanes: Array, write: bool) -> None:
        """Checks and notes an access of `lanes` to `width` bytes at `place` each. Raises Fault for the first race."""
        cells = place // self.granule
        for part in range(max(width // self.granule, 1)):
            self._cells(wave, cells + part, lanes, write)

    def _cells(self, wave: Wave, cells: Array, lanes: Array, write: bool) -> None:
        warps = lanes // WARP
        self._check(wave, cells, lanes, warps, self.writer[cells], self.written_at[cells], "was written by", write)
        if write:
            self._check(wave, cells, lanes, warps, self.reader[cells], self.read_at[cells], "was read by", write)
            self.writer[cells] = lanes
            self.written_at[cells] = self.clock[warps]
            self.reader[cells] = NOBODY
            self._check_same_step(wave, cells, lanes)
            return
        before = self.reader[cells]
        same = (before == lanes) | (before == NOBODY) | self._knows(warps, before, self.read_at[cells])
        self.reader[cells] = np.where(same, lanes, SEVERAL)
        self.read_at[cells] = self.clock[warps]
        shared = self.reader[cells] != lanes
        if shared.any():
            self.reader[cells[shared]] = SEVERAL

    def _knows(self, warps: Array, other: Array, clock: Array) -> Array:
        """Whether each warp knows the access that thread `other` made at `clock`."""
        there = np.maximum(other, 0) // WARP % self.per_cta
        return (other >= 0) & (self.known[warps, there] > clock)

    def _check(self, wave: Wave, cells: Array, lanes: Array, warps: Array, other: Array, clock: Array, what: str, write: bool) -> None:
        if not (other != NOBODY).any():
            return
        known = (other == NOBODY) | (other == lanes) | self._knows(warps, other, clock)
        several = other == SEVERAL
        if several.any():
            known |= several & (self.known[warps].min(1) > clock)
        if not known.all():
            place = int(np.argmin(known))
            self._report(wave, int(cells[place]), int(lanes[place]), int(other[place]), what, write, place)

    def _check_same_step(self, wave: Wave, cells: Array, lanes: Array) -> None:
        last = self.writer[cells]
        if (last != lanes).any():
            place = int(np.argmax(last != lanes))
            self._report(wave, int(cells[place]), int(lanes[place]), int(last[place]), "is written by", True, place)

    def _report(self, wave: Wave, cell: int, lane: int, other: int, what: str, write: bool, place: int) -> None:
        byte = cell * self.granule % wave.shared.stride
        whom = wave.name(other) if other >= 0 else "several threads"
        raise Fault(f"race: byte {byte} of shared memory {what} {whom} with no barrier before this {'write' if write else 'read'}", place)


def note_pending(races: Races, cells: Any) -> None:
    """Marks reads of an asynchronous instruction: no write may follow before they are waited for."""
    races.reader[cells] = SEVERAL
    races.read_at[cells] = PENDING
