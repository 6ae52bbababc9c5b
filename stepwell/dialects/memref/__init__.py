"""`memref`: buffers, their views and their elements. Upstream's dialect; ours are the ops that xDSL lacks, prints in generic form or
does not verify."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects import memref as shipped
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    TensorType,
    UnitAttr,
    UnrankedMemRefType,
    i32,
    i64,
)
from xdsl.dialects.memref import AllocaOp as AllocaOp
from xdsl.dialects.memref import AllocaScopeOp as AllocaScopeOp
from xdsl.dialects.memref import AllocaScopeReturnOp as AllocaScopeReturnOp
from xdsl.dialects.memref import AllocOp as AllocOp
from xdsl.dialects.memref import AssumeAlignmentOp as AssumeAlignmentOp
from xdsl.dialects.memref import DeallocOp as DeallocOp
from xdsl.dialects.memref import DimOp as DimOp
from xdsl.dialects.memref import ExtractStridedMetaDataOp as ExtractStridedMetaDataOp
from xdsl.dialects.memref import GetGlobalOp as GetGlobalOp
from xdsl.dialects.memref import LoadOp as LoadOp
from xdsl.dialects.memref import StoreOp as StoreOp
from xdsl.dialects.memref import ViewOp as ViewOp
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, NoMemoryEffect, Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine import parse_prefetch_hints, print_prefetch_hints
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import (
    collapsed_type,
    expanded_type,
    is_castable,
    layout_of,
    strided,
)
from stepwell.dialects.support import Reassociation, mixed, reassociation_attr, replace_ops, without
from stepwell.ir.text.printing import print_attribute, print_payload

Index = SSAValue | int
AnyMemRef = base(MemRefType) | base(UnrankedMemRefType)


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


# ---- accesses -------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Asks for a cache line ahead of its use. Changes nothing; may lie outside the memref.

    ```mlir
    memref.prefetch %B[%p, %k], read, locality<3>, data : memref<?x?xf32>
    ```
    """

    name = "memref.prefetch"

    memref = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    isWrite = prop_def(BoolAttr)
    localityHint = prop_def(IntegerAttr)
    isDataCache = prop_def(BoolAttr)

    def __init__(
        self, memref: SSAValue, indices: Sequence[SSAValue], *, is_write: bool = False, locality: int = 3, is_data_cache: bool = True
    ) -> None:
        super().__init__(
            operands=[memref, indices],
            properties={
                "isWrite": BoolAttr.from_bool(is_write),
                "localityHint": IntegerAttr(locality, i32),
                "isDataCache": BoolAttr.from_bool(is_data_cache),
            },
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        memref = parser.parse_unresolved_operand()
        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_operand(INDEX))
        is_write, locality, is_data = parse_prefetch_hints(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls(parser.resolve_operand(memref, parser.parse_type()), indices, is_write=is_write, locality=locality, is_data_cache=is_data)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.memref)
        with printer.in_square_brackets():
            printer.print_list(self.indices, printer.print_ssa_value)
        print_prefetch_hints(printer, bool(self.isWrite), self.localityHint.value.data, bool(self.isDataCache))
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.memref.type)


@irdl_op_definition
class CopyOp(IRDLOperation):
    """Copies all elements: `memref.copy %a, %b : memref<4xf32> to memref<?xf32>`."""

    name = "memref.copy"

    source = operand_def(AnyMemRef)
    destination = operand_def(AnyMemRef)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$source `,` $destination attr-dict `:` type($source) `to` type($destination)"

    def __init__(self, source: SSAValue, destination: SSAValue) -> None:
        super().__init__(operands=[source, destination])


