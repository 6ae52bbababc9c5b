"""What a compiled program consists of, for people: kernels and their work, memory, compile time by pass, and every slow path taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepwell.backends.cpu.image import KernelCall, ProgramImage

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table


def _amount(value: float, unit: str) -> str:
    for prefix in ("", "k", "M", "G", "T"):
        if abs(value) < 1000 or prefix == "T":
            return f"{value:.0f} {unit}" if not prefix else f"{value:.1f} {prefix}{unit}"
        value /= 1000
    raise AssertionError


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
        return (
            f"{kernels} kernels in {calls} calls, {_amount(flops, 'flop')}, weights {_amount(self.image.weights.size, 'B')}, "
            f"arena {_amount(self.image.arena_size, 'B')}, {how}"
        )

    def render(self, *, calls: bool = False) -> Group:
        """Tables for a terminal."""
        from rich.console import Group

        parts: list[Any] = [self.summary(), self._calls() if calls else self._kernels(), self._times()]
        notes = [*self.image.notes, *self._slow_paths()]
        parts.append("\n".join(f"note: {note}" for note in notes) if notes else "no slow paths taken")
        return Group(*parts)

    def __str__(self) -> str:
        from io import StringIO

        from rich.console import Console

        text = StringIO()
        Console(file=text, width=140).print(self.render())
        return text.getvalue()

    def _kernels(self) -> Table:
        from rich.table import Table

        table = Table("kernel", "calls", "work", "moved", "share of work", title="kernels")
        merged: dict[str, list[KernelCall]] = {}
        for call in self.image.calls:
            merged.setdefault(call.kernel, []).append(call)
        total = sum(call.flops * call.count for call in self.image.calls) or 1
        rows = [(name, group, sum(c.flops * c.count for c in group), sum(c.bytes * c.count for c in group)) for name, group in merged.items()]
        for name, group, flops, moved in sorted(rows, key=lambda row: -row[2]):
            table.add_row(name, str(sum(c.count for c in group)), _amount(flops, "flop"), _amount(moved, "B"), f"{flops / total:6.1%}")
        return table

    def _calls(self) -> Table:
        from rich.table import Table

        table = Table("kernel", "for", "times", "work", "moved", title="calls in order")
        for call in self.image.calls:
            table.add_row(call.kernel, call.source, str(call.count), _amount(call.flops, "flop"), _amount(call.bytes, "B"))
        return table

    def _times(self) -> Table:
        from rich.table import Table

        seconds: dict[str, float] = self.facts.get("seconds", {})
        table = Table("step", "seconds", "share", title="compile time" + (" (when it was compiled)" if self.from_cache else ""))
        total = sum(seconds.values()) or 1
        for name, spent in sorted(seconds.items(), key=lambda item: -item[1]):
            if spent >= 0.002 * total:
                table.add_row(name, f"{spent:.3f}", f"{spent / total:6.1%}")
        table.add_row("total", f"{total:.3f}", "")
        return table

    def _slow_paths(self) -> list[str]:
        found = [f"kernel {name} keeps vector registers on the stack in its hot loop ({count} accesses)" for name, count in self.facts.get("spills", {}).items()]
        scalar = Counter(self.facts.get("scalar_kernels", []))
        found += [f"kernel {name} is not vectorised" for name in scalar]
        if self.facts.get("flushed_denormals"):
            found.append(f"{self.facts['flushed_denormals']} denormal weights were set to zero")
        return found
