"""Normalisations: softmax and its logarithm, layer, RMS, batch, instance, group and local response normalisation.

In: data and, where the op has them, scale and bias. Out: data of the same type. All on floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    FLOAT,
    INT,
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
    same_extent,
    shape_text,
)
from stepwell.ir.diagnostics import CompileError


class AxisNormOp(NnOp):
    """y has the type of x; the op works along `axis` (the last by default)."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": -1}

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """The last axis."""
        rank = len(operand_types[0].shape.data)
        defaults = super().default_attributes(operand_types)
        return {**defaults, "axis": cls._normalised("axis", defaults["axis"], rank)}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data."""
        check_same_element(operand_types, cls.name)
        check_element("float", operand_types[0], cls.name)
        return (operand_types[0],)


@irdl_op_definition
class SoftmaxOp(AxisNormOp):
    """exp(x - max) / sum of exp(x - max) along an axis.

    ```mlir
    %y = nn.softmax %x axis = 0 : tensor<2x3xf32>
    ```
    """

    name = "nn.softmax"

    def compute(self, x: Array) -> Array:
        axis = number(self.axis)
        e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
        return e / e.sum(axis, keepdims=True)


@irdl_op_definition
class LogSoftmaxOp(AxisNormOp):
    """(x - max) - log(sum of exp(x - max)) along an axis.

    ```mlir
    %y = nn.log_softmax %x axis = 1 : tensor<2x3x4xf32>
    ```
    """

    name = "nn.log_softmax"

    def compute(self, x: Array) -> Array:
        axis = number(self.axis)
        shifted = x - x.max(axis, keepdims=True, initial=-np.inf)
        return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def _check_parameter(what: str, parameter: Tensor, shape: Sequence[int]) -> None:
    """A scale or bias broadcasts to the normalised axes and does not enlarge them."""
    have = parameter.get_shape()
    if len(have) > len(shape) or any(not same_extent(b, s) for b, s in zip(broadcast_shapes((have, shape), what), shape, strict=True)):
        raise CompileError(f"{what}: scale or bias of shape {shape_text(have)} does not broadcast to {shape_text(shape)}")


@irdl_op_definition
class LayerNormOp(AxisNormOp):
    """(x - mean) / sqrt(variance + epsilon) scale + bias, moments over all axes from `axis` on; the bias may be left out.

    ```mlir
    %y = nn.layer_norm %x, %scale, %bias epsilon = 1.0e-06 : tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
    ```
    Source: Ba et al. 2016.
    """

    name = "nn.layer_norm"
    x = operand_def(TENSOR)  # restated: the order of definition is the order of operands
    scale = operand_def(TENSOR)
    bias = opt_operand_def(TENSOR)
    epsilon: FloatAttr[Any] = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": -1, "epsilon": 1e-5}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data; scale and bias broadcast to the normalised axes."""
        if len(operand_types) not in (2, 3):
            raise CompileError(f"{cls.name} takes data, scale and perhaps bias, got {len(operand_types)} operands")
        for parameter in operand_types[1:]:
            _check_parameter(cls.name, parameter, operand_types[0].get_shape()[number(attributes["axis"]) :])
        return super().infer(operand_types, attributes)

    def compute(self, x: Array, scale: Array, bias: Array | None = None) -> Array:
        axes = tuple(range(number(self.axis), x.ndim))
        centred = x - x.mean(axes, keepdims=True)
        variance = np.square(centred).mean(axes, keepdims=True)
        y = centred / np.sqrt(variance + x.dtype.type(number(self.epsilon))) * scale
        return y if bias is None else y + bias


@irdl_op_definition
class RmsNormOp(AxisNormOp):
    """x / sqrt(mean of x^2 + epsilon) scale, the mean over all axes from `axis` on.

    ```mlir
    %y = nn.rms_norm %x, %scale : tensor<2x3x4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
    ```
    Source: Zhang and Sennrich 2019.
    """

    name = "nn.rms_norm"
    x = operand_def(TENSOR)  # restated: the order of definition is the order of operands
    scale = operand_def(TENSOR)
    epsilon: FloatAttr[Any] = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": -1, "epsilon": 1e-5}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data; the scale broadcasts to the normalised axes."""
        _check_parameter(cls.name, operand_types[1], operand_types[0].get_shape()[number(attributes["axis"]) :])
        return super().infer(operand_types, attributes)

    def compute(self, x: Array, scale: Array) -> Array:
        axes = tuple(range(number(self.axis), x.ndim))
        return x / np.sqrt(np.square(x).mean(axes, keepdims=True) + x.dtype.type(number(self.epsilon))) * scale


def _per_channel(parameter: Array, rank: int, axis: int) -> Array:
    """A vector over channels, shaped to broadcast against data."""
    return parameter.reshape([-1 if d == axis else 1 for d in range(rank)])


