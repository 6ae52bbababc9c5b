"""What a compilation is doing, how far it is, and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from xdsl.ir import Operation

from stepwell.ir.manager.pass_manager import Instrumentation
from stepwell.ir.passes import Pass

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""

_BETWEEN = "the CPU backend"


class Clock(Instrumentation):
    """Watches passes and other steps. A pass of a pipeline is one step, however many functions it runs on."""

    def __init__(self, progress: Progress | None = None, total: int = 0) -> None:
        self.seconds: dict[str, float] = {}
        """By name of the step."""
        self.doing = _BETWEEN
        """What is being done, or was being done when something went wrong."""
        self._progress = progress
        self._total = total
        self._done = 0
        self._starts: list[float] = []
        self._passes: dict[int, Pass] = {}  # by identity, and held so that it stays unique

    def before_pass(self, step: Pass, op: Operation) -> None:
        self.doing = f"pass '{step.name}'"
        self.show(step.name)
        self._starts.append(time.perf_counter())

    def after_pass(self, step: Pass, op: Operation) -> None:
        self._add(step.name, time.perf_counter() - self._starts.pop())
        self.doing = _BETWEEN
        if id(step) not in self._passes:
            self._passes[id(step)] = step
            self._done += 1

    @contextmanager
    def measure(self, step: str) -> Generator[None]:
        """Count what happens inside as one step of that name."""
        before, self.doing = self.doing, f"step '{step}'"
        start = time.perf_counter()
        yield
        self._add(step, time.perf_counter() - start)
        self.doing = before

    def _add(self, step: str, seconds: float) -> None:
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds

    def advance(self, steps: int = 1) -> None:
        """So many steps that are no passes are done."""
        self._done += steps

    def show(self, stage: str, further: int = 0) -> None:
        """Tell whoever is watching what is being done, and that `further` steps more than counted are behind us."""
        if self._progress is not None:
            self._progress(stage, min(self._done + further, self._total), self._total)
