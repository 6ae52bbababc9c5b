"""Derivatives of normalisations. With z the normalised data, r = 1 / sqrt(variance + epsilon) and m the mean over the normalised axes:
layer norm z' = r (x' - m(x') - z m(z x')), RMS norm z' = r (x' - z m(z x')), softmax y' = y (x' - sum(y x')).
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.ir.constants import dtype_of
from stepwell.lowering.autodiff.binary import wide
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import DECOMPOSED, JVP, Tangents
from stepwell.lowering.graph.decompose import batch_norm, group_norm, instance_norm


def _softmax(op: nn.SoftmaxOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """y x' - y sum(y x')"""
    (tangent,) = tangents
    if tangent is None:
        return None
    weighted = e.mul(op.y, tangent)
    return e.sub(weighted, e.mul(op.y, e.total(weighted, [number(op.axis)])))


def _log_softmax(op: nn.LogSoftmaxOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """x' - sum(exp(y) x')"""
    (tangent,) = tangents
    return None if tangent is None else e.sub(tangent, e.total(e.mul(e.make(nn.ExpOp, op.y), tangent), [number(op.axis)]))


def _inverse_deviation(op: nn.LayerNormOp | nn.RmsNormOp, centred: SSAValue, axes: list[int], e: Emitter) -> SSAValue:
    return e.make(nn.RsqrtOp, e.shift(e.mean(e.mul(centred, centred), axes), number(op.epsilon)))


def _layer_norm(op: nn.LayerNormOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    axes = list(range(number(op.axis), len(shape_of(op.x))))
    return _scaled(op, tangents, e.sub(op.x, e.mean(op.x, axes)), True, axes, e)


def _rms_norm(op: nn.RmsNormOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    axes = list(range(number(op.axis), len(shape_of(op.x))))
    return _scaled(op, tangents, op.x, False, axes, e)


def _scaled(
    op: nn.LayerNormOp | nn.RmsNormOp, tangents: Tangents, centred: SSAValue, centres: bool, axes: list[int], e: Emitter
) -> SSAValue | None:
    """z' scale + z scale' + bias'"""
    x, scale, *rest = tangents
    bias = rest[0] if rest else None
    if x is None and scale is None:
        return wide(e, bias, op)
    r = _inverse_deviation(op, centred, axes, e)
    z = e.mul(centred, r)
    first: SSAValue | None = None
    if x is not None:
        moved = e.sub(x, e.mean(x, axes)) if centres else x
        inner = e.sub(moved, e.mul(z, e.mean(e.mul(z, x), axes)))
        first = e.mul(e.mul(r, inner), op.scale)
    return e.sum_of(first, None if scale is None else e.mul(z, scale), wide(e, bias, op))


def _lrn(op: nn.LrnOp, tangents: Tangents, e: Emitter) -> SSAValue | None:
    """y = x s^-b with s = k + a W(x^2), W the sum over the window: y' = s^-b x' - 2 a b x s^(-b - 1) W(x x')"""
    (tangent,) = tangents
    if tangent is None:
        return None
    axis: int = number(op.axis)
    size: int = number(op.size)
    rank = len(shape_of(op.x))
    channels = shape_of(op.x)[axis]
    at = np.arange(channels)
    before, after = at[:, None] >= at - (size - 1) // 2, at[:, None] <= at + size // 2
    band = e.constant((before & after).astype(dtype_of(element_of(op.x))))  # element [i, c]: whether window c has i
    to_last = [d for d in range(rank) if d != axis] + [axis]
    back = [to_last.index(d) for d in range(rank)]

    def window(x: SSAValue) -> SSAValue:
        return e.transpose(e.make(nn.MatmulOp, e.transpose(x, to_last), band), back)

    factor, power = number(op.alpha) / size, number(op.beta)
    s = e.shift(e.scale(window(e.mul(op.x, op.x)), factor), number(op.k))
    first = e.mul(e.make(nn.PowOp, s, e.number(-power, element_of(op.x))), tangent)
    slope = e.scale(e.mul(op.x, e.make(nn.PowOp, s, e.number(-power - 1, element_of(op.x)))), 2 * factor * power)
    return e.sub(first, e.mul(slope, window(e.mul(op.x, tangent))))


JVP[nn.SoftmaxOp] = _softmax
JVP[nn.LogSoftmaxOp] = _log_softmax
JVP[nn.LayerNormOp] = _layer_norm
JVP[nn.RmsNormOp] = _rms_norm
JVP[nn.LrnOp] = _lrn
DECOMPOSED[nn.BatchNormOp] = batch_norm
DECOMPOSED[nn.InstanceNormOp] = instance_norm
DECOMPOSED[nn.GroupNormOp] = group_norm
