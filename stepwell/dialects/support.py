"""What the definitions of upstream's dialects share: replacing ops of a shipped dialect, small verifier helpers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from xdsl.dialects.builtin import DYNAMIC_INDEX, AnyFloat, ArrayAttr, DenseArrayBase, IntegerAttr, MemRefType, TensorType, VectorType, i64
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.irdl.declarative_assembly_format import AttributeVariable, CustomDirective, ParsingState, PrintingState, irdl_custom_directive
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

Shaped = TensorType[Any] | MemRefType[Any] | VectorType[Any]
SHAPED = (TensorType, MemRefType, VectorType)
"""For `isinstance`: `isa` of a generic alias costs a hundred times more."""
FLOATS = get_args(AnyFloat)


def replace_ops(shipped: Dialect, ops: Sequence[type[Operation]], attributes: Sequence[type[Attribute]] = ()) -> Dialect:
    """The shipped dialect with `ops` in the place of its ops of the same name, and `attributes` added."""
    ours = {op.name for op in ops}
    kept = [op for op in shipped.operations if op.name not in ours]
    replaced = {attribute.name for attribute in attributes}
    kept_attributes = [attribute for attribute in shipped.attributes if attribute.name not in replaced]
    return Dialect(shipped.name, [*kept, *ops], [*kept_attributes, *attributes], list(shipped._interfaces))  # pyright: ignore[reportPrivateUsage]


def without(shipped: Dialect, *names: str) -> Dialect:
    """The shipped dialect without some ops, because ours are in its rare part (`stepwell.dialects.RARE`)."""
    ops = [op for op in shipped.operations if op.name not in names]
    return Dialect(shipped.name, ops, list(shipped.attributes), list(shipped._interfaces))  # pyright: ignore[reportPrivateUsage]


def require(condition: bool, message: str) -> None:
    """Raise a VerifyException unless the condition holds. For messages that cost something to build, write the `if`."""
    if not condition:
        raise VerifyException(message)


def element_of(type: Attribute) -> Attribute:
    """The element type of a tensor, memref or vector; a scalar type itself."""
    return cast(Shaped, type).get_element_type() if isinstance(type, SHAPED) else type


def is_float(type: Attribute) -> bool:
    """Whether a scalar type is a float of any format."""
    return isinstance(type, FLOATS)


def shape_of(type: Attribute) -> tuple[int, ...] | None:
    """The shape of a tensor, memref or vector, None for a scalar."""
    return cast(Shaped, type).get_shape() if isinstance(type, SHAPED) else None


def same_container(a: Attribute, b: Attribute) -> bool:
    """Whether two types are both scalar, or the same kind of container with compatible shapes (`?` fits everything)."""
    shape_a, shape_b = shape_of(a), shape_of(b)
    if shape_a is None or shape_b is None:
        return shape_a is shape_b
    return type(a) is type(b) and compatible_shapes(shape_a, shape_b)


def compatible_shapes(a: Sequence[int], b: Sequence[int]) -> bool:
    """Equal ranks, and equal extents where both are static."""
    return len(a) == len(b) and all(x == y or DYNAMIC_INDEX in (x, y) for x, y in zip(a, b, strict=True))


def with_element(type: Attribute, element: Attribute) -> Attribute:
    """The type of the same container with another element type; `element` itself for a scalar."""
    if isinstance(type, TensorType):
        tensor = cast(TensorType[Any], type)
        return TensorType(element, tensor.get_shape(), tensor.encoding)
    if isinstance(type, VectorType):
        return VectorType(element, type.get_shape(), type.scalable_dims)
    return element


def mixed(static: DenseArrayBase[Any], dynamic: Sequence[SSAValue]) -> list[int | SSAValue]:
    """A list of integers and values from its two halves: the array that marks dynamic places, and the operands."""
    values = iter(dynamic)
    return [next(values) if v == DYNAMIC_INDEX else int(v) for v in static.get_values()]


def describe(shape: Sequence[int]) -> str:
    """`4x?x8` for messages."""
    return "x".join("?" if s == DYNAMIC_INDEX else str(s) for s in shape) or "()"


def is_rank_reduction(full: Sequence[int], reduced: Sequence[int]) -> bool:
    """Whether `reduced` is `full` without some of its unit extents. Extents of `?` in `full` are never dropped."""
    rest = list(reduced)
    for extent in full:
        if rest and rest[0] == extent:
            rest.pop(0)
        elif extent != 1:
            return False
    return not rest


def reassociation_attr(groups: Sequence[Sequence[int]]) -> ArrayAttr[ArrayAttr[IntegerAttr[Any]]]:
    """`[[0, 1], [2]]` as the attribute that reshapes carry."""
    return ArrayAttr(ArrayAttr(IntegerAttr(index, i64) for index in group) for group in groups)


def parse_result_types(parser: Parser, *, optional: bool = False) -> list[Attribute]:
    """`-> type` or `-> (type, ...)`; where it is optional, nothing means no types."""
    if optional and parser.parse_optional_punctuation("->") is None:
        return []
    if not optional:
        parser.parse_punctuation("->")
    types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
    return [parser.parse_type()] if types is None else list(types)


def print_result_types(printer: Printer, types: Sequence[Attribute]) -> None:
    """` -> type` or ` -> (type, ...)`"""
    printer.print_string(" -> ")
    if len(types) == 1:
        printer.print_attribute(types[0])
    else:
        with printer.in_parens():
            printer.print_list(types, printer.print_attribute)


@irdl_custom_directive
class Reassociation(CustomDirective):
    """`[[0, 1], [2]]`: lists of lists of i64 without their types."""

    groups: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        def number() -> int:
            value = parser.parse_integer(allow_boolean=False, allow_negative=False)
            if parser.parse_optional_punctuation(":"):
                parser.parse_type()
            return value

        def group() -> list[int]:
            return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, number)

        self.groups.set(state, reassociation_attr(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, group)))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        state.print_whitespace(printer)
        groups: Any = self.groups.get(op)
        printer.print_string("[" + ", ".join(str([index.value.data for index in group]) for group in groups) + "]")


@irdl_custom_directive
class IntegerList(CustomDirective):
    """`[0, 1, 2]`: an `array<i64: ...>` as a list."""

    values: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        values = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
        self.values.set(state, DenseArrayBase.from_list(i64, values))

    def is_anchorable(self) -> bool:
        return True

    def is_present(self, op: IRDLOperation) -> bool:
        return self.values.get(op) is not None

    def set_empty(self, state: ParsingState) -> None:
        self.values.set_empty(state)

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        state.print_whitespace(printer)
        values: Any = self.values.get(op)
        printer.print_string(str(list(values.get_values())))
