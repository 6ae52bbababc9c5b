"""The primitive `bind`: point loops are spread over the threads of a block."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, i64
from xdsl.dialects.func import FuncOp

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.marks import vectorize
from stepwell.lowering.schedule.nest import constant_extent, loops_named

MOST_THREADS = 1024


def bind(func: FuncOp, *dimensions: Sequence[Any]) -> None:
    """Point loops become dimensions of vectors that the threads of a block share out: `[loop, threads, width]`, outermost first.

    A thread has `width` neighbouring elements, then those so many threads further on. The kernel remembers it in `threads`, by dimension,
    the last one fastest; the iterations of its parallel loop are blocks. `distribute-vectors` does it.

    before: ["bind", ["nr", 32, 1]]
    ```mlir
    func.func @k(%x: memref<?xf32>, %N: index) {
      %one = arith.constant 1.0 : f32
      affine.for %n = 0 to %N step 32 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (32, s0 - d0)>(%n)[%N] {
          affine.store %one, %x[%n + %nr] : memref<?xf32>
        } {loop = "nr", iterator = "parallel"}
      } {loop = "n", iterator = "parallel"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %N: index) attributes {threads = [[32, 1]]} {
      %one = arith.constant 1.0 : f32
      affine.for %n = 0 to %N step 32 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (32, s0 - d0)>(%n)[%N] {
          affine.store %one, %x[%n + %nr] : memref<?xf32>
        } {loop = "nr", iterator = "parallel", vector = 32 : index}
      } {loop = "n", iterator = "parallel"}
      func.return
    }
    ```
    Legal: as for `vectorize`; extents are multiples of threads * width, a block has at most 1024 threads. Loops that stand side by side
    may be bound by one name each, if they are spread alike.
    """
    threads = [[int(count), int(width)] for _, count, width in dimensions]
    if not threads or min(min(pair) for pair in threads) < 1 or prod(count for count, _ in threads) > MOST_THREADS:
        raise CompileError(f"a block has 1 to {MOST_THREADS} threads, not {' x '.join(str(count) for count, _ in threads)}")
    for name, count, width in dimensions:
        for loop in loops_named(func, name):
            extent = constant_extent(loop)
            if extent is None or extent % (count * width):
                raise CompileError(f"loop '{name}' has no constant extent that is a multiple of {count} threads of {width} elements")
        vectorize(func, name)
    attribute = ArrayAttr(ArrayAttr(IntegerAttr(value, i64) for value in pair) for pair in threads)
    known = func.attributes.setdefault("threads", attribute)
    if known != attribute:
        raise CompileError("the kernel is bound to threads in another way already")


def threads_of(attribute: Any) -> list[tuple[int, int]]:
    """The attribute `threads` as (threads, width) by dimension."""
    pairs = [[int(value.value.data) for value in pair] for pair in cast("ArrayAttr[ArrayAttr[IntegerAttr[Any]]]", attribute)]
    return [(pair[0], pair[1]) for pair in pairs]
