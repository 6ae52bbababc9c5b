"""`stepwell`: run, compile, measure and inspect models from the command line.

Every subcommand is a module of this folder with `add_arguments(parser)` and `execute(arguments) -> int`; a user's mistake is one line on
stderr and exit status 1.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from stepwell.ir.diagnostics import CompileError, InternalError, only_compile_errors

COMMANDS: dict[str, str] = {
    "run": "run a model on given, random or zero inputs",
    "compile": "compile a model, or print it at any level of the stairs",
    "bench": "measure a model beside other runtimes, interleaved in one process",
    "report": "kernels, work, memory and compile time of a model",
    "check": "what is supported, free dimensions and memory of a model, before any compile",
    "diff": "compare every layer with another runtime and name the first that diverges",
    "ptx": "run a kernel of PTX text on a simulated GPU, with checks for races and stray accesses",
    "cache": "show or clear the cache of compiled code",
    "demo": "read text from an image and name a source file's language, beside ONNX Runtime",
}

EPILOGUE = """\
environment:
  STEPWELL_NUM_THREADS   threads of a program (default: what the process may use)
  STEPWELL_CACHE_DIR     where compiled code is kept
  STEPWELL_CACHE_SIZE    how many bytes of it (default 4 GiB)
  STEPWELL_CACHE=0       keep nothing
  STEPWELL_SPIN_US       how long an idle thread spins before it sleeps (default 200)
  STEPWELL_MODELS_DIR    unpacked packages with the models of `stepwell demo`
"""


class Parser(argparse.ArgumentParser):
    """A command line whose mistakes are CompileErrors like all others."""

    def error(self, message: str) -> NoReturn:
        raise CompileError(message, hint=f"see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    """The command line, one subparser for each entry of `COMMANDS`."""
    parser = Parser(
        prog="stepwell",
        description="A machine-learning compiler in pure Python.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help="show Python tracebacks of errors")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"stepwell.tools.stepwell.{name}_command")
        subparser = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(subparser)
        # Also after the subcommand, where people append it. Without a default: the one before the subcommand stands.
        subparser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show Python tracebacks of errors")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status."""
    _print_anything()
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        with only_compile_errors("the stepwell command"):
            return _execute(given)
    except CompileError as error:
        if "--debug" in given:
            raise
        print(f"stepwell: {_one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stepwell: interrupted", file=sys.stderr)
        return 130


def _execute(given: list[str]) -> int:
    parser = build_parser()
    arguments = parser.parse_args(given)
    if arguments.version:
        from importlib.metadata import version

        print(f"stepwell {version('stepwell')} (xdsl {version('xdsl')}, llvmlite {version('llvmlite')})")
        return 0
    if not arguments.command:
        parser.print_help()
        return 1
    try:
        status = int(importlib.import_module(f"stepwell.tools.stepwell.{arguments.command}_command").execute(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # `stepwell compile ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        raise CompileError(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}") from error
    return status


def _one_line(error: CompileError) -> str:
    if isinstance(error, InternalError):
        return f"{' '.join(error.message.split())} (run with --debug for the traceback; please report)"
    return " ".join(str(error).split())


def _print_anything() -> None:
    """Names in models are not bound to the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
