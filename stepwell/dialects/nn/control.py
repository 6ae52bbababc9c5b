"""Control flow of level 1: regions of `nn` ops that run on a condition that is known only when the program runs, or many times.

Regions see every value around them. They end in `nn.yield`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, i32, i64
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.nn.base import TENSOR, Tensor, compatible, ints, same_extent
from stepwell.dialects.nn.shapes import is_bool, shape_text
from stepwell.ir.constants import tensor_type

COUNT = tensor_type((), i64)
"""The type of a trip count and of the number of a step."""


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a region: the values that it gives.

    ```mlir
    nn.yield %a, %b : tensor<4xf32>, tensor<f32>
    ```
    """

    name = "nn.yield"
    values = var_operand_def(TENSOR)
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, *values: SSAValue) -> None:
        super().__init__(operands=[values])


@irdl_op_definition
class IfOp(IRDLOperation):
    """One of two regions, chosen when the program runs; the other one does not run.

    ```mlir
    %y = nn.if %c : tensor<i1> -> tensor<4xf32> {
      %a = nn.exp %x : tensor<4xf32>
      nn.yield %a : tensor<4xf32>
    } else {
      nn.yield %x : tensor<4xf32>
    }
    ```
    """

    name = "nn.if"
    condition = operand_def(TENSOR)
    values = var_result_def(TENSOR)
    then = region_def("single_block")
    otherwise = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, condition: SSAValue, then: Region, otherwise: Region) -> None:
        super().__init__(operands=[condition], result_types=[[v.type for v in yielded(then.block)]], regions=[then, otherwise])

    def verify_(self) -> None:
        _check_flag(self.condition, "nn.if: its condition")
        for region, name in ((self.then, "then"), (self.otherwise, "else")):
            if region.block.args:
                raise VerifyException(f"nn.if: its {name} region takes arguments")
            _check_types(f"nn.if: its {name} region yields", yielded(region.block), self.results)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.condition)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.condition.type)
        print_results(printer, self.result_types)
        printer.print_string(" ")
        printer.print_region(self.then)
        printer.print_string(" else ")
        printer.print_region(self.otherwise)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        unresolved = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        condition = parser.resolve_operand(unresolved, parser.parse_type())
        types = parse_results(parser)
        then = closed(parser.parse_region())
        parser.parse_keyword("else")
        otherwise = closed(parser.parse_region())
        return cls.create(operands=[condition], result_types=types, attributes=attributes, regions=[then, otherwise])


