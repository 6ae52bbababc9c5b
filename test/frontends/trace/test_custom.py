"""Functions with a derivative of their own, and checkpoints: what derivatives come out, what is kept, what is refused."""

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
from stepwell.frontends.trace.pytree import flatten
from stepwell.frontends.trace.trace import trace
from stepwell.ir.diagnostics import CompileError


def straight_through() -> Any:
    """The sign, whose derivative is that of the identity times a weight."""

    @stepwell.custom_vjp
    def sign(x: Any, scale: Any) -> Any:
        return np.sign(x)

    sign.define_vjp(lambda x, scale: (np.sign(x), {"scale": scale}), lambda kept, ct: (ct * kept["scale"], None))
    return sign


def test_the_rule_is_the_derivative() -> None:
    sign, x = straight_through(), rand(4)
    value, gradient = run(derivatives.value_and_grad(lambda x: np.sum(sign(x * x, 3.0) * x)), x)
    assert value == pytest.approx(x.sum(), rel=1e-6)
    numpy.testing.assert_allclose(gradient, 1 + x * 3 * 2 * x, rtol=1e-5)
    numpy.testing.assert_array_equal(stepwell.jit(sign)(x, 3.0), numpy.sign(x))


def test_second_derivatives_are_those_of_the_rule() -> None:
    sign, x = straight_through(), rand(3)
    second = run(derivatives.grad(lambda x: np.sum(derivatives.grad(lambda y: np.sum(sign(y, x[0]) * y))(x) * x)), x)
    # the inner gradient is sign(x) + x0 x; that times x, by x
    want = numpy.sign(x) + 2 * x[0] * x
    want[0] += (x * x).sum()
    numpy.testing.assert_allclose(second, want, rtol=1e-4)


def test_the_same_value_twice_and_an_argument_as_result() -> None:
    @stepwell.custom_vjp
    def pair(x: Any) -> Any:
        return x, x

    pair.define_vjp(lambda x: ((x, x), None), lambda kept, cts: (10 * cts[0] + cts[1],))

    def f(x: Any) -> Any:
        a, b = pair(x)
        return np.sum(a * 2 + b * 3 + x)

    numpy.testing.assert_array_equal(run(derivatives.grad(f), rand(3)), numpy.full(3, 24, numpy.float32))


def layers(x: Any, ws: Any) -> Any:
    for w in ws:
        x = np.tanh(x @ w)
    return x


def test_a_checkpoint_has_the_same_derivatives_and_computes_again() -> None:
    x, ws = rand(2, 3), [rand(3, 3, seed=i) for i in range(3)]
    inner = stepwell.checkpoint(lambda x: layers(x, ws))

    def plain(x: Any, ws: Any) -> Any:
        return np.sum(layers(x, ws) ** 2)

    def checkpointed(x: Any, ws: Any) -> Any:
        return np.sum(stepwell.checkpoint(lambda x: layers(x, ws))(x) ** 2)  # reads ws from around it

    for function in (derivatives.value_and_grad, lambda f, wrt: lambda x, ws: derivatives.jvp(f, (x, ws), (x, ws))):
        have, want = (flatten(run(function(f, (0, 1)), x, ws))[0] for f in (checkpointed, plain))
        for a, b in zip(have, want, strict=True):
            numpy.testing.assert_allclose(a, b, rtol=1e-5)
    count = [str(trace(derivatives.grad(f), (x, ws), {}).module).count("nn.tanh") for f in (plain, checkpointed)]
    assert count == [3, 6]
    numpy.testing.assert_allclose(run(inner, x), layers_in_numpy(x, ws), rtol=1e-5)


def layers_in_numpy(x: Any, ws: Any) -> Any:
    for w in ws:
        x = numpy.tanh(x @ w)
    return x


def test_a_checkpoint_in_a_loop() -> None:
    x, w = rand(2, 3), rand(3, 3)

    def f(x: Any, w: Any, wrap: Any) -> Any:
        return np.sum(stepwell.scan(wrap(lambda s, _: (np.sin(np.tanh(s @ w)), None)), x, length=4)[0])

    have, want = (run(derivatives.grad(lambda x, w: f(x, w, wrap), (0, 1)), x, w) for wrap in (stepwell.checkpoint, lambda g: g))
    for a, b in zip(have, want, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_what_is_kept_for_later_uses_nothing_of_a_finished_trace() -> None:
    traced = trace(lambda x: derivatives.vjp(lambda y: y * x, x)[0], (rand(3),), {})
    inside = set(traced.module.walk())
    main = next(iter(traced.module.ops))
    assert all(use.operation in inside for argument in main.regions[0].block.args for use in argument.uses)


def test_checkpoints_compiled_take_less_memory() -> None:
    blocks = [nn.Linear(64, 64, numpy.random.default_rng(i)) for i in range(12)]

    def loss(blocks: Any, x: Any, wrap: Any) -> Any:
        def four(x: Any, layers: Any) -> Any:
            for layer in layers:
                x = np.sin(nn.gelu(layer(x)))
            return x

        for i in range(0, 12, 4):
            x = wrap(lambda x, i=i: four(x, blocks[i : i + 4]))(x)
        return np.mean(x * x)

    x = rand(512, 64)
    found: list[Any] = []
    peaks: list[int] = []
    for wrap in (stepwell.checkpoint, lambda f: f):
        compiled = stepwell.jit(derivatives.value_and_grad(lambda b, x, w=wrap: loss(b, x, w)))
        found.append(flatten(compiled(blocks, x))[0])
        (one,) = compiled.cache.values()
        peaks.append(one.program.image.arena_size)
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert peaks[0] < 0.7 * peaks[1]


def unruled() -> Any:
    @stepwell.custom_vjp
    def nothing(x: Any) -> Any:
        return x

    return nothing


def ruled(forward: Any, backward: Any) -> Callable[[Any], Any]:
    @stepwell.custom_vjp
    def f(x: Any) -> Any:
        return x

    f.define_vjp(forward, backward)
    return lambda x: derivatives.grad(lambda x: np.sum(f(x)))(x)


def captures(x: Any) -> Any:
    @stepwell.custom_vjp
    def f(y: Any) -> Any:
        return y

    def inner(x: Any) -> Any:
        f.define_vjp(lambda y: (y * x, None), lambda kept, ct: (ct,))
        return np.sum(f(x * 2))

    return derivatives.grad(inner)(x)


ERRORS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("no rule", lambda x: unruled()(x), "nothing has no derivative yet"),
    ("forward", ruled(lambda x: x, lambda k, ct: (ct,)), "the forward rule of f returns a pair"),
    ("backward", ruled(lambda x: (x, None), lambda k, ct: ct), "returns a tuple with a cotangent for each of its 1 arguments"),
    ("type", ruled(lambda x: (x, None), lambda k, ct: (ct[:2],)), r"of type tensor<3xf32> a cotangent of type tensor<2xf32>"),
    ("captured", captures, "reads a value of type tensor<3xf32> that is differentiated"),
    ("forward mode", lambda x: derivatives.jvp(lambda x: straight_through()(x, 1.0), (x,), (x,)), "no derivative in forward mode"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_errors_name_the_line(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(CompileError, match=message) as caught:
        trace(function, (rand(3),), {})
    assert caught.value.location is not None
    assert "test_custom.py" in caught.value.location
