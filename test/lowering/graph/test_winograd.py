"""Winograd convolutions: the matrices are exact, decompositions mean what the direct form means, and errors stay within what is stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graph_evaluation import evaluate, functions, parse, run

from stepwell.ir.registry import make_context
from stepwell.lowering.graph.choose_convolution import ChooseConvolution
from stepwell.lowering.graph.convolution_costs import algorithms
from stepwell.lowering.graph.winograd_matrices import POINTS, transformed_weights, winograd_matrices

EPSILON = 2.0**-24
BUDGET = {2: 64, 4: 256}
"""The largest error of F(m, 3) in units of EPSILON sqrt(9 C) rms(x) rms(w), which is the typical size of a result."""


@pytest.mark.parametrize("outputs", POINTS)
def test_matrices_filter(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    matrices = winograd_matrices(outputs)
    data, taps = rng.standard_normal(outputs + 2), rng.standard_normal(3)
    result = matrices.result @ ((matrices.taps @ taps) * (matrices.data @ data))
    np.testing.assert_allclose(result, np.correlate(data, taps, "valid"), rtol=1e-12, atol=1e-12)


def convolution(shape: tuple[int, int, int, int], channels: int, epilogue: str, pads: int) -> str:
    """A 3x3 convolution of small integers as level 1 has it before kernels are formed."""
    n, h, w, c = shape
    whole = f"tensor<{n}x{h + 2 * pads - 2}x{w + 2 * pads - 2}x{channels}xf32>"
    tail = {
        "none": "func.return %y",
        "bias_relu": f"%s = nn.add %y, %b : {whole}, tensor<{channels}xf32>\n %z = nn.relu %s : {whole}\n func.return %z",
        "residual": f"%s = nn.add %y, %r : {whole}, {whole}\n %z = nn.silu %s : {whole}\n func.return %z",
    }[epilogue]
    weights = np.random.default_rng(0).integers(-2, 3, (3, 3, c, channels)).astype(np.float32)
    nested = np.array2string(weights, separator=",", threshold=10**9, formatter={"float_kind": lambda v: f"{v:.1f}"})
    padded = f"tensor<{n}x{h + 2 * pads}x{w + 2 * pads}x{c}xf32>"
    pad = f"%p = nn.pad %x low = [0, {pads}, {pads}, 0] high = [0, {pads}, {pads}, 0] : tensor<{n}x{h}x{w}x{c}xf32> -> {padded}"
    return f"""
    func.func @main(%x: tensor<{n}x{h}x{w}x{c}xf32>, %b: tensor<{channels}xf32>, %r: {whole}) -> {whole} {{
      %w = nn.constant dense<{nested}> : tensor<3x3x{c}x{channels}xf32>
      {pad if pads else ""}
      %y = nn.conv {"%p" if pads else "%x"}, %w layout = "channels_last" : {padded}, tensor<3x3x{c}x{channels}xf32> -> {whole}
      {tail} : {whole}
    }}"""


@pytest.mark.parametrize("outputs", POINTS)
@pytest.mark.parametrize(
    ("shape", "channels", "epilogue", "pads", "rows"),
    [
        ((1, 8, 8, 3), 5, "bias_relu", 1, 1),
        ((1, 8, 4, 2), 3, "residual", 1, 1),
        ((3, 12, 8, 2), 2, "residual", 1, 2),
        ((1, 7, 5, 2), 3, "bias_relu", 1, 1),
        ((2, 3, 9, 1), 4, "none", 0, 0),
        ((1, 20, 3, 2), 1, "none", 1, 3),
        ((1, 1, 2, 1), 2, "bias_relu", 1, 0),
    ],
)
def test_means_the_same(outputs: int, shape: tuple[int, int, int, int], channels: int, epilogue: str, pads: int, rows: int) -> None:
    text = convolution(shape, channels, epilogue, pads)
    before, after = parse(text), run(parse(text), "nn-form-kernels")
    ChooseConvolution(algorithm=f"winograd_{outputs}", rows=rows).run(after, make_context())
    after.verify()
    assert any(name.startswith("winograd_product") for name in functions(after))
    assert not any(name.startswith("conv") for name in functions(after))
    rng = np.random.default_rng(1)
    types: list[Any] = [argument.type for argument in functions(before)["main"].body.block.args]
    arrays: list[Any] = [rng.integers(-4, 5, list(type.get_shape())).astype(np.float32) for type in types]
    (want,), (have,) = evaluate(before, *arrays), evaluate(after, *arrays)
    np.testing.assert_allclose(have, want, rtol=2e-5, atol=5e-5)


@pytest.mark.parametrize("outputs", POINTS)
@pytest.mark.parametrize("channels", [8, 64, 256])
def test_error_budget(outputs: int, channels: int) -> None:
    rng = np.random.default_rng(channels)
    matrices, size = winograd_matrices(outputs), outputs + 2
    x = rng.standard_normal((60, size, size, channels), np.float32)
    w = rng.standard_normal((3, 3, channels, 16), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), (1, 2))
    exact = np.einsum("tyxcpq,pqck->tyxk", windows, w.astype(np.float64), optimize=True)
    data, result = (m.astype(np.float32) for m in (matrices.data, matrices.result))
    spread = np.einsum("jq,tiqc->ijtc", data, np.einsum("ip,tpqc->tiqc", data, x)).reshape(size * size, 60, channels)
    summed = (spread @ transformed_weights(w, outputs)).reshape(size, size, 60, 16)
    have = np.einsum("bj,ajtk->tabk", result, np.einsum("ai,ijtk->ajtk", result, summed))
    unit = EPSILON * np.sqrt(9 * channels) * np.sqrt(np.mean(x**2)) * np.sqrt(np.mean(w**2))
    assert np.abs(have - exact).max() <= BUDGET[outputs] * unit


def test_costs_grow_with_work_and_tiles_do_not_cross_the_edge_where_they_must_not() -> None:
    for shape in ((1, 56, 56, 64), (1, 7, 7, 512), (2, 10, 13, 24)):
        once, twice = ({a.name: a.cycles for a in algorithms(s, 64, 16, exact=False)} for s in (shape, (2 * shape[0], *shape[1:])))
        assert all(twice[name] > once[name] > 0 for name in once)
    assert {a.name for a in algorithms((1, 10, 10, 8), 8, 16, exact=True)} == {"direct", "winograd_2"}
    assert {a.name for a in algorithms((1, 7, 8, 8), 8, 16, exact=True)} == {"direct"}
