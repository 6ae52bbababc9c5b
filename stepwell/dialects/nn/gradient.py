"""What is said to derivatives alone: where they stop.

In: one tensor. Out: the same tensor.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.irdl import irdl_op_definition, operand_def, result_def

from stepwell.dialects.nn.base import TENSOR, Array, Attributes, NnOp, Tensor


@irdl_op_definition
class StopGradientOp(NnOp):
    """x, whose derivative counts as zero. It means something until derivatives have been taken; `nn-decompose` removes it.

    ```mlir
    %y = nn.stop_gradient %x : tensor<2x3xf32>
    ```
    """

    name = "nn.stop_gradient"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the operand."""
        return (operand_types[0],)

    def compute(self, x: Array) -> Array:
        return x
