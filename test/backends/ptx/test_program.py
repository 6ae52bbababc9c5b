"""Models compiled for a GPU, run on the simulated one, against the CPU backend; what the host plans; what is refused."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import stepwell
from stepwell.backends.ptx.codegen import compile_ptx, gpu_target
from stepwell.backends.ptx.driver import CudaDriver, SimulatedDriver
from stepwell.backends.ptx.program import GpuProgram
from stepwell.ir.diagnostics import CompileError

Array = np.ndarray[Any, np.dtype[Any]]


def small_network() -> onnx.ModelProto:
    rng = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.standard_normal(shape) * 0.2).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "d"], ["g"]),
        helper.make_node("Softmax", ["g"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 10])],
        [weight("w", 8, 3, 3, 3), weight("b", 8), weight("v", 128, 10), weight("d", 10)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def one_node(kind: str, shape: Sequence[int], result: Sequence[int], **attributes: Any) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node(kind, ["x"], ["y"], **attributes)],
        kind,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def both(model: onnx.ModelProto) -> tuple[GpuProgram, dict[str, Array], dict[str, Array]]:
    program = stepwell.compile(model, target="cuda-simulator")
    assert isinstance(program, GpuProgram)
    rng = np.random.default_rng(1)
    given = {spec.name: rng.standard_normal(spec.shape).astype(spec.numpy_dtype) for spec in program.inputs}
    return program, program(given), stepwell.compile(model)(given)


def test_a_network() -> None:
    program, found, expected = both(small_network())
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-5, atol=1e-6)
    assert {"conv_add_relu", "max_pool", "softmax"} <= {launch.kernel for launch in program.plan}
    assert next(launch for launch in program.plan if launch.kernel == "conv_add_relu").grid == (4, 1, 1)
    assert isinstance(program.driver, SimulatedDriver)
    assert sum(sum(t.instructions.values()) for t in program.driver.traffic["conv_add_relu"]) > 2 * 8 * 8 * 8 * 27
    again = program(np.ones((2, 3, 8, 8), np.float32))
    assert not np.allclose(again["y"], found["y"])


@pytest.mark.parametrize(
    "model",
    [
        one_node("Exp", [3, 5], [3, 5]),
        one_node("Erf", [300], [300]),
        one_node("Transpose", [2, 3, 4], [4, 2, 3], perm=[2, 0, 1]),
        one_node("ReduceMean", [4, 6, 5], [4, 1, 5], axes=[1]),
        one_node("LogSoftmax", [7, 33], [7, 33]),
        one_node("LRN", [1, 6, 4, 4], [1, 6, 4, 4], size=3),
        one_node("GlobalAveragePool", [2, 3, 5, 5], [2, 3, 1, 1]),
    ],
    ids=lambda model: model.graph.name,
)
def test_one_kernel(model: onnx.ModelProto) -> None:
    _, found, expected = both(model)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-5, atol=1e-6)


class Status(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_OUT_OF_MEMORY = 2


class FakeCuda:
    """The functions of `cuda.bindings.driver` that the launcher uses, over the simulated GPU."""

    def __init__(self) -> None:
        self.gpu = SimulatedDriver()
        self.refuse = ""

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            if name == self.refuse:
                return (Status.CUDA_ERROR_OUT_OF_MEMORY,)
            action = getattr(type(self), f"do_{name}", None)
            result = 1 if action is None else action(self, *arguments)
            return (Status.CUDA_SUCCESS, *(() if result is None else (result,)))

        return call

    def do_cuModuleLoadData(self, text: bytes) -> Any:
        assert text.endswith(b"\0")
        return self.gpu.load(text[:-1].decode())

    def do_cuMemAlloc(self, size: int) -> int:
        return self.gpu.allocate(size)

    def do_cuMemFree(self, address: int) -> None:
        self.gpu.free(address)

    def do_cuMemcpyHtoD(self, address: int, pointer: int, size: int) -> None:
        self.gpu.upload(address, np.frombuffer(ctypes.string_at(pointer, size), np.uint8))

    def do_cuMemcpyDtoH(self, pointer: int, address: int, size: int) -> None:
        array = np.empty(size, np.uint8)
        self.gpu.download(address, array)
        ctypes.memmove(pointer, array.ctypes.data, size)

    def do_cuModuleGetFunction(self, module: Any, name: bytes) -> Any:
        return SimpleNamespace(module=module, name=name.decode())

    def do_cuLaunchKernel(self, function: Any, *arguments: Any) -> None:
        gx, gy, gz, bx, by, bz, shared, _, (values, kinds), _ = arguments
        assert shared == 0
        assert len(values) == len(kinds)
        self.gpu.launch(function.module, function.name, (gx, gy, gz), (bx, by, bz), values)


def test_the_launcher_of_a_real_gpu_against_a_fake_driver() -> None:
    program, expected, _ = both(small_network())
    fake = FakeCuda()
    real = GpuProgram(CudaDriver(fake), program.ptx, program.plan, program.inputs, program.outputs, 1 << 16, program.weights)
    given = np.random.default_rng(1).standard_normal((2, 3, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(real(given)["y"], expected["y"])
    real.close()
    assert len(fake.gpu.machine.heap.allocations) == 1  # the block of parameters
    fake.refuse = "cuMemAlloc"
    with pytest.raises(CompileError, match="the GPU refuses cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY"):
        GpuProgram(CudaDriver(fake), program.ptx, program.plan, program.inputs, program.outputs, 1 << 16, program.weights)


@pytest.mark.parametrize("gpu", ["sm_80", "sm_90a", "sm_100"])
def test_ptx_for_every_gpu(gpu: str) -> None:
    ir = 'target triple = "nvptx64-nvidia-cuda"\ndefine ptx_kernel void @k(ptr %p) {\n  store i32 1, ptr %p\n  ret void\n}\n'
    text = compile_ptx(ir, gpu_target(gpu))
    assert f".target {gpu}" in text
    assert ".entry k(" in text


def test_what_llvm_cannot_select_is_an_error() -> None:
    ir = "declare float @llvm.log.f32(float)\ndefine ptx_kernel void @k(ptr %p) {\n  %x = load float, ptr %p\n"
    ir += "  %y = call float @llvm.log.f32(float %x)\n  store float %y, ptr %p\n  ret void\n}\n"
    with pytest.raises(CompileError, match="LLVM cannot make PTX for sm_80"):
        compile_ptx(ir, gpu_target("sm_80"))
    with pytest.raises(CompileError, match="LLVM cannot make PTX for sm_80"):
        compile_ptx("no LLVM IR", gpu_target("sm_80"))


def test_mistakes() -> None:
    with pytest.raises(CompileError, match="unknown GPU 'sm_99'"):
        gpu_target("sm_99")
    with pytest.raises(CompileError, match="unknown target 'tpu'"):
        stepwell.compile(small_network(), target="tpu")
    program = stepwell.compile(one_node("Exp", [3], [3]), target="cuda-simulator")
    with pytest.raises(CompileError, match="input 'x' is missing"):
        program()
    with pytest.raises(CompileError, match="no input is named 'z'"):
        program(z=np.zeros(3, np.float32))
    with pytest.raises(CompileError, match=r"input 'x' is float64\[3\], the program takes float32\[3\]"):
        program(np.zeros(3))
