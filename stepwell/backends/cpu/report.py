"""What a compiled program consists of, for people: kernels and their work, memory, compile time by pass, and every slow path taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepwell.backends.cpu.image import KernelCall, ProgramImage

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

WIDTH = 100
"""Columns of a report as plain text."""


def amount(value: float, unit: str) -> str:
    """`3.2 MB`, `22.1 kflop`."""
    if value < 999.5:
        return f"{value:.0f} {unit}"
    for prefix in ("k", "M", "G"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {prefix}{unit}"
    return f"{value / 1000:.1f} T{unit}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shortened(sources: str, skipped: int, width: int = 44) -> str:
    """The nodes of a model that a call stands for, each without its first characters: those for which there is room, and how many more."""
    names = [name[skipped:] for name in sources.split(" + ")]
    names = [name if len(name) <= width else f"{name[: width // 2 - 2]}...{name[-width // 2 + 1 :]}" for name in names]
    kept = 1
    while kept < len(names) and len(" + ".join(names[: kept + 1])) <= width:
        kept += 1
    more = len(names) - kept
    return " + ".join(names[:kept]) + (f" + {more} more" if more else "")


def _common_folder(names: list[str]) -> str:
    """What all names, if they are written like paths, begin with."""
    first, last = min(names, default=""), max(names, default="")  # what these two share, all share
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[:shared].rpartition("/")[0]


@dataclass(frozen=True)
class Report:
    """The report of one program. `str(report)` is plain text; `render()` gives rich tables."""

    image: ProgramImage
    threads: int
    from_cache: bool

    @property
    def facts(self) -> dict[str, Any]:
        """Measured facts of the compilation: seconds by pass, kernels compiled and reused, spills, flushed denormals, arena bounds."""
        return self.image.facts

    def summary(self) -> str:
        """One line."""
        calls = sum(call.count for call in self.image.calls)
        flops = sum(call.flops * call.count for call in self.image.calls)
        kernels = len({call.kernel for call in self.image.calls})
        seconds = sum(self.facts.get("seconds", {}).values())
        how = "from the cache" if self.from_cache else f"compiled in {seconds:.2f} s"
        weights, arena = amount(self.image.weights.total_size, "B"), amount(self.image.arena_size, "B")
        what = f"{_count(kernels, 'kernel')} in {_count(calls, 'call')}, {amount(flops, 'flop')}"
        return f"{what}, weights {weights}, arena {arena}, {how}"

    def render(self, *, calls: bool = False) -> Group:
        """Tables for a terminal: by kernel, or with `calls` one line for each call in order."""
        from rich.console import Group

        parts: list[Any] = [self.summary(), "", self._calls() if calls else self._kernels(), *self._algorithms(), self._times()]
        notes = [f"note: {note}" for note in (*self.image.notes, *self._slow_paths())]
        return Group(*parts, *(notes or ["no slow paths taken"]))

    def __str__(self) -> str:
        from io import StringIO

        from rich.console import Console

        text = StringIO()
        Console(file=text, width=WIDTH, markup=False, highlight=False, emoji=False).print(self.render())
        return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())

    def _kernels(self) -> Table:
        merged: dict[str, list[KernelCall]] = {}
        for call in self.image.calls:
            merged.setdefault(call.kernel, []).append(call)
        total = sum(call.flops * call.count for call in self.image.calls) or 1
        table = _table("kernels", "kernel", numbers=("calls", "work", "moved", "share of work"))
        rows = [(name, sum(c.flops * c.count for c in group), group) for name, group in merged.items()]
        for name, flops, group in sorted(rows, key=lambda row: -row[1]):
            count, moved = sum(call.count for call in group), sum(call.bytes * call.count for call in group)
            table.add_row(name, str(count), amount(flops, "flop"), amount(moved, "B"), f"{flops / total:.1%}")
        return table

    def _calls(self) -> Table:
        prefix = _common_folder([name for call in self.image.calls for name in call.source.split(" + ")])
        skipped = len(prefix) + 1 if prefix else 0
        title = f"calls in order; the names of all nodes begin with {prefix}/" if prefix else "calls in order"
        table = _table(title, "kernel", "for", numbers=("times", "work", "moved"))
        for call in self.image.calls:
            work, moved = amount(call.flops, "flop"), amount(call.bytes, "B")
            table.add_row(call.kernel, _shortened(call.source, skipped), str(call.count), work, moved)
        return table

    def _algorithms(self) -> list[Table]:
        """One line for each node whose algorithm was a choice; no table where there is none."""
        chosen = dict.fromkeys((call.source, call.algorithm) for call in self.image.calls if call.algorithm)
        table = _table("algorithms chosen by estimated cost", "for", "algorithm", numbers=("estimate",))
        for source, algorithm in chosen:
            name, _, estimate = algorithm.partition(", ")
            table.add_row(_shortened(source, 0), name, estimate.removesuffix(" estimated"))
        return [table] if chosen else []

    def _times(self) -> Table:
        seconds: dict[str, float] = self.facts.get("seconds", {})
        total = sum(seconds.values()) or 1
        table = _table("compile time" + (", when it was compiled" if self.from_cache else ""), "step", numbers=("seconds", "share"))
        shown = sorted((item for item in seconds.items() if item[1] >= 0.01 * total), key=lambda item: -item[1])
        for name, spent in shown:
            table.add_row(name, f"{spent:.3f}", f"{spent / total:.1%}")
        if rest := len(seconds) - len(shown):
            spent = total - sum(spent for _, spent in shown)
            table.add_row(_count(rest, "more step"), f"{spent:.3f}", f"{spent / total:.1%}")
        reused = self.facts.get("kernels_reused", 0)
        known = f"total ({reused} of {reused + self.facts.get('kernels_compiled', 0)} kernels were in the cache)" if reused else "total"
        table.add_row(known, f"{sum(seconds.values()):.3f}", "")
        return table

    def _slow_paths(self) -> list[str]:
        spills: dict[str, int] = self.facts.get("spills", {})
        found = [f"kernel {name} keeps vector registers on the stack in its hot loop ({count} accesses)" for name, count in spills.items()]
        if self.facts.get("flushed_denormals"):
            found.append(f"{self.facts['flushed_denormals']} denormal weights were set to zero")
        return found


def _table(title: str, *columns: str, numbers: Iterable[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table
