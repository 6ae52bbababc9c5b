"""The extents of what is computed, from the extents of what it is computed from: `tensor.dim` in, dims of earlier tensors out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from xdsl.ir import OpResult
from xdsl.ir.affine import AffineDimExpr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import linalg, tensor
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.linalg.canonical_base import maps_of
from stepwell.dialects.linalg.verify import sources_of_loops
from stepwell.ir.affine_expressions import add, mul, symbol
from stepwell.lowering.building import Builder, Index, number


def _collapsed(made: tensor.CollapseShapeOp, position: int, build: Builder) -> Index:
    """The product of the extents that were joined."""
    extents = [build.extent(made.src, member) for member in groups_of(made.reassociation)[position]]
    return build.apply(reduce(mul, [symbol(n) for n in range(len(extents))]), (), extents)


def _padded(made: tensor.PadOp, position: int, build: Builder) -> Index:
    """What was there, and what was added before and behind."""
    extents = [build.extent(made.source, position), made.mixed_low()[position], made.mixed_high()[position]]
    return build.apply(add(add(symbol(0), symbol(1)), symbol(2)), (), extents)


def _expanded(made: tensor.ExpandShapeOp, position: int, build: Builder) -> Index:
    return made.mixed_output_shape()[position]


def _computed(made: Any, result: int, position: int, build: Builder) -> Index:
    """How far the loop goes that subscripts the dimension: the extent of the first operand that it subscripts."""
    maps = maps_of(made)
    expr = maps[len(made.inputs) + result].results[position]
    operand, at = len(made.inputs) + result, position
    if isinstance(expr, AffineDimExpr):
        operand, at = sources_of_loops(maps)[expr.position]
    return build.extent(made.operands[operand], at)


EXTENTS: dict[type, Callable[[Any, int, Builder], Index]] = {
    tensor.CollapseShapeOp: _collapsed,
    tensor.ExpandShapeOp: _expanded,
    tensor.PadOp: _padded,
}


class ResolveDim(RewritePattern):
    """before:  %c = tensor.collapse_shape %t [[0, 1]]   tensor.dim %c, %c0
    after:   affine.apply affine_map<()[s0, s1] -> (s0 * s1)>()[dim of %t, dim of %t]"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.DimOp, rewriter: PatternRewriter) -> None:
        source, position = op.operands[0], number(op.operands[1])
        if not isinstance(source, OpResult) or position is None or not 0 <= position < len(getattr(source.type, "shape", ())):
            return
        build = Builder(InsertPoint.before(op), op, rewriter)
        made: Any = source.op
        if isinstance(made, linalg.LinalgStructuredOperation | linalg.WholeDims):
            rewriter.replace(op, [], [build.index(_computed(made, source.index, position, build))])
        elif (extent := EXTENTS.get(type(made))) is not None:
            rewriter.replace(op, [], [build.index(extent(made, position, build))])
