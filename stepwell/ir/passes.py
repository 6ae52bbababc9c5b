"""What a pass is: a named, frozen set of options and one function over an operation.

A pass is written once and found by name; its dataclass fields are its textual options (`name{field=value}`, underscores read as dashes).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.ir import Operation

collecting_counts: list[dict[str, int]] = []
"""The innermost collector of statistics, last; empty where nobody collects."""


def count(name: str, number: int = 1) -> None:
    """Add to a counter of the `statistics` of the running pass."""
    if collecting_counts:
        counts = collecting_counts[-1]
        counts[name] = counts.get(name, 0) + number


def count_maximum(name: str, number: int) -> None:
    """Raise a counter of the running pass to `number`, if it is less."""
    if collecting_counts:
        counts = collecting_counts[-1]
        counts[name] = max(counts.get(name, 0), number)


@dataclass(frozen=True)
class Pass(ABC):
    """One step of the stairs. Subclasses are frozen dataclasses; their docstring shows IR before -> after."""

    name: ClassVar[str]
    anchor: ClassVar[str] = "builtin.module"
    """The name of the operation that the pass runs on, or `any`."""
    statistics: ClassVar[Mapping[str, str]] = {}
    """What the pass counts: name -> what that number is of."""
    preserved: ClassVar[tuple[type[Any], ...]] = ()
    """The analyses (`stepwell.ir.analysis`) that still hold after the pass has changed the IR."""

    @abstractmethod
    def run(self, op: Operation, ctx: Context) -> None:
        """Rewrite `op` in place. Raises `stepwell.ir.diagnostics.CompileError` when the input cannot be handled."""
