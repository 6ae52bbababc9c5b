"""Common subexpressions: of equal pure operations only the first stays.

In: any module of pure `nn`, `arith` and `tensor` ops. Out: the same module without repetitions; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Block, Operation
from xdsl.traits import Pure

from stepwell.ir.passes import Pass
from stepwell.ir.payloads import Payload


@dataclass(frozen=True)
class Cse(Pass):
    """Replace an operation by an equal one that dominates it.

    ```mlir
    %a = nn.relu %x : tensor<4xf32>
    %b = nn.relu %x : tensor<4xf32>
    %c = nn.add %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    ```
    becomes
    ```mlir
    %a = nn.relu %x : tensor<4xf32>
    %c = nn.add %a, %a : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    ```
    """

    name: ClassVar[str] = "nn-cse"

    def run(self, op: Operation, ctx: Context) -> None:
        for region in op.regions:
            for block in region.blocks:
                _simplify(block, {})


def _simplify(block: Block, outer: dict[Hashable, Operation]) -> None:
    seen = dict(outer)
    for op in list(block.ops):
        if op.regions:
            # A function sees nothing of its surroundings; a loop body sees what stands before the loop.
            inner = {} if op.name == "func.func" else seen
            for region in op.regions:
                for nested in region.blocks:
                    _simplify(nested, inner)
            continue
        if not op.results or not op.has_trait(Pure):
            continue
        first = seen.setdefault(_key(op), op)
        if first is op:
            continue
        for old, new in zip(op.results, first.results, strict=True):
            old.replace_all_uses_with(new)
        op.detach()
        op.erase()


def _key(op: Operation) -> Hashable:
    value: Any = op.properties.get("value")
    if isinstance(value, DenseIntOrFPElementsAttr):
        return type(op), Payload(cast(DenseIntOrFPElementsAttr[Any], value).data.data), op.results[0].type
    return type(op), tuple(op.operands), frozenset(op.properties.items()), tuple(r.type for r in op.results)
