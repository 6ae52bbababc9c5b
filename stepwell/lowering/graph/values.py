"""Small questions about values of level 1, asked by every pass of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects.nn.base import DYNAMIC
from stepwell.dialects.nn.constant import ConstantOp
from stepwell.ir.constants import Array, array_of, dtype_of, is_splat

OpT = TypeVar("OpT", bound=Operation)


def tensor(value: SSAValue) -> TensorType[Any]:
    """The type of a value, which is a tensor."""
    return cast(TensorType[Any], value.type)


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The extents of a tensor value."""
    return tensor(value).get_shape()


def element_of(value: SSAValue) -> Attribute:
    """The element type of a tensor value."""
    return tensor(value).element_type


def size_of(value: SSAValue) -> int:
    """The number of elements of a tensor value; DYNAMIC if it is not known."""
    shape = shape_of(value)
    return DYNAMIC if DYNAMIC in shape else int(np.prod(shape, dtype=np.int64))


def is_static(*values: SSAValue) -> bool:
    """Whether all extents are known."""
    return all(DYNAMIC not in shape_of(v) for v in values)


def made_by(value: SSAValue, kind: type[OpT]) -> OpT | None:
    """The operation of this class that defines the value, or None."""
    owner = value.owner
    return owner if isinstance(owner, kind) else None


def same_value(a: SSAValue, b: SSAValue, depth: int = 4) -> bool:
    """Whether two values are one, or made alike, so many operations deep: exporters write what is used twice twice."""
    if a is b:
        return True
    x, y = a.owner, b.owner
    if depth == 0 or type(x) is not type(y) or not isinstance(x, Operation) or not isinstance(y, Operation) or x.regions:
        return False
    if a.type != b.type or len(x.operands) != len(y.operands) or len(x.results) != 1 or x.properties != y.properties:
        return False
    return all(same_value(i, j, depth - 1) for i, j in zip(x.operands, y.operands, strict=True))


def constant_attribute(value: SSAValue) -> DenseIntOrFPElementsAttr[Any] | None:
    """The dense attribute of a constant tensor, or None."""
    owner = value.owner
    found = owner.properties.get("value") if isinstance(owner, Operation) and owner.name in CONSTANTS else None
    return cast(DenseIntOrFPElementsAttr[Any], found) if isinstance(found, DenseIntOrFPElementsAttr) else None


CONSTANTS = frozenset({"arith.constant", "nn.constant"})


def constant_array(value: SSAValue) -> Array | None:
    """The elements of a constant tensor as a free view, or None."""
    found = constant_attribute(value)
    return None if found is None else array_of(found)


def splat_value(value: SSAValue) -> Any | None:
    """The one number that fills a constant tensor (a numpy scalar of its element type), or None."""
    found = constant_attribute(value)
    if found is None or not is_splat(found):
        return None
    return np.frombuffer(found.data.data, dtype_of(found.get_element_type()))[0]


def is_filled_with(value: SSAValue, number: float) -> bool:
    """Whether a value is a constant whose elements all equal `number`."""
    found = splat_value(value)
    return found is not None and bool(found == number)


def close(value: Any, expected: float, tolerance: float = 1e-6) -> bool:
    """Whether a constant is `expected` up to the rounding of an exporter."""
    return value is not None and abs(float(value) - expected) <= tolerance * max(abs(expected), 1.0)


def make_constant_of(attribute: DenseIntOrFPElementsAttr[Any]) -> Operation:
    """A constant operation of a dense attribute."""
    return ConstantOp.create(result_types=(attribute.type,), properties={"value": attribute})


def aligned(shape: Sequence[int], rank: int) -> tuple[int, ...]:
    """A shape with unit extents put in front up to a rank, as broadcasting reads it."""
    return (1,) * (rank - len(shape)) + tuple(shape)
