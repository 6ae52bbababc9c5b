"""Operators of com.microsoft beside ONNX's own, against ONNX Runtime on random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_against_runtime import RNG, against_ort, by_runtime, f, q
from onnx_one_node import compiled

from stepwell.ir.diagnostics import CompileError


@pytest.mark.parametrize("upper", [0, 1])
def test_triangles(upper: int) -> None:
    against_ort("Trilu", f(2, 4, 5), np.array(1), upper=upper)


def test_indices_and_shapes() -> None:
    against_ort("GatherND", f(3, 4, 5), RNG.integers(0, 3, (2, 2)))
    against_ort("ExpandDims", f(3, 4), np.array(1, np.int32), known=(1,))
    against_ort("ExpandDims", f(3, 4), np.array(-1, np.int32), known=(1,))
    against_ort("UnfoldTensor", f(2, 7, 3), dim=1, size=3, step=2)
    against_ort("Range", np.float32(1), np.float32(9), np.float32(1.5))
    against_ort("Pad", f(2, 3), np.array([0, 1, 2, 0]), np.float32(3), known=(1,))
    against_ort("SampleOp", f(3))


def test_distinct_values() -> None:
    against_ort("Unique", np.array([2, 1, 1, 3, 4, 3], np.float32), outputs=3)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode: str) -> None:
    grid = RNG.uniform(-1.1, 1.1, (2, 3, 4, 2)).astype(np.float32)
    against_ort("GridSample", f(2, 3, 5, 6), grid, mode=mode, align_corners=1, tolerance=1e-4)


def test_gates_and_norms() -> None:
    x = f(2, 3, 8)
    against_ort("ScaledSiLU", x, alpha=1.3)
    against_ort("ScaledSiLU", x, np.float32(0.7))
    against_ort("GatedAdd", x, f(2, 3, 8), f(2, 3, 1))
    for activation in ("silu", "sigmoid"):
        against_ort("GatedRMSNorm", x, f(4), f(2, 3, 8), activation=activation, epsilon=1e-5)


@pytest.mark.parametrize("activation", ["Relu", "Tanh", "LeakyRelu"])
def test_products_and_an_activation(activation: str) -> None:
    options: dict[str, Any] = {"activation_alpha": 0.2} if activation == "LeakyRelu" else {}
    against_ort("FusedGemm", f(3, 4), f(5, 4), f(5), transB=1, alpha=0.5, beta=2.0, activation=activation, **options)
    against_ort("TransposeMatMul", f(4, 3), f(4, 5), transA=1, alpha=0.5)


def test_integers_of_sixteen_bits() -> None:
    against_ort("MatMulInteger16", *(RNG.integers(-300, 300, shape).astype(np.int16) for shape in ((3, 4), (4, 5))))


def test_images() -> None:
    against_ort("NhwcMaxPool", q(1, 6, 7, 3), kernel_shape=[2, 3], strides=[2, 1], pads=[1, 0, 0, 1])
    boxes = np.array([[0, 0, 1, 1], [0.2, 0.1, 0.7, 0.9], [-0.3, 0.2, 0.8, 1.2]], np.float32)
    places, size = np.array([0, 1, 1], np.int32), np.array([4, 3], np.int32)
    for mode in ("bilinear", "nearest"):
        against_ort("CropAndResize", f(2, 3, 6, 7), boxes, places, size, known=(3,), mode=mode, extrapolation_value=0.5, tolerance=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
def test_distances(metric: str) -> None:
    against_ort("CDist", f(4, 6), f(5, 6), metric=metric, tolerance=1e-4)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_inverses(order: int) -> None:
    against_ort("Inverse", f(2, order, order), tolerance=2e-3)
    against_ort("Inverse", f(order, order)[::-1].copy(), tolerance=2e-3)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("zeros", [False, True])
def test_rows_of_quantised_tables(bits: int, zeros: bool) -> None:
    table, scales = q(9, 64 * bits // 8), f(9, 4)
    offsets = [q(9, 4 * bits // 8)] if zeros else []
    places = RNG.integers(-9, 9, (2, 3))
    known = (0, 2, 3) if zeros else (0, 2)
    against_ort("GatherBlockQuantized", table, places, scales, *offsets, known=known, bits=bits, block_size=16, quantize_axis=1)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "identity"])
@pytest.mark.parametrize("normalize", [0, 1])
def test_experts(activation: str, normalize: int) -> None:
    experts = [f(4, 10, 8), f(4, 10), f(4, 8, 10), f(4, 8)]
    options: dict[str, Any] = {"activation_type": activation, "normalize_routing_weights": normalize}
    against_ort("MoE", f(6, 8), f(6, 4), *experts, k=2, tolerance=2e-3 if activation == "gelu" else 1e-4, **options)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_quantised(dtype: Any) -> None:
    s, z = [np.float32(v) for v in (0.05, 0.1, 0.2)], [np.array(v, dtype) for v in (3, 100, 7)]
    a, b = q(2, 3, 4, dtype=dtype), q(2, 3, 4, dtype=dtype)
    unit = [np.float32(1 / 256), np.array(0 if dtype == np.uint8 else -128, dtype)]
    against_ort("QLinearSoftmax", a, s[0], z[0], *unit, axis=-1, opset=13, steps=1, known=(1, 2, 3, 4))
    against_ort("QLinearSoftmax", a, s[0], z[0], *unit, axis=1, opset=12, steps=1, known=(1, 2, 3, 4))
    condition = RNG.integers(0, 2, (2, 3, 4)).astype(np.bool_)
    against_ort("QLinearWhere", condition, a, s[0], z[0], b, s[1], z[1], s[2], z[2], steps=1, known=(2, 3, 5, 6, 7, 8))
    against_ort("QuantizeLinear", f(3, 4), s[0], z[0], steps=1)
    against_ort("DequantizeLinear", a, s[0], z[0])


def test_quantised_gemm() -> None:
    scales = [np.float32(0.02), RNG.random(5).astype(np.float32)]
    bias = RNG.integers(-900, 900, 5).astype(np.int32)
    for more in ([], [np.float32(0.5), np.uint8(7)]):
        operands = [q(3, 8), scales[0], np.uint8(120), q(5, 8, dtype=np.int8), scales[1], np.zeros(5, np.int8), bias, *more]
        against_ort("QGemm", *operands, transB=1, known=(3, 4, 5), tolerance=1e-4, steps=1 if more else 0)


def test_quantised_convolution_with_channels_last() -> None:
    operands = [q(1, 6, 7, 4), np.float32(0.02), np.uint8(100), q(8, 4, 3, 3), np.float32(0.03), np.uint8(128), np.float32(2), np.uint8(9)]
    against_ort("QLinearConv", *operands, channels_last=1, pads=[1, 1, 1, 1], known=tuple(range(1, 8)), steps=1)


def test_quantised_embeddings() -> None:
    ids, segments = RNG.integers(0, 9, (2, 4)).astype(np.int32), RNG.integers(0, 2, (2, 4)).astype(np.int32)
    tables = [q(9, 8), q(6, 8), q(2, 8), q(8), q(8)]
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32)
    scales, zeros = [np.float32(v) for v in (0.02, 0.03, 0.01, 0.05, 0.02)], [np.uint8(v) for v in (3, 100, 128, 9, 7)]
    against_ort("QEmbedLayerNormalization", ids, segments, *tables, mask, *scales, *zeros, outputs=2, tolerance=1e-3)


def test_what_is_not_supported_says_so() -> None:
    with pytest.raises(CompileError, match="the metric 'cosine'"):
        compiled("com.microsoft.CDist", f(2, 3), f(2, 3), metric="cosine")
    with pytest.raises(CompileError, match="windows of 9"):
        compiled("com.microsoft.UnfoldTensor", f(2, 3), size=9)
    assert by_runtime("com.microsoft.SampleOp", f(1))[0].shape == (1,)
