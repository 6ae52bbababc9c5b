"""`tensor` against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernels import execute

T = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

OPS: list[tuple[str, str, Any]] = [
    ("%r = tensor.extract_slice %t[0, %i, 0] [2, 1, 2] [1, 1, 2] : tensor<2x3x4xf32> to tensor<2x2xf32>", "2x2xf32", T[:, 1, ::2]),
    ("%r = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>", "6x4xf32", T.reshape(6, 4)),
    (
        "%r = tensor.expand_shape %t [[0], [1], [2, 3]] output_shape [2, 3, 2, 2] : tensor<2x3x4xf32> into tensor<2x3x2x2xf32>",
        "2x3x2x2xf32",
        T.reshape(2, 3, 2, 2),
    ),
    (
        "%r = tensor.concat dim(1) %t, %t : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x6x4xf32>",
        "2x6x4xf32",
        np.concatenate([T, T], 1),
    ),
    ("%r = tensor.insert %s into %t[%i, %i, %i] : tensor<2x3x4xf32>", "2x3x4xf32", np.where(np.arange(24).reshape(2, 3, 4) == 17, 9, T)),
    ("%r = tensor.splat %s : tensor<3xf32>", "3xf32", np.full(3, 9)),
    ("%r = tensor.from_elements %s, %s : tensor<1x2xf32>", "1x2xf32", np.full((1, 2), 9)),
    (
        "%r = tensor.gather %t[%at] gather_dims([1]) : (tensor<2x3x4xf32>, tensor<2x1xindex>) -> tensor<2x2x4xf32>",
        "2x2x4xf32",
        T[:, [2, 0]].transpose(1, 0, 2),
    ),
    (
        "%r = tensor.gather %t[%at] gather_dims([1]) : (tensor<2x3x4xf32>, tensor<2x1xindex>) -> tensor<2x2x1x4xf32>",
        "2x2x1x4xf32",
        T[:, [2, 0]].transpose(1, 0, 2).reshape(2, 2, 1, 4),
    ),
    (
        "%r = tensor.pad %t low[0, 1, 0] high[0, %i, 2] {\n^bb0(%x: index, %y: index, %z: index):\ntensor.yield %s : f32\n}"
        " : tensor<2x3x4xf32> to tensor<2x?x6xf32>",
        "2x?x6xf32",
        np.pad(T, [(0, 0), (1, 1), (0, 2)], constant_values=9),
    ),
]


@pytest.mark.parametrize(("op", "type", "expected"), OPS)
def test_ops(op: str, type: str, expected: Any) -> None:
    text = f"""
        func.func @f(%t: tensor<2x3x4xf32>, %s: f32, %i: index, %at: tensor<2x1xindex>) -> tensor<{type}> {{
          {op}
          func.return %r : tensor<{type}>
        }}"""
    (result,) = execute(text, T, 9.0, 1, np.array([[2], [0]]))
    np.testing.assert_array_equal(result, np.asarray(expected, np.float32))


def test_insert_slice_makes_a_new_tensor() -> None:
    text = """
        func.func @f(%s: tensor<2xf32>, %t: tensor<2x4xf32>, %i: index) -> tensor<2x4xf32> {
          %r = tensor.insert_slice %s into %t[%i, 1] [1, 2] [1, 2] : tensor<2xf32> into tensor<2x4xf32>
          func.return %r : tensor<2x4xf32>
        }"""
    before = np.zeros((2, 4), np.float32)
    (result,) = execute(text, np.array([5, 6], np.float32), before, 1)
    assert result.tolist() == [[0] * 4, [0, 5, 0, 6]]
    assert not before.any()


def test_generate_and_pad_by_position() -> None:
    generated, padded = execute("""
        func.func @f() -> (tensor<2x3xindex>, tensor<4xindex>) {
          %g = tensor.generate {
          ^bb0(%i: index, %j: index):
            %s = arith.muli %i, %j : index
            tensor.yield %s : index
          } : tensor<2x3xindex>
          %c = arith.constant dense<7> : tensor<2xindex>
          %p = tensor.pad %c low[1] high[1] {
          ^bb0(%i: index):
            tensor.yield %i : index
          } : tensor<2xindex> to tensor<4xindex>
          func.return %g, %p : tensor<2x3xindex>, tensor<4xindex>
        }""")
    assert generated.tolist() == [[0, 0, 0], [0, 1, 2]]
    assert padded.tolist() == [0, 7, 7, 3]
