"""What stands for an SSA value at run time.

| type | Python value |
|---|---|
| `index` | int |
| integer, float | numpy scalar of the exact dtype (`i1` is `np.bool_`, `iN` the signed integer, `bf16` is `ml_dtypes.bfloat16`) |
| tensor | numpy array, never written once it is a value |
| vector | numpy array, never written once it is a value |
| memref | numpy array that is a view of its buffer: casts, subviews and reshapes alias |

The body of a `linalg.generic` runs on arrays in the place of scalars, one element per point of the iteration space; implementations of
scalar ops
therefore take both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn, TypeGuard, cast

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)

from stepwell.dialects.support import element_of
from stepwell.dialects.support import shape_of as dialects_shape_of
from stepwell.ir.constants import Array, array_of, dtype_of
from stepwell.ir.diagnostics import CompileError


def is_array(value: Any) -> TypeGuard[Array]:
    """Whether a value is a numpy array, not a scalar."""
    return isinstance(value, np.ndarray)


def is_shaped(type: Attribute) -> bool:
    """Whether values of the type are arrays."""
    return isinstance(type, TensorType | MemRefType | VectorType)


def shape_of(type: Attribute) -> tuple[int, ...]:
    """The shape of a tensor, memref or vector type, () of a scalar type."""
    return dialects_shape_of(type) or ()


def element_dtype(type: Attribute) -> np.dtype[Any]:
    """The dtype of a scalar type, or of the elements of a shaped type. Raises CompileError for a type that has none."""
    element = element_of(type)
    try:
        return dtype_of(element)
    except KeyError as error:
        raise CompileError(f"the interpreter has no values of type {element}") from error


def is_index(type: Attribute) -> bool:
    """Whether values of the type are Python integers."""
    return isinstance(type, IndexType)


def constant_value(attribute: Attribute) -> Any:
    """The run-time value of a constant attribute."""
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        return array_of(cast(DenseIntOrFPElementsAttr[Any], attribute))
    if isinstance(attribute, IntegerAttr | FloatAttr):
        scalar = cast(Any, attribute)
        if is_index(scalar.type):
            return scalar.value.data
        dtype = element_dtype(scalar.type)
        return np.bool_(scalar.value.data & 1) if dtype == np.bool_ else np.array(scalar.value.data).astype(dtype)[()]
    raise CompileError(f"the interpreter has no constant of the form {attribute}")


def argument_value(type: Attribute, value: Any, what: str) -> Any:
    """`value` as a value of `type`. Raises CompileError where it does not fit; arrays are taken as they are, so that memrefs alias the
    caller's."""
    if not is_shaped(type):
        return int(value) if is_index(type) else np.asarray(value).astype(element_dtype(type))[()]
    array: Array = np.asarray(value)
    shape, dtype = shape_of(type), element_dtype(type)
    fits = len(shape) == array.ndim and all(size in (DYNAMIC_INDEX, given) for size, given in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != dtype:
        raise CompileError(f"{what} is an array of shape {array.shape} of {array.dtype} where {type} is expected")
    return array


def garbage(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """An array whose contents nobody may rely on: NaN, or an odd bit pattern."""
    if dtype == np.bool_:
        return np.ones(shape, dtype)
    if dtype.kind in "iu":
        return np.full(shape, 0x55 if dtype.itemsize == 1 else 0x5555, dtype)
    return np.full(shape, np.nan, dtype)


def as_tuple(values: Any) -> tuple[Any, ...]:
    """The results of an implementation as a tuple."""
    return cast(tuple[Any, ...], values) if isinstance(values, tuple) else (values,)


# ---- affine maps as Python functions --------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def map_function(map: AffineMap) -> Callable[..., tuple[Any, ...]]:
    """A function of the dimensions and symbols, ints or arrays, that gives the results of the map."""
    names = [*(f"d{i}" for i in range(map.num_dims)), *(f"s{i}" for i in range(map.num_symbols))]
    body = "".join(f"{expression_text(result)}, " for result in map.results)
    return eval(f"lambda {', '.join(names)}: ({body})", {})


def expression_text(expr: AffineExpr) -> str:
    """Python source of an affine expression: Python's `//` and `%` are floor division and its remainder."""
    match expr:
        case AffineConstantExpr():
            return str(expr.value)
        case AffineDimExpr():
            return f"d{expr.position}"
        case AffineSymExpr():
            return f"s{expr.position}"
        case AffineBinaryOpExpr():
            lhs, rhs = expression_text(expr.lhs), expression_text(expr.rhs)
            if expr.kind is AffineBinaryOpKind.CeilDiv:
                return f"(-(-{lhs} // {rhs}))"
            token = {
                AffineBinaryOpKind.Add: "+",
                AffineBinaryOpKind.Mul: "*",
                AffineBinaryOpKind.Mod: "%",
                AffineBinaryOpKind.FloorDiv: "//",
            }[expr.kind]
            return f"({lhs} {token} {rhs})"
        case _:
            raise CompileError(f"not an affine expression: {expr}")


def map_of(attribute: AffineMapAttr) -> Callable[..., tuple[Any, ...]]:
    """`map_function` of an attribute."""
    return map_function(attribute.data)


# ---- subscripts -----------------------------------------------------------------------------------------------------------------


def checked(indices: Sequence[Any], shape: Sequence[int]) -> tuple[Any, ...]:
    """Subscripts, ints or arrays. Raises IndexError where one lies outside: numpy would count negative ones from the end."""
    for index, size in zip(indices, shape, strict=True):
        if type(index) is int:
            if index < 0 or index >= size:
                _raise_out_of_bounds(indices, shape)
        elif is_array(index):
            if index.size and (index.min() < 0 or index.max() >= size):
                _raise_out_of_bounds(indices, shape)
        elif not 0 <= index < size:
            _raise_out_of_bounds(indices, shape)
    return tuple(indices)


def _raise_out_of_bounds(indices: Sequence[Any], shape: Sequence[int]) -> NoReturn:
    for dim, (index, size) in enumerate(zip(indices, shape, strict=True)):
        lanes = np.asarray(index)
        if lanes.size and (lanes.min() < 0 or lanes.max() >= size):
            which = f"{lanes.min()}..{lanes.max()}" if lanes.ndim else f"{lanes}"
            raise IndexError(f"index {which} is out of bounds of dimension {dim} of extent {size}")
    raise AssertionError("unreachable")
