"""The pass `control-flow-sink`: what only one side of a choice needs is computed there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation, OpResult, Region
from xdsl.traits import get_effects

from stepwell.ir.effects import is_pure_kind
from stepwell.ir.passes import Pass, count

CHOICES = frozenset({"scf.if", "affine.if", "scf.index_switch"})
"""Operations each of whose regions runs at most once."""


@dataclass(frozen=True)
class ControlFlowSink(Pass):
    """Move operations without effects into the region that alone uses them.

    before:  %0 = arith.addi %a, %b : i32   scf.if %c { use(%0) }
    after:   scf.if %c { %0 = arith.addi %a, %b : i32   use(%0) }
    """

    name: ClassVar[str] = "control-flow-sink"
    anchor: ClassVar[str] = "any"
    statistics = {"num-sunk": "Number of operations sunk"}

    def run(self, op: Operation, ctx: Context) -> None:
        for choice in [inner for inner in op.walk() if inner.name in CHOICES]:
            for region in choice.regions:
                count("num-sunk", _sink_into(region))


def _sink_into(region: Region) -> int:
    """Move what only the region needs to its start; what it needs in turn follows, in front of it. How many moved."""
    waiting = [op for block in region.blocks for op in block.ops]
    waiting.reverse()
    sunk = 0
    while waiting:
        user = waiting.pop()
        for operand in user.operands:
            op = operand.op if isinstance(operand, OpResult) else None
            if op is not None and not region.is_ancestor(op) and _may_sink(op, region):
                entry = region.first_block
                assert entry is not None
                assert entry.first_op is not None
                op.detach()
                entry.insert_op_before(op, entry.first_op)
                waiting.append(op)
                sunk += 1
    return sunk


def _may_sink(op: Operation, region: Region) -> bool:
    if op.regions or not (is_pure_kind(type(op)) or get_effects(op) == set()):
        return False
    return all(region.is_ancestor(use.operation) for result in op.results for use in result.uses)
