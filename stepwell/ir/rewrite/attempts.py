"""What a rewrite driver does around every attempt while somebody watches: asks, tells, and checks that failures are failures.

In: the watchers of `stepwell.ir.rewrite.actions`. Out: `attempt`, which makes one change, unless a watcher is against it. Imported only
where there are watchers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.rewrite.actions import Watcher, begin, end
from stepwell.ir.rewrite.mutations import MutationListener, listening


class Attempts:
    """Offers every attempt of a driver to the watchers; makes sure, if one of them asks for it, that what fails has changed nothing."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self.watchers = watchers
        self._guard = _Changes() if any(watcher.checks_failures for watcher in watchers) else None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._guard is not None:
            self._open.enter_context(listening(self._guard))
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def attempt(self, tag: str, name: str, op: Operation, change: Callable[[], bool]) -> bool:
        """Make one attempt, unless a watcher is against it. Whether anything changed."""
        if not begin(self.watchers, tag, name, op):
            return False
        before = self._guard.state(op) if self._guard else None
        changed = False
        reason = None
        try:
            changed = change()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            end(self.watchers, tag, name, op, changed, reason)
        if not changed and self._guard and self._guard.state(op) != before:
            raise CompileError(
                f"pattern '{name}' changed the IR around '{op.name}' but reported failure",
                location=place(op),
                hint="a pattern changes IR through its rewriter, and tells it by notify_op_modified of what it changes by hand",
            )
        return changed


class _Changes(MutationListener):
    """Counts changes of the structure of IR, and remembers what one operation says of itself."""

    def __init__(self) -> None:
        self._changes = 0

    def state(self, op: Operation) -> object:
        """Equal to an earlier state if nothing was changed since."""
        return self._changes, dict(op.attributes), dict(op.properties), tuple(result.type for result in op.results)

    def attached(self, op: Operation) -> None:
        self._changes += 1

    def detached(self, op: Operation) -> None:
        self._changes += 1

    def operands_set(self, op: Operation) -> None:
        self._changes += 1
