"""Threads that compile while the program runs, and stop where the process ends."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet

from xdsl.ir import Operation

from stepwell.backends.cpu.clock import Clock
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass


class Stoppable(Protocol):
    """Something that works in a thread of its own."""

    def give_up(self) -> None:
        """Nobody waits for what is not there yet."""
        ...

    def wait(self) -> None:
        """Until the thread has nothing to do any more."""
        ...


class Abandoned(CompileError):
    """The process ends, or the program is gone."""


class Watch(Clock):
    """A clock that stops a compilation that nobody waits for any more."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._wanted = wanted

    def before_pass(self, step: Pass, op: Operation) -> None:
        if not self._wanted():
            raise Abandoned("nobody waits for it")
        super().before_pass(step, op)


running: WeakSet[Stoppable] = WeakSet()
"""What is stopped when the process ends."""


@atexit.register
def stop_all() -> None:
    """End all threads."""
    threads = list(running)
    for each in threads:  # all of them first: one may wait for another
        each.give_up()
    for each in threads:
        each.wait()
