"""The two ways to level 5 are one: text directly, or the llvm dialect printed as text. Also after the dialect was printed and parsed."""

from __future__ import annotations

import pytest
import test_kernels_run as corpus
from native import parse
from test_kernels_run import kernels

from stepwell.backends.llvm_ir import emit_llvm_ir, print_llvm_ir
from stepwell.lowering.machine.convert_kernels_to_llvm import ConvertKernelsToLlvm

KERNELS = {
    "matmul": (kernels.matmul(), corpus.MATMUL.format(tail="overlap")),
    "matmul, masked": (kernels.matmul(packed=None, epilogue=False), corpus.MATMUL.format(tail="mask")),
    "conv": (kernels.conv(stride=2), corpus.CONV.format(tail="overlap")),
    "depthwise": (kernels.depthwise(), corpus.WINDOW),
    "pool": (kernels.max_pool(), corpus.WINDOW),
    "softmax": (kernels.softmax(), corpus.ROWS),
}


def check(text: str, passes: tuple[str, ...]) -> None:
    module = parse(text, passes)
    options = ConvertKernelsToLlvm()
    directly = emit_llvm_ir(module, options.target())
    options.run(module, None)  # pyright: ignore[reportArgumentType]
    module.verify()
    assert print_llvm_ir(module) == directly
    again = parse(str(module), ())
    assert print_llvm_ir(again) == directly


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str) -> None:
    kernel, schedule = KERNELS[name]
    check(kernel.scheduled(schedule), corpus.PASSES)


ODD_SHAPES = """
memref.global "private" constant @table : memref<4xf32> = dense<[1.0, -0.0, 0.1, 3.0]>
#t = affine_map<(d0, d1) -> (d1, d0)>
func.func @f(%x: memref<?x37xf32>, %y: memref<37x5xf32>, %b: memref<37xi1>, %h: memref<5xf16>, %w: memref<5xbf16>, %n: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant -0.0 : f32
  %false = arith.constant false
  %half = arith.constant 0.5 : f16
  %brain = arith.constant 0.1 : bf16
  %g = memref.get_global @table : memref<4xf32>
  %s = memref.alloca() : memref<4xf32>
  %gv = vector.transfer_read %g[%c0], %zero {in_bounds = [true]} : memref<4xf32>, vector<4xf32>
  vector.transfer_write %gv, %s[%c0] {in_bounds = [true]} : vector<4xf32>, memref<4xf32>
  %m = vector.create_mask %n, %n : vector<5x37xi1>
  %v = vector.transfer_read %x[%c1, %c0], %zero, %m {in_bounds = [true, true]} : memref<?x37xf32>, vector<5x37xf32>
  %k = arith.constant dense<[1.0, 2.0, 0.1, 0x7F800000, 0x7FC00000]> : vector<5xf32>
  %t = vector.transpose %v, [1, 0] : vector<5x37xf32> to vector<37x5xf32>
  %kb = vector.broadcast %k : vector<5xf32> to vector<37x5xf32>
  %a = arith.addf %t, %kb : vector<37x5xf32>
  %one = arith.constant dense<1.0> : vector<37x5xf32>
  %q = arith.maximumf %a, %one : vector<37x5xf32>
  vector.transfer_write %q, %y[%c0, %c0] {in_bounds = [true, true]} : vector<37x5xf32>, memref<37x5xf32>
  vector.transfer_write %v, %y[%c0, %c0] {in_bounds = [true, true], permutation_map = #t} : vector<5x37xf32>, memref<37x5xf32>
  %bits = vector.transfer_read %b[%c0], %false {in_bounds = [true]} : memref<37xi1>, vector<37xi1>
  %ints = arith.extui %bits : vector<37xi1> to vector<37xi32>
  %r = vector.reduction <add>, %ints : vector<37xi32> into i32
  %f = vector.reduction <add>, %k : vector<5xf32> into f32
  %top = vector.reduction <maximumf>, %k : vector<5xf32> into f32
  %hv = vector.transfer_read %h[%c0], %half {in_bounds = [true]} : memref<5xf16>, vector<5xf16>
  %hw = arith.extf %hv : vector<5xf16> to vector<5xf32>
  %wv = arith.truncf %hw : vector<5xf32> to vector<5xbf16>
  %ws = arith.addf %wv, %wv : vector<5xbf16>
  vector.transfer_write %ws, %w[%c0] {in_bounds = [true]} : vector<5xbf16>, memref<5xbf16>
  memref.prefetch %x[%n, %c1], write, locality<2>, data : memref<?x37xf32>
  %big = arith.cmpi sgt, %n, %c1 : index
  scf.if %big {
    %ft = arith.addf %f, %top : f32
    memref.store %ft, %s[%c1] : memref<4xf32>
  } else {
    %z = math.ctlz %r : i32
    %zf = arith.sitofp %z : i32 to f32
    %zn = arith.negf %zf : f32
    memref.store %zn, %s[%c0] : memref<4xf32>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %f, %y[%i, %c0] : memref<37x5xf32>
  }
  func.return %r : i32
}
"""


def test_odd_shapes_and_types() -> None:
    check(ODD_SHAPES, ())
