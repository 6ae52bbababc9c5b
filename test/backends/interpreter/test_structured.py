"""`linalg` at once and point by point; named ops and packing against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import execute

from stepwell.backends.interpreter import structured
from stepwell.ir.diagnostics import CompileError

CONVOLUTION = """
    #x = affine_map<(b, i, j, o, h, w, c) -> (b, i * 2 + h, j * 2 + w, c)>
    #k = affine_map<(b, i, j, o, h, w, c) -> (h, w, c, o)>
    #y = affine_map<(b, i, j, o, h, w, c) -> (b, i, j, o)>
    func.func @f(%x: tensor<1x9x9x3xf32>, %k: tensor<3x3x3x4xf32>, %y: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
      %r = linalg.generic {indexing_maps = [#x, #k, #y], iterator_types = ["parallel", "parallel", "parallel", "parallel",
          "reduction", "reduction", "reduction"]}
          ins(%x, %k : tensor<1x9x9x3xf32>, tensor<3x3x3x4xf32>) outs(%y : tensor<1x4x4x4xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %c, %p : f32
        linalg.yield %s : f32
      } -> tensor<1x4x4x4xf32>
      func.return %r : tensor<1x4x4x4xf32>
    }"""

POSITIONS = """
    #y = affine_map<(i, j) -> (j, i)>
    #s = affine_map<(i, j) -> (i)>
    func.func @f(%t: tensor<5xf32>, %s: tensor<3xi32>, %y: tensor<4x3xf32>) -> tensor<4x3xf32> {
      %r = linalg.generic {indexing_maps = [#s, #y], iterator_types = ["parallel", "parallel"]}
          ins(%s : tensor<3xi32>) outs(%y : tensor<4x3xf32>) {
      ^bb0(%k: i32, %c: f32):
        %i = linalg.index 0 : index
        %j = linalg.index 1 : index
        %n = arith.index_cast %k : i32 to index
        %e = tensor.extract %t[%n] : tensor<5xf32>
        %u = arith.addi %i, %j : index
        %v = arith.index_cast %u : index to i32
        %w = arith.sitofp %v : i32 to f32
        %even = arith.cmpi eq, %i, %j : index
        %z = arith.select %even, %e, %w : f32
        linalg.yield %z : f32
      } -> tensor<4x3xf32>
      func.return %r : tensor<4x3xf32>
    }"""

SCAN = """
    #x = affine_map<(i, k) -> (i, k)>
    #y = affine_map<(i, k) -> (i)>
    func.func @f(%x: memref<3x8xf32>, %y: memref<3xf32>) {
      linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "reduction"]}
          ins(%x : memref<3x8xf32>) outs(%y : memref<3xf32>) {
      ^bb0(%a: f32, %c: f32):
        %half = arith.constant 0.5 : f32
        %d = arith.mulf %c, %half : f32
        %s = arith.addf %d, %a : f32
        linalg.yield %s : f32
      }
      func.return
    }"""


def arguments(*shapes: Any) -> list[Any]:
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_convolution(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(structured, "POINTS_AT_ONCE", block)
    x, k, y = arguments((1, 9, 9, 3), (3, 3, 3, 4), (1, 4, 4, 4))
    (result,) = execute(CONVOLUTION, x, k, y)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2]
    np.testing.assert_allclose(result, y + np.einsum("bijchw,hwco->bijo", windows, k), rtol=1e-4, atol=1e-5)


CASES = [
    (CONVOLUTION, ((1, 9, 9, 3), (3, 3, 3, 4), (1, 4, 4, 4))),
    (SCAN, ((3, 8), (3,))),
]


@pytest.mark.parametrize(("text", "shapes"), CASES)
def test_at_once_is_point_by_point(monkeypatch: pytest.MonkeyPatch, text: str, shapes: Any) -> None:
    outcomes: list[np.ndarray] = []
    for at_once in (True, False):
        monkeypatch.setattr(structured, "_run_at_once", structured._run_at_once if at_once else structured._run_one_by_one)
        values = arguments(*shapes)
        results = execute(text, *values)
        outcomes.append(results[0] if results else values[-1])
    np.testing.assert_array_equal(outcomes[0], outcomes[1])  # bit for bit: the order of a reduction is the loop's


def test_indices_and_reads_by_data() -> None:
    table, y = arguments(5, (4, 3))
    (result,) = execute(POSITIONS, table, np.array([4, 0, 2], np.int32), y)
    expected = [[table[[4, 0, 2][i]] if i == j else np.float32(i + j) for i in range(3)] for j in range(4)]
    np.testing.assert_array_equal(result, np.array(expected, np.float32))
    with pytest.raises(CompileError, match=r"index 2[.][.]5 is out of bounds of dimension 0 of extent 5"):
        execute(POSITIONS, table, np.array([4, 5, 2], np.int32), y)


def test_extents_must_agree() -> None:
    text = SCAN.replace("memref<3x8xf32>", "memref<?x?xf32>").replace("memref<3xf32>", "memref<?xf32>")
    with pytest.raises(CompileError, match=r"loop 0 has extents 3 and 4"):
        execute(text, *arguments((3, 8), (4,)))


def test_empty_reduction_leaves_the_init() -> None:
    x, y = np.zeros((3, 0), np.float32), np.array([1, 2, 3], np.float32)
    execute(SCAN.replace("3x8xf32", "3x?xf32"), x, y)
    assert y.tolist() == [1, 2, 3]


def test_named_ops() -> None:
    a, b, c = arguments((4, 8), (8, 6), (4, 6))
    (product, turned, total, spread) = execute(
        """
        func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %c: tensor<4x6xf32>, %t: tensor<8x4xf32>, %s: tensor<4xf32>,
            %w: tensor<4x2xf32>) -> (tensor<4x6xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<4x2xf32>) {
          %z = arith.constant 0.0 : f32
          %i = linalg.fill ins(%z : f32) outs(%c : tensor<4x6xf32>) -> tensor<4x6xf32>
          %m = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x6xf32>) outs(%i : tensor<4x6xf32>) -> tensor<4x6xf32>
          %p = linalg.transpose ins(%a : tensor<4x8xf32>) outs(%t : tensor<8x4xf32>) permutation = [1, 0]
          %j = linalg.fill ins(%z : f32) outs(%s : tensor<4xf32>) -> tensor<4xf32>
          %q = linalg.reduce ins(%a : tensor<4x8xf32>) outs(%j : tensor<4xf32>) dimensions = [1]
            (%x: f32, %y: f32) {
              %u = arith.addf %x, %y : f32
              linalg.yield %u : f32
            }
          %v = linalg.broadcast ins(%q : tensor<4xf32>) outs(%w : tensor<4x2xf32>) dimensions = [1]
          func.return %m, %p, %q, %v : tensor<4x6xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<4x2xf32>
        }""",
        a,
        b,
        c,
        *arguments((8, 4), 4, (4, 2)),
    )
    np.testing.assert_allclose(product, a @ b, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(turned, a.T)
    np.testing.assert_allclose(total, a.sum(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(spread, np.stack([total, total], 1))


def test_pack_and_unpack() -> None:
    (w,) = arguments((5, 7))
    packed, back = execute(
        """
        func.func @f(%w: tensor<5x7xf32>, %z: f32, %d: tensor<4x2x3x2xf32>) -> (tensor<4x2x3x2xf32>, tensor<5x7xf32>) {
          %p = linalg.pack %w padding_value(%z : f32) outer_dims_perm = [1, 0] inner_dims_pos = [0, 1] inner_tiles = [3, 2] into %d
            : tensor<5x7xf32> -> tensor<4x2x3x2xf32>
          %e = tensor.empty() : tensor<5x7xf32>
          %u = linalg.unpack %p outer_dims_perm = [1, 0] inner_dims_pos = [0, 1] inner_tiles = [3, 2] into %e
            : tensor<4x2x3x2xf32> -> tensor<5x7xf32>
          func.return %p, %u : tensor<4x2x3x2xf32>, tensor<5x7xf32>
        }""",
        w,
        -1.0,
        np.zeros((4, 2, 3, 2), np.float32),
    )
    np.testing.assert_array_equal(back, w)
    for m in range(6):
        for n in range(8):
            assert packed[n // 2, m // 3, m % 3, n % 2] == (w[m, n] if m < 5 and n < 7 else -1)


SHARED = """
    #x = affine_map<(i, j) -> (i, j)>
    #y = affine_map<(i, j) -> ({0})>
    func.func @f(%x: tensor<4x6xf32>, %y: tensor<{1}xf32>) -> tensor<{1}xf32> {
      %r = linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<4x6xf32>) outs(%y : tensor<{1}xf32>) {
      ^bb0(%a: f32, %c: f32):
        %s = arith.addf %a, %c : f32
        linalg.yield %s : f32
      } -> tensor<{1}xf32>
      func.return %r : tensor<{1}xf32>
    }"""


@pytest.mark.parametrize(
    ("places", "shape"),
    [("0, j, i", (1, 6, 4)), ("j floordiv 3, i, j mod 3", (2, 4, 3)), ("i * 6 + j", (24,)), ("i", (4,)), ("i + j", (9,))],
)
def test_output_maps(places: str, shape: tuple[int, ...]) -> None:
    text = SHARED.replace("{0}", places).replace("{1}", "x".join(map(str, shape)))
    x, y = arguments((4, 6), shape)
    (result,) = execute(text, x, y)
    expected = y.copy()
    for i in range(4):
        for j in range(6):
            expected[eval(f"({places.replace('floordiv', '//').replace('mod', '%')},)", {"i": i, "j": j})] += x[i, j]
    np.testing.assert_array_equal(result, expected)
