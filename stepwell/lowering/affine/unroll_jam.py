"""The pass `affine-loop-unroll-jam`: an outer loop in, one whose copies of the body are joined inside its inner loops out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import affine
from stepwell.ir.passes import Pass
from stepwell.lowering.affine.loops import promote, set_bounds, step_of, terminator, trip_count, trip_count_divisor
from stepwell.lowering.affine.unroll import bumped, split_off_rest
from stepwell.lowering.building import Builder


@dataclass(frozen=True)
class AffineLoopUnrollJam(Pass):
    """Unroll the loop that a function begins with, and join the copies of its inner loops.

    before:  affine.for %i = 0 to 8 { affine.for %j = 0 to 9 { f(%i, %j) } }
    after:   affine.for %i = 0 to 8 step 2 { affine.for %j = 0 to 9 { f(%i, %j)   f(%i + 1, %j) } }
    """

    name: ClassVar[str] = "affine-loop-unroll-jam"
    anchor: ClassVar[str] = "func.func"

    unroll_jam_factor: int = 4

    def run(self, op: Operation, ctx: Context) -> None:
        block = op.regions[0].first_block
        if block is not None and isinstance(block.first_op, affine.ForOp):
            unroll_and_jam(block.first_op, self.unroll_jam_factor)


def _runs(block: Block) -> Iterator[list[Operation]]:
    """The stretches of operations between loops, in a block and in the loops in it."""
    run: list[Operation] = []
    for op in block.ops:
        if isinstance(op, affine.ForOp):
            if run:
                yield run
            run = []
            yield from _runs(op.body.block)
        elif not isinstance(op, affine.YieldOp):
            run.append(op)
    if run:
        yield run


def unroll_and_jam(loop: affine.ForOp, factor: int) -> bool:
    """Whether the loop could be: it runs often enough, its inner loops do not depend on it and carry nothing."""
    count = trip_count(loop)
    if factor == 1:
        return count != 1 or promote(loop)
    if loop.body.block.first_op is terminator(loop):
        return True
    if count is not None and count < factor:
        return False
    inner = [op for op in loop.body.walk() if isinstance(op, affine.ForOp)]
    if loop.results or any(op.results for op in inner):
        return False
    if any(loop.body.is_ancestor(value.owner) for op in inner for value in op.operands):
        return False
    runs = list(_runs(loop.body.block))
    if trip_count_divisor(loop) % factor:
        if len(loop.lowerBoundMap.data.results) != 1 or len(loop.upperBoundMap.data.results) != 1:
            return False
        split_off_rest(loop, factor)
    step, variable = step_of(loop), loop.body.block.args[0]
    set_bounds(loop, step=step * factor)
    known: list[dict[SSAValue, SSAValue]] = [{} for _ in range(factor)]
    used = bool(variable.uses)
    for run in runs:
        at = run[-1]
        for copy in range(1, factor):
            build = Builder(InsertPoint.after(at), at)
            last = at
            if used:
                last = bumped(variable, copy * step, build).owner
                known[copy][variable] = last.results[0]  # pyright: ignore[reportAttributeAccessIssue]  # it is an operation
            for op in run:
                assert isinstance(last, Operation)
                last = Builder(InsertPoint.after(last), at).add(op.clone(known[copy]))
            assert isinstance(last, Operation)
            at = last
    promote(loop)
    return True
