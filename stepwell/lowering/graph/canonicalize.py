"""Canonical forms of level 1: every thing has one spelling, the shortest.

In: level 1 as a frontend made it. Out: the same meaning with identities gone, constants on the right, chains of reshapes, transposes,
slices, casts and clips joined, `nn.batch_norm` with constant moments as a multiplication and an addition, and control flow on constants
decided. The patterns stand in `canonical_elementwise`, `canonical_shape` and `canonical_control`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.dialects import nn
from stepwell.dialects.nn.base import number
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.canonical_control import CONTROL
from stepwell.lowering.graph.canonical_elementwise import ELEMENTWISE
from stepwell.lowering.graph.canonical_shape import SHAPE
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import constant_array, shape_of


def batch_norm_with_constants(op: nn.BatchNormOp, site: Site) -> Replacement:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias -> x * a + b"""
    scale, bias, mean, variance = (constant_array(p) for p in op.operands[1:])
    if scale is None or bias is None or mean is None or variance is None:
        return None
    factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + number(op.epsilon))
    offset = bias.astype(np.float64) - mean.astype(np.float64) * factor
    rank, axis = len(shape_of(op.x)), number(op.axis)
    shape = [-1 if d == axis else 1 for d in range(rank)]
    a, b = (site.constant(v.astype(scale.dtype).reshape(shape)) for v in (factor, offset))
    return site.make(nn.AddOp, site.make(nn.MulOp, op.x, a), b)


NORMS: Mapping[type[Operation], Sequence[Pattern]] = {nn.BatchNormOp: (batch_norm_with_constants,)}


@dataclass(frozen=True)
class Canonicalize(Pass):
    """Apply the canonical patterns until none matches.

    ```mlir
    %one = nn.constant dense<1.0> : tensor<f32>
    %a = nn.mul %one, %x : tensor<f32>, tensor<2x3xf32> -> tensor<2x3xf32>
    %b = nn.transpose %a permutation = [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
    %c = nn.transpose %b permutation = [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
    %d = nn.max %c, %zero : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
    ```
    becomes
    ```mlir
    %d = nn.relu %x : tensor<2x3xf32>
    ```
    """

    name: ClassVar[str] = "nn-canonicalize"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, ELEMENTWISE, SHAPE, NORMS, CONTROL)
