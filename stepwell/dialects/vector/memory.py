"""The ops of `vector` that touch memory or read tensors: transfers, loads, stores, gather and scatter."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    TensorType,
    VectorType,
    i1,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of

Vector = VectorType[Any]
ShapedSource = TensorType[Any] | MemRefType[Any]

_NOTHING: frozenset[EffectInstance] = frozenset()
_READ = frozenset({EffectInstance(MemoryEffectKind.READ)})
_WRITE = frozenset({EffectInstance(MemoryEffectKind.WRITE)})


class ReadsBuffer(MemoryEffect):
    """Reads memory where an operand is a memref; free of effects on tensors."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance]:
        return _READ if any(isinstance(operand.type, MemRefType) for operand in op.operands) else _NOTHING


class WritesBuffer(MemoryEffect):
    """Writes memory where an operand is a memref; free of effects on tensors."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance]:
        return _WRITE if any(isinstance(operand.type, MemRefType) for operand in op.operands) else _NOTHING


# ---- transfers ------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _segments(*sizes: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, sizes)


@lru_cache(maxsize=256)
def _bounds(in_bounds: tuple[bool, ...]) -> ArrayAttr[BoolAttr]:
    return ArrayAttr(BoolAttr.from_bool(b) for b in in_bounds)


@lru_cache(maxsize=256)
def _minor_identity(dims: int, results: int) -> AffineMapAttr:
    return AffineMapAttr(AffineMap.minor_identity(dims, results))


def mask_type(map: AffineMap, vector: Vector) -> Vector:
    """The type of a transfer's mask: one extent for each dimension of the source that the transfer walks, in the order of the source."""
    places = {expr.position: index for index, expr in enumerate(map.results) if isinstance(expr, AffineDimExpr)}
    if not places:
        return VectorType(i1, [1])
    shape, flags = shape_of(vector), flags_of(vector)
    walked = [places[dim] for dim in sorted(places)]
    return vector_of(i1, [shape[index] for index in walked], [flags[index] for index in walked])


class TransferOperation(IRDLOperation, ABC):
    """What a transfer read and a transfer write share: a box of a tensor or memref, permuted, with unequal extents masked or padded.

    `permutation_map` maps the dimensions of the source to those of the vector; the constant 0 broadcasts. `in_bounds` promises for each
    dimension of the vector that no element lies outside. The mask has the vector's shape before permutation, without broadcast dimensions.
    """

    def _print_rest(
        self, printer: Printer, indices: Sequence[SSAValue], operands: Sequence[SSAValue | None], types: Sequence[Attribute]
    ) -> None:
        with printer.in_square_brackets():
            printer.print_list(indices, printer.print_ssa_value)
        for operand in operands:
            if operand is not None:
                printer.print_string(", ")
                printer.print_ssa_value(operand)
        hidden = {"operandSegmentSizes"}
        if cast(AffineMapAttr, self.properties["permutation_map"]).data.is_minor_identity():
            hidden.add("permutation_map")
        if not any(cast(ArrayAttr[BoolAttr], self.properties["in_bounds"])):
            hidden.add("in_bounds")
        printer.print_op_attributes(self.properties | self.attributes, reserved_attr_names=hidden)
        printer.print_string(" : ")
        printer.print_list(types, printer.print_attribute)


def _default_map(source: ShapedSource, vector: Vector) -> AffineMapAttr:
    if source.get_num_dims() == 0 and vector.get_shape() == (1,):
        return AffineMapAttr(AffineMap.constant_map(0))
    return _minor_identity(source.get_num_dims(), _walked(source, vector))


def _walked(source: ShapedSource, vector: Vector) -> int:
    """How many dimensions of a vector are not within the elements of the source."""
    return vector.get_num_dims() - len(shape_of(source.element_type))


