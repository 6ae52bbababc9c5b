"""Ops on the bits of elements: the same bits read as another type, and random ones.

In: a tensor, or a seed. Out: a tensor of the same shape, or of the given type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from ml_dtypes import bfloat16
from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, prop_def, result_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    INT,
    RESULT_TYPE,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    Tensor,
    number,
    tensor_type,
)
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import dtype_of, element_type_of
from stepwell.ir.diagnostics import CompileError

_DTYPES: tuple[Any, ...] = (
    *(np.float16, np.float32, np.float64, bfloat16),
    *(np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
)
BIT_TYPES: dict[str, Attribute] = {str(element): element for element in (element_type_of(np.dtype(d)) for d in _DTYPES)}
"""What bits may be read as, by name."""


@irdl_op_definition
class BitcastOp(UnaryOp):
    """The bits of every element as an element of type `to`, which has as many.

    ```mlir
    %y = nn.bitcast %x to = "i32" : tensor<2x3xf32> -> tensor<2x3xi32>
    ```
    """

    name = "nn.bitcast"
    to: StringAttr = prop_def(TEXT)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The operand's shape, of `to`."""
        before, to = operand_types[0].element_type, BIT_TYPES.get(number(attributes["to"]))
        if to is None or str(before) not in BIT_TYPES or dtype_of(to).itemsize != dtype_of(before).itemsize:
            raise CompileError(f"nn.bitcast: the bits of {before} are not those of a {number(attributes['to'])}")
        return (tensor_type(operand_types[0].get_shape(), to),)

    def evaluate(self, *arrays: Array) -> tuple[Array, ...]:
        """The same memory."""
        return (np.array(arrays[0], order="C").view(dtype_of(self.result_type.element_type)),)


ROUNDS = 10
MULTIPLIER = 0xD256D193
WEYL = 0x9E3779B9
"""Philox2x32: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"."""


@irdl_op_definition
class RandomBitsOp(NnOp):
    """64 random bits for each element: Philox2x32-10 of the element's place and the seed, so that no element waits for another.

    ```mlir
    %y = nn.random_bits seed = 7 : tensor<60xui64>
    ```
    """

    name = "nn.random_bits"
    y = result_def(TENSOR)
    seed: IntegerAttr[Any] = prop_def(INT)
    TYPED_RESULT: ClassVar[bool] = True

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type: one axis of `ui64`."""
        result: Any = attributes[RESULT_TYPE]
        if dtype_of(result.element_type) != np.uint64 or len(result.get_shape()) != 1 or DYNAMIC in result.get_shape():
            raise CompileError(f"nn.random_bits: the result type {result} must be a static tensor<...xui64> of one axis")
        return (result,)

    def compute(self) -> Array:
        with np.errstate(over="ignore"):
            left = np.arange(self.result_type.get_shape()[0], dtype=np.uint64)
            low = np.uint64(0xFFFFFFFF)
            left, right = left & low, left >> np.uint64(32)
            for key in self.keys():
                product = left * np.uint64(MULTIPLIER)
                left, right = (product >> np.uint64(32)) ^ np.uint64(key) ^ right, product & low
            return (left << np.uint64(32)) | right

    def keys(self) -> list[int]:
        """The key of every round. A seed of 64 bits is folded into the 32 that there are."""
        seed: int = number(self.seed)
        first = (seed ^ (seed >> 32)) & 0xFFFFFFFF
        return [(first + i * WEYL) & 0xFFFFFFFF for i in range(ROUNDS)]
