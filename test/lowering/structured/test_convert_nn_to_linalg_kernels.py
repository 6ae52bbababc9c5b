# ruff: noqa: E501
"""Kernels of several ops, several results and with constants, and what callers do around them: the same before and after the pass."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.parser import Parser

from stepwell.backends.interpreter import run
from stepwell.ir.constants import dtype_of
from stepwell.ir.registry import make_context
from stepwell.lowering.structured.convert_nn_to_linalg import ConvertNnToLinalg

PROGRAMS = {
    "grouped convolution with epilogue": """
      func.func private @k(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x2x6xf32>, %b: tensor<6xf32>, %r: tensor<1x4x4x6xf32>, %m: tensor<1x4x4x1xf32>)
          -> (tensor<1x4x4x6xf32>, tensor<1x4x4x6xi1>) attributes {kernel} {
        %s = nn.relu %x : tensor<1x6x6x4xf32>
        %c = nn.conv %s, %w groups = 2 layout = "channels_last" : tensor<1x6x6x4xf32>, tensor<3x3x2x6xf32> -> tensor<1x4x4x6xf32>
        %0 = nn.add %c, %b : tensor<1x4x4x6xf32>, tensor<6xf32> -> tensor<1x4x4x6xf32>
        %1 = nn.add %0, %r : tensor<1x4x4x6xf32>, tensor<1x4x4x6xf32> -> tensor<1x4x4x6xf32>
        %2 = nn.mul %1, %m : tensor<1x4x4x6xf32>, tensor<1x4x4x1xf32> -> tensor<1x4x4x6xf32>
        %3 = nn.gt %2, %r : tensor<1x4x4x6xf32>, tensor<1x4x4x6xf32> -> tensor<1x4x4x6xi1>
        func.return %2, %3 : tensor<1x4x4x6xf32>, tensor<1x4x4x6xi1>
      }
      func.func @main(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x2x6xf32>, %b: tensor<6xf32>, %r: tensor<1x4x4x6xf32>, %m: tensor<1x4x4x1xf32>)
          -> (tensor<1x4x4x6xf32>, tensor<1x4x4x6xi1>) {
        %0, %1 = func.call @k(%x, %w, %b, %r, %m) : (tensor<1x6x6x4xf32>, tensor<3x3x2x6xf32>, tensor<6xf32>, tensor<1x4x4x6xf32>, tensor<1x4x4x1xf32>)
            -> (tensor<1x4x4x6xf32>, tensor<1x4x4x6xi1>)
        func.return %0, %1 : tensor<1x4x4x6xf32>, tensor<1x4x4x6xi1>
      }""",
    "grouped convolution that cannot be split": """
      func.func private @k(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x2x6xf32>) -> tensor<1x2x2x6xf32> attributes {kernel} {
        %c = nn.conv %x, %w groups = 2 layout = "channels_last" : tensor<1x6x6x4xf32>, tensor<3x3x2x6xf32> -> tensor<1x4x4x6xf32>
        %p = nn.max_pool %c kernel = [2, 2] strides = [2, 2] layout = "channels_last" : tensor<1x4x4x6xf32> -> tensor<1x2x2x6xf32>
        func.return %p : tensor<1x2x2x6xf32>
      }
      func.func @main(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x2x6xf32>) -> tensor<1x2x2x6xf32> {
        %0 = func.call @k(%x, %w) : (tensor<1x6x6x4xf32>, tensor<3x3x2x6xf32>) -> tensor<1x2x2x6xf32>
        func.return %0 : tensor<1x2x2x6xf32>
      }""",
    "results twice and as they came, constants inside": """
      func.func private @k(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>) attributes {kernel} {
        %c = nn.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
        %h = nn.constant dense<0.5> : tensor<f32>
        %0 = nn.mul %x, %c : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
        %1 = nn.mul %0, %h : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
        func.return %1, %x, %1, %c : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>
      }
      func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>) {
        %0, %1, %2, %3 = func.call @k(%x) : (tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>)
        func.return %0, %1, %2, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>
      }""",
    "an intermediate that is returned, too": """
      func.func private @k(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2xf32>) attributes {kernel} {
        %0 = nn.softmax %x : tensor<2x3xf32>
        %1 = nn.reduce_mean %0 axes = [1] : tensor<2x3xf32> -> tensor<2xf32>
        func.return %0, %1 : tensor<2x3xf32>, tensor<2xf32>
      }
      func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2xf32>) {
        %0, %1 = func.call @k(%x) : (tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2xf32>)
        func.return %0, %1 : tensor<2x3xf32>, tensor<2xf32>
      }""",
    "views between calls, unsigned, in a loop": """
      func.func private @k(%x: tensor<2x3xui8>, %y: tensor<2x3xui8>) -> tensor<2x3xui8> attributes {kernel} {
        %0 = nn.div %x, %y : tensor<2x3xui8>, tensor<2x3xui8> -> tensor<2x3xui8>
        %1 = nn.max %0, %y : tensor<2x3xui8>, tensor<2x3xui8> -> tensor<2x3xui8>
        func.return %1 : tensor<2x3xui8>
      }
      func.func @main(%x: tensor<12xui8>) -> tensor<3x7xui8> {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c3 = arith.constant 3 : index
        %w = nn.constant dense<[[1, 2, 3], [200, 150, 1]]> : tensor<2x3xui8>
        %r = nn.reshape %x : tensor<12xui8> -> tensor<4x3xui8>
        %s = nn.slice %r starts = [0, 0] ends = [4, 3] steps = [2, 1] : tensor<4x3xui8> -> tensor<2x3xui8>
        %l = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %s) -> (tensor<2x3xui8>) {
          %b = func.call @k(%a, %w) : (tensor<2x3xui8>, tensor<2x3xui8>) -> tensor<2x3xui8>
          scf.yield %b : tensor<2x3xui8>
        }
        %p = nn.pad %l low = [0, 0] high = [1, 1] value = 255.0 : tensor<2x3xui8> -> tensor<3x4xui8>
        %t = nn.slice %r starts = [0, 0] ends = [3, 3] : tensor<4x3xui8> -> tensor<3x3xui8>
        %c = nn.concat %p, %t axis = 1 : tensor<3x4xui8>, tensor<3x3xui8> -> tensor<3x7xui8>
        func.return %c : tensor<3x7xui8>
      }""",
}


def signed(a: np.ndarray) -> np.ndarray:
    return a.view(f"int{8 * a.itemsize}") if a.dtype.kind == "u" else a


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_before_and_after(name: str) -> None:
    context = make_context()
    before, after = (Parser(context, PROGRAMS[name]).parse_module() for _ in range(2))
    before.verify()
    ConvertNnToLinalg().run(after, context)
    after.verify()
    assert "nn." not in str(after)
    main = next(f for f in before.body.block.ops if f.sym_name.data == "main")
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0 if "ui" in str(t) else -4, 9, t.get_shape()).astype(dtype_of(t.element_type)) for t in main.function_type.inputs
    ]
    expected = run(before, "main", *arrays)
    actual = run(after, "main", *(signed(a) for a in arrays))
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, signed(np.asarray(e)), rtol=1e-6)
