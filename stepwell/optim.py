"""Optimizers, written with `stepwell.numpy`: they are compiled together with the step that uses them.

    optimizer = stepwell.optim.AdamW(1e-3)
    state = optimizer.init(params)

    @stepwell.jit(donate_argnames=("params", "state"))
    def step(params, state, x, y):
        value, gradient = stepwell.value_and_grad(loss)(params, x, y)
        params, state = optimizer.update(gradient, state, params)
        return value, params, state

The state is a tree: the number of steps done, and trees shaped like the parameters. A learning rate is a number, or a function of the
number of steps done (a schedule).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

import stepwell.numpy as np
from stepwell.frontends.trace.pytree import flatten, tree_map, unflatten
from stepwell.frontends.trace.values import dtype_of_value, to_dtype

Rate = float | Callable[[Any], Any]
State = dict[str, Any]


def _zeros(params: Any) -> Any:
    return tree_map(np.zeros_like, params)


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: `init` makes the state, `update` the new parameters and state."""

    learning_rate: Rate

    def init(self, params: Any) -> State:
        """The state before the first step."""
        return {"step": numpy.zeros((), numpy.int32), "moments": [_zeros(params) for _ in range(self.count())]}

    def count(self) -> int:
        """How many trees like the parameters the state has."""
        return 0

    def update(self, gradient: Any, state: State, params: Any) -> tuple[Any, State]:
        """One step: the new parameters, and the new state."""
        leaves, structure = flatten(params)
        gradients = flatten(gradient)[0]
        moments = [flatten(tree)[0] for tree in state["moments"]]
        step = state["step"] + 1
        new: list[Any] = []
        changed: list[list[Any]] = [[] for _ in moments]
        for i, (p, g) in enumerate(zip(leaves, gradients, strict=True)):
            number = to_dtype(step, dtype_of_value(p))
            rate = self.rate(state["step"])
            value, kept = self.step(p, g, [m[i] for m in moments], to_dtype(rate, dtype_of_value(p)), number)
            new.append(value)
            for tree, moment in zip(changed, kept, strict=True):
                tree.append(moment)
        return unflatten(structure, new), {"step": step, "moments": [unflatten(structure, tree) for tree in changed]}

    def rate(self, step: Any) -> Any:
        """The learning rate after so many steps."""
        return self.learning_rate(step) if callable(self.learning_rate) else self.learning_rate

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        """One step of one parameter: its new value and moments. `number` counts the steps from 1."""
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: m = momentum m + g, p -= rate m (Nesterov: p -= rate (g + momentum m))."""

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def count(self) -> int:
        return int(self.momentum != 0)

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        g = g + self.weight_decay * p if self.weight_decay else g
        if not self.momentum:
            return p - rate * g, ()
        m = self.momentum * moments[0] + g
        return p - rate * (g + self.momentum * m if self.nesterov else m), (m,)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Moments of first and second order, corrected for their start at zero. Kingma and Ba 2014 (arXiv 1412.6980)."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def count(self) -> int:
        return 2

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        m = self.beta1 * moments[0] + (1 - self.beta1) * g
        v = self.beta2 * moments[1] + (1 - self.beta2) * (g * g)
        first = 1 - np.pow(self.beta1, number)
        second = 1 - np.pow(self.beta2, number)
        return p - (rate / first) * m / (np.sqrt(v / second) + self.epsilon), (m, v)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weights that decay on their own: p -= rate weight_decay p. Loshchilov and Hutter 2017 (arXiv 1711.05101)."""

    weight_decay: float = 0.01

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        return super().step(p * (1 - rate * self.weight_decay), g, moments, rate, number)


@dataclass(frozen=True)
class LAMB(AdamW):
    """AdamW whose step of each tensor is as long, in proportion, as the tensor itself. You et al. 2019 (arXiv 1904.00962)."""

    epsilon: float = 1e-6

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        m = self.beta1 * moments[0] + (1 - self.beta1) * g
        v = self.beta2 * moments[1] + (1 - self.beta2) * (g * g)
        first, second = 1 - np.pow(self.beta1, number), 1 - np.pow(self.beta2, number)
        change = (m / first) / (np.sqrt(v / second) + self.epsilon) + self.weight_decay * p
        length, reach = np.sqrt(np.sum(p * p)), np.sqrt(np.sum(change * change))
        ratio = np.where((length > 0) & (reach > 0), length / np.where(reach > 0, reach, 1), 1)
        return p - rate * ratio * change, (m, v)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Rates that fall with the squares of all gradients so far. Duchi et al. 2011."""

    epsilon: float = 1e-10

    def count(self) -> int:
        return 1

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        total = moments[0] + g * g
        return p - rate * g / (np.sqrt(total) + self.epsilon), (total,)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Gradients divided by the root of their mean square. Tieleman and Hinton 2012."""

    decay: float = 0.99
    epsilon: float = 1e-8

    def count(self) -> int:
        return 1

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        mean = self.decay * moments[0] + (1 - self.decay) * (g * g)
        return p - rate * g / (np.sqrt(mean) + self.epsilon), (mean,)


@dataclass(frozen=True)
class Lion(Optimizer):
    """The sign of an interpolated momentum. Chen et al. 2023 (arXiv 2302.06675)."""

    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def count(self) -> int:
        return 1

    def step(self, p: Any, g: Any, moments: Sequence[Any], rate: Any, number: Any) -> tuple[Any, Sequence[Any]]:
        direction = np.sign(self.beta1 * moments[0] + (1 - self.beta1) * g)
        return p - rate * (direction + self.weight_decay * p), (self.beta2 * moments[0] + (1 - self.beta2) * g,)


# ---- gradients and rates ----------------------------------------------------------------------------------------------------------------


def global_norm(tree: Any) -> Any:
    """The root of the sum of squares of all leaves."""
    squares = [np.sum(leaf * leaf) for leaf in flatten(tree)[0]]
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return np.sqrt(total)


def clip_by_global_norm(gradient: Any, largest: float) -> Any:
    """The gradient, made shorter where its norm is more than `largest`."""
    factor = np.minimum(1.0, largest / (global_norm(gradient) + 1e-12))
    leaves, structure = flatten(gradient)
    return unflatten(structure, [g * factor for g in leaves])


def moving_average(average: Any, params: Any, decay: float = 0.999) -> Any:
    """decay average + (1 - decay) params, leaf by leaf: the parameters to evaluate with. The average begins as the parameters."""

    def mixed(a: Any, p: Any) -> Any:
        return decay * a + (1 - decay) * p

    return tree_map(mixed, average, params)


def cosine_schedule(peak: float, steps: int, *, warmup: int = 0, end: float = 0.0) -> Callable[[Any], Any]:
    """A rate that rises linearly to `peak` for `warmup` steps, then falls to `end` as half a cosine."""

    def rate(step: Any) -> Any:
        at = np.astype(step, numpy.float32)
        progress = np.clip((at - warmup) / max(1, steps - warmup), 0, 1)
        falling = end + (peak - end) * 0.5 * (1 + np.cos(np.pi * progress))
        return np.where(at < warmup, peak * (at + 1) / max(1, warmup), falling)

    return rate
