"""The pass `topological-sort`: in regions whose order is free, what is used stands before what uses it, as far as that is possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from stepwell.ir.passes import Pass
from stepwell.ir.verify import GRAPH_REGIONS


@dataclass(frozen=True)
class TopologicalSort(Pass):
    """Sort the operations of graph regions. Operations that are in order keep it; of a circle, the first one goes first.

    before:  "bar"(%1)   %1 = "baz"()
    after:   %1 = "baz"()   "bar"(%1)
    """

    name: ClassVar[str] = "topological-sort"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in op.walk():
            if inner.name in GRAPH_REGIONS:
                for region in inner.regions:
                    for block in region.blocks:
                        sort_block(block)


def sort_block(block: Block) -> bool:
    """Sort the operations of a block, but for what ends it. Whether there was no circle."""
    waiting = [op for op in block.ops if not op.has_trait(IsTerminator, value_if_unregistered=False)]
    ending = [op for op in block.ops if op.has_trait(IsTerminator, value_if_unregistered=False)]
    order: list[Operation] = []
    unscheduled = set(waiting)
    is_sorted = True
    while waiting:
        left: list[Operation] = []
        for op in waiting:
            if _is_ready(op, unscheduled):
                unscheduled.discard(op)
                order.append(op)
            else:
                left.append(op)
        if len(left) == len(waiting):
            is_sorted = False
            unscheduled.discard(left[0])
            order.append(left.pop(0))
        waiting = left
    order += ending
    if order != list(block.ops):
        for op in order:
            op.detach()
        block.add_ops(order)
    return is_sorted


def _is_ready(op: Operation, unscheduled: set[Operation]) -> bool:
    """Whether `op` and what is inside it use nothing that an unscheduled operation, another one, defines or holds."""
    return all(_is_defined(value, op, unscheduled) for inner in op.walk() for value in inner.operands)


def _is_defined(value: SSAValue, op: Operation, unscheduled: set[Operation]) -> bool:
    if isinstance(value.owner, Block):
        return True
    around: Operation | None = value.owner
    while around is not None and around is not op:
        if around in unscheduled:
            return False
        around = around.parent_op()
    return True
