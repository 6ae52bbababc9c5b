"""Run functions on tensors with a real MLIR (torch-mlir's bindings), in a process of its own: a crash there is a failed test here.

In: the text of a module and, for each function to call, input arrays. Out: the result arrays of each. Unsigned and bf16 arrays travel as
the signed and integer arrays of the same bits that level 2 knows.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ml_dtypes import bfloat16

Array = np.ndarray[Any, np.dtype[Any]]

WORKER = r"""
import ctypes, pickle, sys
import numpy as np
import torch_mlir.ir as ir
from torch_mlir.passmanager import PassManager
from torch_mlir.execution_engine import ExecutionEngine
from torch_mlir.runtime import get_ranked_memref_descriptor

class Unranked(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int64), ("descriptor", ctypes.POINTER(ctypes.c_int64))]

def view(memref, size):
    # descriptor: allocated, aligned, offset, extents, strides
    rank, d = memref.contents.rank, memref.contents.descriptor
    extents, strides = [d[3 + i] for i in range(rank)], [d[3 + rank + i] for i in range(rank)]
    if 0 in extents:
        return np.zeros(extents, f"V{size}")
    span = sum((n - 1) * s for n, s in zip(extents, strides)) + 1
    raw = np.frombuffer((ctypes.c_char * (span * size)).from_address(d[1] + d[2] * size), f"V{size}")
    return np.lib.stride_tricks.as_strided(raw, extents, [s * size for s in strides], writeable=True)

@ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.POINTER(Unranked), ctypes.POINTER(Unranked))
def copy(size, source, target):
    view(target, size)[...] = view(source, size)

text, calls = pickle.load(sys.stdin.buffer)
passes = [
    "eliminate-empty-tensors", "empty-tensor-to-alloc-tensor",
    "one-shot-bufferize{bufferize-function-boundaries=true function-boundary-type-conversion=identity-layout-map}",
    "buffer-results-to-out-params{modify-public-functions=true}",
    "func.func(convert-linalg-to-loops)", "expand-strided-metadata", "lower-affine", "convert-scf-to-cf",
    "convert-math-to-funcs", "func.func(arith-expand{include-bf16=true})", "convert-math-to-llvm", "convert-math-to-libm",
    "finalize-memref-to-llvm", "convert-arith-to-llvm", "convert-index-to-llvm", "convert-cf-to-llvm", "convert-func-to-llvm",
    "reconcile-unrealized-casts",
]
context = ir.Context()
context.enable_multithreading(False)
with context, ir.Location.unknown():
    module = ir.Module.parse(text)
    for op in module.body.operations:
        if op.operation.name == "func.func" and ir.StringAttr(op.attributes["sym_name"]).value in calls:
            op.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
    for name in passes:
        PassManager.parse(f"builtin.module({name})").run(module.operation)
    engine = ExecutionEngine(module, opt_level=1)
    engine.raw_register_runtime("memrefCopy", ctypes.cast(copy, ctypes.c_void_p))
    answers = {}
    for name, (inputs, outputs) in calls.items():
        outputs = [np.zeros(shape, dtype) for shape, dtype in outputs]
        pointers = [ctypes.pointer(ctypes.pointer(get_ranked_memref_descriptor(a))) for a in (*inputs, *outputs)]
        engine.invoke(name, *pointers)
        answers[name] = outputs
pickle.dump(answers, sys.stdout.buffer)
"""


def _storage(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the same bits that travels."""
    if dtype == bfloat16:
        return np.dtype(np.int16)
    return np.dtype(f"int{8 * dtype.itemsize}") if dtype.kind == "u" else dtype


def run(text: str, calls: Mapping[str, tuple[Sequence[Array], Sequence[tuple[tuple[int, ...], Any]]]]) -> dict[str, list[Array]]:
    """Call functions of a module: name -> (inputs, (shape, dtype) of each result)."""
    packed = {
        name: (
            [np.array(a, order="C").view(_storage(a.dtype)) for a in inputs],
            [(shape, _storage(np.dtype(dtype)).name) for shape, dtype in outputs],
        )
        for name, (inputs, outputs) in calls.items()
    }
    process = subprocess.run(
        [sys.executable, "-c", WORKER], input=pickle.dumps((text, packed)), capture_output=True, timeout=300, check=False
    )
    if process.returncode != 0:
        raise RuntimeError(process.stderr.decode()[-4000:])
    answers = pickle.loads(process.stdout)
    return {name: [a.view(dtype) for a, (_, dtype) in zip(answers[name], calls[name][1], strict=True)] for name in calls}
