"""Declarative assembly formats, read when the first operation of a class is parsed or printed.

xDSL reads the format of an operation when its class is defined, and that is most of what defining a class takes: a program that uses three
operations of a dialect would read the formats of all. From the import of this module on, in: the text of a format; out: a program that is
read from it on first use. An error in a format shows then; classes that should tell at once are defined `at_once`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from xdsl.irdl import OpDef
from xdsl.irdl.declarative_assembly_format import FormatDirective, FormatProgram
from xdsl.utils.exceptions import ParseError, PyRDLOpDefinitionError

_read = FormatProgram.from_str
_late = True
_waiting: list[LateProgram] = []


class LateProgram(FormatProgram):
    """A format that has not been read yet. Its statements are there as soon as somebody asks for them."""

    def __init__(self, text: str, definition: OpDef) -> None:
        vars(self).update(_text=text, _definition=definition)

    def __getattr__(self, name: str) -> tuple[FormatDirective, ...]:
        if name != "stmts":
            raise AttributeError(name)
        own = vars(self)
        try:
            statements = _read(own["_text"], own["_definition"]).stmts
        except ParseError as error:
            raise PyRDLOpDefinitionError("Error during the parsing of the assembly format: ", error.args) from error
        own["stmts"] = statements
        return statements


def _from_str(input: str, op_def: OpDef) -> FormatProgram:
    if not _late:
        return _read(input, op_def)
    program = LateProgram(input, op_def)
    _waiting.append(program)
    return program


def read_all() -> int:
    """Read every format that has not been read yet, as a process does that will be asked for all of them. How many there were."""
    count = 0
    while _waiting:
        count += "stmts" not in vars(program := _waiting.pop()) and bool(program.stmts)
    return count


@contextmanager
def at_once() -> Generator[None]:
    """Classes that are defined inside have their formats read, so that an error in one is an error of the definition."""
    global _late
    before, _late = _late, False
    try:
        yield
    finally:
        _late = before


FormatProgram.from_str = staticmethod(_from_str)
