"""Pools: a window moves over the spatial axes and each channel is reduced on its own.

In: data [N, C, spatial...] or [N, spatial..., C]. Out: data in the same layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    BOOL,
    LIST,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    Tensor,
    attribute,
    check_element,
    check_rank,
    ints,
    number,
    tensor_type,
)
from stepwell.dialects.nn.window import (
    channels_last,
    from_channels_last,
    join_layout,
    pad_spatial,
    split_layout,
    to_channels_last,
    window_extents,
    windows,
)
from stepwell.ir.diagnostics import CompileError


class PoolOp(NnOp):
    """What all pools share. `pads` are all begins, then all ends; a ceiling mode is written as larger end pads."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    kernel: DenseArrayBase[Any] = prop_def(LIST)
    strides: DenseArrayBase[Any] = prop_def(LIST)
    pads: DenseArrayBase[Any] = prop_def(LIST)
    dilations: DenseArrayBase[Any] = prop_def(LIST)
    layout: StringAttr = prop_def(TEXT)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """Stride 1, no pads, channels first."""
        n = max(len(operand_types[0].shape.data) - 2, 0)
        return {
            "strides": attribute((1,) * n),
            "pads": attribute((0,) * 2 * n),
            "dilations": attribute((1,) * n),
            "layout": attribute("channels_first"),
        }

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Batch and channels stay; output extents as those of a window."""
        check_element("number", operand_types[0], cls.name)
        n = check_rank(operand_types[0], 3, cls.name) - 2
        last = channels_last(attributes, cls.name)
        kernel = ints(attributes["kernel"])
        if len(kernel) != n or min(kernel) < 1:
            raise CompileError(f"{cls.name}: kernel {list(kernel)} for {n} spatial axes")
        batch, channels, spatial = split_layout(operand_types[0].get_shape(), last)
        extents = window_extents(spatial, kernel, attributes, cls.name)
        return (tensor_type(join_layout(batch, channels, extents, last), operand_types[0].element_type),)

    def view(self, x: Array, value: Any) -> Array:
        """[N, out..., C, kernel...] of data padded with a value."""
        x = pad_spatial(to_channels_last(x, self.layout.data == "channels_last"), ints(self.pads), value)
        return windows(x, ints(self.kernel), ints(self.strides), ints(self.dilations))

    def reduce(self, view: Array, function: Any) -> Array:
        """The reduction of every window, in the op's layout."""
        n = len(ints(self.kernel))
        return from_channels_last(function(view, axis=tuple(range(view.ndim - n, view.ndim))), self.layout.data == "channels_last")


def lowest(dtype: np.dtype[Any]) -> Any:
    """The neutral element of max."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """The greatest element of each window; padding never wins. NaN wins.

    ```mlir
    %y = nn.max_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x3x8x8xf32> -> tensor<1x3x4x4xf32>
    ```
    """

    name = "nn.max_pool"

    def compute(self, x: Array) -> Array:
        return self.reduce(self.view(x, lowest(x.dtype)), np.max)


@irdl_op_definition
class SumPoolOp(PoolOp):
    """The sum of each window; padding is 0.

    ```mlir
    %y = nn.sum_pool %x kernel = [2, 2] strides = [2, 2] : tensor<1x3x8x8xf32> -> tensor<1x3x4x4xf32>
    ```
    """

    name = "nn.sum_pool"

    def compute(self, x: Array) -> Array:
        return self.reduce(self.view(x, 0), np.sum)


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """The mean of each window, over what is not padding, or over all of it if `count_include_pad`.

    ```mlir
    %y = nn.avg_pool %x kernel = [3, 3] pads = [1, 1, 1, 1] count_include_pad = true : tensor<1x3x8x8xf32>
    ```
    """

    name = "nn.avg_pool"
    count_include_pad: IntegerAttr[Any] = prop_def(BOOL)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """As those of every pool; padding does not count."""
        return {**super().default_attributes(operand_types), "count_include_pad": attribute(False)}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """As every pool, on floats."""
        check_element("float", operand_types[0], cls.name)
        return super().infer(operand_types, attributes)

    def compute(self, x: Array) -> Array:
        total = self.reduce(self.view(x, 0), np.sum)
        return total / self.counts(x.shape).astype(x.dtype)

    def counts(self, shape: Sequence[int]) -> Array:
        """How many elements each window averages, as f64, of an extent 1 in batch and channels: broadcasts against the result."""
        if number(self.count_include_pad):
            return np.full((1,) * len(shape), float(np.prod(ints(self.kernel))))
        last = self.layout.data == "channels_last"
        _, _, spatial = split_layout(shape, last)
        return self.reduce(self.view(np.ones(join_layout(1, 1, spatial, last)), 0), np.sum)
