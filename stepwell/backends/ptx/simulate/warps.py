"""What the threads of a warp do together: shuffles, votes, matches, reductions and the barrier of a warp (PTX ISA 9.0, sections 9.7.9 and
9.7.13).

A thread that an instruction's mask names and that does not take part is a fault: on a GPU it would be waited for, or its value be
undefined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave
from stepwell.backends.ptx.syntax import Immediate, Instruction, Pair
from stepwell.ir.diagnostics import CompileError

BITS = np.uint32(1) << np.arange(WARP, dtype=np.uint32)


def ballot(wave: Wave, predicate: Any) -> Array:
    """For each thread the bits of its warp's threads for which `predicate` is true."""
    rows = wave.every(predicate).reshape(-1, WARP)
    return np.repeat((rows * BITS).sum(1, dtype=np.uint32), WARP)


def check_members(wave: Wave, members: Any, active: Mask, name: str) -> None:
    """Every live thread that the mask of an active thread names is active. A mask may name threads that the block does not have."""
    there = ballot(wave, wave.mask(active))
    missing = wave.every(members) & ~there & ballot(wave, wave.live)
    if active is not None:
        missing = np.where(active, missing, np.uint32(0))
    if missing.any():
        lane = int(np.argmax(missing != 0))
        absent = int(missing[lane])
        raise Fault(f"'{name}' waits for lane {absent.bit_length() - 1} of its warp, which does not take part", lane)


def _shuffle(decoder: Decoder, instruction: Instruction) -> Step:
    mode = next((word for word in instruction.modifiers if word in ("up", "down", "bfly", "idx")), None)
    if mode is None or "sync" not in instruction.modifiers:
        raise CompileError(f"'{instruction.name}' is not simulated", hint="shfl.sync is")
    target, predicate = instruction.operands[0], None
    if isinstance(target, Pair):
        target, predicate = target.first, decoder.target(target.second, "pred")
    place = decoder.target(target, "b32")
    value, by, clamp, members = (decoder.source(o, "b32") for o in instruction.operands[1:5])
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        lane, c = wave.lane, clamp(wave)
        distance = by(wave) & np.uint32(31)
        segment = (c >> np.uint32(8)) & np.uint32(31)
        last = (lane & segment) | (c & np.uint32(31) & ~segment)
        if mode == "up":
            other = lane - distance
            inside = (lane >= distance) & (other.astype(np.int32) >= last.astype(np.int32))
        elif mode == "idx":
            other = (lane & segment) | (distance & ~segment)
            inside = other <= last
        else:
            other = lane + distance if mode == "down" else lane ^ distance
            inside = other <= last
        other = np.where(inside, other, lane)
        source = wave.index - lane + other
        from_idle = ~wave.mask(active)[source] & wave.mask(active)
        if from_idle.any():
            thread = int(np.argmax(from_idle))
            raise Fault(f"'{name}' reads lane {int(other[thread])} of its warp, which does not take part", thread)
        place.put(wave, wave.every(value(wave))[source], active)
        if predicate is not None:
            predicate.put(wave, inside, active)

    return step


def _vote(decoder: Decoder, instruction: Instruction) -> Step:
    words = instruction.modifiers
    if "sync" not in words:
        raise CompileError(f"'{instruction.name}' is not simulated", hint="vote.sync is")
    mode = next(word for word in words if word in ("all", "any", "uni", "ballot"))
    place = decoder.target(instruction.operands[0], "b32" if mode == "ballot" else "pred")
    source = decoder.source(instruction.operands[1], "pred")
    members = decoder.source(instruction.operands[2], "b32")
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        value, there = source(wave), ballot(wave, wave.mask(active))
        yes = ballot(wave, wave.mask(active) & value) & members(wave)
        everyone = there & members(wave)
        found: Any = yes
        if mode == "all":
            found = yes == everyone
        elif mode == "any":
            found = yes != 0
        elif mode == "uni":
            found = (yes == everyone) | (yes == 0)
        place.put(wave, found, active)

    return step


