"""`stepwell compile model.onnx [--stop-after LEVEL] [-o FILE]`: fill the cache, or print the model at a level of the stairs."""

from __future__ import annotations

import argparse
import sys

from stepwell.ir.diagnostics import CompileError
from stepwell.tools.stepwell.console import write_text
from stepwell.tools.stepwell.inputs import add_model_arguments, compile_model, model_name, print_model

TERMINAL_LIMIT = 16
"""Constants of more elements are not printed on a terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell compile`."""
    from stepwell.lowering.pipelines import LEVELS

    add_model_arguments(parser)
    parser.add_argument("--target", choices=["cpu", "cuda"], default="cpu", help="cuda: with --stop-after, the stairs to a GPU")
    parser.add_argument("--gpu", default="sm_80", metavar="SM", help="the architecture that --target cuda is for (default sm_80)")
    levels = "print the whole model at this level instead of running the rest; 'import' is before any pass"
    parser.add_argument("--stop-after", choices=["import", *LEVELS, "asm", "gpu", "ptx"], help=levels)
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="where to print (default: standard output)")
    parser.add_argument(
        "--elide",
        type=int,
        default=None,
        metavar="N",
        help=f"print constants of more than N elements as dense_resource<__elided__>; such text is for reading only "
        f"(default: {TERMINAL_LIMIT} on a terminal, else no limit)",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Compile into the cache, or print a level."""
    if arguments.target == "cuda" and arguments.stop_after is None:
        raise CompileError("programs for a GPU are not kept in the cache", hint="print one with --stop-after ptx, or run it from Python")
    if arguments.stop_after is None:
        if arguments.output != "-":
            raise CompileError("-o needs --stop-after: a compiled program is kept in the cache, not in a file")
        print(f"{model_name(arguments)}: {compile_model(arguments).report().summary()}")
        return 0
    if arguments.elide is not None and arguments.elide < 0:
        raise CompileError(f"--elide {arguments.elide}: the number of elements cannot be negative")
    limit = arguments.elide
    if limit is None and arguments.output == "-" and sys.stdout.isatty():
        limit = TERMINAL_LIMIT
    write_text(arguments.output, print_model(arguments, arguments.stop_after, limit))
    return 0
