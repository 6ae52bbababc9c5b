"""Ops that read or write where an index tensor says, and ops that make index tensors.

In: data and indices (`i32` or `i64`). Out: data. Negative indices count from the end; an index outside [-n, n) is a fault of the
program: its meaning here is an error, and compiled code clamps it so that it never reads or writes outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from stepwell.dialects.nn.base import (
    DYNAMIC,
    INT,
    RESULT_TYPE,
    TENSOR,
    TEXT,
    Array,
    Attributes,
    NnOp,
    PythonValue,
    Tensor,
    check_element,
    check_rank,
    check_same_element,
    number,
    same_extent,
    shape_text,
    tensor_type,
)
from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError

REDUCTIONS = ("none", "add", "mul", "max", "min")


def _check_filled(what: str, extents: Sequence[int], result: Sequence[int]) -> None:
    """Elements must not be asked of an axis that has none: no index is valid there."""
    if 0 in extents and 0 not in result:
        raise CompileError(f"{what}: an axis of extent 0 has no element to gather", hint="the indices must be empty, too")


@irdl_op_definition
class GatherOp(NnOp):
    """y[..., i..., ...] = x[..., indices[i...], ...]: the axis is replaced by the axes of the indices.

    ```mlir
    %y = nn.gather %x, %i axis = 1 : tensor<2x5x3xf32>, tensor<4x6xi64> -> tensor<2x4x6x3xf32>
    ```
    """

    name = "nn.gather"
    x = operand_def(TENSOR)
    indices = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 0}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The axis gives way to the shape of the indices."""
        check_rank(operand_types[0], 1, cls.name)
        check_element("integer", operand_types[1], cls.name)
        x, axis = operand_types[0].get_shape(), number(attributes["axis"])
        result = (*x[:axis], *operand_types[1].get_shape(), *x[axis + 1 :])
        _check_filled(cls.name, x[axis : axis + 1], result)
        return (tensor_type(result, operand_types[0].element_type),)

    def compute(self, x: Array, indices: Array) -> Array:
        return np.take(x, indices.astype(np.int64), axis=number(self.axis))


def _check_elements(what: str, x: Tensor, indices: Tensor, axis: int) -> None:
    a, b = x.get_shape(), indices.get_shape()
    check_element("integer", indices, what)
    if len(a) != len(b) or any(m != DYNAMIC and n != DYNAMIC and m > n for d, (n, m) in enumerate(zip(a, b, strict=True)) if d != axis):
        raise CompileError(f"{what}: indices of shape {shape_text(b)} do not fit data of shape {shape_text(a)} along axis {axis}")


def _open_grid(shape: Sequence[int]) -> list[Any]:
    """The positions along each axis, shaped to broadcast against each other."""
    grid: Any = np.indices(tuple(shape), sparse=True)
    return list(grid)


