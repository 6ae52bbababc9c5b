"""Properties of `nn` ops and Python values: integers are i64, flags i1, numbers f64, lists dense arrays; and their text.

In: Python values, or the text of an op. Out: attributes, and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IntegerAttr, IntegerType, StringAttr, f64, i1, i64
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.printer import Printer

PythonValue = int | float | bool | str | Sequence[int] | Sequence[float] | Attribute


# ---- attributes and Python values -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _scalar(kind: type, value: Any) -> Attribute:
    if kind is bool:
        return IntegerAttr(int(value), i1)
    if kind is int:
        return IntegerAttr(value, i64)
    return StringAttr(value) if kind is str else FloatAttr(value, f64)


@lru_cache(maxsize=4096)
def int_list(values: tuple[int, ...]) -> DenseArrayBase[IntegerType]:
    """A cached `array<i64: ...>`."""
    return DenseArrayBase.from_list(i64, values)


def attribute(value: PythonValue) -> Attribute:
    """The property that stands for a Python value: int -> i64, bool -> i1, float -> f64, str, lists of int or float -> dense arrays."""
    if isinstance(value, Attribute):
        return value
    if isinstance(value, (bool, np.bool_)):
        return _scalar(bool, bool(value))
    if isinstance(value, (int, np.integer)):
        return _scalar(int, int(value))
    if isinstance(value, str):
        return _scalar(str, value)
    if isinstance(value, (float, np.floating)):
        return FloatAttr(float(value), f64)
    if any(isinstance(v, (float, np.floating)) for v in value):
        return DenseArrayBase.from_list(f64, [float(v) for v in value])
    return int_list(tuple(int(v) for v in value))


def ints(value: Attribute) -> tuple[int, ...]:
    """The integers of a list property."""
    return cast(DenseArrayBase[IntegerType], value).get_values()


def floats(value: Attribute) -> tuple[float, ...]:
    """The numbers of a list property."""
    return tuple(float(v) for v in cast(DenseArrayBase[Any], value).get_values())


def number(value: Attribute) -> Any:
    """The int, float, bool or str of a scalar property."""
    if isinstance(value, IntegerAttr):
        integer = cast(IntegerAttr[Any], value)
        return bool(integer.value.data) if integer.type == i1 else integer.value.data
    return value.value.data if isinstance(value, FloatAttr) else cast(StringAttr, value).data


# ---- text of property values --------------------------------------------------------------------------------------------------------


def _float_text(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    text = repr(value)
    # MLIR's float tokens need a point before the exponent: 1e-05 -> 1.0e-05
    mantissa, e, exponent = text.partition("e")
    return mantissa + ("" if "." in mantissa else ".0") + e + exponent


def print_value(printer: Printer, value: Attribute) -> None:
    match value:
        case IntegerAttr() | FloatAttr():
            x = number(value)
            printer.print_string(str(x).lower() if isinstance(x, (bool, int)) else _float_text(x))
        case StringAttr():
            printer.print_string_literal(value.data)
        case DenseArrayBase():
            is_floats = not isinstance(value.elt_type, IntegerType)
            values = cast(DenseArrayBase[Any], value).get_values()
            printer.print_string("[" + ", ".join(_float_text(float(v)) if is_floats else str(v) for v in values) + "]")
        case _:
            printer.print_attribute(value)


def _parse_number(parser: Parser) -> int | float:
    for word in ("inf", "nan"):
        if parser.parse_optional_keyword(word):
            return float(word)
    if parser.parse_optional_punctuation("-"):
        if parser.parse_optional_keyword("inf"):
            return float("-inf")
        return -parser.parse_number(allow_boolean=False)
    return parser.parse_number(allow_boolean=False)


def parse_value(parser: Parser) -> Attribute:
    if (flag := parser.parse_optional_boolean()) is not None:
        return attribute(flag)
    if (text := parser.parse_optional_str_literal()) is not None:
        return attribute(text)
    if (values := parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_number(parser))) is not None:
        return attribute(values)
    return attribute(_parse_number(parser))