@irdl_op_definition
class LoopOp(IRDLOperation):
    """A region that runs again and again: at most `count` (or `trips`, if that is known) times, and as long as the condition holds.

    The region takes the number of the step, what is carried, and of each scanned tensor the slice of the step. It yields the condition of
    the next step (if the loop has one), what is carried on, and a part of each stacked result. Results are what is carried after the last
    step (what it began with if there is none), then the stacks: the parts along a new axis. A tensor can be scanned or stacked from its
    end. Loops that scan or stack have a known number of steps and no condition.

    ```mlir
    %h, %y = nn.loop trips = 5 carry(%h0) scan(%x [0]) stack([0] reversed) : tensor<4xf32>, tensor<5x4xf32> -> (tensor<4xf32>, tensor<5x4xf32>) {
    ^bb0(%i: tensor<i64>, %h1: tensor<4xf32>, %row: tensor<4xf32>):
      %h2 = nn.add %h1, %row : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
      nn.yield %h2, %h2 : tensor<4xf32>, tensor<4xf32>
    }
    ```
    Source: ONNX operators Loop and Scan.
    """  # noqa: E501

    name = "nn.loop"
    count = opt_operand_def(TENSOR)
    condition = opt_operand_def(TENSOR)
    carried = var_operand_def(TENSOR)
    scanned = var_operand_def(TENSOR)
    values = var_result_def(TENSOR)
    body = region_def("single_block")
    trips: IntegerAttr[Any] | None = opt_prop_def(base(IntegerAttr))  # type: ignore[assignment]
    scan_axes: DenseArrayBase[Any] = prop_def(base(DenseArrayBase))
    scan_reversed: DenseArrayBase[Any] = prop_def(base(DenseArrayBase))
    stack_axes: DenseArrayBase[Any] = prop_def(base(DenseArrayBase))
    stack_reversed: DenseArrayBase[Any] = prop_def(base(DenseArrayBase))
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    @classmethod
    def make(
        cls,
        body: Region,
        carried: Sequence[SSAValue],
        *,
        trips: int | None = None,
        count: SSAValue | None = None,
        condition: SSAValue | None = None,
        scanned: Sequence[tuple[SSAValue, int, bool]] = (),
        stacks: Sequence[tuple[int, bool]] = (),
    ) -> Self:
        """The loop; its result types follow from what the region yields. `scanned` and `stacks` say the axis, and whether from the end."""
        parts = yielded(body.block)[(condition is not None) + len(carried) :]
        types: list[Attribute] = [v.type for v in carried]
        types += [_stacked(cast(Tensor, p.type), trips or 0, axis) for p, (axis, _) in zip(parts, stacks, strict=True)]
        return cls._build(
            [count] if count is not None else [],
            [condition] if condition is not None else [],
            carried,
            [x for x, _, _ in scanned],
            types,
            trips,
            [(axis, backward) for _, axis, backward in scanned],
            stacks,
            body,
        )

    @classmethod
    def _build(
        cls,
        count: Sequence[SSAValue],
        condition: Sequence[SSAValue],
        carried: Sequence[SSAValue],
        scanned: Sequence[SSAValue],
        types: Sequence[Attribute],
        trips: int | None,
        scans: Sequence[tuple[int, bool]],
        stacks: Sequence[tuple[int, bool]],
        body: Region,
        attributes: dict[str, Attribute] | None = None,
    ) -> Self:
        def numbers(values: Sequence[int]) -> DenseArrayBase[Any]:
            return DenseArrayBase.from_list(i64, list(values))

        segments = [len(count), len(condition), len(carried), len(scanned)]
        properties: dict[str, Attribute] = {
            "operandSegmentSizes": DenseArrayBase.from_list(i32, segments),
            "scan_axes": numbers([a for a, _ in scans]),
            "scan_reversed": numbers([int(r) for _, r in scans]),
            "stack_axes": numbers([a for a, _ in stacks]),
            "stack_reversed": numbers([int(r) for _, r in stacks]),
        }
        if trips is not None:
            properties["trips"] = IntegerAttr(trips, i64)
        return cls.create(
            operands=[*count, *condition, *carried, *scanned],
            result_types=types,
            properties=properties,
            attributes=attributes or {},
            regions=[body],
        )

    @property
    def known_trips(self) -> int | None:
        """The number of steps where it is known."""
        return None if self.trips is None else self.trips.value.data

    @property
    def scans(self) -> list[tuple[SSAValue, int, bool]]:
        """(tensor, axis, from the end) of each scanned tensor."""
        return [(x, a, bool(r)) for x, a, r in zip(self.scanned, ints(self.scan_axes), ints(self.scan_reversed), strict=True)]

    @property
    def stacks(self) -> list[tuple[int, bool]]:
        """(axis, from the end) of each stacked result."""
        return [(a, bool(r)) for a, r in zip(ints(self.stack_axes), ints(self.stack_reversed), strict=True)]

    def verify_(self) -> None:
        if self.count is not None:
            if self.trips is not None:
                raise VerifyException("nn.loop: its number of steps is given twice, as an operand and as 'trips'")
            if self.count.type != COUNT:
                raise VerifyException(f"nn.loop: its count is {COUNT}, not {self.count.type}")
        if self.condition is not None:
            _check_flag(self.condition, "nn.loop: its condition")
        trips = self.known_trips
        if trips is not None and trips < 0:
            raise VerifyException(f"nn.loop: it cannot take {trips} steps")
        if trips is None and self.count is None and self.condition is None:
            raise VerifyException("nn.loop: it would never end; it needs 'trips', a count or a condition")
        axes = (len(self.scanned), ints(self.scan_axes), ints(self.scan_reversed)), (None, ints(self.stack_axes), ints(self.stack_reversed))
        for wanted, one, other in axes:
            if len(one) != len(other) or (wanted is not None and wanted != len(one)):
                raise VerifyException("nn.loop: each scanned or stacked tensor has one axis and one direction")
        if (self.scanned or self.stacks) and (trips is None or self.condition is not None):
            raise VerifyException("nn.loop: what scans or stacks has a known number of steps ('trips') and no condition")
        self._verify_body(trips)

    def _verify_body(self, trips: int | None) -> None:
        slices: list[Tensor] = []
        for x, axis, _ in self.scans:
            shape = cast(Tensor, x.type).get_shape()
            if not 0 <= axis < len(shape) or not same_extent(shape[axis], trips or 0):
                raise VerifyException(f"nn.loop: it takes {trips} steps over axis {axis} of a tensor of shape {shape_text(shape)}")
            slices.append(tensor_type((*shape[:axis], *shape[axis + 1 :]), cast(Tensor, x.type).element_type))
        wanted = [COUNT, *(cast(Tensor, v.type) for v in self.carried), *slices]
        have = [a.type for a in self.body.block.args]
        if len(have) != len(wanted) or not all(_fits(cast(Tensor, h), w) for h, w in zip(have, wanted, strict=True)):
            raise VerifyException(f"nn.loop: its region takes ({list_of_types(have)}), expected ({list_of_types(wanted)})")
        values = yielded(self.body.block)
        if self.condition is not None:
            if not values:
                raise VerifyException("nn.loop: its region must yield the condition of the next step first")
            _check_flag(values[0], "nn.loop: the condition that its region yields")
            values = values[1:]
        carried = len(self.carried)
        if len(self.results) != carried + len(self.stacks):
            raise VerifyException(
                f"nn.loop: it has {len(self.results)} results for {carried} carried and {len(self.stacks)} stacked tensors"
            )
        _check_types("nn.loop: it carries", self.results[:carried], self.carried)
        _check_types("nn.loop: its region carries on", values[:carried], self.carried)
        if len(values) != len(self.results):
            raise VerifyException(f"nn.loop: its region yields {len(values) - carried} parts for {len(self.stacks)} stacks")
        for part, result, (axis, _) in zip(values[carried:], self.results[carried:], self.stacks, strict=True):
            rank = len(cast(Tensor, part.type).get_shape())
            if not 0 <= axis <= rank:
                raise VerifyException(f"nn.loop: axis {axis} of a stack of tensors of rank {rank}")
            stacked = _stacked(cast(Tensor, part.type), trips or 0, axis)
            if not _fits(cast(Tensor, result.type), stacked):
                raise VerifyException(f"nn.loop: a stack is {result.type}, the shape rule says {stacked}")

    # -- text

    def print(self, printer: Printer) -> None:
        if self.trips is not None:
            printer.print_string(f" trips = {self.known_trips}")
        for word, value in (("count", self.count), ("while", self.condition)):
            if value is not None:
                printer.print_string(f" {word}(")
                printer.print_ssa_value(value)
                printer.print_string(")")
        if self.carried:
            printer.print_string(" carry(")
            printer.print_list(self.carried, printer.print_ssa_value)
            printer.print_string(")")

        def axis(entry: tuple[int, bool]) -> None:
            printer.print_string(f"[{entry[0]}]{' reversed' if entry[1] else ''}")

        def scan(entry: tuple[SSAValue, int, bool]) -> None:
            printer.print_ssa_value(entry[0])
            printer.print_string(" ")
            axis(entry[1:])

        if self.scanned:
            printer.print_string(" scan(")
            printer.print_list(self.scans, scan)
            printer.print_string(")")
        if self.stacks:
            printer.print_string(" stack(")
            printer.print_list(self.stacks, axis)
            printer.print_string(")")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([o.type for o in self.operands], printer.print_attribute)
        print_results(printer, self.result_types)
        printer.print_string(" ")
        printer.print_region(self.body)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        trips: int | None = None
        if parser.parse_optional_keyword("trips"):
            parser.parse_punctuation("=")
            trips = parser.parse_integer(allow_boolean=False)

        def axis() -> tuple[int, bool]:
            parser.parse_punctuation("[")
            number = parser.parse_integer(allow_boolean=False)
            parser.parse_punctuation("]")
            return number, parser.parse_optional_keyword("reversed") is not None

        def scan() -> tuple[Any, tuple[int, bool]]:
            return parser.parse_unresolved_operand(), axis()

        def group(word: str, element: Any) -> list[Any]:
            if not parser.parse_optional_keyword(word):
                return []
            return parser.parse_comma_separated_list(parser.Delimiter.PAREN, element)

        groups = [group(word, parser.parse_unresolved_operand) for word in ("count", "while", "carry")]
        scanned = group("scan", scan)
        stacks = group("stack", axis)
        attributes = parser.parse_optional_attr_dict()
        unresolved = [*(o for g in groups for o in g), *(o for o, _ in scanned)]
        parser.parse_punctuation(":")
        start = parser.pos
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type) if unresolved else []
        if len(types) != len(unresolved):
            parser.raise_error(f"nn.loop has {len(unresolved)} operands and {len(types)} operand types", start, parser.pos)
        if len(groups[0]) > 1 or len(groups[1]) > 1:
            parser.raise_error("nn.loop has one count and one condition at most", start, parser.pos)
        operands = iter([parser.resolve_operand(o, t) for o, t in zip(unresolved, types, strict=True)])
        resolved = [[next(operands) for _ in part] for part in (*groups, scanned)]
        results = parse_results(parser)
        body = closed(parser.parse_region())
        scans = [entry for _, entry in scanned]
        return cls._build(resolved[0], resolved[1], resolved[2], resolved[3], results, trips, scans, stacks, body, attributes)


