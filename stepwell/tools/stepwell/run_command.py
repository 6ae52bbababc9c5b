"""`stepwell run model.onnx --input x=file.npy`: run a model once and show or save its outputs."""

from __future__ import annotations

import argparse
from pathlib import Path

from typing import TYPE_CHECKING

import numpy as np

from stepwell.tools.stepwell.inputs import add_input_arguments, add_model_arguments, compile_model, feed, files_of

if TYPE_CHECKING:
    from stepwell.ir.constants import Array


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell run`."""
    add_model_arguments(parser)
    add_input_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="write each output as FOLDER/NAME.npy")


def _summary(array: Array) -> tuple[str, str]:
    if array.size == 0:
        return "-", "empty"
    values = array.reshape(-1)
    shown = ", ".join(f"{value:.4g}" if array.dtype.kind == "f" else str(value) for value in values[:5])
    spread = f"{values.min():.4g} .. {values.max():.4g}" if array.dtype.kind in "fiu" else "-"
    return spread, shown + (", ..." if values.size > 5 else "")


def execute(arguments: argparse.Namespace) -> int:
    """Compile, run once, print a table of outputs."""
    from rich.console import Console
    from rich.table import Table

    files = files_of(arguments)
    program = compile_model(arguments, files)
    outputs = program(**feed(program, arguments, files))
    table = Table("output", "shape", "dtype", "range", "first values")
    for name, array in outputs.items():
        spread, shown = _summary(array)
        table.add_row(name, "x".join(map(str, array.shape)) or "scalar", str(array.dtype), spread, shown)
    Console().print(table)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        for name, array in outputs.items():
            np.save(arguments.output / (name.replace("/", "_") + ".npy"), array)
    return 0