def _match(decoder: Decoder, instruction: Instruction) -> Step:
    together = "all" in instruction.modifiers
    kind = instruction.modifiers[-1]
    target, predicate = instruction.operands[0], None
    if isinstance(target, Pair):
        target, predicate = target.first, decoder.target(target.second, "pred")
    place = decoder.target(target, "b32")
    source, members = decoder.source(instruction.operands[1], kind), decoder.source(instruction.operands[2], "b32")
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        rows = wave.every(source(wave)).reshape(-1, WARP)
        there = wave.mask(active).reshape(-1, WARP)
        same = (rows[:, :, None] == rows[:, None, :]) & there[:, None, :]
        found = (same * BITS).sum(2, dtype=np.uint32).reshape(-1) & members(wave)
        if together:
            everyone = found == (ballot(wave, wave.mask(active)) & members(wave))
            found = np.where(everyone, found, np.uint32(0))
            if predicate is not None:
                predicate.put(wave, everyone, active)
        place.put(wave, found, active)

    return step


REDUCTIONS: dict[str, Callable[..., Array]] = {
    "add": np.add.reduce, "min": np.minimum.reduce, "max": np.maximum.reduce, "and": np.bitwise_and.reduce, "or": np.bitwise_or.reduce,
    "xor": np.bitwise_xor.reduce,
}  # fmt: skip


def _reduce(decoder: Decoder, instruction: Instruction) -> Step:
    operation = next((word for word in instruction.modifiers if word in REDUCTIONS), None)
    kind = instruction.modifiers[-1]
    if operation is None or kind not in ("u32", "s32", "b32"):
        raise CompileError(f"'{instruction.name}' is not simulated")
    place = decoder.target(instruction.operands[0], kind)
    source, members = decoder.source(instruction.operands[1], kind), decoder.source(instruction.operands[2], "b32")
    reduce, name = REDUCTIONS[operation], instruction.name
    limits = np.iinfo(np.int32 if kind == "s32" else np.uint32)
    neutral = {"add": 0, "or": 0, "xor": 0, "and": limits.max if kind != "s32" else -1, "min": limits.max, "max": limits.min}[operation]

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        value = wave.every(source(wave))
        rows = np.where(wave.mask(active), value, value.dtype.type(neutral)).reshape(-1, WARP)
        place.put(wave, np.repeat(reduce(rows, axis=1).astype(value.dtype), WARP), active)

    return step


def _active_mask(decoder: Decoder, instruction: Instruction) -> Step:
    place = decoder.target(instruction.operands[0], "b32")
    return lambda wave, active: place.put(wave, ballot(wave, wave.mask(active)), active)


def _elect(decoder: Decoder, instruction: Instruction) -> Step:
    target = instruction.operands[0]
    if not isinstance(target, Pair):
        raise CompileError(f"'{instruction.name}' has two results")
    lane, predicate = decoder.target(target.first, "b32"), decoder.target(target.second, "pred")
    members: Read = decoder.source(instruction.operands[1], "b32")
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        there = ballot(wave, wave.mask(active)) & members(wave)
        lowest = there & (~there + np.uint32(1))
        leader = np.bitwise_count(lowest - np.uint32(1)).astype(np.uint32)
        lane.put(wave, leader, active)
        predicate.put(wave, leader == wave.lane, active)

    return step


def _warp_barrier(decoder: Decoder, instruction: Instruction) -> Step:
    """`bar.warp.sync`: what the threads of a warp did before is seen by all of it afterwards."""
    if instruction.modifiers[:2] != ("warp", "sync"):
        raise CompileError(f"'{instruction.name}' is not simulated")
    members = decoder.source(instruction.operands[0] if instruction.operands else Immediate(0xFFFFFFFF), "b32")
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        check_members(wave, members(wave), active, name)
        if wave.races is not None:
            wave.races.meet_by_warp(wave.mask(active))

    return step


HANDLERS.update(
    {
        "shfl": _shuffle, "vote": _vote, "match": _match, "redux": _reduce, "activemask": _active_mask, "elect": _elect,
        "bar": _warp_barrier, "barrier": _warp_barrier,
    }
)  # fmt: skip
