"""Every arithmetic instruction against Python's integers and exact fractions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.backends.ptx.simulate.arithmetic import meaning
from stepwell.backends.ptx.simulate.conversion import conversion
from stepwell.backends.ptx.simulate.values import NUMPY
from stepwell.ir.diagnostics import CompileError

Array = np.ndarray[Any, np.dtype[Any]]
CORNERS = {
    width: [0, 1, 2, 3, (1 << width - 1) - 1, 1 << width - 1, (1 << width) - 1, (1 << width) - 2, 5 << width // 2] for width in (16, 32, 64)
}


def compute(name: str, *operands: Array) -> Array:
    opcode, *modifiers = name.split(".")
    found = meaning(opcode, tuple(modifiers), len(operands) + 1)
    assert found is not None
    with np.errstate(all="ignore"):
        typed = [
            np.asarray(x).view(NUMPY[k]) if np.dtype(NUMPY[k]).itemsize == np.asarray(x).dtype.itemsize else x
            for x, k in zip(operands, found.operands, strict=True)
        ]
        value = found.function(*typed)
    first = value[0] if len(found.results) > 1 else value
    assert np.asarray(first).dtype == NUMPY[found.results[0]], name
    return first


def signed(x: int, width: int) -> int:
    return x - (1 << width) if x >> width - 1 else x


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def clz(x: int, width: int) -> int:
    return width - x.bit_length()


INTEGERS: dict[str, Callable[..., int]] = {
    "add.{t}": lambda a, b: a + b, "sub.{t}": lambda a, b: a - b, "mul.lo.{t}": lambda a, b: a * b,
    "div.{t}": lambda a, b: truncated(a, b) if b else -1, "rem.{t}": lambda a, b: a - truncated(a, b) * b if b else a,
    "min.{t}": min, "max.{t}": max,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["u16", "s16", "u32", "s32", "u64", "s64"])
@pytest.mark.parametrize("name", list(INTEGERS))
def test_integers(name: str, kind: str) -> None:
    width = int(kind[1:])
    rng = np.random.default_rng(0)
    values = (
        [
            *CORNERS[width],
            *(int(x) >> int(rng.integers(0, width)) for x in rng.integers(0, 1 << width, 30, np.uint64 if width == 64 else np.int64)),
        ]
        if width < 64
        else [*CORNERS[64], *(int(x) >> 7 for x in rng.integers(0, 2**63, 20))]
    )
    pairs = [(a & (1 << width) - 1, b & (1 << width) - 1) for a in values for b in values]
    dtype = np.dtype(f"u{width // 8}")
    a, b = (np.array(side, dtype) for side in zip(*pairs, strict=True))
    read: Callable[[int], int] = (lambda x: signed(x, width)) if kind[0] == "s" else (lambda x: x)
    expected = [INTEGERS[name](read(x), read(y)) & (1 << width) - 1 for x, y in pairs]
    assert compute(name.format(t=kind), a, b).view(dtype).tolist() == expected


@pytest.mark.parametrize("kind", ["u32", "s32", "u64", "s64"])
def test_upper_half_of_a_product(kind: str) -> None:
    width = int(kind[1:])
    pairs = [(a & (1 << width) - 1, b & (1 << width) - 1) for a in CORNERS[width] for b in CORNERS[width]]
    dtype = np.dtype(f"u{width // 8}")
    a, b = (np.array(side, dtype) for side in zip(*pairs, strict=True))
    read: Callable[[int], int] = (lambda x: signed(x, width)) if kind[0] == "s" else (lambda x: x)
    expected = [(read(x) * read(y) >> width) & (1 << width) - 1 for x, y in pairs]
    assert compute(f"mul.hi.{kind}", a, b).view(dtype).tolist() == expected


words = st.integers(0, 2**32 - 1)


@settings(max_examples=200, deadline=None)
@given(words, words, words)
def test_functions_of_bits(a: int, b: int, c: int) -> None:
    x, y, z = (np.array([v], np.uint32) for v in (a, b, c))
    full = 2**32 - 1
    shift = c & 63
    z6 = np.array([shift], np.uint32)
    assert compute("shl.b32", x, z6)[0] == (a << shift) & full
    assert compute("shr.u32", x, z6)[0] == a >> shift
    assert compute("shr.s32", x, z6)[0] == signed(a, 32) >> shift
    assert compute("popc.b32", x)[0] == a.bit_count()
    assert compute("clz.b32", x)[0] == clz(a, 32)
    assert compute("brev.b32", x)[0] == int(f"{a:032b}"[::-1], 2)
    assert compute("shf.l.wrap.b32", x, y, z6)[0] == ((((b << 32) | a) << (shift & 31)) >> 32) & full
    assert compute("shf.r.clamp.b32", x, y, z6)[0] == (((b << 32) | a) >> min(shift, 32)) & full
    start, length = b & 63, c & 63
    s, n = np.array([start], np.uint32), np.array([length], np.uint32)
    assert compute("bfe.u32", x, s, n)[0] == (a >> start) & ((1 << length) - 1)
    mask = (((1 << length) - 1) << start) & full
    assert compute("bfi.b32", x, y, s, n)[0] == (b & ~mask) | ((a << start) & mask)
    both = [((b << 32 | a) >> 8 * i) & 255 for i in range(8)]
    expected = 0
    for i in range(4):
        select = c >> 4 * i & 15
        byte = both[select & 7]
        expected |= (255 * (byte >> 7) if select & 8 else byte) << 8 * i
    assert compute("prmt.b32", x, y, z)[0] == expected
    table = c & 255
    bitwise = sum((table >> ((a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1)) & 1) << i for i in range(32))
    assert compute("lop3.b32", x, y, z, np.array([table], np.uint32))[0] == bitwise


@settings(max_examples=300, deadline=None)
@given(*[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 3)
def test_fma_is_rounded_once(a: float, b: float, c: float) -> None:
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    x, y, z = (np.array([v], np.float32).view(np.uint32) for v in (a, b, c))
    found = float(compute("fma.rn.f32", x, y, z)[0])
    if abs(exact) < Fraction(float(np.finfo(np.float32).max)):
        error = abs(Fraction(found) - exact)
        for neighbour in (np.nextafter(np.float32(found), np.float32(np.inf)), np.nextafter(np.float32(found), np.float32(-np.inf))):
            if math.isfinite(float(neighbour)):
                assert error <= abs(Fraction(float(neighbour)) - exact)
    for mode in ("rz", "rm", "rp"):
        rounded = float(compute(f"fma.{mode}.f32", x, y, z)[0])
        if math.isfinite(rounded):
            assert mode != "rm" or Fraction(rounded) <= exact
            assert mode != "rp" or Fraction(rounded) >= exact
            assert mode != "rz" or abs(Fraction(rounded)) <= abs(exact)


def test_comparisons_know_nan() -> None:
    a = np.array([1.0, np.nan, 2.0], np.float32).view(np.uint32)
    b = np.array([1.0, 1.0, 1.0], np.float32).view(np.uint32)
    assert compute("setp.ne.f32", a, b).tolist() == [False, False, True]
    assert compute("setp.neu.f32", a, b).tolist() == [False, True, True]
    assert compute("setp.nan.f32", a, b).tolist() == [False, True, False]
    assert np.asarray(compute("min.f32", a, b)).tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(np.asarray(compute("min.NaN.f32", a, b))[1])


def convert(name: str, *operands: Array) -> Array:
    with np.errstate(all="ignore"):
        return conversion(tuple(name.split(".")[1:])).function(*operands)


def test_conversions_stop_at_the_ends() -> None:
    x = np.array([1e20, -1e20, np.nan, -0.5, 2.5, 3.5], np.float32)
    assert convert("cvt.rni.s32.f32", x).tolist() == [2**31 - 1, -(2**31), 0, 0, 2, 4]
    assert convert("cvt.rzi.u32.f32", x).tolist() == [2**32 - 1, 0, 0, 0, 2, 3]
    assert convert("cvt.rmi.s64.f32", x).tolist() == [2**63 - 1, -(2**63), 0, -1, 2, 3]
    assert convert("cvt.sat.s8.s32", np.array([300, -300, 5], np.int32)).tolist() == [127, -128, 5]
    pair = convert("cvt.rn.f16x2.f32", np.array([1.0], np.float32), np.array([2.0], np.float32))
    assert pair.tolist() == [[2.0, 1.0]]
    assert convert("cvt.rz.f16.f32", np.array([1.9999], np.float32)).tolist() == [1.9990234375]


@pytest.mark.parametrize("name", ["add.frob.u32", "fma.rm.f64", "mul.u32", "setp.u32"])
def test_what_is_not_simulated_is_refused(name: str) -> None:
    opcode, *modifiers = name.split(".")
    with pytest.raises(CompileError):
        meaning(opcode, tuple(modifiers), 4)
