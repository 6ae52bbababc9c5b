"""How operations on 1-D vectors that touch no memory become LLVM's; of n-D vectors those that move whole rows.

An n-D vector is nested arrays of its rows: positions inside the arrays are `extractvalue` and `insertvalue`, which know constant positions
only; the innermost one is `extractelement` and `insertelement`.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, cast

from xdsl.dialects.builtin import DenseArrayBase, IndexType, IntegerAttr, IntegerType, VectorType, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import arith, llvm, vector
from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of, vector_of
from stepwell.dialects.vector.values import POISON_INDEX, integer_of, position_of
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined
from stepwell.lowering.machine.to_llvm_patterns import llvm_class, row_type
from stepwell.lowering.machine.to_llvm_types import constant, extract, insert, poison

INDEX = IndexType()
Converted = Sequence[SSAValue] | Declined


def no_type(op: Operation) -> Declined:
    """The answer where the result's type has no counterpart."""
    return Declined(f"the type {op.results[0].type} has no converted type")


def shuffle(rewriter: Conversion, a: SSAValue, b: SSAValue, mask: Sequence[int]) -> SSAValue:
    """`llvm.shufflevector`"""
    type = cast("VectorType[Any]", a.type)
    result = vector_of(type.element_type, [len(mask)], flags_of(type))
    return rewriter.create(llvm.ShuffleVectorOp, (a, b), (result,), properties={"mask": DenseArrayBase.from_list(i32, mask)}).results[0]


def insert_element(rewriter: Conversion, value: SSAValue, into: SSAValue, position: SSAValue) -> SSAValue:
    """`llvm.insertelement`"""
    return rewriter.create(llvm.InsertElementOp, (into, value, position), (into.type,)).results[0]


def extract_element(rewriter: Conversion, value: SSAValue, position: SSAValue) -> SSAValue:
    """`llvm.extractelement`"""
    element = cast("VectorType[Any]", value.type).element_type
    return rewriter.create(llvm.ExtractElementOp, (value, position), (element,)).results[0]


def splat(rewriter: Conversion, scalar: SSAValue, type: Attribute, extent: int | None) -> SSAValue:
    """A 1-D vector of one scalar: inserted, then shuffled to all lanes; `extent` is None where there is one lane of a 0-D vector."""
    empty = poison(rewriter, type)
    zero = constant(rewriter, 0, i32)
    one = insert_element(rewriter, scalar, empty, zero)
    if extent is None or (extent == 1 and not is_scalable(type)):
        return one
    return shuffle(rewriter, one, empty, [0] * extent)


