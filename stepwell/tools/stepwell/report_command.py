"""`stepwell report model.onnx`: what a compiled model consists of and where compile time went."""

from __future__ import annotations

import argparse

from stepwell.tools.stepwell.console import console
from stepwell.tools.stepwell.inputs import add_model_arguments, compile_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell report`."""
    add_model_arguments(parser)
    parser.add_argument("--calls", action="store_true", help="one line for each call, with the nodes it stands for")


def execute(arguments: argparse.Namespace) -> int:
    """Compile, or load from the cache with the times of back then, and print the report."""
    console().print(compile_model(arguments).report().render(calls=arguments.calls))
    return 0
