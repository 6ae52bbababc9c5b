"""Tensor cores of one warp: `ldmatrix`, `stmatrix` and `mma.sync` (PTX ISA 9.0, section 9.7.14).

Fragments: with g = lane / 4 and t = lane % 4, and p elements in a 32-bit register, register r of A holds row g + 8 (r mod 2), columns p t
+ 4 p (r / 2) on; register r of B holds column g, rows p t + 4 p r on; C and D hold rows g and g + 8, columns 2 t and 2 t + 1. Products are
summed in the accumulator's precision in any order: hardware truncates where numpy rounds, so compare with a tolerance.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate import rounding
from stepwell.backends.ptx.simulate.access import told
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Read, Step
from stepwell.backends.ptx.simulate.memory import SHARED, Fault
from stepwell.backends.ptx.simulate.values import NUMPY, Array
from stepwell.backends.ptx.simulate.wave import WARP, Mask, Wave
from stepwell.backends.ptx.syntax import Address, Group, Instruction, Operand
from stepwell.ir.diagnostics import CompileError

ROW_BYTES = 16


def whole_warps(wave: Wave, active: Mask, name: str) -> Array:
    """The warps that take part, all threads of each. Raises Fault where a warp is divided."""
    rows = wave.mask(active).reshape(-1, WARP)
    every = rows.all(1)
    divided = rows.any(1) & ~every
    if divided.any():
        raise Fault(f"'{name}' is executed by a part of a warp", 0)
    return np.flatnonzero(every)


def by_warp(wave: Wave, value: Any, warps: Array) -> Array:
    """A register as [warp, lane], of these warps."""
    return wave.every(value).reshape(-1, WARP)[warps]


def put_by_warp(wave: Wave, slot: int, value: Array, warps: Array) -> None:
    """Writes a register of whole warps, [warp, lane]."""
    if warps.size == wave.warps:
        wave.registers[slot] = np.ascontiguousarray(value).reshape(-1)
        return
    new = np.array(wave.every(wave.registers[slot])).reshape(-1, WARP)
    new[warps] = value
    wave.registers[slot] = new.reshape(-1)


def items_of(operand: Operand) -> tuple[Operand, ...]:
    return operand.items if isinstance(operand, Group) else (operand,)


# ---- ldmatrix and stmatrix -------------------------------------------------------------------------------------------------------------


def _matrices(decoder: Decoder, instruction: Instruction, registers: Operand, address: Operand) -> tuple[int, bool, list[Operand], Read]:
    words = instruction.modifiers
    if "m8n8" not in words or words[-1] != "b16":
        raise CompileError(f"'{instruction.name}' is not simulated")
    count = next((int(word[1]) for word in words if word in ("x1", "x2", "x4")), 0)
    items = list(items_of(registers))
    if len(items) != count or not isinstance(address, Address):
        raise CompileError(f"'{instruction.name}' takes {count} registers and an address")
    decoder.granule = min(decoder.granule, 4)
    return count, "trans" in words, items, decoder.address(address)


def _row_places(wave: Wave, address: Any, warps: Array, count: int, write: bool) -> Array:
    """Places of the rows of `count` matrices, [warp, matrix, row]: thread i holds the address of row i."""
    rows = by_warp(wave, address, warps)[:, : 8 * count]
    if rows.size and rows.max() >= SHARED:
        rows = rows - rows.dtype.type(SHARED)
    lanes = by_warp(wave, wave.index, warps)[:, : 8 * count].reshape(-1)
    places = wave.shared.locate(rows.reshape(-1), ROW_BYTES, wave.cta[lanes])
    mask = np.zeros(wave.lanes, bool)
    mask[lanes] = True
    told(wave, "shared", places, ROW_BYTES, mask, write)
    return places.reshape(warps.size, count, 8)


def _load_matrix(decoder: Decoder, instruction: Instruction) -> Step:
    target, source = instruction.operands
    count, transposed, items, read = _matrices(decoder, instruction, target, source)
    slots = [decoder.target(item, "b32").slot for item in items]
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        warps = whole_warps(wave, active, name)
        places = _row_places(wave, read(wave), warps, count, write=False)
        elements = wave.shared.block.views[2][places[..., None] // 2 + np.arange(8)]
        if transposed:
            elements = np.ascontiguousarray(elements.swapaxes(-1, -2))
        words = elements.view(np.uint32).reshape(warps.size, count, WARP)
        for i, slot in enumerate(slots):
            put_by_warp(wave, slot, words[:, i], warps)

    return step


def _store_matrix(decoder: Decoder, instruction: Instruction) -> Step:
    target, source = instruction.operands
    count, transposed, items, read = _matrices(decoder, instruction, source, target)
    reads = [decoder.source(item, "b32") for item in items]
    name = instruction.name

    def step(wave: Wave, active: Mask) -> None:
        warps = whole_warps(wave, active, name)
        places = _row_places(wave, read(wave), warps, count, write=True)
        words = np.stack([by_warp(wave, value(wave), warps) for value in reads], 1)
        elements = np.ascontiguousarray(words).view(np.uint16).reshape(warps.size, count, 8, 8)
        if transposed:
            elements = elements.swapaxes(-1, -2)
        wave.shared.block.views[2][places[..., None] // 2 + np.arange(8)] = elements

    return step


# ---- mma.sync --------------------------------------------------------------------------------------------------------------------------

SHAPE = re.compile(r"m(\d+)n(\d+)k(\d+)")
BITS = {"f16": 16, "bf16": 16, "tf32": 32, "s8": 8, "u8": 8, "e4m3": 8, "e5m2": 8, "f64": 64}
DEPTHS = {
    "f16": (8, 16),
    "bf16": (8, 16),
    "tf32": (4, 8),
    "s8": (16, 32),
    "u8": (16, 32),
    "e4m3": (16, 32),
    "e5m2": (16, 32),
    "f64": (4, 8, 16),
}
"""Depths k of the shapes m16n8k* by the type of A."""


@cache
def operand_map(bits: int, major: int, depth: int) -> Array:
    """Where each element [row (of A) or column (of B), k] stands among a warp's registers, as (register, lane, part) flattened."""
    parts = max(32 // bits, 1)
    found = np.empty((major, depth), np.int64)
    for lane in range(WARP):
        g, t = divmod(lane, 4)
        for high in range(major // 8):
            for step in range(depth // (4 * parts)):
                register = step * (major // 8) + high
                for part in range(parts):
                    found[g + 8 * high, parts * t + 4 * parts * step + part] = (register * WARP + lane) * parts + part
    return found


@cache
def _result_map(rows: int, columns: int) -> Array:
    """Where each element [row, column] of C and D stands, as (element, lane) flattened; columns come in eights, one behind the other."""
    found = np.empty((rows, columns), np.int64)
    for lane in range(WARP):
        g, t = divmod(lane, 4)
        for eight in range(columns // 8):
            for high in range(rows // 8):
                for part in range(2):
                    found[g + 8 * high, 8 * eight + 2 * t + part] = ((eight * rows // 8 + high) * 2 + part) * WARP + lane
    return found


@cache
def _result_order(rows: int, columns: int) -> Array:
    """The other way round."""
    return np.argsort(_result_map(rows, columns).reshape(-1))


def _multiply_accumulate(decoder: Decoder, instruction: Instruction) -> Step:
    words = list(instruction.modifiers)
    shape = next((SHAPE.fullmatch(word) for word in words if SHAPE.fullmatch(word)), None)
    types = [word for word in words if word in BITS or word in ("f32", "s32")]
    known = {"sync", "aligned", "row", "col", "satfinite", *types, *([shape.group()] if shape else [])}
    if shape is None or len(types) != 4 or set(words) - known or words.count("row") != 1 or words.count("col") != 1:
        raise CompileError(f"'{instruction.name}' is not simulated")
    m, n, k = (int(size) for size in shape.groups())
    d_type, a_type, b_type, c_type = types
    small = a_type == "f64" and (m, n, k) == (8, 8, 4)
    if not small and ((m, n) != (16, 8) or k not in DEPTHS.get(a_type, ())):
        raise CompileError(f"there is no '{instruction.name}'")
    operands = [items_of(operand) for operand in instruction.operands]
    storage = "b64" if a_type == "f64" else "b32"
    fragments = [decoder_reads(decoder, items, storage) for items in operands[1:3]]
    expected = [m * k * BITS[a_type] // (32 * max(32, BITS[a_type])), 8 * k * BITS[b_type] // (32 * max(32, BITS[b_type]))]
    if [len(f) for f in fragments] != expected:
        raise CompileError(f"'{instruction.name}' takes {expected[0]} registers of A and {expected[1]} of B")
    addends = decoder_reads(decoder, operands[3], storage)
    slots = [decoder.target(item, storage).slot for item in operands[0]]
    satfinite, name = "satfinite" in words, instruction.name

    def step(wave: Wave, active: Mask) -> None:
        warps = whole_warps(wave, active, name)
        if wave.traffic is not None:
            wave.traffic.tensor_work[a_type] += m * n * k * warps.size
        a = elements(wave, fragments[0], warps, a_type, operand_map(BITS[a_type], m, k))
        b = elements(wave, fragments[1], warps, b_type, operand_map(BITS[b_type], 8, k))
        c = accumulator(wave, addends, warps, c_type, m)
        d = multiply_accumulate(a, b.swapaxes(-1, -2), c, d_type, satfinite)
        for slot, value in zip(slots, registers_of(d, d_type, m), strict=True):
            put_by_warp(wave, slot, value, warps)

    return step


def decoder_reads(decoder: Decoder, items: tuple[Operand, ...], kind: str) -> list[Read]:
    """What reads each register of a fragment."""
    return [decoder.source(item, kind) for item in items]


def elements(wave: Wave, reads: list[Read], warps: Array, kind: str, where: Array) -> Array:
    """A fragment as a matrix [warp, major, k] of its elements."""
    words = np.stack([by_warp(wave, read(wave), warps) for read in reads], 1)
    dtype = np.float32 if kind == "tf32" else NUMPY[kind]
    flat = np.ascontiguousarray(words).reshape(warps.size, -1).view(dtype)[:, where]
    return rounding.to_tf32(flat) if kind == "tf32" else flat


def accumulator(wave: Wave, reads: list[Read], warps: Array, kind: str, rows: int, columns: int = 8) -> Array:
    """The matrix [warp, row, column] that registers of an accumulator hold."""
    words = np.stack([by_warp(wave, read(wave), warps) for read in reads], 1)
    if kind == "f16":
        halves = np.ascontiguousarray(words).view(np.float16).reshape(warps.size, -1, WARP, 2)
        flat = np.ascontiguousarray(halves.swapaxes(2, 3)).reshape(warps.size, -1)
    else:
        flat = words.view(NUMPY[kind]).reshape(warps.size, -1)
    return flat[:, _result_map(rows, columns)]


def registers_of(d: Array, kind: str, rows: int, columns: int = 8) -> list[Array]:
    """The registers [warp, lane] that hold the result [warp, row, column]."""
    flat = d.reshape(d.shape[0], -1)[:, _result_order(rows, columns)].reshape(d.shape[0], -1, WARP)
    if kind == "f16":
        pairs = np.ascontiguousarray(np.stack([flat[:, 0::2], flat[:, 1::2]], -1).astype(np.float16)).view(np.uint32)[..., 0]
        return [pairs[:, i] for i in range(pairs.shape[1])]
    bits = np.ascontiguousarray(flat).view(np.uint64 if kind == "f64" else np.uint32)
    return [bits[:, i] for i in range(bits.shape[1])]


def multiply_accumulate(a: Array, b: Array, c: Array, kind: str, satfinite: bool) -> Array:
    """a @ b + c over [..., m, k], [..., k, n] and [..., m, n], in the type of the accumulator."""
    if kind == "s32":
        total = np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.int64) + c
        return np.clip(total, -(2**31), 2**31 - 1).astype(np.int32) if satfinite else total.astype(np.int32)
    precise = np.float64 if kind == "f64" else np.float32
    total = np.matmul(a.astype(precise), b.astype(precise)) + c.astype(precise)
    return total.astype(NUMPY[kind])


HANDLERS.update({"ldmatrix": _load_matrix, "stmatrix": _store_matrix, "mma": _multiply_accumulate})
