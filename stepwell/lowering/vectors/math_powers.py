"""Powers and roots. x^y = 2^(y log2 x) with a logarithm of more digits than the format has: in f64 for f32, in two f64 for f64."""

from __future__ import annotations

from xdsl.ir import SSAValue

from stepwell.lowering.vectors import math_coefficients as c
from stepwell.lowering.vectors.math_builder import INF, NAN, MathBuilder
from stepwell.lowering.vectors.math_exp_log import split

LOG2_E = (1.4426950408889634, 2.0355273740931033e-17)


def rsqrt(b: MathBuilder, x: SSAValue) -> SSAValue:
    """1 / sqrt(x), below 1.5 ulp."""
    return b.div(1.0, b.sqrt(x))


def powf(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """x^y with the special cases of IEEE 754. f32: below 1 ulp; f64: a few ulp, more where the result is near the limits."""
    wide = b.to_double()
    if not b.double:
        x, y = wide.widen_from(x), wide.widen_from(y)
    result = _power(wide, x, y, b.double)
    return result if b.double else b.narrow_from(result)


def fpowi(b: MathBuilder, x: SSAValue, n: SSAValue) -> SSAValue:
    """x^n for an integer n."""
    wide = b.to_double()
    if not b.double:
        x = wide.widen_from(x)
    result = _power(wide, x, wide.to_float(n), b.double)
    return result if b.double else b.narrow_from(result)


def cbrt(b: MathBuilder, x: SSAValue) -> SSAValue:
    """Cube root: 2^(log2|x| / 3) in f64, corrected by one step of Newton's rule. Below 1 ulp."""
    wide = b.to_double()
    w = x if b.double else wide.widen_from(x)
    a = wide.abs(w)
    e, f = split(wide, a)
    logarithm = wide.fma(f, wide.polynomial(f, c.LOG2_MIDDLE), e)
    y = _exp2(wide, wide.mul(logarithm, 1 / 3), None, c.EXP2_MIDDLE)
    square = wide.mul(y, y)
    y = wide.sub(y, wide.div(wide.fma(square, y, wide.neg(a)), wide.mul(square, 3.0)))
    ordinary = wide.both(wide.cmp("ogt", a, 0.0), wide.cmp("olt", a, INF))
    y = wide.select(ordinary, wide.copysign(y, w), w)
    return y if b.double else b.narrow_from(y)


def _power(b: MathBuilder, x: SSAValue, y: SSAValue, precise: bool) -> SSAValue:
    a = b.abs(x)
    high, low = _log2(b, a, precise)
    # y * log2(a). log2(1) = 0 times an infinite y is 0: 1 to any power is 1.
    product = b.mul(y, high)
    exponent = b.select(b.cmp("oeq", high, 0.0), 0.0, product) if not precise else b.select(b.cmp("oeq", a, 1.0), 0.0, product)
    rest = None
    if low is not None:
        rest = b.fma(y, low, b.fma(y, high, b.neg(product)))
        rest = b.select(b.cmp("olt", b.abs(product), 2000.0), rest, 0.0)  # where the result is 0 or inf, there is no rest
    result = _exp2(b, exponent, rest, c.EXP2_F64 if precise else c.EXP2_MIDDLE)

    # The sign, and where there is no real result.
    is_integer = b.cmp("oeq", b.floor(y), y)
    half = b.mul(y, 0.5)
    is_odd = b.both(is_integer, b.cmp("one", b.floor(half), half))
    is_odd = b.both(is_odd, b.cmp("olt", b.abs(y), INF))
    result = b.select(is_odd, b.copysign(result, x), result)
    negative = b.both(b.cmp("olt", x, 0.0), b.cmp("ogt", x, -INF))
    fractional = b.both(negative, b.cmp("une", b.floor(y), y))
    result = b.select(fractional, NAN, result)
    result = b.select(b.cmp("oeq", x, 1.0), 1.0, result)
    return b.select(b.cmp("oeq", y, 0.0), 1.0, result)


def _log2(b: MathBuilder, a: SSAValue, precise: bool) -> tuple[SSAValue, SSAValue | None]:
    """log2 of a >= 0 as a sum of two numbers, the second only if `precise`. -inf at 0, inf at inf, NaN at NaN."""
    e, f = split(b, a)
    low: SSAValue | None = None
    if precise:
        # f log2(e) exactly, the rest of the series once: errors of the rest count f^2 as much.
        product = b.mul(f, LOG2_E[0])
        product_low = b.fma(f, LOG2_E[1], b.fma(f, LOG2_E[0], b.neg(product)))
        series = b.mul(b.mul(f, f), b.polynomial(f, c.LOG2_F64[1:]))
        high = b.add(e, product)
        low = b.add(b.add(b.sub(e, high), product), b.add(product_low, series))
        total = b.add(high, low)
        high, low = total, b.add(b.sub(high, total), low)
    else:
        high = b.fma(f, b.polynomial(f, c.LOG2_MIDDLE), e)
    high = b.select(b.cmp("olt", a, INF), high, a)
    return b.select(b.cmp("oeq", a, 0.0), -INF, high), low


def _exp2(b: MathBuilder, x: SSAValue, rest: SSAValue | None, coefficients: tuple[float, ...]) -> SSAValue:
    """2^(x + rest) in f64, denormal results included: scaled in two steps."""
    magic = 1.5 * 2.0**52
    clamped = b.minimum(b.maximum(x, -1100.0), 1100.0)
    shifted = b.add(clamped, magic)
    fraction = b.sub(clamped, b.sub(shifted, magic))
    if rest is not None:
        fraction = b.add(fraction, rest)
    p = b.polynomial(fraction, (1.0, *coefficients))
    n = b.int_sub(b.bits_of(shifted), b.bits_of(b.const(magic)))
    first = b.shift_right(n, 1)
    second = b.int_sub(n, first)
    for part in (first, second):
        p = b.mul(p, b.from_bits(b.shift_left(b.int_add(part, 1023), 52)))
    return p


def ipowi(b: MathBuilder, base: SSAValue, exponent: SSAValue) -> SSAValue:
    """Integer power by squaring, one step for each bit of the exponent; a negative exponent gives 1 / base^|exponent|, rounded to zero."""
    from stepwell.dialects import arith

    def multiply(x: SSAValue, y: SSAValue) -> SSAValue:
        op = arith.MuliOp.create(operands=[x, y], result_types=[b.int], properties={"overflowFlags": arith.IntegerOverflowAttr("none")})
        b.block.insert_op_before(op, b.anchor)
        return op.results[0]

    negative = b.int_cmp("slt", exponent, 0)
    count = b.int_select(negative, b.int_sub(0, exponent), exponent)
    result, square = b.word(1), base
    for bit in range(b.bits):
        taken = b.int_cmp("ne", b.int_and(count, 1 << bit), 0)
        result = b.int_select(taken, multiply(result, square), result)
        square = multiply(square, square)
    # 1 / r is r for 1 and -1, else 0.
    unit = b.int_cmp("ult", b.int_add(result, 1), 3)
    is_zero = b.int_cmp("eq", result, 0)
    inverse = b.int_select(unit, b.int_select(is_zero, 0, result), 0)
    return b.int_select(negative, inverse, result)
