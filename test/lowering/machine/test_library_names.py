"""A kernel named like a function of the C library must not become what LLVM calls for an operation."""

from __future__ import annotations

from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir
from stepwell.lowering.machine.target import Target

MODULE = """
func.func private @floor(%x: memref<f64>) attributes {kernel} {
  %v = memref.load %x[] : memref<f64>
  %f = math.floor %v : f64
  memref.store %f, %x[] : memref<f64>
  func.return
}
func.func @main(%x: memref<f64>) {
  func.call @floor(%x) : (memref<f64>) -> ()
  func.return
}
"""


def test_kernel_named_floor_has_a_symbol_of_its_own() -> None:
    target = Target("x86_64-unknown-linux-gnu", "x86-64", (), 16)
    text = emit_llvm_ir(parse_module(MODULE, make_context()), target)
    assert "define void @floor_kernel(" in text
    assert "call void @floor_kernel(" in text
    assert "@floor(" not in text.replace("@llvm.floor", "")
