"""Values between stages: what is known of one before it is there, and what a stage makes of the results of its program.

Tensors are numpy arrays (of `str` objects for strings), sequences are lists, an optional without a value is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from stepwell.backends.host.node import Value
from stepwell.frontends.onnx.stages import Alias, Constant, Export, Fixed, Known, Place, Result, Shaped, Text
from stepwell.ir.constants import Array

Values: TypeAlias = Mapping[str, Value]


def known_of(value: Value) -> Known:
    """What a program is compiled for when it is to take values like this one."""
    if isinstance(value, np.ndarray):
        return Text(value.shape) if value.dtype == object else Shaped(value.shape, value.dtype)
    if isinstance(value, Mapping):
        return Text(())  # nothing but the host reads it
    return None if value is None else tuple(known_of(part) for part in value)


def fixed_to(array: Array) -> Fixed:
    """An array whose elements are compiled in, told from others by them."""
    return Fixed(array, array.tobytes() + repr((array.shape, array.dtype.name)).encode())


def described(known: Known) -> bytes:
    """What is known of a value, as bytes: the same in every process."""
    if isinstance(known, Fixed):
        return fixed_to(known.array).content
    if isinstance(known, tuple):
        return b"(" + b",".join(map(described, known)) + b")"
    return repr(known).encode()


def at(values: Values, place: Place) -> Value:
    """The value at a place."""
    name, way = place
    value = values[name]
    for index in way:
        value = cast("list[Value]", value)[index]
    return value


def exported(export: Export, given: Values, results: Sequence[Array]) -> Value:
    """A value that a stage makes."""
    if isinstance(export, Result):
        return results[export.index]
    if isinstance(export, Alias):
        return at(given, export.place)
    if isinstance(export, Constant):
        return export.array
    return None if export is None else [exported(part, given, results) for part in export]


def constants(exports: Mapping[str, Export]) -> Iterator[tuple[str, Fixed]]:
    """The exports that do not depend on any value."""
    for name, export in exports.items():
        if isinstance(export, Constant) and export.array.dtype != object:
            yield name, Fixed(export.array)


def forget(values: MutableMapping[str, Any], kept: set[str]) -> None:
    """Let go of what nobody reads any more."""
    for name in [name for name in values if name not in kept]:
        del values[name]
