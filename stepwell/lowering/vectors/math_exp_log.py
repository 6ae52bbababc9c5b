"""Exponentials, logarithms, powers, and hyperbolic functions, which are made of them.

The method is the classic one: an exponential splits x = n ln 2 + r and puts n into the exponent bits; a logarithm takes the exponent e
off, so that the rest m lies in [2/3, 4/3), and adds e ln 2. Polynomials do the rest. Errors are in units of the last place (ulp) of f32,
as tested.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from stepwell.lowering.vectors import math_coefficients as c
from stepwell.lowering.vectors.math_builder import INF, NAN, MathBuilder

LOG2_E = 1.4426950408889634
# ln 2 and log10 2 in two parts that add up to more digits than the format has.
LN2_F32 = (0.693145751953125, 1.428606820309417e-06)
LN2_F64 = (0.6931471805599453, 2.3190468138462996e-17)
LOG10_2_F32 = (0.30102920532226562, 7.903417155702138e-07)
LOG10_2_F64 = (0.3010299956639812, -2.8037281277851704e-18)


# ---- exponentials ---------------------------------------------------------------------------------------------------------------


def _round(b: MathBuilder, x: SSAValue, scale: float) -> tuple[SSAValue, SSAValue]:
    """The integer n nearest to x * scale, as a float, and bits whose low part is n: adding 1.5 * 2^mantissa rounds and aligns at once."""
    magic = 1.5 * 2.0**b.mantissa
    shifted = b.add(x, magic) if scale == 1 else b.fma(x, scale, magic)
    return b.sub(shifted, magic), b.bits_of(shifted)


def _reduce(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """x = n ln 2 + r: n, its bits, and r with |r| <= ln(2)/2."""
    n, bits = _round(b, x, LOG2_E)
    high, low = b.pick(LN2_F32, LN2_F64)
    return n, bits, b.fma(n, -low, b.fma(n, -high, x))


def _scale(b: MathBuilder, x: SSAValue, bits: SSAValue) -> SSAValue:
    """x * 2^n by adding n to the exponent."""
    return b.from_bits(b.int_add(b.bits_of(x), b.shift_left(bits, b.mantissa)))


def _exp_of_reduced(b: MathBuilder, r: SSAValue) -> SSAValue:
    return b.polynomial(r, (1.0, 1.0, *b.pick(c.EXP_F32, c.EXP_F64)))


def exp_in_range(b: MathBuilder, x: SSAValue) -> SSAValue:
    """e^x where neither overflow nor denormal results can occur."""
    _, bits, r = _reduce(b, x)
    return _scale(b, _exp_of_reduced(b, r), bits)


def _clip(b: MathBuilder, x: SSAValue, y: SSAValue, low: float, high: float) -> SSAValue:
    """y, but 0 where x < low, inf where x > high, NaN where x is NaN."""
    y = b.select(b.cmp("olt", x, low), 0.0, y)
    return b.select(b.cmp("ugt", x, high), b.add(x, INF), y)


def exp(b: MathBuilder, x: SSAValue) -> SSAValue:
    """e^x, below 1 ulp. Denormal results are 0."""
    return _clip(b, x, exp_in_range(b, x), *b.pick((-87.33654475055310, 88.72283172607422), (-708.3964185322641, 709.782712893384)))


def exp2(b: MathBuilder, x: SSAValue) -> SSAValue:
    """2^x, below 1 ulp. Denormal results are 0."""
    n, bits = _round(b, x, 1)
    y = _scale(b, b.polynomial(b.sub(x, n), (1.0, *b.pick(c.EXP2_F32, c.EXP2_F64))), bits)
    return _clip(b, x, y, *b.pick((-126.0, 127.99999237060547), (-1022.0, 1023.9999999999999)))


def expm1_in_range(b: MathBuilder, x: SSAValue) -> SSAValue:
    """e^x - 1 where e^x is neither denormal nor more than twice the largest number: half of 2^n (e^r - 1) + (2^n - 1), doubled."""
    _, bits, r = _reduce(b, x)
    p = b.fma(b.mul(r, r), b.polynomial(r, b.pick(c.EXP_F32, c.EXP_F64)), r)
    bias = b.pick(126, 1022) << b.mantissa
    half = b.from_bits(b.int_add(b.shift_left(bits, b.mantissa), bias))
    y = b.fma(p, half, b.sub(half, 0.5))
    return b.add(y, y)


def expm1(b: MathBuilder, x: SSAValue) -> SSAValue:
    """e^x - 1, below 2 ulp also near 0."""
    low, high = b.pick((-18.0, 89.0), (-38.0, 710.0))
    return expm1_in_range(b, b.minimum(b.maximum(x, low), high))


def tanh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """(e^2x - 1) / (e^2x + 1), below 2.5 ulp. Beyond the clamp the result is 1 in the format."""
    limit = b.pick(9.1, 19.1)
    clamped = b.minimum(b.maximum(x, -limit), limit)
    y = expm1_in_range(b, b.add(clamped, clamped))
    return b.div(y, b.add(y, 2.0))


def _half_exp(b: MathBuilder, a: SSAValue) -> SSAValue:
    """e^a / 2 for a >= 0, which is finite a little longer than e^a; inf and NaN as they come."""
    _, bits, r = _reduce(b, a)
    scaled = b.int_sub(b.shift_left(bits, b.mantissa), 1 << b.mantissa)
    y = b.from_bits(b.int_add(b.bits_of(_exp_of_reduced(b, r)), scaled))
    return b.select(b.cmp("ugt", a, b.pick(89.41598629223294, 710.4758600739439)), b.add(a, INF), y)


def sinh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """(e^x - e^-x) / 2; a polynomial for |x| < 1. Below 2.5 ulp."""
    a = b.abs(x)
    half = _half_exp(b, a)
    large = b.copysign(b.sub(half, b.div(0.25, half)), x)
    z = b.mul(x, x)
    small = b.fma(b.mul(x, z), b.polynomial(z, b.pick(c.SINH_F32, c.SINH_F64)), x)
    return b.select(b.cmp("olt", a, 1.0), small, large)


def cosh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """(e^x + e^-x) / 2, below 2 ulp."""
    half = _half_exp(b, b.abs(x))
    return b.add(half, b.div(0.25, half))


# ---- logarithms -----------------------------------------------------------------------------------------------------------------


def _take_exponent(b: MathBuilder, bits: SSAValue) -> tuple[SSAValue, SSAValue]:
    """e << mantissa, and e as a float, such that x = 2^e m with m in [2/3, 4/3)."""
    start = b.pick(0x3F2AAAAB, 0x3FE5555555555555)
    relative = b.int_sub(bits, start)
    mask = -1 << b.mantissa
    return b.int_and(relative, mask), b.to_float(b.shift_right(relative, b.mantissa))


def split(b: MathBuilder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """x = 2^e (1 + f) for positive x: e and f, |f| <= 1/3. Denormals are scaled up first."""
    tiny = b.cmp("olt", x, b.pick(2.0**-126, 2.0**-1022))
    x = b.select(tiny, b.mul(x, 2.0**b.mantissa), x)
    bits = b.bits_of(x)
    shifted, e = _take_exponent(b, bits)
    f = b.sub(b.from_bits(b.int_sub(bits, shifted)), 1.0)
    return b.sub(e, b.select(tiny, float(b.mantissa), 0.0)), f


def _at_edges(b: MathBuilder, x: SSAValue, y: SSAValue, pole: float) -> SSAValue:
    """A logarithm y of x: -inf at the pole, NaN below it, inf at inf, NaN at NaN."""
    y = b.select(b.cmp("olt", x, INF), y, x)
    return b.select(b.cmp("ogt", x, pole), y, b.select(b.cmp("oeq", x, pole), -INF, NAN))


def _log_of_parts(b: MathBuilder, e: SSAValue, f: SSAValue) -> SSAValue:
    """e ln 2 + log(1 + f), the small terms first."""
    high, low = b.pick(LN2_F32, LN2_F64)
    q = b.fma(f, b.polynomial(f, b.pick(c.LOG_F32, c.LOG_F64)), -0.5)
    rest = b.fma(b.mul(f, f), q, b.mul(e, low))
    return b.fma(e, high, b.add(f, rest))


def log(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Natural logarithm, below 1 ulp."""
    return _at_edges(b, x, _log_of_parts(b, *split(b, x)), 0.0)


