"""What lowerings build again and again: constants, extents, affine arithmetic that is folded and composed as it is made.

In: a place in the IR. Out: numbers where they are known (`int`), values where they are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, UNKNOWN_LOC, AffineMapAttr, IntegerAttr, MemRefType, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith, memref, tensor
from stepwell.dialects.affine.composition import Applied, constant_int, leaf_operand
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import dim, replace, symbol

Index = int | SSAValue
_Op = TypeVar("_Op", bound=Operation)


class Builder:
    """Puts operations in a place, with the location of the operation that they are for. A rewriter, if given, hears of them."""

    def __init__(self, at: InsertPoint | Operation, like: Operation | None = None, rewriter: PatternRewriter | None = None) -> None:
        self.at = InsertPoint.before(at) if isinstance(at, Operation) else at
        self._like = at if isinstance(at, Operation) else like
        self._rewriter = rewriter

    @property
    def like(self) -> Operation | None:
        """The operation that everything is made for."""
        return self._like

    def add(self, op: _Op) -> _Op:
        """Insert an operation."""
        if self._like is not None and op.location is UNKNOWN_LOC:
            op.location = self._like.location
        if self._rewriter is None:
            Rewriter.insert_op(op, self.at)
        else:
            self._rewriter.insert(op, self.at)
        return op

    def constant(self, value: Attribute, type: Attribute) -> SSAValue:
        """`arith.constant`"""
        return self.add(arith.ConstantOp.create(properties={"value": value}, result_types=[type])).results[0]

    def index(self, value: Index) -> SSAValue:
        """A value of type index."""
        return self.constant(IntegerAttr(value, INDEX), INDEX) if isinstance(value, int) else value

    def extent(self, value: SSAValue, position: int) -> Index:
        """How long a dimension of a tensor or memref is."""
        type = cast("TensorType[Any] | MemRefType[Any]", value.type)
        size = type.get_shape()[position]
        if size != DYNAMIC_INDEX:
            return size
        kind = memref.DimOp if isinstance(type, MemRefType) else tensor.DimOp
        return self.add(kind.create(operands=[value, self.index(position)], result_types=[INDEX])).results[0]

    def extents(self, value: SSAValue) -> list[Index]:
        """All of them."""
        return [self.extent(value, position) for position in range(cast("TensorType[Any]", value.type).get_num_dims())]

    def empty(self, extents: Sequence[Index], element: Attribute) -> SSAValue:
        """`tensor.empty` of these extents."""
        return self.add(tensor.EmptyOp([e for e in extents if not isinstance(e, int)], shaped(extents, element))).results[0]

    def apply(self, expr: AffineExpr, dims: Sequence[Index] = (), symbols: Sequence[Index] = ()) -> Index:
        """What an expression is worth: composed with what its operands come from, and a number or an operand itself where it is one."""
        applied = composed([expr], dims, symbols)
        map, operands = applied.map, applied.operands
        if isinstance(result := map.results[0], AffineConstantExpr):
            return result.value
        if (leaf := leaf_operand(result, map, operands)) is not None:
            return leaf
        return self.add(affine.ApplyOp(operands, AffineMapAttr(map))).result

    def minimum(self, exprs: Sequence[AffineExpr], dims: Sequence[Index] = (), symbols: Sequence[Index] = ()) -> Index:
        """The least of some expressions."""
        return self._extremum(affine.MinOp, exprs, dims, symbols)

    def maximum(self, exprs: Sequence[AffineExpr], dims: Sequence[Index] = (), symbols: Sequence[Index] = ()) -> Index:
        """The greatest of some expressions."""
        return self._extremum(affine.MaxOp, exprs, dims, symbols)

    def _extremum(self, kind: type[affine.Extremum], exprs: Sequence[AffineExpr], dims: Sequence[Index], symbols: Sequence[Index]) -> Index:
        applied = composed(exprs, dims, symbols)
        known = [expr.value for expr in applied.exprs if isinstance(expr, AffineConstantExpr)]
        if len(known) == len(applied.exprs):
            return min(known) if kind is affine.MinOp else max(known)
        return self.add(kind(applied.operands, AffineMapAttr(applied.map))).result


def composed(exprs: Sequence[AffineExpr], dims: Sequence[Index], symbols: Sequence[Index]) -> Applied:
    """Expressions with numbers put in for the operands that are some, composed with what the others come from."""
    new_dims, kept_dims = _without_numbers(dims, dim)
    new_symbols, kept_symbols = _without_numbers(symbols, symbol)
    replaced = [replace(expr, new_dims, new_symbols) for expr in exprs]
    return Applied(replaced, len(kept_dims), [*kept_dims, *kept_symbols]).composed()


def _without_numbers(values: Sequence[Index], make: Any) -> tuple[list[AffineExpr], list[SSAValue]]:
    exprs: list[AffineExpr] = []
    kept: list[SSAValue] = []
    for value in values:
        if isinstance(value, int):
            exprs.append(AffineConstantExpr(value))
        else:
            exprs.append(make(len(kept)))
            kept.append(value)
    return exprs, kept


def number(value: Index) -> int | None:
    """The number that an index is known to be."""
    return value if isinstance(value, int) else constant_int(value)


def static(extents: Sequence[Index]) -> list[int]:
    """Extents as a shape says them."""
    return [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in extents]


def shaped(extents: Sequence[Index], element: Attribute) -> TensorType[Any]:
    """The tensor type of these extents."""
    return TensorType(element, static(extents))


def inverse_of(maps: Sequence[AffineMap], loops: int) -> list[int] | None:
    """For each loop the first of the maps' results, all in a row, that is this loop; None where one of them is nowhere."""
    found: dict[int, int] = {}
    results = [result for map in maps for result in map.results]
    for position, result in enumerate(results):
        if (loop := getattr(result, "position", None)) is not None and result == dim(loop):
            found.setdefault(loop, position)
    return [found[loop] for loop in range(loops)] if len(found) == loops else None


def is_permutation(map: AffineMap) -> bool:
    """Whether the results are all loops, each once."""
    return len(map.results) == map.num_dims and set(map.results) == {dim(n) for n in range(map.num_dims)}
