"""`cp.async.bulk`: copies of blocks of bytes that one thread asks for (PTX ISA 9.0, section 9.7.9.25.4).

Copies into shared memory report to an mbarrier and are carried out by `Engine`. Copies out of it belong to groups of the thread that asked:
they read shared memory when a wait of that thread says so, and write global memory when a wait without `.read` does, or at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stepwell.backends.ptx.simulate.access import shared_places
from stepwell.backends.ptx.simulate.copies import BULK
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step
from stepwell.backends.ptx.simulate.engine import Engine, engine_of
from stepwell.backends.ptx.simulate.mbarrier import OBJECT_BYTES, places_of
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import RANK_SHIFT, Mask, Wave
from stepwell.backends.ptx.syntax import Address, Immediate, Instruction, Operand
from stepwell.ir.diagnostics import CompileError

ALIGNMENT = 16
SHARED_WORDS = ("shared::cluster", "shared::cta", "shared")


@dataclass
class Leaving:
    """A copy out of shared memory: `place` and `size` of what it reads, its group, and what writes the bytes. `held` are the bytes."""

    lane: int
    group: int
    place: int
    size: int
    write: Callable[[Array], None]
    held: Array | None = None


class Outbox:
    """Copies out of shared memory of a wave, in the order of asking."""

    def __init__(self, wave: Wave) -> None:
        self.wave = wave
        self.group = np.zeros(wave.lanes, np.int64)
        self.leaving: list[Leaving] = []

    def wait(self, lanes: Array, left: int, reading_only: bool) -> None:
        """These threads go on when but their last `left` groups are done."""
        limit = {lane: int(self.group[lane]) - left for lane in lanes.tolist()}
        kept: list[Leaving] = []
        for copy in self.leaving:
            if copy.group >= limit.get(copy.lane, -1):
                kept.append(copy)
                continue
            self._read(copy)
            if reading_only:
                kept.append(copy)
            elif copy.held is not None:
                copy.write(copy.held)
        self.leaving = kept

    def _read(self, copy: Leaving) -> None:
        if copy.held is None:
            copy.held = self.wave.shared.block.data[copy.place : copy.place + copy.size].copy()
            if (races := self.wave.races) is not None and not (races.merged and copy.place >= races.team_bytes):
                cells = cells_between(races.granule, copy.place, copy.size)
                races.end_read(cells, np.full(cells.size, copy.lane))

    def leave(self, mask: Array) -> None:
        """These threads end. Raises Fault where shared memory would end before it was read."""
        for copy in self.leaving:
            if mask[copy.lane] and copy.held is None:
                byte = copy.place % self.wave.shared.stride
                raise Fault(
                    f"the kernel ends while a copy reads byte {byte} of shared memory; {self.wave.name(copy.lane)} has not waited for it",
                    -1,
                )
        for copy in self.leaving:
            if mask[copy.lane] and copy.held is not None:
                copy.write(copy.held)
        self.leaving = [copy for copy in self.leaving if not mask[copy.lane]]


def cells_between(granule: int, place: int, size: int) -> Array:
    """The granules of a range of bytes."""
    return np.arange(place // granule, -(-(place + size) // granule))


def outbox_of(wave: Wave) -> Outbox:
    """The wave's copies out of shared memory."""
    engine = engine_of(wave)
    if engine.outbox is None:
        engine.outbox = Outbox(wave)
    return engine.outbox


# ---- what both directions need ---------------------------------------------------------------------------------------------------------


@dataclass
class Arrival:
    """A copy into shared memory of one CTA: where to, how much, which mbarrier hears of it."""

    place: int
    size: int
    mbarrier: int


