"""Quantised operators of com.microsoft, in the arithmetic that defines them: integers are centred, computed with, scaled, and rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from xdsl.ir import Attribute

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter, find_converter
from stepwell.ir.constants import dtype_of, element_type_of

DOMAIN = "com.microsoft"
I32, F32, U8 = (element_type_of(np.dtype(t)) for t in (np.int32, np.float32, np.uint8))


def _one(n: Node, value: Value) -> Value:
    return n.reshape(value, ()) if value.size == 1 else value


def _real(n: Node, x: Value, scale: Value, zero: Value | None) -> Value:
    """(x - zero) scale."""
    centred = n.cast(x, I32)
    if zero is not None:
        centred = n.sub(centred, n.cast(_one(n, zero), I32))
    return n.mul(n.cast(centred, F32), _one(n, scale))


def _quantised(n: Node, x: Value, scale: Value, zero: Value | None, element: Attribute) -> Value:
    """round(x / scale) + zero, inside the type."""
    limits = np.iinfo(dtype_of(element))
    y = n.op(nn.RoundOp, n.div(x, _one(n, scale)))
    if zero is not None:
        y = n.add(y, n.cast(_one(n, zero), F32))
    return n.cast(n.op(nn.ClipOp, y, min=float(limits.min), max=float(limits.max)), element)


def _binary(op_class: type[nn.NnOp]) -> Callable[..., Value]:
    def convert(
        n: Node,
        a: Value,
        a_scale: Value,
        a_zero: Value | None,
        b: Value,
        b_scale: Value,
        b_zero: Value | None,
        y_scale: Value,
        y_zero: Value | None = None,
    ) -> Value:
        y = n.op(op_class, _real(n, a, a_scale, a_zero), _real(n, b, b_scale, b_zero))
        return _quantised(n, y, y_scale, y_zero, a.element)

    return convert


converter("QLinearAdd", domain=DOMAIN)(_binary(nn.AddOp))
converter("QLinearMul", domain=DOMAIN)(_binary(nn.MulOp))


def _unary(function: Callable[[Node, Value], Value]) -> Callable[..., Value]:
    def convert(n: Node, x: Value, x_scale: Value, x_zero: Value | None, y_scale: Value, y_zero: Value | None = None) -> Value:
        return _quantised(n, function(n, _real(n, x, x_scale, x_zero)), y_scale, y_zero, x.element)

    return convert


def _pooled(n: Node, x: Value) -> Value:
    """The mean over each channel's image, which may be stored channels last."""
    axes = list(range(1, x.rank - 1) if n.int("channels_last") else range(2, x.rank))
    return n.op(nn.ReduceMeanOp, x, axes=axes, keepdims=True)


def _average_pool(n: Node, x: Value) -> Value:
    if n.int("channels_last"):
        n.unsupported("channels_last")
    pool = find_converter("", "AveragePool", 22)
    assert pool is not None
    y = pool(n, x)
    assert isinstance(y, Value)
    return y


converter("QLinearSigmoid", domain=DOMAIN)(_unary(lambda n, x: n.op(nn.SigmoidOp, x)))
converter("QLinearLeakyRelu", domain=DOMAIN)(_unary(lambda n, x: n.op(nn.LeakyReluOp, x, alpha=n.float("alpha", 0.01))))
converter("QLinearGlobalAveragePool", domain=DOMAIN)(_unary(_pooled))
converter("QLinearAveragePool", domain=DOMAIN)(_unary(_average_pool))


@converter("QLinearConcat", domain=DOMAIN)
def _concat(n: Node, y_scale: Value, y_zero: Value, *parts: Value) -> Value:
    """Parts with a scale and a zero point each, joined with one for all."""
    if not parts or len(parts) % 3:
        n.fail(f"{len(parts)} operands are not parts with scales and zero points")
    moved = [_quantised(n, _real(n, *parts[i : i + 3]), y_scale, y_zero, y_zero.element) for i in range(0, len(parts), 3)]
    return moved[0] if len(moved) == 1 else n.op(nn.ConcatOp, *moved, axis=n.axis(n.int("axis"), moved[0].rank))


