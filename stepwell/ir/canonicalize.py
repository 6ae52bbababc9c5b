"""The pass `canonicalize`: folds, and the patterns that operations name as their canonical form."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Operation
from xdsl.transforms.dead_code_elimination import region_dce

from stepwell.ir.passes import Pass
from stepwell.ir.pattern_set import CanonicalPatterns
from stepwell.ir.rewriting import rewrite_greedily


@dataclass(frozen=True)
class Canonicalize(Pass):
    """Bring IR of any level into the form that other patterns expect; erase what is dead or never reached.

    before:  %0 = arith.constant 0 : i32   %1 = arith.addi %x, %0 : i32   return %1 : i32
    after:   return %x : i32
    """

    name = "canonicalize"
    anchor = "any"

    max_iterations: int = 10

    def run(self, op: Operation, ctx: Context) -> None:
        patterns = CanonicalPatterns([])
        rewrite_greedily(op, patterns, max_iterations=self.max_iterations)
        erased = [region_dce(region) for region in op.regions]
        if any(erased):  # fewer uses and fewer blocks may let further patterns match
            rewrite_greedily(op, patterns, max_iterations=self.max_iterations)
