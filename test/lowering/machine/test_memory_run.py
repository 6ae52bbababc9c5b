"""Reads, writes, views, loops, branches and tasks, compiled and run against numpy."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from native import Array, Native

from stepwell.ir.diagnostics import CompileError

ROWS = "memref<?x?xf32, strided<[?, 1], offset: ?>>"
FREE = "memref<?x?xf32, strided<[?, ?]>>"


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(-9, 9, shape).astype(dtype)


def call(text: str, *arguments: Array | int) -> Native:
    native = Native(text)
    native.call("f", *arguments)
    return native


# ---- transfers ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 1, 5, 7, 20])
@pytest.mark.parametrize("columns", [-3, 0, 1, 16, 33, 40])
def test_masked_transfer(rows: int, columns: int) -> None:
    """Rows and lanes that a mask leaves out are neither read nor written."""
    text = f"""
    func.func @f(%x: {ROWS}, %y: {ROWS}, %m: index, %n: index) {{
      %c0 = arith.constant 0 : index
      %pad = arith.constant 7.0 : f32
      %mask = vector.create_mask %m, %n : vector<7x37xi1>
      %all = arith.constant dense<true> : vector<7x37xi1>
      %v = vector.transfer_read %x[%c0, %c0], %pad, %mask {{in_bounds = [true, true]}} : {ROWS}, vector<7x37xf32>
      vector.transfer_write %v, %y[%c0, %c0], %all {{in_bounds = [true, true]}} : vector<7x37xf32>, {ROWS}
      vector.transfer_write %v, %x[%c0, %c0], %mask {{in_bounds = [true, true]}} : vector<7x37xf32>, {ROWS}
      func.return
    }}"""
    x, y = numbers(7, 37), np.full((7, 37), np.nan, np.float32)
    want = np.full((7, 37), 7, np.float32)
    inside = np.s_[: max(rows, 0), : max(columns, 0)]
    want[inside] = x[inside]
    before = x.copy()
    call(text, x, y, rows, columns)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("rows", [0, 3, 14])
@pytest.mark.parametrize("padding", ["%pad", "%variable"])
def test_masked_scalars(rows: int, padding: str) -> None:
    """vector<14x1>: rows that are masked are not touched, whatever lies there."""
    text = f"""
    func.func @f(%x: {ROWS}, %y: {ROWS}, %m: index, %variable: f32) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %pad = arith.constant 3.0 : f32
      %mask = vector.create_mask %m, %c1 : vector<14x1xi1>
      %v = vector.transfer_read %x[%c0, %c0], {padding}, %mask {{in_bounds = [true, true]}} : {ROWS}, vector<14x1xf32>
      %b = vector.broadcast %v : vector<14x1xf32> to vector<14x16xf32>
      vector.transfer_write %b, %y[%c0, %c0] {{in_bounds = [true, true]}} : vector<14x16xf32>, {ROWS}
      vector.transfer_write %v, %x[%c0, %c1], %mask {{in_bounds = [true, true]}} : vector<14x1xf32>, {ROWS}
      func.return
    }}"""
    x, y = numbers(14, 3), np.zeros((14, 16), np.float32)
    before = x.copy()
    call(text, x[:rows] if rows else x, y, rows, 3.0)
    np.testing.assert_array_equal(y[:rows], np.broadcast_to(before[:rows, :1], (rows, 16)))
    np.testing.assert_array_equal(y[rows:], 3)
    before[:rows, 1] = before[:rows, 0]
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("stride", [1, 3])
def test_columns_are_gathered_and_scattered(stride: int) -> None:
    """A last dimension that goes along a strided one."""
    text = f"""
    #t = affine_map<(d0, d1) -> (d1, d0)>
    func.func @f(%x: {FREE}, %y: {FREE}, %n: index) {{
      %c0 = arith.constant 0 : index
      %c3 = arith.constant 3 : index
      %pad = arith.constant 0.0 : f32
      %mask = vector.create_mask %n, %c3 : vector<20x3xi1>
      %v = vector.transfer_read %x[%c0, %c0], %pad {{in_bounds = [true, true], permutation_map = #t}} : {FREE}, vector<3x20xf32>
      vector.transfer_write %v, %y[%c0, %c0], %mask {{in_bounds = [true, true], permutation_map = #t}} : vector<3x20xf32>, {FREE}
      func.return
    }}"""
    x, y = numbers(20, 3 * stride)[:, ::stride], np.zeros((20, 3), np.float32)
    call(text, x, y, 17)
    np.testing.assert_array_equal(y[:17], x[:17])
    np.testing.assert_array_equal(y[17:], 0)


def test_repeated_dimensions() -> None:
    text = """
    #m = affine_map<(d0, d1) -> (0, d1)>
    #n = affine_map<(d0, d1) -> (d0, 0)>
    func.func @f(%x: memref<4x20xf32>, %y: memref<3x20xf32>, %z: memref<4x37xf32>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %pad = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c2, %c0], %pad {in_bounds = [true, true], permutation_map = #m} : memref<4x20xf32>, vector<3x20xf32>
      vector.transfer_write %v, %y[%c0, %c0] {in_bounds = [true, true]} : vector<3x20xf32>, memref<3x20xf32>
      %w = vector.transfer_read %x[%c0, %c2], %pad {in_bounds = [true, true], permutation_map = #n} : memref<4x20xf32>, vector<4x37xf32>
      vector.transfer_write %w, %z[%c0, %c0] {in_bounds = [true, true]} : vector<4x37xf32>, memref<4x37xf32>
      func.return
    }"""
    x, y, z = numbers(4, 20), np.zeros((3, 20), np.float32), np.zeros((4, 37), np.float32)
    call(text, x, y, z)
    np.testing.assert_array_equal(y, np.broadcast_to(x[2], (3, 20)))
    np.testing.assert_array_equal(z, np.broadcast_to(x[:, 2:3], (4, 37)))


def test_out_of_bounds_of_a_known_extent() -> None:
    """Without in_bounds, lanes past the end are padding and are not written."""
    text = """
    func.func @f(%x: memref<40xf32>, %y: memref<64xf32>, %i: index) {
      %c0 = arith.constant 0 : index
      %pad = arith.constant 5.0 : f32
      %v = vector.transfer_read %x[%i], %pad : memref<40xf32>, vector<32xf32>
      vector.transfer_write %v, %y[%c0] {in_bounds = [true]} : vector<32xf32>, memref<64xf32>
      vector.transfer_write %v, %x[%i] : vector<32xf32>, memref<40xf32>
      func.return
    }"""
    buffer = numbers(80)
    x, y, before = buffer[:40], np.zeros(64, np.float32), buffer.copy()
    call(text, x, y, 20)
    np.testing.assert_array_equal(y[:20], before[20:40])
    np.testing.assert_array_equal(y[20:32], 5)
    np.testing.assert_array_equal(buffer, before)


def test_out_of_bounds_of_an_unknown_extent() -> None:
    text = """
    func.func @f(%x: memref<?xf32>, %i: index) {
      %pad = arith.constant 5.0 : f32
      %v = vector.transfer_read %x[%i], %pad : memref<?xf32>, vector<32xf32>
      vector.transfer_write %v, %x[%i] {in_bounds = [true]} : vector<32xf32>, memref<?xf32>
      func.return
    }"""
    with pytest.raises(CompileError, match="may leave dimension 0"):
        Native(text)


def test_vector_load_store_and_masked() -> None:
    text = """
    func.func @f(%x: memref<3x40xf32>, %y: memref<3x40xf32>, %n: index) {
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %v = vector.load %x[%c1, %c2] : memref<3x40xf32>, vector<37xf32>
      vector.store %v, %y[%c1, %c2] : memref<3x40xf32>, vector<37xf32>
      %m = vector.create_mask %n : vector<37xi1>
      %p = arith.constant dense<-1.0> : vector<37xf32>
      %w = vector.maskedload %x[%c2, %c2], %m, %p : memref<3x40xf32>, vector<37xi1>, vector<37xf32> into vector<37xf32>
      %s = arith.addf %w, %w : vector<37xf32>
      vector.maskedstore %y[%c2, %c2], %m, %s : memref<3x40xf32>, vector<37xi1>, vector<37xf32>
      func.return
    }"""
    x, y = numbers(3, 40), np.zeros((3, 40), np.float32)
    call(text, x, y, 21)
    np.testing.assert_array_equal(y[1, 2:39], x[1, 2:39])
    np.testing.assert_array_equal(y[2, 2:23], 2 * x[2, 2:23])
    assert not y[2, 23:].any()


def test_gather_and_scatter() -> None:
    text = """
    func.func @f(%x: memref<100xf32>, %i: memref<37xi32>, %y: memref<100xf32>) {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0 : i32
      %k = vector.transfer_read %i[%c0], %z {in_bounds = [true]} : memref<37xi32>, vector<37xi32>
      %m = vector.constant_mask [30] : vector<37xi1>
      %p = arith.constant dense<0.0> : vector<37xf32>
      %v = vector.gather %x[%c0] [%k], %m, %p : memref<100xf32>, vector<37xi32>, vector<37xi1>, vector<37xf32> into vector<37xf32>
      vector.scatter %y[%c0] [%k], %m, %v : memref<100xf32>, vector<37xi32>, vector<37xi1>, vector<37xf32>
      func.return
    }"""
    x, i, y = numbers(100), np.random.default_rng(1).permutation(100)[:37].astype(np.int32), np.zeros(100, np.float32)
    call(text, x, i, y)
    want = np.zeros(100, np.float32)
    want[i[:30]] = x[i[:30]]
    np.testing.assert_array_equal(y, want)


def test_booleans_are_bytes() -> None:
    text = """
    func.func @f(%x: memref<37xi1>, %y: memref<37xi1>, %n: index) {
      %c0 = arith.constant 0 : index
      %f = arith.constant false
      %m = vector.create_mask %n : vector<37xi1>
      %v = vector.transfer_read %x[%c0], %f, %m {in_bounds = [true]} : memref<37xi1>, vector<37xi1>
      %t = arith.constant dense<true> : vector<37xi1>
      %w = arith.xori %v, %t : vector<37xi1>
      vector.transfer_write %w, %y[%c0] {in_bounds = [true]} : vector<37xi1>, memref<37xi1>
      %b = memref.load %x[%c0] : memref<37xi1>
      memref.store %b, %y[%c0] : memref<37xi1>
      func.return
    }"""
    x, y = numbers(37) > 0, np.zeros(37, np.bool_)
    call(text, x, y, 30)
    want = ~(x & (np.arange(37) < 30))
    want[0] = x[0]
    np.testing.assert_array_equal(y, want)


# ---- order of reads and writes --------------------------------------------------------------------------------------------------


def test_a_read_before_an_overlapping_write_sees_the_old_values() -> None:
    text = """
    func.func @f(%x: memref<100xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %pad = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %pad {in_bounds = [true]} : memref<100xf32>, vector<64xf32>
      vector.transfer_write %v, %x[%c1] {in_bounds = [true]} : vector<64xf32>, memref<100xf32>
      func.return
    }"""
    x = numbers(100)
    want = x.copy()
    want[1:65] = x[:64]
    call(text, x)
    np.testing.assert_array_equal(x, want)


def test_reads_in_place_stay_piece_by_piece() -> None:
    """Reading and writing one place: no need to hold the whole tile in registers."""
    text = """
    func.func @f(%x: memref<14x32xf32>) {
      %c0 = arith.constant 0 : index
      %pad = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<14x32xf32>, vector<14x32xf32>
      %w = arith.addf %v, %v : vector<14x32xf32>
      vector.transfer_write %w, %x[%c0, %c0] {in_bounds = [true, true]} : vector<14x32xf32>, memref<14x32xf32>
      %u = arith.addf %w, %v : vector<14x32xf32>
      vector.transfer_write %u, %x[%c0, %c0] {in_bounds = [true, true]} : vector<14x32xf32>, memref<14x32xf32>
      func.return
    }"""
    x = numbers(14, 32)
    want = 3 * x
    native = call(text, x)
    np.testing.assert_array_equal(x, want)
    lines = [line for line in native.text.splitlines() if " load <" in line or "  store <" in line]
    kinds = "".join("l" if " load " in line else "s" for line in lines)
    assert kinds.startswith("lsls")


def test_a_read_before_a_loop_that_writes_is_made_before_it() -> None:
    text = """
    func.func @f(%x: memref<100xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c50 = arith.constant 50 : index
      %pad = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %pad {in_bounds = [true]} : memref<100xf32>, vector<32xf32>
      scf.for %i = %c0 to %n step %c1 {
        memref.store %pad, %x[%i] : memref<100xf32>
      }
      vector.transfer_write %v, %x[%c50] {in_bounds = [true]} : vector<32xf32>, memref<100xf32>
      func.return
    }"""
    x = numbers(100)
    want = x.copy()
    want[:40] = 0
    want[50:82] = x[:32]
    call(text, x, 40)
    np.testing.assert_array_equal(x, want)


def test_pieces_made_in_a_branch_are_made_again_after_it() -> None:
    text = """
    func.func @f(%x: memref<64xf32>, %y: memref<64xf32>, %z: memref<64xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %pad = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %pad {in_bounds = [true]} : memref<64xf32>, vector<64xf32>
      %w = arith.addf %v, %v : vector<64xf32>
      %yes = arith.cmpi sgt, %n, %c0 : index
      scf.if %yes {
        vector.transfer_write %w, %y[%c0] {in_bounds = [true]} : vector<64xf32>, memref<64xf32>
      }
      vector.transfer_write %w, %z[%c0] {in_bounds = [true]} : vector<64xf32>, memref<64xf32>
      func.return
    }"""
    for n in (0, 1):
        x, y, z = numbers(64), np.zeros(64, np.float32), np.zeros(64, np.float32)
        call(text, x, y, z, n)
        np.testing.assert_array_equal(y, 2 * x * n)
        np.testing.assert_array_equal(z, 2 * x)


# ---- control --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 5])
def test_loop_carried_values(n: int) -> None:
    """A tile, a scalar and an index go around."""
    text = """
    func.func @f(%x: memref<?x37xf32>, %y: memref<3x37xf32>, %s: memref<f32>, %k: memref<index>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %init = arith.constant dense<1.0> : vector<3x37xf32>
      %t, %u, %j = scf.for %i = %c0 to %n step %c1 iter_args(%a = %init, %b = %zero, %c = %c1) -> (vector<3x37xf32>, f32, index) {
        %v = vector.transfer_read %x[%i, %c0], %zero {in_bounds = [true]} : memref<?x37xf32>, vector<37xf32>
        %w = vector.broadcast %v : vector<37xf32> to vector<3x37xf32>
        %d = arith.addf %a, %w : vector<3x37xf32>
        %e = memref.load %x[%i, %c1] : memref<?x37xf32>
        %g = arith.addf %b, %e : f32
        %h = arith.addi %c, %i : index
        scf.yield %d, %g, %h : vector<3x37xf32>, f32, index
      }
      vector.transfer_write %t, %y[%c0, %c0] {in_bounds = [true, true]} : vector<3x37xf32>, memref<3x37xf32>
      memref.store %u, %s[] : memref<f32>
      memref.store %j, %k[] : memref<index>
      func.return
    }"""
    x, y, s, k = numbers(5, 37), np.zeros((3, 37), np.float32), np.zeros((), np.float32), np.zeros((), np.int64)
    call(text, x, y, s, k, n)
    np.testing.assert_array_equal(y, np.broadcast_to(1 + x[:n].sum(0), (3, 37)))
    assert s == x[:n, 1].sum()
    assert k == 1 + sum(range(n))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_branches_with_results(n: int) -> None:
    text = """
    func.func @f(%x: memref<37xf32>, %k: memref<index>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %zero {in_bounds = [true]} : memref<37xf32>, vector<37xf32>
      %one = arith.cmpi sge, %n, %c1 : index
      %r, %j = scf.if %one -> (vector<37xf32>, index) {
        %two = arith.cmpi sgt, %n, %c1 : index
        %s = scf.if %two -> (vector<37xf32>) {
          %d = arith.addf %v, %v : vector<37xf32>
          scf.yield %d : vector<37xf32>
        } else {
          %d = arith.negf %v : vector<37xf32>
          scf.yield %d : vector<37xf32>
        }
        %l = arith.addi %n, %n : index
        scf.yield %s, %l : vector<37xf32>, index
      } else {
        scf.yield %v, %c0 : vector<37xf32>, index
      }
      vector.transfer_write %r, %x[%c0] {in_bounds = [true]} : vector<37xf32>, memref<37xf32>
      memref.store %j, %k[] : memref<index>
      func.return
    }"""
    x, k = numbers(37), np.zeros((), np.int64)
    want = [x, -x, 2 * x][n].copy()
    call(text, x, k, n)
    np.testing.assert_array_equal(x, want)
    assert k == 2 * n


@pytest.mark.parametrize(
    "expression", ["d0 floordiv 7", "d0 mod 7", "d0 ceildiv 7", "d0 floordiv 8", "d0 mod 8", "d0 ceildiv 8", "(d0 * 4 + 8) floordiv 4 - d0"]
)
def test_index_arithmetic(expression: str) -> None:
    text = f"""
    #m = affine_map<(d0)[s0] -> ({expression})>
    func.func @f(%y: memref<41xindex>, %s: index) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c41 = arith.constant 41 : index
      %c20 = arith.constant 20 : index
      scf.for %i = %c0 to %c41 step %c1 {{
        %d = arith.subi %i, %c20 : index
        %r = affine.apply #m(%d)[%s]
        memref.store %r, %y[%i] : memref<41xindex>
      }}
      func.return
    }}"""
    y = np.zeros(41, np.int64)
    call(text, y, 5)
    python = (
        expression.replace("floordiv", "//")
        .replace("mod", "%")
        .replace("d0 ceildiv 7", "-(-d0 // 7)")
        .replace("d0 ceildiv 8", "-(-d0 // 8)")
    )
    assert list(y) == [eval(python, {"d0": d0, "s0": 5}) for d0 in range(-20, 21)]


def test_index_arithmetic_by_variables() -> None:
    text = """
    func.func @f(%y: memref<3xindex>, %a: index, %b: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %p = arith.muli %a, %b : index
      %q = arith.floordivsi %p, %b : index
      %r = arith.remsi %a, %b : index
      memref.store %p, %y[%c0] : memref<3xindex>
      memref.store %q, %y[%c1] : memref<3xindex>
      memref.store %r, %y[%c2] : memref<3xindex>
      func.return
    }"""
    y = np.zeros(3, np.int64)
    call(text, y, -17, 5)
    assert list(y) == [-85, -17, -2]


@pytest.mark.parametrize("n", [-5, 3, 30])
def test_index_extremes(n: int) -> None:
    text = """
    func.func @f(%y: memref<4xindex>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %a = affine.min affine_map<(d0) -> (d0, 14, d0 * 2)>(%n)
      %b = affine.max affine_map<(d0) -> (d0, 0)>(%n)
      %c = arith.minsi %n, %c2 : index
      %p = arith.cmpi slt, %n, %c0 : index
      %d = arith.select %p, %c3, %n : index
      memref.store %a, %y[%c0] : memref<4xindex>
      memref.store %b, %y[%c1] : memref<4xindex>
      memref.store %c, %y[%c2] : memref<4xindex>
      memref.store %d, %y[%c3] : memref<4xindex>
      func.return
    }"""
    y = np.zeros(4, np.int64)
    call(text, y, n)
    assert list(y) == [min(n, 14, 2 * n), max(n, 0), min(n, 2), 3 if n < 0 else n]


def test_parallel_loops_become_tasks() -> None:
    """Two dimensions with steps, a nested parallel loop, values of the outside used inside; two of them in one function."""
    text = f"""
    func.func @f(%x: {ROWS}, %y: {ROWS}, %m: index, %n: index, %k: index, %grain: index) attributes {{grain = 5 : i64}} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %half = affine.apply affine_map<()[s0] -> (s0 floordiv 2)>()[%k]
      %scale = memref.load %x[%c0, %c0] : {ROWS}
      %sub = memref.subview %y[%c1, %c2] [%m, %n] [1, 1] : {ROWS} to {ROWS}
      scf.parallel (%i, %j) = (%c0, %c1) to (%m, %n) step (%c2, %c3) {{
        scf.parallel (%l) = (%c0) to (%c2) step (%c1) {{
          %r = arith.addi %i, %l : index
          %e = arith.cmpi slt, %r, %m : index
          scf.if %e {{
            %v = memref.load %x[%r, %j] : {ROWS}
            %w = arith.mulf %v, %scale : f32
            %h = arith.index_cast %half : index to i64
            %hf = arith.sitofp %h : i64 to f32
            %u = arith.addf %w, %hf : f32
            memref.store %u, %sub[%r, %j] : {ROWS}
          }}
        }}
      }}
      scf.parallel (%i) = (%c0) to (%m) step (%c1) {{
        memref.store %scale, %y[%i, %c0] : {ROWS}
      }}
      func.return
    }}"""
    for grain in (1, 4):
        x, y = numbers(7, 11), np.zeros((8, 13), np.float32)
        x[0, 0] = 3
        native = call(text, x, y, 7, 11, 9, grain)
        want = np.zeros((8, 13), np.float32)
        want[1:8, 3:13:3] = x[:7, 1:11:3] * 3 + 4
        want[:7, 0] = 3
        np.testing.assert_array_equal(y, want)
        assert "@f_task(ptr" in native.text
        assert "@f_task1(ptr" in native.text


# ---- views ----------------------------------------------------------------------------------------------------------------------


def test_views_of_views() -> None:
    wide, row = "memref<4x20xf32, strided<[40, 2], offset: ?>>", "memref<12xf32, strided<[2], offset: ?>>"
    tile = "memref<3x4xf32, strided<[8, 2], offset: ?>>"
    text = f"""
    func.func @f(%x: memref<6x40xf32>, %y: memref<3x4xf32>, %o: index) {{
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %zero = arith.constant 0.0 : f32
      %a = memref.subview %x[1, %o] [4, 20] [1, 2] : memref<6x40xf32> to {wide}
      %b = memref.subview %a[%c2, 3] [1, 12] [1, 1] : {wide} to {row}
      %c = memref.expand_shape %b [[0, 1]] output_shape [3, 4] : {row} into {tile}
      %v = vector.transfer_read %c[%c0, %c0], %zero {{in_bounds = [true, true]}} : {tile}, vector<3x4xf32>
      vector.transfer_write %v, %y[%c0, %c0] {{in_bounds = [true, true]}} : vector<3x4xf32>, memref<3x4xf32>
      func.return
    }}"""
    x, y = numbers(6, 40), np.zeros((3, 4), np.float32)
    call(text, x, y, 1)
    np.testing.assert_array_equal(y, x[3, 1:41:2][3:15].reshape(3, 4))


def test_bytes_seen_as_elements() -> None:
    text = """
    func.func @f(%arena: memref<?xi8>, %o: index) {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant 0.0 : f32
      %a = memref.view %arena[%c64][] : memref<?xi8> to memref<4x16xf32>
      %b = memref.view %arena[%o][] : memref<?xi8> to memref<64xf32>
      %c = memref.collapse_shape %a [[0, 1]] : memref<4x16xf32> into memref<64xf32>
      %v = vector.transfer_read %c[%c0], %zero {in_bounds = [true]} : memref<64xf32>, vector<64xf32>
      %w = arith.addf %v, %v : vector<64xf32>
      vector.transfer_write %w, %b[%c0] {in_bounds = [true]} : vector<64xf32>, memref<64xf32>
      func.return
    }"""
    arena = np.zeros(1024, np.int8)
    arena[64:320].view(np.float32)[:] = numbers(64)
    call(text, arena, 512)
    np.testing.assert_array_equal(arena[512:768].view(np.float32), 2 * numbers(64))


def test_stack_buffers_and_globals() -> None:
    text = """
    memref.global "private" constant @table : memref<40xf32> = dense<[TABLE]>
    func.func @f(%y: memref<40xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %t = memref.get_global @table : memref<40xf32>
      %b = memref.alloca() : memref<2x40xf32>
      %v = vector.transfer_read %t[%c0], %zero {in_bounds = [true]} : memref<40xf32>, vector<40xf32>
      vector.transfer_write %v, %b[%c1, %c0] {in_bounds = [true]} : vector<40xf32>, memref<2x40xf32>
      %w = vector.transfer_read %b[%c1, %c0], %zero {in_bounds = [true]} : memref<2x40xf32>, vector<40xf32>
      %s = arith.addf %v, %w : vector<40xf32>
      vector.transfer_write %s, %y[%c0] {in_bounds = [true]} : vector<40xf32>, memref<40xf32>
      func.return
    }""".replace("TABLE", ", ".join(f"{float(i)}" for i in range(40)))
    y = np.zeros(40, np.float32)
    call(text, y)
    np.testing.assert_array_equal(y, 2 * np.arange(40))


def test_main_calls_kernels() -> None:
    """Static memrefs are passed with the strides that the kernel's types leave open; offsets go into the pointer."""
    text = f"""
    func.func private @twice(%x: {ROWS}, %y: {ROWS}, %m: index, %n: index) attributes {{kernel}} {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      scf.for %i = %c0 to %m step %c1 {{
        scf.for %j = %c0 to %n step %c1 {{
          %v = memref.load %x[%i, %j] : {ROWS}
          %w = arith.addf %v, %v : f32
          memref.store %w, %y[%i, %j] : {ROWS}
        }}
      }}
      func.return
    }}
    func.func @main(%arena: memref<?xi8>, %weights: memref<?xi8>, %x: memref<4x6xf32>, %y: memref<4x12xf32>) {{
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %c6 = arith.constant 6 : index
      %c128 = arith.constant 128 : index
      %t = memref.view %arena[%c128][] : memref<?xi8> to memref<4x6xf32>
      %a = memref.cast %x : memref<4x6xf32> to {ROWS}
      %b = memref.cast %t : memref<4x6xf32> to {ROWS}
      %o = memref.subview %y[0, 4] [4, 6] [1, 1] : memref<4x12xf32> to memref<4x6xf32, strided<[12, 1], offset: 4>>
      %c = memref.cast %o : memref<4x6xf32, strided<[12, 1], offset: 4>> to {ROWS}
      func.call @twice(%a, %b, %c4, %c6) : ({ROWS}, {ROWS}, index, index) -> ()
      func.call @twice(%b, %c, %c3, %c6) : ({ROWS}, {ROWS}, index, index) -> ()
      func.return
    }}"""
    x, y = numbers(4, 6), np.zeros((4, 12), np.float32)
    native = Native(text)
    native.call("main", np.zeros(1024, np.int8), np.zeros(1, np.int8), x, y)
    want = np.zeros((4, 12), np.float32)
    want[:3, 4:10] = 4 * x[:3]
    np.testing.assert_array_equal(y, want)
    assert "define void @main(ptr %a0, ptr %a1, ptr %a2, ptr %a3)" in native.text
    assert re.search(r"call void @twice\(ptr %a2, i64 6, ptr %v\d+, i64 6, i64 4, i64 6\)", native.text)
    assert re.search(r"call void @twice\(ptr %v\d+, i64 6, ptr %v\d+, i64 12, i64 3, i64 6\)", native.text)


def test_extents_of_kernels_are_unknown() -> None:
    text = f"""
    func.func @f(%x: {ROWS}, %y: memref<index>) {{
      %c0 = arith.constant 0 : index
      %d = memref.dim %x, %c0 : {ROWS}
      memref.store %d, %y[] : memref<index>
      func.return
    }}"""
    with pytest.raises(CompileError, match="not part of a kernel's interface"):
        Native(text)
