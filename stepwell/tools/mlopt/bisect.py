"""`mlopt bisect FILE passes...`: which pass made the IR bad, and which rewrite in it.

    mlopt bisect f.mlir --pass-pipeline='builtin.module(canonicalize,cse)' --test ./is_it_good.sh
    mlopt bisect f.mlir --canonicalize --cse --validate=3

The IR is judged by a command (exit status 0: good, 125: cannot tell, anything else: bad) or by running its functions (the default). First
the number of passes is bisected, then the number of rewrites in the first pass after which the IR is bad. Exit status: 0 if a culprit was
found, 1 if not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import Instrumentation, PassManager, build_pipeline, parse_pipeline
from stepwell.ir.passes import Pass
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.culprit import Culprit, Path, find_rewrite, path_of
from stepwell.tools.mlopt.inputs import read_module
from stepwell.tools.mlopt.judges import CommandJudge, Judge, ValidationJudge, Verdict, first_bad, take_flags
from stepwell.tools.mlopt.options import read_command_line

USAGE = """usage: mlopt bisect FILE [--test CMD | --validate[=N]] (--pass-pipeline=P | passes)

Finds the first pass, and in it the first rewrite, after which the IR is bad. CMD is given the name of a file with the IR, as its last
argument or in the place of {}: exit status 0 means good, 125 means that it cannot tell, anything else means bad. Without --test the
functions are run on N random inputs and must compute what they computed before the first pass.
"""


def main(arguments: Sequence[str]) -> int:
    """The subcommand."""
    flags, rest = take_flags(arguments, ["test=", "validate?", "help!"])
    if "help" in flags:
        sys.stdout.write(USAGE)
        return 0
    options = read_command_line(rest)
    module, context = read_module(options)
    manager = build_pipeline(options.passes) if options.pass_pipeline is None else parse_pipeline(options.pass_pipeline)
    if not manager.elements:
        raise CompileError("there is nothing to bisect: no pass is given", location="mlopt", hint="mlopt bisect --help")
    if flags.get("test"):
        judge: Judge = CommandJudge(flags["test"] or "", context)
    else:
        seeds = flags.get("validate") or "1"
        if not seeds.isdecimal() or seeds == "0":
            raise CompileError(f"--validate needs a number of inputs, not '{seeds}'", location="mlopt")
        judge = ValidationJudge(module, context, int(seeds))
    sys.stdout.write(Bisection(module, context, manager, judge).report())
    return 0


class _Stop(Exception):
    """Enough passes have run."""


class _Prefix(Instrumentation):
    """Lets the first `limit` passes run, then stops; remembers the last of them and where it ran."""

    def __init__(self, root: Operation, limit: int | None, before_last: bool = False) -> None:
        self.count = 0
        self.last: Pass | None = None
        self.path: Path = ()
        self._root = root
        self._limit = limit
        self._before_last = before_last

    def before_pass(self, step: Pass, op: Operation) -> None:
        if self.count == self._limit:
            raise _Stop
        self.count += 1
        self.last, self.path = step, path_of(op, self._root)
        if self._before_last and self.count == self._limit:
            raise _Stop


@dataclass
class Bisection:
    """The search: first over passes, then over rewrites."""

    module: Operation
    context: Context
    manager: PassManager
    judge: Judge

    def report(self) -> str:
        """What is found, in words. Raises CompileError where there is nothing to be found."""
        if (before := self.judge(self.module)).state != "good":
            raise CompileError(f"the IR is not good before the first pass: {before.message}", location="mlopt")
        total = self._number_of_passes()
        if (said := self._after(total)).state != "bad":
            what = "is good after all passes" if said.state == "good" else f"cannot be judged after all passes: {said.message}"
            left_out = "".join(f"; {line}" for line in self._unjudged())
            raise CompileError(f"the IR {what}{left_out}", location="mlopt", hint="bisection needs a pipeline that makes it bad")
        good, bad, said = first_bad(total, self._after)
        step, before_step, path = self._last_of(bad)
        lines = [f"pass {bad} of {total}, '{step.name}', is the first after which the IR is bad: {said.message}"]
        if bad - good > 1:
            lines.append(f"  (after passes {good + 1} to {bad - 1} nothing can be told)")
        culprit = find_rewrite(before_step, path, step, self.context, self.judge)
        return "\n".join([*lines, *_about(culprit), *self._unjudged()]) + "\n"

    def _unjudged(self) -> list[str]:
        """A line for the functions of which the judge can say nothing."""
        said = self.judge.unjudged() if isinstance(self.judge, ValidationJudge) else None
        return [said] if said is not None else []

    def _run(self, root: Operation, prefix: _Prefix) -> None:
        try:
            self.manager.run(root, self.context, [prefix])
        except _Stop:
            pass

    def _number_of_passes(self) -> int:
        root = self.module.clone()
        prefix = _Prefix(root, None)
        try:
            self._run(root, prefix)
        except Exception:  # the pass that fails is the last
            pass
        return prefix.count

    def _after(self, count: int) -> Verdict:
        """How the IR is after so many passes."""
        root = self.module.clone()
        try:
            self._run(root, _Prefix(root, count))
            verify(root)
        except Exception as error:
            return Verdict("bad", str(error).partition("\n")[0])
        return self.judge(root)

    def _last_of(self, count: int) -> tuple[Pass, Operation, Path]:
        """The pass of that number, the IR before it, and where in it the pass runs."""
        root = self.module.clone()
        prefix = _Prefix(root, count, before_last=True)
        self._run(root, prefix)
        assert prefix.last is not None
        return prefix.last, root, prefix.path


def _about(culprit: Culprit | None) -> list[str]:
    if culprit is None:
        return ["no single rewrite of a driver can be blamed: the pass fails, or changes IR by itself"]
    return [f"in it, {culprit}", f"  after which: {culprit.message}", *(f"  {line}" for line in culprit.difference)]
