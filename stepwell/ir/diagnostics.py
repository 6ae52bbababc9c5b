"""The one exception type that a user meets, and what is said without one: a message, where it happened, and what to try."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple


class CompileError(Exception):
    """A model, a module or an option that cannot be compiled. `str(error)` is the one line that a user sees.

    `location` is `file:line:col` or the name of the source node; `hint` says what to try. `needed_inputs` names inputs of a model whose
    values, were they known, would let more of it compile.
    """

    def __init__(self, message: str, *, location: str | None = None, hint: str | None = None, needed_inputs: tuple[str, ...] = ()) -> None:
        self.message = message
        self.location = location
        self.hint = hint
        self.needed_inputs = needed_inputs
        super().__init__(message)

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        what_to_try = f" ({self.hint})" if self.hint else ""
        return f"{where}error: {self.message}{what_to_try}"


class UnsupportedModel(CompileError):
    """A sound model that no single native program computes."""


class InternalError(CompileError):
    """A fault of the compiler itself in `step` ("pass 'nn-raise'"). The exception that was met is chained as its cause."""

    def __init__(self, step: str, cause: BaseException, *, location: str | None = None) -> None:
        lines = str(cause).strip().splitlines()
        what = f"{type(cause).__name__}: {lines[0][:200]}" if lines else type(cause).__name__
        hint = (
            "this is a fault of stepwell; please report it; --debug shows more"
            if location
            else "this is a fault of stepwell; please report it"
        )
        super().__init__(f"internal error in {step}: {what}", location=location, hint=hint)

    def __str__(self) -> str:
        return super().__str__() if self.location else f"{self.message} ({self.hint})"


@contextmanager
def only_compile_errors(step: str | Callable[[], str]) -> Generator[None]:
    """Whatever escapes from inside becomes a CompileError that names the step, chained from its cause.

    `step` is read when something has gone wrong, so that it may say how far the work had come.
    """
    try:
        yield
    except CompileError:
        raise
    except MemoryError as error:
        name = step if isinstance(step, str) else step()
        raise CompileError(f"not enough memory in {name}", hint="compile for smaller shapes") from error
    except Exception as error:
        raise InternalError(step if isinstance(step, str) else step(), error) from error


# ---- what is said without stopping: remarks, warnings, notes ---------------------------------------------------------------------------


class Diagnostic(NamedTuple):
    """One thing to say, with the notes that belong to it. `location` is `file:line:col`, a name, or None for no place."""

    kind: str
    """error, warning, remark or note."""
    message: str
    location: str | None = None
    notes: tuple[Diagnostic, ...] = ()

    @property
    def line(self) -> int | None:
        """The line in the file, or None where the place is not in a file."""
        match = PLACE.match(self.location or "")
        return int(match["line"]) if match else None


PLACE = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+)$")

_handlers: list[Callable[[Diagnostic], None]] = []


def report(diagnostic: Diagnostic) -> None:
    """Say something and go on. Whoever handles diagnostics now gets it; where nobody does, only warnings are said, on standard error."""
    if _handlers:
        _handlers[-1](diagnostic)
    elif diagnostic.kind in ("warning", "error"):
        where = f"{diagnostic.location}: " if diagnostic.location else ""
        sys.stderr.write(f"{where}{diagnostic.kind}: {diagnostic.message}\n")


@contextmanager
def handling(handler: Callable[[Diagnostic], None]) -> Generator[None]:
    """What is reported inside the `with` statement goes to `handler`."""
    _handlers.append(handler)
    try:
        yield
    finally:
        _handlers.pop()
