"""Holds our passes against the CHECK lines that somebody else wrote for theirs.

    python test/oracle/checks.py FOLDER [--files Dialect/Arith/canonicalize.mlir,...] [--mlir-opt PROGRAM] [--filecheck PROGRAM]
                                 [--reference FILE] [--xdsl] [--failures] [--only FILE#CHUNK]

FOLDER is a checkout of MLIR's `mlir/test`; nothing of it is kept here. The RUN lines of a test file are applied to each of its chunks (the
pieces between `// -----` lines) alone. A chunk counts where MLIR's own `mlir-opt` passes it: `--mlir-opt` asks one (it is of another
version than the tests, so it does not pass all), and `--reference` keeps its answers, so that it is asked once. `--xdsl` lets `xdsl-opt`
take the same test with the passes it has. FileCheck is LLVM's where `--filecheck` (or the PATH) has one, otherwise the Python package.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

MARKER = re.compile(r"^[ \t]*// -----.*$", re.MULTILINE)
RUN = re.compile(r"^\s*//\s*RUN:(.*)$", re.MULTILINE)
SECONDS = 20
"""How long one command may take on one chunk."""

FILES = (
    *(
        f"Dialect/{dialect}/canonicalize.mlir"
        for dialect in ("Affine", "Arith", "ControlFlow", "Linalg", "MemRef", "SCF", "Tensor", "Vector")
    ),
    *(f"Transforms/{name}.mlir" for name in ("canonicalize", "cse", "loop-invariant-code-motion")),
    "Conversion/AffineToStandard/lower-affine.mlir",
    "Conversion/SCFToControlFlow/convert-to-cfg.mlir",
    "Dialect/Linalg/generalize-named-ops.mlir",
    "Dialect/Linalg/loops.mlir",
)


@dataclass(frozen=True)
class Check:
    """One RUN line on one chunk: what `mlir-opt` is given, and what FileCheck is."""

    path: str
    index: int
    run: int
    arguments: tuple[str, ...]
    filecheck: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        return f"{self.path}#{self.index}#{self.run}"


@dataclass(frozen=True)
class Tools:
    """The programs of others."""

    mlir_opt: str | None
    filecheck: str | None


# ---- the tests ------------------------------------------------------------------------------------------------------------------


def read_checks(folder: Path, files: Iterable[str]) -> Iterator[Check]:
    """Every RUN line `mlir-opt ... | FileCheck ...` of the files, for every chunk that has CHECK lines with its prefix."""
    for path in files:
        text = (folder / path).read_text(encoding="utf-8")
        lines = [_command(line) for line in _run_lines(text)]
        for index, chunk in enumerate(MARKER.split(text)):
            for run, line in enumerate(lines):
                if line is not None and _has_checks(chunk, line[1]):
                    yield Check(path, index, run, *line, RUN.sub("", chunk))


def _run_lines(text: str) -> list[str]:
    joined = "\n".join(line.strip() for line in RUN.findall(text))
    return [line for line in re.sub(r"\\\n", " ", joined).split("\n") if line]


def _command(line: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    stages = [shlex.split(stage) for stage in line.split("|")]
    if len(stages) != 2 or stages[0][0] != "mlir-opt" or stages[1][0] != "FileCheck" or ">" in line:
        return None
    arguments = [a for a in stages[0][1:] if a != "%s" and not re.match(r"--?(split-input-file|allow-unregistered-dialect)", a)]
    return ("--allow-unregistered-dialect", *arguments), tuple(
        a for a in stages[1][1:] if a != "%s" and not a.startswith("--dump-input") and not a.isdigit()
    )


def _has_checks(chunk: str, filecheck: Sequence[str]) -> bool:
    prefixes = [name for a in filecheck if (m := re.match(r"--?check-prefix(?:es)?=(.*)", a)) for name in m[1].split(",")] or ["CHECK"]
    return any(re.search(rf"{re.escape(p)}(?:-NEXT|-SAME|-DAG|-LABEL|-NOT|-EMPTY|-COUNT-\d+)?:", chunk) for p in prefixes)


# ---- one test -------------------------------------------------------------------------------------------------------------------


def judge(work: tuple[Check, str, Tools]) -> tuple[str, str]:
    """Key, and what is wrong ("" for nothing). `who` is ours, mlir or xdsl."""
    check, who, tools = work
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "chunk.mlir"
        source.write_text(check.text, encoding="utf-8")
        output, problem = {"ours": _ours, "mlir": _mlir, "xdsl": _xdsl}[who](check.arguments, source, tools)
        return check.key, problem or _filecheck(check.filecheck, source, output, tools)


class _Timeout(BaseException):
    pass


def _stop(_signal: int, _frame: object) -> None:
    raise _Timeout


def _ours(arguments: Sequence[str], source: Path, _tools: Tools) -> tuple[str, str]:
    from stepwell.tools.mlopt.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*arguments, "--mlir-print-upstream-names", str(source)])  # CHECK lines name values as mlir-opt does
    except _Timeout:
        return "", f"takes more than {SECONDS} s"
    finally:
        signal.alarm(0)
    return out.getvalue(), (err.getvalue() or "fails in silence") if status else ""


def _mlir(arguments: Sequence[str], source: Path, tools: Tools) -> tuple[str, str]:
    return _program([tools.mlir_opt or "mlir-opt", *arguments, str(source)])


def _xdsl(arguments: Sequence[str], source: Path, _tools: Tools) -> tuple[str, str]:
    """The last word of `-pass-pipeline=...` or of the flags as the name of one of xDSL's passes."""
    names = [re.sub(r".*\(|[{=].*|\)+$", "", a.split("=", 1)[1] if "pipeline" in a else a.lstrip("-")) for a in arguments[1:]]
    return _program([str(Path(sys.executable).parent / "xdsl-opt"), "--allow-unregistered-dialect", "-p", ",".join(names), str(source)])