def bring(wave: Wave, lanes: Array, arrivals: list[list[Arrival]], fetch: Callable[[int], Callable[[int], None]]) -> None:
    """Queues copies: for each of `lanes` those of `arrivals` (one for each CTA of a multicast). `fetch(i)` reads the source of the i-th
    and gives what writes it at a place."""
    engine = engine_of(wave)
    flat = [(lane, arrival) for lane, group in zip(lanes.tolist(), arrivals, strict=True) for arrival in group]
    for i, (_, arrival) in enumerate(flat):
        engine.usable(arrival.mbarrier, min(i, lanes.size - 1))
    if (races := wave.races) is not None:
        noted, places = races.of_teams(np.array([lane for lane, _ in flat]), np.array([arrival.place for _, arrival in flat]))
        for i, (lane, place) in enumerate(zip(noted.tolist(), places.tolist(), strict=True)):
            cells = cells_between(races.granule, place, flat[i][1].size)
            races.begin_write(cells, np.full(cells.size, lane), asynchronous=True)

    def finish(some: Array) -> None:
        for number in some.tolist():
            i = int(number)
            write = fetch(i)
            for arrival in arrivals[i]:
                write(arrival.place)
                report(wave, engine, arrival)

    engine.add(lanes, finish)


def report(wave: Wave, engine: Engine, arrival: Arrival) -> None:
    """Bytes have arrived: the mbarrier counts them."""
    races = wave.races
    cells = None
    if races is not None and not (races.merged and arrival.place >= races.team_bytes):
        cells = cells_between(races.granule, arrival.place, arrival.size)
    engine.complete(engine.barrier(arrival.mbarrier, 0), arrival.size, cells)


def destinations(wave: Wave, places: Array, lanes: Array, multicast: Array | None) -> list[list[int]]:
    """Where a copy to `places` goes: there, or to the same place of every CTA whose bit is set."""
    if multicast is None:
        return [[place] for place in places.tolist()]
    found: list[list[int]] = []
    stride = wave.shared.stride
    for i, (place, lane, bits) in enumerate(zip(places.tolist(), lanes.tolist(), multicast.tolist(), strict=True)):
        if bits >> wave.team_ctas:
            raise Fault(f"a multicast to CTA {bits.bit_length() - 1} of a cluster of {wave.team_ctas}", i)
        first = lane // wave.team_lanes * wave.team_ctas
        found.append([(first + rank) * stride + place % stride for rank in range(wave.team_ctas) if bits >> rank & 1])
    return found


def send(wave: Wave, lanes: Array, places: Array, size: int | Array, write: Callable[[int], Callable[[Array], None]]) -> None:
    """Queues copies out of shared memory, one for each of `lanes`; `write(i)` gives what takes the bytes of the i-th."""
    outbox = outbox_of(wave)
    sizes = np.broadcast_to(size, lanes.size)
    if (races := wave.races) is not None:
        noted, begins = races.of_teams(lanes, places)
        for lane, place, count in zip(noted.tolist(), begins.tolist(), sizes.tolist(), strict=False):
            cells = cells_between(races.granule, place, count)
            races.begin_read(cells, np.full(cells.size, lane))
    for i, (lane, place, count) in enumerate(zip(lanes.tolist(), places.tolist(), sizes.tolist(), strict=True)):
        outbox.leaving.append(Leaving(lane, int(outbox.group[lane]), place, count, write(i)))


# ---- instructions ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Words:
    """The modifiers of a bulk copy, sorted: its two state spaces, and what follows the operands."""

    to: str
    source: str
    multicast: bool
    hinted: bool


def words_of(instruction: Instruction, known: set[str]) -> Words:
    """Raises CompileError for what is not simulated."""
    rest = [word for word in instruction.modifiers if word not in ("async", "bulk")]
    spaces = [word for word in rest if word in (*SHARED_WORDS, "global")]
    plain = {*SHARED_WORDS, "global", "mbarrier::complete_tx::bytes", "bulk_group", "multicast::cluster", "L2::cache_hint", *known}
    if unknown := [word for word in rest if word not in plain]:
        raise CompileError(f"'.{unknown[0]}' of '{instruction.name}' is not simulated")
    if len(spaces) != 2:
        raise CompileError(f"'{instruction.name}' does not say where from and where to")
    return Words(spaces[0].split("::")[0], spaces[1].split("::")[0], "multicast::cluster" in rest, "L2::cache_hint" in rest)


def multicast_of(decoder: Decoder, instruction: Instruction, words: Words, at: int) -> Read | None:
    """The mask of CTAs behind the operands."""
    return decoder.source(instruction.operands[at], "u16") if words.multicast else None


