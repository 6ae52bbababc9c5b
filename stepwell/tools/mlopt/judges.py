"""Good or bad: what `mlopt bisect` and `mlopt reduce` ask about a piece of IR.

A command (`--test CMD`) is given the name of a file as its last argument, or in the place of `{}`. Its exit status: 0, the IR is good;
125, it cannot tell; anything else, the IR is bad, and therefore interesting.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException, VerifyException

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import PassManager
from stepwell.ir.registry import resolve
from stepwell.ir.text.printing import print_ir
from stepwell.ir.verify import verify

VALIDATOR = "stepwell.backends.interpreter.validate:Validator"
SUMMARY = "stepwell.backends.interpreter.validate:summary_of_unjudged"


class Verdict(NamedTuple):
    """What a judge says, and why."""

    state: Literal["good", "bad", "unknown"]
    message: str = ""
    kind: str = ""
    """What sort of bad, where a judge tells several apart."""


Judge = Callable[[Operation], Verdict]

GOOD = Verdict("good")


@dataclass
class CommandJudge:
    """`--test CMD`"""

    command: str
    context: Context
    timeout: float = 60.0

    def __call__(self, root: Operation) -> Verdict:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "candidate.mlir"
            file.write_text(print_ir(root, dialects=self.context.loaded_dialects), encoding="utf-8")
            status = self._status(str(file))
        if status == 0:
            return GOOD
        return Verdict("unknown", "the command cannot tell") if status == 125 else Verdict("bad", f"the command ends with status {status}")

    def _status(self, file: str) -> int:
        command = self.command.replace("{}", shlex.quote(file)) if "{}" in self.command else f"{self.command} {shlex.quote(file)}"
        try:
            run = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False, timeout=self.timeout)
        except subprocess.TimeoutExpired:
            return 124
        if run.returncode in (126, 127):
            message = f"the command cannot be run: {run.stderr.decode(errors='replace').strip() or self.command}"
            raise CompileError(message, location="mlopt", hint="a script needs its path and the right to be executed")
        return run.returncode


class ValidationJudge:
    """`--validate[=N]`: the functions must compute what they computed in `reference`."""

    def __init__(self, reference: Operation, context: Context, seeds: int) -> None:
        if not isinstance(reference, ModuleOp):
            raise CompileError("validation needs a module", location="mlopt")
        self._validators = [resolve(VALIDATOR)(reference, context, seed=seed) for seed in range(seeds)]

    def unjudged(self) -> str | None:
        """Of which functions nothing can be said, and why; None where all were judged."""
        return resolve(SUMMARY)(self._validators)

    def __call__(self, root: Operation) -> Verdict:
        try:
            verify(root)
        except (CompileError, VerifyException) as error:
            return Verdict("bad", f"the IR is not valid: {_first_line(error)}", "invalid")
        try:
            for validator in self._validators:
                validator.check(root, "it")
        except CompileError as error:
            return Verdict("bad", error.message.replace("pass 'it' ", "the pass "), "broken" if " broke " in error.message else "different")
        return GOOD


@dataclass
class PipelineJudge:
    """Bad is what makes a pipeline crash, or, with a `message`, fail with a diagnostic that the regular expression finds."""

    manager: PassManager
    context: Context
    message: str | None = None

    def __post_init__(self) -> None:
        try:
            re.compile(self.message or "")
        except re.error as error:
            raise CompileError(f"'{self.message}' is no regular expression: {error}", location="mlopt") from error

    def __call__(self, root: Operation) -> Verdict:
        copy = root.clone()
        try:
            self.manager.run(copy, self.context)
            verify(copy)
        except CompileError as error:
            return self._of(str(error), is_crash=False)
        except (VerifyException, DiagnosticException) as error:
            return self._of(_first_line(error), is_crash=False)
        except Exception as error:
            return self._of(f"{type(error).__name__}: {_first_line(error)}", is_crash=True)
        return GOOD

    def _of(self, said: str, *, is_crash: bool) -> Verdict:
        is_it = is_crash if self.message is None else re.search(self.message, said) is not None
        return Verdict("bad", said) if is_it else GOOD


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, CompileError) else str(error)
    return text.strip().partition("\n")[0]


def first_bad(last: int, judge: Callable[[int], Verdict]) -> tuple[int, int, Verdict]:
    """Bisection between 0, which is good, and `last`, which is bad.

    The largest number found to be good below the smallest found to be bad, that one, and what was said of it. They are neighbours unless
    the judge could not tell of all that lie between.
    """
    low, high, said = 0, last, judge(last)
    unknown: set[int] = set()
    while True:
        middle = (low + high) // 2
        between: list[int] = sorted((n for n in range(low + 1, high) if n not in unknown), key=lambda n: abs(n - middle))
        if not between:
            return low, high, said
        verdict = judge(between[0])
        if verdict.state == "unknown":
            unknown.add(between[0])
            if len(unknown) > 64:
                return low, high, said
        elif verdict.state == "bad":
            high, said = between[0], verdict
        else:
            low = between[0]


def take_flags(arguments: Sequence[str], known: Sequence[str]) -> tuple[dict[str, str | None], list[str]]:
    """The flags of a subcommand, `--name=value` or `--name value`, and the other arguments. In `known`, a name that ends in `=`
    needs a value, one that ends in `?` may have one, behind `=` only, and one that ends in `!` has none."""
    kinds = {name.rstrip("=?!"): name[-1] for name in known}
    found: dict[str, str | None] = {}
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, has_value, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or name not in kinds:
            rest.append(argument)
        elif has_value or kinds[name] in "?!":
            found[name] = value if has_value else None
        else:
            found[name] = next(waiting, None)
            if found[name] is None:
                raise CompileError(f"--{name} needs a value", location="mlopt")
    return found, rest
