"""Products in a point nest that are not computed by themselves: those of fused multiply-adds, and of dot products of narrow integers.

A sum over the innermost point loop of products of two integers that were widened becomes one `vector.contract` of the widened vectors,
each of which has a dimension for every loop that it depends on, the summed one last; the last conversion has instructions for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from stepwell.dialects import affine, arith, vector
from stepwell.dialects.vector.contraction import ContractionOp, IteratorTypeAttr, IteratorTypeKind
from stepwell.lowering.schedule.nest import memref_of
from stepwell.lowering.vectors.environment import Dims, Value

if TYPE_CHECKING:
    from stepwell.lowering.vectors.points import PointNest


def fused_products(nest: PointNest, ops: Sequence[Operation]) -> dict[SSAValue, Operation]:
    """Products that are only added to an accumulator, where both operations allow contraction."""
    products: dict[SSAValue, Operation] = {}
    for op in ops:
        if not isinstance(op, arith.AddfOp) or op in nest.reductions or not _may_contract(op):
            continue
        for product, other in ((op.operands[0], op.operands[1]), (op.operands[1], op.operands[0])):
            owner = product.owner
            load = other.owner
            if (
                isinstance(owner, arith.MulfOp)
                and _may_contract(owner)
                and owner.parent is op.parent
                and product.has_one_use()
                and isinstance(load, affine.LoadOp)
                and memref_of(load) in nest.env.registers
            ):
                products[product] = owner
                break
    return products


def _may_contract(op: Operation) -> bool:
    flags = op.properties.get("fastmath")
    return isinstance(flags, FastMathFlagsAttr) and FastMathFlag.ALLOW_CONTRACT in flags.data


def dot_products(nest: PointNest) -> dict[Operation, Operation]:
    """The reductions that sum a product of widened integers over the innermost loop alone, to its full extent -> the products."""
    last = len(nest.loops) - 1
    found: dict[Operation, Operation] = {}
    for combine, (_, term, combiner, kept) in nest.reductions.items():
        product = term.owner
        if (
            combiner.kind == "add"
            and isinstance(product, arith.MuliOp)
            and term.has_one_use()
            and kept
            and kept == tuple(range(kept[0], last))
            and nest.limits[last] is None
            and all(isinstance(factor.owner, arith.ExtUIOp | arith.ExtSIOp) for factor in product.operands)
        ):
            found[combine] = product
    return found


def contract(nest: PointNest, product: Operation, accumulator: Value, kept: Dims) -> Value | None:
    """The contraction that adds a product to an accumulator; None where a factor does not run along the innermost loop."""
    element = product.results[0].type
    loops = (*kept, len(nest.loops) - 1)
    factors = [nest.value(factor) for factor in product.operands]
    if not all(set(factor.dims) <= set(loops) and loops[-1] in factor.dims for factor in factors):
        return None

    def exactly(value: Value, dims: Dims) -> SSAValue:
        shape = tuple(nest.extents[d] for d in dims)
        if value.ssa is not None and value.dims == dims and value.shape == shape:
            return value.ssa
        return nest.cast(nest.widen(value, dims, element), nest.shape_of(dims), shape)

    operands = [*(exactly(factor, factor.dims) for factor in factors), exactly(accumulator, kept)]
    maps = [
        AffineMapAttr(AffineMap(len(loops), 0, tuple(AffineExpr.dimension(loops.index(d)) for d in dims)))
        for dims in (*(factor.dims for factor in factors), kept)
    ]
    iterators = [IteratorTypeAttr(IteratorTypeKind.PARALLEL)] * len(kept) + [IteratorTypeAttr(IteratorTypeKind.REDUCTION)]
    created = ContractionOp.create(
        operands=operands,
        result_types=[operands[-1].type],
        properties={
            "indexing_maps": ArrayAttr(maps),
            "iterator_types": ArrayAttr(iterators),
            "kind": vector.combining_kind("add"),
        },
    )
    nest.writer.emit(created)
    return Value(created.results[0], kept, tuple(nest.extents[d] for d in kept))
