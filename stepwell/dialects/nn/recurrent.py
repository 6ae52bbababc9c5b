"""Recurrent layers over a whole sequence.

In: a sequence [T, B, I], weights and initial states. Out: all hidden states and the last ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.activation import sigmoid
from stepwell.dialects.nn.base import (
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    check_element,
    check_same_element,
    number,
    same_extent,
    shape_text,
    tensor_type,
)
from stepwell.ir.diagnostics import CompileError

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


@irdl_op_definition
class LstmOp(NnOp):
    """Long short-term memory, gates in the order input, output, forget, cell as in ONNX.

    Operands: x [T, B, I], w [D, 4H, I], r [D, 4H, H], b [D, 8H] (of w, then of r), h0 [D, B, H], c0 [D, B, H]; D is 2 if bidirectional.
    Results: y [T, D, B, H], the last h [D, B, H] and the last c [D, B, H].
    One step: i, o, f, g = split(x w^T + h r^T + b); c = sigmoid(f) c + sigmoid(i) tanh(g); h = sigmoid(o) tanh(c).

    ```mlir
    %y, %h, %c = nn.lstm %x, %w, %r, %b, %h0, %c0 : tensor<5x1x3xf32>, tensor<1x8x3xf32>, tensor<1x8x2xf32>, tensor<1x16xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32> -> (tensor<5x1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>)
    ```
    Source: Hochreiter and Schmidhuber 1997; ONNX operator LSTM.
    """  # noqa: E501

    name = "nn.lstm"
    x = operand_def(TENSOR)
    w = operand_def(TENSOR)
    r = operand_def(TENSOR)
    b = operand_def(TENSOR)
    h0 = operand_def(TENSOR)
    c0 = operand_def(TENSOR)
    y = result_def(TENSOR)
    h = result_def(TENSOR)
    c = result_def(TENSOR)
    direction: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"direction": "forward"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """All shapes follow from x and r."""
        if number(attributes["direction"]) not in DIRECTIONS:
            raise CompileError(f"nn.lstm: direction is {attributes['direction']}", hint=f"it may be {', '.join(DIRECTIONS)}")
        element = check_same_element(operand_types, cls.name)
        check_element("float", operand_types[0], cls.name)
        shapes = [t.get_shape() for t in operand_types]
        if len(shapes[0]) != 3 or len(shapes[2]) != 3:
            raise CompileError(f"nn.lstm: x is [T, B, I] and r is [D, 4H, H], got {operand_types[0]} and {operand_types[2]}")
        (steps, batch, inputs), hidden, d = shapes[0], shapes[2][2], DIRECTIONS[number(attributes["direction"])]
        want = [
            (steps, batch, inputs),
            (d, 4 * hidden, inputs),
            (d, 4 * hidden, hidden),
            (d, 8 * hidden),
            (d, batch, hidden),
            (d, batch, hidden),
        ]
        for name, have, expected in zip(("x", "w", "r", "b", "h0", "c0"), shapes, want, strict=True):
            if len(have) != len(expected) or not all(map(same_extent, have, expected)):
                raise CompileError(f"nn.lstm: {name} has shape {shape_text(have)}, expected {shape_text(expected)}")
        state = tensor_type((d, batch, hidden), element)
        return tensor_type((steps, d, batch, hidden), element), state, state

    def compute(self, x: Array, w: Array, r: Array, b: Array, h0: Array, c0: Array) -> tuple[Array, ...]:
        direction = self.direction.data
        y = np.zeros((x.shape[0], w.shape[0], x.shape[1], r.shape[2]), x.dtype)
        last_h, last_c = h0.copy(), c0.copy()
        for d in range(w.shape[0]):
            backward = direction == "reverse" or d == 1
            h, c = h0[d], c0[d]
            bias = b[d].reshape(2, -1).sum(0)
            for t in reversed(range(x.shape[0])) if backward else range(x.shape[0]):
                i, o, f, g = np.split(x[t] @ w[d].T + h @ r[d].T + bias, 4, -1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
                y[t, d] = h
            last_h[d], last_c[d] = h, c
        return y, last_h, last_c
