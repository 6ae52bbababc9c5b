"""ONNX pools."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.sampling import max_pool_indices
from stepwell.frontends.onnx.windows import Window, read_window


def _window(n: Node, x: Value) -> Window:
    if x.rank < 3:
        n.fail(f"its operand has shape {list(x.shape)}, no spatial axes")
    return read_window(n, x.shape[2:], n.ints("kernel_shape"), ceil_mode=bool(n.int("ceil_mode")))


def _pads_with_overhang(window: Window) -> list[int]:
    rank = len(window.kernel)
    return [*window.pads[:rank], *(p + o for p, o in zip(window.pads[rank:], window.overhang, strict=True))]


@converter("MaxPool")
def _max_pool(n: Node, x: Value) -> Sequence[Value]:
    w = _window(n, x)
    y = n.op(nn.MaxPoolOp, x, kernel=w.kernel, strides=w.strides, pads=_pads_with_overhang(w), dilations=w.dilations)
    if not n.wanted(1):
        return (y,)
    return y, max_pool_indices(n, x, w.kernel, w.strides, w.pads, w.dilations, y.shape[2:])


@converter("AveragePool")
def _average_pool(n: Node, x: Value) -> Value:
    """The mean of each window. What a window reaches beyond the pads in ceiling mode never counts."""
    w = _window(n, x)
    # Before opset 7 padding never counted.
    include = bool(n.int("count_include_pad"))
    common = {"kernel": w.kernel, "strides": w.strides, "dilations": w.dilations}
    if not include or not any(w.overhang) or not any(w.pads):
        # Without pads of its own, what counts is what is not overhang.
        return n.op(nn.AvgPoolOp, x, **common, pads=_pads_with_overhang(w), count_include_pad=include and not any(w.overhang))
    # Pads count and the overhang does not: divide by the size of the window inside the padded extents, a constant.
    total = n.op(nn.SumPoolOp, x, **common, pads=_pads_with_overhang(w))
    rank = len(w.kernel)
    ones = [
        np.array([sum(0 <= p * s + k * d < i + low + high for k in range(kernel)) for p in range(extent)])
        for i, kernel, s, d, low, high, extent in zip(
            x.shape[2:], w.kernel, w.strides, w.dilations, w.pads[:rank], w.pads[rank:], total.shape[2:], strict=True
        )
    ]
    counts = ones[0]
    for axis in ones[1:]:
        counts = counts[..., None] * axis
    return n.div(total, n.constant(counts.astype(x.dtype)))


@converter("LpPool")
def _lp_pool(n: Node, x: Value) -> Value:
    """The p-norm of each window."""
    p, w = n.int("p", 2) if n.version >= 2 else n.float("p", 2.0), _window(n, x)
    powers = n.op(nn.PowOp, n.op(nn.AbsOp, x), n.like(p, x))
    total = n.op(nn.SumPoolOp, powers, kernel=w.kernel, strides=w.strides, pads=_pads_with_overhang(w), dilations=w.dilations)
    return n.op(nn.PowOp, total, n.like(1 / p, x))


def _spatial(n: Node, x: Value) -> list[int]:
    if x.rank < 2:
        n.fail(f"its operand has shape {list(x.shape)}, no channels")
    return list(range(2, x.rank))


@converter("GlobalAveragePool")
def _global_average_pool(n: Node, x: Value) -> Value:
    return n.op(nn.ReduceMeanOp, x, axes=_spatial(n, x), keepdims=True)


@converter("GlobalMaxPool")
def _global_max_pool(n: Node, x: Value) -> Value:
    return n.op(nn.ReduceMaxOp, x, axes=_spatial(n, x), keepdims=True)


@converter("GlobalLpPool")
def _global_lp_pool(n: Node, x: Value) -> Value:
    p = n.int("p", 2) if n.version >= 2 else n.float("p", 2.0)
    total = n.op(nn.ReduceSumOp, n.op(nn.PowOp, n.op(nn.AbsOp, x), n.like(p, x)), axes=_spatial(n, x), keepdims=True)
    return n.op(nn.PowOp, total, n.like(1 / p, x))
