"""Operators of com.microsoft against ONNX Runtime."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_against_runtime import RNG, against_ort, by_runtime, f, q
from onnx_one_node import compiled


def test_activations() -> None:
    x = f(3, 8)
    against_ort("BiasGelu", x, f(8))
    against_ort("QuickGelu", x, alpha=1.5)
    chosen: dict[str, dict[str, Any]] = {
        "Relu": {},
        "Tanh": {},
        "LeakyRelu": {"activation_params": [0.2]},
        "Clip": {"activation_params": [-0.5, 0.5]},
    }
    for name, parameters in chosen.items():
        against_ort("FusedConv", f(1, 2, 5, 5), f(3, 2, 3, 3), f(3), activation=name, pads=[1, 1, 1, 1], **parameters)
    against_ort("FusedConv", f(1, 2, 5, 5), f(3, 2, 3, 3), f(3), f(1, 3, 3, 3), activation="Relu")


def test_norms() -> None:
    against_ort("SkipSimplifiedLayerNormalization", f(2, 3, 8), f(2, 3, 8), f(8), f(8), epsilon=1e-5)
    against_ort("SimplifiedLayerNormalization", f(2, 3, 8), f(8), domain="", version=17, epsilon=1e-6, axis=-1)
    ids, segments = RNG.integers(0, 9, (2, 4)).astype(np.int32), RNG.integers(0, 2, (2, 4)).astype(np.int32)
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32)
    against_ort("EmbedLayerNormalization", ids, segments, f(9, 8), f(6, 8), f(2, 8), f(8), f(8), mask, outputs=2, epsilon=1e-6)


@pytest.mark.parametrize("interleaved", [0, 1])
def test_rotary_embedding(interleaved: int) -> None:
    angles = f(10, 4)
    tables = (np.cos(angles), np.sin(angles))
    against_ort("RotaryEmbedding", f(2, 3, 16), np.array([[0, 1, 2], [4, 5, 6]], np.int64), *tables, interleaved=interleaved)
    against_ort("RotaryEmbedding", f(2, 2, 3, 8), np.array([5], np.int64), *tables, interleaved=interleaved)


def test_multi_head_attention() -> None:
    x = [f(2, 3, 8), f(2, 5, 8), f(2, 5, 8)]
    against_ort("MultiHeadAttention", *x, num_heads=2)
    against_ort("MultiHeadAttention", *x, f(24), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32), num_heads=2)
    against_ort("MultiHeadAttention", *x, None, None, f(2, 2, 3, 5), num_heads=2, scale=0.7)
    against_ort("MultiHeadAttention", f(1, 3, 8), f(1, 3, 8), f(1, 3, 8), num_heads=2, unidirectional=1)
    past = [f(2, 2, 4, 4), f(2, 2, 4, 4)]
    against_ort("MultiHeadAttention", x[0], x[0], x[0], None, None, None, *past, num_heads=2, outputs=3)


def test_attention() -> None:
    x, weights, bias = f(2, 4, 6), f(6, 24), f(24)
    against_ort("Attention", x, weights, bias, num_heads=2)
    against_ort("Attention", x, weights, bias, np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32), num_heads=2)
    against_ort("Attention", x, weights, bias, np.array([3, 2], np.int32), num_heads=2)
    against_ort("Attention", x, weights, bias, num_heads=2, unidirectional=1)
    against_ort("Attention", x, weights, bias, None, f(2, 2, 2, 3, 4), num_heads=2, outputs=2)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_quantised(dtype: Any) -> None:
    s, z = [np.float32(v) for v in (0.05, 0.1, 0.2)], [np.array(v, dtype) for v in (3, 100, 7)]
    a, b = q(2, 3, 4, dtype=dtype), q(2, 3, 4, dtype=dtype)
    for name in ("QLinearAdd", "QLinearMul"):
        against_ort(name, a, s[0], z[0], b, s[1], z[1], s[2], z[2], steps=1)
    against_ort("QLinearSigmoid", a, s[0], z[0], np.float32(1 / 256), np.array(0, dtype), steps=1)
    against_ort("QLinearLeakyRelu", a, s[0], z[0], s[1], z[1], alpha=0.2, steps=1)
    image = q(1, 2, 4, 4, dtype=dtype)
    against_ort("QLinearGlobalAveragePool", image, s[0], z[0], s[1], z[1], steps=1)
    against_ort("QLinearAveragePool", image, s[0], z[0], s[1], z[1], kernel_shape=[2, 2], strides=[2, 2], steps=1)
    if dtype == np.uint8:
        against_ort("QLinearConcat", s[2], z[2], a, s[0], z[0], b, s[1], z[1], axis=1, steps=1)


def test_products() -> None:
    a, b = q(3, 8), q(8, 5, dtype=np.int8)
    scales = [np.float32(0.02), RNG.random(5).astype(np.float32)]
    against_ort("MatMulIntegerToFloat", a, b, *scales, np.uint8(120), np.zeros(5, np.int8), f(5), tolerance=1e-4)
    against_ort("DynamicQuantizeMatMul", f(3, 8), b, np.float32(0.03), np.int8(2), f(5), tolerance=1e-4)


@pytest.mark.parametrize("zeros", [False, True])
def test_weights_of_four_bits(zeros: bool) -> None:
    packed, scales = q(6, 2, 16), RNG.random(12).astype(np.float32)
    more = [q(6)] if zeros else []
    (got,) = compiled("com.microsoft.MatMulNBits", x := f(3, 40), packed, scales, *more, K=40, N=6, bits=4, block_size=32)
    (wanted,) = by_runtime("com.microsoft.MatMulNBits", x, packed, scales, *more, K=40, N=6, bits=4, block_size=32)
    np.testing.assert_allclose(got, wanted, 1e-4, 1e-3)


def test_dynamically_quantised_lstm() -> None:
    x, w, r = f(4, 1, 3), q(1, 3, 20, dtype=np.int8), q(1, 5, 20, dtype=np.int8)
    s, z = np.array([0.004], np.float32), np.array([0], np.int8)
    inputs = [x, w, r, f(1, 40), None, None, None, None, s, z, s, z]
    against_ort("DynamicQuantizeLSTM", *inputs, hidden_size=5, outputs=3, tolerance=0.03)
