"""What is said about derivatives alone: where they stop, and what is computed again for them.

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


@irdl_op_definition
class RecomputeOp(NnOp):
    """x, for what is computed from it once more: an equal computation from x itself is another one, and keeps its place in the program.

    It means something until kernels have been formed; `nn-form-kernels` removes it.

    ```mlir
    %y = nn.recompute %x : tensor<2x3xf32>
    ```
    """

    name = "nn.recompute"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the operand."""
        return (operand_types[0],)

    def compute(self, x: Array) -> Array:
        return x
