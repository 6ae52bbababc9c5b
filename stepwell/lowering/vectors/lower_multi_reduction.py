"""The pass `lower-vector-multi-reduction`: reductions of n-D vectors in, 1-D reductions or elementwise arithmetic out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import VectorType
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, vector
from stepwell.dialects.support import is_float
from stepwell.dialects.vector.more import MaskOp, YieldOp
from stepwell.dialects.vector.moves import ExtractOp, InsertOp, ShapeCastOp, TransposeOp
from stepwell.ir.constants import dense, dtype_of
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder

COMBINERS: dict[str, tuple[type[Operation], type[Operation]]] = {
    "add": (arith.AddfOp, arith.AddiOp),
    "mul": (arith.MulfOp, arith.MuliOp),
    "minimumf": (arith.MinimumfOp, arith.MinimumfOp),
    "maximumf": (arith.MaximumfOp, arith.MaximumfOp),
    "minnumf": (arith.MinnumfOp, arith.MinnumfOp),
    "maxnumf": (arith.MaxnumfOp, arith.MaxnumfOp),
    "minsi": (arith.MinSIOp, arith.MinSIOp),
    "maxsi": (arith.MaxSIOp, arith.MaxSIOp),
    "minui": (arith.MinUIOp, arith.MinUIOp),
    "maxui": (arith.MaxUIOp, arith.MaxUIOp),
    "and": (arith.AndIOp, arith.AndIOp),
    "or": (arith.OrIOp, arith.OrIOp),
    "xor": (arith.XOrIOp, arith.XOrIOp),
}
"""What combines two values of a kind: of floats, of integers."""


@dataclass(frozen=True)
class LowerVectorMultiReduction(Pass):
    """Bring the reduced dimensions to the end (`inner-reduction`) or to the front (`inner-parallel`) and take the rows one by one.

    before:  vector.multi_reduction <add>, %v, %acc [1] : vector<2x4xf32> to vector<2xf32>
    after:   %t = vector.transpose %v, [1, 0]   %0 = arith.addf %t[0], %acc   %1 = arith.addf %t[1], %0   ...
    """

    name: ClassVar[str] = "lower-vector-multi-reduction"
    anchor: ClassVar[str] = "any"

    lowering_strategy: Literal["inner-parallel", "inner-reduction"] = "inner-parallel"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, vector.MultiDimReductionOp):
                _Lowering(inner, inner=self.lowering_strategy == "inner-reduction").lower()
        rewrite_greedily(op, [], how=Greediness(unique_constants=True, must_converge=False))


class _Lowering:
    """One reduction, with the mask that it stands under, if any."""

    def __init__(self, op: vector.MultiDimReductionOp, *, inner: bool) -> None:
        self.op = op
        self.inner = inner
        parent = op.parent_op()
        self.masking = parent if isinstance(parent, MaskOp) else None
        self.root: Operation = self.masking or op
        self.build = Builder(InsertPoint.before(self.root), op)

    def lower(self) -> None:
        type = cast("VectorType[Any]", self.op.source.type)
        if any(flag.value.data for flag in type.scalable_dims):
            return
        reduced = list(self.op.reduction_dims.get_values())
        parallel = [dim for dim in range(type.get_num_dims()) if dim not in reduced]
        if not reduced:
            return
        source = self.op.source
        mask = self.masking.mask if self.masking is not None else None
        order = [*parallel, *reduced] if self.inner else [*reduced, *parallel]
        if parallel and order != list(range(len(order))):
            mask = None if mask is None else self.build.add(TransposeOp(mask, order)).result
            source = self.build.add(TransposeOp(source, order)).result
        shape = type.get_shape()
        width, rows = prod(shape[dim] for dim in reduced), prod(shape[dim] for dim in parallel)
        flat = [rows, width] if self.inner else [width, rows]
        if not parallel:
            flat = [width]
        source = self._cast(source, flat)
        mask = None if mask is None else self._cast(mask, flat)
        acc = self._cast(self.op.acc, [rows]) if parallel else self.op.acc
        if not parallel:
            result = self._reduction(source, acc, mask)
        elif self.inner:
            result = self._row_by_row(source, acc, mask, rows)
        else:
            result = self._elementwise(source, acc, mask, width)
        if parallel:
            result = self._cast(result, [shape[dim] for dim in parallel])
        Rewriter.replace_op(self.root, [], [result])

    def _cast(self, value: SSAValue, shape: list[int]) -> SSAValue:
        type = cast("VectorType[Any]", value.type)
        if list(type.get_shape()) == shape:
            return value
        return self.build.add(ShapeCastOp(value, VectorType(type.element_type, shape))).result

    def _reduction(self, source: SSAValue, acc: SSAValue, mask: SSAValue | None) -> SSAValue:
        made = vector.ReductionOp.create(
            operands=[source, acc], result_types=[acc.type], properties={"kind": self.op.kind, "fastmath": vector.NO_FLAGS}
        )
        made.location = self.op.location
        if mask is None:
            return self.build.add(made).results[0]
        body = Region(Block([made, YieldOp.create(operands=[made.results[0]])]))
        return self.build.add(MaskOp.create(operands=[mask], result_types=[acc.type], regions=[body])).results[0]

    def _row_by_row(self, source: SSAValue, acc: SSAValue, mask: SSAValue | None, rows: int) -> SSAValue:
        type = cast("VectorType[Any]", acc.type)
        result = self.build.constant(dense(np.zeros(type.get_shape(), dtype_of(type.element_type)), type), type)
        for row in range(rows):
            values = self.build.add(ExtractOp(source, [row])).result
            start = self.build.add(ExtractOp(acc, [row])).result
            under = None if mask is None else self.build.add(ExtractOp(mask, [row])).result
            result = self.build.add(InsertOp(self._reduction(values, start, under), result, [row])).result
        return result

    def _elementwise(self, source: SSAValue, acc: SSAValue, mask: SSAValue | None, width: int) -> SSAValue:
        element = cast("VectorType[Any]", source.type).element_type
        kind = COMBINERS[self.op.kind.data.value][0 if is_float(element) else 1]
        result = acc
        for position in range(width):
            values = self.build.add(ExtractOp(source, [position])).result
            under = None if mask is None else self.build.add(ExtractOp(mask, [position])).result
            combined = self.build.add(arith_op(kind, values, result)).results[0]
            if under is not None:
                combined = self.build.add(arith.SelectOp.create(operands=[under, combined, result], result_types=[result.type])).results[0]
            result = combined
        return result


def arith_op(kind: type[Operation], a: SSAValue, b: SSAValue) -> Operation:
    """An operation on two values, without flags."""
    properties = {}
    if kind in (arith.AddiOp, arith.MuliOp):
        properties["overflowFlags"] = arith.IntegerOverflowAttr("none")
    elif kind.name.endswith("f"):
        properties["fastmath"] = arith.FastMathFlagsAttr("none")
    return kind.create(operands=[a, b], result_types=[a.type], properties=properties)
