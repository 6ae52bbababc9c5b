"""Tensor maps and `cp.async.bulk.tensor`: boxes of tensors of one to five dimensions (PTX ISA 9.0, sections 5.5 and 9.7.9.25.5).

A map is 128 bytes. What NVIDIA's driver puts there is not published; `encode_tensor_map` makes a form of our own from the same arguments as
`cuTensorMapEncodeTiled`, and the launcher passes it by value. What lies outside of the tensor reads as zeros and is not written.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stepwell.backends.ptx.simulate.access import shared_places
from stepwell.backends.ptx.simulate.bulk import Arrival, bring, destinations, mbarrier_place, multicast_of, send, words_of
from stepwell.backends.ptx.simulate.copies import BULK
from stepwell.backends.ptx.simulate.decode import HANDLERS, Decoder, Step
from stepwell.backends.ptx.simulate.mbarrier import OBJECT_BYTES, places_of
from stepwell.backends.ptx.simulate.memory import Fault
from stepwell.backends.ptx.simulate.values import NUMPY, Array
from stepwell.backends.ptx.simulate.wave import Mask, Wave
from stepwell.backends.ptx.syntax import Address, Group, Instruction
from stepwell.ir.diagnostics import CompileError

MAP_BYTES = 128
MAGIC = b"STPWTMAP"
FORMAT = "<8sBBBxIQ5I5Q5I"
TYPES = ("u8", "u16", "u32", "s32", "u64", "s64", "f16", "f32", "f64", "bf16", "tf32")
SWIZZLES = {0: 0, 32: 1, 64: 3, 128: 7}
"""By bytes of a row of the pattern: which of the address bits 7-9 are added (xor) to bits 4-6."""
MAX_BOX = 256
SHARED_ALIGNMENT = 128
CHUNK = 16


@dataclass(frozen=True)
class TensorMap:
    """A tensor in global memory and the box that a copy moves; innermost dimension first. Strides are bytes, of dimensions 1 on."""

    kind: str
    address: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]
    swizzle: int

    @property
    def element(self) -> int:
        """Bytes of an element."""
        return int(np.dtype(NUMPY[self.kind]).itemsize)

    @property
    def box_bytes(self) -> int:
        """Bytes that a copy moves: what lies outside counts."""
        return int(np.prod(self.box)) * self.element


def encode_tensor_map(
    kind: str, address: int, sizes: Sequence[int], strides: Sequence[int], box: Sequence[int], swizzle: int = 0
) -> bytes:  # fmt: skip
    """The 128 bytes of a tensor map. Innermost dimension first; `strides` are the bytes between neighbours in dimensions 1 and up,
    `swizzle` is 0, 32, 64 or 128. Raises CompileError where the hardware would refuse it."""
    rank = len(sizes)
    if kind not in TYPES or not 1 <= rank <= 5 or len(strides) != rank - 1 or len(box) != rank or swizzle not in SWIZZLES:
        raise CompileError("a tensor map has a type, one to five sizes, a stride less, a box, and a swizzle of 0, 32, 64 or 128")
    element = int(np.dtype(NUMPY[kind]).itemsize)
    if address % 16 or any(stride % 16 or not 0 < stride < 1 << 40 for stride in strides):
        raise CompileError("address and strides of a tensor map are multiples of 16 bytes")
    if any(not 1 <= size <= 1 << 32 for size in sizes) or any(not 1 <= size <= MAX_BOX for size in box):
        raise CompileError(f"sizes of a tensor map are from 1 to 2^32, those of its box from 1 to {MAX_BOX}")
    inner = box[0] * element
    if inner % 16 or (swizzle and inner > swizzle):
        raise CompileError(f"a row of the box has {inner} bytes: it must be a multiple of 16, and no more than the swizzle's {swizzle}")
    pad = [0] * (5 - rank)
    fields = (TYPES.index(kind), rank, swizzle, 0, address, *(size - 1 for size in sizes), *pad, *strides, *pad, 0, *box, *pad)
    return struct.pack(FORMAT, MAGIC, *fields).ljust(MAP_BYTES, b"\0")


@lru_cache(maxsize=64)
def decode_tensor_map(content: bytes) -> TensorMap:
    """The map that 128 bytes hold. Raises Fault where they hold none."""
    magic, kind, rank, swizzle, _, address, *rest = struct.unpack_from(FORMAT, content)
    if magic != MAGIC:
        raise Fault("there is no tensor map at the address of the copy", 0)
    sizes, strides, box = rest[:5], rest[5:10], rest[10:]
    return TensorMap(TYPES[kind], address, tuple(s + 1 for s in sizes[:rank]), tuple(strides[: rank - 1]), tuple(box[:rank]), swizzle)


def swizzled(places: Array, swizzle: int) -> Array:
    """Where bytes at these addresses of shared memory really lie."""
    mask = SWIZZLES[swizzle]
    return places ^ ((places >> 7 & mask) << 4) if mask else places


# ---- boxes -----------------------------------------------------------------------------------------------------------------------------


@dataclass
class Part:
    """The part of a box inside the tensor: a window of global memory, and where it lies in the box."""

    window: Array
    inside: tuple[slice, ...]
    start: int

    def rows(self) -> tuple[Array, Array]:
        """Where each row of the window begins in the heap, and how many bytes it has."""
        begins = [self.start]
        for size, stride in zip(self.window.shape[:-1], self.window.strides[:-1], strict=True):
            begins = [begin + stride * i for begin in begins for i in range(size)]
        return np.array(begins), np.full(len(begins), self.window.shape[-1])


def part_of(wave: Wave, tensor: TensorMap, corner: Sequence[int]) -> Part | None:
    """None where nothing of the box is inside. Arrays are outermost dimension first, with bytes as the innermost."""
    low = [max(-c, 0) for c in corner]
    high = [min(size - c, edge) for size, c, edge in zip(tensor.sizes, corner, tensor.box, strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return None
    element = tensor.element
    steps = (element, *tensor.strides)
    begin = tensor.address + sum((c + a) * step for c, a, step in zip(corner, low, steps, strict=True))
    last = begin + sum((b - a - 1) * step for a, b, step in zip(low, high, steps, strict=True)) + element
    owner = wave.heap.owner(begin)
    if owner is None or last > owner.address + owner.size:
        raise Fault(f"the tensor of a copy is not in one allocation: {wave.heap.describe(last - element, element)}", 0)
    start = int(wave.heap.locate(np.array([begin], np.uint64), 1)[0])
    shape = [*[b - a for a, b in zip(low[1:], high[1:], strict=True)][::-1], (high[0] - low[0]) * element]
    window = np.lib.stride_tricks.as_strided(wave.heap.block.data[start:], shape, [*tensor.strides[::-1], 1])
    inside = [*[slice(a, b) for a, b in zip(low[1:], high[1:], strict=True)][::-1], slice(low[0] * element, high[0] * element)]
    return Part(window, tuple(inside), start)


def _box_shape(tensor: TensorMap) -> tuple[int, ...]:
    return (*tensor.box[:0:-1], tensor.box[0] * tensor.element)


def fetch_box(wave: Wave, tensor: TensorMap, corner: Sequence[int]) -> Array:
    """The bytes of a box, zeros outside, in chunks of 16."""
    found = np.zeros(_box_shape(tensor), np.uint8)
    part = part_of(wave, tensor, corner)
    if part is not None:
        found[part.inside] = part.window
    return found.reshape(-1, CHUNK)


def chunks_of(wave: Wave, tensor: TensorMap, place: int) -> Array:
    """The chunks of shared memory where a box lies that begins at a place, in the order of the box."""
    own = place % wave.shared.stride
    return (place - own + swizzled(own + CHUNK * np.arange(tensor.box_bytes // CHUNK), tensor.swizzle)) // CHUNK


def store_box(wave: Wave, tensor: TensorMap, corner: Sequence[int], data: Array, place: int) -> None:
    """Writes what lies inside of the tensor. `data` is shared memory as it was at `place`."""
    order = chunks_of(wave, tensor, place) - place // CHUNK
    box = data.reshape(-1, CHUNK)[order].reshape(_box_shape(tensor))
    part = part_of(wave, tensor, corner)
    if part is None:
        return
    part.window[...] = box[part.inside]


# ---- instructions ----------------------------------------------------------------------------------------------------------------------


def _tensor(decoder: Decoder, instruction: Instruction) -> Step:
    words = words_of(instruction, {"tensor", "tile", "1d", "2d", "3d", "4d", "5d"})
    rank = next((int(word[0]) for word in instruction.modifiers if word in ("1d", "2d", "3d", "4d", "5d")), 0)
    inward = words.to == "shared"
    operands = instruction.operands
    shared, tensor = (operands[0], operands[1]) if inward else (operands[1], operands[0])
    if not isinstance(tensor, Address) or len(tensor.rest) != 1:
        raise CompileError(f"'{instruction.name}' names a tensor and coordinates in brackets")
    coordinates = tensor.rest[0].items if isinstance(tensor.rest[0], Group) else tensor.rest
    if len(coordinates) != rank:
        raise CompileError(f"'{instruction.name}' takes {rank} coordinates, not {len(coordinates)}")
    decoder.granule = min(decoder.granule, CHUNK)
    map_of, place_of = decoder.address(Address(tensor.base, tensor.offset)), decoder.address(shared)
    corner_of = [decoder.source(item, "s32") for item in coordinates]
    if inward:
        decoder.granule = min(decoder.granule, OBJECT_BYTES)
    mbarrier = decoder.address(operands[2]) if inward else None
    multicast = multicast_of(decoder, instruction, words, 3)

    def step(wave: Wave, active: Mask) -> None:
        lanes = wave.some(wave.index, active)
        maps = [_map_at(wave, int(at), rank) for at in wave.some(map_of(wave), active)]
        corners = np.stack([wave.some(value(wave), active) for value in corner_of], 1).tolist()
        places = _box_places(wave, place_of(wave), maps, active)
        for tensor, corner in zip(maps, corners, strict=True):
            part = part_of(wave, tensor, corner)
            if wave.traffic is not None and part is not None:
                wave.traffic.bulk(*part.rows())
        if mbarrier is None:
            _send(wave, lanes, maps, corners, places)
            return
        barriers = places_of(wave, mbarrier(wave), active)
        masks = None if multicast is None else wave.some(multicast(wave), active)
        goals = destinations(wave, places, lanes, masks)
        arrivals: list[list[Arrival]] = []
        for i, some in enumerate(goals):
            at = int(barriers[i])
            arrivals.append([Arrival(p, maps[i].box_bytes, at if masks is None else mbarrier_place(wave, at, p)) for p in some])

        def fetch(i: int) -> Callable[[int], None]:
            data = fetch_box(wave, maps[i], corners[i])

            def write(place: int) -> None:
                wave.shared.block.data.reshape(-1, CHUNK)[chunks_of(wave, maps[i], place)] = data

            return write

        bring(wave, lanes, arrivals, fetch)

    return step


def _send(wave: Wave, lanes: Array, maps: list[TensorMap], corners: list[list[int]], places: Array) -> None:
    def write(i: int) -> Callable[[Array], None]:
        return lambda data: store_box(wave, maps[i], corners[i], data, int(places[i]))

    send(wave, lanes, places, np.array([tensor.box_bytes for tensor in maps]), write)


def _map_at(wave: Wave, address: int, rank: int) -> TensorMap:
    found = decode_tensor_map(wave.heap.read(address, MAP_BYTES).tobytes())
    if len(found.sizes) != rank:
        raise Fault(f"a copy of {rank} dimensions of a tensor of {len(found.sizes)}", 0)
    return found


def _box_places(wave: Wave, address: Array, maps: list[TensorMap], active: Mask) -> Array:
    """Where boxes begin in shared memory. Raises Fault where one is not aligned or goes over the end."""
    begins = shared_places(wave, address, SHARED_ALIGNMENT, active)
    for i, (begin, tensor) in enumerate(zip(begins.tolist(), maps, strict=True)):
        own = begin % wave.shared.stride
        pattern = 8 * tensor.swizzle
        if pattern and tensor.box_bytes > SHARED_ALIGNMENT and own % pattern:
            raise Fault(
                f"a box with a swizzle of {tensor.swizzle} bytes begins at byte {own} of shared memory, no multiple of {pattern}", i
            )
        if own + tensor.box_bytes > wave.shared.size:
            raise Fault(f"a box of {tensor.box_bytes} bytes at byte {own} of shared memory, of which there are {wave.shared.size}", i)
    return begins


def _prefetch(decoder: Decoder, instruction: Instruction) -> Step:
    return lambda wave, active: None


BULK["tensor"] = _tensor
HANDLERS["tensormap"] = _prefetch
