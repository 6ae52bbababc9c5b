"""Level 4 text to machine code in this process, called on numpy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import IndexType, MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp

from stepwell.backends.cpu.codegen import SpillReport, compile_llvm_ir
from stepwell.backends.cpu.link import link
from stepwell.ir.registry import find_pass, make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir
from stepwell.lowering.machine.target import Target

Array = np.ndarray[Any, Any]

SERIAL_POOL = """
define void @stepwell_parallel_for(ptr %task, ptr %record, i64 %n, i64 %grain) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %end, %body ]
  %more = icmp slt i64 %i, %n
  br i1 %more, label %body, label %exit
body:
  %far = add i64 %i, %grain
  %short = icmp slt i64 %far, %n
  %end = select i1 %short, i64 %far, i64 %n
  call void %task(ptr %record, i64 %i, i64 %end)
  br label %loop
exit:
  ret void
}
"""
"""What stands for the thread pool: the same tasks, one after the other."""


def parse(text: str, passes: Sequence[str] = ("expand-math",)) -> ModuleOp:
    """A verified module, after these passes."""
    context = make_context()
    module = parse_module(text, context)
    module.verify()
    for name in passes:
        find_pass(name)().run(module, context)
        module.verify()
    return module


class Native:
    """The functions of a module, compiled for this machine."""

    def __init__(self, module: ModuleOp | str, target: Target | None = None, passes: Sequence[str] = ("expand-math",)) -> None:
        self.module = parse(module, passes) if isinstance(module, str) else module
        target = target or Target.host()
        self.text = emit_llvm_ir(self.module, target)
        code, self.reports = compile_llvm_ir(self.text, target)
        pool, _ = compile_llvm_ir(SERIAL_POOL, target)
        self.functions = {op.sym_name.data: op for op in self.module.ops if isinstance(op, FuncOp) and op.body.blocks}
        self.library = link([code, pool], list(self.functions), {})

    def report(self, name: str) -> SpillReport:
        """The spill report of a function."""
        return next(r for r in self.reports if r.function == name)

    def call(self, name: str, *arguments: Array | float) -> None:
        """Call a function: arrays for memrefs (with their strides), numbers for the rest."""
        types: list[Any] = []
        values: list[Any] = []
        for argument, type in zip(arguments, self.functions[name].function_type.inputs, strict=True):
            if isinstance(type, MemRefType):
                assert isinstance(argument, np.ndarray)
                strides = type.get_strides()
                assert strides is not None
                types.append(ctypes.c_void_p)
                values.append(argument.ctypes.data)
                for declared, bytes in zip(strides, argument.strides, strict=True):
                    step = bytes // argument.itemsize
                    if declared is None:
                        types.append(ctypes.c_int64)
                        values.append(step)
                    else:
                        assert declared == step or argument.size <= 1, f"the array has stride {step}, the memref {declared}"
            elif isinstance(type, IndexType) or str(type).startswith("i"):
                types.append({"i32": ctypes.c_int32, "i8": ctypes.c_int8, "i1": ctypes.c_bool}.get(str(type), ctypes.c_int64))
                values.append(int(argument))  # pyright: ignore[reportArgumentType]
            else:
                types.append(ctypes.c_double if str(type) == "f64" else ctypes.c_float)
                values.append(float(argument))  # pyright: ignore[reportArgumentType]
        ctypes.CFUNCTYPE(None, *types)(self.library[name])(*values)


def elementwise(body: str, element: str, result: str | None = None, lanes: int = 32, operands: int = 1) -> str:
    """A function @f(inputs..., output, n) that applies `body` (%x, %y -> %r) to vectors of `lanes` elements; n must be a multiple."""
    result = result or element
    names = ["x", "y", "z"][:operands]
    arguments = ", ".join(f"%{n}s: memref<?x{element}>" for n in names)
    zero = "0.0" if element[0] in "fb" else "0"
    vector, out = f"vector<{lanes}x{element}>", f"vector<{lanes}x{result}>"
    reads = "\n".join(
        f"    %{n} = vector.transfer_read %{n}s[%i], %zero {{in_bounds = [true]}} : memref<?x{element}>, {vector}" for n in names
    )
    return f"""
func.func @f({arguments}, %out: memref<?x{result}>, %n: index) {{
  %c0 = arith.constant 0 : index
  %step = arith.constant {lanes} : index
  %zero = arith.constant {zero} : {element}
  scf.for %i = %c0 to %n step %step {{
{reads}
{body}
    vector.transfer_write %r, %out[%i] {{in_bounds = [true]}} : {out}, memref<?x{result}>
  }}
  func.return
}}
"""


def apply(native: Native, inputs: Sequence[Array], dtype: Any, lanes: int = 32) -> Array:
    """Run an `elementwise` function on arrays of any length."""
    size = inputs[0].size
    padded = -(-size // lanes) * lanes
    full = [np.concatenate([x.reshape(-1), np.ones(padded - size, x.dtype)]) for x in inputs]
    out = np.zeros(padded, dtype)
    native.call("f", *full, out, padded)
    return out[:size]
