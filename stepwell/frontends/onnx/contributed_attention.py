"""Attention of com.microsoft: over packed or separate operands, quantised, with a cache of keys and values, with heads in groups.

They are imported as the ops that they were fused from, or as `nn.attention` where that says the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.contributed_quant import matmul_integer_to_float
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.ir.constants import element_type_of

DOMAIN = "com.microsoft"
I64 = element_type_of(np.dtype(np.int64))


def heads(n: Node, x: Value, count: int) -> Value:
    """[B, S, H] -> [B, N, S, D]; what has heads already stays."""
    if x.rank == 4:
        return x
    if x.rank != 3 or count < 1 or x.shape[2] % count:
        n.fail(f"an operand of shape {list(x.shape)} does not have {count} heads")
    return n.transpose(n.reshape(x, (*x.shape[:2], count, x.shape[2] // count)), (0, 2, 1, 3))


def joined(n: Node, y: Value) -> Value:
    """[B, N, S, D] -> [B, S, N D]."""
    batch, count, length, size = y.shape
    return n.reshape(n.transpose(y, (0, 2, 1, 3)), (batch, length, count * size))


def _attended(n: Node, q: Value, k: Value, v: Value, bias: Value | None, mask: Value | None, *, causal: bool) -> Value:
    """softmax(Q K^T scale + bias) V with heads, as [B, S, N D]. Where `mask` is false, and after a query, keys do not count."""
    length, size = q.shape[2:]
    keys = k.shape[2]
    scale = n.float("scale") or 1 / math.sqrt(size)
    scores = n.mul(n.op(nn.MatmulOp, q, n.transpose(k, (0, 1, 3, 2))), n.like(scale, q))
    if bias is not None:
        scores = n.add(scores, bias)
    if mask is not None:
        lowest = n.like(n.float("mask_filter_value", -10000.0), scores)
        scores = n.add(scores, n.op(nn.SelectOp, mask, n.like(0, scores), lowest))
    if causal:
        seen = np.arange(keys)[None, :] <= np.arange(length)[:, None] + keys - length
        scores = n.op(nn.SelectOp, n.constant(seen), scores, n.like(np.finfo(np.float32).min if q.dtype != np.float16 else -65504, scores))
    return joined(n, n.op(nn.MatmulOp, n.op(nn.SoftmaxOp, scores, axis=3), v))


def _key_mask(n: Node, mask: Value | None, batch: int, keys: int) -> Value | None:
    """[B, 1, 1 or S, K] of bool from lengths [B], a mask [B, K] or [B, S, K] of numbers."""
    if mask is None:
        return None
    if mask.shape == (batch,) and (batch, keys) != (batch,):
        line = n.constant(np.arange(keys, dtype=np.int64).reshape(1, 1, 1, -1))
        return n.op(nn.LtOp, line, n.reshape(n.cast(mask, I64), (batch, 1, 1, 1)))
    if mask.rank not in (2, 3) or mask.shape[0] != batch or mask.shape[-1] != keys:
        n.unsupported(f"a mask of shape {list(mask.shape)}")
    kept = n.op(nn.NeOp, mask, n.like(0, mask))
    return n.reshape(kept, (batch, 1, 1 if mask.rank == 2 else mask.shape[1], keys))


# ---- separate or packed operands --------------------------------------------------------------------------------------------------------


def _part(n: Node, packed: Value, index: int) -> Value:
    """[B, N, S, D] of operands [B, S, N, parts, D] that stand beside each other."""
    one = slice_axis(n, packed, 3, index, index + 1)
    return n.transpose(n.reshape(one, (*packed.shape[:3], packed.shape[4])), (0, 2, 1, 3))


@converter("MultiHeadAttention", domain=DOMAIN)
def _multi_head_attention(
    n: Node,
    query: Value,
    key: Value | None = None,
    value: Value | None = None,
    bias: Value | None = None,
    mask: Value | None = None,
    scores: Value | None = None,
    past_key: Value | None = None,
    past_value: Value | None = None,
) -> Sequence[Value]:
    """(y, all keys, all values); keys and values may be packed into one operand, or all three."""
    count = n.int("num_heads")
    if key is None and value is None and query.rank == 5 and query.shape[3] == 3:
        query, key, value = (_part(n, query, i) for i in range(3))
    elif key is not None and value is None and key.rank == 5 and key.shape[3] == 2:
        key, value = _part(n, key, 0), _part(n, key, 1)
    if key is None or value is None:
        n.fail(f"a query of shape {list(query.shape)} without keys and values")
    if bias is not None:
        hidden = query.shape[2] if query.rank == 3 else query.shape[1] * query.shape[3]
        parts = [slice_axis(n, bias, 0, a, b) for a, b in itertools.pairwise((0, hidden, 2 * hidden, bias.size))]
        query, key, value = (
            n.add(t, part if t.rank == 3 else n.reshape(part, (1, count, 1, t.shape[3])))
            for t, part in zip((query, key, value), parts, strict=True)
        )
    q, k, v = (heads(n, t, count) for t in (query, key, value))
    if past_key is not None and past_value is not None:
        k, v = n.op(nn.ConcatOp, past_key, k, axis=2), n.op(nn.ConcatOp, past_value, v, axis=2)
    kept = _key_mask(n, mask, q.shape[0], k.shape[2])
    return _attended(n, q, k, v, scores, kept, causal=bool(n.int("unidirectional"))), k, v


def _self_attention(
    n: Node, every: Value, hidden: Sequence[int], mask: Value | None, past: Value | None, scores: Value | None
) -> Sequence[Value]:
    """(y, the keys and values so far as [2, B, N, S, D]) from queries, keys and values beside each other, [B, S, sum of hidden]."""
    if n.int("do_rotary"):
        n.unsupported("do_rotary")
    ends = (0, hidden[0], hidden[0] + hidden[1], sum(hidden))
    count = n.int("num_heads")
    q, k, v = (heads(n, slice_axis(n, every, 2, a, b), count) for a, b in itertools.pairwise(ends))
    if past is not None:
        before = [n.reshape(slice_axis(n, past, 0, i, i + 1), past.shape[1:]) for i in range(2)]
        k, v = n.op(nn.ConcatOp, before[0], k, axis=2), n.op(nn.ConcatOp, before[1], v, axis=2)
    y = _attended(n, q, k, v, scores, _key_mask(n, mask, every.shape[0], k.shape[2]), causal=bool(n.int("unidirectional")))
    if not n.wanted(1):
        return (y,)
    return y, n.op(nn.ConcatOp, *(n.reshape(t, (1, *t.shape)) for t in (k, v)), axis=0)


@converter("Attention", domain=DOMAIN)
def _attention(
    n: Node,
    x: Value,
    weights: Value,
    bias: Value | None = None,
    mask: Value | None = None,
    past: Value | None = None,
    scores: Value | None = None,
) -> Sequence[Value]:
    """Queries, keys and values by one product."""
    hidden = n.ints("qkv_hidden_sizes", (weights.shape[-1] // 3,) * 3)
    if x.rank != 3 or len(hidden) != 3 or sum(hidden) != weights.shape[-1]:
        n.fail(f"weights of shape {list(weights.shape)} do not fit {list(x.shape)} and hidden sizes {hidden}")
    every = n.op(nn.MatmulOp, x, weights)
    return _self_attention(n, every if bias is None else n.add(every, bias), hidden, mask, past, scores)


@converter("QAttention", domain=DOMAIN)
def _quantised_attention(
    n: Node,
    x: Value,
    weights: Value,
    bias: Value,
    x_scale: Value,
    w_scale: Value,
    mask: Value | None = None,
    x_zero: Value | None = None,
    w_zero: Value | None = None,
    past: Value | None = None,
) -> Sequence[Value]:
    """The same; the product is one of integers."""
    if x.rank != 3 or weights.rank != 2 or weights.shape[1] % 3:
        n.fail(f"weights of shape {list(weights.shape)} do not fit {list(x.shape)}")
    every = matmul_integer_to_float(n, x, weights, x_scale, w_scale, x_zero, w_zero, bias)
    return _self_attention(n, every, (weights.shape[1] // 3,) * 3, mask, past, None)


# ---- positions ------------------------------------------------------------------------------------------------------------------------


def rotated(n: Node, x: Value, cos: Value, sin: Value, *, interleaved: bool) -> Value:
    """The first 2 R channels of heads [B, N, S, D] turned by angles [B or 1, S, R]: halves of them, or neighbours."""
    size, half = x.shape[3], cos.shape[2]
    turned = 2 * half
    cos, sin = (n.reshape(t, (t.shape[0], 1, *t.shape[1:])) for t in (cos, sin))
    moved = slice_axis(n, x, 3, 0, turned)
    if interleaved:
        pairs = n.reshape(moved, (*moved.shape[:3], half, 2))
        first, second = (n.reshape(slice_axis(n, pairs, 4, i, i + 1), (*moved.shape[:3], half)) for i in range(2))
        left, right = n.sub(n.mul(first, cos), n.mul(second, sin)), n.add(n.mul(first, sin), n.mul(second, cos))
        wide = [n.reshape(t, (*t.shape, 1)) for t in (left, right)]
        y = n.reshape(n.op(nn.ConcatOp, *wide, axis=4), moved.shape)
    else:
        angles = [n.op(nn.ConcatOp, t, t, axis=3) for t in (cos, sin)]
        y = n.op(nn.RotaryEmbeddingOp, moved, *angles)
    return y if turned == size else n.op(nn.ConcatOp, y, slice_axis(n, x, 3, turned, size), axis=3)


def _rotary_heads(n: Node, x: Value, cosines: Value) -> tuple[Value, int]:
    """(heads of an operand [B, S, H] or [B, N, S, D], how many channels of each are turned)."""
    part, count = n.int("rotary_embedding_dim"), n.int("num_heads")
    if x.rank not in (3, 4) or cosines.rank != 2:
        n.fail(f"operands of shapes {list(x.shape)} and {list(cosines.shape)}")
    if x.rank == 3:
        size = x.shape[2] // count if count else part or 2 * cosines.shape[1]
        if size == 0 or x.shape[2] % size:
            n.fail(f"{x.shape[2]} channels are not heads of {size}")
        x = heads(n, x, x.shape[2] // size)
    turned = part or x.shape[3]
    if turned > x.shape[3] or turned % 2 or cosines.shape[1] != turned // 2:
        n.fail(f"{turned} of {x.shape[3]} channels do not fit angles of shape {list(cosines.shape)}")
    return x, turned


@converter("RotaryEmbedding", domain=DOMAIN)
def _rotary(n: Node, x: Value, places: Value, cosines: Value, sines: Value) -> Value:
    """Channels turned by the angles of their position: halves, or neighbours if `interleaved`."""
    split, turned = _rotary_heads(n, x, cosines)
    length = split.shape[2]
    if places.size == 1:
        places = n.add(n.reshape(n.cast(places, I64), (1, 1)), n.constant(np.arange(length, dtype=np.int64).reshape(1, -1)))
    cos, sin = (n.op(nn.GatherOp, table, n.reshape(places, (places.size // length, length)), axis=0) for table in (cosines, sines))
    assert cos.shape[2] == turned // 2
    y = rotated(n, split, cos, sin, interleaved=bool(n.int("interleaved")))
    return y if x.rank == 4 else joined(n, y)


@converter("MRotaryEmbedding", domain=DOMAIN)
def _rotary_of_three(n: Node, x: Value, places: Value, cosines: Value, sines: Value) -> Value:
    """The same for time, height and width: positions [3, B, S], whose angles share the channels in three sections, or in turns."""
    split, turned = _rotary_heads(n, x, cosines)
    batch, _, length, _ = split.shape
    sections = n.ints("mrope_section")
    if len(sections) != 3 or min(sections) < 0 or sum(sections) != turned // 2 or places.shape != (3, batch, length):
        n.fail(f"sections {sections} and positions of shape {list(places.shape)} do not fit {turned // 2} angles")
    channel = np.arange(turned // 2)
    if n.int("mrope_layout"):
        stream = np.where((channel % 3 == 1) & (channel < 3 * sections[1]), 1, 0)
        stream = np.where((channel % 3 == 2) & (channel < 3 * sections[2]), 2, stream)
    else:
        stream = np.repeat(np.arange(3), sections)
    angles: list[Value] = []
    for table in (cosines, sines):
        every = n.op(nn.GatherOp, table, places, axis=0)
        each = [n.reshape(slice_axis(n, every, 0, i, i + 1), every.shape[1:]) for i in range(3)]
        chosen = n.op(nn.SelectOp, n.constant(stream == 2), each[2], each[0])
        angles.append(n.op(nn.SelectOp, n.constant(stream == 1), each[1], chosen))
    y = rotated(n, split, *angles, interleaved=bool(n.int("interleaved")))
    return y if x.rank == 4 else joined(n, y)
