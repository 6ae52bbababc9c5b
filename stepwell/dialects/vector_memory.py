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
    IntegerType,
    MemRefType,
    TensorType,
    VectorType,
    i1,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineMap
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
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine_maps import INDEX

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


@lru_cache(maxsize=256)
def _mask_shape(map: AffineMap, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A mask has one extent for each dimension of the source that the transfer walks, in the order of the source."""
    by_dim = {expr.position: size for expr, size in zip(map.results, shape, strict=True) if isinstance(expr, AffineDimExpr)}
    return tuple(by_dim[dim] for dim in sorted(by_dim))


class TransferOperation(IRDLOperation, ABC):
    """What a transfer read and a transfer write share: a box of a tensor or memref, permuted, with unequal extents masked or padded.

    `permutation_map` maps the dimensions of the source to those of the vector; the constant 0 broadcasts. `in_bounds` promises for each
    dimension of the vector that no element lies outside. The mask has the vector's shape before permutation, without broadcast dimensions.
    """

    def _verify_transfer(self, source: Attribute, vector: Attribute, indices: int, mask: SSAValue | None) -> None:
        source, vector = cast(ShapedSource, source), cast(Vector, vector)
        properties = self.properties
        map = cast(AffineMapAttr, properties["permutation_map"]).data
        in_bounds = cast(ArrayAttr[BoolAttr], properties["in_bounds"])
        if indices != source.get_num_dims():
            raise VerifyException(f"has {indices} indices for a source of rank {source.get_num_dims()}")
        if vector.element_type != source.element_type:
            raise VerifyException(f"transfers {source.element_type} of the source and {vector.element_type} of the vector")
        if map.num_symbols or map.num_dims != source.get_num_dims() or len(map.results) != vector.get_num_dims():
            raise VerifyException(f"has a permutation map {map} from rank {source.get_num_dims()} to {vector.get_num_dims()}")
        if len(in_bounds) != len(map.results):
            raise VerifyException(f"has {len(in_bounds)} in_bounds for a vector of rank {len(map.results)}")
        seen: set[int] = set()
        for expr, inside in zip(map.results, in_bounds, strict=True):
            if isinstance(expr, AffineConstantExpr) and expr.value == 0:
                if not inside:
                    raise VerifyException("requires broadcast dimensions to be in-bounds")
            elif not isinstance(expr, AffineDimExpr) or expr.position in seen:
                raise VerifyException(f"requires a projected permutation, got {map}")
            else:
                seen.add(expr.position)
        if mask is not None:
            expected = _mask_shape(map, vector.get_shape())
            if cast(Vector, mask.type).get_shape() != expected:
                raise VerifyException(f"needs a mask of shape {expected}, got {mask.type}")

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
    return _minor_identity(source.get_num_dims(), vector.get_num_dims())


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
        in_bounds = _bounds(tuple(in_bounds) if in_bounds is not None else (False,) * vector.get_num_dims())
    return {"in_bounds": in_bounds, "permutation_map": map, "operandSegmentSizes": _segments(*segments)}


def _parse_indices(parser: Parser) -> list[SSAValue]:
    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))


def _parse_optional_mask(parser: Parser) -> Any:
    return parser.parse_unresolved_operand() if parser.parse_optional_punctuation(",") else None


def _resolve_mask(parser: Parser, mask: Any, source: ShapedSource, vector: Vector, map: Attribute | None) -> SSAValue | None:
    if mask is None:
        return None
    affine = map.data if isinstance(map, AffineMapAttr) else _default_map(source, vector).data
    if len(affine.results) != vector.get_num_dims():
        parser.raise_error("expected the same rank for the vector and the results of the permutation map")
    scalable = _mask_shape(affine, tuple(vector.get_scalable_dims()))
    flags = ArrayAttr(BoolAttr.from_bool(bool(flag)) for flag in scalable) if any(scalable) else None
    return parser.resolve_operand(mask, VectorType(i1, _mask_shape(affine, vector.get_shape()), flags))


def _parse_source_type(parser: Parser) -> ShapedSource:
    start = parser.pos
    type = parser.parse_type()
    if not isinstance(type, TensorType | MemRefType):
        parser.raise_error("requires memref or ranked tensor type", start)
    return cast(ShapedSource, type)


def _parse_vector_type(parser: Parser) -> Vector:
    start = parser.pos
    type = parser.parse_type()
    if not isinstance(type, VectorType):
        parser.raise_error("requires vector type", start)
    return cast(Vector, type)


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

    def verify_(self) -> None:
        self._verify_transfer(self.source.type, self.result.type, len(self.indices), self.mask)
        if self.padding.type != cast(ShapedSource, self.source.type).element_type:
            raise VerifyException(f"pads {self.source.type} by a value of type {self.padding.type}")

    @classmethod
    def parse(cls, parser: Parser) -> TransferReadOp:
        source = parser.parse_unresolved_operand()
        indices = _parse_indices(parser)
        parser.parse_punctuation(",")
        padding = parser.parse_unresolved_operand()
        mask = _parse_optional_mask(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        source_type = _parse_source_type(parser)
        parser.parse_punctuation(",")
        type = _parse_vector_type(parser)
        map = attributes.pop("permutation_map", None)
        op = cls.get(
            parser.resolve_operand(source, source_type),
            indices,
            parser.resolve_operand(padding, source_type.element_type),
            type,
            mask=_resolve_mask(parser, mask, source_type, type, map),
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

    def verify_(self) -> None:
        self._verify_transfer(self.source.type, self.vector.type, len(self.indices), self.mask)
        if any(isinstance(expr, AffineConstantExpr) for expr in self.permutation_map.data.results):
            raise VerifyException("cannot write a broadcast dimension")
        if (self.result is not None) != isinstance(self.source.type, TensorType) or (
            self.result is not None and self.result.type != self.source.type
        ):
            raise VerifyException("has a result exactly where it writes to a tensor, of that tensor's type")

    @classmethod
    def parse(cls, parser: Parser) -> TransferWriteOp:
        vector = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        source = parser.parse_unresolved_operand()
        indices = _parse_indices(parser)
        mask = _parse_optional_mask(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = _parse_vector_type(parser)
        parser.parse_punctuation(",")
        source_type = _parse_source_type(parser)
        map = attributes.pop("permutation_map", None)
        op = cls.get(
            parser.resolve_operand(vector, type),
            parser.resolve_operand(source, source_type),
            indices,
            mask=_resolve_mask(parser, mask, source_type, type, map),
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


def _verify_access(op: Operation, base: Attribute, indices: int, vector: Attribute, *others: tuple[str, Attribute]) -> None:
    """Raise VerifyException unless the vector is a row of the memref's elements, and the other operands have its shape."""
    memref, row = cast(MemRefType[Any], base), cast(Vector, vector)
    if indices != memref.get_num_dims():
        raise VerifyException(f"has {indices} indices for a memref of rank {memref.get_num_dims()}")
    if memref.element_type not in (row.element_type, vector):
        raise VerifyException(f"moves {row.element_type} from or to a memref of {memref.element_type}")
    for what, type in others:
        if cast(Vector, type).get_shape() != row.get_shape():
            raise VerifyException(f"has a {what} of type {type} for a vector {vector}")
        if what == "mask" and cast(Vector, type).element_type != i1:
            raise VerifyException(f"has a mask of type {type}")
        if what == "pass-through" and type != vector:
            raise VerifyException(f"has a pass-through of type {type} for a result {vector}")
        if what == "index vector" and not isinstance(cast(Vector, type).element_type, IntegerType | IndexType):
            raise VerifyException(f"has an index vector of type {type}")


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

    def verify_(self) -> None:
        _verify_access(self, self.base.type, len(self.indices), self.result.type)


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

    def verify_(self) -> None:
        _verify_access(self, self.base.type, len(self.indices), self.vector.type)


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

    def verify_(self) -> None:
        others = (("mask", self.mask.type), ("pass-through", self.pass_thru.type))
        _verify_access(self, self.base.type, len(self.indices), self.result.type, *others)


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

    def verify_(self) -> None:
        _verify_access(self, self.base.type, len(self.indices), self.value_to_store.type, ("mask", self.mask.type))


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
        "$base `[` $offsets `]` `` `[` $indices `]` `,` $mask `,` $pass_thru attr-dict `:`"
        "type($base) `,` type($indices) `,` type($mask) `,` type($pass_thru) `into` type($result)"
    )

    def __init__(self, base: SSAValue, offsets: Sequence[SSAValue], indices: SSAValue, mask: SSAValue, pass_thru: SSAValue) -> None:
        super().__init__(operands=[base, offsets, indices, mask, pass_thru], result_types=[pass_thru.type])

    def verify_(self) -> None:
        others = (("index vector", self.indices.type), ("mask", self.mask.type), ("pass-through", self.pass_thru.type))
        _verify_access(self, self.base.type, len(self.offsets), self.result.type, *others)


@irdl_op_definition
class ScatterOp(IRDLOperation):
    """`vector.scatter %m[%i][%idx], %mask, %v : memref<?xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32>`: in order, the last wins."""

    name = "vector.scatter"

    base = operand_def(MemRefType)
    offsets = var_operand_def(IndexType)
    indices = operand_def(VectorType)
    mask = operand_def(VectorType)
    value_to_store = operand_def(VectorType)
    alignment = opt_prop_def(IntegerAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(WritesBuffer())
    assembly_format = (
        "$base `[` $offsets `]` `` `[` $indices `]` `,` $mask `,` $value_to_store attr-dict `:`"
        "type($base) `,` type($indices) `,` type($mask) `,` type($value_to_store)"
    )

    def __init__(self, base: SSAValue, offsets: Sequence[SSAValue], indices: SSAValue, mask: SSAValue, value_to_store: SSAValue) -> None:
        super().__init__(operands=[base, offsets, indices, mask, value_to_store])

    def verify_(self) -> None:
        others = (("index vector", self.indices.type), ("mask", self.mask.type))
        _verify_access(self, self.base.type, len(self.offsets), self.value_to_store.type, *others)
