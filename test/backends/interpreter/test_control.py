"""Loops, branches and calls."""

from __future__ import annotations

import numpy as np
import pytest
from kernels import execute, parse

from stepwell.backends.interpreter import Interpreter
from stepwell.ir.diagnostics import CompileError


def test_for_carries_values() -> None:
    (result,) = execute(
        """
        func.func @f(%n: index) -> (index) {
          %c0 = arith.constant 0 : index
          %c3 = arith.constant 3 : index
          %s = scf.for %i = %c0 to %n step %c3 iter_args(%acc = %c0) -> (index) {
            %t = arith.addi %acc, %i : index
            scf.yield %t : index
          }
          func.return %s : index
        }""",
        10,
    )
    assert result == 0 + 3 + 6 + 9


def test_affine_for_with_bounds_of_several_results() -> None:
    (result,) = execute(
        """
        func.func @f(%n: index, %m: index) -> i32 {
          %zero = arith.constant 0 : i32
          %one = arith.constant 1 : i32
          %s = affine.for %i = max affine_map<()[s0] -> (2, s0 - 4)>()[%m] to min affine_map<()[s0, s1] -> (s0, s1)>()[%n, %m] step 2
              iter_args(%acc = %zero) -> (i32) {
            %t = arith.addi %acc, %one : i32
            affine.yield %t : i32
          }
          func.return %s : i32
        }""",
        20,
        9,
    )
    assert result == len(range(5, 9, 2))


def test_affine_parallel_and_if() -> None:
    out = np.zeros((4, 6), np.float32)
    execute(
        """
        func.func @f(%m: memref<?x?xf32>, %M: index, %N: index, %v: f32) {
          affine.parallel (%i, %j) = (0, 1) to (symbol(%M), min(%N, 5)) step (2, 1) {
            affine.if affine_set<(d0)[s0] : (d0 - 2 >= 0, s0 - d0 - 3 >= 0)>(%j)[%N] {
              affine.store %v, %m[%i, %j] : memref<?x?xf32>
            }
          }
          func.return
        }""",
        out,
        4,
        6,
        1.0,
    )
    expected = np.zeros((4, 6), np.float32)
    expected[::2, 2:4] = 1
    np.testing.assert_array_equal(out, expected)


def test_parallel_reduces() -> None:
    results = execute(
        """
        func.func @f(%n: index, %x: i32, %y: i32) -> (i32, i32) {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %s:2 = scf.parallel (%i, %j) = (%c0, %c0) to (%n, %n) step (%c1, %c1) init (%x, %y) -> (i32, i32) {
            %k = arith.index_cast %i : index to i32
            scf.reduce(%k, %k : i32, i32) {
            ^bb0(%a: i32, %b: i32):
              %t = arith.addi %a, %b : i32
              scf.reduce.return %t : i32
            }, {
            ^bb0(%a: i32, %b: i32):
              %t = arith.maxsi %a, %b : i32
              scf.reduce.return %t : i32
            }
          }
          func.return %s#0, %s#1 : i32, i32
        }""",
        3,
        100,
        1,
    )
    assert [int(r) for r in results] == [100 + 9, 2]


def test_branches_pass_values_all_at_once() -> None:
    (result,) = execute(
        """
        func.func @f(%n: i32) -> i32 {
          %zero = arith.constant 0 : i32
          %one = arith.constant 1 : i32
          cf.br ^loop(%n, %zero, %one : i32, i32, i32)
        ^loop(%k: i32, %a: i32, %b: i32):
          %done = arith.cmpi eq, %k, %zero : i32
          cf.cond_br %done, ^exit, ^body
        ^body:
          %less = arith.subi %k, %one : i32
          %sum = arith.addi %a, %b : i32
          cf.br ^loop(%less, %b, %sum : i32, i32, i32)
        ^exit:
          func.return %a : i32
        }""",
        10,
    )
    assert result == 55  # Fibonacci


def test_while() -> None:
    (result,) = execute(
        """
        func.func @f(%n: i32) -> i32 {
          %two = arith.constant 2 : i32
          %r = scf.while (%x = %n) : (i32) -> i32 {
            %hundred = arith.constant 100 : i32
            %c = arith.cmpi slt, %x, %hundred : i32
            scf.condition(%c) %x : i32
          } do {
          ^bb0(%y: i32):
            %d = arith.muli %y, %two : i32
            scf.yield %d : i32
          }
          func.return %r : i32
        }""",
        3,
    )
    assert result == 192


def test_calls_have_frames_of_their_own() -> None:
    (result,) = execute(
        """
        func.func private @fac(%n: i32) -> i32 {
          %one = arith.constant 1 : i32
          %base = arith.cmpi sle, %n, %one : i32
          %r = scf.if %base -> (i32) {
            scf.yield %one : i32
          } else {
            %less = arith.subi %n, %one : i32
            %rest = func.call @fac(%less) : (i32) -> i32
            %p = arith.muli %n, %rest : i32
            scf.yield %p : i32
          }
          func.return %r : i32
        }
        func.func @f(%n: i32) -> i32 {
          %r = func.call @fac(%n) : (i32) -> i32
          func.return %r : i32
        }""",
        6,
    )
    assert result == 720


def test_endless_loops_end() -> None:
    module = parse("""
        func.func @f() {
          cf.br ^loop
        ^loop:
          cf.br ^loop
        }""")
    with pytest.raises(CompileError, match="too many steps"):
        Interpreter(module, max_steps=1000).call("f")


def test_unknown_op() -> None:
    with pytest.raises(CompileError, match=r"does not know 'llvm.intr.fabs'"):
        execute("func.func @f(%x: f32) {\n %y = llvm.intr.fabs(%x) : (f32) -> f32\n func.return\n}", 1.0)
