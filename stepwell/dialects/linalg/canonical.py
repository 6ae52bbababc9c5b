"""The patterns that canonicalize structured ops of `linalg`: casts, identities, extents that are known, transposes and broadcasts.

Those about `fill` stand in `canonical_fill`, about `pack` and `unpack` in `canonical_pack`. Operations name them by the trait `Canonical`
of `verify`.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, MemRefType, TensorType
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp
from stepwell.dialects.linalg.canonical_base import cast_back, maker, maps_of, on_tensors, rebuilt, replace_with
from stepwell.dialects.linalg.canonical_fill import PATTERN as FILL_PATTERN
from stepwell.dialects.linalg.canonical_pack import PATTERNS as PACK_PATTERNS
from stepwell.dialects.linalg.verify import is_projected_permutation, shape_of, sources_of_loops
from stepwell.dialects.tensor import CastOp, DimOp, EmptyOp
from stepwell.dialects.tensor.facts import cast_before, knows_as_much, with_shape

# ---- every structured op --------------------------------------------------------------------------------------------------------


class EraseDeadLinalgOp(RewritePattern):
    """An op on a memref without elements does nothing."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not op.results and any(isinstance(value.type, MemRefType) and 0 in value.type.get_shape() for value in op.operands):
            rewriter.erase(op)


class FoldMemRefCast(RewritePattern):
    """`op(memref.cast %m)` -> `op(%m)`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        changed = False
        for index, value in enumerate(op.operands):
            made = maker(value)
            if made is None or made.name != "memref.cast" or not isinstance(made.operands[0].type, MemRefType):
                continue
            op.operands[index] = made.operands[0]
            changed = True
        if changed:
            rewriter.notify_op_modified(op)


class FoldTensorCastProducerOp(RewritePattern):
    """`op(tensor.cast %t)` -> `op(%t)`, where the cast only forgot extents."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        casts = [cast_before(value) for value in op.operands]
        if not on_tensors(op) or not any(casts):
            return
        replace_with(op, [value if made is None else made.source for value, made in zip(op.operands, casts, strict=True)], rewriter)


class FoldTensorCastConsumerOp(RewritePattern):
    """`tensor.cast(op outs(%t))` -> `op outs(tensor.cast %t)`, where the cast says more about the extents."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not on_tensors(op):
            return
        for index, result in enumerate(op.results):
            for use in result.uses:
                user = use.operation
                if isinstance(user, CastOp) and user.parent is op.parent and knows_as_much(user.dest.type, result.type):
                    if user.dest.type != result.type:
                        self._fold(op, index, user, rewriter)
                        return

    def _fold(self, op: Operation, index: int, user: CastOp, rewriter: PatternRewriter) -> None:
        outputs = cast(Any, op).outputs
        operands, types = list(op.operands), list(op.result_types)
        position = len(operands) - len(outputs) + index
        before = CastOp(operands[position], user.dest.type)
        rewriter.insert(before, InsertPoint.before(op))
        operands[position] = before.dest
        types[index] = user.dest.type
        made = rebuilt(op, operands, types)
        rewriter.insert(made, InsertPoint.before(op))
        rewriter.replace(user, [], [made.results[index]])
        rewriter.replace(op, [], cast_back(made, op, rewriter))


class InferStaticShapeOfOperands(RewritePattern):
    """Extents that one operand knows are known of all that share the loop: the others are cast."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        shapes = [shape_of(value) for value in op.operands]
        if not on_tensors(op) or not any(DYNAMIC_INDEX in shape for shape in shapes):
            return
        maps = maps_of(op)
        if not all(is_projected_permutation(map) for map in maps):
            return
        known: dict[int, int] = {}
        for map, shape in zip(maps, shapes, strict=True):
            for expr, extent in zip(map.results, shape, strict=True):
                if extent != DYNAMIC_INDEX:
                    known.setdefault(cast(AffineDimExpr, expr).position, extent)
        operands: list[SSAValue] = []
        for value, map, shape in zip(op.operands, maps, shapes, strict=True):
            better = [
                known.get(cast(AffineDimExpr, expr).position, extent) if extent == DYNAMIC_INDEX else extent
                for expr, extent in zip(map.results, shape, strict=True)
            ]
            if list(shape) == better:
                operands.append(value)
                continue
            made = CastOp(value, with_shape(cast(Any, value.type), better))
            rewriter.insert(made, InsertPoint.before(op))
            operands.append(made.dest)
        if list(op.operands) != operands:
            replace_with(op, operands, rewriter)


