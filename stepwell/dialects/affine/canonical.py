"""The canonical form of `affine`: patterns and folds of maps, loops, conditions and accesses. Indices: `affine_index_canonical`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, DenseArrayBase, IntegerAttr, i32
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.ir.affine import (
    AffineConstantExpr,
    AffineConstraintKind,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.affine import ForOp, YieldOp
from stepwell.dialects.affine.accesses import LoadOp, PrefetchOp, StoreOp, VectorLoadOp, VectorStoreOp
from stepwell.dialects.affine.apply import ApplyOp, Extremum, MaxOp, MinOp
from stepwell.dialects.affine.composition import (
    Applied,
    Operands,
    canonical_map,
    canonical_set,
    compose_map,
    constant_bound,
    constant_int,
    irredundant,
    leaf_operand,
)
from stepwell.dialects.affine.control import IfOp, ParallelOp
from stepwell.dialects.affine.index_canonical import INDEX_FOLDS, INDEX_PATTERNS
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.memref.folds import constant_element, fold_cast
from stepwell.ir.affine_expressions import linear_form, replace, shifted
from stepwell.ir.rewrite.folding import Folded, Folder


def _same(map: AffineMap, operands: Sequence[SSAValue], other: AffineMap, others: Sequence[SSAValue]) -> bool:
    return map == other and len(operands) == len(others) and all(a is b for a, b in zip(operands, others, strict=True))


# ---- maps applied to values -----------------------------------------------------------------------------------------------------------


class SimplifyAffineOp(RewritePattern):
    """Compose the map of an op with every `affine.apply` behind its operands, and simplify it.

    before:  %j = affine.apply affine_map<(d0) -> (d0 + 1)>(%i)   affine.load %m[%j]
    after:   affine.load %m[%i + 1]
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self,
        op: ApplyOp | MinOp | MaxOp | LoadOp | StoreOp | PrefetchOp | VectorLoadOp | VectorStoreOp,
        rewriter: PatternRewriter,
    ) -> None:
        old, taken = op.map.data, old_operands(op)
        map, operands = canonical_map(old, taken)
        if _same(map, operands, old, taken):
            return
        kept = op.operands[: len(op.operands) - len(taken)]
        properties = {**op.properties, "map": AffineMapAttr(map)}
        new = type(op).create(
            operands=[*kept, *operands], result_types=op.result_types, properties=properties, attributes=dict(op.attributes)
        )
        rewriter.replace(op, new)


def old_operands(op: Any) -> Sequence[SSAValue]:
    """The operands of the map of an operation: the last ones."""
    count = op.map.data.num_dims + op.map.data.num_symbols
    return op.operands[len(op.operands) - count :]


def _fold_apply(op: ApplyOp) -> Folded:
    """A map that is one operand, or constants only."""
    map = op.map.data
    if (operand := leaf_operand(map.results[0], map, op.operands)) is not None:
        return (operand,)
    results = _constants(map, op.operands)
    return None if results is None else (IntegerAttr(results[0], INDEX),)


def _with_constants(map: AffineMap, operands: Sequence[SSAValue]) -> AffineMap:
    """The map with constant operands put in; it takes as many as before."""
    known = [constant_int(value) for value in operands]
    if all(value is None for value in known):
        return map
    values: list[AffineExpr | None] = [None if value is None else AffineConstantExpr(value) for value in known]
    dims = [value or AffineDimExpr(n) for n, value in enumerate(values[: map.num_dims])]
    symbols = [value or AffineSymExpr(n) for n, value in enumerate(values[map.num_dims :])]
    return AffineMap(map.num_dims, map.num_symbols, tuple(replace(expr, dims, symbols) for expr in map.results))


def _constants(map: AffineMap, operands: Sequence[SSAValue]) -> list[int] | None:
    """The results of a map that are all constants."""
    results = _with_constants(map, operands).results
    return [expr.value for expr in results if isinstance(expr, AffineConstantExpr)] if all(map_is_constant(e) for e in results) else None


