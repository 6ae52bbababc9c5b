"""The error function and its complement."""

from __future__ import annotations

from xdsl.ir import SSAValue

from stepwell.lowering.vectors import math_coefficients as c
from stepwell.lowering.vectors.math_builder import MathBuilder
from stepwell.lowering.vectors.math_exp_log import exp, exp_in_range

SMALL = 0.92
"""Below, erf(x) is x times a polynomial in x^2."""


def _near_zero(b: MathBuilder, x: SSAValue) -> SSAValue:
    first, *rest = b.pick(c.ERF_F32, c.ERF_F64)
    return b.fma(x, b.polynomial(b.mul(x, x), (first - 1.0, *rest)), x)  # x + x p rounds less than x (1 + p)


def _complement(b: MathBuilder, a: SSAValue) -> SSAValue:
    """erfc(a) for a >= 0.45: e^(-a^2) times a polynomial. The part of a^2 that is lost in rounding is multiplied in."""
    a = b.minimum(a, b.pick(10.1, 27.3))
    t = b.div(b.sub(a, 2.0), b.add(a, 2.0))
    p = b.polynomial(t, b.pick(c.ERFC_F32, c.ERFC_F64))
    square = b.mul(a, a)
    lost = b.fma(a, a, b.neg(square))
    e = exp(b, b.neg(square))
    e = b.fma(b.neg(lost), e, e)
    return b.div(b.mul(e, p), b.fma(a, 2.0, 1.0))


def erf(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Below 2 ulp: 1 - e^(polynomial) away from zero."""
    a = b.abs(x)
    if b.double:
        rest = _complement(b, a)
    else:
        rest = exp_in_range(b, b.polynomial(b.minimum(a, 4.0), c.LOG_ERFC_F32))
    far = b.copysign(b.sub(1.0, rest), x)
    return b.select(b.cmp("olt", a, SMALL), _near_zero(b, x), far)


def erfc(b: MathBuilder, x: SSAValue) -> SSAValue:
    """1 - erf(x), accurate also where it is small: below 4 ulp in f32."""
    a = b.abs(x)
    rest = _complement(b, a)
    far = b.select(b.cmp("olt", x, 0.0), b.sub(2.0, rest), rest)
    return b.select(b.cmp("olt", a, 0.5), b.sub(1.0, _near_zero(b, x)), far)
