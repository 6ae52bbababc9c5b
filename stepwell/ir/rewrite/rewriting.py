"""Two drivers for rewrite patterns: to a fixed point, and in one walk.

In: an operation, whose nested operations are rewritten in place, and xDSL `RewritePattern`s. Out: whether anything changed.

`rewrite_greedily` is for simplification: folds, erases what is dead, applies patterns until none applies. `walk_and_rewrite` is for
lowering: every operation that was there at the start is offered to the patterns once, in program order; what they create is left alone.

Both give operations that a pattern creates the location of the operation that it matched, unless the pattern has set one; what takes
the place of several operations gets their locations fused. Both offer every attempt to the watchers of `stepwell.ir.rewrite.actions`,
if there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from xdsl.dialects.builtin import UNKNOWN_LOC, ArrayAttr, FusedLoc, LocationAttr, NoneAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import BlockInsertPoint, InsertPoint
from xdsl.traits import IsolatedFromAbove, NoTerminator

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.effects import has_only_result_effects, is_pure_kind, may_be_dead
from stepwell.ir.locations import place, place_of
from stepwell.ir.rewrite.actions import APPLY_PATTERN, ERASE_DEAD, FOLD, ITERATION, active, begin, end
from stepwell.ir.rewrite.folding import Folder, KnownConstants, folder_of, is_constant, materialize_constant
from stepwell.ir.rewrite.pattern_set import PatternSet, pattern_name
from stepwell.ir.rewrite.unreachable import erase_unreachable, is_unreachable, reachable_blocks
from stepwell.ir.walking import no_collection, operations_in

if TYPE_CHECKING:
    from stepwell.ir.rewrite.attempts import Attempts

GENERATIONS_PER_ITERATION = 64
"""How long a chain of operations, each created by rewriting the one before, may grow for each allowed iteration."""


@dataclass(frozen=True)
class Greediness:
    """How `rewrite_greedily` goes about it."""

    fold: bool = True
    """Fold operations before patterns are tried on them."""
    unique_constants: bool = False
    """Keep one of equal constants, at the start of the isolated region's first block; only with `fold`."""
    simplify: Literal["disabled", "normal", "aggressive"] = "disabled"
    """After each iteration, erase what is dead around loops of blocks, and their dead arguments; merge equal blocks if aggressive."""
    top_down: bool = True
    """Visit operations in program order first."""
    max_iterations: int = 10
    """How often everything is walked over; negative for no bound."""
    max_rewrites: int = -1
    """How many rewrites there may be in an iteration; negative for no bound."""
    must_converge: bool = True
    """Work that is left after so many iterations is an error."""
    between: Callable[[Operation], bool] | None = None
    """What else to do after each iteration; says whether it changed anything."""


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
    if not watchers:
        with no_collection():
            return _GreedyDriver(_as_set(patterns), how).run(op)
    from stepwell.ir.rewrite.attempts import Attempts

    with Attempts(watchers) as attempts:
        return _WatchedGreedyDriver(_as_set(patterns), how, attempts).run(op)


def walk_and_rewrite(op: Operation, patterns: Sequence[RewritePattern] | PatternSet) -> bool:
    """Offer every operation inside `op` to `patterns` once, in pre-order; operations that the patterns create are not visited."""
    watchers = active()
    if not watchers:
        return _walk(op, _as_set(patterns), _WalkRewriter.apply)
    from stepwell.ir.rewrite.attempts import Attempts

    with Attempts(watchers) as attempts:
        return _walk(op, _as_set(patterns), partial(_watched_apply, attempts))


def _walk(op: Operation, index: PatternSet, apply: Callable[[_WalkRewriter, RewritePattern, Operation], bool]) -> bool:
    erased: set[Operation] = set()
    rewriter = _WalkRewriter(op, erased)
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


@cache
def _is_isolated(kind: type[Operation]) -> bool:
    return kind is not UnregisteredOp and kind.get_trait(IsolatedFromAbove) is not None


def _has_branches(root: Operation, ops: Iterable[Operation]) -> bool:
    """Whether a region of one of them has several blocks."""
    for op in (root, *ops):
        for region in op.regions:
            if region.first_block is not region.last_block:
                return True
    return False


