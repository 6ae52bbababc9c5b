"""What NVIDIA's assembler says of kernels: read, and asked where it is installed. The levels of the stairs to a GPU as text."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell.api
from stepwell.backends.ptx.assemble import MULTIPROCESSORS, Resources, _resources, assemble, find_assembler  # pyright: ignore
from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.__main__ import main

SAID = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'a' for 'sm_80'
ptxas info    : Function properties for a
    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 512 bytes smem, 432 bytes cmem[0]
ptxas info    : Compiling entry function 'b' for 'sm_80'
ptxas info    : Function properties for b
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 0 barriers, 432 bytes cmem[0]
"""

LEVELS = (("affine", "#gpu.address_space<workgroup>"), ("gpu", "gpu.shuffle"), ("ptx", ".target sm_90a"))
"""What is seen at each level."""


def network() -> onnx.ModelProto:
    weight = numpy_helper.from_array(np.ones((32, 48), np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Softmax", ["p"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [40, 32])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [40, 48])
    graph = helper.make_graph(nodes, "network", [x], [y], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_what_ptxas_says() -> None:
    assert _resources(SAID) == [Resources("a", 40, 512, 16, 12), Resources("b", 10, 0, 0, 0)]
    with pytest.raises(CompileError, match="says nothing of the registers of kernel c"):
        _resources("Compiling entry function 'c' for 'sm_80'")


@pytest.mark.parametrize(
    ("registers", "shared", "threads", "expected"), [(32, 0, 256, 1.0), (64, 0, 256, 0.5), (255, 0, 256, 0.125), (32, 81 << 10, 256, 0.25)]
)
def test_occupancy(registers: int, shared: int, threads: int, expected: float) -> None:
    assert MULTIPROCESSORS["sm_80"].occupancy(Resources("k", registers, shared, 0, 0), threads) == expected


@pytest.mark.skipif(find_assembler() is None, reason="ptxas is not installed (pip install nvidia-cuda-nvcc)")
@pytest.mark.parametrize("gpu", list(MULTIPROCESSORS))
def test_kernels_do_not_spill(gpu: str) -> None:
    code = stepwell.api.gpu_code(network(), gpu=gpu)
    resources = assemble(code.ptx, gpu)
    assert {r.kernel for r in resources} == {launch.kernel for launch in code.plan}
    assert all(r.spills == 0 and r.registers <= 255 for r in resources)
    with pytest.raises(CompileError, match="ptxas refuses the code"):
        assemble(".version 8.0\n.target sm_80\nnonsense", gpu)


def test_no_assembler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.backends.ptx.assemble.find_assembler", lambda: None)
    with pytest.raises(CompileError, match="ptxas is not installed"):
        assemble("", "sm_80")


def test_levels(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    path = f"{tmp_path}/network.onnx"
    onnx.save(network(), path)
    for level, expected in LEVELS:
        assert main(["compile", path, "--target", "cuda", "--gpu", "sm_90a", "--stop-after", level]) == 0
        assert expected in capsys.readouterr().out
    assert main(["compile", path, "--target", "cuda", "--gpu", "sm_1", "--stop-after", "ptx"]) != 0
    assert "unknown GPU 'sm_1'" in capsys.readouterr().err
    assert main(["compile", path, "--target", "cuda", "--stop-after", "asm"]) != 0
    assert "unknown level 'asm' of a GPU" in capsys.readouterr().err
    assert main(["compile", path, "--target", "cuda"]) != 0
    assert "not kept in the cache" in capsys.readouterr().err
