"""Weights in eight bits stay so in a product: a quarter of the bytes to wait for.

In: level 1 before constants are folded, `matmul(x, cast(w) * scale)` with constant `i8` weights and one scale, or one for each column. Out:
`matmul(x, w) * scale`, whose weights are widened in registers. With few rows, which wait for their weights, that is up to four times as
fast as weights folded to f32; with many it is level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import f32, i8
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import Array
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import aligned, constant_array, constant_attribute, element_of, made_by, shape_of

LEAST_BYTES = 1 << 16
"""Of weights; less stays in the first caches in any type."""


def narrow_weights(op: nn.MatmulOp, site: Site) -> Replacement:
    """matmul(x, cast(w) * scale) -> matmul(x, w) * scale"""
    if element_of(op.y) != f32 or len(shape_of(op.a)) < 2 or len(shape_of(op.b)) != 2:
        return None
    found = _scaled_bytes(op.b)
    if found is None:
        return None
    weights, scale = found
    product = site.make(nn.MatmulOp, op.a, weights)
    return product if scale is None else site.make(nn.MulOp, product, site.constant(np.array(scale, order="C")))


def _scaled_bytes(value: SSAValue) -> tuple[SSAValue, Array | None] | None:
    """Constant bytes and the scale by which they are multiplied, of one number or one for each column."""
    scale = None
    if (product := made_by(value, nn.MulOp)) is not None:
        value, factor = (product.b, product.a) if constant_attribute(product.b) is None else (product.a, product.b)
        array = constant_array(factor)
        if array is None or aligned(array.shape, 2)[0] != 1 or array.ndim > 2:
            return None
        scale = array.reshape(-1) if array.size > 1 else array.reshape(())
    cast = made_by(value, nn.CastOp)
    if cast is None or element_of(cast.x) != i8 or constant_attribute(cast.x) is None:
        return None
    if len(shape_of(cast.x)) != 2 or prod(shape_of(cast.x)) < LEAST_BYTES:
        return None
    return cast.x, scale


WEIGHTS: Mapping[type[Operation], Sequence[Pattern]] = {nn.MatmulOp: (narrow_weights,)}


@dataclass(frozen=True)
class KeepNarrowWeights(Pass):
    """Multiply by the bytes of quantised weights.

    ```mlir
    %w = nn.constant dense<...> : tensor<384x1536xi8>
    %f = nn.cast %w : tensor<384x1536xi8> -> tensor<384x1536xf32>
    %s = nn.mul %f, %scale : tensor<384x1536xf32>, tensor<1x1536xf32> -> tensor<384x1536xf32>
    %y = nn.matmul %x, %s : tensor<16x384xf32>, tensor<384x1536xf32> -> tensor<16x1536xf32>
    ```
    becomes
    ```mlir
    %p = nn.matmul %x, %w : tensor<16x384xf32>, tensor<384x1536xi8> -> tensor<16x1536xf32>
    %y = nn.mul %p, %scale : tensor<16x1536xf32>, tensor<1536xf32> -> tensor<16x1536xf32>
    ```
    """

    name: ClassVar[str] = "nn-keep-narrow-weights"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, WEIGHTS)
