"""From a kernel at level 3a to numbers: lower it as the pipeline does, verify every stage, run level 4."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from kernels import Array, Kernel
from stepwell.ir.registry import find_pass, make_context

PASSES = ("apply-schedule", "vectorize")


def lower(text: str, passes: tuple[str, ...] = PASSES) -> ModuleOp:
    """A module after these passes, verified after each."""
    context = make_context()
    module = Parser(context, text).parse_module()
    module.verify()
    for name in passes:
        find_pass(name)().run(module, context)
        module.verify()
    return module


def check(kernel: Kernel, schedule: str, *extents: int, seed: int = 0, passes: tuple[str, ...] = PASSES) -> ModuleOp:
    """Run a scheduled kernel on these extents and compare with its numpy meaning."""
    module = lower(kernel.scheduled(schedule), passes)
    arguments = kernel.make(np.random.default_rng(seed), *extents)
    expected = kernel.reference(*(a.copy() for a in arguments))
    run(module, "k", *arguments, *extents, 1)
    results = arguments[-kernel.outputs :]
    for result, want in zip(results, expected if isinstance(expected, list) else [expected], strict=True):
        if kernel.tolerance:
            np.testing.assert_allclose(result.astype(np.float64), want.astype(np.float64), rtol=kernel.tolerance, atol=kernel.tolerance)
        else:
            np.testing.assert_array_equal(result, want)
    return module


# ---- running --------------------------------------------------------------------------------------------------------------------

_LOWER = (
    "func.func(lower-affine)",
    "convert-vector-to-scf",
    "convert-scf-to-cf",
    "expand-strided-metadata",
    "lower-affine",
    "func.func(arith-expand)",
    "convert-vector-to-llvm",
    "convert-math-to-llvm",
    "convert-math-to-libm",
    "finalize-memref-to-llvm",
    "convert-arith-to-llvm",
    "convert-index-to-llvm",
    "convert-ub-to-llvm",
    "convert-cf-to-llvm",
    "convert-func-to-llvm",
    "reconcile-unrealized-casts",
)


def run(module: ModuleOp, name: str, *arguments: Array | int) -> None:
    """Run a function of memrefs and indices on numpy arrays, in place, by MLIR's own lowering."""
    import torch_mlir.ir as ir
    from torch_mlir.execution_engine import ExecutionEngine
    from torch_mlir.passmanager import PassManager
    from torch_mlir.runtime import get_ranked_memref_descriptor

    context = ir.Context()
    context.enable_multithreading(False)
    with context, ir.Location.unknown():
        parsed = ir.Module.parse(str(module).replace("func.func private", "func.func"))
        for op in parsed.body.operations:
            op.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
        for step in _LOWER:
            PassManager.parse(f"builtin.module({step})").run(parsed.operation)
        engine = ExecutionEngine(parsed, opt_level=1)
        packed: list[Any] = []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                packed.append(ctypes.pointer(ctypes.pointer(get_ranked_memref_descriptor(argument))))
            else:
                packed.append(ctypes.pointer(ctypes.c_int64(argument)))
        engine.invoke(name, *packed)
