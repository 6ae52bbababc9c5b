"""GroupQueryAttention of com.microsoft: attention of decoders, whose keys and values of the steps before stand in a cache.

How many tokens are new and how many the caches hold is known from shapes and from `total_sequence_length`; how many of them each row of a
batch has is data (`seqlens_k`), except for a batch of one. So a generated token costs no compile as long as the caches keep their shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.contributed_attention import DOMAIN, I64, heads, joined, rotated
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis


@dataclass(frozen=True)
class _Lengths:
    """How many tokens are new, how many there are with them, how many the caches hold afterwards, and how many each row had before."""

    new: int
    total: int
    held: int
    before: int | Value
    """A number if it is the same for all rows and known, otherwise i64 [B]."""

    def positions(self, n: Node) -> Value:
        """The positions of the new tokens, [B or 1, S]."""
        steps = np.arange(self.new, dtype=np.int64).reshape(1, -1)
        if isinstance(self.before, int):
            return n.constant(steps + self.before)
        return n.add(n.reshape(self.before, (self.before.size, 1)), n.constant(steps))


@converter("GroupQueryAttention", domain=DOMAIN)
def _group_query_attention(
    n: Node,
    query: Value,
    key: Value | None,
    value: Value | None,
    past_key: Value | None,
    past_value: Value | None,
    lengths: Value,
    total: Value,
    cosines: Value | None = None,
    sines: Value | None = None,
    position_ids: Value | None = None,
    bias: Value | None = None,
    sink: Value | None = None,
    *more: Value | None,
) -> Sequence[Value]:
    """(y, all keys, all values)."""
    for attribute in ("kv_cache_bit_width", "sliding_window_cache", "qk_output"):
        if n.int(attribute):
            n.unsupported(attribute)
    if any(value is not None for value in more) or n.wanted(3):
        n.unsupported("a quantised cache, norms of queries and keys, or scores as a result")
    q, k, v = _operands(n, query, key, value)
    known = _lengths(n, q, past_key, lengths, total)
    if n.int("do_rotary"):
        if cosines is None or sines is None or cosines.rank != 2:
            n.fail("do_rotary without angles")
        places = known.positions(n) if position_ids is None else position_ids
        cos, sin = (n.op(nn.GatherOp, table, places, axis=0) for table in (cosines, sines))
        q, k = (rotated(n, t, cos, sin, interleaved=bool(n.int("rotary_interleaved"))) for t in (q, k))
    keys, values = _cached(n, past_key, k, known), _cached(n, past_value, v, known)
    reached = [slice_axis(n, t, 2, 0, known.total) for t in (keys, values)]
    return joined(n, _attended(n, q, reached[0], reached[1], known, bias, sink)), keys, values


def _operands(n: Node, query: Value, key: Value | None, value: Value | None) -> tuple[Value, Value, Value]:
    """Queries [B, N, S, D], keys and values [B, G, S, D]; all three may be one operand [B, S, (N + 2 G) D]."""
    count, shared = n.int("num_heads"), n.int("kv_num_heads")
    if query.rank != 3 or count < 1 or shared < 1 or count % shared:
        n.fail(f"{count} heads that share {shared} do not fit a query of shape {list(query.shape)}")
    if key is None or value is None:
        width = query.shape[2] // (count + 2 * shared)
        ends = (0, count * width, (count + shared) * width, query.shape[2])
        query, key, value = (slice_axis(n, query, 2, a, b) for a, b in itertools.pairwise(ends))
    return heads(n, query, count), heads(n, key, shared), heads(n, value, shared)


def _lengths(n: Node, q: Value, past: Value | None, lengths: Value, total: Value) -> _Lengths:
    """What is known of the lengths. Where all tokens are new, nothing counts that a cache held."""
    batch, _, new, _ = q.shape
    all_tokens = n.known_int(total, "total_sequence_length")
    capacity = 0 if past is None else past.shape[2]
    held = max(all_tokens, capacity)
    if lengths.size != batch or not new <= all_tokens:
        n.fail(f"{lengths.size} lengths for {batch} rows, {all_tokens} tokens of which {new} are new")
    if all_tokens == new:
        return _Lengths(new, all_tokens, held, 0)
    if batch == 1:
        return _Lengths(new, all_tokens, held, all_tokens - new)
    before = n.add(n.cast(n.reshape(lengths, (batch,)), I64), n.constant(np.array(1 - new, np.int64)))
    return _Lengths(new, all_tokens, held, before)


def _cached(n: Node, past: Value | None, x: Value, known: _Lengths) -> Value:
    """The cache [B, G, held, D] after the new keys or values went in behind those that each row had; behind them are zeros."""
    batch, groups, new, width = x.shape
    if past is not None and past.shape[:2] + past.shape[3:] != (batch, groups, width):
        n.fail(f"a cache of shape {list(past.shape)} for {groups} heads of {width}")
    capacity = 0 if past is None else past.shape[2]
    if isinstance(known.before, int):
        parts: list[Value] = []
        if past is not None and known.before:
            parts.append(slice_axis(n, past, 2, 0, known.before))
        parts.append(x)
        if known.total < known.held:
            parts.append(n.full(0, x.dtype, (batch, groups, known.held - known.total, width)))
        return parts[0] if len(parts) == 1 else n.op(nn.ConcatOp, *parts, axis=2)
    if past is None:
        n.fail("tokens of steps before without a cache")
    if capacity < known.held:
        past = n.op(nn.ConcatOp, past, n.full(0, x.dtype, (batch, groups, known.held - capacity, width)), axis=2)
    # Each row's new tokens begin elsewhere: every place of the cache asks for the token that it gets.
    place = n.sub(n.constant(np.arange(known.held, dtype=np.int64).reshape(1, -1)), n.reshape(known.before, (batch, 1)))
    is_new = n.op(nn.AndOp, n.op(nn.GeOp, place, n.like(0, place)), n.op(nn.LtOp, place, n.like(new, place)))
    token = n.op(nn.MinOp, n.op(nn.MaxOp, place, n.like(0, place)), n.like(new - 1, place))
    wide = n.broadcast_to(n.reshape(token, (batch, 1, known.held, 1)), (batch, groups, known.held, width))
    moved = n.op(nn.GatherElementsOp, x, wide, axis=2)
    is_before = n.op(nn.LtOp, place, n.like(0, place))
    kept = n.op(nn.SelectOp, n.reshape(is_before, (batch, 1, known.held, 1)), past, n.like(0, x))
    return n.op(nn.SelectOp, n.reshape(is_new, (batch, 1, known.held, 1)), moved, kept)


def _attended(n: Node, q: Value, k: Value, v: Value, known: _Lengths, bias: Value | None, sink: Value | None) -> Value:
    """softmax(Q K^T scale + bias) V over the keys that each query sees, as [B, N, S, D]."""
    scale = n.float("scale") or 1 / math.sqrt(q.shape[3])
    mask = _seen(n, k.shape[2], known)
    cap, smooth = n.float("softcap"), bool(n.int("smooth_softmax"))
    if not cap and not smooth and sink is None and bias is None:
        operands = (q, k, v) if mask is None else (q, k, v, mask)
        return n.op(nn.AttentionOp, *operands, scale=scale)
    batch, count, length, width = q.shape
    groups, keys = k.shape[1:3]
    each = n.reshape(q, (batch, groups, count // groups * length, width))
    scores = n.mul(n.op(nn.MatmulOp, each, n.transpose(k, (0, 1, 3, 2))), n.like(scale, q))
    scores = n.reshape(scores, (batch, count, length, keys))
    if cap:
        scores = n.mul(n.op(nn.TanhOp, n.div(scores, n.like(cap, scores))), n.like(cap, scores))
    if bias is not None:
        scores = n.add(scores, bias if bias.shape[-1] == keys else slice_axis(n, bias, bias.rank - 1, 0, keys))
    if mask is not None:
        scores = n.op(nn.SelectOp, mask, scores, n.like(-math.inf, scores))
    if smooth or sink is not None:
        # One more key that has a score and no value.
        score = n.full(0, q.dtype, (1, 1, 1, 1)) if sink is None else n.cast_like(n.reshape(sink, (1, count, 1, 1)), scores)
        scores = n.op(nn.ConcatOp, scores, n.broadcast_to(score, (batch, count, length, 1)), axis=3)
    weights = slice_axis(n, n.op(nn.SoftmaxOp, scores, axis=3), 3, 0, keys)
    y = n.op(nn.MatmulOp, n.reshape(weights, (batch, groups, count // groups * length, keys)), v)
    return n.reshape(y, (batch, count, length, v.shape[3]))


def _seen(n: Node, keys: int, known: _Lengths) -> Value | None:
    """Which keys a query sees, [B or 1, 1, S, K]: none after it, none before its window; None where it sees all."""
    window = n.int("local_window_size", -1)
    line = np.arange(keys, dtype=np.int64)
    if not n.int("causal", 1):
        if isinstance(known.before, int):
            return None
        last = n.add(n.reshape(known.before, (known.before.size, 1, 1, 1)), n.like(known.new - 1, known.before))
        return n.op(nn.LeOp, n.constant(line.reshape(1, 1, 1, -1)), last)
    places = known.positions(n)
    if places.array is not None:
        seen = line <= places.array[:, None, :, None]
        if window >= 0:
            seen &= line > places.array[:, None, :, None] - window
        return None if seen.all() else n.constant(seen)
    place, line_value = n.reshape(places, (places.shape[0], 1, places.shape[1], 1)), n.constant(line.reshape(1, 1, 1, -1))
    mask = n.op(nn.LeOp, line_value, place)
    if window >= 0:
        mask = n.op(nn.AndOp, mask, n.op(nn.GtOp, line_value, n.sub(place, n.like(window, place))))
    return mask
