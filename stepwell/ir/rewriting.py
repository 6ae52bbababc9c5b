"""Two drivers for rewrite patterns: to a fixed point, and in one walk.

In: an operation, whose nested operations are rewritten in place, and xDSL `RewritePattern`s. Out: whether anything changed.

`rewrite_greedily` is for simplification: folds, erases what is dead, applies patterns until none applies. `walk_and_rewrite` is for
lowering: every operation that was there at the start is offered to the patterns once, in program order; what they create is left alone.

Both give operations that a pattern creates the location of the operation that it matched, unless the pattern has set one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import BlockInsertPoint, InsertPoint
from xdsl.traits import ConstantLike, HasFolder, IsTerminator, MemoryEffect, NoMemoryEffect, SymbolOpInterface
from xdsl.transforms.dead_code_elimination import result_only_effects

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place, place_of
from stepwell.ir.pattern_set import PatternSet, pattern_name
from stepwell.ir.registry import all_dialects

GENERATIONS_PER_ITERATION = 64
"""How long a chain of operations, each created by rewriting the one before, may grow for each allowed iteration."""


def rewrite_greedily(
    op: Operation, patterns: Sequence[RewritePattern] | PatternSet, *, fold: bool = True, max_iterations: int = 10
) -> bool:
    """Apply `patterns` to the operations inside `op` until none applies; the first pattern that matches wins.

    Dead operations without effects are erased; with `fold`, operations are folded before patterns are tried. Raises CompileError, naming
    the patterns, where they undo each other or still find work after `max_iterations` walks over everything.
    """
    driver = _GreedyDriver(_as_set(patterns), fold, max_iterations)
    return driver.run(op)


def walk_and_rewrite(op: Operation, patterns: Sequence[RewritePattern] | PatternSet) -> bool:
    """Offer every operation inside `op` to `patterns` once, in pre-order; operations that the patterns create are not visited."""
    index = _as_set(patterns)
    erased: set[Operation] = set()
    rewriter = _WalkRewriter(op, erased)
    changed = False
    for inner in list(op.walk())[1:]:
        if inner in erased:
            continue
        for pattern in index.of(inner):
            if rewriter.apply(pattern, inner):
                changed = True
                break
    return changed


def _as_set(patterns: Sequence[RewritePattern] | PatternSet) -> PatternSet:
    return patterns if isinstance(patterns, PatternSet) else PatternSet(patterns)


# ---- facts about an op class, worked out once ---------------------------------------------------------------------------------------


class _Facts(NamedTuple):
    may_be_dead: bool
    """Whether an unused op of this class can be erased at all."""
    has_no_effects: bool
    """Whether it can be without looking at its regions and operands."""
    folder: type[HasFolder] | HasFolder | None


@cache
def _facts(kind: type[Operation]) -> _Facts:
    effects = kind.get_traits_of_type(MemoryEffect)
    stays = kind.get_trait(IsTerminator) is not None or kind.get_trait(SymbolOpInterface) is not None
    folder = kind.get_trait(HasFolder) if kind.get_trait(ConstantLike) is None else None  # a constant folds to itself
    return _Facts(bool(effects) and not stays, bool(effects) and all(isinstance(e, NoMemoryEffect) for e in effects), folder)


def is_dead(op: Operation) -> bool:
    """Whether nothing uses `op` and nothing would notice its absence."""
    facts = _facts(type(op))
    if not facts.may_be_dead:
        return False
    for result in op.results:
        if result.first_use is not None:
            return False
    return facts.has_no_effects or result_only_effects(op)


@cache
def _materializer(dialect: str) -> ConstantMaterializationInterface | None:
    factory = all_dialects().get(dialect)
    return factory().get_interface(ConstantMaterializationInterface) if factory else None


def materialize_constant(value: Attribute, type: Attribute, like: Operation) -> Operation | None:
    """The constant operation for a folded `value`, in the way of the dialect of `like`; `arith.constant` where it has none."""
    interface = _materializer(like.dialect_name()) or _materializer("arith")
    assert interface is not None
    return interface.materialize_constant(value, type)  # pyright: ignore[reportArgumentType]  # every type is a TypeAttribute


# ---- rewriters: what xDSL's rewriter tells us while a pattern runs -------------------------------------------------------------------


class _LocatingRewriter(PatternRewriter):
    """Gives created operations the location of the matched one."""

    location: LocationAttr = UNKNOWN_LOC

    def apply(self, pattern: RewritePattern, op: Operation) -> bool:
        """Try one pattern on `op`. Whether it changed anything."""
        self.prepare(op)
        pattern.match_and_rewrite(op, self)
        return self.has_done_action

    def prepare(self, op: Operation) -> None:
        """Aim the rewriter at `op`."""
        self._current_operation = op
        self.insertion_point = InsertPoint.before(op)
        self.has_done_action = False
        self.location = op.location

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
        for inner in op.walk() if op.regions else (op,):
            self._driver.removed(inner)

    def handle_operation_replacement(self, op: Operation, new_results: Sequence[SSAValue | None]) -> None:
        """The users are announced one by one as modified."""

    def inline_block(self, block: Block, insertion_point: InsertPoint, arg_values: Sequence[SSAValue] = ()) -> None:
        moved = list(block.ops)
        super().inline_block(block, insertion_point, arg_values)
        self._driver.push_all(moved)

    def inline_region(self, region: Region, insertion_point: BlockInsertPoint) -> None:
        moved = list(region.walk())
        super().inline_region(region, insertion_point)
        self._driver.push_all(moved)


# ---- the greedy driver ------------------------------------------------------------------------------------------------------------------


class _Ancestry(NamedTuple):
    """Which rewrites, one upon the other, made an operation what it is."""

    generation: int
    pattern: str
    parent: _Ancestry | None


class _GreedyDriver:
    """A worklist, last in first out, over the operations that may have something to do."""

    def __init__(self, patterns: PatternSet, fold: bool, max_iterations: int) -> None:
        self._patterns = patterns
        self._fold = fold
        self._max_iterations = max_iterations
        self._worklist: dict[Operation, None] = {}
        self._longest_chain = 0
        self._ancestry: dict[Operation, _Ancestry] = {}
        self._current: _Ancestry | None = None
        self._applied: dict[str, None] = {}
        self._rewriter = _GreedyRewriter(self)

    def run(self, root: Operation) -> bool:
        changed = False
        for _ in range(self._max_iterations):
            self._worklist = dict.fromkeys(reversed(list(root.walk())[1:]))
            self._longest_chain = GENERATIONS_PER_ITERATION * self._max_iterations + len(self._worklist)
            self._applied.clear()
            if not self._drain():
                return changed
            changed = True
        names = ", ".join(f"'{name}'" for name in self._applied)
        raise CompileError(f"patterns {names} still apply after {self._max_iterations} iterations over '{root.name}'", location=place(root))

    def _drain(self) -> bool:
        """Work until the list is empty. Whether anything changed."""
        changed = False
        worklist = self._worklist
        while worklist:
            op, _ = worklist.popitem()
            if op.parent is None:
                continue  # erased behind the rewriter's back
            changed |= self._process(op)
        return changed

    def _process(self, op: Operation) -> bool:
        if is_dead(op):
            self._rewriter.erase(op)
            return True
        if self._fold and _facts(type(op)).folder is not None and self._try_fold(op):
            return True
        for pattern in self._patterns.of(op):
            self._begin(op, pattern_name(pattern))
            if self._rewriter.apply(pattern, op):
                self._succeeded(op)
                return True
        return False

    def _try_fold(self, op: Operation) -> bool:
        folder = _facts(type(op)).folder
        folded = folder.fold(op) if folder else None
        if folded is None:
            return False
        values: list[SSAValue] = []
        constants: list[Operation] = []
        for value, result in zip(folded, op.results, strict=True):
            if isinstance(value, Attribute):
                constant = materialize_constant(value, result.type, op)
                if constant is None:
                    return False
                constants.append(constant)
                value = constant.results[0]
            values.append(value)
        self._begin(op, f"fold of {op.name}")
        self._rewriter.prepare(op)
        self._rewriter.replace(op, constants, values)
        self._succeeded(op)
        return True

    def _begin(self, op: Operation, pattern: str) -> None:
        """Whatever is created from now on comes from `op`, by `pattern`."""
        ancestry = self._ancestry.get(op)
        self._current = _Ancestry(ancestry.generation + 1 if ancestry else 1, pattern, ancestry)

    def _succeeded(self, op: Operation) -> None:
        """Book one rewrite; stop a chain that grows without end, which every cycle of patterns does."""
        assert self._current is not None
        self._applied[self._current.pattern] = None
        if op.parent is not None:
            self._ancestry[op] = self._current
            self.push(op)
        if self._current.generation > self._longest_chain:
            raise _undo_each_other(self._current, self._rewriter.location)

    # what the rewriter reports

    def push(self, op: Operation) -> None:
        self._worklist[op] = None

    def push_all(self, ops: Sequence[Operation]) -> None:
        for op in reversed(ops):
            self.push(op)

    def created(self, op: Operation) -> None:
        if self._current is not None:
            self._ancestry[op] = self._current
        self.push(op)

    def removed(self, op: Operation) -> None:
        self._worklist.pop(op, None)
        self._ancestry.pop(op, None)
        for operand in op.operands:
            if isinstance(operand, OpResult):
                self.push(operand.op)  # it may be dead now


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
