"""Transfers are exact about padding, masks and bounds; the other ops of `vector` against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import execute

from stepwell.ir.diagnostics import CompileError

M = np.arange(20, dtype=np.float32).reshape(4, 5)


def read(attributes: str, shape: str, i: int, j: int, mask: np.ndarray | None = None) -> Any:
    masked = "" if mask is None else ", %k"
    mask_type = "" if mask is None else f", %k: vector<{'x'.join(map(str, mask.shape))}xi1>"
    text = f"""
        func.func @f(%m: memref<?x?xf32>, %i: index, %j: index, %p: f32{mask_type}) -> vector<{shape}> {{
          %v = vector.transfer_read %m[%i, %j], %p{masked} {attributes} : memref<?x?xf32>, vector<{shape}>
          func.return %v : vector<{shape}>
        }}"""
    return execute(text, M, i, j, -1.0, *(() if mask is None else (mask,)))[0]


def test_read_pads_outside() -> None:
    expected = [[18, 19, -1, -1], [-1] * 4]
    assert read("", "2x4xf32", 3, 3).tolist() == expected
    assert read("", "4xf32", 0, -2).tolist() == [-1, -1, 0, 1]


def test_read_permuted_and_broadcast() -> None:
    assert read("{permutation_map = affine_map<(d0, d1) -> (d1, d0)>}", "3x2xf32", 1, 1).tolist() == M[1:3, 1:4].T.tolist()
    attributes = "{in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d0, 0)>}"
    assert read(attributes, "2x3xf32", 1, 2).tolist() == [[7] * 3, [12] * 3]


def test_read_masked() -> None:
    mask = np.array([[1, 0, 1], [0, 0, 1]], np.bool_)
    expected = np.where(mask, M[0:2, 0:3], -1)
    assert read("{in_bounds = [true, true]}", "2x3xf32", 0, 0, mask).tolist() == expected.tolist()
    turned = read("{in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d1, d0)>}", "3x2xf32", 0, 0, mask)
    assert turned.tolist() == expected.T.tolist()


def test_promises_of_bounds_are_kept() -> None:
    inside = np.array([[1, 1, 0, 0]], np.bool_)
    assert read("{in_bounds = [true, true]}", "1x4xf32", 0, 3, inside).tolist() == [[3, 4, -1, -1]]
    with pytest.raises(CompileError, match="outside of dimension 1, which in_bounds promises not to be"):
        read("{in_bounds = [true, true]}", "1x4xf32", 0, 3, np.array([[1, 1, 1, 0]], np.bool_))
    with pytest.raises(CompileError, match="in_bounds promises"):
        read("{in_bounds = [true]}", "4xf32", 0, 3)


def test_hidden_reads_may_start_anywhere() -> None:
    assert read("{in_bounds = [true]}", "4xf32", 100, 100, np.zeros(4, np.bool_)).tolist() == [-1] * 4


def test_write() -> None:
    target = np.zeros((3, 4), np.float32)
    value = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
    text = """
        func.func @f(%m: memref<?x?xf32>, %v: vector<2x3xf32>, %i: index, %j: index, %k: vector<2x3xi1>) {
          vector.transfer_write %v, %m[%i, %j], %k : vector<2x3xf32>, memref<?x?xf32>
          func.return
        }"""
    execute(text, target, value, 2, 2, np.array([[0, 1, 1], [1, 1, 1]], np.bool_))
    assert target.tolist() == [[0] * 4, [0] * 4, [0, 0, 0, 2]]


def test_write_to_a_tensor_makes_a_new_one() -> None:
    tensor = np.zeros(4, np.float32)
    text = """
        func.func @f(%t: tensor<4xf32>, %v: vector<2xf32>, %i: index) -> tensor<4xf32> {
          %r = vector.transfer_write %v, %t[%i] {in_bounds = [true]} : vector<2xf32>, tensor<4xf32>
          func.return %r : tensor<4xf32>
        }"""
    (result,) = execute(text, tensor, np.array([1, 2], np.float32), 1)
    assert result.tolist() == [0, 1, 2, 0]
    assert not tensor.any()


A, B = np.arange(8, dtype=np.float32).reshape(2, 4), np.arange(8, 16, dtype=np.float32).reshape(2, 4)
ROW = np.array([3, 1, 2, 0], np.float32)

OPS: list[tuple[str, str, list[Any]]] = [
    ("%r = vector.broadcast %row : vector<4xf32> to vector<2x4xf32>", "2x4xf32", np.tile(ROW, (2, 1)).tolist()),
    ("%r = vector.transpose %a, [1, 0] : vector<2x4xf32> to vector<4x2xf32>", "4x2xf32", A.T.tolist()),
    ("%r = vector.shape_cast %a : vector<2x4xf32> to vector<8xf32>", "8xf32", list(range(8))),
    ("%r = vector.extract %a[1] : vector<4xf32> from vector<2x4xf32>", "4xf32", A[1].tolist()),
    ("%r = vector.insert %row, %a [%i] : vector<4xf32> into vector<2x4xf32>", "2x4xf32", [A[0].tolist(), ROW.tolist()]),
    ("%r = vector.fma %a, %b, %a : vector<2x4xf32>", "2x4xf32", (A * B + A).tolist()),
    ("%r = vector.multi_reduction <add>, %a, %row [0] : vector<2x4xf32> to vector<4xf32>", "4xf32", (ROW + A.sum(0)).tolist()),
    ("%r = vector.outerproduct %row, %row : vector<4xf32>, vector<4xf32>", "4x4xf32", np.outer(ROW, ROW).tolist()),
    ("%r = vector.outerproduct %row, %s, %row : vector<4xf32>, f32", "4xf32", (ROW * 2 + ROW).tolist()),
    ("%r = vector.shuffle %a, %b [3, 0] : vector<2x4xf32>, vector<2x4xf32>", "2x4xf32", [B[1].tolist(), A[0].tolist()]),
    ("%r = vector.from_elements %s, %s : vector<2xf32>", "2xf32", [2.0, 2.0]),
    (
        "%r = vector.extract_strided_slice %a {offsets = [0, 1], sizes = [2, 2], strides = [1, 1]} : vector<2x4xf32> to vector<2x2xf32>",
        "2x2xf32",
        A[:, 1:3].tolist(),
    ),
    (
        "%r = vector.insert_strided_slice %row, %a {offsets = [1, 0], strides = [1]} : vector<4xf32> into vector<2x4xf32>",
        "2x4xf32",
        [A[0].tolist(), ROW.tolist()],
    ),
    ("%r = vector.bitcast %one : vector<1xi32> to vector<2xi16>", "2xi16", [1, 2]),
    ("%r = vector.create_mask %i, %n : vector<2x4xi1>", "2x4xi1", [[True] * 3 + [False], [False] * 4]),
    ("%r = vector.constant_mask [2, 1] : vector<2x4xi1>", "2x4xi1", [[True, False, False, False]] * 2),
    ("%r = vector.step : vector<3xindex>", "3xindex", [0, 1, 2]),
]


@pytest.mark.parametrize(("op", "type", "expected"), OPS)
def test_ops(op: str, type: str, expected: list[Any]) -> None:
    text = f"""
        func.func @f(%a: vector<2x4xf32>, %b: vector<2x4xf32>, %row: vector<4xf32>, %s: f32, %i: index, %n: index, %one: vector<1xi32>)
            -> vector<{type}> {{
          {op}
          func.return %r : vector<{type}>
        }}"""
    (result,) = execute(text, A, B, ROW, 2.0, 1, 3, np.array([0x20001], np.int32))
    assert result.tolist() == expected


@pytest.mark.parametrize(
    ("kind", "type", "values", "expected"),
    [
        ("add", "f32", [1, 2, 4], 7),
        ("mul", "i32", [2, 3, 4], 24),
        ("maximumf", "f32", [1, np.nan, 2], np.nan),
        ("maxnumf", "f32", [1, np.nan, 2], 2),
        ("minsi", "i32", [3, -1, 2], -1),
        ("minui", "i32", [3, -1, 2], 2),
        ("xor", "i32", [3, 5, 1], 7),
    ],
)
def test_reductions(kind: str, type: str, values: list[float], expected: float) -> None:
    text = f"""
        func.func @f(%v: vector<3x{type}>) -> {type} {{
          %r = vector.reduction <{kind}>, %v : vector<3x{type}> into {type}
          func.return %r : {type}
        }}"""
    (result,) = execute(text, np.array(values, {"f32": np.float32, "i32": np.int32}[type]))
    np.testing.assert_equal(float(result), float(expected))


def test_gather_and_scatter() -> None:
    memory = np.arange(10, dtype=np.float32)
    text = """
        func.func @f(%m: memref<?xf32>, %i: index, %x: vector<4xi32>, %k: vector<4xi1>, %p: vector<4xf32>) -> vector<4xf32> {
          %v = vector.gather %m[%i][%x], %k, %p : memref<?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
          vector.scatter %m[%i][%x], %k, %p : memref<?xf32>, vector<4xi32>, vector<4xi1>, vector<4xf32>
          func.return %v : vector<4xf32>
        }"""
    lanes, mask = np.array([3, 0, 100, 0], np.int32), np.array([1, 1, 0, 1], np.bool_)
    (result,) = execute(text, memory, 2, lanes, mask, np.array([-1, -2, -3, -4], np.float32))
    assert result.tolist() == [5, 2, -3, 2]
    assert memory.tolist() == [0, 1, -4, 3, 4, -1, 6, 7, 8, 9]


def test_masked_rows() -> None:
    memory = np.arange(6, dtype=np.float32)
    text = """
        func.func @f(%m: memref<?xf32>, %i: index, %k: vector<4xi1>, %p: vector<4xf32>) -> vector<4xf32> {
          %v = vector.maskedload %m[%i], %k, %p : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
          vector.maskedstore %m[%i], %k, %p : memref<?xf32>, vector<4xi1>, vector<4xf32>
          func.return %v : vector<4xf32>
        }"""
    (result,) = execute(text, memory, 4, np.array([1, 1, 0, 0], np.bool_), np.full(4, -1, np.float32))
    assert result.tolist() == [4, 5, -1, -1]
    assert memory.tolist() == [0, 1, 2, 3, -1, -1]
