"""The matrices of Winograd's minimal filtering F(m, 3), computed exactly from points (Toom-Cook; Lavin and Gray 2015).

m outputs of a filter of 3 taps are products of two polynomials, evaluated at m + 1 points and at infinity: y = A ((G g) * (B d)), with d
the m + 2 inputs, g the taps and * elementwise. In two dimensions the matrices are applied along both axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from stepwell.ir.constants import Array

TAPS = 3
COLUMNS = 4096
"""Filters that are transformed at once, so that they stay in the cache."""

POINTS: dict[int, tuple[Fraction, ...]] = {
    2: (Fraction(0), Fraction(1), Fraction(-1)),
    4: (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2)),
}
"""Outputs of a tile along one axis -> points. Those of F(4, 3) lie closer to 1 than the usual 0, 1, -1, 2, -2: rounding errors grow with
products of powers of the points. Over 64 channels of normal data the largest error is 4.5e-6 instead of 1.7e-5 (direct: 2.7e-6)."""


@dataclass(frozen=True)
class WinogradMatrices:
    """`data` B [m + 2, m + 2], `taps` G [m + 2, 3], `result` A [m, m + 2], in f64."""

    data: Array
    taps: Array
    result: Array


@cache
def winograd_matrices(outputs: int) -> WinogradMatrices:
    """The matrices of F(outputs, 3)."""
    points, size = POINTS[outputs], outputs + TAPS - 1
    evaluated = [[p**j for j in range(size)] for p in points] + [[Fraction(j == size - 1) for j in range(size)]]
    data = [list(column) for column in zip(*_inverse(evaluated), strict=True)]
    taps = [[p**j for j in range(TAPS)] for p in points] + [[Fraction(j == TAPS - 1) for j in range(TAPS)]]
    # A power of two moves between B and G, so that the transformed data stay about as large as the data. That rounds nothing.
    for row, weights in zip(data, taps, strict=True):
        scale = _power_of_two(max(map(abs, row)))
        row[:] = [value / scale for value in row]
        weights[:] = [value * scale for value in weights]
    result = [[p**i for p in points] + [Fraction(i == outputs - 1)] for i in range(outputs)]
    return WinogradMatrices(*(np.array([[float(v) for v in row] for row in matrix]) for matrix in (data, taps, result)))


def _power_of_two(value: Fraction) -> Fraction:
    """The power of two nearest below a positive number."""
    power = Fraction(1)
    while power > value:
        power /= 2
    while power * 2 <= value:
        power *= 2
    return power


def _inverse(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """By Gauss and Jordan."""
    n = len(matrix)
    rows = [[*row, *(Fraction(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for column in range(n):
        pivot = next(r for r in range(column, n) if rows[r][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        divisor = rows[column][column]
        rows[column] = [value / divisor for value in rows[column]]
        for r in range(n):
            if r != column and (factor := rows[r][column]):
                rows[r] = [value - factor * above for value, above in zip(rows[r], rows[column], strict=True)]
    return [row[n:] for row in rows]


def transformed_weights(weights: Array, outputs: int) -> Array:
    """[3, 3, C, K] -> [(m + 2)^2, C, K] of the same dtype: G g transposed(G), in f64, rounded once."""
    taps = winograd_matrices(outputs).taps
    size, flat = len(taps), weights.reshape(TAPS, TAPS, -1)
    result = np.empty((size, size, flat.shape[2]), weights.dtype)
    for first in range(0, flat.shape[2], COLUMNS):
        columns = slice(first, first + COLUMNS)
        lines = _combined(taps, flat[:, :, columns].astype(np.float64))
        for i in range(size):
            result[i, :, columns] = _combined(taps, lines[i])
    return result.reshape(-1, *weights.shape[2:])


def _combined(matrix: Array, parts: Array) -> Array:
    """matrix @ parts over the first axis. Three terms each: a loop over them is quicker than a matrix product, whose threads wait."""
    result = matrix[:, :1].reshape(-1, *[1] * (parts.ndim - 1)) * parts[0]
    for p in range(1, len(parts)):
        result += matrix[:, p].reshape(-1, *[1] * (parts.ndim - 1)) * parts[p]
    return result
