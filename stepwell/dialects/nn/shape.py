"""Ops that move elements and compute nothing: reshape, transpose, broadcast, concatenation, slice, pad.

In: tensors of any element type. Out: tensors of the same element type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IntegerAttr, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def, var_operand_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    FLOAT,
    INT,
    LIST,
    RESULT_TYPE,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    attribute,
    broadcast_shapes,
    check_permutation,
    check_rank,
    check_same_element,
    extent_product,
    ints,
    number,
    same_extent,
    shape_text,
    tensor_type,
)
from stepwell.ir.diagnostics import CompileError


class TypedShapeOp(NnOp):
    """y is given by its type; its element type is that of x."""

    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    TYPED_RESULT: ClassVar[bool] = True

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type, if it has the operand's element type."""
        result: Any = attributes[RESULT_TYPE]
        check_same_element((operand_types[0], result), cls.name)
        return (result,)


@irdl_op_definition
class ReshapeOp(TypedShapeOp):
    """The same elements in row-major order in another shape.

    ```mlir
    %y = nn.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
    ```
    """

    name = "nn.reshape"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type, if it has as many elements."""
        (result,) = super().infer(operand_types, attributes)
        x = operand_types[0]
        if not same_extent(extent_product(x.get_shape()), extent_product(result.get_shape())):
            raise CompileError(f"nn.reshape: {x} and {result} differ in their number of elements")
        return (result,)

    def compute(self, x: Array) -> Array:
        shape = self.result_type.get_shape()
        return x.reshape(shape)


@irdl_op_definition
class TransposeOp(NnOp):
    """Axis d of the result is axis `permutation[d]` of the operand.

    ```mlir
    %y = nn.transpose %x permutation = [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
    ```
    """

    name = "nn.transpose"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    permutation: DenseArrayBase[Any] = prop_def(LIST)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The permuted shape."""
        shape, permutation = operand_types[0].get_shape(), ints(attributes["permutation"])
        check_permutation(permutation, len(shape), cls.name)
        return (tensor_type(tuple(shape[p] for p in permutation), operand_types[0].element_type),)

    def compute(self, x: Array) -> Array:
        return x.transpose(ints(self.permutation))


@irdl_op_definition
class BroadcastToOp(TypedShapeOp):
    """Numpy's broadcast to a shape: axes are aligned at the last, extents of 1 are repeated.

    ```mlir
    %y = nn.broadcast_to %x : tensor<3x1xf32> -> tensor<2x3x4xf32>
    ```
    """

    name = "nn.broadcast_to"

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type, if the operand broadcasts to it."""
        (result,) = super().infer(operand_types, attributes)
        have, want = operand_types[0].get_shape(), result.get_shape()
        joint = broadcast_shapes((have, want), cls.name)
        if len(joint) != len(want) or not all(same_extent(j, w) for j, w in zip(joint, want, strict=True)):
            raise CompileError(f"nn.broadcast_to: {shape_text(have)} does not broadcast to {shape_text(want)}")
        return (result,)

    def compute(self, x: Array) -> Array:
        return np.broadcast_to(x, self.result_type.get_shape())


@irdl_op_definition
class ConcatOp(NnOp):
    """The operands one after the other along an axis.

    ```mlir
    %y = nn.concat %a, %b axis = 1 : tensor<2x3xf32>, tensor<2x5xf32> -> tensor<2x8xf32>
    ```
    """

    name = "nn.concat"
    parts = var_operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Extents add up along the axis and agree elsewhere."""
        if not operand_types:
            raise CompileError("nn.concat needs an operand")
        element = check_same_element(operand_types, cls.name)
        check_rank(operand_types[0], 1, cls.name)
        axis = number(attributes["axis"])
        result = list(operand_types[0].get_shape())
        for type in operand_types[1:]:
            shape = type.get_shape()
            if len(shape) != len(result) or any(
                not same_extent(a, b) for d, (a, b) in enumerate(zip(shape, result, strict=True)) if d != axis
            ):
                raise CompileError(f"nn.concat: {operand_types[0]} and {type} cannot be joined along axis {axis}")
            for d, extent in enumerate(shape):
                if d == axis:
                    result[d] = DYNAMIC if DYNAMIC in (extent, result[d]) else extent + result[d]
                elif result[d] == DYNAMIC:
                    result[d] = extent
        return (tensor_type(tuple(result), element),)

    def compute(self, *parts: Array) -> Array:
        return np.concatenate(parts, number(self.axis))