class ConvertBroadcast(ConversionPattern):
    """`vector.broadcast %s : f32 to vector<4xf32>` -> `insertelement`, `shufflevector`; to n-D, that row inserted everywhere"""

    names = ("vector.broadcast",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if op.source.type == op.vector.type:
            return (operands[0],)
        if isinstance(op.source.type, VectorType):
            return Declined("broadcasts of vectors are taken apart first")
        type = rewriter.types.convert(op.vector.type)
        if type is None:
            return no_type(op)
        shape = shape_of(op.vector.type)
        if len(shape) < 2:
            return (splat(rewriter, operands[0], type, shape[0] if shape else None),)
        whole = poison(rewriter, type)
        row = row_type(type)[1]
        empty = poison(rewriter, row)
        one = insert_element(rewriter, operands[0], empty, constant(rewriter, 0, i32))
        repeated = shuffle(rewriter, one, one, [0] * shape[-1])
        for position in product(*map(range, shape[:-1])):
            whole = insert(rewriter, whole, repeated, *position)
        return (whole,)


def _known(position: Sequence[int | SSAValue]) -> list[int] | None:
    numbers = [index for index in position if isinstance(index, int) and index != POISON_INDEX]
    return numbers if len(numbers) == len(position) else None


def _positions(op: Any, operands: Sequence[SSAValue]) -> list[int | SSAValue]:
    """Where elements are taken or put: numbers where they are known, what is computed as converted."""
    dynamic = iter(operands[len(op.operands) - len(op.dynamic_position) :])
    found: list[int | SSAValue] = []
    for index in position_of(op):
        if isinstance(index, int):
            found.append(index)
            continue
        value, number = next(dynamic), integer_of(index)
        found.append(value if number is None else number)
    return found


def _lane(rewriter: Conversion, index: int | SSAValue) -> SSAValue:
    return constant(rewriter, index, i64) if isinstance(index, int) else index


class ConvertExtract(ConversionPattern):
    """`vector.extract %v[1, 2] : f32 from vector<2x4xf32>` -> `llvm.extractvalue %v[1]`, `llvm.extractelement` of its lane 2"""

    names = ("vector.extract",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if rewriter.types.convert(op.result.type) is None:
            return no_type(op)
        rank, position = len(shape_of(op.source.type)), _positions(op, operands)
        is_scalar = len(position) == rank
        if rank == 0:
            position = [0]
        outer = position[:-1] if is_scalar else position
        value = operands[0]
        if rank >= 2:
            known = _known(outer)
            if known is None:
                return Declined("the position of a row is not constant")
            value = extract(rewriter, value, *known) if known else value
        if is_scalar:
            if position[-1] == POISON_INDEX:
                return Declined("the position is poison")
            value = extract_element(rewriter, value, _lane(rewriter, position[-1]))
        return (value,)


class ConvertInsert(ConversionPattern):
    """`vector.insert %s, %v[1, 2] : f32 into vector<2x4xf32>` -> the row is extracted, `llvm.insertelement`, the row is inserted"""

    names = ("vector.insert",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.result.type)
        if type is None:
            return no_type(op)
        rank, position = len(shape_of(op.dest.type)), _positions(op, operands)
        is_scalar = len(position) == rank and (rank > 0 or not isinstance(op.source.type, VectorType))
        if rank == 0:
            position = [0] if is_scalar else []
        outer = _known(position[:-1] if is_scalar else position)
        if outer is None or POISON_INDEX in position:
            return Declined("the position of a row is not constant")
        value, is_nested = operands[0], isinstance(type, llvm.LLVMArrayType)
        if is_scalar:
            row = extract(rewriter, operands[1], *outer) if is_nested else operands[1]
            value = insert_element(rewriter, value, row, _lane(rewriter, position[-1]))
        return (insert(rewriter, operands[1], value, *outer) if is_nested and outer else value,)


class ConvertShuffle(ConversionPattern):
    """`vector.shuffle` of equal 1-D vectors -> `llvm.shufflevector`; otherwise every row is extracted and inserted."""

    names = ("vector.shuffle",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.result.type)
        if type is None:
            return no_type(op)
        mask = op.mask.get_values()
        rank = len(shape_of(op.result.type))
        if rank <= 1 and op.v1.type == op.v2.type:
            return (shuffle(rewriter, operands[0], operands[1], mask),)
        first = shape_of(op.v1.type)[0]
        result = poison(rewriter, type)
        for place, number in enumerate(mask):
            source, row = (operands[1], number - first) if number >= first else (operands[0], number)
            if number == POISON_INDEX:
                continue
            if rank == 1:
                lane = extract_element(rewriter, source, constant(rewriter, row, i64, like=INDEX))
                result = insert_element(rewriter, lane, result, constant(rewriter, place, i64, like=INDEX))
            else:
                result = insert(rewriter, result, extract(rewriter, source, row), place)
        return (result,)


class ConvertTransposeOfNothing(ConversionPattern):
    """`vector.transpose` of a 0-D vector -> the vector"""

    names = ("vector.transpose",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if shape_of(op.vector.type):
            return Declined("transposes are taken apart first")
        return (operands[0],)


class ConvertBitcast(ConversionPattern):
    """`vector.bitcast` of 1-D vectors -> `llvm.bitcast`"""

    names = ("vector.bitcast",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.result.type)
        if type is None:
            return no_type(op)
        if len(shape_of(op.result.type)) > 1:
            return Declined("casts of n-D vectors are taken apart first")
        return (rewriter.create(llvm_class("llvm.bitcast"), operands, (type,)).results[0],)


class ConvertFma(ConversionPattern):
    """`vector.fma` of 1-D vectors -> `llvm.intr.fmuladd`"""

    names = ("vector.fma",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if len(shape_of(op.result.type)) > 1:
            return Declined("products of n-D vectors are taken apart first")
        kind = llvm_class("llvm.intr.fmuladd")
        flags = {"fastmathFlags": llvm.FastMathAttr(None)}
        return (rewriter.create(kind, operands, (operands[0].type,), properties=flags).results[0],)


class ConvertInterleave(ConversionPattern):
    """`vector.interleave` -> `llvm.shufflevector`, of scalable vectors `llvm.intr.vector.interleave2`"""

    names = ("vector.interleave",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.result.type)
        if type is None or len(shape_of(op.result.type)) != 1:
            return Declined("only 1-D vectors are interleaved")
        if is_scalable(type):
            return (rewriter.create(llvm_class("llvm.intr.vector.interleave2"), operands, (type,)).results[0],)
        half = shape_of(type)[0] // 2
        return (shuffle(rewriter, operands[0], operands[1], [lane for i in range(half) for lane in (i, half + i)]),)


class ConvertDeinterleave(ConversionPattern):
    """`vector.deinterleave` -> two `llvm.shufflevector`, of scalable vectors `llvm.intr.vector.deinterleave2`"""

    names = ("vector.deinterleave",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.res1.type)
        if type is None or len(shape_of(op.res1.type)) != 1:
            return Declined("only 1-D vectors are deinterleaved")
        if is_scalable(type):
            both = llvm.LLVMStructType.from_type_list([type, type])
            made = rewriter.create(llvm_class("llvm.intr.vector.deinterleave2"), operands, (both,)).results[0]
            return (extract(rewriter, made, 0), extract(rewriter, made, 1))
        empty = poison(rewriter, operands[0].type)
        lanes = shape_of(operands[0].type)[0]
        return tuple(shuffle(rewriter, operands[0], empty, range(start, lanes, 2)) for start in (0, 1))


class ConvertFromElements(ConversionPattern):
    """`vector.from_elements` -> `llvm.insertelement` for each"""

    names = ("vector.from_elements",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.dest.type)
        if type is None or len(shape_of(op.dest.type)) > 1:
            return Declined("n-D vectors are taken apart first")
        result = poison(rewriter, type)
        for lane, element in enumerate(operands):
            result = insert_element(rewriter, element, result, constant(rewriter, lane, i64))
        return (result,)


class ConvertToElements(ConversionPattern):
    """`vector.to_elements` -> `llvm.extractelement` for each that is used"""

    names = ("vector.to_elements",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if len(shape_of(op.source.type)) > 1:
            return Declined("n-D vectors are taken apart first")
        type = rewriter.types.convert(op.source.type.element_type)
        if type is None:
            return no_type(op)
        used: dict[int, SSAValue] = {}
        for lane, element in enumerate(op.elements):
            if element.first_use is not None:
                used[lane] = extract_element(rewriter, operands[0], constant(rewriter, lane, i64))
        nobody_asks = next(iter(used.values()), None) or poison(rewriter, type)
        return [used.get(lane, nobody_asks) for lane in range(len(op.elements))]


class ConvertStep(ConversionPattern):
    """`vector.step` -> `llvm.intr.stepvector`"""

    names = ("vector.step",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.result.type)
        if type is None:
            return no_type(op)
        return (rewriter.create(llvm_class("llvm.intr.stepvector"), (), (type,)).results[0],)


class ConvertScalable(ConversionPattern):
    """`vector.vscale` -> `llvm.intr.vscale`, `vector.scalable.insert` -> `llvm.intr.vector.insert`, and the extraction"""

    names = ("vector.vscale", "vector.scalable.insert", "vector.scalable.extract")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return no_type(op)
        name = {"vector.vscale": "vscale", "vector.scalable.insert": "vector.insert"}.get(op.name, "vector.extract")
        properties = {key: value for key, value in op.properties.items() if key == "pos"}
        given = tuple(reversed(operands)) if name == "vector.insert" else operands
        return (rewriter.create(llvm_class(f"llvm.intr.{name}"), given, (type,), properties=properties).results[0],)


class ConvertScalableMask(ConversionPattern):
    """`create_mask %n : vector<[4]xi1>` -> `stepvector < broadcast(%n)`"""

    names = ("vector.create_mask",)

    def __init__(self, bits: int) -> None:
        self._bits = IntegerType(bits)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        type = op.mask_vector.type
        if len(shape_of(type)) != 1 or not is_scalable(type):
            return Declined("masks of fixed length are compared before")
        lanes = vector_of(self._bits, shape_of(type), flags_of(type))
        numbers = rewriter.create(llvm_class("llvm.intr.stepvector"), (), (lanes,)).results[0]
        bound = op.mask_dim_sizes[0]
        if self._bits == i32:
            most = rewriter.create(arith.ConstantOp, (), (INDEX,), properties={"value": IntegerAttr((1 << 31) - 1, INDEX)}).results[0]
            bound = rewriter.create(arith.MinSIOp, (bound, most), (INDEX,)).results[0]
        bound = rewriter.create(arith.IndexCastOp, (bound,), (self._bits,)).results[0]
        bounds = rewriter.create(vector.BroadcastOp, (bound,), (lanes,)).results[0]
        return list(rewriter.insert(arith.CmpiOp(numbers, bounds, "slt")).results)


def element_patterns(index_bits: int) -> list[ConversionPattern]:
    """The patterns here; lanes of masks are counted in so many bits."""
    return [
        *(ConvertBroadcast(), ConvertExtract(), ConvertInsert(), ConvertShuffle(), ConvertBitcast(), ConvertFma()),
        *(ConvertInterleave(), ConvertDeinterleave(), ConvertFromElements(), ConvertToElements(), ConvertStep()),
        *(ConvertTransposeOfNothing(), ConvertScalable(), ConvertScalableMask(index_bits)),
    ]
