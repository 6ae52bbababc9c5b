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
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, AffineSetAttr, IndexType, IntegerAttr, MemRefType
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
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.text.affine_parsing import SemiAffineParser

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
        case AffineBinaryOpExpr(kind=AffineBinaryOpKind.Mul, rhs=AffineConstantExpr(value=-1)):
            printer.print_string("(-" if strength > 1 else "-")
            print_value_expr(printer, expr.lhs, dims, symbols, 2)
            printer.print_string(")" if strength > 1 else "")
        case AffineBinaryOpExpr():
            with_parens = strength > 1
            printer.print_string("(" if with_parens else "")
            print_value_expr(printer, expr.lhs, dims, symbols, 2)
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


def parse_applied(parser: Parser, *, each: bool = False) -> tuple[Attribute, list[SSAValue]]:
    """`#map(%d, ...)[%s, ...]`: a map or a set and its operands, counted. `each` says which of the two numbers is wrong."""
    start = parser.pos
    attribute = parser.parse_attribute()
    if not isinstance(attribute, AffineMapAttr | AffineSetAttr):
        parser.raise_error("expected an affine map or set", start)

    def operand() -> SSAValue:
        return parser.parse_operand(INDEX)

    dims = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, operand) or []
    symbols = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, operand) or []
    if (len(dims), len(symbols)) != (attribute.data.num_dims, attribute.data.num_symbols):
        if isinstance(attribute, AffineSetAttr):
            what = "dim" if len(dims) != attribute.data.num_dims else "symbol"
            parser.raise_error(f"{what} operand count and integer set {what} count must match", start)
        if not each:
            parser.raise_error("operand count and affine map dimension and symbol count must match", start)
        what = "dim" if len(dims) != attribute.data.num_dims else "symbol"
        parser.raise_error(f"{what} operand count and affine map {what} count must match", start)
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

_SCOPES = frozenset({"func.func", "builtin.module", "gpu.func", "gpu.launch"})
_AFFINE_LOOPS = frozenset({"affine.for", "affine.parallel"})
_CONSTANTS = frozenset({"arith.constant", "arith.constant_index"})
_INDEX_SPLITS = frozenset({"affine.delinearize_index", "affine.linearize_index"})
_DIMS = frozenset({"memref.dim", "tensor.dim"})
_SIZED = {"memref.alloc": "dynamic_sizes", "memref.view": "sizes", "memref.subview": "sizes"}
"""What makes a memref of extents that are operands, and the field that has them."""


def _is_top_level(block: Block | None) -> bool:
    parent = block.parent_op() if block is not None else None
    return parent is None or parent.name in _SCOPES


def is_valid_symbol(value: SSAValue) -> bool:
    """Whether a value does not change inside its function: defined at top level, a constant, an extent, or computed from such
    by operations without effects."""
    pending = [value]
    seen: set[SSAValue] = set()
    while pending:
        value = pending.pop()
        if value in seen or not isinstance(value, BlockArgument | OpResult):  # or a forward reference of the parser
            continue
        seen.add(value)
        if isinstance(value, BlockArgument):
            if not _is_top_level(value.block):
                return False
            continue
        owner = value.op
        if _is_top_level(owner.parent) or owner.name in _CONSTANTS or (owner.name in _DIMS and _is_symbolic_extent(owner)):
            continue
        if owner.regions or not owner.has_trait(Pure, value_if_unregistered=False):
            return False
        pending += owner.operands
    return True


def _is_symbolic_extent(dim: Operation) -> bool:
    """Whether the extent that a `dim` asks for does not change: that of something of the top level, or made of a symbol."""
    source = dim.operands[0]
    while isinstance(source, OpResult) and source.op.name == "memref.cast" and not _is_top_level(source.op.parent):
        source = source.op.operands[0]
    if isinstance(source, BlockArgument) or _is_top_level(source.owner.parent if isinstance(source.owner, Operation) else None):
        return _is_top_level(source.owner if isinstance(source.owner, Block) else source.owner.parent)
    position, maker = ConstantLike.get_constant_value(dim.operands[1]), source.owner
    if not isinstance(position, IntegerAttr) or not isinstance(maker, Operation) or maker.name not in _SIZED:
        return False
    shape = cast("MemRefType[Any]", source.type).get_shape()
    index = position.value.data
    if not 0 <= index < len(shape):
        return False
    if shape[index] != DYNAMIC_INDEX:
        return True
    sizes: Sequence[SSAValue] = getattr(maker, _SIZED[maker.name])
    number = list(shape[:index]).count(DYNAMIC_INDEX)
    return number < len(sizes) and is_valid_symbol(sizes[number])


def is_valid_dim(value: SSAValue) -> bool:
    """Whether a value is a symbol, an induction variable of an affine loop, or an affine.apply over such."""
    pending = [value]
    seen: set[SSAValue] = set()
    while pending:
        value = pending.pop()
        if value in seen or is_valid_symbol(value):
            continue
        seen.add(value)
        if isinstance(value, BlockArgument):
            parent = value.block.parent_op()
            if parent is None or parent.name not in _AFFINE_LOOPS:
                return False
            continue
        owner = value.owner
        if not isinstance(owner, Operation) or (owner.name != "affine.apply" and owner.name not in _INDEX_SPLITS):
            return False
        pending += owner.operands
    return True


def verify_map_operands(name: str, operands: Sequence[SSAValue], num_dims: int, num_symbols: int) -> None:
    """Raise VerifyException unless there are as many operands as the map takes, and each may stand in its place."""
    if len(operands) != num_dims + num_symbols:
        raise VerifyException(f"expects {num_dims + num_symbols} map operands, got {len(operands)}")
    verify_dims_and_symbols(operands, num_dims)


def verify_dims_and_symbols(operands: Sequence[SSAValue], num_dims: int) -> None:
    """Raise VerifyException unless the first operands may stand as dimensions of a map, the others as symbols."""
    for index, operand in enumerate(operands):
        if index < num_dims:
            if not is_valid_dim(operand):
                raise VerifyException("operand cannot be used as a dimension id")
        elif not is_valid_symbol(operand):
            raise VerifyException("operand cannot be used as a symbol")
