"""`affine.if` and `affine.parallel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.affine import YieldOp as YieldOp
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    ArrayAttr,
    DenseIntElementsAttr,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    TensorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursivelySpeculatable, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.indices import DelinearizeIndexOp as DelinearizeIndexOp
from stepwell.dialects.affine.indices import LinearizeIndexOp as LinearizeIndexOp
from stepwell.dialects.affine.loops import ForOp as ForOp
from stepwell.dialects.affine.maps import (
    INDEX,
    ValueExprParser,
    parse_applied,
    print_applied,
    print_value_expr,
    verify_map_operands,
)
from stepwell.dialects.support import parse_result_types


def _close(region: Region) -> Region:
    """A region whose last block ends in `affine.yield`, also where the text leaves it out."""
    if not region.blocks:
        region.add_block(Block())
    if not isinstance(region.block.last_op, YieldOp):
        region.block.add_op(YieldOp.create())
    return region


@irdl_op_definition
class IfOp(IRDLOperation):
    """Runs one of two regions by whether its operands lie in an affine set.

    ```mlir
    %i = affine.if affine_set<(d0) : (-d0 >= 0)>(%kc) -> f32 {
      affine.yield %zero : f32
    } else {
      affine.yield %old : f32
    }
    ```
    """

    name = "affine.if"

    args = var_operand_def(IndexType)
    res = var_result_def()
    condition = prop_def(AffineSetAttr)
    then_region = region_def("single_block")
    else_region = region_def()
    traits = traits_def(RecursiveMemoryEffect(), RecursivelySpeculatable())

    @classmethod
    def get(
        cls,
        condition: AffineSetAttr,
        operands: Sequence[SSAValue],
        result_types: Sequence[Attribute],
        then: Region,
        orelse: Region | None = None,
    ) -> IfOp:
        """`orelse=None` leaves the second region empty."""
        return cls.create(
            operands=operands, result_types=result_types, properties={"condition": condition}, regions=[then, orelse or Region()]
        )

    def verify_(self) -> None:
        if self.results and not self.else_region.blocks:
            raise VerifyException("with results needs an else region")
        if len(self.else_region.blocks) > 1:
            raise VerifyException("has an else region of more than one block")
        for number, region in enumerate((self.then_region, self.else_region)):
            if region.blocks and region.block.args:
                raise VerifyException(f"region #{number} should have no arguments")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        condition, operands = parse_applied(parser)
        if not isinstance(condition, AffineSetAttr):
            parser.raise_error("expected an affine set", start)
        result_types: list[Attribute] = []
        if parser.parse_optional_punctuation("->"):
            types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
            result_types = [parser.parse_type()] if types is None else list(types)
        then = _close(parser.parse_region())
        orelse = _close(parser.parse_region()) if parser.parse_optional_keyword("else") else Region()
        attributes = parser.parse_optional_attr_dict()
        op = cls.create(
            operands=operands,
            result_types=result_types,
            properties={"condition": condition},
            regions=[then, orelse],
            attributes=attributes,
        )
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_applied(printer, self.condition, self.args)
        if self.results:
            printer.print_string(" -> ")
            _print_types(printer, self.result_types)
        printer.print_string(" ")
        printer.print_region(self.then_region, print_block_terminators=bool(self.results))
        if self.else_region.blocks:
            printer.print_string(" else ")
            printer.print_region(self.else_region, print_block_terminators=bool(self.results))
        printer.print_op_attributes(self.attributes)


def _print_types(printer: Printer, types: Sequence[Attribute]) -> None:
    if len(types) == 1:
        printer.print_attribute(types[0])
    else:
        with printer.in_parens():
            printer.print_list(types, printer.print_attribute)


@irdl_op_definition
class ParallelOp(IRDLOperation):
    """A band of loops whose iterations may run in any order; values reduced over them are its results.

    ```mlir
    affine.parallel (%i, %j) = (0, 0) to (symbol(%M), %N) step (14, 32) {
      ...
    }
    %s = affine.parallel (%i) = (0) to (100) reduce ("addf") -> (f32) {
      ...
      affine.yield %v : f32
    }
    ```
    The operands are those of the lower bounds' map, then those of the upper bounds'. A bound of several expressions is `max(...)` below,
    `min(...)` above: `lowerBoundsGroups` and `upperBoundsGroups` say how many results of the map belong to each loop.
    """

    name = "affine.parallel"

    map_operands = var_operand_def(IndexType)
    reductions = prop_def(ArrayAttr)
    lowerBoundsMap = prop_def(AffineMapAttr)
    lowerBoundsGroups = prop_def(DenseIntElementsAttr)
    upperBoundsMap = prop_def(AffineMapAttr)
    upperBoundsGroups = prop_def(DenseIntElementsAttr)
    steps = prop_def(ArrayAttr[IntegerAttr])
    res = var_result_def()
    body = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    @classmethod
    def get(
        cls,
        lower: AffineMap,
        lower_operands: Sequence[SSAValue],
        upper: AffineMap,
        upper_operands: Sequence[SSAValue],
        steps: Sequence[int],
        body: Region,
        *,
        lower_groups: Sequence[int] | None = None,
        upper_groups: Sequence[int] | None = None,
        attributes: dict[str, Attribute] | None = None,
        reductions: Sequence[Attribute] = (),
        result_types: Sequence[Attribute] = (),
    ) -> ParallelOp:
        """`lower` and `upper` have one result per loop unless groups say otherwise. The body's block has one index argument per loop."""
        return cls.create(
            operands=[*lower_operands, *upper_operands],
            properties={
                "reductions": ArrayAttr(reductions),
                "lowerBoundsMap": AffineMapAttr(lower),
                "lowerBoundsGroups": _groups(lower_groups or (1,) * len(steps)),
                "upperBoundsMap": AffineMapAttr(upper),
                "upperBoundsGroups": _groups(upper_groups or (1,) * len(steps)),
                "steps": ArrayAttr(IntegerAttr(step, i64) for step in steps),
            },
            attributes=attributes or {},
            result_types=result_types,
            regions=[_close(body)],
        )

    @property
    def lower_operands(self) -> Sequence[SSAValue]:
        return self.operands[: self._num_lower]

    @property
    def upper_operands(self) -> Sequence[SSAValue]:
        return self.operands[self._num_lower :]

    @property
    def _num_lower(self) -> int:
        return self.lowerBoundsMap.data.num_dims + self.lowerBoundsMap.data.num_symbols

    def lower_bounds(self) -> list[tuple[AffineExpr, ...]]:
        """Per loop, the expressions whose largest value is the lower bound."""
        return _split(self.lowerBoundsMap.data.results, self.lowerBoundsGroups)

    def upper_bounds(self) -> list[tuple[AffineExpr, ...]]:
        """Per loop, the expressions whose smallest value is the upper bound."""
        return _split(self.upperBoundsMap.data.results, self.upperBoundsGroups)

    def verify_(self) -> None:
        if any(step.value.data <= 0 for step in self.steps):
            raise VerifyException("steps must be positive")
        if any(size == 0 for groups in (self.lowerBoundsGroups, self.upperBoundsGroups) for size in groups.get_values()):
            raise VerifyException("needs a bound for every loop")
        for map, operands in ((self.lowerBoundsMap.data, self.lower_operands), (self.upperBoundsMap.data, self.upper_operands)):
            verify_map_operands(self.name, operands, map.num_dims, map.num_symbols)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        arguments = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False))
        parser.parse_punctuation("=")
        lower, lower_operands, lower_groups = _parse_bounds(parser, "max")
        parser.parse_keyword("to")
        upper, upper_operands, upper_groups = _parse_bounds(parser, "min")
        steps: Sequence[int] = (1,) * len(arguments)
        if parser.parse_optional_keyword("step"):
            steps = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_integer(allow_boolean=False))
        reductions: Sequence[Attribute] = ()
        if parser.parse_optional_keyword("reduce"):
            reductions = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_reduction(parser))
        start = parser.pos
        types = parse_result_types(parser, optional=True)
        if len(types) != len(reductions):
            parser.raise_error("a reduction must be specified for each output", start)
        body = _close(parser.parse_region([argument.resolve(INDEX) for argument in arguments]))
        attributes = parser.parse_optional_attr_dict()
        op = cls.get(
            lower,
            lower_operands,
            upper,
            upper_operands,
            steps,
            body,
            lower_groups=lower_groups,
            upper_groups=upper_groups,
            attributes=attributes,
            reductions=reductions,
            result_types=types,
        )
        return cast(Self, op)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        with printer.in_parens():
            printer.print_list(self.body.block.args, printer.print_ssa_value)
        printer.print_string(" = ")
        _print_bounds(printer, self.lower_bounds(), self.lowerBoundsMap.data, self.lower_operands, "max")
        printer.print_string(" to ")
        _print_bounds(printer, self.upper_bounds(), self.upperBoundsMap.data, self.upper_operands, "min")
        if any(step.value.data != 1 for step in self.steps):
            printer.print_string(" step ")
            with printer.in_parens():
                printer.print_list(self.steps, lambda step: printer.print_string(str(step.value.data)))
        if self.results:
            printer.print_string(" reduce ")
            with printer.in_parens():
                names = [REDUCTIONS[cast("IntegerAttr[Any]", kind).value.data] for kind in self.reductions]
                printer.print_string(", ".join(f'"{name}"' for name in names))
            printer.print_string(" -> ")
            with printer.in_parens():
                printer.print_list(self.result_types, printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_block_terminators=bool(self.results))
        printer.print_op_attributes(self.attributes)


