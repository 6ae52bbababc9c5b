"""Affine maps and sets together with the values that they are applied to: composition with `affine.apply`, canonical operands, and what
is known of loop variables.

In: a map and its operands. Out: an equal map of other operands: every `affine.apply` that an operand comes from is part of the map,
constants are, too; values that do not change are symbols; each value is there once, and none that is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import BlockArgument, OpResult, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap, AffineSet, AffineSymExpr

from stepwell.dialects.affine import DelinearizeIndexOp, ForOp
from stepwell.dialects.affine.apply import ApplyOp
from stepwell.dialects.affine.maps import is_valid_symbol
from stepwell.ir.affine_expressions import (
    ADD,
    BUILDERS,
    CEIL,
    FLOOR,
    MOD,
    ZERO,
    add,
    constraint,
    dim,
    divisor_of,
    floordiv,
    linear_form,
    mod,
    mul,
    replace,
    shifted,
    simplify,
    symbol,
    used,
)
from stepwell.ir.rewrite.folding import constant_of

Operands = list[SSAValue]


def constant_int(value: SSAValue) -> int | None:
    """The value of an integer constant."""
    attribute = constant_of(value)
    return cast("IntegerAttr[Any]", attribute).value.data if isinstance(attribute, IntegerAttr) else None


class Applied:
    """Expressions over operands, to be made canonical. Neutral between maps and sets: a set is what its constraints compare to zero."""

    def __init__(self, exprs: Sequence[AffineExpr], num_dims: int, operands: Sequence[SSAValue]) -> None:
        self.exprs = list(exprs)
        self.dims: Operands = list(operands[:num_dims])
        self.symbols: Operands = list(operands[num_dims:])

    @classmethod
    def of(cls, map: AffineMap, operands: Sequence[SSAValue]) -> Applied:
        return cls(map.results, map.num_dims, operands)

    @property
    def map(self) -> AffineMap:
        return AffineMap(len(self.dims), len(self.symbols), tuple(self.exprs))

    @property
    def operands(self) -> Operands:
        return [*self.dims, *self.symbols]

    def composed(self) -> Applied:
        """With every `affine.apply` that an operand comes from, and theirs, inside; canonical and simplified."""
        while self._comes_from_others():
            self._compose()
        self.canonical()
        self.exprs = [simplify(expr, len(self.dims), len(self.symbols)) for expr in self.exprs]
        return self

    def _comes_from_others(self) -> bool:
        makers = [value.op for value in (*self.dims, *self.symbols) if isinstance(value, OpResult)]
        if any(type(maker) is DelinearizeIndexOp for maker in makers) and self._join_split_indices():
            return True
        return any(isinstance(maker, ApplyOp) and not _is_large(maker) for maker in makers)

    def _join_split_indices(self) -> bool:
        """Sums of all results of a `delinearize_index`, each times what it counts for, are the index that was split."""
        leaves: dict[SSAValue, AffineExpr] = {value: dim(n) for n, value in enumerate(self.dims)}
        leaves |= {value: symbol(n) for n, value in enumerate(self.symbols)}
        for maker in {value.op: None for value in leaves if isinstance(value, OpResult)}:
            if not isinstance(maker, DelinearizeIndexOp) or maker.dynamic_basis or any(value not in leaves for value in maker.results):
                continue
            terms: set[AffineExpr] = set()
            stride = 1
            for value, extent in zip(reversed(maker.results), [*reversed(maker.static_basis.get_values()), 1], strict=False):
                terms.add(mul(leaves[value], AffineConstantExpr(stride)))
                stride *= extent
            joined = symbol(len(self.symbols)) if is_valid_symbol(maker.linear_index) else dim(len(self.dims))
            exprs = [_join(expr, terms, joined) for expr in self.exprs]
            if exprs != self.exprs:
                self.exprs = exprs
                (self.symbols if isinstance(joined, AffineSymExpr) else self.dims).append(maker.linear_index)
                return True
        return False

    def _compose(self) -> None:
        """Replace the operands by those of the operations that they come from, until none comes from one."""
        dims: list[SSAValue | None] = [*self.dims]
        symbols: list[SSAValue | None] = [*self.symbols]
        while (found := _first_apply(dims, symbols)) is not None:
            is_dim, position, apply = found
            (dims if is_dim else symbols)[position] = None
            inner = Applied.of(apply.map.data, apply.mapOperands).canonical()
            new = shifted(inner.exprs[0], len(dims), len(symbols))
            dims += inner.dims
            symbols += inner.symbols
            dim_exprs: list[AffineExpr] = [dim(n) for n in range(len(dims))]
            symbol_exprs: list[AffineExpr] = [symbol(n) for n in range(len(symbols))]
            (dim_exprs if is_dim else symbol_exprs)[position] = new
            self.exprs = [replace(expr, dim_exprs, symbol_exprs) for expr in self.exprs]
        self._renumber(dims, symbols)

    def _renumber(self, dims: Sequence[SSAValue | None], symbols: Sequence[SSAValue | None]) -> None:
        """Drop the operands that are gone."""
        new_dims: list[AffineExpr] = []
        new_symbols: list[AffineExpr] = []
        self.dims, self.symbols = [], []
        for values, exprs, kept, make in ((dims, new_dims, self.dims, dim), (symbols, new_symbols, self.symbols, symbol)):
            for value in values:
                exprs.append(ZERO if value is None else make(len(kept)))
                if value is not None:
                    kept.append(value)
        self.exprs = [replace(expr, new_dims, new_symbols) for expr in self.exprs]

    def canonical(self) -> Applied:
        """What may be a symbol is one; constants are part of the map; no operand twice, none unused."""
        if not self.dims and not self.symbols:
            return self
        promoted = [is_valid_symbol(value) for value in self.dims]
        used_dims, used_symbols = used(self.exprs)
        new_dims: list[AffineExpr] = []
        new_symbols: list[AffineExpr] = []
        dims: dict[SSAValue, AffineExpr] = {}
        symbols: dict[SSAValue, AffineExpr] = {}

        def as_symbol(value: SSAValue) -> AffineExpr:
            if (known := constant_int(value)) is not None:
                return AffineConstantExpr(known)
            return symbols.setdefault(value, symbol(len(symbols)))

        for position, value in enumerate(self.symbols):
            new_symbols.append(as_symbol(value) if position in used_symbols else ZERO)
        for position, (value, is_symbol) in enumerate(zip(self.dims, promoted, strict=True)):
            if position not in used_dims:
                new_dims.append(ZERO)
            else:
                new_dims.append(as_symbol(value) if is_symbol else dims.setdefault(value, dim(len(dims))))
        self.exprs = [replace(expr, new_dims, new_symbols) for expr in self.exprs]
        self.dims, self.symbols = list(dims), list(symbols)
        return self

    def within_bounds(self) -> Applied:
        """Divisions and remainders simplified by what is known of loop variables."""
        self.exprs = [_with_operands(expr, self.dims, self.symbols) for expr in self.exprs]
        return self


LARGEST = 200
"""Of how many parts the map of an `affine.apply` may be to go into other maps: in a chain they can double every time."""


def _is_large(apply: ApplyOp) -> bool:
    count, pending = 0, list(apply.map.data.results)
    while pending and count <= LARGEST:
        expr = pending.pop()
        count += 1
        if isinstance(expr, AffineBinaryOpExpr):
            pending += (expr.lhs, expr.rhs)
    return count > LARGEST


def _join(expr: AffineExpr, terms: set[AffineExpr], joined: AffineExpr) -> AffineExpr:
    """The expression where sums that contain all the terms have `joined` in their place."""
    if not isinstance(expr, AffineBinaryOpExpr):
        return expr
    if expr.kind is ADD:
        missing = set(terms)
        others: list[AffineExpr] = []
        rest: AffineExpr = expr
        while isinstance(rest, AffineBinaryOpExpr) and rest.kind is ADD:
            _take(rest.rhs, missing, others)
            rest = rest.lhs
        _take(rest, missing, others)
        if not missing:
            total = joined
            for other in reversed(others):
                total = add(total, _join(other, terms, joined))
            return total
    return BUILDERS[expr.kind](_join(expr.lhs, terms, joined), _join(expr.rhs, terms, joined))


def _take(term: AffineExpr, missing: set[AffineExpr], others: list[AffineExpr]) -> None:
    if term in missing:
        missing.remove(term)
    else:
        others.append(term)


def _first_apply(dims: Sequence[SSAValue | None], symbols: Sequence[SSAValue | None]) -> tuple[bool, int, ApplyOp] | None:
    for is_dim, values in ((True, dims), (False, symbols)):
        for position, value in enumerate(values):
            if isinstance(value, OpResult) and isinstance(value.op, ApplyOp) and not _is_large(value.op):
                return is_dim, position, value.op
    return None


def compose_map(map: AffineMap, operands: Sequence[SSAValue]) -> tuple[AffineMap, Operands]:
    """The map with every `affine.apply` behind its operands inside, canonical."""
    applied = Applied.of(map, operands).composed()
    return applied.map, applied.operands


def canonical_map(map: AffineMap, operands: Sequence[SSAValue]) -> tuple[AffineMap, Operands]:
    """The same, and simplified by what is known of loop variables: what `canonicalize` makes of an access or an `affine.apply`."""
    applied = Applied.of(map, operands).composed().within_bounds()
    return applied.map, applied.operands


def canonical_set(set: AffineSet, operands: Sequence[SSAValue]) -> tuple[AffineSet, Operands]:
    """A set with every `affine.apply` behind its operands inside, canonical."""
    applied = Applied([c.lhs for c in set.constraints], set.num_dims, operands).composed()
    constraints = tuple(constraint(c, lhs) for c, lhs in zip(set.constraints, applied.exprs, strict=True))
    return AffineSet(len(applied.dims), len(applied.symbols), constraints), applied.operands


# ---- what is known of operands ------------------------------------------------------------------------------------------------------

Bounds = tuple[int | None, int | None]


def loop_of(value: SSAValue) -> ForOp | None:
    """The loop whose variable the value is."""
    if isinstance(value, BlockArgument) and value.index == 0:
        parent = value.block.parent_op()
        return parent if isinstance(parent, ForOp) else None
    return None


def constant_bound(map: AffineMap) -> int | None:
    """The value of a bound that is one constant."""
    result = map.results[0] if len(map.results) == 1 else None
    return result.value if isinstance(result, AffineConstantExpr) else None


def bounds_of(value: SSAValue) -> Bounds:
    """The least and the greatest value of a loop variable, where they are known."""
    if (loop := loop_of(value)) is None:
        return None, None
    low, end = constant_bound(loop.lowerBoundMap.data), constant_bound(loop.upperBoundMap.data)
    if end is None:
        return low, None
    if low is None:
        return None, end - 1
    return low, end - 1 - (end - low - 1) % loop.step.value.data


def bound_of(expr: AffineExpr, bounds: Sequence[Bounds], num_dims: int, *, upper: bool) -> int | None:
    """The greatest or the least value of an expression whose operands are bounded so."""
    if isinstance(expr, AffineBinaryOpExpr) and expr.kind in (FLOOR, CEIL, MOD):
        if not isinstance(expr.rhs, AffineConstantExpr) or expr.rhs.value < 1:
            return None
        c = expr.rhs.value
        if expr.kind is not MOD:
            known = bound_of(expr.lhs, bounds, num_dims, upper=upper)
            return None if known is None else known // c if expr.kind is FLOOR else -(-known // c)
        low, high = (bound_of(expr.lhs, bounds, num_dims, upper=which) for which in (False, True))
        if low is not None and high is not None and low // c == high // c:
            return high % c if upper else low % c
        return c - 1 if upper else 0
    form = linear_form(expr, num_dims, len(bounds) - num_dims)
    if form is None:
        return None
    total = form.get(-1, 0)
    for key, factor in form.items():
        if key >= 0:
            known = bounds[key][1 if upper == (factor > 0) else 0]
            if known is None:
                return None
            total += known * factor
    return total


def _divisor(expr: AffineExpr, dims: Operands) -> int:
    """The largest number known to divide the expression, by the steps of loops if it is one loop's variable."""
    if not isinstance(expr, AffineDimExpr):
        return divisor_of(expr)
    loop = loop_of(dims[expr.position])
    if loop is None:
        return 1
    known = loop.step.value.data
    if constant_bound(loop.lowerBoundMap.data) != 0:
        from math import gcd

        known = gcd(known, *(divisor_of(result) for result in loop.lowerBoundMap.data.results))
    return known


