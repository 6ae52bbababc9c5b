"""Tracing: what a function becomes, and what a user reads who asks a traced value for what only a run knows. Nothing is compiled here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest

import stepwell
import stepwell.numpy as np
from stepwell import nn
from stepwell.backends.interpreter import Interpreter
from stepwell.frontends.trace import derivatives
from stepwell.frontends.trace.pytree import flatten, paths, tree_map, unflatten
from stepwell.frontends.trace.trace import trace
from stepwell.ir.diagnostics import CompileError

HERE = Path(__file__).name


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """Trace a function, and run what it has become by the reference meaning."""
    traced = trace(function, arguments, {})
    traced.module.verify()
    leaves = [numpy.asarray(leaf) for leaf in flatten(arguments)[0]]
    return unflatten(traced.results, Interpreter(traced.module).call("main", *leaves))


def rand(*shape: int, seed: int = 0, dtype: Any = numpy.float32) -> Any:
    return numpy.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ---- functions mean what numpy's of the same name mean ----------------------------------------------------------------------------------

SAME: list[tuple[str, Callable[[Any, Any], Any], Sequence[Any]]] = [
    ("arithmetic", lambda np, x: -x + 2 * x - x / 3 + x**2 + 1 / (x * x + 1), [rand(3, 4)]),
    ("broadcast", lambda np, x: x + x[:1] * x[:, :1], [rand(3, 4)]),
    ("compare", lambda np, x: np.where((x > 0) & (x < 1) | (x == 0), x, -1), [rand(3, 4)]),
    ("integers", lambda np, x: (x // 3, x % 3, x & 1, x | 4, x ^ 7, ~x, x << 1, x >> 1, abs(x)), [numpy.arange(-5, 7).reshape(3, 4)]),
    ("floor", lambda np, x: (x // 1, x % 0.75, np.floor(x), np.ceil(x), np.sign(x)), [rand(3, 4)]),
    ("reductions", lambda np, x: (np.sum(x), np.mean(x, axis=0), np.max(x, axis=(0, 1)), np.min(x, axis=-1, keepdims=True)), [rand(3, 4)]),
    ("moments", lambda np, x: (np.var(x, axis=1), np.std(x), np.prod(x, axis=0), np.cumsum(x, axis=1)), [rand(3, 4)]),
    ("positions", lambda np, x: (np.argmax(x, axis=1), np.argmin(x), np.any(x > 1), np.all(x > -9, axis=0)), [rand(3, 4)]),
    ("slices", lambda np, x: (x[1], x[:, 1:3], x[::-1, ::2], x[..., None], x[None, -1], x[2:0:-1]), [rand(3, 4)]),
    ("gathers", lambda np, x:
        (x[numpy.array([2, 0])], x[:, numpy.array([[1], [3]])], x[numpy.array([0, 1]), numpy.array([2, 3])]),
        [rand(3, 4)]),
    ("apart", lambda np, x: x[numpy.array([0, 1]), :, numpy.array([2, 3])], [rand(3, 5, 4)]),
    ("together", lambda np, x: x[:, numpy.array([0, 1]), numpy.array([2, 3])], [rand(3, 5, 4)]),
    ("shapes", lambda np, x: (np.reshape(x, (2, -1)), x.T, np.squeeze(x[:1]), np.flip(x, axis=1), np.roll(x, 1, axis=1)), [rand(3, 4)]),
    ("joins", lambda np, x:
        (np.concatenate([x, x[:1]]), np.stack([x, -x], axis=1), np.repeat(x, 2, axis=1), np.tile(x, (2, 1))),
        [rand(3, 4)]),
    ("triangles", lambda np, x: (np.tril(x), np.triu(x, k=1), np.split(x, 2, axis=1), np.pad(x, ((1, 0), (0, 2)))), [rand(3, 4)]),
    ("products", lambda np, x: (x @ x.T, np.einsum("ij,kj->ik", x, x), np.einsum("ij->j", x), np.outer(x[0], x[1])), [rand(3, 4)]),
    ("batches", lambda np, x:
        (np.einsum("bij,bkj->bik", x, x), np.tensordot(x, x, axes=([0, 1], [0, 1])), np.matmul(x, x[0].T)),
        [rand(2, 3, 4)]),
    ("exponentials", lambda np, x:
        (np.exp(x), np.log(np.exp(x) + 1), np.tanh(x), np.sqrt(abs(x)), np.logaddexp(x, 1), np.expm1(x)),
        [rand(3, 4)]),
    ("clip", lambda np, x: (np.clip(x, -1, 0.5), np.maximum(x, 0), np.minimum(x, x.T.T)), [rand(3, 4)]),
    ("from the left", lambda np, x: numpy.ones(4, numpy.float32) + x, [rand(3, 4)]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments"), [s[1:] for s in SAME], ids=[s[0] for s in SAME])
def test_same_as_numpy(function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    found = flatten(run(lambda *values: function(np, *values), *arguments))[0]
    wanted = flatten(function(numpy, *arguments))[0]
    assert len(found) == len(wanted)
    for have, want in zip(found, wanted, strict=True):
        assert have.shape == numpy.shape(want)
        numpy.testing.assert_allclose(have, want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("a", "b", "joint"),
    [
        ("float32", "float64", "float64"),
        ("float32", "int64", "float32"),
        ("float16", "float32", "float32"),
        ("int8", "int32", "int32"),
        ("int8", "uint8", "int16"),
        ("bool", "int32", "int32"),
        ("bool", "float32", "float32"),
    ],
)
def test_dtypes_meet(a: str, b: str, joint: str) -> None:
    x, y = numpy.ones(3, a), numpy.ones(3, b)
    assert run(lambda x, y: x + y, x, y).dtype == run(lambda x, y: y + x, x, y).dtype == joint
    assert run(lambda x: x * 2, x).dtype == (a if a != "bool" else "int64")
    assert run(lambda x: x * 2.0, x).dtype == (a if a.startswith("float") else "float32")


# ---- trees ------------------------------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    left: Any
    right: Any


class Layer(nn.Module):
    def __init__(self) -> None:
        self.weight, self.size, self.inner = numpy.ones(2), 7, [numpy.zeros(1)]


def test_trees_are_put_together_again() -> None:
    tree = {"b": [1, (2, None)], "a": Pair(3, {"x": 4}), "c": Layer()}
    leaves, structure = flatten(tree)
    assert [str(leaf) for leaf in leaves] == ["3", "4", "1", "2", "[1. 1.]", "[0.]"]
    assert hash(structure) == hash(flatten(tree)[1])
    again = unflatten(structure, [10, 11, 12, 13, 14, 15])
    assert (again["b"], again["a"]) == ([12, (13, None)], Pair(10, {"x": 11}))
    assert (again["c"].weight, again["c"].size, again["c"].inner) == (14, 7, [15])
    assert list(paths(tree, "t")) == ["t['a'].left", "t['a'].right['x']", "t['b'][0]", "t['b'][1][0]", "t['c'].weight", "t['c'].inner[0]"]
    assert tree_map(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}]) == [11, {"x": 22}]
    with pytest.raises(CompileError, match="the trees differ in structure"):
        tree_map(lambda a, b: a, [1], [1, 2])


def test_inputs_and_outputs_are_named_as_they_are_reached() -> None:
    traced = trace(lambda params, x: {"y": [params["w"] * x]}, ({"w": rand(3)}, rand(3)), {}, ["params", "x"])
    text = str(traced.module)
    assert 'input_names = ["params[\'w\']", "x"]' in text
    assert "output_names = [\"result['y'][0]\"]" in text
    assert "@main(%params_w: tensor<3xf32>, %x: tensor<3xf32>)" in text


def test_ops_know_the_line_that_asked_for_them() -> None:
    def function(x: Any) -> Any:
        return np.exp(x)

    traced = trace(function, (rand(3),), {})
    (op,) = (op for op in traced.module.walk() if op.name == "nn.exp")
    line = inspect.getsourcelines(function)[1] + 1
    assert f'test_trace.py":{line}:16' in str(op.location)


# ---- errors -----------------------------------------------------------------------------------------------------------------------------


def _if(x: Any) -> Any:
    return x if x[0] > 0 else -x


def _leak() -> Callable[[Any], Any]:
    kept: list[Any] = []

    def function(x: Any) -> Any:
        kept.append(x)
        return kept[0] + 1

    trace(function, (rand(3),), {})
    return function


def _shadow(x: Any) -> Any:
    return derivatives.grad(lambda p: np.sum(p["w"] * x))({"w": numpy.arange(3)})


def _vector_loss(x: Any) -> Any:
    return derivatives.grad(lambda w: w * 2)(x)


ERRORS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("if", _if, r"Python's `if`, `while`.*where\(condition, a, b\) chooses"),
    ("float", lambda x: float(x[0]), r"has no number as float\(...\).*static_argnames"),
    ("range", lambda x: range(x[0]), "has no number to count or index with"),
    ("numpy", lambda x: numpy.asarray(x), "has no elements for numpy"),
    ("in place", lambda x: x.__setitem__(0, 1), "cannot be changed in place"),
    ("shapes", lambda x: x + np.zeros(4), "nn.add: shapes 3 and 4 do not broadcast"),
    ("matmul", lambda x: x @ np.zeros((4, 2)), r"nn.matmul: inner extents of 3 and 4x2 differ"),
    ("mask", lambda x: x[x > 0], "a mask, whose result has a shape that only a run knows"),
    ("text", lambda x: x + "a", "a value of type str is no tensor"),
    ("list", lambda x: np.asarray([x, x]), r"stepwell.numpy.stack"),
    ("axis", lambda x: np.sum(x, axis=1), "axis 1 is out of range for rank 1"),
    ("index", lambda x: x[5], "index 5 is out of range for an axis of extent 3"),
    ("einsum", lambda x: np.einsum("ij->j", x), "'ij' names 2 axes of an operand of rank 1"),
    ("integers", _shadow, r"the gradient of <lambda> by argument 0\['w'\] of type tensor<3xi64>: only floats have derivatives"),
    ("vector loss", _vector_loss, r"must return a float of rank 0 to have a gradient, it returns tensor<3xf32>"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "message"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_errors_name_the_line(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(CompileError, match=message) as caught:
        trace(function, (rand(3),), {})
    assert caught.value.location is not None
    assert HERE in caught.value.location
    assert "\n" not in str(caught.value)


def test_a_value_that_outlives_its_trace_is_refused() -> None:
    with pytest.raises(CompileError, match="is used after its trace has ended") as caught:
        trace(_leak(), (rand(3),), {})
    assert HERE in str(caught.value.location)


# ---- derivatives ------------------------------------------------------------------------------------------------------------------------


def test_derivatives_nest() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.sin(x) * x)

    def everything(x: Any, v: Any) -> Any:
        gradient = derivatives.grad(f)
        hessian_vector = derivatives.jvp(gradient, (x,), (v,))[1]
        same = derivatives.grad(lambda x: np.sum(gradient(x) * v))(x)
        value, pull_back = derivatives.vjp(f, x)
        return gradient(x), hessian_vector, same, value, pull_back(numpy.array(2.0))[0]

    x, v = rand(5, dtype=numpy.float64), rand(5, seed=1, dtype=numpy.float64)
    gradient, forward, reverse, value, doubled = run(everything, x, v)
    numpy.testing.assert_allclose(gradient, numpy.sin(x) + x * numpy.cos(x))
    numpy.testing.assert_allclose(forward, (2 * numpy.cos(x) - x * numpy.sin(x)) * v)
    numpy.testing.assert_allclose(reverse, forward)
    numpy.testing.assert_allclose(value, numpy.sum(numpy.sin(x) * x))
    numpy.testing.assert_allclose(doubled, 2 * gradient)


def test_what_a_function_reads_from_outside_is_constant_to_the_inner_derivative_alone() -> None:
    def outer(x: Any) -> Any:
        inner = derivatives.grad(lambda y: x * y * y)(x)  # 2 x y at y = x
        return inner * x

    assert run(derivatives.grad(outer), numpy.array(3.0)) == pytest.approx(54)  # (2 x^3)' = 6 x^2, not (3 x^3)' = 9 x^2


def test_gradient_of_a_module_is_a_module() -> None:
    model = nn.Linear(3, 2, numpy.random.default_rng(0))
    x = rand(4, 3)
    value, gradient = run(derivatives.value_and_grad(lambda m, x: np.sum(m(x))), model, x)
    assert isinstance(gradient, nn.Linear)
    numpy.testing.assert_allclose(gradient.weight, numpy.repeat(x.sum(0)[:, None], 2, 1), rtol=1e-5)
    numpy.testing.assert_allclose(gradient.bias, [4, 4])
    assert value == pytest.approx(numpy.sum(x @ model.weight + model.bias), rel=1e-5)


def test_aux_and_several_arguments() -> None:
    def f(a: Any, n: int, b: Any) -> Any:
        return np.sum(a * b) * n, {"product": a * b}

    (value, aux), (by_b, by_a) = run(lambda a, b: derivatives.value_and_grad(f, (2, 0), has_aux=True)(a, 3, b), rand(4), rand(4, seed=1))
    a, b = rand(4), rand(4, seed=1)
    assert value == pytest.approx(3 * numpy.sum(a * b), rel=1e-5)
    numpy.testing.assert_allclose(aux["product"], a * b, rtol=1e-6)
    numpy.testing.assert_allclose(by_b, 3 * a, rtol=1e-6)
    numpy.testing.assert_allclose(by_a, 3 * b, rtol=1e-6)


def test_stopped_gradients() -> None:
    found = run(derivatives.grad(lambda x: np.sum(x * stepwell.stop_gradient(x))), rand(4))
    numpy.testing.assert_allclose(found, rand(4))
