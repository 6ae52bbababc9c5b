"""ONNX control flow. Only a branch whose condition is known can be imported: it is put in place of the node."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter


@converter("If")
def _if(n: Node, condition: Value) -> Sequence[Value]:
    known = n.known(condition, "condition")
    if known.size != 1:
        n.fail(f"its condition has {known.size} elements, not one")
    results = n.branch(n.graph("then_branch" if bool(known.reshape(-1)[0]) else "else_branch"))
    return results  # type: ignore[return-value]
