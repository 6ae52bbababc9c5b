"""Recurrent layers: one product for the inputs of all steps, then `stepwell.scan` over time. Data is [N, T, inputs]."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy

import stepwell.numpy as np
from stepwell import traced
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.values import Value, dtype_of_value, shape_of
from stepwell.nn.functions import sigmoid
from stepwell.nn.module import Module


class Recurrent(Module):
    """What recurrent layers share: weights [inputs, gates * size] and [size, gates * size], uniform up to 1 / sqrt(size)."""

    GATES = 1
    STATES = 1

    def __init__(self, inputs: int, size: int, rng: numpy.random.Generator, *, reverse: bool = False) -> None:
        bound, width = 1 / sqrt(size), self.GATES * size
        self.weight = rng.uniform(-bound, bound, (inputs, width)).astype(numpy.float32)
        self.recurrent = rng.uniform(-bound, bound, (size, width)).astype(numpy.float32)
        self.bias = rng.uniform(-bound, bound, width).astype(numpy.float32)
        self.size, self.reverse = size, reverse

    def __call__(self, x: Value, state: Any = None) -> tuple[Value, Any]:
        """[N, T, inputs] and a first state (else zeros) to all outputs [N, T, size] and the last state."""
        if len(shape_of(x)) != 3 or shape_of(x)[2] != self.weight.shape[0]:
            fail(f"{type(self).__name__}: data of shape {list(shape_of(x))}, expected [N, T, {self.weight.shape[0]}]")
        projected = np.swapaxes(np.matmul(x, self.weight) + self.bias, 0, 1)
        if state is None:
            zeros = numpy.zeros((shape_of(x)[0], self.size), dtype_of_value(projected))
            state = zeros if self.STATES == 1 else (zeros,) * self.STATES
        last, outputs = traced.scan(self.step, state, projected, reverse=self.reverse)
        return np.swapaxes(outputs, 0, 1), last

    def step(self, state: Any, x: Value) -> tuple[Any, Value]:
        """One step: (state, projected input [N, gates * size]) to the next state and the output [N, size]."""
        raise NotImplementedError(type(self).__name__)

    def gates(self, x: Value) -> list[Value]:
        """[N, gates * size] as one value for each gate."""
        return np.split(x, self.GATES, axis=-1)


class RNN(Recurrent):
    """h = tanh(x W + h R + b). The state is h."""

    def step(self, state: Any, x: Value) -> tuple[Any, Value]:
        h = np.tanh(x + np.matmul(state, self.recurrent))
        return h, h


class LSTM(Recurrent):
    """i, f, g, o = split(x W + h R + b); c = sigmoid(f) c + sigmoid(i) tanh(g); h = sigmoid(o) tanh(c). The state is (h, c).

    Gates in PyTorch's order. Hochreiter and Schmidhuber 1997.
    """

    GATES = 4
    STATES = 2

    def step(self, state: Any, x: Value) -> tuple[Any, Value]:
        h, c = state
        i, f, g, o = self.gates(x + np.matmul(h, self.recurrent))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h


class GRU(Recurrent):
    """r, z = sigmoid(x W + h R + b); n = tanh(x W + b + r (h R)); h = (1 - z) n + z h. The state is h.

    Gates in PyTorch's order, with one bias. Cho et al. 2014 (arXiv 1406.1078), in the form that cuDNN computes.
    """

    GATES = 3

    def step(self, state: Any, x: Value) -> tuple[Any, Value]:
        xr, xz, xn = self.gates(x)
        hr, hz, hn = self.gates(np.matmul(state, self.recurrent))
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        h = (1 - z) * np.tanh(xn + r * hn) + z * state
        return h, h
