"""Loads, stores and atomics: what an address means in each state space, and what moves between memory and registers.

Every access is checked (bounds, alignment) and told to the race detector and the counters, where they are on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate import rounding
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step, Target
from stepwell.backends.ptx.simulate.memory import GLOBAL, LOCAL, SHARED, WINDOW, Bytes
from stepwell.backends.ptx.simulate.values import REGISTER_BYTES, Array, binary, is_float, ternary, unary
from stepwell.backends.ptx.simulate.wave import RANK_SHIFT, Mask, Wave
from stepwell.backends.ptx.syntax import Group, Instruction, Operand, Register
from stepwell.ir.diagnostics import CompileError

WINDOWS = {"shared": SHARED, "local": LOCAL}
SPACES = {"global", "shared", "local", "const", "param", "generic"}
IGNORED = {
    "nc", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "volatile", "weak", "relaxed", "acquire", "release", "acq_rel", "sc", "cta", "cluster",
    "gpu", "sys", "unified", "mmio", "level::eviction_priority", "L1::evict_normal", "L1::evict_first", "L1::evict_last", "L1::no_allocate",
    "L1::evict_unchanged", "L2::evict_first", "L2::evict_last", "L2::64B", "L2::128B", "L2::256B", "L2::cache_hint",
}  # fmt: skip
"""Caches, and orders of memory: every access here takes effect at once, in the order of the text."""


@dataclass(frozen=True)
class Place:
    """Where the bytes of the active threads lie: a block of bytes and places in it."""

    block: Bytes
    at: Array


def locate(wave: Wave, space: str, address: Any, width: int, active: Mask) -> Place:
    """The places behind the addresses of the active threads, one each; one for all where the address is one of global memory."""
    if space == "shared":
        return Place(wave.shared.block, shared_places(wave, address, width, active))
    if space == "local":
        return Place(wave.local.block, wave.local.locate(wave.some(address, active), width, wave.some(wave.index, active)))
    if address.dtype != np.uint64:
        address = address.astype(np.uint64)
    if np.size(address) > 1 and active is not None:
        address = address[active]
    return Place(wave.heap.block, wave.heap.locate(address, width))


def shared_places(wave: Wave, address: Any, width: int, active: Mask) -> Array:
    """Places in the wave's shared memory of the addresses (of `.shared`, or generic ones) of the active threads."""
    some = wave.some(address, active)
    high = int(some.max())
    if high >= SHARED:
        some = (some - np.uint64(SHARED)).astype(np.uint32)
        high = int(some.max())
    if high < 1 << RANK_SHIFT:
        return wave.shared.places(some, width, wave.some(wave.shared_base, active), high)
    some, cta = wave.owner(some, wave.some(wave.cta, active))
    return wave.shared.places(some, width, cta * wave.shared.stride, int(some.max()))


def each_space(wave: Wave, space: str, address: Any, active: Mask) -> list[tuple[str, Any, Mask]]:
    """A generic access by the state spaces that it goes to: (space, address in it, threads)."""
    if space in ("const", "param"):
        space = "global"
    if space != "generic":
        return [(space, address, active)]
    some = wave.some(address, active)
    if some.max() < SHARED:
        return [("global", address, active)]
    found: list[tuple[str, Any, Mask]] = []
    whole, mask = wave.every(address), wave.mask(active)
    inside = np.zeros(wave.lanes, bool)
    for name, base in WINDOWS.items():
        here = mask & (whole >= np.uint64(base)) & (whole < np.uint64(base + WINDOW))
        if here.any():
            found.append((name, whole - np.uint64(base), here))
        inside |= here
    if (rest := mask & ~inside).any():
        found.append(("global", whole, rest))
    return found


def told(wave: Wave, space: str, place: Array, width: int, active: Mask, write: bool) -> None:
    """Tells the observers of an access."""
    if space == "shared" and wave.races is not None:
        wave.races.access(place, width, active, write)
    if space == "global" and wave.global_races is not None:
        wave.global_races.access(wave, place, width, active, write)
    if wave.traffic is not None and np.size(place) > 1:
        wave.traffic.access(space, place, width, wave.some(wave.warp, active), write)


@dataclass(frozen=True)
class Form:
    """The modifiers of a load or store, sorted."""

    space: str
    kind: str
    count: int


