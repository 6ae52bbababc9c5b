"""What builtin types become in the `llvm` dialect: the type converter of the `convert-*-to-llvm` passes, and descriptors of buffers.

| before | after |
|---|---|
| `index` | `i64`, or an integer of as many bits as the pass is told |
| `vector<4x8xf32>` | `!llvm.array<4 x vector<8xf32>>` |
| `memref<?x8xf32, 3>` | `!llvm.struct<(ptr<3>, ptr<3>, i64, array<2 x i64>, array<2 x i64>)>`: allocated, aligned, offset, sizes, strides |
| `memref<*xf32>` | `!llvm.struct<(i64, ptr)>`: rank and a pointer to the descriptor |
| `complex<f32>` | `!llvm.struct<(f32, f32)>` |
| function types | `!llvm.ptr` |
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from xdsl.dialects.builtin import (
    ComplexType,
    DenseArrayBase,
    FunctionType,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    NoneAttr,
    UnrankedMemRefType,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import layouts, llvm
from stepwell.dialects.llvm.compatible import is_compatible
from stepwell.ir.rewrite.conversion import Conversion, TypeConverter
from stepwell.ir.rules import is_signless

CLASSES: dict[str, type[Operation]] = {op.name: op for op in llvm.LLVM.operations}
"""The operations of the dialect's common part, by name."""


@cache
def llvm_types(index_bits: int = 64) -> TypeConverter:
    """The converter for an index of so many bits."""
    index = IntegerType(index_bits)

    def rule(type: Attribute) -> Attribute | None:
        if isinstance(type, IndexType):
            return index
        if isinstance(type, VectorType):
            return _vector(type, converter)
        if isinstance(type, MemRefType):
            return _memref(cast("MemRefType[Any]", type), index, converter)
        if isinstance(type, UnrankedMemRefType):
            space = address_space(cast("UnrankedMemRefType[Any]", type).memory_space)
            return None if space is None else llvm.LLVMStructType.from_type_list([i64, pointer(space)])
        if isinstance(type, ComplexType):
            part = converter.convert(cast(Attribute, type.element_type))
            return None if part is None else llvm.LLVMStructType.from_type_list([part, part])
        if isinstance(type, FunctionType):
            return pointer(0)
        if isinstance(type, IntegerType):
            return type if is_signless(type) else IntegerType(type.width.data)
        return type if is_compatible(type) else None

    converter = TypeConverter((rule,))
    return converter


def _vector(type: VectorType[Any], converter: TypeConverter) -> Attribute | None:
    element = converter.convert(type.element_type)
    if element is None:
        return None
    shape = type.get_shape()
    if not shape:
        return VectorType(element, [1])
    scalable = [bool(flag.value.data) for flag in type.scalable_dims]
    if any(scalable[:-1]):
        return None
    found: Attribute = type if len(shape) == 1 and element == type.element_type else _row(type, element, shape[-1])
    for extent in reversed(shape[:-1]):
        found = llvm.LLVMArrayType(extent, found)
    return found


def _row(type: VectorType[Any], element: Attribute, extent: int) -> Attribute:
    flags = type.scalable_dims.data[-1:]
    return VectorType(element, [extent], type.scalable_dims.__class__(flags))


def address_space(space: Attribute) -> int | None:
    """The number of a memory space, None where it has none."""
    if isinstance(space, NoneAttr):
        return 0
    return cast("IntegerAttr[Any]", space).value.data if isinstance(space, IntegerAttr) else None


def pointer(space: int) -> Attribute:
    """`!llvm.ptr`, in an address space."""
    return llvm.LLVMPointerType(IntAttr(space)) if space else llvm.LLVMPointerType()


def _memref(type: MemRefType[Any], index: IntegerType, converter: TypeConverter) -> Attribute | None:
    space = address_space(type.memory_space)
    if space is None or converter.convert(type.element_type) is None or layout_of(type) is None:
        return None
    held, rank = pointer(space), len(type.get_shape())
    dims: list[Attribute] = [llvm.LLVMArrayType(rank, index)] * 2 if rank else []
    return llvm.LLVMStructType.from_type_list([held, held, index, *dims])


def layout_of(type: MemRefType[Any]) -> tuple[list[int | None], int | None] | None:
    """Strides and offset of a buffer, None for each that is not known before the program runs; None where it is not strided."""
    try:
        strides, offset = layouts.layout_of(type)
    except VerifyException:
        return None
    return list(strides), offset


# ---- building blocks ----------------------------------------------------------------------------------------------------------------


def constant(rewriter: Conversion, value: int, type: Attribute, *, like: Attribute | None = None) -> SSAValue:
    """`llvm.mlir.constant(value : index) : i64`"""
    attribute = IntegerAttr(value, cast(Any, like or type))
    return rewriter.create(llvm.ConstantOp, (), (type,), properties={"value": attribute}).results[0]


def extract(rewriter: Conversion, container: SSAValue, *position: int) -> SSAValue:
    """`llvm.extractvalue`"""
    from stepwell.dialects.llvm.aggregates import member_type

    type = member_type(None, container.type, list(position))
    properties = {"position": DenseArrayBase.from_list(i64, position)}
    return rewriter.create(llvm.ExtractValueOp, (container,), (type,), properties=properties).results[0]


def insert(rewriter: Conversion, container: SSAValue, value: SSAValue, *position: int) -> SSAValue:
    """`llvm.insertvalue`"""
    properties = {"position": DenseArrayBase.from_list(i64, position)}
    return rewriter.create(llvm.InsertValueOp, (container, value), (container.type,), properties=properties).results[0]


def poison(rewriter: Conversion, type: Attribute) -> SSAValue:
    """`llvm.mlir.poison`"""
    return rewriter.create(llvm.PoisonOp, (), (type,)).results[0]


def pack_descriptor(rewriter: Conversion, type: Attribute, parts: Sequence[SSAValue]) -> SSAValue:
    """A descriptor from its parts in order: allocated, aligned, offset, sizes, strides."""
    value = poison(rewriter, type)
    rank = (len(parts) - 3) // 2
    for index, part in enumerate(parts[:3]):
        value = insert(rewriter, value, part, index)
    for dim in range(rank):  # a size and its stride beside each other, as upstream does
        value = insert(rewriter, value, parts[3 + dim], 3, dim)
        value = insert(rewriter, value, parts[3 + rank + dim], 4, dim)
    return value


def unpack_descriptor(rewriter: Conversion, value: SSAValue, rank: int) -> list[SSAValue]:
    """The parts of a descriptor in order."""
    parts = [extract(rewriter, value, index) for index in range(3)]
    parts += [extract(rewriter, value, 3, dim) for dim in range(rank)]
    return parts + [extract(rewriter, value, 4, dim) for dim in range(rank)]


def descriptor_types(type: Attribute) -> list[Attribute]:
    """The types of the parts of a descriptor's type."""
    members = cast(Any, type).types.data
    if len(members) == 3:
        return list(members)
    rank, index = members[3].size.data, members[3].type
    return [*members[:3], *([index] * (2 * rank))]
