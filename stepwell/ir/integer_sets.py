"""Sets of integer points that linear constraints describe, and whether they are empty: the Omega test.

In: equalities and inequalities over variables, which are any hashable things. Out: an answer that is exact: equalities are eliminated over
the integers, inequalities by Fourier and Motzkin, with the dark shadow and splinters where dividing would forget that points are integers.
(Pugh, The Omega Test: a fast and practical integer programming algorithm for dependence analysis, 1991.)

An answer is "not empty" also where the search is given up: whoever asks wants to know that something cannot be.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import count
from math import gcd
from typing import Literal

from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineSymExpr

from stepwell.ir.affine_expressions import ADD, CEIL, FLOOR, MOD, MUL, Binary

Variable = Hashable
Linear = dict[Variable, int]
"""Factors by variable; the constant term has the key None. No factor is 0."""

MOST_ROWS = 20_000
"""So many rows may be made before the search is given up."""


_FRESH = count()


class NotLinear(Exception):
    """An expression that multiplies variables, or divides by one."""


def plus(a: Mapping[Variable, int], b: Mapping[Variable, int], factor: int = 1) -> Linear:
    """`a + factor * b`"""
    total = dict(a)
    for key, value in b.items():
        if (new := total.get(key, 0) + factor * value) == 0:
            total.pop(key, None)
        else:
            total[key] = new
    return total


def times(a: Mapping[Variable, int], factor: int) -> Linear:
    """`factor * a`"""
    return {key: factor * value for key, value in a.items()} if factor else {}


def constant(value: int) -> Linear:
    """A number."""
    return {None: value} if value else {}


class IntegerSet:
    """A conjunction of `linear == 0` and `linear >= 0`."""

    def __init__(self) -> None:
        self.equalities: list[Linear] = []
        self.inequalities: list[Linear] = []
        self._fresh = 0

    def copy(self) -> IntegerSet:
        """The same constraints, to be added to."""
        new = IntegerSet()
        new.equalities, new.inequalities, new._fresh = list(self.equalities), list(self.inequalities), self._fresh
        return new

    def equal(self, linear: Linear) -> IntegerSet:
        """Add `linear == 0`."""
        self.equalities.append(linear)
        return self

    def at_least(self, linear: Linear) -> IntegerSet:
        """Add `linear >= 0`."""
        self.inequalities.append(linear)
        return self

    def variable(self) -> Variable:
        """A variable that nobody else has."""
        self._fresh += 1
        return ("local", self._fresh)

    def linear(self, expr: AffineExpr, dims: Mapping[int, Linear], symbols: Mapping[int, Linear]) -> Linear:
        """An affine expression; quotients become variables, with the constraints that define them. Raises NotLinear."""
        if isinstance(expr, AffineConstantExpr):
            return constant(expr.value)
        if isinstance(expr, AffineDimExpr):
            return dims[expr.position]
        if isinstance(expr, AffineSymExpr):
            return symbols[expr.position]
        assert isinstance(expr, Binary)
        lhs, rhs = self.linear(expr.lhs, dims, symbols), self.linear(expr.rhs, dims, symbols)
        if expr.kind is ADD:
            return plus(lhs, rhs)
        if expr.kind is MUL and set(lhs) <= {None}:
            lhs, rhs = rhs, lhs
        if not set(rhs) <= {None}:
            raise NotLinear
        number = rhs.get(None, 0)
        if expr.kind is MUL:
            return times(lhs, number)
        if number <= 0:
            raise NotLinear
        if expr.kind is CEIL:
            lhs = plus(lhs, constant(number - 1))
        quotient = self.quotient(lhs, number)
        assert expr.kind in (CEIL, FLOOR, MOD)
        return plus(lhs, quotient, -number) if expr.kind is MOD else quotient

    def quotient(self, linear: Linear, divisor: int) -> Linear:
        """`linear floordiv divisor`"""
        if all(value % divisor == 0 for value in linear.values()):
            return {key: value // divisor for key, value in linear.items()}
        new: Linear = {self.variable(): 1}
        rest = plus(linear, new, -divisor)
        self.at_least(rest).at_least(plus(constant(divisor - 1), rest, -1))
        return new

    # ---- questions

    def is_empty(self) -> bool:
        """Whether no point satisfies all constraints."""
        return _is_empty(self.equalities, self.inequalities, [MOST_ROWS])

    def implies(self, linear: Linear, kind: Literal["==", ">="] = ">=") -> bool:
        """Whether the constraint holds in every point."""
        below = self.copy().at_least(plus(constant(-1), linear, -1)).is_empty()
        if kind == ">=" or not below:
            return below
        return self.copy().at_least(plus(linear, constant(-1))).is_empty()


# ---- the test -----------------------------------------------------------------------------------------------------------------------


def _is_empty(equalities: Iterable[Linear], inequalities: Iterable[Linear], budget: list[int]) -> bool:
    known = _without_equalities(list(equalities), list(inequalities))
    while known is not None:
        rows = _tightened(known)
        if rows is None:
            return True
        variables = {key for row in rows for key in row if key is not None}
        if not variables:
            return False
        variable, exact = _cheapest(rows, variables)
        lower = [row for row in rows if row.get(variable, 0) > 0]
        upper = [row for row in rows if row.get(variable, 0) < 0]
        rest = [row for row in rows if variable not in row]
        budget[0] -= len(lower) * len(upper) + 1
        if budget[0] < 0:
            return False
        if exact:
            known = rest + _shadow(lower, upper, variable, dark=False)
            continue
        if _is_empty([], rest + _shadow(lower, upper, variable, dark=False), budget):
            return True
        if not _is_empty([], rest + _shadow(lower, upper, variable, dark=True), budget):
            return False
        return _splinters_are_empty(rows, lower, upper, variable, budget)
    return True


def _splinters_are_empty(rows: list[Linear], lower: list[Linear], upper: list[Linear], variable: Variable, budget: list[int]) -> bool:
    """What the dark shadow misses lies near a lower bound: `b * x = bound + i` for small i."""
    largest = max(-row[variable] for row in upper)
    for row in lower:
        factor = row[variable]
        for i in range((largest * factor - largest - factor) // largest + 1):
            if not _is_empty([plus(row, constant(-i))], rows, budget):
                return False
    return True


def _without_equalities(equalities: list[Linear], inequalities: list[Linear]) -> list[Linear] | None:
    """The inequalities after every equality has been solved for one of its variables; None where one has no solution."""
    while equalities:
        row = equalities.pop()
        factors = {key: value for key, value in row.items() if key is not None}
        if not factors:
            if row.get(None, 0):
                return None
            continue
        common = gcd(*factors.values())
        if row.get(None, 0) % common:
            return None
        row = {key: value // common for key, value in row.items()}
        variable = min(factors, key=lambda key: abs(row[key]))
        factor = row[variable]
        if abs(factor) == 1:
            solution = times({key: value for key, value in row.items() if key != variable}, -factor)
        else:
            # A new variable takes the multiples of m = |factor| + 1 out of the others, so that the factor of this one is 1.
            m, sign = abs(factor) + 1, 1 if factor > 0 else -1
            reduced = {key: _symmetric_remainder(value, m) for key, value in row.items()}
            new: Linear = {key: sign * value for key, value in reduced.items() if key != variable and value}
            solution = plus(new, {("solved", next(_FRESH)): -sign * m})
            equalities.append(row)
        equalities = [_substituted(other, variable, solution) for other in equalities]
        inequalities = [_substituted(other, variable, solution) for other in inequalities]
    return inequalities


def _symmetric_remainder(value: int, m: int) -> int:
    """`value` modulo m, in [-m/2, m/2)."""
    return value - m * ((2 * value + m) // (2 * m))


def _substituted(row: Linear, variable: Variable, solution: Linear) -> Linear:
    factor = row.get(variable, 0)
    if not factor:
        return row
    return plus({key: value for key, value in row.items() if key != variable}, solution, factor)


def _tightened(rows: Iterable[Linear]) -> list[Linear] | None:
    """The same inequalities divided by what their factors have in common, the tightest of parallel ones; None where one cannot hold."""
    best: dict[frozenset[tuple[Variable, int]], int] = {}
    for row in rows:
        factors = {key: value for key, value in row.items() if key is not None}
        bound = row.get(None, 0)
        if not factors:
            if bound < 0:
                return None
            continue
        common = gcd(*factors.values())
        key = frozenset((name, value // common) for name, value in factors.items())
        best[key] = min(best.get(key, bound // common), bound // common)
    for key, bound in best.items():
        opposite = best.get(frozenset((name, -value) for name, value in key))
        if opposite is not None and bound + opposite < 0:
            return None
    return [plus(dict(key), constant(bound)) for key, bound in best.items()]


def _cheapest(rows: list[Linear], variables: set[Variable]) -> tuple[Variable, bool]:
    """The variable whose elimination makes the fewest rows, preferably one that loses nothing."""
    costs: list[tuple[bool, int, str, Variable]] = []
    for variable in variables:
        lower = [row[variable] for row in rows if row.get(variable, 0) > 0]
        upper = [-row[variable] for row in rows if row.get(variable, 0) < 0]
        exact = all(value == 1 for value in lower) or all(value == 1 for value in upper)
        costs.append((not exact, len(lower) * len(upper) - len(lower) - len(upper), repr(variable), variable))
    inexact, _, _, variable = min(costs, key=lambda cost: cost[:3])
    return variable, not inexact


def _shadow(lower: list[Linear], upper: list[Linear], variable: Variable, *, dark: bool) -> list[Linear]:
    """What every pair of bounds of a variable says of the others; the dark shadow is where an integer lies between them for sure."""
    rows: list[Linear] = []
    for low in lower:
        for high in upper:
            b, a = low[variable], -high[variable]
            row = plus(times(low, a), high, b)
            rows.append(plus(row, constant(-(a - 1) * (b - 1))) if dark else row)
    return rows