@converter("QLinearSoftmax", domain=DOMAIN)
def _softmax(n: Node, x: Value, x_scale: Value, x_zero: Value | None, y_scale: Value, y_zero: Value) -> Value:
    """The softmax of an axis, or as before opset 13 of all from it on."""
    axis = n.axis(n.int("axis", -1), x.rank)
    real = _real(n, x, x_scale, x_zero)
    if n.int("opset", 13) >= 13:
        y = n.op(nn.SoftmaxOp, real, axis=axis)
    else:
        rows = math.prod(x.shape[:axis])
        y = n.reshape(n.op(nn.SoftmaxOp, n.reshape(real, (rows, math.prod(x.shape[axis:]))), axis=1), x.shape)
    return _quantised(n, y, y_scale, y_zero, x.element)


@converter("QLinearWhere", domain=DOMAIN)
def _where(
    n: Node,
    condition: Value,
    a: Value,
    a_scale: Value,
    a_zero: Value,
    b: Value,
    b_scale: Value,
    b_zero: Value,
    y_scale: Value,
    y_zero: Value,
) -> Value:
    """Either operand, each requantised before the choice."""
    left, right = (
        _quantised(n, _real(n, *operands), y_scale, y_zero, a.element) for operands in ((a, a_scale, a_zero), (b, b_scale, b_zero))
    )
    return n.op(nn.SelectOp, condition, left, right)


@converter("QLinearConv", domain=DOMAIN)
def _conv(n: Node, x: Value, *more: Value | None) -> Value:
    """ONNX's, whose data may have its channels last."""
    conv = find_converter("", "QLinearConv", 10)
    assert conv is not None
    last = bool(n.int("channels_last"))
    spatial = range(2, x.rank)
    y = conv(n, n.transpose(x, (0, x.rank - 1, *range(1, x.rank - 1))) if last else x, *more)
    assert isinstance(y, Value)
    return n.transpose(y, (0, *spatial, 1)) if last else y


@converter("QEmbedLayerNormalization", domain=DOMAIN)
def _embed_layer_norm(
    n: Node,
    ids: Value,
    segments: Value | None,
    words: Value,
    positions: Value,
    segment_table: Value | None,
    scale: Value,
    bias: Value,
    mask: Value | None,
    *parameters: Value | None,
) -> Value | Sequence[Value]:
    """EmbedLayerNormalization of tables in eight bits: five scales, then five zero points, each of which is one number."""
    embed = find_converter(DOMAIN, "EmbedLayerNormalization", 1)
    assert embed is not None
    tables = (words, positions, segment_table, scale, bias)
    real: list[Value | None] = []
    for table, factor, zero in zip(tables, parameters[:5], parameters[5:], strict=True):
        real.append(None if table is None or factor is None else _real(n, table, factor, zero))
    return embed(n, ids, segments, *real, mask)


# ---- products --------------------------------------------------------------------------------------------------------------


@converter("MatMulIntegerToFloat", domain=DOMAIN)
def matmul_integer_to_float(
    n: Node,
    a: Value,
    b: Value,
    a_scale: Value,
    b_scale: Value,
    a_zero: Value | None = None,
    b_zero: Value | None = None,
    bias: Value | None = None,
) -> Value:
    """(A - a_zero)(B - b_zero) a_scale b_scale + bias, B perhaps with a scale and a zero point for each column."""
    left, right = (
        n.cast(x, I32) if zero is None else n.sub(n.cast(x, I32), n.cast(_one(n, zero), I32)) for x, zero in ((a, a_zero), (b, b_zero))
    )
    product = n.cast(n.op(nn.MatmulOp, left, right), F32)
    y = n.mul(product, n.mul(_one(n, a_scale), _one(n, b_scale)))
    return y if bias is None else n.add(y, bias)


