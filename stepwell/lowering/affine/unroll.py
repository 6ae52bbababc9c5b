"""The pass `affine-loop-unroll`: loops in, loops whose body is there several times out, or no loop at all."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine
from stepwell.dialects.affine.composition import Applied
from stepwell.ir.affine_expressions import add, dim, mod, mul, negated, shifted
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.affine.loops import (
    Bound,
    innermost_loops,
    lower_bound,
    promote,
    set_bounds,
    step_of,
    terminator,
    trip_count,
    trip_count_divisor,
    trip_counts,
)
from stepwell.lowering.building import Builder


@dataclass(frozen=True)
class AffineLoopUnroll(Pass):
    """Write the body of innermost loops several times.

    before:  affine.for %i = 0 to %n { f(%i) }
    after:   affine.for %i = 0 to (n floordiv 4) * 4 step 4 { f(%i)   f(%i + 1)   f(%i + 2)   f(%i + 3) }
             affine.for %i = (n floordiv 4) * 4 to %n { f(%i) }
    """

    name: ClassVar[str] = "affine-loop-unroll"
    anchor: ClassVar[str] = "any"

    unroll_factor: int = 4
    """-1 for all of it."""
    unroll_up_to_factor: bool = False
    """A loop that runs less often is unrolled as often as it runs."""
    unroll_num_reps: int = 1
    """How often to do this over."""
    unroll_full_threshold: int | None = None
    """Only loops that run at most so often, all of them, from the inside out; with a factor of -1."""
    cleanup_unroll: bool = False
    """Where a rest would be left, unroll the whole loop."""

    def run(self, op: Operation, ctx: Context) -> None:
        if self.unroll_factor <= 0 and self.unroll_factor != -1:
            raise CompileError("Invalid option: 'unroll-factor' should be greater than 0 or equal to -1")
        full = self.unroll_factor == -1
        if full and self.unroll_full_threshold is not None:
            limit = self.unroll_full_threshold
            loops = [loop for loop in op.walk() if isinstance(loop, affine.ForOp)]
            for loop in reversed([loop for loop in loops if (count := trip_count(loop)) is not None and count <= limit]):
                unroll_fully(loop)
            return
        for _ in range(self.unroll_num_reps):
            if not any([self._unroll(loop, full=full) for loop in innermost_loops(op)]):
                return

    def _unroll(self, loop: affine.ForOp, *, full: bool) -> bool:
        if full:
            return unroll_fully(loop)
        factor, count = self.unroll_factor, trip_count(loop)
        if self.unroll_up_to_factor and count is not None and 0 < count < factor:
            factor = count
        return unroll(loop, factor, whole=self.cleanup_unroll)


def unroll_fully(loop: affine.ForOp) -> bool:
    """Write the body as often as it runs. Whether that is known."""
    count = trip_count(loop)
    if count is None:
        return False
    if count > 1:
        return unroll(loop, count)
    return count == 0 or promote(loop)


def unroll(loop: affine.ForOp, factor: int, *, whole: bool = False) -> bool:
    """Write the body so often, and put what is left in a loop of its own (with `whole`, unroll all instead). Whether that could be."""
    count = trip_count(loop)
    if factor == 1:
        return count != 1 or promote(loop)
    if loop.body.block.first_op is terminator(loop):
        return True
    if count is not None and count < factor:
        return whole and unroll_fully(loop)
    if trip_count_divisor(loop) % factor:
        if len(loop.lowerBoundMap.data.results) != 1 or len(loop.upperBoundMap.data.results) != 1:
            return False
        if whole:
            return unroll_fully(loop)
        split_off_rest(loop, factor)
    step = step_of(loop)
    set_bounds(loop, step=step * factor)
    _repeat_body(loop, factor, step)
    promote(loop)
    return True


def split_off_rest(loop: affine.ForOp, factor: int) -> None:
    """Let a loop run a multiple of the factor often, and another one behind it the rest."""
    counts = trip_counts(loop)
    assert counts is not None
    number = counts.exprs[0]
    whole = mul(add(number, negated(mod(number, AffineConstantExpr(factor)))), AffineConstantExpr(step_of(loop)))
    map, operands = lower_bound(loop)
    start = shifted(map.results[0], len(counts.dims), len(counts.symbols))
    values = [*counts.dims, *operands[: map.num_dims], *counts.symbols, *operands[map.num_dims :]]
    applied = Applied([add(start, whole)], len(counts.dims) + map.num_dims, values).composed()
    split: Bound = (applied.map, applied.operands)
    rest = loop.clone()
    Rewriter.insert_op(rest, InsertPoint.after(loop))
    for old, new in zip(loop.results, rest.results, strict=True):
        old.replace_all_uses_with(new)
    first = len(rest.operands) - len(rest.inits)
    for position, result in enumerate(loop.results):
        rest.operands[first + position] = result
    set_bounds(rest, lower=split)
    promote(rest)
    set_bounds(loop, upper=split)


def bumped(variable: SSAValue, by: int, build: Builder) -> SSAValue:
    """`variable + by`"""
    return build.add(affine.ApplyOp([variable], AffineMapAttr(AffineMap(1, 0, (add(dim(0), AffineConstantExpr(by)),))))).result


def _repeat_body(loop: affine.ForOp, factor: int, step: int) -> None:
    block, end = loop.body.block, terminator(loop)
    ops = list(block.ops)[:-1]
    variable = block.args[0]
    yielded = list(end.operands)
    last = list(yielded)
    used = bool(variable.uses)
    for copy in range(1, factor):
        build = Builder(InsertPoint.before(end), loop)
        known: dict[SSAValue, SSAValue] = dict(zip(block.args[1:], last, strict=True))
        if used:
            known[variable] = bumped(variable, copy * step, build)
        for op in ops:
            build.add(op.clone(known))
        last = [known.get(value, value) for value in yielded]
    end.operands = last
