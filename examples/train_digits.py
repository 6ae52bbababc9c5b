"""Train a network on scikit-learn's handwritten digits: forward, backward and optimizer in one native function.

pip install scikit-learn
python examples/train_digits.py
"""

from __future__ import annotations

import time
from typing import Any

import numpy
from sklearn.datasets import load_digits

import stepwell
import stepwell.numpy as np
from stepwell import nn, optim

BATCH = 64
EPOCHS = 12


class Net(nn.Module):
    """8x8 pixels to 10 classes."""

    def __init__(self, rng: numpy.random.Generator) -> None:
        self.first = nn.Linear(64, 128, rng)
        self.second = nn.Linear(128, 64, rng)
        self.out = nn.Linear(64, 10, rng)

    def __call__(self, x: Any) -> Any:
        return self.out(nn.relu(self.second(nn.relu(self.first(x)))))


optimizer = optim.AdamW(2e-3)


def loss(model: Net, x: Any, y: Any) -> Any:
    return nn.cross_entropy(model(x), y)


@stepwell.jit(donate_argnames=("model", "state"))
def train_step(model: Net, state: Any, x: Any, y: Any) -> Any:
    value, gradient = stepwell.value_and_grad(loss)(model, x, y)
    model, state = optimizer.update(gradient, state, model)
    return value, model, state


@stepwell.jit
def accuracy(model: Net, x: Any, y: Any) -> Any:
    return np.mean(np.astype(np.argmax(model(x), -1) == y, np.float32))


def main() -> None:
    pixels, labels = load_digits(return_X_y=True)
    rng = numpy.random.default_rng(0)
    order = rng.permutation(len(pixels))
    x, y = (pixels[order] / 16).astype(numpy.float32), labels[order].astype(numpy.int64)
    x_test, y_test, x, y = x[:297], y[:297], x[297:], y[297:]

    model: Any = Net(rng)
    state: Any = optimizer.init(model)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        batches = [order[i : i + BATCH] for i in range(0, len(x) - BATCH + 1, BATCH)]
        start, total = time.perf_counter(), 0.0
        for batch in batches:
            value, model, state = train_step(model, state, x[batch], y[batch])
            total += float(value)
        seconds = time.perf_counter() - start
        share = float(accuracy(model, x_test, y_test))
        images = len(batches) * BATCH / seconds
        print(f"epoch {epoch + 1:2}  loss {total / len(batches):.4f}  test accuracy {share:6.1%}  {images:9.0f} images/s")


if __name__ == "__main__":
    main()
