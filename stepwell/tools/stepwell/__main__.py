"""`stepwell`: run, compile, measure and inspect models from the command line.

Every subcommand is a module of this folder with `add_arguments(parser)` and `execute(arguments) -> int`; a user's mistake is one line on stderr and
exit status 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from stepwell.ir.diagnostics import CompileError

COMMANDS: dict[str, str] = {
    "run": "run a model on given, random or zero inputs",
    "compile": "compile a model, or print it at any level of the stairs",
    "bench": "measure a model beside other runtimes, interleaved in one process",
    "report": "kernels, work, memory and compile time of a model",
    "cache": "show or clear the cache of compiled code",
    "demo": "read text from an image and name a source file's language, beside ONNX Runtime",
}


def build_parser() -> argparse.ArgumentParser:
    """The command line, one subparser for each entry of `COMMANDS`."""
    parser = argparse.ArgumentParser(prog="stepwell", description="A machine-learning compiler in pure Python.")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks of errors")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"stepwell.tools.stepwell.{name}_command")
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from importlib.metadata import version

        print(f"stepwell {version('stepwell')}")
        return 0
    if not arguments.command:
        parser.print_help()
        return 1
    module = importlib.import_module(f"stepwell.tools.stepwell.{arguments.command}_command")
    try:
        return int(module.execute(arguments))
    except CompileError as error:
        if arguments.debug:
            raise
        print(f"stepwell: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stepwell: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `stepwell compile ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