class EraseIdentityLinalgOp(RewritePattern):
    """A body that yields its arguments, under equal maps, computes nothing."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        body = op.regions[0].block
        last = body.first_op
        if last is None or last is not body.last_op or len(set(maps_of(op))) != 1:
            return
        values = list(last.operands)
        if not all(isinstance(value, BlockArgument) and value.owner is body for value in values):
            return
        if not on_tensors(op):
            if len(op.operands) == 2 and op.operands[0] is op.operands[1]:
                rewriter.erase(op)
            return
        if op.name == "linalg.copy":
            return  # says that there are to be two tensors
        replacements: list[SSAValue] = []
        for value, result in zip(values, op.results, strict=True):
            operand = op.operands[cast(BlockArgument, value).index]
            if operand.type != result.type:
                if not _are_castable(operand.type, result.type):
                    return
                made = CastOp(operand, result.type)
                replacements.append(made.dest)
            else:
                replacements.append(operand)
        for value in replacements:
            if (made := maker(value)) is not None and made.parent is None:
                rewriter.insert(made, InsertPoint.before(op))
        rewriter.replace(op, [], replacements)


def _are_castable(a: Attribute, b: Attribute) -> bool:
    if not isinstance(a, TensorType) or not isinstance(b, TensorType) or a.element_type != b.element_type or a.encoding != b.encoding:
        return False
    shapes = tuple(a.get_shape()), tuple(b.get_shape())
    return len(shapes[0]) == len(shapes[1]) and all(x == y or DYNAMIC_INDEX in (x, y) for x, y in zip(*shapes, strict=True))


class FoldUnitIndex(RewritePattern):
    """`linalg.index` of a loop that runs once -> 0"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        around: Any = op.parent_op()
        if around is None or not hasattr(around, "get_indexing_maps"):
            return
        loop = cast("IntegerAttr[Any]", op.properties["dim"]).value.data
        source = sources_of_loops(maps_of(around)).get(loop)
        if source is not None and shape_of(around.operands[source[0]])[source[1]] == 1:
            rewriter.replace(op, ConstantOp(IntegerAttr(0, INDEX)))


# ---- transposes and broadcasts --------------------------------------------------------------------------------------------------


class FoldIdentityMove(RewritePattern):
    """`transpose` that turns nothing and `broadcast` that adds nothing -> the input"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        move: Any = op
        dims = move.dims()
        identity = dims == tuple(range(len(dims))) if op.name == "linalg.transpose" else not dims
        if identity and op.results and op.operands[0].type == op.results[0].type:
            rewriter.replace(op, [], [op.operands[0]])


class FoldTransposeWithTranspose(RewritePattern):
    """`transpose(transpose(x))` -> `transpose(x)`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        outer: Any = op
        inner: Any = maker(op.operands[0])
        if not op.results or inner is None or inner.name != "linalg.transpose":
            return
        turned = [inner.dims()[dim] for dim in outer.dims()]
        rewriter.replace(op, type(outer).get(inner.input, outer.init, turned))


class SwapTransposeWithBroadcast(RewritePattern):
    """`transpose(broadcast(x))` -> `broadcast(transpose(x))`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        outer: Any = op
        inner: Any = maker(op.operands[0])
        if not op.results or inner is None or inner.name != "linalg.broadcast" or not inner.results[0].has_one_use():
            return
        added, permutation = inner.dims(), outer.dims()
        kept = [dim for dim in range(len(permutation)) if dim not in added]
        turned = [kept.index(dim) for dim in permutation if dim not in added]
        dims = [permutation.index(dim) for dim in added]
        source: SSAValue = inner.input
        if turned != list(range(len(turned))):
            shape = shape_of(source)
            sizes: dict[int, SSAValue] = {}
            for dim, size in enumerate(shape):
                if size == DYNAMIC_INDEX:
                    position = ConstantOp(IntegerAttr(dim, INDEX))
                    extent = DimOp(source, position.result)
                    rewriter.insert([position, extent], InsertPoint.before(op))
                    sizes[dim] = extent.result
            empty = EmptyOp(
                [sizes[dim] for dim in turned if dim in sizes], with_shape(cast(Any, source.type), [shape[dim] for dim in turned])
            )
            move = type(outer).get(source, empty.results[0], turned)
            rewriter.insert([empty, move], InsertPoint.before(op))
            source = move.results[0]
        rewriter.replace(op, type(inner).get(source, outer.init, dims))


class FoldBroadcasts(RewritePattern):
    """`broadcast(broadcast(x))` -> `broadcast(x)`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        outer: Any = op
        inner: Any = maker(op.operands[0])
        if not op.results or inner is None or inner.name != "linalg.broadcast":
            return
        rank = len(shape_of(outer.init))
        kept = [dim for dim in range(rank) if dim not in outer.dims()]
        dims = sorted([*outer.dims(), *(kept[dim] for dim in inner.dims())])
        rewriter.replace(op, type(outer).get(inner.input, outer.init, dims))


_EVERY: tuple[RewritePattern, ...] = (
    EraseDeadLinalgOp(),
    FoldMemRefCast(),
    FoldTensorCastProducerOp(),
    FoldTensorCastConsumerOp(),
    InferStaticShapeOfOperands(),
)


def patterns_of(name: str) -> tuple[RewritePattern, ...]:
    """The patterns of the op of that name."""
    if name == "linalg.index":
        return (FoldUnitIndex(),)
    if name in ("linalg.pack", "linalg.unpack"):
        return PACK_PATTERNS[name]
    if name == "linalg.fill":
        return (*_EVERY, FILL_PATTERN)
    if name in ("linalg.generic", "linalg.copy"):
        return (EraseIdentityLinalgOp(), *_EVERY)
    if name == "linalg.transpose":
        return (FoldIdentityMove(), FoldTransposeWithTranspose(), SwapTransposeWithBroadcast(), *_EVERY)
    if name == "linalg.broadcast":
        return (FoldIdentityMove(), FoldBroadcasts(), *_EVERY)
    return _EVERY
