"""Schedules that a program of any shape has used: a kernel that differs from an earlier one in nothing but extents takes its schedule over.

The best tiles for 5 rows and for 7 are not the same, but nearly as good, and a schedule that was compiled already costs nothing. While the
first shape is compiled, kernels take over the schedules of others where that is legal and about as good. From then on (`general`) what is
chosen anew is made to serve any extents: tiles of loops whose extent shapes decide have a ragged end, and where the last tile is moved back
(`overlap`, which needs as many iterations as a tile has) a second form of the kernel is there for fewer. What serves is taken, so that
one more shape compiles nothing.

    memory = ScheduleMemory()
    with memory.used():                           # passes that run here remember and reuse
        ...
    with memory.used(general=True):               # a further shape
        ...
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from typing import Any, cast

Step = tuple[Any, ...]
Names = tuple[tuple[str, ...], ...]
"""Of the loops, stage by stage."""

ROW_TILES = (4, 8, 14)
"""Of rows that are fewer than the tallest tile."""
WORTH = 0.7
"""How much of the rows of the chosen tile a known one must have."""
TILE_COST = 2.0
"""What a tile costs besides its iterations, in iterations: among known schedules that are legal the cheapest is taken."""
MASK_COST = 1.1
"""What masks cost."""

_current: ContextVar[ScheduleMemory | None] = ContextVar("stepwell-schedules", default=None)


@dataclass(frozen=True)
class Remembered:
    """A schedule, the extents of the loops that it was made for, and their names."""

    steps: tuple[Step, ...]
    extents: Mapping[str, int]
    names: Names = ()
    general: bool = False
    """Whether it was made to serve other extents, too."""
    inputs: frozenset[int] = frozenset()
    """The extents of the inputs that the program had then."""


@dataclass
class ScheduleMemory:
    """Structure of a kernel -> the schedules that kernels of it have."""

    known: dict[str, list[Remembered]] = field(default_factory=dict[str, list[Remembered]])
    kernel_names: dict[str, str] = field(default_factory=dict[str, str])
    """The name of each kernel as it is compiled: one that is named otherwise in another program would be compiled once more."""
    kernel_keys: dict[str, str] = field(default_factory=dict[str, str], compare=False)
    """By name, what the cache knows a kernel by: to find that out means to print it."""
    general: bool = False
    """Whether what is chosen has to serve any extents."""
    preparing: bool = False
    """Whether each kernel is to be given forms that serve any extents, though others are legal for those that it has."""
    inputs: frozenset[int] = frozenset()
    """The extents of the program's inputs: a constant of such an extent (a mask, a table) may have another for other shapes."""
    reused: int = 0
    """Kernels that took over a schedule that was made for other extents."""

    @contextmanager
    def used(self, *, general: bool = False, preparing: bool = False, inputs: frozenset[int] = frozenset()) -> Generator[None]:
        """Schedules that are chosen inside are remembered and reused."""
        token = _current.set(self)
        self.general, self.preparing, self.inputs, self.reused = general, preparing, inputs, 0
        try:
            yield
        finally:
            self.general = self.preparing = False
            _current.reset(token)

    def reuse(self, structure: str, steps: Sequence[Step], extents: Mapping[str, int], names: Names = ()) -> tuple[Step, ...]:
        """The steps to take: those of a known kernel that are about as good, or new ones, which are remembered."""
        chosen = tuple(steps)
        remembered = self.known.setdefault(structure, [])
        alike = [old for old in remembered if old.names == names]
        for old in alike:
            if old.steps == chosen and _same_parts(chosen, old.extents, extents):
                return chosen
        for old in alike:
            if serves(old, chosen, extents):
                return old.steps
        if alike:
            chosen = tuple(_for_any_rows(step, extents) for step in chosen)
        remembered.append(Remembered(chosen, dict(extents), names, inputs=self.inputs))
        return chosen

    def find(self, structure: str, stages: Sequence[Sequence[int]]) -> Remembered | None:
        """The cheapest schedule that is legal for a kernel with loops of these extents; one for any extents where those are prepared."""
        legal = [
            (cost(old.steps, extents), position)
            for position, old in enumerate(self.known.get(structure, ()))
            if (old.general or not self.preparing)
            and (extents := named_extents(old.names, stages)) is not None
            and is_legal(old.steps, old.extents, extents)
        ]
        return self.known[structure][min(legal)[1]] if legal else None

    def remember_forms(self, structure: str, forms: Sequence[Sequence[Step]], extents: Mapping[str, int], names: Names) -> None:
        """Enter the forms of a kernel that serves any extents."""
        entered = self.known.setdefault(structure, [])
        entered += [Remembered(tuple(form), dict(extents), names, general=True) for form in forms]

    def varying(self, structure: str, names: Names, extents: Mapping[str, int], constant: frozenset[str]) -> frozenset[str]:
        """The loops whose extents shapes decide: all but those along constants (`constant`), unless these have an extent of the inputs. A
        kernel that was met with the same extent for other inputs gives no such loop."""
        met = [old for old in self.known.get(structure, ()) if old.names == names and not old.general and not old.inputs & self.inputs]
        always = {name for name, extent in extents.items() if any(old.extents.get(name) == extent for old in met)}
        return frozenset(name for name, extent in extents.items() if name not in always and (name not in constant or extent in self.inputs))

    # -- kept

    def to_bytes(self) -> bytes:
        """The memory as JSON, to be kept as a cache entry."""
        known = {
            key: [[r.steps, dict(r.extents), r.names, r.general, sorted(r.inputs)] for r in entries] for key, entries in self.known.items()
        }
        return json.dumps([known, self.kernel_names]).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> ScheduleMemory:
        """Read what `to_bytes` wrote. Raises KeyError, TypeError or ValueError on anything else."""
        read: Any = json.loads(raw)
        known, kernel_names = cast("tuple[dict[str, list[Any]], dict[str, str]]", read)
        return cls(
            {
                key: [
                    Remembered(tuple(map(tuple, steps)), extents, tuple(map(tuple, names)), general, frozenset(inputs))
                    for steps, extents, names, general, inputs in entries
                ]
                for key, entries in known.items()
            },
            kernel_names,
        )


