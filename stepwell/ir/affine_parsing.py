"""Affine maps and sets in text, semi-affine ones too: `d0 floordiv s0`, `d0 * s0`, which xDSL's parser refuses."""

from __future__ import annotations

from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineExpr
from xdsl.parser.affine_parser import AffineParser
from xdsl.utils.exceptions import ParseError
from xdsl.utils.mlir_lexer import MLIRToken

KINDS = {
    "*": AffineBinaryOpKind.Mul,
    "mod": AffineBinaryOpKind.Mod,
    "floordiv": AffineBinaryOpKind.FloorDiv,
    "ceildiv": AffineBinaryOpKind.CeilDiv,
}


class SemiAffineParser(AffineParser):
    """xDSL's parser, where a product, a divisor or a modulus may be any expression of symbols."""

    def _create_binop_expr(self, lhs: AffineExpr, rhs: AffineExpr, binop: MLIRToken) -> AffineExpr:
        kind = KINDS.get(binop.text)
        constants = isinstance(rhs, AffineConstantExpr), isinstance(lhs, AffineConstantExpr)
        if kind is None or constants[0] or (constants[1] and kind is AffineBinaryOpKind.Mul):
            return super()._create_binop_expr(lhs, rhs, binop)
        if not is_symbolic(rhs) and not (kind is AffineBinaryOpKind.Mul and is_symbolic(lhs)):
            what = "at least one of the multiply operands" if kind is AffineBinaryOpKind.Mul else f"right operand of {binop.text}"
            raise ParseError(binop.span, f"non-affine expression: {what} has to be either a constant or symbolic")
        return AffineBinaryOpExpr(kind, lhs, rhs)


def is_symbolic(expr: AffineExpr) -> bool:
    """Whether no dimension occurs in an expression."""
    return not expr.used_dims()
