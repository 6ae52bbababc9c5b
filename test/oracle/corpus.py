"""Holds `mlopt`'s parser, verifier and printer against regression tests that somebody else wrote.

    python test/oracle/corpus.py FOLDER --verdicts FILE [--dirs Affine,Arith] [--xdsl] [--mlir] [--buckets 20] [--json OUT]

FOLDER is a checkout of MLIR's `mlir/test`; nothing of it is kept here. FILE says what a real MLIR makes of each chunk (a piece between
`// -----` lines), one JSON object per line: `{"p": path below FOLDER, "i": number of the chunk, "st": "ok" or why not, "err": whether the
chunk has an expected-error}`. Both may come from the environment: STEPWELL_CORPUS and STEPWELL_CORPUS_VERDICTS.

A chunk that MLIR accepts must parse, verify, print, and parse, verify and print to the same text again. A chunk that MLIR rejects,
and that expects an error, must be rejected; better with the expected text. `--xdsl` lets xDSL's own dialects, parser and verifier take
the same test, and `--mlir` shows what we print to a real MLIR that is installed (`stepwell.ir.via_mlir` says which it finds).
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import re
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

MARKER = re.compile(r"^[ \t]*// -----.*$", re.MULTILINE)
DIRS = ("Affine", "Arith", "Math", "SCF", "MemRef", "Tensor", "ControlFlow", "Func", "Vector", "Linalg", "Bufferization", "LLVMIR", "GPU")
SECONDS = 10
"""How long one chunk may take."""


@dataclass(frozen=True)
class Verdict:
    """What MLIR says of one chunk."""

    path: str
    index: int
    accepted: bool
    expects_error: bool


@dataclass(frozen=True)
class Outcome:
    """What a parser and verifier made of one chunk. `stage` is "ok", or where it ended: parse, verify, reparse, timeout."""

    path: str
    index: int
    accepted: bool
    expects_error: bool
    stage: str
    message: str
    met: bool
    """Whether a message is one that the chunk expects."""
    seconds: float
    refused: str | None = None
    """Why a real MLIR refuses what we print, "" where it does not, None where it was not asked."""


class _Timeout(BaseException):
    pass


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Timeout


# ---- one chunk ------------------------------------------------------------------------------------------------------------------


def round_trip(text: str) -> tuple[str, list[str], str]:
    """Stage and messages of our own parser, verifier and printer, and what was printed."""
    from stepwell.ir.diagnostics import CompileError
    from stepwell.ir.registry import make_context
    from stepwell.ir.text.parsing import parse_module
    from stepwell.ir.text.printing import print_ir
    from stepwell.ir.verify import verify, verify_all

    stage, printed = "parse", ""
    try:
        context = make_context(allow_unregistered=True)
        module = parse_module(text, context)
        stage = "verify"
        if errors := verify_all(module):
            return stage, [error.message for error in errors], ""
        stage = "reparse"
        printed = print_ir(module, None, context.loaded_dialects)
        context = make_context(allow_unregistered=True)
        again = parse_module(printed, context)
        verify(again)
        if print_ir(again, None, context.loaded_dialects) != printed:
            return stage, ["prints differently the second time"], printed
    except CompileError as error:
        line = _line_of(printed, error.location) if stage == "reparse" else ""
        return stage, [error.message + line], printed
    except Exception as error:
        return stage, [f"{type(error).__name__}: {error}"], printed
    return "ok", [], printed


def round_trip_xdsl(text: str) -> tuple[str, list[str], str]:
    """The same with what xDSL ships."""
    from io import StringIO

    from xdsl.context import Context
    from xdsl.dialects import get_all_dialects
    from xdsl.parser import Parser
    from xdsl.printer import Printer

    def context() -> Context:
        made = Context(allow_unregistered=True)
        for name, factory in get_all_dialects().items():
            made.register_dialect(name, factory)
        made.load_registered_dialect("builtin")
        return made

    stage = "parse"
    try:
        module = Parser(context(), text).parse_module(True)
        stage = "verify"
        module.verify()
        stage = "reparse"
        stream = StringIO()
        Printer(stream).print_op(module)
        Parser(context(), stream.getvalue()).parse_module(True).verify()
    except Exception as error:
        return stage, [f"{type(error).__name__}: {' '.join(str(error).split())[-200:]}"], ""
    return "ok", [], ""


def refusal(text: str) -> str | None:
    """What a real MLIR has against a text; "" for nothing, None where none is installed."""
    from stepwell.ir.diagnostics import CompileError
    from stepwell.ir.via_mlir import real_mlir

    try:
        real_mlir().run(text, None)
    except CompileError as error:
        return None if error.message.startswith("no real MLIR") else str(error)
    return ""


def _line_of(text: str, location: str | None) -> str:
    match = re.search(r":(\d+):\d+$", location or "")
    lines = text.split("\n")
    return f"  [{lines[int(match[1]) - 1].strip()}]" if match and int(match[1]) <= len(lines) else ""


def _judge(work: tuple[Verdict, str, bool, bool]) -> Outcome:
    from time import perf_counter

    from stepwell.ir.diagnostics import CompileError
    from stepwell.tools.mlopt.expected import expectations

    verdict, text, xdsl, mlir = work
    began = perf_counter()
    judge: Callable[[str], tuple[str, list[str], str]] = round_trip_xdsl if xdsl else round_trip
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    printed = ""
    try:
        stage, messages, printed = judge(text)
    except _Timeout:
        stage, messages = "timeout", [f"takes more than {SECONDS} s"]
    except RecursionError:
        stage, messages = "parse", ["RecursionError"]
    finally:
        signal.alarm(0)
    met = False
    if verdict.expects_error and stage != "ok":
        try:
            expected = [e.pattern for e in expectations(text, verdict.path) if e.kind == "error"]
            met = any(pattern.search(message) for pattern in expected for message in messages)
        except CompileError:
            met = False
    refused = refusal(printed) if mlir and verdict.accepted and stage == "ok" else None
    seconds = round(perf_counter() - began, 3)
    message = messages[0] if messages else ""
    return Outcome(verdict.path, verdict.index, verdict.accepted, verdict.expects_error, stage, message, met, seconds, refused)


# ---- the corpus -----------------------------------------------------------------------------------------------------------------


def read_verdicts(file: Path, dirs: Iterable[str]) -> Iterator[Verdict]:
    """The verdicts on the dialects' own folders."""
    wanted = tuple(f"Dialect/{name}/" for name in dirs)
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["p"].startswith(wanted):
                yield Verdict(entry["p"], entry["i"], entry["st"] == "ok", entry["err"])


