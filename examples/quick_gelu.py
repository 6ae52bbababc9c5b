"""A pass of one's own, from pattern to machine code: exact GELU becomes the quick one, x * sigmoid(1.702 x).

python examples/quick_gelu.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from tiny_model import tiny_model
from xdsl.context import Context
from xdsl.ir import Operation, SSAValue

import stepwell
from stepwell.dialects import nn
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import Site, apply_patterns


def quick(op: nn.GeluOp, site: Site) -> SSAValue:
    """gelu(x) -> x * sigmoid(1.702 x)"""
    scaled = site.make(nn.MulOp, op.x, site.splat(1.702, op.y.type))
    return site.make(nn.MulOp, op.x, site.make(nn.SigmoidOp, scaled))


@dataclass(frozen=True)
class QuickGelu(Pass):
    """Approximate GELU.

    ```mlir
    %y = nn.gelu %x : tensor<196x192xf32>
    ```
    becomes
    ```mlir
    %s = nn.mul %x, %c : ...
    %g = nn.sigmoid %s : ...
    %y = nn.mul %x, %g : ...
    ```
    """

    name: ClassVar[str] = "quick-gelu"

    def run(self, op: Operation, ctx: Context) -> None:
        """Rewrite every `nn.gelu` inside `op`."""
        apply_patterns(op, {nn.GeluOp: [quick]})


shapes = {"x": (196, 256)}
exact = stepwell.compile(tiny_model(), shapes)
# The model holds GELU as five operators: nn-raise, a pass of the compiler's own, recognises it first.
approximate = stepwell.compile(tiny_model(), shapes, passes=["nn-canonicalize,nn-raise", QuickGelu()])
print(exact.report().image.calls[0].kernel, "->", approximate.report().image.calls[0].kernel)
print(approximate.ir("nn", elide=8))

x = np.random.default_rng(1).standard_normal(shapes["x"], np.float32)
difference = np.abs(exact(x)["y"] - approximate(x)["y"]).max()
print(f"largest difference: {difference:.4f}")
assert 1e-4 < difference < 0.03
