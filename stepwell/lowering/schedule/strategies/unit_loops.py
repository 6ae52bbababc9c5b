"""What a kernel is rid of before it is scheduled: loops of one iteration, and stages that only tell a shape.

In: a kernel of `linalg` ops on static tensors. Out: the same, where a dimension of extent 1 is subscripted by 0 instead of by a loop. A
batch of one, a window of 1 x 1 and an axis that a reduction kept then cost nothing: no loop, no tile, no mask.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, IndexType, IntegerAttr, i32, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap

from stepwell.dialects import affine, arith, linalg, tensor
from stepwell.lowering.structured.kernels import insert_before, iterators_of, maps_of, shape_of, structured_ops


def drop_unread(func: FuncOp) -> None:
    """Erase stages whose results nobody reads. Where their extents are asked for, their destinations have the same."""
    for op in reversed(structured_ops(func)):
        for result, out in zip(op.results, op.outputs, strict=True):
            for use in list(result.uses):
                if isinstance(use.operation, tensor.DimOp):
                    use.operation.operands[use.index] = out
        if not any(result.first_use for result in op.results):
            op.detach()
            op.erase()


def drop_unit_loops(func: FuncOp) -> None:
    """Rewrite the structured ops of a kernel that have loops of extent 1.

    before: `linalg.generic {indexing_maps = [(b, c) -> (b, c), (b, c) -> (b, c)]} ins(%x : tensor<1x8xf32>) ...`
    after:  `linalg.generic {indexing_maps = [(c) -> (0, c), (c) -> (0, c)]} ins(%x : tensor<1x8xf32>) ...`
    """
    for op in structured_ops(func):
        unit = _unit_loops(op)
        if not unit:
            continue
        if isinstance(op, linalg.FillOp):
            op = _generic_fill(op)
        if isinstance(op, linalg.GenericOp):
            _drop(op, unit)


def _unit_loops(op: Any) -> set[int]:
    found: set[int] = set()
    for operand, map in zip(op.operands, maps_of(op), strict=True):
        for extent, expr in zip(shape_of(operand), map.results, strict=True):
            if extent == 1 and isinstance(expr, AffineDimExpr):
                found.add(expr.position)
    return found - _loops_that_keep_subscripts_apart(op, found)


def _loops_that_keep_subscripts_apart(op: Any, unit: set[int]) -> set[int]:
    """Unit loops without which a subscript such as `ow * 2 + kw` would become `kw` alone on a dimension that is longer than the loop kw
    runs.
    """
    extents: dict[int, int] = {}
    for operand, map in zip(op.operands, maps_of(op), strict=True):
        for extent, expr in zip(shape_of(operand), map.results, strict=True):
            if isinstance(expr, AffineDimExpr):
                extents[expr.position] = extent
    zero = AffineConstantExpr(0)
    kept: set[int] = set()
    for operand, map in zip(op.operands, maps_of(op), strict=True):
        dims = [zero if d in unit else AffineDimExpr(d) for d in range(map.num_dims)]
        for extent, expr in zip(shape_of(operand), map.results, strict=True):
            left = expr.replace_dims_and_symbols(dims, ())
            if isinstance(left, AffineDimExpr) and left != expr and extents.get(left.position) != extent:
                kept |= expr.used_dims() & unit
    return kept


def _generic_fill(op: Any) -> Any:
    """The generic that says the same as a fill of a constant."""
    value, out = op.operands
    body = Block(arg_types=[value.type, value.type])
    body.add_op(linalg.YieldOp.create(operands=[body.args[0]]))
    rank = len(shape_of(out))
    owner = value.owner
    inputs = [value]
    if isinstance(owner, arith.ConstantOp):
        copy = owner.clone()
        body.insert_op_before(copy, body.first_op)  # type: ignore[arg-type]
        body.args[0].replace_all_uses_with(copy.results[0])
        body.erase_arg(body.args[0])
        inputs = []
    scalar = AffineMapAttr(AffineMap(rank, 0, ()))
    generic = linalg.GenericOp.create(
        operands=[*inputs, out],
        result_types=op.result_types,
        properties={
            "indexing_maps": ArrayAttr([*(scalar for _ in inputs), AffineMapAttr(AffineMap.identity(rank))]),
            "iterator_types": ArrayAttr([linalg.PARALLEL] * rank),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(inputs), 1]),
        },
        attributes=op.attributes,
        regions=[Region(body)],
        location=op.location,
    )
    insert_before(op, generic)
    op.results[0].replace_all_uses_with(generic.results[0])
    op.detach()
    op.erase()
    return generic


def _drop(op: Any, unit: set[int]) -> None:
    iterators = iterators_of(op)
    kept = [d for d in range(len(iterators)) if d not in unit]
    dims: list[AffineExpr] = [AffineConstantExpr(0)] * len(iterators)
    for new, old in enumerate(kept):
        dims[old] = AffineDimExpr(new)
    maps = [AffineMap(len(kept), 0, tuple(expr.replace_dims_and_symbols(dims, ()) for expr in map.results)) for map in maps_of(op)]
    op.properties["indexing_maps"] = ArrayAttr(AffineMapAttr(map) for map in maps)
    op.properties["iterator_types"] = ArrayAttr(list(op.iterator_types)[d] for d in kept)
    for inner in list(op.body.block.ops):
        if isinstance(inner, linalg.IndexOp):
            _renumber(inner, unit, kept)
        elif isinstance(inner, affine.ApplyOp):
            # Its operands have become constants where they were indices of unit loops; the map may stay.
            continue


def _renumber(op: Any, unit: set[int], kept: list[int]) -> None:
    loop = op.dim.value.data
    if loop not in unit:
        op.properties["dim"] = IntegerAttr(kept.index(loop), i64)
        return
    zero: Operation = arith.ConstantOp.create(properties={"value": IntegerAttr(0, IndexType())}, result_types=[IndexType()])
    insert_before(op, zero)
    op.results[0].replace_all_uses_with(zero.results[0])
    op.detach()
    op.erase()
