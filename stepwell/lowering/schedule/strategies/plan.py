"""What a strategy hands back: the steps, and how many iterations the parallel loop has. And what the machine looks like to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Machine:
    """The few facts about a processor that tiles depend on."""

    vector_bytes: int = 64
    dot4: bool = False
    """Whether one instruction adds four products of an unsigned and a signed byte to each lane."""

    @property
    def registers(self) -> int:
        """Vector registers."""
        return 32 if self.vector_bytes >= 64 else 16

    def lanes(self, element_bytes: int) -> int:
        """Elements of one vector register."""
        return max(1, self.vector_bytes // max(element_bytes, 1))

    l2_bytes: int = 1 << 20
    """How much of one operand may be expected to stay in the second-level cache."""


@dataclass
class Plan:
    """A schedule being written."""

    steps: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    iterations: int = 1
    """Iterations of the parallel loop."""
    movable: dict[str, int] | None = None
    """Loops whose last tile may be moved back where it is ragged -> the tile for few iterations. None: the tiles are part of the kernel,
    and no other extents are to be served."""

    def add(self, name: str, *arguments: Any) -> None:
        self.steps.append((name, *arguments))


def parallel_prefix(loops: Sequence[tuple[str, int]], enough: int = 32) -> tuple[list[str], int]:
    """The fewest outer loops that have enough iterations together (all if need be), as (names, iterations). Loops are (name, trips)."""
    names: list[str] = []
    iterations = 1
    for name, trips in loops:
        if names and iterations >= enough:
            break
        names.append(name)
        iterations *= max(trips, 1)
    return names, iterations


def lane_tail(extent: int, tile: int, *, repeatable: bool) -> str:
    """How the last tile of a loop that becomes lanes is met."""
    if extent % tile == 0:
        return "exact"
    return "overlap" if repeatable and extent >= tile else "mask"