def _has_loops(root: Operation, ops: Iterable[Operation]) -> bool:
    """Whether, in a region where definitions need not come first, values may be computed from each other."""
    for op in (root, *ops):
        if not op.regions or not _is_without_order(type(op)):
            continue
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    if inner.results:
                        return True
    return False


@cache
def _is_without_order(kind: type[Operation]) -> bool:
    return kind is UnregisteredOp or kind.get_trait(NoTerminator) is not None


def is_dead(op: Operation) -> bool:
    """Whether nothing uses `op` and nothing would notice its absence."""
    kind = type(op)
    if not may_be_dead(kind):
        return False
    for result in op.results:
        if result.first_use is not None:
            return False
    return is_pure_kind(kind) or has_only_result_effects(op)


def _parts(location: LocationAttr) -> tuple[Attribute, ...]:
    """The locations that `location` was fused from, or itself."""
    return cast(ArrayAttr[Attribute], location.locations).data if isinstance(location, FusedLoc) else (location,)


# ---- rewriters: what xDSL's rewriter tells us while a pattern runs -------------------------------------------------------------------


class _LocatingRewriter(PatternRewriter):
    """Gives created operations the location of the matched one."""

    location: LocationAttr = UNKNOWN_LOC
    _point: InsertPoint | None = None

    @property
    def insertion_point(self) -> InsertPoint:
        """Before the matched operation, unless the pattern has gone elsewhere; made when somebody asks, for most patterns do not match."""
        if self._point is None:
            assert self._current_operation is not None
            self._point = InsertPoint.before(self._current_operation)
        return self._point

    @insertion_point.setter
    def insertion_point(self, point: InsertPoint) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._point = point

    def apply(self, pattern: RewritePattern, op: Operation) -> bool:
        """Try one pattern on `op`. Whether it changed anything."""
        self.prepare(op)
        pattern.match_and_rewrite(op, self)
        return self.has_done_action

    def prepare(self, op: Operation) -> None:
        """Aim the rewriter at `op`."""
        self._current_operation = op
        self._point = None
        self.has_done_action = False
        self.location = op.location

    def _keep_point(self, op: Operation) -> None:
        """`op` is about to be erased: where it stands is still known."""
        if op is self._current_operation and self._point is None and op.parent is not None:
            self._point = InsertPoint.before(op)

    def handle_operation_replacement(self, op: Operation, new_results: Sequence[SSAValue | None]) -> None:
        """The matched operation has given its location to what was created for it; another one that is replaced too adds its own."""
        if op is not self._current_operation:
            self._fuse(op.location, new_results)

    def _fuse(self, location: LocationAttr, new_results: Sequence[SSAValue | None]) -> None:
        if location is UNKNOWN_LOC or location == self.location:
            return
        for value in new_results:
            if not isinstance(value, OpResult):
                continue
            parts = _parts(value.op.location)
            if parts[0] == self.location and location not in parts:
                value.op.location = FusedLoc((*parts, location), NoneAttr())

    def handle_operation_insertion(self, op: Operation) -> None:
        if op.location is UNKNOWN_LOC:
            op.location = self.location
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    self.handle_operation_insertion(inner)


class _WalkRewriter(_LocatingRewriter):
    """Remembers what was erased, so that the walk does not visit it."""

    def __init__(self, root: Operation, erased: set[Operation]) -> None:
        super().__init__(InsertPoint(Block()))
        self._erased = erased

    def handle_operation_removal(self, op: Operation) -> None:
        self._keep_point(op)
        self._erased.update(op.walk())


class _GreedyRewriter(_LocatingRewriter):
    """Keeps the worklist up to date."""

    def __init__(self, driver: _GreedyDriver) -> None:
        super().__init__(InsertPoint(Block()))
        self._driver = driver

    def handle_operation_insertion(self, op: Operation) -> None:
        for inner in op.walk():
            if inner.location is UNKNOWN_LOC:
                inner.location = self.location
            self._driver.created(inner)

    def handle_operation_modification(self, op: Operation) -> None:
        self._driver.push(op)

    def handle_operation_removal(self, op: Operation) -> None:
        self._keep_point(op)
        for inner in op.walk() if op.regions else (op,):
            self._driver.removed(inner)

    def inline_block(self, block: Block, insertion_point: InsertPoint, arg_values: Sequence[SSAValue] = ()) -> None:
        moved = list(block.ops)
        super().inline_block(block, insertion_point, arg_values)
        self._driver.push_all(moved)

    def inline_region(self, region: Region, insertion_point: BlockInsertPoint) -> None:
        moved = list(region.walk())
        super().inline_region(region, insertion_point)
        self._driver.push_all(moved)


