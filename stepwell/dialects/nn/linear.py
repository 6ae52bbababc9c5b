"""Matrix multiplication.

In: two tensors of one element type, or one and weights of few bits. Out: their product, as `numpy.matmul`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from stepwell.dialects.nn.base import (
    TENSOR,
    Array,
    Attributes,
    NnOp,
    Tensor,
    broadcast_shapes,
    check_element,
    check_rank,
    check_same_element,
    same_extent,
    shape_text,
    tensor_type,
)
from stepwell.ir.constants import element_type_of
from stepwell.ir.diagnostics import CompileError

UI8, I8, I32, F32 = (element_type_of(np.dtype(t)) for t in (np.uint8, np.int8, np.int32, np.float32))
MIXED: Mapping[tuple[Attribute, Attribute], Attribute] = {(UI8, I8): I32, (F32, I8): F32}
"""Factors of different element types -> the element type of their sum of products."""


def product_element(factors: Sequence[Tensor], name: str) -> Attribute:
    """The element type of a sum of products: that of the factors, or what `MIXED` says."""
    left, right = (factor.element_type for factor in factors)
    if (left, right) in MIXED:
        return MIXED[left, right]
    element = check_same_element(factors, name)
    check_element("number", factors[0], name)
    return element


def widened(a: Array, b: Array) -> tuple[Array, Array]:
    """Factors as they are multiplied: of one type, bytes of different signs in 32 bits."""
    if a.dtype == b.dtype:
        return a, b
    common = a.dtype if a.dtype.kind == "f" else np.dtype(np.int32)
    return a.astype(common), b.astype(common)


@irdl_op_definition
class MatmulOp(NnOp):
    """The matrix product as `numpy.matmul`: leading axes are a batch and broadcast, a vector is a row on the left, a column on the right.

    Factors have one element type, or are `ui8` and `i8`: then the result is the exact sum in `i32`; or `f32` and `i8`, widened when read.

    ```mlir
    %y = nn.matmul %a, %b : tensor<4x1x2x3xf32>, tensor<5x3x7xf32> -> tensor<4x5x2x7xf32>
    ```
    """

    name = "nn.matmul"
    a = operand_def(TENSOR)
    b = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Batch axes broadcast, inner extents agree; the axis that a vector was given is dropped again."""
        element = product_element(operand_types, cls.name)
        for type in operand_types:
            check_rank(type, 1, cls.name)
        a, b = (t.get_shape() for t in operand_types)
        (k, *_) = b[-2:]
        if not same_extent(a[-1], k):
            raise CompileError(f"nn.matmul: inner extents of {shape_text(a)} and {shape_text(b)} differ ({a[-1]} and {k})")
        batch = broadcast_shapes((a[:-2], b[:-2]), cls.name)
        return (tensor_type((*batch, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ())), element),)

    def compute(self, a: Array, b: Array) -> Array:
        return np.matmul(*widened(a, b))


@irdl_op_definition
class BlockQuantizedMatmulOp(NnOp):
    """The product with weights of 8 / H bits that stay packed: blocks of rows with a scale and a zero point for each column.

    Operands: a [.., B, P, H], weights [B, P, N] of bytes, scales and zeros that broadcast to [B, N]. Each byte holds the weights of H
    neighbouring rows, the lowest bits first; a weight of w stands for (w - zero) scale, where B counts blocks and P bytes of a block.

    ```mlir
    %y = nn.block_quantized_matmul %a, %w, %s, %z
        : tensor<3x2x16x2xf32>, tensor<2x16x40xui8>, tensor<2x40xf32>, tensor<1x1xf32> -> tensor<3x40xf32>
    ```
    Source: MatMulNBits of com.microsoft.
    """

    name = "nn.block_quantized_matmul"
    a = operand_def(TENSOR)
    weights = operand_def(TENSOR)
    scales = operand_def(TENSOR)
    zeros = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The leading axes of a, and the columns."""
        a, weights, scales, zeros = operand_types
        element = check_same_element((a, scales, zeros), cls.name)
        check_element("float", a, cls.name)
        rows, packed = a.get_shape(), weights.get_shape()
        if weights.element_type != UI8 or len(packed) != 3 or len(rows) < 3 or rows[-1] not in (1, 2, 4, 8):
            raise CompileError(
                f"{cls.name}: weights of type {weights} do not fit {a}", hint="a is [.., B, P, H], the weights are [B, P, N] of ui8"
            )
        if not all(map(same_extent, rows[-3:-1], packed[:2])):
            raise CompileError(f"{cls.name}: {shape_text(rows)} and {shape_text(packed)} have other blocks")
        for parameter in (scales, zeros):
            shape = parameter.get_shape()
            if len(shape) != 2 or any(e != 1 and not same_extent(e, f) for e, f in zip(shape, packed[::2], strict=True)):
                raise CompileError(
                    f"{cls.name}: parameters of shape {shape_text(shape)} do not broadcast to blocks and columns of {weights}"
                )
        return (tensor_type((*rows[:-3], packed[2]), element),)

    def compute(self, a: Array, weights: Array, scales: Array, zeros: Array) -> Array:
        parts = a.shape[-1]
        bits = 8 // parts
        numbers = np.stack([weights >> (bits * h) & ((1 << bits) - 1) for h in range(parts)], 2).astype(np.float32)
        real = (numbers - zeros[:, None, None].astype(np.float32)) * scales[:, None, None].astype(np.float32)
        rows = a.reshape(*a.shape[:-3], -1).astype(np.result_type(a.dtype, np.float32))
        return np.matmul(rows, real.reshape(-1, weights.shape[2]).astype(rows.dtype)).astype(a.dtype)
