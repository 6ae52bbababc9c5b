"""The structure that one-shot analysis asks for: what loops carry, what runs before what, which regions run again or in threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import Block, BlockArgument, Operation, OpResult, Region, SSAValue

from stepwell.dialects.known_indices import known
from stepwell.ir.dominance import dominator_tree
from stepwell.lowering.buffers.effects import LOOPS, Place


def carried(op: Any, index: int) -> BlockArgument | None:
    """The argument of the body that begins with an operand of a loop."""
    if op.name == "scf.for":
        return op.body.block.args[index - 2] if index >= 3 else None
    if op.name == "scf.while":
        return op.before_region.block.args[index]
    first = len(op.operands) - len(op.outputs)
    inductions = len(op.region.block.args) - len(op.outputs)
    return op.region.block.args[inductions + index - first] if index >= first else None


def may_not_run(op: Any) -> bool:
    """Whether a loop may have no turn at all: then its results are what it was given."""
    if op.name == "scf.for":
        begin, end = known(op.lb), known(op.ub)
        return begin is None or end is None or begin >= end
    if op.name == "scf.forall":
        count = len(op.staticUpperBound)
        if op.dynamicUpperBound or op.dynamicLowerBound:
            return True
        bounds = zip(op.staticLowerBound.get_values(), op.staticUpperBound.get_values(), strict=True)
        return count == 0 or any(low >= high for low, high in bounds)
    return True


def result_of_carried(op: Any, index: int) -> OpResult | None:
    """The result that a loop ends with for an operand."""
    if op.name == "scf.for":
        return op.results[index - 3] if index >= 3 else None
    if op.name == "scf.while":
        same_type = index < len(op.results) and op.results[index].type == op.operands[index].type
        return op.results[index] if same_type else None
    first = len(op.operands) - len(op.outputs)
    return op.results[index - first] if index >= first else None


def yielded_for(op: Any, index: int) -> list[SSAValue]:
    """What is passed on for an operand of a loop at the ends of its regions."""
    if op.name == "scf.for":
        return [op.body.block.last_op.operands[index - 3]]
    condition, end = op.before_region.block.last_op, op.after_region.block.last_op
    after = op.after_region.block.args
    passed = [condition.operands[index + 1]] if index + 1 < len(condition.operands) else []
    back = end.operands[index]
    # the argument of the second region is what the condition passes on
    if index < len(after) and isinstance(back, BlockArgument) and back is after[index]:
        return passed
    return [*passed, back]


def yields(op: Operation) -> list[Operation]:
    """The ends of the regions of an operation that gives what they yield."""
    ends = (block.last_op for region in op.regions for block in region.blocks)
    return [end for end in ends if end is not None and end.name == "scf.yield"]


def happens_before(a: Operation, b: Operation) -> bool:
    """Whether `a`, or what it is in, is certain to run before `b`."""
    current: Operation | None = a
    while current is not None:
        if current is not b and current.is_ancestor(b):
            return False
        if _dominates(current, b):
            return True
        current = current.parent_op()
    return False


def _dominates(a: Operation, b: Operation) -> bool:
    block = a.parent
    region = block.parent if block is not None else None
    if block is None or region is None:
        return False
    inside = _ancestor_in(region, b)
    if inside is None or inside is a:
        return False
    if inside.parent is block:
        return a.is_before_in_block(inside)
    assert inside.parent is not None
    assert region.first_block is not None
    tree = dominator_tree(region.first_block)
    return inside.parent in _below(tree, block)


def _below(tree: Any, block: Block) -> set[Block]:
    found: set[Block] = set()
    pending = list(tree.get(block, ()))
    while pending:
        current = pending.pop()
        found.add(current)
        pending += tree[current]
    return found


def _ancestor_in(region: Region, op: Operation) -> Operation | None:
    current: Operation | None = op
    while current is not None and current.parent_region() is not region:
        current = current.parent_op()
    return current


def _repeated(op: Operation | None) -> Region | None:
    """The innermost region around an operation that may run more than once."""
    while op is not None:
        region, around = op.parent_region(), op.parent_op()
        if around is not None and around.name in (*LOOPS, "scf.parallel"):
            return region
        op = around
    return None


def threads_around(op: Operation | None) -> Region | None:
    """The innermost region around an operation that several threads run."""
    while op is not None:
        region, around = op.parent_region(), op.parent_op()
        if around is not None and around.name in ("scf.forall", "scf.parallel"):
            return region
        op = around
    return None


def threads_of_value(value: SSAValue) -> Region | None:
    """The innermost region around the definition of a value that several threads run."""
    owner = value.owner
    if isinstance(owner, Operation):
        return threads_around(owner)
    around = owner.parent_op()
    return owner.parent if around is not None and around.name in ("scf.forall", "scf.parallel") else threads_around(around)


def order_counts(read: Place, write: Place, definitions: Sequence[SSAValue]) -> bool:
    """Whether the order in the program is the order in time: not where the write may be of an earlier turn of a loop than the read, and
    what is read comes from before the loop."""
    for definition in definitions:
        owner = definition.owner
        if isinstance(owner, Operation):
            home = _repeated(owner)
        else:
            around = owner.parent_op()
            home = owner.parent if around is not None and around.name in (*LOOPS, "scf.parallel") else _repeated(around)
        region = _repeated(read.op)
        if region is home:
            continue
        while region is not None:
            outer = _repeated(region.parent)
            if outer is home:
                break
            region = outer
        if region is None or region.parent is None or region.parent.is_ancestor(write.op):
            return False
    return True


def exclude_each_other(a: Operation, b: Operation) -> bool:
    """Whether two operations are in different branches of one choice."""
    current: Operation | None = a
    while current is not None:
        around = current.parent_op()
        if around is not None and around.name in ("scf.if", "scf.index_switch") and around.is_ancestor(b):
            other = _child_region(around, b)
            mine = _child_region(around, a)
            if other is not None and mine is not None and other is not mine:
                return True
        current = around
    return False


def _child_region(around: Operation, op: Operation) -> Region | None:
    return next((region for region in around.regions if _ancestor_in(region, op) is not None), None)
