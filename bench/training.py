"""Time of a training step (forward, backward, AdamW) beside PyTorch eager: same weights, same batches, same threads, calls in alternating
turns in one process, medians. The losses of the first steps must agree. `STEPWELL_TORCH` may name the folder that PyTorch is installed in.

    python bench/training.py --threads 1 [--steps 50] [mlp cnn transformer]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy

import stepwell
import stepwell.numpy as np
from stepwell import nn, optim
from stepwell.frontends.trace.pytree import flatten

if folder := os.environ.get("STEPWELL_TORCH"):
    sys.path.append(folder)
import torch  # type: ignore[import-not-found]

F: Any = torch.nn.functional
RATE = 1e-3


class Mlp(nn.Module):
    def __init__(self, rng: Any) -> None:
        self.layers = [nn.Linear(a, b, rng) for a, b in ((784, 512), (512, 256), (256, 10))]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers[:-1]:
            x = nn.relu(layer(x))
        return self.layers[-1](x)


def mlp_torch(p: list[Any], x: Any) -> Any:
    for weight, bias in zip(p[0:4:2], p[1:4:2], strict=True):
        x = F.relu(x @ weight + bias)
    return x @ p[4] + p[5]


class Cnn(nn.Module):
    def __init__(self, rng: Any) -> None:
        self.first, self.second = nn.Conv(1, 16, (3, 3), rng, padding=1), nn.Conv(16, 32, (3, 3), rng, padding=1)
        self.out = nn.Linear(32 * 49, 10, rng)

    def __call__(self, x: Any) -> Any:
        x = nn.max_pool(nn.relu(self.first(x)), 2)
        x = nn.max_pool(nn.relu(self.second(x)), 2)
        return self.out(np.reshape(x, x.shape[0], -1))


def cnn_torch(p: list[Any], x: Any) -> Any:
    x = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1], padding=1)), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, p[2], p[3], padding=1)), 2)
    return x.flatten(1) @ p[4] + p[5]


class Block(nn.Module):
    def __init__(self, rng: Any) -> None:
        self.table, self.before, self.between = nn.Embedding(96, 128, rng), nn.LayerNorm(128), nn.LayerNorm(128)
        self.attention = nn.MultiHeadAttention(128, 4, rng, causal=True)
        self.up, self.down, self.out = nn.Linear(128, 512, rng), nn.Linear(512, 128, rng), nn.Linear(128, 96, rng)

    def __call__(self, tokens: Any) -> Any:
        x = self.table(tokens)
        x = x + self.attention(self.before(x))
        return self.out(x + self.down(nn.gelu(self.up(self.between(x)))))


def block_torch(p: list[Any], tokens: Any) -> Any:
    table, s1, b1, s2, b2, wq, bq, wk, bk, wv, bv, wo, bo, wu, bu, wd, bd, wout, bout = p
    x = F.embedding(tokens, table)
    h = F.layer_norm(x, (128,), s1, b1)
    n, t, _ = h.shape
    q, k, v = ((h @ w + b).view(n, t, 4, 32).transpose(1, 2) for w, b in ((wq, bq), (wk, bk), (wv, bv)))
    x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, 128) @ wo + bo
    return (x + F.gelu(F.layer_norm(x, (128,), s2, b2) @ wu + bu) @ wd + bd) @ wout + bout


MODELS: dict[str, tuple[Any, Callable[..., Any], tuple[int, ...], int, int]] = {
    "mlp": (Mlp, mlp_torch, (64, 784), 10, 0),
    "cnn": (Cnn, cnn_torch, (64, 1, 28, 28), 10, 0),
    "transformer": (Block, block_torch, (8, 64), 96, 96),
}
"""Name -> model, the same for PyTorch, shape of a batch, classes, and tokens (0: numbers)."""


def compare(name: str, steps: int, threads: int) -> None:
    kind, function, shape, classes, tokens = MODELS[name]
    rng = numpy.random.default_rng(0)
    model: Any = kind(rng)
    x = rng.integers(0, tokens, shape) if tokens else rng.standard_normal(shape).astype(numpy.float32)
    y = rng.integers(0, classes, shape if tokens else shape[:1])
    leaves = [leaf.copy() for leaf in flatten(model)[0]]
    optimizer = optim.AdamW(RATE)

    def loss(model: Any, x: Any, y: Any) -> Any:
        return nn.cross_entropy(model(x), y)

    @stepwell.jit(donate_argnames=("model", "state"), threads=threads)
    def step(model: Any, state: Any, x: Any, y: Any) -> Any:
        value, gradient = stepwell.value_and_grad(loss)(model, x, y)
        model, state = optimizer.update(gradient, state, model)
        return value, model, state

    parameters = [torch.nn.Parameter(torch.tensor(leaf)) for leaf in leaves]
    peer = torch.optim.AdamW(parameters, RATE, weight_decay=0.01)
    tx, ty = torch.tensor(x), torch.tensor(y)

    def peer_step() -> float:
        peer.zero_grad()
        value = F.cross_entropy(function(parameters, tx).reshape(-1, classes), ty.reshape(-1))
        value.backward()
        peer.step()
        return float(value)

    state: Any = optimizer.init(model)
    times: tuple[list[float], list[float]] = ([], [])
    worst = 0.0
    for i in range(steps + 3):
        start = time.perf_counter()
        value, model, state = step(model, state, x, y)
        middle = time.perf_counter()
        theirs = peer_step()
        end = time.perf_counter()
        if i < 10:
            worst = max(worst, abs(float(value) - theirs))
        if i >= 3:
            times[0].append(middle - start)
            times[1].append(end - middle)
    ratios = [b / a for a, b in zip(*times, strict=True)]
    ours, peers = (statistics.median(t) * 1e3 for t in times)
    print(f"{name:12} {ours:8.3f} ms  PyTorch {peers:8.3f} ms  ratio {statistics.median(ratios):5.2f}  losses differ by {worst:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.models:
        compare(name, options.steps, options.threads)


if __name__ == "__main__":
    main()
