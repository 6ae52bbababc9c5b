"""Elementwise ops of two and three operands, which broadcast as in numpy.

In: tensors of one element type whose shapes broadcast. Out: a tensor of the broadcast shape, `i1` for comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.dialects.builtin import IntegerAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    BOOL,
    TENSOR,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    broadcast_shapes,
    check_element,
    check_same_element,
    number,
    tensor_type,
)


def _divisor(b: Array) -> Array:
    """An integer divisor with 1 for 0 and -1, whose quotients are not left to numpy: it warns. The remainder of either is 0."""
    return np.where((b == 0) | (b == -1), b.dtype.type(1), b)


class BinaryOp(NnOp):
    """y[i] = f(a[i], b[i]) with broadcasting. A member says which element types it takes and its meaning on arrays."""

    a = operand_def(TENSOR)
    b = operand_def(TENSOR)
    y = result_def(TENSOR)

    ACCEPTS: ClassVar[str] = "number"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The broadcast of the operands."""
        element = check_same_element(operand_types, cls.name)
        check_element(cls.ACCEPTS, operand_types[0], cls.name)
        return (tensor_type(broadcast_shapes([t.get_shape() for t in operand_types], cls.name), element),)


@irdl_op_definition
class AddOp(BinaryOp):
    """a + b, modulo 2^n on integers.

    ```mlir
    %y = nn.add %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.add"

    def compute(self, a: Array, b: Array) -> Array:
        return np.add(a, b)


@irdl_op_definition
class SubOp(BinaryOp):
    """a - b, modulo 2^n on integers.

    ```mlir
    %y = nn.sub %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.sub"

    def compute(self, a: Array, b: Array) -> Array:
        return np.subtract(a, b)


@irdl_op_definition
class MulOp(BinaryOp):
    """a b, modulo 2^n on integers.

    ```mlir
    %y = nn.mul %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.mul"

    def compute(self, a: Array, b: Array) -> Array:
        return np.multiply(a, b)


@irdl_op_definition
class DivOp(BinaryOp):
    """a / b; on integers modulo 2^n, rounded towards zero, and 0 for b = 0.

    ```mlir
    %y = nn.div %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.div"

    def compute(self, a: Array, b: Array) -> Array:
        if a.dtype.kind == "f":
            return a / b
        divisor = _divisor(b)
        quotient = np.floor_divide(a, divisor)
        quotient = quotient + ((quotient < 0) & (np.multiply(quotient, divisor) != a)).astype(a.dtype)
        return np.where(b == 0, a.dtype.type(0), np.where(b == -1, np.negative(a), quotient))


@irdl_op_definition
class PowOp(BinaryOp):
    """a to the power b; on integers a negative power is rounded towards zero.

    ```mlir
    %y = nn.pow %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.pow"

    def compute(self, a: Array, b: Array) -> Array:
        if a.dtype.kind == "f":
            return np.power(a, b)
        a, b = np.broadcast_arrays(a, b)
        one = a.dtype.type(1)
        if a.dtype.kind == "u":
            return np.power(a, b)
        odd = np.where(b % 2 != 0, a, one)
        return np.where(b >= 0, np.power(a, np.maximum(b, 0)), np.where(np.abs(a) == 1, odd, a.dtype.type(0)))


@irdl_op_definition
class MaxOp(BinaryOp):
    """The larger; NaN if one is.

    ```mlir
    %y = nn.max %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.max"

    def compute(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)


