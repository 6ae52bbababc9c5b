"""`vector.print` of scalars and punctuation becomes calls of MLIR's runtime library, which prints one number at a time."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float32Type, Float64Type, IndexType, IntegerType, Signedness, i16, i64
from xdsl.ir import Attribute, SSAValue

from stepwell.dialects import arith
from stepwell.dialects.vector.more import Punctuation
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined
from stepwell.lowering.machine.finalize_memref_to_llvm import call
from stepwell.lowering.machine.to_llvm_patterns import llvm_class
from stepwell.lowering.machine.vector_elements_to_llvm import Converted

FLOATS: dict[type[Attribute], str] = {
    Float64Type: "printF64",
    Float32Type: "printF32",
    Float16Type: "printF16",
    BFloat16Type: "printBF16",
}
"""What prints a float; those of 16 bits are given as bits."""

MARKS = {
    Punctuation.NEW_LINE: "printNewline",
    Punctuation.COMMA: "printComma",
    Punctuation.OPEN: "printOpen",
    Punctuation.CLOSE: "printClose",
}
"""What prints a mark."""


class ConvertPrint(ConversionPattern):
    """`vector.print %x : f32` -> `llvm.call @printF32(%x)`, `llvm.call @printNewline()`"""

    names = ("vector.print",)

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Converted:
        if op.stringLiteral is not None:
            return Declined("texts are not printed")
        if op.source is not None:
            type = op.source.type
            if isinstance(type, IndexType):
                call(rewriter, "printU64", operands, ())
            elif type.__class__ in FLOATS:
                given = operands
                if isinstance(type, Float16Type | BFloat16Type):
                    given = rewriter.create(llvm_class("llvm.bitcast"), operands, (i16,)).results
                call(rewriter, FLOATS[type.__class__], given, ())
            elif isinstance(type, IntegerType) and type.width.data <= 64:
                is_unsigned = type.signedness.data == Signedness.UNSIGNED
                value = operands[0]
                if type.width.data < 64:
                    kind = arith.ExtUIOp if is_unsigned or type.width.data == 1 else arith.ExtSIOp
                    value = rewriter.create(kind, operands, (i64,)).results[0]
                call(rewriter, "printU64" if is_unsigned else "printI64", (value,), ())
            else:
                return Declined(f"no function prints {type}")
        mark = MARKS.get(op.punctuation.data)
        if mark is not None:
            call(rewriter, mark, (), ())
        return ()
