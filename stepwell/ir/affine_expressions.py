"""Affine expressions in the form that upstream gives them: what is built from parts is folded at once, what is simplified is made linear.

In: expressions, maps and sets of xDSL. Out: equal ones in canonical form. Sums are dimensions, symbols, divisions, constant, in this
order; a remainder is `a - (a floordiv c) * c` until the two meet, then `a mod c` again. Everything here is pure Python on immutable
trees, without `isinstance` of generic types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import gcd

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineConstraintExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSet,
    AffineSymExpr,
)

ADD, MUL, MOD = AffineBinaryOpKind.Add, AffineBinaryOpKind.Mul, AffineBinaryOpKind.Mod
FLOOR, CEIL = AffineBinaryOpKind.FloorDiv, AffineBinaryOpKind.CeilDiv
ZERO = AffineConstantExpr(0)
dim = lru_cache(64)(AffineDimExpr)
symbol = lru_cache(64)(AffineSymExpr)
Binary = AffineBinaryOpExpr
Constant = AffineConstantExpr


# ---- one operation, folded ----------------------------------------------------------------------------------------------------------


def wrapped(value: int) -> AffineConstantExpr:
    """The constant of that value as a signed number of 64 bits."""
    return Constant((value + (1 << 63)) % (1 << 64) - (1 << 63))


def is_symbolic(expr: AffineExpr) -> bool:
    """Whether no dimension occurs."""
    if isinstance(expr, Binary):
        return is_symbolic(expr.lhs) and is_symbolic(expr.rhs)
    return not isinstance(expr, AffineDimExpr)


def divisor_of(expr: AffineExpr) -> int:
    """The largest number that is known to divide every value of the expression; 0 for zero."""
    if isinstance(expr, Constant):
        return abs(expr.value)
    if not isinstance(expr, Binary):
        return 1
    if expr.kind is MUL:
        return divisor_of(expr.lhs) * divisor_of(expr.rhs)
    if expr.kind is ADD or expr.kind is MOD:
        return gcd(divisor_of(expr.lhs), divisor_of(expr.rhs))
    known = divisor_of(expr.lhs)
    if isinstance(expr.rhs, Constant) and expr.rhs.value and known % expr.rhs.value == 0:
        return abs(known // expr.rhs.value)
    return 1


def _scaled(expr: AffineExpr) -> tuple[AffineExpr, int]:
    """`e * c` as (e, c)."""
    if isinstance(expr, Binary) and expr.kind is MUL and isinstance(expr.rhs, Constant):
        return expr.lhs, expr.rhs.value
    return expr, 1


def add(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr:
    """`lhs + rhs`: constants last and folded, symbols after dimensions, `a * c + a * d` joined, remainders found."""
    if isinstance(lhs, Constant):
        if isinstance(rhs, Constant):
            return wrapped(lhs.value + rhs.value)
        return add(rhs, lhs)
    if isinstance(rhs, Constant):
        if rhs.value == 0:
            return lhs
    elif is_symbolic(lhs) and not is_symbolic(rhs):
        return add(rhs, lhs)
    tail = lhs.rhs if isinstance(lhs, Binary) and lhs.kind is ADD and isinstance(lhs.rhs, Constant) else None
    if tail is not None and isinstance(lhs, Binary):
        if isinstance(rhs, Constant):
            return add(lhs.lhs, wrapped(tail.value + rhs.value))
    (first, c), (second, d) = _scaled(lhs), _scaled(rhs)
    if first == second:
        return mul(first, wrapped(c + d))
    if tail is not None and isinstance(lhs, Binary):
        return add(add(lhs.lhs, rhs), tail)
    if (remainder := _as_remainder(lhs, rhs)) is not None:
        return remainder
    return Binary(ADD, lhs, rhs)


def _as_remainder(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr | None:
    """`e + (e floordiv q) * -q`, for a positive constant or any symbolic q."""
    if not isinstance(rhs, Binary) or rhs.kind is not MUL:
        return None
    factor, quotient = rhs.rhs, rhs.lhs
    if not isinstance(factor, Constant) or not isinstance(quotient, Binary):
        return None
    if factor.value == -1 and quotient.kind is MUL:  # ((e floordiv q) * q) * -1
        division, q = quotient.lhs, quotient.rhs
        if isinstance(division, Binary) and division.kind is FLOOR and division.rhs == q and division.lhs == lhs:
            return mod(lhs, q)
    if quotient.kind is FLOOR and isinstance(quotient.rhs, Constant) and quotient.lhs == lhs:
        if 0 < quotient.rhs.value == -factor.value:
            return mod(lhs, quotient.rhs)
    return None


def mul(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr:
    """`lhs * rhs`: the constant, or else what is symbolic, on the right."""
    if isinstance(lhs, Constant):
        if isinstance(rhs, Constant):
            return wrapped(lhs.value * rhs.value)
        return mul(rhs, lhs)
    if not is_symbolic(rhs):
        return mul(rhs, lhs) if is_symbolic(lhs) else Binary(MUL, lhs, rhs)
    if isinstance(rhs, Constant):
        if rhs.value == 1:
            return lhs
        if rhs.value == 0:
            return rhs
    if isinstance(lhs, Binary) and lhs.kind is MUL and isinstance(lhs.rhs, Constant):
        if isinstance(rhs, Constant):
            return mul(lhs.lhs, wrapped(lhs.rhs.value * rhs.value))
        return mul(mul(lhs.lhs, rhs), lhs.rhs)
    return Binary(MUL, lhs, rhs)


def floordiv(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr:
    """`lhs floordiv rhs`"""
    if not isinstance(rhs, Constant) or rhs.value == 0:
        return Binary(FLOOR, lhs, rhs)
    c = rhs.value
    if isinstance(lhs, Constant):
        return Constant(lhs.value // c)
    if c == 1:
        return lhs
    if isinstance(lhs, Binary):
        if lhs.kind is MUL and isinstance(lhs.rhs, Constant) and lhs.rhs.value % c == 0:
            return mul(lhs.lhs, Constant(lhs.rhs.value // c))
        if lhs.kind is ADD and (divisor_of(lhs.lhs) % c == 0 or divisor_of(lhs.rhs) % c == 0):
            return add(floordiv(lhs.lhs, rhs), floordiv(lhs.rhs, rhs))
    return Binary(FLOOR, lhs, rhs)


def ceildiv(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr:
    """`lhs ceildiv rhs`"""
    if not isinstance(rhs, Constant) or rhs.value == 0:
        return Binary(CEIL, lhs, rhs)
    c = rhs.value
    if isinstance(lhs, Constant):
        return Constant(-(-lhs.value // c))
    if c == 1:
        return lhs
    if isinstance(lhs, Binary) and lhs.kind is MUL and isinstance(lhs.rhs, Constant) and lhs.rhs.value % c == 0:
        return mul(lhs.lhs, Constant(lhs.rhs.value // c))
    return Binary(CEIL, lhs, rhs)


def mod(lhs: AffineExpr, rhs: AffineExpr) -> AffineExpr:
    """`lhs mod rhs`; of a modulus below 1, which has no meaning, nothing is concluded."""
    if not isinstance(rhs, Constant) or rhs.value < 1:
        return Binary(MOD, lhs, rhs)
    c = rhs.value
    if isinstance(lhs, Constant):
        return Constant(lhs.value % c)
    if divisor_of(lhs) % c == 0:
        return ZERO
    if isinstance(lhs, Binary):
        if lhs.kind is ADD:
            if divisor_of(lhs.lhs) % c == 0:
                return mod(lhs.rhs, rhs)
            if divisor_of(lhs.rhs) % c == 0:
                return mod(lhs.lhs, rhs)
        if lhs.kind is MOD and isinstance(lhs.rhs, Constant) and lhs.rhs.value >= 1 and lhs.rhs.value % c == 0:
            return mod(lhs.lhs, rhs)
    return Binary(MOD, lhs, rhs)


BUILDERS: dict[AffineBinaryOpKind, Callable[[AffineExpr, AffineExpr], AffineExpr]] = {
    ADD: add,
    MUL: mul,
    MOD: mod,
    FLOOR: floordiv,
    CEIL: ceildiv,
}


def negated(expr: AffineExpr) -> AffineExpr:
    """`-expr`"""
    return mul(expr, Constant(-1))


# ---- substitution -------------------------------------------------------------------------------------------------------------------


def replace(expr: AffineExpr, dims: Sequence[AffineExpr], symbols: Sequence[AffineExpr]) -> AffineExpr:
    """The expression with these in place of its dimensions and symbols; those that the sequences do not reach stay."""
    if isinstance(expr, Binary):
        lhs, rhs = replace(expr.lhs, dims, symbols), replace(expr.rhs, dims, symbols)
        return expr if lhs is expr.lhs and rhs is expr.rhs else BUILDERS[expr.kind](lhs, rhs)
    if isinstance(expr, AffineDimExpr):
        return dims[expr.position] if expr.position < len(dims) else expr
    if isinstance(expr, AffineSymExpr):
        return symbols[expr.position] if expr.position < len(symbols) else expr
    return expr


def rebuilt(expr: AffineExpr) -> AffineExpr:
    """The same expression with every operation folded."""
    if isinstance(expr, Binary):
        return BUILDERS[expr.kind](rebuilt(expr.lhs), rebuilt(expr.rhs))
    return expr


def shifted(expr: AffineExpr, dims: int, symbols: int) -> AffineExpr:
    """Every dimension and symbol moved up by so many positions."""
    if isinstance(expr, Binary):
        return Binary(expr.kind, shifted(expr.lhs, dims, symbols), shifted(expr.rhs, dims, symbols))
    if isinstance(expr, AffineDimExpr):
        return dim(expr.position + dims)
    if isinstance(expr, AffineSymExpr):
        return symbol(expr.position + symbols)
    return expr


def used(exprs: Sequence[AffineExpr]) -> tuple[set[int], set[int]]:
    """The positions of the dimensions and of the symbols that occur."""
    dims: set[int] = set()
    symbols: set[int] = set()
    pending = list(exprs)
    while pending:
        expr = pending.pop()
        if isinstance(expr, Binary):
            pending += (expr.lhs, expr.rhs)
        elif isinstance(expr, AffineDimExpr):
            dims.add(expr.position)
        elif isinstance(expr, AffineSymExpr):
            symbols.add(expr.position)
    return dims, symbols


# ---- linear forms -------------------------------------------------------------------------------------------------------------------

Form = dict[int, int]
"""Factors by variable: dimensions, then symbols, then locals (what is not linear itself). The constant term has the key -1."""


class _NotLinear(Exception):
    """A division by zero or by something negative."""


class Flattener:
    """Expressions as linear forms over dimensions, symbols and what divisions and products of symbols give."""

    def __init__(self, num_dims: int, num_symbols: int) -> None:
        self.num_dims = num_dims
        self.first_local = num_dims + num_symbols
        self.locals: list[AffineExpr] = []

    def form(self, expr: AffineExpr) -> Form:
        if isinstance(expr, Constant):
            return {-1: expr.value} if expr.value else {}
        if isinstance(expr, AffineDimExpr):
            return {expr.position: 1}
        if isinstance(expr, AffineSymExpr):
            return {self.num_dims + expr.position: 1}
        assert isinstance(expr, Binary)
        lhs, rhs = self.form(expr.lhs), self.form(expr.rhs)
        if expr.kind is ADD:
            return _sum(lhs, rhs)
        if any(key != -1 for key in rhs):
            return self._local(BUILDERS[expr.kind](self.expression(lhs), self.expression(rhs)))
        c = rhs.get(-1, 0)
        if expr.kind is MUL:
            return {key: factor * c for key, factor in lhs.items()} if c else {}
        if c <= 0:
            raise _NotLinear
        return self._remainder(lhs, c) if expr.kind is MOD else self._quotient(lhs, c, BUILDERS[expr.kind])

    def _local(self, expr: AffineExpr) -> Form:
        if isinstance(expr, Constant):
            return {-1: expr.value} if expr.value else {}
        if expr not in self.locals:
            self.locals.append(expr)
        return {self.first_local + self.locals.index(expr): 1}

    def _quotient(self, lhs: Form, c: int, divide: Callable[[AffineExpr, AffineExpr], AffineExpr]) -> Form:
        common = gcd(c, *lhs.values())
        if common != 1:
            lhs = {key: factor // common for key, factor in lhs.items()}
        return lhs if c == common else self._local(divide(self.expression(lhs), Constant(c // common)))

    def _remainder(self, lhs: Form, c: int) -> Form:
        if all(factor % c == 0 for factor in lhs.values()):
            return {}
        common = gcd(c, *lhs.values())
        quotient = floordiv(self.expression({key: factor // common for key, factor in lhs.items()}), Constant(c // common))
        return _sum(lhs, {key: -c * factor for key, factor in self._local(quotient).items()})

    def expression(self, form: Form) -> AffineExpr:
        """The sum that a form stands for."""
        total: AffineExpr = ZERO
        for key in sorted(key for key in form if key >= 0):
            total = add(total, mul(self._leaf(key), Constant(form[key])))
        return add(total, Constant(form.get(-1, 0)))

    def semi_affine_expression(self, form: Form) -> AffineExpr:
        """The same, products of two variables in the order of their variables."""

        def place(key: int) -> tuple[int, int, int]:
            if key < self.first_local:
                return key, -1, key
            expr = self.locals[key - self.first_local]
            if isinstance(expr, Binary):
                positions = [self._position(part) for part in (expr.lhs, expr.rhs)]
                if positions[0] >= 0 and (positions[1] >= 0 or isinstance(expr.rhs, Constant)):
                    return positions[0], positions[1], key
            return self.first_local, 0, key

        total: AffineExpr = ZERO
        for key in sorted((key for key in form if key >= 0), key=place):
            total = add(total, mul(self._leaf(key), Constant(form[key])))
        return add(total, Constant(form.get(-1, 0)))

    def _position(self, expr: AffineExpr) -> int:
        if isinstance(expr, AffineDimExpr):
            return expr.position
        return self.num_dims + expr.position if isinstance(expr, AffineSymExpr) else -1

    def _leaf(self, key: int) -> AffineExpr:
        if key < self.num_dims:
            return dim(key)
        return symbol(key - self.num_dims) if key < self.first_local else self.locals[key - self.first_local]


def _sum(a: Form, b: Form) -> Form:
    total = dict(a)
    for key, factor in b.items():
        if (sum := total.get(key, 0) + factor) == 0:
            total.pop(key, None)
        else:
            total[key] = sum
    return total


def linear_form(expr: AffineExpr, num_dims: int, num_symbols: int) -> Form | None:
    """The linear form of an expression over dimensions and symbols alone; None where there is none."""
    flattener = Flattener(num_dims, num_symbols)
    try:
        form = flattener.form(expr)
    except _NotLinear:
        return None
    return None if flattener.locals else form


def _divisible(expr: AffineExpr, by: AffineSymExpr) -> bool:
    """Whether a symbol divides an expression: it is a factor of every term, or the term is `a - a mod s`."""
    if isinstance(expr, Constant):
        return expr.value == 0
    if not isinstance(expr, Binary):
        return expr == by
    if expr.kind is MUL:
        return _divisible(expr.lhs, by) or _divisible(expr.rhs, by)
    if expr.kind is MOD:
        return _divisible(expr.lhs, by) and _divisible(expr.rhs, by)
    if expr.kind is not ADD:
        return False
    rest, factor = _scaled(expr.rhs)
    if factor == -1 and isinstance(rest, Binary) and rest.kind is MOD and rest.rhs == by and rest.lhs == expr.lhs:
        return True
    return _divisible(expr.lhs, by) and _divisible(expr.rhs, by)


def _without_symbolic_remainders(expr: AffineExpr) -> AffineExpr:
    """`e mod s` is 0 where the symbol s divides e."""
    if not isinstance(expr, Binary):
        return expr
    lhs, rhs = _without_symbolic_remainders(expr.lhs), _without_symbolic_remainders(expr.rhs)
    if expr.kind is MOD and isinstance(rhs, AffineSymExpr) and _divisible(lhs, rhs):
        return ZERO
    return BUILDERS[expr.kind](lhs, rhs)


# ---- simplification -------------------------------------------------------------------------------------------------------------------


@lru_cache(4096)
def simplify(expr: AffineExpr, num_dims: int, num_symbols: int) -> AffineExpr:
    """The canonical form of an expression."""
    for _ in range(8):  # once is nearly always enough
        simpler = _simplified(expr, num_dims, num_symbols)
        if simpler == expr:
            break
        expr = simpler
    return expr


def _simplified(expr: AffineExpr, num_dims: int, num_symbols: int) -> AffineExpr:
    if not isinstance(expr, Binary):
        return expr
    flattener = Flattener(num_dims, num_symbols)
    if not expr.is_pure_affine():
        expr = _without_symbolic_remainders(expr)
    try:
        form = flattener.form(expr)
    except _NotLinear:
        return expr
    if expr.is_pure_affine():
        return flattener.expression(form)
    return flattener.semi_affine_expression(form)


def simplify_map(map: AffineMap) -> AffineMap:
    """Every result in canonical form."""
    results = tuple(simplify(result, map.num_dims, map.num_symbols) for result in map.results)
    return map if results == map.results else AffineMap(map.num_dims, map.num_symbols, results)


def simplify_set(set: AffineSet) -> AffineSet:
    """Every constraint in canonical form."""
    return AffineSet(
        set.num_dims,
        set.num_symbols,
        tuple(constraint(c, simplify(c.lhs, set.num_dims, set.num_symbols)) for c in set.constraints),
    )


def constraint(like: AffineConstraintExpr, lhs: AffineExpr) -> AffineConstraintExpr:
    """A constraint of the same kind, against zero, on another expression."""
    return AffineConstraintExpr(like.kind, lhs, ZERO, canonicalize=False)
