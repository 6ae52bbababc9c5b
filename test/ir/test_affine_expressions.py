"""The simplifier of affine expressions against evaluation, and its canonical form."""

from __future__ import annotations

import random

import pytest
from xdsl.ir.affine import AffineBinaryOpExpr, AffineConstantExpr, AffineExpr

from stepwell.ir import affine_expressions as expressions
from stepwell.ir.affine_expressions import ADD, CEIL, FLOOR, MOD, MUL, dim, rebuilt, simplify, symbol


def random_expression(source: random.Random, depth: int) -> AffineExpr:
    if depth == 0 or source.random() < 0.2:
        return source.choice([dim(0), dim(1), symbol(0), symbol(1), AffineConstantExpr(source.randint(-9, 9))])
    kind = source.choice([ADD, ADD, ADD, MUL, MOD, FLOOR, CEIL])
    lhs = random_expression(source, depth - 1)
    if kind is ADD:
        return AffineBinaryOpExpr(kind, lhs, random_expression(source, depth - 1))
    if source.random() < 0.15:
        return AffineBinaryOpExpr(kind, lhs, symbol(source.randint(0, 1)))
    return AffineBinaryOpExpr(kind, lhs, AffineConstantExpr(source.choice([1, 2, 3, 4, 6, 8, 16])))


@pytest.mark.parametrize("seed", range(400))
def test_values_stay(seed: int) -> None:
    source = random.Random(seed)
    expr = random_expression(source, 5)
    forms = [rebuilt(expr), simplify(expr, 2, 2)]
    for _ in range(12):
        dims = [source.randint(-40, 40), source.randint(-40, 40)]
        symbols = [source.randint(1, 12), source.randint(1, 12)]  # what divides must be positive
        for form in forms:
            assert form.eval(dims, symbols) == expr.eval(dims, symbols), f"{expr} became {form} at {dims} {symbols}"


@pytest.mark.parametrize("seed", range(100))
def test_simplified_stays(seed: int) -> None:
    expr = random_expression(random.Random(seed), 4)
    if expr.is_pure_affine():
        once = simplify(expr, 2, 2)
        assert simplify(once, 2, 2) == once


def test_remainder_is_found() -> None:
    quotient = expressions.floordiv(dim(0), AffineConstantExpr(4))
    assert expressions.add(dim(0), expressions.mul(quotient, AffineConstantExpr(-4))) == expressions.mod(dim(0), AffineConstantExpr(4))


def test_symbolic_remainder() -> None:
    rounded = expressions.add(symbol(0), expressions.negated(expressions.mod(symbol(0), symbol(1))))
    assert simplify(expressions.mod(rounded, symbol(1)), 0, 2) == AffineConstantExpr(0)


def test_large_divisor_of_sum() -> None:
    total = expressions.add(expressions.mul(dim(0), AffineConstantExpr(128)), dim(1))
    assert str(expressions.floordiv(total, AffineConstantExpr(64))) == "((d0 * 2) + (d1 floordiv 64))"
