"""Verification: IR in, nothing out, or a CompileError that says which operation breaks which rule.

Beyond what operations check of themselves (the rules of their dialect, then xDSL's definition), this checks what holds between them: a
value is defined before it is used, on every path; a branch passes values of the types of its target's arguments; nothing isolated uses a
value from outside; a block ends in a terminator. The order is MLIR's: an operation, then what is inside of it, how its blocks end, and then
what the operation asks of its regions (its method `verify_regions`, if it has one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xdsl.dialects.builtin import UnregisteredOp
from xdsl.ir import Block, BlockArgument, ErasedSSAValue, Operation, Region, SSAValue
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator
from xdsl.utils.exceptions import DiagnosticException

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.dominance import dominator_tree
from stepwell.ir.locations import place
from stepwell.ir.rules import Complete, check_foreign_attributes, region_rule_of, rules_of
from stepwell.ir.text.printing import print_line
from stepwell.ir.text.wording import VERIFIER, reworded

GRAPH_REGIONS = frozenset({"builtin.module", "gpu.module"})
"""Operations in whose regions the order of definitions and uses is free."""

NOT_ISOLATED = "Operation using value defined out of its IsolatedFromAbove parent"
"""How xDSL's check of a whole isolated operation begins its message."""

Forwarded = Sequence[Sequence[SSAValue]]

BRANCHES: dict[str, Callable[[Any], Forwarded]] = {
    "cf.br": lambda op: [op.arguments],
    "cf.cond_br": lambda op: [op.then_arguments, op.else_arguments],
    "cf.switch": lambda op: [op.default_operands, *op.case_operand],
    "llvm.br": lambda op: [op.arguments],
    "llvm.cond_br": lambda op: [op.then_arguments, op.else_arguments],
    "llvm.switch": lambda op: [op.defaultOperands, *(operands for _, _, operands in op.cases())],
}
"""The operands that a branch passes to each of its successors, by the name of the operation."""


def verify(op: Operation) -> None:
    """Check `op` and everything inside. Raises CompileError for the first operation that is wrong."""
    _Verifier().operation(op)


def verify_all(op: Operation) -> list[CompileError]:
    """What is wrong with `op` and everything inside. Of an operation that is wrong itself, the inside is not looked at."""
    found: list[CompileError] = []
    try:
        _Verifier(found).operation(op)
    except CompileError as error:
        found.append(error)
    return found


def op_error(op: Operation, message: str, *, name: bool = True) -> CompileError:
    """An error about `op`, at its place, with a note that shows it. Its name comes first, unless `name` is false."""
    called = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
    error = CompileError(f"'{called}' op {message}" if name else message, location=place(op))
    error.add_note(f"see current operation: {print_line(op)}")
    return error


