"""Training compiled: gradients and whole steps against the reference meaning of the same traced function; the cache; donated memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

import stepwell
import stepwell.numpy as np
from stepwell import nn, optim
from stepwell.backends.interpreter import Interpreter
from stepwell.frontends.trace.pytree import flatten


def check(function: Callable[..., Any], *arguments: Any, tolerance: float) -> None:
    """What the compiled function gives is what its trace means."""
    compiled = stepwell.jit(function)
    found = flatten(compiled(*arguments))[0]
    wanted = Interpreter(compiled.trace(*arguments).module).call("main", *(numpy.asarray(leaf) for leaf in flatten(arguments)[0]))
    assert len(found) == len(wanted)
    for have, want in zip(found, wanted, strict=True):
        assert have.dtype == want.dtype
        numpy.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance * max(1e-3, float(numpy.abs(want).max(initial=0))))


class Cnn(nn.Module):
    def __init__(self, rng: numpy.random.Generator) -> None:
        self.first, self.second = nn.Conv(1, 8, (3, 3), rng, padding=1), nn.Conv(8, 16, (3, 3), rng, padding=1, stride=2)
        self.norm, self.out = nn.GroupNorm(4, 16), nn.Linear(16 * 3 * 3, 10, rng)

    def __call__(self, x: Any) -> Any:
        x = nn.max_pool(nn.relu(self.first(x)), 2)
        x = nn.silu(self.norm(self.second(x)))
        return self.out(np.reshape(x, x.shape[0], -1))


class Gpt(nn.Module):
    def __init__(self, rng: numpy.random.Generator) -> None:
        self.tokens, self.places = nn.Embedding(50, 32, rng), nn.Embedding(16, 32, rng)
        self.before, self.between = nn.LayerNorm(32), nn.RMSNorm(32)
        self.attention = nn.MultiHeadAttention(32, 4, rng, causal=True)
        self.up, self.down, self.out = nn.Linear(32, 64, rng), nn.Linear(64, 32, rng), nn.Linear(32, 50, rng)

    def __call__(self, tokens: Any) -> Any:
        x = self.tokens(tokens) + self.places(np.arange(tokens.shape[1]))
        x = x + self.attention(self.before(x))
        return self.out(x + self.down(nn.gelu(self.up(self.between(x)))))


def loss(model: Any, x: Any, y: Any) -> Any:
    return nn.cross_entropy(model(x), y)


@pytest.mark.parametrize(("dtype", "tolerance"), [(numpy.float32, 2e-5), (numpy.float64, 1e-12)], ids=["f32", "f64"])
def test_gradient_of_a_convolutional_network(dtype: Any, tolerance: float) -> None:
    rng = numpy.random.default_rng(0)
    model = stepwell.tree_map(lambda a: a.astype(dtype), Cnn(rng))
    x, y = rng.standard_normal((8, 1, 12, 12)).astype(dtype), rng.integers(0, 10, 8)
    check(stepwell.value_and_grad(loss), model, x, y, tolerance=tolerance)


def test_gradient_of_a_transformer() -> None:
    rng = numpy.random.default_rng(0)
    check(stepwell.value_and_grad(loss), Gpt(rng), rng.integers(0, 50, (3, 16)), rng.integers(0, 50, (3, 16)), tolerance=2e-5)


def test_hessian_vector_product() -> None:
    rng = numpy.random.default_rng(0)
    model, x, y = nn.Linear(5, 3, rng), rng.standard_normal((4, 5)).astype(numpy.float32), rng.integers(0, 3, 4)
    direction = stepwell.tree_map(numpy.ones_like, model)

    def product(model: Any, x: Any, y: Any, v: Any) -> Any:
        return stepwell.jvp(lambda m: stepwell.grad(loss)(m, x, y), (model,), (v,))[1]

    check(product, model, x, y, direction, tolerance=2e-5)
    value, gradient = stepwell.jvp(lambda x: np.sum(x * x), (x,), (numpy.ones_like(x),))
    numpy.testing.assert_allclose((value, gradient), (numpy.sum(x * x), 2 * numpy.sum(x)), rtol=1e-5)
    value, pull_back = stepwell.vjp(lambda x: np.sum(x * x), x)
    numpy.testing.assert_allclose(pull_back(numpy.float32(3))[0], 6 * x, rtol=1e-6)


def test_a_step_learns_and_reuses_the_memory_that_it_is_given() -> None:
    rng = numpy.random.default_rng(0)
    optimizer = optim.AdamW(optim.cosine_schedule(2e-2, 40, warmup=5))

    @stepwell.jit(donate_argnames=("model", "state"))
    def step(model: Any, state: Any, x: Any, y: Any) -> Any:
        value, gradient = stepwell.value_and_grad(loss)(model, x, y)
        model, state = optimizer.update(optim.clip_by_global_norm(gradient, 1.0), state, model)
        return value, model, state

    model: Any = nn.Sequential(nn.Linear(8, 32, rng), nn.relu, nn.Linear(32, 4, rng))
    x = rng.standard_normal((64, 8)).astype(numpy.float32)
    y = numpy.argmax(x[:, :4], 1)
    state: Any = optimizer.init(model)
    before = [leaf.ctypes.data for leaf in flatten(model)[0]]
    kept = [leaf.copy() for leaf in flatten(model)[0]]
    values: list[float] = []
    places: list[list[int]] = []
    for i in range(40):
        value, model, state = step(model, state, x, y)
        values.append(float(value))
        places.append([leaf.ctypes.data for leaf in flatten(model)[0]])
        if i == 0:
            assert any((a != b).any() for a, b in zip(kept, flatten(model)[0], strict=True))
    assert values[-1] < 0.2 * values[0]
    assert places[1] == before  # the second step writes where the first one's parameters were
    assert places[2] == places[0]
    assert int(state["step"]) == 40
    assert len(step.cache) == 1


def test_memory_that_is_still_used_is_not_reused() -> None:
    @stepwell.jit(donate_argnames=("x",))
    def double(x: Any) -> Any:
        return x * 2

    x = numpy.ones(1000, numpy.float32)
    first = double(x)
    second = double(x)  # given away, and used again all the same
    assert (first == 2).all()
    assert (second == 2).all()
    assert (x == 1).all()


def test_what_is_donated_twice_takes_one_result() -> None:
    @stepwell.jit(donate_argnames=("tree", "other"))
    def moved(tree: Any, other: Any) -> Any:
        return tree["a"] + 1, tree["b"] * 4, other

    x = numpy.ones(1000, numpy.float32)
    moved({"a": x, "b": x}, x[1:])
    a, b, _ = moved({"a": x + 0, "b": x + 0}, x[1:] + 0)
    assert (a == 2).all()
    assert (b == 4).all()
    assert not numpy.shares_memory(a, b)
    moved({"a": a, "b": b}, x[1:] + 0)
    part = a[1:]
    moved({"a": x + 0, "b": x + 0}, part)
    assert (part == 2).all(), "an argument of the call lies there"


def test_static_arguments_that_are_equal_may_differ() -> None:
    @stepwell.jit(static_argnames=["by"])
    def scaled(x: Any, by: Any) -> Any:
        return x * by[0] if isinstance(by, tuple) else x * (10 if by is True else by)

    x = numpy.arange(3, dtype=numpy.int32)
    found = [scaled(x, by) for by in (1, True, 1.0, (1,), (1.0,))]
    assert [f.dtype.kind for f in found] == ["i", "i", "f", "i", "f"]
    assert [float(f[2]) for f in found] == [2, 20, 2, 2, 2]
    floats = numpy.ones(3, numpy.float32)
    assert [bool(numpy.signbit(scaled(floats, by)[0])) for by in (0.0, -0.0)] == [False, True]


def test_a_program_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    x = numpy.arange(3, dtype=numpy.float32)
    table = numpy.arange(300, dtype=numpy.float32)
    for from_cache in (False, True):
        f = stepwell.jit(lambda x: np.sum(np.take(table, 100, 0) * x))
        assert f(x) == 300
        assert [entry.program.from_cache for entry in f.cache.values()] == [from_cache]
    table = table + 1  # a constant of the program: another program
    assert stepwell.jit(lambda x: np.sum(np.take(table, 100, 0) * x))(x) == 303


def test_the_cache_shows_what_was_compiled() -> None:
    @stepwell.jit(static_argnames=("power",))
    def f(x: Any, power: int = 2) -> Any:
        return np.sum(x**power)

    assert f(numpy.full(3, 2.0, numpy.float32)) == 12
    assert f(numpy.full(3, 2.0, numpy.float32)) == 12
    assert f(numpy.full(3, 2.0, numpy.float32), power=3) == 24
    assert f(x=numpy.full((2, 2), 2.0)) == 16
    assert [entry.signature for entry in f.cache.values()] == ["f(x: 3 float32)", "f(x: 3 float32)", "f(x: 2x2 float64)"]
    assert f.ir("import", numpy.ones(3, numpy.float32)).count("nn.mul") == 1
    with pytest.raises(stepwell.CompileError, match="the static argument 'power' of f has no hash"):
        f(numpy.ones(3), power=[2])
    with pytest.raises(stepwell.CompileError, match="<lambda> has no argument 'z'"):
        stepwell.jit(static_argnames=["z"])(lambda g: g)


def test_a_budget_of_memory_is_kept_and_changes_no_bit() -> None:
    rng = numpy.random.default_rng(0)
    model, tokens = Gpt(rng), rng.integers(0, 50, (4, 16))
    plain = stepwell.jit(stepwell.value_and_grad(loss))
    want = flatten(plain(model, tokens, tokens))[0]
    full = next(iter(plain.cache.values())).program.image.arena_size
    for share in (0.9, 0.7):
        small = stepwell.jit(memory_budget=int(full * share))(stepwell.value_and_grad(loss))
        for a, b in zip(flatten(small(model, tokens, tokens))[0], want, strict=True):
            numpy.testing.assert_array_equal(a, b)
        assert next(iter(small.cache.values())).program.image.arena_size <= full * share
    with pytest.raises(stepwell.CompileError, match=r"intermediate values need .* bytes.*, the budget is 100"):
        stepwell.jit(memory_budget=100)(stepwell.value_and_grad(loss))(model, tokens, tokens)
