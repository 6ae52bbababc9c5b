"""Activation functions: elementwise ops of one operand on floats (`nn.relu` on any number).

In: one tensor. Out: a tensor of the same type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import FloatAttr, StringAttr
from xdsl.irdl import irdl_op_definition, prop_def

from stepwell.dialects.nn.base import FLOAT, TEXT, Array, Attributes, PythonValue, Tensor, number
from stepwell.dialects.nn.unary import UnaryOp, erf
from stepwell.ir.diagnostics import CompileError


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); exp may overflow to infinity, which gives 0."""
    return 1 / (1 + np.exp(-x))


@irdl_op_definition
class SigmoidOp(UnaryOp):
    """1 / (1 + exp(-x)).

    ```mlir
    %y = nn.sigmoid %x : tensor<2x3xf32>
    ```
    """

    name = "nn.sigmoid"

    def compute(self, x: Array) -> Array:
        return sigmoid(x)


@irdl_op_definition
class ReluOp(UnaryOp):
    """max(x, 0); NaN stays NaN.

    ```mlir
    %y = nn.relu %x : tensor<2x3xf32>
    ```
    """

    name = "nn.relu"
    ACCEPTS: ClassVar[str] = "number"

    def compute(self, x: Array) -> Array:
        return np.maximum(x, x.dtype.type(0))


@irdl_op_definition
class LeakyReluOp(UnaryOp):
    """x where x >= 0, else alpha x.

    ```mlir
    %y = nn.leaky_relu %x alpha = 0.1 : tensor<2x3xf32>
    ```
    """

    name = "nn.leaky_relu"
    alpha: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 0.01}

    def compute(self, x: Array) -> Array:
        return np.where(x >= 0, x, number(self.alpha) * x)


@irdl_op_definition
class EluOp(UnaryOp):
    """x where x > 0, else alpha (exp(x) - 1).

    ```mlir
    %y = nn.elu %x alpha = 0.5 : tensor<2x3xf32>
    ```
    """

    name = "nn.elu"
    alpha: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 1.0}

    def compute(self, x: Array) -> Array:
        return np.where(x > 0, x, number(self.alpha) * np.expm1(x))


@irdl_op_definition
class SeluOp(UnaryOp):
    """gamma times (x where x > 0, else alpha (exp(x) - 1)). Source: Klambauer et al. 2017.

    ```mlir
    %y = nn.selu %x alpha = 1.5 gamma = 2.0 : tensor<2x3xf32>
    ```
    """

    name = "nn.selu"
    alpha: FloatAttr = prop_def(FLOAT)
    gamma: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}

    def compute(self, x: Array) -> Array:
        return number(self.gamma) * np.where(x > 0, x, number(self.alpha) * np.expm1(x))


@irdl_op_definition
class CeluOp(UnaryOp):
    """max(x, 0) + min(0, alpha (exp(x / alpha) - 1)). Source: Barron 2017.

    ```mlir
    %y = nn.celu %x alpha = 2.0 : tensor<2x3xf32>
    ```
    """

    name = "nn.celu"
    alpha: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 1.0}

    def compute(self, x: Array) -> Array:
        return np.maximum(x, 0) + np.minimum(0, number(self.alpha) * np.expm1(x / number(self.alpha)))


@irdl_op_definition
class GeluOp(UnaryOp):
    """x times the normal distribution function of x; `approximate = "tanh"` is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Source: Hendrycks and Gimpel 2016, section 2.

    ```mlir
    %y = nn.gelu %x approximate = "tanh" : tensor<2x3xf32>
    ```
    """

    name = "nn.gelu"
    approximate: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"approximate": "none"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the operand."""
        if number(attributes["approximate"]) not in ("none", "tanh"):
            raise CompileError(f"nn.gelu: approximate is {attributes['approximate']}", hint='it may be "none" or "tanh"')
        return super().infer(operand_types, attributes)

    def compute(self, x: Array) -> Array:
        if self.approximate.data == "tanh":
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
        return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


@irdl_op_definition
class SiluOp(UnaryOp):
    """x times sigmoid(x).

    ```mlir
    %y = nn.silu %x : tensor<2x3xf32>
    ```
    """

    name = "nn.silu"

    def compute(self, x: Array) -> Array:
        return x * sigmoid(x)


@irdl_op_definition
class MishOp(UnaryOp):
    """x tanh(softplus(x)). Source: Misra 2019.

    ```mlir
    %y = nn.mish %x : tensor<2x3xf32>
    ```
    """

    name = "nn.mish"

    def compute(self, x: Array) -> Array:
        return x * np.tanh(np.logaddexp(x, x.dtype.type(0)))


@irdl_op_definition
class SoftplusOp(UnaryOp):
    """log(1 + exp(x)), without overflow.

    ```mlir
    %y = nn.softplus %x : tensor<2x3xf32>
    ```
    """

    name = "nn.softplus"

    def compute(self, x: Array) -> Array:
        return np.logaddexp(x, x.dtype.type(0))


@irdl_op_definition
class SoftsignOp(UnaryOp):
    """x / (1 + |x|).

    ```mlir
    %y = nn.softsign %x : tensor<2x3xf32>
    ```
    """

    name = "nn.softsign"

    def compute(self, x: Array) -> Array:
        return x / (1 + np.abs(x))


@irdl_op_definition
class HardSigmoidOp(UnaryOp):
    """max(0, min(1, alpha x + beta)).

    ```mlir
    %y = nn.hard_sigmoid %x alpha = 0.25 : tensor<2x3xf32>
    ```
    """

    name = "nn.hard_sigmoid"
    alpha: FloatAttr = prop_def(FLOAT)
    beta: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 0.2, "beta": 0.5}

    def compute(self, x: Array) -> Array:
        return np.clip(number(self.alpha) * x + number(self.beta), 0, 1)


@irdl_op_definition
class HardSwishOp(UnaryOp):
    """x max(0, min(1, x / 6 + 1 / 2)). Source: Howard et al. 2019, section 5.2.

    ```mlir
    %y = nn.hard_swish %x : tensor<2x3xf32>
    ```
    """

    name = "nn.hard_swish"

    def compute(self, x: Array) -> Array:
        return x * np.clip(x * (1 / 6) + 0.5, 0, 1)


@irdl_op_definition
class ThresholdedReluOp(UnaryOp):
    """x where x > alpha, else 0.

    ```mlir
    %y = nn.thresholded_relu %x alpha = 0.5 : tensor<2x3xf32>
    ```
    """

    name = "nn.thresholded_relu"
    alpha: FloatAttr = prop_def(FLOAT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"alpha": 1.0}

    def compute(self, x: Array) -> Array:
        return np.where(x > number(self.alpha), x, x.dtype.type(0))