def mbarrier_place(wave: Wave, place: int, destination: int) -> int:
    """The mbarrier of a multicast: at the same place of the CTA where the bytes go."""
    stride = wave.shared.stride
    return destination // stride * stride + place % stride


def _bulk(decoder: Decoder, instruction: Instruction) -> Step:
    words = instruction.modifiers[2:]
    if words[:1] in (("commit_group",), ("wait_group",)):
        return _group(instruction, words)
    if words[:1] == ("tensor",):
        return BULK["tensor"](decoder, instruction)
    if words[:1] == ("prefetch",):
        return lambda wave, active: None
    sorted_words = words_of(instruction, set())
    operands = instruction.operands
    if len(operands) < 3:
        raise CompileError(f"'{instruction.name}' has too few operands")
    to, source = decoder.address(operands[0]), decoder.address(operands[1])
    size = decoder.source(operands[2], "u32")
    decoder.granule = min(decoder.granule, ALIGNMENT)
    if sorted_words.to == "global":
        return _outward(to, source, size)
    mbarrier = _mbarrier_operand(decoder, operands, 3)
    multicast = multicast_of(decoder, instruction, sorted_words, 4)
    return _between(to, source, size, mbarrier) if sorted_words.source == "shared" else _inward(to, source, size, mbarrier, multicast)


def _mbarrier_operand(decoder: Decoder, operands: tuple[Operand, ...], at: int) -> Read:
    if len(operands) <= at or not isinstance(operands[at], Address):
        raise CompileError("expected the address of an mbarrier")
    decoder.granule = min(decoder.granule, OBJECT_BYTES)
    return decoder.address(operands[at])


def _sizes(wave: Wave, size: Read, active: Mask) -> Array:
    found = wave.some(size(wave), active).astype(np.int64)
    if (found % ALIGNMENT).any() or (found == 0).any():
        raise Fault("a bulk copy moves a multiple of 16 bytes, and more than none", int(np.argmax((found % ALIGNMENT != 0) | (found == 0))))
    return found


def _shared_ranges(wave: Wave, address: Read, sizes: Array, active: Mask) -> Array:
    """Places of ranges of shared memory: begin and end are checked."""
    whole = np.zeros(wave.lanes, np.int64)
    whole[wave.some(wave.index, active)] = sizes - ALIGNMENT
    given = wave.every(address(wave)).astype(np.uint64)
    shared_places(wave, given + whole.astype(np.uint64), ALIGNMENT, active)
    return shared_places(wave, given, ALIGNMENT, active)


def _global_ranges(wave: Wave, address: Read, sizes: Array, active: Mask) -> Array:
    begins = wave.some(address(wave), active).astype(np.uint64)
    wave.heap.locate(begins + (sizes - ALIGNMENT).astype(np.uint64), ALIGNMENT)
    return wave.heap.locate(begins, ALIGNMENT)


def _inward(to: Read, source: Read, size: Read, mbarrier: Read, multicast: Read | None) -> Step:
    def step(wave: Wave, active: Mask) -> None:
        lanes, sizes = wave.some(wave.index, active), _sizes(wave, size, active)
        places, begins = _shared_ranges(wave, to, sizes, active), _global_ranges(wave, source, sizes, active)
        barriers = places_of(wave, mbarrier(wave), active)
        masks = None if multicast is None else wave.some(multicast(wave), active)
        goals = destinations(wave, places, lanes, masks)
        arrivals = [
            [Arrival(goal, int(sizes[i]), mbarrier_place(wave, int(barriers[i]), goal)) for goal in some] for i, some in enumerate(goals)
        ]
        if wave.traffic is not None:
            wave.traffic.bulk(begins, sizes)
        shared, heap = wave.shared.block.data, wave.heap

        def fetch(i: int) -> Callable[[int], None]:
            data = heap.block.data[begins[i] : begins[i] + sizes[i]].copy()

            def write(place: int) -> None:
                shared[place : place + data.size] = data

            return write

        bring(wave, lanes, arrivals, fetch)

    return step


