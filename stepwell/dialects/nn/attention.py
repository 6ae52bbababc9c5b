"""What transformers are made of besides matmuls and norms: scaled dot-product attention, rotary position embedding.

In: heads of queries, keys and values; or heads and the angles of their positions. Out: heads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import FloatAttr, StringAttr, i1
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    FLOAT,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    broadcast_shapes,
    check_element,
    check_same_element,
    number,
    same_extent,
    shape_text,
    tensor_type,
)
from stepwell.ir.diagnostics import CompileError

MASKED_ROWS = ("nan", "zero")


@irdl_op_definition
class AttentionOp(NnOp):
    """softmax(scale q k^T + mask) v for every head; query head h of H reads head h // (H / G) of the G key and value heads.

    Operands: q [.., H, S, D], k [.., G, T, D], v [.., G, T, E], and perhaps a mask that broadcasts to [.., H, S, T]: floats are added to
    the scores, where a boolean is false the score becomes `fill`. A row of scores that are all -inf has no softmax: with
    `masked_rows = "zero"` its result is 0 (as is that of every row of probabilities that are no numbers), otherwise not a number.

    ```mlir
    %y = nn.attention %q, %k, %v scale = 0.5 : tensor<1x4x2x3xf32>, tensor<1x2x5x3xf32>, tensor<1x2x5x6xf32> -> tensor<1x4x2x6xf32>
    ```
    Source: Vaswani et al. 2017 (arXiv 1706.03762); grouped heads: Ainslie et al. 2023 (arXiv 2305.13245).
    """

    name = "nn.attention"
    q = operand_def(TENSOR)
    k = operand_def(TENSOR)
    v = operand_def(TENSOR)
    mask = opt_operand_def(TENSOR)
    y = result_def(TENSOR)
    scale: FloatAttr[Any] = prop_def(FLOAT)
    fill: FloatAttr[Any] = prop_def(FLOAT)
    masked_rows: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"scale": 1.0, "fill": -math.inf, "masked_rows": "nan"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Heads, queries and the extent of a value."""
        if len(operand_types) not in (3, 4):
            raise CompileError(f"nn.attention takes queries, keys, values and perhaps a mask, got {len(operand_types)} operands")
        if number(attributes["masked_rows"]) not in MASKED_ROWS:
            raise CompileError(f"nn.attention: masked_rows is {attributes['masked_rows']}", hint=f"it may be {', '.join(MASKED_ROWS)}")
        element = check_same_element(operand_types[:3], cls.name)
        check_element("float", operand_types[0], cls.name)
        q, k, v = (t.get_shape() for t in operand_types[:3])
        if len(q) < 3 or not len(q) == len(k) == len(v):
            raise CompileError(f"nn.attention: q, k and v are [.., heads, positions, extent], got {', '.join(map(shape_text, (q, k, v)))}")
        fits = same_extent(q[-1], k[-1]) and same_extent(k[-2], v[-2]) and same_extent(k[-3], v[-3])
        if not fits or not all(same_extent(a, b) and same_extent(a, c) for a, b, c in zip(q[:-3], k[:-3], v[:-3], strict=True)):
            raise CompileError(f"nn.attention: q, k and v of shapes {', '.join(map(shape_text, (q, k, v)))} do not belong together")
        if min(q[-3], k[-3]) >= 0 and (k[-3] == 0 or q[-3] % k[-3]):
            raise CompileError(f"nn.attention: {q[-3]} heads of queries cannot share {k[-3]} heads of keys")
        if len(operand_types) == 4:
            _check_mask(operand_types[3], operand_types[0], (*q[:-1], k[-2]))
        return (tensor_type((*q[:-1], v[-1]), element),)

    def compute(self, q: Array, k: Array, v: Array, mask: Array | None = None) -> Array:
        group = q.shape[-3] // k.shape[-3]
        k, v = np.repeat(k, group, -3), np.repeat(v, group, -3)
        scores: Array = np.matmul(q, np.swapaxes(k, -1, -2)) * q.dtype.type(number(self.scale))
        if mask is not None:
            scores = np.where(mask, scores, scores.dtype.type(number(self.fill))) if mask.dtype == np.bool_ else scores + mask
        e: Array = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        p: Array = e / e.sum(-1, keepdims=True)
        return np.matmul(np.where(np.isnan(p), p.dtype.type(0), p) if self.masked_rows.data == "zero" else p, v)


def _check_mask(mask: Tensor, q: Tensor, scores: Sequence[int]) -> None:
    element: Attribute = mask.element_type
    if element not in (i1, q.element_type):
        raise CompileError(f"nn.attention: the mask of {element} is neither boolean nor of {q.element_type} as the queries")
    have = mask.get_shape()
    wide = broadcast_shapes((have, scores), "nn.attention")
    if len(wide) != len(scores) or not all(map(same_extent, wide, scores)):
        raise CompileError(f"nn.attention: the mask of shape {shape_text(have)} does not broadcast to {shape_text(scores)}")


@irdl_op_definition
class RotaryEmbeddingOp(NnOp):
    """x cos + [-x2, x1] sin, where x1 and x2 are the halves of the last axis of x; cos and sin broadcast to x.

    ```mlir
    %y = nn.rotary_embedding %x, %cos, %sin : tensor<1x2x3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32> -> tensor<1x2x3x8xf32>
    ```
    Source: Su et al. 2021 (arXiv 2104.09864), in the order of GPT-NeoX.
    """

    name = "nn.rotary_embedding"
    x = operand_def(TENSOR)
    cos = operand_def(TENSOR)
    sin = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of x."""
        check_same_element(operand_types, cls.name)
        check_element("float", operand_types[0], cls.name)
        shape = operand_types[0].get_shape()
        if not shape or shape[-1] % 2:
            raise CompileError(f"nn.rotary_embedding: the last axis of {operand_types[0]} has no halves")
        for type in operand_types[1:]:
            wide = broadcast_shapes((type.get_shape(), shape), cls.name)
            if len(wide) != len(shape) or not all(map(same_extent, wide, shape)):
                raise CompileError(
                    f"nn.rotary_embedding: angles of shape {shape_text(type.get_shape())} do not broadcast to {shape_text(shape)}"
                )
        return (operand_types[0],)

    def compute(self, x: Array, cos: Array, sin: Array) -> Array:
        first, second = np.split(x, 2, -1)
        return x * cos + np.concatenate([-second, first], -1) * sin
