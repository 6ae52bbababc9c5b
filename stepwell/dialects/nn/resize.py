"""Resampling of any axes of a tensor, with the coordinate and rounding rules of ONNX Resize.

In: one tensor. Out: a tensor of the given shape. Every axis is resampled on its own by a table of taps: for each output position a few
input positions and weights (`taps`), which is also what the lowering reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, FloatAttr, IntegerAttr, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    BOOL,
    DYNAMIC,
    FLOAT,
    LIST,
    RESULT_TYPE,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    check_element,
    check_same_element,
    floats,
    number,
)
from stepwell.ir.diagnostics import CompileError

MODES = ("nearest", "linear", "cubic")
COORDINATE_MODES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "affine")
NEAREST_MODES = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@irdl_op_definition
class ResizeOp(NnOp):
    """Resample: output position o of an axis reads around the input coordinate that `coordinate_mode` gives, e.g. (o + 1/2) / scale - 1/2.

    `scales` has one number for each axis (1.0: the axis stays); the result type says the extents. `cubic_coefficient` is the a of
    Keys' cubic; `exclude_outside` renormalises weights of taps that lie outside; `antialias` widens the kernel where the scale is below 1.
    In coordinate mode `affine`, `origins` and `steps` have one number for each axis: o is at origin + step o.

    ```mlir
    %y = nn.resize %x mode = "linear" scales = [1.0, 1.0, 2.0, 2.0] : tensor<1x3x4x4xf32> -> tensor<1x3x8x8xf32>
    ```
    Source: ONNX operator Resize, version 19; Keys 1981 for the cubic.
    """

    name = "nn.resize"
    x = operand_def(TENSOR)
    y = result_def(TENSOR)
    mode: StringAttr = prop_def(TEXT)
    coordinate_mode: StringAttr = prop_def(TEXT)
    nearest_mode: StringAttr = prop_def(TEXT)
    cubic_coefficient: FloatAttr[Any] = prop_def(FLOAT)
    exclude_outside: IntegerAttr[Any] = prop_def(BOOL)
    antialias: IntegerAttr[Any] = prop_def(BOOL)
    scales: DenseArrayBase[Any] = prop_def(LIST)
    origins: DenseArrayBase[Any] | None = opt_prop_def(LIST)
    steps: DenseArrayBase[Any] | None = opt_prop_def(LIST)
    OPTIONAL: ClassVar[frozenset[str]] = frozenset({"origins", "steps"})
    TYPED_RESULT: ClassVar[bool] = True
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {
        "mode": "nearest",
        "coordinate_mode": "half_pixel",
        "nearest_mode": "round_prefer_floor",
        "cubic_coefficient": -0.75,
        "exclude_outside": False,
        "antialias": False,
    }

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type, if its rank and element type fit; the extents must be static."""
        result: Any = attributes[RESULT_TYPE]
        check_same_element((operand_types[0], result), cls.name)
        for name, allowed in (("mode", MODES), ("coordinate_mode", COORDINATE_MODES), ("nearest_mode", NEAREST_MODES)):
            if number(attributes[name]) not in allowed:
                raise CompileError(f"nn.resize: {name} is {attributes[name]}", hint=f"it may be {', '.join(allowed)}")
        if number(attributes["mode"]) != "nearest":
            check_element("float", operand_types[0], cls.name)
        scales, before, after = floats(attributes["scales"]), operand_types[0].get_shape(), result.get_shape()
        if not len(scales) == len(before) == len(after):
            raise CompileError(
                f"nn.resize: {operand_types[0]} needs one scale for each axis and a result of the same rank, got {list(scales)}, {result}"
            )
        lists = [attributes[name] for name in ("origins", "steps") if name in attributes]
        affine = number(attributes["coordinate_mode"]) == "affine"
        if len(lists) != 2 * affine or any(len(floats(value)) != len(before) for value in lists):
            raise CompileError("nn.resize: origins and steps, one for each axis, belong to the coordinate mode affine and only to it")
        for d, (scale, a, b) in enumerate(zip(scales, before, after, strict=True)):
            if not scale > 0:
                raise CompileError(f"nn.resize: the scale of axis {d} is {scale}")
            if a != b and (DYNAMIC in (a, b) or a == 0):
                raise CompileError(f"nn.resize: axis {d} goes from {a} to {b}; extents must be static and not empty")
        return (result,)

    def compute(self, x: Array) -> Array:
        for axis in self.resampled_axes():
            positions, weights = self.taps(axis)
            if positions.shape[1] == 1:
                x = np.take(x, positions[:, 0], axis)
                continue
            shape = [-1 if d == axis else 1 for d in range(x.ndim)]
            weighted = (np.take(x, p, axis) * w.astype(x.dtype).reshape(shape) for p, w in zip(positions.T, weights.T, strict=True))
            x = cast(Array, sum(weighted))
        return x

    def resampled_axes(self) -> tuple[int, ...]:
        """The axes that are not kept as they are."""
        before, after = self.operand_types[0].get_shape(), self.result_type.get_shape()
        lines = () if self.origins is None or self.steps is None else zip(floats(self.origins), floats(self.steps), strict=True)
        moved = {d for d, line in enumerate(lines) if line != (0, 1)}
        return tuple(d for d, s in enumerate(floats(self.scales)) if s != 1.0 or before[d] != after[d] or d in moved)

    def taps(self, axis: int) -> tuple[Array, Array]:
        """(positions [out, taps] as i64 within the axis, weights [out, taps] as f64) of an axis."""
        n, out, scale = self.operand_types[0].get_shape()[axis], self.result_type.get_shape()[axis], floats(self.scales)[axis]
        at = self._coordinates(axis, n, out, scale)
        mode = self.mode.data
        if mode == "nearest":
            nearest = _ROUND[self.nearest_mode.data](at)
            return np.clip(nearest.astype(np.int64), 0, n - 1)[:, None], np.ones((out, 1))
        low = np.floor(at)
        fraction = at - low
        if number(self.antialias) and scale < 1:
            # The kernel in units of the output: its taps lie closer together, and their weights are made to add up to 1.
            reach = int(np.ceil((1 if mode == "linear" else 2) / scale))
            offsets = np.arange(-reach, reach + 2)
            distance = np.abs(offsets - fraction[:, None]) * scale
            weights = np.maximum(1 - distance, 0) if mode == "linear" else _cubic(distance, number(self.cubic_coefficient))
            weights = weights / weights.sum(1, keepdims=True)
        elif mode == "linear":
            offsets, weights = np.array([0, 1]), np.stack([1 - fraction, fraction], 1)
        else:
            offsets = np.array([-1, 0, 1, 2])
            weights = _cubic(np.abs(fraction[:, None] - offsets), number(self.cubic_coefficient))
        positions = low[:, None].astype(np.int64) + offsets
        if number(self.exclude_outside):
            weights = np.where((positions >= 0) & (positions < n), weights, 0.0)
            weights = weights / weights.sum(1, keepdims=True)
        return np.clip(positions, 0, n - 1), weights

    def _coordinates(self, axis: int, n: int, out: int, scale: float) -> Array:
        o = np.arange(out, dtype=np.float64)
        match self.coordinate_mode.data:
            case "affine":
                assert self.origins is not None
                assert self.steps is not None
                return floats(self.origins)[axis] + o * floats(self.steps)[axis]
            case "half_pixel":
                return (o + 0.5) / scale - 0.5
            case "half_pixel_symmetric":
                # The output that the scale would give need not be a whole number: its centre stays the centre of the input.
                return n / 2 * (1 - out / (scale * n)) + (o + 0.5) / scale - 0.5
            case "pytorch_half_pixel":
                return (o + 0.5) / scale - 0.5 if out > 1 else o * 0.0
            case "align_corners":
                # The last position of the exact, unrounded length, as ONNX defines it; with scale = out / n that is out - 1.
                return o * (n - 1) / (scale * n - 1) if out > 1 else o * 0.0
            case _:
                return o / scale


_ROUND: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _cubic(distance: Array, a: float) -> Array:
    """Keys' cubic convolution kernel."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
