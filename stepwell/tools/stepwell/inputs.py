"""What the subcommands share: naming a model, fixing its free dimensions, making its inputs.

--shape x=1x3x48x192       fixes the shape of input x; --shape x=scalar
--input x=file.npy         reads it (and fixes the shape); also x=random and x=zeros
"""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.settings import SETTINGS
from stepwell.tools.stepwell.console import printable

if TYPE_CHECKING:
    from onnx import ModelProto

    from stepwell.backends.cpu.image import TensorSpec
    from stepwell.backends.cpu.program import Program
    from stepwell.ir.constants import Array
    from stepwell.stages.program import DynamicProgram


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every subcommand that compiles a model."""
    parser.add_argument("model", type=Path, help="an ONNX file")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x48x192", help="fix the shape of an input")
    parser.add_argument("--threads", type=int, default=None, help="number of threads (default: what the process may use)")
    parser.add_argument("--no-cache", action="store_true", help="compile everything anew and keep nothing")
    for name, choices in SETTINGS.items():
        parser.add_argument(f"--{name}", choices=choices, default=choices[0], help=f"default {choices[0]} (see docs/cli.md)")


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what to feed."""
    values = "NAME=file.npy|random|zeros"
    parser.add_argument("--input", action="append", default=[], metavar=values, help="values of an input (default random)")
    parser.add_argument("--seed", type=_seed, default=0, help="seed of random inputs")


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a natural number")
    return int(text)


