"""ONNX recurrent layers. The usual LSTM has an op of its own; GRU, RNN and every other LSTM are loops over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.control import UNROLLED, run_time_loop
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis

Activation = Callable[[Value], Value]


def _affine_of(n: Node, x: Value, alpha: float, beta: float) -> Value:
    return n.add(n.mul(x, n.like(alpha, x)), n.like(beta, x))


ACTIVATIONS: dict[str, tuple[Callable[[Node, Value, float, float], Value], float | None, float | None]] = {
    "sigmoid": (lambda n, x, a, b: n.op(nn.SigmoidOp, x), None, None),
    "tanh": (lambda n, x, a, b: n.op(nn.TanhOp, x), None, None),
    "relu": (lambda n, x, a, b: n.op(nn.ReluOp, x), None, None),
    "affine": (_affine_of, 1, 0),
    "leakyrelu": (lambda n, x, a, b: n.op(nn.LeakyReluOp, x, alpha=a), 0.01, None),
    "thresholdedrelu": (lambda n, x, a, b: n.op(nn.ThresholdedReluOp, x, alpha=a), 1, None),
    "scaledtanh": (lambda n, x, a, b: n.mul(n.op(nn.TanhOp, n.mul(x, n.like(b, x))), n.like(a, x)), 1, 1),
    "hardsigmoid": (lambda n, x, a, b: n.op(nn.HardSigmoidOp, x, alpha=a, beta=b), 0.2, 0.5),
    "elu": (lambda n, x, a, b: n.op(nn.EluOp, x, alpha=a), 1, None),
    "softsign": (lambda n, x, a, b: n.op(nn.SoftsignOp, x), None, None),
    "softplus": (lambda n, x, a, b: n.op(nn.SoftplusOp, x), None, None),
}
"""Lower-case name -> (the function of x, alpha and beta, their defaults; None: it takes none)."""


def _directions(n: Node) -> int:
    direction = n.str("direction", "forward")
    if direction not in ("forward", "reverse", "bidirectional"):
        n.fail(f"its direction is {direction!r}")
    return 2 if direction == "bidirectional" else 1


def _check(n: Node, x: Value, w: Value, r: Value, gates: int) -> tuple[int, int, int, int]:
    """(steps, batch, hidden, directions)."""
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
    steps, batch, hidden, directions = _check(n, x, w, r, 4)
    usual = ["Sigmoid", "Tanh", "Tanh"] * directions
    names = n.strs("activations", usual)
    plain = peepholes is None or (peepholes.array is not None and not peepholes.array.any())
    full = lengths is None or (lengths.array is not None and all(length == steps for length in lengths.array.reshape(-1)))
    if not (plain and full) or n.int("input_forget") or n.has("clip") or [a.lower() for a in names] != [a.lower() for a in usual]:
        return _general_lstm(n, x, w, r, b, lengths, h0, c0, None if plain else peepholes)
    b = n.full(0, x.dtype, (directions, 8 * hidden)) if b is None else b
    state = (directions, batch, hidden)
    sequence = n.transpose(x, (1, 0, 2)) if n.int("layout") else x
    operands = (sequence, w, r, b, _state(n, h0, x, state), _state(n, c0, x, state))
    y, h, c = n.ops(nn.LstmOp, *operands, direction=n.str("direction", "forward"))
    if not n.int("layout"):
        return y, h, c
    return tuple(n.transpose(v, p) if n.wanted(i) else v for i, (v, p) in enumerate(((y, (2, 0, 1, 3)), (h, (1, 0, 2)), (c, (1, 0, 2)))))


Cell = Callable[[Value, tuple[Value, ...], int], tuple[Value, ...]]
"""(what goes into a step's gates [B, gates H], state (h [B, H], ...), direction) -> the next state."""


def _projected(n: Node, w: Value, b: Value) -> Callable[[Value, int], Value]:
    """What the inputs of all steps [T, B, I] give to the gates [T, B, gates H] of a direction: one product, in front of the loop."""
    rows = w.shape[1]
    return lambda x, d: _affine(n, x, _rows(n, w, d, 0, rows), _rows(n, b, d, 0, rows))


def _recurrent(
    n: Node,
    x: Value,
    project: Callable[[Value, int], Value],
    state: Sequence[Value],
    lengths: Value | None,
    directions: int,
    cell: Cell,
) -> tuple[Value, tuple[Value, ...]]:
    """y [T, D, B, H] and the last state, each [D, B, H], in the layout of the node.

    A sequence that is over keeps its state and gives zeros; backward, one that has not begun does.
    """
    sequence = n.transpose(x, (1, 0, 2)) if n.int("layout") else x
    steps, batch, _ = sequence.shape
    if lengths is not None and lengths.array is not None and all(length == steps for length in lengths.array.reshape(-1)):
        lengths = None
    column = None if lengths is None else n.reshape(lengths, (batch, 1))
    wanted = n.wanted(0)
    columns: list[Value] = []
    last: list[tuple[Value, ...]] = []
    for d in range(directions):
        now: Sequence[Value] = [n.reshape(slice_axis(n, s, 0, d, d + 1), s.shape[1:]) for s in state]
        backward = d == 1 or n.str("direction", "forward") == "reverse"
        projected = project(sequence, d)

        def step(t: Value, before: Sequence[Value], row: Value, d: int = d) -> tuple[Sequence[Value], Value]:
            """(the next state, y) at time t."""
            following = cell(row, tuple(before), d)
            y = following[0]
            if column is not None:
                runs = n.op(nn.GtOp, column, n.cast_like(t, column))
                following = tuple(n.op(nn.SelectOp, runs, new, old) for new, old in zip(following, before, strict=True))
                y = n.op(nn.SelectOp, runs, y, n.like(0, y))
            return following, y

        if steps > UNROLLED or not steps:

            def body(i: Value, before: Sequence[Value], slices: Sequence[Value]) -> tuple[None, Sequence[Value], Sequence[Value]]:
                t = n.sub(n.like(steps - 1, i), i) if backward else i
                following, y = step(t, before, slices[0])
                return None, following, [y] if wanted else []

            stacks = [(0, backward)] if wanted else []
            results = run_time_loop(n, body, now, trips=steps, scanned=[(projected, 0, backward)], stacks=stacks)
            now, rows = results[: len(state)], results[len(state) :]
        else:
            at: dict[int, Value] = {}
            for t in reversed(range(steps)) if backward else range(steps):
                row = n.reshape(slice_axis(n, projected, 0, t, t + 1), (batch, projected.shape[2]))
                now, y = step(n.constant(np.asarray(t)), now, row)
                at[t] = n.reshape(y, (1, *y.shape))
            rows = [_joined(n, [at[t] for t in range(steps)], 0)]
        if wanted:
            columns.append(n.reshape(rows[0], (steps, 1, *rows[0].shape[1:])))
        last.append(tuple(n.reshape(s, (1, *s.shape)) for s in now))
    final = tuple(_joined(n, parts, 0) for parts in zip(*last, strict=True))
    if n.int("layout"):
        final = tuple(n.transpose(s, (1, 0, 2)) for s in final)
    if not wanted:
        return final[0], final
    y = _joined(n, columns, 1)
    return n.transpose(y, (2, 0, 1, 3)) if n.int("layout") else y, final


def _joined(n: Node, parts: Sequence[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else n.op(nn.ConcatOp, *parts, axis=axis)


def _activations(n: Node, usual: Sequence[str], directions: int) -> list[list[Activation]]:
    """The functions of each direction. `activation_alpha` and `_beta` hold numbers for those functions that take one, in order."""
    names = n.strs("activations", list(usual) * directions)
    if len(names) != len(usual) * directions or any(name.lower() not in ACTIVATIONS for name in names):
        n.unsupported(f"activations {names}")
    alphas, betas = n.floats("activation_alpha"), n.floats("activation_beta")
    found: list[Activation] = []
    for name in names:
        function, alpha, beta = ACTIVATIONS[name.lower()]
        # Exporters either list a number for every function or only for those that take one.
        alpha = _taken(alphas, alpha, len(found), len(names))
        beta = _taken(betas, beta, len(found), len(names))
        found.append(lambda v, function=function, alpha=alpha, beta=beta: function(n, v, alpha, beta))
    return [found[d * len(usual) : (d + 1) * len(usual)] for d in range(directions)]


def _taken(given: list[float], default: float | None, position: int, count: int) -> float:
    """The number for a function: by its place where all have one, else the next one for a function that takes any."""
    if default is None:
        return 0.0
    if len(given) == count:
        return given[position]
    return given.pop(0) if given else default


def _clipped(n: Node, x: Value) -> Value:
    """What goes into an activation, within the bound that the node sets."""
    bound = n.float("clip")
    return n.op(nn.ClipOp, x, min=-bound, max=bound) if n.has("clip") else x


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
    _, batch, hidden, directions = _check(n, x, w, r, 1)
    b = n.full(0, x.dtype, (directions, 2 * hidden)) if b is None else b
    functions = _activations(n, ["Tanh"], directions)

    def cell(step: Value, state: tuple[Value, ...], d: int) -> tuple[Value, ...]:
        back = _affine(n, state[0], _rows(n, r, d, 0, hidden), _rows(n, b, d, hidden, 2 * hidden))
        return (functions[d][0](_clipped(n, n.add(step, back))),)

    y, final = _recurrent(n, x, _projected(n, w, b), [_state(n, h0, x, (directions, batch, hidden))], lengths, directions, cell)
    return y, *final


@converter("GRU")
def _gru(
    n: Node, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None, h0: Value | None = None
) -> Sequence[Value]:
    """Gates update, reset, hidden: h = (1 - z) g + z h, g = tanh(x + r h) where the reset is before or after the product with r."""
    _, batch, hidden, directions = _check(n, x, w, r, 3)
    b = n.full(0, x.dtype, (directions, 6 * hidden)) if b is None else b
    functions = _activations(n, ["Sigmoid", "Tanh"], directions)
    one = n.full(np.asarray(1), x.dtype)

    def cell(step: Value, state: tuple[Value, ...], d: int) -> tuple[Value, ...]:
        (h,) = state

        def part(of: Value, g: int) -> Value:
            return slice_axis(n, of, 1, g * hidden, (g + 1) * hidden)

        def back(previous: Value, first: int, end: int) -> Value:
            """The product of a state with the weights of some gates."""
            bias = _rows(n, b, d, (3 + first) * hidden, (3 + end) * hidden)
            return _affine(n, previous, _rows(n, r, d, first * hidden, end * hidden), bias)

        sigma, tanh = functions[d]
        linear = bool(n.int("linear_before_reset"))
        gates = back(h, 0, 3 if linear else 2)
        update, reset = (sigma(_clipped(n, n.add(part(step, g), part(gates, g)))) for g in (0, 1))
        old = n.mul(reset, part(gates, 2)) if linear else back(n.mul(reset, h), 2, 3)
        new = tanh(_clipped(n, n.add(part(step, 2), old)))
        return (n.add(n.mul(n.sub(one, update), new), n.mul(update, h)),)

    y, final = _recurrent(n, x, _projected(n, w, b), [_state(n, h0, x, (directions, batch, hidden))], lengths, directions, cell)
    return y, *final


def _general_lstm(
    n: Node,
    x: Value,
    w: Value,
    r: Value,
    b: Value | None,
    lengths: Value | None,
    h0: Value | None,
    c0: Value | None,
    peepholes: Value | None,
) -> Sequence[Value]:
    """Gates input, output, forget, cell; peepholes [D, 3 H] let the first three see the cell."""
    _, batch, hidden, directions = _check(n, x, w, r, 4)
    b = n.full(0, x.dtype, (directions, 8 * hidden)) if b is None else b
    functions = _activations(n, ["Sigmoid", "Tanh", "Tanh"], directions)

    def cell(step: Value, state: tuple[Value, ...], d: int) -> tuple[Value, ...]:
        h, c = state
        sigma, cell_in, cell_out = functions[d]
        total = n.add(step, _affine(n, h, _rows(n, r, d, 0, 4 * hidden), _rows(n, b, d, 4 * hidden, 8 * hidden)))

        def gate(g: int, seen: Value | None) -> Value:
            part = slice_axis(n, total, 1, g * hidden, (g + 1) * hidden)
            if seen is not None and peepholes is not None:
                part = n.add(part, n.mul(seen, _rows(n, peepholes, d, g * hidden, (g + 1) * hidden)))
            return _clipped(n, part)

        into = sigma(gate(0, c))
        forget = n.sub(n.like(1, into), into) if n.int("input_forget") else sigma(gate(2, c))
        new = n.add(n.mul(forget, c), n.mul(into, cell_in(gate(3, None))))
        return n.mul(sigma(gate(1, new)), cell_out(new)), new

    state = (directions, batch, hidden)
    y, final = _recurrent(n, x, _projected(n, w, b), [_state(n, h0, x, state), _state(n, c0, x, state)], lengths, directions, cell)
    return y, *final
