"""`mov` and `cvt`: values from register to register, packed, unpacked and converted; and what costs time but changes no value."""

from __future__ import annotations

import numpy as np

from stepwell.backends.ptx.simulate.conversion import conversion
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step, Target, plain
from stepwell.backends.ptx.simulate.values import STORAGE, Array
from stepwell.backends.ptx.simulate.wave import CLOCKS, WARP, Mask, Wave
from stepwell.backends.ptx.syntax import SIZES, Group, Instruction, Operand, Register
from stepwell.ir.diagnostics import CompileError


def _convert(decoder: Decoder, instruction: Instruction) -> Step:
    if instruction.modifiers[:2] == ("pack", "sat"):
        raise CompileError(f"'{instruction.name}' is not simulated")
    return plain(decoder, instruction, conversion(instruction.modifiers))


def _move(decoder: Decoder, instruction: Instruction) -> Step:
    target, source = instruction.operands
    kind = instruction.modifiers[-1]
    if isinstance(source, Group):
        return _pack(decoder, target, source, kind)
    if isinstance(target, Group):
        return _unpack(decoder, target, source, kind)
    if isinstance(source, Register) and source.name in CLOCKS:
        dtype = CLOCKS[source.name]
        place = decoder.target(target, kind)
        return lambda wave, active: place.put(wave, dtype(wave.steps), active)
    read, place = decoder.source(source, kind), decoder.target(target, kind)
    slot = decoder.slots.get(source.name, -1) if isinstance(source, Register) else -1

    def step(wave: Wave, active: Mask) -> None:
        if wave.groups is not None and wave.groups.products and slot >= 0:
            _follow(wave, slot, place, read, active)
        else:
            place.put(wave, read(wave), active)

    return step


def _follow(wave: Wave, slot: int, place: Target, read: Read, active: Mask) -> None:
    """A copy of what may be the accumulator of a product that goes on: it is made when that ends, and until then there is NaN."""
    assert wave.groups is not None
    mask = wave.mask(active)

    def copy(warps: Array) -> None:
        here = np.zeros(wave.warps, bool)
        here[warps] = True
        place.put(wave, read(wave), mask & np.repeat(here, WARP))

    place.put(wave, read(wave), active)
    wave.groups.follow(slot, place.slot, np.flatnonzero(mask.reshape(-1, WARP).any(1)), copy)


def _pack(decoder: Decoder, target: Operand, source: Group, kind: str) -> Step:
    width = SIZES[kind]
    part = width // len(source.items)
    reads = [decoder.source(item, f"b{8 * part}") for item in source.items]
    place = decoder.target(target, f"b{8 * width}")
    storage = STORAGE[width]

    def step(wave: Wave, active: Mask) -> None:
        value = storage(0)
        for i, read in enumerate(reads):
            value = value | (read(wave).astype(storage) << storage(8 * part * i))
        place.put(wave, value, active)

    return step


def _unpack(decoder: Decoder, target: Group, source: Operand, kind: str) -> Step:
    width = SIZES[kind]
    part = width // len(target.items)
    read = decoder.source(source, f"b{8 * width}")
    places = [decoder.target(item, f"b{8 * part}") for item in target.items]
    storage, narrow = STORAGE[width], STORAGE[part]

    def step(wave: Wave, active: Mask) -> None:
        value = read(wave)
        for i, place in enumerate(places):
            place.put(wave, (value >> storage(8 * part * i)).astype(narrow), active)

    return step


def _nothing(decoder: Decoder, instruction: Instruction) -> Step:
    return lambda wave, active: None


HANDLERS.update({"cvt": _convert, "mov": _move})
for _opcode in ("nanosleep", "prefetch", "prefetchu", "griddepcontrol", "discard", "applypriority", "createpolicy"):
    HANDLERS[_opcode] = _nothing
