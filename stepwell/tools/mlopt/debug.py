"""`mlopt debug FILE passes...`: walks through passes and rewrites, forwards and back.

    mlopt debug f.mlir --pass-pipeline='builtin.module(canonicalize,cse)'
    mlopt debug f.mlir --canonicalize -x commands.txt

It stops where a pass begins, where a rewrite (a pattern, a fold, a removal) has changed something, and at the end. To go back,
everything is run again up to the stop before: passes do the same each time. Commands come from the terminal, from standard input, or
from a file.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.manager.pass_manager import PassManager, build_pipeline, parse_pipeline
from stepwell.ir.rewrite.actions import ITERATION, PASS, Watcher
from stepwell.ir.text.marked_printing import marked_lines
from stepwell.tools.mlopt.inputs import read_module, read_text
from stepwell.tools.mlopt.judges import take_flags
from stepwell.tools.mlopt.options import read_command_line
from stepwell.tools.mlopt.watch import Watching

USAGE = """usage: mlopt debug FILE (--pass-pipeline=P | passes) [-x COMMANDS]

Commands, each by its name or its first letters:
  step            to the next stop: a pass that begins, or a rewrite that has changed something
  next            to where the next pass begins
  continue        to the next breakpoint, or to the end
  back            to the stop before
  goto N          to the stop of that number
  break KIND WHAT stop at: pass NAME, pattern NAME, op NAME (what is rewritten), loc FILE:LINE
  breaks          list the breakpoints
  delete N        remove one
  print           the function (or what else stands at the top) that is being worked on
  list            the whole IR, with numbers of lines
  diff            what the last rewrite has changed
  uses N          the users of what the operation on line N of the list computes, and where its operands come from
  where           the stop at hand
  quit
