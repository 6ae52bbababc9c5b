"""Views alias their buffer, and what leaves a buffer is an error."""

from __future__ import annotations

import numpy as np
import pytest
from kernels import execute, parse

from stepwell.backends.interpreter import Interpreter
from stepwell.ir.diagnostics import CompileError


def test_views_alias() -> None:
    buffer = np.zeros(64, np.int8)
    (result,) = execute(
        """
        func.func @f(%bytes: memref<?xi8>, %v: f32) -> f32 {
          %c0 = arith.constant 0 : index
          %c2 = arith.constant 2 : index
          %c8 = arith.constant 8 : index
          %m = memref.view %bytes[%c8][] : memref<?xi8> to memref<3x2xf32>
          %row = memref.subview %m[1, 0] [1, 2] [1, 1] : memref<3x2xf32> to memref<2xf32, strided<[1], offset: 2>>
          memref.store %v, %row[%c0] : memref<2xf32, strided<[1], offset: 2>>
          %flat = memref.collapse_shape %m [[0, 1]] : memref<3x2xf32> into memref<6xf32>
          %split = memref.expand_shape %flat [[0, 1]] output_shape [2, 3] : memref<6xf32> into memref<2x3xf32>
          %w = memref.load %split[%c0, %c2] : memref<2x3xf32>
          func.return %w : f32
        }""",
        buffer,
        7.0,
    )
    assert result == 7
    assert buffer[8:].view(np.float32).tolist()[:6] == [0, 0, 7, 0, 0, 0]


def test_reinterpret_cast_counts_from_the_buffer() -> None:
    buffer = np.arange(12, dtype=np.float32)
    (result,) = execute(
        """
        func.func @f(%m: memref<12xf32>, %o: index, %s: index) -> f32 {
          %t = memref.subview %m[4] [4] [1] : memref<12xf32> to memref<4xf32, strided<[1], offset: 4>>
          %r = memref.reinterpret_cast %t to offset: [%o], sizes: [2, 3], strides: [%s, 1]
            : memref<4xf32, strided<[1], offset: 4>> to memref<2x3xf32, strided<[?, 1], offset: ?>>
          %c1 = arith.constant 1 : index
          %v = memref.load %r[%c1, %c1] : memref<2x3xf32, strided<[?, 1], offset: ?>>
          func.return %v : f32
        }""",
        buffer,
        2,
        5,
    )
    assert result == 2 + 5 + 1


@pytest.mark.parametrize("index", [-1, 4])
def test_out_of_bounds(index: int) -> None:
    text = """
        func.func @f(%m: memref<4xf32>, %i: index) -> f32 {
          %v = memref.load %m[%i] : memref<4xf32>
          func.return %v : f32
        }"""
    with pytest.raises(CompileError, match=f"'memref.load' failed: index {index} is out of bounds of dimension 0 of extent 4"):
        execute(text, np.zeros(4, np.float32), index)


def test_subview_out_of_bounds() -> None:
    text = """
        func.func @f(%m: memref<?xf32>, %i: index) {
          %s = memref.subview %m[%i] [4] [1] : memref<?xf32> to memref<4xf32, strided<[1], offset: ?>>
          func.return
        }"""
    with pytest.raises(CompileError, match="leaves dimension 0 of extent 6"):
        execute(text, np.zeros(6, np.float32), 3)


def test_prefetch_may_lie_outside() -> None:
    text = """
        func.func @f(%m: memref<4xf32>, %i: index) {
          memref.prefetch %m[%i], read, locality<3>, data : memref<4xf32>
          affine.prefetch %m[%i + 8], write, locality<3>, data : memref<4xf32>
          func.return
        }"""
    execute(text, np.zeros(4, np.float32), 100)


def test_globals_live_as_long_as_the_interpreter() -> None:
    module = parse("""
        memref.global "private" @count : memref<1xi32> = dense<[5]>
        memref.global "private" constant @fixed : memref<1xi32> = dense<[5]>
        func.func @next() -> i32 {
          %g = memref.get_global @count : memref<1xi32>
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : i32
          %v = memref.load %g[%c0] : memref<1xi32>
          %w = arith.addi %v, %c1 : i32
          memref.store %w, %g[%c0] : memref<1xi32>
          func.return %w : i32
        }
        func.func @spoil(%v: i32) {
          %g = memref.get_global @fixed : memref<1xi32>
          %c0 = arith.constant 0 : index
          memref.store %v, %g[%c0] : memref<1xi32>
          func.return
        }""")
    interpreter = Interpreter(module)
    assert [interpreter.call("next")[0] for _ in range(3)] == [6, 7, 8]
    with pytest.raises(CompileError, match="read-only"):
        interpreter.call("spoil", 1)


def test_fresh_buffers_hold_garbage() -> None:
    (result,) = execute("""
        func.func @f() -> f32 {
          %m = memref.alloc() : memref<2xf32>
          %c0 = arith.constant 0 : index
          %v = memref.load %m[%c0] : memref<2xf32>
          func.return %v : f32
        }""")
    assert np.isnan(result)


def test_wrong_arguments() -> None:
    module = parse("func.func @f(%m: memref<?x4xf32>) {\n func.return\n}")
    with pytest.raises(
        CompileError, match=r"argument 0 of '@f' is an array of shape \(3, 5\) of float32 where memref<\?x4xf32> is expected"
    ):
        Interpreter(module).call("f", np.zeros((3, 5), np.float32))
