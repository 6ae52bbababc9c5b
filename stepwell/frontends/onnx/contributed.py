"""Operators of com.microsoft that exporters and ONNX Runtime's optimiser write: activations, norms, embeddings, attention.

They are imported as the ops that they were fused from; what pays to be one kernel is found again by the passes on `nn`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.conv import convolution
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.ir.constants import element_type_of

DOMAIN = "com.microsoft"
I32, I64, F32 = (element_type_of(np.dtype(t)) for t in (np.int32, np.int64, np.float32))

# ---- activations --------------------------------------------------------------------------------------------------------------------


@converter("BiasGelu", domain=DOMAIN)
def _bias_gelu(n: Node, x: Value, bias: Value) -> Value:
    return n.op(nn.GeluOp, n.add(x, bias))


@converter("QuickGelu", domain=DOMAIN)
def _quick_gelu(n: Node, x: Value) -> Value:
    """x sigmoid(alpha x)."""
    return n.mul(x, n.op(nn.SigmoidOp, n.mul(x, n.like(n.float("alpha", 1.702), x))))


@converter("FusedConv", domain=DOMAIN)
def _fused_conv(n: Node, x: Value, w: Value, bias: Value | None = None, z: Value | None = None) -> Value:
    """activation(conv(x, w) + bias + z)."""
    y = convolution(n, x, w, bias)
    y = y if z is None else n.add(y, z)
    name, given = n.str("activation"), n.floats("activation_params")

    def parameter(index: int, default: float) -> float:
        return given[index] if index < len(given) else default

    functions: dict[str, Callable[[], Value]] = {
        "": lambda: y,
        "Relu": lambda: n.op(nn.ReluOp, y),
        "Tanh": lambda: n.op(nn.TanhOp, y),
        "Sigmoid": lambda: n.op(nn.SigmoidOp, y),
        "LeakyRelu": lambda: n.op(nn.LeakyReluOp, y, alpha=parameter(0, 0.01)),
        "Clip": lambda: n.op(nn.ClipOp, y, min=parameter(0, -math.inf), max=parameter(1, math.inf)),
        "HardSigmoid": lambda: n.op(nn.HardSigmoidOp, y, alpha=parameter(0, 0.2), beta=parameter(1, 0.5)),
    }
    return functions[name]() if name in functions else n.unsupported(f"the activation {name!r}")


# ---- norms and embeddings -------------------------------------------------------------------------------------------------------------


@converter("SimplifiedLayerNormalization")
@converter("SimplifiedLayerNormalization", domain=DOMAIN)
def _simplified_layer_norm(n: Node, x: Value, scale: Value) -> Value:
    """RMS normalisation, before it was ONNX's."""
    return n.op(nn.RmsNormOp, x, scale, axis=n.axis(n.int("axis", -1), x.rank), epsilon=n.float("epsilon", 1e-5))


@converter("SkipSimplifiedLayerNormalization", domain=DOMAIN)
def _skip_simplified_layer_norm(n: Node, x: Value, skip: Value, scale: Value, offset: Value | None = None) -> Sequence[Value]:
    """The RMS norm of x + skip + offset; output 3 is the sum itself."""
    if n.wanted(1) or n.wanted(2):
        n.unsupported("its moments are used")
    total = n.add(x, skip)
    total = total if offset is None else n.add(total, offset)
    y = n.op(nn.RmsNormOp, total, scale, axis=total.rank - 1, epsilon=n.float("epsilon", 1e-12))
    return y, total, total, total


