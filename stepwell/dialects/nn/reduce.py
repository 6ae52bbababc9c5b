"""Reductions over axes, positions of extremes, running sums.

In: one tensor. Out: a tensor without the reduced axes, or with extent 1 there (`keepdims`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, i64
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    BOOL,
    INT,
    LIST,
    TENSOR,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    attribute,
    check_element,
    check_rank,
    ints,
    number,
    tensor_type,
)
from stepwell.dialects.nn.pool import lowest
from stepwell.ir.diagnostics import CompileError


def reduced_shape(shape: Sequence[int], axes: Sequence[int], keepdims: bool) -> tuple[int, ...]:
    """The shape that remains."""
    return tuple(1 if d in axes else extent for d, extent in enumerate(shape) if keepdims or d not in axes)


def highest(dtype: np.dtype[Any]) -> Any:
    """The neutral element of min."""
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


class ReduceOp(NnOp):
    """y = f over `axes` (all by default; none reduces nothing). A member gives `reduce` with an initial value for empty axes."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    axes: DenseArrayBase[Any] = prop_def(LIST)
    keepdims: IntegerAttr[Any] = prop_def(BOOL)
    ACCEPTS: ClassVar[str] = "number"

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """All axes, which vanish."""
        return {"axes": attribute(tuple(range(len(operand_types[0].shape.data)))), "keepdims": attribute(False)}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The shape without the axes, the same element type."""
        check_element(cls.ACCEPTS, operand_types[0], cls.name)
        shape = reduced_shape(operand_types[0].get_shape(), ints(attributes["axes"]), number(attributes["keepdims"]))
        return (tensor_type(shape, operand_types[0].element_type),)

    def compute(self, x: Array) -> Array:
        return self.reduce(x, ints(self.axes), number(self.keepdims))

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """The meaning of a member."""
        raise NotImplementedError(self.name)


@irdl_op_definition
class ReduceSumOp(ReduceOp):
    """The sum, modulo 2^n on integers; 0 of nothing.

    ```mlir
    %y = nn.reduce_sum %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_sum"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.sum(x, axes, keepdims=keepdims, dtype=x.dtype)


@irdl_op_definition
class ReduceMeanOp(ReduceOp):
    """The sum divided by the number of elements; rounded towards zero on integers.

    ```mlir
    %y = nn.reduce_mean %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_mean"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        total = np.sum(x, axes, keepdims=keepdims, dtype=x.dtype)
        count = x.dtype.type(np.prod([x.shape[a] for a in axes], dtype=np.int64))
        return total / count if x.dtype.kind == "f" else np.trunc(total / count)


@irdl_op_definition
class ReduceMaxOp(ReduceOp):
    """The greatest; NaN if there is one; the least value of the type of nothing. `or` on `i1`.

    ```mlir
    %y = nn.reduce_max %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_max"
    ACCEPTS: ClassVar[str] = "any"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.any(x, axes, keepdims=keepdims) if x.dtype == np.bool_ else np.max(x, axes, keepdims=keepdims, initial=lowest(x.dtype))


@irdl_op_definition
class ReduceMinOp(ReduceOp):
    """The least; NaN if there is one; the greatest value of the type of nothing. `and` on `i1`.

    ```mlir
    %y = nn.reduce_min %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_min"
    ACCEPTS: ClassVar[str] = "any"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.all(x, axes, keepdims=keepdims) if x.dtype == np.bool_ else np.min(x, axes, keepdims=keepdims, initial=highest(x.dtype))


@irdl_op_definition
class ReduceProdOp(ReduceOp):
    """The product, modulo 2^n on integers; 1 of nothing.

    ```mlir
    %y = nn.reduce_prod %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_prod"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.prod(x, axes, keepdims=keepdims, dtype=x.dtype)


