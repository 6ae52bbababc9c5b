"""The instrumentation that prints IR around passes, in upstream's format.

// -----// IR Dump After Cse (nn-cse) //----- //
func.func @f() { ... }
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from stepwell.ir.pass_manager import Instrumentation
from stepwell.ir.passes import Pass
from stepwell.ir.printing import PrintOptions, print_ir

EVERY_PASS = frozenset({"*"})
"""A set of pass names that holds them all."""


@dataclass(frozen=True)
class DumpOptions:
    """When to print; the fields are flags of `mlopt`. A set of names selects passes."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    only_changes: bool = False
    """Print after any pass that has changed the text of what it ran on."""
    on_failure: bool = False
    module_scope: bool = False
    """Print the whole module even if the pass ran on a part of it."""

    @property
    def wanted(self) -> bool:
        """Whether anything is to be printed at all."""
        return bool(self.before or self.after or self.only_changes or self.on_failure)


class IRDumping(Instrumentation):
    """Prints the IR that a pass runs on, before it, after it, or where it fails."""

    def __init__(self, options: DumpOptions, print_options: PrintOptions, stream: TextIO) -> None:
        self._options = options
        self._print_options = print_options
        self._stream = stream
        self._text_before = ""

    def before_pass(self, step: Pass, op: Operation) -> None:
        if self._options.only_changes:
            self._text_before = self._text(op)
        if _selected(step, self._options.before):
            self._dump("Before", step, op)

    def after_pass(self, step: Pass, op: Operation) -> None:
        changed = self._options.only_changes and self._text(op) != self._text_before
        if changed or _selected(step, self._options.after):
            self._dump("After", step, op)

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if self._options.on_failure:
            self._dump("After", step, op, " Failed")

    def _dump(self, when: str, step: Pass, op: Operation, suffix: str = "") -> None:
        target = f" ({_describe(op)})" if self._options.module_scope and op.parent is not None else ""
        self._stream.write(f"// -----// IR Dump {when} {type(step).__name__}{suffix} ({step.name}){target} //----- //\n")
        self._stream.write(self._text(op))
        self._stream.write("\n")

    def _text(self, op: Operation) -> str:
        return print_ir(_root(op) if self._options.module_scope else op, self._print_options)


def _selected(step: Pass, names: frozenset[str]) -> bool:
    return names is EVERY_PASS or step.name in names


def _root(op: Operation) -> Operation:
    while (parent := op.parent_op()) is not None:
        op = parent
    return op


def _describe(op: Operation) -> str:
    symbol = op.properties.get("sym_name")
    return f"'{op.name}' operation" + (f": @{symbol.data}" if isinstance(symbol, StringAttr) else "")
