"""Bands of loops in, other kinds of loops out: `scf-forall-to-for`, `scf-forall-to-parallel`, `scf-parallel-for-to-nested-fors`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.reporting import warning
from stepwell.lowering.building import Builder

Bounds = tuple[Sequence[SSAValue], Sequence[SSAValue], Sequence[SSAValue]]


def build_nest(bounds: Bounds, build: Builder) -> list[scf.ForOp]:
    """Loops inside each other, without a body; `build` stands in the innermost one then."""
    loops: list[scf.ForOp] = []
    for lower, upper, step in zip(*bounds, strict=True):
        body = Block([scf.YieldOp()], arg_types=[INDEX])
        loops.append(build.add(scf.ForOp(lower, upper, step, [], body)))
        build.at = InsertPoint.before(cast(Operation, body.last_op))
    return loops


def to_nest(op: Operation, body: Block, bounds: Bounds) -> list[scf.ForOp]:
    """A nest of `scf.for` in the place of a band without results."""
    build = Builder(op)
    loops = build_nest(bounds, build)
    end = cast(Operation, body.last_op)
    end.detach()
    end.erase()
    Rewriter.inline_block(body, build.at, [loop.body.block.args[0] for loop in loops])
    Rewriter.erase_op(op)
    return loops


def bounds_of_forall(op: scf.ForallOp) -> Bounds:
    """Starts, ends and steps as values, in front of the op."""
    build = Builder(op)
    starts, ends, steps = ([build.index(bound) for bound in bounds] for bounds in (op.lower_bounds(), op.upper_bounds(), op.steps()))
    return starts, ends, steps


def forall_to_for(op: scf.ForallOp) -> list[scf.ForOp]:
    """The loops that took the place of a forall; none, with a warning, where it has results."""
    if op.outputs:
        warning(op, "skipping scf.forall with outputs, currently not supported")
        return []
    return to_nest(op, op.region.block, bounds_of_forall(op))


def forall_to_parallel(op: scf.ForallOp) -> scf.ParallelOp | None:
    """The band that took the place of a forall; none where it has results."""
    if op.outputs:
        return None
    bounds = bounds_of_forall(op)
    body = op.detach_region(op.region)
    end = cast(Operation, body.block.last_op)
    end.detach()
    end.erase()
    band = scf.ParallelOp(*bounds, body)
    if op.mapping is not None:
        band.attributes["mapping"] = op.mapping
    band.location = op.location
    Rewriter.replace_op(op, band)
    return band


def parallel_to_for(op: scf.ParallelOp) -> list[scf.ForOp]:
    """The loops that took the place of a band; none where it has results."""
    return [] if op.results else to_nest(op, op.body.block, (list(op.lowerBound), list(op.upperBound), list(op.step)))


@dataclass(frozen=True)
class ForallToFor(Pass):
    """One iteration after the other.

    before:  scf.forall (%i, %j) in (4, %n) { f(%i, %j) }
    after:   scf.for %i = %c0 to %c4 step %c1 { scf.for %j = %c0 to %n step %c1 { f(%i, %j) } }
    """

    name: ClassVar[str] = "scf-forall-to-for"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in reversed(list(op.walk())):
            if isinstance(inner, scf.ForallOp):
                forall_to_for(inner)


@dataclass(frozen=True)
class ForallToParallel(Pass):
    """A forall on memrefs is a band of parallel loops.

    before:  scf.forall (%i) in (4) { f(%i) }
    after:   scf.parallel (%i) = (%c0) to (%c4) step (%c1) { f(%i) }
    """

    name: ClassVar[str] = "scf-forall-to-parallel"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in reversed(list(op.walk())):
            if isinstance(inner, scf.ForallOp) and forall_to_parallel(inner) is None:
                raise CompileError("only fully bufferized scf.forall ops can be lowered to scf.parallel", location=place(inner))


@dataclass(frozen=True)
class ParallelForToNestedFors(Pass):
    """One iteration after the other.

    before:  scf.parallel (%i, %j) = (%a, %b) to (%c, %d) step (%e, %f) { g(%i, %j) }
    after:   scf.for %i = %a to %c step %e { scf.for %j = %b to %d step %f { g(%i, %j) } }
    """

    name: ClassVar[str] = "scf-parallel-for-to-nested-fors"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in reversed(list(op.walk())):
            if isinstance(inner, scf.ParallelOp):
                parallel_to_for(inner)
