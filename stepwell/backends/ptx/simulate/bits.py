"""Integer functions of PTX that numpy has no word for, over arrays of any width."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.values import Array


def _width(x: Array) -> int:
    return 8 * x.dtype.itemsize


def _unsigned(x: Array) -> Any:
    return np.dtype(f"u{x.dtype.itemsize}")


def carry_add(a: Array, b: Array, carry: Array | None, sign: int) -> tuple[Array, Array]:
    """a + b + carry, or a - b - borrow, and whether it went beyond the width."""
    unsigned = _unsigned(a)
    x, y = a.view(unsigned), b.view(unsigned)
    if sign > 0:
        first = x + y
        out = first < x
        if carry is not None:
            total = first + carry.astype(unsigned)
            out, first = out | (total < first), total
    else:
        first = x - y
        out = x < y
        if carry is not None:
            total = first - carry.astype(unsigned)
            out, first = out | (total > first), total
    return first.view(a.dtype), out


def high_product(a: Array, b: Array) -> Array:
    """The upper half of the product of two integers."""
    width, signed = _width(a), a.dtype.kind == "i"
    if width < 64:
        wide = np.dtype(f"{a.dtype.kind}{2 * a.dtype.itemsize}")
        return (a.astype(wide) * b.astype(wide) >> wide.type(width)).astype(a.dtype)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    x, y = a.view(np.uint64), b.view(np.uint64)
    middle = (x >> half) * (y & low) + ((x & low) * (y & low) >> half)
    cross = (x & low) * (y >> half) + (middle & low)
    high = (x >> half) * (y >> half) + (middle >> half) + (cross >> half)
    if signed:
        zero = np.uint64(0)
        high = high - np.where(a < 0, y, zero) - np.where(b < 0, x, zero)
    return high.view(a.dtype)


def quotient(a: Array, b: Array) -> Array:
    """Integer division towards zero; of a division by zero all bits are set."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    down = a // safe
    if a.dtype.kind == "i":
        down = down + ((down < 0) & (down * safe != a)).astype(a.dtype)
    return np.where(b == 0, np.bitwise_not(np.zeros_like(a)), down)


def remainder(a: Array, b: Array) -> Array:
    """What `quotient` leaves; of a division by zero the dividend."""
    return np.where(b == 0, a, a - quotient(a, b) * b)


def shift_left(x: Array, by: Array) -> Array:
    """x << by, zero from the width on."""
    width = _width(x)
    moved = x << np.minimum(by, np.uint32(width - 1)).astype(x.dtype)
    return np.where(by >= width, x.dtype.type(0), moved)


def shift_right(x: Array, by: Array) -> Array:
    """x >> by: zeros or copies of the sign come in."""
    width = _width(x)
    moved = x >> np.minimum(by, np.uint32(width - 1)).astype(x.dtype)
    return moved if x.dtype.kind == "i" else np.where(by >= width, x.dtype.type(0), moved)


def funnel_shift(low: Array, high: Array, by: Array, left: bool, wrap: bool) -> Array:
    """32 bits out of [high, low] shifted."""
    amount = (by & np.uint32(31) if wrap else np.minimum(by, np.uint32(32))).astype(np.uint64)
    both = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
    if left:
        return ((both << amount) >> np.uint64(32)).astype(np.uint32)
    return (both >> amount).astype(np.uint32)


def population(x: Array) -> Array:
    """How many bits are set."""
    return np.bitwise_count(x).astype(np.uint32)


def _smear(x: Array) -> Array:
    """Every bit below the highest set one is set."""
    by = 1
    while by < _width(x):
        x = x | (x >> x.dtype.type(by))
        by *= 2
    return x


def leading_zeros(x: Array) -> Array:
    """How many zeros stand before the highest set bit."""
    return np.uint32(_width(x)) - population(_smear(x))


def find_top(x: Array, distance: bool) -> Array:
    """Place of the highest bit that is no copy of the sign (or its distance from the top); 2^32 - 1 for none."""
    unsigned = _unsigned(x)
    y = np.where(x < 0, ~x, x).view(unsigned) if x.dtype.kind == "i" else x
    place = population(_smear(y)) - np.uint32(1)
    if distance:
        place = np.where(y == 0, place, np.uint32(_width(x) - 1) - place)
    return place


