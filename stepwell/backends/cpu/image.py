"""What compiling leaves behind: everything that is needed to run a program, as data. It is what the cache keeps and what `Program` loads.

Objects are relocatable code of the kernels and of `main`; weights are bytes in the layout that the kernels want.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from stepwell.backends.cpu.cache import ObjectCache


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name in the model, its shape, and its numpy dtype by name."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class KernelCall:
    """One call in `main`, for reports: which kernel, for which nodes of the model, and its estimated work."""

    kernel: str
    source: str
    flops: int
    bytes: int
    count: int = 1


@dataclass(frozen=True)
class WeightsBlob:
    """Packed weights: a file of the cache, to be mapped."""

    key: str
    size: int
    checksum: int


@dataclass
class ProgramImage:
    """A compiled program. `objects` are cache keys; `code` holds the objects themselves when there is no cache."""

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    arena_size: int
    objects: list[str]
    weights: WeightsBlob
    calls: list[KernelCall] = field(default_factory=list[KernelCall])
    notes: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def to_bytes(self) -> bytes:
        """The image as JSON, to be kept as a cache entry."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> ProgramImage:
        """Read what `to_bytes` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        data = json.loads(raw)
        data["inputs"] = [TensorSpec(x["name"], tuple(x["shape"]), x["dtype"]) for x in data["inputs"]]
        data["outputs"] = [TensorSpec(x["name"], tuple(x["shape"]), x["dtype"]) for x in data["outputs"]]
        data["weights"] = WeightsBlob(**data["weights"])
        data["calls"] = [KernelCall(**call) for call in data["calls"]]
        return cls(**data)

    def load_code(self, cache: ObjectCache) -> list[bytes] | None:
        """All objects from the cache, or None if one of them is gone."""
        code: list[bytes] = []
        for key in self.objects:
            payload = cache.load(key)
            if payload is None:
                return None
            code.append(payload)
        return code
