"""Compiled code on disk: content-addressed, written atomically, verified on load, bounded in size, shared by processes without locks.

An entry is one file: magic, checksum of key and payload, payload. Readers take no lock; a short, foreign, renamed or corrupt file is a
miss and is removed. Writers write a temporary file in the same folder and rename it. Objects are executable code, so the folder is private
to the user (0700), a folder that others can write to is not used, and entries owned by somebody else are ignored.

`STEPWELL_CACHE_DIR` moves the cache, `STEPWELL_CACHE_SIZE` bounds it in bytes (default 4 GiB), `STEPWELL_CACHE=0` turns it off.
"""

from __future__ import annotations

import mmap
import os
import re
import stat
import tempfile
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from stepwell.ir.diagnostics import CompileError

_MAGIC = b"stepwell-entry-2"
_HEADER = len(_MAGIC) + 16
_DEFAULT_LIMIT = 4 << 30
_ENTRY = re.compile(r"[0-9a-f]{32}\.\w+(\.\w+\.tmp)?")


def digest(*parts: str | bytes | memoryview) -> str:
    """A key for content: 32 hexadecimal digits. Parts are delimited, so ("a", "bc") differs from ("ab", "c")."""
    state = blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.hexdigest()


def compiler_fingerprint() -> str:
    """Changes whenever a source file of the compiler, or a package below it, changes, and with what the environment asks for."""
    return _fingerprint(checks_bounds())


@cache
def _fingerprint(checked: bool) -> str:
    from importlib.metadata import version

    root = Path(__file__).parents[2]
    files = sorted(root.rglob("*.py"))
    stats = "".join(f"{path.relative_to(root)}:{(s := path.stat()).st_size}:{s.st_mtime_ns};" for path in files)
    return digest(stats, version("xdsl"), version("llvmlite"), "checked" if checked else "")


def checks_bounds() -> bool:
    """Whether reads that data decides are to be compiled with checks of their bounds."""
    return os.environ.get("STEPWELL_CHECK_BOUNDS", "") not in ("", "0")


def cache_folder() -> Path:
    """Where entries live."""
    asked = os.environ.get("STEPWELL_CACHE_DIR")
    if asked:
        return Path(asked)
    import platformdirs

    return Path(platformdirs.user_cache_dir("stepwell"))


@dataclass(frozen=True)
class CacheStatistics:
    """What `stepwell cache` shows."""

    folder: Path
    entries: int
    size: int
    limit: int