def form_of(instruction: Instruction, extra: frozenset[str] = frozenset()) -> Form:
    """Space, type and number of elements. Raises CompileError for what is not simulated."""
    space, kind, count = "generic", "", 1
    for word in instruction.modifiers:
        if word in SPACES or word.split("::")[0] in SPACES:
            space = word.split("::")[0]
        elif word in ("v2", "v4", "v8"):
            count = int(word[1])
        elif word in REGISTER_BYTES or word == "b128":
            kind = word
        elif word not in IGNORED and word not in extra:
            raise CompileError(f"'.{word}' of '{instruction.name}' is not simulated")
    return Form(space, kind, count)


# ---- loads and stores ------------------------------------------------------------------------------------------------------------------


def _load(decoder: Decoder, instruction: Instruction) -> Step:
    form = form_of(instruction)
    width = REGISTER_BYTES[form.kind]
    target = instruction.operands[0]
    places = [decoder.target(item, form.kind) for item in _items(target, form.count)]
    views = _as_kind(form.kind)
    read = decoder.address(instruction.operands[1])
    total = width * form.count
    if form.space in ("shared", "generic"):
        decoder.granule = min(decoder.granule, width)

    def step(wave: Wave, active: Mask) -> None:
        for space, address, here in each_space(wave, form.space, read(wave), active):
            place = locate(wave, space, address, total, here)
            told(wave, space, place.at, total, here, write=False)
            view = place.block.views[width]
            first = place.at // width
            for i, target in enumerate(places):
                _scatter(wave, target, views(view[first + i]), here)

    return step


def _as_kind(kind: str) -> Callable[[Array], Array]:
    """Bits out of memory as an array of `kind`: what a `Target` of that kind expects."""
    from stepwell.backends.ptx.simulate.values import NUMPY, PAIRS

    if kind in PAIRS:
        dtype = np.dtype(NUMPY[PAIRS[kind]])
        return unary(lambda x: np.ascontiguousarray(x).reshape(-1, 1).view(dtype))
    dtype = np.dtype(NUMPY[kind])
    return unary(lambda x: x.view(dtype))


def _scatter(wave: Wave, target: Target, values: Any, active: Mask) -> None:
    """Writes values of the active threads, one each (or one for all), into a register."""
    if target.slot < 0:
        return
    bits = values if target.write is None else target.write(values)
    if active is None or np.size(bits) == 1:
        wave.put(target.slot, bits if np.size(bits) > 1 else bits.reshape(())[()], active)
        return
    old = wave.registers[target.slot]
    new = np.array(np.broadcast_to(old, wave.lanes))
    new[active] = bits
    wave.registers[target.slot] = new


def _store(decoder: Decoder, instruction: Instruction) -> Step:
    form = form_of(instruction)
    if form.space in ("param", "const"):
        raise CompileError(f"'{instruction.name}' is not simulated", hint="inline device functions")
    width = REGISTER_BYTES[form.kind]
    reads = [decoder.source(item, f"b{8 * width}") for item in _items(instruction.operands[1], form.count)]
    read = decoder.address(instruction.operands[0])
    total = width * form.count
    if form.space in ("shared", "generic"):
        decoder.granule = min(decoder.granule, width)

    def step(wave: Wave, active: Mask) -> None:
        for space, address, here in each_space(wave, form.space, read(wave), active):
            place = locate(wave, space, address, total, here)
            told(wave, space, place.at, total, here, write=True)
            view = place.block.views[width]
            first = place.at // width
            for i, value in enumerate(reads):
                found = value(wave)
                if np.size(first) == 1 and np.size(found) > 1:
                    found = wave.some(found, here)[-1]
                view[first + i] = found if np.size(found) == 1 or here is None else found[here]

    return step


# ---- atomics ---------------------------------------------------------------------------------------------------------------------------


def _exchanged(old: Array, new: Array) -> Array:
    return new


UPDATES: dict[str, Callable[..., Array]] = {
    "add": np.add, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "exch": _exchanged,
    "min": np.minimum, "max": np.maximum,
    "inc": binary(lambda old, limit: np.where(old >= limit, old * 0, old + 1).astype(old.dtype)),
    "dec": binary(lambda old, limit: np.where((old == 0) | (old > limit), limit, old - 1).astype(old.dtype)),
    "cas": ternary(lambda old, expected, new: np.where(old == expected, new, old)),
}  # fmt: skip
"""The new value of the memory from the old one and the operands."""