class _Verifier:
    """One walk. `_visible` holds the values that are defined where the walk stands. Errors are raised, or, given a list, put into it."""

    def __init__(self, found: list[CompileError] | None = None) -> None:
        self._visible: set[SSAValue] = set()
        self._found = found

    def operation(self, op: Operation) -> None:
        self._check_itself(op)
        if op.successors:
            self._check_successors(op)
        if op.regions:
            errors = len(self._found or ())
            self._check_regions(op)
            if len(self._found or ()) == errors:
                self._check_what_regions_hold(op)

    def _check_what_regions_hold(self, op: Operation) -> None:
        if (check := getattr(op, "verify_regions", None)) is not None:
            self._check(op, check)
        if (rule := region_rule_of(op.name)) is not None:
            self._check(op, lambda: rule(op))

    def _check_regions(self, op: Operation) -> None:
        outside = self._visible
        if op.has_trait(IsolatedFromAbove, value_if_unregistered=False):
            self._visible = set()
        for region in op.regions:
            if region.first_block is not None and region.first_block.uses:
                raise op_error(op, "entry block of region may not have predecessors", name=False)
            self._check_region(op, region)
        self._visible = outside

    def _check_region(self, op: Operation, region: Region) -> None:
        entry = region.first_block
        if entry is None:
            return
        if op.name in GRAPH_REGIONS:
            self._block(entry, in_order=False)
        elif entry is region.last_block:
            self._block(entry)
        else:
            self._blocks(region, entry)

    def _blocks(self, region: Region, entry: Block) -> None:
        """Blocks along the dominator tree: what a block defines is visible in the blocks that it dominates."""
        tree = dominator_tree(entry)
        pending: list[tuple[Block, bool]] = [(entry, True)]
        while pending:
            block, entering = pending.pop()
            if entering:
                pending.append((block, False))
                self._block(block, leave=False)
                pending.extend((child, True) for child in tree[block])
            else:
                self._visible.difference_update(_definitions(block))
        for block in region.blocks:
            if block not in tree:
                self._unreachable_block(block)

    def _unreachable_block(self, block: Block) -> None:
        """There is no path to it on which a definition could be missing: every value counts as visible."""
        visible = self._visible
        self._visible = visible.union(block.args)
        for op in block.ops:
            self._visible.update(op.operands)
            self._in_block(op)
            self._visible.update(op.results)
        self._check_end(block)
        self._visible = visible

    def _block(self, block: Block, *, in_order: bool = True, leave: bool = True) -> None:
        visible = self._visible
        visible.update(_definitions(block) if not in_order else block.args)
        for op in block.ops:
            self._in_block(op)
            visible.update(op.results)
        self._check_end(block)
        if leave:
            visible.difference_update(_definitions(block))

    def _in_block(self, op: Operation) -> None:
        """One operation of a block. What is wrong with it is no reason not to look at the next, where errors are gathered."""
        try:
            self._check_operands(op)
            self.operation(op)
        except CompileError as error:
            if self._found is None:
                raise
            self._found.append(error)

    def _check_operands(self, op: Operation) -> None:
        visible = self._visible
        for index, operand in enumerate(op._operands):  # pyright: ignore[reportPrivateUsage]
            if operand not in visible:
                raise self._undefined(op, index, operand)

    def _undefined(self, op: Operation, index: int, operand: SSAValue) -> CompileError:
        from xdsl.parser.core import ForwardDeclaredValue

        if isinstance(operand, ForwardDeclaredValue):
            return op_error(op, "use of undeclared SSA value name", name=False)
        if isinstance(operand, ErasedSSAValue):
            return op_error(op, f"operand #{index} was erased")
        error = op_error(op, f"operand #{index} does not dominate this use" if _is_inside(operand, op) else "uses a value from outside")
        if isinstance(operand, BlockArgument):
            error.add_note("operand defined as a block argument")
        elif where := place(operand.owner):  # pyright: ignore[reportArgumentType]  # not a block argument, so an operation
            error.add_note(f"{where}: note: operand defined here")
        return error

    # ---- one operation

    def _check_itself(self, op: Operation) -> None:
        def check() -> None:
            rules = rules_of(op.name)
            for rule in rules:
                rule(op)
            if op.attributes or "arg_attrs" in op.properties:
                check_foreign_attributes(op)
            if not isinstance(rules, Complete):
                op.verify_()

        self._check(op, check)

    def _check(self, op: Operation, check: Callable[[], None]) -> None:
        try:
            check()
        except DiagnosticException as error:
            if str(error).startswith(NOT_ISOLATED):
                return  # the walk will meet the operation inside that uses the value
            found = op_error(op, reworded(" ".join(str(error).split()), VERIFIER))
            for note in getattr(error, "__notes__", ()):
                found.add_note(note)
            raise found from error
        except (ValueError, TypeError, AssertionError, NotImplementedError, IndexError, AttributeError, KeyError) as error:
            raise op_error(op, f"cannot be verified: {' '.join(str(error).split())}") from error  # verifiers of xDSL raise these too

    def _check_end(self, block: Block) -> None:
        """Terminators stand last, and last stands a terminator."""
        region = block.parent
        if region is None or region.parent is None or self._found:
            return
        may_end_openly = region.first_block is region.last_block and (region.parent.has_trait(NoTerminator))
        if block.last_op is None:
            if not may_end_openly:
                raise op_error(region.parent, "empty block: expect at least a terminator", name=False)
            return
        for op in block.ops:
            is_terminator = op.has_trait(IsTerminator, value_if_unregistered=op is block.last_op)
            if is_terminator and op is not block.last_op:
                raise op_error(op, "must be the last operation in the parent block")
            if op is block.last_op and not is_terminator and not may_end_openly:
                raise op_error(op, f"block with no terminator, has {print_line(op)}", name=False)

    def _check_successors(self, op: Operation) -> None:
        if op.parent is not None and op.parent.last_op is not op:
            raise op_error(op, "operation with block successors must terminate its parent block")
        self._check_branch(op)

    def _check_branch(self, op: Operation) -> None:
        block = op.parent
        for successor in op.successors:
            if block is None or successor.parent is not block.parent:
                raise op_error(op, "branching to block of a different region")
        forwarded = BRANCHES.get(op.name)
        if forwarded is None:
            return
        for number, (successor, values) in enumerate(zip(op.successors, forwarded(op), strict=True)):
            if len(values) != len(successor.args):
                passed, taken = len(values), len(successor.args)
                raise op_error(op, f"branch has {passed} operands for successor #{number}, but target block has {taken}")
            for index, (value, argument) in enumerate(zip(values, successor.args, strict=True)):
                if value.type != argument.type:
                    raise op_error(op, f"type mismatch for bb argument #{index} of successor #{number}: {value.type}, not {argument.type}")


def _definitions(block: Block) -> Iterable[SSAValue]:
    yield from block.args
    for op in block.ops:
        yield from op.results


def _is_inside(value: SSAValue, user: Operation) -> bool:
    """Whether `value` belongs to the isolated operation that `user` is in."""
    owner = value.owner.parent if isinstance(value.owner, Operation) else value.owner
    around = user.parent_op()
    while around is not None and not around.has_trait(IsolatedFromAbove, value_if_unregistered=False):
        around = around.parent_op()
    return around is None or (owner is not None and around.is_ancestor(owner))
