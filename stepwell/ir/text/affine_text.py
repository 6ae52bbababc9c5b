"""Affine maps, sets and expressions as MLIR writes them: no parentheses but those that are needed, `d0 - 1` for `d0 + -1`."""

from __future__ import annotations

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineConstraintKind,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSet,
    AffineSymExpr,
)

_WORDS = {
    AffineBinaryOpKind.Add: " + ",
    AffineBinaryOpKind.Mul: " * ",
    AffineBinaryOpKind.FloorDiv: " floordiv ",
    AffineBinaryOpKind.CeilDiv: " ceildiv ",
    AffineBinaryOpKind.Mod: " mod ",
}
_CONSTRAINTS = {AffineConstraintKind.eq: "==", AffineConstraintKind.ge: ">=", AffineConstraintKind.le: "<="}


def map_text(map: AffineMap) -> str:
    """`(d0)[s0] -> (d0 + s0)`"""
    return f"{_inputs(map.num_dims, map.num_symbols)} -> ({', '.join(map_results(map))})"


def map_results(map: AffineMap) -> list[str]:
    """The results of a map, one text each."""
    return [expression_text(result) for result in map.results]


def set_text(set: AffineSet) -> str:
    """`(d0) : (d0 - 1 >= 0)`"""
    constraints = [_constraint(c.lhs, c.kind, c.rhs) for c in set.constraints]
    return f"{_inputs(set.num_dims, set.num_symbols)} : ({', '.join(constraints)})"


def _constraint(lhs: AffineExpr, kind: AffineConstraintKind, rhs: AffineExpr) -> str:
    return f"{expression_text(lhs)} {_CONSTRAINTS[kind]} {expression_text(rhs)}"


def _inputs(dims: int, symbols: int) -> str:
    text = f"({', '.join(f'd{i}' for i in range(dims))})"
    return f"{text}[{', '.join(f's{i}' for i in range(symbols))}]" if symbols else text


def expression_text(expression: AffineExpr, names: dict[AffineExpr, str] | None = None, *, tight: bool = False) -> str:
    """An expression; `names` says what to write for dimensions and symbols, `tight` asks for parentheses around anything compound."""
    match expression:
        case AffineDimExpr():
            return names[expression] if names else f"d{expression.position}"
        case AffineSymExpr():
            return names[expression] if names else f"s{expression.position}"
        case AffineConstantExpr():
            return str(expression.value)
        case AffineBinaryOpExpr():
            text = _sum(expression, names) if expression.kind is AffineBinaryOpKind.Add else _product(expression, names)
            return f"({text})" if tight else text
        case _:
            return str(expression)


def _product(expression: AffineBinaryOpExpr, names: dict[AffineExpr, str] | None) -> str:
    left = expression_text(expression.lhs, names, tight=True)
    if expression.kind is AffineBinaryOpKind.Mul and expression.rhs == AffineConstantExpr(-1):
        return f"-{left}"
    return left + _WORDS[expression.kind] + expression_text(expression.rhs, names, tight=True)


def _sum(expression: AffineBinaryOpExpr, names: dict[AffineExpr, str] | None) -> str:
    left, right = expression_text(expression.lhs, names), expression.rhs
    if isinstance(right, AffineConstantExpr) and right.value < 0:
        return f"{left} - {-right.value}"
    if isinstance(right, AffineBinaryOpExpr) and right.kind is AffineBinaryOpKind.Mul:
        factor = right.rhs
        if isinstance(factor, AffineConstantExpr) and factor.value < 0:
            if factor.value == -1:
                is_sum = isinstance(right.lhs, AffineBinaryOpExpr) and right.lhs.kind is AffineBinaryOpKind.Add
                return f"{left} - {expression_text(right.lhs, names, tight=is_sum)}"
            return f"{left} - {expression_text(right.lhs, names, tight=True)} * {-factor.value}"
    return f"{left} + {expression_text(right, names)}"
