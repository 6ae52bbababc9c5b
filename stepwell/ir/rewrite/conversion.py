"""Dialect conversion: what is not legal is rewritten until it is, types included.

In: an operation, a target (what is legal), a type converter and patterns. Out: the operation, rewritten in place; CompileError where
something illegal cannot be converted, with the patterns that were tried and why each declined.

A pattern sees operands of converted types. Where a value of the old type is needed still, or one of the new type already, a
`builtin.unrealized_conversion_cast` stands between (one for each value and type), for `reconcile-unrealized-casts` to take away when both
sides have met. A pattern decides before it changes anything: it returns `Declined(reason)` or creates operations and returns what takes the
place of the results. What it creates is converted in turn where that is not legal. With `keep_on_failure` the operation is as before
when an error is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xdsl.dialects.builtin import UNKNOWN_LOC, UnrealizedConversionCastOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.text.printing import print_line


@dataclass(frozen=True)
class Declined:
    """A pattern does not apply, and why."""

    reason: str


TypeRule = Callable[[Attribute], Attribute | None]


class TypeConverter:
    """Old type -> new type. The first rule that knows the type decides; a type that no rule knows has no new type."""

    def __init__(self, rules: Iterable[TypeRule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[Attribute, Attribute | None] = {}

    def convert(self, type: Attribute) -> Attribute | None:
        """The new type, or None where there is none."""
        if type in self._known:
            return self._known[type]
        found: Attribute | None = None
        for rule in self._rules:
            found = rule(type)
            if found is not None:
                break
        self._known[type] = found
        return found

    def convert_all(self, types: Iterable[Attribute]) -> list[Attribute] | None:
        """The new types, or None where one of them has none."""
        found = [self.convert(type) for type in types]
        return None if any(type is None for type in found) else [type for type in found if type is not None]

    def is_legal(self, types: Iterable[Attribute]) -> bool:
        """Whether types are new types already."""
        return all(self.convert(type) == type for type in types)


@dataclass
class Target:
    """What is legal: by dialect, by operation (which goes before), or by a condition on the operation."""

    dialects: frozenset[str] = frozenset()
    illegal_dialects: frozenset[str] = frozenset()
    operations: Mapping[str, bool | Callable[[Any], bool]] = field(default_factory=lambda: {})

    def is_legal(self, op: Operation) -> bool | None:
        """None where nothing is said of the operation: a partial conversion may leave it, a full one may not."""
        said = self.operations.get(op.name)
        if said is not None:
            return said if isinstance(said, bool) else said(op)
        dialect = op.name.partition(".")[0]
        if dialect in self.dialects:
            return True
        return False if dialect in self.illegal_dialects else None


class ConversionPattern:
    """How operations of some names are converted. `benefit`: higher is tried first."""

    names: ClassVar[tuple[str, ...]]
    benefit: ClassVar[int] = 1

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        """Create what takes the place of `op` through `rewriter`, give the values of its results. `operands` have converted types."""
        raise NotImplementedError


def convert_partially(
    op: Operation,
    target: Target,
    patterns: Sequence[ConversionPattern],
    types: TypeConverter,
    *,
    name: str = "conversion",
    keep_on_failure: bool = False,
) -> bool:
    """Convert what is illegal inside of `op`, and what can be converted of what the target does not know. Whether anything changed."""
    return _run(op, target, patterns, types, full=False, name=name, keep=keep_on_failure)


def convert_fully(
    op: Operation,
    target: Target,
    patterns: Sequence[ConversionPattern],
    types: TypeConverter,
    *,
    name: str = "conversion",
    keep_on_failure: bool = False,
) -> bool:
    """Convert everything inside of `op` that is not legal; what the target does not know is illegal."""
    return _run(op, target, patterns, types, full=True, name=name, keep=keep_on_failure)


def _run(
    op: Operation,
    target: Target,
    patterns: Sequence[ConversionPattern],
    types: TypeConverter,
    *,
    full: bool,
    name: str,
    keep: bool,
) -> bool:
    before = op.clone() if keep else None
    conversion = Conversion(target, patterns, types, full=full, name=name)
    try:
        return conversion.run(op)
    except CompileError:
        if before is not None:
            for region, kept in zip(op.regions, before.regions, strict=True):
                while region.blocks:
                    region.erase_block(region.blocks[-1], safe_erase=False)
                kept.move_blocks(region)
            op.attributes, op.properties = before.attributes, before.properties
        raise


class Conversion:
    """One conversion that is under way: what patterns create operations with."""

    def __init__(self, target: Target, patterns: Sequence[ConversionPattern], types: TypeConverter, *, full: bool, name: str) -> None:
        self.types = types
        self._target = target
        self._full = full
        self._name = name
        self._patterns: dict[str, list[ConversionPattern]] = {}
        for pattern in sorted(patterns, key=lambda pattern: -pattern.benefit):
            for operation in pattern.names:
                self._patterns.setdefault(operation, []).append(pattern)
        self._new: dict[SSAValue, SSAValue] = {}
        """What took the place of a value."""
        self._casts: dict[tuple[SSAValue, Attribute], SSAValue] = {}
        self._retyped: list[BlockArgument] = []
        self._dead: list[Operation] = []
        self._dead_set: set[Operation] = set()
        self._point: InsertPoint | None = None
        self._location = UNKNOWN_LOC
        self._created: list[Operation] = []

    # ---- what patterns use

    def insert(self, op: Operation) -> Operation:
        """Put an operation before the one that is being converted, at its location."""
        assert self._point is not None
        if op.location is UNKNOWN_LOC:
            op.location = self._location
        block, before = self._point.block, self._point.insert_before
        if before is None:
            block.add_op(op)
        else:
            block.insert_op_before(op, before)
        self._created.append(op)
        return op

    def create(self, kind: type[Operation], operands: Sequence[SSAValue] = (), results: Sequence[Attribute] = (), **more: Any) -> Any:
        """Create and insert an operation of a class."""
        return self.insert(kind.create(operands=operands, result_types=results, **more))

    @property
    def place(self) -> Operation | None:
        """The operation in whose block is inserted."""
        return None if self._point is None else self._point.block.parent_op()

    def at_start_of(self, block: Block) -> InsertPoint | None:
        """Insert at the start of a block from now on; gives the point to return to (`go_back`)."""
        before = self._point
        self._point = InsertPoint.at_start(block)
        return before

    def go_back(self, point: InsertPoint | None) -> None:
        """Insert where `at_start_of` found us."""
        self._point = point

    def current(self, value: SSAValue) -> SSAValue:
        """What stands for a value by now."""
        while value in self._new:
            value = self._new[value]
        return value

    def take_region(self, region: Region) -> Region:
        """The region of the operation that is being converted, for its successor. What is inside is converted there."""
        taken = Region()
        region.move_blocks(taken)
        return taken

    def convert_block(self, block: Block) -> bool:
        """Give the arguments of a block their new types. Whether all of them have one."""
        arguments = [argument for argument in block.args if argument not in self._new]
        wanted = self.types.convert_all(argument.type for argument in arguments)
        if wanted is None:
            return False
        for argument, type in zip(arguments, wanted, strict=True):
            if argument.type != type:
                self.retype_argument(argument, type)
        return True

    def retype_argument(self, argument: BlockArgument, type: Attribute) -> BlockArgument:
        """A new argument of another type in the place of one."""
        block = argument.block
        new = block.insert_arg(type, argument.index)
        new.name_hint = argument.name_hint
        self._new[argument] = new
        self._retyped.append(argument)
        return new

    def replace_argument(self, argument: BlockArgument, value: SSAValue) -> None:
        """A value stands for an argument from now on; the argument goes."""
        self._new[argument] = value
        self._retyped.append(argument)

    def cast(self, value: SSAValue, type: Attribute, *, first: bool = False) -> SSAValue:
        """The value as one of another type, by a cast behind its definition; of an argument the `first` operation of its block."""
        if value.type == type:
            return value
        known = self._casts.get((value, type))
        if known is not None:
            return known
        owner = value.owner
        if isinstance(owner, UnrealizedConversionCastOp) and len(owner.operands) == 1 and owner.operands[0].type == type:
            return owner.operands[0]
        made = UnrealizedConversionCastOp.create(operands=[value], result_types=[type])
        if isinstance(owner, Operation):
            assert owner.parent is not None
            made.location = owner.location
            owner.parent.insert_op_after(made, owner)
        else:
            before = owner.first_op
            while not first and isinstance(before, UnrealizedConversionCastOp) and before.location is UNKNOWN_LOC:
                before = before.next_op
            if before is None:
                owner.add_op(made)
            else:
                owner.insert_op_before(made, before)
        self._casts[value, type] = made.results[0]
        return made.results[0]

    # ---- the walk

    def run(self, op: Operation) -> bool:
        """Convert everything inside of `op`. Whether anything changed."""
        changed = False
        pending = [inner for inner in op.walk() if inner is not op]
        pending.reverse()
        while pending:
            inner = pending.pop()
            if inner in self._dead_set or inner.parent is None:
                continue
            self._created = []
            if self._legalize(inner):
                changed = True
                pending.extend(created for created in reversed(self._created) if created.name in self._patterns)
        self._finish()
        return changed

    def _legalize(self, op: Operation) -> bool:
        legal = self._target.is_legal(op)
        if legal is True:
            return False
        tried: list[tuple[ConversionPattern, str]] = []
        for pattern in self._patterns.get(op.name, ()):
            declined = self._apply(pattern, op)
            if declined is None:
                return True
            tried.append((pattern, declined.reason))
        if legal is False or self._full:
            raise self._stopped(op, tried, explicit=legal is False)
        return False

    def _apply(self, pattern: ConversionPattern, op: Operation) -> Declined | None:
        operands: list[SSAValue] = []
        for operand in op.operands:
            wanted = self.types.convert(operand.type)
            if wanted is None:
                return Declined(f"the type of operand #{len(operands)}, {operand.type}, has no converted type")
            operands.append(self._as(operand, wanted))
        assert op.parent is not None
        self._point, self._location = InsertPoint.before(op), op.location
        found = pattern.convert(op, operands, self)
        if isinstance(found, Declined):
            for created in reversed(self._created):  # a pattern should not, but may have
                Rewriter.erase_op(created, safe_erase=False)
            self._created = []
            return found
        for result, value in zip(op.results, found, strict=True):
            if value.name_hint is None:
                value.name_hint = result.name_hint
            self._new[result] = value
        self._dead.append(op)
        self._dead_set.add(op)
        return None

    def _as(self, value: SSAValue, type: Attribute) -> SSAValue:
        current = self.current(value)
        return current if current.type == type else self.cast(current, type)

    def _finish(self) -> None:
        """Operations that stayed use old values: they get what took their place, by a cast where the type differs."""
        for op in self._dead:
            for result in op.results:
                self._replace_uses(result)
        for argument in self._retyped:
            self._replace_uses(argument)
        for op in reversed(self._dead):
            for operand_of in list(op.results):
                for use in list(operand_of.uses):
                    if use.operation not in self._dead_set:
                        raise AssertionError("a converted value has a use")
            op.detach()
            op.drop_all_references()
        for argument in self._retyped:
            argument.block.erase_arg(argument, safe_erase=False)
        for cast_ in self._casts.values():
            if not cast_.uses and isinstance(cast_.owner, Operation) and cast_.owner.parent is not None:
                Rewriter.erase_op(cast_.owner)

    def _replace_uses(self, old: SSAValue) -> None:
        uses = [use for use in old.uses if use.operation not in self._dead_set]
        new = self.current(old)
        for use in uses:
            user = use.operation
            if user is new.owner:
                continue  # what was created around the value
            if isinstance(user, UnrealizedConversionCastOp) and len(user.results) == 1 and user.results[0].type == new.type:
                user.results[0].replace_all_uses_with(new)  # a cast that was made before the value was converted
                Rewriter.erase_op(user)
            else:
                user.operands[use.index] = self.cast(new, old.type, first=True)

    def _stopped(self, op: Operation, tried: list[tuple[ConversionPattern, str]], *, explicit: bool) -> CompileError:
        marked = " that was explicitly marked illegal" if explicit else ""
        hint = None if tried else f"{self._name} has no pattern for '{op.name}'"
        error = CompileError(f"failed to legalize operation '{op.name}'{marked}: {print_line(op)}", location=place(op), hint=hint)
        for pattern, reason in tried:
            error.add_note(f"{type(pattern).__name__} declined: {reason}")
        return error
