"""What goes on beside the threads: mbarriers, and copies that report to them (PTX ISA 9.0, sections 9.7.13.15 and 9.7.9.25).

An operation of the queue ends as late as the kernel allows: when no thread can go on without it. With a random generator it ends at any
time after it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave

if TYPE_CHECKING:
    from stepwell.backends.ptx.simulate.bulk import Outbox
    from stepwell.backends.ptx.simulate.copies import Copies

MAX_TRANSACTIONS = (1 << 20) - 1
MAX_ARRIVALS = (1 << 20) - 1


@dataclass
class Operation:
    """Copies that one instruction asked for, one for each of `lanes`; `finish` ends those with the given numbers among them."""

    lanes: Array
    finish: Callable[[Array], None]


@dataclass
class Mbarrier:
    """The state of an mbarrier object. `gathered` is what those who arrived know, `released` what whoever waited may know."""

    place: int
    expected: int
    pending: int
    column: int
    owner: int
    """The thread that initialised it, until a fence made that visible to copies; then -1."""
    phase: int = 0
    transactions: int = 0
    gathered: Array | None = None
    released: Array | None = None


class Engine:
    """The asynchronous side of a wave."""

    def __init__(self, wave: Wave) -> None:
        self.wave = wave
        self.queue: list[Operation] = []
        self.barriers: dict[int, Mbarrier] = {}
        """By the place in the wave's shared memory."""
        self.columns: dict[int, int] = {}
        self.waits: dict[int, Mbarrier] = {}
        """What each sleeping thread waits for."""
        self.flips = 0
        self.copies: Copies | None = None
        self.outbox: Outbox | None = None

    # operations

    def add(self, lanes: Array, finish: Callable[[Array], None]) -> None:
        """Puts copies in the queue."""
        self.queue.append(Operation(lanes, finish))

    def advance(self) -> bool:
        """Ends an operation; False where none is left."""
        if not self.queue:
            return False
        random = self.wave.random
        if random is None:
            operation = self.queue.pop(0)
            operation.finish(np.arange(operation.lanes.size))
            return True
        # Any of them, and for any part of the CTAs that asked.
        at = int(random.integers(len(self.queue)))
        operation = self.queue.pop(at)
        chosen = random.random(operation.lanes.size) < 0.5
        chosen[int(random.integers(chosen.size))] = True
        if not chosen.all():
            rest = np.flatnonzero(~chosen)
            finish = operation.finish
            self.queue.append(Operation(operation.lanes[rest], lambda some: finish(rest[some])))
        operation.finish(np.flatnonzero(chosen))
        return True

    def split(self) -> None:
        """The shadow of shared memory is no longer that of the first team alone: nor is what mbarriers know."""
        stride = self.wave.team_ctas * self.wave.shared.stride
        for place, barrier in self.barriers.items():
            first = self.barriers.get(place % stride)
            if first is not None:
                barrier.gathered, barrier.released = first.gathered, first.released

    # mbarriers

    def initialise(self, places: Array, counts: Array, lanes: Array) -> None:
        """`mbarrier.init` of these threads."""
        from stepwell.backends.ptx.simulate.clocks import MBARRIERS

        for i, (place, count, lane) in enumerate(zip(places.tolist(), counts.tolist(), lanes.tolist(), strict=True)):
            if not 1 <= count <= MAX_ARRIVALS:
                raise Fault(f"an mbarrier takes from 1 to {MAX_ARRIVALS} arrivals, not {count}", i)
            relative = place % (self.wave.team_ctas * self.wave.shared.stride)
            column = self.columns.setdefault(relative, len(self.columns) % MBARRIERS)
            self.barriers[place] = Mbarrier(place, count, count, self.wave.team_lanes + column, lane)

    def invalidate(self, places: Array) -> None:
        """`mbarrier.inval`."""
        for i, place in enumerate(places.tolist()):
            self.barrier(place, i)
            del self.barriers[place]

    def barrier(self, place: int, number: int) -> Mbarrier:
        """The mbarrier at a place. Raises Fault, for the thread with this number among those asking, where there is none."""
        found = self.barriers.get(place)
        if found is None:
            raise Fault(f"there is no mbarrier at byte {place % self.wave.shared.stride} of shared memory", number)
        return found

    def fenced(self, active: Mask, whole_cta: bool) -> None:
        """A fence of the active threads: what they initialised (or their CTAs did) can be used by copies."""
        mask = self.wave.mask(active)
        ctas = set(np.unique(self.wave.cta[mask]).tolist()) if whole_cta else set[int]()
        for barrier in self.barriers.values():
            if barrier.owner >= 0 and (mask[barrier.owner] or barrier.owner // self.wave.padded in ctas):
                barrier.owner = -1

    def usable(self, place: int, number: int) -> Mbarrier:
        """The mbarrier that a copy will report to. Raises Fault where its initialisation was not fenced."""
        found = self.barrier(place, number)
        if found.owner >= 0:
            raise Fault(
                f"a copy reports to the mbarrier at byte {place % self.wave.shared.stride} of shared memory, which "
                f"{self.wave.name(found.owner)} initialised without fence.mbarrier_init or fence.proxy.async afterwards",
                number,
            )
        return found

    def arrive(self, places: Array, lanes: Array, counts: Array, transactions: Array, drop: bool = False) -> Array:
        """Arrivals of these threads, each `counts` times, after expecting `transactions` more bytes. Gives the phases they belong to."""
        self._publish(places, lanes)
        phases = np.empty(places.size, np.int64)
        for i, (place, count, more) in enumerate(zip(places.tolist(), counts.tolist(), transactions.tolist(), strict=True)):
            barrier = self.barrier(place, i)
            barrier.transactions += more
            if abs(barrier.transactions) > MAX_TRANSACTIONS:
                raise Fault(f"an mbarrier expects {barrier.transactions} bytes; it can count {MAX_TRANSACTIONS}", i)
            if count > barrier.pending:
                raise Fault(
                    f"{count} arrivals at the mbarrier at byte {place % self.wave.shared.stride} of shared memory, whose phase takes "
                    f"{barrier.pending} more",
                    i,
                )
            phases[i] = barrier.phase
            barrier.pending -= count
            if drop:
                barrier.expected -= count
            self._flip(barrier)
        return phases

    def _publish(self, places: Array, lanes: Array) -> None:
        """What the arriving threads know goes into the mbarriers."""
        races = self.wave.races
        if races is None:
            return
        lanes, places = races.of_teams(lanes, places)
        races.check_read(np.repeat(places // races.granule, 1), lanes)
        for lane, place in zip(lanes.tolist(), places.tolist(), strict=True):
            barrier = self.barrier(place, 0)
            knowledge = races.clocks.publish(lane)
            barrier.gathered = knowledge if barrier.gathered is None else np.maximum(barrier.gathered, knowledge)
        races.clocks.step(np.unique(lanes // 32))

    def _flip(self, barrier: Mbarrier) -> None:
        if barrier.pending or barrier.transactions:
            return
        barrier.phase += 1
        barrier.pending = barrier.expected
        if barrier.gathered is not None:
            barrier.released = barrier.gathered if barrier.released is None else np.maximum(barrier.released, barrier.gathered)
            barrier.gathered = None
        self.flips += 1

    def complete(self, barrier: Mbarrier, size: int, cells: Array | None = None) -> None:
        """`size` bytes of a copy, into these granules, have arrived and are reported to an mbarrier."""
        races = self.wave.races
        if races is not None and cells is not None:
            clock = barrier.phase + 1
            races.end_write_at(cells, barrier.column, clock)
            knowledge = np.zeros(races.clocks.columns, np.uint32)
            knowledge[barrier.column] = clock + 1
            barrier.gathered = knowledge if barrier.gathered is None else np.maximum(barrier.gathered, knowledge)
        barrier.transactions -= size
        if abs(barrier.transactions) > MAX_TRANSACTIONS:
            raise Fault("more bytes arrive at an mbarrier than it can count", -1)
        self._flip(barrier)

    def test(self, places: Array, lanes: Array, wanted: Array, parity: bool) -> Array:
        """Which of these threads find their phase complete (given by number, or by parity); the others will sleep."""
        races = self.wave.races
        if races is not None:
            noted_lanes, noted_places = races.of_teams(lanes, places)
            races.check_read(noted_places // races.granule, noted_lanes)
        done = np.empty(places.size, bool)
        for i, (place, phase, lane) in enumerate(zip(places.tolist(), wanted.tolist(), lanes.tolist(), strict=True)):
            barrier = self.barrier(place, i)
            done[i] = barrier.phase & 1 != phase & 1 if parity else barrier.phase > phase
            if not done[i]:
                self.waits[lane] = barrier
        if races is not None and done.any():
            self._join(places[done], lanes[done])
        return done

    def _join(self, places: Array, lanes: Array) -> None:
        races = self.wave.races
        assert races is not None
        lanes, places = races.of_teams(lanes, places)
        for warp, place in np.unique(np.stack([lanes // 32, places], 1), axis=0).tolist():
            released = self.barrier(place, 0).released
            if released is not None:
                races.clocks.join(warp, released)

    def sleepers(self, lane: int) -> str:
        """What a thread waits for, for an error."""
        barrier = self.waits.get(lane)
        if barrier is None:
            return "nothing that will happen"
        return (
            f"the mbarrier at byte {barrier.place % self.wave.shared.stride} of shared memory, whose phase {barrier.phase} lacks "
            f"{barrier.pending} arrivals and {barrier.transactions} bytes"
        )


def engine_of(wave: Wave) -> Engine:
    """The wave's engine, made when first asked for."""
    if wave.engine is None:
        wave.engine = Engine(wave)
    return wave.engine
