"""`convert-to-llvm`: everything that the other `convert-*-to-llvm` passes know, in one conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import ConversionPattern, Target, convert_partially
from stepwell.lowering.machine.convert_arith_to_llvm import arith_patterns
from stepwell.lowering.machine.convert_cf_to_llvm import ConvertBranch
from stepwell.lowering.machine.convert_func_to_llvm import func_patterns
from stepwell.lowering.machine.convert_index_to_llvm import index_patterns
from stepwell.lowering.machine.convert_math_to_llvm import math_patterns
from stepwell.lowering.machine.convert_vector_to_llvm import vector_patterns
from stepwell.lowering.machine.finalize_memref_to_llvm import memref_patterns
from stepwell.lowering.machine.to_llvm_types import llvm_types

BY_DIALECT = {
    "arith": arith_patterns,
    "cf": lambda: [ConvertBranch()],
    "func": func_patterns,
    "index": index_patterns,
    "math": math_patterns,
    "memref": memref_patterns,
    "vector": vector_patterns,
}


@dataclass(frozen=True)
class ConvertToLlvm(Pass):
    """Arithmetic, branches, functions and buffers become LLVM's in one go.

    ```mlir
    func.func @f(%a: f32) -> f32 { arith.addf ... }  ->  llvm.func @f(%a: f32) -> f32 { llvm.fadd ... }
    ```
    """

    name: ClassVar = "convert-to-llvm"
    anchor: ClassVar = "any"
    filter_dialects: tuple[str, ...] = ()
    """Only these dialects; all that are known where none is given."""
    allow_pattern_rollback: bool = True
    """Taken for compatibility: patterns decide before they change anything, there is nothing to roll back."""

    def run(self, op: Operation, ctx: Context) -> None:
        wanted = self.filter_dialects or tuple(BY_DIALECT)
        for name in wanted:
            if name not in BY_DIALECT:
                raise CompileError(f"dialect '{name}' has no conversion to LLVM", hint=f"there are conversions of {', '.join(BY_DIALECT)}")
        patterns: list[ConversionPattern] = [pattern for name in wanted for pattern in BY_DIALECT[name]()]
        convert_partially(op, Target(dialects=frozenset({"llvm"})), patterns, llvm_types(), name=self.name)
