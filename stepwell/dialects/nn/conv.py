"""Convolutions in one to three spatial dimensions.

In: data [N, C, spatial...] or [N, spatial..., C] and weights. Out: data in the same layout. A bias is an `nn.add` of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    INT,
    LIST,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    Tensor,
    attribute,
    check_rank,
    ints,
    number,
    same_extent,
    tensor_type,
)
from stepwell.dialects.nn.linear import product_element, widened
from stepwell.dialects.nn.window import (
    channels_last,
    check_window,
    from_channels_last,
    join_layout,
    pad_spatial,
    split_layout,
    to_channels_last,
    window_extents,
    windows,
)
from stepwell.ir.diagnostics import CompileError


class ConvolutionOp(NnOp):
    """What both directions share. Elements are as of `nn.matmul`. `pads` are all begins, then all ends; `groups` cuts the channels into
    groups that do not meet.
    """

    x = operand_def(TENSOR)
    w = operand_def(TENSOR)
    y = result_def(TENSOR)
    strides: DenseArrayBase[Any] = prop_def(LIST)
    pads: DenseArrayBase[Any] = prop_def(LIST)
    dilations: DenseArrayBase[Any] = prop_def(LIST)
    groups: IntegerAttr[Any] = prop_def(INT)
    layout: StringAttr = prop_def(TEXT)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """Stride 1, no pads, one group, channels first."""
        n = max(len(operand_types[0].shape.data) - 2, 0)
        return {
            "strides": attribute((1,) * n),
            "pads": attribute((0,) * 2 * n),
            "dilations": attribute((1,) * n),
            "groups": attribute(1),
            "layout": attribute("channels_first"),
        }

    @classmethod
    def _layout_and_groups(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[bool, int]:
        product_element(operand_types, cls.name)
        rank = check_rank(operand_types[0], 3, cls.name)
        if len(operand_types[1].shape.data) != rank:
            raise CompileError(f"{cls.name}: data {operand_types[0]} and weights {operand_types[1]} differ in rank")
        groups = number(attributes["groups"])
        if groups < 1:
            raise CompileError(f"{cls.name}: groups is {groups}")
        return channels_last(attributes, cls.name), groups


@irdl_op_definition
class ConvOp(ConvolutionOp):
    """Convolution (in truth, correlation): y[n, o, p] = sum over c, k of x[n, c, p stride - pad + k dilation] w[o, c, k].

    Weights are [O, I / groups, kernel...], or [kernel..., I / groups, O] for `layout = "channels_last"`.

    ```mlir
    %y = nn.conv %x, %w strides = [2, 2] pads = [1, 1, 1, 1] : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32> -> tensor<1x16x4x4xf32>
    ```
    """

    name = "nn.conv"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Channels agree; output extents as those of a window."""
        last, groups = cls._layout_and_groups(operand_types, attributes)
        x, w = (t.get_shape() for t in operand_types)
        batch, channels, spatial = split_layout(x, last)
        outputs, per_group, kernel = (w[-1], w[-2], w[:-2]) if last else (w[0], w[1], w[2:])
        if not same_extent(channels, DYNAMIC if per_group == DYNAMIC else per_group * groups):
            raise CompileError(f"nn.conv: {channels} channels in the data, {groups} groups of {per_group} in the weights")
        if outputs != DYNAMIC and outputs % groups:
            raise CompileError(f"nn.conv: {outputs} output channels are not a multiple of {groups} groups")
        extents = window_extents(spatial, kernel, attributes, cls.name)
        return (tensor_type(join_layout(batch, outputs, extents, last), product_element(operand_types, cls.name)),)

    def compute(self, x: Array, w: Array) -> Array:
        x, w = widened(x, w)
        last, groups = self.layout.data == "channels_last", number(self.groups)
        strides, dilations = ints(self.strides), ints(self.dilations)
        x = pad_spatial(to_channels_last(x, last), ints(self.pads), 0)
        w = w if last else np.moveaxis(w, (0, 1), (-1, -2))
        view = windows(x, w.shape[:-2], strides, dilations)
        n = len(strides)
        # [N, out..., G, C/G, kernel...] against [kernel..., C/G, G, O/G] -> [N, out..., G, O/G]
        view = view.reshape(*view.shape[: n + 1], groups, -1, *view.shape[n + 2 :])
        w = w.reshape(*w.shape[:-1], groups, -1)
        out = [np.tensordot(view[(slice(None),) * (n + 1) + (g,)], np.moveaxis(w[..., g, :], n, 0), axes=n + 1) for g in range(groups)]
        return from_channels_last(np.concatenate(out, -1), last)


