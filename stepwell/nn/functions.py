"""Functions of networks on tensors: activations, convolutions, pools, norms, attention, look-ups, dropout. Data is [N, C, spatial...]."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy

import stepwell.numpy as np
from stepwell.dialects import nn as ops
from stepwell.frontends.trace.elementwise import as_float
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.values import Value, emit, promoted, shape_of

# ---- activations ------------------------------------------------------------------------------------------------------------------------


def relu(x: Value) -> Value:
    """max(x, 0)."""
    return emit(ops.ReluOp, promoted(x))


def leaky_relu(x: Value, slope: float = 0.01) -> Value:
    """x, times the slope where it is negative."""
    return emit(ops.LeakyReluOp, [as_float(x)], alpha=float(slope))


def elu(x: Value, alpha: float = 1.0) -> Value:
    """x where it is positive, else alpha (exp(x) - 1)."""
    return emit(ops.EluOp, [as_float(x)], alpha=float(alpha))


def sigmoid(x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return emit(ops.SigmoidOp, [as_float(x)])


def silu(x: Value) -> Value:
    """x sigmoid(x)."""
    return emit(ops.SiluOp, [as_float(x)])


def gelu(x: Value, *, approximate: bool = False) -> Value:
    """x times the normal distribution function of x, or its approximation by tanh."""
    return emit(ops.GeluOp, [as_float(x)], approximate="tanh" if approximate else "none")


def mish(x: Value) -> Value:
    """x tanh(softplus(x))."""
    return emit(ops.MishOp, [as_float(x)])


def softplus(x: Value) -> Value:
    """log(1 + exp(x))."""
    return emit(ops.SoftplusOp, [as_float(x)])


def softmax(x: Value, axis: int = -1) -> Value:
    """exp(x) over its sum along an axis."""
    return emit(ops.SoftmaxOp, [as_float(x)], axis=axis)


def log_softmax(x: Value, axis: int = -1) -> Value:
    """The logarithm of softmax."""
    return emit(ops.LogSoftmaxOp, [as_float(x)], axis=axis)


# ---- windows ----------------------------------------------------------------------------------------------------------------------------


def _each(value: int | Sequence[int], axes: int) -> list[int]:
    return [value] * axes if isinstance(value, int) else list(value)


def conv(
    x: Value,
    weight: Value,
    bias: Value | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Value:
    """Convolution of [N, C, spatial...] with weights [O, C / groups, kernel...]; padding on both sides of each axis."""
    x, weight = promoted(x, weight)
    n = len(shape_of(x)) - 2
    windows = {"strides": _each(stride, n), "pads": _each(padding, n) * 2, "dilations": _each(dilation, n)}
    y = emit(ops.ConvOp, [x, weight], **windows, groups=groups)
    return y if bias is None else y + np.reshape(bias, -1, *[1] * n)


def conv_transpose(
    x: Value,
    weight: Value,
    bias: Value | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Value:
    """The transpose of a convolution; weights are [C, O / groups, kernel...]."""
    x, weight = promoted(x, weight)
    n = len(shape_of(x)) - 2
    windows = {"strides": _each(stride, n), "pads": _each(padding, n) * 2, "dilations": _each(dilation, n)}
    y = emit(ops.ConvTransposeOp, [x, weight], **windows, groups=groups, output_pads=_each(output_padding, n))
    return y if bias is None else y + np.reshape(bias, -1, *[1] * n)


def max_pool(
    x: Value, kernel: int | Sequence[int], *, stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0
) -> Value:
    """The greatest of every window; windows do not overlap unless the stride says so."""
    n = len(shape_of(x)) - 2
    strides = _each(kernel if stride is None else stride, n)
    return emit(ops.MaxPoolOp, promoted(x), kernel=_each(kernel, n), strides=strides, pads=_each(padding, n) * 2)


def avg_pool(
    x: Value, kernel: int | Sequence[int], *, stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0
) -> Value:
    """The mean of every window, padding not counted."""
    n = len(shape_of(x)) - 2
    strides = _each(kernel if stride is None else stride, n)
    return emit(ops.AvgPoolOp, [as_float(x)], kernel=_each(kernel, n), strides=strides, pads=_each(padding, n) * 2)


# ---- norms ------------------------------------------------------------------------------------------------------------------------------


def layer_norm(x: Value, scale: Value, bias: Value | None = None, *, epsilon: float = 1e-5) -> Value:
    """Mean 0 and variance 1 over the axes of the scale, the last ones; then scale and bias."""
    operands = promoted(x, scale, *(() if bias is None else (bias,)))
    return emit(ops.LayerNormOp, operands, axis=-len(shape_of(scale)), epsilon=float(epsilon))


def rms_norm(x: Value, scale: Value, *, epsilon: float = 1e-5) -> Value:
    """Mean square 1 over the axes of the scale, the last ones; then the scale."""
    return emit(ops.RmsNormOp, promoted(x, scale), axis=-len(shape_of(scale)), epsilon=float(epsilon))


def group_norm(x: Value, groups: int, scale: Value, bias: Value, *, epsilon: float = 1e-5) -> Value:
    """Mean 0 and variance 1 over each group of channels of each sample; then scale and bias for each channel."""
    return emit(ops.GroupNormOp, promoted(x, scale, bias), groups=groups, epsilon=float(epsilon))


# ---- attention, look-ups, dropout -------------------------------------------------------------------------------------------------------


def attention(q: Value, k: Value, v: Value, mask: Value | None = None, *, causal: bool = False, scale: float | None = None) -> Value:
    """softmax(scale q k^T + mask) v for heads [.., H, S, D]; the scale is 1 / sqrt(D) unless given. Where a boolean mask is false, and
    with `causal` after every position, nothing is attended to."""
    q, k, v = promoted(q, k, v)
    if causal:
        if mask is not None:
            fail("attention takes a mask or causal=True, not both", hint="stepwell.numpy.tril makes a causal mask to combine")
        rows, columns = shape_of(q)[-2], shape_of(k)[-2]
        mask = numpy.tri(rows, columns, columns - rows, dtype=numpy.bool_)
    operands = [q, k, v, *(() if mask is None else (mask,))]
    return emit(ops.AttentionOp, operands, scale=1 / sqrt(shape_of(q)[-1]) if scale is None else float(scale))


def embedding(indices: Value, table: Value) -> Value:
    """Rows of a table."""
    return np.take(table, indices, 0)


def dropout(x: Value, rate: float, key: Value) -> Value:
    """x with elements replaced by 0 at random, the others scaled up so that the mean stays. The key (`stepwell.random`) decides."""
    from stepwell import random

    if not 0 <= rate < 1:
        fail(f"dropout: the rate {rate} is not between 0 and 1")
    keep = random.uniform(key, shape_of(x)) >= rate
    return np.where(keep, x * (1 / (1 - rate)), 0)