# ---- globals --------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class GlobalOp(IRDLOperation):
    """A buffer of the module.

    ```mlir
    memref.global "private" constant @weight : memref<2xf32> = dense<[0.0, 1.0]> {alignment = 64 : i64}
    ```
    """

    name = "memref.global"

    sym_name = prop_def(SymbolNameConstraint())
    sym_visibility = opt_prop_def(StringAttr)
    type = prop_def(MemRefType)
    initial_value = opt_prop_def(Attribute)
    """Absent for a declaration, unit for `uninitialized`, else `dense` of the tensor type of the same shape."""
    constant = opt_prop_def(UnitAttr)
    alignment = opt_prop_def(IntegerAttr)
    traits = traits_def(SymbolOpInterface())

    @classmethod
    def get(
        cls,
        sym_name: str | StringAttr,
        type: MemRefType[Any],
        initial_value: Attribute | None,
        sym_visibility: str | StringAttr | None = "private",
        constant: bool | UnitAttr | None = None,
        alignment: int | None = None,
    ) -> GlobalOp:
        properties: dict[str, Attribute] = {"sym_name": StringAttr(sym_name) if isinstance(sym_name, str) else sym_name, "type": type}
        if sym_visibility is not None:
            properties["sym_visibility"] = StringAttr(sym_visibility) if isinstance(sym_visibility, str) else sym_visibility
        if initial_value is not None:
            properties["initial_value"] = initial_value
        if constant:
            properties["constant"] = UnitAttr()
        if alignment is not None:
            properties["alignment"] = IntegerAttr(alignment, i64)
        return cls.create(properties=properties)

    @classmethod
    def parse(cls, parser: Parser) -> GlobalOp:
        visibility = parser.parse_optional_str_literal()
        constant = parser.parse_optional_keyword("constant") is not None
        name = parser.parse_symbol_name()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        if not isinstance(type, MemRefType) or DYNAMIC_INDEX in cast(MemRefType[Any], type).get_shape():
            parser.raise_error(f"type should be static shaped memref, but got {print_attribute(type)}")
        type = cast(MemRefType[Any], type)
        value: Attribute | None = None
        if parser.parse_optional_punctuation("="):
            if parser.parse_optional_keyword("uninitialized"):
                value = UnitAttr()
            else:
                if parser.parse_optional_keyword("dense") is None:
                    parser.raise_error("initial value should be a unit or elements attribute")
                value = parser.parse_dense_int_or_fp_elements_attr(TensorType(type.element_type, type.get_shape()))
        attributes = parser.parse_optional_attr_dict()
        alignment = attributes.pop("alignment", None)
        op = cls.get(name, type, value, visibility, constant)
        if alignment is not None:
            op.properties["alignment"] = alignment
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        if self.sym_visibility is not None:
            printer.print_string(" ")
            printer.print_string_literal(self.sym_visibility.data)
        if self.constant is not None:
            printer.print_string(" constant")
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string(" : ")
        printer.print_attribute(self.type)
        value: Attribute | None = self.initial_value
        if isinstance(value, DenseIntOrFPElementsAttr):
            printer.print_string(" = ")
            print_payload(cast(DenseIntOrFPElementsAttr[Any], value), printer)
        elif value is not None:
            printer.print_string(" = uninitialized")
        alignment: dict[str, Attribute] = {} if self.alignment is None else {"alignment": self.alignment}
        printer.print_op_attributes(alignment | self.attributes)


# ---- views ----------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class CastOp(IRDLOperation):
    """Forgets or asserts extents, strides and offset: `memref.cast %a : memref<4x4xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>`."""

    name = "memref.cast"

    source = operand_def(AnyMemRef)
    dest = result_def(AnyMemRef)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($dest)"

    @classmethod
    def get(cls, source: SSAValue, type: MemRefType[Any]) -> CastOp:
        return cls.create(operands=[source], result_types=[type])


def casts(source: Any, dest: Any) -> bool:
    """Whether `memref.cast` may stand between two types: nothing static contradicts."""
    if isinstance(source, MemRefType) and isinstance(dest, MemRefType):
        return is_castable(cast(MemRefType[Any], source), cast(MemRefType[Any], dest))
    return _same_elements(source, dest)


def _same_elements(source: Any, dest: Any) -> bool:
    """Whether a cast from or to a memref of unknown rank keeps element type and memory space."""
    return (source.element_type, source.memory_space) == (dest.element_type, dest.memory_space)


