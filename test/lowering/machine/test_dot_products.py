"""`vector.contract` of bytes on this machine, with and without its instruction, in registers of every width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from native import Native

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target

TEXT = """
func.func @dot(%A: memref<3x4xi8>, %B: memref<{n}x{w}xi8>, %C: memref<3x{n}xi32>) {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i8
  %none = arith.constant 0 : i32
  %a = vector.transfer_read %A[%c0, %c0], %zero {{in_bounds = [true, true]}} : memref<3x4xi8>, vector<3x4xi8>
  %b = vector.transfer_read %B[%c0, %c0], %zero {{in_bounds = [true, true]}} : memref<{n}x{w}xi8>, vector<{n}x4xi8>
  %c = vector.transfer_read %C[%c0, %c0], %none {{in_bounds = [true, true]}} : memref<3x{n}xi32>, vector<3x{n}xi32>
  %u = arith.{left} %a : vector<3x4xi8> to vector<3x4xi32>
  %s = arith.extsi %b : vector<{n}x4xi8> to vector<{n}x4xi32>
  %r = vector.contract {{indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                          affine_map<(m, n, k) -> (m, n)>],
                         iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}}
       %u, %s, %c : vector<3x4xi32>, vector<{n}x4xi32> into vector<3x{n}xi32>
  vector.transfer_write %r, %C[%c0, %c0] {{in_bounds = [true, true]}} : vector<3x{n}xi32>, memref<3x{n}xi32>
  func.return
}}
"""


def _target(vector_bytes: int, has_dot4: bool) -> Target:
    host = Target.host()
    features = (
        host.features if has_dot4 else tuple(f.replace("+avx512vnni", "-avx512vnni").replace("+avxvnni", "-avxvnni") for f in host.features)
    )
    return replace(host, vector_bytes=vector_bytes, features=features)


@pytest.mark.parametrize("has_dot4", [True, False])
@pytest.mark.parametrize("vector_bytes", [16, 32, 64])
@pytest.mark.parametrize(("n", "width"), [(16, 4), (32, 4), (8, 4), (20, 4), (16, 9)])
def test_every_width(vector_bytes: int, has_dot4: bool, n: int, width: int) -> None:
    """Rows of four side by side are one register; with gaps between them (a width of 9) they are put together."""
    target = _target(vector_bytes, has_dot4)
    if vector_bytes > Target.host().vector_bytes or (has_dot4 and not target.has_dot4):
        pytest.skip("not on this machine")
    rng = np.random.default_rng(n)
    a, b = rng.integers(0, 256, (3, 4)).astype(np.uint8), rng.integers(-128, 128, (n, width)).astype(np.int8)
    a[0], b[0] = 255, -128
    c = rng.integers(-1000, 1000, (3, n)).astype(np.int32)
    want = c + a.astype(np.int32) @ b[:, :4].astype(np.int32).T
    native = Native(TEXT.format(n=n, w=width, left="extui"), target)
    assert ("vpdpbusd" in native.text) == has_dot4 or n == 20
    native.call("dot", a.view(np.int8), b, c)
    np.testing.assert_array_equal(c, want)


def test_two_signed_factors_are_refused() -> None:
    with pytest.raises(CompileError, match="four products of an unsigned byte and a signed one"):
        Native(TEXT.format(n=16, w=4, left="extsi"))
