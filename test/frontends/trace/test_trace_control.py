"""Branches and loops of traced functions against Python's own, their gradients through recurrent layers, and what a user reads who carries
something else than what was carried before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from test_trace import rand, run

import stepwell
import stepwell.numpy as np
from stepwell import nn
from stepwell.frontends.trace import derivatives
from stepwell.frontends.trace.trace import trace
from stepwell.ir.diagnostics import CompileError


def test_the_branch_that_is_taken() -> None:
    def f(x: Any) -> Any:
        return stepwell.cond(x[0] > 0, lambda a: {"y": a * x}, lambda a: {"y": a - x}, x + 1)

    for x in (numpy.array([1, 2], numpy.float32), numpy.array([-1, 2], numpy.float32)):
        want = (x + 1) * x if x[0] > 0 else (x + 1) - x
        numpy.testing.assert_array_equal(run(f, x)["y"], want)
        slope = 2 * x + 1 if x[0] > 0 else 0 * x
        numpy.testing.assert_array_equal(run(derivatives.grad(lambda x: np.sum(f(x)["y"])), x), slope)


def test_loops_count_and_end() -> None:
    assert run(lambda n: stepwell.while_loop(lambda s: s[0] < n, lambda s: (s[0] * 2, s[1] + 1), (1, 0)), numpy.array(100)) == (128, 7)
    assert run(lambda n: stepwell.fori_loop(2, n, lambda i, s: s + i, 0), numpy.array(5)) == 9
    assert run(lambda n: stepwell.fori_loop(2, n, lambda i, s: s + i, 0), numpy.array(1)) == 0
    assert run(lambda n: stepwell.fori_loop(2, 5, lambda i, s: s + i, n), numpy.array(1)) == 10


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_stacks(reverse: bool) -> None:
    x = rand(5, 3)
    last, (sums, twice) = run(
        lambda x: stepwell.scan(lambda s, r: (s + r["x"], (s, 2 * r["x"])), np.zeros_like(x[0]), {"x": x}, reverse=reverse), x
    )
    order = x[::-1] if reverse else x
    before = numpy.cumsum(order, 0) - order
    numpy.testing.assert_allclose(last, x.sum(0), rtol=1e-5)
    numpy.testing.assert_allclose(sums, before[::-1] if reverse else before, rtol=1e-5, atol=1e-6)
    numpy.testing.assert_array_equal(twice, 2 * x)
    state, nothing = run(lambda x: stepwell.scan(lambda s, none: (s * 2, none), x, length=3), x)
    assert nothing is None
    numpy.testing.assert_array_equal(state, 8 * x)


def test_loops_nest_and_derivatives_are_taken_inside_of_them() -> None:
    def f(x: Any) -> Any:
        def step(i: Any, s: Any) -> Any:
            slope = derivatives.grad(lambda a: np.sum(a * a * a * x))(s)
            return stepwell.fori_loop(0, 2, lambda j, t: t + 0.1 * slope, s)

        return stepwell.fori_loop(0, 3, step, x)

    x = numpy.array([0.5, 0.25], numpy.float32)
    s = x
    for _step in range(3):
        s = s + 2 * 0.1 * 3 * s * s * x
    numpy.testing.assert_allclose(run(f, x), s, rtol=1e-5)
    analytic = run(derivatives.grad(lambda x: np.sum(f(x))), x)
    ends = [run(f, (x.astype(numpy.float64) + d)).sum() for d in (1e-6, -1e-6)]
    assert analytic.sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


def by_hand(layer: Any, x: Any) -> Any:
    """The outputs of a recurrent layer, step by step in numpy."""
    h, c = numpy.zeros((2, x.shape[0], layer.size))
    outputs: list[Any] = []
    for t in reversed(range(x.shape[1])) if layer.reverse else range(x.shape[1]):
        p, r = x[:, t] @ layer.weight + layer.bias, h @ layer.recurrent
        if isinstance(layer, nn.RNN):
            h = numpy.tanh(p + r)
        elif isinstance(layer, nn.LSTM):
            i, f, g, o = numpy.split(p + r, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
            h = sigmoid(o) * numpy.tanh(c)
        else:
            (pr, pz, pn), (rr, rz, rn) = numpy.split(p, 3, 1), numpy.split(r, 3, 1)
            z = sigmoid(pz + rz)
            h = (1 - z) * numpy.tanh(pn + sigmoid(pr + rr) * rn) + z * h
        outputs.append(h)
    return numpy.stack(outputs[::-1] if layer.reverse else outputs, 1)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_layers_and_their_gradients(kind: Any, reverse: bool) -> None:
    layer = kind(3, 4, numpy.random.default_rng(0), reverse=reverse)
    x = rand(2, 5, 3)
    numpy.testing.assert_allclose(run(lambda layer, x: layer(x)[0], layer, x), by_hand(layer, x), rtol=1e-4, atol=1e-5)

    def loss(layer: Any, x: Any) -> Any:
        return np.sum(layer(x)[0] ** 2)

    gradient = run(derivatives.grad(loss), layer, x)
    generator = numpy.random.default_rng(1)
    for name in ("weight", "recurrent", "bias"):
        value = getattr(layer, name).astype(numpy.float64)
        direction = generator.standard_normal(value.shape)
        ends: list[float] = []
        for sign in (1, -1):
            setattr(layer, name, value + sign * 1e-5 * direction)
            ends.append((by_hand(layer, x) ** 2).sum())
        setattr(layer, name, value.astype(numpy.float32))
        assert (getattr(gradient, name) * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3, abs=1e-3)


ERRORS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("condition", lambda x: stepwell.cond(x > 0, lambda: x, lambda: x), r"the condition of cond has the shape \[3\]"),
    ("branches", lambda x: stepwell.cond(x[0] > 0, lambda: x, lambda: (x, x)), "branches of cond differ in structure: 2 values against 1"),
    ("types", lambda x: stepwell.cond(x[0] > 0, lambda: x, lambda: x[:2]),
        "branches of cond differ: its result is tensor<2xf32>, expected tensor<3xf32>"),
    ("state", lambda x: stepwell.fori_loop(0, 3, lambda i, s: {"a": s["a"][:2]}, {"a": x}),
        r"fori_loop before and after a step differ: its result\['a'\] is tensor<2xf32>, expected tensor<3xf32>"),
    ("scan", lambda x: stepwell.scan(lambda s, r: s + r, x[0], x), "its function returns a pair"),
    ("rows", lambda x: stepwell.scan(lambda s, r: (s, r), x, x[0]), "xs has rank 0"),
    ("lengths", lambda x: stepwell.scan(lambda s, r: (s, None), x, (x, x[:2])), "the first axes of xs and the length differ: 2, 3"),
    ("no length", lambda x: stepwell.scan(lambda s, r: (s, None), x), "without xs it needs a length"),
    ("bounds", lambda x: stepwell.fori_loop(0, x[0], lambda i, s: s, x), "upper is no whole number, it has the dtype float32"),
    ("reverse", lambda x: derivatives.grad(
        lambda x: stepwell.while_loop(lambda s: s < 9, lambda s: s * s, x[0]))(x), "no derivative in reverse mode"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_errors_name_the_line(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(CompileError, match=message) as caught:
        trace(function, (rand(3),), {})
    assert caught.value.location is not None
    assert "test_trace_control.py" in caught.value.location
