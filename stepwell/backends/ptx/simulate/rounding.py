"""Floating-point arithmetic as PTX rounds it: once, in the direction that the instruction says. What is wider than the result is computed
in float64 to an odd last bit (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008), which makes a second rounding
harmless."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.values import Array

MIDPOINT = np.uint64(0x10000000)
BELOW_F32 = np.uint64(0x1FFFFFFF)
SMALLEST_NORMAL = np.float64(2.0**-126)


def odd_sum(a: Array, b: Array) -> Array:
    """a + b in float64, rounded to odd: exact, or the neighbour whose last bit is one."""
    total = a + b
    part = total - a
    rest = (a - (total - part)) + (b - part)
    bits = np.asarray(total).view(np.int64)
    inexact = (rest != 0) & (bits & 1 == 0) & np.isfinite(total)
    step = np.where((rest > 0) == (total > 0), 1, -1)
    return np.where(inexact, bits + step, bits).view(np.float64)


def fma_f32(a: Array, b: Array, c: Array) -> Array:
    """a * b + c of float32, rounded once to nearest even: the product is exact in float64, the sum is corrected close to a tie."""
    product = a.astype(np.float64) * b
    total = product + c
    bits = np.asarray(total).view(np.uint64)
    tie = (bits & BELOW_F32 == MIDPOINT) | (np.abs(total) < SMALLEST_NORMAL)
    if tie.any():
        total = np.where(tie, odd_sum(product, c.astype(np.float64)), total)
    return total.astype(np.float32)


def fma_f64(a: Array, b: Array, c: Array) -> Array:
    """a * b + c of float64 with the product's error added back; the last bit may be off where two ties meet."""
    product = a * b
    split = np.float64(134217729.0)
    x, y = a * split, b * split
    a_high, b_high = x - (x - a), y - (y - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    part = total - product
    rest = (product - (total - part)) + (c - part)
    better = total + (rest + error)
    return np.where(np.isfinite(better), better, total)


def directed(exact: Array, mode: str, dtype: Any) -> Array:
    """float64 to a narrower float towards zero, down or up. `exact` holds the value, or is rounded to odd."""
    nearest = exact.astype(dtype)
    back = nearest.astype(np.float64)
    infinity = np.asarray(np.inf, dtype)
    too_high, too_low = back > exact, back < exact
    if mode == "rz":
        too_high, too_low = too_high & (exact > 0), too_low & (exact < 0)
    elif mode == "rm":
        too_low = np.zeros_like(too_low)
    elif mode == "rp":
        too_high = np.zeros_like(too_high)
    down = np.where(too_high, np.nextafter(nearest, -infinity), nearest)
    return np.where(too_low, np.nextafter(nearest, infinity), down).astype(dtype)


def flush(x: Array) -> Array:
    """`.ftz`: float32 numbers below the smallest normal become zeros of their sign."""
    bits = np.asarray(x).view(np.uint32)
    small = bits & np.uint32(0x7F800000) == 0
    return np.where(small, bits & np.uint32(0x80000000), bits).view(np.float32)


def to_tf32(x: Array) -> Array:
    """float32 to the 10 bits of mantissa of tf32, ties away from zero."""
    bits = np.asarray(x).view(np.uint32)
    rounded = (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return np.where(np.isfinite(x), rounded, bits).view(np.float32)


def minimum(a: Array, b: Array) -> Array:
    """The smaller number; a NaN loses, and -0 is smaller than 0."""
    lower = np.fmin(a, b)
    zeros = (a == 0) & (b == 0)
    return np.where(zeros & np.signbit(a), a, lower) if zeros.any() else lower


def maximum(a: Array, b: Array) -> Array:
    """The larger number; a NaN loses, and -0 is smaller than 0."""
    upper = np.fmax(a, b)
    zeros = (a == 0) & (b == 0)
    return np.where(zeros, np.where(np.signbit(a), b, a), upper) if zeros.any() else upper
