"""From level 1 to a program on a GPU: the pipelines in order, PTX of all kernels, the plan of launches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp

from stepwell.backends.cpu.compile import signature
from stepwell.backends.cpu.image import TensorSpec
from stepwell.backends.cpu.weights import take_weights
from stepwell.backends.ptx.codegen import compile_ptx, gpu_target
from stepwell.backends.ptx.driver import CudaDriver, Driver, SimulatedDriver, missing_gpu
from stepwell.backends.ptx.plan import Launch, launches_of
from stepwell.backends.ptx.program import GpuProgram
from stepwell.backends.ptx.simulate.values import Array
from stepwell.ir.diagnostics import CompileError, only_compile_errors
from stepwell.ir.manager.pass_manager import parse_pipeline
from stepwell.lowering.pipelines import GPU_LEVELS

TARGETS = ("cuda", "cuda-simulator")
DEFAULT_GPU = "sm_80"
LEVELS = {"nn": 3, "linalg": 4, "affine": 6, "vector": 7, "gpu": len(GPU_LEVELS), "ptx": len(GPU_LEVELS)}
"""Level -> how many of the pipelines of `GPU_LEVELS` lead to it."""


def check_target(target: str) -> None:
    """Raises CompileError for what is no target, and where there is no GPU for it."""
    if target not in TARGETS:
        raise CompileError(f"unknown target '{target}'", hint=f"cpu, {', '.join(TARGETS)}")
    if target == "cuda" and (reason := missing_gpu()) is not None:
        raise CompileError(reason, hint='target="cuda-simulator" runs the same code without a GPU')


@dataclass(frozen=True)
class GpuCode:
    """A model compiled, before there is a GPU to run it."""

    ptx: str
    plan: list[Launch]
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    arena: int
    """Bytes of memory for what stands between the kernels."""
    weights: Array


def code_for_gpu(module: ModuleOp, context: Context, gpu: str = DEFAULT_GPU) -> GpuCode:
    """PTX and the launches of a model at level 1, for a GPU by its architecture's name. Consumes the module. Raises CompileError only."""
    from stepwell.lowering.machine.convert_kernels_to_llvm import emit_gpu_llvm_ir, gpu_functions_of

    doing = "the GPU pipeline"
    with only_compile_errors(lambda: doing):
        machine = gpu_target(gpu)
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
        return GpuCode(ptx, plan, inputs, outputs, size, weights)


def print_gpu_level(module: ModuleOp, context: Context, level: str, gpu: str = DEFAULT_GPU, elide: int | None = None) -> str:
    """A model at level 1 as text at a level of the stairs to a GPU (`LEVELS`). Consumes the module. Raises CompileError only."""
    from stepwell.ir.text.printing import PrintOptions, print_ir

    if level not in LEVELS:
        raise CompileError(f"unknown level '{level}' of a GPU", hint=f"one of {', '.join(LEVELS)}")
    if level == "ptx":
        return code_for_gpu(module, context, gpu).ptx
    gpu_target(gpu)
    doing = "the GPU pipeline"
    with only_compile_errors(lambda: doing):
        for name in GPU_LEVELS[: LEVELS[level]]:
            doing = f"pipeline '{name}'"
            parse_pipeline(f"builtin.module({name})").run(module, context, [])
    return print_ir(module, PrintOptions(elide_larger=elide), context.loaded_dialects)


def compile_for_gpu(module: ModuleOp, context: Context, target: str, gpu: str = DEFAULT_GPU, driver: Driver | None = None) -> GpuProgram:
    """A program for the `target` "cuda" or "cuda-simulator", in code for `gpu`. Consumes the module. Raises CompileError only."""
    check_target(target)
    code = code_for_gpu(module, context, gpu)
    with only_compile_errors("loading onto the GPU"):
        driver = driver or (CudaDriver() if target == "cuda" else SimulatedDriver())
        return GpuProgram(driver, code.ptx, code.plan, code.inputs, code.outputs, code.arena, code.weights)


def _bytes(weights: object) -> Array:
    from stepwell.backends.cpu.weights import Weights

    assert isinstance(weights, Weights)
    block = np.zeros(weights.size, np.uint8)
    for offset, payload in weights.payloads:
        block[offset : offset + len(payload)] = np.frombuffer(payload, np.uint8)
    return block
