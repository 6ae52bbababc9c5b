"""Norms and activations in the spellings of exporters, on random shapes and values: raised, the same after it; near-misses are left."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from graph_evaluation import evaluate, ops_of, run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_raise_attention import Body, floats
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import tensor_type

FEW = settings(max_examples=60, deadline=None, derandomize=True)
PASSES = ("nn-canonicalize", "nn-fold-constants", "nn-raise", "nn-dce")


def raised(write: Callable[[Body], SSAValue], *arrays: Any, tolerance: float = 3e-5) -> list[str]:
    """The ops after raising; the meaning stays."""
    before, after = (body.module(write(body)) for body in (Body(*arrays), Body(*arrays)))
    run(after, *PASSES)
    with np.errstate(all="ignore"):
        for a, b in zip(evaluate(after, *arrays), evaluate(before, *arrays), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    return ops_of(after)


# ---- norms ----------------------------------------------------------------------------------------------------------------------------


def mean(b: Body, x: SSAValue, shape: tuple[int, ...], axis: int, how: str) -> SSAValue:
    axes, n = list(range(axis, len(shape))), math.prod(shape[axis:])
    kept = tensor_type((*shape[:axis], *(1,) * len(axes)), f32)
    if how == "mean":
        return b(nn.ReduceMeanOp, x, axes=axes, keepdims=True)
    if how == "dropped":
        return b(nn.ReshapeOp, b(nn.ReduceMeanOp, x, axes=axes, keepdims=False), result_type=kept)
    total = b(nn.ReduceSumOp, x, axes=axes, keepdims=how != "sum_dropped")
    average = b(nn.DivOp, total, b.number(n)) if how == "sum" else b(nn.MulOp, total, b.number(1 / n))
    return average if how == "sum" else b(nn.ReshapeOp, average, result_type=kept)


def square(b: Body, x: SSAValue, how: str) -> SSAValue:
    return b(nn.PowOp, x, b.number(2)) if how == "pow" else b(nn.MulOp, x, x)


def normalised(b: Body, d: SSAValue, variance: SSAValue, how: str) -> SSAValue:
    v = b(nn.AddOp, variance, b.number(1e-5))
    if how == "div_sqrt":
        return b(nn.DivOp, d, b(nn.SqrtOp, v))
    if how == "div_pow":
        return b(nn.DivOp, d, b(nn.PowOp, v, b.number(0.5)))
    inverse = {
        "rsqrt": lambda: b(nn.RsqrtOp, v),
        "reciprocal": lambda: b(nn.ReciprocalOp, b(nn.SqrtOp, v)),
        "one_over": lambda: b(nn.DivOp, b.number(1), b(nn.SqrtOp, v)),
        "pow": lambda: b(nn.PowOp, v, b.number(-0.5)),
    }[how]()
    return b(nn.MulOp, inverse, d)


@FEW
@given(
    st.integers(0, 2**16),
    st.lists(st.integers(2, 5), min_size=2, max_size=4),
    st.integers(1, 2),
    st.sampled_from(["mean", "dropped", "sum", "sum_dropped"]),
    st.sampled_from(["pow", "mul"]),
    st.sampled_from(["div_sqrt", "div_pow", "rsqrt", "reciprocal", "one_over", "pow"]),
    st.sampled_from(["rms", "layer", "layer_of_two_differences"]),
    st.booleans(),
)
def test_norms(seed: int, extents: list[int], count: int, averaged: str, squared: str, rooted: str, kind: str, affine: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(extents)
    axis = max(1, len(shape) - count)
    scale, bias = floats(rng, *shape[axis:]), floats(rng, *shape[axis:])

    def write(b: Body) -> SSAValue:
        (x,) = b.inputs
        d = x if kind == "rms" else b(nn.SubOp, x, mean(b, x, shape, axis, averaged))
        other = b(nn.SubOp, x, mean(b, x, shape, axis, averaged)) if kind == "layer_of_two_differences" else d
        y = normalised(b, d, mean(b, square(b, other, squared), shape, axis, averaged), rooted)
        if affine:
            y = b(nn.MulOp, b.constant(scale), y)
            y = y if kind == "rms" else b(nn.AddOp, y, b.constant(bias))
        return y

    assert raised(write, floats(rng, *shape)) == ["nn.rms_norm" if kind == "rms" else "nn.layer_norm"]


@pytest.mark.parametrize("wrong", ["axes", "sum", "other", "power", "root", "reshape"])
def test_what_is_not_quite_a_norm_stays(wrong: str) -> None:
    rng = np.random.default_rng(0)
    shape = (3, 3, 3)

    def write(b: Body) -> SSAValue:
        x, other = b.inputs
        of = other if wrong == "other" else x
        s = b(nn.PowOp, of, b.number(4 if wrong == "power" else 2))
        if wrong == "sum":
            v = b(nn.ReduceSumOp, s, axes=[2], keepdims=True)
        elif wrong == "reshape":  # the mean of another row
            v = b(nn.ReshapeOp, b(nn.ReduceMeanOp, s, axes=[2], keepdims=False), result_type=tensor_type((3, 1, 3), f32))
        else:
            v = b(nn.ReduceMeanOp, s, axes=[1] if wrong == "axes" else [2], keepdims=True)
        root = b(nn.PowOp, b(nn.AddOp, v, b.number(1e-5)), b.number(0.25 if wrong == "root" else 0.5))
        return b(nn.DivOp, x, root)

    assert "nn.rms_norm" not in raised(write, floats(rng, *shape), floats(rng, *shape))


# ---- activations ----------------------------------------------------------------------------------------------------------------------

Write = Callable[[Body, SSAValue], SSAValue]


def _one_and_exp(b: Body, x: SSAValue) -> SSAValue:
    return b(nn.AddOp, b.number(1), b(nn.ExpOp, x))


def _tanh_argument(b: Body, x: SSAValue, times: float = 1, factor: float = 0.044715) -> SSAValue:
    cube = b(nn.MulOp, b(nn.PowOp, x, b.number(3)), b.number(factor))
    return b(nn.MulOp, b(nn.AddOp, x, cube), b.number(times * math.sqrt(2 / math.pi)))


SPELLINGS: dict[str, tuple[str, Write]] = {
    "sigmoid by quotient": ("sigmoid", lambda b, x: b(nn.DivOp, b.number(1), _one_and_exp(b, b(nn.NegOp, x)))),
    "sigmoid by reciprocal": ("sigmoid", lambda b, x: b(nn.ReciprocalOp, _one_and_exp(b, b(nn.NegOp, x)))),
    "silu by product": ("silu", lambda b, x: b(nn.MulOp, b(nn.SigmoidOp, x), x)),
    "silu by quotient": ("silu", lambda b, x: b(nn.DivOp, x, _one_and_exp(b, b(nn.NegOp, x)))),
    "silu by sigmoid by quotient": (
        "silu",
        lambda b, x: b(nn.MulOp, x, b(nn.DivOp, b.number(1), _one_and_exp(b, b(nn.NegOp, x)))),
    ),
    "mish by softplus": ("mish", lambda b, x: b(nn.MulOp, x, b(nn.TanhOp, b(nn.SoftplusOp, x)))),
    "mish by logarithm": ("mish", lambda b, x: b(nn.MulOp, b(nn.TanhOp, b(nn.LogOp, _one_and_exp(b, x))), x)),
    "gelu by sigmoid": ("gelu", lambda b, x: b(nn.MulOp, x, b(nn.SigmoidOp, _tanh_argument(b, x, 2)))),
    "gelu by tanh": (
        "gelu",
        lambda b, x: b(nn.MulOp, b(nn.MulOp, x, b.number(0.5)), b(nn.AddOp, b.number(1), b(nn.TanhOp, _tanh_argument(b, x)))),
    ),
    "gelu by erf": (
        "gelu",
        lambda b, x: b(
            nn.MulOp, b(nn.MulOp, x, b(nn.AddOp, b(nn.ErfOp, b(nn.DivOp, x, b.number(math.sqrt(2)))), b.number(1))), b.number(0.5)
        ),
    ),
    "hard-swish by clip": (
        "hard_swish",
        lambda b, x: b(nn.MulOp, x, b(nn.DivOp, b(nn.ClipOp, b(nn.AddOp, x, b.number(3)), min=0.0, max=6.0), b.number(6))),
    ),
    "hard-sigmoid by clip": (
        "hard_sigmoid",
        lambda b, x: b(nn.ClipOp, b(nn.AddOp, b(nn.MulOp, x, b.number(0.2)), b.number(0.5)), min=0.0, max=1.0),
    ),
}


@FEW
@given(st.integers(0, 2**16), st.lists(st.integers(1, 5), max_size=3), st.sampled_from(sorted(SPELLINGS)), st.sampled_from([1, 30, 200]))
def test_activations(seed: int, shape: list[int], spelling: str, range_: int) -> None:
    name, write = SPELLINGS[spelling]
    x = floats(np.random.default_rng(seed), *shape) * np.float32(range_)
    assert raised(lambda b: write(b, b.inputs[0]), np.asarray(x)) == [f"nn.{name}"]


NEAR: dict[str, Write] = {
    "exp of x itself": lambda b, x: b(nn.DivOp, x, _one_and_exp(b, x)),
    "two plus exp": lambda b, x: b(nn.DivOp, b.number(1), b(nn.AddOp, b(nn.ExpOp, b(nn.NegOp, x)), b.number(2))),
    "two over": lambda b, x: b(nn.DivOp, b.number(2), _one_and_exp(b, b(nn.NegOp, x))),
    "tanh of sigmoid": lambda b, x: b(nn.MulOp, x, b(nn.TanhOp, b(nn.SigmoidOp, b(nn.NegOp, x)))),
    "mish of another value": lambda b, x: b(nn.MulOp, b(nn.AbsOp, x), b(nn.TanhOp, b(nn.SoftplusOp, x))),
    "quick gelu": lambda b, x: b(nn.MulOp, x, b(nn.SigmoidOp, b(nn.MulOp, x, b.number(1.702)))),
    "gelu with another factor": lambda b, x: b(nn.MulOp, x, b(nn.SigmoidOp, _tanh_argument(b, x, 2, 0.05))),
    "gelu by half the sigmoid": lambda b, x: b(nn.MulOp, x, b(nn.SigmoidOp, _tanh_argument(b, x, 1))),
}


@pytest.mark.parametrize("write", NEAR.values(), ids=NEAR)
def test_what_is_not_quite_an_activation_stays(write: Write) -> None:
    x = floats(np.random.default_rng(0), 3, 5)
    composites = {"nn.silu", "nn.gelu", "nn.mish"}
    assert not composites & set(raised(lambda b: write(b, b.inputs[0]), x))
    if "SigmoidOp" not in write.__code__.co_names:
        assert "nn.sigmoid" not in raised(lambda b: write(b, b.inputs[0]), x)
