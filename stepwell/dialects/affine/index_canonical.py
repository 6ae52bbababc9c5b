"""The canonical form of `affine.delinearize_index` and `affine.linearize_index`: they cancel, lose extents of 1, fold.

Both may lack the outermost element of their basis, which does not matter for the values. A padded basis says None there.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    UnitAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.affine import DelinearizeIndexOp, LinearizeIndexOp
from stepwell.dialects.affine.apply import ApplyOp
from stepwell.dialects.affine.composition import constant_int
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import mul, symbol
from stepwell.ir.rewrite.folding import Folded, constant_of

Extent = int | SSAValue
PaddedBasis = list[Extent | None]


def _basis(extents: Sequence[Extent]) -> tuple[list[SSAValue], DenseArrayBase[Any]]:
    dynamic = [extent for extent in extents if not isinstance(extent, int)]
    static = [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in extents]
    return dynamic, DenseArrayBase.from_list(i64, static)


def delinearize(index: SSAValue, basis: Sequence[Extent | None], *, count: int | None = None) -> DelinearizeIndexOp:
    """The op for a padded basis, or one of so many results."""
    extents = [extent for extent in basis if extent is not None]
    dynamic, static = _basis(extents)
    types = [index.type] * (len(basis) if count is None else count)
    return DelinearizeIndexOp(operands=[index, dynamic], result_types=[types], properties={"static_basis": static})


def linearize(indices: Sequence[SSAValue], basis: Sequence[Extent | None], disjoint: bool, type: Attribute) -> LinearizeIndexOp:
    """The op for a padded basis."""
    dynamic, static = _basis([extent for extent in basis if extent is not None])
    properties: dict[str, Attribute] = {"static_basis": static, **({"disjoint": UnitAttr()} if disjoint else {})}
    return LinearizeIndexOp(operands=[indices, dynamic], result_types=[type], properties=properties)


def padded(op: DelinearizeIndexOp | LinearizeIndexOp) -> PaddedBasis:
    """One element for each subscript; None for an outermost one that is not there."""
    basis: PaddedBasis = [*op.basis()]
    count = len(op.results) if isinstance(op, DelinearizeIndexOp) else len(op.multi_index)
    return basis if len(basis) == count else [None, *basis]


def _zero(type: Attribute) -> ConstantOp:
    if isinstance(type, VectorType):
        return ConstantOp.create(properties={"value": DenseIntOrFPElementsAttr.from_list(type, [0])}, result_types=[type])
    return ConstantOp.create(properties={"value": IntegerAttr(0, INDEX)}, result_types=[type])


def _is_zero(value: SSAValue) -> bool:
    attribute = constant_of(value)
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        return attribute.is_splat() and attribute.get_values()[0] == 0
    return isinstance(attribute, IntegerAttr) and attribute.value.data == 0


def _same_extent(a: Extent | None, b: Extent | None) -> bool:
    return a is b if not isinstance(a, int) or not isinstance(b, int) else a == b


# ---- folds --------------------------------------------------------------------------------------------------------------------------


def _constant_basis(op: DelinearizeIndexOp | LinearizeIndexOp) -> bool:
    """Constants among the operands of the basis go into the attribute. Whether there were any."""
    known = [constant_int(value) for value in op.dynamic_basis]
    if not any(value is not None and value > 0 for value in known):
        return False
    numbers = iter(zip(op.dynamic_basis, known, strict=True))
    extents: list[Extent] = []
    for extent in op.static_basis.get_values():
        if extent != DYNAMIC_INDEX:
            extents.append(extent)
            continue
        operand, value = next(numbers)
        extents.append(value if value is not None and value > 0 else operand)
    dynamic, static = _basis(extents)
    if isinstance(op, DelinearizeIndexOp):
        op.operands = [op.linear_index, *dynamic]
    else:
        indices = list(op.multi_index)
        op.operands = [*indices, *dynamic]
        op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(
            op.properties["operandSegmentSizes"].elt_type,  # pyright: ignore
            [len(indices), len(dynamic)],
        )
    op.properties["static_basis"] = static
    return True


def _fold_delinearize(op: DelinearizeIndexOp) -> Folded:
    if _constant_basis(op):
        return op.results
    if len(op.results) == 1:
        return (op.linear_index,)
    rest = constant_int(op.linear_index)
    if rest is None or op.dynamic_basis:
        return None
    found: list[Attribute] = []
    for extent in reversed(padded(op)[1:]):
        assert isinstance(extent, int)
        found.append(IntegerAttr(rest % extent, INDEX))
        rest //= extent
    return (IntegerAttr(rest, INDEX), *reversed(found))


def _fold_linearize(op: LinearizeIndexOp) -> Folded:
    if _constant_basis(op):
        return op.results
    if not op.multi_index:
        return (IntegerAttr(0, INDEX),) if op.linear_index.type == INDEX else None
    if len(op.multi_index) == 1:
        return (op.multi_index[0],)
    if op.dynamic_basis:
        return None
    total, stride = 0, 1
    for value, extent in zip(reversed(op.multi_index), reversed(padded(op)), strict=True):
        if (known := constant_int(value)) is None:
            return None
        total += known * stride
        stride *= extent if isinstance(extent, int) else 1
    return (IntegerAttr(total, INDEX),)


# ---- splitting ------------------------------------------------------------------------------------------------------------------------


class DropUnitExtentBasis(RewritePattern):
    """The subscript of an extent of 1 is 0: `delinearize %x into (4, 1, 8)` -> `delinearize %x into (4, 8)` and 0."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelinearizeIndexOp, rewriter: PatternRewriter) -> None:
        basis = padded(op)
        kept = [extent for extent in basis if extent != 1]
        if len(kept) == len(basis):
            return
        zero = _zero(op.linear_index.type)
        created: list[Operation] = [zero]
        values = iter(())
        if kept:
            new = delinearize(op.linear_index, kept)
            created.append(new)
            values = iter(new.results)
        rewriter.replace(op, created, [zero.result if extent == 1 else next(values) for extent in basis])


