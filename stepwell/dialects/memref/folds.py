"""What several dialects fold about memrefs: casts below an operation that does not need them, elements of constant globals."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    SymbolRefAttr,
    UnrankedMemRefType,
)
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.traits import SymbolTable

from stepwell.ir.rewrite.folding import Folded


def cast_source(value: SSAValue) -> SSAValue | None:
    """What a value is a `memref.cast` of, where that has a rank."""
    if isinstance(value, OpResult) and value.op.name == "memref.cast":
        source = value.op.operands[0]
        return source if not isinstance(source.type, UnrankedMemRefType) else None
    return None


def fold_cast(op: Operation, *looked_at: SSAValue) -> Folded:
    """Those operands that are casts, replaced by what they are casts of. For operations that take any layout and extents."""
    changed = False
    for index, operand in enumerate(op._operands):  # pyright: ignore[reportPrivateUsage]  # the property builds a view
        if operand.__class__ is not OpResult or cast("OpResult", operand).op.name != "memref.cast":
            continue
        if any(operand is value for value in looked_at) and (source := cast_source(operand)) is not None:
            op.operands[index] = source
            changed = True
    return op.results if changed else None


def constant_element(op: Operation, indices: Sequence[int] | None) -> Attribute | None:
    """The element that a load from a constant global reads, as an attribute. `indices` are None where they are not known."""
    memref = op.operands[0]
    if not isinstance(memref, OpResult) or memref.op.name != "memref.get_global":
        return None
    name = memref.op.properties["name"]
    found = SymbolTable.lookup_symbol(memref.op, cast(SymbolRefAttr, name))
    if found is None or found.name != "memref.global" or "constant" not in found.properties:
        return None
    value = found.properties.get("initial_value")
    if not isinstance(value, DenseIntOrFPElementsAttr):
        return None
    type = cast("MemRefType[Any]", memref.type).element_type
    if not isinstance(type, (IntegerType, IndexType)) and not hasattr(type, "bitwidth"):
        return None
    dense = cast("DenseIntOrFPElementsAttr[Any]", value)
    if dense.is_splat():
        position = 0
    elif indices is None:
        return None
    else:
        position = 0
        for index, extent in zip(indices, dense.get_shape(), strict=True):
            if not 0 <= index < extent:
                return None
            position = position * extent + index
    number = dense.get_values()[position]
    return IntegerAttr(number, type) if isinstance(type, (IntegerType, IndexType)) else FloatAttr(number, type)
