"""`affine.min` and `affine.max` whose winner is known: from constraints on what they compare."""

from __future__ import annotations

from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import BlockArgument, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from stepwell.dialects import affine, scf
from stepwell.ir.affine_expressions import simplify
from stepwell.ir.integer_sets import IntegerSet, Linear, NotLinear, constant, plus, times
from stepwell.lowering.building import Index, number

Range = tuple[Index, Index, Index]


def variable(value: Index) -> Linear:
    """What an index is in constraints: itself, or the number that it is known to be."""
    known = number(value)
    return {value: 1} if known is None else constant(known)


def range_of(value: SSAValue) -> Range | None:
    """Start, end and step of the loop whose variable a value is."""
    if not isinstance(value, BlockArgument):
        return None
    loop, position = value.block.parent_op(), value.index
    if isinstance(loop, scf.ForOp):
        return (loop.lb, loop.ub, loop.step) if position == 0 else None
    if isinstance(loop, scf.ParallelOp):
        return loop.lowerBound[position], loop.upperBound[position], loop.step[position]
    if isinstance(loop, scf.ForallOp) and position < len(loop.steps()):
        return loop.lower_bounds()[position], loop.upper_bounds()[position], loop.steps()[position]
    return None


def add_loop_range(known: IntegerSet, value: SSAValue, range: Range) -> bool:
    """What follows for a loop's variable from its bounds. Whether its step is known, without which nothing does."""
    lower, upper = variable(range[0]), variable(range[1])
    step = number(range[2])
    if step is None or step <= 0:
        return False
    mine: Linear = {value: 1}
    known.at_least(plus(mine, lower, -1))
    first, last = number(range[0]), number(range[1])
    if first is not None and last is not None and first >= last:
        return False  # the loop does not run, and says so in its own way
    if first is not None and last is not None and first + step >= last:
        known.at_least(plus(lower, mine, -1))
        return True
    span = plus(plus(upper, lower, -1), constant(-1))
    known.at_least(plus(plus(lower, times(known.quotient(span, step), step)), mine, -1))
    return True


def winner(op: affine.Extremum, known: IntegerSet) -> AffineExpr | None:
    """The expression that is never beaten."""
    map = op.map.data
    values = [variable(value) for value in op.arguments]
    dims = dict(enumerate(values[: map.num_dims]))
    symbols = dict(enumerate(values[map.num_dims :]))
    known = known.copy()
    try:
        results = [known.linear(expr, dims, symbols) for expr in map.results]
    except NotLinear:
        return None
    sign = 1 if isinstance(op, affine.MinOp) else -1
    for position, mine in enumerate(results):
        if all(other is mine or known.implies(times(plus(other, mine, -1), sign)) for other in results):
            return map.results[position]
    return None


def as_apply(op: affine.Extremum, expr: AffineExpr) -> affine.ApplyOp:
    """The operation that computes one of an extremum's expressions."""
    map = op.map.data
    expr = simplify(expr, map.num_dims, map.num_symbols)
    return affine.ApplyOp(op.arguments, AffineMapAttr(AffineMap(map.num_dims, map.num_symbols, (expr,))))
