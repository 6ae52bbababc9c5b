"""The pass `linalg-fuse-elementwise-ops`: structured ops on tensors in, fewer of them out.

Upstream's pass for any program; kernels of models go through `linalg-fuse-pointwise`, which knows what a kernel can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import CanonicalPatternsOf
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.linalg.erase_operands import DeduplicateAndRemoveDeadOperandsAndResults, RemoveOutsDependency, RemoveUnusedCycle
from stepwell.lowering.linalg.expand_loops import BubbleUpExpandThroughCollapse, FoldReshapeWithGenericOp, FoldWithProducerReshape
from stepwell.lowering.linalg.expand_pads import FoldPadWithProducerReshape, FoldReshapeWithProducerPad
from stepwell.lowering.linalg.fold_operands import FoldConstantTranspose, FoldFillWithGeneric, FoldScalarOrSplatConstant
from stepwell.lowering.linalg.fuse_elementwise import FuseElementwiseOps

CANONICAL = frozenset({"affine.apply", "linalg.generic", "tensor.expand_shape", "tensor.collapse_shape"})


@dataclass(frozen=True)
class FuseElementwise(Pass):
    """Compute pointwise producers with one use where they are read; let reshapes pass through.

    before:  %0 = linalg.generic ins(%a) outs(%e) { addf }   %1 = linalg.generic ins(%0, %b) outs(%f) { mulf }
    after:   %1 = linalg.generic ins(%a, %b) outs(%f) { addf   mulf }
    """

    name: ClassVar[str] = "linalg-fuse-elementwise-ops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        patterns = (
            FuseElementwiseOps(),
            FoldFillWithGeneric(),
            FoldScalarOrSplatConstant(),
            RemoveOutsDependency(),
            DeduplicateAndRemoveDeadOperandsAndResults(),
            RemoveUnusedCycle(),
            FoldReshapeWithGenericOp(),
            FoldPadWithProducerReshape(),
            FoldReshapeWithProducerPad(),
            FoldWithProducerReshape(),
            BubbleUpExpandThroughCollapse(),
            FoldConstantTranspose(),
        )
        how = Greediness(unique_constants=True, simplify="aggressive", must_converge=False)
        rewrite_greedily(op, CanonicalPatternsOf(patterns, CANONICAL), how=how)
