"""Composite ops that no kernel computes as such become simpler ones.

In: canonical level 1, channels first. Out: level 1 without batch, instance and group norms, average pools, one-hot, LSTM, norms of
vectors as reductions, convolutions and pools in one dimension, products with vectors, and transposed convolutions whose windows do not
overlap. The LSTM stands in `decompose_lstm`, conditions and loops, which become `scf`, in `decompose_control`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, is_float, number
from stepwell.dialects.nn.pool import PoolOp
from stepwell.dialects.nn.reduce import ReduceOp
from stepwell.ir.constants import Array, dtype_of, tensor_type
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.decompose_attention import attention, rotary_embedding
from stepwell.lowering.graph.decompose_control import lower_control
from stepwell.lowering.graph.decompose_lstm import lstm_steps
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import element_of, is_static, shape_of

# ---- norms by channel -------------------------------------------------------------------------------------------------------------


def _by_channel(site: Site, parameter: SSAValue, rank: int, axis: int) -> SSAValue:
    """A vector over channels, shaped to broadcast against data."""
    shape = tuple(shape_of(parameter)[0] if d == axis else 1 for d in range(rank))
    return site.make(nn.ReshapeOp, parameter, result_type=tensor_type(shape, element_of(parameter)))


def batch_norm(op: nn.BatchNormOp, site: Site) -> Replacement:
    """x * (scale / sqrt(variance + epsilon)) + (bias - mean * that), the parameters computed first"""
    rank, axis = len(shape_of(op.x)), number(op.axis)
    epsilon = site.splat(number(op.epsilon), tensor_type((), element_of(op.x)))
    factor = site.make(nn.MulOp, op.scale, site.make(nn.RsqrtOp, site.make(nn.AddOp, op.variance, epsilon)))
    offset = site.make(nn.SubOp, op.bias, site.make(nn.MulOp, op.mean, factor))
    a, b = (_by_channel(site, p, rank, axis) for p in (factor, offset))
    return site.make(nn.AddOp, site.make(nn.MulOp, op.x, a), b)


def _normalised(x: SSAValue, axes: Sequence[int], epsilon: float, site: Site) -> SSAValue:
    """(x - mean) / sqrt(variance + epsilon), as two reductions, which any layout can follow."""
    centred = site.make(nn.SubOp, x, site.make(nn.ReduceMeanOp, x, axes=axes, keepdims=True))
    variance = site.make(nn.ReduceMeanOp, site.make(nn.MulOp, centred, centred), axes=axes, keepdims=True)
    shifted = site.make(nn.AddOp, variance, site.splat(epsilon, tensor_type((), element_of(x))))
    return site.make(nn.MulOp, centred, site.make(nn.RsqrtOp, shifted))


def instance_norm(op: nn.InstanceNormOp, site: Site) -> Replacement:
    """Moments over the spatial axes, then scale and bias"""
    rank, axis = len(shape_of(op.x)), number(op.axis)
    normal = _normalised(op.x, [d for d in range(1, rank) if d != axis], number(op.epsilon), site)
    scale, bias = (_by_channel(site, p, rank, axis) for p in (op.scale, op.bias))
    return site.make(nn.AddOp, site.make(nn.MulOp, normal, scale), bias)


def group_norm(op: nn.GroupNormOp, site: Site) -> Replacement:
    """The channel axis cut in groups, moments over a group and the spatial axes, then scale and bias"""
    if not is_static(op.x):
        return None
    shape = shape_of(op.x)
    axis: int = number(op.axis)
    groups: int = number(op.groups)
    cut = (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
    split = site.make(nn.ReshapeOp, op.x, result_type=tensor_type(cut, element_of(op.x)))
    normal = _normalised(split, [d for d in range(1, len(cut)) if d != axis], number(op.epsilon), site)
    joined = site.make(nn.ReshapeOp, normal, result_type=op.y.type)
    scale, bias = (_by_channel(site, p, len(shape), axis) for p in (op.scale, op.bias))
    return site.make(nn.AddOp, site.make(nn.MulOp, joined, scale), bias)


# ---- pools ------------------------------------------------------------------------------------------------------------------------


def average_pool(op: nn.AvgPoolOp, site: Site) -> Replacement:
    """sum_pool times 1 / count: one number, or a table where windows reach into padding that does not count"""
    if not is_static(op.x):
        return None
    attributes: dict[str, Any] = {k: v for k, v in op.properties.items() if k != "count_include_pad"}
    total = site.make(nn.SumPoolOp, op.x, **attributes)
    dtype = dtype_of(element_of(op.x))
    counts = op.counts(shape_of(op.x))
    if (counts == counts.flat[0]).all():
        reciprocal = site.splat(1 / float(counts.flat[0]), tensor_type((), element_of(op.x)))
    else:
        reciprocal = site.constant((1 / counts).astype(dtype))
    return site.make(nn.MulOp, total, reciprocal)


Window = nn.ConvOp | nn.ConvTransposeOp | nn.AvgPoolOp | nn.MaxPoolOp | nn.SumPoolOp


# ---- convolutions -----------------------------------------------------------------------------------------------------------------


def one_dimension_to_two(op: Window, site: Site) -> Replacement:
    """conv over [N, C, W] -> conv over [N, C, 1, W]; so for pools, and for [N, C, H, 1], so that rows are long"""
    shape = shape_of(op.x)
    last = op.layout.data == "channels_last"
    axis = _new_axis(op, shape, last)
    if axis is None or not is_static(*op.operands):
        return None

    def widened(value: SSAValue, first: int) -> SSAValue:
        extents = shape_of(value)
        spatial = _inserted(extents[first : first + len(shape) - 2], axis)
        return site.make(
            nn.ReshapeOp,
            value,
            result_type=tensor_type((*extents[:first], *spatial, *extents[first + len(shape) - 2 :]), element_of(value)),
        )

    attributes: dict[str, Any] = dict(op.properties)
    for name, fill in (("strides", 1), ("dilations", 1), ("kernel", 1), ("output_pads", 0)):
        if name in op.properties:
            attributes[name] = _inserted(ints(op.properties[name]), axis, fill)
    pads, n = ints(op.pads), len(shape) - 2
    attributes["pads"] = [*_inserted(pads[:n], axis, 0), *_inserted(pads[n:], axis, 0)]
    operands = [widened(op.x, 1 if last else 2), *(widened(w, 0 if last else 2) for w in op.operands[1:])]
    wide = site.insert(type(op).make(*operands, **attributes))
    return site.make(nn.ReshapeOp, wide, result_type=op.y.type)


def _new_axis(op: Window, shape: Sequence[int], last: bool) -> int | None:
    """-1: a new first spatial axis; 1: the last of two, which has extent 1 everywhere, goes first; None: nothing to do."""
    if len(shape) == 3:
        return -1
    spatial = shape[1:-1] if last else shape[2:]
    if len(shape) != 4 or spatial[1] != 1 or spatial[0] == 1:
        return None
    kernel = ints(op.kernel) if isinstance(op, PoolOp) else (shape_of(op.w)[:-2] if last else shape_of(op.w)[2:])
    pads, strides = ints(op.pads), ints(op.strides)
    if (
        kernel[1] != 1
        or strides[1] != 1
        or pads[1]
        or pads[3]
        or any(ints(op.properties["output_pads"])[1:] if "output_pads" in op.properties else ())
    ):
        return None
    return 1


def _inserted(extents: Sequence[int], axis: int, fill: int = 1) -> list[int]:
    """One extent -> (fill, extent); two of which the last goes first -> (last, first)."""
    return [fill, *extents] if axis == -1 else [extents[1], extents[0]]


def disjoint_conv_transpose(op: nn.ConvTransposeOp, site: Site) -> Replacement:
    """Windows that do not overlap: a matmul to [N, H, W, O * kh * kw], whose last axis is then spread over the pixels

    y[n, h * kh + a, w * kw + b, o] = sum over c of x[n, h, w, c] * k[c, o, a, b]
    """
    if op.layout.data != "channels_first" or number(op.groups) != 1 or not is_static(op.x, op.w):
        return None
    (batch, channels, *spatial), (_, outputs, *kernel) = shape_of(op.x), shape_of(op.w)
    exact = tuple(kernel) == ints(op.strides) and not any((*ints(op.pads), *ints(op.output_pads)))
    if not exact or any(d != 1 for d in ints(op.dilations)):
        return None
    n, element = len(kernel), element_of(op.x)
    # [N, C, H, W] -> [N, H, W, C] @ [C, kh * kw * O] -> [N, H, W, kh, kw, O] -> [N, H, kh, W, kw, O]
    last = site.make(nn.TransposeOp, op.x, permutation=[0, *range(2, n + 2), 1])
    weights = site.make(nn.TransposeOp, op.w, permutation=[0, *range(2, n + 2), 1])
    matrix = site.make(nn.ReshapeOp, weights, result_type=tensor_type((channels, prod(kernel) * outputs), element))
    pixels = site.make(nn.MatmulOp, last, matrix)
    spread = site.make(nn.ReshapeOp, pixels, result_type=tensor_type((batch, *spatial, *kernel, outputs), element))
    interleaved = [axis for d in range(n) for axis in (1 + d, 1 + n + d)]
    moved = site.make(nn.TransposeOp, spread, permutation=[0, *interleaved, 1 + 2 * n])
    merged = site.make(
        nn.ReshapeOp, moved, result_type=tensor_type((batch, *map(prod, zip(spatial, kernel, strict=True)), outputs), element)
    )
    return site.make(nn.TransposeOp, merged, permutation=[0, n + 1, *range(1, n + 1)])


def unit_stride_conv_transpose(op: nn.ConvTransposeOp, site: Site) -> Replacement:
    """Of stride 1: a convolution with the weights turned round, inputs and outputs in each other's place, whose pads complete the window"""
    n, groups = len(ints(op.strides)), number(op.groups)
    if op.layout.data != "channels_first" or any(s != 1 for s in ints(op.strides)) or not is_static(op.x, op.w):
        return None
    inputs, per_group, *kernel = shape_of(op.w)
    reach = [(k - 1) * d for k, d in zip(kernel, ints(op.dilations), strict=True)]
    pads, extra = ints(op.pads), ints(op.output_pads)
    new_pads = [reach[d] - pads[d] for d in range(n)] + [reach[d] - pads[n + d] + extra[d] for d in range(n)]
    if min(new_pads) < 0:
        return None
    starts, ends, steps = [0, 0, *(k - 1 for k in kernel)], [inputs, per_group, *[-1] * n], [1, 1, *[-1] * n]
    turned = site.make(nn.SliceOp, op.w, starts=starts, ends=ends, steps=steps)
    element = element_of(op.w)
    split = site.make(nn.ReshapeOp, turned, result_type=tensor_type((groups, inputs // groups, per_group, *kernel), element))
    swapped = site.make(nn.TransposeOp, split, permutation=[0, 2, 1, *range(3, 3 + n)])
    weights = site.make(nn.ReshapeOp, swapped, result_type=tensor_type((groups * per_group, inputs // groups, *kernel), element))
    return site.make(nn.ConvOp, op.x, weights, pads=new_pads, dilations=ints(op.dilations), groups=groups)


# ---- reductions, products, one-hot ------------------------------------------------------------------------------------------------


def reduction_of_function(op: ReduceOp, site: Site) -> Replacement:
    """l1 -> sum(abs), sum of squares -> sum(x * x), l2 -> sqrt of that"""
    attributes: dict[str, Any] = dict(op.properties)
    if isinstance(op, nn.ReduceL1Op):
        return site.make(nn.ReduceSumOp, site.make(nn.AbsOp, op.x), **attributes)
    if isinstance(op, nn.ReduceL2Op) and not is_float(element_of(op.x)):
        return None
    total = site.make(nn.ReduceSumOp, site.make(nn.MulOp, op.x, op.x), **attributes)
    return site.make(nn.SqrtOp, total) if isinstance(op, nn.ReduceL2Op) else total


def log_sum_exp(op: nn.ReduceLogSumExpOp, site: Site) -> Replacement:
    """log(sum(exp(x - m))) + m with m = max(x), or 0 where that is infinite"""
    axes = ints(op.axes)
    top = site.make(nn.ReduceMaxOp, op.x, axes=axes, keepdims=True)
    infinite = site.make(nn.OrOp, site.make(nn.IsInfOp, top), site.make(nn.IsNanOp, top))
    shift = site.make(nn.SelectOp, infinite, site.splat(0, tensor_type((), element_of(op.x))), top)
    total = site.make(nn.ReduceSumOp, site.make(nn.ExpOp, site.make(nn.SubOp, op.x, shift)), axes=axes, keepdims=True)
    result = site.make(nn.AddOp, site.make(nn.LogOp, total), shift)
    return result if result.type == op.y.type else site.make(nn.ReshapeOp, result, result_type=op.y.type)


def matmul_of_vector(op: nn.MatmulOp, site: Site) -> Replacement:
    """A vector on the left is a matrix of one row, on the right of one column"""
    a, b = shape_of(op.a), shape_of(op.b)
    if (len(a) > 1 and len(b) > 1) or not is_static(op.a, op.b):
        return None
    left, right = ((1, *a) if len(a) == 1 else a), ((*b, 1) if len(b) == 1 else b)
    element = element_of(op.a)
    x, y = (site.make(nn.ReshapeOp, v, result_type=tensor_type(s, element)) for v, s in ((op.a, left), (op.b, right)))
    return site.make(nn.ReshapeOp, site.make(nn.MatmulOp, x, y), result_type=op.y.type)


def one_hot(op: nn.OneHotOp, site: Site) -> Replacement:
    """one_hot(i) -> select(i == [0, 1, ..., depth - 1], on, off); a negative index counts from the end"""
    if not is_static(op.indices):
        return None
    shape, axis, depth, type = shape_of(op.indices), number(op.axis), number(op.depth), element_of(op.indices)
    column = site.make(nn.ReshapeOp, op.indices, result_type=tensor_type((*shape[:axis], 1, *shape[axis:]), type))
    zero, extent = (site.splat(v, tensor_type((), type)) for v in (0, depth))
    wrapped = site.make(nn.SelectOp, site.make(nn.LtOp, column, zero), site.make(nn.AddOp, column, extent), column)
    line: Array = np.arange(depth, dtype=dtype_of(type))
    positions = site.constant(line.reshape([-1 if d == axis else 1 for d in range(len(shape) + 1)]))
    off, on = (
        site.make(
            nn.ReshapeOp, site.make(nn.SliceOp, op.values, starts=[i], ends=[i + 1]), result_type=tensor_type((), element_of(op.values))
        )
        for i in (0, 1)
    )
    return site.make(nn.SelectOp, site.make(nn.EqOp, wrapped, positions), on, off)


def stop_gradient(op: nn.StopGradientOp, site: Site) -> Replacement:
    """Its operand: whoever wanted derivatives has taken them"""
    return op.x


def custom_vjp(op: nn.CustomVjpOp, site: Site) -> Replacement:
    """What its forward region computes"""
    return site.inline(op.forward.block, op.inputs)[: len(op.results)]


WITH_LOOPS: Mapping[type[Operation], Sequence[Pattern]] = {nn.LstmOp: (lstm_steps,), nn.CustomVjpOp: (custom_vjp,)}
"""What becomes loops or holds some, which then become `scf`."""

DECOMPOSED: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.BatchNormOp: (batch_norm,),
    nn.InstanceNormOp: (instance_norm,),
    nn.GroupNormOp: (group_norm,),
    nn.AvgPoolOp: (one_dimension_to_two, average_pool),
    nn.MaxPoolOp: (one_dimension_to_two,),
    nn.SumPoolOp: (one_dimension_to_two,),
    nn.ConvOp: (one_dimension_to_two,),
    nn.ConvTransposeOp: (disjoint_conv_transpose, unit_stride_conv_transpose, one_dimension_to_two),
    nn.ReduceL1Op: (reduction_of_function,),
    nn.ReduceL2Op: (reduction_of_function,),
    nn.ReduceSumSquareOp: (reduction_of_function,),
    nn.ReduceLogSumExpOp: (log_sum_exp,),
    nn.MatmulOp: (matmul_of_vector,),
    nn.OneHotOp: (one_hot,),
    nn.AttentionOp: (attention,),
    nn.RotaryEmbeddingOp: (rotary_embedding,),
    nn.StopGradientOp: (stop_gradient,),
}


@dataclass(frozen=True)
class Decompose(Pass):
    """Rewrite composite ops into ops that have kernels.

    ```mlir
    %y = nn.avg_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
    ```
    becomes
    ```mlir
    %c = nn.constant dense<0.25> : tensor<f32>
    %s = nn.sum_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
    %y = nn.mul %s, %c : tensor<1x4x4x4xf32>, tensor<f32> -> tensor<1x4x4x4xf32>
    ```
    """

    name: ClassVar[str] = "nn-decompose"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, WITH_LOOPS)
        lower_control(op)
        apply_patterns(op, DECOMPOSED)
