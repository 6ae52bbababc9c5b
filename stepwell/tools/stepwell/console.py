"""What the subcommands print: tables that read well on a terminal and as plain text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 100
"""Of a console that nobody watches."""


def console() -> Console:
    """Standard output. Names from models are printed as they are, whatever brackets they hold."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def table(*columns: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    numbers = set(right)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def printable(name: str) -> str:
    """A name from a model as it may be shown on a terminal: what would steer the terminal is escaped."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def write_text(path: str, text: str) -> None:
    """Write a file that the user named, or to standard output for `-`. Raises CompileError."""
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise CompileError(f"cannot write {path}: {reason or error}") from None
