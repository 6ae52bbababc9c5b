"""Accesses of 1-D vectors to buffers become loads and stores through pointers: plain, masked, gathered, packed."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    UnitAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import llvm
from stepwell.dialects.llvm.kinds import is_pointer
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined
from stepwell.ir.rules import width
from stepwell.lowering.machine.finalize_memref_to_llvm import address
from stepwell.lowering.machine.to_llvm_patterns import llvm_class
from stepwell.lowering.machine.to_llvm_types import constant, extract, insert, layout_of, poison
from stepwell.lowering.machine.vector_elements_to_llvm import INDEX, Converted, no_type


def preferred_alignment(type: Attribute) -> int:
    """Where LLVM likes a value of a type to begin, in bytes, when no data layout says otherwise."""
    if isinstance(type, VectorType):
        return _power_of_2(prod(shape_of(type)) * _bits(cast(Any, type).element_type))
    if isinstance(type, IntegerType):
        return min(_power_of_2(_bits(type)), 8)
    return _power_of_2(_bits(type))


def _bits(type: Attribute) -> int:
    return 64 if is_pointer(type) or isinstance(type, IndexType) else width(type)


def _power_of_2(bits: int) -> int:
    size = -(-bits // 8)
    return 1 << (size - 1).bit_length()


class _Access(ConversionPattern):
    """What all accesses have in common."""

    def __init__(self, *, of_vector: bool, no_wrap: bool) -> None:
        self._of_vector = of_vector
        self._no_wrap = no_wrap

    def alignment(self, op: Any, row: Attribute, rewriter: Conversion) -> int:
        """What the operation says, or what the options say."""
        said = op.properties.get("alignment")
        if isinstance(said, IntegerAttr):
            return said.value.data
        element = rewriter.types.convert(op.base.type.element_type)
        assert element is not None
        return preferred_alignment(row if self._of_vector or isinstance(element, VectorType) else element)

    def row(self, op: Any, type: Attribute, rewriter: Conversion) -> Attribute | Declined:
        """The converted type of the vector; why not, where the access is none of ours."""
        found = rewriter.types.convert(type)
        if found is None:
            return no_type(op)
        if len(shape_of(type)) > 1:
            return Declined("only accesses of 1-D vectors are converted")
        if not isinstance(op.base.type, MemRefType):
            return Declined("the base is not a buffer")
        if rewriter.types.convert(cast(Attribute, op.base.type.element_type)) is None:
            return Declined("the elements have no converted type")
        return found


class ConvertLoad(_Access):
    """`vector.load %m[%i]` -> `llvm.load` of the address of the first element; `vector.store` alike."""

    names = ("vector.load", "vector.store")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        is_load = op.name == "vector.load"
        row = self.row(op, op.result.type if is_load else op.vector.type, rewriter)
        if isinstance(row, Declined):
            return row
        base, *indices = operands if is_load else operands[1:]
        place = address(rewriter, op.base.type, base, indices, inbounds=self._no_wrap, unsigned=self._no_wrap)
        properties: dict[str, Attribute] = {
            "ordering": IntegerAttr(0, i64),
            "alignment": IntegerAttr(self.alignment(op, row, rewriter), i64),
        }
        nontemporal = op.properties.get("nontemporal")
        if nontemporal is not None and nontemporal.value.data:
            properties["nontemporal"] = UnitAttr()
        if is_load:
            return list(rewriter.create(llvm.LoadOp, (place,), (row,), properties=properties).results)
        rewriter.create(llvm.StoreOp, (operands[0], place), (), properties=properties)
        return ()


class ConvertMasked(_Access):
    """`vector.maskedload %m[%i], %mask, %pass` -> `llvm.intr.masked.load`; `vector.maskedstore` alike."""

    names = ("vector.maskedload", "vector.maskedstore")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        is_load = op.name == "vector.maskedload"
        row = self.row(op, op.pass_thru.type if is_load else op.value_to_store.type, rewriter)
        if isinstance(row, Declined):
            return row
        base, *indices, mask, value = operands
        place = address(rewriter, op.base.type, base, indices, inbounds=False)
        properties = {"alignment": IntegerAttr(self.alignment(op, row, rewriter), i32)}
        if is_load:
            kind = llvm_class("llvm.intr.masked.load")
            return list(rewriter.create(kind, (place, mask, value), (row,), properties=properties).results)
        rewriter.create(llvm_class("llvm.intr.masked.store"), (value, place, mask), (), properties=properties)
        return ()


class ConvertIndexed(_Access):
    """`vector.gather %m[%i][%v], %mask, %pass` -> `llvm.intr.masked.gather` of a vector of pointers; `vector.scatter` alike."""

    names = ("vector.gather", "vector.scatter")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        is_load = op.name == "vector.gather"
        type = op.pass_thru.type if is_load else op.value_to_store.type
        row = self.row(op, type, rewriter)
        if isinstance(row, Declined):
            return row
        layout = layout_of(op.base.type)
        if layout is None or (layout[0] and layout[0][-1] != 1):
            return Declined("the innermost dimension of the buffer is not contiguous")
        base, *indices, chosen, mask, value = operands
        place = address(rewriter, op.base.type, base, indices, inbounds=False)
        pointers = vector_of(place.type, shape_of(row), flags_of(row))
        element = rewriter.types.convert(op.base.type.element_type)
        assert element is not None
        where: dict[str, Attribute] = {
            "elem_type": element,
            "rawConstantIndices": DenseArrayBase.from_list(i32, [llvm.GEP_USE_SSA_VAL]),
        }
        places = rewriter.create(llvm.GEPOp, (place, chosen), (pointers,), properties=where).results[0]
        properties = {"alignment": IntegerAttr(self.alignment(op, row, rewriter), i32)}
        if is_load:
            kind = llvm_class("llvm.intr.masked.gather")
            return list(rewriter.create(kind, (places, mask, value), (row,), properties=properties).results)
        rewriter.create(llvm_class("llvm.intr.masked.scatter"), (value, places, mask), (), properties=properties)
        return ()


class ConvertPacked(_Access):
    """`vector.expandload %m[%i], %mask, %pass` -> `llvm.intr.masked.expandload`; `vector.compressstore` alike."""

    names = ("vector.expandload", "vector.compressstore")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        is_load = op.name == "vector.expandload"
        row = self.row(op, op.pass_thru.type if is_load else op.value_to_store.type, rewriter)
        if isinstance(row, Declined):
            return row
        base, *indices, mask, value = operands
        place = address(rewriter, op.base.type, base, indices, inbounds=False)
        said = op.properties.get("alignment")
        properties: dict[str, Attribute] = {}
        if isinstance(said, IntegerAttr) and said.value.data != 1:
            aligned = DictionaryAttr({"llvm.align": IntegerAttr(said.value.data, i64)})
            nothing = DictionaryAttr({})
            properties["arg_attrs"] = ArrayAttr([aligned, nothing, nothing] if is_load else [nothing, aligned, nothing])
        if is_load:
            kind = llvm_class("llvm.intr.masked.expandload")
            return list(rewriter.create(kind, (place, mask, value), (row,), properties=properties).results)
        rewriter.create(llvm_class("llvm.intr.masked.compressstore"), (value, place, mask), (), properties=properties)
        return ()


class ConvertTypeCast(ConversionPattern):
    """`vector.type_cast %m : memref<4x3xf32> to memref<vector<4x3xf32>>` -> a descriptor of the same pointers"""

    names = ("vector.type_cast",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        before, after = cast("MemRefType[Any]", op.memref.type), cast("MemRefType[Any]", op.result.type)
        type = rewriter.types.convert(after)
        if type is None or not before.has_static_shape() or not after.has_static_shape() or not _is_whole(before):
            return Declined("only contiguous buffers of static shape are cast")
        strides, _ = layout_of(after) or ([], 0)
        value = poison(rewriter, type)
        for part in (0, 1):
            value = insert(rewriter, value, extract(rewriter, operands[0], part), part)
        value = insert(rewriter, value, constant(rewriter, 0, i64, like=INDEX), 2)
        for dim, (extent, stride) in enumerate(zip(after.get_shape(), strides, strict=True)):
            value = insert(rewriter, value, constant(rewriter, extent, i64, like=INDEX), 3, dim)
            value = insert(rewriter, value, constant(rewriter, stride or 0, i64, like=INDEX), 4, dim)
        return (value,)


def _is_whole(type: MemRefType[Any]) -> bool:
    """Whether there are no gaps between elements."""
    layout = layout_of(type)
    if layout is None:
        return False
    expected = 1
    for extent, stride in zip(reversed(type.get_shape()), reversed(layout[0]), strict=True):
        if stride != expected:
            return False
        expected *= extent
    return True


def memory_patterns(*, of_vector: bool, no_wrap: bool) -> list[ConversionPattern]:
    """The patterns here. `of_vector`: alignments are those of vectors, not of elements; `no_wrap`: addresses do not wrap around."""
    kinds = (ConvertLoad, ConvertMasked, ConvertIndexed, ConvertPacked)
    return [*(kind(of_vector=of_vector, no_wrap=no_wrap) for kind in kinds), ConvertTypeCast()]
