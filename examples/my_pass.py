"""A dialect and two passes of one's own, in one file.

mlopt examples/my_pass.mlir --load-module examples/my_pass.py --convert-tiny --canonicalize

`tiny.scale` multiplies by a constant; `convert-tiny` lowers it to `arith`; `count-ops` says how many operations each function holds.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.ir import Dialect, Operation
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import Pure

from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.actions import match_failure
from stepwell.ir.rewrite.rewriting import rewrite_greedily
from stepwell.ir.user_modules import function_pass


@irdl_op_definition
class ScaleOp(IRDLOperation):
    """tiny.scale %x by 2.0 : f32"""

    name = "tiny.scale"
    input = operand_def(f32)
    factor = prop_def(FloatAttr)
    result = result_def(f32)
    traits = traits_def(Pure())
    assembly_format = "$input `by` $factor attr-dict"


DIALECT = Dialect("tiny", [ScaleOp])


class LowerScale(RewritePattern):
    """tiny.scale -> arith.mulf"""

    most: float = 1e6

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ScaleOp, rewriter: PatternRewriter) -> None:
        if op.factor.value.data > self.most:
            return match_failure("the factor is absurd")  # mlopt --log-actions-to=- shows it
        factor = arith.ConstantOp(op.factor)
        rewriter.replace(op, (factor, arith.MulfOp(op.input, factor.result)))


@dataclass(frozen=True)
class ConvertTiny(Pass):
    """Lower `tiny` to `arith`.

    before:  %y = tiny.scale %x by 2.0 : f32
    after:   %c = arith.constant 2.0 : f32   %y = arith.mulf %x, %c : f32
    """

    name = "convert-tiny"
    anchor = "func.func"

    def run(self, op: Operation, ctx: Context) -> None:
        rewrite_greedily(op, [LowerScale()])


@function_pass("count-ops", anchor="func.func")
def count_ops(op: Operation, ctx: Context) -> None:
    """Say on standard error how many operations a function holds."""
    print(f"{sum(1 for _ in op.walk()) - 1} operations", file=sys.stderr)
