"""The pass `affine-loop-invariant-code-motion`: what an affine loop does alike in every iteration is done once, also loads and stores."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation, SSAValue
from xdsl.traits import MemoryEffectKind, get_effects

from stepwell.dialects import affine
from stepwell.ir.passes import Pass
from stepwell.ir.transforms.speculation import is_speculatable
from stepwell.lowering.affine.loops import enclosing_loops, trip_count

READS = (affine.LoadOp, affine.VectorLoadOp)
WRITES = (affine.StoreOp, affine.VectorStoreOp)


@dataclass(frozen=True)
class AffineLoopInvariantCodeMotion(Pass):
    """Move what does not depend on the loop in front of it, from the innermost loops outwards; what has effects only if the loop runs.

    before:  affine.for %i = 0 to 8 { %x = affine.load %m[0]   affine.store %x, %n[0] }
    after:   %x = affine.load %m[0]   affine.store %x, %n[0]   affine.for %i = 0 to 8 { }
    """

    name: ClassVar[str] = "affine-loop-invariant-code-motion"
    anchor: ClassVar[str] = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        for loop in reversed([inner for inner in op.walk() if isinstance(inner, affine.ForOp)]):
            _hoist(loop)


def _hoist(loop: affine.ForOp) -> None:
    runs = trip_count(loop) or 0
    moved: set[Operation] = set()
    for op in list(loop.body.block.ops):
        if isinstance(op, affine.YieldOp) or not (runs > 0 or _is_pure(op)):
            continue
        if _is_invariant(op, loop, moved):
            op.detach()
            assert loop.parent is not None
            loop.parent.insert_op_before(op, loop)


def _is_pure(op: Operation) -> bool:
    return get_effects(op) == set() and is_speculatable(op)


def _is_invariant(op: Operation, loop: affine.ForOp, moved: set[Operation]) -> bool:
    """Whether all that an operation does is the same in every iteration. What is inside it is added to `moved`."""
    if isinstance(op, affine.IfOp | affine.ForOp | affine.ParallelOp):
        if not all(_is_invariant(inner, loop, moved) for region in op.regions for block in region.blocks for inner in block.ops):
            return False
    elif isinstance(op, READS + WRITES):
        if not _has_memory_alone(op, loop):
            return False
    elif not isinstance(op, affine.YieldOp) and get_effects(op) != set():
        return False
    if any(_varies(value, loop, moved) for value in op.operands):
        return False
    moved.add(op)
    return True


def _has_memory_alone(op: Operation, loop: affine.ForOp) -> bool:
    """Whether nobody else in the loop writes the memref of an access, nor reads it if the access writes."""
    writes = isinstance(op, WRITES)
    memref: SSAValue = op.operands[1] if writes else op.operands[0]
    for use in memref.uses:
        user = use.operation
        if user is op or loop not in enclosing_loops(user):
            continue
        effects = get_effects(user)
        if effects is None or any(_touches(effect.kind, writes=writes) for effect in effects):
            return False
    return True


def _touches(kind: MemoryEffectKind, *, writes: bool) -> bool:
    return kind is MemoryEffectKind.WRITE or (writes and kind is MemoryEffectKind.READ)


def _varies(value: SSAValue, loop: affine.ForOp, moved: set[Operation]) -> bool:
    owner = value.owner
    if not loop.body.is_ancestor(owner):
        return False
    if isinstance(owner, Operation):
        return owner not in moved
    return owner is loop.body.block  # variables of loops inside come along