def map_is_constant(expr: AffineExpr) -> bool:
    """Whether an expression is a number."""
    return isinstance(expr, AffineConstantExpr)


# ---- min and max ------------------------------------------------------------------------------------------------------------------------


def _fold_extremum(op: Extremum) -> Folded:
    """Constants into the map; an extremum of constants is a constant."""
    known = _with_constants(op.map.data, op.operands)
    results = zip(op.map.data.results, known.results, strict=True)  # only what is a number as a whole is folded, as upstream
    map = AffineMap(known.num_dims, known.num_symbols, tuple(new if map_is_constant(new) else old for old, new in results))
    if map.num_symbols == 1 and map.num_dims == 0 and map.results == (AffineSymExpr(0),):
        return (op.operands[0],)
    if map.results and all(map_is_constant(expr) for expr in map.results):
        values = [cast(AffineConstantExpr, expr).value for expr in map.results]
        return (IntegerAttr(min(values) if isinstance(op, MinOp) else max(values), INDEX),)
    if map == op.map.data:
        return None
    op.properties["map"] = AffineMapAttr(map)
    return op.results


def _replace_extremum(op: Extremum, map: AffineMap, operands: Sequence[SSAValue], rewriter: PatternRewriter) -> None:
    kind = ApplyOp if len(map.results) == 1 else type(op)
    rewriter.replace(op, kind.create(operands=operands, result_types=[INDEX], properties={"map": AffineMapAttr(map)}))


class DeduplicateAffineMinMaxExpressions(RewritePattern):
    """min(a, b, a) -> min(a, b)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MinOp | MaxOp, rewriter: PatternRewriter) -> None:
        map = op.map.data
        unique = tuple(dict.fromkeys(map.results))
        if len(unique) != len(map.results):
            new = type(op).create(
                operands=op.operands,
                result_types=[INDEX],
                properties={"map": AffineMapAttr(AffineMap(map.num_dims, map.num_symbols, unique))},
            )
            rewriter.replace(op, new)


class MergeAffineMinMaxOp(RewritePattern):
    """min(a, min(b, c)) -> min(a, b, c)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MinOp | MaxOp, rewriter: PatternRewriter) -> None:
        map, kind = op.map.data, type(op)
        kept: list[AffineExpr] = []
        producers: list[Extremum] = []
        for expr in map.results:
            value = leaf_operand(expr, map, op.operands)
            if isinstance(value, OpResult) and type(value.op) is kind:
                producers.append(cast(Extremum, value.op))
            else:
                kept.append(expr)
        if not producers:
            return
        dims, symbols = list(op.operands[: map.num_dims]), list(op.operands[map.num_dims :])
        for producer in producers:
            inner = producer.map.data
            kept += [shifted(expr, len(dims), len(symbols)) for expr in inner.results]
            dims += producer.operands[: inner.num_dims]
            symbols += producer.operands[inner.num_dims :]
        merged = AffineMapAttr(AffineMap(len(dims), len(symbols), tuple(kept)))
        rewriter.replace(op, kind.create(operands=[*dims, *symbols], result_types=[INDEX], properties={"map": merged}))


class CanonicalizeAffineMinMaxOpExprAndTermOrder(RewritePattern):
    """The linear expressions of an extremum in the order of their factors: min(d0 + 1, 4) -> min(4, d0 + 1)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MinOp | MaxOp, rewriter: PatternRewriter) -> None:
        map = op.map.data
        count = map.num_dims + map.num_symbols
        rows: list[tuple[list[int], AffineExpr]] = []
        for expr in map.results:
            form = linear_form(expr, map.num_dims, map.num_symbols) if expr.is_pure_affine() else None
            if form is None:
                return
            rows.append(([*(form.get(key, 0) for key in range(count)), form.get(-1, 0)], expr))
        ordered = sorted(rows, key=lambda row: row[0])
        if [row for row, _ in rows] != [row for row, _ in ordered]:
            new = AffineMap(map.num_dims, map.num_symbols, tuple(expr for _, expr in ordered))
            properties: dict[str, Attribute] = {"map": AffineMapAttr(new)}
            rewriter.replace(op, type(op).create(operands=op.operands, result_types=[INDEX], properties=properties))


class CanonicalizeSingleResultAffineMinMaxOp(RewritePattern):
    """min(a) -> a"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MinOp | MaxOp, rewriter: PatternRewriter) -> None:
        if len(op.map.data.results) == 1:
            _replace_extremum(op, op.map.data, op.operands, rewriter)