@irdl_op_definition
class SubviewOp(IRDLOperation):
    """A box of a memref, without a copy; extents of 1 may be dropped from the result.

    ```mlir
    %t = memref.subview %m[%i, 0] [14, 32] [1, 1] : memref<?x?xf32> to memref<14x32xf32, strided<[?, 1], offset: ?>>
    ```
    """

    name = "memref.subview"

    source = operand_def(MemRefType)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(MemRefType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(NoMemoryEffect())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `` custom<DynamicIndexList>($offsets, $static_offsets) custom<DynamicIndexList>($sizes, $static_sizes)"
        "custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `to` type($result)"
    )

    @classmethod
    def get(
        cls,
        source: SSAValue,
        offsets: Sequence[Index],
        sizes: Sequence[Index],
        strides: Sequence[Index],
        result_type: Attribute | None = None,
    ) -> SubviewOp:
        """`result_type=None` infers the type of full rank."""
        if result_type is None:
            result_type = cls.infer_result_type(cast(MemRefType[Any], source.type), offsets, sizes, strides)
        (static_offsets, dynamic_offsets), (static_sizes, dynamic_sizes), (static_strides, dynamic_strides) = (
            split_dynamic_index_list(list(values), DYNAMIC_INDEX) for values in (offsets, sizes, strides)
        )
        return cls(
            operands=[source, dynamic_offsets, dynamic_sizes, dynamic_strides],
            result_types=[result_type],
            properties={
                "static_offsets": _i64s(static_offsets),
                "static_sizes": _i64s(static_sizes),
                "static_strides": _i64s(static_strides),
            },
        )

    @staticmethod
    def infer_result_type(
        source: MemRefType[Any], offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]
    ) -> MemRefType[Any]:
        """The type without dropped extents."""
        source_strides, offset = layout_of(source)
        shape = [size if isinstance(size, int) else DYNAMIC_INDEX for size in sizes]
        result_strides: list[int | None] = []
        for start, step, stride in zip(offsets, strides, source_strides, strict=True):
            result_strides.append(stride * step if stride is not None and isinstance(step, int) else None)
            if start != 0:
                offset = offset + start * stride if offset is not None and stride is not None and isinstance(start, int) else None
        return strided(source, shape, tuple(result_strides), offset)

    def mixed_offsets(self) -> list[int | SSAValue]:
        return mixed(self.static_offsets, self.offsets)

    def mixed_sizes(self) -> list[int | SSAValue]:
        return mixed(self.static_sizes, self.sizes)

    def mixed_strides(self) -> list[int | SSAValue]:
        return mixed(self.static_strides, self.strides)


def verify_in_bounds(name: str, shape: Sequence[int], offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]) -> None:
    """Raise VerifyException where a static slice leaves its source."""
    for dim, (extent, offset, size, stride) in enumerate(zip(shape, offsets, sizes, strides, strict=True)):
        if isinstance(size, int) and size < 0:
            raise VerifyException(f"has a negative size {size} along dimension {dim}")
        if not isinstance(offset, int):
            continue
        if offset < 0:
            raise VerifyException(f"has a negative offset {offset} along dimension {dim}")
        if extent != DYNAMIC_INDEX and isinstance(size, int) and isinstance(stride, int) and size > 0:
            last = offset + (size - 1) * stride
            if not (offset < extent and 0 <= last < extent):
                raise VerifyException(f"runs out-of-bounds along dimension {dim}: {offset} + {size - 1} * {stride} >= {extent}")


@irdl_op_definition
class ReinterpretCastOp(IRDLOperation):
    """The same memory with other sizes, strides and offset.

    ```mlir
    %t = memref.reinterpret_cast %m to offset: [%o], sizes: [4, %n], strides: [%s, 1] : memref<?xf32> to memref<4x?xf32, strided<[?, 1],
    offset: ?>>
    ```
    """

    name = "memref.reinterpret_cast"

    source = operand_def(AnyMemRef)
    offsets = var_operand_def(IndexType)
    sizes = var_operand_def(IndexType)
    strides = var_operand_def(IndexType)
    static_offsets = prop_def(DenseArrayBase.constr(i64))
    static_sizes = prop_def(DenseArrayBase.constr(i64))
    static_strides = prop_def(DenseArrayBase.constr(i64))
    result = result_def(MemRefType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(NoMemoryEffect())
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$source `to` `offset` `` `:` custom<DynamicIndexList>($offsets, $static_offsets)"
        "`` `,` `sizes` `` `:` custom<DynamicIndexList>($sizes, $static_sizes)"
        "`` `,` `strides` `` `:` custom<DynamicIndexList>($strides, $static_strides)"
        "attr-dict `:` type($source) `to` type($result)"
    )

    @classmethod
    def get(
        cls, source: SSAValue, offset: Index, sizes: Sequence[Index], strides: Sequence[Index], result_type: MemRefType[Any]
    ) -> ReinterpretCastOp:
        (static_offsets, dynamic_offsets), (static_sizes, dynamic_sizes), (static_strides, dynamic_strides) = (
            split_dynamic_index_list(list(values), DYNAMIC_INDEX) for values in ([offset], sizes, strides)
        )
        return cls(
            operands=[source, dynamic_offsets, dynamic_sizes, dynamic_strides],
            result_types=[result_type],
            properties={
                "static_offsets": _i64s(static_offsets),
                "static_sizes": _i64s(static_sizes),
                "static_strides": _i64s(static_strides),
            },
        )


