"""Producers of tiles: what a slice is cut from is computed for that slice alone."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.rewriter import Rewriter

from stepwell.dialects import scf, tensor
from stepwell.dialects.linalg.canonical import maps_of
from stepwell.dialects.linalg.verify import is_projected_permutation
from stepwell.lowering.building import Builder, Index
from stepwell.lowering.linalg.expand_loops import is_structured
from stepwell.lowering.linalg.tiling import extents_of_loops, tiled_op


def source_of(value: SSAValue) -> SSAValue:
    """What a value began as that loops carry."""
    while isinstance(value, BlockArgument):
        loop = value.block.parent_op()
        if isinstance(loop, scf.ForOp) and value.index > 0:
            value = loop.iter_args[value.index - 1]
        elif isinstance(loop, scf.ForallOp) and value.index >= len(loop.steps()):
            value = loop.outputs[value.index - len(loop.steps())]
        else:
            break
    return value


def fuse_producer(piece: tensor.ExtractSliceOp) -> Any | None:
    """Compute a slice of a structured op's result where the slice is cut. The op that does, None where the slice is of nothing such."""
    made = source_of(piece.source)
    if not isinstance(made, OpResult) or not is_structured(made.op):
        return None
    producer: Any = made.op
    map = maps_of(producer)[len(producer.inputs) + made.index]
    if not is_projected_permutation(map) or any(stride != 1 for stride in piece.mixed_strides()):
        return None
    if len(piece.mixed_sizes()) != len(piece.result.type.get_shape()):  # pyright: ignore[reportAttributeAccessIssue]
        return None
    build = Builder(piece)
    sizes = extents_of_loops(producer, build)
    offsets: list[Index] = [0] * len(sizes)
    for expr, offset, size in zip(map.results, piece.mixed_offsets(), piece.mixed_sizes(), strict=True):
        assert isinstance(expr, AffineDimExpr)
        offsets[expr.position], sizes[expr.position] = offset, size
    outputs = list(producer.outputs)
    if piece.source is not made and len(outputs) == 1 and _is_only_written(piece):
        outputs = _begin_earlier(piece.source, outputs[0])
    tile, _ = tiled_op(producer, offsets, sizes, outputs, build)
    result = tile.results[made.index]
    if result.type != piece.result.type:
        result = build.add(tensor.CastOp(result, piece.result.type)).dest
    Rewriter.replace_op(piece, [], [result])
    return tile


def _is_only_written(piece: tensor.ExtractSliceOp) -> bool:
    """Whether nobody but this slice reads what the loops around carry: the others write tiles into it, or hand it on."""
    value = piece.source
    while isinstance(value, BlockArgument):
        for use in value.uses:
            user = use.operation
            writes = user.name in ("tensor.insert_slice", "tensor.parallel_insert_slice") and use.index == 1
            if user is not piece and not writes and not isinstance(user, scf.ForOp | scf.ForallOp):
                return False
        loop: Any = value.block.parent_op()
        is_for = isinstance(loop, scf.ForOp)
        value = loop.iter_args[value.index - 1] if is_for else loop.outputs[value.index - len(loop.steps())]
    return True


def _begin_earlier(argument: SSAValue, output: SSAValue) -> list[SSAValue]:
    """Let the loops around carry the producer's own output, whose tiles it now overwrites."""
    value = argument
    while isinstance(value, BlockArgument):
        loop: Any = value.block.parent_op()
        position = value.index - (1 if isinstance(loop, scf.ForOp) else len(loop.steps()))
        values = loop.iter_args if isinstance(loop, scf.ForOp) else loop.outputs
        value = values[position]
        if not isinstance(value, BlockArgument):
            loop.operands[len(loop.operands) - len(values) + position] = output
            break
    return [argument]


def fuse_producers(tile: Operation) -> list[Any]:
    """Fuse everything that a tile reads slices of, and that these read, as far as it goes. The producers' tiles."""
    fused: list[Any] = []
    pending: list[Operation] = [tile]
    while pending:
        for piece in slices_read(pending.pop(0)):
            if (made := fuse_producer(piece)) is not None:
                fused.append(made)
                pending.append(made)
    return fused


def slices_read(op: Operation) -> list[tensor.ExtractSliceOp]:
    """The slices among the operands of an operation."""
    found = [value.op for value in op.operands if isinstance(value, OpResult) and isinstance(value.op, tensor.ExtractSliceOp)]
    return list(dict.fromkeys(found))


def erase_unused(ops: Sequence[Operation]) -> None:
    """Erase the operations that nobody uses, the last ones first."""
    for op in reversed(list(ops)):
        if op.parent is not None and not any(result.uses for result in op.results):
            Rewriter.erase_op(op)
