"""Operators that are imported as many simpler ones: determinants, diagonals, scans, mel weights, bits, random numbers."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_one_node import check, compiled, feeds, one_node

from stepwell.ir.diagnostics import CompileError
from stepwell.onnx import InferenceSession

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (2, 3, 4, 4), (7, 7), (0, 2, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_det(shape: tuple[int, ...], dtype: Any) -> None:
    check("Det", RNG.standard_normal(shape).astype(dtype), tolerance=1e-4)


def test_det_of_what_needs_pivots_and_of_what_is_singular() -> None:
    swapped = np.array([[0, 1, 2], [1, 0, 3], [4, -3, 8]], np.float32)
    check("Det", np.stack([swapped, swapped[[2, 0, 1]], np.ones((3, 3), np.float32), np.zeros((3, 3), np.float32)]))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ii->i", [(3, 3)]),
        ("ii", [(4, 4)]),
        ("...ii->...i", [(2, 5, 3, 3)]),
        ("iji->j", [(3, 2, 3)]),
        ("iii->i", [(3, 3, 3)]),
        ("aab,bc->ac", [(3, 3, 2), (2, 4)]),
        ("ij,jj->i", [(2, 3), (3, 3)]),
    ],
)
def test_einsum_diagonals(equation: str, shapes: list[tuple[int, ...]]) -> None:
    check("Einsum", *(RNG.standard_normal(s).astype(np.float32) for s in shapes), equation=equation)


def test_einsum_of_a_diagonal_that_is_none() -> None:
    with pytest.raises(CompileError, match="'i' is 2 and 3"):
        compiled("Einsum", np.ones((2, 3), np.float32), equation="ii->i")


@pytest.mark.parametrize("lengths", [None, np.array([3, 1], np.int64)])
@pytest.mark.parametrize("directions", [[0], [1]])
def test_scan_of_old(lengths: Any, directions: list[int]) -> None:
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("s", "v", "t", "w")]
    nodes = [helper.make_node("Add", ["s", "v"], ["t"]), helper.make_node("Mul", ["t", "t"], ["w"])]
    body = helper.make_graph(nodes, "body", info[:2], info[2:])
    state, x = RNG.standard_normal((2, 2)).astype(np.float32), RNG.standard_normal((2, 3, 2)).astype(np.float32)
    last, stack = compiled("Scan", lengths, state, x, outputs=2, version=8, body=body, num_scan_inputs=1, directions=directions)
    wanted = np.zeros_like(x)
    for b, steps in enumerate([3, 3] if lengths is None else lengths):
        s = state[b]
        for t in range(steps):
            s = s + x[b, steps - 1 - t if directions[0] else t]
            wanted[b, t] = s * s
        np.testing.assert_allclose(last[b], s, 1e-5)
    np.testing.assert_allclose(stack, wanted, 1e-5)


@pytest.mark.parametrize(
    ("bands", "length", "rate", "low", "high"), [(8, 16, 8192, 0, 4096), (5, 64, 16000, 20.5, 7600), (20, 8, 100, 0, 50)]
)
def test_mel_weights(bands: int, length: int, rate: int, low: float, high: float) -> None:
    check("MelWeightMatrix", np.int32(bands), np.int32(length), np.int32(rate), np.float32(low), np.float32(high))


@pytest.mark.parametrize(
    ("source", "to"),
    [
        (np.float32, TensorProto.UINT32),
        (np.int16, TensorProto.FLOAT16),
        (np.float16, TensorProto.UINT16),
        (np.uint64, TensorProto.DOUBLE),
        (np.uint16, TensorProto.BFLOAT16),
        (np.int8, TensorProto.UINT8),
        (np.bool_, TensorProto.INT8),
        (np.uint8, TensorProto.BOOL),
        (np.float32, TensorProto.FLOAT),
    ],
)
def test_bit_cast(source: Any, to: int) -> None:
    low, high = (0, 2) if source == np.bool_ or to == TensorProto.BOOL else (1, 100)
    x = RNG.integers(low, high, (3, 5)).astype(source)
    (got,) = compiled("BitCast", x, version=26, to=to)
    dtype = helper.tensor_dtype_to_np_dtype(to)
    assert got.dtype == dtype
    assert got.tobytes() == x.tobytes()


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize(("shape", "skips", "lengths"), [((9,), 0, (1, 2)), ((2, 9), 3, (2, 2)), ((1, 1), 0, (2, 2)), ((3, 6), 1, (1, 1))])
def test_n_grams_of_integers(mode: str, shape: tuple[int, ...], skips: int, lengths: tuple[int, int]) -> None:
    pool: dict[str, Any] = {
        "ngram_counts": [0, 3],
        "ngram_indexes": [0, 1, 2, 3, 4],
        "weights": [1.0, 2.0, 0.5, 3.0, 4.0],
        "pool_int64s": [1, 2, 3, 1, 2, 3, 3],
        "max_skip_count": skips,
        "min_gram_length": lengths[0],
        "max_gram_length": lengths[1],
    }
    check("TfIdfVectorizer", RNG.integers(0, 4, shape), mode=mode, **pool)


# ---- random numbers --------------------------------------------------------------------------------------------------------------------


def test_uniform_numbers_fill_their_interval() -> None:
    (x,) = compiled("RandomUniform", shape=[100, 200], low=2.0, high=4.0, seed=3.0)
    assert x.dtype == np.float32
    assert x.min() >= 2
    assert x.max() < 4
    counts = np.histogram(x, 16, (2, 4))[0]
    assert ((counts - 1250) ** 2 / 1250).sum() < 40  # chi squared of 15 degrees of freedom: 1 in 2000
    assert abs(np.corrcoef(x.reshape(-1)[:-1], x.reshape(-1)[1:])[0, 1]) < 0.03


def test_normal_numbers_are_normal() -> None:
    (x,) = compiled("RandomNormal", shape=[40000], mean=1.0, scale=2.0, seed=5.0, dtype=TensorProto.DOUBLE)
    assert x.dtype == np.float64
    z = (x - 1) / 2
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1) < 0.02
    assert abs((z**4).mean() - 3) < 0.2


def test_seeds_and_nodes_differ_and_runs_do_not() -> None:
    x = np.zeros((4, 8), np.float32)
    session = InferenceSession(one_node("RandomUniformLike", [x], seed=1.0), threads=1)
    (a,), (b,) = session.run(None, feeds([x])), session.run(None, feeds([x]))
    (c,) = compiled("RandomUniformLike", x, seed=2.0)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert len(np.unique(a)) == a.size


def test_bernoulli_and_multinomial_have_the_probabilities_they_are_given() -> None:
    p = np.tile(np.array([0.0, 0.25, 0.9, 1.0], np.float32), (4000, 1))
    (drawn,) = compiled("Bernoulli", p, seed=1.0, dtype=TensorProto.INT8)
    assert drawn.dtype == np.int8
    np.testing.assert_allclose(drawn.mean(0), p[0], atol=0.03)
    logits = np.log(np.array([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]], np.float32))
    (classes,) = compiled("Multinomial", logits, seed=2.0, sample_size=6000)
    assert classes.dtype == np.int32
    for row, expected in zip(classes, np.exp(logits), strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 6000, expected, atol=0.03)


def test_what_a_window_reaches_beyond_its_pads_does_not_count() -> None:
    """AveragePool in ceiling mode that counts pads: the last window of an axis hangs over."""
    x = RNG.standard_normal((1, 2, 7, 8)).astype(np.float32)
    (y,) = compiled("AveragePool", x, kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 1, 1], ceil_mode=1, count_include_pad=1)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 1)))
    expected = [[padded[:, :, i : i + 3, j : j + 2].mean((2, 3)) for j in range(0, 8, 3)] for i in range(0, 8, 2)]
    np.testing.assert_allclose(y, np.moveaxis(np.array(expected), (0, 1), (2, 3)), 1e-5, 1e-6)


@pytest.mark.parametrize("size", [100, 70_000])
def test_dropout_in_training(size: int) -> None:
    x = RNG.standard_normal(size).astype(np.float32)
    y, mask = compiled("Dropout", x, np.float32(0.25), np.array(True), outputs=2, seed=4)
    assert mask.dtype == np.bool_
    assert abs(mask.mean() - 0.75) < 0.12
    np.testing.assert_allclose(y, np.where(mask, x / 0.75, 0), 1e-5)
    y, mask = compiled("Dropout", x, np.float32(0.25), np.array(False), outputs=2, seed=4)
    assert mask.all()
    assert np.array_equal(x, y)


# ---- resize ----------------------------------------------------------------------------------------------------------------------------


def test_crop_and_resize() -> None:
    x = RNG.standard_normal((1, 1, 5, 6)).astype(np.float32)
    roi = np.array([0, 0, 0.9, -0.2, 1, 1, 0.1, 1.3], np.float32)
    for mode in ("nearest", "linear"):
        check(
            "Resize", x, roi, None, np.array([1, 1, 4, 7], np.int64),
            mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=9.0,
        )  # fmt: skip


def test_half_pixels_of_tensorflow() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 6)
    (y,) = compiled(
        "Resize", x, np.zeros(0, np.float32), np.zeros(0, np.float32), np.array([1, 1, 4], np.int64), version=11, mode="nearest",
        coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor",
    )  # fmt: skip
    assert y.tolist() == [[[0, 2, 3, 5]]]
