"""Actions on paper: as lines of text, and as a trace that a browser shows on a time line.

In: actions (`stepwell.ir.rewrite.actions`) and changes of IR (`stepwell.ir.rewrite.mutations`). Out: text on a stream. Operations are
called by numbers that stay theirs from the moment they are first seen to the end of the run: #0 is the root, the others follow in the
order of the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from time import perf_counter_ns
from typing import TextIO

from xdsl.ir import Operation, OpResult, SSAValue

from stepwell.ir.locations import place
from stepwell.ir.rewrite.actions import APPLY_PATTERN, PASS, Watcher
from stepwell.ir.rewrite.mutations import MutationListener


class OpNumbers:
    """Operation -> its number. Holds on to the operations, so that no number is ever given twice."""

    def __init__(self, root: Operation) -> None:
        self._numbers: dict[Operation, int] = {op: number for number, op in enumerate(root.walk())}

    def of(self, op: Operation) -> int:
        """The number of `op`, a new one if it was never seen."""
        return self._numbers.setdefault(op, len(self._numbers))

    def knows(self, op: Operation) -> bool:
        """Whether `op` has a number already."""
        return op in self._numbers


class ActionLog(Watcher, MutationListener):
    """One line when an action begins, one for each change that it makes, one when it is done.

    `filter` holds places, `file`, `file:line` or `file:line:column`; only actions on operations there are written.
    """

    def __init__(self, root: Operation, stream: TextIO, filter: Sequence[str] = ()) -> None:
        self._numbers = OpNumbers(root)
        self._stream = stream
        self._filter = filter
        self._depth = 0
        self._muted = False

    def begins(self, tag: str, name: str, op: Operation) -> None:
        self._muted = bool(self._filter) and not self._is_wanted(op)
        verb = {APPLY_PATTERN: "pattern", PASS: "running"}.get(tag, "of")
        where = place(op)
        self._say(
            f"begins (no breakpoint) Action `{tag}` {verb} `{name}` on Operation {self._call(op)}" + (f" at {where}" if where else "")
        )
        self._depth += 1

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        self._depth -= 1
        outcome = "success" if changed else f"failure: {reason}" if reason else "failure"
        self._muted = bool(self._filter) and not self._is_wanted(op)
        self._say(f"completed `{tag}`" + ("" if tag == PASS and not reason else f" -> {outcome}"))

    def attached(self, op: Operation) -> None:
        is_new = not self._numbers.knows(op)
        self._note(f"{'created' if is_new else 'moved'} {self._call(op)}")
        if is_new:
            for inner in op.walk():
                self._numbers.of(inner)

    def dropped(self, op: Operation) -> None:
        if self._numbers.knows(op):
            self._note(f"erased {self._call(op)}")

    def replaced(self, old: SSAValue, new: SSAValue) -> None:
        self._note(f"replaced {self._value(old)} by {self._value(new)}")

    def operands_set(self, op: Operation) -> None:
        self._note(f"modified {self._call(op)}")

    def _call(self, op: Operation) -> str:
        return f"`{op.name}` (#{self._numbers.of(op)})"

    def _value(self, value: SSAValue) -> str:
        if not isinstance(value, OpResult):
            return "a block argument"
        return self._call(value.op) + (f" result {value.index}" if len(value.op.results) > 1 else "")

    def _is_wanted(self, op: Operation) -> bool:
        where = place(op) or ""
        return any(where == wanted or where.startswith(f"{wanted}:") for wanted in self._filter)

    def _say(self, line: str) -> None:
        if not self._muted:
            self._stream.write(f"[thread mlopt] {line}\n")

    def _note(self, line: str) -> None:
        if not self._muted:
            self._stream.write(f"{'  ' * self._depth}{line}\n")


class ActionTrace(Watcher):
    """A trace in Chrome's format (chrome://tracing, Perfetto): one interval for each action."""

    def __init__(self) -> None:
        self._events: list[dict[str, object]] = []
        self._began = perf_counter_ns()

    def begins(self, tag: str, name: str, op: Operation) -> None:
        description = f"`{tag}` running `{name}` on Operation `{op.name}`"
        self._event("B", tag, args={"desc": description, "name": name, "op": op.name, "loc": place(op) or "unknown"})

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        self._event("E", tag, args={"changed": changed, **({"reason": reason} if reason else {})})

    def _event(self, phase: str, tag: str, args: dict[str, object]) -> None:
        micros = (perf_counter_ns() - self._began) / 1000
        self._events.append({"name": tag, "cat": "PERF", "ph": phase, "pid": 0, "tid": 0, "ts": micros, "args": args})

    def text(self) -> str:
        """The whole trace, JSON with one event a line."""
        return "[" + ",\n".join(json.dumps(event) for event in self._events) + "]\n"
