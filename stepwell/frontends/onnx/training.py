"""Steps of optimisers (`ai.onnx.preview.training`), elementwise on each parameter."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter

DOMAIN = "ai.onnx.preview.training"


def _sets(n: Node, values: Sequence[Value], kinds: int) -> list[tuple[Value, ...]]:
    """(parameter, gradient, state...) for each parameter: the operands come kind by kind."""
    count, rest = divmod(len(values), kinds)
    if rest:
        n.fail(f"{len(values)} tensors are not {kinds} for each parameter")
    return [tuple(values[kind * count + i] for kind in range(kinds)) for i in range(count)]


def _by_kind(results: Sequence[tuple[Value, ...]]) -> list[Value]:
    return [value for kind in zip(*results, strict=True) for value in kind]


def _regularised(n: Node, x: Value, g: Value) -> Value:
    weight = n.float("norm_coefficient")
    return g if weight == 0 else n.add(n.mul(x, n.like(weight, x)), g)


def _is_later_step(n: Node, t: Value) -> Value:
    return n.op(nn.GtOp, n.reshape(t, ()), n.like(0, t))


@converter("Adagrad", domain=DOMAIN)
def _adagrad(n: Node, r: Value, t: Value, *values: Value) -> Sequence[Value]:
    results: list[tuple[Value, ...]] = []
    for x, g, h in _sets(n, values, 3):
        count = n.cast_like(n.reshape(t, ()), x)
        rate = n.div(n.cast_like(n.reshape(r, ()), x), n.add(n.like(1, x), n.mul(count, n.like(n.float("decay_factor"), x))))
        g = _regularised(n, x, g)
        state = n.add(h, n.mul(g, g))
        root = n.add(n.op(nn.SqrtOp, state), n.like(n.float("epsilon", 1e-6), x))
        results.append((n.sub(x, n.div(n.mul(rate, g), root)), state))
    return _by_kind(results)


@converter("Adam", domain=DOMAIN)
def _adam(n: Node, r: Value, t: Value, *values: Value) -> Sequence[Value]:
    alpha, beta = n.float("alpha", 0.9), n.float("beta", 0.999)
    results: list[tuple[Value, ...]] = []
    for x, g, v, h in _sets(n, values, 4):
        g = _regularised(n, x, g)
        first = n.add(n.mul(v, n.like(alpha, x)), n.mul(g, n.like(1 - alpha, x)))
        second = n.add(n.mul(h, n.like(beta, x)), n.mul(n.mul(g, g), n.like(1 - beta, x)))
        rate, step = n.cast_like(n.reshape(r, ()), x), n.cast_like(n.reshape(t, ()), x)
        one = n.like(1, x)
        correction = [n.sub(one, n.op(nn.PowOp, n.like(decay, x), step)) for decay in (beta, alpha)]
        corrected = n.div(n.mul(rate, n.op(nn.SqrtOp, correction[0])), correction[1])
        rate = n.op(nn.SelectOp, _is_later_step(n, t), corrected, rate)
        new = n.sub(x, n.mul(rate, n.div(first, n.add(n.op(nn.SqrtOp, second), n.like(n.float("epsilon", 1e-6), x)))))
        results.append((n.mul(new, n.like(1 - n.float("norm_coefficient_post"), x)), first, second))
    return _by_kind(results)


@converter("Momentum", domain=DOMAIN)
def _momentum(n: Node, r: Value, t: Value, *values: Value) -> Sequence[Value]:
    alpha, beta, nesterov = n.float("alpha"), n.float("beta"), n.str("mode") == "nesterov"
    results: list[tuple[Value, ...]] = []
    for x, g, v in _sets(n, values, 3):
        g = _regularised(n, x, g)
        scale = n.op(nn.SelectOp, _is_later_step(n, t), n.like(beta, x), n.like(1, x))
        momentum = n.add(n.mul(v, n.like(alpha, x)), n.mul(scale, g))
        step = n.add(g, n.mul(momentum, n.like(alpha, x))) if nesterov else momentum
        results.append((n.sub(x, n.mul(n.cast_like(n.reshape(r, ()), x), step)), momentum))
    return _by_kind(results)