"""
COMMANDS = (
    "step",
    "next",
    "continue",
    "back",
    "goto",
    "break",
    "breaks",
    "delete",
    "print",
    "list",
    "diff",
    "uses",
    "where",
    "quit",
    "help",
)
KINDS = ("pass", "pattern", "op", "loc")


class _Leave(BaseException):
    """Out of the passes: to begin anew, or for good. No pass may catch it."""


@dataclass
class Stop:
    """Where the passes stand still."""

    number: int
    tag: str
    name: str
    op: str
    location: str | None

    def __str__(self) -> str:
        at = f" at {self.location}" if self.location else ""
        match self.tag:
            case "end":
                return f"stop {self.number}: the end"
            case "pass-execution":
                return f"stop {self.number}: pass '{self.name}' begins on '{self.op}'{at}"
            case _:
                return f"stop {self.number}: '{self.name}' has rewritten '{self.op}'{at}"


@dataclass
class Debugger(Watcher):
    """Runs the passes, as often as it takes, and talks in between."""

    module: Operation
    context: Context
    manager: PassManager
    commands: Iterator[str]
    breakpoints: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    _count: int = 0
    _goal: int | None = 1
    """Stop there; None for the next breakpoint."""
    _to_pass: bool = False
    _again: bool = False
    _stop: Stop | None = None
    _begun: Stop | None = None

    def run(self) -> None:
        """Until somebody says quit, or nothing more is said."""
        self._again = True
        while self._again:
            self._again = False
            self._count, self._stop = 0, None
            self._root = self.module.clone()
            self._before = self._after = self._text()
            self._top: Operation = self._root
            try:
                try:
                    self.manager.run(self._root, self.context, [_Hook(self)])
                except CompileError as error:
                    self._say(str(error))
                self._arrive("end", "", self._root)
            except _Leave:
                pass

    # ---- what the passes report

    def begins(self, tag: str, name: str, op: Operation) -> None:
        self._top = self._top_of(op)
        if tag == PASS:
            self._arrive(tag, name, op)
        elif tag != ITERATION:
            self._begun = Stop(0, tag, name, op.name, place(op))  # taken down now: afterwards the operation may be gone

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        if changed and tag not in (PASS, ITERATION) and self._begun is not None:
            self._arrive(tag, name, op, self._begun)

    def _arrive(self, tag: str, name: str, op: Operation, begun: Stop | None = None) -> None:
        self._count += 1
        stop = Stop(self._count, tag, name, begun.op if begun else op.name, begun.location if begun else place(op))
        wanted = self._count == self._goal or tag == "end" or (self._to_pass and tag == PASS) or (self._goal is None and self._breaks(stop))
        self._before, self._after = self._after, self._text()
        if not wanted:
            return
        self._stop = stop
        self._say(str(stop))
        if begun is not None:
            self._diff()
        self._converse()

    def _breaks(self, stop: Stop) -> bool:
        return any(_matches(kind, what, stop) for kind, what in self.breakpoints)

    # ---- commands

    def _converse(self) -> None:
        """Obey until it is time to go on."""
        for line in self.commands:
            word, _, rest = line.strip().partition(" ")
            if not word or word.startswith("#"):
                continue
            try:
                if self._obey(_command(word), rest.strip()):
                    return
            except CompileError as error:
                self._say(f"error: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        raise _Leave  # nothing more is said

    def _obey(self, command: str, rest: str) -> bool:
        """Whether the passes are to go on."""
        at_end = self._stop is not None and self._stop.tag == "end"
        match command:
            case "step" | "next" | "continue":
                if at_end:
                    self._say("the passes are over; back, goto and quit remain")
                    return False
                self._goal = self._count + 1 if command == "step" else None if command == "continue" else -1
                self._to_pass = command == "next"
                return True
            case "back" | "goto":
                goal = self._count - 1 if command == "back" else _number(rest, "stop")
                if goal < 1:
                    self._say("there is no stop before the first")
                    return False
                self._goal, self._to_pass, self._again = goal, False, True
                raise _Leave
            case "break":
                kind, _, what = rest.partition(" ")
                if kind not in KINDS or not what.strip():
                    raise CompileError("break needs a kind and a name", hint=f"kinds are {', '.join(KINDS)}")
                self.breakpoints.append((kind, what.strip()))
                self._say(f"breakpoint {len(self.breakpoints)}: {kind} {what.strip()}")
            case "breaks":
                for number, (kind, what) in enumerate(self.breakpoints, 1):
                    self._say(f"{number}: {kind} {what}")
            case "delete":
                number = _number(rest, "breakpoint")
                if not 0 < number <= len(self.breakpoints):
                    raise CompileError(f"there is no breakpoint {number}")
                del self.breakpoints[number - 1]
            case "print":
                top = self._top if self._top is self._root or self._top.parent is not None else self._root
                self._say("\n".join(line for line, _ in marked_lines(top)))
            case "list":
                for number, line in enumerate(self._text(), 1):
                    self._say(f"{number:5d}  {line}")
            case "diff":
                self._diff()
            case "uses":
                self._uses(_number(rest, "line"))
            case "where":
                self._say(str(self._stop))
            case "quit":
                raise _Leave
            case _:
                self._say(USAGE.partition("\n\n")[2].rstrip())
        return False

    def _uses(self, number: int) -> None:
        lines = marked_lines(self._root)
        if not 0 < number <= len(lines) or (op := lines[number - 1][1]) is None:
            raise CompileError(f"no operation begins on line {number}", hint="list shows the lines")
        where = {other: (i, line.strip()) for i, (line, other) in enumerate(lines, 1) if other is not None}
        for operand in op.operands:
            if isinstance(owner := operand.owner, Operation):
                self._say("operand  {:5d}  {}".format(*where.get(owner, (0, owner.name))))
            else:
                self._say(f"operand         argument {operand.index} of a block")  # pyright: ignore
        for result in op.results:
            for use in result.uses:
                self._say("used by  {:5d}  {}".format(*where.get(use.operation, (0, use.operation.name))))

    def _diff(self) -> None:
        lines = list(difflib.unified_diff(self._before, self._after, lineterm="", n=1))[2:]
        self._say("\n".join(f"  {line}" for line in lines if not line.startswith("@@")) if lines else "  (nothing that is printed)")

    def _text(self) -> list[str]:
        return [line for line, _ in marked_lines(self._root)]

    def _top_of(self, op: Operation) -> Operation:
        while (parent := op.parent_op()) is not None and parent is not self._root:
            op = parent
        return op

    def _say(self, text: str) -> None:
        sys.stdout.write(text + "\n")


class _Hook(Watching):
    """The debugger among the hooks of a pipeline."""


def _matches(kind: str, what: str, stop: Stop) -> bool:
    match kind:
        case "pass":
            return stop.tag == PASS and stop.name == what
        case "pattern":
            return stop.tag != PASS and stop.name == what
        case "op":
            return stop.op == what
        case _:
            place = stop.location or ""
            return place == what or place.startswith(f"{what}:") or place.endswith(f"/{what}") or f"/{what}:" in place


def _command(word: str) -> str:
    found = [name for name in COMMANDS if name.startswith(word)]
    if word in COMMANDS or found:
        return word if word in COMMANDS else found[0]
    raise CompileError(f"there is no command '{word}'", hint="help lists them")


def _number(text: str, what: str) -> int:
    if not text.isdecimal():
        raise CompileError(f"the number of a {what} is needed, not '{text}'")
    return int(text)


def _from_terminal() -> Iterator[str]:
    """Lines of standard input, after a prompt where somebody reads it."""
    while True:
        if sys.stdin.isatty():
            sys.stdout.write("(mlopt) ")
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        yield line


def main(arguments: Sequence[str]) -> int:
    """The subcommand."""
    flags, rest = take_flags(arguments, ["x=", "help!"])
    if "help" in flags:
        sys.stdout.write(USAGE)
        return 0
    options = read_command_line(rest)
    commands = iter(read_text(flags["x"] or "").splitlines()) if flags.get("x") else _from_terminal()
    module, context = read_module(options)
    manager = build_pipeline(options.passes) if options.pass_pipeline is None else parse_pipeline(options.pass_pipeline)
    Debugger(module, context, manager, commands).run()
    return 0
