"""The one rewrite that broke it: a pass is run again and again, each time with a different number of rewrites allowed.

In: IR that is good, a pass that makes it bad, and a judge. Out: the first pattern, fold or removal after which the IR is bad, where it was
applied, and what it changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.manager.pass_manager import Instrumentation
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.actions import ITERATION, DebugCounter, Watcher, watching
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir
from stepwell.tools.mlopt.judges import Judge, ValidationJudge, Verdict, first_bad
from stepwell.tools.mlopt.subcommands import Watched

Path = Sequence[tuple[int, int, int]]
COUNTED = "greedy-rewriter"


@dataclass(frozen=True)
class Culprit:
    """A rewrite, and what it did."""

    number: int
    total: int
    name: str
    op: str
    location: str | None
    message: str
    difference: list[str]
    """Lines of a diff of the IR, before and after it."""

    def __str__(self) -> str:
        at = f" at {self.location}" if self.location else ""
        return f"rewrite {self.number} of {self.total}, '{self.name}' on '{self.op}'{at}"


def path_of(op: Operation, root: Operation) -> Path:
    """How to find `op` in a copy of `root`."""
    steps: list[tuple[int, int, int]] = []
    while op is not root:
        block = op.parent
        assert block is not None
        assert block.parent is not None
        assert block.parent.parent is not None
        region, parent = block.parent, block.parent.parent
        steps.append((parent.regions.index(region), region.get_block_index(block), block.get_operation_index(op)))
        op = parent
    return steps[::-1]


def at_path(root: Operation, path: Path) -> Operation:
    """The operation that `path_of` described."""
    op = root
    for region, block, index in path:
        op = list(op.regions[region].blocks[block].ops)[index]
    return op


class _Last(Watcher):
    """Remembers the last action that went ahead."""

    def __init__(self) -> None:
        self.name, self.op, self.location = "", "", None

    def begins(self, tag: str, name: str, op: Operation) -> None:
        if tag != ITERATION:
            self.name, self.op, self.location = name, op.name, place(op)


def find_rewrite(before: Operation, path: Path, step: Pass, context: Context, judge: Judge) -> Culprit | None:
    """The rewrite by which `step`, run at `path` of `before`, makes it bad. None where it is bad without any, or not at all."""

    def run(allowed: int | None) -> tuple[Operation, DebugCounter, _Last]:
        root = before.clone()
        counter, last = DebugCounter(), _Last()
        if allowed is not None:
            counter.limit(COUNTED, count=allowed)
        with watching(counter, last):
            step.run(at_path(root, path), context)
        return root, counter, last

    def verdict(allowed: int) -> Verdict:
        try:
            said = judge(run(allowed)[0])
        except Exception as error:
            return Verdict("unknown", str(error))  # a pass that is held back halfway may trip over what it has left
        return said if said.state != "bad" or said.kind == end.kind else Verdict("unknown", said.message)

    try:
        root, counter, _ = run(None)
        total, end = counter.seen(COUNTED), judge(root)
    except Exception:
        return None  # what crashes says itself where
    if total == 0 or end.state != "bad" or verdict(0).state != "good":
        return None
    _, number, said = first_bad(total, verdict)
    after, _, last = run(number)
    lines = difflib.unified_diff(_lines(run(number - 1)[0]), _lines(after), "before", "after", n=2)
    difference = [line.rstrip("\n") for line in lines]
    return Culprit(number, total, last.name, last.op, last.location, said.message, difference)


def _lines(root: Operation) -> list[str]:
    return print_ir(root, PrintOptions(elide_larger=16)).splitlines(keepends=True)


class ValidationCulprit(Instrumentation):
    """With `--validate-each`: finds the rewrite in a pass that has changed what a function computes, and adds it to the error as notes."""

    def __init__(self, run: Watched) -> None:
        self._run = run
        self._judge: Judge | None = None
        self._before: Operation | None = None
        self._path: Path = ()
        self._reference = run.root.clone()

    def before_pass(self, step: Pass, op: Operation) -> None:
        self._path = path_of(op, self._run.root)
        self._before = self._run.root.clone()

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if not isinstance(error, CompileError) or self._before is None or f"pass '{step.name}'" not in error.message:
            return  # the pass has failed by itself
        judge = ValidationJudge(self._reference, self._run.context, self._run.options.validate_each or 1)
        found = find_rewrite(self._before, self._path, step, self._run.context, judge)
        if found is None:
            error.add_note("no single rewrite of a driver can be blamed: the pass changes IR by itself")
            return
        prefix = f"{found.location}: note: " if found.location else ""
        error.add_note(f"{prefix}first wrong after {found}")
        error.add_note("the IR before and after it:\n" + "\n".join(found.difference))


def validation(run: Watched) -> Instrumentation:
    """`--validate-each`"""
    return ValidationCulprit(run)
