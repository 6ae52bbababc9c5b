"""How much memory a loop nest touches."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import MemRefType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import affine
from stepwell.dialects.affine.canonical import old_operands
from stepwell.dialects.affine.composition import Bounds, bound_of, bounds_of, compose_map
from stepwell.ir.constants import dtype_of
from stepwell.lowering.affine.dependence import ACCESSES, memref_of


def _touched(op: Operation) -> list[Bounds]:
    """The least and the greatest subscript in each dimension."""
    map, operands = compose_map(cast(affine.LoadOp, op).map.data, old_operands(op))
    known = [bounds_of(value) for value in operands]
    return [(bound_of(e, known, map.num_dims, upper=False), bound_of(e, known, map.num_dims, upper=True)) for e in map.results]


def _element_bytes(type: Attribute) -> int | None:
    if isinstance(type, VectorType):
        size = _element_bytes(type.element_type)
        return None if size is None else size * prod(type.get_shape())
    try:
        return dtype_of(type).itemsize
    except KeyError:
        return None


def footprint_bytes(loop: affine.ForOp) -> int | None:
    """The bytes of the boxes that the accesses in a loop stay in, one box for each memref; None where one is not known."""
    boxes: dict[SSAValue, list[tuple[int, int]]] = {}
    for op in loop.body.walk():
        if not isinstance(op, ACCESSES):
            continue
        found: list[tuple[int, int]] = []
        for low, high in _touched(op):
            if low is None or high is None:
                return None
            found.append((low, high))
        old = boxes.get(memref_of(op), found)
        boxes[memref_of(op)] = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(old, found, strict=True)]
    total = 0
    for memref, box in boxes.items():
        type = cast("MemRefType[Any]", memref.type)
        size = _element_bytes(type.element_type)
        if size is None:
            return None
        total += size * prod(high - low + 1 for low, high in box)
    return total
