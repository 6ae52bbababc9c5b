"""Reductions of `stepwell.numpy`, and positions of extremes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.frontends.trace.elementwise import BOOL, as_float, divide, square, subtract
from stepwell.frontends.trace.elementwise import sqrt as _sqrt
from stepwell.frontends.trace.shapes import axes_of, axis_of, reshape
from stepwell.frontends.trace.values import Value, dtype_of_value, emit, promoted, shape_of, to_dtype

Axis = int | Sequence[int] | None


def _reduce(kind: type[NnOp], x: Value, axis: Axis, keepdims: bool) -> Value:
    return emit(kind, [x], axes=axes_of(axis, len(shape_of(x)), kind.name), keepdims=keepdims)


def _number(x: Value) -> Value:
    x = promoted(x)[0]
    return to_dtype(x, np.dtype(np.int64)) if dtype_of_value(x) == BOOL else x


def sum(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """The sum; of booleans how many hold."""
    return _reduce(nn.ReduceSumOp, _number(x), axis, keepdims)


def mean(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """The mean, a float."""
    return _reduce(nn.ReduceMeanOp, as_float(x), axis, keepdims)


def prod(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """The product."""
    return _reduce(nn.ReduceProdOp, _number(x), axis, keepdims)


def max(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """The greatest."""
    return _reduce(nn.ReduceMaxOp, promoted(x)[0], axis, keepdims)


def min(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """The least."""
    return _reduce(nn.ReduceMinOp, promoted(x)[0], axis, keepdims)


def any(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """Whether one holds."""
    return _reduce(nn.ReduceMaxOp, to_dtype(promoted(x)[0], BOOL), axis, keepdims)


def all(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """Whether all hold."""
    return _reduce(nn.ReduceMinOp, to_dtype(promoted(x)[0], BOOL), axis, keepdims)


def var(x: Value, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Value:
    """The mean squared distance from the mean, divided by n - correction instead of n."""
    x = as_float(x)
    axes = axes_of(axis, len(shape_of(x)), "var")
    squares = square(subtract(x, mean(x, axes, keepdims=True)))
    if not correction:
        return mean(squares, axes, keepdims=keepdims)
    count = int(np.prod([shape_of(x)[a] for a in axes]))
    return divide(sum(squares, axes, keepdims=keepdims), float(count - correction))


def std(x: Value, axis: Axis = None, *, correction: float = 0, keepdims: bool = False) -> Value:
    """The square root of the variance."""
    return _sqrt(var(x, axis, correction=correction, keepdims=keepdims))


def logsumexp(x: Value, axis: Axis = None, *, keepdims: bool = False) -> Value:
    """log of the sum of exp(x), without overflow."""
    return _reduce(nn.ReduceLogSumExpOp, as_float(x), axis, keepdims)


def cumulative_sum(x: Value, axis: int = 0) -> Value:
    """Running sums."""
    x = _number(x)
    return emit(nn.CumsumOp, [x], axis=axis_of(axis, len(shape_of(x)), "cumulative_sum"))


cumsum = cumulative_sum


def _position(kind: type[NnOp], x: Value, axis: int | None, keepdims: bool) -> Value:
    x = promoted(x)[0]
    x, axis = (reshape(x, -1), 0) if axis is None else (x, axis)
    return emit(kind, [x], axis=axis_of(axis, len(shape_of(x)), kind.name), keepdims=keepdims)


def argmax(x: Value, axis: int | None = None, *, keepdims: bool = False) -> Value:
    """Where the greatest is, the first of several."""
    return _position(nn.ArgmaxOp, x, axis, keepdims)


def argmin(x: Value, axis: int | None = None, *, keepdims: bool = False) -> Value:
    """Where the least is, the first of several."""
    return _position(nn.ArgminOp, x, axis, keepdims)
