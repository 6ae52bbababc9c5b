"""Attributes narrowed to xDSL's generic classes, with the type parameters that `isinstance` cannot give: an attribute or None."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DenseIntOrFPElementsAttr, IntegerAttr, IntegerType, MemRefType, VectorType


def as_vector(type: object) -> VectorType[Any] | None:
    """A vector type, or None."""
    return cast("VectorType[Any]", type) if isinstance(type, VectorType) else None


def as_memref(type: object) -> MemRefType[Any] | None:
    """A memref type, or None."""
    return cast("MemRefType[Any]", type) if isinstance(type, MemRefType) else None


def as_dense(attribute: object) -> DenseIntOrFPElementsAttr[Any] | None:
    """A dense constant, or None."""
    return cast("DenseIntOrFPElementsAttr[Any]", attribute) if isinstance(attribute, DenseIntOrFPElementsAttr) else None


def as_array(attribute: object) -> ArrayAttr[Any] | None:
    """An array attribute, or None."""
    return cast("ArrayAttr[Any]", attribute) if isinstance(attribute, ArrayAttr) else None


def as_integer(attribute: object) -> int | None:
    """The value of an integer attribute, or None."""
    return int(cast("IntegerAttr[Any]", attribute).value.data) if isinstance(attribute, IntegerAttr) else None


def width_of(type: object) -> int | None:
    """The bits of an integer type, or None."""
    return int(cast("Any", type).width.data) if isinstance(type, IntegerType) else None
