"""ONNX normalisations, softmax of every age among them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import element_type_of

# ---- softmax ------------------------------------------------------------------------------------------------------------------------


def _softmax(op_class: type[NnOp], n: Node, x: Value) -> Value:
    if n.version >= 13:
        return n.op(op_class, x, axis=n.axis(n.int("axis", -1), x.rank))
    # Older ones see two axes: everything before `axis`, and everything from it on.
    axis = n.int("axis", 1)
    axis = axis if axis == x.rank else n.axis(axis, x.rank)
    if math.prod(x.shape[axis + 1 :]) == 1 and axis < x.rank:
        return n.op(op_class, x, axis=axis)
    flat = n.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))
    return n.reshape(n.op(op_class, flat, axis=1), x.shape)


@converter("Softmax")
def _softmax_of(n: Node, x: Value) -> Value:
    return _softmax(nn.SoftmaxOp, n, x)


@converter("LogSoftmax")
def _log_softmax_of(n: Node, x: Value) -> Value:
    return _softmax(nn.LogSoftmaxOp, n, x)


@converter("Hardmax")
def _hardmax(n: Node, x: Value) -> Value:
    """1 at the first maximum along an axis, 0 elsewhere."""
    shape = x.shape
    axis = n.axis(n.int("axis", -1 if n.version >= 13 else 1), x.rank)
    if n.version < 13:
        x, axis = n.reshape(x, (math.prod(shape[:axis]), math.prod(shape[axis:]))), 1
    first = n.op(nn.ArgmaxOp, x, axis=axis)
    values = n.constant(np.array([0, 1], x.dtype))
    return n.reshape(n.op(nn.OneHotOp, first, values, depth=x.shape[axis], axis=axis), shape)


# ---- by channel ---------------------------------------------------------------------------------------------------------------------


def _batch_norm_in_training(n: Node, x: Value, scale: Value, bias: Value, mean: Value, variance: Value) -> Sequence[Value]:
    """y, and the running moments moved towards those of the batch."""
    axes = [d for d in range(x.rank) if d != 1]
    by_channel = (x.shape[1], *(1,) * (x.rank - 2))
    here = n.op(nn.ReduceMeanOp, x, axes=axes, keepdims=False)
    centred = n.sub(x, n.reshape(here, by_channel))
    spread = n.op(nn.ReduceMeanOp, n.mul(centred, centred), axes=axes, keepdims=False)
    inverse = n.op(nn.RsqrtOp, n.add(spread, n.like(n.float("epsilon", 1e-5), spread)))
    factor = n.mul(n.cast_like(scale, x), inverse)
    y = n.add(n.mul(centred, n.reshape(factor, by_channel)), n.reshape(n.cast_like(bias, x), by_channel))
    keep = n.float("momentum", 0.9)

    def moved(running: Value, batch: Value) -> Value:
        return n.add(n.mul(running, n.like(keep, running)), n.mul(n.cast_like(batch, running), n.like(1 - keep, running)))

    return y, moved(mean, here), moved(variance, spread)


@converter("BatchNormalization")
def _batch_norm(n: Node, x: Value, scale: Value, bias: Value, mean: Value, variance: Value) -> Value | Sequence[Value]:
    """At inference, with the moments that training left; in training mode with those of the batch."""
    if n.version >= 14 and n.int("training_mode"):
        return _batch_norm_in_training(n, x, scale, bias, mean, variance)
    if any(n.wanted(i) for i in range(1, 5)):
        n.unsupported("training mode of opsets before 14")
    if n.version < 7 and not n.int("is_test"):
        n.unsupported("training mode (is_test is 0)")
    if n.version < 9 and not n.int("spatial", 1):
        n.unsupported("moments for each position (spatial is 0)")
    # Parameters may be wider than the data from opset 15 on.
    parameters = [n.cast_like(p, x) for p in (scale, bias, mean, variance)]
    return n.op(nn.BatchNormOp, x, *parameters, epsilon=n.float("epsilon", 1e-5))


@converter("InstanceNormalization")
def _instance_norm(n: Node, x: Value, scale: Value, bias: Value) -> Value:
    return n.op(nn.InstanceNormOp, x, scale, bias, epsilon=n.float("epsilon", 1e-5))


@converter("GroupNormalization", since=18)
def _group_norm_by_group(n: Node, x: Value, scale: Value, bias: Value) -> Value:
    """Scale and bias stand for each group: repeat them for its channels."""
    groups = n.int("num_groups")
    if x.rank < 2 or groups < 1 or x.shape[1] % groups or scale.shape != (groups,) or bias.shape != (groups,):
        n.fail(f"{groups} groups do not fit data of shape {list(x.shape)} and scale of shape {list(scale.shape)}")
    each = x.shape[1] // groups
    wide = [n.reshape(n.broadcast_to(n.reshape(p, (groups, 1)), (groups, each)), (x.shape[1],)) for p in (scale, bias)]
    return _group_norm(n, x, *wide)


@converter("GroupNormalization", since=21)
def _group_norm(n: Node, x: Value, scale: Value, bias: Value) -> Value:
    return n.op(nn.GroupNormOp, x, scale, bias, groups=n.int("num_groups"), epsilon=n.float("epsilon", 1e-5))


@converter("LRN")
def _lrn(n: Node, x: Value) -> Value:
    return n.op(nn.LrnOp, x, size=n.int("size"), alpha=n.float("alpha", 1e-4), beta=n.float("beta", 0.75), k=n.float("bias", 1.0))


# ---- by trailing axes ---------------------------------------------------------------------------------------------------------------


@converter("LayerNormalization", since=17)
def _layer_norm(n: Node, x: Value, scale: Value, bias: Value | None = None) -> Value | Sequence[Value]:
    if n.wanted(1) or n.wanted(2):
        return _layer_norm_with_moments(n, x, scale, bias)
    operands = (x, scale) if bias is None else (x, scale, bias)
    return n.op(nn.LayerNormOp, *operands, axis=n.axis(n.int("axis", -1), x.rank), epsilon=n.float("epsilon", 1e-5))


def _layer_norm_with_moments(n: Node, x: Value, scale: Value, bias: Value | None) -> Sequence[Value]:
    """Written out, for models that also want the mean and the inverse standard deviation (of f32, whatever the data is)."""

    axes = list(range(n.axis(n.int("axis", -1), x.rank), x.rank))
    wide = n.cast(x, element_type_of(np.dtype(np.float32))) if n.int("stash_type", 1) == 1 else x
    mean = n.op(nn.ReduceMeanOp, wide, axes=axes, keepdims=True)
    centred = n.sub(wide, mean)
    variance = n.op(nn.ReduceMeanOp, n.mul(centred, centred), axes=axes, keepdims=True)
    inverse = n.op(nn.RsqrtOp, n.add(variance, n.like(n.float("epsilon", 1e-5), wide)))
    y = n.mul(n.cast_like(n.mul(centred, inverse), x), scale)
    return (y if bias is None else n.add(y, bias), mean, inverse)


@converter("RMSNormalization", since=23)
def _rms_norm(n: Node, x: Value, scale: Value) -> Value:
    return n.op(nn.RmsNormOp, x, scale, axis=n.axis(n.int("axis", -1), x.rank), epsilon=n.float("epsilon", 1e-5))


@converter("SkipLayerNormalization", domain="com.microsoft")
def _skip_layer_norm(
    n: Node, x: Value, skip: Value, scale: Value, bias: Value | None = None, offset: Value | None = None
) -> Sequence[Value]:
    """The layer norm of x + skip + offset; output 3 is the sum itself."""
    if n.wanted(1) or n.wanted(2):
        n.unsupported("its moments are used")
    total = n.add(x, skip)
    total = total if offset is None else n.add(total, offset)
    operands = (total, scale) if bias is None else (total, scale, bias)
    y = n.op(nn.LayerNormOp, *operands, epsilon=n.float("epsilon", 1e-12))
    return y, total, total, total


@converter("LpNormalization")
def _lp_normalization(n: Node, x: Value) -> Value:
    """x divided by its 1- or 2-norm along an axis; 0 where the norm is."""
    axis, p = n.axis(n.int("axis", -1), x.rank), n.int("p", 2)
    if p not in (1, 2):
        n.fail(f"its p is {p}, not 1 or 2")
    length = n.op(nn.ReduceL1Op if p == 1 else nn.ReduceL2Op, x, axes=[axis], keepdims=True)
    zero = n.like(0, x)
    is_zero = n.op(nn.EqOp, length, zero)
    return n.op(nn.SelectOp, is_zero, zero, n.div(x, length))