# ---- loops ------------------------------------------------------------------------------------------------------------------------------


def canonical_bound(map: AffineMap, operands: Sequence[SSAValue], *, lower: bool) -> tuple[AffineMap, Operands]:
    """The bound of a loop: composed, constant where it can be, without results that others beat."""
    folded = _constants(map, operands)
    if folded is not None and folded:
        return AffineMap.constant_map(max(folded) if lower else min(folded)), []
    map, values = compose_map(map, operands)
    map = irredundant(map, values, largest=lower)
    map = AffineMap(map.num_dims, map.num_symbols, tuple(dict.fromkeys(map.results)))
    applied = Applied.of(map, values).canonical()
    return applied.map, applied.operands


def _fold_for(op: ForOp) -> Folded:
    lower, lower_operands = canonical_bound(op.lowerBoundMap.data, op.lowerBoundOperands, lower=True)
    upper, upper_operands = canonical_bound(op.upperBoundMap.data, op.upperBoundOperands, lower=False)
    same_lower = _same(lower, lower_operands, op.lowerBoundMap.data, op.lowerBoundOperands)
    same_upper = _same(upper, upper_operands, op.upperBoundMap.data, op.upperBoundOperands)
    changed = not (same_lower and same_upper)
    if changed:
        inits = list(op.inits)
        op.operands = [*lower_operands, *upper_operands, *inits]
        op.properties["lowerBoundMap"], op.properties["upperBoundMap"] = AffineMapAttr(lower), AffineMapAttr(upper)
        op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(lower_operands), len(upper_operands), len(inits)])
    if op.results and trip_count(op) == 0:
        return tuple(op.inits)
    return op.results if changed else None


