"""What nn.cast means for element types of at most a byte: against tables of all their numbers, `ml_dtypes`, the tables of the standard."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from stepwell.dialects.nn.conversions import POWERS, convert
from stepwell.ir.constants import NARROW_FLOATS, dense, dtype_of, element_type_of, is_narrow, splat, tensor_type

pytestmark = pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered in cast")

INTEGERS = [np.dtype(t) for t in (ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2, ml_dtypes.uint2)]
SIGNED_FLOATS = [d for d in NARROW_FLOATS.values() if d != POWERS]
BITS = {"float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6}


def codes(dtype: np.dtype[Any]) -> Any:
    """Every bit pattern of a narrow float."""
    return np.arange(1 << BITS.get(dtype.name, 8), dtype=np.uint8).view(dtype)


def same(a: Any, b: Any) -> bool:
    """Bitwise equal, but for the bits of NaN."""
    nan = np.isnan(a.astype(np.float32))
    return bool(np.all((a.view(np.uint8) == b.view(np.uint8)) | (nan & np.isnan(b.astype(np.float32)))))


def wide_numbers(dtype: Any, count: int = 200_000) -> Any:
    """Any bits, numbers of the size of narrow ones, and what lies next to the midpoints between two of those."""
    rng = np.random.default_rng(5)
    raw = rng.integers(0, 256, count * np.dtype(dtype).itemsize, np.uint8).view(dtype)
    near = np.ldexp(rng.integers(-64, 65, count).astype(np.float64), rng.integers(-24, 16, count)).astype(dtype)
    bits = near.view(f"u{near.itemsize}")
    bits += rng.integers(-1, 2, count).astype(bits.dtype)
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 448, 464, 464.1, 480, 57344, 61440, 7, 5, 28, 30, 7.5, 7.75]).astype(dtype)
    return np.concatenate([raw, near, special])


def nearest(x: Any, dtype: np.dtype[Any]) -> Any:
    """The codes of the numbers nearest to finite x inside the range, ties to the even code: by search in the list of all numbers."""
    table = codes(dtype).astype(np.float64)
    order = np.array([i for i in np.argsort(table, kind="stable") if np.isfinite(table[i]) and not np.signbit(table[i])])
    values = table[order]
    magnitude = np.minimum(np.abs(x), values[-1])
    places: Any = np
    above = places.clip(places.searchsorted(values, magnitude), 1, len(values) - 1)
    low, high = values[above - 1], values[above]
    closer = (high - magnitude < magnitude - low) | ((high - magnitude == magnitude - low) & (order[above] % 2 == 0))
    return np.where(closer, order[above], order[above - 1])


@pytest.mark.parametrize("to", SIGNED_FLOATS, ids=str)
@pytest.mark.parametrize("wide", [np.float32, np.float64, np.float16])
def test_rounds_to_the_nearest_number_once(to: np.dtype[Any], wide: Any) -> None:
    x = wide_numbers(wide)
    x = x[np.isfinite(x)]
    got = convert(x, to).astype(np.float64)
    want = codes(to).astype(np.float64)[nearest(x.astype(np.float64), to)]
    assert np.array_equal(np.abs(got), want)
    assert np.array_equal(np.signbit(got[want > 0]), np.signbit(x[want > 0]))


@pytest.mark.parametrize("to", SIGNED_FLOATS, ids=str)
def test_is_what_ml_dtypes_does_with_f32(to: np.dtype[Any]) -> None:
    x = wide_numbers(np.float32)
    assert same(convert(x, to, saturate=False), x.astype(to))


@pytest.mark.parametrize("to", list(NARROW_FLOATS.values()), ids=str)
def test_every_code_there_and_back(to: np.dtype[Any]) -> None:
    all_codes = codes(to)
    for wide in (np.float32, np.float64):
        assert same(convert(convert(all_codes, np.dtype(wide)), to, saturate=False), all_codes)


@pytest.mark.parametrize(
    ("name", "saturated", "otherwise"),
    [
        ("float8_e4m3fn", [0, 0x80, 0x7F, 0x7E, 0xFE, 0x7E, 0xFE], [0, 0x80, 0x7F, 0x7F, 0xFF, 0x7F, 0xFF]),
        ("float8_e4m3fnuz", [0, 0, 0x80, 0x7F, 0xFF, 0x7F, 0xFF], [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80]),
        ("float8_e5m2", [0, 0x80, 0x7E, 0x7B, 0xFB, 0x7B, 0xFB], [0, 0x80, 0x7E, 0x7C, 0xFC, 0x7C, 0xFC]),
        ("float8_e5m2fnuz", [0, 0, 0x80, 0x7F, 0xFF, 0x7F, 0xFF], [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80]),
    ],
)
def test_the_tables_of_the_standard(name: str, saturated: list[int], otherwise: list[int]) -> None:
    x = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e6, -1e6], np.float32)
    to = np.dtype(getattr(ml_dtypes, name))
    assert convert(x, to).view(np.uint8).tolist() == saturated
    assert convert(x, to, saturate=False).view(np.uint8).tolist() == otherwise


@pytest.mark.parametrize(
    ("saturate", "mode", "want"),
    [
        (True, "up", [0, 0, 0, 1, 127, 128, 128, 128, 254, 254, 255]),
        (True, "nearest", [0, 0, 0, 1, 127, 127, 128, 128, 254, 254, 255]),
        (True, "down", [0, 0, 0, 0, 127, 127, 127, 128, 254, 254, 255]),
        (False, "up", [255, 255, 0, 1, 127, 128, 128, 128, 255, 255, 255]),
        (False, "nearest", [255, 255, 0, 1, 127, 127, 128, 128, 255, 255, 255]),
        (False, "down", [255, 255, 0, 0, 127, 127, 127, 128, 254, 255, 255]),
    ],
)
def test_powers_of_two(saturate: bool, mode: str, want: list[int]) -> None:
    x = np.array([0, 2.0**-128, 2.0**-127, 1.5 * 2.0**-127, 1, 1.1, 1.5, 2, 1.75 * 2.0**127, np.inf, np.nan], np.float32)
    assert convert(x, POWERS, saturate, mode).view(np.uint8).tolist() == want


@pytest.mark.parametrize("to", INTEGERS, ids=str)
def test_small_integers_are_modulo_their_range(to: np.dtype[Any]) -> None:
    bits = int(to.name.lstrip("uint"))
    x = np.arange(-300, 300)
    low = 0 if to.name.startswith("u") else -(1 << bits - 1)
    want = (x - low) % (1 << bits) + low
    for source in (np.int16, np.int64, np.float32):
        assert convert(x.astype(source), to).astype(np.int64).tolist() == want.tolist()


def test_payloads_are_extended_by_their_sign() -> None:
    attribute = dense(np.array([1, -1, 7, -8]).astype(ml_dtypes.int4))
    assert attribute.data.data == bytes([1, 0xFF, 7, 0xF8])
    assert attribute.get_values() == (1, -1, 7, -8)
    assert splat(-2, tensor_type((5,), element_type_of(np.dtype(ml_dtypes.int2)))).data.data == b"\xfe"
    assert dense(np.full(9, -3, ml_dtypes.int4)).data.data == b"\xfd"


def test_element_types_and_dtypes_correspond() -> None:
    for dtype in (*NARROW_FLOATS.values(), *INTEGERS):
        assert dtype_of(element_type_of(dtype)) == dtype
        assert is_narrow(element_type_of(dtype))
    for dtype in (np.int8, np.bool_, np.float32, ml_dtypes.bfloat16):
        assert not is_narrow(element_type_of(np.dtype(dtype)))