def _linearized(op: DelinearizeIndexOp) -> LinearizeIndexOp | None:
    index = op.linear_index
    made = index.op if isinstance(index, OpResult) else None
    return made if isinstance(made, LinearizeIndexOp) and made.disjoint is not None else None


class CancelDelinearizeOfLinearizeDisjointExactTail(RewritePattern):
    """`delinearize (linearize disjoint [%a, %b] by (4, 8)) into (2, 8)` -> `delinearize %a ...` and %b"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelinearizeIndexOp, rewriter: PatternRewriter) -> None:
        made = _linearized(op)
        if made is None:
            return
        theirs, ours = made.basis(), op.basis()
        matches = 0
        for a, b in zip(reversed(theirs), reversed(ours), strict=False):
            if not _same_extent(a, b):
                break
            matches += 1
        if matches == 0:
            return
        indices = list(made.multi_index)
        if matches == len(theirs) == len(ours) and len(indices) == len(op.results):
            rewriter.replace(op, [], indices)
            return
        outer = linearize(indices[:-matches], theirs[:-matches], True, made.linear_index.type)
        rest = delinearize(outer.linear_index, ours[:-matches], count=len(op.results) - matches)
        rewriter.replace(op, [outer, rest], [*rest.results, *indices[-matches:]])


class SplitDelinearizeSpanningLastLinearizeArg(RewritePattern):
    """`delinearize (linearize disjoint [%a, %b] by (3, 32)) into (3, 8, 4)` -> %a and `delinearize %b into (8, 4)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DelinearizeIndexOp, rewriter: PatternRewriter) -> None:
        made = _linearized(op)
        if made is None or not made.basis():
            return
        target, ours = made.basis()[-1], op.basis()
        if not isinstance(target, int):
            return
        product, count = 1, 0
        for extent in reversed(ours):
            if not isinstance(extent, int):
                return
            product, count = product * extent, count + 1
            if product >= target:
                break
        if product != target or count < 2:
            return
        indices = list(made.multi_index)
        outer = linearize(indices[:-1], made.basis()[:-1], True, made.linear_index.type)
        front = delinearize(outer.linear_index, ours[:-count], count=len(op.results) - count)
        back = delinearize(indices[-1], ours[-count:])
        rewriter.replace(op, [outer, front, back], [*front.results, *back.results])


# ---- joining --------------------------------------------------------------------------------------------------------------------------


class DropLinearizeUnitComponentsIfDisjointOrZero(RewritePattern):
    """A subscript of an extent of 1 is nothing where it is 0: `linearize disjoint [%a, %b] by (4, 1)` -> %a"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinearizeIndexOp, rewriter: PatternRewriter) -> None:
        disjoint = op.disjoint is not None
        pairs = list(zip(op.multi_index, padded(op), strict=True))
        kept = [(index, extent) for index, extent in pairs if extent != 1 or not (disjoint or _is_zero(index))]
        if len(kept) == len(pairs):
            return
        type = op.linear_index.type
        if not kept:
            rewriter.replace(op, _zero(type))
            return
        rewriter.replace(op, linearize([i for i, _ in kept], [e for _, e in kept], disjoint, type))


class DropLinearizeLeadingZero(RewritePattern):
    """`linearize [0, %a, %b] by (2, 3, 5)` -> `linearize [%a, %b] by (3, 5)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinearizeIndexOp, rewriter: PatternRewriter) -> None:
        if not op.multi_index or not _is_zero(op.multi_index[0]):
            return
        if len(op.multi_index) == 1:
            rewriter.replace(op, [], [op.multi_index[0]])
            return
        new = linearize(op.multi_index[1:], padded(op)[1:], op.disjoint is not None, op.linear_index.type)
        rewriter.replace(op, new)


