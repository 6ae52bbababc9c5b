"""What IRDL says of a type or an attribute: constraints are numbered, and one that was met once stands for the same thing ever after.

Messages are MLIR's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects import builtin
from xdsl.ir import Attribute, TypeAttribute
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.rules import shown

Check = Callable[["Context", Attribute], None]
"""Raises VerifyException where an attribute is not what the constraint asks for."""

BUILTIN_NAMES: dict[type[Attribute], str] = {
    builtin.IntegerType: "integer", builtin.IndexType: "index", builtin.VectorType: "vector", builtin.TensorType: "tensor",
    builtin.UnrankedTensorType: "unranked_tensor", builtin.MemRefType: "memref", builtin.UnrankedMemRefType: "unranked_memref",
    builtin.FunctionType: "function", builtin.TupleType: "tuple", builtin.ComplexType: "complex", builtin.NoneType: "none",
    builtin.BFloat16Type: "bf16", builtin.Float16Type: "f16", builtin.Float32Type: "f32", builtin.Float64Type: "f64",
    builtin.IntegerAttr: "integer", builtin.FloatAttr: "float", builtin.StringAttr: "string", builtin.ArrayAttr: "array",
    builtin.DictionaryAttr: "dictionary", builtin.UnitAttr: "unit", builtin.SymbolRefAttr: "symbol_ref",
    builtin.DenseArrayBase: "dense_array", builtin.DenseIntOrFPElementsAttr: "dense_typed_elements", builtin.AffineMapAttr: "affine_map",
}  # fmt: skip
"""MLIR's names of builtin types and attributes, without their dialect."""


def base_name(attribute: Attribute, *, as_type: bool) -> str:
    """MLIR's name of the class of a type or attribute; a type where an attribute is asked for is a `builtin.type`."""
    if isinstance(attribute, TypeAttribute) and not as_type:
        return "builtin.type"
    known = BUILTIN_NAMES.get(type(attribute))
    return attribute.name if known is None else f"builtin.{known}"


class Context:
    """The constraints of one definition, and what each was met by so far in one thing that is checked."""

    def __init__(self, constraints: Sequence[Check]) -> None:
        self.constraints = constraints
        self.met: dict[int, Attribute] = {}
        self.refused: dict[tuple[int, Attribute], VerifyException] = {}
        """What was not met once is never met later: a choice of choices is gone through once."""

    def check(self, number: int, attribute: Attribute) -> None:
        """Raises VerifyException unless `attribute` meets the constraint, in the way that it was met before."""
        before = self.met.get(number)
        if before is None:
            if self.refused and (known := self.refused.get((number, attribute))) is not None:
                raise known
            try:
                self.constraints[number](self, attribute)
            except VerifyException as refusal:
                self.refused[number, attribute] = refusal
                raise
            self.met[number] = attribute
        elif before != attribute:
            raise _unexpected(before, attribute)


def _unexpected(wanted: Attribute, got: Attribute) -> VerifyException:
    return VerifyException(f"expected '{shown(wanted)}' but got '{shown(got)}'")


def anything(context: Context, attribute: Attribute) -> None:
    """`irdl.any`"""


def is_exactly(expected: Attribute) -> Check:
    """`irdl.is i32`"""

    def check(context: Context, attribute: Attribute) -> None:
        if attribute != expected:
            raise _unexpected(expected, attribute)

    return check


def any_of(numbers: Sequence[int]) -> Check:
    """`irdl.any_of(%0, %1)`: the first that is met."""

    def check(context: Context, attribute: Attribute) -> None:
        for number in numbers:
            try:
                return context.check(number, attribute)
            except VerifyException:
                continue
        raise VerifyException(f"'{shown(attribute)}' does not satisfy the constraint")

    return check


def all_of(numbers: Sequence[int]) -> Check:
    """`irdl.all_of(%0, %1)`"""

    def check(context: Context, attribute: Attribute) -> None:
        for number in numbers:
            context.check(number, attribute)

    return check


def has_base(name: str, *, as_type: bool) -> Check:
    """`irdl.base @dialect::@type` and `irdl.base "!builtin.integer"`"""
    what = "type" if as_type else "attribute"

    def check(context: Context, attribute: Attribute) -> None:
        if as_type and not isinstance(attribute, TypeAttribute):
            raise VerifyException(f"expected type, got attribute '{shown(attribute)}'")
        if (found := base_name(attribute, as_type=as_type)) != name:
            raise VerifyException(f"expected base {what} '{name}' but got '{found}'")

    return check


def is_parametric(name: str, numbers: Sequence[int], *, as_type: bool) -> Check:
    """`irdl.parametric @dialect::@type<%0>`"""
    what = "type" if as_type else "attribute"

    def check(context: Context, attribute: Attribute) -> None:
        if attribute.name != name:
            raise VerifyException(f"expected base {what} '{name}' but got '{shown(attribute)}'")
        parameters: tuple[Attribute, ...] = getattr(attribute, "data", ())
        if len(parameters) != len(numbers):
            raise VerifyException(f"{what} '{name}' expects {len(parameters)} parameters but got {len(numbers)}")
        for number, parameter in zip(numbers, parameters, strict=True):
            context.check(number, parameter)

    return check


def segments(what: str, attributes: dict[str, Any], count: int, variadicity: Sequence[str]) -> list[int]:
    """How many of `count` operands or results belong to each definition. Raises VerifyException where they cannot be divided up."""
    loose = [word for word in variadicity if word != "single"]
    if len(loose) > 1:
        return _given_segments(what, attributes.get(f"{what}SegmentSizes"), count, variadicity)
    if not loose:
        if count != len(variadicity):
            raise VerifyException(f"op expects exactly {len(variadicity)} {what}s, but got {count}")
        return [1] * count
    rest = count - len(variadicity) + 1
    if rest < 0:
        raise VerifyException(f"op expects at least {len(variadicity) - 1} {what}s, but got {count}")
    if rest > 1 and loose == ["optional"]:
        raise VerifyException(f"op expects at most {len(variadicity)} {what}s, but got {count}")
    return [1 if word == "single" else rest for word in variadicity]


def _given_segments(what: str, sizes: Any, count: int, variadicity: Sequence[str]) -> list[int]:
    name = f"{what}SegmentSizes"
    if sizes is None:
        raise VerifyException(f"'{name}' attribute is expected but not provided")
    if not isinstance(sizes, builtin.DenseArrayBase) or cast(Any, sizes).elt_type != builtin.i32:
        raise VerifyException(f"'{name}' attribute is expected to be a dense i32 array")
    values = [int(v) for v in cast(Any, sizes).get_values()]
    if len(values) != len(variadicity):
        raise VerifyException(
            f"'{name}' attribute for specifying {what} segments must have {len(variadicity)} elements, but got {len(values)}"
        )
    for place, (value, word) in enumerate(zip(values, variadicity, strict=True)):
        if value < 0:
            raise VerifyException(f"'{name}' attribute for specifying {what} segments must have non-negative values")
        if word == "single" and value != 1:
            raise VerifyException(f"element {place} in '{name}' attribute must be equal to 1")
        if word == "optional" and value > 1:
            raise VerifyException(f"element {place} in '{name}' attribute must be equal to 0 or 1")
    if sum(values) != count:
        raise VerifyException(f"sum of elements in '{name}' attribute must be equal to the number of {what}s")
    return values