def _atomic(decoder: Decoder, instruction: Instruction) -> Step:
    operation = next((word for word in instruction.modifiers if word in UPDATES), None)
    if operation is None:
        raise CompileError(f"'{instruction.name}' is not simulated")
    form = form_of(instruction, frozenset((*UPDATES, "noftz", "async", "mbarrier::complete_tx::bytes")))
    kind, width, total = form.kind, REGISTER_BYTES[form.kind], REGISTER_BYTES[form.kind] * form.count
    operands = list(instruction.operands)
    results = _items(operands.pop(0), form.count) if instruction.opcode == "atom" else [Register("_")] * form.count
    targets = [decoder.target(item, f"b{8 * width}") for item in results]
    read = decoder.address(operands[0])
    values = [[decoder.source(item, kind) for item in _items(operand, form.count)] for operand in operands[1:]]
    if len(values) != (2 if operation == "cas" else 1):
        raise CompileError(f"'{instruction.name}' has the wrong number of operands")
    update = UPDATES[operation]
    if is_float(kind) and operation in ("min", "max"):
        update = rounding.minimum if operation == "min" else rounding.maximum
    to_kind = _as_kind(kind)
    storage = np.dtype(f"u{width}")
    if form.space in ("shared", "generic"):
        decoder.granule = min(decoder.granule, width)

    def step(wave: Wave, active: Mask) -> None:
        for space, address, here in each_space(wave, form.space, read(wave), active):
            place = locate(wave, space, wave.every(address), total, here)
            if space == "shared" and wave.races is not None:
                wave.races.update(place.at, total, here)
            if space == "global" and wave.global_races is not None:
                wave.global_races.access(wave, place.at, total, here, write=True, atomic=True)
            view = place.block.views[width]
            for i, target in enumerate(targets):
                at = place.at // width + i
                given = [_some_of(wave, value[i](wave), here, kind) for value in values]
                found = np.empty(at.size, storage)
                for turn in _turns(at):
                    old = view[at[turn]]
                    found[turn] = old
                    new = update(to_kind(old), *(operand[turn] for operand in given))
                    view[at[turn]] = np.ascontiguousarray(new).view(storage).reshape(-1)
                _scatter(wave, target, found, here)

    return step


def _items(operand: Operand, count: int) -> list[Operand]:
    """The registers of an operand, as many as there must be."""
    items: list[Operand] = [*operand.items] if isinstance(operand, Group) else [operand]
    if len(items) != count:
        raise CompileError(f"expected {count} registers, not {len(items)}")
    return items


def _some_of(wave: Wave, value: Array, active: Mask, kind: str) -> Array:
    return _some_pairs(wave, value, active) if kind in PAIRED else wave.some(value, active)


PAIRED = {"f16x2", "bf16x2"}


def _some_pairs(wave: Wave, value: Array, active: Mask) -> Array:
    whole = np.broadcast_to(value, (wave.lanes, 2))
    return whole if active is None else whole[active]


def _turns(at: Array) -> list[Array]:
    """Threads in turns, such that in each turn no two have the same place: the first at each place, then the second, ..."""
    order = np.argsort(at, kind="stable")
    places = at[order]
    first = np.r_[True, places[1:] != places[:-1]]
    start = np.flatnonzero(first)
    rank = np.arange(at.size) - np.repeat(start, np.diff(np.r_[start, at.size]))
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(rank[by_rank]) > 0])
    return np.split(order[by_rank], bounds[1:])


# ---- addresses -------------------------------------------------------------------------------------------------------------------------


def _to_generic(decoder: Decoder, instruction: Instruction) -> Step:
    """`cvta`: an address of a state space as a generic one, and back."""
    words = instruction.modifiers
    back = words[0] == "to"
    space = (words[1] if back else words[0]).split("::")[0]
    kind = words[-1]
    base = np.uint64(WINDOWS.get(space, 0))
    source, place = decoder.source(instruction.operands[1], kind), decoder.target(instruction.operands[0], kind)
    if kind not in ("u64", "b64"):
        raise CompileError(f"'{instruction.name}' is not simulated")
    if not base:
        return lambda wave, active: place.put(wave, source(wave), active)
    if back:
        return lambda wave, active: place.put(wave, source(wave) - base, active)
    return lambda wave, active: place.put(wave, source(wave) + base, active)


def _is_in_space(decoder: Decoder, instruction: Instruction) -> Step:
    space = instruction.modifiers[0].split("::")[0]
    low = WINDOWS.get(space, GLOBAL)
    source: Read = decoder.source(instruction.operands[1], "u64")
    place = decoder.target(instruction.operands[0], "pred")

    def step(wave: Wave, active: Mask) -> None:
        address = source(wave)
        place.put(wave, (address >= np.uint64(low)) & (address < np.uint64(low + WINDOW)), active)

    return step


HANDLERS.update({"ld": _load, "ldu": _load, "st": _store, "atom": _atomic, "red": _atomic, "cvta": _to_generic, "isspacep": _is_in_space})