REDUCTIONS = (
    *("addf", "addi", "andi", "assign", "maximumf", "maxnumf", "maxs", "maxu"),
    *("minimumf", "minnumf", "mins", "minu", "mulf", "muli", "ori", "xori"),
)
"""The kinds of atomic read-modify-write, by their number in upstream's enumeration."""


def _parse_reduction(parser: Parser) -> IntegerAttr[Any]:
    start = parser.pos
    name = parser.parse_str_literal()
    if name not in REDUCTIONS:
        parser.raise_error(f'invalid reduction value: "{name}"', start)
    return IntegerAttr(REDUCTIONS.index(name), i64)


def _groups(sizes: Sequence[int]) -> DenseIntOrFPElementsAttr[Any]:
    return DenseIntOrFPElementsAttr.from_list(TensorType(i32, [len(sizes)]), list(sizes))


def _split(results: Sequence[AffineExpr], groups: DenseIntOrFPElementsAttr[Any]) -> list[tuple[AffineExpr, ...]]:
    rest = iter(results)
    return [tuple(next(rest) for _ in range(int(size))) for size in groups.get_values()]


def _parse_bounds(parser: Parser, extremum: str) -> tuple[AffineMap, list[SSAValue], list[int]]:
    inner = ValueExprParser(parser)
    expressions: list[AffineExpr] = []
    groups: list[int] = []

    def bound() -> None:
        group = [inner.expression()] if not parser.parse_optional_keyword(extremum) else None
        group = group or parser.parse_comma_separated_list(parser.Delimiter.PAREN, inner.expression)
        expressions.extend(group)
        groups.append(len(group))

    parser.parse_comma_separated_list(parser.Delimiter.PAREN, bound)
    map, operands = inner.finish(expressions)
    return map, operands, groups


def _print_bounds(
    printer: Printer, bounds: Sequence[tuple[AffineExpr, ...]], map: AffineMap, operands: Sequence[SSAValue], extremum: str
) -> None:
    dims, symbols = operands[: map.num_dims], operands[map.num_dims :]

    def bound(group: tuple[AffineExpr, ...]) -> None:
        printer.print_string("" if len(group) == 1 else f"{extremum}(")
        printer.print_list(group, lambda expr: print_value_expr(printer, expr, dims, symbols))
        printer.print_string("" if len(group) == 1 else ")")

    with printer.in_parens():
        printer.print_list(bounds, bound)