# ---- the greedy driver ------------------------------------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """What there is to do with the operations of a class, worked out once."""

    may_be_dead: bool
    is_pure: bool
    folder: Folder | None
    patterns: tuple[RewritePattern, ...]


class _Ancestry(NamedTuple):
    """Which rewrites, one upon the other, made an operation what it is."""

    generation: int
    pattern: str
    parent: _Ancestry | None


class _GreedyDriver:
    """A worklist, last in first out, over the operations that may have something to do."""

    def __init__(self, patterns: PatternSet, how: Greediness) -> None:
        self._patterns = patterns
        self._how = how
        self._fold = how.fold
        self._constants = KnownConstants() if how.unique_constants and how.fold else None
        self._plans: dict[type[Operation], _Plan] = {}
        self._root: Operation | None = None
        self._ops: list[Operation] | None = None
        self._changed: set[Operation] = set()
        self._changed_outside = True
        self._is_drained = True
        self._worklist: dict[int, Operation] = {}  # by identity: operations hash slowly
        self._longest_chain = 0
        self._ancestry: dict[Operation, _Ancestry] = {}
        self._matched: Operation | None = None
        self._rewrite: RewritePattern | None = None
        self._current: _Ancestry | None = None
        self._block: Block | None = None
        self._applied: dict[str, None] = {}
        self._rewriter = _GreedyRewriter(self)

    def run(self, root: Operation) -> bool:
        self._root = root
        how = self._how
        changed = False
        iterations = count() if how.max_iterations < 0 else range(how.max_iterations)
        self._ops = None
        for _ in iterations:
            ops = operations_in(root) if self._ops is None else self._ops
            again = _has_branches(root, ops) and self._clean((root, *ops))
            self._seed(self._to_visit(root, operations_in(root) if again else ops))
            self._changed.clear()
            self._longest_chain = GENERATIONS_PER_ITERATION * max(how.max_iterations, 10) + len(self._worklist)
            self._applied.clear()
            again |= self._drain()
            if how.simplify != "disabled" and self._simplify(root):
                again, self._changed_outside = True, True
            if how.between is not None and how.between(root):
                again, self._changed_outside, self._ops = True, True, None
            if not again:
                return changed
            changed = True
        if not how.must_converge:
            return changed
        names = ", ".join(f"'{name}'" for name in self._applied)
        raise CompileError(f"patterns {names} still apply after {how.max_iterations} iterations over '{root.name}'", location=place(root))

    def _to_visit(self, root: Operation, ops: list[Operation]) -> list[Operation]:
        """`ops`, without those in isolated operations in which nothing has changed since everything in them was visited."""
        if self._changed_outside:
            self._changed_outside = False
            return ops
        found: list[Operation] = []
        for region in root.regions:
            for block in region.blocks:
                for op in block.ops:
                    found.append(op)
                    if op in self._changed or not _is_isolated(type(op)):
                        found += operations_in(op)
        return found

    def _clean(self, ops: Iterable[Operation]) -> bool:
        """Erase what is never reached: there, values may be computed from themselves, and patterns need not come to an end."""
        if not erase_unreachable(ops):
            return False
        self._changed_outside = True
        return True

    def _simplify(self, root: Operation) -> bool:
        """What the work list leaves to be simplified are values around loops of blocks, or of a region without order, and blocks."""
        ops = operations_in(root)
        if self._is_drained and not _has_branches(root, ops) and not _has_loops(root, ops):
            self._ops = ops
            return False
        self._ops = None
        from stepwell.ir.transforms.region_simplification import simplify_regions

        return simplify_regions(root, merge=self._how.simplify == "aggressive", removed=self._forget)

    def _seed(self, visited: list[Operation]) -> None:
        """Everything onto the list. Constants go to their places on the way, and vanish if there is an equal one."""
        ops: list[Operation] = []
        constants = self._constants
        if constants is not None:
            constants.start()
        for op in visited:
            if constants is not None and is_constant(type(op)) and (known := constants.meet(op)) is not None:
                for old, new in zip(op.results, known.results, strict=True):
                    new.name_hint = new.name_hint or old.name_hint
                    old.replace_all_uses_with(new)
                op.detach()
                op.erase()
            else:
                ops.append(op)
        self._worklist = {id(op): op for op in (reversed(ops) if self._how.top_down else ops)}

    def _forget(self, op: Operation) -> None:
        if self._constants is not None:
            for inner in op.walk():
                self._constants.forget(inner)

    def _drain(self) -> bool:
        """Work until the list is empty. Whether anything changed."""
        changed = False
        worklist = self._worklist
        process = self._process
        left = self._how.max_rewrites
        while worklist and left:
            _, op = worklist.popitem()
            block = op.parent
            if block is None:
                continue  # erased behind the rewriter's back
            if process(op):
                changed = True
                left -= 1
                self._note_change(block)
        self._is_drained = not worklist
        return changed

    def _note_change(self, block: Block) -> None:
        """Something has changed that stood in `block`, in the isolated operation around it that stands right inside the root."""
        root = self._root
        around: Operation | None = None
        above = block.parent_op()
        while above is not None and above is not root:
            around, above = above, above.parent_op()
        if around is None or above is None:
            self._changed_outside = True
        else:
            self._changed.add(around)

    def _process(self, op: Operation) -> bool:
        plan = self._plans.get(type(op)) or self._plan(op)
        if plan.may_be_dead:
            for result in op.results:
                if result.first_use is not None:
                    break
            else:
                if plan.is_pure or has_only_result_effects(op):
                    self._erase_unused(op)
                    return True
        if plan.folder is not None and self._try_fold(op, plan.folder):
            return True
        if plan.patterns:
            rewriter = self._rewriter
            rewriter.prepare(op)
            for pattern in plan.patterns:
                self._begin(op, pattern)
                pattern.match_and_rewrite(op, rewriter)
                if rewriter.has_done_action:
                    self._succeeded(op)
                    return True
        return False

    def _erase_unused(self, op: Operation) -> None:
        """Erase an operation in a block that nothing uses, which need not be checked again."""
        for inner in (op, *operations_in(op)) if op.regions else (op,):
            self.removed(inner)
        op.detach()
        op.drop_all_references()

    def _plan(self, op: Operation) -> _Plan:
        kind = type(op)
        folder = folder_of(kind) if self._fold else None
        plan = self._plans[kind] = _Plan(may_be_dead(kind), is_pure_kind(kind), folder, self._patterns.of(op))
        return plan

    def _try_fold(self, op: Operation, folder: Folder) -> bool:
        folded = folder(op)
        if folded is None:
            return False
        results = op.results
        if not results or folded is results:  # it has changed itself
            self._begin(op, None)
            self._rewriter.prepare(op)
            self._rewriter.notify_op_modified(op)
            self._succeeded(op)
            return True
        values: list[SSAValue] = []
        made: list[Operation] = []
        for value, result in zip(folded, results, strict=True):
            if value is result:
                return False  # in code that is never reached, a value may be computed from itself
            if isinstance(value, Attribute):
                constant = materialize_constant(value, result.type, op)
                if constant is None:
                    return False
                made.append(constant)
                value = constant.results[0]
            values.append(value)
        self._begin(op, None)
        self._rewriter.prepare(op)
        self._replace(op, made, values)
        self._succeeded(op)
        return True

    def _replace(self, op: Operation, made: Sequence[Operation], values: Sequence[SSAValue]) -> None:
        """What the rewriter's `replace` does, without what a fold has no need of."""
        block = op.parent
        assert block is not None
        for constant in made:
            constant.location = op.location
            block.insert_op_before(constant, op)
            self.created(constant)
        for result, value in zip(op.results, values, strict=True):
            for use in tuple(result.uses):
                user, index = use.operation, use.index
                user.operands[index] = value
                self.push(user)
            value.name_hint = value.name_hint or result.name_hint
        if len(values) == 1 and (hint := values[0].name_hint) is not None:
            for constant in made:
                constant.results[0].name_hint = constant.results[0].name_hint or hint
        self._erase_unused(op)

    def _begin(self, op: Operation, pattern: RewritePattern | None) -> None:
        """Whatever is created from now on comes from `op`, by `pattern`, or by its fold."""
        self._matched = op
        self._rewrite = pattern
        self._current = None
        self._block = op.parent

    def _descent(self) -> _Ancestry | None:
        """Where what is created now comes from. Most patterns do not match, so that nobody asks."""
        if self._current is None and (op := self._matched) is not None:
            ancestry = self._ancestry.get(op)
            name = f"fold of {op.name}" if self._rewrite is None else pattern_name(self._rewrite)
            self._current = _Ancestry(ancestry.generation + 1 if ancestry else 1, name, ancestry)
        return self._current

    def _succeeded(self, op: Operation) -> None:
        """Book one rewrite; stop a chain that grows without end, which every cycle of patterns does."""
        current = self._descent()
        assert current is not None
        self._applied[current.pattern] = None
        if op.parent is not None:
            self._ancestry[op] = current
            self.push(op)
        if current.generation > self._longest_chain:
            if self._block is not None and is_unreachable(self._block):
                self._leave_unreachable(self._block)
                return
            raise _undo_each_other(current, self._rewriter.location)

    def _leave_unreachable(self, block: Block) -> None:
        """Values there are computed from each other, round and round; the next iteration begins by erasing them."""
        assert block.parent is not None
        reachable = reachable_blocks(block.parent)
        for op in list(self._worklist.values()):
            if op.parent is not None and op.parent.parent is block.parent and op.parent not in reachable:
                del self._worklist[id(op)]

    # what the rewriter reports

    def push(self, op: Operation) -> None:
        self._worklist[id(op)] = op

    def push_all(self, ops: Sequence[Operation]) -> None:
        for op in reversed(ops):
            self.push(op)

    def created(self, op: Operation) -> None:
        if (descent := self._descent()) is not None:
            self._ancestry[op] = descent
        self.push(op)

    def removed(self, op: Operation) -> None:
        self._descent()  # while that of the matched operation is known
        worklist = self._worklist
        worklist.pop(id(op), None)
        self._ancestry.pop(op, None)
        if self._constants is not None and is_constant(type(op)):
            self._constants.forget(op)
        for operand in op._operands:  # pyright: ignore[reportPrivateUsage]
            if isinstance(operand, OpResult):
                worklist[id(operand.op)] = operand.op  # it may be dead now


