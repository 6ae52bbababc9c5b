"""Where the time goes: a tree of named scopes, and the instrumentation that opens one for every pass."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from xdsl.ir import Operation

from stepwell.ir.pass_manager import Instrumentation, PassManager
from stepwell.ir.passes import Pass

RULE = "===" + "-" * 73 + "==="


@dataclass
class Scope:
    """Seconds spent under a name, and in what. Entering the same name again adds to it."""

    name: str
    seconds: float = 0.0
    children: dict[str, Scope] = field(default_factory=dict[str, "Scope"])

    def child(self, name: str) -> Scope:
        """The scope of that name inside, made at need."""
        return self.children.setdefault(name, Scope(name))


class Timer:
    """A stack of open scopes; `with timer.scope("Parser"):` measures."""

    def __init__(self) -> None:
        self.root = Scope("root")
        self._open: list[tuple[Scope, float]] = []

    def start(self, name: str) -> None:
        """Open a scope inside the innermost open one."""
        parent = self._open[-1][0] if self._open else self.root
        self._open.append((parent.child(name), perf_counter()))

    def stop(self) -> None:
        """Close the innermost open scope."""
        scope, began = self._open.pop()
        scope.seconds += perf_counter() - began

    @contextmanager
    def scope(self, name: str) -> Generator[None]:
        """Measure the body of a `with` statement."""
        self.start(name)
        try:
            yield
        finally:
            self.stop()

    def report(self, total: float) -> str:
        """The table that `mlopt --mlir-timing` prints, for a run of `total` seconds."""
        known = sum(scope.seconds for scope in self.root.children.values())
        rows = [*_rows(self.root, 0), (total - known, "Rest"), (total, "Total")]
        lines = [f"  {seconds:8.4f} ({100 * seconds / total:5.1f}%)  {name}" for seconds, name in rows]
        title = [RULE, "... Execution time report ...".center(len(RULE)).rstrip(), RULE, f"  Total Execution Time: {total:.4f} seconds"]
        return "\n".join([*title, "", "  ----Wall Time----  ----Name----", *lines]) + "\n"


def _rows(scope: Scope, depth: int) -> Iterator[tuple[float, str]]:
    for child in scope.children.values():
        yield child.seconds, "  " * depth + child.name
        yield from _rows(child, depth + 1)


class PassTiming(Instrumentation):
    """A scope for every pass and every nested pipeline. Stands last among the hooks, so that it measures the pass and nothing else."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._is_running = False

    def before_pipeline(self, manager: PassManager, op: Operation) -> None:
        self._timer.start(f"'{manager.anchor}' Pipeline")

    def after_pipeline(self, manager: PassManager, op: Operation) -> None:
        self._timer.stop()

    def before_pass(self, step: Pass, op: Operation) -> None:
        self._timer.start(step.name)
        self._is_running = True

    def after_pass(self, step: Pass, op: Operation) -> None:
        self._timer.stop()
        self._is_running = False

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if self._is_running:  # not so where another hook failed after the pass
            self.after_pass(step, op)
