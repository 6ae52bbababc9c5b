"""Writes of transposed scalable vectors: what was transposed is fixed in rows, and each column is gathered from lanes of the rows."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xdsl.dialects.builtin import i1
from xdsl.ir import SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, vector
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.vector.fold_transfers import map_of
from stepwell.dialects.vector.moves import ExtractOp
from stepwell.dialects.vector.scalable import VectorScaleOp
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.dialects.vector.values import defined_by
from stepwell.lowering.building import Builder, Index
from stepwell.lowering.vectors.transfer_loops import Transfer, is_tensor, loop


def write_transposed_rows(op: Any) -> bool:
    """A loop over the scalable dimension of `transfer_write(transpose(v)) : vector<[4]x4xf32>`; whether the write is one of these."""
    if op.name != "vector.transfer_write" or flags_of(op.vector.type) != (True, False):
        return False
    transpose = defined_by(op.vector, "vector.transpose")
    transfer = Transfer.of(op)
    map = map_of(op)
    if transpose is None or list(transpose.permutation.get_values()) != [1, 0]:
        return False
    if not transfer.bounds[0] or not map.is_minor_identity() or len(map.results) != map.num_dims:
        return False
    build = Builder(InsertPoint.before(op), op)
    columns, width = shape_of(op.vector.type)
    limits = _limits(build, op.mask)
    if limits is None:
        return False
    rows = [build.add(ExtractOp(transpose.vector, [row])).result for row in range(width)]
    slice_type = vector_of(op.vector.type.element_type, [width])
    end: Index = limits[0] if limits else scaled(build, columns)
    mask: SSAValue | None = None
    if limits:
        mask = build.add(vector.CreateMaskOp([build.index(limits[1])], vector_of(i1, [width]))).results[0]

    def body(inner: Builder, number: SSAValue, state: Sequence[SSAValue]) -> Sequence[SSAValue]:
        rest = replace(transfer, mask=None).rest(inner, number)
        elements = [inner.add(ExtractOp(row, [number])).result for row in rows]
        column = inner.add(vector.FromElementsOp(elements, slice_type)).results[0]
        result = replace(rest, mask=mask).write(inner, column, state[0] if state else op.source)
        return [] if result is None else [result]

    made = loop(build, end, [op.source] if is_tensor(op) else [], body)
    Rewriter.replace_op(op, [], list(made.results))
    return True


def scaled(build: Builder, extent: int) -> SSAValue:
    """How many elements a scalable extent stands for."""
    scale = build.add(VectorScaleOp.create(result_types=[INDEX])).results[0]
    return build.add(arith.MuliOp(scale, build.index(extent))).results[0]


def _limits(build: Builder, mask: SSAValue | None) -> list[Index] | None:
    """How far a mask reaches in each dimension; [] where there is none, None where it is not known."""
    if mask is None:
        return []
    if (created := defined_by(mask, "vector.create_mask")) is not None:
        return list(created.mask_dim_sizes)
    if (constant := defined_by(mask, "vector.constant_mask")) is not None:
        sizes = zip(constant.mask_dim_sizes.get_values(), flags_of(mask.type), strict=True)
        return [scaled(build, size) if scalable else size for size, scalable in sizes]
    return None
