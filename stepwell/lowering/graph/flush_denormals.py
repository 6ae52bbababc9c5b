"""Denormal weights become zero.

A denormal float (below 2^-126 for f32) costs 100 cycles or more in every multiplication it takes part in, and changes no result that a
float can hold unless it is multiplied by something huge. Trained and pruned networks hold many of them: PP-OCRv6 det a quarter of a
million.

In: level 1. Out: the same with those elements of constants at (signed) zero, and how many there were in the module attribute
`stepwell.flushed_denormals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, Float32Type, Float64Type, IntegerAttr, i64
from xdsl.ir import Operation

from stepwell.ir.constants import array_of, dense, is_splat
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
    stored = array.reshape(-1)[:1] if is_splat(value) else array
    tiny = (np.abs(stored) < np.finfo(stored.dtype).tiny) & (stored != 0)
    count = int(np.count_nonzero(tiny))
    if not count:
        return 0
    flushed = np.where(tiny, np.copysign(stored.dtype.type(0), stored), stored)
    op.properties["value"] = dense(np.broadcast_to(flushed, array.shape) if is_splat(value) else flushed, value.type)
    return count * (array.size if is_splat(value) else 1)
