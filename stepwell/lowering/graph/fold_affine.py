"""Scales and shifts by constants move into the weights and one bias of the convolution or matmul beside them.

In: canonical level 1; constants on the right. Out: `conv` or `matmul`, then at most one addition of a constant per channel, where there
were chains of multiplications and additions (batch norm, input scaling, biases in parts). Rounding changes as for any reassociation:
products of constants are taken in double precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, is_float, number
from stepwell.ir.constants import Array, tensor_type
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import aligned, constant_array, constant_attribute, element_of, made_by, shape_of, splat_value

Linear = nn.ConvOp | nn.ConvTransposeOp | nn.MatmulOp

SHARED = 1 << 20
"""Weights of more bytes than this that have several uses are not copied."""


# ---- scales into weights ----------------------------------------------------------------------------------------------------------


def scale_of_linear(op: nn.MulOp | nn.DivOp, site: Site) -> Replacement:
    """conv(x, w) * c -> conv(x, w * c) for c one number, or one for each output channel; so for matmul, and for division"""
    linear = op.a.owner
    scale = constant_array(op.b)
    if (
        not isinstance(linear, Linear)
        or scale is None
        or not op.a.has_one_use()
        or op.a.type != op.y.type
        or not is_float(element_of(op.y))
    ):
        return None
    weights = _own_weights(linear)
    channels = _per_channel(scale, linear)
    if weights is None or channels is None:
        return None
    factor = channels if isinstance(op, nn.MulOp) else 1 / channels
    return site.same(linear, linear.operands[0], site.constant(_scaled_outputs(linear, weights, factor)))


def scale_before_linear(op: Linear, site: Site) -> Replacement:
    """conv(x * c, w) -> conv(x, c * w) for c one number, or one for each input channel (padding stays 0); so for matmul"""
    product = made_by(op.operands[0], nn.MulOp)
    if product is None or not op.operands[0].has_one_use() or product.a.type != product.y.type:
        return None
    scale, weights = constant_array(product.b), _own_weights(op)
    if scale is None or weights is None:
        return None
    rank = len(shape_of(product.y))
    shape, axis = aligned(scale.shape, rank), _input_channel_axis(op, rank)
    if any(extent != 1 for d, extent in enumerate(shape) if d != axis):
        return None
    inputs = shape_of(product.y)[axis]
    factor = np.broadcast_to(scale.reshape(-1).astype(np.float64), (inputs,))
    return site.same(op, product.a, site.constant(_scaled_inputs(op, weights, factor)))


def number_out_of_matmul(op: nn.MatmulOp, site: Site) -> Replacement:
    """matmul(x * 2, y) -> matmul(x, y) * 2, where neither is constant: the product ends in the epilogue of the matmul"""
    for i in (0, 1):
        product = made_by(op.operands[i], nn.MulOp)
        if product is None or not op.operands[i].has_one_use() or product.a.type != product.y.type or splat_value(product.b) is None:
            continue
        operands = [product.a if j == i else o for j, o in enumerate(op.operands)]
        scalar = site.splat(splat_value(product.b).item(), tensor_type((), element_of(op.y)))  # type: ignore[union-attr]
        return site.make(nn.MulOp, site.make(nn.MatmulOp, *operands), scalar)
    return None


def _own_weights(op: Linear) -> Array | None:
    """The constant weights, unless they are large and used elsewhere, too."""
    w = constant_array(op.operands[1])
    if w is None or not is_float(element_of(op.operands[1])) or (isinstance(op, nn.MatmulOp) and w.ndim < 2):
        return None
    return w if op.operands[1].has_one_use() or w.nbytes <= SHARED else None


def _is_last(op: Linear) -> bool:
    return isinstance(op, nn.MatmulOp) or op.layout.data == "channels_last"


def _input_channel_axis(op: Linear, rank: int) -> int:
    return rank - 1 if _is_last(op) else 1


def _per_channel(constant: Array, op: Linear) -> Array | None:
    """The constant as one number for each output channel, in f64; None if it varies along anything else."""
    result = shape_of(op.results[0])
    axis = len(result) - 1 if _is_last(op) else 1
    if constant.ndim > len(result) or result[axis] == DYNAMIC:
        return None
    shape = aligned(constant.shape, len(result))
    if any(extent != 1 for d, extent in enumerate(shape) if d != axis):
        return None
    return np.broadcast_to(constant.reshape(-1).astype(np.float64), (result[axis],))


def _scaled_outputs(op: Linear, w: Array, factor: Array) -> Array:
    """w times a factor for each output channel."""
    if isinstance(op, nn.MatmulOp):
        return _product(w, factor)
    if isinstance(op, nn.ConvOp):
        return _product(w, factor if _is_last(op) else factor.reshape(-1, *(1,) * (w.ndim - 1)))
    # Transposed: [I, O / groups, kernel...]; the output channels of group g belong to the g-th part of I.
    groups = number(op.groups)
    first = np.moveaxis(w, (-2, -1), (0, 1)) if _is_last(op) else w
    split = _product(first.reshape(groups, -1, *first.shape[1:]), factor.reshape(groups, 1, -1, *(1,) * (w.ndim - 2)))
    joined = split.reshape(first.shape)
    return np.moveaxis(joined, (0, 1), (-2, -1)) if _is_last(op) else joined


def _scaled_inputs(op: Linear, w: Array, factor: Array) -> Array:
    """w times a factor for each input channel."""
    if isinstance(op, nn.MatmulOp):
        return _product(w, factor[:, None])
    if isinstance(op, nn.ConvTransposeOp):
        return _product(w, factor[:, None] if _is_last(op) else factor.reshape(-1, *(1,) * (w.ndim - 1)))
    # [O, I / groups, kernel...]: the inputs of group g belong to the g-th part of O.
    groups = number(op.groups)
    first = np.moveaxis(w, (-1, -2), (0, 1)) if _is_last(op) else w
    split = _product(first.reshape(groups, -1, *first.shape[1:]), factor.reshape(groups, 1, -1, *(1,) * (w.ndim - 2)))
    joined = split.reshape(first.shape)
    return np.moveaxis(joined, (0, 1), (-1, -2)) if _is_last(op) else joined


def _product(w: Array, factor: Array) -> Array:
    """w times a factor in f64, rounded once to the type of w, without an array of f64 in between."""
    result = np.empty(np.broadcast_shapes(w.shape, factor.shape), w.dtype)
    if w.dtype.kind == "V":  # bf16: numpy's own conversions know nothing of it
        result[...] = (w * factor).astype(w.dtype)
    else:
        np.multiply(w, factor, out=result, dtype=np.float64, casting="same_kind")
    return result


# ---- shifts into one bias ---------------------------------------------------------------------------------------------------------


def scale_of_sum(op: nn.MulOp | nn.DivOp, site: Site) -> Replacement:
    """(conv(x) + b) * c -> conv(x) * c + b * c, and the scale goes into the weights"""
    total = made_by(op.a, nn.AddOp)
    scale = constant_array(op.b)
    if total is None or scale is None or not op.a.has_one_use() or op.a.type != op.y.type or total.a.type != total.y.type:
        return None
    linear, bias = total.a.owner, constant_array(total.b)
    if not isinstance(linear, Linear) or bias is None or not total.a.has_one_use() or not is_float(element_of(op.y)):
        return None
    if _own_weights(linear) is None or _per_channel(scale, linear) is None or _per_channel(bias, linear) is None:
        return None
    wide = scale.astype(np.float64)
    moved = bias.astype(np.float64) * wide if isinstance(op, nn.MulOp) else bias.astype(np.float64) / wide
    return site.make(nn.AddOp, site.same(op, total.a, op.b), site.constant(moved.astype(bias.dtype)))


def sum_of_sum(op: nn.AddOp, site: Site) -> Replacement:
    """(x + b) + c -> x + (b + c); so for products"""
    return _joined(op, site)


def product_of_product(op: nn.MulOp, site: Site) -> Replacement:
    """(x * b) * c -> x * (b * c)"""
    return _joined(op, site)


def _joined(op: nn.AddOp | nn.MulOp, site: Site) -> Replacement:
    inner = made_by(op.a, type(op))
    b, c = constant_array(inner.b) if inner is not None else None, constant_array(op.b)
    if inner is None or b is None or c is None or not op.a.has_one_use() or inner.a.type != op.y.type:
        return None
    if constant_attribute(inner.a) is not None:
        return None
    if not is_float(element_of(op.y)):
        return site.same(op, inner.a, site.constant(b + c if isinstance(op, nn.AddOp) else b * c))
    wide = (b.astype(np.float64) + c) if isinstance(op, nn.AddOp) else (b.astype(np.float64) * c)
    joint = wide.astype(b.dtype)
    # A joint constant that is larger than both parts (a row plus a column) would be worse.
    return site.same(op, inner.a, site.constant(joint)) if joint.size <= max(b.size, c.size) and np.isfinite(joint).all() else None


def bias_of_residual(op: nn.AddOp, site: Site) -> Replacement:
    """(y + r) + c, with y = conv(x) + b -> (conv(x) + (b + c)) + r"""
    total = made_by(op.a, nn.AddOp)
    constant = constant_array(op.b)
    if total is None or constant is None or not op.a.has_one_use() or op.a.type != op.y.type:
        return None
    for y, residual in ((total.a, total.b), (total.b, total.a)):
        biased = made_by(y, nn.AddOp)
        linear: SSAValue = biased.a if biased is not None else y
        owner = linear.owner
        if not isinstance(owner, Linear) or y.type != op.y.type or residual.type != op.y.type or not y.has_one_use():
            continue
        if _per_channel(constant, owner) is not None and constant_attribute(residual) is None:
            return site.make(nn.AddOp, site.make(nn.AddOp, y, op.b), residual)
    return None


AFFINE: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.MulOp: (scale_of_linear, scale_of_sum, product_of_product),
    nn.DivOp: (scale_of_linear, scale_of_sum),
    nn.AddOp: (sum_of_sum, bias_of_residual),
    nn.ConvOp: (scale_before_linear,),
    nn.ConvTransposeOp: (scale_before_linear,),
    nn.MatmulOp: (scale_before_linear, number_out_of_matmul),
}


@dataclass(frozen=True)
class FoldAffine(Pass):
    """Fold constant scales into weights and constant shifts into one bias.

    ```mlir
    %y = nn.conv %x, %w : tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32> -> tensor<1x4x8x8xf32>
    %a = nn.add %y, %b : tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x8x8xf32>
    %m = nn.mul %a, %s : tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x8x8xf32>
    ```
    becomes, with %ws = w * s and %bs = b * s computed now,
    ```mlir
    %y = nn.conv %x, %ws : tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32> -> tensor<1x4x8x8xf32>
    %m = nn.add %y, %bs : tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x8x8xf32>
    ```
    """

    name: ClassVar[str] = "nn-fold-affine"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, AFFINE)
