"""The Omega test against counting: random small sets inside a box, whose points can be enumerated."""

from __future__ import annotations

import itertools
import random

import pytest
from xdsl.ir.affine import AffineConstantExpr

from stepwell.ir.affine_expressions import add, dim, floordiv, mod
from stepwell.ir.integer_sets import IntegerSet, Linear, NotLinear, constant, plus

BOX = 4


def _random_rows(rng: random.Random, count: int) -> list[tuple[Linear, bool]]:
    rows: list[tuple[Linear, bool]] = []
    for _ in range(rng.randint(1, 4)):
        row: Linear = {v: factor for v in range(count) if (factor := rng.randint(-5, 5))}
        rows.append((plus(row, constant(rng.randint(-9, 9))), rng.random() < 0.4))
    return rows


def _value(row: Linear, point: tuple[int, ...]) -> int:
    return row.get(None, 0) + sum(row.get(v, 0) * x for v, x in enumerate(point))


@pytest.mark.parametrize("seed", range(8))
def test_emptiness_is_exact(seed: int) -> None:
    rng = random.Random(seed)
    answers: set[bool] = set()
    for _ in range(100):
        count = rng.randint(1, 3)
        rows = _random_rows(rng, count)
        known = IntegerSet()
        for v in range(count):
            known.at_least({v: 1, None: BOX}).at_least({v: -1, None: BOX})
        for row, is_equality in rows:
            (known.equal if is_equality else known.at_least)(row)
        points = itertools.product(range(-BOX, BOX + 1), repeat=count)
        has_point = any(all(_value(row, p) == 0 if equal else _value(row, p) >= 0 for row, equal in rows) for p in points)
        assert known.is_empty() is not has_point
        answers.add(has_point)
    assert answers == {True, False}


def test_quotients() -> None:
    known = IntegerSet()
    x: Linear = {"x": 1}
    quotient = known.linear(floordiv(dim(0), AffineConstantExpr(4)), {0: x}, {})
    rest = known.linear(mod(dim(0), AffineConstantExpr(4)), {0: x}, {})
    assert known.implies(plus(plus(x, quotient, -4), rest, -1), "==")
    assert known.implies(plus(constant(3), rest, -1))
    assert not known.implies(plus(constant(2), rest, -1))


def test_products_are_refused() -> None:
    with pytest.raises(NotLinear):
        IntegerSet().linear(mod(dim(0), add(dim(1), AffineConstantExpr(1))), {0: {"x": 1}, 1: {"y": 1}}, {})
