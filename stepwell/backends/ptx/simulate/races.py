"""Races in shared memory (the shadow of FastTrack, Flanagan and Freund 2009, over the vector clocks of `clocks`).

Each granule of shared memory remembers its last writer as one word (clock, thread), and its last reader of each warp as one (clock, lane).
Two accesses by different threads, one of them a write, race unless the warp of the later one knows the clock of the earlier one. That the
threads of a warp run in step is no promise: they are ordered by `bar.warp.sync` and by barriers only. A copy or a product that nobody has
waited for is still going on, for the thread that asked for it, too.

As long as all teams of a wave do the same at the same places, the shadow of the first stands for all of them (`split` ends that).
"""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.clocks import Clocks
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave

PENDING = np.uint32(0xFFFFFFFF)
"""The writer of what a copy is still writing."""
SEVERAL = 32
"""In the place of a lane: more than one of the warp."""
LANE_BITS = 6


class Races:
    """The shadow of a wave's shared memory. `granule` is the narrowest access of the kernel, in bytes."""

    def __init__(self, wave: Wave, granule: int) -> None:
        self.wave, self.granule = wave, granule
        self.merged = wave.teams > 1
        self.team_bytes = wave.team_ctas * wave.shared.stride
        self.clocks = Clocks(1 if self.merged else wave.teams, wave.team_lanes, wave.live[: wave.team_lanes])
        self.width, self.warps = wave.team_lanes, wave.team_lanes // WARP
        self.bits = (self.clocks.columns + 1).bit_length()
        self.last_clock = (1 << 32 - max(self.bits, LANE_BITS)) - 4
        cells = self.team_bytes * self.clocks.teams // granule
        self.writer = np.zeros(cells, np.uint32)
        self.reader = np.zeros(cells * self.warps, np.uint32)
        self.reading = np.zeros(cells, np.uint16)
        """How many asynchronous reads of each granule go on."""
        self.busy = 0
        """How many asynchronous reads go on at all."""
        self.atomic: Array | None = None
        """Granules that were last written by atomics, which do not race with each other."""

    # teams

    def of_teams(self, lanes: Array, place: Array, every: bool = False) -> tuple[Array, Array]:
        """The part of an access that is noted: of the first team where all teams do the same, else everything."""
        if not self.merged:
            return lanes, place
        teams = self.wave.teams
        first, rest = divmod(lanes.size, teams)
        if not rest:
            shift = np.arange(teams)[:, None]
            same = every or bool((lanes.reshape(teams, -1) == lanes[:first] + shift * self.width).all())
            if same and (place.reshape(teams, -1) == place[:first] + shift * self.team_bytes).all():
                return lanes[:first], place[:first]
        self.split()
        return lanes, place

    def split(self) -> None:
        """From here on every team has a shadow of its own."""
        if self.merged:
            teams = self.wave.teams
            self.merged = False
            self.clocks = self.clocks.copied(teams)
            self.writer, self.reader = np.tile(self.writer, teams), np.tile(self.reader, teams)
            self.reading = np.tile(self.reading, teams)
            self.atomic = None if self.atomic is None else np.tile(self.atomic, teams)
            if self.wave.engine is not None:
                self.wave.engine.split()

    def _masked(self, mask: Array) -> Array:
        if not self.merged:
            return mask
        rows = mask.reshape(self.wave.teams, -1)
        if (rows == rows[0]).all():
            return rows[0]
        self.split()
        return mask

    # synchronisation

    def meet(self, mask: Array) -> None:
        """These threads have met at a barrier (of a warp, a CTA or a cluster, but all of one team together)."""
        mask = self._masked(mask)
        self.clocks.meet(mask)
        self._rebase()

    def depart(self, mask: Array, before: Array | None) -> Array:
        """These threads arrive at a barrier and go on: what whoever waits there may know, with what others left `before`."""
        mask = self._masked(mask)
        found = self.clocks.depart(mask)
        return found if before is None else np.maximum(found, before)  # one row of `before` serves all teams

    def learn(self, mask: Array, knowledge: Array) -> None:
        """These threads have waited at a barrier where others had left knowledge."""
        mask = self._masked(mask)
        self.clocks.learn(mask, knowledge)

    def meet_by_warp(self, mask: Array) -> None:
        """The threads of each warp have met."""
        mask = self._masked(mask)
        for warp in np.flatnonzero(mask.reshape(-1, WARP).any(1)):
            lanes = np.zeros(mask.size, bool)
            lanes[warp * WARP : (warp + 1) * WARP] = mask[warp * WARP : (warp + 1) * WARP]
            self.clocks.meet(lanes)
        self._rebase()

    def fence(self, active: Mask) -> None:
        """`fence.proxy.async` by the active threads."""
        mask = self._masked(self.wave.mask(active))
        self.clocks.fence(np.flatnonzero(mask))

    def _rebase(self) -> None:
        """Before the clocks outgrow their words everything begins anew; what is not ordered across that instant is not seen."""
        if int(self.clocks.clock.max()) >= self.last_clock:
            self.clocks = Clocks(self.clocks.teams, self.width, self.wave.live[: self.width])
            self.writer[self.writer != PENDING] = 0
            self.reader[:] = 0

    # accesses

    def cells_of(self, place: Array, width: int) -> Array:
        """The granules of accesses, one behind the other."""
        cells = place // self.granule
        parts = max(width // self.granule, 1)
        return cells if parts == 1 else (cells[:, None] + np.arange(parts)).reshape(-1)

    def access(self, place: Array, width: int, active: Mask, write: bool) -> None:
        """Checks and notes an access of the active threads to `width` bytes at `place` each. Raises Fault for the first race."""
        lanes, place = self.of_teams(self.wave.some(self.wave.index, active), place, active is None)
        cells = self.cells_of(place, width)
        if cells.size != lanes.size:
            lanes = np.repeat(lanes, cells.size // lanes.size)
        if write:
            self.check_write(cells, lanes)
            words = self._word(lanes)
            self.writer[cells] = words
            if self.atomic is not None:
                self.atomic[cells] = False
            last = self.writer[cells]
            if (last != words).any():
                at = int(np.argmax(last != words))
                self._report(int(cells[at]), int(lanes[at]), self._thread(int(last[at]), int(lanes[at])), "is written by", True)
        else:
            self.check_read(cells, lanes)
            self.note_read(cells, lanes)

    def update(self, place: Array, width: int, active: Mask) -> None:
        """The same of an atomic access: it races with plain ones only."""
        lanes, place = self.of_teams(self.wave.some(self.wave.index, active), place, active is None)
        cells = self.cells_of(place, width)
        lanes = np.repeat(lanes, cells.size // lanes.size)
        if self.atomic is None:
            self.atomic = np.zeros(self.writer.size, bool)
        plain = ~self.atomic[cells]
        self.check_write(cells, lanes, plain)
        self.writer[cells] = self._word(lanes)
        self.atomic[cells] = True

    def _word(self, lanes: Array) -> Array:
        clock = self.clocks.clock[lanes // WARP]
        return (clock << np.uint32(self.bits)) | (lanes % self.width).astype(np.uint32)

    def note_read(self, cells: Array, lanes: Array) -> None:
        """Each granule is read by a thread now."""
        warps = lanes // WARP
        at = cells * self.warps + warps % self.warps
        now = self.clocks.clock[warps] << np.uint32(LANE_BITS)
        words = now | (lanes % WARP).astype(np.uint32)
        before = self.reader[at]
        self.reader[at] = words
        odd = (self.reader[at] != words) | ((before != words) & (before >= now))
        if odd.any():
            self.reader[at[odd]] = now[odd] | np.uint32(SEVERAL)

    def check_read(self, cells: Array, lanes: Array, what: str = "read") -> None:
        """No write of another thread is unknown to the reader."""
        last = self.writer[cells]
        floor = self.clocks.floor[lanes // WARP] << np.uint32(self.bits)
        late = last >= floor
        if not late.any():
            return
        some = np.flatnonzero(late)
        last, lanes, cells = last[some], lanes[some], cells[some]
        who, clock = self._split_word(last)
        wrong = (last == PENDING) | ((who != lanes % self.width) & (self.clocks.known[lanes // WARP, who] <= clock))
        if wrong.any():
            at = int(np.argmax(wrong))
            pending = last[at] == PENDING
            verb = "is being written by a copy that was not waited for" if pending else "was written by"
            self._report(int(cells[at]), int(lanes[at]), self._thread(int(last[at]), int(lanes[at])), verb, what == "write")

    def check_write(self, cells: Array, lanes: Array, plain: Array | None = None) -> None:
        """No access of another thread is unknown to the writer. `plain`: which granules the last writer counts of."""
        if plain is None:
            self.check_read(cells, lanes, "write")
        elif plain.any():
            self.check_read(cells[plain], lanes[plain], "write")
        if self.busy and self.reading[cells].any():
            at = int(np.argmax(self.reading[cells] > 0))
            self._report(int(cells[at]), int(lanes[at]), -1, "is being read by a copy or a product that was not waited for", True)
        rows = self.reader.reshape(-1, self.warps)[cells]
        floor = self.clocks.floor[lanes // WARP] << np.uint32(LANE_BITS)
        late = rows >= floor[:, None]
        if not late.any():
            return
        place, warp = np.nonzero(late)
        word, lane = rows[place, warp], lanes[place]
        clock, reader = word >> np.uint32(LANE_BITS), (word & np.uint32(63)).astype(np.int64)
        several = reader == SEVERAL
        column = warp * WARP + np.where(several, 0, reader)
        known = self.clocks.known[lane // WARP, column]
        if several.any():
            rest = self.clocks.known[lane[several] // WARP, : self.width].reshape(-1, self.warps, WARP)
            known[several] = rest[np.arange(rest.shape[0]), warp[several]].min(1)
        wrong = (known <= clock) & (several | (column != lane % self.width))
        if wrong.any():
            at = int(np.argmax(wrong))
            row = int(place[at])
            other = -1 if several[at] else int(column[at]) + int(lane[at]) // self.width * self.width
            self._report(int(cells[row]), int(lane[at]), other, "was read by", True)

    def _split_word(self, word: Array) -> tuple[Array, Array]:
        return np.minimum((word & np.uint32((1 << self.bits) - 1)).astype(np.int64), self.clocks.columns - 1), word >> np.uint32(self.bits)

    def _thread(self, word: int, near: int) -> int:
        who = word & ((1 << self.bits) - 1)
        return who + near // self.width * self.width if who < self.width else -1

    # asynchronous accesses

    def check_visible(self, cells: Array, lanes: Array) -> None:
        """What threads wrote and an asynchronous access of `lanes` will touch was made visible to it by a fence."""
        last = self.writer[cells]
        who, clock = self._split_word(last)
        mine = np.minimum(who, self.width - 1)
        lane = mine + lanes // self.width * self.width
        hidden = (last != 0) & (last != PENDING) & (who < self.width) & ~self.clocks.visible(lanes // WARP, lane, clock)
        if hidden.any():
            at = int(np.argmax(hidden))
            self._report(
                int(cells[at]), int(lanes[at]), int(lane[at]), "was written, without fence.proxy.async, by", True, "copy or product"
            )

    def begin_write(self, cells: Array, lanes: Array, asynchronous: bool) -> None:
        """A copy into these granules begins, asked for by `lanes`."""
        self.check_write(cells, lanes)
        if asynchronous:
            self.check_visible(cells, lanes)
        self.writer[cells] = PENDING

    def end_write(self, cells: Array, lanes: Array) -> None:
        """... and is known to have ended, to these threads."""
        self.writer[cells] = self._word(lanes)

    def end_write_at(self, cells: Array, column: int, clock: int) -> None:
        """... and was reported to the mbarrier with this column, in its phase `clock`."""
        self.writer[cells] = np.uint32(clock << self.bits | column)

    def begin_read(self, cells: Array, lanes: Array, generic: bool = False) -> None:
        """An asynchronous read of these (different) granules begins, asked for by `lanes`."""
        self.check_read(cells, lanes)
        if not generic:
            self.check_visible(cells, lanes)
        np.add.at(self.reading, cells, 1)
        self.busy += 1

    def end_read(self, cells: Array, lanes: Array) -> None:
        """... and is known to have ended, to these threads."""
        np.subtract.at(self.reading, cells, 1)
        self.busy -= 1
        self.note_read(cells, lanes)

    def _report(self, cell: int, lane: int, other: int, what: str, write: bool, access: str = "") -> None:
        byte = cell * self.granule % self.wave.shared.stride
        asynchronous = "that was not waited for" in what
        whom = "" if asynchronous else f" {self.wave.name(other)}" if other >= 0 else " several threads"
        before = "" if asynchronous else " with no barrier"
        access = access or ("write" if write else "read")
        if "fence" in what:
            before = ""
        raise Fault(f"race: byte {byte} of shared memory {what}{whom}{before} before this {access} of {self.wave.name(lane)}", -1)