def chunks(folder: Path, verdicts: Iterable[Verdict]) -> Iterator[tuple[Verdict, str]]:
    """Each verdict with the text that it is about."""
    current, parts = "", [""]
    for verdict in verdicts:
        if verdict.path != current:
            current = verdict.path
            file = folder / current
            parts = MARKER.split(file.read_text(encoding="utf-8", errors="replace")) if file.exists() else []
        if verdict.index < len(parts):
            yield verdict, parts[verdict.index]


def judge_all(folder: Path, verdicts: Iterable[Verdict], *, xdsl: bool = False, mlir: bool = False, workers: int = 2) -> list[Outcome]:
    """The outcome of every chunk, from worker processes that are renewed now and then."""
    work = [(verdict, text, xdsl, mlir) for verdict, text in chunks(folder, verdicts)]
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=40) as pool:
        return list(pool.imap(_judge, work, chunksize=32))


# ---- what is said ---------------------------------------------------------------------------------------------------------------


def table(ours: list[Outcome], theirs: list[Outcome] | None) -> str:
    """One row per folder: of the valid chunks, how many go through; of the invalid ones, how many are rejected."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for who, outcomes in (("", ours), ("xdsl ", theirs or [])):
        for o in outcomes:
            for row in (rows[o.path.split("/")[1]], rows["all"]):
                row[f"{who}chunks"] += 1
                if o.accepted:
                    row[f"{who}valid"] += 1
                    row[f"{who}parsed"] += o.stage not in ("parse", "timeout")
                    row[f"{who}ok"] += o.stage == "ok"
                elif o.expects_error:
                    row[f"{who}invalid"] += 1
                    row[f"{who}rejected"] += o.stage != "ok"
                    row[f"{who}met"] += o.met
    rows["all"] = rows.pop("all")
    columns = (("chunks", 7), ("valid", 7), ("parses", 8), ("through", 8), ("%", 7), ("xdsl", 7), ("%", 7))
    columns = (*columns, ("invalid", 11), ("rejected", 9), ("text", 6), ("xdsl", 6))
    lines = [" " * 14 + "".join(title.rjust(width) for title, width in columns)]
    for name, row in rows.items():
        cells: list[object] = [row["chunks"], row["valid"], row["parsed"], row["ok"], _percent(row["ok"], row["valid"])]
        cells += [row["xdsl ok"], _percent(row["xdsl ok"], row["valid"])] if theirs else ["", ""]
        cells += [row["invalid"], row["rejected"], row["met"], row["xdsl rejected"] if theirs else ""]
        lines.append(name.ljust(14) + "".join(str(cell).rjust(width) for cell, (_, width) in zip(cells, columns, strict=True)))
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def buckets(outcomes: list[Outcome], count: int) -> str:
    """The most frequent first errors on valid chunks, each with a place to look at; then invalid chunks that we accept, by file."""
    errors: defaultdict[str, list[Outcome]] = defaultdict(list)
    for o in outcomes:
        if o.accepted and o.stage != "ok":
            errors[f"{o.stage}: {re.sub(r'[0-9]+', 'N', o.message)[:150]}"].append(o)
    lines = ["", "valid chunks that fail:"]
    for key, members in sorted(errors.items(), key=lambda item: -len(item[1]))[:count]:
        lines.append(f"{len(members):5} {key}  ({members[0].path}#{members[0].index})")
    missed = Counter(o.path for o in outcomes if not o.accepted and o.expects_error and o.stage == "ok")
    lines += ["", "invalid chunks that are accepted:", *(f"{number:5} {path}" for path, number in missed.most_common(count))]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.environ.get("STEPWELL_CORPUS"), help="a checkout of mlir/test")
    parser.add_argument("--verdicts", default=os.environ.get("STEPWELL_CORPUS_VERDICTS"), help="JSON lines, may be gzipped")
    parser.add_argument("--dirs", default=",".join(DIRS), help="folders below Dialect, by commas")
    parser.add_argument("--xdsl", action="store_true", help="let xDSL take the same test")
    parser.add_argument("--mlir", action="store_true", help="show what we print to a real MLIR")
    parser.add_argument("--buckets", type=int, default=0, metavar="N", help="print the N most frequent errors")
    parser.add_argument("--json", metavar="OUT", help="write every outcome, one JSON object per line")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for what, path in (("corpus", options.folder), ("verdicts", options.verdicts)):
        if path is None or not Path(path).exists():
            print(f"skipped: no {what} at {path}")
            return 0
    folder = Path(options.folder)
    verdicts = list(read_verdicts(Path(options.verdicts), options.dirs.split(",")))
    ours = judge_all(folder, verdicts, mlir=options.mlir, workers=options.workers)
    theirs = judge_all(folder, verdicts, xdsl=True, workers=options.workers) if options.xdsl else None
    print(table(ours, theirs))
    if options.mlir:
        asked = [o for o in ours if o.refused is not None]
        refused = [o for o in asked if o.refused]
        print(f"\nof {len(asked)} chunks that we print, a real MLIR accepts {len(asked) - len(refused)}")
        for o in refused[: options.buckets or 10]:
            print(f"      {o.path}#{o.index}: {o.refused}")
    if options.buckets:
        print(buckets(ours, options.buckets))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(asdict(o)) + "\n" for o in ours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
