"""Two drivers for rewrite patterns: to a fixed point, and in one walk.

In: an operation, whose nested operations are rewritten in place, and xDSL `RewritePattern`s. Out: whether anything changed.

`rewrite_greedily` is for simplification: folds, erases what is dead, applies patterns until none applies. `walk_and_rewrite` is for
lowering: every operation that was there at the start is offered to the patterns once, in program order; what they create is left alone.

Both give operations that a pattern creates the location of the operation that it matched, unless the pattern has set one; what takes
the place of several operations gets their locations fused. Both offer every attempt to the watchers of `stepwell.ir.rewrite.actions`,
if there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from xdsl.ir import Operation
from xdsl.pattern_rewriter import RewritePattern

from stepwell.ir.rewrite.actions import active
from stepwell.ir.rewrite.greedy import Greediness as Greediness
from stepwell.ir.rewrite.greedy import GreedyDriver
from stepwell.ir.rewrite.mutations import is_anybody_listening
from stepwell.ir.rewrite.pattern_set import PatternSet
from stepwell.ir.rewrite.rewriters import WalkRewriter
from stepwell.ir.walking import no_collection


def rewrite_greedily(
    op: Operation,
    patterns: Sequence[RewritePattern] | PatternSet,
    *,
    fold: bool = True,
    max_iterations: int = 10,
    how: Greediness | None = None,
) -> bool:
    """Apply `patterns` to the operations inside `op` until none applies; the first pattern that matches wins.

    Dead operations without effects are erased. Raises CompileError, naming the patterns, where they undo each other or still find work
    after `max_iterations` walks over everything. `how` says more than, and stands instead of, the other two arguments.
    """
    how = how or Greediness(fold=fold, max_iterations=max_iterations)
    watchers = active()
    if not watchers and not is_anybody_listening():
        with no_collection():
            return GreedyDriver(_as_set(patterns), how).run(op)
    from stepwell.ir.rewrite.attempts import Attempts
    from stepwell.ir.rewrite.watched import WatchedGreedyDriver

    with Attempts(watchers) as attempts:
        return WatchedGreedyDriver(_as_set(patterns), how, attempts).run(op)


def walk_and_rewrite(op: Operation, patterns: Sequence[RewritePattern] | PatternSet) -> bool:
    """Offer every operation inside `op` to `patterns` once, in pre-order; operations that the patterns create are not visited."""
    watchers = active()
    if not watchers:
        return _walk(op, _as_set(patterns), WalkRewriter.apply)
    from stepwell.ir.rewrite.attempts import Attempts
    from stepwell.ir.rewrite.watched import watched_apply

    with Attempts(watchers) as attempts:
        return _walk(op, _as_set(patterns), partial(watched_apply, attempts))


def _walk(op: Operation, index: PatternSet, apply: Callable[[WalkRewriter, RewritePattern, Operation], bool]) -> bool:
    erased: set[Operation] = set()
    rewriter = WalkRewriter(op, erased)
    changed = False
    for inner in list(op.walk())[1:]:
        if inner in erased:
            continue
        for pattern in index.of(inner):
            if apply(rewriter, pattern, inner):
                changed = True
                break
    return changed


def _as_set(patterns: Sequence[RewritePattern] | PatternSet) -> PatternSet:
    return patterns if isinstance(patterns, PatternSet) else PatternSet(patterns)
