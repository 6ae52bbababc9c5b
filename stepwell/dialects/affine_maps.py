"""Affine maps written over values: how `affine` prints and parses `[%i + 1, symbol(%n)]` and `#map(%d)[%s]`, and which values may stand
there.

In the first form a value is a dimension of the map unless it is wrapped in `symbol(...)`. Operands are the dimensions, then the symbols,
each
value once, in order of appearance.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, IndexType
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.affine_parsing import SemiAffineParser

INDEX = IndexType()


# ---- expressions over values ----------------------------------------------------------------------------------------------------


class ValueExprParser:
    """Parses affine expressions whose leaves are values; remembers the values by role."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._affine = SemiAffineParser(parser._parser_state)  # pyright: ignore[reportPrivateUsage]
        self._dims: dict[SSAValue, int] = {}
        self._symbols: dict[SSAValue, int] = {}

    def _leaf(self) -> AffineExpr | None:
        parser = self._parser
        if (operand := parser.parse_optional_unresolved_operand()) is not None:
            return AffineExpr.dimension(self._dims.setdefault(parser.resolve_operand(operand, INDEX), len(self._dims)))
        if parser.parse_optional_keyword("symbol"):
            with parser.in_parens():
                value = parser.parse_operand(INDEX)
            return AffineExpr.symbol(self._symbols.setdefault(value, len(self._symbols)))
        return None

    def expression(self) -> AffineExpr:
        return self._affine._parse_affine_expr(self._leaf)  # pyright: ignore[reportPrivateUsage]

    def finish(self, expressions: Sequence[AffineExpr]) -> tuple[AffineMap, list[SSAValue]]:
        """The map of these expressions and its operands."""
        return AffineMap(len(self._dims), len(self._symbols), tuple(expressions)), [*self._dims, *self._symbols]


def parse_value_map(parser: Parser) -> tuple[AffineMap, list[SSAValue]]:
    """`[expr, ...]`"""
    inner = ValueExprParser(parser)
    return inner.finish(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, inner.expression))


def print_value_expr(printer: Printer, expr: AffineExpr, dims: Sequence[SSAValue], symbols: Sequence[SSAValue], strength: int = 0) -> None:
    """Print an expression with values as leaves, with the fewest parentheses: `strength` 0 is a sum's, 1 a product's, 2 a divisor's
    context."""
    match expr:
        case AffineConstantExpr():
            printer.print_string(str(expr.value))
        case AffineDimExpr():
            printer.print_ssa_value(dims[expr.position])
        case AffineSymExpr():
            printer.print_string("symbol(")
            printer.print_ssa_value(symbols[expr.position])
            printer.print_string(")")
        case AffineBinaryOpExpr(kind=AffineBinaryOpKind.Add):
            sign, rhs = _signed(expr.rhs)
            with_parens = strength > 0
            printer.print_string("(" if with_parens else "")
            print_value_expr(printer, expr.lhs, dims, symbols, 0)
            printer.print_string(f" {sign} ")
            print_value_expr(printer, rhs, dims, symbols, 1 if sign == "-" else 0)
            printer.print_string(")" if with_parens else "")
        case AffineBinaryOpExpr():
            with_parens = strength > 1
            printer.print_string("(" if with_parens else "")
            print_value_expr(printer, expr.lhs, dims, symbols, 1)
            printer.print_string(f" {expr.kind.get_token()} ")
            print_value_expr(printer, expr.rhs, dims, symbols, 2)
            printer.print_string(")" if with_parens else "")
        case _:
            raise ValueError(f"not an affine expression: {expr}")


def _signed(expr: AffineExpr) -> tuple[str, AffineExpr]:
    """`+ -3` reads `- 3`, and `+ x * -1` reads `- x`."""
    if isinstance(expr, AffineConstantExpr) and expr.value < 0:
        return "-", AffineExpr.constant(-expr.value)
    if isinstance(expr, AffineBinaryOpExpr) and expr.kind is AffineBinaryOpKind.Mul and isinstance(expr.rhs, AffineConstantExpr):
        if expr.rhs.value == -1:
            return "-", expr.lhs
        if expr.rhs.value < 0:
            return "-", AffineBinaryOpExpr(AffineBinaryOpKind.Mul, expr.lhs, AffineExpr.constant(-expr.rhs.value))
    return "+", expr


