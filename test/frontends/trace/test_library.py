"""Layers, losses, optimizers and random numbers, by the reference meaning of what they trace to, against the formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from test_trace import rand, run

from stepwell import nn, optim, random
from stepwell.ir.diagnostics import CompileError

A, B = rand(5, 3), rand(5, 3, seed=1)
LABELS = numpy.array([0, 2, 1, 1, 0])


def _softmax(x: Any) -> Any:
    e = numpy.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _log_of_label(labels: Any) -> Any:
    return numpy.log(_softmax(A))[numpy.arange(5), labels]


LOSSES: list[tuple[str, Callable[[Any, Any], Any], Any]] = [
    ("cross_entropy", lambda a, b: nn.cross_entropy(a, LABELS), -_log_of_label(LABELS).mean()),
    ("sum", lambda a, b: nn.cross_entropy(a, LABELS, reduction="sum"), -_log_of_label(LABELS).sum()),
    ("none", lambda a, b: nn.cross_entropy(a, LABELS, reduction="none"), -_log_of_label(LABELS)),
    (
        "smoothing",
        lambda a, b: nn.cross_entropy(a, LABELS, label_smoothing=0.1),
        -0.9 * _log_of_label(LABELS).mean() - 0.1 * numpy.log(_softmax(A)).mean(),
    ),
    ("probabilities", lambda a, b: nn.cross_entropy(a, nn.softmax(b)), -(_softmax(B) * numpy.log(_softmax(A))).sum(-1).mean()),
    ("ignored", lambda a, b: nn.cross_entropy(a, LABELS, ignore_index=1), -_log_of_label(LABELS)[[0, 1, 4]].mean()),
    ("mse", nn.mse, ((A - B) ** 2).mean()),
    ("l1", nn.l1, numpy.abs(A - B).mean()),
    ("huber", nn.huber, numpy.where(numpy.abs(A - B) <= 1, 0.5 * (A - B) ** 2, numpy.abs(A - B) - 0.5).mean()),
    (
        "bce",
        lambda a, b: nn.bce_with_logits(a, nn.sigmoid(b)),
        -(1 / (1 + numpy.exp(-B)) * numpy.log(1 / (1 + numpy.exp(-A))) + 1 / (1 + numpy.exp(B)) * numpy.log(1 / (1 + numpy.exp(A)))).mean(),
    ),
    (
        "kl",
        lambda a, b: nn.kl_divergence(nn.log_softmax(a), nn.softmax(b)),
        (_softmax(B) * (numpy.log(_softmax(B)) - numpy.log(_softmax(A)))).sum(-1).mean(),
    ),
]


@pytest.mark.parametrize(("loss", "want"), [e[1:] for e in LOSSES], ids=[e[0] for e in LOSSES])
def test_losses(loss: Callable[[Any, Any], Any], want: Any) -> None:
    numpy.testing.assert_allclose(run(loss, A, B), want, rtol=1e-5)


def test_losses_refuse_what_does_not_fit() -> None:
    with pytest.raises(CompileError, match=r"labels of shape \[4\] for scores of shape \[5, 3\]"):
        run(lambda a: nn.cross_entropy(a, LABELS[:4]), A)
    with pytest.raises(CompileError, match="reduction is 'avg'"):
        run(lambda a, b: nn.mse(a, b, reduction="avg"), A, B)


# ---- optimizers -------------------------------------------------------------------------------------------------------------------------


def _by_hand(kind: str, gradients: list[Any]) -> Any:
    """Three steps of rate 0.1 in plain numpy, one formula after the other."""
    p = numpy.ones(3)
    m, v = numpy.zeros(3), numpy.zeros(3)
    for t, g in enumerate(gradients, 1):
        if kind == "SGD":
            m = 0.9 * m + g
            p = p - 0.1 * (g + 0.9 * m)
        elif kind in ("Adam", "AdamW"):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            p = p * (1 - 0.1 * 0.01) if kind == "AdamW" else p
            p = p - 0.1 * (m / (1 - 0.9**t)) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-8)
        elif kind == "LAMB":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            change = m / (1 - 0.9**t) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-6) + 0.01 * p
            p = p - 0.1 * numpy.linalg.norm(p) / numpy.linalg.norm(change) * change
        elif kind == "Adagrad":
            v = v + g * g
            p = p - 0.1 * g / (numpy.sqrt(v) + 1e-10)
        elif kind == "RMSprop":
            v = 0.99 * v + 0.01 * g * g
            p = p - 0.1 * g / (numpy.sqrt(v) + 1e-8)
        else:
            p, m = p - 0.1 * numpy.sign(0.9 * m + 0.1 * g), 0.99 * m + 0.01 * g
    return p


OPTIMIZERS = [
    optim.SGD(0.1, momentum=0.9, nesterov=True),
    optim.Adam(0.1),
    optim.AdamW(0.1),
    optim.Adagrad(0.1),
    optim.RMSprop(0.1),
    optim.Lion(0.1),
    optim.LAMB(0.1),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=[type(o).__name__ for o in OPTIMIZERS])
def test_optimizers(optimizer: optim.Optimizer) -> None:
    gradients = [rand(3, seed=s, dtype=numpy.float64) for s in range(3)]
    params: Any = {"p": numpy.ones(3)}
    state: Any = optimizer.init(params)
    for gradient in gradients:
        params, state = run(optimizer.update, {"p": gradient}, state, params)
    numpy.testing.assert_allclose(params["p"], _by_hand(type(optimizer).__name__, gradients), rtol=1e-6)
    assert state["step"] == 3


def test_batch_norm_keeps_statistics() -> None:
    norm, x = nn.BatchNorm(4, momentum=0.25), rand(5, 4, 3, 2)
    norm.scale, norm.bias = rand(4, seed=1), rand(4, seed=2)
    y, statistics = run(lambda norm, x, s: norm(x, s), norm, x, norm.init())
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))

    def row(v: Any) -> Any:
        return v[:, None, None]

    numpy.testing.assert_allclose(
        y, (x - row(mean)) / numpy.sqrt(row(variance) + 1e-5) * row(norm.scale) + row(norm.bias), rtol=1e-4, atol=1e-5
    )
    numpy.testing.assert_allclose(statistics["mean"], 0.25 * mean, rtol=1e-4, atol=1e-6)
    numpy.testing.assert_allclose(statistics["variance"], 0.75 + 0.25 * variance * 30 / 29, rtol=1e-4)
    after, same = run(lambda norm, x, s: norm(x, s, training=False), norm, x, statistics)
    scaled = (x - row(statistics["mean"])) / numpy.sqrt(row(statistics["variance"]) + 1e-5)
    numpy.testing.assert_allclose(after, scaled * row(norm.scale) + row(norm.bias), rtol=1e-4, atol=1e-5)
    numpy.testing.assert_array_equal(same["mean"], statistics["mean"])


def test_moving_average() -> None:
    found = run(lambda a, p: optim.moving_average(a, p, 0.75), {"w": rand(3)}, {"w": rand(3, seed=1)})["w"]
    numpy.testing.assert_allclose(found, 0.75 * rand(3) + 0.25 * rand(3, seed=1), rtol=1e-5)


def test_focal_loss() -> None:
    x, y = rand(6), numpy.array([0, 1, 1, 0, 1, 0], numpy.float32)
    p = 1 / (1 + numpy.exp(-x))
    right = numpy.where(y == 1, p, 1 - p)
    want = numpy.where(y == 1, 0.25, 0.75) * (1 - right) ** 2 * -numpy.log(right)
    numpy.testing.assert_allclose(run(lambda x, y: nn.focal(x, y, reduction="none"), x, y), want, rtol=1e-4)


def test_schedules_and_clipping() -> None:
    rate = optim.cosine_schedule(1.0, 110, warmup=10, end=0.1)
    found = [float(run(rate, numpy.int32(step))) for step in (0, 9, 10, 60, 110, 500)]
    numpy.testing.assert_allclose(found, [0.1, 1, 1, 0.55, 0.1, 0.1], atol=1e-6)
    long = {"a": numpy.array([3.0, 0]), "b": numpy.array([4.0])}
    numpy.testing.assert_allclose(run(optim.global_norm, long), 5)
    clipped = run(lambda g: optim.clip_by_global_norm(g, 1.0), long)
    numpy.testing.assert_allclose((clipped["a"][0], clipped["b"][0]), (0.6, 0.8), rtol=1e-6)
    numpy.testing.assert_allclose(run(lambda g: optim.clip_by_global_norm(g, 9.0), long)["a"], long["a"])


# ---- layers and random numbers ----------------------------------------------------------------------------------------------------------


def test_attention_of_several_heads_looks_at_no_later_position() -> None:
    layer = nn.MultiHeadAttention(8, 2, numpy.random.default_rng(0), causal=True)
    x = rand(1, 5, 8)
    changed = x.copy()
    changed[:, 3:] += 1
    before, after = (run(lambda m, x: m(x), layer, value) for value in (x, changed))
    numpy.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert (numpy.abs(before[:, 3:] - after[:, 3:]) > 1e-4).any()
    with pytest.raises(ValueError, match="3 heads cannot share a size of 8"):
        nn.MultiHeadAttention(8, 3, numpy.random.default_rng(0))


def test_random_numbers_follow_from_their_key() -> None:
    key = random.key(7)
    one, two = random.split(key)
    same = random.uniform(one, (1000,))
    numpy.testing.assert_array_equal(same, run(lambda k: random.uniform(k, (1000,)), one))
    other, normal = random.uniform(two, (1000,)), random.normal(two, (1000,))
    assert 0 <= same.min() < 0.01 < 0.99 < same.max() < 1
    assert abs(numpy.corrcoef(same, other)[0, 1]) < 0.1
    assert abs(normal.mean()) < 0.1
    assert abs(normal.std() - 1) < 0.1
    assert (random.uniform(key + numpy.uint64(1 << 32), (10,)) != random.uniform(key, (10,))).all()  # all 64 bits count


def test_dropout_keeps_the_mean() -> None:
    layer = nn.Dropout(0.25)
    x = numpy.ones((40, 50), numpy.float32)
    y = run(lambda x, key: layer(x, key), x, random.key(0))
    assert set(numpy.unique(y).round(4)) == {0, numpy.float32(1.3333)}
    assert abs(y.mean() - 1) < 0.05
    assert layer(x) is x