# ---- shared ---------------------------------------------------------------------------------------------------------------------


def yielded(block: Block) -> Sequence[SSAValue]:
    """What a region's block gives."""
    last = block.last_op
    return last.operands if isinstance(last, YieldOp) else ()


def closed(region: Region) -> Region:
    """A region whose block ends in a yield, also where the text leaves it out."""
    if not region.blocks:
        region.add_block(Block())
    if not isinstance(region.blocks[-1].last_op, YieldOp):
        region.blocks[-1].add_op(YieldOp())
    return region


def _stacked(part: Tensor, trips: int, axis: int) -> Tensor:
    shape = part.get_shape()
    return tensor_type((*shape[:axis], trips, *shape[axis:]), part.element_type)


def _fits(have: Tensor, want: Tensor) -> bool:
    return have == want or compatible(have, want)


def list_of_types(types: Sequence[Attribute]) -> str:
    """Types as text."""
    return ", ".join(map(str, types))


def _check_flag(value: SSAValue, what: str) -> None:
    type = cast(Tensor, value.type)
    if type.get_shape() or not is_bool(type.element_type):
        raise VerifyException(f"{what} is tensor<i1>, not {type}")


def _check_types(what: str, values: Sequence[SSAValue], wanted: Sequence[SSAValue]) -> None:
    have, want = [v.type for v in values], [v.type for v in wanted]
    if len(have) != len(want) or not all(_fits(cast(Tensor, h), cast(Tensor, w)) for h, w in zip(have, want, strict=True)):
        raise VerifyException(f"{what} ({list_of_types(have)}), expected ({list_of_types(want)})")


def print_results(printer: Printer, types: Sequence[Attribute]) -> None:
    """` -> type` or ` -> (types)`."""
    printer.print_string(" -> ")
    if len(types) == 1:
        printer.print_attribute(types[0])
    else:
        with printer.in_parens():
            printer.print_list(types, printer.print_attribute)


def parse_results(parser: Parser) -> list[Any]:
    """What `print_results` prints."""
    parser.parse_punctuation("->")
    types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
    return [parser.parse_type()] if types is None else list(types)


CONTROL: list[type[IRDLOperation]] = [IfOp, LoopOp, YieldOp]
