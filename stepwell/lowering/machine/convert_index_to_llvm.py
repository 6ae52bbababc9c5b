"""`convert-index-to-llvm`: the `index` dialect becomes LLVM's arithmetic on integers of a pointer's width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, i1, i64
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_patterns import OneToOne, width_of
from stepwell.lowering.machine.to_llvm_types import constant, llvm_types

_TABLE = {
    **{f"index.{name}": f"llvm.{name}" for name in ("and", "or", "xor")},
    "index.divs": "llvm.sdiv",
    "index.divu": "llvm.udiv",
    "index.rems": "llvm.srem",
    "index.remu": "llvm.urem",
    "index.shrs": "llvm.ashr",
    "index.shru": "llvm.lshr",
    "index.maxs": "llvm.intr.smax",
    "index.maxu": "llvm.intr.umax",
    "index.mins": "llvm.intr.smin",
    "index.minu": "llvm.intr.umin",
}
_WRAPPING = {f"index.{name}": f"llvm.{name}" for name in ("add", "sub", "mul", "shl")}


class ConvertConstant(ConversionPattern):
    """`index.constant 7` -> `llvm.mlir.constant(7 : i64) : i64`"""

    names = ("index.constant", "index.bool.constant")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        assert type is not None
        value = op.properties["value"]
        if op.name == "index.bool.constant":
            return (rewriter.create(llvm.ConstantOp, (), (i1,), properties={"value": value}).results[0],)
        return (constant(rewriter, value.value.data, type),)


class ConvertCast(ConversionPattern):
    """`index.casts %i : index to i32` -> `llvm.trunc`; to more bits `sext` or `zext`, to as many nothing."""

    names = ("index.casts", "index.castu")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        before, after = width_of(operands[0].type), width_of(type)
        if before == after:
            return (operands[0],)
        widen = llvm.SExtOp if op.name == "index.casts" else llvm.ZExtOp
        return (rewriter.create(llvm.TruncOp if after < before else widen, operands, (type,)).results[0],)


class ConvertCompare(ConversionPattern):
    """`index.cmp slt(%a, %b)` -> `llvm.icmp "slt" %a, %b : i64`"""

    names = ("index.cmp",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        number = llvm.ICmpPredicateFlag(op.predicate).to_int()
        return (rewriter.create(llvm.ICmpOp, operands, (i1,), properties={"predicate": IntegerAttr(number, i64)}).results[0],)


class ConvertSizeOf(ConversionPattern):
    """`index.sizeof` -> how many bits an index has."""

    names = ("index.sizeof",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        assert type is not None
        return (constant(rewriter, width_of(type), type),)


def index_patterns() -> list[ConversionPattern]:
    """How the dialect is converted."""
    wrapping = OneToOne(_WRAPPING, lambda _: {"overflowFlags": IntegerAttr(0, 32)})
    return [ConvertConstant(), ConvertCast(), ConvertCompare(), ConvertSizeOf(), OneToOne(_TABLE), wrapping]


@dataclass(frozen=True)
class ConvertIndexToLlvm(Pass):
    """The `index` dialect becomes LLVM's arithmetic.

    ```mlir
    %c = index.add %a, %b  ->  %c = llvm.add %a, %b : i64
    ```
    """

    name: ClassVar = "convert-index-to-llvm"
    anchor: ClassVar = "any"
    index_bitwidth: int = 0
    """How many bits an index has; 0 for 64."""

    def run(self, op: Operation, ctx: Context) -> None:
        target = Target(dialects=frozenset({"llvm"}), illegal_dialects=frozenset({"index"}))
        convert_partially(op, target, index_patterns(), llvm_types(self.index_bitwidth or 64), name=self.name)
