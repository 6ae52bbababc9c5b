"""How fast `mlopt` is, beside `xdsl-opt`: start-up, parsing, rewriting, printing. Everything is measured in turns, in one run.

    python bench/mlopt.py [--ops 20000] [--rounds 5]

Start-up is the wall time of a process that reads a small file and runs one pass; with a server, of a client of `mlopt --server`. Parsing
is measured in operations per second, and so are verification, canonicalization and printing, inside of one process, on the same text:
functions that all differ, with arithmetic, loops, branches, loads and stores, vectors and tensors. Each figure is the best of its rounds,
with the median behind it. Ratios are ours to xdsl-opt's, of the best: below 1 is better for start-up, above 1 for the others. Modules are
compiled to bytecode before anything is measured, as they are where a package is installed.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time, sleep

SMALL = """func.func @f(%x: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %0 = arith.addi %x, %zero : i32
  return %0 : i32
}
"""


class Writer:
    """Writes functions that differ: names, types, constants, shapes and what is computed are drawn anew for each, with a fixed seed.

    Of what is drawn there is something to fold, something dead and something that stays, in loops and branches too.
    """

    def __init__(self) -> None:
        self._random = Random(7)
        self._lines: list[str] = []
        self._indent = "  "
        self._count = 0
        self.ops = 0

    def function(self, number: int) -> str:
        """The text of one function."""
        pick = self._random.choice
        self._lines, self._count, self._indent = [], 0, "  "
        integer, real = pick(("i32", "i64", "i16", "index")), pick(("f32", "f64"))
        rows, columns = self._random.randrange(2, 99), self._random.randrange(2, 99)
        memref, tensor, vector = f"memref<{rows}x?x{real}>", f"tensor<{rows}x{columns}x{real}>", f"vector<{pick((4, 8, 16))}x{real}>"
        x, m, t, low, high, v = (self._name(stem) for stem in ("x", "m", "t", "low", "high", "v"))
        integers, reals = [x], [self._op(f"arith.constant {self._random.randrange(1, 999)}.5 : {real}")]
        self._arithmetic(integers, integer)
        step = self._op(f"arith.constant {self._random.randrange(1, 9)} : index")
        i = self._name("i")
        self._open(f"scf.for {i} = {low} to {high} step {step} {{")
        for _ in range(self._random.randrange(1, 4)):
            reals.append(self._op(f"memref.load {m}[{pick((low, i))}, {pick((i, high))}] : {memref}"))
            reals.append(self._op(f"arith.{pick(('addf', 'mulf', 'subf', 'maximumf'))} {pick(reals)}, {pick(reals)} : {real}"))
        self._line(f"memref.store {reals[-1]}, {m}[{low}, {i}] : {memref}")
        self._close("}")
        self._arithmetic(integers, integer)
        del reals[1:]
        wide = self._op(f"vector.broadcast {reals[0]} : {real} to {vector}")
        self._op(f"arith.{pick(('addf', 'mulf'))} {wide}, {v} : {vector}")
        reals.append(self._op(f"tensor.extract {t}[{low}, {pick((low, high))}] : {tensor}"))
        condition = self._op(f"arith.cmpi {pick(('slt', 'ult', 'eq'))}, {low}, {pick((low, high))} : index")
        integers.append(self._op(f"arith.select {condition}, {pick(integers)}, {pick(integers)} : {integer}"))
        self._open(f"scf.if {condition} {{")
        self._line(f"memref.store {pick(reals)}, {m}[{high}, {low}] : {memref}")
        self._close("}")
        self._line(f"func.return {integers[-1]} : {integer}")
        parameters = f"{x}: {integer}, {m}: {memref}, {t}: {tensor}, {low}: index, {high}: index, {v}: {vector}"
        self.ops += 1
        return "\n".join((f"func.func @{pick(WORDS)}_{number}({parameters}) -> {integer} {{", *self._lines, "}\n"))

    def _arithmetic(self, integers: list[str], type: str) -> None:
        pick = self._random.choice
        for value in (0, 1, self._random.randrange(2, 30000)):
            integers.append(self._op(f"arith.constant {value} : {type}"))
        for _ in range(self._random.randrange(2, 8)):
            integers.append(
                self._op(f"arith.{pick(('addi', 'muli', 'subi', 'andi', 'xori', 'maxsi'))} {pick(integers)}, {pick(integers)} : {type}")
            )

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"%{stem}{self._count if self._random.random() < 0.5 else '_' + self._random.choice(WORDS) + str(self._count)}"

    def _op(self, text: str) -> str:
        name = self._name(self._random.choice(WORDS)) if self._random.random() < 0.5 else f"%{self._number()}"
        self._line(f"{name} = {text}")
        return name

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _line(self, text: str) -> None:
        self._lines.append(self._indent + text)
        self.ops += 1

    def _open(self, text: str) -> None:
        self._line(text)
        self._indent += "  "

    def _close(self, text: str) -> None:
        self._indent = self._indent[2:]
        self._lines.append(self._indent + text)
        self.ops += 1  # what ends a loop or a branch is not written


WORDS = ("sum", "row", "column", "weight", "bias", "scale", "offset", "value", "left", "right", "size", "mask", "total", "next")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=int, default=20000, help="operations in the text that is parsed and rewritten")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    writer = Writer()
    functions: list[str] = []
    while writer.ops < options.ops:
        functions.append(writer.function(len(functions)))
    print(f"{'best (median)':<34}{'mlopt':>20}{'xdsl-opt':>20}{'ratio':>9}")
    start_up(options.rounds * 2)
    steps("".join(functions), writer.ops, options.rounds)


def start_up(rounds: int) -> None:
    """Wall time of processes on a small file."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "small.mlir")
        file.write_text(SMALL)
        tools = Path(sys.executable).parent
        environment = {**os.environ, "STEPWELL_SERVER_DIR": str(Path(scratch, "server"))}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        ours: list[str | Path] = [tools / "mlopt", file, "--canonicalize"]
        theirs: list[str | Path] = [tools / "xdsl-opt", file, "-p", "canonicalize"]
        client: list[str | Path] = [tools / "mlopt", file, "--use-server", "--canonicalize"]
        commands = {"ours": ours, "theirs": theirs, "client": client, "python": [sys.executable, "-c", "pass"]}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for name, command in commands.items():
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
        wait_for_server(Path(environment["STEPWELL_SERVER_DIR"]))
        for _ in range(rounds):
            for name, command in commands.items():
                began = perf_counter()
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
                times[name].append(perf_counter() - began)
        subprocess.run([tools / "mlopt", "--server", "--stop"], check=True, env=environment)
    row("start-up, one pass (ms)", times["ours"], times["theirs"])
    row("start-up through the server (ms)", times["client"], times["theirs"])
    row("Python alone (ms)", times["python"], times["theirs"])