class ChannelNormOp(AxisNormOp):
    """Normalisation with one scale and bias for each channel; `axis` is the channel axis (1 by default)."""

    epsilon: FloatAttr[Any] = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 1, "epsilon": 1e-5}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data; parameters are vectors over the channels."""
        axis: int = number(attributes["axis"])
        channels = operand_types[0].get_shape()[axis]
        for parameter in operand_types[1:]:
            shape = parameter.get_shape()
            if len(shape) != 1 or not same_extent(shape[0], channels):
                raise CompileError(f"{cls.name}: a parameter of shape {shape_text(shape)} for {channels} channels")
        return super().infer(operand_types, attributes)

    def normalised(self, x: Array, axes: tuple[int, ...]) -> Array:
        """(x - mean) / sqrt(variance + epsilon) over axes."""
        centred = x - x.mean(axes, keepdims=True)
        return centred / np.sqrt(np.square(centred).mean(axes, keepdims=True) + x.dtype.type(number(self.epsilon)))


@irdl_op_definition
class BatchNormOp(ChannelNormOp):
    """(x - mean) / sqrt(variance + epsilon) scale + bias with given moments for each channel.

    ```mlir
    %y = nn.batch_norm %x, %s, %b, %m, %v : tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2xf32>
    ```
    Source: Ioffe and Szegedy 2015, at inference.
    """

    name = "nn.batch_norm"
    x = operand_def(TENSOR)  # restated: the order of definition is the order of operands
    scale = operand_def(TENSOR)
    bias = operand_def(TENSOR)
    mean = operand_def(TENSOR)
    variance = operand_def(TENSOR)

    def compute(self, x: Array, scale: Array, bias: Array, mean: Array, variance: Array) -> Array:
        s, b, m, v = (_per_channel(p, x.ndim, number(self.axis)) for p in (scale, bias, mean, variance))
        return (x - m) / np.sqrt(v + x.dtype.type(number(self.epsilon))) * s + b


@irdl_op_definition
class InstanceNormOp(ChannelNormOp):
    """Normalisation over the spatial axes of each sample and channel, then scale and bias.

    ```mlir
    %y = nn.instance_norm %x, %s, %b : tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2x3x3xf32>
    ```
    """

    name = "nn.instance_norm"
    x = operand_def(TENSOR)  # restated: the order of definition is the order of operands
    scale = operand_def(TENSOR)
    bias = operand_def(TENSOR)

    def compute(self, x: Array, scale: Array, bias: Array) -> Array:
        axis = number(self.axis)
        s, b = (_per_channel(p, x.ndim, axis) for p in (scale, bias))
        return self.normalised(x, tuple(d for d in range(1, x.ndim) if d != axis)) * s + b


@irdl_op_definition
class GroupNormOp(ChannelNormOp):
    """Normalisation over the spatial axes and a group of adjacent channels of each sample, then scale and bias for each channel.

    ```mlir
    %y = nn.group_norm %x, %s, %b groups = 2 : tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<1x4x3x3xf32>
    ```
    Source: Wu and He 2018.
    """

    name = "nn.group_norm"
    x = operand_def(TENSOR)  # restated: the order of definition is the order of operands
    scale = operand_def(TENSOR)
    bias = operand_def(TENSOR)
    groups: IntegerAttr[Any] = prop_def(INT)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """As every normalisation by channel; groups divide the channels."""
        axis: int = number(attributes["axis"])
        channels, groups = operand_types[0].get_shape()[axis], number(attributes["groups"])
        if groups < 1 or (channels != DYNAMIC and channels % groups):
            raise CompileError(f"nn.group_norm: {channels} channels are not a multiple of {groups} groups")
        return super().infer(operand_types, attributes)

    def compute(self, x: Array, scale: Array, bias: Array) -> Array:
        axis, groups = number(self.axis), number(self.groups)
        s, b = (_per_channel(p, x.ndim, axis) for p in (scale, bias))
        split = x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])
        return self.normalised(split, tuple(d for d in range(1, split.ndim) if d != axis)).reshape(x.shape) * s + b


@irdl_op_definition
class LrnOp(AxisNormOp):
    """x / (k + alpha / size times the sum of x^2 over a window of `size` channels)^beta; the window is cut at the edges.

    The window of channel c is c - floor((size - 1) / 2) to c + ceil((size - 1) / 2).

    ```mlir
    %y = nn.lrn %x size = 3 : tensor<1x5x2x2xf32>
    ```
    Source: Krizhevsky et al. 2012, section 3.3.
    """

    name = "nn.lrn"
    size: IntegerAttr[Any] = prop_def(INT)
    alpha: FloatAttr[Any] = prop_def(FLOAT)
    beta: FloatAttr[Any] = prop_def(FLOAT)
    k: FloatAttr[Any] = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 1, "alpha": 1e-4, "beta": 0.75, "k": 1.0}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data."""
        if number(attributes["size"]) < 1:
            raise CompileError(f"nn.lrn: size is {number(attributes['size'])}")
        return super().infer(operand_types, attributes)

    def compute(self, x: Array) -> Array:
        axis, size = number(self.axis), number(self.size)
        square = np.moveaxis(np.square(x), axis, -1)
        channels = square.shape[-1]
        total = np.zeros_like(square)
        for c in range(channels):
            total[..., c] = square[..., max(c - (size - 1) // 2, 0) : c + size // 2 + 1].sum(-1)
        total = np.moveaxis(total, -1, axis)
        return x / (number(self.k) + number(self.alpha) / size * total) ** number(self.beta)
