"""The instrumentation that prints IR around passes, in upstream's format, on a stream or into a tree of files.

// -----// IR Dump After CSE (cse) //----- //
func.func @f() { ... }
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.manager.pass_manager import Instrumentation
from stepwell.ir.passes import Pass
from stepwell.ir.text.printer import PrintOptions
from stepwell.ir.text.printing import print_ir

EVERY_PASS = frozenset({"*"})
"""A set of pass names that holds them all."""

TITLES = {
    "canonicalize": "Canonicalizer",
    "composite-fixed-point-pass": "CompositeFixedPointPass",
    "control-flow-sink": "ControlFlowSink",
    "cse": "CSE",
    "inline": "Inliner",
    "loop-invariant-code-motion": "LoopInvariantCodeMotion",
    "loop-invariant-subset-hoisting": "LoopInvariantSubsetHoisting",
    "mem2reg": "Mem2Reg",
    "remove-dead-values": "RemoveDeadValues",
    "sccp": "SCCP",
    "sroa": "SROA",
    "strip-debuginfo": "StripDebugInfo",
    "symbol-dce": "SymbolDCE",
    "symbol-privatize": "SymbolPrivatize",
    "topological-sort": "TopologicalSort",
}
"""What upstream calls its passes where it shows their classes."""


def title(step: Pass) -> str:
    """The name of a pass for people: upstream's, or that of its class."""
    return TITLES.get(step.name) or type(step).__name__


@dataclass(frozen=True)
class DumpOptions:
    """When to print; the fields are flags of `mlopt`. A set of names selects passes."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    only_changes: bool = False
    """Print after a pass only if it has changed the text of what it ran on; after any pass where `after` names none."""
    as_diff: bool = False
    """Print after a pass what it has changed, line by line, instead of everything."""
    on_failure: bool = False
    module_scope: bool = False
    """Print the whole module even if the pass ran on a part of it."""
    tree: Path | None = None
    """A folder to print into: a folder for each operation and a file for each time, instead of the stream."""

    @property
    def wanted(self) -> bool:
        """Whether anything is to be printed at all."""
        return bool(self.before or self.after or self.only_changes or self.as_diff or self.on_failure)


class IRDumping(Instrumentation):
    """Prints the IR that a pass runs on, before it, after it, or where it fails."""

    def __init__(self, options: DumpOptions, print_options: PrintOptions, stream: TextIO) -> None:
        self._options = options
        self._print_options = print_options
        self._stream = stream
        self._compares = options.only_changes or options.as_diff
        self._texts_before: list[str] = []
        """One for each running pass: a pass may run others."""
        self._counters: dict[Operation, int] = {}

    def before_pass(self, step: Pass, op: Operation) -> None:
        if self._compares:
            self._texts_before.append(self._text(op))
        if _selected(step, self._options.before):
            self._dump("Before", step, op, self._text(op))

    def after_pass(self, step: Pass, op: Operation) -> None:
        if not self._compares:
            if _selected(step, self._options.after):
                self._dump("After", step, op, self._text(op))
            return
        before, after = self._texts_before.pop(), self._text(op)
        if before != after and (not self._options.after or _selected(step, self._options.after)):
            self._dump("After", step, op, difference(before, after) if self._options.as_diff else after)

    def after_failure(self, step: Pass, op: Operation, error: Exception) -> None:
        if self._compares and self._texts_before:
            self._texts_before.pop()
        if self._options.on_failure:
            self._dump("After", step, op, self._text(op), " Failed")

    def _dump(self, when: str, step: Pass, op: Operation, text: str, suffix: str = "") -> None:
        target = f" ({describe(op)})" if self._options.module_scope else ""
        header = f"// -----// IR Dump {when} {title(step)}{suffix} ({step.name}){target} //----- //\n"
        if self._options.tree is None:
            self._stream.write(f"{header}{text}\n\n")
            return
        file = self._options.tree.joinpath(*_folders(op), f"{self._count(op)}_{step.name}.mlir")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{header}{text}\n\n", encoding="utf-8")
        except OSError as error:
            raise CompileError(f"cannot write '{file}': {error.strerror}", location="mlopt") from error

    def _count(self, op: Operation) -> str:
        """How often something was printed for each operation from the root to `op`: `0_2`."""
        self._counters[op] = self._counters.get(op, -1) + 1
        return "_".join(str(self._counters.setdefault(around, 0)) for around in _from_root(op))

    def _text(self, op: Operation) -> str:
        return print_ir(_root(op) if self._options.module_scope else op, self._print_options)


def difference(before: str, after: str) -> str:
    """The changed lines with three lines around them, as `diff -u` prints them, without its header."""
    from difflib import unified_diff

    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
    return "\n".join(lines) + "\n"


def describe(op: Operation) -> str:
    """`'func.func' operation: @f`"""
    symbol = _symbol(op)
    return f"'{op.name}' operation" + (f": @{symbol}" if symbol is not None else "")


def _symbol(op: Operation) -> str | None:
    symbol = op.properties.get("sym_name") or op.attributes.get("sym_name")
    return symbol.data if isinstance(symbol, StringAttr) else None


def _folders(op: Operation) -> Iterator[str]:
    for around in _from_root(op):
        symbol = _symbol(around)
        name = f"{around.name}_{'no-symbol-name' if symbol is None else symbol}"
        yield re.sub(r"[^\w-]", "_", name)


def _from_root(op: Operation) -> list[Operation]:
    chain = [op]
    while (parent := chain[-1].parent_op()) is not None:
        chain.append(parent)
    return chain[::-1]


def _selected(step: Pass, names: frozenset[str]) -> bool:
    return names is EVERY_PASS or step.name in names


def _root(op: Operation) -> Operation:
    return _from_root(op)[0]
