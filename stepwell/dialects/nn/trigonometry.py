"""Trigonometric and hyperbolic functions, element by element, and their inverses."""

from __future__ import annotations

import numpy as np
from xdsl.irdl import irdl_op_definition

from stepwell.dialects.nn.base import (
    Array,
)
from stepwell.dialects.nn.unary import UnaryOp


@irdl_op_definition
class SinOp(UnaryOp):
    """Sine, in radians.

    ```mlir
    %y = nn.sin %x : tensor<2x3xf32>
    ```
    """

    name = "nn.sin"

    def compute(self, x: Array) -> Array:
        return np.sin(x)


@irdl_op_definition
class CosOp(UnaryOp):
    """Cosine, in radians.

    ```mlir
    %y = nn.cos %x : tensor<2x3xf32>
    ```
    """

    name = "nn.cos"

    def compute(self, x: Array) -> Array:
        return np.cos(x)


@irdl_op_definition
class TanOp(UnaryOp):
    """Tangent, in radians.

    ```mlir
    %y = nn.tan %x : tensor<2x3xf32>
    ```
    """

    name = "nn.tan"

    def compute(self, x: Array) -> Array:
        return np.tan(x)


@irdl_op_definition
class AsinOp(UnaryOp):
    """Inverse sine; NaN outside [-1, 1].

    ```mlir
    %y = nn.asin %x : tensor<2x3xf32>
    ```
    """

    name = "nn.asin"

    def compute(self, x: Array) -> Array:
        return np.arcsin(x)


@irdl_op_definition
class AcosOp(UnaryOp):
    """Inverse cosine; NaN outside [-1, 1].

    ```mlir
    %y = nn.acos %x : tensor<2x3xf32>
    ```
    """

    name = "nn.acos"

    def compute(self, x: Array) -> Array:
        return np.arccos(x)


@irdl_op_definition
class AtanOp(UnaryOp):
    """Inverse tangent.

    ```mlir
    %y = nn.atan %x : tensor<2x3xf32>
    ```
    """

    name = "nn.atan"

    def compute(self, x: Array) -> Array:
        return np.arctan(x)


@irdl_op_definition
class SinhOp(UnaryOp):
    """Hyperbolic sine.

    ```mlir
    %y = nn.sinh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.sinh"

    def compute(self, x: Array) -> Array:
        return np.sinh(x)


@irdl_op_definition
class CoshOp(UnaryOp):
    """Hyperbolic cosine.

    ```mlir
    %y = nn.cosh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.cosh"

    def compute(self, x: Array) -> Array:
        return np.cosh(x)


@irdl_op_definition
class TanhOp(UnaryOp):
    """Hyperbolic tangent.

    ```mlir
    %y = nn.tanh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.tanh"

    def compute(self, x: Array) -> Array:
        return np.tanh(x)


@irdl_op_definition
class AsinhOp(UnaryOp):
    """Inverse hyperbolic sine.

    ```mlir
    %y = nn.asinh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.asinh"

    def compute(self, x: Array) -> Array:
        return np.arcsinh(x)


@irdl_op_definition
class AcoshOp(UnaryOp):
    """Inverse hyperbolic cosine; NaN below 1.

    ```mlir
    %y = nn.acosh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.acosh"

    def compute(self, x: Array) -> Array:
        return np.arccosh(x)


@irdl_op_definition
class AtanhOp(UnaryOp):
    """Inverse hyperbolic tangent; NaN outside [-1, 1].

    ```mlir
    %y = nn.atanh %x : tensor<2x3xf32>
    ```
    """

    name = "nn.atanh"

    def compute(self, x: Array) -> Array:
        return np.arctanh(x)
