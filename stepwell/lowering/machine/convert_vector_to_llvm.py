"""`convert-vector-to-llvm`: vectors become LLVM's, where they are of one dimension, or can be taken apart into such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.ir import Operation
from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects.vector.canonical import PATTERNS as CANONICAL
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import ConversionPattern, Target, convert_partially
from stepwell.ir.rewrite.pattern_set import PatternsByName
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.machine.to_llvm_types import llvm_types
from stepwell.lowering.machine.vector_elements_to_llvm import element_patterns
from stepwell.lowering.machine.vector_memory_to_llvm import memory_patterns
from stepwell.lowering.machine.vector_print_to_llvm import ConvertPrint
from stepwell.lowering.machine.vector_reductions_to_llvm import ConvertMaskedReduction, ConvertReduction
from stepwell.lowering.vectors import outer_products, rows, slices_to_shuffles
from stepwell.lowering.vectors.materialize_masks import mask_patterns
from stepwell.lowering.vectors.transfers_to_loads import transfer_patterns

SIMPLIFIED = ("vector.create_mask", "vector.maskedload", "vector.maskedstore", "vector.gather", "vector.scatter")
"""Operations whose canonical forms spare work: known masks."""


def vector_patterns(
    *, reassociate: bool = False, index_bits: int = 64, of_vector: bool = False, no_wrap: bool = False
) -> list[ConversionPattern]:
    """How 1-D vectors are converted."""
    return [
        *element_patterns(index_bits),
        *memory_patterns(of_vector=of_vector, no_wrap=no_wrap),
        ConvertReduction(reassociate=reassociate),
        ConvertMaskedReduction(),
        ConvertPrint(),
    ]


def take_apart(op: Operation, index_bits: int) -> None:
    """Operations on n-D vectors as operations on 1-D ones, masks as comparisons, transfers as loads and stores."""
    table: dict[str, list[RewritePattern]] = {}
    for patterns in (
        {name: CANONICAL[name] for name in SIMPLIFIED},
        *(rows.PATTERNS, slices_to_shuffles.PATTERNS, outer_products.PATTERNS),
        *(transfer_patterns(1), mask_patterns(index_bits)),
    ):
        for name, found in patterns.items():
            table.setdefault(name, []).extend(found)
    rewrite_greedily(op, PatternsByName(table), how=Greediness(must_converge=False, unique_constants=True))


@dataclass(frozen=True)
class ConvertVectorToLlvm(Pass):
    """Operations on vectors become LLVM's; n-D vectors become nested arrays of 1-D ones.

    ```mlir
    %r = vector.fma %a, %b, %c : vector<8xf32>  ->  %r = llvm.intr.fmuladd(%a, %b, %c)
    %e = vector.extract %v[1, 2] : f32 from vector<2x4xf32>  ->  %r = llvm.extractvalue %v[1]   %e = llvm.extractelement %r[%c2]
    ```
    What stays: contractions, transfers of several dimensions (`convert-vector-to-scf` takes them apart), scalable leading dimensions.
    """

    name: ClassVar = "convert-vector-to-llvm"
    anchor: ClassVar = "any"

    reassociate_fp_reductions: bool = False
    """Sums and products of floats may be computed in any order."""
    force_32bit_vector_indices: bool = True
    """Count lanes in 32 bits."""
    use_vector_alignment: bool = False
    """Accesses are aligned as their vectors are, not as their elements."""
    enable_gep_inbounds_nuw: bool = False
    """Addresses of loads and stores are known not to wrap around."""
    enable_arm_neon: bool = False
    enable_arm_sve: bool = False
    enable_arm_i8mm: bool = False
    enable_arm_bf16: bool = False
    enable_x86: bool = False
    vector_contract_lowering: Literal["dot", "llvmintr", "outerproduct", "parallelarith"] = "dot"
    vector_transpose_lowering: Literal["eltwise", "llvmintr", "shuffle1d", "shuffle16x16"] = "eltwise"

    def run(self, op: Operation, ctx: Context) -> None:
        self._refuse_what_is_missing()
        bits = 32 if self.force_32bit_vector_indices else 64
        take_apart(op, bits)
        patterns: Sequence[ConversionPattern] = vector_patterns(
            reassociate=self.reassociate_fp_reductions,
            index_bits=bits,
            of_vector=self.use_vector_alignment,
            no_wrap=self.enable_gep_inbounds_nuw,
        )
        target = Target(dialects=frozenset({"llvm", "arith", "memref"}))
        convert_partially(op, target, patterns, llvm_types(), name=self.name)

    def _refuse_what_is_missing(self) -> None:
        for option in ("enable_arm_neon", "enable_arm_sve", "enable_arm_i8mm", "enable_arm_bf16", "enable_x86"):
            if getattr(self, option):
                raise CompileError(f"'{self.name}': there are no operations of processors to lower to", hint=f"leave out {_said(option)}")
        for option, only in (("vector_contract_lowering", "dot"), ("vector_transpose_lowering", "eltwise")):
            if getattr(self, option) != only:
                raise CompileError(f"'{self.name}': {_said(option)}={getattr(self, option)} is not supported", hint=f"leave it at {only}")


def _said(option: str) -> str:
    return option.replace("_", "-")
