"""What must hold of an operation, as rows of a table, with the words that MLIR has for it when it does not.

A dialect's table is `RULES: dict[name of operation, (rule, ...)]`; `stepwell.dialects.RULES` says where each stands. The verifier applies
the rules of an operation in order, before the operation's own `verify_`. The order is MLIR's: traits (numbers of operands and results,
equal types and shapes), attributes, operands, results, relations between types ("failed to verify that"), then what the operation alone
knows.

    "arith.addi": (*SAME_TYPE, operands(SIGNLESS_INTEGER_LIKE), results(SIGNLESS_INTEGER_LIKE)),
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn, cast, get_args

from xdsl.dialects.builtin import (
    AnyFloat,
    IndexType,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    UnrankedMemRefType,
    UnrankedTensorType,
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

Rule = Callable[[Operation], None]
"""Raises a VerifyException where it does not hold; the message is what follows `'name' op `."""


class Complete(tuple[Rule, ...]):
    """Rules that say all there is to say: the operation's own definition is not asked."""


CONTAINERS = (TensorType, UnrankedTensorType, VectorType, MemRefType, UnrankedMemRefType)
FLOATS: tuple[type[Attribute], ...] = get_args(AnyFloat)


# ---- kinds of types -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A set of types and MLIR's summary of it, which messages quote."""

    summary: str
    has: Callable[[Attribute], bool]


def element(type: Attribute) -> Attribute:
    """The element type of a container, any other type itself."""
    return type.element_type if isinstance(type, CONTAINERS) else type  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]


def like(summary: str, scalar: Callable[[Attribute], bool]) -> Kind:
    """`...-like`: the scalar, or a tensor or vector of it."""
    return Kind(summary, lambda type: not isinstance(type, (MemRefType, UnrankedMemRefType)) and scalar(element(type)))


def is_signless(type: Attribute) -> bool:
    """An integer type without a sign."""
    return isinstance(type, IntegerType) and cast("Any", type).signedness.data is Signedness.SIGNLESS


def width(type: Attribute) -> int:
    """The bits of an integer or float; 0 for any other type."""
    return cast("Any", type).bitwidth if isinstance(type, (IntegerType, *FLOATS)) else 0


def is_float(type: Attribute) -> bool:
    """A float of any format."""
    return isinstance(type, FLOATS)


SIGNLESS_INTEGER_LIKE = like("signless-integer-like", lambda t: is_signless(t) or isinstance(t, IndexType))
FLOAT_LIKE = like("floating-point-like", is_float)
BOOL_LIKE = like("bool-like", lambda t: is_signless(t) and width(t) == 1)
INDEX = Kind("index", lambda t: isinstance(t, IndexType))
ANY_TENSOR = Kind("tensor of any type values", lambda t: isinstance(t, (TensorType, UnrankedTensorType)))
RANKED_TENSOR = Kind("ranked tensor of any type values", lambda t: isinstance(t, TensorType))
ANY_MEMREF = Kind("memref of any type values", lambda t: isinstance(t, MemRefType))
ANY_VECTOR = Kind("vector of any type values", lambda t: isinstance(t, VectorType))


# ---- rules ----------------------------------------------------------------------------------------------------------------------


def shown(type: Attribute) -> str:
    """A type as messages quote it."""
    from stepwell.ir.text.printing import print_attribute

    return print_attribute(type)


def fail(message: str) -> NoReturn:
    """For rules written as expressions."""
    raise VerifyException(message)


def _each(what: str, values: Callable[[Operation], Sequence[SSAValue]], kind: Kind, first: int, last: int | None) -> Rule:
    def rule(op: Operation) -> None:
        for index, value in enumerate(values(op)[first:last], first):
            if not kind.has(value.type):
                fail(f"{what} #{index} must be {kind.summary}, but got '{shown(value.type)}'")

    return rule


def operands(kind: Kind, first: int = 0, last: int | None = None) -> Rule:
    """Operands from `first` on, up to and without `last`, are of the kind."""
    return _each("operand", lambda op: op.operands, kind, first, last)


def operand(index: int, kind: Kind) -> Rule:
    """One operand is of the kind; nothing is said where it is missing."""
    return operands(kind, index, index + 1)


def results(kind: Kind, first: int = 0, last: int | None = None) -> Rule:
    """Results are of the kind."""
    return _each("result", lambda op: op.results, kind, first, last)


def result(index: int, kind: Kind) -> Rule:
    """One result is of the kind."""
    return results(kind, index, index + 1)