def memory() -> ScheduleMemory | None:
    """The memory in use."""
    return _current.get()


# ---- what is legal --------------------------------------------------------------------------------------------------------------


def named_extents(names: Names, stages: Sequence[Sequence[int]]) -> dict[str, int] | None:
    """Extents by the names of loops; None where the names do not fit, or a name would stand for two extents."""
    extents: dict[str, int] = {}
    if [len(own) for own in names] != [len(stage) for stage in stages]:
        return None
    for own, stage in zip(names, stages, strict=True):
        for name, extent in zip(own, stage, strict=True):
            if extents.setdefault(name, extent) != extent:
                return None
    return extents


def is_legal(steps: Sequence[Step], before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether a schedule that was made for some extents is right for others."""
    return _same_parts(steps, before, now) and all(_is_legal_tile(split, now) for split in _splits(steps))


@dataclass(frozen=True)
class _Split:
    root: str
    """The loop that the kernel has: what is split may itself come of a split."""
    name: str
    tile: int
    how: str


def _splits(steps: Sequence[Step]) -> list[_Split]:
    roots: dict[str, str] = {}
    splits: list[_Split] = []
    for step in steps:
        if step[0] == "split":
            name: str = step[1]
            root = roots[step[3]] = roots.get(name, name)
            splits.append(_Split(root, name, step[2], step[4] if len(step) > 4 else "mask"))
    return splits


def _is_legal_tile(split: _Split, extents: Mapping[str, int]) -> bool:
    extent = extents.get(split.root, 0)
    if split.how == "exact":
        return extent % split.tile == 0
    return extent >= split.tile if split.how == "overlap" else extent > 0


def cost(steps: Sequence[Step], extents: Mapping[str, int]) -> float:
    """How many iterations the tiles of a schedule run, in a measure that compares schedules of one kernel."""
    total = 1.0
    for split in _splits(steps):
        if split.root == split.name:
            tiles = ceil(extents[split.root] / split.tile)
            total *= tiles * (split.tile + TILE_COST) * (MASK_COST if split.how == "mask" else 1)
    return total


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


# ---- schedules for any extents --------------------------------------------------------------------------------------------------


def general_forms(
    steps: Sequence[Step], extents: Mapping[str, int], varying: frozenset[str], movable: Mapping[str, int]
) -> list[tuple[Step, ...]]:
    """A schedule for any extents of the loops in `varying`: first the form to take for those at hand, then the one for fewer iterations.

    `movable`: loops whose last tile may be moved back -> the tile that a form for few iterations has.

    before: `["split", "m", 14, "mr", "exact"]` for 28 rows
    after:  `["split", "m", 14, "mr", "overlap"]` and, for less than 14, `["split", "m", 4, "mr"]`
    """
    many: list[Step] = []
    few: list[Step] = []
    enough = True
    whole = {step[1] for step in steps if step[0] == "sink"}  # what is summed in one step is never cut: the data is padded to it
    roots: dict[str, str] = {}
    for step in steps:
        if step[0] != "split":
            many.append(step)
            few.append(step)
            continue
        name: str = step[1]
        tile, point = step[2], step[3]
        root = roots[point] = roots.get(name, name)
        if root not in varying or point in whole:
            many.append(step)
            few.append(step)
        elif name in movable:
            many.append(("split", name, tile, point, "overlap"))
            few.append(("split", name, min(tile, movable[name]), point))
            enough &= extents[name] >= tile
        else:
            many.append(("split", name, tile, point))
            few.append(("split", name, tile, point))
    forms = [tuple(many), tuple(few)] if enough else [tuple(few)]
    return list(dict.fromkeys(forms))