@irdl_op_definition
class MinOp(BinaryOp):
    """The smaller; NaN if one is.

    ```mlir
    %y = nn.min %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.min"

    def compute(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)


@irdl_op_definition
class AndOp(BinaryOp):
    """Logical conjunction.

    ```mlir
    %y = nn.and %a, %b : tensor<2x3xi1>, tensor<3xi1> -> tensor<2x3xi1>
    ```
    """

    name = "nn.and"
    ACCEPTS: ClassVar[str] = "bool"

    def compute(self, a: Array, b: Array) -> Array:
        return np.logical_and(a, b)


@irdl_op_definition
class OrOp(BinaryOp):
    """Logical disjunction.

    ```mlir
    %y = nn.or %a, %b : tensor<2x3xi1>, tensor<3xi1> -> tensor<2x3xi1>
    ```
    """

    name = "nn.or"
    ACCEPTS: ClassVar[str] = "bool"

    def compute(self, a: Array, b: Array) -> Array:
        return np.logical_or(a, b)


@irdl_op_definition
class XorOp(BinaryOp):
    """Logical exclusive or.

    ```mlir
    %y = nn.xor %a, %b : tensor<2x3xi1>, tensor<3xi1> -> tensor<2x3xi1>
    ```
    """

    name = "nn.xor"
    ACCEPTS: ClassVar[str] = "bool"

    def compute(self, a: Array, b: Array) -> Array:
        return np.logical_xor(a, b)


@irdl_op_definition
class BitwiseAndOp(BinaryOp):
    """Conjunction of every bit.

    ```mlir
    %y = nn.bitwise_and %a, %b : tensor<2x3xi32>, tensor<3xi32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.bitwise_and"
    ACCEPTS: ClassVar[str] = "bits"

    def compute(self, a: Array, b: Array) -> Array:
        return np.bitwise_and(a, b)


@irdl_op_definition
class BitwiseOrOp(BinaryOp):
    """Disjunction of every bit.

    ```mlir
    %y = nn.bitwise_or %a, %b : tensor<2x3xi32>, tensor<3xi32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.bitwise_or"
    ACCEPTS: ClassVar[str] = "bits"

    def compute(self, a: Array, b: Array) -> Array:
        return np.bitwise_or(a, b)


@irdl_op_definition
class BitwiseXorOp(BinaryOp):
    """Exclusive or of every bit.

    ```mlir
    %y = nn.bitwise_xor %a, %b : tensor<2x3xi32>, tensor<3xi32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.bitwise_xor"
    ACCEPTS: ClassVar[str] = "bits"

    def compute(self, a: Array, b: Array) -> Array:
        return np.bitwise_xor(a, b)


@irdl_op_definition
class ShiftLeftOp(BinaryOp):
    """a shifted left by b bits, zeros move in; 0 where b is the width or more.

    ```mlir
    %y = nn.shift_left %a, %b : tensor<2x3xi32>, tensor<3xi32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.shift_left"
    ACCEPTS: ClassVar[str] = "integer"

    def compute(self, a: Array, b: Array) -> Array:
        width = a.dtype.itemsize * 8
        inside = (b >= 0) & (b < width)
        return np.where(inside, np.left_shift(a, np.where(inside, b, b.dtype.type(0))), a.dtype.type(0))


@irdl_op_definition
class ShiftRightOp(BinaryOp):
    """a shifted right by b bits, arithmetically if signed; all copies of the sign where b is the width or more.

    ```mlir
    %y = nn.shift_right %a, %b : tensor<2x3xi32>, tensor<3xi32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.shift_right"
    ACCEPTS: ClassVar[str] = "integer"

    def compute(self, a: Array, b: Array) -> Array:
        width = a.dtype.itemsize * 8
        inside = (b >= 0) & (b < width)
        sign = cast(Array, np.where(a < 0, a.dtype.type(0) - a.dtype.type(1), a.dtype.type(0)))
        return np.where(inside, np.right_shift(a, np.where(inside, b, b.dtype.type(0))), sign)


@irdl_op_definition
class PreluOp(BinaryOp):
    """a where a >= 0, else b a.

    ```mlir
    %y = nn.prelu %a, %b : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.prelu"

    def compute(self, a: Array, b: Array) -> Array:
        return np.where(a >= 0, a, b * a)


@irdl_op_definition
class ModOp(BinaryOp):
    """The remainder of a / b: with the sign of b, or with the sign of a if `fmod`. On integers 0 for b = 0.

    ```mlir
    %y = nn.mod %a, %b fmod = true : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.mod"
    fmod: IntegerAttr[Any] = prop_def(BOOL)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"fmod": False}

    def compute(self, a: Array, b: Array) -> Array:
        divisor = b if a.dtype.kind == "f" else _divisor(b)
        return np.fmod(a, divisor) if number(self.fmod) else np.mod(a, divisor)


@irdl_op_definition
class SelectOp(NnOp):
    """a where the condition holds, else b; all three broadcast.

    ```mlir
    %y = nn.select %c, %a, %b : tensor<2x1xi1>, tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.select"
    condition = operand_def(TENSOR)
    a = operand_def(TENSOR)
    b = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The broadcast of the three shapes with the element type of a and b."""
        check_element("bool", operand_types[0], cls.name)
        element = check_same_element(operand_types[1:], cls.name)
        return (tensor_type(broadcast_shapes([t.get_shape() for t in operand_types], cls.name), element),)

    def compute(self, condition: Array, a: Array, b: Array) -> Array:
        return np.where(condition, a, b)
