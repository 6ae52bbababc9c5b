"""Runs the `// RUN:` lines of a test file inside this process, where a shell would start two processes for each.

Understood: `%s` (the file), `%S` (its folder), `%t` (a scratch file), pipes, `not`, redirections, and the commands in `COMMANDS`. A line
with anything else is given to bash, so that every line means what it means in a shell.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
RUN = re.compile(r"^\s*(?://|#|;)\s*RUN:(.*)$", re.MULTILINE)


def run_lines(file: Path) -> list[str]:
    """The RUN lines of a file, those that end in a backslash joined with the next."""
    text = "\n".join(line.strip() for line in RUN.findall(file.read_text(encoding="utf-8")))
    return [line for line in re.sub(r"\\\n", " ", text).split("\n") if line]


def run_file(file: Path) -> str | None:
    """Run a test file. None if it passes, otherwise what to tell."""
    lines = run_lines(file)
    if not lines:
        return f"{file} has no RUN: line"
    with tempfile.TemporaryDirectory() as scratch:
        for line in lines:
            command = substitute(line, file, Path(scratch))
            outcome = run_line(command)
            if outcome.status != 0:
                return f"RUN: {command}\nexit status {outcome.status}\n{outcome.output}{outcome.errors}"
    return None


def substitute(line: str, file: Path, scratch: Path) -> str:
    """The line with file names for `%s`, `%S` and `%t`."""
    names = {"%s": str(file), "%S": str(file.parent), "%t": str(scratch / (file.name + ".tmp"))}
    return re.sub(r"%[sSt]\b", lambda match: shlex.quote(names[match[0]]), line)


# ---- one line -----------------------------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    status: int
    output: str
    errors: str


@dataclass
class Stage:
    """One command of a pipeline. `streams` says where 1 and 2 go: a file, or "pipe" to the next command, or "errors" to the user."""

    words: list[str] = field(default_factory=list)
    reads: str | None = None
    streams: dict[str, str] = field(default_factory=lambda: {"1": "pipe", "2": "errors"})


class NeedsShell(Exception):
    """The line holds more than this module understands."""


def run_line(command: str) -> Outcome:
    """Run one command line. Its status is that of the first command of the pipeline that fails, as with `set -o pipefail`."""
    try:
        stages = parse_line(command)
    except NeedsShell:
        return run_in_shell(command)
    text, status, errors = "", 0, ""
    for stage in stages:
        outcome = run_stage(stage, text)
        status, errors, text = status or outcome.status, errors + outcome.errors, outcome.output
    return Outcome(status, text, errors)


def parse_line(command: str) -> list[Stage]:
    """The commands of a pipeline. Raises NeedsShell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>&;")
    lexer.whitespace_split = True
    lexer.commenters = ""
    stages = [Stage()]
    tokens = iter(lexer)
    for token in tokens:
        stage = stages[-1]
        match token:
            case "|":
                stages.append(Stage())
            case "<":
                stage.reads = next(tokens)
            case ">":
                stage.streams[_stream(stage.words)] = next(tokens)
            case ">&":
                stage.streams[_stream(stage.words)] = stage.streams[next(tokens)]
            case _ if set(token) <= set("|<>&;"):
                raise NeedsShell
            case _:
                stage.words.append(token)
    if any(command_name(stage) not in COMMANDS for stage in stages) or any(mark in command for mark in ("$", "`")):
        raise NeedsShell
    return stages


def _stream(words: list[str]) -> str:
    """Which stream a redirection is about: the digit before it, or 1."""
    return words.pop() if words and words[-1] in ("1", "2") else "1"


def command_name(stage: Stage) -> str:
    words = [word for word in stage.words if word != "not"]
    return words[0] if words else ""


def run_stage(stage: Stage, text: str) -> Outcome:
    is_negated = stage.words[0] == "not"
    name, *arguments = stage.words[1:] if is_negated else stage.words
    if stage.reads is not None:
        text = Path(stage.reads).read_text(encoding="utf-8")
    targets = {target: io.StringIO() for target in ("pipe", "errors", *stage.streams.values())}
    stdin = sys.stdin
    sys.stdin = io.StringIO(text)
    try:
        with redirect_stdout(targets[stage.streams["1"]]), redirect_stderr(targets[stage.streams["2"]]):
            status = COMMANDS[name](arguments)
    except SystemExit as leave:
        status = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    finally:
        sys.stdin = stdin
    if is_negated:
        status = int(status == 0)
    pipe, errors = targets.pop("pipe"), targets.pop("errors")
    for name, written in targets.items():
        Path(name).write_text(written.getvalue(), encoding="utf-8")
    return Outcome(status, pipe.getvalue(), errors.getvalue())


def run_in_shell(command: str) -> Outcome:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False, env=shell_environment())
    return Outcome(done.returncode, done.stdout, done.stderr)


def shell_environment() -> dict[str, str]:
    """The environment in which `mlopt`, `filecheck` and `not` are found."""
    folders = [str(HERE / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {**os.environ, "PATH": os.pathsep.join(folders)}


# ---- the commands -------------------------------------------------------------------------------------------------------------------


def mlopt(arguments: Sequence[str]) -> int:
    from stepwell.tools.mlopt.__main__ import main

    return main(list(arguments))


def filecheck(arguments: Sequence[str]) -> int:
    from filecheck.matcher import Matcher
    from filecheck.options import parse_argv_options

    return Matcher.from_opts(parse_argv_options(["filecheck", *arguments])).run()


def stepwell(arguments: Sequence[str]) -> int:
    from stepwell.tools.stepwell.__main__ import main

    return main(list(arguments))


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"mlopt": mlopt, "filecheck": filecheck, "stepwell": stepwell}
