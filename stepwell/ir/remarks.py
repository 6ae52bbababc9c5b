"""What passes tell about their decisions: optimization remarks, filtered by category and written as MLIR writes them.

    passed(call, "inline", reason="callee has one block", Callee="f")
    missed(call, "inline", reason="the function calls itself")

A remark has a name and a category, by default the same word: the pass. Nothing is put together unless somebody asks for the category:
`mlopt --remarks-filter=inline`, `--remarks-filter-missed='.*'`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from stepwell.ir.diagnostics import Diagnostic, report
from stepwell.ir.locations import place

KINDS = {"passed": "Passed", "missed": "Missed", "failed": "Failure", "analyse": "Analysis"}
"""The kinds of remarks, as flags name them, and as they are written."""


@dataclass(frozen=True)
class OptimizationRemark:
    """One remark. `location` is `file:line:col` or None."""

    kind: str
    name: str
    category: str
    function: str
    arguments: Mapping[str, str]
    location: str | None

    def __str__(self) -> str:
        """`[Passed] licm | Category:licm | Function=f | Reason="..."`"""
        function = f"Function={self.function} | " if self.function else ""
        stated = ", ".join(f"{key}={_quoted(value)}" for key, value in sorted(self.arguments.items()))
        return f"[{KINDS[self.kind]}] {self.name} | Category:{self.category} | {function}{stated}"

    def yaml(self) -> str:
        """A document of LLVM's format for remarks."""
        lines = [f"--- !{KINDS[self.kind]}", f"Pass:            {self.category}", f"Name:            {self.name}"]
        if self.location is not None and (match := re.match(r"(.*):(\d+):(\d+)$", self.location)):
            lines.append(f"DebugLoc:        {{ File: {_yaml_text(match[1])}, Line: {match[2]}, Column: {match[3]} }}")
        lines.append(f"Function:        {self.function or '<unknown function>'}")
        lines += ["Args:", *(f"  - {key + ':':<16} {_yaml_text(value)}" for key, value in self.arguments.items())] if self.arguments else []
        return "\n".join([*lines, "...", ""])


Handler = Callable[[OptimizationRemark], None]

_asked: list[tuple[Mapping[str, re.Pattern[str]], Handler]] = []
"""Which categories of each kind somebody wants to hear of, and who; the innermost last."""


def say(remark: OptimizationRemark) -> None:
    """Hand a remark on as a diagnostic: `--remark-format=emitRemark`."""
    report(Diagnostic("remark", str(remark), remark.location))


@contextmanager
def listening(filters: Mapping[str, str], handler: Handler = say) -> Generator[None]:
    """What is said inside of the `with` goes to `handler`. `filters` has a regular expression for whole categories by kind of remark."""
    _asked.append(({kind: re.compile(filter) for kind, filter in filters.items()}, handler))
    try:
        yield
    finally:
        _asked.pop()


def is_asked(kind: str, category: str) -> bool:
    """Whether anybody wants such remarks, for passes that would have to work for one."""
    return bool(_asked) and (filter := _asked[-1][0].get(kind)) is not None and filter.fullmatch(category) is not None


def passed(op: Operation, name: str, *, category: str | None = None, **arguments: str) -> None:
    """A transformation was done at `op`."""
    _remark("passed", op, name, category or name, arguments)


def missed(op: Operation, name: str, *, category: str | None = None, **arguments: str) -> None:
    """A transformation was not done at `op`; `Reason` says why."""
    _remark("missed", op, name, category or name, arguments)


def failed(op: Operation, name: str, *, category: str | None = None, **arguments: str) -> None:
    """A transformation was tried at `op` and could not be done."""
    _remark("failed", op, name, category or name, arguments)


def analysed(op: Operation, name: str, *, category: str | None = None, **arguments: str) -> None:
    """Something was found out about `op`."""
    _remark("analyse", op, name, category or name, arguments)


def _remark(kind: str, op: Operation, name: str, category: str, arguments: Mapping[str, str]) -> None:
    if is_asked(kind, category):
        _asked[-1][1](OptimizationRemark(kind, name, category, _function(op), arguments, place(op)))


def _function(op: Operation) -> str:
    """The name of the function that `op` is, or stands in."""
    current: Operation | None = op
    while current is not None:
        symbol = current.properties.get("sym_name")
        if isinstance(symbol, StringAttr) and "function_type" in current.properties:
            return symbol.data
        current = current.parent_op()
    return ""


def _quoted(text: str) -> str:
    return f'"{text}"' if any(character in text for character in " ,{}") else text


def _yaml_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
