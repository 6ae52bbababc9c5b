"""TfIdfVectorizer on strings: how often each n-gram of a pool stands in a row, weighted. Integers are counted by compiled code."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stepwell.backends.host.node import HostNode, Value
from stepwell.backends.host.values import described, tensor
from stepwell.ir.diagnostics import CompileError

MODES = ("TF", "IDF", "TFIDF")
MAX_WORK = 2**27
"""N-grams of one call that are looked up."""


@dataclass(frozen=True)
class Grams:
    """The n-grams that an operator counts."""

    by_length: Mapping[int, Sequence[tuple[tuple[Any, ...], int]]]
    """Length -> (n-gram, its place in the result); every n-gram once."""
    width: int
    mode: str
    weights: Sequence[float]
    """One for each place; empty: all 1."""
    lengths: tuple[int, int]
    skips: int


def read_grams(attributes: Mapping[str, Any]) -> Grams:
    """The pool of a node. `weights` are given for each n-gram, and hold for its place."""
    pool = list(attributes.get("pool_strings") or attributes.get("pool_int64s") or ())
    starts = [int(i) for i in attributes["ngram_counts"]]
    places = [int(i) for i in attributes["ngram_indexes"]]
    weights = [float(w) for w in attributes.get("weights") or ()]
    low, high, skips = (int(attributes[name]) for name in ("min_gram_length", "max_gram_length", "max_skip_count"))
    mode = attributes["mode"]
    if mode not in MODES:
        raise CompileError(f"TfIdfVectorizer: mode is {mode!r}", hint=f"it may be {', '.join(MODES)}")
    if not 1 <= low <= high <= len(starts) or skips < 0:
        raise CompileError(f"TfIdfVectorizer: lengths {low} to {high} with up to {skips} skipped, of {len(starts)} lengths in the pool")
    if not places or min(places) < 0 or max(places) >= 2**24 or (weights and len(weights) != len(places)):
        raise CompileError(f"TfIdfVectorizer: {len(places)} ngram_indexes and {len(weights)} weights do not fit each other")
    ends = [*starts[1:], len(pool)]
    by_length: dict[int, list[tuple[tuple[Any, ...], int]]] = {}
    number = 0
    width = max(places) + 1
    by_place = [0.0] * width if weights else []
    for n, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if not 0 <= start <= end <= len(pool) or (end - start) % n:
            raise CompileError(f"TfIdfVectorizer: the pool of {len(pool)} cannot hold {n}-grams from {start} to {end}")
        seen: dict[tuple[Any, ...], int] = {}
        for i in range(start, end, n):
            if number >= len(places):
                raise CompileError(f"TfIdfVectorizer: {len(places)} ngram_indexes are fewer than the n-grams of the pool")
            seen[tuple(pool[i : i + n])] = places[number]
            if weights:
                by_place[places[number]] = weights[number]
            number += 1
        if low <= n <= high:
            by_length[n] = list(seen.items())
    return Grams(by_length, width, mode, by_place, (low, high), skips)


def tfidf_vectorizer(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """[C] -> [width] or [B, C] -> [B, width]."""
    x = tensor(node, inputs, 0)
    if x.ndim > 2 or (x.ndim == 0 and x.size != 1):
        node.fail(f"its input is {described(x)}; it takes [C] or [B, C]")
    grams = read_grams(node.attributes)
    rows: list[list[Hashable]] = x.reshape(1, -1).tolist() if x.ndim < 2 else x.tolist()
    if x.size * (grams.skips + 1) * len(grams.by_length) > MAX_WORK:
        node.fail(f"{x.size} elements with up to {grams.skips} skipped are more than {MAX_WORK} n-grams")
    counts = np.zeros((len(rows), grams.width), np.float32)
    for n, pool in grams.by_length.items():
        places = dict(pool)
        for row, items in zip(counts, rows, strict=True):
            for step in range(1, 2 if n == 1 else grams.skips + 2):
                for start in range(len(items) - (n - 1) * step):
                    place = places.get(tuple(items[start : start + (n - 1) * step + 1 : step]))
                    if place is not None:
                        row[place] += 1
    if grams.mode == "IDF":
        counts = (counts > 0).astype(np.float32)
    if grams.weights and grams.mode != "TF":
        counts = counts * np.array(grams.weights, np.float32)
    return [counts if x.ndim == 2 else counts.reshape(-1)]