@irdl_op_definition
class GatherElementsOp(NnOp):
    """y[i, j, k] = x[i, indices[i, j, k], k] for axis 1, and so on.

    ```mlir
    %y = nn.gather_elements %x, %i axis = 1 : tensor<2x5xf32>, tensor<2x3xi64> -> tensor<2x3xf32>
    ```
    """

    name = "nn.gather_elements"
    x = operand_def(TENSOR)
    indices = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 0}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The shape of the indices."""
        check_rank(operand_types[0], 1, cls.name)
        axis = number(attributes["axis"])
        _check_elements(cls.name, operand_types[0], operand_types[1], axis)
        _check_filled(cls.name, operand_types[0].get_shape()[axis : axis + 1], operand_types[1].get_shape())
        return (tensor_type(operand_types[1].get_shape(), operand_types[0].element_type),)

    def compute(self, x: Array, indices: Array) -> Array:
        axis = number(self.axis)
        where = _open_grid(indices.shape)
        where[axis] = indices.astype(np.int64)
        return x[tuple(where)]


def _check_tuples(what: str, x: Tensor, indices: Tensor, batch: int) -> int:
    """The length of the index tuples that stand along the last axis of `indices`."""
    check_element("integer", indices, what)
    check_rank(indices, 1, what)
    depth = indices.get_shape()[-1]
    a, b = x.get_shape(), indices.get_shape()
    if depth == DYNAMIC:
        raise CompileError(f"{what}: the last extent of the indices must be static, got {indices}")
    if not 0 <= batch < len(b) or batch + depth > len(a) or not all(same_extent(m, n) for m, n in zip(a[:batch], b[:batch], strict=True)):
        raise CompileError(f"{what}: indices of shape {shape_text(b)} do not fit data of shape {shape_text(a)} ({batch} batch axes)")
    return depth


@irdl_op_definition
class GatherNdOp(NnOp):
    """y[b..., i..., :] = x[b..., indices[b..., i..., 0], indices[b..., i..., 1], ..., :] with the first `batch_dims` axes in common.

    ```mlir
    %y = nn.gather_nd %x, %i : tensor<2x5x3xf32>, tensor<4x2xi64> -> tensor<4x3xf32>
    ```
    """

    name = "nn.gather_nd"
    x = operand_def(TENSOR)
    indices = operand_def(TENSOR)
    y = result_def(TENSOR)
    batch_dims: IntegerAttr[Any] = prop_def(INT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"batch_dims": 0}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The shape of the indices without its last axis, then the axes of the data that no index names."""
        batch = number(attributes["batch_dims"])
        depth = _check_tuples(cls.name, operand_types[0], operand_types[1], batch)
        x, indices = (t.get_shape() for t in operand_types)
        result = (*indices[:-1], *x[batch + depth :])
        _check_filled(cls.name, x[batch : batch + depth], result)
        return (tensor_type(result, operand_types[0].element_type),)

    def compute(self, x: Array, indices: Array) -> Array:
        batch, indices = number(self.batch_dims), indices.astype(np.int64)
        rank = indices.ndim - 1
        grid = [g.reshape(g.shape[:batch] + (1,) * (rank - batch)) for g in _open_grid(indices.shape[:batch])]
        return x[(*grid, *np.moveaxis(indices, -1, 0))]


def _check_reduction(what: str, attributes: Attributes) -> None:
    if number(attributes["reduction"]) not in REDUCTIONS:
        raise CompileError(f"{what}: reduction is {attributes['reduction']}", hint=f"it may be {', '.join(REDUCTIONS)}")


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "none": lambda old, new: new,
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


@irdl_op_definition
class ScatterElementsOp(NnOp):
    """x, with y[i, indices[i, j, k], k] combined with updates[i, j, k] in order, for axis 1, and so on.

    ```mlir
    %y = nn.scatter_elements %x, %i, %u axis = 1 reduction = "add" : tensor<2x5xf32>, tensor<2x3xi64>, tensor<2x3xf32> -> tensor<2x5xf32>
    ```
    """

    name = "nn.scatter_elements"
    x = operand_def(TENSOR)
    indices = operand_def(TENSOR)
    updates = operand_def(TENSOR)
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    reduction: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 0, "reduction": "none"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data; updates are shaped like the indices."""
        x, indices, updates = operand_types
        check_rank(x, 1, cls.name)
        check_same_element((x, updates), cls.name)
        _check_reduction(cls.name, attributes)
        _check_elements(cls.name, x, indices, number(attributes["axis"]))
        if len(indices.get_shape()) != len(updates.get_shape()) or not all(map(same_extent, indices.get_shape(), updates.get_shape())):
            raise CompileError(f"nn.scatter_elements: indices {indices} and updates {updates} differ in shape")
        return (x,)

    def compute(self, x: Array, indices: Array, updates: Array) -> Array:
        y, axis, combine = x.copy(), number(self.axis), _COMBINE[self.reduction.data]
        for at in np.ndindex(*indices.shape):
            where = (*at[:axis], int(indices[at]), *at[axis + 1 :])
            y[where] = combine(y[where], updates[at])
        return y


@irdl_op_definition
class ScatterNdOp(NnOp):
    """x, with y[indices[i..., 0], indices[i..., 1], ..., :] combined with updates[i..., :] in order.

    ```mlir
    %y = nn.scatter_nd %x, %i, %u : tensor<2x5xf32>, tensor<3x1xi64>, tensor<3x5xf32> -> tensor<2x5xf32>
    ```
    """

    name = "nn.scatter_nd"
    x = operand_def(TENSOR)
    indices = operand_def(TENSOR)
    updates = operand_def(TENSOR)
    y = result_def(TENSOR)
    reduction: StringAttr = prop_def(TEXT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"reduction": "none"}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the data; updates have the shape that gather_nd would return."""
        x, indices, updates = operand_types
        check_same_element((x, updates), cls.name)
        _check_reduction(cls.name, attributes)
        depth = _check_tuples(cls.name, x, indices, 0)
        want = (*indices.get_shape()[:-1], *x.get_shape()[depth:])
        have = updates.get_shape()
        if len(want) != len(have) or not all(map(same_extent, want, have)):
            raise CompileError(f"nn.scatter_nd: updates have shape {shape_text(have)}, expected {shape_text(want)}")
        return (x,)

    def compute(self, x: Array, indices: Array, updates: Array) -> Array:
        y, combine = x.copy(), _COMBINE[self.reduction.data]
        for at in np.ndindex(*indices.shape[:-1]):
            where = tuple(int(i) for i in indices[at])
            y[where] = combine(y[where], updates[at])
        return y


