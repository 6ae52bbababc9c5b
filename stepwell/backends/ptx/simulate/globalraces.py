"""Races in global memory between blocks, if asked for: blocks of a launch are ordered by nothing here, so that one that writes what
another touches races with it, unless both use atomics. Blocks that order themselves by flags in memory are outside of what this can see."""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.memory import Fault, Heap
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave

GRANULE = 4
SEVERAL = -2
NOBODY = -1


class GlobalRaces:
    """Who touched which word of the heap during a launch, by the number of the block. Words narrower than `GRANULE` share a cell: two
    blocks that write neighbouring bytes of it are told apart by nothing, and not reported."""

    def __init__(self, heap: Heap) -> None:
        cells = heap.block.data.size // GRANULE
        self.writer = np.full(cells, NOBODY, np.int32)
        self.reader = np.full(cells, NOBODY, np.int32)
        self.atomic = np.zeros(cells, bool)

    def access(self, wave: Wave, place: Array, width: int, active: Mask, write: bool, atomic: bool = False) -> None:
        """Checks and notes an access. Raises Fault for a race with another block."""
        if width < GRANULE:
            return
        lanes = wave.some(wave.index, active)
        cells = np.broadcast_to(place, lanes.size) // GRANULE
        if width > GRANULE:
            cells = (cells[:, None] + np.arange(width // GRANULE)).reshape(-1)
            lanes = np.repeat(lanes, width // GRANULE)
        block = (wave.first + wave.cta[lanes]).astype(np.int32)
        last = self.writer[cells]
        wrong = (last != NOBODY) & (last != block)
        if atomic:
            wrong &= ~self.atomic[cells]
        if write:
            reader = self.reader[cells]
            wrong |= (reader != NOBODY) & (reader != block)
        if wrong.any():
            at = int(np.argmax(wrong))
            self._report(wave, int(cells[at]) * GRANULE, int(lanes[at]), write)
        if write:
            self.writer[cells] = block
            self.atomic[cells] = atomic
            if not atomic and (self.writer[cells] != block).any():
                at = int(np.argmax(self.writer[cells] != block))
                self._report(wave, int(cells[at]) * GRANULE, int(lanes[at]), write)
        else:
            before = self.reader[cells]
            self.reader[cells] = np.where((before == NOBODY) | (before == block), block, SEVERAL)
            several = self.reader[cells] != block
            if several.any():
                self.reader[cells[several]] = SEVERAL

    def _report(self, wave: Wave, byte: int, lane: int, write: bool) -> None:
        owner = wave.heap.owner_of_place(byte)
        verb = "writes" if write else "reads"
        raise Fault(f"race: {wave.name(lane)} {verb} {owner}, which another block touches in the same launch", -1)
