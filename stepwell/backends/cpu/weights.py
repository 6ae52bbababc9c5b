"""The packed weights of a program: one block of bytes, laid out by `plan-memory`, written once and mapped at run time.

`plan-memory` leaves each constant as `memref.global ... {offset = N}` and the size of the block as the module attribute
`stepwell.weights_size`.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, ModuleOp

from stepwell.backends.cpu.cache import ObjectCache, digest
from stepwell.backends.cpu.image import WeightsBlob
from stepwell.backends.cpu.numpy_address import aligned_bytes
from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.diagnostics import CompileError


def collect_weights(module: ModuleOp, store: ObjectCache) -> tuple[Any, WeightsBlob]:
    """The block as memory, a mapped file where the cache keeps it, and its description."""
    size_attribute = module.attributes.get("stepwell.weights_size")
    size = size_attribute.value.data if isinstance(size_attribute, IntegerAttr) else 0
    if size == 0:
        return b"", WeightsBlob("", 0, 0)
    pieces: list[bytes | memoryview] = []
    position = 0
    for offset, payload in sorted(_payloads(module), key=lambda piece: piece[0]):
        if offset < position:
            raise CompileError("two constants overlap in the plan of the weights")
        pieces += [bytes(offset - position), payload]
        position = offset + len(payload)
    pieces.append(bytes(size - position))
    key = digest("weights", *pieces)
    stored = store.store_blob(key, pieces)
    if stored is not None:
        mapped = store.map_blob(key, size)
        if mapped is not None:
            return mapped, WeightsBlob(key, size, stored[1])
    return _in_memory(pieces, size), WeightsBlob(key, size, 0)


def _in_memory(pieces: list[bytes | memoryview], size: int) -> Any:
    """The block where no file holds it. Offsets in it are aligned, so the block is."""
    block, position = aligned_bytes(size), 0
    for piece in pieces:
        block[position : position + len(piece)] = np.frombuffer(piece, np.uint8)
        position += len(piece)
    return block


def _payloads(module: ModuleOp) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for op in module.ops:
        offset = op.attributes.get("offset")
        value = op.properties.get("initial_value")
        if op.name == "memref.global" and isinstance(offset, IntegerAttr) and isinstance(value, DenseIntOrFPElementsAttr):
            constant = cast("DenseIntOrFPElementsAttr[Any]", value)
            payload = array_of(constant).tobytes() if is_splat(constant) else constant.data.data
            found.append((offset.value.data, payload))
    return found
