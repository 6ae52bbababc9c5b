"""Prints `stepwell/lowering/vectors/math_coefficients.py`: polynomials by Chebyshev interpolation at 40 digits, rounded to the type.

Needs mpmath, which the project itself does not:  python bench/fit_math_polynomials.py > stepwell/lowering/vectors/math_coefficients.py
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import mpmath as mp

mp.mp.dps = 40
LN2 = mp.log(2)
SMALL = mp.mpf(10) ** -12


def near_zero(value: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda r: value if abs(r) < SMALL else f(r)


def of_square(value: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of x given as a function of z = x^2."""
    return lambda z: value if z < SMALL else f(mp.sqrt(z))


def scaled_erfc(t: Any) -> Any:
    a = 2 * (1 + t) / (1 - t)
    return mp.exp(a * a) * mp.erfc(a) * (1 + 2 * a)


third = mp.mpf(1) / 3
erfc_interval = [(mp.mpf(a) - 2) / (mp.mpf(a) + 2) for a in ("0.45", "10.1")]
erfc_interval_f64 = [(mp.mpf(a) - 2) / (mp.mpf(a) + 2) for a in ("0.45", "27.3")]
quarter = mp.mpf("0.617")  # (pi/4)^2


def exp(r: Any) -> Any:
    return (mp.exp(r) - 1 - r) / r**2


def exp2(r: Any) -> Any:
    return (mp.mpf(2) ** r - 1) / r


def log(f: Any) -> Any:
    return (mp.log(1 + f) - f + f * f / 2) / f**3


def log2(f: Any) -> Any:
    return mp.log(1 + f) / LN2 / f


def log10(f: Any) -> Any:
    return mp.log10(1 + f) / f


def erf(x: Any) -> Any:
    return mp.erf(x) / x


def sin(x: Any) -> Any:
    return (mp.sin(x) - x) / x**3


def cos(x: Any) -> Any:
    return (mp.cos(x) - 1 + x * x / 2) / x**4


def atan(x: Any) -> Any:
    return (mp.atan(x) - x) / x**3


def asin(x: Any) -> Any:
    return (mp.asin(x) - x) / x**3


def sinh(x: Any) -> Any:
    return (mp.sinh(x) - x) / x**3


sixth = mp.mpf(1) / 6
eighth_turn = mp.tan(mp.pi / 8) ** 2 + mp.mpf("0.0001")
# What it approximates; function; interval; then the tables made of it: name, number of coefficients, bits of the type.
FITS: list[tuple[str, Callable[[Any], Any], list[Any], list[tuple[str, int, int]]]] = [
    ("(e^r - 1 - r) / r^2, |r| <= ln(2)/2", near_zero(mp.mpf("0.5"), exp), [-LN2 / 2, LN2 / 2], [("EXP_F32", 5, 32), ("EXP_F64", 11, 64)]),
    (
        "(2^f - 1) / f, |f| <= 1/2",
        near_zero(LN2, exp2),
        [-0.5, 0.5],
        [("EXP2_F32", 6, 32), ("EXP2_F64", 13, 64), ("EXP2_MIDDLE", 7, 64)],
    ),
    (
        "(log(1+f) - f + f^2/2) / f^3, |f| <= 1/3",
        near_zero(third, log),
        [-third, third],
        [("LOG_F32", 9, 32), ("LOG_F64", 22, 64)],
    ),
    (
        "log2(1+f) / f, |f| <= 1/3",
        near_zero(1 / LN2, log2),
        [-third, third],
        [("LOG2_F32", 10, 32), ("LOG2_F64", 24, 64), ("LOG2_MIDDLE", 13, 64)],
    ),
    ("log10(1+f) / f, |f| <= 1/3", near_zero(1 / mp.log(10), log10), [-third, third], [("LOG10_F32", 10, 32), ("LOG10_F64", 24, 64)]),
    ("erf(x) / x in x^2, |x| <= 0.92", of_square(2 / mp.sqrt(mp.pi), erf), [0, mp.mpf("0.85")], [("ERF_F32", 6, 32), ("ERF_F64", 13, 64)]),
    ("log(erfc(x)), 0.92 <= x <= 4", lambda x: mp.log(mp.erfc(x)), [mp.mpf("0.92"), 4], [("LOG_ERFC_F32", 9, 32)]),
    ("erfc(a) e^(a^2) (1+2a) in (a-2)/(a+2), a <= 10.1", scaled_erfc, erfc_interval, [("ERFC_F32", 11, 32)]),
    ("erfc(a) e^(a^2) (1+2a) in (a-2)/(a+2), a <= 27.3", scaled_erfc, erfc_interval_f64, [("ERFC_F64", 26, 64)]),
    ("(sin(r) - r) / r^3 in r^2, |r| <= pi/4", of_square(-sixth, sin), [0, quarter], [("SIN_F32", 4, 32), ("SIN_F64", 7, 64)]),
    (
        "(cos(r) - 1 + r^2/2) / r^4 in r^2, |r| <= pi/4",
        of_square(mp.mpf(1) / 24, cos),
        [0, quarter],
        [("COS_F32", 3, 32), ("COS_F64", 7, 64)],
    ),
    ("(atan(t) - t) / t^3 in t^2, |t| <= 1", of_square(-third, atan), [0, 1], [("ATAN_F32", 9, 32)]),
    ("(atan(t) - t) / t^3 in t^2, |t| <= tan(pi/8)", of_square(-third, atan), [0, eighth_turn], [("ATAN_F64", 12, 64)]),
    ("(asin(x) - x) / x^3 in x^2, |x| <= 1/2", of_square(sixth, asin), [0, mp.mpf("0.25")], [("ASIN_F32", 6, 32), ("ASIN_F64", 14, 64)]),
    ("(sinh(x) - x) / x^3 in x^2, |x| <= 1", of_square(sixth, sinh), [0, 1], [("SINH_F32", 4, 32), ("SINH_F64", 8, 64)]),
]


def rounded(value: Any, bits: int) -> str:
    number = float(value)
    if bits == 32:
        number = struct.unpack("<f", struct.pack("<f", number))[0]
    return repr(number)


def table(name: str, coefficients: list[Any], bits: int) -> str:
    values = [rounded(c, bits) for c in reversed(coefficients)]  # mpmath gives the highest power first
    return f"{name}: tuple[float, ...] = (\n" + "".join(f"    {value},\n" for value in values) + ")"


print('"""Coefficients of the polynomials of `expand-math`, lowest power first. Made by bench/fit_math_polynomials.py."""')
for what, function, interval, tables in FITS:
    for name, count, bits in tables:
        coefficients, error = mp.chebyfit(function, interval, count, error=True)
        print(f"\n# {what}: error {mp.nstr(error, 2)}\n{table(name, coefficients, bits)}")