@converter("EmbedLayerNormalization", domain=DOMAIN)
def _embed_layer_norm(
    n: Node,
    ids: Value,
    segments: Value | None,
    words: Value,
    positions: Value,
    segment_table: Value | None,
    scale: Value,
    bias: Value,
    mask: Value | None = None,
    position_ids: Value | None = None,
) -> Sequence[Value]:
    """(the layer norm of the sum of embeddings, how many tokens the mask keeps of each row, the sum)."""
    if ids.rank != 2:
        n.fail(f"its tokens have shape {list(ids.shape)}, not [batch, sequence]")
    batch, length = ids.shape
    place = n.constant(np.arange(length, dtype=np.int64)) if position_ids is None else position_ids
    total = n.add(n.op(nn.GatherOp, words, ids, axis=0), n.op(nn.GatherOp, positions, place, axis=0))
    if segments is not None and segment_table is not None:
        total = n.add(total, n.op(nn.GatherOp, segment_table, segments, axis=0))
    kept = n.full(0, np.int32, (batch,)) if mask is None else n.op(nn.ReduceSumOp, n.cast(mask, I32), axes=[1], keepdims=False)
    return n.op(nn.LayerNormOp, total, scale, bias, epsilon=n.float("epsilon", 1e-12)), kept, total


@converter("RotaryEmbedding", domain=DOMAIN)
def _rotary(n: Node, x: Value, places: Value, cosines: Value, sines: Value) -> Value:
    """Pairs of channels turned by the angles of their position: halves, or neighbours if `interleaved`. [B, S, H] or [B, N, S, D]."""
    part, heads = n.int("rotary_embedding_dim"), n.int("num_heads")
    if x.rank not in (3, 4) or cosines.rank != 2:
        n.fail(f"operands of shapes {list(x.shape)} and {list(cosines.shape)}")
    shape = x.shape
    if x.rank == 3:
        size = shape[2] // heads if heads else part or 2 * cosines.shape[1]
        if size == 0 or shape[2] % size:
            n.fail(f"{shape[2]} channels are not heads of {size}")
        x = n.transpose(n.reshape(x, (*shape[:2], shape[2] // size, size)), (0, 2, 1, 3))
    length, size = x.shape[2:]
    turned = part or size
    if turned > size or turned % 2 or cosines.shape[1] != turned // 2:
        n.fail(f"{turned} of {size} channels do not fit angles of shape {list(cosines.shape)}")
    if places.size == 1:
        places = n.add(n.reshape(n.cast(places, I64), (1, 1)), n.constant(np.arange(length, dtype=np.int64).reshape(1, -1)))
    cos, sin = (n.op(nn.GatherOp, table, places, axis=0) for table in (cosines, sines))
    cos, sin = (n.reshape(t, (t.shape[0], 1, length, turned // 2)) for t in (cos, sin))
    moved = slice_axis(n, x, 3, 0, turned)
    if n.int("interleaved"):
        pairs = n.reshape(moved, (*moved.shape[:3], turned // 2, 2))
        first, second = (n.reshape(slice_axis(n, pairs, 4, i, i + 1), (*moved.shape[:3], turned // 2)) for i in range(2))
    else:
        first, second = slice_axis(n, moved, 3, 0, turned // 2), slice_axis(n, moved, 3, turned // 2, turned)
    left, right = n.sub(n.mul(first, cos), n.mul(second, sin)), n.add(n.mul(first, sin), n.mul(second, cos))
    if n.int("interleaved"):
        wide = [n.reshape(t, (*t.shape, 1)) for t in (left, right)]
        y = n.reshape(n.op(nn.ConcatOp, *wide, axis=4), moved.shape)
    else:
        y = n.op(nn.ConcatOp, left, right, axis=3)
    if turned < size:
        y = n.op(nn.ConcatOp, y, slice_axis(n, x, 3, turned, size), axis=3)
    return y if len(shape) == 4 else n.reshape(n.transpose(y, (0, 2, 1, 3)), shape)


# ---- attention ------------------------------------------------------------------------------------------------------------------------


def _heads(n: Node, x: Value, count: int) -> Value:
    """[B, S, H] -> [B, N, S, D]; what has heads already stays."""
    if x.rank == 4:
        return x
    if x.rank != 3 or count < 1 or x.shape[2] % count:
        n.fail(f"an operand of shape {list(x.shape)} does not have {count} heads")
    return n.transpose(n.reshape(x, (*x.shape[:2], count, x.shape[2] // count)), (0, 2, 1, 3))


def _lowest(n: Node) -> float:
    return n.float("mask_filter_value", -10000.0)


def _attended(n: Node, q: Value, k: Value, v: Value, bias: Value | None, mask: Value | None, *, causal: bool) -> Value:
    """softmax(Q K^T scale + bias) V with heads, as [B, S, N D]. Where `mask` is false, and after a query, keys do not count."""
    batch, heads, length, size = q.shape
    keys = k.shape[2]
    scale = n.float("scale") or 1 / math.sqrt(size)
    scores = n.mul(n.op(nn.MatmulOp, q, n.transpose(k, (0, 1, 3, 2))), n.like(scale, q))
    if bias is not None:
        scores = n.add(scores, bias)
    if mask is not None:
        scores = n.add(scores, n.op(nn.SelectOp, mask, n.like(0, scores), n.like(_lowest(n), scores)))
    if causal:
        seen = np.arange(keys)[None, :] <= np.arange(length)[:, None] + keys - length
        scores = n.op(nn.SelectOp, n.constant(seen), scores, n.like(np.finfo(np.float32).min if q.dtype != np.float16 else -65504, scores))
    weights = n.op(nn.SoftmaxOp, scores, axis=3)
    y = n.op(nn.MatmulOp, weights, v)
    return n.reshape(n.transpose(y, (0, 2, 1, 3)), (batch, length, heads * v.shape[3]))


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
    """(y, all keys, all values)."""
    if key is None or value is None or query.rank != 3:
        n.unsupported("queries, keys and values in one operand")
    count = n.int("num_heads")
    if bias is not None:
        hidden = query.shape[2]
        pieces = (0, hidden, 2 * hidden, bias.size)
        parts = [slice_axis(n, bias, 0, a, b) for a, b in itertools.pairwise(pieces)]
        query = n.add(query, parts[0])
        key, value = (
            n.add(t, part) if t.rank == 3 else n.add(t, n.reshape(part, (1, count, 1, t.shape[3])))
            for t, part in zip((key, value), parts[1:], strict=True)
        )
    q, k, v = (_heads(n, t, count) for t in (query, key, value))
    if past_key is not None and past_value is not None:
        k, v = n.op(nn.ConcatOp, past_key, k, axis=2), n.op(nn.ConcatOp, past_value, v, axis=2)
    kept = _key_mask(n, mask, q.shape[0], k.shape[2])
    return _attended(n, q, k, v, scores, kept, causal=bool(n.int("unidirectional"))), k, v


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
    """Queries, keys and values by one product; (y, the keys and values so far as [2, B, N, S, D])."""
    if n.int("do_rotary"):
        n.unsupported("do_rotary")
    hidden = n.ints("qkv_hidden_sizes", (weights.shape[1] // 3,) * 3)
    if x.rank != 3 or len(hidden) != 3 or sum(hidden) != weights.shape[1]:
        n.fail(f"weights of shape {list(weights.shape)} do not fit {list(x.shape)} and hidden sizes {hidden}")
    every = n.op(nn.MatmulOp, x, weights)
    every = every if bias is None else n.add(every, bias)
    ends = (0, hidden[0], hidden[0] + hidden[1], sum(hidden))
    count = n.int("num_heads")
    q, k, v = (_heads(n, slice_axis(n, every, 2, a, b), count) for a, b in itertools.pairwise(ends))
    if past is not None:
        before = [n.reshape(slice_axis(n, past, 0, i, i + 1), past.shape[1:]) for i in range(2)]
        k, v = n.op(nn.ConcatOp, before[0], k, axis=2), n.op(nn.ConcatOp, before[1], v, axis=2)
    y = _attended(n, q, k, v, scores, _key_mask(n, mask, x.shape[0], k.shape[2]), causal=bool(n.int("unidirectional")))
    if not n.wanted(1):
        return (y,)
    return y, n.op(nn.ConcatOp, *(n.reshape(t, (1, *t.shape)) for t in (k, v)), axis=0)
