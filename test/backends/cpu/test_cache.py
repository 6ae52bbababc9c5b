"""The cache on disk: what is damaged, foreign or gone is a miss; nothing is half-written; size is bounded."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.backends.cpu.cache import ObjectCache, digest


def test_what_is_stored_is_loaded(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path)
    cache.store(digest("a"), b"payload")
    assert cache.load(digest("a")) == b"payload"
    assert cache.load(digest("b")) is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_damaged_entry_is_a_miss_and_is_removed(tmp_path: Path, damage: str) -> None:
    cache, key = ObjectCache(tmp_path), digest("a")
    cache.store(key, b"payload" * 100)
    (path,) = tmp_path.glob("??/*")
    raw = bytearray(path.read_bytes())
    if damage == "truncate":
        raw = raw[:-5]
    elif damage == "flip":
        raw[-1] ^= 1
    elif damage == "empty":
        raw = bytearray()
    else:
        raw = bytearray(b"something else altogether, longer than a header")
    path.write_bytes(raw)
    assert cache.load(key) is None
    assert not path.exists()


def test_oldest_entries_go_first(tmp_path: Path) -> None:
    import os

    cache = ObjectCache(tmp_path, limit=10_000)
    for i in range(20):
        cache.store(digest(str(i)), bytes(1000))
        (path,) = tmp_path.glob(f"??/{digest(str(i))}.o")
        os.utime(path, (i, i))
    cache.shrink(10_000)
    assert cache.statistics().size <= 10_000
    assert cache.load(digest("19")) is not None
    assert cache.load(digest("0")) is None


def test_cache_without_folder_never_hits() -> None:
    cache = ObjectCache(None)
    cache.store(digest("a"), b"x")
    assert cache.load(digest("a")) is None
    assert cache.store_blob(digest("a"), [b"x"]) is None


def test_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ObjectCache(tmp_path / "file")
    cache.store(digest("a"), b"x")
    assert cache.load(digest("a")) is None


def _hammer(folder: Path) -> int:
    cache = ObjectCache(folder)
    wrong = 0
    for round_ in range(200):
        key = digest(str(round_ % 7))
        cache.store(key, key.encode() * 500)
        found = cache.load(key)
        wrong += found is not None and found != key.encode() * 500
    return wrong


def test_concurrent_processes_never_see_half_an_entry(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as workers:
        assert sum(workers.map(_hammer, [tmp_path] * 3)) == 0


@given(st.lists(st.binary(max_size=20), max_size=4), st.lists(st.binary(max_size=20), max_size=4))
@settings(max_examples=200, deadline=None)
def test_digests_are_equal_only_for_equal_parts(a: list[bytes], b: list[bytes]) -> None:
    assert (digest(*a) == digest(*b)) == (a == b)


def test_a_blob_is_found_by_its_key(tmp_path: Path) -> None:
    cache, key = ObjectCache(tmp_path), digest("w")
    stored = cache.store_blob(key, [b"abc", memoryview(b"def")])
    assert stored is not None
    assert stored[0].read_bytes() == b"abcdef"
    assert cache.blob_path(key) == stored[0]
