"""The pass `composite-fixed-point-pass`: a pipeline, run until it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import parse_pipeline, run_inside_pass
from stepwell.ir.manager.pipeline_text import PipelineText
from stepwell.ir.passes import Pass
from stepwell.ir.reporting import warning
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir

EMPTY = PipelineText("")


@dataclass(frozen=True)
class CompositeFixedPointPass(Pass):
    """Run `pipeline` on the operation again and again, until it leaves the text of the operation as it was.

    composite-fixed-point-pass{pipeline=any(cse,canonicalize)}
    """

    name = "composite-fixed-point-pass"
    anchor = "any"

    pipeline: PipelineText = EMPTY
    max_iterations: int = 10

    def __post_init__(self) -> None:
        if self.max_iterations < 1:
            raise CompileError("'composite-fixed-point-pass' needs max-iterations of at least 1")

    def run(self, op: Operation, ctx: Context) -> None:
        manager = parse_pipeline(self.pipeline)
        options = PrintOptions(generic=True)
        text = print_ir(op, options)
        for _ in range(self.max_iterations):
            run_inside_pass(manager, op, ctx)
            before, text = text, print_ir(op, options)
            if text == before:
                return
        warning(op, f'Composite pass "CompositeFixedPointPass" didn\'t converge in {self.max_iterations} iterations')
