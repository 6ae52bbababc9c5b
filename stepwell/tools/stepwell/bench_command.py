"""`stepwell bench model.onnx --against onnxruntime`: latency beside other runtimes, interleaved in one process."""

from __future__ import annotations

import argparse

import numpy as np

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.inputs import add_input_arguments, add_model_arguments, compile_model, feed, files_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell bench`."""
    add_model_arguments(parser)
    add_input_arguments(parser)
    parser.add_argument("--against", default="", metavar="NAMES", help="comma-separated: onnxruntime, openvino")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure (default 3)")


def execute(arguments: argparse.Namespace) -> int:
    """Measure all runtimes in turn and print medians, spreads and ratios."""
    from rich.console import Console
    from rich.table import Table

    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import PEERS

    files = files_of(arguments)
    program = compile_model(arguments, files)
    arrays = feed(program, arguments, files)
    runs = {"stepwell": lambda: program(**arrays)}
    reference = program(**arrays)
    differences: dict[str, float] = {}
    for name in filter(None, arguments.against.split(",")):
        if name not in PEERS:
            raise CompileError(f"unknown runtime {name!r}", hint=f"one of {', '.join(PEERS)}")
        run = PEERS[name](arguments.model, arrays, program.threads)
        differences[name] = max(
            (float(np.max(np.abs(np.asarray(theirs, np.float64) - np.asarray(ours, np.float64)), initial=0.0)) for ours, theirs in zip(reference.values(), run(), strict=True)),
            default=0.0,
        )
        runs[name] = run
    samples = interleave(runs, arguments.seconds)
    ours = samples["stepwell"]
    table = Table("runtime", "median ms", "10% .. 90%", "their time / ours", "largest difference", title=f"{arguments.model.name}, {program.threads} thread(s)")
    for name, times in samples.items():
        ratio = "" if name == "stepwell" else f"{np.median(times) / np.median(ours):.2f}"
        low, high = np.percentile(times, [10, 90])
        difference = f"{differences[name]:.1e}" if name in differences else ""
        table.add_row(name, f"{np.median(times) * 1e3:.3f}", f"{low * 1e3:.3f} .. {high * 1e3:.3f}", ratio, difference)
    Console().print(table)
    return 0