def _transfer_properties(
    source: ShapedSource,
    vector: Vector,
    in_bounds: Attribute | Sequence[bool] | None,
    map: Attribute | AffineMap | None,
    segments: tuple[int, ...],
) -> dict[str, Attribute]:
    if map is None:
        map = _default_map(source, vector)
    elif isinstance(map, AffineMap):
        map = AffineMapAttr(map)
    if not isinstance(in_bounds, Attribute):
        in_bounds = _bounds(tuple(in_bounds) if in_bounds is not None else (False,) * len(cast(AffineMapAttr, map).data.results))
    return {"in_bounds": in_bounds, "permutation_map": map, "operandSegmentSizes": _segments(*segments)}


def _parse_indices(parser: Parser) -> list[SSAValue]:
    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))


def _parse_optional_mask(parser: Parser) -> Any:
    return parser.parse_unresolved_operand() if parser.parse_optional_punctuation(",") else None


def _resolve_mask(parser: Parser, name: str, mask: Any, source: ShapedSource, vector: Vector, map: Attribute | None) -> SSAValue | None:
    if mask is None:
        return None
    if isinstance(source.element_type, VectorType):
        parser.raise_error(f"custom op '{name}' does not support masks with vector element type")
    affine = map.data if isinstance(map, AffineMapAttr) else _default_map(source, vector).data
    if len(affine.results) != vector.get_num_dims():
        parser.raise_error("expected the same rank for the vector and the results of the permutation map")
    return parser.resolve_operand(mask, mask_type(affine, vector))


def _parse_types(parser: Parser, name: str, source: int, map: Attribute | None) -> tuple[ShapedSource, Vector]:
    """The types of the source and the vector; the source's is written as number `source` of the two."""
    start = parser.pos
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    if len(types) != 2:
        parser.raise_error(f"custom op '{name}' requires two types", start)
    if source and not isinstance(types[0], VectorType):
        parser.raise_error(f"custom op '{name}' requires vector type", start)
    if not isinstance(types[source], TensorType | MemRefType):
        parser.raise_error(f"custom op '{name}' requires memref or ranked tensor type", start)
    if not isinstance(types[1 - source], VectorType):
        parser.raise_error(f"custom op '{name}' requires vector type", start)
    shaped, vector = cast(ShapedSource, types[source]), cast(Vector, types[1 - source])
    rank = shaped.get_num_dims()
    if map is None and not 0 <= _walked(shaped, vector) <= rank and not (rank == 0 and vector.get_shape() == (1,)):
        parser.raise_error(f"custom op '{name}' expected a custom permutation_map when rank(source) != rank(destination)", start)
    return shaped, vector