# ---- being watched ------------------------------------------------------------------------------------------------------------------


def _watched_apply(attempts: Attempts, rewriter: _LocatingRewriter, pattern: RewritePattern, op: Operation) -> bool:
    return attempts.attempt(APPLY_PATTERN, pattern_name(pattern), op, lambda: rewriter.apply(pattern, op))


class _WatchedGreedyDriver(_GreedyDriver):
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
            self._begin(op, pattern)
            if _watched_apply(self._attempts, self._rewriter, pattern, op):
                self._succeeded(op)
                return True
        return False

    def _erase(self, op: Operation) -> bool:
        self._rewriter.erase(op)
        return True

    def _erase_unused(self, op: Operation) -> None:
        self._rewriter.erase(op)

    def _replace(self, op: Operation, made: Sequence[Operation], values: Sequence[SSAValue]) -> None:
        self._rewriter.replace(op, made, values)  # which the watchers hear of


def _undo_each_other(end: _Ancestry, location: LocationAttr) -> CompileError:
    names: dict[str, None] = {}
    link: _Ancestry | None = end
    for _ in range(GENERATIONS_PER_ITERATION):
        if link is None:
            break
        names[link.pattern] = None
        link = link.parent
    culprits = " and ".join(f"'{name}'" for name in names)
    what = f"patterns {culprits} undo each other" if len(names) > 1 else f"pattern {culprits} applies to its own result"
    return CompileError(f"{what}: {end.generation} rewrites, one upon the other", location=place_of(location))
