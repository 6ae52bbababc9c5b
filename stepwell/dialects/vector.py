"""`vector`: values of several elements, of any rank. Upstream's dialect, defined afresh but for `shuffle`: xDSL's verifies little.

An n-D vector is one value. What touches memory stands in `vector_memory`, what moves elements in `vector_moves`, what few
programs use in `vector_more`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import vector as shipped
from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import (
    AnyFloatConstr,
    DenseArrayBase,
    IndexType,
    IntegerType,
    VectorType,
    i1,
    i64,
)
from xdsl.dialects.vector import CombiningKindAttr as CombiningKindAttr
from xdsl.dialects.vector import CombiningKindFlag as CombiningKindFlag
from xdsl.dialects.vector import ShuffleOp as ShuffleOp
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine_maps import INDEX
from stepwell.dialects.support import IntegerList, describe, element_of, is_float, replace_ops, without
from stepwell.dialects.vector_memory import GatherOp as GatherOp
from stepwell.dialects.vector_memory import LoadOp as LoadOp
from stepwell.dialects.vector_memory import MaskedLoadOp as MaskedLoadOp
from stepwell.dialects.vector_memory import MaskedStoreOp as MaskedStoreOp
from stepwell.dialects.vector_memory import ScatterOp as ScatterOp
from stepwell.dialects.vector_memory import StoreOp as StoreOp
from stepwell.dialects.vector_memory import TransferReadOp as TransferReadOp
from stepwell.dialects.vector_memory import TransferWriteOp as TransferWriteOp
from stepwell.dialects.vector_moves import BitcastOp as BitcastOp
from stepwell.dialects.vector_moves import ExtractOp as ExtractOp
from stepwell.dialects.vector_moves import ExtractStridedSliceOp as ExtractStridedSliceOp
from stepwell.dialects.vector_moves import InsertOp as InsertOp
from stepwell.dialects.vector_moves import InsertStridedSliceOp as InsertStridedSliceOp
from stepwell.dialects.vector_moves import ShapeCastOp as ShapeCastOp
from stepwell.dialects.vector_moves import TransposeOp as TransposeOp

Vector = VectorType[Any]
NO_FLAGS = FastMathFlagsAttr("none")


def _shape(type: Attribute) -> tuple[int, ...]:
    """The shape of a vector, () of a scalar."""
    return type.get_shape() if isinstance(type, VectorType) else ()


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


def parse_kind(parser: Parser) -> CombiningKindAttr:
    """`<add>`, or the whole attribute `#vector.kind<add>`."""
    start = parser.pos
    attribute = parser.parse_optional_attribute()
    if attribute is None:
        return CombiningKindAttr(CombiningKindAttr.parse_parameter(parser))
    if not isinstance(attribute, CombiningKindAttr):
        parser.raise_error("expected a combining kind", start)
    return attribute


# ---- making vectors -------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class BroadcastOp(IRDLOperation):
    """Repeats a scalar or a vector along leading dimensions and extents of 1: `vector.broadcast %a : vector<14x1xf32> to
    vector<14x32xf32>`."""

    name = "vector.broadcast"

    source = operand_def()
    vector = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($vector)"

    def __init__(self, source: SSAValue, result_type: Vector) -> None:
        super().__init__(operands=[source], result_types=[result_type])

    def verify_(self) -> None:
        source, result = _shape(self.source.type), _shape(self.vector.type)
        if element_of(self.source.type) != element_of(self.vector.type):
            raise VerifyException(f"makes {self.vector.type} of {self.source.type}")
        trailing = result[len(result) - len(source) :] if len(source) <= len(result) else ()
        if len(source) > len(result) or any(a not in (1, b) for a, b in zip(source, trailing, strict=True)):
            raise VerifyException(f"cannot make shape {describe(result)} of {describe(source)}")


@irdl_op_definition
class CreateMaskOp(IRDLOperation):
    """True in a box from the origin: `vector.create_mask %m, %n : vector<14x32xi1>`. Sizes out of range are clamped."""

    name = "vector.create_mask"

    mask_dim_sizes = var_operand_def(IndexType)
    mask_vector = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "$mask_dim_sizes attr-dict `:` type($mask_vector)"

    def __init__(self, mask_dim_sizes: Sequence[SSAValue], result_type: Vector) -> None:
        super().__init__(operands=[mask_dim_sizes], result_types=[result_type])

    def verify_(self) -> None:
        if element_of(self.mask_vector.type) != i1 or len(self.mask_dim_sizes) != max(1, len(_shape(self.mask_vector.type))):
            raise VerifyException(f"makes {self.mask_vector.type} of {len(self.mask_dim_sizes)} sizes")


@irdl_op_definition
class ConstantMaskOp(IRDLOperation):
    """`vector.constant_mask [14, 5] : vector<14x32xi1>`"""

    name = "vector.constant_mask"

    mask_dim_sizes = prop_def(DenseArrayBase.constr(i64))
    mask_vector = result_def(VectorType)
    traits = traits_def(Pure())
    custom_directives = (IntegerList,)
    assembly_format = "custom<IntegerList>($mask_dim_sizes) attr-dict `:` type($mask_vector)"

    def __init__(self, sizes: Sequence[int], result_type: Vector) -> None:
        super().__init__(properties={"mask_dim_sizes": _i64s(sizes)}, result_types=[result_type])

    def verify_(self) -> None:
        sizes, shape = self.mask_dim_sizes.get_values(), _shape(self.mask_vector.type)
        if element_of(self.mask_vector.type) != i1 or len(sizes) != max(1, len(shape)):
            raise VerifyException(f"makes {self.mask_vector.type} of {len(sizes)} sizes")
        if any(not 0 <= size <= extent for size, extent in zip(sizes, shape or (1,), strict=True)) or (0 in sizes and any(sizes)):
            raise VerifyException(f"has sizes {tuple(sizes)} for {self.mask_vector.type}")


@irdl_op_definition
class StepOp(IRDLOperation):
    """0, 1, 2, ...: `vector.step : vector<16xindex>`"""

    name = "vector.step"

    result = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($result)"

    def __init__(self, result_type: Vector) -> None:
        super().__init__(result_types=[result_type])

    def verify_(self) -> None:
        element = element_of(self.result.type)
        if len(_shape(self.result.type)) != 1 or not (element == INDEX or (isinstance(element, IntegerType) and element.bitwidth >= 8)):
            raise VerifyException(f"makes a 1-D vector of index or of integers of at least 8 bits, not {self.result.type}")


@irdl_op_definition
class FromElementsOp(IRDLOperation):
    """`vector.from_elements %a, %b, %c, %d : vector<2x2xf32>`, in row-major order."""

    name = "vector.from_elements"

    elements = var_operand_def()
    dest = result_def(VectorType)
    traits = traits_def(Pure())

    def __init__(self, elements: Sequence[SSAValue], result_type: Vector) -> None:
        super().__init__(operands=[elements], result_types=[result_type])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_optional_undelimited_comma_separated_list(
            parser.parse_optional_unresolved_operand, parser.parse_unresolved_operand
        )
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        operands = operands or []
        op = cls(parser.resolve_operands(operands, [element_of(type)] * len(operands), start), cast(Vector, type))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.elements, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.dest.type)

    def verify_(self) -> None:
        if len(self.elements) != prod(_shape(self.dest.type)) or any(t != element_of(self.dest.type) for t in self.elements.types):
            raise VerifyException(f"makes {self.dest.type} of {len(self.elements)} elements")


@irdl_op_definition
class ToElementsOp(IRDLOperation):
    """`%e:4 = vector.to_elements %v : vector<2x2xf32>`, in row-major order."""

    name = "vector.to_elements"

    source = operand_def(VectorType)
    elements = var_result_def()
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue) -> None:
        super().__init__(operands=[source], result_types=[[element_of(source.type)] * prod(_shape(source.type))])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls(parser.resolve_operand(source, parser.parse_type()))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)

    def verify_(self) -> None:
        if tuple(self.result_types) != (element_of(self.source.type),) * prod(_shape(self.source.type)):
            raise VerifyException(f"of {self.source.type} has {len(self.results)} results")


# ---- arithmetic -----------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class FMAOp(IRDLOperation):
    """`vector.fma %a, %b, %c : vector<14x32xf32>`: a * b + c, rounded once."""

    name = "vector.fma"
    T: ClassVar = VarConstraint("T", VectorType.constr(AnyFloatConstr))

    lhs = operand_def(T)
    rhs = operand_def(T)
    acc = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs `,` $acc attr-dict `:` type($lhs)"

    def __init__(self, lhs: SSAValue, rhs: SSAValue, acc: SSAValue) -> None:
        super().__init__(operands=[lhs, rhs, acc], result_types=[acc.type])


_FLOAT_KINDS = frozenset({"minnumf", "maxnumf", "minimumf", "maximumf"})
_INTEGER_KINDS = frozenset({"minui", "minsi", "maxui", "maxsi", "and", "or", "xor"})


def _verify_kind(name: str, kind: CombiningKindAttr, element: Attribute) -> None:
    wrong = _INTEGER_KINDS if is_float(element) else _FLOAT_KINDS
    if kind.data in wrong:
        raise VerifyException(f"cannot combine {element} by '{kind.data}'")


def combining_kind(kind: CombiningKindAttr | str) -> CombiningKindAttr:
    """`add`, `mul`, `maximumf`, ... as an attribute."""
    return CombiningKindAttr(CombiningKindFlag(kind)) if isinstance(kind, str) else kind


@irdl_op_definition
class ReductionOp(IRDLOperation):
    """Combines all elements of a 1-D vector, starting from `acc`: `vector.reduction <add>, %v, %acc : vector<16xf32> into f32`.

    In order for floats, unless `fastmath<reassoc>`.
    """

    name = "vector.reduction"

    vector = operand_def(VectorType)
    acc = opt_operand_def()
    dest = result_def()
    kind = prop_def(CombiningKindAttr)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parse_kind(parser)
        parser.parse_punctuation(",")
        vector = parser.parse_unresolved_operand()
        acc = parser.parse_unresolved_operand() if parser.parse_optional_punctuation(",") else None
        flags = FastMathFlagsAttr(FastMathFlagsAttr.parse_parameter(parser)) if parser.parse_optional_keyword("fastmath") else NO_FLAGS
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        vector_type = parser.parse_type()
        parser.parse_keyword("into")
        type = parser.parse_type()
        op = cls(
            parser.resolve_operand(vector, vector_type), kind, parser.resolve_operand(acc, type) if acc else None, flags, result_type=type
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" <{self.kind.data}>, ")
        printer.print_list(self.operands, printer.print_ssa_value)
        if self.fastmath != NO_FLAGS:
            printer.print_string(" fastmath")
            self.fastmath.print_parameter(printer)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.vector.type)
        printer.print_string(" into ")
        printer.print_attribute(self.dest.type)

    def __init__(
        self,
        vector: SSAValue,
        kind: CombiningKindAttr | str,
        acc: SSAValue | None = None,
        fastmath: FastMathFlagsAttr = NO_FLAGS,
        *,
        result_type: Attribute | None = None,
    ) -> None:
        super().__init__(
            operands=[vector, acc],
            result_types=[result_type or element_of(vector.type)],
            properties={"kind": combining_kind(kind), "fastmath": fastmath},
        )

    def verify_(self) -> None:
        element = element_of(self.vector.type)
        if len(_shape(self.vector.type)) > 1:
            raise VerifyException(f"takes a 1-D vector, not {self.vector.type}")
        if self.dest.type != element or (self.acc is not None and self.acc.type != element):
            raise VerifyException(f"of {self.vector.type} gives {self.dest.type}")
        _verify_kind(self.name, self.kind, element)


@irdl_op_definition
class MultiDimReductionOp(IRDLOperation):
    """Combines along some dimensions, starting from `acc`: `vector.multi_reduction <add>, %v, %acc [1] : vector<14x32xf32> to
    vector<14xf32>`."""

    name = "vector.multi_reduction"

    source = operand_def(VectorType)
    acc = operand_def()
    dest = result_def()
    kind = prop_def(CombiningKindAttr)
    reduction_dims = prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, acc: SSAValue, dims: Sequence[int], kind: CombiningKindAttr | str) -> None:
        super().__init__(
            operands=[source, acc],
            result_types=[acc.type],
            properties={"kind": combining_kind(kind), "reduction_dims": _i64s(sorted(dims))},
        )

    def verify_(self) -> None:
        shape, dims = _shape(self.source.type), self.reduction_dims.get_values()
        if any(not 0 <= dim < len(shape) for dim in dims):
            raise VerifyException(f"cannot reduce dimensions {tuple(dims)} of {self.source.type}")
        kept = tuple(size for dim, size in enumerate(shape) if dim not in dims)
        if self.acc.type != self.dest.type or _shape(self.dest.type) != kept or element_of(self.dest.type) != element_of(self.source.type):
            raise VerifyException(f"of {self.source.type} over {tuple(dims)} gives {self.dest.type}")
        _verify_kind(self.name, self.kind, element_of(self.source.type))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parse_kind(parser)
        parser.parse_punctuation(",")
        source = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        acc = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        dims = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
        parser.parse_punctuation(":")
        source_type = parser.parse_type()
        parser.parse_keyword("to")
        type = parser.parse_type()
        op = cls(parser.resolve_operand(source, source_type), parser.resolve_operand(acc, type), dims, kind)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" <{self.kind.data}>, ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(f" {list(self.reduction_dims.get_values())} : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" to ")
        printer.print_attribute(self.dest.type)


@irdl_op_definition
class OuterProductOp(IRDLOperation):
    """`vector.outerproduct %a, %b, %acc : vector<4xf32>, vector<8xf32>`: acc[i, j] + a[i] * b[j]; with a scalar second operand acc[i] +
    a[i] * b.

    Another `kind` combines otherwise than by addition.
    """

    name = "vector.outerproduct"

    lhs = operand_def(VectorType)
    rhs = operand_def()
    acc = opt_operand_def(VectorType)
    result = result_def(VectorType)
    kind = prop_def(CombiningKindAttr, default_value=CombiningKindAttr(CombiningKindFlag.ADD))
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, acc: SSAValue | None = None, kind: CombiningKindAttr | str = "add") -> None:
        result = VectorType(element_of(lhs.type), (*_shape(lhs.type), *_shape(rhs.type)))
        super().__init__(operands=[lhs, rhs, acc], result_types=[result], properties={"kind": combining_kind(kind)})

    def verify_(self) -> None:
        expected = (*_shape(self.lhs.type), *_shape(self.rhs.type))
        elements = {element_of(type) for type in (*self.operand_types, self.result.type)}
        if _shape(self.result.type) != expected or len(elements) != 1 or len(_shape(self.lhs.type)) != 1 or len(expected) > 2:
            raise VerifyException(f"of {self.lhs.type} and {self.rhs.type} gives {self.result.type}")
        if self.acc is not None and self.acc.type != self.result.type:
            raise VerifyException(f"adds {self.acc.type} to {self.result.type}")
        _verify_kind(self.name, self.kind, element_of(self.lhs.type))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        lhs_type = parser.parse_type()
        parser.parse_punctuation(",")
        rhs_type = parser.parse_type()
        lhs, rhs = parser.resolve_operand(operands[0], lhs_type), parser.resolve_operand(operands[1], rhs_type)
        result = VectorType(element_of(lhs_type), (*_shape(lhs_type), *_shape(rhs_type)))
        acc = parser.resolve_operand(operands[2], result) if len(operands) > 2 else None
        kind = attributes.pop("kind", "add")
        op = cls(lhs, rhs, acc, cast(CombiningKindAttr, kind))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        kind: dict[str, Attribute] = {} if self.kind.data == CombiningKindFlag.ADD else {"kind": self.kind}
        printer.print_op_attributes(kind | self.attributes)
        printer.print_string(" : ")
        printer.print_list((self.lhs.type, self.rhs.type), printer.print_attribute)


VectorDialect = replace_ops(
    without(shipped.Vector, "vector.print"),
    [
        *(BroadcastOp, CreateMaskOp, ConstantMaskOp, StepOp, FromElementsOp, ToElementsOp),
        *(FMAOp, ReductionOp, MultiDimReductionOp, OuterProductOp),
        *(TransposeOp, ShapeCastOp, BitcastOp, ExtractOp, InsertOp, ExtractStridedSliceOp, InsertStridedSliceOp),
        *(TransferReadOp, TransferWriteOp, LoadOp, StoreOp, MaskedLoadOp, MaskedStoreOp, GatherOp, ScatterOp),
    ],
)
