"""Unique: the elements, or slices along an axis, that differ, where they first stand, which one each is, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stepwell.backends.host.node import Array, HostNode, Value
from stepwell.backends.host.values import axis_of, is_text, tensor, wrong

_Found = tuple[Array, Array, Array]


def unique(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Y, indices, inverse_indices, counts. Not a number is equal to itself; without `sorted` the order is that of first appearance."""
    x = tensor(node, inputs, 0)
    given = node.attributes.get("axis")
    if given is None:
        rows = x.reshape(-1)
        first, inverse, counts = _distinct(_sortable(rows))
    else:
        axis = axis_of(node, int(given), x.ndim)
        rows = np.moveaxis(x, axis, 0)
        flat = rows.reshape(rows.shape[0], -1)
        codes = _codes(flat)
        first, inverse, counts = _distinct_rows(codes)
    if not node.attributes.get("sorted", 1):
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        first, inverse, counts = first[order], rank[inverse], counts[order]
    y = rows[first]
    if given is not None:
        y = np.ascontiguousarray(np.moveaxis(y, 0, axis_of(node, int(given), x.ndim)))
    results: list[Value] = [y, *(np.asarray(a, np.int64).reshape(-1) for a in (first, inverse, counts))]
    return results[: max(node.outputs, 1)]


def unique_in_order(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Unique of com.microsoft: (the values in the order in which they first appear, which one each element is, how many there are)."""
    x = tensor(node, inputs, 0)
    if x.ndim != 1:
        wrong(node, 0, "a tensor of one axis", x)
    y, _, inverse, counts = unique(replace(node, attributes={"sorted": 0}, outputs=4), inputs)
    return [y, inverse, counts][: max(node.outputs, 1)]


def _sortable(x: Array) -> Array:
    """Numbers that numpy orders: halves of every kind as f32."""
    if x.dtype == object:
        return x.astype(str) if is_text(x) else x
    return x.astype(np.float32) if x.dtype.kind not in "biufcU" or (x.dtype.itemsize == 2 and x.dtype.kind == "f") else x


def _distinct(x: Array) -> _Found:
    _, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True, equal_nan=True)
    return first, inverse.reshape(-1), counts


def _codes(x: Array) -> Array:
    """Every element as the place of its value among all: equal where the values are, and in their order."""
    return _distinct(_sortable(x.reshape(-1)))[1].reshape(x.shape)


def _distinct_rows(codes: Array) -> _Found:
    _, first, inverse, counts = np.unique(codes, return_index=True, return_inverse=True, return_counts=True, axis=0)
    return first, inverse.reshape(-1), counts


__all__: list[Any] = ["unique", "unique_in_order"]
