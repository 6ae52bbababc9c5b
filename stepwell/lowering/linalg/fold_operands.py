"""Patterns that put constants into `linalg.generic`: one value instead of a tensor of it, and transposed constants."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import AffineMapAttr, DenseIntOrFPElementsAttr, FloatAttr, IndexType, IntegerAttr, IntegerType, TensorType
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import linalg
from stepwell.dialects.linalg.canonical_base import maps_of, on_tensors
from stepwell.dialects.support import is_float
from stepwell.dialects.tensor.facts import element_at, is_splat
from stepwell.ir.constants import array_of, dense
from stepwell.ir.rewrite.folding import constant_of
from stepwell.lowering.building import Builder, inverse_of, is_permutation
from stepwell.lowering.linalg.erase_operands import reads
from stepwell.lowering.linalg.fuse_elementwise import Control, has_one_use


def _one_value(value: SSAValue) -> Attribute | None:
    """The number that a constant is, in every element if it is a tensor."""
    constant = constant_of(value)
    if isinstance(constant, DenseIntOrFPElementsAttr):
        element = constant.get_element_type()
        if is_splat(constant) and (is_float(element) or isinstance(element, IntegerType)):
            return element_at(constant, 0)
        return None
    return constant if isinstance(constant, IntegerAttr | FloatAttr) else None


class FoldScalarOrSplatConstant(RewritePattern):
    """before:  %c = arith.constant dense<1.0> : tensor<4xf32>   linalg.generic ins(%a, %c) { addf %in, %in_0 }
    after:   %c = arith.constant 1.0 : f32   linalg.generic ins(%a) { addf %in, %c }"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        if not on_tensors(op):
            return
        for position, value in enumerate(op.inputs):
            found = _one_value(value)
            if found is None:
                continue
            maps = [map for number, map in enumerate(maps_of(op)) if number != position]
            if inverse_of(maps, len(op.iterator_types)) is None:
                return
            build = Builder(InsertPoint.before(op), op, rewriter)
            scalar = build.constant(found, cast(Any, found).get_type())
            inputs = [*op.inputs[:position], *op.inputs[position + 1 :]]
            body = op.detach_region(op.body)
            argument = body.block.args[position]
            argument.replace_all_uses_with(scalar)
            body.block.erase_arg(argument)
            types = op.result_types
            new = linalg.GenericOp(inputs, op.outputs, body, [AffineMapAttr(map) for map in maps], op.iterator_types, types)
            rewriter.replace(op, new)
            return


class FoldFillWithGeneric(RewritePattern):
    """before:  %f = linalg.fill ins(%x) outs(%e)   linalg.generic ins(%f) { g(%in) }
    after:   linalg.generic ins(%f) { g(%x) }"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        if not on_tensors(op):
            return
        for position, value in enumerate(op.inputs):
            fill = value.op if isinstance(value, OpResult) else None
            if isinstance(fill, linalg.FillOp) and reads(op, position) and fill.inputs[0].type == op.body.block.args[position].type:
                rewriter.replace_all_uses_with(op.body.block.args[position], fill.inputs[0])
                rewriter.notify_op_modified(op)


class FoldConstantTranspose(RewritePattern):
    """before:  %c = arith.constant dense<[[1, 2]]>   linalg.generic (d0, d1) -> (d0, d1) to (d1, d0) ins(%c) { yield %in }
    after:   arith.constant dense<[[1], [2]]>"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op, linalg.LinalgStructuredOperation | linalg.WholeDims):
            return
        structured: Any = op
        type: Any = op.result_types[0] if len(op.results) == 1 else None
        if not isinstance(type, TensorType) or len(structured.inputs) != 1 or not type.has_static_shape() or not on_tensors(op):
            return
        source, maps = op.operands[0], maps_of(op)
        if not isinstance(source.type, TensorType) or source.type.element_type != type.element_type:
            return
        if isinstance(type.element_type, IndexType) or not all(is_permutation(map) for map in maps):
            return
        block = op.regions[0].block
        end = cast(Operation, block.last_op)
        if block.first_op is not end or end.operands[0] is not block.args[0]:
            return
        constant = constant_of(source)
        if not isinstance(constant, DenseIntOrFPElementsAttr) or not self._control(source):
            return
        subscripts = [[cast(AffineDimExpr, expr).position for expr in map.results] for map in maps]
        try:
            array = np.transpose(array_of(constant), [subscripts[0].index(loop) for loop in subscripts[1]])
        except KeyError:  # an element type that numpy lacks
            return
        build = Builder(InsertPoint.before(op), op, rewriter)
        rewriter.replace(op, [], [build.constant(dense(np.ascontiguousarray(array), type), type)])