def settings_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What the command line decides for the whole model."""
    return {name: getattr(arguments, name) for name in SETTINGS}


def model_name(arguments: argparse.Namespace) -> str:
    """How the model is called in titles."""
    return printable(arguments.model.name)


def _pairs(arguments: Iterable[str], option: str, *, value_has_no_equals: bool) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, separator, value = argument.rpartition("=") if value_has_no_equals else argument.partition("=")
        if not separator or not name or not value:
            raise CompileError(f"{option} {argument!r:.80} is not of the form NAME=VALUE")
        if name in pairs:
            raise CompileError(f"{option} names {name!r} twice")
        pairs[name] = value
    return pairs


def _load(path: str) -> Array:
    try:
        with Path(path).open("rb") as file:  # numpy would leave it open where it is not an .npy file
            loaded: Any = np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, SyntaxError, TypeError, OverflowError) as error:
        raise CompileError(f"cannot read {path} as an .npy file: {error}", hint="write it with numpy.save") from None
    return loaded


def files_of(arguments: argparse.Namespace) -> dict[str, Array]:
    """The arrays that `--input NAME=file.npy` names."""
    pairs = _pairs(getattr(arguments, "input", []), "--input", value_has_no_equals=False)
    return {name: _load(value) for name, value in pairs.items() if value not in ("random", "zeros")}


def shapes_of(arguments: argparse.Namespace, files: Mapping[str, Array]) -> dict[str, Any]:
    """Input shapes that the user has fixed, by `--shape` or by giving a file."""
    shapes: dict[str, Any] = {name: (array.shape, array.dtype) for name, array in files.items()}
    for name, text in _pairs(arguments.shape, "--shape", value_has_no_equals=True).items():
        extents = [] if text == "scalar" else text.replace(",", "x").split("x")
        if not all(extent.isascii() and extent.isdigit() and len(extent) < 20 for extent in extents):
            raise CompileError(f"--shape {name}={text:.60}: extents must be whole numbers", hint=f"for example --shape {name}=1x3x48x192")
        shapes[name] = tuple(map(int, extents))
    return shapes


def random_array(spec: TensorSpec, rng: np.random.Generator) -> Array:
    """Plausible values for an input that nothing is known of: normal floats, small non-negative integers."""
    dtype = spec.numpy_dtype
    if dtype.kind == "b":
        return rng.integers(0, 2, spec.shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0, 8, spec.shape).astype(dtype)
    return np.asarray(rng.standard_normal(spec.shape, np.float32)).astype(dtype)


def feed(program: Program | DynamicProgram, arguments: argparse.Namespace, files: Mapping[str, Array]) -> dict[str, Array]:
    """An array for every input of a program."""
    from stepwell.backends.cpu.program import Program

    kinds = _pairs(getattr(arguments, "input", []), "--input", value_has_no_equals=False)
    specs = program.inputs if isinstance(program, Program) else program.prepared
    unknown = [name for name in kinds if all(name != spec.name for spec in specs)]
    if unknown:
        raise CompileError(f"no input is named {unknown[0]!r}", hint=f"inputs: {', '.join(spec.name for spec in specs)}")
    rng = np.random.default_rng(arguments.seed)
    arrays: dict[str, Array] = {}
    for spec in specs:
        if spec.name in files:
            arrays[spec.name] = files[spec.name]
        elif kinds.get(spec.name) == "zeros":
            arrays[spec.name] = np.zeros(spec.shape, spec.numpy_dtype)
        else:
            arrays[spec.name] = random_array(spec, rng)
    return arrays


def print_model(arguments: argparse.Namespace, level: str, elide: int | None) -> str:
    """The model of the command line at a level of the stairs."""
    from stepwell.api import print_gpu_level, print_level

    with command_line_hints():
        if getattr(arguments, "target", "cpu") == "cuda":
            return print_gpu_level(arguments.model, level, inputs=shapes_of(arguments, {}), gpu=arguments.gpu, elide=elide)
        return print_level(arguments.model, level, inputs=shapes_of(arguments, {}), settings=settings_of(arguments), elide=elide)


@contextmanager
def command_line_hints() -> Generator[None]:
    """Where an error advises a Python user to pass `inputs={...}`, advise `--shape`."""
    try:
        yield
    except CompileError as error:
        found = re.search(r"inputs=(\{.*\})$", error.hint or "")
        if found is not None:
            shapes: dict[str, tuple[int, ...]] = ast.literal_eval(found[1])
            options = (shlex.quote(f"{name}={'x'.join(map(str, shape)) or 'scalar'}") for name, shape in shapes.items())
            error.hint = f"{(error.hint or '')[: found.start()]}{' '.join(f'--shape {option}' for option in options)}"
        raise


def compile_model(arguments: argparse.Namespace, files: Mapping[str, Array] | None = None) -> Program | DynamicProgram:
    """Compile the model of the command line, showing progress on a terminal."""
    import stepwell
    from stepwell.tools.stepwell.progress import progress_on_terminal

    with command_line_hints(), progress_on_terminal(f"compiling {model_name(arguments)}") as progress:
        return stepwell.compile(
            arguments.model,
            inputs=shapes_of(arguments, files or {}),
            threads=arguments.threads,
            cache=not arguments.no_cache,
            progress=progress,
            numerics=arguments.numerics,
            convolution=arguments.convolution,
        )


def compile_fixing(arguments: argparse.Namespace, model: ModelProto, files: Mapping[str, Array], progress: Any) -> Program:
    """Compile a model in memory as the command line says; where shapes depend on the values of inputs that files give, for those."""
    import stepwell
    from stepwell.backends.cpu.program import Program

    specs = shapes_of(arguments, files)
    with command_line_hints():
        while True:
            try:
                program = stepwell.compile(
                    model,
                    specs,
                    threads=arguments.threads,
                    cache=not arguments.no_cache,
                    passes=arguments.passes,
                    progress=progress,
                    **settings_of(arguments),
                )
            except CompileError as error:
                more = [name for name in error.needed_inputs if name in files and not isinstance(specs.get(name), np.ndarray)]
                if not more:
                    raise
                specs |= {name: files[name] for name in more}
                continue
            if not isinstance(program, Program):
                raise CompileError("this model runs in stages", hint="only models of one stage can be looked into")
            return program
