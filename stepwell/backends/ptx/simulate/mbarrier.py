"""`mbarrier.*` and the fences that go with it: how they are written (PTX ISA 9.0, section 9.7.13.15). A wait that fails puts the thread to
sleep until a phase ends somewhere (`Run`), whatever it does with the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.access import shared_places
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step, Target
from stepwell.backends.ptx.simulate.engine import Engine, engine_of
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave
from stepwell.backends.ptx.syntax import Immediate, Instruction, Register
from stepwell.ir.diagnostics import CompileError

OBJECT_BYTES = 8
ORDERS = {"release", "acquire", "relaxed", "cta", "cluster", "shared", "shared::cta", "shared::cluster", "b64"}
"""Modifiers that change nothing here."""


def places_of(wave: Wave, address: Any, active: Mask) -> Array:
    """Places of the mbarriers whose addresses the active threads hold."""
    return shared_places(wave, address, OBJECT_BYTES, active)


def _object(decoder: Decoder, instruction: Instruction, number: int, flags: set[str]) -> Read:
    for word in instruction.modifiers[1:]:
        if word not in ORDERS and word not in flags:
            raise CompileError(f"'.{word}' of '{instruction.name}' is not simulated")
    decoder.granule = min(decoder.granule, OBJECT_BYTES)
    return decoder.address(instruction.operands[number])


def _number(decoder: Decoder, instruction: Instruction, at: int, default: int, kind: str = "u32") -> Read:
    return decoder.source(instruction.operands[at] if len(instruction.operands) > at else Immediate(default), kind)


def _initialise(decoder: Decoder, instruction: Instruction) -> Step:
    address, count = _object(decoder, instruction, 0, set()), _number(decoder, instruction, 1, 1)

    def step(wave: Wave, active: Mask) -> None:
        places = places_of(wave, address(wave), active)
        if wave.races is not None:
            wave.races.access(places, OBJECT_BYTES, active, write=True)
        wave.shared.block.views[8][places // 8] = 0
        engine_of(wave).initialise(places, wave.some(count(wave), active).astype(np.int64), wave.some(wave.index, active))

    return step


def _invalidate(decoder: Decoder, instruction: Instruction) -> Step:
    address = _object(decoder, instruction, 0, set())

    def step(wave: Wave, active: Mask) -> None:
        places = places_of(wave, address(wave), active)
        if wave.races is not None:
            wave.races.access(places, OBJECT_BYTES, active, write=True)
        engine_of(wave).invalidate(places)

    return step


def _arrive(decoder: Decoder, instruction: Instruction) -> Step:
    expecting = "expect_tx" in instruction.modifiers
    # `mbarrier.arrive [m]` without a state is written in some dialects of tools.
    at = 0 if not isinstance(instruction.operands[0], Register) else 1
    address = _object(decoder, instruction, at, {"expect_tx", "noComplete"})
    state = decoder.target(instruction.operands[0], "b64") if at else Target(-1, None)
    value = _number(decoder, instruction, at + 1, 0 if expecting else 1)
    drop = instruction.modifiers[0] == "arrive_drop"

    def step(wave: Wave, active: Mask) -> None:
        lanes = wave.some(wave.index, active)
        given = wave.some(value(wave), active).astype(np.int64)
        ones, nothing = np.ones_like(given), np.zeros_like(given)
        phases = engine_of(wave).arrive(
            places_of(wave, address(wave), active), lanes, ones if expecting else given, given if expecting else nothing, drop
        )
        if state.slot >= 0:
            whole = np.zeros(wave.lanes, np.uint64)
            whole[lanes] = phases.astype(np.uint64)
            state.put(wave, whole, active)

    return step


def _transactions(sign: int) -> Callable[[Decoder, Instruction], Step]:
    def build(decoder: Decoder, instruction: Instruction) -> Step:
        address, size = _object(decoder, instruction, 0, set()), _number(decoder, instruction, 1, 0)

        def step(wave: Wave, active: Mask) -> None:
            engine = engine_of(wave)
            sizes = wave.some(size(wave), active).tolist()
            for i, place in enumerate(places_of(wave, address(wave), active).tolist()):
                engine.complete(engine.barrier(place, i), -sign * sizes[i])

        return step

    return build


def _test(decoder: Decoder, instruction: Instruction) -> Step:
    parity = "parity" in instruction.modifiers
    done = decoder.target(instruction.operands[0], "pred")
    address = _object(decoder, instruction, 1, {"parity"})
    wanted = _number(decoder, instruction, 2, 0, "u32" if parity else "b64")

    def step(wave: Wave, active: Mask) -> None:
        lanes = wave.some(wave.index, active)
        phases = wave.some(wanted(wave), active).astype(np.int64)
        found = engine_of(wave).test(places_of(wave, address(wave), active), lanes, phases, parity)
        whole = np.zeros(wave.lanes, bool)
        whole[lanes] = found
        done.put(wave, whole, active)
        if not found.all():
            if wave.asleep is None:
                wave.asleep = np.zeros(wave.lanes, bool)
            wave.asleep[lanes[~found]] = True

    return step


FORMS: dict[str, Callable[[Decoder, Instruction], Step]] = {
    "init": _initialise, "inval": _invalidate, "arrive": _arrive, "arrive_drop": _arrive, "expect_tx": _transactions(1),
    "complete_tx": _transactions(-1), "test_wait": _test, "try_wait": _test,
}  # fmt: skip


def _mbarrier(decoder: Decoder, instruction: Instruction) -> Step:
    form = FORMS.get(instruction.modifiers[0]) if instruction.modifiers else None
    if form is None:
        raise CompileError(f"'{instruction.name}' is not simulated")
    return form(decoder, instruction)


def _fence(decoder: Decoder, instruction: Instruction) -> Step:
    """Accesses of threads take effect at once here, so that only the fences between threads and copies order anything."""
    words = instruction.modifiers
    if words[:2] == ("proxy", "async") or (words[:1] == ("proxy",) and words[1].startswith("async")):
        return _proxy_fence
    if words[:1] == ("mbarrier_init",):
        return lambda wave, active: _fenced(wave, active, whole_cta=False)
    known = {"proxy", "alias", "tensormap::generic", "acquire", "release", "acq_rel", "sc", "cta", "cluster", "gpu", "sys", "gl", "level"}
    if unknown := set(words) - known - {"sync_restrict::shared::cta", "sync_restrict::shared::cluster"}:
        raise CompileError(f"'.{sorted(unknown)[0]}' of '{instruction.name}' is not simulated")
    return lambda wave, active: None


def _fenced(wave: Wave, active: Mask, whole_cta: bool) -> None:
    engine: Engine | None = wave.engine
    if engine is not None:
        engine.fenced(active, whole_cta)


def _proxy_fence(wave: Wave, active: Mask) -> None:
    _fenced(wave, active, whole_cta=True)
    if wave.races is not None:
        wave.races.fence(active)


HANDLERS.update({"mbarrier": _mbarrier, "fence": _fence, "membar": _fence})
