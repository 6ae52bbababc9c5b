"""Copies of single threads that go on while the kernel computes: `cp.async` and its groups (PTX ISA 9.0, section 9.7.9.25.3).

What is copied arrives as late as the text allows: when the thread that asked for it waits for its group, or when an mbarrier that it will
arrive at is waited for. Until then the destination holds what it held, so that a wait that is missing, or too lax, shows in the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stepwell.backends.ptx.simulate.access import locate, told
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Step
from stepwell.backends.ptx.simulate.engine import engine_of
from stepwell.backends.ptx.simulate.mbarrier import OBJECT_BYTES, places_of
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave
from stepwell.backends.ptx.syntax import Immediate, Instruction
from stepwell.ir.diagnostics import CompileError


@dataclass
class Pending:
    """One instruction's copies that have not arrived: threads, the group of each, places in shared memory, bytes; when it was."""

    lanes: Array
    group: Array
    place: Array
    data: Array
    serial: int


@dataclass
class Copies:
    """The copies of a wave. `group` is the number of the group that each thread fills."""

    group: Array
    pending: list[Pending]
    serial: int = 0


def copies_of(wave: Wave) -> Copies:
    """The wave's copies, made when first asked for."""
    engine = engine_of(wave)
    if engine.copies is None:
        engine.copies = Copies(np.zeros(wave.lanes, np.int64), [])
    return engine.copies


BULK: dict[str, Callable[[Decoder, Instruction], Step]] = {}
"""What decodes `cp.async.bulk` and its groups; a file of its own fills it."""


def _copy(decoder: Decoder, instruction: Instruction) -> Step:
    words = instruction.modifiers
    if words[:1] == ("async",) and len(words) > 1:
        if words[1] == "bulk":
            return BULK["bulk"](decoder, instruction)
        if words[1:] == ("commit_group",):
            return _commit
        if words[1:] == ("wait_all",):
            return lambda wave, active: land(wave, active, None)
        if words[1:] == ("wait_group",):
            left = instruction.operands[0]
            if not isinstance(left, Immediate):
                raise CompileError(f"'{instruction.name}' takes a number")
            return lambda wave, active: land(wave, active, left.value)
        if words[1:3] == ("mbarrier", "arrive"):
            return _arrive(decoder, instruction)
        if words[1] in ("ca", "cg"):
            return _start(decoder, instruction)
    raise CompileError(f"'{instruction.name}' is not simulated")


def _start(decoder: Decoder, instruction: Instruction) -> Step:
    target, source, size = instruction.operands[:3]
    if not isinstance(size, Immediate) or size.value not in ((16,) if "cg" in instruction.modifiers else (4, 8, 16)):
        raise CompileError(f"'{instruction.name}' copies 4, 8 or 16 bytes, with .cg 16")
    width = size.value
    decoder.granule = min(decoder.granule, width)
    to, source_of = decoder.address(target), decoder.address(source)
    hinted = "L2::cache_hint" in instruction.modifiers
    sized = len(instruction.operands) - hinted > 3
    available = decoder.source(instruction.operands[3], "u32") if sized else None

    def step(wave: Wave, active: Mask) -> None:
        copies = copies_of(wave)
        destination = locate(wave, "shared", to(wave), width, active)
        if wave.traffic is not None:
            wave.traffic.access("shared", destination.at, width, wave.some(wave.warp, active), write=True)
        lanes = wave.some(wave.index, active)
        if (races := wave.races) is not None:
            noted, place = races.of_teams(lanes, destination.at, active is None)
            cells = races.cells_of(place, width)
            races.begin_write(cells, np.repeat(noted, cells.size // noted.size), asynchronous=False)
        data = np.zeros((lanes.size, width), np.uint8)
        count = np.full(lanes.size, width) if available is None else np.minimum(wave.some(available(wave), active), np.uint32(width))
        reading = np.zeros(wave.lanes, bool)
        reading[lanes[count > 0]] = True
        if reading.any():
            read = locate(wave, "global", wave.every(source_of(wave)), 4, reading)
            told(wave, "global", read.at, width, reading, write=False)
            rows = np.flatnonzero(count > 0)
            offsets = np.arange(width)
            inside = offsets < count[rows][:, None]
            places = np.where(inside, read.at[:, None] + offsets, read.at[:, None])
            data[rows] = np.where(inside, read.block.data[places], 0)
        copies.serial += 1
        copies.pending.append(Pending(lanes, copies.group[lanes], destination.at, data, copies.serial))

    return step


def _commit(wave: Wave, active: Mask) -> None:
    copies_of(wave).group[wave.some(wave.index, active)] += 1


def land(wave: Wave, active: Mask, left: int | None, before: int | None = None) -> None:
    """What the active threads asked for arrives, but for their last `left` groups; None: everything, in a group or not. With `before`,
    only what was asked for before that serial number."""
    copies = copies_of(wave)
    mask = wave.mask(active)
    kept: list[Pending] = []
    for entry in copies.pending:
        done = mask[entry.lanes] & (before is None or entry.serial <= before)
        if left is not None:
            done = done & (entry.group < copies.group[entry.lanes] - left)
        if done.any():
            width = entry.data.shape[1]
            if (races := wave.races) is not None:
                lanes, place = races.of_teams(entry.lanes[done], entry.place[done])
                cells = races.cells_of(place, width)
                races.end_write(cells, np.repeat(lanes, cells.size // lanes.size))
            wave.shared.block.data[entry.place[done][:, None] + np.arange(width)] = entry.data[done]
        if not done.all():
            rest = ~done
            kept.append(Pending(entry.lanes[rest], entry.group[rest], entry.place[rest], entry.data[rest], entry.serial))
    copies.pending = kept


def _arrive(decoder: Decoder, instruction: Instruction) -> Step:
    """`cp.async.mbarrier.arrive`: an arrival when all that the thread has asked for before is there."""
    counted = "noinc" in instruction.modifiers
    decoder.granule = min(decoder.granule, OBJECT_BYTES)
    address = decoder.address(instruction.operands[0])

    def step(wave: Wave, active: Mask) -> None:
        engine = engine_of(wave)
        lanes, places = wave.some(wave.index, active), places_of(wave, address(wave), active)
        serial = copies_of(wave).serial
        if not counted:
            for i, place in enumerate(places.tolist()):
                engine.barrier(place, i).pending += 1

        def finish(some: Array) -> None:
            land(wave, wave.mask_of(lanes[some]), None, serial)
            ones = np.ones(some.size, np.int64)
            engine.arrive(places[some], lanes[some], ones, ones * 0)

        engine.add(lanes, finish)

    return step


HANDLERS["cp"] = _copy
