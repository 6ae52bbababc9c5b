"""What the subcommands share: naming a model, fixing its free dimensions, making its inputs.

    --shape x=1x3x48x192       fixes the shape of input x
    --input x=file.npy         reads it (and fixes the shape); also x=random and x=zeros
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.ir.constants import Array
    from stepwell.backends.cpu.image import TensorSpec
    from stepwell.backends.cpu.program import Program


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every subcommand that compiles a model."""
    parser.add_argument("model", type=Path, help="an ONNX file")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x48x192", help="fix the shape of an input")
    parser.add_argument("--threads", type=int, default=None, help="number of threads (default: what the process may use)")
    parser.add_argument("--no-cache", action="store_true", help="compile everything anew and keep nothing")


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what to feed."""
    parser.add_argument("--input", action="append", default=[], metavar="NAME=file.npy|random|zeros", help="values of an input (default random)")
    parser.add_argument("--seed", type=int, default=0, help="seed of random inputs")


def _pairs(arguments: Iterable[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, separator, value = argument.rpartition("=")
        if not separator or not name or not value:
            raise CompileError(f"{option} {argument!r} is not of the form NAME=VALUE")
        pairs[name] = value
    return pairs


def _load(path: str) -> Array:
    try:
        loaded = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CompileError(f"cannot read {path} as an .npy file: {error}") from None
    if not isinstance(loaded, np.ndarray):
        raise CompileError(f"{path} holds several arrays", hint="save one array with numpy.save")
    return loaded


def files_of(arguments: argparse.Namespace) -> dict[str, Array]:
    """The arrays that `--input NAME=file.npy` names."""
    pairs = _pairs(getattr(arguments, "input", []), "--input")
    return {name: _load(value) for name, value in pairs.items() if value not in ("random", "zeros")}


def shapes_of(arguments: argparse.Namespace, files: Mapping[str, Array]) -> dict[str, Any]:
    """Input shapes that the user has fixed, by `--shape` or by giving a file."""
    shapes: dict[str, Any] = {name: (array.shape, array.dtype) for name, array in files.items()}
    for name, text in _pairs(arguments.shape, "--shape").items():
        try:
            shapes[name] = tuple(int(extent) for extent in text.replace(",", "x").split("x")) if text != "scalar" else ()
        except ValueError:
            raise CompileError(f"--shape {name}={text!r}: extents must be whole numbers", hint="for instance --shape x=1x3x48x192") from None
    return shapes


def random_array(spec: TensorSpec, rng: np.random.Generator) -> Array:
    """Plausible values for an input that nothing is known of: normal floats, small non-negative integers."""
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, spec.shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0, 8, spec.shape).astype(dtype)
    return rng.standard_normal(spec.shape, np.float32).astype(dtype)


def feed(program: Program, arguments: argparse.Namespace, files: Mapping[str, Array]) -> dict[str, Array]:
    """An array for every input of a program."""
    kinds = _pairs(getattr(arguments, "input", []), "--input")
    unknown = [name for name in kinds if all(name != spec.name for spec in program.inputs)]
    if unknown:
        raise CompileError(f"no input is named {unknown[0]!r}", hint=f"inputs: {', '.join(spec.name for spec in program.inputs)}")
    rng = np.random.default_rng(arguments.seed)
    arrays: dict[str, Array] = {}
    for spec in program.inputs:
        if spec.name in files:
            arrays[spec.name] = files[spec.name]
        elif kinds.get(spec.name) == "zeros":
            arrays[spec.name] = np.zeros(spec.shape, spec.dtype)
        else:
            arrays[spec.name] = random_array(spec, rng)
    return arrays


def compile_model(arguments: argparse.Namespace, files: Mapping[str, Array] | None = None) -> Program:
    """Compile the model of the command line, showing progress on a terminal."""
    import stepwell
    from stepwell.tools.stepwell.progress import progress_on_terminal

    with progress_on_terminal(f"compiling {arguments.model.name}") as progress:
        return stepwell.compile(
            arguments.model,
            inputs=shapes_of(arguments, files or {}),
            threads=arguments.threads,
            cache=not arguments.no_cache,
            progress=progress,
        )
