"""`stepwell bench model.onnx --against onnxruntime`: latency beside other runtimes, interleaved in one process.

Exit status 1 if outputs disagree.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import console, table
from stepwell.tools.stepwell.inputs import add_input_arguments, add_model_arguments, compile_model, feed, files_of, model_name

if TYPE_CHECKING:
    from stepwell.ir.constants import Array


RTOL, ATOL = 1e-3, 1e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell bench`."""
    add_model_arguments(parser)
    add_input_arguments(parser)
    parser.add_argument("--against", default="", metavar="NAMES", help="comma-separated: onnxruntime, openvino")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure (default 3)")


def execute(arguments: argparse.Namespace) -> int:
    """Measure all runtimes in turn and print medians, spreads and ratios."""
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import PEERS

    peers = [name.strip() for name in arguments.against.split(",") if name.strip()]
    for name in peers:
        if name not in PEERS:
            raise CompileError(f"unknown runtime {name!r}", hint=f"one of {', '.join(PEERS)}")
    if not 0 <= arguments.seconds < math.inf:
        raise CompileError(f"--seconds {arguments.seconds}: not a length of time")
    files = files_of(arguments)
    program = compile_model(arguments, files)
    arrays = feed(program, arguments, files)
    reference = list(program(arrays).values())
    runs: dict[str, Callable[[], Iterable[Array]]] = {"stepwell": lambda: program(arrays).values()}
    runs |= {name: PEERS[name](arguments.model, arrays, program.threads) for name in peers}
    answers = {name: list(runs[name]()) for name in peers}
    differences = {name: largest_difference(reference, theirs) for name, theirs in answers.items()}
    strangers = [name for name, theirs in answers.items() if not agree(reference, theirs)]
    samples = interleave(runs, arguments.seconds)

    ours = np.median(samples["stepwell"])
    numbers = ("median ms", "10% .. 90%", "their time / ours", "largest difference")
    threads = f"{program.threads} thread{'s' if program.threads > 1 else ''}"
    rows = table("runtime", *numbers, title=f"{model_name(arguments)}, {threads}", right=numbers)
    for name, times in samples.items():
        low, high = np.percentile(times, [10, 90]) * 1e3
        ratio, difference = (f"{np.median(times) / ours:.2f}", f"{differences[name]:.1e}") if name in differences else ("", "")
        rows.add_row(name, f"{np.median(times) * 1e3:.3f}", f"{low:.3f} .. {high:.3f}", ratio, difference)
    console().print(rows)
    for name in strangers:
        print(f"stepwell and {name} disagree: an output differs by more than rtol {RTOL:g}, atol {ATOL:g}")
    return 1 if strangers else 0


def agree(ours: Iterable[Array], theirs: Iterable[Array]) -> bool:
    """Whether all outputs are equal but for rounding."""
    pairs = zip(ours, theirs, strict=True)
    return all(np.allclose(np.asarray(a, np.float64), np.asarray(b, np.float64), RTOL, ATOL, equal_nan=True) for a, b in pairs)


def largest_difference(ours: Iterable[Array], theirs: Iterable[Array]) -> float:
    """Of any element of any output; where both are not a number, or both the same infinity, there is none."""
    largest = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape:
            raise CompileError(f"the runtimes disagree on the shape of an output: {a.shape} and {b.shape}")
        x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        largest = max(largest, float(np.max(np.where(same, 0.0, np.abs(np.where(same, 0.0, x) - np.where(same, 0.0, y))), initial=0.0)))
    return largest
