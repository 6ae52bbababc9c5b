"""Elementwise ops of one operand: y[i] = f(x[i]), shape and element type kept.

In: one tensor. Out: a tensor of the same type (`i1` for the tests for NaN and infinity, any element type for `nn.cast`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.dialects.builtin import Float8E8M0FNUType, FloatAttr, IntegerAttr, StringAttr, i1
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    BOOL,
    FLOAT,
    RESULT_TYPE,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    check_element,
    compatible,
    number,
    tensor_type,
)
from stepwell.dialects.nn.conversions import ROUND_MODES, convert
from stepwell.ir.constants import NARROW_FLOATS, dtype_of
from stepwell.ir.diagnostics import CompileError


def erf(x: Array) -> Array:
    """The error function, element by element in double precision."""
    elementwise: Any = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(elementwise(x.astype(np.float64))).astype(x.dtype) if x.size else x


class UnaryOp(NnOp):
    """y[i] = f(x[i]). A member says which element types it takes (`ACCEPTS`) and its meaning on an array (`compute`)."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)

    ACCEPTS: ClassVar[str] = "float"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the operand."""
        check_element(cls.ACCEPTS, operand_types[0], cls.name)
        return (operand_types[0],)


@irdl_op_definition
class AbsOp(UnaryOp):
    """Absolute value; of the smallest integer it is that integer itself.

    ```mlir
    %y = nn.abs %x : tensor<2x3xf32>
    ```
    """

    name = "nn.abs"
    ACCEPTS: ClassVar[str] = "number"

    def compute(self, x: Array) -> Array:
        return np.abs(x)


@irdl_op_definition
class NegOp(UnaryOp):
    """Negation, modulo 2^n on integers.

    ```mlir
    %y = nn.neg %x : tensor<2x3xf32>
    ```
    """

    name = "nn.neg"
    ACCEPTS: ClassVar[str] = "number"

    def compute(self, x: Array) -> Array:
        return np.negative(x)


@irdl_op_definition
class ExpOp(UnaryOp):
    """e to the power x.

    ```mlir
    %y = nn.exp %x : tensor<2x3xf32>
    ```
    """

    name = "nn.exp"

    def compute(self, x: Array) -> Array:
        return np.exp(x)


@irdl_op_definition
class LogOp(UnaryOp):
    """Natural logarithm; NaN below 0, -inf at 0.

    ```mlir
    %y = nn.log %x : tensor<2x3xf32>
    ```
    """

    name = "nn.log"

    def compute(self, x: Array) -> Array:
        return np.log(x)


@irdl_op_definition
class SqrtOp(UnaryOp):
    """Square root; NaN below 0.

    ```mlir
    %y = nn.sqrt %x : tensor<2x3xf32>
    ```
    """

    name = "nn.sqrt"

    def compute(self, x: Array) -> Array:
        return np.sqrt(x)


@irdl_op_definition
class RsqrtOp(UnaryOp):
    """1 / sqrt(x).

    ```mlir
    %y = nn.rsqrt %x : tensor<2x3xf32>
    ```
    """

    name = "nn.rsqrt"

    def compute(self, x: Array) -> Array:
        return 1 / np.sqrt(x)


@irdl_op_definition
class ReciprocalOp(UnaryOp):
    """1 / x.

    ```mlir
    %y = nn.reciprocal %x : tensor<2x3xf32>
    ```
    """

    name = "nn.reciprocal"

    def compute(self, x: Array) -> Array:
        return 1 / x


@irdl_op_definition
class ErfOp(UnaryOp):
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    ```mlir
    %y = nn.erf %x : tensor<2x3xf32>
    ```
    """

    name = "nn.erf"

    def compute(self, x: Array) -> Array:
        return erf(x)


@irdl_op_definition
class CeilOp(UnaryOp):
    """The least integer that is not less.

    ```mlir
    %y = nn.ceil %x : tensor<2x3xf32>
    ```
    """

    name = "nn.ceil"

    def compute(self, x: Array) -> Array:
        return np.ceil(x)


@irdl_op_definition
class FloorOp(UnaryOp):
    """The greatest integer that is not greater.

    ```mlir
    %y = nn.floor %x : tensor<2x3xf32>
    ```
    """

    name = "nn.floor"

    def compute(self, x: Array) -> Array:
        return np.floor(x)


@irdl_op_definition
class RoundOp(UnaryOp):
    """The nearest integer, ties to even.

    ```mlir
    %y = nn.round %x : tensor<2x3xf32>
    ```
    """

    name = "nn.round"

    def compute(self, x: Array) -> Array:
        return np.rint(x)


@irdl_op_definition
class SignOp(UnaryOp):
    """-1, 0 or 1; NaN stays NaN.

    ```mlir
    %y = nn.sign %x : tensor<2x3xf32>
    ```
    """

    name = "nn.sign"
    ACCEPTS: ClassVar[str] = "number"

    def compute(self, x: Array) -> Array:
        return np.sign(x)


@irdl_op_definition
class NotOp(UnaryOp):
    """Logical negation.

    ```mlir
    %y = nn.not %x : tensor<2x3xi1>
    ```
    """

    name = "nn.not"
    ACCEPTS: ClassVar[str] = "bool"

    def compute(self, x: Array) -> Array:
        return np.logical_not(x)


@irdl_op_definition
class BitwiseNotOp(UnaryOp):
    """Every bit inverted.

    ```mlir
    %y = nn.bitwise_not %x : tensor<2x3xi32>
    ```
    """

    name = "nn.bitwise_not"
    ACCEPTS: ClassVar[str] = "bits"

    def compute(self, x: Array) -> Array:
        return np.invert(x)