def _between(to: Read, source: Read, size: Read, mbarrier: Read) -> Step:
    """From shared memory of a CTA to that of another of its cluster."""

    def step(wave: Wave, active: Mask) -> None:
        lanes, sizes = wave.some(wave.index, active), _sizes(wave, size, active)
        places, begins = _shared_ranges(wave, to, sizes, active), _shared_ranges(wave, source, sizes, active)
        barriers = places_of(wave, mbarrier(wave), active)
        arrivals = [[Arrival(int(p), int(n), int(m))] for p, n, m in zip(places, sizes, barriers, strict=True)]
        shared = wave.shared.block.data
        if (races := wave.races) is not None:
            races.split()
            for lane, begin, count in zip(lanes.tolist(), begins.tolist(), sizes.tolist(), strict=True):
                cells = cells_between(races.granule, begin, count)
                races.begin_read(cells, np.full(cells.size, lane))

        def fetch(i: int) -> Callable[[int], None]:
            begin, count = int(begins[i]), int(sizes[i])
            data = shared[begin : begin + count].copy()
            if races is not None:
                cells = cells_between(races.granule, begin, count)
                races.end_read(cells, np.full(cells.size, int(lanes[i])))

            def write(place: int) -> None:
                shared[place : place + data.size] = data

            return write

        bring(wave, lanes, arrivals, fetch)

    return step


def _outward(to: Read, source: Read, size: Read) -> Step:
    def step(wave: Wave, active: Mask) -> None:
        lanes, sizes = wave.some(wave.index, active), _sizes(wave, size, active)
        places, begins = _shared_ranges(wave, source, sizes, active), _global_ranges(wave, to, sizes, active)
        if wave.traffic is not None:
            wave.traffic.bulk(begins, sizes)
        heap = wave.heap

        def write(i: int) -> Callable[[Array], None]:
            begin = int(begins[i])

            def take(data: Array) -> None:
                heap.block.data[begin : begin + data.size] = data

            return take

        send(wave, lanes, places, sizes, write)

    return step


def _group(instruction: Instruction, words: tuple[str, ...]) -> Step:
    if words[0] == "commit_group":

        def commit(wave: Wave, active: Mask) -> None:
            outbox_of(wave).group[wave.some(wave.index, active)] += 1

        return commit
    left = instruction.operands[0]
    if not isinstance(left, Immediate):
        raise CompileError(f"'{instruction.name}' takes a number")
    reading_only = words[1:] == ("read",)
    return lambda wave, active: outbox_of(wave).wait(wave.some(wave.index, active), left.value, reading_only)


def _map_address(decoder: Decoder, instruction: Instruction) -> Step:
    """`mapa`: the address that a shared address has in another CTA of the cluster."""
    kind = instruction.modifiers[-1]
    place = decoder.target(instruction.operands[0], kind)
    source, rank = decoder.source(instruction.operands[1], kind), decoder.source(instruction.operands[2], "u32")

    def step(wave: Wave, active: Mask) -> None:
        address, number = source(wave), rank(wave)
        if (wave.some(number, active) >= wave.team_ctas).any():
            raise Fault(f"'mapa' asks for a CTA outside of its cluster of {wave.team_ctas}", 0)
        wide = address.dtype.type
        own = address & ~wide(0xFF << RANK_SHIFT)
        place.put(wave, own | ((number + np.uint32(1)).astype(wide) << wide(RANK_SHIFT)), active)

    return step


def _get_rank(decoder: Decoder, instruction: Instruction) -> Step:
    """`getctarank`: which CTA of the cluster a shared address belongs to."""
    kind = instruction.modifiers[-1]
    place, source = decoder.target(instruction.operands[0], "u32"), decoder.source(instruction.operands[1], kind)

    def step(wave: Wave, active: Mask) -> None:
        rank = ((source(wave) >> source(wave).dtype.type(RANK_SHIFT)) & source(wave).dtype.type(0xFF)).astype(np.uint32)
        own = (wave.cta % wave.team_ctas).astype(np.uint32)
        place.put(wave, np.where(rank > 0, rank - np.uint32(1), own), active)

    return step


BULK["bulk"] = _bulk
HANDLERS.update({"mapa": _map_address, "getctarank": _get_rank})
