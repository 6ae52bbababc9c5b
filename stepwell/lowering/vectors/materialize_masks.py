"""Masks as comparisons with lane numbers, constants, or rows of both; and masks instead of accesses that may be out of bounds."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, IndexType, IntegerAttr, IntegerType, MemRefType, VectorType, i1
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import arith, memref, tensor, vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.fold_transfers import bounds_of, vector_of_transfer
from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of, vector_of
from stepwell.dialects.vector.values import dense_of, elements_of, i64s, mask_around
from stepwell.ir.constants import dense, dtype_of, splat
from stepwell.lowering.vectors.rows import placed, put, without_first, zeros

INDEX = IndexType()
LARGEST = (1 << 31) - 1
"""Bounds are clamped to this where lanes are counted in 32 bits."""


def index(make: Maker, value: int) -> SSAValue:
    """A constant of type index."""
    return make.constant(IntegerAttr(value, INDEX), INDEX)


def bound_of(make: Maker, value: SSAValue, bits: int) -> SSAValue:
    """A bound as an integer of so many bits; what does not fit is large anyway."""
    if bits == 32:
        value = make.op(arith.MinSIOp, [value, index(make, LARGEST)], INDEX)
    return make.op(arith.IndexCastOp, [value], IntegerType(bits))


class CompareLanes(VectorPattern):
    """`create_mask %n : vector<4xi1>` -> `[0, 1, 2, 3] < broadcast(%n)`"""

    def __init__(self, bits: int) -> None:
        self._bits = bits

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.mask_vector.type
        if is_scalable(type) or len(shape_of(type)) > 1:
            return None
        lanes = VectorType(IntegerType(self._bits), shape_of(type))
        numbers = np.arange(shape_of(type)[0]) if shape_of(type) else np.zeros(())
        constant = make.constant(dense(numbers.astype(dtype_of(lanes.element_type)), lanes), lanes)
        bound = put(make, vector.BroadcastOp(bound_of(make, op.mask_dim_sizes[0], self._bits), lanes))
        return put(make, arith.CmpiOp(constant, bound, "slt"))


class UnrollCreateMask(VectorPattern):
    """`create_mask %m, %n : vector<2x4xi1>` -> for each row `select 0 < %m, create_mask %n, false`"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.mask_vector.type
        if len(shape_of(type)) < 2 or flags_of(type)[0]:
            return None
        row_type = without_first(type)
        inside = put(make, vector.CreateMaskOp(op.mask_dim_sizes[1:], row_type))
        outside = zeros(make, row_type)
        result = zeros(make, type)
        for row in range(shape_of(type)[0]):
            condition = put(make, arith.CmpiOp(index(make, row), op.mask_dim_sizes[0], "slt"))
            chosen = make.op(arith.SelectOp, [condition, inside, outside], row_type)
            result = placed(make, chosen, result, row)
        return result


class ConstantMaskToConstant(VectorPattern):
    """`constant_mask [2, 3]` -> `arith.constant`, of several dimensions row by row."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type, sizes = op.mask_vector.type, list(op.mask_dim_sizes.get_values())
        shape, flags = shape_of(type), flags_of(type)
        if len(shape) < 2:
            if sizes[0] in (0, *(shape or (1,))):
                return make.constant(splat(bool(sizes[0]), type), type)
            return make.constant(dense(np.arange(*shape) < sizes[0], type), type)
        if flags[0]:
            return None
        row_type = without_first(type)
        row = make.op(vector.ConstantMaskOp, [], row_type, mask_dim_sizes=i64s(sizes[1:]))
        result = zeros(make, type)
        for number in range(sizes[0]):
            result = placed(make, row, result, number)
        return result


class SelectOfOneLane(VectorPattern):
    """`select %c, true, false : vector<1xi1>` -> `broadcast %c`"""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.result.type
        if not isinstance(type, VectorType) or cast(Any, type).element_type != i1 or shape_of(type) != (1,) or is_scalable(type):
            return None
        if isinstance(op.cond.type, VectorType):
            return None
        constants = [dense_of(value) for value in op.operands[1:]]
        if any(constant is None for constant in constants):
            return None
        first, second = (any(elements_of(constant)[0]) for constant in constants if constant is not None)
        return put(make, vector.BroadcastOp(op.cond, type)) if first and not second else None


class MaskOutOfBounds(RewritePattern):
    """A transfer of one dimension that may lie outside gets a mask of the elements that are inside, and is in bounds then."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        transfer: Any = op
        type = vector_of_transfer(transfer)
        if all(bounds_of(transfer)) or len(shape_of(type)) > 1 or not transfer.indices or mask_around(op) is not None:
            return
        make = Maker()
        last = len(transfer.indices) - 1
        kind = memref.DimOp if isinstance(transfer.source.type, MemRefType) else tensor.DimOp
        extent = transfer.source.type.get_shape()[last]
        size = index(make, extent) if extent >= 0 else make.op(kind, [transfer.source, index(make, last)], INDEX)
        rest = make.op(arith.SubiOp, [size, transfer.indices[last]], INDEX, overflowFlags=arith.IntegerOverflowAttr("none"))
        mask_type = vector_of(i1, shape_of(type), flags_of(type))
        mask = put(make, vector.CreateMaskOp([rest], mask_type))
        if transfer.mask is not None:
            mask = make.op(arith.AndIOp, [mask, transfer.mask], mask_type)
        rewriter.replace(op, [*make.made, made := masked_transfer(transfer, mask)], list(made.results))


def masked_transfer(op: Any, mask: SSAValue) -> Operation:
    """The transfer under a mask, in bounds."""
    segments = list(op.properties["operandSegmentSizes"].get_values())
    operands = [value for value in op.operands if value is not op.mask] if op.mask is not None else list(op.operands)
    segments[-1] = 1
    properties: dict[str, Attribute] = {
        **op.properties,
        "operandSegmentSizes": type(op.properties["operandSegmentSizes"]).from_list(IntegerType(32), segments),
        "in_bounds": ArrayAttr(BoolAttr.from_bool(True) for _ in op.in_bounds),
    }
    return type(op).create(operands=[*operands, mask], result_types=[r.type for r in op.results], properties=properties)


def mask_patterns(bits: int) -> Mapping[str, Sequence[RewritePattern]]:
    """How masks are made, with lanes counted in so many bits."""
    return {
        "vector.create_mask": (UnrollCreateMask(), CompareLanes(bits)),
        "vector.constant_mask": (ConstantMaskToConstant(),),
        "vector.transfer_read": (MaskOutOfBounds(),),
        "vector.transfer_write": (MaskOutOfBounds(),),
        "arith.select": (SelectOfOneLane(),),
    }
