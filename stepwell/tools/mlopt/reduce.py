"""`mlopt reduce FILE`: the smallest IR that is still interesting.

    mlopt reduce f.mlir --test ./is_it_bad.sh
    mlopt reduce f.mlir --pass-pipeline='builtin.module(convert-x)' --message='failed to legalize'

Interesting is what a command calls bad (exit status neither 0 nor 125), or what makes the pipeline crash, or fail with a diagnostic that a
regular expression finds. Every candidate that is tried is valid IR. The result is printed; how it went is said on standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import build_pipeline, parse_pipeline
from stepwell.ir.text.printing import print_ir
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.inputs import read_module, write_text
from stepwell.tools.mlopt.judges import CommandJudge, Judge, PipelineJudge, take_flags
from stepwell.tools.mlopt.options import read_command_line
from stepwell.tools.mlopt.reductions import REDUCTIONS, Reduction

USAGE = """usage: mlopt reduce FILE (--test CMD | [--message REGEX] (--pass-pipeline=P | passes)) [-o FILE]

Prints the smallest valid IR that is still interesting. CMD is given the name of a file with the IR, as its last argument or in the place of
{}: exit status 0 means good (not interesting), 125 that it cannot tell, anything else bad: interesting. Without --test, interesting is what
makes the passes crash, or with --message what makes them fail with a diagnostic that REGEX finds.
"""


def main(arguments: Sequence[str]) -> int:
    """The subcommand."""
    flags, rest = take_flags(arguments, ["test=", "message=", "help!"])
    if "help" in flags:
        sys.stdout.write(USAGE)
        return 0
    options = read_command_line(rest)
    module, context = read_module(options)
    if flags.get("test"):
        judge: Judge = CommandJudge(flags["test"] or "", context)
    else:
        manager = build_pipeline(options.passes) if options.pass_pipeline is None else parse_pipeline(options.pass_pipeline)
        if not manager.elements:
            raise CompileError("what is interesting? --test, or passes to run, must say", location="mlopt", hint="mlopt reduce --help")
        judge = PipelineJudge(manager, context, flags.get("message"))
    reducer = Reducer(module, judge)
    reducer.run()
    sys.stderr.write(reducer.summary())
    write_text(options.output, print_ir(reducer.best, dialects=context.loaded_dialects))
    return 0


class Reducer:
    """Delta debugging over the reductions, again and again until none helps."""

    def __init__(self, module: Operation, judge: Judge) -> None:
        self.best = module
        self.tried = 0
        self.invalid = 0
        self._judge = judge
        self._began = _size(module)
        self._known: set[str] = set()

    def run(self) -> None:
        """Reduce. Raises CompileError where the input is not interesting."""
        if (said := self._judge(self.best.clone())).state != "bad":
            raise CompileError("the input is not interesting", location="mlopt", hint=said.message or "the test must call it bad")
        rounds = [""]
        while rounds[-1] != print_ir(self.best):
            rounds.append(print_ir(self.best))
            for reduction in REDUCTIONS:
                self._minimize(reduction)

    def summary(self) -> str:
        """How it went, in one line."""
        return f"{self._began} operations reduced to {_size(self.best)}; {self.tried} candidates tried, {self.invalid} were not valid\n"

    def _minimize(self, reduction: Reduction) -> None:
        """Take away as much as can be: first everything, then halves, quarters, ..., single things."""
        size = len(reduction.targets(self.best))
        while size >= 1:
            start = 0
            while start < (count := len(reduction.targets(self.best))):
                if not self._try(reduction, range(start, min(start + size, count))):
                    start += size
            size //= 2

    def _try(self, reduction: Reduction, chosen: range) -> bool:
        candidate = self.best.clone()
        try:
            reduction.apply(candidate, reduction.targets(candidate), chosen)
            verify(candidate)
            text = print_ir(candidate)
        except Exception:  # a reduction need not fit; whatever goes wrong, the candidate is dropped
            self.invalid += 1
            return False
        if text in self._known:
            return False
        self._known.add(text)
        self.tried += 1
        if self._judge(candidate).state != "bad":
            return False
        self.best = candidate
        return True


def _size(root: Operation) -> int:
    return sum(1 for _ in root.walk()) - 1
