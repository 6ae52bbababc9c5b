"""Uses and neighbours relinked in place: what xDSL's own methods do, without the views, copies and checks that they make on the way.

In: operations and values that stand where the caller knows them to stand. Nobody hears of these changes: where somebody listens
(`stepwell.ir.rewrite.mutations`), drivers go through xDSL's methods.
"""

# Uses and neighbours are private to xDSL's classes.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.core import SSAValues


def set_operand(op: Operation, index: int, value: SSAValue) -> None:
    """Let `op` use `value` as its operand number `index`."""
    operands = list(op._operands)
    use = op._operand_uses[index]
    operands[index].remove_use(use)
    value.add_use(use)
    operands[index] = value
    op._operands = SSAValues(operands)


def replace_uses(old: SSAValue, new: SSAValue) -> list[Operation]:
    """Let all that use `old` use `new`, another value. Those who did, in order."""
    users: list[Operation] = []
    use = old.first_use
    first = new.first_use
    while use is not None:
        user, behind = use.operation, use._next_use
        operands = list(user._operands)
        operands[use.index] = new
        user._operands = SSAValues(operands)
        use._prev_use, use._next_use = None, first
        if first is not None:
            first._prev_use = use
        first = use
        users.append(user)
        use = behind
    old.first_use = None
    new.first_use = first
    return users


def drop_operands(op: Operation) -> None:
    """Let `op`, which is about to vanish, use nothing more; it still says what it used."""
    for operand, use in zip(op._operands, op._operand_uses, strict=True):
        before, behind = use._prev_use, use._next_use
        if before is None:
            operand.first_use = behind
        else:
            before._next_use = behind
        if behind is not None:
            behind._prev_use = before
    op._operand_uses = ()


def unlink(op: Operation, block: Block) -> None:
    """Take `op` out of `block`."""
    before, behind = op._prev_op, op._next_op
    if before is None:
        block._first_op = behind
    else:
        before._next_op = behind
    if behind is None:
        block._last_op = before
    else:
        behind._prev_op = before
    op.parent = op._prev_op = op._next_op = None


def put_first(op: Operation, block: Block) -> None:
    """Put `op`, which has no regions and stands nowhere, at the start of `block`."""
    first = block._first_op
    op.parent = block
    op._next_op = first
    block._first_op = op
    if first is None:
        block._last_op = op
    else:
        first._prev_op = op
