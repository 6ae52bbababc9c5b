"""The greedy driver while somebody watches: every attempt is offered to the watchers, every change goes where listeners hear of it."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import RewritePattern

from stepwell.ir.effects import is_dead
from stepwell.ir.rewrite.actions import APPLY_PATTERN, ERASE_DEAD, FOLD, ITERATION, begin, end
from stepwell.ir.rewrite.attempts import Attempts
from stepwell.ir.rewrite.folding import Folder, folder_of
from stepwell.ir.rewrite.greedy import Greediness, GreedyDriver
from stepwell.ir.rewrite.pattern_set import PatternSet, pattern_name
from stepwell.ir.rewrite.rewriters import LocatingRewriter


def watched_apply(attempts: Attempts, rewriter: LocatingRewriter, pattern: RewritePattern, op: Operation) -> bool:
    """Try one pattern on `op`, unless a watcher is against it. Whether it changed anything."""
    return attempts.attempt(APPLY_PATTERN, pattern_name(pattern), op, lambda: rewriter.apply(pattern, op))


class WatchedGreedyDriver(GreedyDriver):
    """The same, with every attempt announced."""

    def __init__(self, patterns: PatternSet, how: Greediness, attempts: Attempts) -> None:
        super().__init__(patterns, how)
        self._attempts = attempts
        self._iteration = 0

    def _drain(self) -> bool:
        root = self._root
        assert root is not None
        self._iteration += 1
        name = str(self._iteration)
        watchers = self._attempts.watchers
        if not begin(watchers, ITERATION, name, root):
            return False
        changed = False
        try:
            changed = super()._drain()
        finally:
            end(watchers, ITERATION, name, root, changed)
        return changed

    def _process(self, op: Operation) -> bool:
        attempt = self._attempts.attempt
        if is_dead(op) and attempt(ERASE_DEAD, "dead operation", op, lambda: self._erase(op)):
            return True
        folder = folder_of(type(op)) if self._fold else None
        if folder is not None and attempt(FOLD, f"fold of {op.name}", op, lambda: self._try_fold(op, folder)):
            return True
        for pattern in self._patterns.of(op):
            if self._chains is not None:
                self._chains.begin(op, pattern)
            if watched_apply(self._attempts, self._rewriter, pattern, op):
                self._noted = None
                self._succeeded(op, pattern)
                return True
        return False

    def _try_fold(self, op: Operation, folder: Folder) -> bool:
        folded = folder(op)
        return folded is not None and self._use_folded(op, folded)

    def _erase(self, op: Operation) -> bool:
        self._rewriter.erase(op)
        return True

    def _erase_unused(self, op: Operation) -> None:
        self._rewriter.erase(op)

    def _replace(self, op: Operation, made: Sequence[Operation], values: Sequence[SSAValue]) -> None:
        self._rewriter.replace(op, made, values)  # which the watchers hear of
