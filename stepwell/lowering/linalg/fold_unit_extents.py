"""The pass `linalg-fold-unit-extent-dims`: structured ops and paddings in, the same without loops that run once out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, NoneAttr, TensorType
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import linalg, tensor
from stepwell.dialects.linalg.canonical_base import maps_of, on_tensors
from stepwell.dialects.linalg.canonical_fill import PATTERN as FILLED
from stepwell.dialects.linalg.verify import shape_of
from stepwell.ir.affine_expressions import ZERO, dim, replace
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import CanonicalPatternsOf
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily, walk_and_rewrite
from stepwell.lowering.building import Builder, Index, inverse_of, number
from stepwell.lowering.linalg.erase_operands import reads
from stepwell.lowering.linalg.fold_empty import FOLD_EMPTY
from stepwell.lowering.linalg.reduce_ranks import SLICES_OF_LOWER_RANK
from stepwell.lowering.linalg.resolve_dims import ResolveDim
from stepwell.lowering.linalg.unit_extents import Reduction, Reshapes, Slices

CANONICAL = frozenset({"tensor.empty", "tensor.dim", "memref.dim"})
CANONICAL_RESHAPES = frozenset({"tensor.collapse_shape", "tensor.expand_shape"})


@dataclass(frozen=True)
class FoldUnitExtents(Pass):
    """Loops that run once go, and with them the dimensions that they subscript.

    before:  linalg.generic {(d0, d1) -> (d0, d1)} ins(%a : tensor<1x8xf32>) outs(%b : tensor<1x8xf32>)
    after:   linalg.generic {(d0) -> (d0)} ins(%c : tensor<8xf32>) outs(%d : tensor<8xf32>)   with %c a collapse of %a
    """

    name: ClassVar[str] = "linalg-fold-unit-extent-dims"
    anchor: ClassVar[str] = "any"

    use_rank_reducing_slices: bool = False
    """Slices of lower rank instead of reshapes."""

    def run(self, op: Operation, ctx: Context) -> None:
        how = Slices() if self.use_rank_reducing_slices else Reshapes()
        walk_and_rewrite(op, [DropUnitDims(how), DropPadUnitDims(how)])
        patterns: list[RewritePattern] = [MoveInitOperandsToInput(), FILLED, *FOLD_EMPTY, ResolveDim()]
        names = CANONICAL
        if not self.use_rank_reducing_slices:
            patterns += SLICES_OF_LOWER_RANK
            names |= CANONICAL_RESHAPES
        greediness = Greediness(unique_constants=True, simplify="aggressive", must_converge=False)
        rewrite_greedily(op, CanonicalPatternsOf(patterns, names), how=greediness)


class DropUnitDims(RewritePattern):
    """The loops of a `linalg.generic` that run once go."""

    def __init__(self, how: Reduction) -> None:
        self._how = how

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        maps, shapes = maps_of(op), [shape_of(value) for value in op.operands]
        loops = len(op.iterator_types)
        sources = inverse_of(maps, loops)
        if sources is None:
            return
        sizes = [size for shape in shapes for size in shape]
        once = [sizes[source] == 1 for source in sources]
        new: list[AffineExpr] = []
        for goes in once:
            new.append(ZERO if goes else dim(len([expr for expr in new if isinstance(expr, AffineDimExpr)])))
        count = loops - sum(once)
        dropped = [_dropped(map, shape, new, once) for map, shape in zip(maps, shapes, strict=True)]
        new_maps = [_without(map, drop, new, count) for map, drop in zip(maps, dropped, strict=True)]
        if new_maps == maps or inverse_of(new_maps, count) is None:
            return
        if any(any(drop) and not self._how.may(value) for value, drop in zip(op.operands, dropped, strict=True)):
            return
        self._rewrite(op, once, dropped, new_maps, rewriter)

    def _rewrite(
        self,
        op: linalg.GenericOp,
        once: Sequence[bool],
        dropped: Sequence[list[bool]],
        maps: Sequence[AffineMap],
        rewriter: PatternRewriter,
    ) -> None:
        build = Builder(InsertPoint.before(op), op, rewriter)
        operands = [self._how.lower(value, drop, build) if any(drop) else value for value, drop in zip(op.operands, dropped, strict=True)]
        count = len(op.inputs)
        iterators = [kind for kind, goes in zip(op.iterator_types, once, strict=True) if not goes]
        body = op.body.clone()
        _renumber_indices(body.block, once)
        made = linalg.GenericOp(operands[:count], operands[count:], body, [AffineMapAttr(map) for map in maps], iterators)
        build.add(made)
        results: list[SSAValue] = []
        for result, old, drop in zip(made.results, op.outputs, dropped[count:], strict=False):
            results.append(self._how.raise_(result, old, drop, build) if any(drop) else result)
        rewriter.replace(op, [], results)


def _dropped(map: AffineMap, shape: Sequence[int], new: Sequence[AffineExpr], once: Sequence[bool]) -> list[bool]:
    """Which dimensions of an operand go: of extent 1, and subscripted by 0."""
    dropped: list[bool] = []
    for expr, size in zip(map.results, shape, strict=True):
        if isinstance(expr, AffineDimExpr):
            dropped.append(once[expr.position] and size == 1)
        else:
            dropped.append(size == 1 and replace(expr, new, ()) == AffineConstantExpr(0))
    return dropped


def _without(map: AffineMap, dropped: Sequence[bool], new: Sequence[AffineExpr], count: int) -> AffineMap:
    kept = [expr for expr, goes in zip(map.results, dropped, strict=True) if not goes] if map.results else []
    return AffineMap(count, 0, tuple(replace(expr, new, ()) for expr in kept))


def _renumber_indices(body: Block, once: Sequence[bool]) -> None:
    for op in list(body.ops):
        if not isinstance(op, linalg.IndexOp):
            continue
        loop = op.dim.value.data
        build = Builder(InsertPoint.before(op), op)
        if once[loop]:
            op.result.replace_all_uses_with(build.index(0))
        elif any(once[:loop]):
            op.result.replace_all_uses_with(build.add(linalg.IndexOp(loop - sum(once[:loop]))).result)
        else:
            continue
        body.erase_op(op)


class DropPadUnitDims(RewritePattern):
    """before:  tensor.pad %x low[0, 1] high[0, 1] : tensor<1x4xf32> to tensor<1x6xf32>
    after:   tensor.pad %y low[1] high[1] : tensor<4xf32> to tensor<6xf32>   with %y a collapse of %x"""

    def __init__(self, how: Reduction) -> None:
        self._how = how

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        source: Any = op.source.type
        value = op.constant_value()
        if not isinstance(source.encoding, NoneAttr) or value is None:
            return
        lows, highs = op.mixed_low(), op.mixed_high()
        dropped = [size == 1 and number(low) == 0 == number(high) for size, low, high in zip(source.get_shape(), lows, highs, strict=True)]
        if not any(dropped):
            return
        build = Builder(InsertPoint.before(op), op, rewriter)
        lowered = self._how.lower(op.source, dropped, build)
        low, high = (_kept(amounts, dropped) for amounts in (lows, highs))
        made = tensor.PadOp.get(lowered, low, high, value)
        if "nofold" in op.properties:
            made.properties["nofold"] = op.properties["nofold"]
        known: Any = op.result.type
        shape = [size for size, goes in zip(known.get_shape(), dropped, strict=True) if not goes]
        made.results[0]._type = TensorType(source.element_type, shape)  # pyright: ignore[reportPrivateUsage]  # which may know more extents
        build.add(made)
        like: SSAValue = op.result
        if isinstance(self._how, Slices):
            kept = iter(build.extents(made.result))
            like = build.empty([1 if goes else next(kept) for goes in dropped], source.element_type)
        rewriter.replace(op, [], [self._how.raise_(made.result, like, dropped, build)])


def _kept(amounts: Sequence[Index], dropped: Sequence[bool]) -> list[Index]:
    known = [(number(amount), amount) for amount, goes in zip(amounts, dropped, strict=True) if not goes]
    return [amount if value is None else value for value, amount in known]


class MoveInitOperandsToInput(RewritePattern):
    """What a pointwise op reads of its outputs, it reads as inputs: then outputs are only written.

    before:  linalg.generic ins(%a) outs(%b) { addf %in, %out }
    after:   linalg.generic ins(%a, %b) outs(%empty) { addf %in, %in_0 }
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        if not on_tensors(op) or any(kind != linalg.PARALLEL for kind in op.iterator_types):
            return
        count = len(op.inputs)
        read = [position for position in range(count, len(op.operands)) if reads(op, position)]
        if not read:
            return
        maps, outputs = maps_of(op), list(op.outputs)
        for position in read:
            value = op.operands[position]
            build = Builder(_behind(value), op, rewriter)
            type: Any = value.type
            outputs[position - count] = build.empty(build.extents(value), type.element_type)
        old, block = op.body.block, Block()
        known: dict[SSAValue, SSAValue] = {}
        for position in (*range(count), *read, *range(count, len(op.operands))):
            argument = block.insert_arg(old.args[position].type, len(block.args))
            known.setdefault(old.args[position], argument)
        for inner in old.ops:
            block.add_op(inner.clone(known))
        inputs = [*op.inputs, *(op.operands[position] for position in read)]
        new_maps = [*maps[:count], *(maps[position] for position in read), *maps[count:]]
        attributes = [AffineMapAttr(map) for map in new_maps]
        made = linalg.GenericOp(inputs, outputs, Region(block), attributes, op.iterator_types, op.result_types)
        made.attributes.update(op.attributes)
        rewriter.replace(op, made)


def _behind(value: SSAValue) -> InsertPoint:
    owner = value.owner
    return InsertPoint.after(owner) if isinstance(owner, Operation) else InsertPoint.at_start(owner)