def _is_below(expr: AffineExpr, dims: Operands, limit: int) -> bool:
    """Whether 0 <= expr < limit."""
    if isinstance(expr, AffineConstantExpr):
        return 0 <= expr.value < limit
    if not isinstance(expr, AffineDimExpr) or (loop := loop_of(dims[expr.position])) is None:
        return False
    low, end = constant_bound(loop.lowerBoundMap.data), constant_bound(loop.upperBoundMap.data)
    return low is not None and end is not None and low >= 0 and end <= limit


def _with_operands(expr: AffineExpr, dims: Operands, symbols: Operands) -> AffineExpr:
    if not isinstance(expr, AffineBinaryOpExpr):
        return expr
    expr = BUILDERS[expr.kind](_with_operands(expr.lhs, dims, symbols), _with_operands(expr.rhs, dims, symbols))
    if not isinstance(expr, AffineBinaryOpExpr) or expr.kind not in (FLOOR, CEIL, MOD):
        return expr
    lhs, rhs = expr.lhs, expr.rhs
    if not isinstance(rhs, AffineConstantExpr) or rhs.value <= 0:
        return expr
    c = rhs.value
    bounds = [bounds_of(value) for value in (*dims, *symbols)]
    low, high = (bound_of(lhs, bounds, len(dims), upper=which) for which in (False, True))
    if low is not None and high is not None:
        if expr.kind is FLOOR and low // c == high // c:
            return AffineConstantExpr(low // c)
        if expr.kind is CEIL and -(-low // c) == -(-high // c):
            return AffineConstantExpr(-(-low // c))
        if expr.kind is MOD and 0 <= low < c and high < c:
            return lhs
    if isinstance(lhs, AffineBinaryOpExpr) and lhs.kind is ADD:
        for quotient, rest in ((lhs.lhs, lhs.rhs), (lhs.rhs, lhs.lhs)):
            known = _divisor(quotient, dims)
            if known and _is_below(rest, dims, known):
                if expr.kind is FLOOR and c % known == 0:
                    return floordiv(quotient, rhs)
                if expr.kind is MOD and known % c == 0:
                    return mod(rest, rhs)
                return expr
    if (expr.kind is FLOOR and _is_below(lhs, dims, c)) or (expr.kind is MOD and _divisor(lhs, dims) % c == 0):
        return ZERO
    return expr


def irredundant(map: AffineMap, operands: Sequence[SSAValue], *, largest: bool) -> AffineMap:
    """The map of a `max` (`largest`) or `min` without the results that another one always beats."""
    if not operands:
        return map
    known = [bounds_of(value) for value in operands]
    bounds = [(bound_of(expr, known, map.num_dims, upper=False), bound_of(expr, known, map.num_dims, upper=True)) for expr in map.results]
    kept: list[AffineExpr] = []
    for index, (expr, (low, high)) in enumerate(zip(map.results, bounds, strict=True)):
        if low is not None and low == high:
            expr = AffineConstantExpr(low)
        if not any(_beats(other, bounds[index], largest, index < n) for n, other in enumerate(bounds) if n != index):
            kept.append(expr)
    return AffineMap(map.num_dims, map.num_symbols, tuple(kept))


def _beats(other: Bounds, mine: Bounds, largest: bool, i_am_first: bool) -> bool:
    """Whether the other one makes mine needless. Of two equal constants the first stays."""
    theirs, limit = (other[0], mine[1]) if largest else (other[1], mine[0])
    if limit is None or theirs is None:
        return False
    if theirs != limit:
        return theirs > limit if largest else theirs < limit
    return not (i_am_first and mine[0] == mine[1] and other[0] == other[1])


def leaf_operand(expr: AffineExpr, map: AffineMap, operands: Sequence[SSAValue]) -> SSAValue | None:
    """The operand that an expression is."""
    if isinstance(expr, AffineDimExpr):
        return operands[expr.position]
    return operands[map.num_dims + expr.position] if isinstance(expr, AffineSymExpr) else None
