"""Random numbers of traced programs: functions of a key, which never give the same key different numbers.

    key = stepwell.random.key(0)
    key, used = stepwell.random.split(key)
    mask = stepwell.random.uniform(used, (8, 64)) < 0.9

A key is a number of 64 bits. Element i of what it gives is Philox2x32-10 of (i, key): Salmon et al. 2011, "Parallel random numbers".
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

import stepwell.numpy as np
from stepwell.dialects.nn.bits import MULTIPLIER, ROUNDS, WEYL
from stepwell.frontends.trace.values import Value

_U64 = numpy.uint64
_LOW = numpy.array(0xFFFFFFFF, _U64)
_HALF = numpy.array(32, _U64)


def key(seed: int) -> Value:
    """A key to begin with."""
    return numpy.array(seed & (2**64 - 1), _U64)


def bits(key: Value, shape: tuple[int, ...]) -> Value:
    """64 random bits for each element, as uint64."""
    at = numpy.arange(prod(shape), dtype=_U64)
    left, right = numpy.bitwise_and(at, _LOW), numpy.right_shift(at, _HALF)
    folded = np.bitwise_and(np.bitwise_xor(key, np.bitwise_right_shift(key, _HALF)), _LOW)
    left, right = _rounds(left, right, folded, np.bitwise_right_shift(key, _HALF))
    return np.reshape(np.bitwise_or(np.bitwise_left_shift(left, _HALF), right), shape)


def _rounds(left: Any, right: Any, round_key: Value, tweak: Value) -> tuple[Value, Value]:
    right = np.bitwise_xor(right, tweak)  # the other half of the key, so that all 64 bits of it count
    for _ in range(ROUNDS):
        product = np.multiply(left, numpy.array(MULTIPLIER, _U64))
        left = np.bitwise_xor(np.bitwise_xor(np.bitwise_right_shift(product, _HALF), round_key), right)
        right = np.bitwise_and(product, _LOW)
        round_key = np.bitwise_and(np.add(round_key, numpy.array(WEYL, _U64)), _LOW)
    return left, right


def split(key: Value, count: int = 2) -> list[Value]:
    """Keys that have nothing to do with each other."""
    found = bits(np.bitwise_xor(key, numpy.array(0x9E3779B97F4A7C15, _U64)), (count,))
    return [found[i] for i in range(count)]


def uniform(key: Value, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Value:
    """Numbers from low up to but not including high, f32 with 24 random bits."""
    fraction = np.astype(np.bitwise_right_shift(bits(key, shape), numpy.array(40, _U64)), numpy.float32) * 2.0**-24
    return fraction if (low, high) == (0.0, 1.0) else fraction * (high - low) + low


def normal(key: Value, shape: tuple[int, ...]) -> Value:
    """Numbers of the normal distribution, f32, by Box and Muller."""
    found = bits(key, shape)
    first = np.astype(np.bitwise_right_shift(found, numpy.array(40, _U64)), numpy.float32) * 2.0**-24
    second = np.astype(np.bitwise_and(found, numpy.array(0xFFFFFF, _U64)), numpy.float32) * 2.0**-24
    return np.sqrt(-2.0 * np.log(1.0 - first)) * np.cos(2 * np.pi * second)
