"""Throws damaged IR at `mlopt`: whatever it reads, it answers with output or with a diagnostic, in bounded time and memory.

    python test/tools/mlopt/fuzz.py [FOLDER] [--count 100000] [--seed 0] [--first 0] [--only NUMBER]

In: a folder of `.mlir` files (the repository's own tests by default), whose pieces are the seeds. Each mutation changes bytes, tokens or
lines of a seed, cuts it, splices another into it, or plants something extreme: deep nesting, huge numbers, huge shapes. Worker processes
parse, verify, canonicalize and print. Out: every finding once (an internal error, more than 5 seconds of work, 400 MB more memory, a dead
worker), with the number of the mutation that showed it; `--only NUMBER` prints that input. Exit status 1 where there are findings.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import random
import re
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 5
GROWTH = 400 * 1024
"""Kilobytes that one input may add to the largest size of its worker."""
LONGEST_SEED = 3000

EXTREMES = (
    "99999999999999999999999999999999",
    "9" * 5000,
    "-9223372036854775808",
    "0x7FC00000",
    "1.0e999999",
    "tensor<99999999999x99999999999xf32>",
    "tensor<99999999999999999999999999xi1>",
    "dense<0> : tensor<99999999999x4xi32>",
    "dense<1.5> : tensor<4x0xf32>",
    "vector<1000000x1000000xf32>",
    "memref<?x?xf32, strided<[?, 9223372036854775807], offset: ?>>",
    "i99999999",
    "i16777215",
    "(" * 3000,
    "[" * 3000,
    "{" * 3000,
    "<" * 3000,
    "tensor<" * 500,
    "module {" * 400,
    "affine_map<(d0) -> (d0 mod 0)>",
    "affine_map<(d0) -> (((d0 * d0) floordiv -1))>",
    "dense<" + "[" * 2000,
    "loc(fused[" * 500,
    '"\\FF\\00"',
    "{-#",
    "\0",
    "\u2028",
)
TOKEN = re.compile(r"[\w.$-]+|\"[^\"\n]*\"|\s+|.", re.DOTALL)
FLAGS: tuple[tuple[str, ...], ...] = (
    ("--canonicalize", "--cse"),
    ("--allow-unregistered-dialect", "--canonicalize"),
    ("--mlir-print-op-generic",),
    ("--split-input-file", "--verify-diagnostics"),
    ("--allow-unregistered-dialect", "--cse", "--mlir-print-debuginfo"),
)


class Finding(NamedTuple):
    number: int
    what: str


def seeds_in(folder: Path) -> list[str]:
    """The pieces of all files, without the lines that are for lit."""
    found: list[str] = []
    for file in sorted(folder.rglob("*.mlir")):
        text = re.sub(r"^// (?:RUN|[A-Z-]+):.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [piece for piece in text.split("// -----\n") if 0 < len(piece.strip()) and len(piece) <= LONGEST_SEED]
    return found


def mutation(number: int, seed: int, seeds: Sequence[str]) -> tuple[bytes, tuple[str, ...]]:
    """The input of that number and the flags to read it with."""
    chance = random.Random(f"{seed}/{number}")
    text = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        text = _mutated(text, chance, seeds)
    data = text.encode("utf-8", errors="replace")
    if chance.random() < 0.15:
        data = _damaged(data, chance)
    return data, chance.choice(FLAGS)


def _mutated(text: str, chance: random.Random, seeds: Sequence[str]) -> str:
    match chance.randrange(8):
        case 0:  # a token becomes another of the same text
            tokens = TOKEN.findall(text)
            if tokens:
                tokens[chance.randrange(len(tokens))] = chance.choice(tokens)
            return "".join(tokens)
        case 1:  # a token becomes one of another text, or something extreme
            tokens = TOKEN.findall(text)
            other = TOKEN.findall(chance.choice(seeds))
            if tokens and other:
                tokens[chance.randrange(len(tokens))] = chance.choice(EXTREMES) if chance.random() < 0.3 else chance.choice(other)
            return "".join(tokens)
        case 2:  # tokens vanish
            tokens = TOKEN.findall(text)
            at = chance.randrange(len(tokens) + 1)
            return "".join(tokens[:at] + tokens[at + chance.randint(1, 4) :])
        case 3:  # two lines change places
            lines = text.split("\n")
            a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            return "\n".join(lines)
        case 4:  # a line comes twice, or goes
            lines = text.split("\n")
            at = chance.randrange(len(lines))
            return "\n".join(lines[:at] + [lines[at]] * chance.choice((0, 2, 3)) + lines[at + 1 :])
        case 5:  # it ends early
            return text[: chance.randrange(len(text) + 1)]
        case 6:  # lines of another text
            lines, other = text.split("\n"), chance.choice(seeds).split("\n")
            at = chance.randrange(len(lines) + 1)
            first = chance.randrange(len(other))
            return "\n".join(lines[:at] + other[first : first + chance.randint(1, 3)] + lines[at:])
        case _:  # something extreme in the middle
            at = chance.randrange(len(text) + 1)
            return text[:at] + chance.choice(EXTREMES) + text[at:]


def _damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


# ---- workers ------------------------------------------------------------------------------------------------------------------------


class TooLong(BaseException):
    """Raised in the worker by its alarm; no handler of ordinary exceptions may swallow it."""


def work(numbers: Connection, seed: int, seeds: Sequence[str]) -> None:
    """Answer each number with what is wrong with `mlopt` on that input, or with an empty text."""

    def ring(signum: int, frame: Any) -> None:
        raise TooLong

    signal.signal(signal.SIGPROF, ring)
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    answer(b"func.func private @warm_up()", FLAGS[0])
    while (number := numbers.recv()) is not None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of processor time: a busy machine is no finding
        try:
            problem = answer(*mutation(number, seed, seeds))
        except TooLong:
            problem = f"more than {SECONDS} seconds"
        except BaseException as error:
            problem = f"escaped: {type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        numbers.send(problem or (f"memory grew by {growth // 1024} MB" if growth > GROWTH else ""))


def answer(data: bytes, flags: Sequence[str]) -> str:
    """What is wrong with the answer of `mlopt`, or an empty text."""
    from stepwell.tools.mlopt.__main__ import main

    errors = io.StringIO()
    stdin = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(errors):
            status = main(["-", *flags])
    finally:
        sys.stdin = stdin
    said = errors.getvalue()
    internal = re.search(r"internal error.*", said)
    if internal or "Traceback" in said:
        return internal[0][:300] if internal else "a traceback"
    if status not in (0, 1):
        return f"exit status {status}"
    return "exit status 1 without a word" if status == 1 and not said else ""


class Worker:
    """A process that is replaced when it dies or does not answer."""

    def __init__(self, seed: int, seeds: Sequence[str]) -> None:
        self._seed, self._seeds = seed, seeds
        self._start()

    def _start(self) -> None:
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=work, args=(other, self._seed, self._seeds), daemon=True)
        self._process.start()
        other.close()

    def ask(self, number: int) -> str:
        """The answer for one mutation."""
        try:
            self._pipe.send(number)
            if self._pipe.poll(SECONDS * 12):
                return self._pipe.recv()
            problem = f"no answer in {SECONDS * 12} seconds"
        except (EOFError, OSError):
            problem = "the worker died"
        self._process.kill()
        self._process.join()
        self._start()
        return problem

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def fuzz(folder: Path, count: int, seed: int = 0, first: int = 0, report_every: int = 0) -> list[Finding]:
    """Run `count` mutations; each kind of problem is found once."""
    seeds = seeds_in(folder)
    worker = Worker(seed, seeds)
    findings: dict[str, Finding] = {}
    for number in range(first, first + count):
        problem = worker.ask(number)
        kind = re.sub(r"[0-9]+|'[^']*'|0x\w+", "N", problem)[:120]
        if problem and kind not in findings:
            findings[kind] = Finding(number, problem)
            if report_every:
                print(f"{number}: {problem}", flush=True)
        if report_every and number % report_every == report_every - 1:
            print(f"{number + 1 - first} mutations, {len(findings)} findings", flush=True)
    worker.stop()
    return list(findings.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parents[2], help="where the seeds are")
    parser.add_argument("--count", type=int, default=1000, help="how many mutations")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices")
    parser.add_argument("--only", type=int, help="print the input of this number, and the flags")
    options = parser.parse_args()
    if options.only is not None:
        data, flags = mutation(options.only, options.seed, seeds_in(options.folder))
        print(" ".join(flags), file=sys.stderr)
        sys.stdout.buffer.write(data)
        return 0
    findings = fuzz(options.folder, options.count, options.seed, options.first, report_every=1000)
    print(f"{options.count} mutations, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
