"""What a budget of memory costs: the gradient of a GPT with `memory_budget` beside the same without, calls in alternating turns in one
process. Both must give the same bits; memory is that of intermediate values, which is laid out before anything runs.

    python bench/rematerialization.py [--layers 24] [--size 64] [--positions 64] [--batch 8] [--shares 2 3 4]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy

import stepwell
from stepwell import nn
from stepwell.frontends.trace.pytree import flatten

CHARACTERS = 96


class Block(nn.Module):
    def __init__(self, size: int, rng: Any) -> None:
        self.before, self.between = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attention = nn.MultiHeadAttention(size, 4, rng, causal=True)
        self.up, self.down = nn.Linear(size, 4 * size, rng), nn.Linear(4 * size, size, rng)

    def __call__(self, x: Any) -> Any:
        x = x + self.attention(self.before(x))
        return x + self.down(nn.gelu(self.up(self.between(x))))


class Gpt(nn.Module):
    def __init__(self, layers: int, size: int, rng: Any) -> None:
        self.table, self.out = nn.Embedding(CHARACTERS, size, rng), nn.Linear(size, CHARACTERS, rng)
        self.blocks = [Block(size, rng) for _ in range(layers)]

    def __call__(self, tokens: Any) -> Any:
        x = self.table(tokens)
        for block in self.blocks:
            x = block(x)
        return self.out(x)


def loss(model: Any, x: Any, y: Any) -> Any:
    return nn.cross_entropy(model(x), y)


def arena(compiled: Any) -> int:
    """Bytes of intermediate values."""
    return next(iter(compiled.cache.values())).program.image.arena_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("layers", 24), ("size", 64), ("positions", 64), ("batch", 8), ("calls", 15)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--shares", type=int, nargs="*", default=[2, 3, 4])
    options = parser.parse_args()
    rng = numpy.random.default_rng(0)
    model: Any = Gpt(options.layers, options.size, rng)
    x, y = (rng.integers(0, CHARACTERS, (options.batch, options.positions)) for _ in range(2))
    gradient = stepwell.value_and_grad(loss)
    plain = stepwell.jit(threads=1)(gradient)
    want = flatten(plain(model, x, y))[0]
    print(f"all kept          {arena(plain) / 2**20:8.1f} MiB")
    for share in options.shares:
        small = stepwell.jit(threads=1, memory_budget=arena(plain) // share)(gradient)
        try:
            found = flatten(small(model, x, y))[0]
        except stepwell.CompileError as error:
            print(f"a budget of 1/{share}:  {error.message}")
            continue
        assert all(numpy.array_equal(a, b) for a, b in zip(found, want, strict=True))
        ratios: list[float] = []
        for _ in range(options.calls):
            start = time.perf_counter()
            plain(model, x, y)
            middle = time.perf_counter()
            small(model, x, y)
            ratios.append((time.perf_counter() - middle) / (middle - start))
        less, longer = arena(plain) / arena(small), statistics.median(ratios)
        print(f"a budget of 1/{share}   {arena(small) / 2**20:8.1f} MiB, {less:.2f} times less, for {longer:.3f} times the time")


if __name__ == "__main__":
    main()