def reverse(x: Array) -> Array:
    """The bits in reverse order."""
    width = _width(x)
    kind = x.dtype.type
    masks = {
        1: 0x5555555555555555,
        2: 0x3333333333333333,
        4: 0x0F0F0F0F0F0F0F0F,
        8: 0x00FF00FF00FF00FF,
        16: 0x0000FFFF0000FFFF,
        32: 0xFFFFFFFF,
    }
    everything = (1 << width) - 1
    for by, mask in masks.items():
        if by < width:
            m = kind(mask & everything)
            x = ((x >> kind(by)) & m) | ((x & m) << kind(by))
    return x


def _low_bits(dtype: Any, length: Array) -> Array:
    """The lowest `length` bits set."""
    width = 8 * np.dtype(dtype).itemsize
    everything, one = np.asarray((1 << width) - 1, dtype), np.asarray(1, dtype)
    return np.where(length >= width, everything, shift_left(one, length) - one)


def extract_field(x: Array, start: Array, length: Array) -> Array:
    """`bfe`: `length` bits from `start` on, extended by their sign where the type is signed."""
    width: int = _width(x)
    start, length = start & np.uint32(0xFF), length & np.uint32(0xFF)
    unsigned = x.view(_unsigned(x))
    one = unsigned.dtype.type(1)
    mask = _low_bits(unsigned.dtype, length)
    found = shift_right(unsigned, start) & mask
    if x.dtype.kind != "i":
        return found
    top = np.minimum(start + length - np.uint32(1), np.uint32(width - 1))
    negative = (shift_right(unsigned, top) & one).astype(bool) & (length > 0)
    return np.where(negative, found | ~mask, found).view(x.dtype)


def insert_field(value: Array, into: Array, start: Array, length: Array) -> Array:
    """`bfi`: the lowest `length` bits of `value` stand at `start` in `into`."""
    start, length = start & np.uint32(0xFF), length & np.uint32(0xFF)
    mask = shift_left(_low_bits(value.dtype, length), start)
    return (into & ~mask) | (shift_left(value, start) & mask)


def permute_bytes(a: Array, b: Array, selector: Array) -> Array:
    """`prmt`: each of four selectors takes a byte of [b, a], or copies its sign."""
    both = (b.astype(np.uint64) << np.uint64(32)) | a.astype(np.uint64)
    found: Any = np.uint32(0)
    for i in range(4):
        select = (selector >> np.uint32(4 * i)) & np.uint32(0xF)
        byte = (both >> ((select & np.uint32(7)).astype(np.uint64) * np.uint64(8))).astype(np.uint32) & np.uint32(0xFF)
        sign = np.where(byte & np.uint32(0x80) != 0, np.uint32(0xFF), np.uint32(0))
        found = found | (np.where(select & np.uint32(8) != 0, sign, byte) << np.uint32(8 * i))
    return found


def lookup3(a: Array, b: Array, c: Array, table: Array) -> Array:
    """`lop3`: any function of three bits, as a table of eight."""
    found = np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b), np.shape(c)), np.uint32)
    for i in range(8):
        term = (a if i & 4 else ~a) & (b if i & 2 else ~b) & (c if i & 1 else ~c)
        found = found | np.where((table >> np.uint32(i)) & np.uint32(1) != 0, term, np.uint32(0))
    return found


def dot(a: Array, b: Array, c: Array, a_signed: bool, b_signed: bool, lanes: int, high: bool) -> Array:
    """`dp4a` and `dp2a`: c + the sum of products of the parts of a with bytes of b."""
    total = c.astype(np.int64)
    width = 32 // lanes
    for i in range(lanes):
        x = _part(a, i * width, width, a_signed)
        y = _part(b, 8 * (i + (2 if lanes == 2 and high else 0)), 8, b_signed)
        total = total + x * y
    return total.astype(c.dtype)


def _part(x: Array, start: int, length: int, signed: bool) -> Array:
    part = (x >> np.uint32(start)) & np.uint32((1 << length) - 1)
    return part.astype(np.dtype(f"u{length // 8}")).view(np.dtype(f"{'i' if signed else 'u'}{length // 8}")).astype(np.int64)
