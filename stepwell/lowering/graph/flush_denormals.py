"""Denormal weights become zero.

A denormal float (below 2^-126 for f32) costs 100 cycles or more in every multiplication it takes part in, and changes no result that a
float can hold unless it is multiplied by something huge. Trained and pruned networks hold many of them: PP-OCRv6 det a quarter of a
million.

In: level 1. Out: the same with those elements of constants at (signed) zero, and how many there were in the module attribute
`stepwell.flushed_denormals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, Float32Type, Float64Type, IntegerAttr, i64
from xdsl.ir import Operation

from stepwell.ir.constants import Array, array_of, dense, is_splat
from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class FlushDenormals(Pass):
    """Set denormal f32 and f64 elements of constants to zero, and count them.

    ```mlir
    builtin.module {
      %w = arith.constant dense<[1.0, 1.0e-40]> : tensor<2xf32>
    ```
    becomes
    ```mlir
    builtin.module attributes {stepwell.flushed_denormals = 1 : i64} {
      %w = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
    ```
    """

    name: ClassVar[str] = "nn-flush-denormals"

    def run(self, op: Operation, ctx: Context) -> None:
        before = op.attributes.get("stepwell.flushed_denormals")
        total = before.value.data if isinstance(before, IntegerAttr) else 0
        for inner in op.walk():
            value: Any = inner.properties.get("value")
            if isinstance(value, DenseIntOrFPElementsAttr) and isinstance(value.get_element_type(), (Float32Type, Float64Type)):
                total += _flush(inner, cast(DenseIntOrFPElementsAttr[Any], value))
        op.attributes["stepwell.flushed_denormals"] = IntegerAttr(total, i64)


def _flush(op: Operation, value: DenseIntOrFPElementsAttr[Any]) -> int:
    array = array_of(value)
    stored = (array.reshape(-1)[:1] if is_splat(value) else array).reshape(-1)
    count = sum(int(np.count_nonzero(_denormal(part))) for part in _parts(stored))
    if not count:
        return 0
    flushed: Array = stored.copy()
    for part in _parts(flushed):
        tiny = _denormal(part)
        part[tiny] = np.copysign(part.dtype.type(0), part[tiny])
    shaped: Array = np.broadcast_to(flushed, array.shape) if is_splat(value) else flushed.reshape(array.shape)
    op.properties["value"] = dense(shaped, value.type)
    return count * (array.size if is_splat(value) else 1)


def _parts(flat: Array, size: int = 1 << 16) -> Iterator[Array]:
    """Views so short that what is computed from them stays in the cache."""
    return (flat[i : i + size] for i in range(0, flat.size, size))


def _denormal(part: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (np.abs(part) < np.finfo(part.dtype).tiny) & (part != 0)
