"""Programs for exactly one shape, compiled in the background for shapes that are met again and again.

What serves any shape has tiles that fit many extents well, and none best. A plan that has run `HOT` times is compiled once more, as if its
shapes had been given at `stepwell.compile`, and runs that program from then on. A plan is found by its shapes, so nothing else has to be
checked. `STEPWELL_SPECIALISE=0` turns it off, as `specialise=False` does.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread, current_thread

from stepwell.backends.cpu.clock import Clock
from stepwell.ir.diagnostics import CompileError
from stepwell.stages.background import Abandoned, Watch, running

HOT = 16
"""Runs of a plan after which it is compiled for its shapes alone."""
MOST = 8
"""Plans of one program that are."""


@dataclass(frozen=True)
class Specialised:
    """A plan that was compiled for its shapes alone."""

    shapes: str
    kernels: int
    """That code was generated for."""
    seconds: float
    error: str = ""
    """Why the plan goes on with the program that it had."""


class Specialisation:
    """A thread that compiles one hot plan after the other. `begin` returns when it may start."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self.done: list[Specialised] = []
        self._begin = begin
        self._asked = 0
        self._waiting: deque[tuple[str, Callable[[Clock], int]]] = deque()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._is_wanted = True

    def ask(self, shapes: str, work: Callable[[Clock], int]) -> None:
        """Do `work` in the background, which says how many kernels were generated; nothing where there was enough of it."""
        with self._lock:
            if self._asked == MOST or not self._is_wanted:
                return
            self._asked += 1
            self._waiting.append((shapes, work))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="stepwell-specialise", daemon=True)
                running.add(self)
                self._thread.start()

    def wait(self) -> None:
        """Until everything that was asked for is there."""
        thread = self._thread
        if thread is not None and current_thread() is not thread:
            thread.join()

    def give_up(self) -> None:
        """Nobody waits for what is not there yet."""
        self._is_wanted = False

    def _run(self) -> None:
        self._begin()
        while True:
            with self._lock:
                if not self._waiting or not self._is_wanted:
                    self._thread = None
                    return
                shapes, work = self._waiting.popleft()
            start, kernels, error = time.perf_counter(), 0, ""
            try:
                kernels = work(Watch(lambda: self._is_wanted))
            except Abandoned:
                continue
            except CompileError as reason:
                error = reason.message
            except Exception as reason:  # a fault of ours: told by the report, and the next shape is taken
                error = f"internal error: {type(reason).__name__}: {reason}"
            self.done.append(Specialised(shapes, kernels, time.perf_counter() - start, error))


def is_wanted() -> bool:
    """Whether the environment lets hot shapes be specialised."""
    return os.environ.get("STEPWELL_SPECIALISE", "") != "0"
