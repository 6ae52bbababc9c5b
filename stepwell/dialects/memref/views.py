"""Views of buffers: casts, `subview`, `reinterpret_cast`, `expand_shape`, `collapse_shape`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    UnrankedMemRefType,
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
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import (
    collapsed_type,
    expanded_type,
    is_castable,
    layout_of,
    strided,
)
from stepwell.dialects.support import Reassociation, mixed, reassociation_attr

Index = SSAValue | int
AnyMemRef = base(MemRefType) | base(UnrankedMemRefType)


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


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


@irdl_op_definition
class MemorySpaceCastOp(IRDLOperation):
    """`memref.memory_space_cast %m : memref<4xf32, 1> to memref<4xf32>`"""

    name = "memref.memory_space_cast"
    source = operand_def(AnyMemRef)
    dest = result_def(AnyMemRef)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($dest)"
