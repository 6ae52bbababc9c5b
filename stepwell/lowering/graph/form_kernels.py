"""Every computation of @main moves into a kernel.

In: canonical level 1, channels last, paddings explicit. Out: `@main` with calls of kernels, constants, loops and view ops (`nn.reshape`,
`nn.slice` of step 1, `nn.concat`, `nn.pad` with a constant), and the kernels as private functions of `nn` ops on merged shapes. See
`grouping` for what goes together, `plans` and `domains` for shapes, `boundaries` for what must not be merged, `outline` for the
functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation

from stepwell.dialects import nn
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.boundaries import Boundaries
from stepwell.lowering.graph.canonical_shape import SHAPE
from stepwell.lowering.graph.dce import Dce
from stepwell.lowering.graph.grouping import form_groups
from stepwell.lowering.graph.outline import Outliner
from stepwell.lowering.graph.patterns import Replacement, Site, apply_patterns
from stepwell.lowering.graph.plans import plan


def recomputed(op: nn.RecomputeOp, site: Site) -> Replacement:
    """Its operand: calls of kernels are not merged"""
    return op.x


@dataclass(frozen=True)
class FormKernels(Pass):
    """Group operations into kernels and call them.

    ```mlir
    func.func @main(%x: tensor<1x8x8x16xf32>, %r: tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32> {
      %y = nn.matmul %x, %w : tensor<1x8x8x16xf32>, tensor<16x32xf32> -> tensor<1x8x8x32xf32>
      %s = nn.add %y, %r : tensor<1x8x8x32xf32>, tensor<1x8x8x32xf32> -> tensor<1x8x8x32xf32>
    ```
    becomes
    ```mlir
    func.func @main(%x: tensor<1x8x8x16xf32>, %r: tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32> {
      %a = nn.reshape %x : tensor<1x8x8x16xf32> -> tensor<64x16xf32>
      %b = nn.reshape %r : tensor<1x8x8x32xf32> -> tensor<64x32xf32>
      %c = func.call @matmul_add(%a, %w, %b) : (tensor<64x16xf32>, tensor<16x32xf32>, tensor<64x32xf32>) -> tensor<64x32xf32>
      %s = nn.reshape %c : tensor<64x32xf32> -> tensor<1x8x8x32xf32>
    ```
    """

    name: ClassVar[str] = "nn-form-kernels"

    max_operands: int = 6
    """A kernel reads at most so many tensors of full size besides what its anchor reads."""

    def run(self, op: Operation, ctx: Context) -> None:
        if not isinstance(op, ModuleOp):
            raise CompileError(f"nn-form-kernels runs on a module, not on {op.name}")
        outliner = Outliner(op)
        for function in [f for f in op.ops if isinstance(f, FuncOp) and not f.is_declaration and "kernel" not in f.attributes]:
            for block in [block for inner in function.walk() for region in inner.regions for block in region.blocks]:
                self._form(block, outliner)
            # Reshapes met reshapes, and what is computed again stands where it belongs.
            apply_patterns(function, SHAPE, {nn.RecomputeOp: (recomputed,)})
        Dce().run(op, ctx)

    def _form(self, block: Block, outliner: Outliner) -> None:
        boundaries = Boundaries()
        plans = [plan(group, boundaries) for group in form_groups(block, self.max_operands)]
        for each in plans:
            outliner.outline(each)