def trip_count(op: ForOp) -> int | None:
    """How often a loop of constant bounds runs."""
    low, end = constant_bound(op.lowerBoundMap.data), constant_bound(op.upperBoundMap.data)
    if low is None or end is None:
        return None
    return max(0, -(-(end - low) // op.step.value.data))


class AffineForEmptyLoopFolder(RewritePattern):
    """A loop that does nothing but carry values: what it carries at the end is known."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        block = op.body.block
        end = block.last_op
        if block.first_op is not end or end is None:
            return
        if not op.results:
            rewriter.erase(op)
            return
        count = trip_count(op)
        if count == 0:
            rewriter.replace(op, [], list(op.inits))
            return
        carried: list[SSAValue] = list(block.args[1:])
        values: list[SSAValue] = []
        from_outside = out_of_order = False
        for position, value in enumerate(end.operands):
            if value is block.args[0]:
                return
            if value in carried:
                out_of_order |= carried.index(value) != position
                values.append(op.inits[carried.index(value)])
            else:
                from_outside = True
                values.append(value)
        if (count is None and (from_outside or out_of_order)) or (count is not None and count >= 2 and out_of_order):
            return
        rewriter.replace(op, [], values)


def _fold_parallel(op: ParallelOp) -> Folded:
    lower, lower_operands = compose_map(op.lowerBoundsMap.data, op.lower_operands)
    upper, upper_operands = compose_map(op.upperBoundsMap.data, op.upper_operands)
    same_lower = _same(lower, lower_operands, op.lowerBoundsMap.data, op.lower_operands)
    if same_lower and _same(upper, upper_operands, op.upperBoundsMap.data, op.upper_operands):
        return None
    op.operands = [*lower_operands, *upper_operands]
    op.properties["lowerBoundsMap"], op.properties["upperBoundsMap"] = AffineMapAttr(lower), AffineMapAttr(upper)
    return op.results


# ---- conditions -------------------------------------------------------------------------------------------------------------------------


def _fold_if(op: IfOp) -> Folded:
    set, operands = canonical_set(op.condition.data, op.args)
    if set == op.condition.data and len(operands) == len(op.args) and all(a is b for a, b in zip(operands, op.args, strict=True)):
        return None
    op.operands = operands
    op.properties["condition"] = AffineSetAttr(set)
    return op.results


class SimplifyDeadElse(RewritePattern):
    """An else that does nothing goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IfOp, rewriter: PatternRewriter) -> None:
        region = op.else_region
        block = region.first_block
        if block is None or block.first_op is not block.last_op or op.results:
            return
        new = IfOp.get(op.condition, op.args, (), op.detach_region(op.then_region))
        new.attributes.update(op.attributes)
        rewriter.replace(op, new)


class AlwaysTrueOrFalseIf(RewritePattern):
    """A condition that is known: one of the two regions takes the place of the op."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IfOp, rewriter: PatternRewriter) -> None:
        constraints = op.condition.data.constraints
        values = [c.lhs.value if isinstance(c.lhs, AffineConstantExpr) else None for c in constraints]
        held = [None if v is None else v == 0 if c.kind is AffineConstraintKind.eq else v >= 0 for c, v in zip(constraints, values)]
        if any(known is False for known in held):
            region = op.else_region
        elif held and all(known is True for known in held):
            region = op.then_region
        else:
            return
        block = region.first_block
        if block is None:
            if not op.results:
                rewriter.erase(op)
            return
        end = block.last_op
        assert isinstance(end, YieldOp)
        results = list(end.operands)
        rewriter.erase(end)
        rewriter.inline_block(block, InsertPoint.before(op))
        rewriter.replace(op, [], results)


# ---- accesses ---------------------------------------------------------------------------------------------------------------------


def _fold_load(op: LoadOp) -> Folded:
    """A cast below, or an element of a constant global."""
    if (cast_folded := fold_cast(op, op.operands[0])) is not None:
        return cast_folded
    indices = [expr.value for expr in op.map.data.results if isinstance(expr, AffineConstantExpr)]
    found = constant_element(op, indices if len(indices) == len(op.map.data.results) else None)
    return None if found is None else (found,)


def _fold_access(position: int) -> Folder:
    def fold(op: Operation) -> Folded:
        return fold_cast(op, op.operands[position])

    return fold


ACCESSES: tuple[RewritePattern, ...] = (SimplifyAffineOp(),)
EXTREMA: tuple[RewritePattern, ...] = (
    CanonicalizeSingleResultAffineMinMaxOp(),
    DeduplicateAffineMinMaxExpressions(),
    MergeAffineMinMaxOp(),
    SimplifyAffineOp(),
    CanonicalizeAffineMinMaxOpExprAndTermOrder(),
)
PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "affine.apply": ACCESSES,
    "affine.for": (AffineForEmptyLoopFolder(),),
    "affine.if": (SimplifyDeadElse(), AlwaysTrueOrFalseIf()),
    "affine.load": ACCESSES,
    "affine.max": EXTREMA,
    "affine.min": EXTREMA,
    "affine.prefetch": ACCESSES,
    "affine.store": ACCESSES,
    "affine.vector_load": ACCESSES,
    "affine.vector_store": ACCESSES,
    **INDEX_PATTERNS,
}
FOLDS: dict[str, Callable[[Any], Folded]] = {
    "affine.apply": _fold_apply,
    "affine.for": _fold_for,
    "affine.if": _fold_if,
    "affine.load": _fold_load,
    "affine.max": _fold_extremum,
    "affine.min": _fold_extremum,
    "affine.parallel": _fold_parallel,
    "affine.prefetch": _fold_access(0),
    "affine.store": _fold_access(1),
    "affine.vector_load": _fold_access(0),
    "affine.vector_store": _fold_access(1),
    **INDEX_FOLDS,
}
