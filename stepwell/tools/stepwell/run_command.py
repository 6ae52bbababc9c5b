"""`stepwell run model.onnx --input x=file.npy`: run a model once and show or save its outputs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import console, printable, table
from stepwell.tools.stepwell.inputs import add_input_arguments, add_model_arguments, compile_model, feed, files_of

if TYPE_CHECKING:
    from stepwell.ir.constants import Array


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell run`."""
    add_model_arguments(parser)
    add_input_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="write each output as FOLDER/NAME.npy")


def execute(arguments: argparse.Namespace) -> int:
    """Compile, run once, print a table of outputs."""
    if arguments.output is not None:
        _make_folder(arguments.output)  # before the work, not after it
    files = files_of(arguments)
    program = compile_model(arguments, files)
    outputs = program(feed(program, arguments, files))
    rows = table("output", "shape", "dtype", "range", "first values")
    for name, array in outputs.items():
        shape = "x".join(map(str, array.shape)) or "scalar"
        rows.add_row(printable(name), shape, str(array.dtype), *_summary(array))
    console().print(rows)
    if arguments.output is not None:
        for name, file in zip(outputs, file_names(outputs), strict=True):
            _save(arguments.output / file, outputs[name])
    return 0


def _summary(array: Array) -> tuple[str, str]:
    if array.size == 0:
        return "-", "empty"
    is_float = array.dtype.kind not in "biu"  # bfloat16 has a kind of its own
    values = array.reshape(-1)
    shown = ", ".join(f"{float(value):.4g}" if is_float else str(value) for value in values[:5])
    spread = "-" if array.dtype.kind == "b" else f"{float(values.min()):.4g} .. {float(values.max()):.4g}"
    return spread, shown + (", ..." if values.size > 5 else "")


def file_names(outputs: Iterable[str]) -> list[str]:
    """A file name for each output: what no file system forbids, and no two alike."""
    names: list[str] = []
    for output in outputs:
        stem = re.sub(r"[^\w.-]", "_", output)[:100] or "output"
        stem = f"_{stem[1:]}" if stem.startswith(".") else stem
        name, count = stem, 1
        while name.lower() in {taken.lower() for taken in names}:
            count += 1
            name = f"{stem}_{count}"
        names.append(name)
    return [f"{name}.npy" for name in names]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _cannot_write(folder, error) from None


def _save(path: Path, array: Array) -> None:
    try:
        np.save(path, array)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: Exception) -> CompileError:
    return CompileError(f"cannot write {path}: {(error.strerror if isinstance(error, OSError) else None) or error}")