class ObjectCache:
    """A folder of verified entries. A cache without a folder never hits and never stores; one whose folder others can write to has none."""

    def __init__(self, folder: Path | None, limit: int = _DEFAULT_LIMIT) -> None:
        reason = None if folder is None else _why_not_private(folder)
        if reason:
            warnings.warn(f"the cache is off: {folder} {reason} (try: chmod go-w, or another STEPWELL_CACHE_DIR)", stacklevel=2)
        self.folder = None if reason else folder
        self.limit = limit
        self._written = 0

    @classmethod
    def default(cls) -> ObjectCache:
        """The cache that the environment asks for."""
        if os.environ.get("STEPWELL_CACHE") == "0":
            return cls(None)
        asked = os.environ.get("STEPWELL_CACHE_SIZE")
        if asked and not (asked.isascii() and asked.isdigit()):
            raise CompileError(f"STEPWELL_CACHE_SIZE must be a number of bytes, not {asked!r}")
        return _shared(cache_folder(), int(asked) if asked else _DEFAULT_LIMIT)

    def _path(self, key: str, kind: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.{kind}"

    def load(self, key: str, kind: str = "o") -> bytes | None:
        """The payload of an entry, or None. A damaged entry is removed."""
        if self.folder is None:
            return None
        path = self._path(key, kind)
        try:
            with path.open("rb") as file:
                if not _is_ours(os.fstat(file.fileno())):
                    return None
                raw = file.read()
        except OSError:
            return None
        payload = raw[_HEADER:]
        if raw[: len(_MAGIC)] != _MAGIC or raw[len(_MAGIC) : _HEADER] != _checksum(key, kind, payload):
            _remove(path)
            return None
        return payload

    def store(self, key: str, payload: bytes, kind: str = "o") -> None:
        """Write an entry. A full or read-only disk is no error: the entry is simply not kept."""
        if self.folder is None:
            return
        self._write(self._path(key, kind), [_MAGIC + _checksum(key, kind, payload), payload])

    def remove(self, key: str, kind: str = "o") -> None:
        """Forget an entry."""
        if self.folder is not None:
            _remove(self._path(key, kind))

    def _write(self, path: Path, pieces: Iterable[bytes | memoryview]) -> bool:
        assert self.folder is not None
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for piece in pieces:
                        file.write(piece)
                        self._written += len(piece)
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError:
            return False
        if self._written > self.limit // 16:
            self._written = 0
            self.shrink(self.limit)
        return True

    def store_blob(self, key: str, pieces: Iterable[bytes | memoryview]) -> tuple[Path, int] | None:
        """Write a file to be mapped (packed weights), without header. Returns its path and crc32, or None if it could not be kept."""
        if self.folder is None:
            return None
        checksum = 0

        def counted() -> Iterator[bytes | memoryview]:
            nonlocal checksum
            for piece in pieces:
                checksum = zlib.crc32(piece, checksum)
                yield piece

        path = self._path(key, "weights")
        return (path, checksum) if self._write(path, counted()) else None

    def blob_path(self, key: str) -> Path | None:
        """Where the blob of a key lies, if it is there."""
        if self.folder is None:
            return None
        path = self._path(key, "weights")
        try:
            status = path.stat()
        except OSError:
            return None
        return path if _is_ours(status) else None

    def map_blob(self, key: str, size: int, checksum: int | None = None) -> mmap.mmap | None:
        """The blob of a key as read-only memory; None where it is gone, or is not what was written: then it is removed."""
        if self.folder is None or size == 0:
            return None
        path = self._path(key, "weights")
        try:
            with path.open("rb") as file:
                if not _is_ours(os.fstat(file.fileno())):  # asked of the open file: a path may lead elsewhere a moment later
                    return None
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # ValueError: an empty file
            return None
        if len(mapped) != size or (checksum is not None and zlib.crc32(mapped) != checksum):
            _remove(path)
            return None
        return mapped

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.glob("??/*"):
            if not _ENTRY.fullmatch(path.name) or not path.name.startswith(path.parent.name):
                continue  # somebody else's: the folder may hold more than the cache
            try:
                yield path, path.stat()
            except OSError:
                continue  # removed by another process meanwhile

    def statistics(self) -> CacheStatistics:
        """Number and size of entries."""
        sizes = [status.st_size for _, status in self._entries()]
        return CacheStatistics(self.folder or Path(os.devnull), len(sizes), sum(sizes), self.limit)

    def shrink(self, limit: int) -> None:
        """Remove the entries used longest ago until at most `limit` bytes remain."""
        entries = sorted(self._entries(), key=lambda entry: max(entry[1].st_atime, entry[1].st_mtime))
        size = sum(status.st_size for _, status in entries)
        for path, status in entries:
            if size <= limit:
                return
            _remove(path)
            size -= status.st_size

    def clear(self) -> int:
        """Remove every entry. Returns how many there were."""
        removed = 0
        for path, _ in self._entries():
            removed += _remove(path)
        return removed


def _checksum(key: str, kind: str, payload: bytes) -> bytes:
    """Of an entry: the payload under another name is another entry."""
    state = blake2b(f"{key}.{kind}\n".encode(), digest_size=16)
    state.update(payload)
    return state.digest()


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()


def _why_not_private(folder: Path) -> str | None:
    """What keeps a folder from holding code that we will run; None where nothing does, or where there is no folder yet."""
    if not hasattr(os, "getuid"):
        return None
    try:
        status = folder.stat()
    except OSError:
        return None
    if not _is_ours(status):
        return "belongs to another user"
    if stat.S_IMODE(status.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written to by other users"
    return None


def _remove(path: Path) -> bool:
    """Remove an entry. One that cannot be removed stays: it is a miss all the same."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


@cache
def _shared(folder: Path, limit: int) -> ObjectCache:
    return ObjectCache(folder, limit)