def _program(command: Sequence[str]) -> tuple[str, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "", f"takes more than {SECONDS} s"
    return done.stdout, done.stderr[-2000:] or "fails in silence" if done.returncode else ""


def _filecheck(arguments: Sequence[str], source: Path, output: str, tools: Tools) -> str:
    program = [tools.filecheck] if tools.filecheck else [sys.executable, "-m", "filecheck"]
    done = subprocess.run([*program, *arguments, str(source)], input=output, capture_output=True, text=True, check=False)
    return f"FileCheck: {done.stderr[:3000]}\n---- output\n{output}" if done.returncode else ""


# ---- all of them ----------------------------------------------------------------------------------------------------------------


def run_all(checks: Sequence[Check], who: str, tools: Tools, workers: int) -> dict[str, str]:
    """What is wrong with each check, by key."""
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=100) as pool:
        return dict(pool.imap(judge, [(check, who, tools) for check in checks], chunksize=8))


def chunks_passed(checks: Iterable[Check], problems: dict[str, str]) -> set[str]:
    """The chunks, as `path#index`, of which no check has a problem."""
    counts: defaultdict[str, list[bool]] = defaultdict(list)
    for check in checks:
        counts[f"{check.path}#{check.index}"].append(not problems[check.key])
    return {name for name, passed in counts.items() if all(passed)}


def reference_of(checks: Sequence[Check], file: str | None, tools: Tools, workers: int) -> dict[str, str]:
    """What is wrong with MLIR's own answer to each check: remembered in `file`, or asked of `mlir-opt`."""
    known: dict[str, str] = json.loads(Path(file).read_text()) if file and Path(file).exists() else {}
    missing = [check for check in checks if check.key not in known]
    if missing:
        if not tools.mlir_opt:
            raise SystemExit("no mlir-opt to ask and no answers on file: give --mlir-opt or --reference")
        known |= run_all(missing, "mlir", tools, workers)
        if file:
            Path(file).write_text(json.dumps({key: problem[:300] for key, problem in known.items()}), encoding="utf-8")
    return known


def table(mlir: set[str], ours: set[str], xdsl: set[str] | None) -> str:
    """One row per file: the chunks that MLIR passes, and how many of them we and xDSL do."""
    count = [Counter(name.split("#")[0] for name in passed & mlir) for passed in (mlir, ours, xdsl or set())]
    lines = [f"{'':48}{'mlir-opt':>9}{'ours':>7}{'xdsl':>7}"]
    rows = [*((path, [c[path] for c in count]) for path in sorted(count[0])), ("all", [c.total() for c in count])]
    lines += [f"{path:48}{row[0]:9}{row[1]:7}{row[2] if xdsl is not None else '':>7}" for path, row in rows]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.environ.get("STEPWELL_CORPUS"), help="a checkout of mlir/test")
    parser.add_argument("--files", default=",".join(FILES), help="test files below it, by commas")
    parser.add_argument("--mlir-opt", default=shutil.which("mlir-opt"))
    parser.add_argument("--filecheck", default=shutil.which("FileCheck"))
    parser.add_argument("--reference", default=os.environ.get("STEPWELL_CORPUS_REFERENCE"), help="keeps mlir-opt's answers")
    parser.add_argument("--xdsl", action="store_true", help="let xDSL take the same test")
    parser.add_argument("--failures", action="store_true", help="list the chunks that fail, with the first line of why")
    parser.add_argument("--only", metavar="FILE#CHUNK", help="show everything about one chunk")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.folder is None or not Path(options.folder).exists():
        print(f"skipped: no corpus at {options.folder}")
        return 0
    tools = Tools(options.mlir_opt, options.filecheck)
    path, _, index = (options.only or "").partition("#")
    checks = list(read_checks(Path(options.folder), [path] if path else options.files.split(",")))
    if path:
        for check in checks:
            if check.index == int(index):
                print(" ".join(check.arguments), check.text, judge((check, "ours", tools))[1] or "passes", sep="\n")
        return 0
    mlir = chunks_passed(checks, reference_of(checks, options.reference, tools, options.workers))
    problems = run_all(checks, "ours", tools, options.workers)
    xdsl = chunks_passed(checks, run_all(checks, "xdsl", tools, options.workers)) if options.xdsl else None
    print(table(mlir, chunks_passed(checks, problems), xdsl))
    if options.failures:
        for key, problem in problems.items():
            if problem and key.rpartition("#")[0] in mlir:
                lines = [line for line in problem.splitlines() if "error" in line] or [problem]
                print(f"{key}: {lines[0][-170:]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
