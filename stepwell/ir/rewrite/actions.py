"""Actions: everything that a rewrite driver tries, one by one, offered to whoever watches.

In: watchers, installed by `watching`. Out: for every attempt of a driver (a pattern, a fold, the removal of a dead operation) each watcher
is asked whether it may go ahead, and told how it ended. Where nobody watches, a driver finds that out once and pays nothing more.

    with watching(DebugCounter(...), ActionLog(...)):
        manager.run(module, context)

A pattern that cannot match may say why: `return match_failure("the bound is not constant")`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError

APPLY_PATTERN = "apply-pattern"
FOLD = "fold"
ERASE_DEAD = "erase-dead"
ITERATION = "GreedyPatternRewriteIteration"
PASS = "pass-execution"


class Watcher:
    """What wants to know of actions; does nothing by itself."""

    checks_failures: bool = False
    """Whether drivers are to make sure that an attempt that reports failure has left the IR alone."""

    def may(self, tag: str, name: str, op: Operation) -> bool:
        """Whether the attempt of `name` on `op` may go ahead. Asked of all watchers until one refuses."""
        return True

    def begins(self, tag: str, name: str, op: Operation) -> None:
        """The attempt goes ahead. Attempts of drivers do not nest, except inside passes and iterations."""

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        """The attempt is over; `reason` says why nothing changed, where the pattern has said so."""


_watchers: tuple[Watcher, ...] = ()
_reason: str | None = None


def active() -> tuple[Watcher, ...]:
    """Those who watch now."""
    return _watchers


@contextmanager
def watching(*watchers: Watcher) -> Generator[None]:
    """Tell these watchers of every action while the body of a `with` statement runs."""
    global _watchers
    before = _watchers
    _watchers = (*before, *watchers)
    try:
        yield
    finally:
        _watchers = before


def match_failure(reason: str) -> None:
    """Say why the pattern that is being tried does not match. `return match_failure(...)` reads well in a pattern."""
    global _reason
    if _watchers:
        _reason = reason


def begin(watchers: Sequence[Watcher], tag: str, name: str, op: Operation) -> bool:
    """For drivers: whether the attempt may be made. If so, `end` must follow."""
    global _reason
    for watcher in watchers:
        if not watcher.may(tag, name, op):
            return False
    _reason = None
    for watcher in watchers:
        watcher.begins(tag, name, op)
    return True


def end(watchers: Sequence[Watcher], tag: str, name: str, op: Operation, changed: bool, reason: str | None = None) -> None:
    """For drivers: how an attempt ended."""
    for watcher in reversed(watchers):
        watcher.ends(tag, name, op, changed, reason or _reason)


# ---- counting -----------------------------------------------------------------------------------------------------------------------


class DebugCounter(Watcher):
    """Lets a window of the actions with a tag happen: the first `skip` are left out, then `count` are made, all others are left out.

    Tags are those of actions, and `greedy-rewriter` for everything that a driver changes IR by: patterns, folds, removals of what is dead.
    """

    def __init__(self, text: str = "") -> None:
        self._limits: dict[str, list[int]] = {}
        for part in text.split(",") if text else ():
            name, _, value = part.partition("=")
            tag, dash, kind = name.rpartition("-")
            if not dash or kind not in ("skip", "count"):
                message = f"expected DebugCounter counter name to end with either `-skip` or `-count`, but got `{name}`"
                raise CompileError(message, location="mlopt", hint="e.g. greedy-rewriter-skip=5,greedy-rewriter-count=1")
            if tag not in (APPLY_PATTERN, FOLD, ERASE_DEAD, ITERATION, PASS, "greedy-rewriter"):
                known = "greedy-rewriter, apply-pattern, fold, erase-dead, pass-execution, GreedyPatternRewriteIteration"
                raise CompileError(f"no action has the tag '{tag}'", location="mlopt", hint=f"tags are {known}")
            if not value.isdecimal():
                raise CompileError(f"expected DebugCounter counter value to be numeric, but got `{value}`", location="mlopt")
            self.limit(tag, **{kind: int(value)})
        self._seen: dict[str, int] = {}

    def limit(self, tag: str, *, skip: int | None = None, count: int | None = None) -> None:
        """Set one or both of the numbers of a tag."""
        limits = self._limits.setdefault(tag, [0, -1])
        if skip is not None:
            limits[0] = skip
        if count is not None:
            limits[1] = count

    def may(self, tag: str, name: str, op: Operation) -> bool:
        allowed = self._count(tag)
        if tag in (APPLY_PATTERN, FOLD, ERASE_DEAD):
            allowed = self._count("greedy-rewriter") and allowed
        return allowed

    def _count(self, tag: str) -> bool:
        number = self._seen[tag] = self._seen.get(tag, 0) + 1
        skip, count = self._limits.get(tag, (0, -1))
        return number > skip and (count < 0 or number <= skip + count)

    def seen(self, tag: str) -> int:
        """How many actions of that tag there were, those left out included."""
        return self._seen.get(tag, 0)

    def report(self) -> str:
        """What `--mlir-print-debug-counter` prints."""
        rows = [f"{tag:<32}: {{{self.seen(tag)},{skip},{count}}}\n" for tag, (skip, count) in sorted(self._limits.items())]
        free = [f"{tag:<32}: {{{seen},0,-1}}\n" for tag, seen in sorted(self._seen.items()) if tag not in self._limits]
        return "DebugCounter counters:\n" + "".join(rows + free)
