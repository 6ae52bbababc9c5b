"""Attributes of constants that are made or compared without looking at their numbers, and so without numpy."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, IndexType, IntAttr, IntegerAttr, IntegerType, ShapedType


class Payload:
    """Bytes as a key of dictionaries: equal where all bytes are, hashed by a sample. To hash all of a large weight would take long."""

    __slots__ = ("_hash", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._hash = hash((len(data), data[:64], data[-64:], data[:: len(data) // 64 + 1]))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and (self.data is other.data or self.data == other.data)


def integer_attribute(value: int, type: IntegerType | IndexType) -> IntegerAttr[Any]:
    """An integer that is known to lie in the type's range, as a signed number: its type is not asked again."""
    data = object.__new__(IntAttr)
    vars(data)["data"] = value
    made: IntegerAttr[Any] = object.__new__(IntegerAttr)
    vars(made).update(value=data, type=type)
    return made


def dense_attribute(type: ShapedType, payload: bytes) -> DenseIntOrFPElementsAttr[Any]:
    """A dense attribute whose payload is known to fit its type, which is not asked again."""
    made: DenseIntOrFPElementsAttr[Any] = object.__new__(DenseIntOrFPElementsAttr)
    vars(made).update(type=type, data=BytesAttr(payload))
    return made