@irdl_op_definition
class ConvTransposeOp(ConvolutionOp):
    """The transpose of a convolution: y[n, o, p stride - pad + k dilation] += x[n, c, p] w[c, o, k].

    Weights are [I, O / groups, kernel...], or [kernel..., I, O / groups] for `layout = "channels_last"`. `output_pads` are further
    extents at the end, so that the output of extent (in - 1) stride + (kernel - 1) dilation + 1 - pads + output_pads is unambiguous.

    ```mlir
    %y = nn.conv_transpose %x, %w strides = [2, 2] : tensor<1x4x3x3xf32>, tensor<4x5x2x2xf32> -> tensor<1x5x6x6xf32>
    ```
    """

    name = "nn.conv_transpose"
    output_pads: DenseArrayBase[Any] = prop_def(LIST)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """As those of nn.conv, and no output pads."""
        n = max(len(operand_types[0].shape.data) - 2, 0)
        return {**super().default_attributes(operand_types), "output_pads": attribute((0,) * n)}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Channels agree; output extents by the formula above."""
        last, groups = cls._layout_and_groups(operand_types, attributes)
        x, w = (t.get_shape() for t in operand_types)
        batch, channels, spatial = split_layout(x, last)
        inputs, per_group, kernel = (w[-2], w[-1], w[:-2]) if last else (w[0], w[1], w[2:])
        if not same_extent(channels, inputs):
            raise CompileError(f"nn.conv_transpose: {channels} channels in the data, {inputs} in the weights")
        if channels != DYNAMIC and channels % groups:
            raise CompileError(f"nn.conv_transpose: {channels} channels are not a multiple of {groups} groups")
        n = len(spatial)
        strides, pads, dilations = check_window(attributes, n, cls.name)
        extra = ints(attributes["output_pads"])
        if len(extra) != n or min(extra, default=0) < 0:
            raise CompileError(f"nn.conv_transpose: output_pads {list(extra)} for {n} spatial axes")
        extents: list[int] = []
        for d in range(n):
            if DYNAMIC in (spatial[d], kernel[d]):
                extents.append(DYNAMIC)
                continue
            extent = (spatial[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1 - pads[d] - pads[n + d] + extra[d]
            if extent < 0:
                raise CompileError(f"nn.conv_transpose: pads {list(pads)} leave nothing of axis {d}")
            extents.append(extent)
        outputs = DYNAMIC if per_group == DYNAMIC else per_group * groups
        return (tensor_type(join_layout(batch, outputs, extents, last), product_element(operand_types, cls.name)),)

    def compute(self, x: Array, w: Array) -> Array:
        x, w = widened(x, w)
        last, groups = self.layout.data == "channels_last", number(self.groups)
        strides, pads, dilations = ints(self.strides), ints(self.pads), ints(self.dilations)
        x = to_channels_last(x, last)
        w = w if last else np.moveaxis(w, (0, 1), (-2, -1))
        n, kernel = len(strides), w.shape[:-2]
        spatial = x.shape[1:-1]
        _, channels, extents = split_layout(self.result_type.get_shape(), last)
        full = [max((spatial[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1, pads[d] + extents[d]) for d in range(n)]
        y = np.zeros((x.shape[0], *full, channels), x.dtype)
        size, per_group = x.shape[-1] // groups, channels // groups
        for k in np.ndindex(*kernel):
            where = tuple(slice(k[d] * dilations[d], k[d] * dilations[d] + (spatial[d] - 1) * strides[d] + 1, strides[d]) for d in range(n))
            for g in range(groups):
                part = x[..., g * size : (g + 1) * size] @ w[k][g * size : (g + 1) * size]
                y[(slice(None), *where, slice(g * per_group, (g + 1) * per_group))] += part
        crop = tuple(slice(pads[d], pads[d] + extents[d]) for d in range(n))
        return from_channels_last(y[(slice(None), *crop)], last)
