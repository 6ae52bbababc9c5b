# ruff: noqa: E501
"""Programs compute the same after every pass from level 2 to level 3."""

from __future__ import annotations

import numpy as np
import pytest
from down_the_stairs import PASSES, call, check_each_pass, draw, parse, signature
from random_programs import Program

from stepwell.backends.interpreter import run
from stepwell.ir.registry import find_pass, make_context

MATMUL_SOFTMAX = """
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#mn = affine_map<(m, n) -> (m, n)>
#m = affine_map<(m, n) -> (m)>
func.func @main(%x: tensor<4x6xf32>, %y: tensor<6x7xf32>) -> (tensor<4x7xf32>, tensor<4x7xf32>, tensor<4x6xf32>) {
  %w = arith.constant dense<1.0> : tensor<7x6xf32>
  %e = tensor.empty() : tensor<4x7xf32>
  %p = func.call @matmul(%x, %y, %e) : (tensor<4x6xf32>, tensor<6x7xf32>, tensor<4x7xf32>) -> tensor<4x7xf32>
  %s = func.call @softmax(%p, %e) {grain = 3 : i64} : (tensor<4x7xf32>, tensor<4x7xf32>) -> tensor<4x7xf32>
  %d = tensor.empty() : tensor<4x6xf32>
  %q = func.call @matmul_1(%p, %w, %d) : (tensor<4x7xf32>, tensor<7x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  func.return %s, %p, %q : tensor<4x7xf32>, tensor<4x7xf32>, tensor<4x6xf32>
}
func.func private @matmul(%a: tensor<4x6xf32>, %b: tensor<6x7xf32>, %out: tensor<4x7xf32>) -> tensor<4x7xf32>
    attributes {kernel, schedule = [["pack_operand", 1, 1, 4]]} {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4x7xf32>) -> tensor<4x7xf32>
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x6xf32>, tensor<6x7xf32>) outs(%f : tensor<4x7xf32>) attrs = {loops = ["m", "n", "k"], stage = "mm"} {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.addf %2, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x7xf32>
  func.return %r : tensor<4x7xf32>
}
func.func private @matmul_1(%a: tensor<4x7xf32>, %b: tensor<7x6xf32>, %out: tensor<4x6xf32>) -> tensor<4x6xf32>
    attributes {kernel, schedule = [["pack_operand", 1, 1, 4]]} {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%out : tensor<4x6xf32>) -> tensor<4x6xf32>
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x7xf32>, tensor<7x6xf32>) outs(%f : tensor<4x6xf32>) attrs = {loops = ["m", "n", "k"], stage = "mm"} {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.addf %2, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x6xf32>
  func.return %r : tensor<4x6xf32>
}
func.func private @softmax(%x: tensor<4x7xf32>, %out: tensor<4x7xf32>) -> tensor<4x7xf32> attributes {kernel} {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<4xf32>
  %i0 = linalg.fill ins(%low : f32) outs(%e0 : tensor<4xf32>) -> tensor<4xf32>
  %max = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x7xf32>) outs(%i0 : tensor<4xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.maximumf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %e2 = tensor.empty() : tensor<4x7xf32>
  %exp = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<4x7xf32>, tensor<4xf32>) outs(%e2 : tensor<4x7xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.subf %0, %1 : f32
    %4 = math.exp %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x7xf32>
  %i3 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]} ins(%exp : tensor<4x7xf32>) outs(%i3 : tensor<4xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<4x7xf32>, tensor<4xf32>) outs(%out : tensor<4x7xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32):
    %3 = arith.divf %0, %1 : f32
    linalg.yield %3 : f32
  } -> tensor<4x7xf32>
  func.return %r : tensor<4x7xf32>
}
"""


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_matmul_and_softmax() -> None:
    """Packed by a kernel and packed at compile time, one matmul for two shapes, temporaries in the destination: against numpy."""
    module = parse(MATMUL_SOFTMAX)
    x, y = draw(signature(module, "main")[0])
    product = x @ y
    expected = [softmax(product), product, product @ np.ones((7, 6), np.float32)]
    check_each_pass(module, [x, y], expected)
    text = str(module)
    assert text.count("func.func private @matmul") == 1
    assert "memref.alloca(%D0, %D1)" not in text


@pytest.mark.parametrize("seed", range(60))
def test_random_program(seed: int) -> None:
    module = parse(Program(seed).text())
    inputs, results = signature(module, "main")
    arguments = draw(inputs)
    check_each_pass(module, arguments, call(module, "main", arguments, results))


def test_arguments_stay_as_they_are() -> None:
    """Nothing is written to an input, whatever the program does with it."""
    for seed in range(20):
        module = parse(Program(seed).text())
        inputs, results = signature(module, "main")
        context = make_context()
        for step in PASSES[:-1]:
            find_pass(step)().run(module, context)
        arguments = draw(inputs)
        for argument in arguments:
            argument.flags.writeable = False
        outputs = [np.zeros(t.get_shape(), np.float32) for t in results]
        run(module, "main", *arguments, *outputs)


def test_a_slice_that_is_read_round_and_round() -> None:
    """`j mod 3` of an operand that is not packed: its rows have gaps."""
    module = parse("""
      func.func @main(%x: tensor<4x10xf32>) -> tensor<4x6xf32> {
        %s = tensor.extract_slice %x[0, 2] [4, 3] [1, 1] : tensor<4x10xf32> to tensor<4x3xf32>
        %e = tensor.empty() : tensor<4x6xf32>
        %r = func.call @tile(%s, %e) : (tensor<4x3xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
        func.return %r : tensor<4x6xf32>
      }
      func.func private @tile(%x: tensor<4x3xf32>, %out: tensor<4x6xf32>) -> tensor<4x6xf32> attributes {kernel} {
        %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j mod 3)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
            ins(%x : tensor<4x3xf32>) outs(%out : tensor<4x6xf32>) {
        ^bb0(%0: f32, %1: f32):
          linalg.yield %0 : f32
        } -> tensor<4x6xf32>
        func.return %r : tensor<4x6xf32>
      }""")
    (x,) = draw(signature(module, "main")[0])
    check_each_pass(module, [x], [np.tile(x[:, 2:5], (1, 2))])


@pytest.mark.parametrize("extent", [64, 40])
def test_packed_by_a_kernel(extent: int) -> None:
    """Whole tiles, and a last panel that is padded with zeros."""
    module = parse(f"""
      func.func @main(%x: tensor<5x{extent}xf32>) -> tensor<2x5x32xf32> {{
        %zero = arith.constant 0.0 : f32
        %e = tensor.empty() : tensor<2x5x32xf32>
        %p = linalg.pack %x padding_value(%zero : f32) outer_dims_perm = [1, 0] inner_dims_pos = [1] inner_tiles = [32] into %e
            : tensor<5x{extent}xf32> -> tensor<2x5x32xf32>
        func.return %p : tensor<2x5x32xf32>
      }}""")
    (x,) = draw(signature(module, "main")[0])
    padded = np.pad(x, [(0, 0), (0, 64 - extent)])
    check_each_pass(module, [x], [padded.reshape(5, 2, 32).transpose(1, 0, 2)])
