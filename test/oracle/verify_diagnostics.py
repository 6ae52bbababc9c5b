"""Upstream's own tests of diagnostics: runs each `RUN: mlir-opt ... --verify-diagnostics` line of a folder of tests by our `mlopt`.

    python test/oracle/verify_diagnostics.py llvm-project/mlir/test --dirs Dialect/Arith Dialect/Tensor [--mlir-opt PATH] [--show]

In: MLIR's test folder, which is read where it lies. Out: how many lines exit with 0, which they do only if every diagnostic was expected
and every expectation met; the same for their chunks (pieces between `// -----`); with --mlir-opt, what a real tool makes of them. Lines
with pipes or other tools are left out. Exit status 77 where there is no such folder.
"""

from __future__ import annotations

import argparse
import io
import itertools
import multiprocessing
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

RUN = re.compile(r"^\s*//\s*RUN:(.*)$", re.MULTILINE)
SECONDS = 60


class Line(NamedTuple):
    file: Path
    arguments: list[str]


def lines_of(file: Path) -> Iterator[Line]:
    """The RUN lines that are one call of `mlir-opt --verify-diagnostics` on the file itself."""
    text = re.sub(r"\\\n\s*", " ", "\n".join(RUN.findall(file.read_text(encoding="utf-8", errors="replace"))))
    for line in text.split("\n"):
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        simple = not any(mark in line for mark in ("|", ">", "<", "&", ";", "%t", "%S", "%{"))
        if simple and words[:1] == ["mlir-opt"] and "verify-diagnostics" in line and "%s" in words:
            yield Line(file, [str(file) if word == "%s" else word for word in words[1:]])


def run_ours(line: Line) -> tuple[bool, str]:
    """Whether our `mlopt` exits with 0, and what it complains of."""
    from stepwell.tools.mlopt.__main__ import main

    errors = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(errors):
        status = main(line.arguments)
    return status == 0, errors.getvalue()


def run_theirs(tool: str, line: Line) -> tuple[bool, str]:
    """The same of a real tool."""
    try:
        done = subprocess.run([tool, *line.arguments], capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False, ""
    return done.returncode == 0, done.stderr.decode(errors="replace")


def chunks_of(file: Path) -> list[tuple[int, int]]:
    """The first and last line of each piece between `// -----` lines."""
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    marks = [0, *(number for number, line in enumerate(lines, 1) if line.strip() == "// -----"), len(lines) + 1]
    return [(first + 1, last - 1) for first, last in itertools.pairwise(marks)]


def clean_chunks(file: Path, passes: bool, complaints: str) -> set[tuple[int, int]]:
    """The chunks of a file that nobody complains about. Where nothing was run at all, none."""
    chunks = set(chunks_of(file))
    lines = {int(number) for number in re.findall(rf"^{re.escape(str(file))}:(\d+):\d+: error:", complaints, re.MULTILINE)}
    if not passes and not lines:
        return set()
    return {chunk for chunk in chunks if not any(chunk[0] <= number <= chunk[1] for number in lines)}


def print_row(name: str, row: list[int]) -> None:
    print(f"{name:<30}{row[0]:>10}{row[1]:>7}{row[2]:>8}{row[3]:>7}{row[4]:>9}{row[5]:>7}{row[6]:>8}{row[7]:>7}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dirs", nargs="*", default=["."], help="folders inside, e.g. Dialect/Arith")
    parser.add_argument("--mlir-opt", help="a real mlir-opt to compare with")
    parser.add_argument("--show", action="store_true", help="print the first complaints about each line that fails")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"skipped: no tests at {options.folder}")
        return 77
    print(f"{'':<30}{'RUN lines':>10}{'ours':>7}{'theirs':>8}{'both':>7}{'chunks':>9}{'ours':>7}{'theirs':>8}{'both':>7}")
    total = [0] * 8
    with multiprocessing.Pool(1, maxtasksperchild=50) as pool:
        for name in options.dirs:
            folder = options.folder / name
            lines = [line for file in sorted(folder.rglob("*.mlir")) for line in lines_of(file)]
            row = [len(lines), *([0] * 7)]
            for line in lines:
                try:
                    passes, complaints = pool.apply_async(run_ours, (line,)).get(SECONDS)
                except multiprocessing.TimeoutError:
                    pool.terminate()
                    pool = multiprocessing.Pool(1, maxtasksperchild=50)
                    passes, complaints = False, "timeout"
                theirs, said = run_theirs(options.mlir_opt, line) if options.mlir_opt else (True, "")
                ours_clean, theirs_clean = clean_chunks(line.file, passes, complaints), clean_chunks(line.file, theirs, said)
                found = [passes, theirs, passes and theirs, len(chunks_of(line.file)), len(ours_clean), len(theirs_clean)]
                row = [sum(pair) for pair in zip(row, [0, *found, len(ours_clean & theirs_clean)], strict=True)]
                if options.show and not passes:
                    print(f"-- {line.file.relative_to(options.folder)}", *complaints.splitlines()[:4], sep="\n   ")
            total = [sum(pair) for pair in zip(total, row, strict=True)]
            print_row(name, row)
    print_row("all", total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
