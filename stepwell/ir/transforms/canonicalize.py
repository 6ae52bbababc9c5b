"""The pass `canonicalize`: folds, and the patterns that operations name as their canonical form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.registry import all_dialects, did_you_mean
from stepwell.ir.rewrite.pattern_set import CanonicalPatterns
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily


@dataclass(frozen=True)
class Canonicalize(Pass):
    """Bring IR of any level into the form that other patterns expect; erase what is dead or never reached.

    before:  %0 = arith.constant 0 : i32   %1 = arith.addi %x, %0 : i32   return %1 : i32
    after:   return %x : i32
    """

    name = "canonicalize"
    anchor = "any"

    top_down: bool = True
    region_simplify: Literal["disabled", "normal", "aggressive"] = "normal"
    max_iterations: int = 10
    max_num_rewrites: int = -1
    test_convergence: bool = False
    cse_between_iterations: bool = False
    filter_dialects: tuple[str, ...] = ()
    disable_patterns: tuple[str, ...] = ()
    enable_patterns: tuple[str, ...] = ()

    def run(self, op: Operation, ctx: Context) -> None:
        known = all_dialects()
        for dialect in self.filter_dialects:
            if dialect not in known:
                raise CompileError(f"'{dialect}' is not a registered dialect", hint=did_you_mean(dialect, known))
        how = Greediness(
            unique_constants=True,
            simplify=self.region_simplify,
            top_down=self.top_down,
            max_iterations=self.max_iterations,
            max_rewrites=self.max_num_rewrites,
            must_converge=self.test_convergence,
            between=_eliminate_common_subexpressions if self.cse_between_iterations else None,
        )
        rewrite_greedily(op, CanonicalPatterns([], self.filter_dialects, self.enable_patterns, self.disable_patterns), how=how)


def _eliminate_common_subexpressions(op: Operation) -> bool:
    from stepwell.ir.transforms.cse import eliminate

    return eliminate(op)
