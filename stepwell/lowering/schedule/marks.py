"""The primitives `vectorize` and `unroll`: marks on loops that later passes execute."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.nest import constant_extent, index_attr, loops_named, lower_bound, step_of, upper_bound


def vectorize(func: FuncOp, *names: str) -> None:
    """Point loops become dimensions of vectors: the pass `vectorize` turns their bodies into operations on vectors of their extents.

    before: ["vectorize", "nr"]
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
    func.func @k(%x: memref<?xf32>, %N: index) {
      %one = arith.constant 1.0 : f32
      affine.for %n = 0 to %N step 32 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (32, s0 - d0)>(%n)[%N] {
          affine.store %one, %x[%n + %nr] : memref<?xf32>
        } {loop = "nr", iterator = "parallel", vector = 32 : index}
      } {loop = "n", iterator = "parallel"}
      func.return
    }
    ```
    Legal: the loops start at 0 and have a constant extent. That their bodies are straight-line code is checked when they are vectorised.
    """
    for name in names:
        for loop in loops_named(func, name):
            extent = constant_extent(loop)
            lower = lower_bound(loop)
            if extent is None or step_of(loop) != 1 or len(lower) != 1 or not (lower[0].is_constant and lower[0].constant == 0):
                raise CompileError(
                    f"loop '{name}' of kernel @{func.sym_name.data} has no constant extent to make a vector of",
                    hint="split it and vectorise the point loop",
                )
            loop.attributes["vector"] = index_attr(extent)


def unroll(func: FuncOp, name: str, factor: int | str) -> None:
    """The pass `unroll-loops` will write the body `factor` times, or as often as it runs if that is "full" (a constant trip count).

    before: ["unroll", "k", 4]
    ```mlir
    func.func @k(%x: memref<?xf32>, %K: index) {
      %one = arith.constant 1.0 : f32
      affine.for %k = 0 to %K {
        affine.store %one, %x[%k] : memref<?xf32>
      } {loop = "k"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %K: index) {
      %one = arith.constant 1.0 : f32
      affine.for %k = 0 to %K {
        affine.store %one, %x[%k] : memref<?xf32>
      } {loop = "k", unroll = 4 : index}
      func.return
    }
    ```
    Legal: always ("full" asks for a constant trip count).
    """
    for loop in loops_named(func, name):
        if factor == "full":
            if not all(bound.is_constant for bound in (*lower_bound(loop), *upper_bound(loop))):
                raise CompileError(
                    f"loop '{name}' of kernel @{func.sym_name.data} cannot be unrolled fully: its extent is not constant",
                    hint='keep the extent with ["static", ...] or unroll by a factor',
                )
            loop.attributes["unroll"] = StringAttr("full")
        elif isinstance(factor, int) and factor >= 1:
            loop.attributes["unroll"] = index_attr(factor)
        else:
            raise CompileError(f"loop '{name}' cannot be unrolled by {factor!r}", hint='a positive number or "full"')
