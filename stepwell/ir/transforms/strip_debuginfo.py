"""The pass `strip-debuginfo`: nothing knows where it came from any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC
from xdsl.ir import Operation

from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class StripDebuginfo(Pass):
    """Make the locations of operations and block arguments unknown.

    before:  %0 = arith.addi %a, %b : i32 loc("model.py":3:1)
    after:   %0 = arith.addi %a, %b : i32 loc(unknown)
    """

    name: ClassVar[str] = "strip-debuginfo"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in op.walk():
            inner.location = UNKNOWN_LOC
            for region in inner.regions:
                for block in region.blocks:
                    for argument in block.args:
                        argument.location = UNKNOWN_LOC
