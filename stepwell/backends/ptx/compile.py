"""From level 1 to a program on a GPU: the pipelines in order, PTX of all kernels, the plan of launches."""

from __future__ import annotations

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp

from stepwell.backends.cpu.compile import signature
from stepwell.backends.cpu.weights import take_weights
from stepwell.backends.ptx.codegen import compile_ptx, gpu_target
from stepwell.backends.ptx.driver import CudaDriver, Driver, SimulatedDriver, missing_gpu
from stepwell.backends.ptx.plan import launches_of
from stepwell.backends.ptx.program import GpuProgram
from stepwell.backends.ptx.simulate.values import Array
from stepwell.ir.diagnostics import CompileError, only_compile_errors
from stepwell.ir.manager.pass_manager import parse_pipeline
from stepwell.lowering.pipelines import GPU_LEVELS

TARGETS = ("cuda", "cuda-simulator")
DEFAULT_GPU = "sm_80"


def check_target(target: str) -> None:
    """Raises CompileError for what is no target, and where there is no GPU for it."""
    if target not in TARGETS:
        raise CompileError(f"unknown target '{target}'", hint=f"cpu, {', '.join(TARGETS)}")
    if target == "cuda" and (reason := missing_gpu()) is not None:
        raise CompileError(reason, hint='target="cuda-simulator" runs the same code without a GPU')


def compile_for_gpu(module: ModuleOp, context: Context, target: str, gpu: str = DEFAULT_GPU, driver: Driver | None = None) -> GpuProgram:
    """A program for the `target` "cuda" or "cuda-simulator", in code for `gpu`. Consumes the module. Raises CompileError only."""
    from stepwell.lowering.machine.convert_kernels_to_llvm import emit_gpu_llvm_ir, gpu_functions_of

    check_target(target)
    doing = "the GPU pipeline"
    with only_compile_errors(lambda: doing):
        machine = gpu_target(gpu)
        driver = driver or (CudaDriver() if target == "cuda" else SimulatedDriver())
        inputs, outputs, _ = signature(module)
        for name in GPU_LEVELS:
            doing = f"pipeline '{name}'"
            parse_pipeline(f"builtin.module({name})").run(module, context, [])
        doing = "code generation"
        plan = launches_of(module)
        weights = _bytes(take_weights(module))
        ptx = compile_ptx(emit_gpu_llvm_ir(gpu_functions_of(module), machine), machine)
        arena = module.attributes.get("stepwell.arena_size")
        size = int(arena.value.data) if isinstance(arena, IntegerAttr) else 0
        return GpuProgram(driver, ptx, plan, inputs, outputs, size, weights)


def _bytes(weights: object) -> Array:
    from stepwell.backends.cpu.weights import Weights

    assert isinstance(weights, Weights)
    block = np.zeros(weights.size, np.uint8)
    for offset, payload in weights.payloads:
        block[offset : offset + len(payload)] = np.frombuffer(payload, np.uint8)
    return block
