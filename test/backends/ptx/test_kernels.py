"""Kernels that are bound to threads: right on the simulated GPU (races watched for), and what they move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell
from stepwell.backends.ptx.driver import SimulatedDriver
from stepwell.backends.ptx.program import GpuProgram
from stepwell.backends.ptx.simulate.machine import Options
from stepwell.backends.ptx.simulate.traffic import Traffic


def weight(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.random.default_rng(3).standard_normal(shape).astype(np.float32), name)


def one_node(
    kind: str, shapes: Sequence[Sequence[int]], result: Sequence[int], weights: Sequence[onnx.TensorProto] = (), **attributes: Any
) -> onnx.ModelProto:
    names = [f"x{i}" for i in range(len(shapes))]
    graph = helper.make_graph(
        [helper.make_node(kind, [*names, *(w.name for w in weights)], ["y"], **attributes)],
        kind,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(names, shapes, strict=True)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)],
        list(weights),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def measured(model: onnx.ModelProto) -> tuple[GpuProgram, dict[str, Traffic]]:
    """Runs a model on the simulated GPU against the CPU; gives the program and the counters of each kernel."""
    program = stepwell.compile(model, target="cuda-simulator")
    assert isinstance(program, GpuProgram)
    assert isinstance(program.driver, SimulatedDriver)
    program.driver.options = Options(traffic=True)
    rng = np.random.default_rng(1)
    given = {spec.name: rng.standard_normal(spec.shape).astype(spec.numpy_dtype) for spec in program.inputs}
    np.testing.assert_allclose(program(given)["y"], stepwell.compile(model)(given)["y"], rtol=2e-5, atol=2e-5)
    return program, {name: counters[-1] for name, counters in program.driver.traffic.items()}


@pytest.mark.parametrize(
    ("model", "blocks", "threads"),
    [
        (one_node("Softmax", [[5, 1000]], [5, 1000]), 5, 128),
        (one_node("LogSoftmax", [[7, 40]], [7, 40]), 7, 32),
        (one_node("LayerNormalization", [[6, 768]], [6, 768], [weight("s", 768), weight("b", 768)]), 6, 128),
        (one_node("ReduceSum", [[40, 704]], [1, 1]), 1, 1024),
        (one_node("ReduceMax", [[20000]], [1]), 1, 1024),
    ],
    ids=lambda value: value.graph.name if isinstance(value, onnx.ModelProto) else str(value),
)
def test_rows_are_coalesced(model: onnx.ModelProto, blocks: int, threads: int) -> None:
    program, counted = measured(model)
    (launch,) = program.plan
    assert (launch.grid[0], launch.block[0]) == (blocks, threads)
    traffic = counted[launch.kernel]
    assert traffic.sectors_against_ideal >= 0.95
    assert traffic.bank_conflicts == 0
    assert any(name.startswith("shfl.sync") for name in traffic.instructions)


def test_product_of_whole_tiles() -> None:
    program, counted = measured(one_node("MatMul", [[64, 64]], [64, 128], [weight("w", 64, 128)]))
    (launch,) = program.plan
    traffic = counted[launch.kernel]
    assert traffic.sectors_against_ideal == 1
    assert traffic.bank_conflicts == 0
    assert traffic.instructions["fma.rn.f32"] == 64 * 64 * 128
    assert traffic.instructions["ld.shared.v4.b32"] > 0
    assert "st.shared.b32" in traffic.instructions


@pytest.mark.parametrize(
    "model",
    [
        one_node("Gemm", [[37, 45]], [37, 50], [weight("w", 45, 50), weight("b", 50)]),
        one_node("MatMul", [[33, 40], [40, 70]], [33, 70]),
        one_node("MatMul", [[2, 20, 33], [2, 33, 18]], [2, 20, 18]),
        one_node("Conv", [[1, 9, 12, 12]], [1, 20, 6, 6], [weight("w", 20, 9, 3, 3), weight("b", 20)], pads=[1, 1, 1, 1], strides=[2, 2]),
        one_node("Conv", [[1, 16, 9, 9]], [1, 24, 9, 9], [weight("w", 24, 16, 1, 1)]),
    ],
    ids=["gemm", "matmul", "batch", "conv", "pointwise"],
)
def test_ragged_products(model: onnx.ModelProto) -> None:
    program, counted = measured(model)
    (tiled,) = [launch.kernel for launch in program.plan if counted[launch.kernel].instructions["bar.sync"]]
    assert counted[tiled].bank_conflicts == 0
    assert counted[tiled].instructions["fma.rn.f32"] > 0


def test_a_missing_barrier_is_a_race() -> None:
    program = stepwell.compile(one_node("Softmax", [[5, 1000]], [5, 1000]), target="cuda-simulator")
    assert isinstance(program, GpuProgram)
    lines = program.ptx.splitlines()
    (first, *_) = [number for number, line in enumerate(lines) if "bar.sync" in line]
    program._module = program.driver.load("\n".join(lines[:first] + lines[first + 1 :]))  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(stepwell.CompileError, match="race"):
        program(np.ones((5, 1000), np.float32))
