"""Affine maps and sets in text, semi-affine ones too: `d0 floordiv s0`, `d0 * s0`, which xDSL's parser refuses. Folded as they are read."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir.affine import AffineConstantExpr, AffineConstraintExpr, AffineConstraintKind, AffineExpr
from xdsl.parser.affine_parser import AffineParser
from xdsl.utils.exceptions import ParseError
from xdsl.utils.mlir_lexer import MLIRToken, MLIRTokenKind

from stepwell.ir.affine_expressions import ZERO, add, ceildiv, floordiv, is_symbolic, mod, mul, negated

BUILDERS = {"+": add, "*": mul, "mod": mod, "floordiv": floordiv, "ceildiv": ceildiv}


class SemiAffineParser(AffineParser):
    """xDSL's parser, where a product, a divisor or a modulus may be any expression of symbols, and which folds as upstream's."""

    def _create_binop_expr(self, lhs: AffineExpr, rhs: AffineExpr, binop: MLIRToken) -> AffineExpr:
        if binop.text == "-":
            return add(lhs, negated(rhs))
        builder = BUILDERS.get(binop.text)
        if builder is None:
            return super()._create_binop_expr(lhs, rhs, binop)
        if builder is add or isinstance(rhs, AffineConstantExpr) or is_symbolic(rhs) or (builder is mul and is_symbolic(lhs)):
            return builder(lhs, rhs)
        what = "at least one of the multiply operands" if builder is mul else f"right operand of {binop.text}"
        raise ParseError(binop.span, f"non-affine expression: {what} has to be either a constant or symbolic")

    def _parse_affine_constraint(self, parse_optional_bare_id: Callable[[], AffineExpr | None]) -> AffineConstraintExpr:
        """`a >= b`, `a <= b` or `a == b`, as something against zero."""
        lhs = self._parse_affine_expr(parse_optional_bare_id)
        kind = self._consume_token().text + self._consume_token().text
        if kind not in ("<=", ">=", "=="):
            self.raise_error("expected '== affine-expr' or '>= affine-expr' at end of affine constraint")
        rhs = self._parse_affine_expr(parse_optional_bare_id)
        if kind == "<=":
            kind, lhs, rhs = ">=", rhs, lhs
        return AffineConstraintExpr(AffineConstraintKind(kind), add(lhs, negated(rhs)), ZERO, canonicalize=False)

    def _parse_primary(self, parse_optional_bare_id: Callable[[], AffineExpr | None]) -> AffineExpr:
        """Constants are signed numbers of 64 bits."""
        token = self._current_token
        found = super()._parse_primary(parse_optional_bare_id)
        if token.kind is MLIRTokenKind.INTEGER_LIT and isinstance(found, AffineConstantExpr) and found.value >= 1 << 63:
            raise ParseError(token.span, "constant too large for index")
        return found
