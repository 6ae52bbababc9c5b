"""What the algorithms of a 3x3 convolution cost, in cycles of one core: the model that `nn-choose-convolution` decides by.

Multiply-adds run at a share of what the vector units can do, and everything that a kernel reads or writes passes at the rate of the cache
that it is in. The rates are those of matmul and convolution kernels measured beside each other (bench/convolution.py); only ratios matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, prod

from stepwell.lowering.graph.winograd_matrices import TAPS

FLOAT = 4
DIRECT_SHARE = 0.85
"""Of the peak that a direct convolution reaches."""
PRODUCT_SHARE = 0.8
"""Of the peak that the products of a Winograd convolution reach: they are short."""
TRANSFORM_SHARE = 0.7
"""Of the peak that transforms reach: they load a vector for every few multiply-adds."""
NEAR = 32.0
"""Bytes per cycle from and to the second-level cache."""
FAR = 10.0
"""Bytes per cycle from and to what lies beyond it."""
NEAR_BYTES = 768 * 1024
"""What of the second-level cache intermediate values may take."""
CALL = 800.0
"""Cycles of a call of a kernel from `@main`, with the start of its threads."""
TILES = range(6, 15)
"""Rows that a register tile may have."""


@dataclass(frozen=True)
class Algorithm:
    """How a convolution is computed, and its estimated cycles."""

    name: str
    cycles: float
    outputs: int = 0
    """Of a Winograd tile along one axis; 0 for a direct convolution."""
    rows: int = 0
    """Rows of tiles in a block."""


def direct(shape: tuple[int, int, int, int], inputs: int, lanes: int) -> Algorithm:
    """The convolution as it is written: (batch, rows, columns, channels) of the result, channels of the data."""
    batch, height, width, channels = shape
    work = batch * height * width * TAPS * TAPS * inputs * _round_up(channels, lanes) / (2 * lanes * DIRECT_SHARE)
    weights = TAPS * TAPS * inputs * channels * FLOAT
    return Algorithm("direct", work + weights / FAR + batch * height * width * (inputs + channels) * FLOAT / NEAR + CALL)


def winograd(shape: tuple[int, int, int, int], inputs: int, lanes: int, outputs: int, rows: int) -> Algorithm:
    """F(outputs x outputs, 3x3), so many rows of tiles at a time."""
    batch, height, width, channels = shape
    size, down, across = outputs + TAPS - 1, ceil(height / outputs), ceil(width / outputs)
    wide_in, wide_out = _round_up(inputs, lanes), _round_up(channels, lanes)
    columns = across * outputs + TAPS - 1
    weights = size * size * inputs * channels * FLOAT

    def block(tiles: int) -> float:
        count = tiles * across
        # Elements written by each of the five kernels, and by how many terms each is a sum of.
        lines, spread = size * tiles * columns * wide_in, size * size * count * wide_in
        summed, gathered, result = size * size * count * wide_out, size * outputs * count * wide_out, outputs * outputs * count * wide_out
        sums = (lines + spread) * size + (gathered + result) * size
        work = sums / (2 * lanes * TRANSFORM_SHARE) + size * size * _rows(count) * inputs * wide_out / (2 * lanes * PRODUCT_SHARE)
        moved = (2 * (lines + spread + summed + gathered) + result) * FLOAT
        held = max(spread + summed, lines + spread) * FLOAT
        rate = NEAR if held <= NEAR_BYTES else 2 * FAR
        return work + moved / rate + weights / (NEAR if weights <= NEAR_BYTES // 2 else FAR) + 5 * CALL

    whole, rest = divmod(down, rows)
    cycles = batch * (whole * block(rows) + (block(rest) if rest else 0))
    if (down * outputs, across * outputs) != (height, width):
        # The result is a part of a larger tensor: whoever wants it without gaps copies it.
        cycles += 2 * prod(shape) * FLOAT / FAR
    return Algorithm(f"winograd_{outputs}", cycles, outputs, rows)


def algorithms(shape: tuple[int, int, int, int], inputs: int, lanes: int, *, exact: bool) -> Iterator[Algorithm]:
    """Every way to compute a 3x3 convolution of stride 1. `exact`: tiles must not reach over the edge of the result."""
    yield direct(shape, inputs, lanes)
    for outputs in (2, 4):
        if exact and (shape[1] % outputs or shape[2] % outputs):
            continue
        down = ceil(shape[1] / outputs)
        yield from (winograd(shape, inputs, lanes, outputs, rows) for rows in sorted({ceil(down / n) for n in range(1, down + 1)}))


def _round_up(extent: int, tile: int) -> int:
    return ceil(extent / tile) * tile


def _rows(count: int) -> int:
    """Rows of a product as register tiles compute them: with the height that wastes least."""
    return min(_round_up(count, height) for height in TILES) if count >= TILES.start else count
