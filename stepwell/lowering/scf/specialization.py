"""The passes `scf-for-loop-specialization`, `scf-parallel-loop-specialization`: a loop that ends at an `affine.min` with a number among
its expressions is there twice, once for that number."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Block, Operation, OpResult, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr
from xdsl.rewriter import Rewriter

from stepwell.dialects import affine, arith, scf
from stepwell.ir.passes import Pass
from stepwell.lowering.building import Builder


def _likely(bound: SSAValue) -> int | None:
    """The least number among the expressions of an `affine.min`."""
    made = bound.op if isinstance(bound, OpResult) else None
    if not isinstance(made, affine.MinOp):
        return None
    return min((expr.value for expr in made.map.data.results if isinstance(expr, AffineConstantExpr)), default=None)


def _specialize(op: scf.ForOp | scf.ParallelOp, bounds: Sequence[SSAValue]) -> None:
    numbers = [_likely(bound) for bound in bounds]
    if any(number is None for number in numbers) or op.results:
        return
    build = Builder(op)
    known: dict[SSAValue, SSAValue] = {}
    condition: SSAValue | None = None
    for bound, number in zip(bounds, numbers, strict=True):
        value = build.index(number or 0)
        equal = build.add(arith.CmpiOp(bound, value, "eq")).results[0]
        if condition is None:
            condition = equal
        else:
            condition = build.add(arith.AndIOp.create(operands=[condition, equal], result_types=[equal.type])).results[0]
        known[bound] = value
    assert condition is not None
    branches = [Region(Block([copy, scf.YieldOp()])) for copy in (op.clone(known), op.clone())]
    build.add(scf.IfOp(condition, [], branches[0], branches[1]))
    Rewriter.erase_op(op)


@dataclass(frozen=True)
class ForLoopSpecialization(Pass):
    """before:  %n = affine.min affine_map<(d0) -> (8, d0)>(%x)   scf.for %i = %a to %n step %s { f }
    after:   %e = arith.cmpi eq, %n, %c8   scf.if %e { scf.for %i = %a to %c8 step %s { f } } else { scf.for %i = %a to %n step %s }"""

    name: ClassVar[str] = "scf-for-loop-specialization"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for loop in reversed([inner for inner in op.walk() if isinstance(inner, scf.ForOp)]):
            _specialize(loop, [loop.ub])


@dataclass(frozen=True)
class ParallelLoopSpecialization(Pass):
    """before:  %n = affine.min affine_map<(d0) -> (8, d0)>(%x)   scf.parallel (%i) = (%a) to (%n) step (%s) { f }
    after:   %e = arith.cmpi eq, %n, %c8   scf.if %e { scf.parallel to %c8 } else { scf.parallel to %n }"""

    name: ClassVar[str] = "scf-parallel-loop-specialization"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for band in reversed([inner for inner in op.walk() if isinstance(inner, scf.ParallelOp)]):
            _specialize(band, list(band.upperBound))
