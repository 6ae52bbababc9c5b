"""Verification: IR in, nothing out, or a CompileError that says which operation breaks which rule.

Beyond what xDSL's operations check of themselves, this checks what holds between them: a value is defined before it is used, on every path;
a branch passes values of the types of its target's arguments; nothing isolated uses a value from outside.
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
from stepwell.ir.printing import print_line

GRAPH_REGIONS = frozenset({"builtin.module", "gpu.module"})
"""Operations in whose regions the order of definitions and uses is free."""

NOT_ISOLATED = "Operation using value defined out of its IsolatedFromAbove parent"
"""How xDSL's check of a whole isolated operation begins its message."""

Forwarded = Sequence[Sequence[SSAValue]]

BRANCHES: dict[str, Callable[[Any], Forwarded]] = {
    "cf.br": lambda op: [op.arguments],
    "cf.cond_br": lambda op: [op.then_arguments, op.else_arguments],
    "cf.switch": lambda op: [op.default_operands, *op.case_operands],
    "llvm.br": lambda op: [op.arguments],
    "llvm.cond_br": lambda op: [op.then_arguments, op.else_arguments],
    "llvm.switch": lambda op: [op.defaultOperands, *(operands for _, _, operands in op.cases())],
}
"""The operands that a branch passes to each of its successors, by the name of the operation."""


def verify(op: Operation) -> None:
    """Check `op` and everything inside. Raises CompileError for the first operation that is wrong."""
    _Verifier().operation(op)


def op_error(op: Operation, message: str) -> CompileError:
    """An error about `op`, at its place, with a note that shows it."""
    name = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
    error = CompileError(f"'{name}' op {message}", location=place(op))
    error.add_note(f"see current operation: {print_line(op)}")
    return error


class _Verifier:
    """One walk. `_visible` holds the values that are defined where the walk stands."""

    def __init__(self) -> None:
        self._visible: set[SSAValue] = set()

    def operation(self, op: Operation) -> None:
        self._check_place(op)
        self._check_itself(op)
        if op.successors:
            self._check_branch(op)
        if op.regions:
            self._check_regions(op)

    def _check_regions(self, op: Operation) -> None:
        outside = self._visible
        if op.has_trait(IsolatedFromAbove, value_if_unregistered=False):
            self._visible = set()
        for region in op.regions:
            self._check_region(op, region)
        self._visible = outside

    def _check_region(self, op: Operation, region: Region) -> None:
        entry = region.first_block
        if entry is None:
            return
        if op.name in GRAPH_REGIONS:
            self._block(entry, in_order=False)
        elif entry is region.last_block:
            if entry.is_empty and not op.has_trait(NoTerminator):
                raise op_error(op, "expects a region whose block ends in a terminator, but the block is empty")
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
            self.operation(op)
            self._visible.update(op.results)
        self._visible = visible

    def _block(self, block: Block, *, in_order: bool = True, leave: bool = True) -> None:
        visible = self._visible
        visible.update(_definitions(block) if not in_order else block.args)
        for op in block.ops:
            self._check_operands(op)
            self.operation(op)
            visible.update(op.results)
        if leave:
            visible.difference_update(_definitions(block))

    def _check_operands(self, op: Operation) -> None:
        visible = self._visible
        for index, operand in enumerate(op._operands):  # pyright: ignore[reportPrivateUsage]
            if operand not in visible:
                raise self._undefined(op, index, operand)

    def _undefined(self, op: Operation, index: int, operand: SSAValue) -> CompileError:
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
        try:
            op.verify_()
        except DiagnosticException as error:
            if str(error).startswith(NOT_ISOLATED):
                return  # the walk will meet the operation inside that uses the value
            raise op_error(op, " ".join(str(error).split())) from error
        except (ValueError, TypeError, AssertionError, NotImplementedError) as error:  # verifiers of xDSL raise these too
            raise op_error(op, f"cannot be verified: {' '.join(str(error).split())}") from error

    def _check_place(self, op: Operation) -> None:
        """Terminators stand last, and last stands a terminator."""
        block = op.parent
        region = block.parent if block else None
        if block is None or region is None or region.parent is None:
            return
        is_last = block.last_op is op
        if not is_last and op.has_trait(IsTerminator, value_if_unregistered=False):
            raise op_error(op, "must be the last operation in the parent block")
        may_end_openly = region.parent.has_trait(NoTerminator) and region.first_block is region.last_block
        if is_last and not may_end_openly and not op.has_trait(IsTerminator):
            raise op_error(op, "ends a block, but it is not a terminator")

    def _check_branch(self, op: Operation) -> None:
        block = op.parent
        for successor in op.successors:
            if block is None or successor.parent is not block.parent:
                raise op_error(op, "branches to a block of another region")
        forwarded = BRANCHES.get(op.name)
        if forwarded is None:
            return
        for number, (successor, values) in enumerate(zip(op.successors, forwarded(op), strict=True)):
            if len(values) != len(successor.args):
                raise op_error(op, f"passes {len(values)} values to successor #{number}, which takes {len(successor.args)}")
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
