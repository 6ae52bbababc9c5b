"""Recurrent layers with everything that the standard lets a model ask for, against ONNX Runtime (the reference evaluator knows less)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from stepwell.onnx import InferenceSession

onnxruntime = pytest.importorskip("onnxruntime")

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 4, 6
VARIANTS: list[tuple[str, dict[str, Any], set[str]]] = [
    (
        "RNN",
        {"direction": "bidirectional", "activations": ["Relu", "Affine"], "activation_alpha": [0.5], "activation_beta": [0.1]},
        {"lengths"},
    ),
    ("GRU", {"direction": "reverse", "linear_before_reset": 1, "clip": 0.4}, {"lengths", "h"}),
    ("GRU", {"direction": "bidirectional", "activations": ["HardSigmoid", "Softsign"] * 2}, set()),
    ("LSTM", {"direction": "bidirectional"}, {"lengths", "h", "c"}),
    ("LSTM", {"clip": 0.3}, {"p", "c"}),
    ("LSTM", {"input_forget": 1, "direction": "reverse"}, {"p"}),
    ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Relu"], "activation_alpha": [0.3], "activation_beta": [0.4]}, set()),
]


@pytest.mark.parametrize("index", range(len(VARIANTS)))
def test_matches_onnx_runtime(index: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    op, attributes, extra = VARIANTS[index]
    rng = np.random.default_rng(index)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]

    def draw(*shape: int) -> Any:
        return (rng.standard_normal(shape) * 0.5).astype(np.float32)

    state = (directions, BATCH, HIDDEN)
    weights = [draw(directions, gates * HIDDEN, INPUTS), draw(directions, gates * HIDDEN, HIDDEN), draw(directions, 2 * gates * HIDDEN)]
    feeds = {"x": draw(STEPS, BATCH, INPUTS)}
    if "lengths" in extra:
        feeds["lengths"] = np.array([5, 2, 3], np.int32)
    if "h" in extra:
        feeds["h"] = draw(*state)
    if "c" in extra:
        feeds["c"] = draw(*state)
    if "p" in extra:
        feeds["p"] = draw(directions, 3 * HIDDEN)
    names = ["x", "w0", "w1", "w2", *(key if key in feeds else "" for key in ("lengths", "h", "c", "p")[: 4 if op == "LSTM" else 2])]
    outputs = ["y", "yh", "yc"][: 3 if op == "LSTM" else 2]
    node = helper.make_node(op, names, outputs, hidden_size=HIDDEN, **attributes)
    types = {"lengths": TensorProto.INT32}
    graph = helper.make_graph(
        [node],
        op,
        [helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), array.shape) for name, array in feeds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(weight, f"w{i}") for i, weight in enumerate(weights)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    want = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)
    for a, b in zip(InferenceSession(model, threads=1).run(None, feeds), want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
