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
    VectorType,
    i64,
)
from xdsl.dialects.vector import CombiningKindAttr as CombiningKindAttr
from xdsl.dialects.vector import CombiningKindFlag as CombiningKindFlag
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

from stepwell.dialects.support import IntegerList, element_of, replace_ops, without
from stepwell.dialects.vector.memory import GatherOp as GatherOp
from stepwell.dialects.vector.memory import LoadOp as LoadOp
from stepwell.dialects.vector.memory import MaskedLoadOp as MaskedLoadOp
from stepwell.dialects.vector.memory import MaskedStoreOp as MaskedStoreOp
from stepwell.dialects.vector.memory import ScatterOp as ScatterOp
from stepwell.dialects.vector.memory import StoreOp as StoreOp
from stepwell.dialects.vector.memory import TransferReadOp as TransferReadOp
from stepwell.dialects.vector.memory import TransferWriteOp as TransferWriteOp
from stepwell.dialects.vector.moves import BitcastOp as BitcastOp
from stepwell.dialects.vector.moves import ExtractOp as ExtractOp
from stepwell.dialects.vector.moves import ExtractStridedSliceOp as ExtractStridedSliceOp
from stepwell.dialects.vector.moves import InsertOp as InsertOp
from stepwell.dialects.vector.moves import InsertStridedSliceOp as InsertStridedSliceOp
from stepwell.dialects.vector.moves import ShapeCastOp as ShapeCastOp
from stepwell.dialects.vector.moves import ShuffleOp as ShuffleOp
from stepwell.dialects.vector.moves import TransposeOp as TransposeOp
from stepwell.dialects.vector.shapes import flags_of, is_fixed, shape_of, vector_of
from stepwell.ir.rules import shown

Vector = VectorType[Any]
NO_FLAGS = FastMathFlagsAttr("none")
_KINDS = tuple(kind.value for kind in CombiningKindFlag)


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


def parse_kind(parser: Parser, name: str) -> CombiningKindAttr:
    """`<add>`, or the whole attribute `#vector.kind<add>`."""
    start = parser.pos
    attribute = parser.parse_optional_attribute()
    if isinstance(attribute, CombiningKindAttr):
        return attribute
    if attribute is not None:
        parser.raise_error("expected '<'", start)
    parser.parse_punctuation("<")
    kind = parser.parse_optional_keyword_in(_KINDS)
    if kind is None:
        parser.raise_error(f"custom op '{name}' expected ::mlir::vector::CombiningKind to be one of: {', '.join(_KINDS)}")
    parser.parse_punctuation(">")
    return CombiningKindAttr(CombiningKindFlag(kind))


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


@irdl_op_definition
class StepOp(IRDLOperation):
    """0, 1, 2, ...: `vector.step : vector<16xindex>`"""

    name = "vector.step"

    result = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($result)"

    def __init__(self, result_type: Vector) -> None:
        super().__init__(result_types=[result_type])


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
        if not is_fixed(type):
            parser.raise_error(f"'dest' must be fixed-length vector of any non-token type values, but got '{shown(type)}'", start)
        if len(operands) != (count := prod(shape_of(type))):
            found = f"got {len(operands)} operands and {count} types"
            parser.raise_error(f"'{cls.name}' number of operands and types do not match: {found}", start)
        op = cls(parser.resolve_operands(operands, [element_of(type)] * len(operands), start), cast(Vector, type))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.elements, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.dest.type)


@irdl_op_definition
class ToElementsOp(IRDLOperation):
    """`%e:4 = vector.to_elements %v : vector<2x2xf32>`, in row-major order."""

    name = "vector.to_elements"

    source = operand_def(VectorType)
    elements = var_result_def()
    traits = traits_def(Pure())

    def __init__(self, source: SSAValue) -> None:
        super().__init__(operands=[source], result_types=[[element_of(source.type)] * prod(shape_of(source.type))])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        type = parser.parse_type()
        if not is_fixed(type):
            parser.raise_error(f"'source' must be fixed-length vector of any non-token type values, but got '{shown(type)}'", start)
        op = cls(parser.resolve_operand(source, type))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)


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
        kind = parse_kind(parser, cls.name)
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
            properties={"kind": combining_kind(kind), "reduction_dims": _i64s(dims)},
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parse_kind(parser, cls.name)
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


def _product(lhs: Attribute, rhs: Attribute) -> Vector:
    """What the outer product of two vectors, or of a vector and a scalar, makes."""
    return vector_of(element_of(lhs), shape_of(lhs)[:1] + shape_of(rhs)[:1], flags_of(lhs)[:1] + flags_of(rhs)[:1])


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
        super().__init__(operands=[lhs, rhs, acc], result_types=[_product(lhs.type, rhs.type)], properties={"kind": combining_kind(kind)})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        if len(operands) < 2:
            parser.raise_error("expected at least 2 operands", start)
        if len(types) < 2:
            parser.raise_error("expected 2 types", start)
        if not isinstance(types[0], VectorType):
            parser.raise_error("expected vector type for operand #1", start)
        kind = attributes.pop("kind", CombiningKindAttr(CombiningKindFlag.ADD))
        if not isinstance(kind, CombiningKindAttr):
            parser.raise_error("expected 'kind' attribute of type CombiningKind (e.g. 'vector.kind<add>')", start)
        result = _product(cast(Vector, types[0]), types[1])
        values = parser.resolve_operands(operands, [*types, result] if len(operands) > 2 else types, start)
        return cls.create(operands=values, result_types=[result], properties={"kind": kind}, attributes=attributes)

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
        *(TransposeOp, ShapeCastOp, BitcastOp, ShuffleOp, ExtractOp, InsertOp, ExtractStridedSliceOp, InsertStridedSliceOp),
        *(TransferReadOp, TransferWriteOp, LoadOp, StoreOp, MaskedLoadOp, MaskedStoreOp, GatherOp, ScatterOp),
    ],
)
