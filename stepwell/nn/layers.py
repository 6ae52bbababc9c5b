"""Layers: parameters and what is computed with them. Initial values come from a `numpy.random.Generator`, as PyTorch draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

import numpy

import stepwell.numpy as np
from stepwell import traced
from stepwell.frontends.trace.values import Value, shape_of
from stepwell.nn import functions
from stepwell.nn.module import Module

Generator = numpy.random.Generator


def _uniform(rng: Generator, bound: float, *shape: int) -> Value:
    return rng.uniform(-bound, bound, shape).astype(numpy.float32)


class Linear(Module):
    """x W + b with W [inputs, outputs]; uniform up to 1 / sqrt(inputs)."""

    def __init__(self, inputs: int, outputs: int, rng: Generator, *, bias: bool = True) -> None:
        bound = 1 / sqrt(inputs)
        self.weight = _uniform(rng, bound, inputs, outputs)
        self.bias = _uniform(rng, bound, outputs) if bias else None

    def __call__(self, x: Value) -> Value:
        """[..., inputs] to [..., outputs]."""
        y = np.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias


class Conv(Module):
    """A convolution of [N, inputs, spatial...] in as many spatial dimensions as the kernel has."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Sequence[int],
        rng: Generator,
        *,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        bound = 1 / sqrt(inputs // groups * prod(kernel))
        self.weight = _uniform(rng, bound, outputs, inputs // groups, *kernel)
        self.bias = _uniform(rng, bound, outputs) if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def __call__(self, x: Value) -> Value:
        """[N, inputs, spatial...] to [N, outputs, spatial...]."""
        return functions.conv(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups
        )


class Embedding(Module):
    """Rows of a table, drawn from the normal distribution."""

    def __init__(self, count: int, size: int, rng: Generator, *, deviation: float = 1.0) -> None:
        self.table = (rng.standard_normal((count, size)) * deviation).astype(numpy.float32)

    def __call__(self, indices: Value) -> Value:
        """[...] to [..., size]."""
        return functions.embedding(indices, self.table)


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last axes, then a scale and a bias that are learned."""

    def __init__(self, *shape: int, epsilon: float = 1e-5) -> None:
        self.scale, self.bias = numpy.ones(shape, numpy.float32), numpy.zeros(shape, numpy.float32)
        self.epsilon = epsilon

    def __call__(self, x: Value) -> Value:
        """[..., shape] to the same."""
        return functions.layer_norm(x, self.scale, self.bias, epsilon=self.epsilon)


class RMSNorm(Module):
    """Mean square 1 over the last axes, then a scale that is learned."""

    def __init__(self, *shape: int, epsilon: float = 1e-5) -> None:
        self.scale = numpy.ones(shape, numpy.float32)
        self.epsilon = epsilon

    def __call__(self, x: Value) -> Value:
        """[..., shape] to the same."""
        return functions.rms_norm(x, self.scale, epsilon=self.epsilon)


class GroupNorm(Module):
    """Mean 0 and variance 1 over groups of channels of each sample, then a scale and a bias for each channel."""

    def __init__(self, groups: int, channels: int, *, epsilon: float = 1e-5) -> None:
        self.scale, self.bias = numpy.ones(channels, numpy.float32), numpy.zeros(channels, numpy.float32)
        self.groups, self.epsilon = groups, epsilon

    def __call__(self, x: Value) -> Value:
        """[N, channels, spatial...] to the same."""
        return functions.group_norm(x, self.groups, self.scale, self.bias, epsilon=self.epsilon)


class BatchNorm(Module):
    """Mean 0 and variance 1 for each channel, over the batch in training, by running statistics after it; then a learned scale and bias.

    The statistics are no parameters: `init()` gives the first ones, a call gives the next.
    """

    def __init__(self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        self.scale, self.bias = numpy.ones(channels, numpy.float32), numpy.zeros(channels, numpy.float32)
        self.momentum, self.epsilon = momentum, epsilon

    def init(self) -> dict[str, Value]:
        """The statistics before the first step."""
        return {"mean": numpy.zeros_like(self.bias), "variance": numpy.ones_like(self.scale)}

    def __call__(self, x: Value, statistics: dict[str, Value], *, training: bool = True) -> tuple[Value, dict[str, Value]]:
        """[N, channels, spatial...] to the same, and the next statistics, whose variance is that of a sample, as PyTorch has it."""
        shape = shape_of(x)
        axes, row = (0, *range(2, len(shape))), (1, -1, *[1] * (len(shape) - 2))
        mean, variance = statistics["mean"], statistics["variance"]
        if training:
            mean, variance = np.mean(x, axes), np.var(x, axes)
            count = prod(shape) // shape[1]
            seen = {"mean": mean, "variance": variance * (count / max(1, count - 1))}
            statistics = {
                name: traced.stop_gradient((1 - self.momentum) * old + self.momentum * seen[name]) for name, old in statistics.items()
            }
        factor = self.scale / np.sqrt(variance + self.epsilon)
        return (x - np.reshape(mean, row)) * np.reshape(factor, row) + np.reshape(self.bias, row), statistics


class Dropout(Module):
    """Elements replaced by 0 at random while a key is given; without one x itself."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, x: Value, key: Value | None = None) -> Value:
        """Any shape to the same."""
        return x if key is None else functions.dropout(x, self.rate, key)


class MultiHeadAttention(Module):
    """Attention of positions to each other (or to a context) in several heads, which share the size among them."""

    def __init__(self, size: int, heads: int, rng: Generator, *, bias: bool = True, causal: bool = False) -> None:
        if size % heads:
            raise ValueError(f"{heads} heads cannot share a size of {size}")
        self.query, self.key, self.value, self.out = (Linear(size, size, rng, bias=bias) for _ in range(4))
        self.heads, self.causal = heads, causal

    def __call__(self, x: Value, context: Value | None = None, mask: Value | None = None) -> Value:
        """[N, positions, size] to the same."""
        source = x if context is None else context
        q, k, v = (self._heads(layer(value)) for layer, value in ((self.query, x), (self.key, source), (self.value, source)))
        y = functions.attention(q, k, v, mask, causal=self.causal)
        return self.out(np.reshape(np.swapaxes(y, 1, 2), shape_of(x)))

    def _heads(self, x: Value) -> Value:
        batch, positions, size = shape_of(x)
        return np.swapaxes(np.reshape(x, batch, positions, self.heads, size // self.heads), 1, 2)


class Sequential(Module):
    """Layers and functions, one after the other."""

    def __init__(self, *layers: Callable[[Value], Value]) -> None:
        self.layers = [layer for layer in layers if isinstance(layer, Module)]
        self.order = tuple(None if isinstance(layer, Module) else layer for layer in layers)

    def __call__(self, x: Value) -> Value:
        """What the last one gives."""
        layers = iter(self.layers)
        for function in self.order:
            chosen: Any = next(layers) if function is None else function
            x = chosen(x)
        return x
