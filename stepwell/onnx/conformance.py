"""`python -m stepwell.onnx.conformance`: the conformance suite of the `onnx` package through the compiler, as a table.

    python -m stepwell.onnx.conformance                          # all of it, in two processes
    python -m stepwell.onnx.conformance --filter 'conv|pool' -v  # some of it, every case that did not pass listed
    python -m stepwell.onnx.conformance --peer                   # ONNX Runtime beside it

The cache is empty at the start. A case that crashes its process or runs out of time is one failed case.
"""

# The interfaces of onnx.backend, onnx.reference, onnxruntime and multiprocessing that are used here carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stepwell.onnx.cases import Verdict, general_reason, load_cases, run_case
from stepwell.onnx.groups import group_of

OUTCOMES = ("passed", "failed", "unsupported")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0 if nothing failed; what is unsupported does not count."""
    options = _options(arguments)
    cases = load_cases()
    names = [name for name in cases if re.search(options.filter, name)][: options.limit]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="stepwell-conformance-") as folder:
        os.environ["STEPWELL_CACHE_DIR"] = folder
        verdicts = dict(run_all(cases, names, options.processes, options.timeout, options.peer))
    _print_table(cases, verdicts, options.peer)
    _print_reasons(verdicts, options.reasons)
    if options.verbose:
        for name, verdict in verdicts.items():
            if verdict.outcome != "passed":
                print(f"{verdict.outcome:12}{name}: {verdict.reason}")
    print(f"{len(verdicts)} cases in {time.perf_counter() - start:.0f} s, {options.processes} processes")
    if options.json:
        Path(options.json).write_text(json.dumps({name: asdict(verdict) for name, verdict in verdicts.items()}, indent=0))
    return int(any(verdict.outcome == "failed" for verdict in verdicts.values()))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    what = "The ONNX conformance suite through the compiler."
    parser = argparse.ArgumentParser(prog="python -m stepwell.onnx.conformance", description=what)
    parser.add_argument("--filter", default="", metavar="RE", help="only cases whose name matches")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="only the first N of them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="for one case")
    parser.add_argument("--peer", action="store_true", help="run ONNX Runtime on every case too")
    parser.add_argument("--reasons", type=int, default=40, metavar="N", help="how many reasons to list")
    parser.add_argument("--json", metavar="PATH", help="write every verdict")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every case that did not pass")
    return parser.parse_args(arguments)


# ---- processes --------------------------------------------------------------------------------------------------------------------


class Worker:
    """A process that runs one case after another. Forked, so that the cases need not be loaded again."""

    def __init__(self, cases: dict[str, Any], peer: bool) -> None:
        context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, cases, peer), daemon=True)  # type: ignore[attr-defined]
        self.process.start()
        other.close()
        self.name: str | None = None
        self.deadline = 0.0

    def begin(self, name: str, timeout: float) -> None:
        """Hand it a case."""
        self.name, self.deadline = name, time.monotonic() + timeout
        self.connection.send(name)

    def result(self) -> Verdict | None:
        """Its verdict, once there is one; a process that died or takes too long has failed."""
        try:
            if self.connection.poll():
                return self.connection.recv()
        except (EOFError, OSError):
            self.process.join(5)
            return Verdict("failed", f"the process died with status {self.process.exitcode}")
        if time.monotonic() > self.deadline:
            return Verdict("failed", "out of time")
        return None

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Any, cases: dict[str, Any], peer: bool) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a crash prints
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        start = time.perf_counter()
        verdict = run_case(cases[name], peer=peer)
        verdict.seconds = time.perf_counter() - start
        connection.send(verdict)


def run_all(cases: dict[str, Any], names: Sequence[str], processes: int, timeout: float, peer: bool) -> Iterator[tuple[str, Verdict]]:
    """The verdict of each case, in the order in which they end."""
    waiting = list(reversed(names))
    workers = [Worker(cases, peer) for _ in range(max(1, min(processes, len(names))))]
    done = 0
    try:
        while waiting or any(worker.name for worker in workers):
            for index, worker in enumerate(workers):
                if worker.name is None and waiting:
                    worker.begin(waiting.pop(), timeout)
                if worker.name is None or (verdict := worker.result()) is None:
                    continue
                yield worker.name, verdict
                done += 1
                worker.name = None
                if not worker.process.is_alive() or verdict.reason == "out of time":
                    worker.stop()
                    workers[index] = Worker(cases, peer)
                if sys.stderr.isatty():
                    print(f"\r{done}/{len(names)}", end="", file=sys.stderr)
            multiprocessing.connection.wait([worker.connection for worker in workers if worker.name], 0.2)
    finally:
        for worker in workers:
            worker.stop()


# ---- tables -----------------------------------------------------------------------------------------------------------------------


def _print_table(cases: dict[str, Any], verdicts: dict[str, Verdict], peer: bool) -> None:
    groups: dict[str, list[Verdict]] = {}
    for name, verdict in verdicts.items():
        groups.setdefault(group_of(cases[name], cases), []).append(verdict)
    rows = sorted(groups.items(), key=lambda row: -len(row[1]))
    rows.append(("total", list(verdicts.values())))
    print(f"{'group':22}{'cases':>7}{'passed':>8}{'failed':>8}{'unsupported':>13}" + (f"{'ONNX Runtime':>14}" if peer else ""))
    for group, members in rows:
        counts = Counter(verdict.outcome for verdict in members)
        line = f"{group:22}{len(members):7}{counts['passed']:8}{counts['failed']:8}{counts['unsupported']:13}"
        print(line + (f"{sum(v.peer == 'passed' for v in members):14}" if peer else ""))
    passed = [verdict for verdict in verdicts.values() if verdict.outcome == "passed"]
    print(f"passed: {len(passed)}; passed with every numeric operator compiled: {sum(verdict.compiled for verdict in passed)}")
    calls = Counter(operator for verdict in passed for operator in verdict.host_calls)
    if calls:
        print("host calls, by cases that passed: " + ", ".join(f"{name} {count}" for name, count in calls.most_common()))
    steps = Counter(operator for verdict in passed for operator in verdict.steps)
    if steps:
        print("control flow step by step, its bodies compiled: " + ", ".join(f"{name} {count}" for name, count in steps.most_common()))
    seconds = Counter(verdict.second for verdict in verdicts.values() if verdict.outcome == "passed")
    print("second run of those passed: " + ", ".join(f"{count} {how}" for how, count in seconds.most_common()))


def _print_reasons(verdicts: dict[str, Verdict], limit: int) -> None:
    reasons = Counter((v.outcome, general_reason(v.reason)) for v in verdicts.values() if v.outcome != "passed")
    first = {(v.outcome, general_reason(v.reason)): name for name, v in reversed(verdicts.items())}
    for (outcome, reason), count in sorted(reasons.items(), key=lambda item: (OUTCOMES.index(item[0][0]), -item[1]))[:limit]:
        print(f"{count:5} {outcome:12} {reason}  (first: {first[outcome, reason]})")


if __name__ == "__main__":
    sys.exit(main())
