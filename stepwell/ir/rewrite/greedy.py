"""The greedy driver: a worklist, last in first out, over the operations that may have something to do.

In: an operation, patterns, and how to go about it. Out: whether anything changed. What an operation of a class may have to do is worked
out once for the class; operations that can only die are looked at when nothing uses them any more, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Literal, cast

from xdsl.dialects.builtin import UNKNOWN_LOC, UnregisteredOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue
from xdsl.pattern_rewriter import RewritePattern
from xdsl.rewriter import BlockInsertPoint, InsertPoint
from xdsl.traits import IsolatedFromAbove, NoTerminator

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.effects import has_only_result_effects, is_pure_kind, may_be_dead
from stepwell.ir.locations import place
from stepwell.ir.rewrite.chains import GENERATIONS_PER_ITERATION, Chains, undo_each_other
from stepwell.ir.rewrite.folding import Folded, Folder, folder_of, is_constant
from stepwell.ir.rewrite.known_constants import KnownConstants, materialize_constant
from stepwell.ir.rewrite.linking import drop_operands, replace_uses, unlink
from stepwell.ir.rewrite.pattern_set import PatternSet
from stepwell.ir.rewrite.rewriters import LocatingRewriter
from stepwell.ir.rewrite.unreachable import erase_unreachable, is_unreachable, reachable_blocks
from stepwell.ir.walking import gather, operations_in


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


@dataclass(slots=True)
class Plan:
    """What there may be to do with the operations of a class."""

    may_be_dead: bool
    is_pure: bool
    is_constant: bool
    folder: Folder | None
    patterns: tuple[RewritePattern, ...]
    only_dies: bool
    """Neither fold nor pattern: what the operation uses, and who uses it, makes no difference while somebody does."""
    vanishes_plainly: bool
    """Lets go of its operands, and of nothing else, when it is erased."""


@cache
def _is_isolated(kind: type[Operation]) -> bool:
    return kind is not UnregisteredOp and kind.get_trait(IsolatedFromAbove) is not None


@cache
def _is_without_order(kind: type[Operation]) -> bool:
    return kind is UnregisteredOp or kind.get_trait(NoTerminator) is not None


def _has_branches(holders: Iterable[Operation]) -> bool:
    """Whether a region of one of them has several blocks."""
    for op in holders:
        for region in op.regions:
            if region.first_block is not region.last_block:
                return True
    return False


def _has_loops(holders: Iterable[Operation]) -> bool:
    """Whether, in a region where definitions need not come first, values may be computed from each other."""
    for op in holders:
        if not _is_without_order(type(op)):
            continue
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    if inner.results:
                        return True
    return False


class GreedyDriver:
    """Rewrites everything inside an operation until there is nothing left to do."""

    def __init__(self, patterns: PatternSet, how: Greediness) -> None:
        self._patterns = patterns
        self._how = how
        self._fold = how.fold
        self._constants = KnownConstants() if how.unique_constants and how.fold else None
        self._plans: dict[type[Operation], Plan] = {}
        self._root: Operation | None = None
        self._inside: tuple[list[Operation], list[Operation]] | None = None
        self._changed: set[Operation] = set()
        self._changed_outside = True
        self._noted: Block | None = None
        self._is_drained = True
        self._worklist: dict[int, Operation] = {}  # by identity: operations hash slowly
        self._longest_chain = 0
        self._chains: Chains | None = None
        self._applied: dict[type, None] = {}
        self._rewriter = _GreedyRewriter(self)

    def run(self, root: Operation) -> bool:
        """Rewrite what is inside `root`. Whether anything changed."""
        self._root = root
        how = self._how
        changed = False
        iterations = count() if how.max_iterations < 0 else range(how.max_iterations)
        self._inside = None
        for _ in iterations:
            ops, holders = self._inside or gather(root)
            again = _has_branches((root, *holders)) and self._clean((root, *ops))
            self._seed(self._to_visit(root, operations_in(root) if again else ops))
            self._changed.clear()
            self._noted = None
            self._longest_chain = GENERATIONS_PER_ITERATION * max(how.max_iterations, 10) + len(ops)
            self._chains = None
            self._applied.clear()
            again |= self._drain()
            if how.simplify != "disabled" and self._simplify(root):
                again, self._changed_outside = True, True
            if how.between is not None and how.between(root):
                again, self._changed_outside, self._inside = True, True, None
            if not again:
                return changed
            changed = True
        if not how.must_converge:
            return changed
        names = ", ".join(f"'{_name_of(kind)}'" for kind in self._applied)
        raise CompileError(f"patterns {names} still apply after {how.max_iterations} iterations over '{root.name}'", location=place(root))

    # what is visited

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
        inside = gather(root)
        holders = (root, *inside[1])
        if self._is_drained and not _has_branches(holders) and not _has_loops(holders):
            self._inside = inside
            return False
        self._inside = None
        from stepwell.ir.transforms.region_simplification import simplify_regions

        return simplify_regions(root, merge=self._how.simplify == "aggressive", removed=self._forget)

    def _seed(self, visited: list[Operation]) -> None:
        """Everything that may have something to do onto the list. Constants go to their places on the way, and vanish if there is an
        equal one."""
        ops: list[Operation] = []
        constants = self._constants
        if constants is not None:
            constants.start()
        plans = self._plans
        for op in visited:
            plan = plans.get(type(op)) or self._plan(op)
            if plan.is_constant and constants is not None and (known := constants.meet(op)) is not None:
                self._merge(op, known)
                continue
            if plan.only_dies:
                if not plan.may_be_dead:
                    continue
                for result in op.results:
                    if result.first_use is not None:
                        break
                else:
                    ops.append(op)
                continue
            ops.append(op)
        self._worklist = {id(op): op for op in (reversed(ops) if self._how.top_down else ops)}

    def _merge(self, op: Operation, known: Operation) -> None:
        """Let the constant `known` take the place of its equal `op`."""
        for old, new in zip(op.results, known.results, strict=True):
            new.name_hint = new.name_hint or old.name_hint
            old.replace_all_uses_with(new)
        op.detach()
        op.erase()

    def _forget(self, op: Operation) -> None:
        if self._constants is not None:
            for inner in op.walk():
                self._constants.forget(inner)

    def _drain(self) -> bool:
        """Work until the list is empty. Whether anything changed."""
        rewrites = 0
        worklist = self._worklist
        process = self._process
        most = self._how.max_rewrites
        while worklist and rewrites != most:
            _, op = worklist.popitem()
            block = op.parent
            if block is None:
                continue  # erased behind the rewriter's back
            if process(op):
                rewrites += 1
                if block is not self._noted:
                    self._note_change(block)
                if rewrites == self._longest_chain:
                    self._chains = Chains(self._longest_chain)
        self._is_drained = not worklist
        return rewrites > 0

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
        self._noted = block

    # what is done with an operation

    def _plan(self, op: Operation) -> Plan:
        kind = type(op)
        folder = folder_of(kind) if self._fold else None
        patterns = self._patterns.of(op)
        plan = self._plans[kind] = Plan(
            may_be_dead=may_be_dead(kind),
            is_pure=is_pure_kind(kind),
            is_constant=is_constant(kind),
            folder=folder,
            patterns=patterns,
            only_dies=folder is None and not patterns,
            vanishes_plainly=kind.drop_all_references is Operation.drop_all_references,
        )
        return plan

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
        if (folder := plan.folder) is not None and (folded := folder(op)) is not None and self._use_folded(op, folded):
            return True
        if plan.patterns:
            rewriter = self._rewriter
            rewriter.prepare(op)
            chains = self._chains
            for pattern in plan.patterns:
                if chains is not None:
                    chains.begin(op, pattern)
                pattern.match_and_rewrite(op, rewriter)
                if rewriter.has_done_action:
                    self._noted = None  # blocks may have moved
                    self._succeeded(op, pattern)
                    return True
        return False

    def _use_folded(self, op: Operation, folded: Folded) -> bool:
        """Do what a fold says. Whether it could be done."""
        results = op.results
        chains = self._chains
        if not results or folded is results:  # it has changed itself
            if chains is not None:
                chains.begin(op, None)
            self._rewriter.prepare(op)
            self._rewriter.notify_op_modified(op)
            self._succeeded(op, None)
            return True
        assert folded is not None
        values: list[SSAValue] = []
        made: list[Operation] = []
        for value, result in zip(folded, results, strict=True):
            if value is result:
                return False  # in code that is never reached, a value may be computed from itself
            kind = value.__class__
            if kind is not OpResult and kind is not BlockArgument:  # `isinstance` asks abstract classes at length
                constant = self._constant(cast(Attribute, value), result.type, op, made)
                if constant is None:
                    return False
                value = constant
            values.append(cast(SSAValue, value))
        if chains is not None:
            chains.begin(op, None)
        self._rewriter.prepare(op)
        self._replace(op, made, values)
        self._succeeded(op, None)
        return True

    def _constant(self, value: Attribute, type: Attribute, op: Operation, made: list[Operation]) -> SSAValue | None:
        """A constant for what `op` folds to: one that is known, or a new one, which goes into `made` to be inserted."""
        if self._constants is not None and (known := self._constants.find(value, type, op)) is not None:
            return known
        constant = materialize_constant(value, type, op)
        if constant is None:
            return None
        made.append(constant)
        return constant.results[0]

    def _replace(self, op: Operation, made: Sequence[Operation], values: Sequence[SSAValue]) -> None:
        """What the rewriter's `replace` does, without what a fold has no need of."""
        block = op.parent
        assert block is not None
        for constant in made:
            constant.location = op.location
            block.insert_op_before(constant, op)
            self.created(constant)
        worklist = self._worklist
        for result, value in zip(op.results, values, strict=True):
            for user in replace_uses(result, value):
                worklist[id(user)] = user
            if value._name is None:  # pyright: ignore[reportPrivateUsage]  # it need not be checked again
                value._name = result._name  # pyright: ignore[reportPrivateUsage]
        self._erase_unused(op)

    def _erase_unused(self, op: Operation) -> None:
        """Erase an operation in a block that nothing uses, which need not be checked again."""
        if op.regions:
            for inner in (op, *operations_in(op)):
                self.removed(inner)
            op.detach()
            op.drop_all_references()
            return
        block = op.parent
        assert block is not None
        unlink(op, block)
        plans = self._plans
        plan = plans[type(op)]
        if op._successors or not plan.vanishes_plainly:  # pyright: ignore[reportPrivateUsage]  # the property builds a view
            op.drop_all_references()
        else:
            drop_operands(op)
        worklist = self._worklist
        worklist.pop(id(op), None)
        if self._chains is not None:
            self._chains.removed(op)
        if plan.is_constant and self._constants is not None:
            self._constants.forget(op)
        for operand in op._operands:  # pyright: ignore[reportPrivateUsage]
            if operand.__class__ is OpResult:
                definer = cast("OpResult", operand).op
                if operand.first_use is None or (plan := plans.get(type(definer))) is None or not plan.only_dies:
                    worklist[id(definer)] = definer  # it may be dead now

    def _succeeded(self, op: Operation, pattern: RewritePattern | None) -> None:
        """Book one rewrite; stop a chain that grows without end, which every cycle of patterns does."""
        self._applied[type(op) if pattern is None else type(pattern)] = None
        if op.parent is not None:
            self.push(op)
        if self._chains is None or (chain := self._chains.succeeded(op)) is None:
            return
        if (block := self._rewriter.block) is not None and is_unreachable(block):
            self._leave_unreachable(block)
            return
        raise undo_each_other(chain, self._rewriter.location)

    def _leave_unreachable(self, block: Block) -> None:
        """Values there are computed from each other, round and round; the next iteration begins by erasing them."""
        assert block.parent is not None
        reachable = reachable_blocks(block.parent)
        for op in list(self._worklist.values()):
            if op.parent is not None and op.parent.parent is block.parent and op.parent not in reachable:
                del self._worklist[id(op)]

    # what the rewriter reports

    def push(self, op: Operation) -> None:
        """`op` may have something to do."""
        self._worklist[id(op)] = op

    def push_all(self, ops: Sequence[Operation]) -> None:
        """So may all of `ops`, the first one first."""
        for op in reversed(ops):
            self.push(op)

    def created(self, op: Operation) -> None:
        """`op` is new."""
        if self._chains is not None:
            self._chains.created(op)
        self.push(op)

    def removed(self, op: Operation) -> None:
        """`op` is about to be erased."""
        if self._chains is not None:
            self._chains.removed(op)
        worklist = self._worklist
        worklist.pop(id(op), None)
        if self._constants is not None and is_constant(type(op)):
            self._constants.forget(op)
        for operand in op._operands:  # pyright: ignore[reportPrivateUsage]
            if isinstance(operand, OpResult):
                worklist[id(operand.op)] = operand.op  # it may be dead now


def _name_of(kind: type) -> str:
    """How a message calls the pattern, or the fold of an operation."""
    return f"fold of {getattr(kind, 'name', kind.__name__)}" if issubclass(kind, Operation) else kind.__name__


class _GreedyRewriter(LocatingRewriter):
    """Keeps the worklist up to date."""

    def __init__(self, driver: GreedyDriver) -> None:
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
        self.keep_point(op)
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