def print_value_map(printer: Printer, map: AffineMap, operands: Sequence[SSAValue]) -> None:
    """`[expr, ...]`"""
    dims, symbols = operands[: map.num_dims], operands[map.num_dims :]
    with printer.in_square_brackets():
        printer.print_list(map.results, lambda expr: print_value_expr(printer, expr, dims, symbols))


# ---- maps and sets applied to values --------------------------------------------------------------------------------------------


def parse_applied(parser: Parser) -> tuple[Attribute, list[SSAValue]]:
    """`#map(%d, ...)[%s, ...]`: a map or a set and its operands, counted."""
    start = parser.pos
    attribute = parser.parse_attribute()
    if not isinstance(attribute, AffineMapAttr | AffineSetAttr):
        parser.raise_error("expected an affine map or set", start)

    def operand() -> SSAValue:
        return parser.parse_operand(INDEX)

    dims = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, operand) or []
    symbols = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, operand) or []
    if (len(dims), len(symbols)) != (attribute.data.num_dims, attribute.data.num_symbols):
        parser.raise_error(
            f"expected {attribute.data.num_dims} dimensions and {attribute.data.num_symbols} symbols, got {len(dims)} and {len(symbols)}",
            start,
        )
    return attribute, [*dims, *symbols]


def print_applied(printer: Printer, attribute: AffineMapAttr | AffineSetAttr, operands: Sequence[SSAValue]) -> None:
    """`#map(%d, ...)[%s, ...]`"""
    num_dims = attribute.data.num_dims
    printer.print_attribute(attribute)
    with printer.in_parens():
        printer.print_list(operands[:num_dims], printer.print_ssa_value)
    if attribute.data.num_symbols:
        with printer.in_square_brackets():
            printer.print_list(operands[num_dims:], printer.print_ssa_value)


# ---- which values may stand in a map --------------------------------------------------------------------------------------------

_SCOPES = frozenset({"func.func", "builtin.module", "gpu.func"})
_AFFINE_LOOPS = frozenset({"affine.for", "affine.parallel"})
_CONSTANTS = frozenset({"arith.constant", "arith.constant_index"})
_INDEX_SPLITS = frozenset({"affine.delinearize_index", "affine.linearize_index"})
_DIMS = frozenset({"memref.dim", "tensor.dim"})


def _is_top_level(block: Block | None) -> bool:
    parent = block.parent_op() if block is not None else None
    return parent is None or parent.name in _SCOPES


def is_valid_symbol(value: SSAValue) -> bool:
    """Whether a value does not change inside its function: defined at top level, a constant, an extent, or computed from such by affine
    ops."""
    if isinstance(value, BlockArgument):
        return _is_top_level(value.block)
    if not isinstance(value, OpResult):
        return True  # a forward reference of the parser
    owner = value.op
    if _is_top_level(owner.parent) or owner.name in _CONSTANTS:
        return True
    if owner.name in ("affine.apply", "affine.min", "affine.max", *_INDEX_SPLITS):
        return all(is_valid_symbol(operand) for operand in owner.operands)
    if owner.name in _DIMS:
        return is_valid_symbol(owner.operands[0]) or isinstance(owner.operands[0], BlockArgument)
    return False


def is_valid_dim(value: SSAValue) -> bool:
    """Whether a value is a symbol, an induction variable of an affine loop, or an affine.apply over such."""
    if is_valid_symbol(value):
        return True
    if isinstance(value, BlockArgument):
        parent = value.block.parent_op()
        return parent is not None and parent.name in _AFFINE_LOOPS
    owner = value.owner
    from_dims = isinstance(owner, Operation) and (owner.name == "affine.apply" or owner.name in _INDEX_SPLITS)
    return from_dims and all(is_valid_dim(operand) for operand in owner.operands)  # pyright: ignore


def verify_map_operands(name: str, operands: Sequence[SSAValue], num_dims: int, num_symbols: int) -> None:
    """Raise VerifyException unless there are as many operands as the map takes, and each may stand in its place."""
    if len(operands) != num_dims + num_symbols:
        raise VerifyException(f"expects {num_dims + num_symbols} map operands, got {len(operands)}")
    for index, operand in enumerate(operands):
        if not (is_valid_dim(operand) if index < num_dims else is_valid_symbol(operand)):
            role = "dimension id" if index < num_dims else "symbol"
            raise VerifyException(f"operand cannot be used as a {role}: map operand {index} is not an affine value of this function")
