"""The pass `affine-loop-normalize`: affine loops in, the same loops from 0 in steps of 1 out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, IntegerAttr, i32, i64
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith
from stepwell.dialects.affine.canonical import trip_count
from stepwell.dialects.affine.composition import Applied, compose_map, constant_bound
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, ceildiv, dim, mul, negated, shifted
from stepwell.ir.passes import Pass

Bound = tuple[AffineMap, Sequence[SSAValue]]


@dataclass(frozen=True)
class AffineLoopNormalize(Pass):
    """Loops that start at 0 and take steps of 1; their variables are computed inside.

    before:  affine.for %i = 2 to 32 step 2 { "use"(%i) }
    after:   affine.for %k = 0 to 15 { %i = affine.apply affine_map<(d0) -> (d0 * 2 + 2)>(%k)   "use"(%i) }
    """

    name = "affine-loop-normalize"
    anchor = "func.func"

    promote_single_iter: bool = False
    """Put the body of a loop that runs once in the place of the loop."""

    def run(self, op: Operation, ctx: Context) -> None:
        del ctx
        for inner in reversed(list(op.walk())):  # what is inside before what is around it
            if isinstance(inner, affine.ForOp):
                if not (self.promote_single_iter and _promote(inner)):
                    _normalize_for(inner)
            elif isinstance(inner, affine.ParallelOp):
                _normalize_parallel(inner)


def _difference(upper: Bound, lower: Bound) -> Applied:
    """Every upper bound minus the lower one, or minus that of the same number, composed and canonical."""
    upper_map, upper_operands = compose_map(*upper)
    lower_map, lower_operands = compose_map(*lower)
    dims, symbols = upper_map.num_dims, upper_map.num_symbols
    starts = [shifted(expr, dims, symbols) for expr in lower_map.results]
    starts = starts * len(upper_map.results) if len(starts) == 1 else starts
    exprs = [add(end, negated(start)) for end, start in zip(upper_map.results, starts, strict=True)]
    count = lower_map.num_dims
    operands = [*upper_operands[:dims], *lower_operands[:count], *upper_operands[dims:], *lower_operands[count:]]
    return Applied(exprs, dims + count, operands).composed().canonical()


def _replace_variable(block: Block, number: int, lower: Bound, result: int, step: int, *, canonical: bool) -> None:
    """The variable was `start + step * new`: uses get that."""
    map, operands = lower
    variable = block.args[number]
    expr = add(map.results[result], mul(dim(map.num_dims), AffineConstantExpr(step)))
    applied = Applied([expr], map.num_dims + 1, [*operands[: map.num_dims], variable, *operands[map.num_dims :]])
    if canonical:
        applied.canonical()
    value = affine.ApplyOp.create(operands=applied.operands, result_types=[INDEX], properties={"map": AffineMapAttr(applied.map)})
    Rewriter.insert_op(value, InsertPoint.at_start(block))
    for use in list(variable.uses):
        if use.operation is not value:
            use.operation.operands[use.index] = value.result


def _normalize_for(op: affine.ForOp) -> None:
    step = op.step.value.data
    if (constant_bound(op.lowerBoundMap.data) == 0 and step == 1) or len(op.lowerBoundMap.data.results) != 1:
        return
    lower: Bound = (op.lowerBoundMap.data, list(op.lowerBoundOperands))
    span = _difference((op.upperBoundMap.data, list(op.upperBoundOperands)), lower)
    span.exprs = [ceildiv(expr, AffineConstantExpr(step)) for expr in span.exprs]
    inits = list(op.inits)
    op.operands = [*span.operands, *inits]
    op.properties["lowerBoundMap"] = AffineMapAttr(AffineMap.constant_map(0))
    op.properties["upperBoundMap"] = AffineMapAttr(span.map)
    op.properties["step"] = IntegerAttr(1, INDEX)
    op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [0, len(span.operands), len(inits)])
    _replace_variable(op.body.block, 0, lower, 0, step, canonical=True)


def _normalize_parallel(op: affine.ParallelOp) -> None:
    steps = [step.value.data for step in op.steps]
    bounds = (op.lower_bounds(), op.upper_bounds())
    if any(len(group) != 1 for groups in bounds for group in groups):
        return
    starts_at_zero = all(group[0] == AffineConstantExpr(0) for group in bounds[0])
    if starts_at_zero and all(step == 1 for step in steps):
        return
    lower: Bound = (op.lowerBoundsMap.data, list(op.lower_operands))
    span = _difference((op.upperBoundsMap.data, list(op.upper_operands)), lower)
    span.exprs = [ceildiv(expr, AffineConstantExpr(step)) for expr, step in zip(span.exprs, steps, strict=True)]
    op.operands = span.operands
    op.properties["lowerBoundsMap"] = AffineMapAttr(AffineMap(0, 0, (AffineConstantExpr(0),) * len(steps)))
    op.properties["upperBoundsMap"] = AffineMapAttr(span.map)
    op.properties["steps"] = ArrayAttr(IntegerAttr(1, i64) for _ in steps)
    for number in reversed(range(len(steps))):
        _replace_variable(op.body.block, number, lower, number, steps[number], canonical=False)


def _promote(op: affine.ForOp) -> bool:
    """Replace a loop that runs once by its body."""
    if trip_count(op) != 1:
        return False
    start = constant_bound(op.lowerBoundMap.data)
    block = op.body.block
    first = arith.ConstantOp.create(properties={"value": IntegerAttr(start or 0, INDEX)}, result_types=[INDEX])
    Rewriter.insert_op(first, InsertPoint.before(op))
    end = block.last_op
    assert end is not None
    results = list(end.operands)
    values = [first.results[0], *op.inits]
    results = [values[block.args.index(v)] if v in block.args else v for v in results]  # pyright: ignore[reportArgumentType]
    end.detach()
    end.erase()
    Rewriter.inline_block(block, InsertPoint.before(op), values)
    Rewriter.replace_op(op, [], results)
    return True
