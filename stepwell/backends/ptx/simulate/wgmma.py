"""Products of a warpgroup: `wgmma` (PTX ISA 9.0, section 9.7.15).

A product begins when it is asked for and ends when its group is waited for: only then are shared memory read and the accumulators written;
until then they hold NaN. Compilers copy accumulators around with `mov` between products of a chain (which an assembler makes nothing of):
a copy of an accumulator that is still being computed waits with it. Each warp computes its 16 rows of the 64.

Matrices in shared memory are described by 64 bits: address, two strides, a swizzle. Chunks of 16 bytes: K-major, a row of A (a column of B)
lies in chunks along k; MN-major, along m (n). Canonical layouts as CUTLASS documents them in `mma_sm90_desc.hpp`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step
from stepwell.backends.ptx.simulate.matrix import (
    BITS,
    SHAPE,
    accumulator,
    by_warp,
    decoder_reads,
    elements,
    items_of,
    multiply_accumulate,
    operand_map,
    put_by_warp,
    registers_of,
    whole_warps,
)
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.tensor import CHUNK, swizzled
from stepwell.backends.ptx.simulate.values import NUMPY, Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave
from stepwell.backends.ptx.syntax import Group, Immediate, Instruction
from stepwell.ir.diagnostics import CompileError

DEPTHS = {"f16": 16, "bf16": 16, "tf32": 8, "s8": 32, "u8": 32, "e4m3": 32, "e5m2": 32}
SWIZZLES = (0, 128, 64, 32)
"""By the top two bits of a descriptor."""
GROUP_WARPS = 4
ROWS = 16
NAN = np.uint32(0xFFFFFFFF)


@dataclass
class Product:
    """What will write the registers `slots` of `warps` when each one's `group` is waited for."""

    slots: frozenset[int]
    warps: Array
    group: Array
    run: Callable[[Array], None]


class Groups:
    """Products of a wave that have not been waited for, in the order of asking."""

    def __init__(self, wave: Wave) -> None:
        self.wave = wave
        self.committed = np.zeros(wave.warps, np.int64)
        self.fenced = np.zeros(wave.warps, bool)
        self.products: list[Product] = []

    def wait(self, warps: Array, left: int) -> None:
        """These warps go on when but their last `left` groups are done."""
        kept: list[Product] = []
        waiting = np.zeros(self.wave.warps, bool)
        waiting[warps] = True
        for product in self.products:
            done = waiting[product.warps] & (product.group < self.committed[product.warps] - left)
            if done.any():
                product.run(product.warps[done])
            if not done.all():
                kept.append(Product(product.slots, product.warps[~done], product.group[~done], product.run))
        self.products = kept

    def follow(self, source: int, target: int, warps: Array, copy: Callable[[Array], None]) -> Array:
        """`mov` of a register to another by these warps: where it is being computed, the copy will be made then. Gives the other warps."""
        rest = warps
        for product in reversed(self.products):
            if source in product.slots and rest.size:
                here = np.isin(product.warps, rest)
                if here.any():
                    later = Product(frozenset((target,)), product.warps[here], product.group[here], copy)
                    self.products.append(later)
                    rest = rest[~np.isin(rest, later.warps)]
        return rest

    def computing(self, slot: int, warps: Array) -> Array:
        """For which of these warps a register is being computed."""
        found = np.zeros(warps.size, bool)
        for product in self.products:
            if slot in product.slots:
                found |= np.isin(warps, product.warps)
        return found


def groups_of(wave: Wave) -> Groups:
    """The wave's products, made when first asked for."""
    if wave.groups is None:
        wave.groups = Groups(wave)
    return wave.groups


# ---- matrices in shared memory ---------------------------------------------------------------------------------------------------------


