"""The doors for programs that speak ONNX: session, backend, and the conformance command on a few cases."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import stepwell.onnx.backend
from stepwell.ir.diagnostics import CompileError
from stepwell.onnx import InferenceSession
from stepwell.onnx.conformance import main


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def model(op: str, inputs: dict[str, int], **attributes: object) -> onnx.ModelProto:
    """One node on inputs of unknown shape; its result is called y."""
    node = helper.make_node(op, list(inputs), ["y"], **attributes)
    values = [helper.make_tensor_value_info(name, element, None) for name, element in inputs.items()]
    graph = helper.make_graph([node], op, values, [helper.make_tensor_value_info("y", next(iter(inputs.values())), None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_session_compiles_for_each_shape_once() -> None:
    session = InferenceSession(model("Relu", {"x": TensorProto.FLOAT}))
    for shape in ((3,), (2, 5), (3,)):
        x = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        (y,) = session.run(["y"], {"x": x})
        np.testing.assert_array_equal(y, np.maximum(x, 0))
    x = np.zeros(3, np.float32)
    assert session.program({"x": x}) is session.program({"x": x})
    assert [i.name for i in session.get_inputs()] == ["x"]
    assert [(o.name, o.type) for o in session.get_outputs()] == [("y", "tensor(float)")]


def test_integers_that_shapes_depend_on_are_compiled_in() -> None:
    session = InferenceSession(model("Reshape", {"x": TensorProto.FLOAT, "shape": TensorProto.INT64}))
    x = np.arange(12, dtype=np.float32)
    for shape in ((3, 4), (2, 6)):
        (y,) = session.run(None, {"x": x, "shape": np.array(shape)})
        np.testing.assert_array_equal(y, x.reshape(shape))
    assert session.fixed_inputs == {"shape"}


def test_small_numbers_that_shapes_depend_on_are_compiled_in() -> None:
    session = InferenceSession(model("Range", {"a": TensorProto.FLOAT, "b": TensorProto.FLOAT, "c": TensorProto.FLOAT}))
    for limit, delta in ((4, 1), (4, 1.5)):
        (y,) = session.run(None, {name: np.float32(v) for name, v in zip("abc", (0, limit, delta), strict=True)})
        np.testing.assert_array_equal(y, np.arange(0, limit, delta, np.float32))


@pytest.mark.parametrize(
    ("feeds", "message"),
    [({}, "'x' is missing"), ({"x": np.zeros(2)}, "dtype float64"), ({"x": np.zeros(2, np.float32), "z": 1}, "no input is named 'z'")],
)
def test_wrong_feeds_are_refused(feeds: dict[str, object], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        InferenceSession(model("Relu", {"x": TensorProto.FLOAT})).run(None, feeds)


def test_backend_interface() -> None:
    relu = model("Relu", {"x": TensorProto.FLOAT})
    assert stepwell.onnx.backend.supports_device("CPU")
    assert not stepwell.onnx.backend.supports_device("CUDA")
    (y,) = stepwell.onnx.backend.run_model(relu, np.array([-1, 2], np.float32))
    np.testing.assert_array_equal(y, [0, 2])
    (y,) = stepwell.onnx.backend.prepare(relu).run({"x": np.array([[3]], np.float32)})
    np.testing.assert_array_equal(y, [[3]])


def test_conformance_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--filter", "^test_(add|matmul_2d|image_decoder_decode_bmp_rgb|softmax_axis_1)$", "-v"]) == 0
    table = capsys.readouterr().out
    assert re.search(r"^total +4 +4 +0 +0$", table, re.M), table
    assert "passed: 4; passed with every numeric operator compiled: 4" in table
    assert "host calls, by cases that passed: ImageDecoder 1" in table
