"""The passes `buffer-hoisting`, `buffer-loop-hoisting` and `promote-buffers-to-stack`: where buffers are allocated, and which on the stack.

An allocation moves from its block up to blocks that dominate it and to the operations around it, no further than its extents are known.
What a buffer may be called later on, `BufferOrigins` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ComplexType, IndexType, IntegerType, MemRefType, VectorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import IsTerminator

from stepwell.dialects.llvm.data_layout import bit_size
from stepwell.dialects.memref import AllocaOp
from stepwell.ir.analysis import Dominance, analysis
from stepwell.ir.passes import Pass
from stepwell.ir.rules import is_float
from stepwell.ir.transforms.liveness import REGION_EDGES
from stepwell.lowering.buffers.origins import BufferOrigins

PARALLEL = frozenset(("scf.forall", "scf.parallel", "affine.parallel"))
LOOPS = frozenset(("scf.for", "scf.while", "affine.for", *PARALLEL))
REGION_OPS = frozenset((*REGION_EDGES, *LOOPS))
"""Operations of which it is known how control flows through their regions."""
STACK_SCOPES = frozenset(
    (
        *("func.func", "gpu.func", "gpu.launch", "memref.alloca_scope"),
        *("scf.for", "scf.forall", "scf.parallel", "scf.execute_region", "affine.for", "affine.parallel"),
    )
)
"""Operations that take their part of the stack with them when they end."""
FREES = frozenset(("memref.dealloc", "memref.realloc", "gpu.dealloc"))


@dataclass(frozen=True)
class BufferHoisting(Pass):
    """Allocate in front of choices, so that all ways through them use one buffer; not in front of loops.

    before:  scf.if %c { %a = memref.alloc()   scf.yield %a } else { ... }
    after:   %a = memref.alloc()   scf.if %c { scf.yield %a } else { ... }
    """

    name: ClassVar[str] = "buffer-hoisting"
    anchor: ClassVar[str] = "func.func"
    preserved = (Dominance,)

    def run(self, op: Operation, ctx: Context) -> None:
        placement = _Placement(op)
        for allocation in [inner for inner in op.walk() if inner.name == "memref.alloc"]:
            placement.hoist_to_dominators(allocation)


@dataclass(frozen=True)
class BufferLoopHoisting(Pass):
    """Allocate once in front of a loop what every turn of it allocates anew, unless the buffer goes from one turn to the next.

    before:  scf.for ... { %a = memref.alloc() : memref<4xf32>   use(%a) }
    after:   %a = memref.alloc() : memref<4xf32>   scf.for ... { use(%a) }
    """

    name: ClassVar[str] = "buffer-loop-hoisting"
    anchor: ClassVar[str] = "func.func"
    preserved = (Dominance,)

    def run(self, op: Operation, ctx: Context) -> None:
        placement = _Placement(op)
        for kind in ("memref.alloc", "memref.alloca"):
            for allocation in [inner for inner in op.walk() if inner.name == kind]:
                placement.hoist_from_loops(allocation)


class _Placement:
    """Finds where allocations inside `root` can stand."""

    def __init__(self, root: Operation) -> None:
        self._dominance = analysis(Dominance, root)
        self._origins = BufferOrigins(root)

    def hoist_to_dominators(self, allocation: Operation) -> None:
        block = allocation.parent
        if block is None or deallocation_of(allocation) is False or not self._dominance.is_reachable(block):
            return
        bound, needs = self._common_block(allocation), self._needed_block(allocation)
        if needs is not None and (bound is None or self._dominance.properly_dominates(bound, needs)):
            bound = needs
        self._move(allocation, self._highest(block, bound, lambda op: op.name not in LOOPS, through_blocks=True))

    def hoist_from_loops(self, allocation: Operation) -> None:
        block = allocation.parent
        if block is None or deallocation_of(allocation) is False or not self._dominance.is_reachable(block):
            return
        common = self._common_block(allocation)

        def may_leave(op: Operation) -> bool:
            return (
                op.name in LOOPS - PARALLEL
                and op.parent is not None
                and (common is None or not self._dominance.dominates(common, op.parent))
            )

        self._move(allocation, self._highest(block, self._needed_block(allocation), may_leave, through_blocks=False))

    def _common_block(self, allocation: Operation) -> Block | None:
        """The block that dominates all that uses the buffer."""
        assert allocation.parent is not None
        blocks = {allocation.parent: None}
        for alias in self._origins.aliases(allocation.results[0]):
            places = [use.operation.parent for use in alias.uses]
            places.append(alias.owner if isinstance(alias.owner, Block) else alias.owner.parent)
            blocks |= dict.fromkeys(place for place in places if place is not None)
        return self._dominance.common(blocks)

    def _needed_block(self, allocation: Operation) -> Block | None:
        """The lowest block that defines an extent."""
        found: Block | None = None
        for operand in allocation.operands:
            block = operand.owner if isinstance(operand.owner, Block) else operand.owner.parent
            if block is not None and (found is None or self._dominance.dominates(found, block)):
                found = block
        return found

    def _highest(self, block: Block, bound: Block | None, may_leave: Callable[[Operation], bool], *, through_blocks: bool) -> Block:
        """How far up an allocation can move from `block`, `bound` at most."""
        placed = current = block
        while True:
            op = current.parent_op()
            outer = op.parent if op is not None else None
            if op is None or outer is None or (bound is not None and not self._dominance.properly_dominates(bound, current)):
                return placed
            above = self._dominance.immediate(current)
            if above is not None:
                current = above
                placed = current if through_blocks else placed
            elif op.name in REGION_OPS and may_leave(op):
                placed = current = outer
            else:
                return placed

    @staticmethod
    def _move(allocation: Operation, block: Block) -> None:
        """Put the allocation into `block`: in front of what it stood in, or else at the end."""
        ancestor = block.find_ancestor_op_in_block(allocation)
        before = ancestor if ancestor is not None else block.last_op
        if before is not None and before is not allocation:
            allocation.detach()
            block.insert_op_before(allocation, before)


def deallocation_of(allocation: Operation) -> Operation | bool | None:
    """What frees a buffer; None for nothing, False where several operations do."""
    found = [use.operation for use in allocation.results[0].uses if use.operation.name in FREES]
    return False if len(found) > 1 else (found[0] if found else None)


# ---- the stack ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PromoteBuffersToStack(Pass):
    """Allocate small buffers that do not outlive their function, or their turn of a loop, on the stack.

    before:  %a = memref.alloc() : memref<4xf32>
    after:   %a = memref.alloca() : memref<4xf32>
    """

    name: ClassVar[str] = "promote-buffers-to-stack"
    anchor: ClassVar[str] = "func.func"
    preserved = (Dominance,)

    max_alloc_size_in_bytes: int = 1024
    max_rank_of_allocated_memref: int = 1

    def run(self, op: Operation, ctx: Context) -> None:
        origins = BufferOrigins(op)
        for allocation in [inner for inner in op.walk() if inner.name == "memref.alloc"]:
            if self._is_small(allocation) and deallocation_of(allocation) is None and _stays_in_scope(allocation.results[0], origins):
                made = AllocaOp.create(
                    operands=allocation.operands,
                    result_types=allocation.result_types,
                    properties=dict(allocation.properties),
                    attributes=dict(allocation.attributes),
                )
                made.location = allocation.location
                assert allocation.parent is not None
                allocation.parent.insert_op_before(made, allocation)
                made.results[0].name_hint = allocation.results[0].name_hint
                allocation.results[0].replace_all_uses_with(made.results[0])
                allocation.detach()
                allocation.erase()

    def _is_small(self, allocation: Operation) -> bool:
        type = cast("MemRefType[Any]", allocation.results[0].type)
        if not type.has_static_shape():
            ranks = all(isinstance(value.owner, Operation) and value.owner.name == "memref.rank" for value in allocation.operands)
            return type.get_num_dims() <= self.max_rank_of_allocated_memref and ranks
        element = type.element_type
        if isinstance(element, ComplexType):
            bits = 2 * bit_size(cast(Any, element).element_type, allocation)
        elif isinstance(element, IntegerType | IndexType | VectorType) or is_float(element):
            bits = bit_size(cast(Attribute, element), allocation)
        else:
            return False
        return prod(type.get_shape()) * bits <= self.max_alloc_size_in_bytes * 8


def _stays_in_scope(buffer: SSAValue, origins: BufferOrigins) -> bool:
    """Whether the operation that cleans up the stack after the buffer's block does not hand the buffer on."""
    aliases = origins.aliases(buffer)
    block = buffer.owner.parent if isinstance(buffer.owner, Operation) else buffer.owner
    region = block.parent if block is not None else None
    while region is not None and (around := region.parent) is not None:
        if around.name in STACK_SCOPES and not _leaves(aliases, region):
            return True
        if around.name in LOOPS or around.name not in REGION_OPS:
            return False
        region = around.parent.parent if around.parent is not None else None
    return False


def _leaves(aliases: set[SSAValue], region: Region) -> bool:
    """Whether the end of a block of `region` hands one of the values out of it."""
    for alias in aliases:
        for use in alias.uses:
            user = use.operation
            is_end = user.has_trait(IsTerminator, value_if_unregistered=False) and not user.successors
            if is_end and user.parent is not None and user.parent.parent is region:
                return True
    return False
