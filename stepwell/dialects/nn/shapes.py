"""Shapes and element types: what the shape rules and verifiers of all ops ask.

In: shapes with `?` as -1, element types. Out: joint shapes, or a CompileError that says what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float32Type, Float64Type, IntegerType, Signedness, TensorType
from xdsl.ir import Attribute

from stepwell.ir.constants import DYNAMIC, is_narrow
from stepwell.ir.diagnostics import CompileError

Tensor = TensorType[Any]


# ---- shapes -----------------------------------------------------------------------------------------------------------------------


def same_extent(a: int, b: int) -> bool:
    """Whether two extents may be equal (`?` may be anything)."""
    return a == b or a == DYNAMIC or b == DYNAMIC


def broadcast_shapes(shapes: Sequence[Sequence[int]], what: str) -> tuple[int, ...]:
    """The numpy broadcast of shapes; `?` against n > 1 is n, `?` against 1 is `?`."""
    rank = max(len(s) for s in shapes)
    result: list[int] = []
    for d in range(rank):
        extents = {s[d - rank + len(s)] for s in shapes if d - rank + len(s) >= 0} - {1}
        static = extents - {DYNAMIC}
        if len(static) > 1:
            raise CompileError(
                f"{what}: shapes {' and '.join(shape_text(s) for s in shapes)} do not broadcast (axis {d}: {sorted(static)})",
                hint="extents must be equal or 1, aligned at the last axis",
            )
        result.append(static.pop() if static else (DYNAMIC if extents else 1))
    return tuple(result)


def shape_text(shape: Sequence[int]) -> str:
    """`2x?x3`, or `scalar`."""
    return "x".join("?" if d == DYNAMIC else str(d) for d in shape) or "scalar"


def extent_product(shape: Sequence[int]) -> int:
    """The number of elements, DYNAMIC if an extent is (and none is 0)."""
    if 0 in shape:
        return 0
    return DYNAMIC if DYNAMIC in shape else int(np.prod(shape, dtype=np.int64))


def check_permutation(permutation: Sequence[int], rank: int, what: str) -> None:
    """Raises CompileError unless the list is a permutation of 0..rank-1."""
    if sorted(permutation) != list(range(rank)):
        raise CompileError(f"{what}: permutation {list(permutation)} is not a permutation of the {rank} axes")


# ---- element types ----------------------------------------------------------------------------------------------------------------


def is_float(element: Attribute) -> bool:
    """f16, bf16, f32, f64."""
    return isinstance(element, (Float32Type, Float16Type, BFloat16Type, Float64Type))


def is_bool(element: Attribute) -> bool:
    """i1."""
    return isinstance(element, IntegerType) and cast(IntegerType, element).width.data == 1


def is_integer(element: Attribute) -> bool:
    """An integer to compute with, of a byte or more: signed (`i8`) or unsigned (`ui8`)."""
    return isinstance(element, IntegerType) and cast(IntegerType, element).width.data >= 8


def is_unsigned(element: Attribute) -> bool:
    """`ui2` ... `ui64`."""
    return isinstance(element, IntegerType) and cast(IntegerType, element).signedness.data == Signedness.UNSIGNED


_KINDS: dict[str, Callable[[Attribute], bool]] = {
    "float": is_float,
    "integer": is_integer,
    "bool": is_bool,
    "number": lambda e: is_float(e) or is_integer(e),
    "bits": lambda e: is_bool(e) or is_integer(e),
    "any": lambda e: not is_narrow(e),
}


def check_element(kind: str, type: Tensor, what: str) -> None:
    """Raises CompileError unless the element type is of this kind (float, integer, bool, number, bits, any)."""
    if not _KINDS[kind](type.element_type):
        raise CompileError(f"{what}: element type {type.element_type} is not supported here (want {kind})", hint="insert nn.cast")


def check_same_element(types: Sequence[Tensor], what: str) -> Attribute:
    """The common element type of all operands."""
    if any(t.element_type != types[0].element_type for t in types):
        raise CompileError(
            f"{what}: operands differ in element type: {', '.join(str(t.element_type) for t in types)}", hint="insert nn.cast"
        )
    return types[0].element_type


def check_rank(type: Tensor, minimum: int, what: str) -> int:
    """The rank, at least `minimum`."""
    rank = len(type.shape.data)
    if rank < minimum:
        raise CompileError(f"{what}: expected a tensor of rank {minimum} or more, got {type}")
    return rank
