"""The pass `affine-parallelize`: affine loops in, `affine.parallel` where no iteration depends on another one out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseIntElementsAttr, IntegerAttr, TensorType, i32, i64
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import MemoryEffectKind, get_effects

from stepwell.dialects import affine
from stepwell.ir.passes import Pass
from stepwell.lowering.affine.dependence import ACCESSES, depends, memref_of
from stepwell.lowering.affine.loops import enclosing_loops, lower_bound, step_of, terminator, upper_bound

KINDS: dict[str, str] = {
    "arith.addf": "addf",
    "arith.addi": "addi",
    "arith.andi": "andi",
    "arith.maximumf": "maximumf",
    "arith.maxnumf": "maxnumf",
    "arith.maxsi": "maxs",
    "arith.maxui": "maxu",
    "arith.minimumf": "minimumf",
    "arith.minnumf": "minnumf",
    "arith.minsi": "mins",
    "arith.minui": "minu",
    "arith.mulf": "mulf",
    "arith.muli": "muli",
    "arith.ori": "ori",
    "arith.xori": "xori",
}
"""What combines partial results, as `affine.parallel` calls it."""


@dataclass(frozen=True)
class AffineParallelize(Pass):
    """Loops whose iterations may run in any order say so.

    before:  affine.for %i = 0 to %n { affine.store %f, %m[%i] }
    after:   affine.parallel (%i) = (0) to (symbol(%n)) { affine.store %f, %m[%i] }
    """

    name: ClassVar[str] = "affine-parallelize"
    anchor: ClassVar[str] = "func.func"

    max_nested: int = 2**32 - 1
    """How many parallel loops there may be inside each other."""
    parallel_reductions: bool = False
    """Also loops that carry sums, products, extrema."""

    def run(self, op: Operation, ctx: Context) -> None:
        loops = [loop for loop in op.walk() if isinstance(loop, affine.ForOp)]
        for loop in [loop for loop in loops if self._is_parallel(loop)]:
            if _parallel_around(loop) < self.max_nested:
                _parallelize(loop)

    def _is_parallel(self, loop: affine.ForOp) -> bool:
        if loop.results and not self.parallel_reductions:
            return False
        return all(_reduction(loop, number) is not None for number in range(len(loop.results))) and is_memory_parallel(loop)


def _parallel_around(op: Operation) -> int:
    count, parent = 0, op.parent_op()
    while parent is not None:
        count += isinstance(parent, affine.ParallelOp)
        parent = parent.parent_op()
    return count


def _reduction(loop: affine.ForOp, number: int) -> tuple[Operation, SSAValue] | None:
    """The operation that combines what is carried with a value of the iteration, and that value."""
    yielded = terminator(loop).operands[number]
    carried = loop.body.block.args[number + 1]
    combiner = yielded.op if isinstance(yielded, OpResult) else None
    if combiner is None or combiner.name not in KINDS or len(list(carried.uses)) != 1 or len(list(yielded.uses)) != 1:
        return None
    if combiner.parent is not loop.body.block or carried not in combiner.operands:
        return None
    return combiner, combiner.operands[1 - list(combiner.operands).index(carried)]


def _is_local(memref: SSAValue, loop: affine.ForOp) -> bool:
    """Whether memory is made anew in every iteration."""
    owner = memref.owner
    if not isinstance(owner, Operation) or not loop.body.is_ancestor(owner):
        return False
    effects = get_effects(owner) or set()
    if any(effect.kind is MemoryEffectKind.ALLOC for effect in effects):
        return True
    return bool(owner.operands) and owner.name.startswith("memref.") and _is_local(owner.operands[0], loop)


def is_memory_parallel(loop: affine.ForOp) -> bool:
    """Whether no iteration touches what another one writes."""
    accesses: list[Operation] = []
    for op in loop.body.walk():
        if isinstance(op, ACCESSES):
            if not _is_local(memref_of(op), loop):
                accesses.append(op)
        elif not isinstance(op, affine.ForOp | affine.YieldOp | affine.IfOp):
            effects = get_effects(op)
            if effects is None or any(effect.kind is not MemoryEffectKind.ALLOC for effect in effects):
                return False
    depth = len(enclosing_loops(loop)) + 1
    return not any(depends(a, b, depth) for a in accesses for b in accesses)


def _parallelize(loop: affine.ForOp) -> None:
    reductions = [found for number in range(len(loop.results)) if (found := _reduction(loop, number)) is not None]
    (lower, starts), (upper, ends) = lower_bound(loop), upper_bound(loop)
    inits, results, end = list(loop.inits), list(loop.results), terminator(loop)
    end.operands = [value for _, value in reductions]
    body = loop.detach_region(loop.body)
    band = affine.ParallelOp.create(
        operands=[*starts, *ends],
        result_types=[init.type for init in inits],
        properties={
            "reductions": ArrayAttr([IntegerAttr(affine.REDUCTIONS.index(KINDS[op.name]), i64) for op, _ in reductions]),
            "lowerBoundsMap": AffineMapAttr(lower),
            "lowerBoundsGroups": _group(len(lower.results)),
            "upperBoundsMap": AffineMapAttr(upper),
            "upperBoundsGroups": _group(len(upper.results)),
            "steps": ArrayAttr([IntegerAttr(step_of(loop), i64)]),
        },
        regions=[body],
    )
    band.location = loop.location
    Rewriter.insert_op(band, InsertPoint.before(loop))
    at: Operation = band
    replacements: list[SSAValue] = []
    for (combiner, _), init, result in zip(reductions, inits, band.results, strict=True):
        combiner.detach()
        combiner.operands = [init, result]
        Rewriter.insert_op(combiner, InsertPoint.after(at))
        at = combiner
        replacements.append(combiner.results[0])
    for argument in list(body.block.args[1:]):
        body.block.erase_arg(argument)
    assert len(results) == len(replacements)
    Rewriter.replace_op(loop, [], replacements)


def _group(size: int) -> DenseIntElementsAttr:
    return DenseIntElementsAttr.from_list(TensorType(i32, [1]), [size])
