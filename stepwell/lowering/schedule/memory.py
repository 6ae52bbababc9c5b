"""Schedules that a program of any shape has used: a kernel that differs from an earlier one in nothing but extents takes its schedule over.

The best tiles for 5 rows and for 7 are not the same, but nearly as good, and a schedule that was compiled already costs nothing. So what
`choose-schedule` finds for further extents of a known kernel is replaced by what is there, if that is legal for them (a tile that divides,
or is not larger than the extent, or is masked) and about as good (rows of a tile, iterations to share). A few rows get a masked tile of
4, 8 or 14 when they are met a second time, which then serves any number of them.

    with ScheduleMemory().used():
        ...                          # passes that run here remember and reuse
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from xdsl.dialects.func import FuncOp

Step = tuple[Any, ...]

ROW_TILES = (4, 8, 14)
"""Of rows that are fewer than the tallest tile."""
WORTH = 0.7
"""How much of the rows of the chosen tile a known one must have."""

_EXTENT = re.compile(r"(?<=[<x])(?:[2-9]|[1-9]\d+)(?=x)")
_current: ContextVar[ScheduleMemory | None] = ContextVar("stepwell-schedules", default=None)


@dataclass(frozen=True)
class Remembered:
    """A schedule, and the extents of the loops that it was made for."""

    steps: tuple[Step, ...]
    extents: Mapping[str, int]


@dataclass
class ScheduleMemory:
    """Structure of a kernel -> the schedules that kernels of it have."""

    known: dict[str, list[Remembered]] = field(default_factory=dict[str, list[Remembered]])

    @contextmanager
    def used(self) -> Generator[None]:
        """Schedules that are chosen inside are remembered and reused."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def reuse(self, structure: str, steps: Sequence[Step], extents: Mapping[str, int]) -> tuple[Step, ...]:
        """The steps to take: those of a known kernel, or new ones, which are remembered."""
        chosen = tuple(steps)
        remembered = self.known.setdefault(structure, [])
        for old in remembered:
            if old.steps == chosen and _same_parts(chosen, old.extents, extents):
                return chosen
        for old in remembered:
            if serves(old, chosen, extents):
                return old.steps
        if remembered:
            chosen = tuple(_for_any_rows(step, extents) for step in chosen)
        remembered.append(Remembered(chosen, dict(extents)))
        return chosen


def memory() -> ScheduleMemory | None:
    """The memory in use."""
    return _current.get()


def structure_of(kernel: FuncOp) -> str:
    """A kernel as text without its name and without extents; those of 1 stay."""
    text = str(kernel)
    return _EXTENT.sub("?", text[text.index("(") :])


def serves(old: Remembered, chosen: Sequence[Step], extents: Mapping[str, int]) -> bool:
    """Whether a known schedule may and should take the place of a chosen one for these extents.

    before: `["split", "m", 5, "mr", "exact"]` for 5 rows, known: `["split", "m", 8, "mr"]`
    after:  the known one
    """
    if len(old.steps) != len(chosen) or not _same_parts(old.steps, old.extents, extents):
        return False
    for known, new in zip(old.steps, chosen, strict=True):
        if known[0] != new[0]:
            return False
        if known == new or known[0] == "parallel":
            continue
        if known[0] != "split" or known[1] != new[1] or known[3] != new[3] or not _fits(known, new, extents):
            return False
    return _shared(old.steps, extents) * 2 >= min(_shared(chosen, extents), 32)


def _fits(known: Step, new: Step, extents: Mapping[str, int]) -> bool:
    """Whether the tile of a known split is legal for an extent, and as good as the new one."""
    extent, tile, chosen = extents.get(known[1], 0), known[2], new[2]
    how = known[4] if len(known) > 4 else "mask"
    if extent < 2 or (how == "exact" and extent % tile) or (how == "overlap" and extent < tile):
        return False
    return tile >= WORTH * chosen and ceil(extent / tile) * tile <= max(extent + extent // 2, ROW_TILES[0])


def _same_parts(steps: Sequence[Step], before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether the extents that are part of the kernel are the same."""
    fixed: set[str] = set()
    for step in steps:
        if step[0] == "static":
            fixed.update(step[1:])
        elif step[0] == "unroll" and step[2] == "full":
            fixed.add(step[1])
    if any(before.get(name) != now.get(name) for name in fixed) or before.keys() != now.keys():
        return False
    return all((before[name] == 1) == (now[name] == 1) for name in now)


def _shared(steps: Sequence[Step], extents: Mapping[str, int]) -> int:
    """Iterations of the parallel loop."""
    tiles = {step[1]: step[2] for step in steps if step[0] == "split"}
    count = 1
    for step in steps:
        if step[0] == "parallel":
            for name in step[1:]:
                count *= ceil(extents.get(name, 1) / tiles.get(name, 1))
    return count


def iterations(steps: Sequence[Step], extents: Mapping[str, int]) -> int:
    """Iterations of the parallel loop of a schedule."""
    return max(_shared(steps, extents), 1)


def _for_any_rows(step: Step, extents: Mapping[str, int]) -> Step:
    """A tile of exactly all rows as a masked one of the next size."""
    if step[0] == "split" and len(step) > 4 and step[4] == "exact" and step[1] == "m" and extents.get("m") == step[2] < ROW_TILES[-1]:
        return (*step[:2], next(tile for tile in ROW_TILES if tile >= step[2]), step[3])
    return step
