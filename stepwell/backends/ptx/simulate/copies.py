"""Copies that go on while the kernel computes: `cp.async` and its groups (PTX ISA 9.0, section 9.7.9.25).

What is copied arrives as late as the text allows: when the thread that asked for it waits for its group. Until then the destination holds
what it held, so that a wait that is missing, or too lax, shows in the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stepwell.backends.ptx.simulate.access import locate, told
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Step
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave
from stepwell.backends.ptx.syntax import Immediate, Instruction
from stepwell.ir.diagnostics import CompileError


@dataclass
class Pending:
    """One instruction's copies that have not arrived: threads, the group of each, places in shared memory, bytes."""

    lanes: Array
    group: Array
    place: Array
    data: Array


@dataclass
class Copies:
    """The copies of a wave. `group` is the number of the group that each thread fills."""

    group: Array
    pending: list[Pending] = field(default_factory=list[Pending])


def copies_of(wave: Wave) -> Copies:
    """The wave's copies, made when first asked for."""
    if "copies" not in wave.extension:
        wave.extension["copies"] = Copies(np.zeros(wave.lanes, np.int64))
    return wave.extension["copies"]


def _copy(decoder: Decoder, instruction: Instruction) -> Step:
    words = instruction.modifiers
    if words[:1] != ("async",):
        raise CompileError(f"'{instruction.name}' is not simulated")
    if words[1:] == ("commit_group",):
        return _commit
    if words[1:] == ("wait_all",):
        return lambda wave, active: land(wave, active, None)
    if words[1:] == ("wait_group",):
        left = instruction.operands[0]
        if not isinstance(left, Immediate):
            raise CompileError(f"'{instruction.name}' takes a number")
        return lambda wave, active: land(wave, active, left.value)
    if words[1] in ("ca", "cg"):
        return _start(decoder, instruction)
    raise CompileError(f"'{instruction.name}' is not simulated")


def _start(decoder: Decoder, instruction: Instruction) -> Step:
    target, source, size = instruction.operands[:3]
    if not isinstance(size, Immediate) or size.value not in ((16,) if "cg" in instruction.modifiers else (4, 8, 16)):
        raise CompileError(f"'{instruction.name}' copies 4, 8 or 16 bytes, with .cg 16")
    width = size.value
    decoder.granule = min(decoder.granule, 4)
    to, source_of = decoder.address(target), decoder.address(source)
    available = decoder.source(instruction.operands[3], "u32") if len(instruction.operands) > 3 else None

    def step(wave: Wave, active: Mask) -> None:
        copies = copies_of(wave)
        destination = locate(wave, "shared", to(wave), width, active)
        told(wave, "shared", destination.at, width, active, write=True)
        lanes = wave.some(wave.index, active)
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
        copies.pending.append(Pending(lanes, copies.group[lanes], destination.at, data))

    return step


def _commit(wave: Wave, active: Mask) -> None:
    copies_of(wave).group[wave.some(wave.index, active)] += 1


def land(wave: Wave, active: Mask, left: int | None) -> None:
    """What the active threads asked for arrives, but for their last `left` groups; None: everything, in a group or not."""
    copies = copies_of(wave)
    mask = wave.mask(active)
    kept: list[Pending] = []
    for entry in copies.pending:
        done = mask[entry.lanes]
        if left is not None:
            done = done & (entry.group < copies.group[entry.lanes] - left)
        if done.any():
            width = entry.data.shape[1]
            told_race(wave, entry.place[done], width, entry.lanes[done])
            wave.shared.block.data[entry.place[done][:, None] + np.arange(width)] = entry.data[done]
        if not done.all():
            rest = ~done
            kept.append(Pending(entry.lanes[rest], entry.group[rest], entry.place[rest], entry.data[rest]))
    copies.pending = kept


def told_race(wave: Wave, place: Array, width: int, lanes: Array) -> None:
    """Tells the race detector of a write that arrives now."""
    if wave.races is not None:
        wave.races.access(wave, place, width, lanes, write=True)


HANDLERS["cp"] = _copy
