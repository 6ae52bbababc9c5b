"""Which elements of a vector each thread of a block has, and index arithmetic on that.

In every dimension a thread has `width` neighbouring elements, then the ones `threads * width` further on, and so forth: each such run of
all threads is a *chunk*. A vector becomes one small vector for each combination of chunks. Dimensions are counted from the last one, as a
value of fewer dimensions is the same for all of the missing ones; an extent of 1 is the same for all threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import gcd

from xdsl.ir import SSAValue

from stepwell.ir.diagnostics import CompileError

Chunks = tuple[int, ...]
"""The number of a chunk in each dimension of a vector."""


@dataclass(frozen=True)
class Spread:
    """How one dimension is dealt out. `place` is the index of a thread's first element in chunk 0, once it is computed."""

    threads: int
    width: int
    place: SSAValue | None = None

    @property
    def chunk(self) -> int:
        """Elements of a chunk."""
        return self.threads * self.width


@dataclass(frozen=True)
class ThreadLayout:
    """How the dimensions of one vector are dealt out; None for an extent of 1, which all threads have."""

    shape: tuple[int, ...]
    spreads: tuple[Spread | None, ...]

    def __post_init__(self) -> None:
        for extent, spread in zip(self.shape, self.spreads, strict=True):
            if spread is not None and extent % spread.chunk:
                raise CompileError(f"{spread.threads} threads with {spread.width} elements each do not divide an extent of {extent}")

    @property
    def local_shape(self) -> tuple[int, ...]:
        """The shape of one of the small vectors."""
        return tuple(1 if spread is None else spread.width for spread in self.spreads)

    @cached_property
    def chunks(self) -> list[Chunks]:
        """All small vectors, in order."""
        counts = [1 if spread is None else extent // spread.chunk for extent, spread in zip(self.shape, self.spreads, strict=True)]
        return list(product(*(range(count) for count in counts)))

    def offset(self, dimension: int, chunk: int) -> tuple[SSAValue | None, int]:
        """Where a small vector begins in a dimension: a value of the thread's (None: 0) and a constant."""
        spread = self.spreads[dimension]
        return (None, 0) if spread is None else (spread.place, chunk * spread.chunk)


def copying_spreads(shape: Sequence[int], threads: int) -> list[Spread]:
    """How threads share out a tile that is copied: side by side along the last dimension, as far as they reach."""
    spreads: list[Spread] = []
    left = threads
    for extent in reversed(shape):
        count = gcd(extent, left)
        spreads.insert(0, Spread(count, 1))
        left //= count
    if left > 1:
        raise CompileError(f"{threads} threads do not divide a tile of {'x'.join(map(str, shape))}")
    return spreads
