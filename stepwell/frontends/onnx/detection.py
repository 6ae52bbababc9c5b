"""ONNX NonMaxSuppression: a loop that takes the best box that is left and strikes out all that overlap it, for all classes at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.control import run_time_loop
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import places, slice_axis
from stepwell.ir.constants import element_type_of, tensor_type


@converter("NonMaxSuppression", since=10)
def _non_max_suppression(
    n: Node,
    boxes: Value,
    scores: Value,
    limit: Value | None = None,
    overlap: Value | None = None,
    threshold: Value | None = None,
) -> Value:
    """Rows of (batch entry, class, box). How many there are is asked of the program."""
    if boxes.rank != 3 or scores.rank != 3 or boxes.shape[2] != 4 or (boxes.shape[0], boxes.shape[1]) != (scores.shape[0], scores.shape[2]):
        n.fail(f"boxes of shape {list(boxes.shape)} and scores of shape {list(scores.shape)} do not fit")
    batch, classes, count = scores.shape
    most = 0 if limit is None else min(n.known_int(limit, "max_output_boxes_per_class"), count)
    if most <= 0 or scores.size == 0:
        return n.constant(np.zeros((0, 3), np.int64))
    corners = _corners(n, boxes)
    area = n.mul(n.sub(corners[2], corners[0]), n.sub(corners[3], corners[1]))
    bound = n.like(0, boxes) if overlap is None else n.reshape(overlap, ())
    dead = n.like(-np.inf, scores)
    left = scores if threshold is None else n.op(nn.SelectOp, n.op(nn.GtOp, scores, n.reshape(threshold, ())), scores, dead)
    positions = n.op(nn.IotaOp, result_type=tensor_type((count,), element_type_of(np.dtype(np.int64))))

    def step(_: Value, state: Sequence[Value], __: Sequence[Value]) -> tuple[None, Sequence[Value], Sequence[Value]]:
        best = n.op(nn.ArgmaxOp, state[0], axis=2, keepdims=True, select_last=False)
        score = n.op(nn.GatherElementsOp, state[0], best, axis=2)
        chosen = n.reshape(best, (batch, classes))
        one = [_wide(n, n.op(nn.GatherElementsOp, c, chosen, axis=1), 2) for c in (*corners, area)]
        every = [_wide(n, c, 1) for c in (*corners, area)]
        low, high = ([n.op(op, one[i], every[i]) for i in axes] for op, axes in ((nn.MaxOp, (0, 1)), (nn.MinOp, (2, 3))))
        sides = [n.op(nn.MaxOp, n.sub(b, a), n.like(0, a)) for a, b in zip(low, high, strict=True)]
        shared = n.mul(*sides)
        ratio = n.div(shared, n.sub(n.add(one[4], every[4]), shared))
        struck = n.op(nn.OrOp, n.op(nn.GtOp, ratio, bound), n.op(nn.EqOp, positions, best))
        found = n.op(nn.SelectOp, n.op(nn.GtOp, score, dead), best, n.like(-1, best))
        return None, [n.op(nn.SelectOp, struck, dead, state[0])], [n.reshape(found, (batch, classes))]

    _, taken = run_time_loop(n, step, [left], trips=most, stacks=[(2, False)])
    flat = n.reshape(taken, (batch * classes * most,))
    rows = places(n, n.op(nn.GeOp, flat, n.like(0, flat)))
    box = n.op(nn.GatherOp, flat, rows, axis=0)
    entry = n.div(rows, n.like(classes * most, rows))
    of_class = n.op(nn.ModOp, n.div(rows, n.like(most, rows)), n.like(classes, rows))
    return n.op(nn.ConcatOp, *(n.reshape(v, (rows.size, 1)) for v in (entry, of_class, box)), axis=1)


def _corners(n: Node, boxes: Value) -> list[Value]:
    """Two low and two high coordinates of every box, each [batch, boxes]."""
    columns = [n.reshape(slice_axis(n, boxes, 2, i, i + 1), boxes.shape[:2]) for i in range(4)]
    if n.int("center_point_box"):
        half = [n.mul(c, n.like(0.5, c)) for c in columns[2:]]
        return [*(n.sub(c, h) for c, h in zip(columns, half, strict=False)), *(n.add(c, h) for c, h in zip(columns, half, strict=False))]
    pairs = ((columns[0], columns[2]), (columns[1], columns[3]))
    return [n.op(op, a, b) for op in (nn.MinOp, nn.MaxOp) for a, b in pairs]


def _wide(n: Node, x: Value, axis: int) -> Value:
    return n.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))
