"""Whole tiles and cut ones: loops over points whose ends are minima in, a condition with simple loops and the old ones out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AffineSetAttr
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineConstraintExpr, AffineConstraintKind, AffineExpr, AffineMap, AffineSet
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine
from stepwell.dialects.affine.composition import canonical_map, canonical_set
from stepwell.ir.affine_expressions import ZERO, add, negated, shifted
from stepwell.lowering.affine.loops import lower_bound, new_loop, step_of, upper_bound
from stepwell.lowering.building import composed


def separate_full_tiles(points: Sequence[affine.ForOp]) -> bool:
    """Run tiles that are whole in loops of their own. Whether any of the loops over points may be cut short."""
    ends = [_full_end(loop) for loop in points]
    conditions: list[AffineExpr] = []
    dims: list[SSAValue] = []
    symbols: list[SSAValue] = []
    for loop, full in zip(points, ends, strict=True):
        map, operands = upper_bound(loop)
        if step_of(loop) != 1 or full is None:
            return False
        for expr in map.results:
            if expr != map.results[full]:
                conditions.append(shifted(add(expr, negated(map.results[full])), len(dims), len(symbols)))
        dims += operands[: map.num_dims]
        symbols += operands[map.num_dims :]
    if not conditions:
        return False
    constraints = tuple(AffineConstraintExpr(AffineConstraintKind.ge, expr, ZERO, canonicalize=False) for expr in conditions)
    set, operands = canonical_set(AffineSet(len(dims), len(symbols), constraints), [*dims, *symbols])
    root = points[0]
    condition = affine.IfOp.get(AffineSetAttr(set), operands, (), Region(Block()), Region(Block()))
    condition.location = root.location
    Rewriter.insert_op(condition, InsertPoint.before(root))
    copy = root.clone()
    condition.then_region.block.add_ops([copy, affine.YieldOp.create()])
    root.detach()
    condition.else_region.block.add_ops([root, affine.YieldOp.create()])
    loop: affine.ForOp = copy
    for full in ends:
        map, values = upper_bound(loop)
        assert full is not None
        simple = AffineMap(map.num_dims, map.num_symbols, (map.results[full],))
        lower, upper = canonical_map(*lower_bound(loop)), canonical_map(simple, values)
        inner = new_loop(lower, upper, 1, loop.detach_region(loop.body))
        Rewriter.replace_op(loop, inner)
        following = inner.body.block.first_op
        if isinstance(following, affine.ForOp):
            loop = following
    return True


def _full_end(loop: affine.ForOp) -> int | None:
    """Which result of the end is the start plus a number."""
    lower, starts = lower_bound(loop)
    upper, ends = upper_bound(loop)
    if len(lower.results) != 1:
        return None
    for position, expr in enumerate(upper.results):
        start = shifted(lower.results[0], upper.num_dims, upper.num_symbols)
        dims = [*ends[: upper.num_dims], *starts[: lower.num_dims]]
        symbols = [*ends[upper.num_dims :], *starts[lower.num_dims :]]
        if isinstance(composed([add(expr, negated(start))], dims, symbols).exprs[0], AffineConstantExpr):
            return position
    return None
