"""What both directions ask of ops with regions: which states of a loop have tangents, and how regions yield more than they did."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.control import yielded
from stepwell.lowering.autodiff import rules
from stepwell.lowering.autodiff.differentiate import Tangents, is_differentiable, reads
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.graph.values import tensor


def moving_states(op: nn.LoopOp, tangents: Tangents) -> list[int]:
    """The numbers of the carried values that have a tangent before some step."""
    block = op.body.block
    after = yielded(block)[int(op.condition is not None) :]
    rows = zip(op.scanned, block.args[1 + len(op.carried) :], strict=True)
    active = {*tangents, *(row for x, row in rows if x in tangents)}
    moving = {i for i, value in enumerate(op.carried) if value in tangents}
    while True:
        reached = {*active, *(block.args[1 + i] for i in moving)}
        _flow(block, reached)
        more = {i for i in range(len(op.carried)) if after[i] in reached and is_differentiable(tensor(after[i]))} - moving
        if not more:
            return sorted(moving)
        moving |= more


def _flow(block: Block, reached: set[SSAValue]) -> None:
    """Add what depends on the values that are reached."""
    for op in block.ops:
        if type(op) not in rules.LOCALLY_CONSTANT and any(v in reached for v in reads(op)):
            reached.update(op.results)


def zero_in(block: Block, like: SSAValue) -> SSAValue:
    """Zeros of a value's type, at the end of a region's block."""
    assert block.last_op is not None
    return Emitter(InsertPoint.before(block.last_op)).zeros(tensor(like))


def set_yield(block: Block, values: Sequence[SSAValue]) -> None:
    """Let a region's block yield these values."""
    assert block.last_op is not None
    block.erase_op(block.last_op)
    block.add_op(nn.YieldOp(*values))


def append_yield(block: Block, values: Sequence[SSAValue]) -> None:
    """Let a region's block yield more values."""
    set_yield(block, [*yielded(block), *values])


def replace(op: Operation, new: Operation, emitter: Emitter | None = None, numbers: Sequence[int] | None = None) -> None:
    """Put an op in another's place; its results of these numbers (else the first ones) stand for the old ones."""
    block = op.parent
    assert block is not None
    new.location = op.location
    block.insert_op_before(new, op)
    for old, i in zip(op.results, numbers if numbers is not None else range(len(op.results)), strict=True):
        new.results[i].name_hint = old.name_hint
        old.replace_all_uses_with(new.results[i])
    if emitter is not None:
        emitter.go_to(InsertPoint.after(new))
    block.erase_op(op)
