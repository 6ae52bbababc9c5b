"""The pass `scf-for-loop-peeling`: loops in, a loop of whole steps and one for the rest out; or the first iteration and a loop."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith, scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, mod, negated, symbol
from stepwell.ir.integer_sets import IntegerSet, Linear, constant, plus
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder, composed, number
from stepwell.lowering.scf.min_max import as_apply, variable, winner


@dataclass(frozen=True)
class ForLoopPeeling(Pass):
    """The last, partial step of a loop gets a loop of its own; extrema that this decides are simplified.

    before:  scf.for %i = %a to %b step %s { %m = affine.min (%s, %b - %i)   f(%m) }
    after:   %c = affine.apply (b - (b - a) mod s)   scf.for %i = %a to %c step %s { f(%s) }   scf.for %i = %c to %b step %s { f(%b - %i) }
    """

    name: ClassVar[str] = "scf-for-loop-peeling"
    anchor: ClassVar[str] = "any"

    peel_front: bool = False
    """Take off the first iteration instead of the last."""
    skip_partial: bool = True
    """Leave alone the loops inside a partial iteration."""

    def run(self, op: Operation, ctx: Context) -> None:
        partial: set[Operation] = set()
        for loop in [inner for inner in op.walk() if isinstance(inner, scf.ForOp)]:
            self._peel(loop, partial)
        rewrite_greedily(op, [], how=Greediness(unique_constants=True, must_converge=False))

    def _peel(self, loop: scf.ForOp, partial: set[Operation]) -> None:
        if loop.unsignedCmp is not None:
            return
        if self.peel_front:
            first = peel_first_iteration(loop)
            rest = first
        else:
            if self.skip_partial and any(parent in partial for parent in _parents(loop)):
                return
            rest = peel_last_iteration(loop)
        if rest is not None:
            partial.add(rest)
            for inner in [inner for inner in rest.body.walk() if isinstance(inner, scf.ForOp)]:
                self._peel(inner, partial)


def _parents(op: Operation) -> list[Operation]:
    found: list[Operation] = []
    while (parent := op.parent_op()) is not None:
        found.append(parent)
        op = parent
    return found


def _as(value: SSAValue, like: SSAValue, build: Builder) -> SSAValue:
    if value.type == like.type:
        return value
    return build.add(arith.IndexCastOp.create(operands=[value], result_types=[like.type])).results[0]


def _index(value: SSAValue) -> int | SSAValue:
    """A bound as an operand of a map."""
    known = number(value)
    return value if known is None else known


def peel_last_iteration(loop: scf.ForOp) -> scf.ForOp | None:
    """Split a loop where its last whole step ends. The loop of the rest, or None where there is no rest for sure."""
    lower, upper, step = loop.lb, loop.ub, loop.step
    width = number(step)
    if width is not None and width <= 1:
        return None
    bounds = [_index(lower), _index(upper), _index(step)]
    if not isinstance(lower.type, IndexType) and any(isinstance(bound, SSAValue) for bound in bounds):
        return None  # affine maps are of indices
    rest = mod(add(symbol(1), negated(symbol(0))), symbol(2))
    if composed([rest], (), bounds).exprs[0] == AffineConstantExpr(0):
        return None
    build = Builder(loop)
    found = build.apply(add(symbol(1), negated(rest)), (), bounds)
    split = _as(build.index(found), lower, build)
    last = loop.clone()
    Rewriter.insert_op(last, InsertPoint.after(loop))
    for old, new in zip(loop.results, last.results, strict=True):
        old.replace_all_uses_with(new)
        new.name_hint = old.name_hint
    last.operands[0] = split
    for position, result in enumerate(loop.results):
        last.operands[3 + position] = result
    loop.operands[1] = split
    if isinstance(lower.type, IndexType):
        _simplify(loop, upper, step, whole=True)
        _simplify(last, upper, step, whole=False)
    return last


def _simplify(loop: scf.ForOp, upper: SSAValue, step: SSAValue, *, whole: bool) -> None:
    """Decide extrema by what is known of the variable: `i + step <= upper` in whole steps, `i + step > upper` in the rest."""
    known = IntegerSet()
    here: Linear = plus({loop.body.block.args[0]: 1}, variable(step))
    room = plus(variable(upper), here, -1)
    known.at_least(room if whole else plus(constant(-1), room, -1))
    for op in list(loop.body.walk()):
        if isinstance(op, affine.MinOp | affine.MaxOp) and (expr := winner(op, known)) is not None:
            apply = as_apply(op, expr)
            apply.location = op.location
            Rewriter.replace_op(op, apply)


def peel_first_iteration(loop: scf.ForOp) -> scf.ForOp | None:
    """Take the first iteration off a loop. The loop of this iteration, or None where there is no other one for sure."""
    lower, upper, step = number(loop.lb), number(loop.ub), number(loop.step)
    if lower is not None and upper is not None and step is not None and -((lower - upper) // step) <= 1:
        return None
    bounds = [_index(loop.lb), _index(loop.step)]
    if loop.lb.type != INDEX and any(isinstance(bound, SSAValue) for bound in bounds):
        return None
    build = Builder(loop)
    split = _as(build.index(build.apply(add(symbol(0), symbol(1)), (), bounds)), loop.lb, build)
    first = loop.clone()
    build.add(first)
    first.operands[1] = split
    for position, result in enumerate(first.results):
        loop.operands[3 + position] = result
    loop.operands[0] = split
    return first