@irdl_op_definition
class TransferReadOp(TransferOperation):
    """Reads a box; where it lies outside or is masked off, the padding stands.

    ```mlir
    %v = vector.transfer_read %C[%m, %n], %zero, %mask {in_bounds = [true, true]} : memref<?x?xf32>, vector<14x32xf32>
    ```
    """

    name = "vector.transfer_read"

    source = operand_def(TensorType | MemRefType)
    indices = var_operand_def(IndexType)
    padding = operand_def()
    mask = opt_operand_def(VectorType)
    permutation_map = prop_def(AffineMapAttr)
    in_bounds = prop_def(ArrayAttr[BoolAttr])
    result = result_def(VectorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(ReadsBuffer())

    @classmethod
    def get(
        cls,
        source: SSAValue,
        indices: Sequence[SSAValue],
        padding: SSAValue,
        result_type: Vector,
        *,
        mask: SSAValue | None = None,
        in_bounds: Attribute | Sequence[bool] | None = None,
        permutation_map: AffineMapAttr | AffineMap | None = None,
    ) -> TransferReadOp:
        """`in_bounds=None` promises nothing; `permutation_map=None` is the minor identity."""
        segments = (1, len(indices), 1, 0 if mask is None else 1)
        return cls.create(
            operands=[source, *indices, padding, *(() if mask is None else (mask,))],
            result_types=[result_type],
            properties=_transfer_properties(cast(ShapedSource, source.type), result_type, in_bounds, permutation_map, segments),
        )

    @classmethod
    def parse(cls, parser: Parser) -> TransferReadOp:
        source = parser.parse_unresolved_operand()
        indices = _parse_indices(parser)
        parser.parse_punctuation(",")
        padding = parser.parse_unresolved_operand()
        mask = _parse_optional_mask(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        map = attributes.pop("permutation_map", None)
        source_type, type = _parse_types(parser, cls.name, 0, map)
        op = cls.get(
            parser.resolve_operand(source, source_type),
            indices,
            parser.resolve_operand(padding, source_type.element_type),
            type,
            mask=_resolve_mask(parser, cls.name, mask, source_type, type, map),
            in_bounds=attributes.pop("in_bounds", None),
            permutation_map=cast(AffineMapAttr | None, map),
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        self._print_rest(printer, self.indices, (self.padding, self.mask), (self.source.type, self.result.type))


@irdl_op_definition
class TransferWriteOp(TransferOperation):
    """Writes a box; what lies outside or is masked off is not written. On a tensor the result is the tensor with the box replaced.

    ```mlir
    vector.transfer_write %v, %C[%m, %n], %mask {in_bounds = [true, true]} : vector<14x32xf32>, memref<?x?xf32>
    ```
    """

    name = "vector.transfer_write"

    vector = operand_def(VectorType)
    source = operand_def(TensorType | MemRefType)
    indices = var_operand_def(IndexType)
    mask = opt_operand_def(VectorType)
    permutation_map = prop_def(AffineMapAttr)
    in_bounds = prop_def(ArrayAttr[BoolAttr])
    result = opt_result_def(TensorType)

    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(WritesBuffer())

    @classmethod
    def get(
        cls,
        vector: SSAValue,
        source: SSAValue,
        indices: Sequence[SSAValue],
        *,
        mask: SSAValue | None = None,
        in_bounds: Attribute | Sequence[bool] | None = None,
        permutation_map: AffineMapAttr | AffineMap | None = None,
    ) -> TransferWriteOp:
        """`in_bounds=None` promises nothing; `permutation_map=None` is the minor identity."""
        segments = (1, 1, len(indices), 0 if mask is None else 1)
        source_type = cast(ShapedSource, source.type)
        return cls.create(
            operands=[vector, source, *indices, *(() if mask is None else (mask,))],
            result_types=[source_type] if isinstance(source_type, TensorType) else [],
            properties=_transfer_properties(source_type, cast(Vector, vector.type), in_bounds, permutation_map, segments),
        )

    @classmethod
    def parse(cls, parser: Parser) -> TransferWriteOp:
        vector = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        source = parser.parse_unresolved_operand()
        indices = _parse_indices(parser)
        mask = _parse_optional_mask(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        map = attributes.pop("permutation_map", None)
        source_type, type = _parse_types(parser, cls.name, 1, map)
        op = cls.get(
            parser.resolve_operand(vector, type),
            parser.resolve_operand(source, source_type),
            indices,
            mask=_resolve_mask(parser, cls.name, mask, source_type, type, map),
            in_bounds=attributes.pop("in_bounds", None),
            permutation_map=cast(AffineMapAttr | None, map),
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.vector)
        printer.print_string(", ")
        printer.print_ssa_value(self.source)
        self._print_rest(printer, self.indices, (self.mask,), (self.vector.type, self.source.type))


# ---- rows -----------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class LoadOp(IRDLOperation):
    """`%v = vector.load %m[%i, %j] : memref<?x?xf32>, vector<8xf32>`: contiguous along the last dimension, all in bounds."""

    name = "vector.load"

    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    result = result_def(VectorType)
    nontemporal = opt_prop_def(BoolAttr)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(ReadsBuffer())
    assembly_format = "$base `[` $indices `]` attr-dict `:` type($base) `,` type($result)"

    def __init__(self, base: SSAValue, indices: Sequence[SSAValue], result_type: Vector) -> None:
        super().__init__(operands=[base, indices], result_types=[result_type])


@irdl_op_definition
class StoreOp(IRDLOperation):
    """`vector.store %v, %m[%i, %j] : memref<?x?xf32>, vector<8xf32>`"""

    name = "vector.store"

    vector = operand_def(VectorType)
    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    nontemporal = opt_prop_def(BoolAttr)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(WritesBuffer())
    assembly_format = "$vector `,` $base `[` $indices `]` attr-dict `:` type($base) `,` type($vector)"

    def __init__(self, vector: SSAValue, base: SSAValue, indices: Sequence[SSAValue]) -> None:
        super().__init__(operands=[vector, base, indices])


@irdl_op_definition
class MaskedLoadOp(IRDLOperation):
    """`vector.maskedload %m[%i], %mask, %pass : memref<?xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>`"""

    name = "vector.maskedload"

    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    mask = operand_def(VectorType)
    pass_thru = operand_def(VectorType)
    result = result_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(ReadsBuffer())
    assembly_format = (
        "$base `[` $indices `]` `,` $mask `,` $pass_thru attr-dict`:` type($base) `,` type($mask) `,` type($pass_thru) `into` type($result)"
    )

    def __init__(self, base: SSAValue, indices: Sequence[SSAValue], mask: SSAValue, pass_thru: SSAValue) -> None:
        super().__init__(operands=[base, indices, mask, pass_thru], result_types=[pass_thru.type])


@irdl_op_definition
class MaskedStoreOp(IRDLOperation):
    """`vector.maskedstore %m[%i], %mask, %v : memref<?xf32>, vector<8xi1>, vector<8xf32>`"""

    name = "vector.maskedstore"

    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    mask = operand_def(VectorType)
    value_to_store = operand_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(WritesBuffer())
    assembly_format = (
        "$base `[` $indices `]` `,` $mask `,` $value_to_store attr-dict `:` type($base) `,` type($mask) `,` type($value_to_store)"
    )

    def __init__(self, base: SSAValue, indices: Sequence[SSAValue], mask: SSAValue, value_to_store: SSAValue) -> None:
        super().__init__(operands=[base, indices, mask, value_to_store])


@irdl_op_definition
class GatherOp(IRDLOperation):
    """Element by element: base[indices..., last + index_vec[i]] where the mask is set, else the pass-through's.

    ```mlir
    %v = vector.gather %m[%i][%idx], %mask, %pass : memref<?xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
    ```
    """

    name = "vector.gather"

    base = operand_def(MemRefType | TensorType)
    offsets = var_operand_def(IndexType)
    indices = operand_def(VectorType)
    mask = operand_def(VectorType)
    pass_thru = operand_def(VectorType)
    result = result_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(ReadsBuffer())
    assembly_format = (
        "$base `[` $offsets `]` `[` $indices `]` `,` $mask `,` $pass_thru attr-dict `:`"
        "type($base) `,` type($indices) `,` type($mask) `,` type($pass_thru) `into` type($result)"
    )

    def __init__(self, base: SSAValue, offsets: Sequence[SSAValue], indices: SSAValue, mask: SSAValue, pass_thru: SSAValue) -> None:
        super().__init__(operands=[base, offsets, indices, mask, pass_thru], result_types=[pass_thru.type])


@irdl_op_definition
class ScatterOp(IRDLOperation):
    """`vector.scatter %m[%i][%idx], %mask, %v : memref<?xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32>`: in order, the last wins."""

    name = "vector.scatter"

    base = operand_def(MemRefType | TensorType)
    offsets = var_operand_def(IndexType)
    indices = operand_def(VectorType)
    mask = operand_def(VectorType)
    value_to_store = operand_def(VectorType)
    result = opt_result_def(TensorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(WritesBuffer())
    assembly_format = (
        "$base `[` $offsets `]` `[` $indices `]` `,` $mask `,` $value_to_store attr-dict `:`"
        "type($base) `,` type($indices) `,` type($mask) `,` type($value_to_store) (`->` type($result)^)?"
    )

    def __init__(self, base: SSAValue, offsets: Sequence[SSAValue], indices: SSAValue, mask: SSAValue, value_to_store: SSAValue) -> None:
        super().__init__(operands=[base, offsets, indices, mask, value_to_store])
