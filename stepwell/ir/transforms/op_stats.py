"""The pass `print-op-stats`: how many operations of each name there are, on the error stream."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import UnregisteredOp
from xdsl.ir import Operation

from stepwell.ir.analysis import unchanged
from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class PrintOpStats(Pass):
    """Count the operations, as a table or as JSON. The IR stays as it is."""

    name: ClassVar[str] = "print-op-stats"
    anchor: ClassVar[str] = "any"

    json: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        counts = Counter(inner.op_name.data if isinstance(inner, UnregisteredOp) else inner.name for inner in op.walk())
        sys.stderr.write(_as_json(counts) if self.json else _as_table(counts))
        unchanged()


def _as_json(counts: Counter[str]) -> str:
    return "{\n" + ",\n".join(f'  "{name}" : {counts[name]}' for name in sorted(counts)) + "\n}\n"


def _as_table(counts: Counter[str]) -> str:
    """Names below each other by their dot."""
    split = {name: name.partition(".") if "." in name else ("", "", name) for name in sorted(counts)}
    left = max((len(dialect) for dialect, _, _ in split.values()), default=0)
    right = max((len(rest) for _, _, rest in split.values()), default=0)
    lines = ["Operations encountered:", "-----------------------"]
    for name, (dialect, dot, rest) in split.items():
        lines.append(f"{dialect + dot if dot else ' ':>{left + 3}}{rest:<{right}} , {counts[name]}")
    return "\n".join(lines) + "\n"
