"""Sine, cosine, tangent and their inverses."""

from __future__ import annotations

from math import pi

from xdsl.ir import SSAValue

from stepwell.lowering.vectors import math_coefficients as c
from stepwell.lowering.vectors.math_builder import NAN, MathBuilder

# pi/2 as a sum of three f64.
HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
HALF_PI_F32 = (1.5707963705062866, -4.371139000186241e-08)
QUARTER_PI = (0.7853981633974483, 3.061616997868383e-17)
TAN_EIGHTH_TURN = 0.41421356237309503


def _reduce(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """x = n pi/2 + r with |r| <= pi/4: r, and an integer whose low two bits are those of n.

    f32 is reduced in f64, which is exact enough up to |x| = 2^50; f64 by a pi/2 in three parts, good up to about 2^30. Beyond, r is a
    number in that range, but not the right one.
    """
    wide = b.to_double()
    w = x if b.double else wide.widen_from(x)
    magic = 1.5 * 2.0**52
    shifted = wide.fma(w, 2 / pi, magic)
    n = wide.sub(shifted, magic)
    r = wide.fma(n, -HALF_PI[1], wide.fma(n, -HALF_PI[0], w))
    if b.double:
        r, bits = wide.fma(n, -HALF_PI[2], r), wide.bits_of(shifted)
    else:
        r, bits = b.narrow_from(r), b.narrow_int_from(wide.bits_of(shifted))
    return b.minimum(b.maximum(r, -0.786), 0.786), bits


def _sine_and_cosine(b: MathBuilder, r: SSAValue) -> tuple[SSAValue, SSAValue]:
    z = b.mul(r, r)
    sine = b.fma(b.mul(r, z), b.polynomial(z, b.pick(c.SIN_F32, c.SIN_F64)), r)
    cosine = b.fma(b.mul(z, z), b.polynomial(z, b.pick(c.COS_F32, c.COS_F64)), b.fma(z, -0.5, 1.0))
    return sine, cosine


def _quadrant(b: MathBuilder, r: SSAValue, n: SSAValue) -> SSAValue:
    """sin(r + n pi/2)."""
    sine, cosine = _sine_and_cosine(b, r)
    y = b.select(b.int_cmp("ne", b.int_and(n, 1), 0), cosine, sine)
    sign = b.shift_left(b.int_and(n, 2), b.bits - 2)
    return b.from_bits(b.int_xor(b.bits_of(y), sign))


def sin(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Below 2 ulp in f32."""
    return _quadrant(b, *_reduce(b, x))


def cos(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Below 2 ulp in f32."""
    r, n = _reduce(b, x)
    return _quadrant(b, r, b.int_add(n, 1))


def tan(b: MathBuilder, x: SSAValue) -> SSAValue:
    """sin / cos, or -cos / sin in odd quadrants. Below 4 ulp in f32."""
    r, n = _reduce(b, x)
    sine, cosine = _sine_and_cosine(b, r)
    odd = b.int_cmp("ne", b.int_and(n, 1), 0)
    return b.div(b.select(odd, b.neg(cosine), sine), b.select(odd, sine, cosine))


def _asin_parts(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """|x|, whether it is above 1/2, and asin(|x|), or above 1/2 asin(sqrt((1 - |x|) / 2)), which is (pi/2 - asin(|x|)) / 2."""
    a = b.abs(x)
    large = b.cmp("ogt", a, 0.5)
    z = b.select(large, b.fma(a, -0.5, 0.5), b.mul(a, a))
    w = b.select(large, b.sqrt(z), a)
    return a, large, b.fma(b.mul(w, z), b.polynomial(z, b.pick(c.ASIN_F32, c.ASIN_F64)), w)


def asin(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Below 2.5 ulp."""
    _, large, p = _asin_parts(b, x)
    high, low = b.pick(HALF_PI_F32, HALF_PI[:2])
    outer = b.sub(high, b.fma(p, 2.0, -low))
    return b.copysign(b.select(large, outer, p), x)


def acos(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Below 1.5 ulp."""
    _, large, p = _asin_parts(b, x)
    high, low = b.pick(HALF_PI_F32, HALF_PI[:2])
    twice = b.add(p, p)
    outer = b.select(b.cmp("olt", x, 0.0), b.sub(2 * high, b.sub(twice, 2 * low)), twice)
    inner = b.sub(high, b.sub(b.copysign(p, x), low))
    return b.select(large, outer, inner)


def _atan_of_ratio(b: MathBuilder, a: SSAValue, d: SSAValue) -> SSAValue:
    """atan(a / d) for 0 <= a <= d."""
    if not b.double:
        t = b.div(a, d)
        z = b.mul(t, t)
        return b.fma(b.mul(t, z), b.polynomial(z, c.ATAN_F32), t)
    # atan(t) = pi/4 + atan((t - 1) / (t + 1)) above tan(pi/8); halves, so that the sum cannot overflow
    far = b.cmp("ogt", a, b.mul(d, TAN_EIGHTH_TURN))
    half_a, half_d = b.mul(a, 0.5), b.mul(d, 0.5)
    t = b.div(b.select(far, b.sub(half_a, half_d), a), b.select(far, b.add(half_a, half_d), d))
    z = b.mul(t, t)
    p = b.mul(b.mul(t, z), b.polynomial(z, c.ATAN_F64))
    p = b.add(b.add(p, b.select(far, QUARTER_PI[1], 0.0)), t)
    return b.add(p, b.select(far, QUARTER_PI[0], 0.0))


def atan(b: MathBuilder, x: SSAValue) -> SSAValue:
    """atan(a) = pi/2 - atan(1/a) above 1. Below 2 ulp in f32."""
    a = b.abs(x)
    large = b.cmp("ogt", a, 1.0)
    p = _atan_of_ratio(b, b.select(large, 1.0, a), b.select(large, a, 1.0))
    high, low = b.pick(HALF_PI_F32, HALF_PI[:2])
    return b.copysign(b.select(large, b.sub(high, b.sub(p, low)), p), x)


def atan2(b: MathBuilder, y: SSAValue, x: SSAValue) -> SSAValue:
    """The angle of the point (x, y), with the special cases of IEEE 754. Below 3 ulp in f32."""
    a, d = b.abs(y), b.abs(x)
    steep = b.cmp("ogt", a, d)
    small, great = b.select(steep, d, a), b.select(steep, a, d)
    equal = b.cmp("oeq", a, d)  # both may be infinite, or zero
    p = _atan_of_ratio(b, b.select(equal, 1.0, small), b.select(equal, 1.0, great))
    p = b.select(b.cmp("oeq", great, 0.0), 0.0, p)
    high, low = b.pick(HALF_PI_F32, HALF_PI[:2])
    p = b.select(steep, b.sub(high, b.sub(p, low)), p)
    backwards = b.int_cmp("slt", b.bits_of(x), 0)  # -0.0 counts
    p = b.select(backwards, b.sub(2 * high, b.sub(p, 2 * low)), p)
    return b.select(b.cmp("uno", x, y), NAN, b.copysign(p, y))
