"""Comparisons: elementwise ops of two operands that broadcast.

In: tensors of one element type. Out: a tensor of `i1` of the broadcast shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import i1
from xdsl.irdl import irdl_op_definition

from stepwell.dialects.nn.base import Array, Attributes, Tensor, broadcast_shapes, check_element, check_same_element, tensor_type
from stepwell.dialects.nn.binary import BinaryOp


class CompareOp(BinaryOp):
    """y[i] = whether a[i] and b[i] compare so; every comparison with NaN but `ne` is false."""

    ACCEPTS: ClassVar[str] = "any"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The broadcast shape with `i1`."""
        check_same_element(operand_types, cls.name)
        check_element(cls.ACCEPTS, operand_types[0], cls.name)
        return (tensor_type(broadcast_shapes([t.get_shape() for t in operand_types], cls.name), i1),)


@irdl_op_definition
class EqOp(CompareOp):
    """Whether a and b are equal.

    ```mlir
    %y = nn.eq %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.eq"

    def compute(self, a: Array, b: Array) -> Array:
        return np.equal(a, b)


@irdl_op_definition
class NeOp(CompareOp):
    """Whether a and b are not equal.

    ```mlir
    %y = nn.ne %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.ne"

    def compute(self, a: Array, b: Array) -> Array:
        return np.not_equal(a, b)


@irdl_op_definition
class LtOp(CompareOp):
    """Whether a < b.

    ```mlir
    %y = nn.lt %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.lt"

    def compute(self, a: Array, b: Array) -> Array:
        return np.less(a, b)


@irdl_op_definition
class LeOp(CompareOp):
    """Whether a <= b.

    ```mlir
    %y = nn.le %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.le"

    def compute(self, a: Array, b: Array) -> Array:
        return np.less_equal(a, b)


@irdl_op_definition
class GtOp(CompareOp):
    """Whether a > b.

    ```mlir
    %y = nn.gt %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.gt"

    def compute(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)


@irdl_op_definition
class GeOp(CompareOp):
    """Whether a >= b.

    ```mlir
    %y = nn.ge %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.ge"

    def compute(self, a: Array, b: Array) -> Array:
        return np.greater_equal(a, b)