class FloatTestOp(UnaryOp):
    """A test of a float: the result is `i1`."""

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The operand's shape with `i1`."""
        check_element("float", operand_types[0], cls.name)
        return (tensor_type(operand_types[0].get_shape(), i1),)


@irdl_op_definition
class IsNanOp(FloatTestOp):
    """Whether x is not a number.

    ```mlir
    %y = nn.is_nan %x : tensor<2x3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.is_nan"

    def compute(self, x: Array) -> Array:
        return np.isnan(x)


@irdl_op_definition
class IsInfOp(FloatTestOp):
    """Whether x is positive infinity (if `detect_positive`) or negative infinity (if `detect_negative`).

    ```mlir
    %y = nn.is_inf %x detect_negative = false : tensor<2x3xf32> -> tensor<2x3xi1>
    ```
    """

    name = "nn.is_inf"
    detect_negative: IntegerAttr[Any] = prop_def(BOOL)
    detect_positive: IntegerAttr[Any] = prop_def(BOOL)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"detect_negative": True, "detect_positive": True}

    def compute(self, x: Array) -> Array:
        return (np.isposinf(x) & number(self.detect_positive)) | (np.isneginf(x) & number(self.detect_negative))


@irdl_op_definition
class ClipOp(UnaryOp):
    """min(max(x, min), max); an absent bound does not bound, and `max` wins where min > max.

    ```mlir
    %y = nn.clip %x min = 0.0 max = 6.0 : tensor<2x3xf32>
    ```
    """

    name = "nn.clip"
    min: FloatAttr[Any] | None = opt_prop_def(FLOAT)
    max: FloatAttr[Any] | None = opt_prop_def(FLOAT)
    ACCEPTS: ClassVar[str] = "number"
    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"min", "max"})

    def compute(self, x: Array) -> Array:
        low, high = self.bounds(x.dtype)
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)

    def bounds(self, dtype: np.dtype[Any]) -> tuple[Any | None, Any | None]:
        """The bounds in an element type; what an integer type cannot hold becomes its own bound (rounded inwards)."""
        result: list[Any] = []
        for value, inward in ((self.min, math.ceil), (self.max, math.floor)):
            bound = None if value is None else value.value.data
            if bound is not None and dtype.kind in "iu":
                limits = np.iinfo(dtype)
                bound = limits.min if bound <= limits.min else limits.max if bound >= limits.max else inward(bound)
            result.append(None if bound is None else dtype.type(bound))
        return result[0], result[1]


@irdl_op_definition
class CastOp(NnOp):
    """The same numbers in another element type: to integers rounded towards zero, to `i1` whether it is not 0, among integers modulo 2^n.

    ```mlir
    %y = nn.cast %x : tensor<2x3xf32> -> tensor<2x3xi8>
    ```
    A float that the integer type cannot hold gives an unspecified integer. `saturate` and `round_mode` concern floats of at most 8 bits and
    are allowed for those only; what they say stands in `stepwell.dialects.nn.conversions`. Left out they are `true` and `"up"`.
    """

    name = "nn.cast"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    saturate: IntegerAttr[Any] | None = opt_prop_def(BOOL)
    round_mode: StringAttr | None = opt_prop_def(TEXT)
    TYPED_RESULT: ClassVar[bool] = True
    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"saturate", "round_mode"})

    @classmethod
    def make_to(cls, x: SSAValue, element: Attribute, like: CastOp | None = None) -> CastOp:
        """Cast to an element type, in the manner of another cast."""
        result = tensor_type(cast(Tensor, x.type).get_shape(), element)
        return cls.make(x, **({} if like is None else like.properties), result_type=result)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type, which must have the operand's shape."""
        result: Any = attributes[RESULT_TYPE]
        if not compatible(tensor_type(result.get_shape(), operand_types[0].element_type), operand_types[0]):
            raise CompileError(f"nn.cast: shapes of {operand_types[0]} and {result} differ", hint="nn.reshape changes shapes")
        if len(attributes) > 1:
            _check_manner(result.element_type, {k: v for k, v in attributes.items() if k != RESULT_TYPE})
        return (result,)

    @property
    def saturates(self) -> bool:
        """What becomes of numbers that a narrow float cannot hold: its largest, or what else it has for them."""
        return self.saturate is None or bool(number(self.saturate))

    @property
    def rounding(self) -> str:
        """How powers of two are chosen: up, down or nearest."""
        return "up" if self.round_mode is None else str(number(self.round_mode))

    def evaluate(self, *arrays: Array) -> tuple[Array, ...]:
        """Straight from type to type."""
        return (convert(arrays[0], dtype_of(self.result_type.element_type), self.saturates, self.rounding),)


def _check_manner(to: Attribute, manner: Attributes) -> None:
    """`saturate` is for narrow floats, `round_mode` for powers of two."""
    mode = manner.get("round_mode")
    if type(to) not in NARROW_FLOATS or (mode is not None and not isinstance(to, Float8E8M0FNUType)):
        hint = "saturate is for floats of at most 8 bits, round_mode for f8E8M0FNU"
        raise CompileError(f"nn.cast: {', '.join(manner)} means nothing for a result of type {to}", hint=hint)
    if mode is not None and number(mode) not in ROUND_MODES:
        raise CompileError(f"nn.cast: round_mode is one of {', '.join(ROUND_MODES)}, not {number(mode)!r}")
