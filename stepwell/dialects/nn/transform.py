"""Linear maps of windows along one axis: what Winograd convolutions do before and after they multiply.

In: a matrix and a tensor of one element type. Out: a tensor of the same element type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import IntegerAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    INT,
    TENSOR,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    check_element,
    check_rank,
    check_same_element,
    number,
    shape_text,
    tensor_type,
)
from stepwell.ir.diagnostics import CompileError


@irdl_op_definition
class WindowTransformOp(NnOp):
    """Multiply the windows along an axis by a matrix [i, p]: y[.., o, .., i, ..] = sum over p of matrix[i, p] x[.., o stride + p, ..].

    Windows are as long as the matrix is wide and begin `stride` apart; what remains at the end is not read. The axis becomes the windows,
    and i is a new axis that stands at `place` of the result.

    Here windows of 4 rows, 2 apart, of which 3 fit into 8 rows, become 2 rows each.

    ```mlir
    %y = nn.window_transform %m, %x axis = 0 place = 1 stride = 2 : tensor<2x4xf32>, tensor<8x16xf32> -> tensor<3x2x16xf32>
    ```
    """

    name = "nn.window_transform"
    matrix = operand_def(TENSOR)
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    place: IntegerAttr[Any] = prop_def(INT)
    stride: IntegerAttr[Any] = prop_def(INT)

    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"stride": 1}

    @classmethod
    def axis_rank(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> int:
        """`axis` counts the axes of x."""
        return len(operand_types[1].get_shape())

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """x with the number of windows for the axis, and the rows of the matrix put in at `place`."""
        element = check_same_element(operand_types, cls.name)
        check_element("number", operand_types[0], cls.name)
        matrix, shape = (t.get_shape() for t in operand_types)
        axis: int = number(attributes["axis"])
        place: int = number(attributes["place"])
        stride: int = number(attributes["stride"])
        check_rank(operand_types[1], 1, cls.name)
        if len(matrix) != 2:
            raise CompileError(f"{cls.name}: the matrix has shape {shape_text(matrix)}, it needs two axes")
        if not 0 <= place <= len(shape) or stride < 1:
            raise CompileError(f"{cls.name}: place {place} or stride {stride} is out of range for {shape_text(shape)}")
        windows = DYNAMIC
        if DYNAMIC not in (shape[axis], matrix[1]):
            if shape[axis] < matrix[1]:
                raise CompileError(f"{cls.name}: a window of {matrix[1]} does not fit into extent {shape[axis]}")
            windows = (shape[axis] - matrix[1]) // stride + 1
        kept = [*shape[:axis], windows, *shape[axis + 1 :]]
        return (tensor_type((*kept[:place], matrix[0], *kept[place:]), element),)

    def compute(self, matrix: Array, x: Array) -> Array:
        axis, place, stride = number(self.axis), number(self.place), number(self.stride)
        windows = np.lib.stride_tricks.sliding_window_view(x, matrix.shape[1], axis)
        windows = np.moveaxis(np.moveaxis(windows, axis, 0)[::stride], 0, axis)
        return np.moveaxis(np.tensordot(windows, matrix, (-1, 1)), -1, place)
