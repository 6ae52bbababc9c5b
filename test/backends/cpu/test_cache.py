"""The cache on disk: what is damaged, foreign or gone is a miss; nothing is half-written; size is bounded."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.backends.cpu.cache import ObjectCache, digest
from stepwell.ir.diagnostics import CompileError


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


def test_an_entry_under_another_name_is_a_miss_and_is_removed(tmp_path: Path) -> None:
    cache, key, other = ObjectCache(tmp_path), digest("a"), digest("b")
    cache.store(key, b"payload")
    (path,) = tmp_path.glob("??/*")
    for renamed, kind in ((other, "o"), (key, "program")):
        target = tmp_path / renamed[:2] / f"{renamed}.{kind}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
        assert cache.load(renamed, kind) is None
        assert not target.exists()
    assert cache.load(key) == b"payload"
    cache.remove(key)
    assert cache.load(key) is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="who may write is not told by the mode here")
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "cache"
    ObjectCache(folder).store(digest("a"), b"payload")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(mode)
    with pytest.warns(UserWarning, match="can be written to by other users"):
        cache = ObjectCache(folder)
    assert cache.folder is None
    assert cache.load(digest("a")) is None
    folder.chmod(0o755)
    assert ObjectCache(folder).load(digest("a")) == b"payload"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_what_belongs_to_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, key = ObjectCache(tmp_path), digest("a")
    cache.store(key, b"payload")
    stored = cache.store_blob(key, [b"abcdef"])
    assert stored is not None
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert cache.load(key) is None
    assert cache.blob_path(key) is None
    assert cache.map_blob(key, 6, stored[1]) is None
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert ObjectCache(tmp_path).folder is None


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


def test_a_blob_is_mapped_if_it_is_what_was_written(tmp_path: Path) -> None:
    cache, key = ObjectCache(tmp_path), digest("w")
    stored = cache.store_blob(key, [b"abcdef"])
    assert stored is not None
    path, checksum = stored
    mapped = cache.map_blob(key, 6, checksum)
    assert mapped is not None
    assert mapped[:] == b"abcdef"
    assert cache.map_blob(digest("other"), 6, checksum) is None
    path.write_bytes(b"abcdeF")
    assert cache.map_blob(key, 6, checksum) is None
    assert not path.exists()
    for content, size in ((b"", 6), (b"abc", 6)):
        path.write_bytes(content)
        assert cache.map_blob(key, size, checksum) is None


def test_what_is_no_entry_is_neither_counted_nor_removed(tmp_path: Path) -> None:
    cache, key = ObjectCache(tmp_path), digest("a")
    cache.store(key, b"x")
    interrupted = tmp_path / key[:2] / f"{key}.o.k3x_9.tmp"
    interrupted.write_bytes(b"half")
    foreign = [tmp_path / "go" / "x.go", tmp_path / key[:2] / "notes.txt", tmp_path / "zz" / f"{key}.o"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    assert cache.statistics().entries == 2
    cache.shrink(0)
    assert cache.clear() == 0
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(foreign)


@pytest.mark.parametrize("size", ["4GB", "-1", "1e9", ""])
def test_the_size_of_the_cache_is_a_number_of_bytes(size: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("STEPWELL_CACHE_SIZE", size)
    if size:
        with pytest.raises(CompileError, match="STEPWELL_CACHE_SIZE must be a number of bytes"):
            ObjectCache.default()
    else:
        assert ObjectCache.default().limit == 4 << 30
