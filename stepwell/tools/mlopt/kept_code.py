"""Code that Python would otherwise compile anew at every start: the methods that `dataclass` writes.

`@dataclass` writes the text of its methods and compiles it, each time a module is imported: for the thousand methods of the classes that
`mlopt` needs that takes as long as everything else in its imports. Here the code of each text is kept, as Python keeps that of modules:
in `__pycache__`, in a file for this version of Python, and not where `PYTHONDONTWRITEBYTECODE` says so. An entry is found by its whole
text, so that none can be out of date.

This is for commands, whose process is their own; a library must not do this to the program that uses it.
"""

import dataclasses
import sys
from _frozen_importlib_external import MAGIC_NUMBER  # pyright: ignore[reportMissingModuleSource]  # what `importlib.util` has it from
from marshal import dumps, loads

TYPE_CHECKING = False  # typing itself is not imported
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

LIMIT = 8_000
"""How many texts are kept."""


class KeptCode:
    """From `begin` on, the methods that `dataclass` writes come from the file at `path`; `save` adds what was missing there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, bytes] = {}
        self._new: dict[str, bytes] = {}

    def begin(self) -> None:
        """Read the file and stand in for the compiler."""
        try:
            with open(self._path, "rb") as file:
                content = file.read()
            if content.startswith(MAGIC_NUMBER):
                self._known = dict(loads(content[len(MAGIC_NUMBER) :]))
        except (OSError, EOFError, ValueError, TypeError):
            pass  # there is none yet, or it is none of ours: it will be written
        setattr(dataclasses, "exec", self._run)  # a name of the module goes before Python's own

    def _run(self, text: str, names: "dict[str, Any] | None" = None, values: "dict[str, Any] | None" = None) -> None:
        kept = self._known.get(text)
        code: CodeType
        if kept is None:
            code = compile(text, "<string>", "exec", dont_inherit=True)
            self._new[text] = dumps(code)
        else:
            code = loads(kept)
        exec(code, names, values)

    def save(self) -> None:
        """Keep what was compiled for the next time, if files of this kind are wanted and the folder can be written."""
        if not self._new or sys.dont_write_bytecode or len(self._known) + len(self._new) > LIMIT:
            return
        import os

        temporary = f"{self._path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(MAGIC_NUMBER + dumps({**self._known, **self._new}))
            os.replace(temporary, self._path)
        except OSError:
            pass  # then the next start takes as long as this one


def kept_code() -> KeptCode:
    """Where this version of Python finds the code, beside that of this module."""
    folder, _, _ = __file__.rpartition("/")
    return KeptCode(f"{folder}/__pycache__/dataclasses.{sys.implementation.cache_tag}.bin")