@converter("QGemm", domain=DOMAIN)
def _gemm(
    n: Node,
    a: Value,
    a_scale: Value,
    a_zero: Value,
    b: Value,
    b_scale: Value,
    b_zero: Value,
    bias: Value | None = None,
    y_scale: Value | None = None,
    y_zero: Value | None = None,
) -> Value:
    """alpha (A - a_zero)(B - b_zero) a_scale b_scale with a bias of that scale; in eight bits again if there is y_scale."""
    if a.rank != 2 or b.rank != 2:
        n.fail(f"its operands have shapes {list(a.shape)} and {list(b.shape)}, not two axes each")
    left, right = n.cast(a, I32), n.cast(b, I32)
    left = n.sub(n.transpose(left, (1, 0)) if n.int("transA") else left, n.cast(_one(n, a_zero), I32))
    right = n.sub(n.transpose(right, (1, 0)) if n.int("transB") else right, n.cast(_one(n, b_zero), I32))
    total = n.op(nn.MatmulOp, left, right)
    total = total if bias is None else n.add(total, bias)
    factor = n.mul(n.mul(_one(n, a_scale), _one(n, b_scale)), n.like(n.float("alpha", 1.0), a_scale))
    y = n.mul(n.cast(total, F32), factor)
    if y_scale is None:
        return y
    return _quantised(n, y, y_scale, y_zero, a.element if y_zero is None else y_zero.element)


@converter("DynamicQuantizeMatMul", domain=DOMAIN)
def _dynamic_quantize_matmul(n: Node, a: Value, b: Value, b_scale: Value, b_zero: Value | None = None, bias: Value | None = None) -> Value:
    """A quantised by its own range, then the product of integers."""
    axes = list(range(a.rank))
    zero = n.like(0, a)
    high = n.op(nn.MaxOp, n.op(nn.ReduceMaxOp, a, axes=axes, keepdims=False), zero)
    low = n.op(nn.MinOp, n.op(nn.ReduceMinOp, a, axes=axes, keepdims=False), zero)
    step = n.div(n.sub(high, low), n.like(255, a))
    step = n.op(nn.SelectOp, n.op(nn.EqOp, step, zero), n.like(1, a), step)
    offset = n.op(nn.RoundOp, n.op(nn.ClipOp, n.div(n.op(nn.NegOp, low), step), min=0.0, max=255.0))
    whole = n.cast(offset, U8)
    return matmul_integer_to_float(n, _quantised(n, a, step, whole, U8), b, step, b_scale, whole, b_zero, bias)


@converter("DynamicQuantizeLSTM", domain=DOMAIN)
def _dynamic_quantize_lstm(
    n: Node,
    x: Value,
    w: Value,
    r: Value,
    b: Value | None,
    lengths: Value | None,
    h: Value | None,
    c: Value | None,
    peepholes: Value | None,
    w_scale: Value,
    w_zero: Value,
    r_scale: Value,
    r_zero: Value,
) -> Sequence[Value]:
    """An LSTM with quantised weights [D, inputs, 4 hidden]; they are scaled back, and what is multiplied with them is not rounded."""
    lstm = find_converter("", "LSTM", 22)
    assert lstm is not None
    real = [_weights(n, *operands) for operands in ((w, w_scale, w_zero), (r, r_scale, r_zero))]
    results = lstm(n, x, *real, b, lengths, h, c, peepholes)
    return (results,) if isinstance(results, Value) else results


def _weights(n: Node, w: Value, scale: Value, zero: Value) -> Value:
    """[D, 4 hidden, inputs] from integers, with one scale for each direction or for each column of it."""
    if w.rank != 3 or scale.size not in (1, w.shape[0], w.shape[0] * w.shape[2]) or math.prod(zero.shape) != scale.size:
        n.fail(f"scales of shape {list(scale.shape)} do not fit weights of shape {list(w.shape)}")
    wide = (1, 1, 1) if scale.size == 1 else (w.shape[0], 1, scale.size // w.shape[0])
    return n.transpose(_real(n, w, n.reshape(scale, wide), n.reshape(zero, wide)), (0, 2, 1))