@cache
def _chunk_offsets(descriptor: int, mn_major: bool, major: int, depth: int, element: int) -> Array:
    """Offsets of the chunks of a matrix from its address, before the swizzle: [row, chunk along k], or MN-major [k, chunk along mn]."""
    leading, stride = (descriptor >> 16 & 0x3FFF) << 4, (descriptor >> 32 & 0x3FFF) << 4
    span = SWIZZLES[descriptor >> 62] or CHUNK
    if not mn_major:
        rows, chunks = np.arange(major)[:, None], np.arange(depth * element // CHUNK)[None, :]
        along = chunks * (leading if span == CHUNK else CHUNK)
        return rows // 8 * stride + rows % 8 * span + along
    ks, chunks = np.arange(depth)[:, None], np.arange(major * element // CHUNK)[None, :]
    if span == CHUNK:
        return ks // 8 * leading + ks % 8 * CHUNK + chunks * stride
    per_atom = span // CHUNK
    return ks // 8 * stride + ks % 8 * span + chunks // per_atom * leading + chunks % per_atom * CHUNK


def chunk_places(wave: Wave, warp: int, descriptor: int, mn_major: bool, major: int, depth: int, element: int) -> Array:
    """Places of a matrix's chunks, in units of a chunk."""
    if descriptor >> 49 & 7:
        raise Fault("a descriptor with a base offset is not simulated", 0)
    swizzle = SWIZZLES[descriptor >> 62]
    begin = (descriptor & 0x3FFF) << 4
    places = swizzled(begin + _chunk_offsets(descriptor >> 14 << 14, mn_major, major, depth, element), swizzle)
    if int(places.max()) + CHUNK > wave.shared.size:
        raise Fault(f"a matrix goes to byte {int(places.max()) + CHUNK} of shared memory, of which there are {wave.shared.size}", 0)
    return (places + warp * WARP // wave.padded * wave.shared.stride) // CHUNK


def load_matrix(wave: Wave, places: Array, mn_major: bool, kind: str) -> Array:
    """The elements [row, k] of a matrix whose chunks these are."""
    dtype = np.float32 if kind == "tf32" else NUMPY[kind]
    found = wave.shared.block.data.reshape(-1, CHUNK)[places].reshape(places.shape[0], -1).view(dtype)
    if kind == "tf32":
        # The tensor core reads the upper 19 bits and rounds nothing.
        found = (found.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
    return found.T if mn_major else found


# ---- instructions ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Form:
    """What a `wgmma.mma_async` says."""

    columns: int
    depth: int
    kinds: tuple[str, str, str]
    """Types of D, A and B."""
    scale: Read
    signs: tuple[int, int]
    mn_major: tuple[bool, bool]
    satfinite: bool


def _form(decoder: Decoder, instruction: Instruction) -> Form:
    words = instruction.modifiers[3:]
    shape = SHAPE.fullmatch(words[0]) if words else None
    types = tuple(word for word in words[1:] if word != "satfinite")
    if len(instruction.operands) < 3 or instruction.modifiers[:3] != ("mma_async", "sync", "aligned") or shape is None or len(types) != 3:
        raise CompileError(f"'{instruction.name}' is not simulated")
    m, n, k = (int(size) for size in shape.groups())
    if m != 64 or n % 8 or not 8 <= n <= 256 or DEPTHS.get(types[1]) != k or BITS.get(types[2]) != BITS[types[1]]:
        raise CompileError(f"there is no '{instruction.name}'")
    if types[0] not in ("f32", "f16", "s32") or (types[0] == "s32") != (types[1] in ("s8", "u8")):
        raise CompileError(f"there is no '{instruction.name}'")
    scale = decoder.source(instruction.operands[3], "pred") if len(instruction.operands) > 3 else decoder.source(Immediate(1), "pred")
    numbers = [item.value if isinstance(item, Immediate) else 0 for item in instruction.operands[4:]]
    signs, majors = numbers[:2] or [1, 1], numbers[2:]
    from_registers = len(instruction.operands) > 1 and isinstance(instruction.operands[1], Group)
    if (BITS[types[1]] == 16 and len(majors) != (1 if from_registers else 2)) or (BITS[types[1]] != 16 and majors):
        raise CompileError(f"'{instruction.name}' has the wrong number of operands")
    if any(abs(sign) != 1 for sign in signs) or any(major not in (0, 1) for major in majors):
        raise CompileError(f"a scale of '{instruction.name}' is 1 or -1, a transposition 0 or 1")
    transposed = [bool(major) for major in majors] or [False, False]
    mn_major = (False, transposed[0]) if from_registers else (transposed[0], transposed[1])
    return Form(n, k, (types[0], types[1], types[2]), scale, (signs[0], signs[1]), mn_major, "satfinite" in words)


def _multiply(decoder: Decoder, instruction: Instruction) -> Step:
    form = _form(decoder, instruction)
    d_kind, a_kind, b_kind = form.kinds
    slots = [decoder.target(item, "b32").slot for item in items_of(instruction.operands[0])]
    if len(slots) != form.columns // (4 if d_kind == "f16" else 2):
        raise CompileError(f"'{instruction.name}' does not take {len(slots)} accumulators")
    accumulators = decoder_reads(decoder, items_of(instruction.operands[0]), "b32")
    source = instruction.operands[1]
    fragment = decoder_reads(decoder, source.items, "b32") if isinstance(source, Group) else []
    if fragment and len(fragment) != 4:
        raise CompileError(f"'{instruction.name}' takes four registers of A")
    a_descriptor = None if fragment else decoder.source(source, "b64")
    b_descriptor = decoder.source(instruction.operands[2], "b64")
    decoder.granule = min(decoder.granule, CHUNK)
    name = instruction.name
    element = BITS[a_kind] // 8

    def step(wave: Wave, active: Mask) -> None:
        warps = whole_warps(wave, active, name)
        groups = groups_of(wave)
        if not groups.fenced[warps].all():
            raise Fault(f"'{name}' without a wgmma.fence before", 0)
        per_cta = wave.padded // WARP
        scale = by_warp(wave, form.scale(wave), warps)[:, 0]
        b_at = [_places(wave, b_descriptor, warp, form.mn_major[1], form.columns, form.depth, element) for warp in warps.tolist()]
        a_at: list[Array] = []
        a_held = None
        if a_descriptor is None:
            a_held = elements(wave, fragment, warps, a_kind, operand_map(BITS[a_kind], ROWS, form.depth))
        else:
            for warp in warps.tolist():
                whole = _places(wave, a_descriptor, warp, form.mn_major[0], 4 * ROWS, form.depth, element)
                quarter = warp % per_cta % GROUP_WARPS
                wide = whole.shape[1] // GROUP_WARPS
                a_at.append(
                    whole[:, quarter * wide : (quarter + 1) * wide] if form.mn_major[0] else whole[ROWS * quarter : ROWS * (quarter + 1)]
                )
        if wave.traffic is not None:
            wave.traffic.tensor_work[a_kind] += ROWS * form.columns * form.depth * warps.size
        reads = _begin_reads(wave, warps, a_at, b_at)
        fresh = ~groups.computing(slots[0], warps)
        start = accumulator(wave, accumulators, warps, d_kind, ROWS, form.columns)
        number = {warp: i for i, warp in enumerate(warps.tolist())}

        def run(done: Array) -> None:
            at = [number[warp] for warp in done.tolist()]
            c = accumulator(wave, accumulators, done, d_kind, ROWS, form.columns)
            c = np.where(fresh[at][:, None, None], start[at], c)
            c = np.where(scale[at][:, None, None], c, c.dtype.type(0))
            a = a_held[at] if a_held is not None else np.stack([load_matrix(wave, a_at[i], form.mn_major[0], a_kind) for i in at])
            b = _stacked(wave, [b_at[i] for i in at], form.mn_major[1], b_kind)
            if form.signs != (1, 1):
                a = a.astype(np.float32) * np.float32(form.signs[0] * form.signs[1])
            d = multiply_accumulate(a, b.swapaxes(-1, -2), c, d_kind, form.satfinite)
            for slot, value in zip(slots, registers_of(d, d_kind, ROWS, form.columns), strict=True):
                put_by_warp(wave, slot, value, done)
            _end_reads(wave, done, reads)

        groups.products.append(Product(frozenset(slots), warps, groups.committed[warps], run))
        poison = np.full((warps.size, WARP), NAN)
        for slot in slots:
            put_by_warp(wave, slot, poison, warps)

    return step


def _places(wave: Wave, descriptor: Read, warp: int, mn_major: bool, major: int, depth: int, element: int) -> Array:
    value = wave.every(descriptor(wave))[warp * WARP]
    return chunk_places(wave, warp, int(value), mn_major, major, depth, element)


def _stacked(wave: Wave, places: list[Array], mn_major: bool, kind: str) -> Array:
    """B of each warp [n, k]; warps of a warpgroup share it, so that it is loaded once."""
    loaded: dict[bytes, Array] = {}
    found: list[Array] = []
    for place in places:
        key = place[:, :1].tobytes()
        if key not in loaded:
            loaded[key] = load_matrix(wave, place, mn_major, kind)
        found.append(loaded[key])
    return np.stack(found)


def _begin_reads(wave: Wave, warps: Array, a_at: list[Array], b_at: list[Array]) -> dict[int, Array]:
    """Tells the race detector what each warp will read; gives the granules by warp."""
    races = wave.races
    found: dict[int, Array] = {}
    if races is None:
        return found
    places = np.array([int(at.flat[0]) * CHUNK for at in b_at], np.int64)
    noted, _ = races.of_teams(warps * WARP, places)
    per_chunk = np.arange(max(CHUNK // races.granule, 1))
    for i, lane in enumerate(noted.tolist()):
        chunks = np.concatenate([at[i].reshape(-1) for at in (a_at, b_at) if at])
        cells = (chunks[:, None] * CHUNK // races.granule + per_chunk).reshape(-1)
        cells = np.unique(cells)
        races.begin_read(cells, np.full(cells.size, lane))
        found[int(warps[i])] = cells
    return found


def _end_reads(wave: Wave, warps: Array, reads: dict[int, Array]) -> None:
    races = wave.races
    if races is None:
        return
    for warp in warps.tolist():
        cells = reads.pop(warp, None)
        if cells is not None:
            races.end_read(cells, np.full(cells.size, warp * WARP))


def _warpgroup(decoder: Decoder, instruction: Instruction) -> Step:
    words, name = instruction.modifiers, instruction.name
    if words[:1] == ("mma_async",):
        return _multiply(decoder, instruction)
    if words == ("fence", "sync", "aligned"):

        def fence(wave: Wave, active: Mask) -> None:
            groups_of(wave).fenced[whole_warps(wave, active, name)] = True

        return fence
    if words == ("commit_group", "sync", "aligned"):

        def commit(wave: Wave, active: Mask) -> None:
            groups_of(wave).committed[whole_warps(wave, active, name)] += 1

        return commit
    left = instruction.operands[0] if instruction.operands else None
    if words != ("wait_group", "sync", "aligned") or not isinstance(left, Immediate):
        raise CompileError(f"'{name}' is not simulated")
    number = left.value

    def wait(wave: Wave, active: Mask) -> None:
        groups_of(wave).wait(whole_warps(wave, active, name), number)
        if wave.races is not None:
            # The whole warp has met here, so that one of its threads can say that its reads are over.
            wave.races.meet_by_warp(wave.mask(active))

    return wait


def _set_registers(decoder: Decoder, instruction: Instruction) -> Step:
    """`setmaxnreg`: by whole warpgroups, a multiple of 8 registers from 24 to 256."""
    count = instruction.operands[0]
    if not isinstance(count, Immediate) or count.value % 8 or not 24 <= count.value <= 256:
        raise CompileError(f"'{instruction.name}' takes a multiple of 8 from 24 to 256")
    name = instruction.name
    return lambda wave, active: _whole(wave, active, name)


def _whole(wave: Wave, active: Mask, name: str) -> None:
    whole_warps(wave, active, name)


HANDLERS.update({"wgmma": _warpgroup, "setmaxnreg": _set_registers})
