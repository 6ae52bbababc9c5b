"""Matrix multiplication.

In: two tensors of one element type. Out: their product, as `numpy.matmul`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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
from stepwell.ir.diagnostics import CompileError


@irdl_op_definition
class MatmulOp(NnOp):
    """The matrix product as `numpy.matmul`: leading axes are a batch and broadcast, a vector is a row on the left, a column on the right.

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
        element = check_same_element(operand_types, cls.name)
        check_element("number", operand_types[0], cls.name)
        for type in operand_types:
            check_rank(type, 1, cls.name)
        a, b = (t.get_shape() for t in operand_types)
        (k, *_) = b[-2:]
        if not same_extent(a[-1], k):
            raise CompileError(f"nn.matmul: inner extents of {shape_text(a)} and {shape_text(b)} differ ({a[-1]} and {k})")
        batch = broadcast_shapes((a[:-2], b[:-2]), cls.name)
        return (tensor_type((*batch, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ())), element),)

    def compute(self, a: Array, b: Array) -> Array:
        return np.matmul(a, b)
