"""ONNX TfIdfVectorizer on integers: every window of the rows is compared with every n-gram of the pool. Strings are counted on the host."""

from __future__ import annotations

import numpy as np
from onnx import helper
from xdsl.dialects.builtin import f32

from stepwell.backends.host.ngrams import read_grams
from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import element_type_of

MAX_COMPARED = 2**26
"""Elements that are compared for n-grams of one length."""


@converter("TfIdfVectorizer")
def _tfidf_vectorizer(n: Node, x: Value) -> Value:
    """[C] -> [width] or [B, C] -> [B, width]."""
    if not n.has("pool_int64s") or x.dtype.kind not in "iu":
        n.unsupported("n-grams that are not of integers")
    if x.rank > 2:
        n.fail(f"its operand has shape {list(x.shape)}, not [C] or [B, C]")
    grams = read_grams({name: helper.get_attribute_value(a) for name, a in n.attributes.items()} | {"mode": n.str("mode")})
    rows, length = (1, x.size) if x.rank < 2 else x.shape
    line = n.reshape(n.cast(x, element_type_of(np.dtype(np.int64))), (rows, length))
    counts: Value | None = None
    for size, pool in grams.by_length.items():
        if not pool:
            continue
        steps = range(1, 2 if size == 1 else grams.skips + 2)
        # Where each window begins and how far apart its elements are.
        starts = [start + np.arange(size) * step for step in steps for start in range(length - (size - 1) * step)]
        if not starts or not rows:
            continue
        if rows * len(starts) * len(pool) * size > MAX_COMPARED:
            n.unsupported(f"{len(pool)} n-grams of {size} and {len(starts)} windows in each of {rows} rows")
        windows = n.op(nn.GatherOp, line, n.constant(np.array(starts, np.int64)), axis=1)
        wanted = n.constant(np.array([gram for gram, _ in pool], np.int64))
        equal = n.op(nn.EqOp, n.reshape(windows, (rows, len(starts), 1, size)), wanted)
        found = n.cast(n.op(nn.ReduceMinOp, equal, axes=[3], keepdims=False), f32)
        each = n.op(nn.ReduceSumOp, found, axes=[1], keepdims=False)
        # Each n-gram's count at its place; some may share one.
        places = np.zeros((len(pool), grams.width), np.float32)
        places[np.arange(len(pool)), [place for _, place in pool]] = 1
        part = n.op(nn.MatmulOp, each, n.constant(places))
        counts = part if counts is None else n.add(counts, part)
    if counts is None:
        counts = n.full(0, np.float32, (rows, grams.width))
    if grams.mode == "IDF":
        counts = n.cast(n.op(nn.GtOp, counts, n.like(0, counts)), f32)
    if grams.weights and grams.mode != "TF":
        counts = n.mul(counts, n.constant(np.array(grams.weights, np.float32)))
    return counts if x.rank == 2 else n.reshape(counts, (grams.width,))
