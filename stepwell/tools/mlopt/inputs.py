"""Reading a module for a subcommand: the file that the options name, parsed and verified."""

from __future__ import annotations

import sys
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify
from stepwell.tools.mlopt.options import Options


def read_module(options: Options) -> tuple[ModuleOp, Context]:
    """The module in the input file, and the context that it was parsed in. Raises CompileError."""
    context = make_context(allow_unregistered=options.allow_unregistered_dialect)
    name = "<stdin>" if options.input == "-" else options.input
    module = parse_module(read_text(options.input), context, name=name)
    verify(module)
    return module, context


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`. Raises CompileError."""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot read '{path}': {error.strerror}", location="mlopt") from error
    except UnicodeDecodeError as error:
        raise CompileError(f"'{path}' is not text", location="mlopt") from error


def write_text(path: str, text: str) -> None:
    """Write to a file, or to standard output for `-`. Raises CompileError."""
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CompileError(f"cannot write '{path}': {error.strerror}", location="mlopt") from error
