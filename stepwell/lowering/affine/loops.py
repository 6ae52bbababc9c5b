"""What passes over affine loops share: how often a loop runs, perfect nests, new bounds, loops that run once."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import gcd
from typing import cast

from xdsl.dialects.builtin import AffineMapAttr, DenseArrayBase, IntegerAttr, i32
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine
from stepwell.dialects.affine.canonical import canonical_bound
from stepwell.dialects.affine.composition import Applied, compose_map, constant_bound
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, ceildiv, divisor_of, negated, shifted
from stepwell.lowering.building import Builder

Bound = tuple[AffineMap, Sequence[SSAValue]]
IDENTITY = AffineMap(1, 0, (AffineDimExpr(0),))


def lower_bound(loop: affine.ForOp) -> Bound:
    """Map and operands."""
    return loop.lowerBoundMap.data, list(loop.lowerBoundOperands)


def upper_bound(loop: affine.ForOp) -> Bound:
    """Map and operands."""
    return loop.upperBoundMap.data, list(loop.upperBoundOperands)


def step_of(loop: affine.ForOp) -> int:
    """By how much the variable grows."""
    return loop.step.value.data


def set_bounds(loop: affine.ForOp, lower: Bound | None = None, upper: Bound | None = None, step: int | None = None) -> None:
    """Give a loop new bounds, or a new step."""
    low, high = lower or lower_bound(loop), upper or upper_bound(loop)
    inits = list(loop.inits)
    loop.operands = [*low[1], *high[1], *inits]
    loop.properties["lowerBoundMap"], loop.properties["upperBoundMap"] = AffineMapAttr(low[0]), AffineMapAttr(high[0])
    loop.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(low[1]), len(high[1]), len(inits)])
    if step is not None:
        loop.properties["step"] = IntegerAttr(step, INDEX)


def new_loop(lower: Bound, upper: Bound, step: int, body: Region, inits: Sequence[SSAValue] = ()) -> affine.ForOp:
    """A loop of this body, which has its terminator."""
    return affine.ForOp.create(
        operands=[*lower[1], *upper[1], *inits],
        result_types=[value.type for value in inits],
        properties={
            "lowerBoundMap": AffineMapAttr(lower[0]),
            "upperBoundMap": AffineMapAttr(upper[0]),
            "step": IntegerAttr(step, INDEX),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(lower[1]), len(upper[1]), len(inits)]),
        },
        regions=[body],
    )


def empty_body() -> Region:
    """The body of a loop that does nothing."""
    return Region(Block([affine.YieldOp.create()], arg_types=[INDEX]))


def terminator(loop: affine.ForOp) -> Operation:
    """What ends the body."""
    return cast(Operation, loop.body.block.last_op)


def trip_counts(loop: affine.ForOp) -> Applied | None:
    """How often a loop runs: the least of these, if it is not negative. None where it starts at the greatest of several bounds."""
    lower, operands = compose_map(*lower_bound(loop))
    if len(lower.results) != 1:
        return None
    upper, others = compose_map(*upper_bound(loop))
    start = shifted(lower.results[0], upper.num_dims, upper.num_symbols)
    counts = [ceildiv(add(end, negated(start)), AffineConstantExpr(step_of(loop))) for end in upper.results]
    dims, symbols = upper.num_dims, lower.num_dims
    values = [*others[:dims], *operands[:symbols], *others[dims:], *operands[symbols:]]
    return Applied(counts, dims + lower.num_dims, values).composed()


def trip_count(loop: affine.ForOp) -> int | None:
    """How often a loop runs, where that is a number."""
    counts = trip_counts(loop)
    numbers = [expr.value for expr in counts.exprs if isinstance(expr, AffineConstantExpr)] if counts else []
    return max(0, min(numbers)) if counts and numbers and len(numbers) == len(counts.exprs) else None


def trip_count_divisor(loop: affine.ForOp) -> int:
    """The largest number known to divide the trip count."""
    if (count := trip_count(loop)) is not None:
        return count or 2**62
    counts = trip_counts(loop)
    return reduce(gcd, (divisor_of(expr) for expr in counts.exprs)) if counts is not None else 1


def perfect_nest(loop: affine.ForOp) -> list[affine.ForOp]:
    """A loop, the only one in it, the only one in that, and so on."""
    nest = [loop]
    while isinstance(inner := nest[-1].body.block.first_op, affine.ForOp) and inner.next_op is terminator(nest[-1]):
        nest.append(inner)
    return nest


def innermost_loops(op: Operation) -> list[affine.ForOp]:
    """The loops that have none inside."""
    loops = [inner for inner in op.walk() if isinstance(inner, affine.ForOp)]
    outer = {parent for loop in loops for parent in enclosing_loops(loop)}
    return [loop for loop in loops if loop not in outer]


def enclosing_loops(op: Operation) -> list[affine.ForOp]:
    """The affine loops around an operation, the outermost first."""
    found: list[affine.ForOp] = []
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, affine.ForOp):
            found.append(parent)
        parent = parent.parent_op()
    return found[::-1]


def promote(loop: affine.ForOp) -> bool:
    """Put the body of a loop that runs once in its place. Whether it did."""
    if trip_count(loop) != 1 or len(loop.lowerBoundMap.data.results) != 1:
        return False
    block, build = loop.body.block, Builder(loop)
    variable: SSAValue = block.args[0]
    first: SSAValue = variable
    if variable.uses:
        map, operands = lower_bound(loop)
        if (start := constant_bound(map)) is not None:
            function = loop.parent_op()
            while function is not None and function.name != "func.func":
                function = function.parent_op()
            at = InsertPoint.before(loop) if function is None else InsertPoint.at_start(function.regions[0].blocks[0])
            first = Builder(at, loop).index(start)
        elif map == IDENTITY:
            first = operands[0]
        else:
            first = build.add(affine.ApplyOp(operands, AffineMapAttr(map))).result
    end = terminator(loop)
    values = [first, *loop.inits]
    results = [values[block.args.index(value)] if value in block.args else value for value in end.operands]  # pyright: ignore[reportArgumentType]
    end.detach()
    end.erase()
    variable.replace_all_uses_with(first)
    block.erase_arg(block.args[0])
    Rewriter.inline_block(block, InsertPoint.before(loop), values[1:])
    Rewriter.replace_op(loop, [], results)
    return True


def canonicalize_bounds(loop: affine.ForOp) -> None:
    """Bring both bounds into their canonical form."""
    set_bounds(loop, canonical_bound(*lower_bound(loop), lower=True), canonical_bound(*upper_bound(loop), lower=False))


def constant(value: int) -> Bound:
    """A bound that is a number."""
    return AffineMap.constant_map(value), []


def with_dim(map: AffineMap, operands: Sequence[SSAValue], exprs: Sequence[AffineExpr], value: SSAValue) -> Bound:
    """Expressions over the operands of a map and one more dimension, which stands behind the others."""
    dims = map.num_dims
    return AffineMap(dims + 1, map.num_symbols, tuple(exprs)), [*operands[:dims], value, *operands[dims:]]
