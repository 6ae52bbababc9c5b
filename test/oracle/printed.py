"""Holds what `mlopt` prints against what `mlir-opt` prints, byte by byte.

    python test/oracle/printed.py FOLDER --verdicts FILE --mlir-opt PROGRAM [--files 200] [--reference FILE] [--form generic,pretty]
                                  [--differences 20] [--only PATH#CHUNK]

FOLDER is a checkout of MLIR's `mlir/test`; nothing of it is kept here. FILE says which chunks a real MLIR accepts (see corpus.py). Files
are taken evenly from the dialects' own folders. Of each, all chunks that FILE accepts and that PROGRAM, which may be another version,
prints, are printed by us with `--mlir-print-upstream-names`, in the generic form and in the pretty one. A chunk is equal where every
byte is, but for newlines at the end; a file where all its chunks are. `--reference` keeps PROGRAM's answers, so that it is asked once.
"""

from __future__ import annotations

import argparse
import difflib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parent))
from corpus import DIRS, Verdict, chunks, read_verdicts

FORMS = {"generic": ("--mlir-print-op-generic",), "pretty": ()}
SECONDS = 10

Work = tuple[str, str, str, str]
"""Where the chunk is, the form, its text, and what mlir-opt prints of it."""


class _Timeout(BaseException):
    pass


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Timeout


def print_ours(text: str, form: str) -> str:
    """The chunk as we print it, or what was wrong with it behind `error: `."""
    from stepwell.ir.diagnostics import CompileError
    from stepwell.ir.registry import make_context
    from stepwell.ir.text.parsing import parse_module
    from stepwell.ir.text.printer import PrintOptions
    from stepwell.ir.text.printing import print_ir
    from stepwell.ir.verify import verify

    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        context = make_context(allow_unregistered=True)
        module = parse_module(text, context)
        verify(module)
        return print_ir(module, PrintOptions(generic=form == "generic", upstream_names=True), context.loaded_dialects)
    except CompileError as error:
        return f"error: {error.message}"
    except Exception as error:
        return f"error: {type(error).__name__}: {error}"
    except _Timeout:
        return f"error: takes more than {SECONDS} s"
    finally:
        signal.alarm(0)


def _judge(work: Work) -> tuple[Work, str]:
    return work, print_ours(work[2], work[1])


def ask(program: str, text: str, form: str) -> str | None:
    """What mlir-opt prints; None where it refuses the chunk. Comments are taken out: some of them it takes for expectations."""
    bare = re.sub(r"(?m)^\s*//.*$", "", text)
    command = [program, "--allow-unregistered-dialect", *FORMS[form]]
    try:
        found = subprocess.run(command, input=bare, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return None
    return found.stdout if found.returncode == 0 else None


def sample(folder: Path, verdicts: Path, count: int) -> list[tuple[Verdict, str]]:
    """The chunks that MLIR accepts of `count` files, taken evenly."""
    accepted = [v for v in read_verdicts(verdicts, DIRS) if v.accepted]
    files = sorted({v.path for v in accepted})
    step = max(1, len(files) // count)
    chosen = set(files[::step][:count])
    return list(chunks(folder, (v for v in accepted if v.path in chosen)))


def references(program: str, pieces: list[tuple[Verdict, str]], forms: list[str], kept: Path | None) -> dict[str, str | None]:
    """What mlir-opt prints of each chunk in each form, from `kept` where that is there."""
    known: dict[str, str | None] = json.loads(kept.read_text(encoding="utf-8")) if kept is not None and kept.exists() else {}
    wanted = [(f"{form} {v.path}#{v.index}", text, form) for v, text in pieces for form in forms]
    missing = [one for one in wanted if one[0] not in known]
    with ThreadPoolExecutor(2) as pool:
        answers = [(key, pool.submit(ask, program, text, form)) for key, text, form in missing]
        known |= {key: answer.result() for key, answer in answers}
    if kept is not None and missing:
        kept.write_text(json.dumps(known), encoding="utf-8")
    return known


def first_difference(ours: str, theirs: str) -> tuple[str, str]:
    """The first line that differs, as each of the two has it."""
    if ours.startswith("error: "):
        return ours.split("\n")[0], ""
    pairs = zip([*ours.split("\n"), ""], [*theirs.split("\n"), ""], strict=False)
    return next(((a, b) for a, b in pairs if a != b), ("", ""))


def kind_of(ours: str, theirs: str) -> str:
    """What differs in a line, without its names and numbers."""
    if ours.startswith("error: "):
        return re.sub(r"[0-9]+", "N", ours)[:120]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    changed = next(((a, b, c, d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"), (0, 0, 0, 0))
    op = re.search(r"([a-z_]+\.[a-z_0-9.]+)", theirs)
    shown = f"{ours[changed[0] : changed[1]]!r} for {theirs[changed[2] : changed[3]]!r} in {op[1] if op else '-'}"
    return re.sub(r"[0-9]+", "N", shown)[:120]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.environ.get("STEPWELL_CORPUS"), help="a checkout of mlir/test")
    parser.add_argument("--verdicts", default=os.environ.get("STEPWELL_CORPUS_VERDICTS"), help="JSON lines, may be gzipped")
    parser.add_argument("--mlir-opt", required=True, help="the mlir-opt to compare with")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--reference", type=Path, help="where the answers of mlir-opt are kept")
    parser.add_argument("--form", default="generic,pretty")
    parser.add_argument("--differences", type=int, default=0, metavar="N", help="print the N most frequent differences")
    parser.add_argument("--only", metavar="PATH#CHUNK", help="show how this chunk differs")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for what, path in (("corpus", options.folder), ("verdicts", options.verdicts), ("mlir-opt", options.mlir_opt)):
        if path is None or not Path(path).exists():
            print(f"skipped: no {what} at {path}")
            return 0
    forms: list[str] = options.form.split(",")
    pieces = sample(Path(options.folder), Path(options.verdicts), options.files)
    if options.only:
        pieces = [(v, text) for v, text in pieces if f"{v.path}#{v.index}".endswith(options.only)]
    known = references(options.mlir_opt, pieces, forms, options.reference)
    work: list[Work] = []
    for form in forms:
        for v, text in pieces:
            theirs = known[f"{form} {v.path}#{v.index}"]
            work += [(f"{v.path}#{v.index}", form, text, theirs)] if theirs is not None else []
    with multiprocessing.get_context("spawn").Pool(options.workers, maxtasksperchild=400) as pool:
        outcomes = list(pool.imap(_judge, work, chunksize=16))
    for form in forms:
        equal: dict[str, bool] = {}
        chunk_count = chunk_equal = 0
        differences: dict[str, list[str]] = {}
        for (where, its_form, _, theirs), ours in outcomes:
            if its_form != form:
                continue
            same = ours.rstrip("\n") == theirs.rstrip("\n")
            file = where.partition("#")[0]
            equal[file] = equal.get(file, True) and same
            chunk_count, chunk_equal = chunk_count + 1, chunk_equal + same
            if not same:
                differences.setdefault(kind_of(*first_difference(ours, theirs)), []).append(where)
                if options.only:
                    sys.stdout.writelines(difflib.unified_diff(theirs.splitlines(True), ours.splitlines(True), "mlir-opt", "mlopt", n=1))
        files = Counter(equal.values())
        print(f"{form:8} files equal {files[True]:4} of {len(equal):4}   chunks equal {chunk_equal:5} of {chunk_count:5}")
        for kind, members in sorted(differences.items(), key=lambda item: -len(item[1]))[: options.differences]:
            print(f"   {len(members):5} {kind}  ({members[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
