"""`linalg-generalize-named-ops`: structured ops with names of their own in, `linalg.generic` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import linalg
from stepwell.ir.passes import Pass


def generalize(op: Any) -> linalg.GenericOp:
    """Put the generic op that computes the same in the place of a structured op. Discardable attributes are dropped, as upstream."""
    maps, iterators = op.get_indexing_maps(), op.get_iterator_types()
    body = op.detach_region(op.regions[0])
    generic = linalg.GenericOp(op.inputs, op.outputs, body, maps, iterators, op.result_types)
    generic.location = op.location
    for old, new in zip(op.results, generic.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.insert_op(generic, InsertPoint.before(op))
    Rewriter.replace_op(op, [], generic.results)
    return generic


@dataclass(frozen=True)
class GeneralizeNamedOps(Pass):
    """Spell out what named ops compute.

    before:  %r = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%c : tensor<4xf32>) -> tensor<4xf32>
    after:   %r = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%a, %b ...) outs(%c ...) {
             ^bb0(%in: f32, %in_0: f32, %out: f32):
               %0 = arith.addf %in, %in_0 : f32
               linalg.yield %0 : f32
             } -> tensor<4xf32>
    """

    name: ClassVar[str] = "linalg-generalize-named-ops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        named = (linalg.LinalgStructuredOperation, linalg.WholeDims)
        for inner in list(op.walk()):
            if isinstance(inner, named) and not isinstance(inner, linalg.GenericOp):
                generalize(inner)