@irdl_op_definition
class SliceOp(NnOp):
    """Along every axis the elements at start, start + step, ... before end (after it, if the step is negative).

    There is one start, end and step for each axis, and none of them counts from the end: with step -1, end -1 means down to element 0.

    ```mlir
    %y = nn.slice %x starts = [0, 5] ends = [2, -1] steps = [1, -2] : tensor<2x6xf32> -> tensor<2x3xf32>
    ```
    """

    name = "nn.slice"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    starts: DenseArrayBase[Any] = prop_def(LIST)
    ends: DenseArrayBase[Any] = prop_def(LIST)
    steps: DenseArrayBase[Any] = prop_def(LIST)

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """Step 1."""
        return {"steps": attribute((1,) * len(operand_types[0].shape.data))}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """ceil((end - start) / step) elements along every axis, all of them inside."""
        shape = operand_types[0].get_shape()
        starts, ends, steps = (ints(attributes[n]) for n in ("starts", "ends", "steps"))
        if not len(starts) == len(ends) == len(steps) == len(shape):
            raise CompileError(
                f"nn.slice: {len(shape)} axes need as many starts, ends and steps, got {list(starts)}, {list(ends)}, {list(steps)}"
            )
        result: list[int] = []
        for d, extent in enumerate(shape):
            if steps[d] == 0:
                raise CompileError(f"nn.slice: the step of axis {d} is 0")
            count = max(-((starts[d] - ends[d]) // steps[d]), 0)
            last = starts[d] + (count - 1) * steps[d]
            if count and (min(starts[d], last) < 0 or (extent != DYNAMIC and max(starts[d], last) >= extent)):
                raise CompileError(
                    f"nn.slice: elements {starts[d]} to {last} of axis {d} lie outside its extent {extent}",
                    hint="clamp and resolve negative bounds first",
                )
            result.append(count)
        return (tensor_type(tuple(result), operand_types[0].element_type),)

    def compute(self, x: Array) -> Array:
        for d, (start, end, step) in enumerate(zip(ints(self.starts), ints(self.ends), ints(self.steps), strict=True)):
            x = np.take(x, np.arange(start, end, step), axis=d)
        return x


PAD_MODES = ("constant", "reflect", "edge")


@irdl_op_definition
class PadOp(NnOp):
    """`low[d]` elements before and `high[d]` after axis d: a value, the axis reflected without its edge, or its edge repeated.

    ```mlir
    %y = nn.pad %x low = [0, 1] high = [0, 2] value = 1.0 : tensor<2x3xf32> -> tensor<2x6xf32>
    ```
    """

    name = "nn.pad"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    low: DenseArrayBase[Any] = prop_def(LIST)
    high: DenseArrayBase[Any] = prop_def(LIST)
    value: FloatAttr[Any] = prop_def(FLOAT)
    mode: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"value": 0.0, "mode": "constant"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """Every extent grows by its low and high."""
        shape, low, high, mode = operand_types[0].get_shape(), ints(attributes["low"]), ints(attributes["high"]), number(attributes["mode"])
        if not len(low) == len(high) == len(shape):
            raise CompileError(f"nn.pad: {len(shape)} axes need as many low and high, got {list(low)} and {list(high)}")
        if min((*low, *high), default=0) < 0:
            raise CompileError(f"nn.pad: low {list(low)} and high {list(high)} must not be negative", hint="nn.slice makes tensors smaller")
        if mode not in PAD_MODES:
            raise CompileError(f"nn.pad: mode is '{mode}'", hint=f"it may be {', '.join(PAD_MODES)}")
        for d, extent in enumerate(shape):
            needs = max(low[d], high[d]) + 1 if mode == "reflect" else 1
            if mode != "constant" and extent != DYNAMIC and max(low[d], high[d]) and extent < needs:
                raise CompileError(f"nn.pad: axis {d} of extent {extent} is too small to be padded by {max(low[d], high[d])} ({mode})")
        result = tuple(DYNAMIC if n == DYNAMIC else n + l + h for n, l, h in zip(shape, low, high, strict=True))
        return (tensor_type(result, operand_types[0].element_type),)

    def compute(self, x: Array) -> Array:
        widths = tuple(zip(ints(self.low), ints(self.high), strict=True))
        if self.mode.data == "constant":
            return np.pad(x, widths, constant_values=x.dtype.type(number(self.value)))
        mode: Any = self.mode.data
        return np.pad(x, widths, mode=mode)
