"""What every `nn` op shares: attributes from Python values, shape rule, construction, text, verification, reference meaning.

In: operands that are tensors and properties that are builtin attributes (i64, i1, f64, strings, dense arrays of i64 or f64).
Out: an op whose properties are always complete (defaults are filled in by `make` and by the parser, elided by the printer) and whose result
types follow from `infer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from inspect import get_annotations
from typing import Any, ClassVar, Self, cast

import numpy as np
from ml_dtypes import bfloat16
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, base, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.nn.shapes import (
    Tensor,
    broadcast_shapes,
    check_element,
    check_permutation,
    check_rank,
    check_same_element,
    extent_product,
    is_bool,
    is_float,
    is_integer,
    is_unsigned,
    same_extent,
    shape_text,
)
from stepwell.dialects.nn.values import PythonValue, attribute, floats, int_list, ints, number, parse_value, print_value
from stepwell.ir.constants import DYNAMIC, Array, array_of, dtype_of, tensor_type
from stepwell.ir.diagnostics import CompileError

Attributes = Mapping[str, Attribute]

# Constraints of operands, results and properties.
TENSOR = base(TensorType)
INT = base(IntegerAttr)
BOOL = base(IntegerAttr)
FLOAT = base(FloatAttr)
TEXT = base(StringAttr)
LIST = base(DenseArrayBase)

RESULT_TYPE = "result_type"
"""The key under which ops whose result type is data (reshape, cast, ...) find it in the attributes given to `infer`; never a property."""


# ---- the op -----------------------------------------------------------------------------------------------------------------------


class NnOp(IRDLOperation):
    """An op of the `nn` dialect. A member defines operands, results, properties, `infer` and `compute`.

    Text: `nn.name %a, %b property = value ... {discardable attributes} : operand types -> result types`. Properties that are equal to their
    defaults are not printed; neither are result types where the op has one operand and one result of the same type.
    """

    traits = traits_def(Pure())

    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {}
    """Properties that may be left out, and what they then are. Others may stand in `default_attributes`."""

    OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    """Properties that may be absent for good."""

    TYPED_RESULT: ClassVar[bool] = False
    """Whether the result type is given rather than inferred (`infer` then checks `attributes[RESULT_TYPE]` and returns it)."""

    # -- shape rule and construction

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The result types. `attributes` is complete (see `complete`). Raises CompileError where operands do not fit."""
        raise NotImplementedError(cls.name)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """Properties that may be left out, with their values for these operands."""
        return {name: attribute(value) for name, value in cls.DEFAULTS.items()}

    @classmethod
    def axis_rank(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> int:
        """The rank in which `axis` and `axes` count."""
        return len(operand_types[0].shape.data)

    @classmethod
    def complete(cls, operand_types: Sequence[Tensor], attributes: Mapping[str, PythonValue]) -> dict[str, Attribute]:
        """Attributes from Python values, with defaults filled in and negative `axis` / `axes` counted from the end."""
        result = {name: attribute(value) for name, value in attributes.items()}
        for name, value in cls.default_attributes(operand_types).items():
            result.setdefault(name, value)
        names = cls.property_names()
        for name in result:
            if name not in names and name != RESULT_TYPE:
                raise CompileError(f"{cls.name} has no attribute '{name}'", hint=f"it has: {', '.join(names) or 'none'}")
        for name in names:
            if name not in result and name not in cls.OPTIONAL:
                raise CompileError(f"{cls.name} needs the attribute '{name}'")
        if cls.TYPED_RESULT and RESULT_TYPE not in result:
            raise CompileError(f"{cls.name} needs '{RESULT_TYPE}'")
        for name in ("axis", "axes"):
            if name in result:
                result[name] = cls._normalised(name, result[name], cls.axis_rank(operand_types, result))
        return result

    @classmethod
    def _normalised(cls, name: str, value: Attribute, rank: int) -> Attribute:
        axes = ints(value) if name == "axes" else (number(value),)
        if any(not -rank <= a < rank for a in axes):
            raise CompileError(f"{cls.name}: {name} {list(axes) if name == 'axes' else axes[0]} is out of range for rank {rank}")
        axes = tuple(a % rank for a in axes)
        if len(set(axes)) != len(axes):
            raise CompileError(f"{cls.name}: an axis stands twice in {list(axes)}")
        return attribute(sorted(axes)) if name == "axes" else attribute(axes[0])

    @classmethod
    def make(cls, *operands: SSAValue, **attributes: PythonValue) -> Self:
        """Build the op with inferred result types. Attributes are Python values or attributes; defaults may be left out."""
        types = [cast(Tensor, o.type) for o in operands]
        complete = cls.complete(types, attributes)
        results = cls.infer(types, complete)
        complete.pop(RESULT_TYPE, None)
        return cls.create(operands=operands, result_types=results, properties=complete)

    @classmethod
    def property_names(cls) -> tuple[str, ...]:
        """The names of the op's properties, those of its family first."""
        return _property_names(cls)

    @property
    def operand_types(self) -> list[Tensor]:
        """The types of the operands."""
        return [cast(Tensor, o.type) for o in self.operands]

    @property
    def result_type(self) -> Tensor:
        """The type of the first result."""
        return cast(Tensor, self.results[0].type)

    # -- verification

    def verify_(self) -> None:
        """Properties are complete and result types are what the shape rule says (`?` fits everything)."""
        attributes: dict[str, Attribute] = dict(self.properties)
        if self.TYPED_RESULT:
            attributes[RESULT_TYPE] = self.results[0].type
        try:
            expected = self.infer(self.operand_types, self.complete(self.operand_types, attributes))
        except CompileError as error:
            raise VerifyException(error.message) from error
        if len(expected) != len(self.results):
            raise VerifyException(f"{self.name} has {len(self.results)} results, expected {len(expected)}")
        for result, want in zip(self.results, expected, strict=True):
            have = cast(Tensor, result.type)
            if have != want and not compatible(have, want):
                raise VerifyException(f"{self.name}: result type is {have}, the shape rule says {want}")

    # -- reference meaning

    def evaluate(self, *arrays: Array) -> tuple[Array, ...]:
        """What the op means, on numpy arrays of exactly the operands' element types. f16 and bf16 are computed in f32 and rounded once."""
        with np.errstate(all="ignore"):
            computed = self.compute(*(widen(a) for a in arrays))
        results = cast(tuple[Any, ...], computed) if isinstance(computed, tuple) else (computed,)
        return tuple(
            np.asarray(r).astype(dtype_of(cast(Tensor, v.type).element_type), copy=False)
            for r, v in zip(results, self.results, strict=True)
        )

    def compute(self, *arrays: Any, **nothing: Any) -> Any:
        """The meaning of a member on widened arrays, one for each operand: an array, or a tuple of arrays for several results."""
        raise NotImplementedError(self.name)

    def constant_operand(self, index: int) -> Array | None:
        """The value of an operand that is a constant (a free, read-only view)."""
        return constant_value(self.operands[index])

    # -- text

    def print(self, printer: Printer) -> None:
        """Print the custom form."""
        types = self.operand_types
        for i, operand in enumerate(self.operands):
            printer.print_string(", " if i else " ")
            printer.print_ssa_value(operand)
        defaults = self.default_attributes(types)
        for name in self.property_names():
            value = self.properties.get(name)
            if value is not None and defaults.get(name) != value:
                printer.print_string(f" {name} = ")
                print_value(printer, value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        results = [r.type for r in self.results]
        if types:
            printer.print_list(types, printer.print_attribute)
            if results == types and len(types) == 1:
                return
            printer.print_string(" -> ")
        if len(results) == 1:
            printer.print_attribute(results[0])
        else:
            with printer.in_parens():
                printer.print_list(results, printer.print_attribute)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        """Parse the custom form; result types that are not written are inferred."""
        start = parser.pos
        unresolved: list[Any] = []
        if (first := parser.parse_optional_unresolved_operand()) is not None:
            unresolved.append(first)
            while parser.parse_optional_punctuation(","):
                unresolved.append(parser.parse_unresolved_operand())
        attributes: dict[str, Attribute] = {}
        while (name := parser.parse_optional_identifier()) is not None:
            if name not in cls.property_names():
                parser.raise_error(f"{cls.name} has no attribute '{name}' (it has: {', '.join(cls.property_names()) or 'none'})")
            parser.parse_punctuation("=")
            attributes[name] = parse_value(parser)
        discardable = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types: list[Any] = []
        results: list[Any] | None = None
        if unresolved:
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            if parser.parse_optional_punctuation("->"):
                results = _parse_results(parser)
        else:
            results = _parse_results(parser)
        end = parser.pos
        if len(types) != len(unresolved):
            parser.raise_error(f"{cls.name} has {len(unresolved)} operands and {len(types)} operand types", start, end)
        if any(not isinstance(t, TensorType) for t in (*types, *(results or ()))):
            parser.raise_error(f"{cls.name} works on tensors", start, end)
        operands = [parser.resolve_operand(o, t) for o, t in zip(unresolved, types, strict=True)]
        if cls.TYPED_RESULT:
            attributes[RESULT_TYPE] = (results or types)[0]
        try:
            properties = cls.complete(types, attributes)
            results = results or list(cls.infer(types, properties))
        except CompileError as error:
            parser.raise_error(error.message, start, end)
        properties.pop(RESULT_TYPE, None)
        return cls.create(operands=operands, result_types=results, properties=properties, attributes=discardable)


@cache
def _property_names(cls: type[NnOp]) -> tuple[str, ...]:
    names = cls.get_irdl_definition().properties
    order = [n for c in reversed(cls.__mro__) for n in get_annotations(c)]
    return tuple(sorted(names, key=order.index))


def _parse_results(parser: Parser) -> list[Any]:
    if parser.parse_optional_punctuation("("):
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation(")")
        return types
    return [parser.parse_type()]


def compatible(have: Tensor, want: Tensor) -> bool:
    """Whether a type can be the inferred one: same element type and rank, extents equal or `?`."""
    a, b = have.get_shape(), want.get_shape()
    return have.element_type == want.element_type and len(a) == len(b) and all(same_extent(x, y) for x, y in zip(a, b, strict=True))


def constant_value(value: SSAValue) -> Array | None:
    """The array of a value that an `nn.constant` or `arith.constant` of tensor type defines, as a free read-only view; else None."""
    owner = value.owner
    dense = getattr(owner, "value", None) if getattr(owner, "name", "") in ("nn.constant", "arith.constant") else None
    return array_of(cast(DenseIntOrFPElementsAttr[Any], dense)) if isinstance(dense, DenseIntOrFPElementsAttr) else None


_HALVES = (np.dtype(np.float16), np.dtype(bfloat16))


def widen(array: Array) -> Array:
    """f16 and bf16 as f32, everything else as it is."""
    return array.astype(np.float32) if array.dtype in _HALVES else array


__all__ = [
    "BOOL",
    "DYNAMIC",
    "FLOAT",
    "INT",
    "LIST",
    "RESULT_TYPE",
    "TENSOR",
    "TEXT",
    "Array",
    "Attributes",
    "NnOp",
    "PythonValue",
    "Tensor",
    "attribute",
    "broadcast_shapes",
    "check_element",
    "check_permutation",
    "check_rank",
    "check_same_element",
    "compatible",
    "constant_value",
    "extent_product",
    "floats",
    "int_list",
    "ints",
    "is_bool",
    "is_float",
    "is_integer",
    "is_unsigned",
    "number",
    "same_extent",
    "shape_text",
    "tensor_type",
    "widen",
]