def wait_for_server(folder: Path) -> None:
    """Until the one that the first client started listens and has warmed up."""
    deadline = perf_counter() + 20
    while not list(folder.glob("*.sock")):
        if perf_counter() > deadline:
            raise SystemExit("no server came up")
        sleep(0.1)
    sleep(2)


def steps(text: str, ops: int, rounds: int) -> None:
    """Operations per second of each step."""
    from io import StringIO

    from xdsl.context import Context
    from xdsl.dialects import get_all_dialects
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.parser import Parser
    from xdsl.printer import Printer
    from xdsl.transforms.canonicalize import CanonicalizePass

    from stepwell.ir.registry import find_pass, make_context
    from stepwell.ir.text.parsing import parse_module
    from stepwell.ir.text.printing import print_ir
    from stepwell.ir.verify import verify

    def their_context() -> Context:
        context = Context()
        for name, factory in get_all_dialects().items():
            context.register_dialect(name, factory)
        return context

    our_context, theirs = make_context(), their_context()
    times: dict[str, tuple[list[float], list[float]]] = {}

    def measure(what: str, whose: int, run: Callable[[], object]) -> None:
        gc.collect()
        began = process_time()
        run()
        times.setdefault(what, ([], []))[whose].append(process_time() - began)

    def parse_ours() -> ModuleOp:
        return parse_module(text, our_context)

    def parse_theirs() -> ModuleOp:
        return Parser(theirs, text).parse_module()

    canonicalize = find_pass("canonicalize")()
    for _ in range(rounds):
        ours, other = parse_ours(), parse_theirs()
        measure("parse", 0, parse_ours)
        measure("parse", 1, parse_theirs)
        measure("verify", 0, lambda ours=ours: verify(ours))
        measure("verify", 1, other.verify)
        measure("print", 0, lambda ours=ours: print_ir(ours))
        measure("print", 1, lambda other=other: Printer(StringIO()).print_op(other))
        measure("canonicalize", 0, lambda ours=ours: canonicalize.run(ours, our_context))
        measure("canonicalize", 1, lambda other=other: CanonicalizePass().apply(theirs, other))
    for what, (mine, his) in times.items():
        row(f"{what} (ops/s)", mine, his, ops)


def row(what: str, ours: Sequence[float], theirs: Sequence[float], ops: int | None = None) -> None:
    """One line: best (median) of both, as milliseconds or as operations per second, and the ratio."""

    def shown(seconds: float) -> str:
        return f"{1e3 * seconds:,.0f}" if ops is None else f"{ops / seconds:,.0f}"

    def both(times: Sequence[float]) -> str:
        return f"{shown(min(times))} ({shown(median(times))})"

    ratio = min(ours) / min(theirs) if ops is None else min(theirs) / min(ours)
    print(f"{what:<34}{both(ours):>20}{both(theirs):>20}{ratio:>8.2f}x")


if __name__ == "__main__":
    main()
