"""What compiling leaves behind: everything that is needed to run a program, as data. It is what the cache keeps and what `Program` loads.

Objects are relocatable code of the kernels and of `main`; weights are bytes in the layout that the kernels want.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from stepwell.backends.cpu.cache import ObjectCache


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name in the model, its shape, and its numpy dtype by name."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The dtype itself."""
        try:
            return np.dtype(self.dtype)
        except TypeError:  # not numpy's own
            import ml_dtypes

            return np.dtype(getattr(ml_dtypes, self.dtype, self.dtype))

    @property
    def nbytes(self) -> int:
        """Bytes of an array like this."""
        return math.prod(self.shape) * self.numpy_dtype.itemsize


@dataclass(frozen=True)
class KernelCall:
    """One call in `main`, for reports: which kernel, for which nodes of the model, and its estimated work."""

    kernel: str
    source: str
    flops: int
    bytes: int
    count: int = 1
    algorithm: str = ""
    """How the node is computed and what that was estimated at, where there was a choice."""


@dataclass(frozen=True)
class WeightsBlob:
    """Packed weights: a file of the cache, to be mapped, or two, one behind the other."""

    key: str
    size: int
    checksum: int
    second: WeightsBlob | None = None

    @property
    def parts(self) -> tuple[WeightsBlob, ...]:
        """The files."""
        return (self,) if self.second is None else (self, self.second)

    @property
    def total_size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True)
class FileStamp:
    """A file beside the model that weights were read from, as it was then."""

    path: str
    size: int
    changed: int
    """When its content last changed, in nanoseconds; archives set this to what they like."""
    renewed: int
    """When the file was last written or put in place, in nanoseconds; nobody can set this."""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileStamp | None:
        """The stamp of a file as it is now; None if it is not there."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        return cls(os.fspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass
class ProgramImage:
    """A compiled program. `objects` are the cache keys of its code; a program entry is good while `files` are as they were."""

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    arena_size: int
    objects: list[str]
    weights: WeightsBlob
    calls: list[KernelCall] = field(default_factory=list[KernelCall])
    notes: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    files: list[FileStamp] = field(default_factory=list[FileStamp])
    kernels: list[str] = field(default_factory=list[str])
    """The kernel in each object; the last object is `main`."""
    launches: list[Any] | None = None
    """The calls with all numbers (`launches.py`), of programs of any shape."""

    def to_bytes(self) -> bytes:
        """The image as JSON, to be kept as a cache entry."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> ProgramImage:
        """Read what `to_bytes` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        data = json.loads(raw)
        data["inputs"] = [TensorSpec(x["name"], tuple(x["shape"]), x["dtype"]) for x in data["inputs"]]
        data["outputs"] = [TensorSpec(x["name"], tuple(x["shape"]), x["dtype"]) for x in data["outputs"]]
        second = data["weights"].pop("second")
        data["weights"] = WeightsBlob(**data["weights"], second=None if second is None else WeightsBlob(**second))
        data["calls"] = [KernelCall(**call) for call in data["calls"]]
        data["files"] = [FileStamp(**file) for file in data["files"]]
        return cls(**data)

    def is_fresh(self) -> bool:
        """Whether the files that weights came from are as they were."""
        return all(FileStamp.of(file.path) == file for file in self.files)

    def load_code(self, cache: ObjectCache) -> list[bytes] | None:
        """All objects from the cache, or None if one of them is gone."""
        code: list[bytes] = []
        for key in self.objects:
            payload = cache.load(key)
            if payload is None:
                return None
            code.append(payload)
        return code
