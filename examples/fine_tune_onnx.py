"""Fine-tune an ONNX model: the direction classifier of PP-OCR learns whether a row of handwritten digits stands on its head.

pip install scikit-learn
python examples/fine_tune_onnx.py PP-OCR-cls.onnx
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy
from sklearn.datasets import load_digits

import stepwell
import stepwell.numpy as np
from stepwell import optim

BATCH, STEPS, DIGITS = 8, 60, 4
optimizer = optim.AdamW(3e-4)


def batches(rng: numpy.random.Generator, pixels: Any, count: int) -> Any:
    """Rows of digits as the model reads them, [count, 3, 48, 192] from -1 to 1, and whether each is turned by 180 degrees."""
    chosen = rng.integers(0, len(pixels), (count, DIGITS))
    rows = numpy.concatenate([numpy.kron(pixels[chosen[:, i]], numpy.ones((6, 6))) for i in range(DIGITS)], 2)
    labels = rng.integers(0, 2, count)
    rows[labels == 1] = rows[labels == 1, ::-1, ::-1]
    x = numpy.broadcast_to((rows / 8 - 1)[:, None], (count, 3, *rows.shape[1:]))
    return x.astype(numpy.float32), labels


def loss(model: Any, x: Any, y: Any) -> Any:
    probabilities = model(x)  # the model ends in a softmax
    return -np.mean(np.log(np.maximum(np.take_along_axis(probabilities, y[:, None], 1), 1e-7)))


@stepwell.jit(donate_argnames=("model", "state"))
def train_step(model: Any, state: Any, x: Any, y: Any) -> Any:
    value, gradient = stepwell.value_and_grad(loss)(model, x, y)
    model, state = optimizer.update(gradient, state, model)
    return value, model, state


def main(path: str) -> None:
    pixels = load_digits().images
    train, test, rng = pixels[:1500], pixels[1500:], numpy.random.default_rng(0)
    x_test, y_test = batches(rng, test, 64)
    model: Any = stepwell.onnx.Module(path)
    probabilities = stepwell.jit(lambda model, x: model(x))

    def accuracy() -> float:
        return float(numpy.mean(probabilities(model, x_test).argmax(-1) == y_test))

    print(f"{len(model.parameters)} parameters, test accuracy {accuracy():.1%}")
    state: Any = optimizer.init(model)
    start = time.perf_counter()
    for step in range(STEPS):
        value, model, state = train_step(model, state, *batches(rng, train, BATCH))
        if step % 10 == 9:
            print(f"step {step + 1:3}  loss {float(value):.4f}  {time.perf_counter() - start:5.1f} s")
    print(f"test accuracy {accuracy():.1%}")


if __name__ == "__main__":
    main(sys.argv[1])
