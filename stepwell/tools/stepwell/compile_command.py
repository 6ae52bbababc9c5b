"""`stepwell compile model.onnx [--stop-after LEVEL] [-o FILE]`: fill the cache, or print the model at a level of the stairs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stepwell.tools.stepwell.inputs import add_model_arguments, compile_model, shapes_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell compile`."""
    from stepwell.lowering.pipelines import LEVELS

    add_model_arguments(parser)
    parser.add_argument("--stop-after", choices=[*LEVELS, "asm"], help="print the whole model at this level instead of running the rest")
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="where to print (default: standard output)")
    parser.add_argument("--elide", type=int, default=None, metavar="N", help="print constants of more than N elements as dense_resource<__elided__>")


def execute(arguments: argparse.Namespace) -> int:
    """Compile into the cache, or print a level."""
    if arguments.stop_after is None:
        program = compile_model(arguments)
        report = program.report()
        print(f"{arguments.model.name}: {report.summary()}")
        return 0
    from stepwell.api import print_level

    text = print_level(arguments.model, arguments.stop_after, inputs=shapes_of(arguments, {}), elide=arguments.elide)
    if arguments.output == "-":
        sys.stdout.write(text)
    else:
        Path(arguments.output).write_text(text)
    return 0