def log2(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Binary logarithm, below 2 ulp."""
    e, f = split(b, x)
    return _at_edges(b, x, b.fma(f, b.polynomial(f, b.pick(c.LOG2_F32, c.LOG2_F64)), e), 0.0)


def log10(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Decimal logarithm, below 3 ulp."""
    e, f = split(b, x)
    high, low = b.pick(LOG10_2_F32, LOG10_2_F64)
    y = b.fma(e, high, b.fma(f, b.polynomial(f, b.pick(c.LOG10_F32, c.LOG10_F64)), b.mul(e, low)))
    return _at_edges(b, x, y, 0.0)


def log1p(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log(1 + x), below 2 ulp also near 0: the exponent is that of 1 + x, the rest is taken from x itself."""
    shifted, e = _take_exponent(b, b.bits_of(b.add(x, 1.0)))
    quadruple = b.from_bits(b.int_sub(b.pick(129, 1025) << b.mantissa, shifted))  # 2^(2-e); 2^-e might be denormal
    f = b.fma(b.mul(x, 0.25), quadruple, b.fma(quadruple, 0.25, -1.0))
    return _at_edges(b, x, _log_of_parts(b, e, f), -1.0)


def asinh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(a^2 + 1))); log(2a) where a^2 would overflow. Below 3 ulp."""
    a = b.abs(x)
    z = b.mul(a, a)
    near = b.add(a, b.div(z, b.add(b.sqrt(b.add(z, 1.0)), 1.0)))
    return b.copysign(_log1p_or_log_twice(b, a, near), x)


def acosh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log1p(t + sqrt(2t + t^2)) with t = x - 1; NaN below 1. Below 3 ulp."""
    t = b.sub(x, 1.0)
    near = b.add(t, b.sqrt(b.fma(t, t, b.add(t, t))))
    return b.select(b.cmp("olt", x, 1.0), NAN, _log1p_or_log_twice(b, x, near))


def _log1p_or_log_twice(b: MathBuilder, a: SSAValue, near: SSAValue) -> SSAValue:
    """log1p(near), or log(2a) for a so large that log1p(a) is log(a)."""
    large = b.cmp("ogt", a, b.pick(2.0**30, 2.0**60))
    y = log1p(b, b.select(large, a, near))
    return b.add(y, b.select(large, 0.6931471805599453, 0.0))


def atanh(b: MathBuilder, x: SSAValue) -> SSAValue:
    """log1p(2a / (1 - a)) / 2. Below 3 ulp."""
    a = b.abs(x)
    y = log1p(b, b.div(b.add(a, a), b.sub(1.0, a)))
    return b.copysign(b.mul(y, 0.5), x)
