"""Layer norm, RMS norm and softmax from means, powers, roots and quotients.

The core of a norm is d / sqrt(mean(d * d) + epsilon), with d = x - mean(x) (layer norm) or d = x (RMS norm); scale and bias join
afterwards, one by one. The moments must be over the last axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, is_float, number
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import (
    close,
    constant_array,
    element_of,
    is_filled_with,
    made_by,
    same_value,
    shape_of,
    size_of,
    splat_value,
    tensor,
)


def without_broadcast(value: SSAValue) -> SSAValue:
    """The value that a chain of broadcasts repeats."""
    while (broadcast := made_by(value, nn.BroadcastToOp)) is not None:
        value = broadcast.x
    return value


@dataclass(frozen=True)
class Mean:
    """mean(x) over the axes from `axis` to the last, kept as extents of 1."""

    x: SSAValue
    axis: int


def mean_of(value: SSAValue) -> Mean | None:
    """A value as a mean over last axes: a reduce_mean, or a reduce_sum times 1 / n; its axes kept, or dropped and put back by a reshape."""
    value = without_broadcast(value)
    reshape = made_by(value, nn.ReshapeOp)
    found = _mean(value if reshape is None else reshape.x)
    if found is None:
        return None
    mean, kept = found
    shape = shape_of(mean.x)
    if reshape is None:
        return mean if kept else None
    return mean if shape_of(value) == (*shape[: mean.axis], *(1,) * (len(shape) - mean.axis)) else None


def _mean(value: SSAValue) -> tuple[Mean, bool] | None:
    """A mean over last axes, and whether it keeps them."""
    owner = value.owner
    if isinstance(owner, (nn.MulOp, nn.DivOp)):
        c, total = splat_value(owner.b), made_by(owner.a, nn.ReduceSumOp)
        if c is None or c == 0 or total is None or size_of(total.x) <= 0 or size_of(value) <= 0:
            return None
        factor = float(c) if isinstance(owner, nn.MulOp) else 1 / float(c)
        return _last_axes(total) if close(factor * (size_of(total.x) // size_of(value)), 1.0) else None
    return _last_axes(owner) if isinstance(owner, nn.ReduceMeanOp) else None


def _last_axes(op: nn.ReduceMeanOp | nn.ReduceSumOp) -> tuple[Mean, bool] | None:
    axes, rank = ints(op.axes), len(shape_of(op.x))
    if not axes or axes != tuple(range(axes[0], rank)):
        return None
    return Mean(op.x, axes[0]), bool(number(op.keepdims))


def squared(value: SSAValue) -> SSAValue | None:
    """d of d * d or d ** 2."""
    product, power = made_by(value, nn.MulOp), made_by(value, nn.PowOp)
    if product is not None and same_value(product.a, product.b):
        return product.a
    return power.a if power is not None and splat_value(power.b) == 2 else None


@dataclass(frozen=True)
class Spread:
    """sqrt(mean(d * d) + epsilon). If `centred`, `d` is x and the mean is of (x - mean(x))^2."""

    d: SSAValue
    axis: int
    epsilon: float
    centred: bool = False

    def is_of(self, d: SSAValue) -> bool:
        """Whether this is the spread of d."""
        of = _centred(d, self.axis) if self.centred else d
        return of is not None and same_value(of, self.d)


def _spread(value: SSAValue) -> Spread | None:
    """A value as mean(d * d) + epsilon."""
    value = without_broadcast(value)
    total = made_by(value, nn.AddOp)
    epsilon = 0.0 if total is None else splat_value(total.b)
    if epsilon is None or not 0 <= epsilon < 1:
        return None
    variance = value if total is None else total.a
    # The decimal that the float stands for, so that it prints as it was written.
    decimal = float(str(np.float32(epsilon)))
    mean = mean_of(variance)
    if mean is not None:
        d = squared(mean.x)
        return Spread(d, mean.axis, decimal) if d is not None else None
    moments = _moments(variance)
    return Spread(moments.x, moments.axis, decimal, centred=True) if moments is not None else None


def _moments(value: SSAValue) -> Mean | None:
    """x of mean(x * x) - mean(x) * mean(x), perhaps with a relu against cancellation."""
    value = without_broadcast(value)
    clamped = made_by(value, nn.ReluOp)
    difference = made_by(without_broadcast(clamped.x if clamped is not None else value), nn.SubOp)
    square = mean_of(difference.a) if difference is not None else None
    root = squared(without_broadcast(difference.b)) if difference is not None else None
    if square is None or root is None or squared(square.x) is None:
        return None
    mean = mean_of(root)
    x = squared(square.x)
    return mean if mean is not None and x is not None and same_value(mean.x, x) and mean.axis == square.axis else None


def norm_core(op: nn.DivOp | nn.MulOp, site: Site) -> Replacement:
    """d / sqrt(mean(d * d) + epsilon), or times rsqrt or the reciprocal of the root -> layer_norm or rms_norm with scale 1"""
    if not is_float(element_of(op.y)):
        return None
    for d, other in ((op.a, op.b), (op.b, op.a)) if isinstance(op, nn.MulOp) else ((op.a, op.b),):
        spread = _inverse_spread(other) if isinstance(op, nn.MulOp) else _rooted_spread(other)
        if spread is None or not spread.is_of(d) or d.type != op.y.type:
            continue
        scale = site.splat(1.0, tensor_type(shape_of(d)[spread.axis :], element_of(d)))
        x = _centred(d, spread.axis)
        if x is not None:
            return site.make(nn.LayerNormOp, x, scale, axis=spread.axis, epsilon=spread.epsilon)
        return site.make(nn.RmsNormOp, d, scale, axis=spread.axis, epsilon=spread.epsilon)
    return None


def _rooted_spread(value: SSAValue) -> Spread | None:
    value = without_broadcast(value)
    root, power = made_by(value, nn.SqrtOp), made_by(value, nn.PowOp)
    if power is not None and splat_value(power.b) == 0.5:
        return _spread(power.a)
    return _spread(root.x) if root is not None else None


def _inverse_spread(value: SSAValue) -> Spread | None:
    value = without_broadcast(value)
    inverse, reciprocal = made_by(value, nn.RsqrtOp), made_by(value, nn.ReciprocalOp)
    quotient, power = made_by(value, nn.DivOp), made_by(value, nn.PowOp)
    if inverse is not None:
        return _spread(inverse.x)
    if power is not None and splat_value(power.b) == -0.5:
        return _spread(power.a)
    if quotient is not None:  # 1 / sqrt(..)
        return _rooted_spread(quotient.b) if is_filled_with(quotient.a, 1) else None
    return _rooted_spread(reciprocal.x) if reciprocal is not None else None


def _centred(d: SSAValue, axis: int) -> SSAValue | None:
    """x of d = x - mean(x)."""
    difference = made_by(d, nn.SubOp)
    mean = mean_of(difference.b) if difference is not None else None
    if difference is None or mean is None or not same_value(mean.x, difference.a) or mean.axis != axis:
        return None
    return difference.a


def scale_before_data(op: nn.MulOp, site: Site) -> Replacement:
    """d * (rsqrt(...) * scale) -> (d * rsqrt(...)) * scale, so that the core is seen"""
    for d, product in ((op.a, op.b), (op.b, op.a)):
        inner = made_by(product, nn.MulOp)
        if inner is None or not product.has_one_use() or d.type != op.y.type:
            continue
        for inverse, scale in ((inner.a, inner.b), (inner.b, inner.a)):
            spread = _inverse_spread(inverse)
            if spread is not None and spread.is_of(d):
                return site.make(nn.MulOp, site.make(nn.MulOp, d, inverse), scale)
    return None


def scale_into_norm(op: nn.MulOp, site: Site) -> Replacement:
    """layer_norm(x) with scale 1, times a parameter over the normalised axes -> layer_norm with that scale; so for rms_norm"""
    for y, parameter in ((op.a, op.b), (op.b, op.a)):
        norm = y.owner
        if not isinstance(norm, (nn.LayerNormOp, nn.RmsNormOp)) or len(norm.operands) != 2 or not y.has_one_use():
            continue
        scale = _parameter(parameter, y, number(norm.axis), site) if is_filled_with(norm.scale, 1) and y.type == op.y.type else None
        if scale is not None:
            return site.same(norm, norm.x, scale)
    return None


def bias_into_norm(op: nn.AddOp, site: Site) -> Replacement:
    """layer_norm(x) without bias, plus a parameter over the normalised axes -> layer_norm with that bias"""
    for y, parameter in ((op.a, op.b), (op.b, op.a)):
        norm = made_by(y, nn.LayerNormOp)
        if norm is None or len(norm.operands) != 2 or not y.has_one_use() or y.type != op.y.type:
            continue
        bias = _parameter(parameter, y, number(norm.axis), site)
        if bias is not None:
            return site.same(norm, norm.x, norm.scale, bias)
    return None


def _parameter(value: SSAValue, y: SSAValue, axis: int, site: Site) -> SSAValue | None:
    """A constant that varies only over the normalised axes, in their rank."""
    array = constant_array(value)
    if array is None:
        return None
    rank = len(shape_of(y))
    shape = (1,) * (rank - array.ndim) + array.shape
    if len(shape) != rank or any(extent != 1 for extent in shape[:axis]):
        return None
    return value if array.ndim == rank - axis else site.constant(array.reshape(shape[axis:]))


def softmax_of_exponentials(op: nn.DivOp, site: Site) -> Replacement:
    """exp(x - max(x)) / sum(exp(x - max(x))) -> softmax(x)"""
    e, total = made_by(op.a, nn.ExpOp), made_by(without_broadcast(op.b), nn.ReduceSumOp)
    if e is None or total is None or total.x is not e.y or op.a.type != op.y.type:
        return None
    shifted = made_by(e.x, nn.SubOp)
    top = made_by(without_broadcast(shifted.b), nn.ReduceMaxOp) if shifted is not None else None
    if shifted is None or top is None or top.x is not shifted.a or ints(top.axes) != ints(total.axes) or len(ints(top.axes)) != 1:
        return None
    if not number(top.keepdims) or not number(total.keepdims) or tensor(shifted.a) != op.y.type:
        return None
    return site.make(nn.SoftmaxOp, shifted.a, axis=ints(top.axes)[0])


def log_of_softmax(op: nn.LogOp, site: Site) -> Replacement:
    """log(softmax(x)) -> log_softmax(x)"""
    inner = made_by(op.x, nn.SoftmaxOp)
    return site.make(nn.LogSoftmaxOp, inner.x, axis=number(inner.axis)) if inner is not None and op.x.has_one_use() else None


NORMS: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.DivOp: (norm_core, softmax_of_exponentials),
    nn.MulOp: (norm_core, scale_before_data, scale_into_norm),
    nn.AddOp: (bias_into_norm,),
    nn.LogOp: (log_of_softmax,),
}
