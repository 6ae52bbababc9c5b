"""What passes count: `--mlir-pass-statistics`.

A pass declares its counters in `statistics` (name -> what is counted) and adds to them with `passes.count("num-cse'd", 3)`. Counting costs
nothing unless somebody collects.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation

from stepwell.ir.manager.dumping import title
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager
from stepwell.ir.passes import Pass, collecting_counts

RULE = "===" + "-" * 73 + "==="


class PassStatistics(Instrumentation):
    """Collects what the passes of one run count, for a report at its end."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}
        """By identity of the pass: the same pass may stand at several places of a pipeline."""
        self._roots: list[PassManager] = []
        self._depth = 0
        self._restore: list[Pass] = []

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        if self._depth == 0 and not any(manager is known for known in self._roots):
            self._roots.append(manager)
        self._depth += 1

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        self._depth -= 1

    def before_pass(self, step: Pass, op: Operation) -> None:
        collecting_counts.append(self._counts.setdefault(id(step), {}))

    def after_pass(self, step: Pass, op: Operation) -> None:
        collecting_counts.pop()

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        counts = self._counts.get(id(step))
        if collecting_counts and collecting_counts[-1] is counts:
            collecting_counts.pop()

    # ---- the report

    def report(self, display: str = "pipeline") -> str:
        """The table; `display` is `pipeline`, as the passes stand there, or `list`, added up by kind of pass."""
        lines = [RULE, "... Pass statistics report ...".center(len(RULE)).rstrip(), RULE]
        for root in self._roots:
            lines += self._listed(root) if display == "list" else self._as_pipeline(root, 0)
        return "\n".join(lines) + "\n\n"

    def _as_pipeline(self, manager: PassManager, depth: int) -> Iterator[str]:
        margin = "  " * depth
        for element in manager.elements:
            if isinstance(element, PassManager):
                yield f"{margin}'{element.anchor}' Pipeline"
                yield from self._as_pipeline(element, depth + 1)
            else:
                yield margin + title(element)
                yield from _rows(element, self._counts.get(id(element), {}), margin)

    def _listed(self, manager: PassManager) -> Iterator[str]:
        totals: dict[str, tuple[Pass, dict[str, int]]] = {}
        for step in manager.passes():
            _, counts = totals.setdefault(title(step), (step, {}))
            for name, number in self._counts.get(id(step), {}).items():
                counts[name] = counts.get(name, 0) + number
        for name, (step, counts) in sorted(totals.items()):
            if step.statistics:
                yield f"  {name}"
                yield from _rows(step, counts, "  ")


def _rows(step: Pass, counts: dict[str, int], margin: str) -> Iterator[str]:
    width = max((len(str(number)) for number in counts.values()), default=1)
    for name, what in sorted(step.statistics.items()):
        yield f"{margin}  (S) {counts.get(name, 0):>{width}} {name} - {what}"
