"""Weights in two files: mapped as one block, and what happens where a file is gone."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from stepwell.backends.cpu.cache import ObjectCache
from stepwell.backends.cpu.image import WeightsBlob
from stepwell.backends.cpu.mapping import are_kept, can_map_together, map_together, map_weights
from stepwell.backends.cpu.weights import KnownWeights, Weights, collect_weights

pytestmark = pytest.mark.skipif(not can_map_together(), reason="the system maps files one by one")


def block(small: bytes) -> Weights:
    return Weights((1 << 16) + 128, [(0, b"large" * 100), (1 << 16, small)], 1 << 16)


def test_two_files_are_one_block(tmp_path: Path) -> None:
    files = [(tmp_path / "a", 1 << 16), (tmp_path / "b", 100)]
    for (path, size), value in zip(files, (1, 2), strict=True):
        path.write_bytes(bytes([value]) * size)
    mapped = map_together(files)
    assert bytes(mapped) == b"\1" * (1 << 16) + b"\2" * 100
    view, alive = np.frombuffer(mapped, np.uint8), weakref.ref(mapped)
    del mapped
    gc.collect()
    assert alive() is not None
    assert view[-1] == 2
    del view
    gc.collect()
    assert alive() is None


def test_what_is_no_block(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(1 << 16))
    assert map_together([(path, 1 << 16), (tmp_path / "none", 5)]) is None
    assert map_together([(path, 1 << 16), (None, 5)]) is None
    assert map_together([(path, 5), (path, 1 << 16)]) is None  # not a whole page
    assert map_together([(path, 1 << 16), (path, 5)]) is None  # another size


def test_large_weights_are_written_once_for_all_shapes(tmp_path: Path) -> None:
    store, known = ObjectCache(tmp_path / "cache"), KnownWeights()
    first, one = collect_weights(block(b"small"), store, known)
    second, other = collect_weights(block(b"other"), store, known)
    assert bytes(first)[: 1 << 16] == bytes(second)[: 1 << 16] == (b"large" * 100).ljust(1 << 16, b"\0")
    assert bytes(first)[1 << 16 :] == b"small".ljust(128, b"\0")
    assert bytes(second)[1 << 16 :] == b"other".ljust(128, b"\0")
    assert one.key == other.key
    assert one.second != other.second
    assert len(list((tmp_path / "cache").rglob("*.weights"))) == 3
    assert are_kept(store, one)
    assert bytes(map_weights(store, other)) == bytes(second)
    assert other.second is not None
    damaged = store.blob_path(other.second.key)
    assert damaged is not None
    damaged.write_bytes(b"x" * 128)
    assert map_weights(store, other) is None
    assert not are_kept(store, other)


def test_a_known_block_is_one_with_the_same_bytes(tmp_path: Path) -> None:
    store, known = ObjectCache(tmp_path / "cache"), KnownWeights()
    assert known.find(Weights(64, [(0, b"abc")])) is None
    mapped, blob = collect_weights(Weights(64, [(0, b"abc")]), store, known)
    assert known.find(Weights(64, [(0, b"abc")])) == (mapped, blob)
    for payloads in ([(0, b"abd")], [(0, b"ab")], [(0, b"abc"), (32, b"d")]):
        assert known.find(Weights(64, payloads)) is None


def test_without_a_cache_weights_stay_in_memory() -> None:
    mapped, blob = collect_weights(block(b"small"), ObjectCache(None), KnownWeights())
    assert bytes(mapped)[1 << 16 :] == b"small".ljust(128, b"\0")
    assert blob == WeightsBlob(blob.key, (1 << 16) + 128, 0)
