"""The pass `loop-invariant-code-motion`: what a loop computes alike in every iteration is computed once, before the loop.

Only operations without effects move, and only those that may run although the loop might not (`stepwell.ir.transforms.speculation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation, Region, SSAValue
from xdsl.traits import IsTerminator, get_effects

from stepwell.ir.analysis import Dominance, unchanged
from stepwell.ir.effects import is_pure_kind
from stepwell.ir.passes import Pass
from stepwell.ir.remarks import passed
from stepwell.ir.transforms.speculation import is_speculatable

LOOPS = frozenset({"scf.for", "scf.while", "scf.parallel", "scf.forall", "affine.for", "affine.parallel"})
"""Operations whose regions run any number of times."""


@dataclass(frozen=True)
class LoopInvariantCodeMotion(Pass):
    """Move what does not depend on the loop in front of it, from the innermost loops outwards.

    before:  scf.for %i = %a to %b step %c { %0 = arith.addi %x, %x : i32   memref.store %0, %m[%i] }
    after:   %0 = arith.addi %x, %x : i32   scf.for %i = %a to %b step %c { memref.store %0, %m[%i] }
    """

    name: ClassVar[str] = "loop-invariant-code-motion"
    anchor: ClassVar[str] = "any"
    preserved = (Dominance,)

    def run(self, op: Operation, ctx: Context) -> None:
        loops = reversed([inner for inner in op.walk() if inner.name in LOOPS])
        if not any([hoist_invariants(loop) for loop in loops]):
            unchanged()


def hoist_invariants(loop: Operation) -> bool:
    """Move what is invariant in `loop` before it. Whether anything moved."""
    moved = False
    for region in loop.regions:
        for block in region.blocks:
            for op in list(block.ops):  # in order: what an operation uses has moved before it
                if _may_move(op) and _all_from_outside(op, region):
                    passed(op, "loop-invariant-code-motion", Remark=f"'{op.name}' is moved before '{loop.name}'")
                    op.detach()
                    assert loop.parent is not None
                    loop.parent.insert_op_before(op, loop)
                    moved = True
    return moved


def _may_move(op: Operation) -> bool:
    if op.has_trait(IsTerminator, value_if_unregistered=True):
        return False
    return (is_pure_kind(type(op)) or get_effects(op) == set()) and is_speculatable(op)


def _all_from_outside(op: Operation, region: Region) -> bool:
    if not op.regions:
        return all(_is_outside(value, region) for value in op.operands)
    return all(_is_outside(value, region) or _is_inside(value, op) for inner in op.walk() for value in inner.operands)


def _is_outside(value: SSAValue, region: Region) -> bool:
    return not region.is_ancestor(value.owner)


def _is_inside(value: SSAValue, op: Operation) -> bool:
    return op.is_ancestor(value.owner)
