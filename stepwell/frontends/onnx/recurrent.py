"""ONNX recurrent layers. LSTM has an op of its own; GRU and RNN of few steps are unrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis

MAX_UNROLLED = 512
"""Steps times directions."""

ACTIVATIONS = {"Sigmoid": nn.SigmoidOp, "Tanh": nn.TanhOp, "Relu": nn.ReluOp}


def _directions(n: Node) -> int:
    direction = n.str("direction", "forward")
    if direction not in ("forward", "reverse", "bidirectional"):
        n.fail(f"its direction is {direction!r}")
    return 2 if direction == "bidirectional" else 1


def _check(n: Node, x: Value, w: Value, r: Value, gates: int, lengths: Value | None) -> tuple[int, int, int, int]:
    """(steps, batch, hidden, directions); sequences must all have the full length."""
    if x.rank != 3 or w.rank != 3 or r.rank != 3:
        n.fail(f"operands of shapes {list(x.shape)}, {list(w.shape)} and {list(r.shape)} do not have three axes")
    if n.int("layout"):
        batch, steps = x.shape[:2]
    else:
        steps, batch = x.shape[:2]
    hidden, directions = r.shape[2], _directions(n)
    if w.shape != (directions, gates * hidden, x.shape[2]) or r.shape != (directions, gates * hidden, hidden):
        n.fail(f"weights {list(w.shape)} and {list(r.shape)} do not fit an operand {list(x.shape)} and {directions} directions")
    if n.has("hidden_size") and n.int("hidden_size") != hidden:
        n.fail(f"hidden_size is {n.int('hidden_size')} but the weights are for {hidden}")
    if n.has("clip"):
        n.unsupported("clip")
    if lengths is not None and any(length != steps for length in n.known_ints(lengths, "sequence_lens")):
        n.unsupported("sequences shorter than the operand")
    return steps, batch, hidden, directions


def _state(n: Node, given: Value | None, like: Value, extents: tuple[int, int, int]) -> Value:
    """An initial state [D, B, H]."""
    if given is None:
        return n.full(0, like.dtype, extents)
    return n.transpose(given, (1, 0, 2)) if n.int("layout") else given


@converter("LSTM")
def _lstm(
    n: Node,
    x: Value,
    w: Value,
    r: Value,
    b: Value | None = None,
    lengths: Value | None = None,
    h0: Value | None = None,
    c0: Value | None = None,
    peepholes: Value | None = None,
) -> Sequence[Value]:
    _, batch, hidden, directions = _check(n, x, w, r, 4, lengths)
    if peepholes is not None and (peepholes.array is None or peepholes.array.any()):
        n.unsupported("peepholes")
    if n.int("input_forget"):
        n.unsupported("coupled input and forget gates")
    wanted = ["Sigmoid", "Tanh", "Tanh"] * directions
    if [a.lower() for a in n.strs("activations", wanted)] != [a.lower() for a in wanted]:
        n.unsupported(f"activations {n.strs('activations', wanted)}")
    b = n.full(0, x.dtype, (directions, 8 * hidden)) if b is None else b
    state = (directions, batch, hidden)
    sequence = n.transpose(x, (1, 0, 2)) if n.int("layout") else x
    operands = (sequence, w, r, b, _state(n, h0, x, state), _state(n, c0, x, state))
    y, h, c = n.ops(nn.LstmOp, *operands, direction=n.str("direction", "forward"))
    if not n.int("layout"):
        return y, h, c
    return tuple(n.transpose(v, p) if n.wanted(i) else v for i, (v, p) in enumerate(((y, (2, 0, 1, 3)), (h, (1, 0, 2)), (c, (1, 0, 2)))))


Cell = Callable[[Value, Value, int], Value]
"""(x of a step [B, I], h [B, H], direction) -> the next h."""


def _unrolled(n: Node, x: Value, h0: Value, directions: int, cell: Cell) -> Sequence[Value]:
    """y [T, D, B, H] and the last h [D, B, H], in the layout of the node."""
    sequence = n.transpose(x, (1, 0, 2)) if n.int("layout") else x
    steps, batch, inputs = sequence.shape
    if steps * directions > MAX_UNROLLED:
        n.unsupported(f"{steps} steps are too many to unroll")
    rows: list[list[Value]] = [[] for _ in range(steps)]
    last: list[Value] = []
    for d in range(directions):
        h = n.reshape(slice_axis(n, h0, 0, d, d + 1), h0.shape[1:])
        backward = d == 1 or n.str("direction", "forward") == "reverse"
        for t in reversed(range(steps)) if backward else range(steps):
            h = cell(n.reshape(slice_axis(n, sequence, 0, t, t + 1), (batch, inputs)), h, d)
            rows[t].append(n.reshape(h, (1, 1, *h.shape)))
        last.append(n.reshape(h, (1, *h.shape)))
    results: list[Value] = []
    h = _joined(n, last, 0)
    if n.wanted(0):
        y = _joined(n, [_joined(n, row, 1) for row in rows], 0)
        results.append(n.transpose(y, (2, 0, 1, 3)) if n.int("layout") else y)
    else:
        results.append(h)
    results.append(n.transpose(h, (1, 0, 2)) if n.int("layout") else h)
    return results


def _joined(n: Node, parts: Sequence[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else n.op(nn.ConcatOp, *parts, axis=axis)


def _activation(n: Node, names: Sequence[str], which: int) -> Callable[[Value], Value]:
    if which >= len(names) or names[which] not in ACTIVATIONS:
        n.unsupported(f"activations {list(names)}")
    op_class = ACTIVATIONS[names[which]]
    return lambda v: n.op(op_class, v)


def _rows(n: Node, matrix: Value, d: int, start: int, end: int) -> Value:
    """Rows start to end of direction d of weights [D, rows, columns], or of a bias [D, rows]."""
    rows = slice_axis(n, slice_axis(n, matrix, 0, d, d + 1), 1, start, end)
    return n.reshape(rows, (end - start, *matrix.shape[2:]))


def _affine(n: Node, x: Value, w: Value, b: Value) -> Value:
    """x w^T + b."""
    return n.add(n.op(nn.MatmulOp, x, n.transpose(w, (1, 0))), b)


@converter("RNN")
def _rnn(
    n: Node, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None, h0: Value | None = None
) -> Sequence[Value]:
    """h = f(x w^T + h r^T + b)."""
    _, batch, hidden, directions = _check(n, x, w, r, 1, lengths)
    b = n.full(0, x.dtype, (directions, 2 * hidden)) if b is None else b
    names = n.strs("activations", ["Tanh"] * directions)

    def cell(step: Value, h: Value, d: int) -> Value:
        here = _affine(n, step, _rows(n, w, d, 0, hidden), _rows(n, b, d, 0, hidden))
        back = _affine(n, h, _rows(n, r, d, 0, hidden), _rows(n, b, d, hidden, 2 * hidden))
        return _activation(n, names, d)(n.add(here, back))

    return _unrolled(n, x, _state(n, h0, x, (directions, batch, hidden)), directions, cell)


@converter("GRU")
def _gru(
    n: Node, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None, h0: Value | None = None
) -> Sequence[Value]:
    """Gates update, reset, hidden: h = (1 - z) g + z h, g = tanh(x + r h) where the reset is before or after the product with r."""
    _, batch, hidden, directions = _check(n, x, w, r, 3, lengths)
    b = n.full(0, x.dtype, (directions, 6 * hidden)) if b is None else b
    names = n.strs("activations", ["Sigmoid", "Tanh"] * directions)
    one = n.full(np.asarray(1), x.dtype)

    def cell(step: Value, h: Value, d: int) -> Value:
        def gate(g: int, state: Value, *, ahead: bool = True) -> tuple[Value, Value]:
            here = _affine(n, step, _rows(n, w, d, g * hidden, (g + 1) * hidden), _rows(n, b, d, g * hidden, (g + 1) * hidden))
            bias = _rows(n, b, d, (3 + g) * hidden, (4 + g) * hidden)
            return here, _affine(n, state, _rows(n, r, d, g * hidden, (g + 1) * hidden), bias)

        sigma, tanh = _activation(n, names, 2 * d), _activation(n, names, 2 * d + 1)
        update, reset = (sigma(n.add(*gate(g, h))) for g in (0, 1))
        if n.int("linear_before_reset"):
            here, back = gate(2, h)
            new = tanh(n.add(here, n.mul(reset, back)))
        else:
            new = tanh(n.add(*gate(2, n.mul(reset, h))))
        return n.add(n.mul(n.sub(one, update), new), n.mul(update, h))

    return _unrolled(n, x, _state(n, h0, x, (directions, batch, hidden)), directions, cell)
