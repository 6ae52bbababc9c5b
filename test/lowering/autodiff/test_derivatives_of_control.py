"""Derivatives of branches and loops, first and second, against central differences. The programs are text of level 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradient_checks import Program, check
from xdsl.parser import Parser

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.lowering.autodiff.passes import Jvp, Vjp

BRANCH = """
func.func @main(%c: tensor<i1>, %x: tensor<3xf64>, %w: tensor<3xf64>) -> (tensor<3xf64>, tensor<3xf64>) {
  %a = nn.tanh %x : tensor<3xf64>
  %y, %z = nn.if %c : tensor<i1> -> (tensor<3xf64>, tensor<3xf64>) {
    %k = nn.constant dense<2.0> : tensor<3xf64>
    %e = nn.exp %a : tensor<3xf64>
    %p = nn.mul %e, %w : tensor<3xf64>, tensor<3xf64> -> tensor<3xf64>
    %q = nn.mul %p, %k : tensor<3xf64>, tensor<3xf64> -> tensor<3xf64>
    nn.yield %q, %w : tensor<3xf64>, tensor<3xf64>
  } else {
    %s = nn.sin %x : tensor<3xf64>
    %k = nn.constant dense<1.0> : tensor<3xf64>
    nn.yield %s, %k : tensor<3xf64>, tensor<3xf64>
  }
  %u = nn.mul %y, %a : tensor<3xf64>, tensor<3xf64> -> tensor<3xf64>
  func.return %u, %z : tensor<3xf64>, tensor<3xf64>
}
"""
# A recurrent cell: weights that every step reads, rows that are scanned (one from the end), a state that is stacked, a number that counts.
CELL = """
func.func @main(%h0: tensor<2xf64>, %x: tensor<4x2xf64>, %z: tensor<2x4xf64>, %w: tensor<2x2xf64>) -> (tensor<2xf64>, tensor<4x2xf64>) {
  %h, %ys = nn.loop trips = 4 carry(%h0) scan(%x [0], %z [1] reversed) stack([0] reversed)
      : tensor<2xf64>, tensor<4x2xf64>, tensor<2x4xf64> -> (tensor<2xf64>, tensor<4x2xf64>) {
  ^bb0(%i: tensor<i64>, %h1: tensor<2xf64>, %row: tensor<2xf64>, %column: tensor<2xf64>):
    %v = nn.exp %w : tensor<2x2xf64>
    %p = nn.matmul %h1, %v : tensor<2xf64>, tensor<2x2xf64> -> tensor<2xf64>
    %q = nn.mul %p, %column : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
    %r = nn.add %q, %row : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
    %f = nn.cast %i : tensor<i64> -> tensor<f64>
    %s = nn.mul %r, %f : tensor<2xf64>, tensor<f64> -> tensor<2xf64>
    %t = nn.tanh %s : tensor<2xf64>
    %o = nn.mul %t, %row : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
    nn.yield %t, %o : tensor<2xf64>, tensor<2xf64>
  }
  func.return %h, %ys : tensor<2xf64>, tensor<4x2xf64>
}
"""
# The first state begins without a tangent and gets one from the second.
SPREADING = """
func.func @main(%x: tensor<2xf64>) -> tensor<2xf64> {
  %k = nn.constant dense<0.5> : tensor<2xf64>
  %a, %b = nn.loop trips = 3 carry(%k, %x) : tensor<2xf64>, tensor<2xf64> -> (tensor<2xf64>, tensor<2xf64>) {
  ^bb0(%i: tensor<i64>, %p: tensor<2xf64>, %q: tensor<2xf64>):
    %s = nn.sin %q : tensor<2xf64>
    %m = nn.mul %p, %s : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
    nn.yield %m, %q : tensor<2xf64>, tensor<2xf64>
  }
  func.return %a : tensor<2xf64>
}
"""
NESTED = """
func.func @main(%h0: tensor<2xf64>, %w: tensor<2xf64>) -> tensor<2xf64> {
  %h = nn.loop trips = 3 carry(%h0) : tensor<2xf64> -> tensor<2xf64> {
  ^bb0(%i: tensor<i64>, %h1: tensor<2xf64>):
    %two = nn.constant dense<1> : tensor<i64>
    %c = nn.lt %i, %two : tensor<i64>, tensor<i64> -> tensor<i1>
    %g = nn.loop trips = 2 carry(%h1) : tensor<2xf64> -> tensor<2xf64> {
    ^bb0(%j: tensor<i64>, %h2: tensor<2xf64>):
      %a = nn.mul %h2, %w : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
      %b = nn.sin %a : tensor<2xf64>
      nn.yield %b : tensor<2xf64>
    }
    %r = nn.if %c : tensor<i1> -> tensor<2xf64> {
      %e = nn.exp %g : tensor<2xf64>
      nn.yield %e : tensor<2xf64>
    } else {
      %m = nn.mul %g, %h1 : tensor<2xf64>, tensor<2xf64> -> tensor<2xf64>
      nn.yield %m : tensor<2xf64>
    }
    nn.yield %r : tensor<2xf64>
  }
  func.return %h : tensor<2xf64>
}
"""
WHILE = """
func.func @main(%x: tensor<f64>) -> tensor<f64> {
  %limit = nn.constant dense<9.0> : tensor<f64>
  %c = nn.lt %x, %limit : tensor<f64>, tensor<f64> -> tensor<i1>
  %y = nn.loop while(%c) carry(%x) : tensor<i1>, tensor<f64> -> tensor<f64> {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    %b = nn.mul %a, %a : tensor<f64>, tensor<f64> -> tensor<f64>
    %go = nn.lt %b, %limit : tensor<f64>, tensor<f64> -> tensor<i1>
    nn.yield %go, %b : tensor<i1>, tensor<f64>
  }
  func.return %y : tensor<f64>
}
"""


def program(text: str) -> Program:
    made = Program.__new__(Program)
    made.module = Parser(make_context(), text).parse_module()
    made.module.verify()
    return made


def rand(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).uniform(0.3, 1.2, shape)


CASES: list[tuple[str, str, list[Any], list[int]]] = [
    ("then", BRANCH, [np.array(True), rand(3), rand(3, seed=1)], [1, 2]),
    ("else", BRANCH, [np.array(False), rand(3), rand(3, seed=1)], [1, 2]),
    ("cell", CELL, [rand(2), rand(4, 2), rand(2, 4), rand(2, 2)], [0, 1, 2, 3]),
    ("weights alone", CELL, [rand(2), rand(4, 2), rand(2, 4), rand(2, 2)], [3]),
    ("a state that gets a tangent later", SPREADING, [rand(2)], [0]),
    ("nested", NESTED, [rand(2), rand(2, seed=1)], [0, 1]),
]


@pytest.mark.parametrize(("text", "arrays", "wrt"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_first_and_second_derivatives(text: str, arrays: list[Any], wrt: list[int]) -> None:
    check(program(text), arrays, wrt, second=True)


def test_a_loop_that_ends_when_it_likes_has_forward_mode() -> None:
    made = program(WHILE).derive(Jvp("main"), Jvp("main_jvp", (0,)))
    assert made.call("main_jvp", np.array(1.5), np.array(1.0)) == [1.5**8, 8 * 1.5**7]
    second = made.call("main_jvp_jvp", np.array(1.5), np.array(1.0), np.array(1.0))
    assert second == pytest.approx([1.5**8, 8 * 1.5**7, 8 * 1.5**7, 56 * 1.5**6])
    with pytest.raises(CompileError, match="no derivative in reverse mode: it ends when a condition says so"):
        program(WHILE).derive(Vjp("main"))
