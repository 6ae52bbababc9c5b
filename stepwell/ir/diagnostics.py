"""The one exception type that a user meets: a message, where it happened, and what to try."""

from __future__ import annotations


class CompileError(Exception):
    """A model, a module or an option that cannot be compiled. `str(error)` is the one line that a user sees.

    `location` is `file:line:col` or the name of the source node; `hint` says what to try.
    """

    def __init__(self, message: str, *, location: str | None = None, hint: str | None = None) -> None:
        self.message = message
        self.location = location
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        what_to_try = f" ({self.hint})" if self.hint else ""
        return f"{where}error: {self.message}{what_to_try}"
