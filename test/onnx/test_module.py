"""ONNX models as modules: their gradients against central differences, fine-tuning, what cannot be trained, and `nn-vjp` on them."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell
import stepwell.numpy as np
from stepwell import optim
from stepwell.frontends.onnx import import_model
from stepwell.ir.registry import make_context
from stepwell.lowering.autodiff.passes import Vjp


def network(reshape: bool = False) -> onnx.ModelProto:
    """softmax(batch_norm(conv(x)) summed over pixels @ w + b), its bias in a Constant node, as Paddle's exporter writes weights."""
    rng = numpy.random.default_rng(0)
    weights = {
        "kernel": rng.standard_normal((4, 2, 3, 3)),
        "scale": 1 + 0.1 * rng.standard_normal(4),
        "shift": rng.standard_normal(4),
        "mean": rng.standard_normal(4),
        "variance": 1 + rng.random(4),
        "w": rng.standard_normal((4, 3)),
    }
    bias = numpy_helper.from_array(rng.standard_normal(3).astype(numpy.float32), "any")
    nodes = [
        helper.make_node("Constant", [], ["b"], value=bias),
        helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["n"]),
        helper.make_node("Tanh", ["n"], ["t"]),
        helper.make_node("GlobalAveragePool", ["t"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ]
    if reshape:
        nodes[-1] = helper.make_node("Resize", ["z", "", "sizes"], ["y"])
        weights["sizes"] = numpy.array([1, 2])
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 5, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", None])],
        [numpy_helper.from_array(value.astype(numpy.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


X = numpy.random.default_rng(1).standard_normal((6, 2, 5, 5)).astype(numpy.float32)
Y = numpy.arange(6) % 3


def loss(model: Any, x: Any, y: Any) -> Any:
    return -np.mean(np.log(np.take_along_axis(model(x), y[:, None], 1)))


def test_it_computes_what_the_model_computes() -> None:
    model = stepwell.onnx.Module(network())
    assert list(model.parameters) == ["kernel", "scale", "shift", "w", "b"]
    want = stepwell.compile(network(), inputs={"x": X.shape})(x=X)["y"]
    numpy.testing.assert_allclose(model(X), want, rtol=1e-5)
    numpy.testing.assert_allclose(model(x=X[:2]), want[:2], rtol=1e-5)


def test_gradients_are_differences() -> None:
    model = stepwell.onnx.Module(network())
    gradient = stepwell.grad(loss)(model, X, Y)
    value = stepwell.jit(loss)
    rng = numpy.random.default_rng(2)
    for name, array in model.parameters.items():
        direction = rng.standard_normal(array.shape).astype(numpy.float32)
        ends: list[float] = []
        for sign in (1, -1):
            model.parameters[name] = array + sign * 2e-3 * direction
            ends.append(float(value(model, X, Y)))
        model.parameters[name] = array
        assert (gradient.parameters[name] * direction).sum() == pytest.approx((ends[0] - ends[1]) / 4e-3, rel=0.02, abs=2e-3), name


def test_fine_tuning_learns_and_leaves_the_rest() -> None:
    model: Any = stepwell.onnx.Module(network(), train=lambda name: name in ("w", "b"))
    optimizer = optim.Adam(0.1)
    state: Any = optimizer.init(model)

    @stepwell.jit
    def step(model: Any, state: Any) -> Any:
        value, gradient = stepwell.value_and_grad(loss)(model, X, Y)
        return value, *optimizer.update(gradient, state, model)

    losses: list[float] = []
    for _ in range(40):
        value, model, state = step(model, state)
        losses.append(float(value))
    assert set(model.parameters) == {"w", "b"}
    assert losses[-1] < 0.6 * losses[0]


def test_an_imported_model_has_a_derivative_as_a_pass() -> None:
    module = import_model(network(), {"x": X.shape})
    Vjp().run(module, make_context())
    module.verify()
    assert "@main_vjp" in str(module)


def test_the_example_fine_tunes_a_real_model(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`examples/fine_tune_onnx.py` on the direction classifier of PP-OCR, a few steps."""
    pytest.importorskip("sklearn", reason="it trains on scikit-learn's digits")
    path = Path(os.environ.get("STEPWELL_MODELS_DIR", "")) / "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"
    if not path.is_file():
        pytest.skip("STEPWELL_MODELS_DIR names no folder with the model")
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples/fine_tune_onnx.py"))
    monkeypatch.setitem(example["main"].__globals__, "STEPS", 10)
    example["main"](str(path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("143 parameters, test accuracy")
    assert float(lines[1].split("loss")[1].split()[0]) < 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m(X, X), "has 1 inputs, got 2"),
        (lambda m: m(z=X), "has no input 'z'"),
        (lambda m: m(), "needs its input 'x'"),
        (lambda m: m(numpy.ones(X.shape, numpy.int64)), "'x' of network is tensor<6x2x5x5xf32>, got tensor<6x2x5x5xi64>"),
        (lambda m: m(X[:, :1]), "input 'x'"),
        (lambda m: stepwell.onnx.Module(network(), train=lambda name: False), "no weight of network is trained"),
        (lambda m: stepwell.onnx.Module(network(True))(X), "the shapes in network depend on 'sizes'"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(stepwell.CompileError, match=message):
        call(stepwell.onnx.Module(network()))
