"""Arithmetic on constants: attributes in, an attribute out, exactly as the machine has it.

Integers wrap at their width. Floats are computed in double precision and rounded once to their format, which gives the correctly rounded
result of one operation on formats of up to 24 bits of precision. A splat stays a splat; other dense constants are computed element by
element. Formats that a Python float cannot hold are left alone.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    Signedness,
    TensorType,
    VectorType,
)
from xdsl.dialects.ub import PoisonAttr
from xdsl.ir import Attribute

from stepwell.ir.payloads import dense_attribute, integer_attribute

Number = int | float
Values = Sequence[Number]

SCALAR_INTEGERS = (IntegerType, IndexType)

EXACT_FLOATS = (Float16Type, BFloat16Type, Float32Type, Float64Type)
"""Formats whose values are Python floats."""

POISON = PoisonAttr()


def width_of(type: Attribute) -> int:
    """The bits of an integer, an index or a float."""
    return 64 if isinstance(type, IndexType) else cast(Any, type).bitwidth


def element_type(type: Attribute) -> Attribute:
    """The type of the elements of a vector or tensor, any other type itself."""
    return cast(Any, type).element_type if isinstance(type, VectorType | TensorType) else type


def is_integer(type: Attribute) -> bool:
    """Whether it is an integer of no sign, or an index."""
    return isinstance(type, IndexType) or (isinstance(type, IntegerType) and cast(Any, type).signedness.data is Signedness.SIGNLESS)


def signed(value: int, width: int) -> int:
    """The value of the low bits as a signed number."""
    half = 1 << (width - 1) if width else 1
    return (value + half) % (2 * half) - half


def unsigned(value: int, width: int) -> int:
    """The value of the low bits as a number without sign."""
    return value % (1 << width)


# ---- attributes to numbers and back ---------------------------------------------------------------------------------------------


WIDEST = 4096
"""Integers of more bits are not computed: they take memory and time, and are too long to print in decimal."""


def splat_or_scalar(attribute: Attribute | None) -> Number | None:
    """The one value of a scalar or a splat; integers are signed."""
    kind = attribute.__class__
    if kind is IntegerAttr:
        return _integer(cast("IntegerAttr[Any]", attribute))
    if kind is FloatAttr:
        found = cast(Any, attribute)
        return found.value.data if isinstance(found.type, EXACT_FLOATS) else None
    if kind is DenseIntOrFPElementsAttr and _is_splat(cast("DenseIntOrFPElementsAttr[Any]", attribute)):
        values = values_of(attribute)
        return values[0] if values else None
    return None


def _integer(attribute: IntegerAttr[Any]) -> int | None:
    type, value = attribute.type, attribute.value.data
    if type.__class__ is IndexType:
        bits = 64
    elif type.signedness.data is Signedness.SIGNLESS:
        bits = type.width.data
    else:
        return None
    half = 1 << (bits - 1) if bits else 1
    return value if -half <= value < half else signed(value, bits)


def _is_splat(dense: DenseIntOrFPElementsAttr[Any]) -> bool:
    """Whether all elements have the same bytes."""
    payload, size = dense.data.data, dense.get_element_type().compile_time_size
    if len(payload) <= size:
        return bool(payload)
    first = payload[:size]
    return payload.endswith(first) and payload == first * (len(payload) // size)


def values_of(attribute: Attribute | None) -> Values | None:
    """The values of a constant: one for a scalar or a splat."""
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        element = element_type(cast(Any, attribute).type)
        if not is_integer(element) and not isinstance(element, EXACT_FLOATS):
            return None
        raw = cast("tuple[Number, ...]", attribute.get_values())
        if _is_splat(attribute):
            raw = raw[:1]
        if is_integer(element):
            bits = width_of(element)
            return [signed(int(value), bits) for value in raw]
        return raw
    one = splat_or_scalar(attribute)
    return None if one is None else (one,)


def constant(values: Values, type: Attribute) -> Attribute | None:
    """The attribute of that type that holds the values: all, or one for all. None where a value does not belong to the type."""
    element = element_type(type)
    if is_integer(element):
        bits = width_of(element)
        values = [signed(int(value), bits) for value in values]
    elif not isinstance(element, EXACT_FLOATS):
        return None
    if isinstance(type, VectorType | TensorType):
        if len(values) > 1 and all(value == values[0] for value in values) and _one_sign(values):
            values = values[:1]  # equal elements are a splat
        return dense_attribute(type, cast(Any, element).pack(values))
    if is_integer(element):
        return integer_attribute(cast(int, values[0]), cast(Any, type))
    return FloatAttr(cast(float, values[0]), cast(Any, type))


def _one_sign(values: Values) -> bool:
    """Not -0.0 besides 0.0."""
    return values[0] != 0 or isinstance(values[0], int) or len({math.copysign(1, value) for value in values}) == 1


def fold_elements(type: Attribute, compute: Callable[..., Any], *operands: Attribute | None) -> Attribute | None:
    """`compute` on each element of the constants `operands`, as a constant of `type`; poison if one is; None where it cannot be known."""
    if type.__class__ in SCALAR_INTEGERS and (bits := width_of(type)) <= WIDEST and is_integer(type):
        numbers = [_integer(cast("IntegerAttr[Any]", operand)) for operand in operands if operand.__class__ is IntegerAttr]
        if len(numbers) == len(operands) and None not in numbers:
            result = compute(*numbers)
            return None if result is None else integer_attribute(signed(int(result), bits), cast(Any, type))
    if any(isinstance(operand, PoisonAttr) for operand in operands):
        return POISON
    columns: list[Values] = []
    for operand in operands:
        found = values_of(operand)
        if found is None:
            return None
        columns.append(found)
    if isinstance(type, VectorType | TensorType) and not type.has_static_shape():
        return None
    if is_integer(element := element_type(type)) and width_of(element) > WIDEST:
        return None
    count = max(map(len, columns))
    results: list[Number] = []
    for row in zip(*(column if len(column) == count else tuple(column) * count for column in columns), strict=True):
        result = compute(*row)
        if result is None:
            return None
        results.append(result)
    return constant(results, type)


def zero_like(type: Attribute) -> Attribute | None:
    """The constant 0 of an integer type, or of a vector or tensor of them of known shape."""
    if isinstance(type, TensorType) and not type.has_static_shape():
        return None
    return constant((0,), type)


# ---- floats ------------------------------------------------------------------------------------------------------------------------


def rounded(value: float, type: Attribute) -> float:
    """`value`, rounded to nearest even in the format `type`."""
    if math.isnan(value) or math.isinf(value) or isinstance(type, Float64Type):
        return value
    if isinstance(type, BFloat16Type):
        return _round_bf16(value)
    code = "e" if isinstance(type, Float16Type) else "f"
    try:
        return struct.unpack(code, struct.pack(code, value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def _round_bf16(value: float) -> float:
    _, exponent = math.frexp(abs(value))
    exponent = max(exponent, -125)  # subnormals have a fixed last place
    last = math.ldexp(1.0, exponent - 8)
    result = round(abs(value) / last) * last  # ties to even
    return math.copysign(math.inf if result >= 2.0**128 else result, value)


Rounding = str | None
"""`upward`, `downward`, `toward_zero`, `to_nearest_away`, `to_nearest_even`; None is the last."""


def round_exact(numerator: Any, type: Attribute, mode: Rounding) -> float:
    """A Fraction, rounded to the format in the direction that `mode` names."""
    from fractions import Fraction

    nearest = rounded(float(numerator), type)
    if mode in (None, "to_nearest_even") or math.isinf(nearest):
        return nearest
    exact = Fraction(numerator)
    below = nearest if Fraction(nearest) <= exact else next_in_format(nearest, type, -1)
    above = nearest if Fraction(nearest) >= exact else next_in_format(nearest, type, +1)
    if below == above:
        return nearest
    if mode == "upward":
        return above
    if mode == "downward":
        return below
    if mode == "toward_zero":
        return below if exact > 0 else above
    down, up = exact - Fraction(below), Fraction(above) - exact
    return (above if exact > 0 else below) if down == up else (below if down < up else above)


FORMATS: dict[type[Attribute], tuple[str, str]] = {Float16Type: ("e", "H"), Float32Type: ("f", "I"), Float64Type: ("d", "Q")}


def bits_of(value: float, type: Attribute) -> int:
    """The bit pattern of a float of the format."""
    if isinstance(type, BFloat16Type):
        return struct.unpack("I", struct.pack("f", value))[0] >> 16
    code, integer = FORMATS[type.__class__]
    return struct.unpack(integer, struct.pack(code, value))[0]


def from_bits(bits: int, type: Attribute) -> float:
    """The float of the format that has these bits."""
    if isinstance(type, BFloat16Type):
        return struct.unpack("f", struct.pack("I", bits << 16))[0]
    code, integer = FORMATS[type.__class__]
    return struct.unpack(code, struct.pack(integer, bits))[0]


def next_in_format(value: float, type: Attribute, direction: int) -> float:
    """The next float of the format, up or down."""
    if value == 0.0:
        return math.copysign(from_bits(1, type), direction)
    away = (value > 0) == (direction > 0)
    return from_bits(bits_of(value, type) + (1 if away else -1), type)
