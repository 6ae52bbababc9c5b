"""What exporters took apart is put together again: activations, norms, softmax, embeddings.

In: canonical level 1 (constants on the right, `relu` and `clip` spelled as such). Out: composite ops of `nn`, each of which means the
same as what it replaces, up to the rounding of the constants that the exporter wrote. The patterns stand in `raise_activations` and
`raise_norms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import apply_patterns
from stepwell.lowering.graph.raise_activations import ACTIVATIONS
from stepwell.lowering.graph.raise_embeddings import EMBEDDINGS
from stepwell.lowering.graph.raise_integer_products import INTEGER_PRODUCTS
from stepwell.lowering.graph.raise_norms import NORMS
from stepwell.lowering.graph.raise_quantised import QUANTISED


@dataclass(frozen=True)
class RaiseComposites(Pass):
    """Recognise composite ops by their meaning.

    ```mlir
    %three = nn.constant dense<3.0> : tensor<f32>
    %a = nn.add %x, %three : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
    %b = nn.clip %a min = 0.0 max = 6.0 : tensor<4xf32>
    %c = nn.mul %x, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    %six = nn.constant dense<6.0> : tensor<f32>
    %d = nn.div %c, %six : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
    ```
    becomes
    ```mlir
    %d = nn.hard_swish %x : tensor<4xf32>
    ```
    """

    name: ClassVar[str] = "nn-raise"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, ACTIVATIONS, NORMS, EMBEDDINGS, QUANTISED, INTEGER_PRODUCTS)
