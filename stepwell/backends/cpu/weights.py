"""The weights of a program: one block of bytes, laid out by `plan-memory`, written once and mapped at run time.

`plan-memory` leaves each constant as `memref.global ... {offset = N}` and the size of the block as the module attribute
`stepwell.weights_size`. From here on nothing else needs the constants: they are taken out of the module and written while kernels are
being compiled. Hashing and writing leave the interpreter to others.
"""

from __future__ import annotations

import ctypes
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, ModuleOp

from stepwell.backends.cpu.cache import ObjectCache
from stepwell.backends.cpu.image import WeightsBlob
from stepwell.backends.cpu.mapping import can_map_together, map_weights
from stepwell.backends.cpu.numpy_address import address_of, aligned_bytes
from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.diagnostics import CompileError

MOST_KNOWN = 4
"""Blocks that are remembered."""
_CHUNK = 4 << 20
"""Bytes that are hashed and written at a time, so that the interpreter is asked for rarely."""


Layout = list[tuple[int, int]]
"""Offset and length of each payload."""


@dataclass
class Weights:
    """What the block consists of: (offset, bytes) in order, and zeros between them."""

    size: int
    payloads: list[tuple[int, bytes]]
    second_part: int = 0
    """Where it begins; 0 where there is one part only."""

    def parts(self) -> tuple[Weights, Weights]:
        """Both parts, each a block of its own."""
        begin = self.second_part
        first = [(offset, payload) for offset, payload in self.payloads if offset < begin]
        second = [(offset - begin, payload) for offset, payload in self.payloads if offset >= begin]
        return Weights(begin, first), Weights(self.size - begin, second)

    def layout(self) -> Layout:
        """Where the payloads lie."""
        return [(offset, len(payload)) for offset, payload in self.payloads]

    def chunks(self) -> Iterator[bytes]:
        """The whole block in pieces of about `_CHUNK` bytes or one payload."""
        pieces: list[bytes] = []
        position = gathered = 0
        for left, (offset, payload) in zip(range(len(self.payloads), -1, -1), [*self.payloads, (self.size, b"")], strict=True):
            pieces += [bytes(offset - position), payload]
            gathered += offset - position + len(payload)
            position = offset + len(payload)
            if gathered >= _CHUNK or not left:
                if len(payload) >= _CHUNK:
                    yield b"".join(pieces[:-1])
                    yield payload
                else:
                    yield b"".join(pieces)
                pieces.clear()
                gathered = 0


@dataclass
class KnownWeights:
    """Blocks of weights that are mapped already: programs of one model for several shapes mostly have the same one."""

    blocks: list[tuple[list[tuple[int, int]], Any, WeightsBlob]] = field(
        default_factory=list[tuple[list[tuple[int, int]], Any, WeightsBlob]]
    )
    """(offset and length of each payload, the mapping, its description)"""

    def find(self, weights: Weights) -> tuple[Any, WeightsBlob] | None:
        """A mapped block that is the same, byte by byte: comparing is many times faster than hashing."""
        layout = weights.layout()
        for known, mapped, blob in self.blocks:
            if known == layout and blob.size == weights.size and _same_bytes(weights, mapped):
                return mapped, blob
        return None

    def add(self, layout: Layout, mapped: Any, blob: WeightsBlob) -> None:
        """Remember a block, and forget the one that was added long ago."""
        self.blocks = [(layout, mapped, blob), *self.blocks[: MOST_KNOWN - 1]]


def _same_bytes(weights: Weights, mapped: Any) -> bool:
    address = address_of(np.frombuffer(mapped, np.uint8))
    return all(_compare(address + offset, payload, len(payload)) == 0 for offset, payload in weights.payloads)


_compare = ctypes.CDLL(None).memcmp if os.name == "posix" else ctypes.cdll.msvcrt.memcmp
_compare.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]


def take_weights(module: ModuleOp) -> Weights:
    """The constants of a module; they are gone from it afterwards."""
    size = module.attributes.get("stepwell.weights_size")
    payloads: list[tuple[int, bytes]] = []
    for op in module.ops:
        offset = op.attributes.get("offset")
        value = op.properties.get("initial_value")
        if op.name == "memref.global" and isinstance(offset, IntegerAttr) and isinstance(value, DenseIntOrFPElementsAttr):
            constant = cast("DenseIntOrFPElementsAttr[Any]", value)
            payloads.append((offset.value.data, array_of(constant).tobytes() if is_splat(constant) else constant.data.data))
            del op.properties["initial_value"]
    payloads.sort(key=lambda payload: payload[0])
    for (offset, payload), (following, _) in pairwise(payloads):
        if offset + len(payload) > following:
            raise CompileError("two constants overlap in the plan of the weights")
    second = module.attributes.get("stepwell.weights_second_part")
    number = [attribute.value.data if isinstance(attribute, IntegerAttr) else 0 for attribute in (size, second)]
    return Weights(number[0], payloads, number[1])


def collect_weights(weights: Weights, store: ObjectCache, known: KnownWeights | None = None) -> tuple[Any, WeightsBlob]:
    """The block as memory, a mapped file where the cache keeps it, and its description. Consumes the payloads."""
    if weights.size == 0:
        return b"", WeightsBlob("", 0, 0)
    if weights.second_part and store.folder is not None and can_map_together():
        blobs = [collect_weights(part, store, known)[1] for part in weights.parts()]
        blob = replace(blobs[0], second=blobs[1])
        together = map_weights(store, blob, checked=True)
        if together is None:
            return _in_memory(weights), WeightsBlob("", weights.size, 0)
        weights.payloads.clear()
        return together, blob
    if known is not None:
        layout = weights.layout()
        found = known.find(weights)
        if found is None:
            found = collect_weights(weights, store)
            known.add(layout, *found)
        weights.payloads.clear()
        return found
    content, checksum = blake2b(digest_size=16, person=b"stepwell weights"), 0
    for chunk in weights.chunks():
        content.update(chunk)
        checksum = zlib.crc32(chunk, checksum)
    key = content.hexdigest()
    if (there := store.map_blob(key, weights.size, checksum)) is not None:  # the same model for other shapes
        weights.payloads.clear()
        _give_back_memory()
        return there, WeightsBlob(key, weights.size, checksum)
    stored = store.store_blob(key, weights.chunks())
    mapped = store.map_blob(key, weights.size) if stored is not None else None
    if stored is not None and mapped is not None:
        weights.payloads.clear()
        _give_back_memory()
        return mapped, WeightsBlob(key, weights.size, stored[1])
    return _in_memory(weights), WeightsBlob(key, weights.size, 0)


def _in_memory(weights: Weights) -> Any:
    """The block where no file holds it. Offsets in it are aligned, so the block is."""
    block, position = aligned_bytes(weights.size), 0
    weights.payloads.reverse()
    while weights.payloads:
        offset, payload = weights.payloads.pop()
        block[position:offset] = 0
        position = offset + len(payload)
        block[offset:position] = np.frombuffer(payload, np.uint8)
    block[position:] = 0
    return block


def _give_back_memory() -> None:
    """Freed memory goes back to the system before the mapped weights take as much; glibc would keep what is not the last of its heap."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
