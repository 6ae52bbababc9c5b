"""The pass `affine-loop-coalescing`: perfect nests in, one loop over all their points out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, scf
from stepwell.dialects.affine.composition import constant_bound
from stepwell.ir.affine_expressions import dim, floordiv, mod, mul, symbol
from stepwell.ir.passes import Pass
from stepwell.lowering.affine.loops import lower_bound, perfect_nest, set_bounds, step_of, terminator, upper_bound
from stepwell.lowering.building import Builder


@dataclass(frozen=True)
class AffineLoopCoalescing(Pass):
    """One loop instead of a perfect nest, of affine loops or of `scf.for`.

    before:  affine.for %i = 0 to %m { affine.for %j = 0 to %n { f(%i, %j) } }
    after:   affine.for %k = 0 to m * n { f(%k floordiv n, %k mod n) }
    """

    name: ClassVar[str] = "affine-loop-coalescing"
    anchor: ClassVar[str] = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        from stepwell.lowering.scf.coalescing import coalesce_nest as coalesce_scf_nest

        for loop in list(op.walk()):
            if loop.parent is None:
                continue  # it has become part of another one
            if isinstance(loop, affine.ForOp):
                coalesce_nest(loop)
            elif isinstance(loop, scf.ForOp):
                coalesce_scf_nest(loop)


def bands(operands: Sequence[Sequence[SSAValue]], bodies: Sequence[Region]) -> list[tuple[int, int]]:
    """Of a perfect nest, the stretches of loops whose bounds are all known in front of the first: (first, behind the last)."""
    above = [next(outer for outer in range(n + 1) if _are_above(values, bodies, outer, n)) for n, values in enumerate(operands)]
    found: list[tuple[int, int]] = []
    end = len(above)
    while end > 0:
        start = next((first for first in range(end - 1) if max(above[first:end]) <= first), end - 1)
        if start < end - 1:
            found.append((start, end))
            end = start
        else:
            end -= 1
    return found


def _are_above(values: Sequence[SSAValue], bodies: Sequence[Region], outer: int, number: int) -> bool:
    """Whether values are known in front of loop number `outer`."""
    return outer == number or not any(bodies[outer].is_ancestor(value.owner) for value in values)


def coalesce_nest(loop: affine.ForOp) -> bool:
    """Make one loop of the loops of a perfect nest, or of parts of it. Whether anything was."""
    nest = perfect_nest(loop)
    if len(nest) == 1:
        return False
    found = bands([list(inner.operands) for inner in nest], [inner.body for inner in nest])
    return any([_coalesce(nest[start:end]) for start, end in found])


def _coalesce(nest: Sequence[affine.ForOp]) -> bool:
    if any(step_of(loop) != 1 or constant_bound(lower_bound(loop)[0]) != 0 for loop in nest):
        return False
    if not all(_hands_on(*pair) for pair in pairwise(nest)) and not _only_passes_on(nest):
        return False
    outer, inner = nest[0], nest[-1]
    build = Builder(outer)
    extents: list[SSAValue] = []
    total: SSAValue | None = None
    for loop in nest:
        map, operands = upper_bound(loop)
        kind = affine.ApplyOp if len(map.results) == 1 else affine.MinOp
        extents.append(build.add(kind(operands, AffineMapAttr(map))).results[0])
        total = extents[0] if total is None else _apply(mul(dim(0), symbol(0)), total, extents[-1], build)
    assert total is not None
    set_bounds(outer, upper=(AffineMap(0, 1, (symbol(0),)), [total]))
    inside = Builder(InsertPoint.at_start(outer.body.block), outer)
    rest: SSAValue = outer.body.block.args[0]
    variables: list[SSAValue] = []
    for number in reversed(range(len(nest))):
        if number != len(nest) - 1:
            rest = _apply(floordiv(dim(0), symbol(0)), rest, extents[number + 1], inside)
        variables.append(rest if number == 0 else _apply(mod(dim(0), symbol(0)), rest, extents[number], inside))
    for loop, new in zip(reversed(nest), variables, strict=True):
        for use in list(loop.body.block.args[0].uses):
            if inner.body.is_ancestor(use.operation):
                use.operation.operands[use.index] = new
    _splice(outer, nest[1], inner)
    return True


def _hands_on(outer: affine.ForOp, inner: affine.ForOp) -> bool:
    """Whether the inner loop goes on with what the outer one carries."""
    return tuple(inner.inits) == tuple(outer.body.block.args[1:]) and tuple(terminator(outer).operands) == tuple(inner.results)


def _only_passes_on(nest: Sequence[affine.ForOp]) -> bool:
    """Whether only the innermost loop carries anything, and that is what it began with, from outside the nest."""
    inner = nest[-1]
    if any(loop.results for loop in nest[:-1]) or tuple(terminator(inner).operands) != tuple(inner.body.block.args[1:]):
        return False
    return not any(nest[0].body.is_ancestor(value.owner) for value in inner.inits)


def _apply(expr: AffineExpr, value: SSAValue, by: SSAValue, build: Builder) -> SSAValue:
    return build.add(affine.ApplyOp([value, by], AffineMapAttr(AffineMap(1, 1, (expr,))))).result


def _splice(outer: affine.ForOp, second: affine.ForOp, inner: affine.ForOp) -> None:
    """The innermost body takes the place of the second loop."""
    end = terminator(inner)
    results = list(end.operands)
    end.detach()
    end.erase()
    arguments = list(inner.body.block.args[1:])
    values = list(outer.body.block.args[1:]) if outer.results else list(inner.inits)
    for old, new in zip(arguments, values, strict=True):
        old.replace_all_uses_with(new)
    results = [values[arguments.index(value)] if value in arguments else value for value in results]  # pyright: ignore[reportArgumentType]
    for op in list(inner.body.block.ops):
        op.detach()
        Rewriter.insert_op(op, InsertPoint.before(second))
    Rewriter.replace_op(second, [], results)
