"""Attention and rotary embedding as matmuls, a softmax and elementwise ops, so that nothing is copied that need not be.

Keys and values that several heads of queries share are not repeated: the queries of a group are rows of one matrix. The halves of a rotary
embedding are computed each on its own and land side by side in one tensor.
"""

from __future__ import annotations

from xdsl.dialects.builtin import BFloat16Type, Float16Type, f32
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.patterns import Replacement, Site
from stepwell.lowering.graph.values import element_of, is_static, shape_of


def is_half(element: Attribute) -> bool:
    """f16 or bf16."""
    return isinstance(element, (Float16Type, BFloat16Type))


def attention(op: nn.AttentionOp, site: Site) -> Replacement:
    """softmax(scale q k^T + mask) v, written out; of halves in f32, so that what is rounded is the result alone"""
    if not is_static(*op.operands):
        return None
    (*batch, heads, rows, _), (*_, shared, columns, _) = shape_of(op.q), shape_of(op.k)
    rank, group, half = len(shape_of(op.q)), heads // shared, is_half(element_of(op.q))
    element = f32 if half else element_of(op.q)
    scalar = tensor_type((), element)

    def widened(value: SSAValue) -> SSAValue:
        return site.make(nn.CastOp, value, result_type=tensor_type(shape_of(value), f32)) if is_half(element_of(value)) else value

    def reshaped(value: SSAValue, *shape: int) -> SSAValue:
        return value if shape_of(value) == shape else site.make(nn.ReshapeOp, value, result_type=tensor_type(shape, element))

    q = reshaped(widened(op.q), *batch, shared, group * rows, shape_of(op.q)[-1])
    turned = site.make(nn.TransposeOp, widened(op.k), permutation=[*range(rank - 2), rank - 1, rank - 2])
    scores = reshaped(site.make(nn.MatmulOp, q, turned), *batch, heads, rows, columns)
    if number(op.scale) != 1:
        scores = site.make(nn.MulOp, scores, site.splat(number(op.scale), scalar))
    if op.mask is not None and element_of(op.mask) == element_of(op.q):
        scores = site.make(nn.AddOp, scores, widened(op.mask))
    elif op.mask is not None:
        scores = site.make(nn.SelectOp, op.mask, scores, site.splat(number(op.fill), scalar))
    weights = site.make(nn.SoftmaxOp, scores)
    if op.masked_rows.data == "zero":
        weights = site.make(nn.SelectOp, site.make(nn.IsNanOp, weights), site.splat(0, scalar), weights)
    y = site.make(nn.MatmulOp, reshaped(weights, *batch, shared, group * rows, columns), widened(op.v))
    y = reshaped(y, *shape_of(op.y))
    return site.make(nn.CastOp, y, result_type=op.y.type) if half else y


def rotary_embedding(op: nn.RotaryEmbeddingOp, site: Site) -> Replacement:
    """[x1 cos1 - x2 sin1, x2 cos2 + x1 sin2]"""
    if not is_static(*op.operands):
        return None
    half = shape_of(op.x)[-1] // 2

    def halves(value: SSAValue) -> tuple[SSAValue, SSAValue]:
        shape = shape_of(value)
        if not shape or shape[-1] == 1:
            return value, value
        first, last = ([0] * (len(shape) - 1), [*shape[:-1]])
        return (
            site.make(nn.SliceOp, value, starts=[*first, 0], ends=[*last, half]),
            site.make(nn.SliceOp, value, starts=[*first, half], ends=[*last, 2 * half]),
        )

    (x1, x2), (cos1, cos2), (sin1, sin2) = halves(op.x), halves(op.cos), halves(op.sin)
    one = site.make(nn.SubOp, site.make(nn.MulOp, x1, cos1), site.make(nn.MulOp, x2, sin1))
    two = site.make(nn.AddOp, site.make(nn.MulOp, x2, cos2), site.make(nn.MulOp, x1, sin2))
    return site.make(nn.ConcatOp, one, two, axis=len(shape_of(op.x)) - 1)
