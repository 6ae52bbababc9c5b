"""What must hold of branches beyond their definitions, with MLIR's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepwell.dialects.cf import WEIGHTS
from stepwell.ir.rules import Kind, Rule, fail, is_signless, operand, width


def _weights(op: Any) -> None:
    found = op.attributes.get(WEIGHTS)
    if found is None:
        return
    weights = [int(weight) for weight in found.get_values()]
    if len(weights) != len(op.successors):
        fail(f"expects number of branch weights to match number of successors: {len(weights)} vs {len(op.successors)}")
    if not any(weights):
        fail("branch weights cannot all be zero")


BOOL = Kind("1-bit signless integer", lambda type: is_signless(type) and width(type) == 1)

RULES: dict[str, Sequence[Rule]] = {
    "cf.cond_br": (operand(0, BOOL), _weights),
    "cf.assert": (operand(0, BOOL),),
}
