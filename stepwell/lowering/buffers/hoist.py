"""The pass `buffer-loop-hoisting`: a buffer that every turn of a loop allocates anew is allocated once, in front of the loop."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Operation, OpResult, SSAValue

from stepwell.ir.passes import Pass

LOOPS = ("scf.for", "scf.while")
VIEWS = ("memref.cast", "memref.subview", "memref.collapse_shape", "memref.expand_shape", "memref.reshape", "arith.select")


@dataclass(frozen=True)
class BufferLoopHoisting(Pass):
    """before:  scf.for ... { %a = memref.alloc() : memref<4xf32>   use(%a) }
    after:   %a = memref.alloc() : memref<4xf32>   scf.for ... { use(%a) }

    Not where the buffer leaves the turn of the loop that made it, is freed there, or has extents from inside.
    """

    name = "buffer-loop-hoisting"
    anchor = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if inner.name == "memref.alloc":
                while (loop := _loop_around(inner)) is not None:
                    inner.detach()
                    assert loop.parent is not None
                    loop.parent.insert_op_before(inner, loop)


def _loop_around(op: Operation) -> Operation | None:
    """The loop in front of which the allocation may stand."""
    loop = op.parent_op()
    if loop is None or loop.name not in LOOPS:
        return None
    if any(_is_inside(operand, loop) for operand in op.operands):
        return None
    return None if _leaves(op.results[0], loop) else loop


def _is_inside(value: SSAValue, loop: Operation) -> bool:
    return loop.is_ancestor(value.owner)


def _leaves(buffer: OpResult, loop: Operation) -> bool:
    """Whether the buffer, or a view of it, is passed on or freed by the body."""
    pending: list[SSAValue] = [buffer]
    while pending:
        for use in pending.pop().uses:
            user = use.operation
            if user.name in ("scf.yield", "scf.condition", "memref.dealloc", "bufferization.dealloc", "func.return"):
                return True
            if user.name in VIEWS:
                pending += user.results
    return False
