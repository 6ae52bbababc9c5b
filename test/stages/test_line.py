"""Programs between those of other shapes: the same results as compiled ones, and none where numbers leave the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from stepwell.api import compile, dynamic
from stepwell.frontends.onnx.importer import import_model
from stepwell.frontends.onnx.load import load_model
from stepwell.ir.registry import make_context
from stepwell.stages.line import steps_on
from stepwell.stages.numbers import numbers_of

F, I = TensorProto.FLOAT, TensorProto.INT64


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("STEPWELL_LINES", "1")


def model(nodes: list[NodeProto], shape: list[int | str], **constants: Any) -> ModelProto:
    inputs, outputs = [make_tensor_value_info("x", F, shape)], [make_tensor_value_info("y", F, None)]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = make_graph(nodes, "g", inputs, outputs, tensors)
    return make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8)


def draw(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).integers(-3, 4, shape).astype(np.float32)


def convolutions() -> ModelProto:
    """Padding, a convolution that Winograd may compute, a concatenation, a pool, a product with weights."""
    nodes = [
        make_node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]),
        make_node("Relu", ["c"], ["r"]),
        make_node("Concat", ["r", "x"], ["j"], axis=1),
        make_node("MaxPool", ["j"], ["m"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        make_node("GlobalAveragePool", ["m"], ["a"]),
        make_node("Flatten", ["a"], ["f"]),
        make_node("Gemm", ["f", "w"], ["g"]),
        make_node("Softmax", ["g"], ["y"]),
    ]
    return model(nodes, ["n", 4, 12, 12], k=draw(8, 4, 3, 3), w=draw(12, 10))


def test_a_batch_between_two_others_is_not_compiled() -> None:
    made = convolutions()
    program = dynamic(made, threads=1)
    program(draw(2, 4, 12, 12))
    program.wait()
    for batch in (4, 5, 7, 33, 63):
        x = draw(batch, 4, 12, 12)
        want = compile(made, {"x": x.shape}, threads=1)(x)["y"]
        np.testing.assert_allclose(program(x)["y"], want, rtol=1e-5, atol=1e-6)
    report = program.report()
    assert report.facts["stages_between_others"] == 5
    assert sum(report.facts["kernels_compiled_by_stage"][1:]) == 0
    assert "derived from programs for less and for more, nothing compiled" in str(report)


def test_beyond_the_outermost_it_is_planned_as_ever() -> None:
    made = model([make_node("MatMul", ["x", "w"], ["y"])], ["n", 6], w=draw(6, 5))
    program = dynamic(made, threads=1)
    program(draw(2, 6))
    program.wait()
    x = draw(70, 6)
    np.testing.assert_array_equal(program(x)["y"], x @ numpy_helper.to_array(made.graph.initializer[0]))
    assert program.report().facts["stages_between_others"] == 0


def test_the_shapes_that_were_prepared_are_there() -> None:
    program = dynamic(model([make_node("Exp", ["x"], ["y"])], ["n", 6]), threads=1)
    program(draw(2, 6))
    program.wait()
    for batch in (3, 64):
        x = draw(batch, 6)
        np.testing.assert_allclose(program(x)["y"], np.exp(x), rtol=1e-5)
    assert program.report().facts["kernels_compiled_by_stage"][1:] == [0, 0]
    assert program.report().facts["stages_between_others"] == 2


Meaning = Callable[[Any], Any]
FAMILIES: dict[str, tuple[list[NodeProto], dict[str, list[int]], Meaning]] = {
    "at most five": ([make_node("Slice", ["x", "b", "e"], ["y"])], {"b": [0], "e": [5]}, lambda x: x[:5]),
    "every second": (
        [make_node("Slice", ["x", "b", "e", "z", "s"], ["y"])],
        {"b": [0], "e": [1 << 40], "z": [0], "s": [2]},
        lambda x: x[::2],
    ),
    "the last five": ([make_node("Slice", ["x", "b", "e"], ["y"])], {"b": [-5], "e": [1 << 40]}, lambda x: x[-5:]),
    "backwards": (
        [make_node("Slice", ["x", "b", "e", "z", "s"], ["y"])],
        {"b": [-1], "e": [-(1 << 40)], "z": [0], "s": [-1]},
        lambda x: x[::-1],
    ),
    "rows of three": (
        [make_node("Reshape", ["x", "s"], ["r"]), make_node("Pad", ["r", "p"], ["y"])],
        {"s": [-1, 3], "p": [0, 1, 0, 0]},
        lambda x: np.pad(x.reshape(-1, 3), ((0, 0), (1, 0))),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_results_are_right_whether_numbers_are_linear_or_not(name: str) -> None:
    """Whatever the shapes that were prepared say of it, results are right."""
    nodes, constants, want = FAMILIES[name]
    program = dynamic(model(nodes, ["n", 6], **{name: np.array(each, np.int64) for name, each in constants.items()}), threads=1)
    program(draw(2, 6))
    program.wait()
    for batch in (4, 5, 6, 10, 33):
        x = draw(batch, 6)
        np.testing.assert_array_equal(program(x)["y"], want(x))


def numbers(batch: int, nodes: list[NodeProto], **constants: Any) -> tuple[str, tuple[int, ...]]:
    return numbers_of(import_model(load_model(model(nodes, ["n", 6], **constants)), {"x": (batch, 6)}, make_context()))


def test_a_stage_taken_apart() -> None:
    nodes = [make_node("Transpose", ["x"], ["t"], perm=[1, 0]), make_node("MatMul", ["w", "t"], ["y"])]
    two, five = numbers(2, nodes, w=draw(3, 6)), numbers(5, nodes, w=draw(3, 6))
    assert two[0] == five[0]
    assert {(a, b) for a, b in zip(two[1], five[1], strict=True) if a != b} == {(2, 5)}
    assert numbers(2, nodes, w=draw(3, 6) + 1)[0] != two[0], "the bytes of constants count"
    assert numbers(2, [nodes[0], make_node("Neg", ["t"], ["y"])])[0] != two[0]


def test_steps_of_loops_that_are_part_of_the_kernel() -> None:
    steps = [("fuse", "m"), ("split", "m", 14, "mr", "overlap"), ("split", "kh", 3, "khr"), ("split", "mr", 2, "ms"), ("parallel", "m")]
    assert steps_on(steps, ["m"]) == [steps[0], steps[1], steps[3], steps[4]]
