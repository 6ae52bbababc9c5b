"""Values that functions are traced with: tracers, arrays, Python's numbers; their types, and how different ones meet.

Element types meet as the array API standard says. Where it says nothing: an integer tensor among floats takes their type, and Python's
numbers take the type of the tensors, or f32, i64 and i1 among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from ml_dtypes import bfloat16
from xdsl.ir import Block, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, PythonValue, Tensor
from stepwell.frontends.trace.frame import Frame, current, error_here, fail
from stepwell.frontends.trace.tracer import Tracer
from stepwell.ir.constants import Array, dense, dtype_of, element_type_of, type_of
from stepwell.ir.diagnostics import CompileError

Value = Any
"""A tracer, a numpy array, or a number: what every function of `stepwell.numpy` takes and gives."""

_FLOATS = (np.dtype(np.float16), np.dtype(bfloat16), np.dtype(np.float32), np.dtype(np.float64))
_DEFAULTS: dict[type, np.dtype[Any]] = {bool: np.dtype(np.bool_), int: np.dtype(np.int64), float: np.dtype(np.float32)}
_SCALAR: Any = np.generic
_KIND = {bool: 0, int: 1, float: 2}


def is_floating(dtype: np.dtype[Any]) -> bool:
    """f16, bf16, f32, f64."""
    return dtype in _FLOATS


def is_strong(value: Value) -> bool:
    """Whether a value has a dtype of its own: a tracer, an array, a number of numpy's."""
    return isinstance(value, (Tracer, np.ndarray, np.generic))


def shape_of(value: Value) -> tuple[int, ...]:
    """The shape of a value."""
    return tuple(value.shape) if is_strong(value) else ()


def dtype_of_value(value: Value) -> np.dtype[Any]:
    """The dtype of a value; of Python's numbers that which they have among themselves."""
    if is_strong(value):
        return value.dtype
    found = _DEFAULTS.get(value.__class__)
    if found is None:
        fail(f"a value of type {type(value).__name__} is no tensor", hint="tensors are traced values, numpy arrays and numbers")
    return found


def check(value: Value) -> Value:
    """The value, as one that can be computed with: arrays of other libraries become numpy's, lists of numbers arrays."""
    if isinstance(value, Tracer):
        return value.checked()
    if is_strong(value) or type(value) in _DEFAULTS:
        return np.asarray(value) if isinstance(value, _SCALAR) else value
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[Any]", value)
        if any(isinstance(item, Tracer) for item in items):
            fail("a list of traced values is no tensor", hint="stepwell.numpy.stack makes one of them")
        array = np.asarray(items)
        return array.astype(np.float32) if array.dtype == np.float64 else array
    if hasattr(value, "__array__") or hasattr(value, "__dlpack__"):
        return np.asarray(value)
    return fail(f"a value of type {type(value).__name__} is no tensor", hint="tensors are traced values, numpy arrays and numbers")


def joint_dtype(*values: Value) -> np.dtype[Any]:
    """The dtype in which values meet."""
    strong = [dtype_of_value(v) for v in values if is_strong(v)]
    weak = max((_KIND[type(v)] for v in values if type(v) in _KIND), default=0)
    if not strong:
        return list(_DEFAULTS.values())[weak]
    floats = [d for d in strong if is_floating(d)]
    if floats:
        result = floats[0]
        for other in floats[1:]:
            result = result if other == result else max(result, other, key=lambda d: d.itemsize)
            if other != result and other.itemsize == result.itemsize:
                result = np.dtype(np.float32)  # f16 and bf16
        return result
    if weak == 2:
        return np.dtype(np.float32)
    result = np.result_type(*strong)
    if result.kind == "f":
        fail(f"no integer type holds both {' and '.join(sorted({str(d) for d in strong}))}", hint="convert one with astype")
    return np.dtype(np.int64) if weak == 1 and result == np.bool_ else result


def promoted(*values: Value) -> list[Value]:
    """The values, in one dtype."""
    checked = [check(v) for v in values]
    dtype = joint_dtype(*checked)
    return [to_dtype(v, dtype) for v in checked]


def to_dtype(value: Value, dtype: np.dtype[Any]) -> Value:
    """A value as one of this dtype."""
    if isinstance(value, Tracer):
        return value if value.dtype == dtype else emit(nn.CastOp, [value], result_type=_retyped(value, dtype))
    if isinstance(value, np.ndarray):
        array = cast(Array, value)
        return array if array.dtype == dtype else array.astype(dtype)
    return np.asarray(value, dtype)


def _retyped(value: Tracer, dtype: np.dtype[Any]) -> Tensor:
    from stepwell.ir.constants import tensor_type

    return tensor_type(value.shape, element_type_of(dtype))


# ---- ops --------------------------------------------------------------------------------------------------------------------------------


def emit(kind: type[NnOp], operands: Sequence[Value], **attributes: PythonValue) -> Value:
    """The result of an op: a tracer if an operand is one; of arrays alone the array that it means, computed now."""
    try:
        if any(isinstance(v, Tracer) for v in operands):
            frame = current()
            if frame is None:
                raise error_here("a traced value is used outside of its trace", "return it from the traced function instead")
            op = kind.make(*(lift(v, frame) for v in operands), **attributes)
            frame.add(op)
            return Tracer(op.results[0], frame)
        arrays = [np.asarray(v) for v in operands]
        place = Block(arg_types=[type_of(a) for a in arrays])
        return np.array(kind.make(*place.args, **attributes).evaluate(*arrays)[0])
    except CompileError as error:
        if error.location is not None:
            raise
        raise error_here(error.message, error.hint) from None


def lift(value: Value, frame: Frame) -> SSAValue:
    """A value as one of the frame: a tracer's own, a constant for everything else."""
    if isinstance(value, Tracer):
        return value.checked().ssa
    array = np.asarray(check(value), dtype_of_value(value))
    payload = dense(array)
    key = (payload.type, payload.data.data) if array.ndim == 0 else None
    if key is not None and key in frame.numbers:
        return frame.numbers[key]
    op = nn.ConstantOp.create(result_types=[payload.type], properties={"value": payload})
    frame.add(op)
    if key is not None:
        frame.numbers[key] = op.results[0]
    return op.results[0]


__all__ = ["Value", "check", "dtype_of", "dtype_of_value", "emit", "is_floating", "joint_dtype", "lift", "promoted", "shape_of", "to_dtype"]
