"""What `nn.cast` means, on numpy arrays: from any element type to any other, those of at most a byte included.

In: an array, the dtype to convert it to, and what to do where a narrow float has no such number. Out: an array. The conversions themselves
are those of numpy and `ml_dtypes`; here stands what they leave open or do differently:

- Numbers that no finite narrow float is near give the largest one (`saturate`, the default), or else what the type has for them: infinity
  or NaN. Types without either (`f4E2M1FN`, `f6E2M3FN`, `f6E3M2FN`) always saturate; a NaN becomes a zero there, with its sign turned.
- `f64` is rounded once, to nearest even.
- `f8E8M0FNU` holds powers of two: of |x| its exponent, rounded as `round_mode` says (`up`: away from zero, `down`: towards zero,
  `nearest`: ties away from zero). What is below 2^-127, and infinity, give the least and the greatest power, or NaN without `saturate`.
- An integer of 2 or 4 bits is what remains of the integer modulo its range; of a float, of its integer part.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from ml_dtypes import bfloat16, finfo, float8_e8m0fnu, int2, int4, uint2, uint4

from stepwell.ir.constants import NARROW_FLOATS, Array

ROUND_MODES = ("up", "down", "nearest")

POWERS = np.dtype(float8_e8m0fnu)
_SMALL_INTEGERS = frozenset(np.dtype(t) for t in (int2, int4, uint2, uint4))
_FLOATS = frozenset(NARROW_FLOATS.values())


def convert(x: Array, to: np.dtype[Any], saturate: bool = True, round_mode: str = "up") -> Array:
    """`x` in another dtype."""
    if x.dtype == to:
        return x
    if x.dtype in _SMALL_INTEGERS:
        x = x.astype(np.int32)
    elif x.dtype in _FLOATS or x.dtype == bfloat16:
        x = x.astype(np.float32)
    with np.errstate(all="ignore"):
        if to == np.bool_:
            return x != 0
        if to in _SMALL_INTEGERS:
            return (x if x.dtype.kind in "iu" else x.astype(np.int64)).astype(to)
        if to not in _FLOATS:
            return x.astype(to)
        if to == POWERS:
            return _powers_of_two(x, saturate, round_mode)
        x = _odd_f32(x.astype(np.float64))
        if saturate:
            limit = float(cast("Any", finfo)(to).max)
            x = np.clip(x, np.float32(-limit), np.float32(limit))
        return x.astype(to)


def _odd_f32(x: Array) -> Array:
    """f64 as f32, rounded to odd: cut off, and the last bit set where something was lost. To round that again is to round x once."""
    near = x.astype(np.float32)
    bits = near.view(np.uint32)
    toward_zero = np.where(np.abs(near.astype(np.float64)) > np.abs(x), bits - np.uint32(1), bits)
    inexact = np.isfinite(x) & (toward_zero.view(np.float32).astype(np.float64) != x)
    return np.where(inexact, toward_zero | np.uint32(1), bits).view(np.float32)


def _powers_of_two(x: Array, saturate: bool, round_mode: str) -> Array:
    magnitude = np.abs(x.astype(np.float32).astype(np.float64))
    fraction, exponent = np.frexp(magnitude)  # fraction 2^exponent, 0.5 <= fraction < 1
    above = {"up": fraction > 0.5, "nearest": fraction >= 0.75, "down": np.zeros_like(fraction, np.bool_)}[round_mode]
    code = exponent + 126 + above
    code = np.where(magnitude < 2.0**-127, 0 if saturate else 255, code)
    code = np.where(np.isinf(magnitude) | (code > 254), 254 if saturate else 255, code)
    return np.where(np.isnan(magnitude), 255, code).astype(np.uint8).view(POWERS)
