"""The pass `convert-kernels-to-llvm`, and the same conversion straight to text."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from stepwell.dialects.gpu.functions import GPUFuncOp, GPUModuleOp
from stepwell.ir.passes import Pass
from stepwell.lowering.machine import (
    control,
    dot_products,
    gpu_threads,
    indices,
    memory,
    pieces_arith,
    pieces_math,
    pieces_vector,
    reductions,
    views,
)
from stepwell.lowering.machine.functions import emit_function
from stepwell.lowering.machine.sink import Sink
from stepwell.lowering.machine.target import Target
from stepwell.lowering.machine.text_sink import LlvmTextSink
from stepwell.lowering.machine.walk import Walk

HANDLERS = (control, dot_products, gpu_threads, indices, memory, pieces_arith, pieces_math, pieces_vector, reductions, views)
"""The modules that say how ops are emitted: importing them fills the tables of `emit_tables`."""


def functions_of(module_or_functions: ModuleOp | Iterable[FuncOp], names: Collection[str] | None = None) -> list[FuncOp]:
    """The functions that have bodies; only those in `names`, if given."""
    ops = module_or_functions.ops if isinstance(module_or_functions, ModuleOp) else module_or_functions
    return [op for op in ops if isinstance(op, FuncOp) and op.body.blocks and (names is None or op.sym_name.data in names)]


def gpu_functions_of(module: ModuleOp) -> list[GPUFuncOp]:
    """The kernels of the GPU modules of a module."""
    return [op for device in module.ops if isinstance(device, GPUModuleOp) for op in device.body.block.ops if isinstance(op, GPUFuncOp)]


def emit_functions(chosen: Iterable[FuncOp | GPUFuncOp], sink: Sink, target: Target) -> None:
    """Emit functions of level 4 into a sink."""
    walk = Walk(sink, target)
    for function in chosen:
        emit_function(walk, function)


def emit_llvm_ir(module_or_functions: ModuleOp | Iterable[FuncOp], target: Target, names: Collection[str] | None = None) -> str:
    """LLVM IR text of functions at level 4, of those in `names` only if given. Callees that are not among them are declared.

    Raises CompileError for what level 5 cannot say.
    """
    sink = LlvmTextSink(target)
    emit_functions(functions_of(module_or_functions, names), sink, target)
    return sink.text()


def emit_gpu_llvm_ir(functions: Iterable[GPUFuncOp], target: Target) -> str:
    """LLVM IR text of kernels of a GPU at level 4. Raises CompileError for what level 5 cannot say."""
    sink = LlvmTextSink(target)
    emit_functions(functions, sink, target)
    return sink.text()


@dataclass(frozen=True)
class ConvertKernelsToLlvm(Pass):
    """Functions of n-D vectors in structured control flow become functions of the llvm dialect: 1-D vectors, blocks, pointers.

    before:
    ```mlir
    func.func @relu(%x: memref<?xf32>, %y: memref<?xf32>, %i: index) {
      %zero = arith.constant 0.0 : f32
      %zeros = arith.constant dense<0.0> : vector<32xf32>
      %v = vector.transfer_read %x[%i], %zero {in_bounds = [true]} : memref<?xf32>, vector<32xf32>
      %r = arith.maximumf %v, %zeros : vector<32xf32>
      vector.transfer_write %r, %y[%i] {in_bounds = [true]} : vector<32xf32>, memref<?xf32>
      func.return
    }
    ```
    after, with 16 lanes (the second half likewise):
    ```mlir
    llvm.func @relu(%x: !llvm.ptr {llvm.noalias, llvm.readonly}, %y: !llvm.ptr {llvm.noalias}, %i: i64) {
      %zeros = llvm.mlir.constant(dense<0.0> : vector<16xf32>) : vector<16xf32>
      %p = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
      %c = llvm.fcmp "ogt" %zeros, %v : vector<16xf32>
      %r = llvm.select %c, %zeros, %v : vector<16xi1>, vector<16xf32>
      %q = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      llvm.store %r, %q {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
      ...
    ```
    `cpu` and `features` are LLVM's; without them, code is made for this machine.
    """

    name: ClassVar[str] = "convert-kernels-to-llvm"

    vector_bytes: int = 0
    """Width of a vector register; 0: that of this machine."""
    cpu: str = ""
    features: str = ""
    triple: str = "x86_64-unknown-linux-gnu"

    def target(self) -> Target:
        """The processor that the options describe."""
        if not self.cpu and not self.features:
            host = Target.host()
            return Target(host.triple, host.cpu, host.features, self.vector_bytes or host.vector_bytes)
        features = tuple(f for f in self.features.split(",") if f)
        return Target(self.triple, self.cpu or "x86-64", features, self.vector_bytes or 16)

    def run(self, op: Operation, ctx: Context) -> None:
        from stepwell.lowering.machine.dialect_sink import LlvmDialectSink

        assert isinstance(op, ModuleOp)
        target = self.target()
        old = list(op.ops)
        sink = LlvmDialectSink(target, op)
        emit_functions(functions_of(op), sink, target)
        for replaced in old:
            replaced.detach()
            replaced.erase(safe_erase=False)
        sink.finish()
