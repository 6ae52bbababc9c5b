"""`convert-arith-to-llvm`: arithmetic becomes LLVM's, index an integer."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import BytesAttr, DenseIntOrFPElementsAttr, IntegerAttr, IntegerType, VectorType, i1
from xdsl.dialects.llvm import OverflowAttr
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.dialects.support import with_element
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_patterns import OneToOne, elementwise, fast_math, row_type, width_of
from stepwell.lowering.machine.to_llvm_types import CLASSES, constant, extract, llvm_types


def overflow(op: Any) -> dict[str, Attribute]:
    """`overflow<nsw>` as `llvm` has it."""
    flags = op.properties.get("overflowFlags")
    number = 0 if flags is None else OverflowAttr(tuple(flags.data)).to_int() if flags.data else 0
    return {"overflowFlags": IntegerAttr(number, 32)}


class ConvertConstant(ConversionPattern):
    """`arith.constant 1 : index` -> `llvm.mlir.constant(1 : index) : i64`"""

    names = ("arith.constant",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        return (rewriter.create(llvm.ConstantOp, (), (type,), properties={"value": op.value}).results[0],)


class ConvertCompare(ConversionPattern):
    """`arith.cmpi slt, %a, %b` -> `llvm.icmp "slt" %a, %b`; the predicates have the same numbers."""

    names = ("arith.cmpi", "arith.cmpf")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        properties: dict[str, Attribute] = {"predicate": op.properties["predicate"]}
        if op.name == "arith.cmpf":
            properties |= fast_math(op)
        kind = llvm.ICmpOp if op.name == "arith.cmpi" else llvm.FCmpOp

        def build(values: Sequence[SSAValue], row: Attribute) -> SSAValue:
            return rewriter.create(kind, values, (with_element(values[0].type, i1),), properties=dict(properties)).results[0]

        return (elementwise(rewriter, operands, type, build),)


class ConvertIndexCast(ConversionPattern):
    """`arith.index_cast %i : index to i32` -> `llvm.trunc %i : i64 to i32`, to more bits `sext` or `zext`, to as many nothing."""

    names = ("arith.index_cast", "arith.index_castui")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        before, after = width_of(operands[0].type), width_of(type)
        if before == after:
            return (operands[0],)
        widen = llvm.SExtOp if op.name == "arith.index_cast" else llvm.ZExtOp
        kind = llvm.TruncOp if after < before else widen

        def build(values: Sequence[SSAValue], row: Attribute) -> SSAValue:
            return rewriter.create(kind, values, (row,)).results[0]

        return (elementwise(rewriter, operands, type, build),)


class ConvertExtended(ConversionPattern):
    """`%sum, %carry = arith.addui_extended %a, %b` -> `llvm.intr.uadd.with.overflow`, both parts taken out of it."""

    names = ("arith.addui_extended",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        types = rewriter.types.convert_all(result.type for result in op.results)
        if types is None or row_type(types[0])[0]:
            return Declined("vectors of several dimensions have to be unrolled first")
        kind = _rare("llvm.intr.uadd.with.overflow")
        pair = rewriter.create(kind, operands, (llvm.LLVMStructType.from_type_list(types),)).results[0]
        return extract(rewriter, pair, 0), extract(rewriter, pair, 1)


class ConvertMultiplyExtended(ConversionPattern):
    """`%low, %high = arith.mulsi_extended %a, %b` -> a product of twice as many bits, and its halves."""

    names = ("arith.mulsi_extended", "arith.mului_extended")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None or row_type(type)[0]:
            return Declined("vectors of several dimensions have to be unrolled first")
        bits = width_of(type)
        wide = with_element(type, IntegerType(2 * bits))
        widen = llvm.SExtOp if op.name == "arith.mulsi_extended" else llvm.ZExtOp
        left, right = (rewriter.create(widen, (value,), (wide,)).results[0] for value in operands)
        product = rewriter.create(llvm.MulOp, (left, right), (wide,), properties={"overflowFlags": IntegerAttr(0, 32)}).results[0]
        low = rewriter.create(llvm.TruncOp, (product,), (type,)).results[0]
        if isinstance(wide, VectorType):
            value: Attribute = _splat_of(bits, wide)
            shift = rewriter.create(llvm.ConstantOp, (), (wide,), properties={"value": value}).results[0]
        else:
            shift = constant(rewriter, bits, wide)
        moved = rewriter.create(llvm.LShrOp, (product, shift), (wide,)).results[0]
        return low, rewriter.create(llvm.TruncOp, (moved,), (type,)).results[0]


def _splat_of(value: int, type: VectorType[Any]) -> Attribute:
    """A splat of any width: numpy has no integers of 128 bits."""
    size = -(-type.element_type.bitwidth // 8)
    return DenseIntOrFPElementsAttr(type, BytesAttr(value.to_bytes(size, "little")))


def _rare(name: str) -> type[Operation]:
    from stepwell.dialects.llvm.rare import OPS

    CLASSES.update({op.name: op for op in OPS})
    return CLASSES[name]


def arith_patterns() -> list[ConversionPattern]:
    """How arithmetic is converted."""
    return [
        ConvertConstant(),
        ConvertCompare(),
        ConvertIndexCast(),
        ConvertExtended(),
        ConvertMultiplyExtended(),
        OneToOne({"arith.addi": "llvm.add", "arith.subi": "llvm.sub", "arith.muli": "llvm.mul", "arith.shli": "llvm.shl"}, overflow),
        OneToOne(
            {
                "arith.divsi": "llvm.sdiv",
                "arith.divui": "llvm.udiv",
                "arith.remsi": "llvm.srem",
                "arith.remui": "llvm.urem",
                "arith.andi": "llvm.and",
                "arith.ori": "llvm.or",
                "arith.xori": "llvm.xor",
                "arith.shrsi": "llvm.ashr",
                "arith.shrui": "llvm.lshr",
                "arith.maxsi": "llvm.intr.smax",
                "arith.maxui": "llvm.intr.umax",
                "arith.minsi": "llvm.intr.smin",
                "arith.minui": "llvm.intr.umin",
                "arith.extsi": "llvm.sext",
                "arith.extui": "llvm.zext",
                "arith.sitofp": "llvm.sitofp",
                "arith.uitofp": "llvm.uitofp",
                "arith.fptosi": "llvm.fptosi",
                "arith.fptoui": "llvm.fptoui",
                "arith.bitcast": "llvm.bitcast",
                "arith.extf": "llvm.fpext",
                "arith.truncf": "llvm.fptrunc",
            }
        ),
        OneToOne({"arith.trunci": "llvm.trunc"}, trunc_flags),
        OneToOne({"arith.select": "llvm.select"}, fast_math),
        OneToOne(
            {
                "arith.addf": "llvm.fadd",
                "arith.subf": "llvm.fsub",
                "arith.mulf": "llvm.fmul",
                "arith.divf": "llvm.fdiv",
                "arith.remf": "llvm.frem",
                "arith.negf": "llvm.fneg",
                "arith.maximumf": "llvm.intr.maximum",
                "arith.minimumf": "llvm.intr.minimum",
                "arith.maxnumf": "llvm.intr.maxnum",
                "arith.minnumf": "llvm.intr.minnum",
            },
            fast_math,
        ),
    ]


def trunc_flags(op: Any) -> dict[str, Attribute]:
    """The flags of a truncation."""
    flags = op.properties.get("overflowFlags")
    return {"overflowFlags": OverflowAttr(tuple(flags.data))} if flags is not None and flags.data else {}


@dataclass(frozen=True)
class ConvertArithToLlvm(Pass):
    """Arithmetic becomes LLVM's.

    ```mlir
    %c = arith.constant 1 : index                ->  %c = llvm.mlir.constant(1 : index) : i64
    %s = arith.addf %a, %b fastmath<fast> : f32  ->  %s = llvm.fadd %a, %b {fastmathFlags = #llvm.fastmath<fast>} : f32
    ```
    Index values that other operations make or take are cast (`builtin.unrealized_conversion_cast`).
    """

    name: ClassVar = "convert-arith-to-llvm"
    anchor: ClassVar = "any"
    index_bitwidth: int = 0
    """How many bits an index has; 0 for 64."""

    def run(self, op: Operation, ctx: Context) -> None:
        target = Target(dialects=frozenset({"llvm"}))
        convert_partially(op, target, arith_patterns(), llvm_types(self.index_bitwidth or 64), name=self.name)