@irdl_op_definition
class ExpandShapeOp(IRDLOperation):
    """Splits extents: `memref.expand_shape %a [[0, 1]] output_shape [2, %n] : memref<?xf32> into memref<2x?xf32>`."""

    name = "memref.expand_shape"

    src = operand_def(MemRefType)
    output_shape = var_operand_def(IndexType)
    reassociation = prop_def(ArrayAttr[ArrayAttr[IntegerAttr]])
    static_output_shape = prop_def(DenseArrayBase.constr(i64))
    result = result_def(MemRefType)
    traits = traits_def(NoMemoryEffect())
    custom_directives = (DynamicIndexList, Reassociation)
    assembly_format = (
        "$src custom<Reassociation>($reassociation) `output_shape` custom<DynamicIndexList>($output_shape, $static_output_shape)"
        "attr-dict `:` type($src) `into` type($result)"
    )

    @classmethod
    def get(cls, src: SSAValue, reassociation: Sequence[Sequence[int]], shape: Sequence[Index]) -> ExpandShapeOp:
        static, dynamic = split_dynamic_index_list(list(shape), DYNAMIC_INDEX)
        groups = [list(group) for group in reassociation]
        return cls(
            operands=[src, dynamic],
            properties={"reassociation": reassociation_attr(groups), "static_output_shape": _i64s(static)},
            result_types=[expanded_type(cast(MemRefType[Any], src.type), groups, static)],
        )


@irdl_op_definition
class CollapseShapeOp(IRDLOperation):
    """Joins contiguous extents: `memref.collapse_shape %a [[0, 1]] : memref<2x?xf32> into memref<?xf32>`."""

    name = "memref.collapse_shape"

    src = operand_def(MemRefType)
    reassociation = prop_def(ArrayAttr[ArrayAttr[IntegerAttr]])
    result = result_def(MemRefType)
    traits = traits_def(NoMemoryEffect())
    custom_directives = (Reassociation,)
    assembly_format = "$src custom<Reassociation>($reassociation) attr-dict `:` type($src) `into` type($result)"

    @classmethod
    def get(cls, src: SSAValue, reassociation: Sequence[Sequence[int]]) -> CollapseShapeOp:
        groups = [list(group) for group in reassociation]
        return cls(
            operands=[src],
            properties={"reassociation": reassociation_attr(groups)},
            result_types=[collapsed_type(cast(MemRefType[Any], src.type), groups)],
        )


# ---- queries --------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class RankOp(IRDLOperation):
    """`memref.rank %m : memref<?x?xf32>`"""

    name = "memref.rank"
    source = operand_def(AnyMemRef)
    rank = result_def(IndexType())
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source)"


@irdl_op_definition
class ExtractAlignedPointerAsIndexOp(IRDLOperation):
    """`memref.extract_aligned_pointer_as_index %m : memref<?xf32> -> index`"""

    name = "memref.extract_aligned_pointer_as_index"
    source = operand_def(AnyMemRef)
    aligned_pointer = result_def(IndexType())
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `->` type($aligned_pointer)"


@irdl_op_definition
class MemorySpaceCastOp(IRDLOperation):
    """`memref.memory_space_cast %m : memref<4xf32, 1> to memref<4xf32>`"""

    name = "memref.memory_space_cast"
    source = operand_def(AnyMemRef)
    dest = result_def(AnyMemRef)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($dest)"


RARELY_USED = ("memref.alloca_scope", "memref.alloca_scope.return", "memref.atomic_rmw", "memref.dma_start", "memref.dma_wait")
"""Ops that `memref_more` defines: they load when the parser meets one."""

MemRef = replace_ops(
    without(
        shipped.MemRef, "memref.alloca_scope", "memref.alloca_scope.return", "memref.atomic_rmw", "memref.dma_start", "memref.dma_wait"
    ),
    [
        PrefetchOp,
        CopyOp,
        GlobalOp,
        CastOp,
        SubviewOp,
        ReinterpretCastOp,
        ExpandShapeOp,
        CollapseShapeOp,
        RankOp,
        ExtractAlignedPointerAsIndexOp,
        MemorySpaceCastOp,
    ],
)
