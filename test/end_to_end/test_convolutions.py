"""Every algorithm of a convolution, compiled: against an exact sum within the stated error, the same for every number of threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell
from stepwell.backends.cpu.program import Program
from stepwell.tools.stepwell.__main__ import main as command

EPSILON = 2.0**-24
BUDGET = {"direct": 64, "winograd_2": 64, "winograd_4": 256}
"""The largest error in units of EPSILON sqrt(9 C) rms(x) rms(w), as `stepwell.ir.settings` states it."""

SHAPES = [
    # batch, rows, columns, channels in, channels out
    (1, 8, 8, 16, 16),
    (1, 13, 9, 5, 37),
    (2, 6, 10, 3, 1),
    (1, 1, 5, 1, 4),
    (1, 33, 31, 40, 24),
    (1, 20, 20, 64, 48),
]


def model(shape: tuple[int, int, int, int, int], rng: Any, *, residual: bool) -> tuple[onnx.ModelProto, dict[str, Any], Any]:
    """relu(conv(x) + bias) + residual; its inputs; and the sum in f64."""
    n, h, w, c, k = shape
    x, weights = rng.standard_normal((n, c, h, w), np.float32), rng.standard_normal((k, c, 3, 3), np.float32)
    bias, other = rng.standard_normal(k, np.float32), rng.standard_normal((n, k, h, w), np.float32)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["y"], ["z"])]
    nodes += [helper.make_node("Add", ["z", "r"], ["s"])] if residual else []
    inputs = {"x": x, **({"r": other} if residual else {})}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, a.shape) for name, a in inputs.items()],
        [helper.make_tensor_value_info("s" if residual else "z", TensorProto.FLOAT, other.shape)],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    exact = np.maximum(np.einsum("nchwpq,kcpq->nkhw", windows, weights.astype(np.float64), optimize=True) + bias[:, None, None], 0)
    unit = EPSILON * np.sqrt(9 * c) * float(np.std(x)) * float(np.std(weights))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return proto, inputs, (exact + (other if residual else 0), unit)


@pytest.mark.parametrize("algorithm", BUDGET)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_error_and_threads(shape: tuple[int, int, int, int, int], algorithm: str) -> None:
    proto, inputs, (exact, unit) = model(shape, np.random.default_rng(sum(shape)), residual=shape[1] % 4 == 0)
    shapes = {name: array.shape for name, array in inputs.items()}
    results = [
        next(iter(stepwell.compile(proto, inputs=shapes, threads=threads, convolution=algorithm)(**inputs).values()))
        for threads in (1, 2, 3)
    ]
    assert np.abs(results[0] - exact).max() <= BUDGET[algorithm] * unit
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


def test_strict_numerics_and_the_override_are_kept_apart_in_the_cache(tmp_path: Path) -> None:
    proto, inputs, _ = model((1, 32, 32, 64, 64), np.random.default_rng(0), residual=False)
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    shapes = {"x": inputs["x"].shape}
    for numerics, convolution, chosen in (
        ("fast", "auto", "winograd_4"),
        ("strict", "auto", "direct"),
        ("fast", "winograd_2", "winograd_2"),
    ):
        program = stepwell.compile(path, inputs=shapes, numerics=numerics, convolution=convolution)
        assert isinstance(program, Program)
        assert {call.algorithm.partition(",")[0] for call in program.report().image.calls if call.algorithm} == {chosen}
        assert f" {chosen} " in str(program.report())
    with pytest.raises(stepwell.CompileError, match="strict numerics do not allow"):
        stepwell.compile(path, inputs=shapes, numerics="strict", convolution="winograd_4")
    with pytest.raises(stepwell.CompileError, match="numerics cannot be 'loose'"):
        stepwell.compile(path, inputs=shapes, numerics="loose")


def test_the_command_line_takes_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(model((1, 32, 32, 64, 64), np.random.default_rng(0), residual=False)[0].SerializeToString())
    for option, expected in (("--convolution=winograd_2", "winograd_2"), ("--numerics=strict", "direct")):
        assert command(["report", str(path), option]) == 0
        assert f" {expected} " in capsys.readouterr().out
    assert command(["report", str(path), "--numerics=strict", "--convolution=winograd_4"]) == 1
    assert "strict numerics do not allow" in capsys.readouterr().err


@pytest.mark.parametrize("algorithm", BUDGET)
@pytest.mark.parametrize("channels", [3, 64])
def test_no_vector_registers_on_the_stack(channels: int, algorithm: str) -> None:
    proto, inputs, _ = model((1, 56, 56, channels, 64), np.random.default_rng(0), residual=False)
    program = stepwell.compile(proto, inputs={"x": inputs["x"].shape}, convolution=algorithm, cache=False)
    assert isinstance(program, Program)
    assert program.report().facts["spills"] == {}
