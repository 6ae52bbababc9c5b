"""`convert-math-to-llvm`: functions of mathematics become LLVM's intrinsics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import BoolAttr, FloatAttr, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.ir.constants import splat
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_patterns import OneToOne, elementwise, fast_math, llvm_class
from stepwell.lowering.machine.to_llvm_types import llvm_types

_FLOATS = {
    **{
        f"math.{name}": f"llvm.intr.{name}"
        for name in "ceil copysign cos cosh exp exp2 floor fma log10 log2 log round sin sinh sqrt".split()
    },
    **{f"math.{name}": f"llvm.intr.{name}" for name in "roundeven tan tanh trunc acos asin atan atan2".split()},
    "math.absf": "llvm.intr.fabs",
    "math.powf": "llvm.intr.pow",
    "math.fpowi": "llvm.intr.powi",
}


def _flag(name: str) -> dict[str, Attribute]:
    return {name: BoolAttr.from_bool(False)}


def _one(type: Attribute) -> Attribute:
    return splat(1.0, cast(Any, type)) if isinstance(type, VectorType) else FloatAttr(1.0, cast(Any, type))


class ConvertWithOne(ConversionPattern):
    """`math.rsqrt %x` -> `1 / sqrt(x)`, `math.log1p %x` -> `log(1 + x)`, `math.expm1 %x` -> `exp(x) - 1`"""

    names = ("math.rsqrt", "math.log1p", "math.expm1")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        type = rewriter.types.convert(op.results[0].type)
        if type is None:
            return Declined(f"the type {op.results[0].type} has no converted type")
        flags = fast_math(op)

        def make(kind: type[Operation], values: Sequence[SSAValue], row: Attribute) -> SSAValue:
            return rewriter.create(kind, values, (row,), properties=dict(flags)).results[0]

        def build(values: Sequence[SSAValue], row: Attribute) -> SSAValue:
            one = rewriter.create(llvm.ConstantOp, (), (row,), properties={"value": _one(row)}).results[0]
            if op.name == "math.rsqrt":
                return make(llvm.FDivOp, (one, make(llvm_class("llvm.intr.sqrt"), values, row)), row)
            if op.name == "math.log1p":
                return make(llvm_class("llvm.intr.log"), (make(llvm.FAddOp, (one, values[0]), row),), row)
            return make(llvm.FSubOp, (make(llvm_class("llvm.intr.exp"), values, row), one), row)

        return (elementwise(rewriter, operands, type, build),)


def math_patterns() -> list[ConversionPattern]:
    """How mathematics is converted."""
    return [
        OneToOne(_FLOATS, fast_math),
        OneToOne({"math.absi": "llvm.intr.abs"}, lambda _: _flag("is_int_min_poison")),
        OneToOne({"math.ctlz": "llvm.intr.ctlz", "math.cttz": "llvm.intr.cttz"}, lambda _: _flag("is_zero_poison")),
        OneToOne({"math.ctpop": "llvm.intr.ctpop"}),
        ConvertWithOne(),
    ]


@dataclass(frozen=True)
class ConvertMathToLlvm(Pass):
    """Functions of mathematics become LLVM's intrinsics.

    ```mlir
    %r = math.sqrt %x : f32   ->  %r = llvm.intr.sqrt(%x) : (f32) -> f32
    %r = math.rsqrt %x : f32  ->  1 divided by that
    ```
    """

    name: ClassVar = "convert-math-to-llvm"
    anchor: ClassVar = "any"
    approximate_log1p: bool = True
    """Compute log1p by log."""

    def run(self, op: Operation, ctx: Context) -> None:
        patterns = math_patterns()
        if not self.approximate_log1p:
            patterns[-1].names = ("math.rsqrt", "math.expm1")  # pyright: ignore[reportAttributeAccessIssue]
        convert_partially(op, Target(dialects=frozenset({"llvm"})), patterns, llvm_types(), name=self.name)