def number_of_operands(count: int) -> Rule:
    """Exactly so many operands."""

    def rule(op: Operation) -> None:
        found = len(op.operands)
        if found != count:
            fail(_number("operand", count, found))

    return rule


def number_of_results(count: int) -> Rule:
    """Exactly so many results."""

    def rule(op: Operation) -> None:
        found = len(op.results)
        if found != count:
            fail(_number("result", count, found))

    return rule


def _number(what: str, count: int, found: int) -> str:
    if count == 0:
        return f"requires zero {what}s"
    return (
        (f"requires one {what}" if what == "result" else f"requires a single {what}")
        if count == 1
        else f"expected {count} {what}s, but found {found}"
    )


def same_type(op: Operation) -> None:
    """All operands and results are of one type."""
    types = [value.type for value in (*op.results, *op.operands)]
    if any(type != types[0] for type in types):
        fail("requires the same type for all operands and results")


def same_element_type(op: Operation) -> None:
    """All operands and results have elements of one type."""
    types = [element(value.type) for value in (*op.results, *op.operands)]
    if any(type != types[0] for type in types):
        fail("requires the same element type for all operands and results")


def all_same_type(*names: str) -> Rule:
    """The values that the fields of these names hold are of one type."""

    def rule(op: Operation) -> None:
        types = {getattr(op, name).type for name in names}
        if len(types) > 1:
            fail(f"failed to verify that all of {{{', '.join(names)}}} have same type")

    return rule


def attribute(name: str, summary: str, has: Callable[[Attribute], bool], *, optional: bool = False) -> Rule:
    """The attribute is there, unless it is optional, and satisfies the constraint with that summary."""

    def rule(op: Operation) -> None:
        found = op.properties.get(name, op.attributes.get(name))  # zero counts as false
        if found is None:
            if not optional:
                fail(f"requires attribute '{name}'")
        elif not has(found):
            fail(f"attribute '{name}' failed to satisfy constraint: {summary}")

    return rule


def holds(message: str, condition: Callable[[Any], bool]) -> Rule:
    """`failed to verify that ...`, or any other message, unless the condition holds of the operation."""

    def rule(op: Operation) -> None:
        if not condition(op):
            fail(message)

    return rule


# ---- where they are ---------------------------------------------------------------------------------------------------------------


def _module_attributes(op: Operation) -> None:
    for name in op.attributes:
        if "." not in name and name not in ("sym_name", "sym_visibility"):
            fail(f"can only contain attributes with dialect-prefixed names, found: '{name}'")


BUILTIN: dict[str, Sequence[Rule]] = {"builtin.module": (_module_attributes,)}
"""Those of the builtin dialect, which is no dialect of a folder."""


@cache
def rules_of(name: str) -> Sequence[Rule]:
    """The rules of the operation of that name."""
    from stepwell.ir.registry import resolve

    reference = resolve("stepwell.dialects:RULES").get(name.partition(".")[0])
    return resolve(reference).get(name, ()) if reference else ()


@cache
def region_rule_of(name: str) -> Rule | None:
    """The rule about the regions of the operation of that name."""
    from stepwell.ir.registry import resolve

    reference = resolve("stepwell.dialects:REGION_RULES").get(name.partition(".")[0])
    return resolve(reference).get(name) if reference else None


AttributeRule = Callable[[Operation, str, Attribute, int | None], None]
"""Gets an operation, the name and value of an attribute that is not its own, and the number of the function's argument that bears it."""


def check_foreign_attributes(op: Operation) -> None:
    """What dialects ask of their attributes on operations of others (`stepwell.dialects.ATTRIBUTES`)."""
    for name, value in op.attributes.items():
        if "." in name and (rule := _attribute_rule(name.partition(".")[0])) is not None:
            rule(op, name, value, None)
    arguments: Any = op.properties.get("arg_attrs", op.attributes.get("arg_attrs"))
    given: Sequence[Any] = () if arguments is None else arguments.data
    for index, attributes in enumerate(given):
        for name, value in attributes.data.items():
            if "." in name and (rule := _attribute_rule(name.partition(".")[0])) is not None:
                rule(op, name, value, index)


@cache
def _attribute_rule(dialect: str) -> AttributeRule | None:
    from stepwell.ir.registry import resolve

    reference = resolve("stepwell.dialects:ATTRIBUTES").get(dialect)
    return resolve(reference) if reference else None