@irdl_op_definition
class ReduceL1Op(ReduceOp):
    """The sum of absolute values.

    ```mlir
    %y = nn.reduce_l1 %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_l1"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.sum(np.abs(x), axes, keepdims=keepdims, dtype=x.dtype)


@irdl_op_definition
class ReduceL2Op(ReduceOp):
    """The square root of the sum of squares.

    ```mlir
    %y = nn.reduce_l2 %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_l2"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.sqrt(np.sum(x * x, axes, keepdims=keepdims, dtype=x.dtype).astype(x.dtype if x.dtype.kind == "f" else np.float64))


@irdl_op_definition
class ReduceLogSumExpOp(ReduceOp):
    """log of the sum of exp(x), by way of the maximum, so that nothing overflows; -inf of nothing.

    ```mlir
    %y = nn.reduce_log_sum_exp %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_log_sum_exp"
    ACCEPTS: ClassVar[str] = "float"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        top = np.max(x, axes, keepdims=True, initial=-np.inf)
        # Infinite maxima must not be subtracted from themselves.
        shift = cast(Array, np.where(np.isfinite(top), top, x.dtype.type(0)))
        result = np.log(np.sum(np.exp(x - shift), axes, keepdims=True)) + shift
        return result if keepdims else np.squeeze(result, axes)


@irdl_op_definition
class ReduceSumSquareOp(ReduceOp):
    """The sum of squares.

    ```mlir
    %y = nn.reduce_sum_square %x axes = [1] keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xf32>
    ```
    """

    name = "nn.reduce_sum_square"

    def reduce(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        return np.sum(x * x, axes, keepdims=keepdims, dtype=x.dtype)


class ArgOp(NnOp):
    """The position of an extreme along `axis` as `i64`: the first, or the last if `select_last`. NaN is every extreme."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    keepdims: IntegerAttr[Any] = prop_def(BOOL)
    select_last: IntegerAttr[Any] = prop_def(BOOL)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"keepdims": False, "select_last": False}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The shape without the axis, `i64`."""
        check_element("number", operand_types[0], cls.name)
        check_rank(operand_types[0], 1, cls.name)
        shape = operand_types[0].get_shape()
        axis = number(attributes["axis"])
        if shape[axis] == 0:
            raise CompileError(f"{cls.name}: axis {axis} is empty, nothing there is an extreme")
        return (tensor_type(reduced_shape(shape, (axis,), number(attributes["keepdims"])), i64),)

    def position(self, x: Array, function: Any) -> Array:
        """Where `np.argmax` or `np.argmin` finds the extreme."""
        axis, keepdims = number(self.axis), number(self.keepdims)
        if number(self.select_last):
            return x.shape[axis] - 1 - function(np.flip(x, axis), axis, keepdims=keepdims)
        return function(x, axis, keepdims=keepdims)


@irdl_op_definition
class ArgmaxOp(ArgOp):
    """The position of the greatest element along an axis.

    ```mlir
    %y = nn.argmax %x axis = 1 : tensor<2x3x4xf32> -> tensor<2x4xi64>
    ```
    """

    name = "nn.argmax"

    def compute(self, x: Array) -> Array:
        return self.position(x, np.argmax)


@irdl_op_definition
class ArgminOp(ArgOp):
    """The position of the least element along an axis.

    ```mlir
    %y = nn.argmin %x axis = 1 keepdims = true : tensor<2x3x4xf32> -> tensor<2x1x4xi64>
    ```
    """

    name = "nn.argmin"

    def compute(self, x: Array) -> Array:
        return self.position(x, np.argmin)


@irdl_op_definition
class CumsumOp(NnOp):
    """Running sums along an axis: of all elements up to this one, without it if `exclusive`, from the end if `reverse`.

    ```mlir
    %y = nn.cumsum %x axis = 1 exclusive = true : tensor<2x3xf32>
    ```
    """

    name = "nn.cumsum"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    exclusive: IntegerAttr[Any] = prop_def(BOOL)
    reverse: IntegerAttr[Any] = prop_def(BOOL)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"exclusive": False, "reverse": False}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the operand."""
        check_element("number", operand_types[0], cls.name)
        check_rank(operand_types[0], 1, cls.name)
        return (operand_types[0],)

    def compute(self, x: Array) -> Array:
        axis = number(self.axis)
        x = np.flip(x, axis) if number(self.reverse) else x
        y = np.cumsum(x, axis, dtype=x.dtype)
        if number(self.exclusive):
            y = np.roll(y, 1, axis)
            y[tuple(slice(0, 1) if d == axis else slice(None) for d in range(x.ndim))] = 0
        return np.flip(y, axis) if number(self.reverse) else y