@irdl_op_definition
class OneHotOp(NnOp):
    """A new axis of extent `depth` that holds values[1] at the index and values[0] elsewhere; an index outside gives values[0] everywhere.

    ```mlir
    %y = nn.one_hot %i, %v depth = 4 axis = 1 : tensor<2x3xi64>, tensor<2xf32> -> tensor<2x4x3xf32>
    ```
    """

    name = "nn.one_hot"
    indices = operand_def(TENSOR)
    values = operand_def(TENSOR)
    y = result_def(TENSOR)
    depth: IntegerAttr[Any] = prop_def(INT)
    axis: IntegerAttr[Any] = prop_def(INT)

    @classmethod
    def axis_rank(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> int:
        """The rank of the result."""
        return len(operand_types[0].shape.data) + 1

    @classmethod
    def default_attributes(cls, operand_types: Sequence[Tensor]) -> Attributes:
        """The new axis is the last."""
        return {"axis": IntegerAttr(len(operand_types[0].shape.data), 64)}

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The shape of the indices with one more axis."""
        check_element("integer", operand_types[0], cls.name)
        if len(operand_types[1].get_shape()) != 1 or not same_extent(operand_types[1].get_shape()[0], 2):
            raise CompileError(f"nn.one_hot: values are tensor<2x...>, off and on; got {operand_types[1]}")
        depth, axis, shape = number(attributes["depth"]), number(attributes["axis"]), operand_types[0].get_shape()
        if depth < 0:
            raise CompileError(f"nn.one_hot: depth is {depth}")
        return (tensor_type((*shape[:axis], depth, *shape[axis:]), operand_types[1].element_type),)

    def compute(self, indices: Array, values: Array) -> Array:
        depth: int = number(self.depth)
        axis: int = number(self.axis)
        indices = indices.astype(np.int64)
        indices = np.expand_dims(np.where(indices < 0, indices + depth, indices), axis)
        positions = np.arange(depth).reshape([-1 if d == axis else 1 for d in range(indices.ndim)])
        return cast(Array, np.where(indices == positions, values[1], values[0]))


@irdl_op_definition
class IotaOp(NnOp):
    """0, 1, 2, ... along an axis, the same along the others.

    ```mlir
    %y = nn.iota axis = 1 : tensor<2x3xi64>
    ```
    """

    name = "nn.iota"
    y = result_def(TENSOR)
    axis: IntegerAttr[Any] = prop_def(INT)
    DEFAULTS: ClassVar[Mapping[str, PythonValue]] = {"axis": 0}
    TYPED_RESULT: ClassVar[bool] = True

    @classmethod
    def axis_rank(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> int:
        """The rank of the result."""
        result: Any = attributes[RESULT_TYPE]
        return len(result.shape.data)

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The given type."""
        result: Any = attributes[RESULT_TYPE]
        check_element("number", result, cls.name)
        check_rank(result, 1, cls.name)
        if DYNAMIC in result.get_shape():
            raise CompileError(f"nn.iota: the result type {result} must be static")
        return (result,)

    def compute(self) -> Array:
        shape = self.result_type.get_shape()
        axis: int = number(self.axis)
        line = np.arange(shape[axis]).astype(dtype_of(self.result_type.element_type))
        return np.broadcast_to(line.reshape([-1 if d == axis else 1 for d in range(len(shape))]), shape)
