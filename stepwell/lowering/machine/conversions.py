"""Between float types without library calls: bf16 by integer operations, f16 by the processor's instruction or else by integers."""

from __future__ import annotations

import struct

from stepwell.lowering.machine.layout import F32, Element, vector_text
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk


def bfloat_bits(value: float) -> int:
    """The bits of the bfloat16 nearest to a number, as a signed 16-bit integer."""
    if value != value:
        bits = 0x7FC0
    else:
        try:
            word = struct.unpack("<I", struct.pack("<f", value))[0]
        except OverflowError:
            word = 0x7F800000 if value > 0 else 0xFF800000
        bits = (word + 0x7FFF + ((word >> 16) & 1)) >> 16
    return bits - 0x10000 if bits >= 0x8000 else bits


def to_f32(w: Walk, element: Element, lanes: int, value: Token) -> Token:
    """A piece of f16 or bf16 as f32."""
    i32, f32 = vector_text(lanes, "i32"), vector_text(lanes, "float")
    if element.kind == "bfloat":
        wide = w.sink.cast("zext", vector_text(lanes, "i16"), value, i32)
        return w.sink.cast("bitcast", i32, w.sink.binary("shl", i32, wide, w.sink.splat(lanes, "i32", 16)), f32)
    if element.kind == "half":
        if w.target.has_half_conversion:
            return w.sink.cast("fpext", vector_text(lanes, "half"), value, f32)
        return _half_to_f32(w, lanes, value)
    return value


def from_f32(w: Walk, element: Element, lanes: int, value: Token) -> Token:
    """A piece of f32 as f16 or bf16, rounded to nearest even."""
    if element.kind == "bfloat":
        return _f32_to_bfloat(w, lanes, value)
    if element.kind == "half":
        half = vector_text(lanes, "half")
        narrow = w.target.has_half_conversion
        return w.sink.cast("fptrunc", vector_text(lanes, "float"), value, half) if narrow else _f32_to_half(w, lanes, value)
    return value


def float_to_float(w: Walk, source: Element, result: Element, lanes: int, value: Token) -> Token:
    """Any float type to any other. f64 reaches the 16-bit types through f32."""
    if source == result:
        return value
    if source.kind == "float" and result.kind == "float":
        opcode = "fpext" if result.size > source.size else "fptrunc"
        return w.sink.cast(opcode, vector_text(lanes, source.llvm), value, vector_text(lanes, result.llvm))
    if source.kind != "float":
        return float_to_float(w, F32, result, lanes, to_f32(w, source, lanes, value))
    return from_f32(w, result, lanes, float_to_float(w, source, F32, lanes, value))


def _f32_to_bfloat(w: Walk, lanes: int, value: Token) -> Token:
    # bits + 0x7fff + (last kept bit) rounds to nearest even; a NaN would carry into the exponent, so it is made quiet instead.
    s = w.sink
    i32, f32 = vector_text(lanes, "i32"), vector_text(lanes, "float")
    bits = s.cast("bitcast", f32, value, i32)
    kept = s.binary("lshr", i32, bits, s.splat(lanes, "i32", 16))
    odd = s.binary("and", i32, kept, s.splat(lanes, "i32", 1))
    rounded = s.binary("add", i32, s.binary("add", i32, bits, odd), s.splat(lanes, "i32", 0x7FFF))
    rounded = s.binary("lshr", i32, rounded, s.splat(lanes, "i32", 16))
    quiet = s.binary("or", i32, kept, s.splat(lanes, "i32", 0x40))
    nan = s.compare("fcmp", "uno", f32, value, value)
    chosen = s.select(vector_text(lanes, "i1"), nan, i32, quiet, rounded)
    return s.cast("trunc", i32, chosen, vector_text(lanes, "i16"))


def _half_to_f32(w: Walk, lanes: int, value: Token) -> Token:
    # Shift exponent and mantissa into place and multiply by 2^112: right for normals, denormals and zero. Inf and NaN get the exponent set.
    s = w.sink
    i32, f32 = vector_text(lanes, "i32"), vector_text(lanes, "float")
    i16 = vector_text(lanes, "i16")
    bits = s.cast("zext", i16, s.cast("bitcast", vector_text(lanes, "half"), value, i16), i32)
    magnitude = s.binary("and", i32, bits, s.splat(lanes, "i32", 0x7FFF))
    shifted = s.binary("shl", i32, magnitude, s.splat(lanes, "i32", 13))
    scaled = s.binary("fmul", f32, s.cast("bitcast", i32, shifted, f32), s.splat(lanes, "float", 2.0**112))
    special = s.compare("icmp", "uge", i32, magnitude, s.splat(lanes, "i32", 0x7C00))
    finite = s.cast("bitcast", f32, scaled, i32)
    chosen = s.select(vector_text(lanes, "i1"), special, i32, s.binary("or", i32, shifted, s.splat(lanes, "i32", 0x7F800000)), finite)
    sign = s.binary("shl", i32, s.binary("and", i32, bits, s.splat(lanes, "i32", 0x8000)), s.splat(lanes, "i32", 16))
    return s.cast("bitcast", i32, s.binary("or", i32, chosen, sign), f32)


def _f32_to_half(w: Walk, lanes: int, value: Token) -> Token:
    # Normal results: rebias the exponent and round to nearest even by adding 0xfff plus the last kept bit.
    # Denormal results: adding 0.5 lets the floating-point unit align and round the mantissa at 2^-24.
    s = w.sink
    i32, f32, i1 = vector_text(lanes, "i32"), vector_text(lanes, "float"), vector_text(lanes, "i1")
    i16 = vector_text(lanes, "i16")

    def word(n: int) -> Token:
        return s.splat(lanes, "i32", n)

    bits = s.cast("bitcast", f32, value, i32)
    magnitude = s.binary("and", i32, bits, word(0x7FFFFFFF))
    odd = s.binary("and", i32, s.binary("lshr", i32, magnitude, word(13)), word(1))
    rebias = word(((15 - 127) << 23) + 0xFFF)
    normal = s.binary("lshr", i32, s.binary("add", i32, s.binary("add", i32, magnitude, rebias), odd), word(13))
    aligned = s.binary("fadd", f32, s.cast("bitcast", i32, magnitude, f32), s.splat(lanes, "float", 0.5))
    denormal = s.binary("sub", i32, s.cast("bitcast", f32, aligned, i32), word(0x3F000000))
    small = s.compare("icmp", "ult", i32, magnitude, word(113 << 23))
    large = s.compare("icmp", "uge", i32, magnitude, word(0x47800000))
    nan = s.compare("icmp", "ugt", i32, magnitude, word(0x7F800000))
    special = s.select(i1, nan, i32, word(0x7E00), word(0x7C00))
    chosen = s.select(i1, large, i32, special, s.select(i1, small, i32, denormal, normal))
    sign = s.binary("lshr", i32, s.binary("and", i32, bits, word(0x80000000 - (1 << 32))), word(16))
    joined = s.cast("trunc", i32, s.binary("or", i32, chosen, sign), i16)
    return s.cast("bitcast", i16, joined, vector_text(lanes, "half"))