class _Match(NamedTuple):
    made: DelinearizeIndexOp
    start: int
    """In the subscripts that are joined."""
    first: int
    """In the results of the op that splits."""
    length: int


class CancelLinearizeOfDelinearizePortion(RewritePattern):
    """Subscripts that were split from one index with the same basis, and are joined again, are not split in the first place.

    before:  %a:3 = delinearize %x into (2, 3, 4)   %y = linearize [%a#1, %a#2] by (3, 4)
    after:   %b:2 = delinearize %x into (2, 12)     %y = %b#1
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinearizeIndexOp, rewriter: PatternRewriter) -> None:
        basis = padded(op)
        matches = self._matches(op, basis)
        if not matches:
            return
        indices: list[SSAValue] = []
        extents: PaddedBasis = []
        replaced: list[tuple[DelinearizeIndexOp, list[SSAValue]]] = []
        done = 0
        for made, start, first, length in matches:
            indices += op.multi_index[done:start]
            extents += basis[done:start]
            done = start + length
            merged = basis[start:done]
            size = _product(merged, made, rewriter)
            extents.append(size)
            if length == len(made.results):
                indices.append(made.linear_index)
                continue
            whole = padded(made)
            new = delinearize(made.linear_index, [*whole[:first], size, *whole[first + length :]])
            rest = delinearize(new.results[first], merged)
            rewriter.insert([new, rest], InsertPoint.before(made))
            replaced.append((made, [*new.results[:first], *rest.results, *new.results[first + 1 :]]))
            indices.append(new.results[first])
        indices += op.multi_index[done:]
        extents += basis[done:]
        rewriter.replace(op, linearize(indices, extents, op.disjoint is not None, op.linear_index.type))
        for made, values in replaced:
            rewriter.replace(made, [], values)

    def _matches(self, op: LinearizeIndexOp, basis: PaddedBasis) -> list[_Match]:
        found: list[_Match] = []
        position = 0
        while position < len(basis):
            match = self._match(op, basis, position)
            if match is None or any(other.made is match.made for other in found):
                position += 1
            else:
                found.append(match)
                position += match.length
        return found

    def _match(self, op: LinearizeIndexOp, basis: PaddedBasis, position: int) -> _Match | None:
        value = op.multi_index[position]
        made = value.op if isinstance(value, OpResult) else None
        if not isinstance(made, DelinearizeIndexOp) or not isinstance(value, OpResult):
            return None
        first, theirs = value.index, padded(made)
        at_front = first == 0 and (position == 0 or op.disjoint is not None)
        if not at_front and not _same_extent(basis[position], theirs[first]):
            return None
        length = 1
        while position + length < len(basis) and first + length < len(theirs):
            if op.multi_index[position + length] is not made.results[first + length]:
                break
            if not _same_extent(basis[position + length], theirs[first + length]):
                break
            length += 1
        return _Match(made, position, first, length) if length > 1 else None


def _product(extents: Sequence[Extent | None], before: Operation, rewriter: PatternRewriter) -> Extent | None:
    """The product of extents, computed before an op where it is not known."""
    if any(extent is None for extent in extents):
        return None
    expr: AffineExpr = AffineConstantExpr(1)
    values: list[SSAValue] = []
    for extent in extents:
        if isinstance(extent, int):
            expr = mul(expr, AffineConstantExpr(extent))
        elif extent is not None:
            expr = mul(expr, symbol(len(values)))
            values.append(extent)
    if isinstance(expr, AffineConstantExpr):
        return expr.value
    if len(values) == 1 and expr == symbol(0):
        return values[0]
    product = ApplyOp(values, AffineMapAttr(AffineMap(0, len(values), (expr,))))
    rewriter.insert(product, InsertPoint.before(before))
    return product.result


INDEX_PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "affine.delinearize_index": (
        CancelDelinearizeOfLinearizeDisjointExactTail(),
        SplitDelinearizeSpanningLastLinearizeArg(),
        DropUnitExtentBasis(),
    ),
    "affine.linearize_index": (
        CancelLinearizeOfDelinearizePortion(),
        DropLinearizeLeadingZero(),
        DropLinearizeUnitComponentsIfDisjointOrZero(),
    ),
}
INDEX_FOLDS: dict[str, Callable[[Any], Folded]] = {
    "affine.delinearize_index": _fold_delinearize,
    "affine.linearize_index": _fold_linearize,
}
