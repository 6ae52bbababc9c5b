"""Matmul tiles as the vectoriser makes them fill the registers and do not spill; a whole kernel is right on ragged shapes."""

from __future__ import annotations

import numpy as np
import pytest
import test_kernels_run as corpus
from native import Native, parse
from test_kernels_run import kernels

from stepwell.lowering.machine.target import Target

TILES = [(14, 32), (8, 48), (6, 64), (12, 32), (1, 128)]


@pytest.mark.skipif(Target.host().vector_bytes < 64, reason="the tiles are those of 32 registers of 64 bytes")
@pytest.mark.parametrize("unroll", [1, 2, 4])
@pytest.mark.parametrize(("rows", "columns"), TILES)
def test_no_spills(rows: int, columns: int, unroll: int) -> None:
    schedule = f"""[["fuse", "m", "n"], ["split", "m", {rows}, "mr", "overlap"], ["split", "n", {columns}, "nr"],
      ["reorder", "m", "n", "mr", "nr"], ["parallel", "m"], ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["prefetch", 1, "k", 8],
      ["unroll", "k", {unroll}]]"""
    native = Native(parse(kernels.matmul(packed=columns).scheduled(schedule), corpus.PASSES))
    report = native.report("k_task")
    assert report.fmas == rows * columns // 16 * unroll
    assert report.stack_accesses == 0
    assert report.instructions < 2.6 * report.fmas + 20


EXAMPLE = """
#sub = affine_map<(d0, d1) -> (d0 - d1)>
#panel = affine_map<(d0) -> (d0 floordiv 32)>
#kend = affine_map<(d0)[s0] -> (d0 + 256, s0)>
#mend = affine_map<(d0)[s0] -> (d0 + 112, s0)>
#full14 = affine_map<(d0, d1) -> (d0 + ((d1 - d0) floordiv 14) * 14)>
func.func @matmul_bias_gelu(%A: MAT, %B: PAN, %bias: memref<?xf32>,
    %C: MAT, %M: index, %N: index, %K: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c14 = arith.constant 14 : index
  %c32 = arith.constant 32 : index
  %c112 = arith.constant 112 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  scf.parallel (%lo) = (%c0) to (%M) step (%c112) {
    %hi = affine.min #mend(%lo)[%M]
    scf.for %kc = %c0 to %K step %c256 {
      %ke = affine.min #kend(%kc)[%K]
      %first = arith.cmpi eq, %kc, %c0 : index
      %last = arith.cmpi eq, %ke, %K : index
      %tall = affine.apply #full14(%lo, %hi)
TILES
    }
  }
  func.return
}
"""
TILE = """
      scf.for %mR = FROM to TO step %cR {
        scf.for %nR = %c0 to %N step %c32 {
          %pR = affine.apply #panel(%nR)
          %leftR = affine.apply #sub(%N, %nR)
          %keptR = arith.select %first, %c0, %leftR : index
          %oldR = vector.create_mask %cR, %keptR : vector<Rx32xi1>
          %maskR = vector.create_mask %cR, %leftR : vector<Rx32xi1>
          %mbR = vector.create_mask %leftR : vector<32xi1>
          %initR = vector.transfer_read %C[%mR, %nR], %zero, %oldR {in_bounds = [true, true]} : MAT, vector<Rx32xf32>
          %accR = scf.for %kR = %kc to %ke step %c1 iter_args(%cR_ = %initR) -> (vector<Rx32xf32>) {
            %bR = vector.transfer_read %B[%pR, %kR, %c0], %zero {in_bounds = [true]} : PAN, vector<32xf32>
            %aR = vector.transfer_read %A[%mR, %kR], %zero {in_bounds = [true, true]} : MAT, vector<Rx1xf32>
            %avR = vector.broadcast %aR : vector<Rx1xf32> to vector<Rx32xf32>
            %bvR = vector.broadcast %bR : vector<32xf32> to vector<Rx32xf32>
            %sR = vector.fma %avR, %bvR, %cR_ : vector<Rx32xf32>
            scf.yield %sR : vector<Rx32xf32>
          }
          scf.if %last {
            %biR = vector.transfer_read %bias[%nR], %zero, %mbR {in_bounds = [true]} : memref<?xf32>, vector<32xf32>
            %bbR = vector.broadcast %biR : vector<32xf32> to vector<Rx32xf32>
            %xR = arith.addf %accR, %bbR : vector<Rx32xf32>
            %onR = arith.constant dense<1.0> : vector<Rx32xf32>
            %h0R = arith.constant dense<0.044715> : vector<Rx32xf32>
            %h1R = arith.constant dense<-1.5957691> : vector<Rx32xf32>
            %x2R = arith.mulf %xR, %xR : vector<Rx32xf32>
            %qR = math.fma %x2R, %h0R, %onR : vector<Rx32xf32>
            %xkR = arith.mulf %xR, %h1R : vector<Rx32xf32>
            %zR = arith.mulf %xkR, %qR : vector<Rx32xf32>
            %eR = math.exp %zR : vector<Rx32xf32>
            %dR = arith.addf %eR, %onR : vector<Rx32xf32>
            %gR = arith.divf %xR, %dR : vector<Rx32xf32>
            vector.transfer_write %gR, %C[%mR, %nR], %maskR {in_bounds = [true, true]} : vector<Rx32xf32>, MAT
          } else {
            vector.transfer_write %accR, %C[%mR, %nR], %maskR {in_bounds = [true, true]} : vector<Rx32xf32>, MAT
          }
        }
      }
"""


def gelu_matmul() -> str:
    """gelu(A * B + bias): tiles of 14 rows, then of one."""
    tall = TILE.replace("FROM", "%lo").replace("TO", "%tall").replace("R", "14")
    single = TILE.replace("FROM", "%tall").replace("TO", "%hi").replace("R", "1")
    text = EXAMPLE.replace("TILES", tall + single)
    return text.replace("MAT", "memref<?x?xf32, strided<[?, 1]>>").replace("PAN", "memref<?x?x32xf32, strided<[?, 32, 1]>>")


def test_gelu_of_ragged_shapes() -> None:
    """C is not a number before, and what lies around it stays so."""
    native = Native(gelu_matmul())
    rng = np.random.default_rng(0)
    for m, n, k in [(1, 1, 1), (14, 32, 4), (13, 31, 3), (29, 100, 257), (113, 385, 513)]:
        a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
        bias = rng.standard_normal(n).astype(np.float32)
        panels = np.ascontiguousarray(np.pad(b, ((0, 0), (0, -n % 32))).reshape(k, -1, 32).transpose(1, 0, 2))
        c = np.full((m + 2, n + 5), np.nan, np.float32)
        native.call("matmul_bias_gelu", a, panels, bias, c[1:-1, :n], m, n, k)
        x = a.astype(np.float64) @ b + bias
        with np.errstate(over="ignore"):
            want = x / (1 + np.exp(-1.5957691 * x * (1 + 0.044715 * x * x)))
        np.testing.assert_allclose(c[1:-1, :n], want, rtol=2e-5, atol=2e-5)
        outside = np.ones(c.shape, np.bool_)
        outside[1:-1, :n] = False
        assert np.isnan(c[outside]).all()
