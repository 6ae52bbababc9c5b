"""The primitive `pad`."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from stepwell.dialects import affine, arith
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.cache_read import WORKGROUP
from stepwell.lowering.schedule.combiners import combiner_of, split_combine
from stepwell.lowering.schedule.nest import buffer_type, constant_extent, induction_variable, loops_named, memref_of, subscripts


def pad(func: FuncOp, name: str) -> None:
    """A reduced point loop runs its full extent, also over the last, ragged tile: what it adds there is zero times zero.

    before: ["pad", "kr"]
    ```mlir
    func.func @k(%x: memref<?xf32>, %s: memref<f32>, %K: index) {
      %a = memref.alloca() : memref<8xf32, #gpu.address_space<workgroup>>
      affine.for %k = 0 to %K step 8 {
        affine.for %kr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%k)[%K] {
          %v = affine.load %a[%kr] : memref<8xf32, #gpu.address_space<workgroup>>
          %old = affine.load %s[] : memref<f32>
          %p = arith.mulf %v, %v : f32
          %new = arith.addf %old, %p : f32
          affine.store %new, %s[] : memref<f32>
        } {loop = "kr", iterator = "reduction"}
      } {loop = "k", iterator = "reduction"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %s: memref<f32>, %K: index) {
      %a = memref.alloca() : memref<8xf32, #gpu.address_space<workgroup>>
      affine.for %k = 0 to %K step 8 {
        affine.for %kr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%k)[%K] {
          %v = affine.load %a[%kr] : memref<8xf32, #gpu.address_space<workgroup>>
          %old = affine.load %s[] : memref<f32>
          %p = arith.mulf %v, %v : f32
          %new = arith.addf %old, %p : f32
          affine.store %new, %s[] : memref<f32>
        } {loop = "kr", iterator = "reduction", tail = "pad"}
      } {loop = "k", iterator = "reduction"}
      func.return
    }
    ```
    Legal: the loop only adds up products of two elements of tiles made by `cache_read`, both of which it chooses. `vectorize` fills such
    tiles with zeros beyond the bounds and gives the loop its constant bound.
    """
    for loop in loops_named(func, name):
        if constant_extent(loop) is None:
            raise CompileError(f"loop '{name}' has no constant extent to be padded to", hint="split it before")
        variable = induction_variable(loop)
        stores = [op for op in loop.body.walk() if isinstance(op, affine.StoreOp)]
        if not stores or not all(_adds_products(store, variable) for store in stores):
            raise CompileError(f"loop '{name}' does more than adding products of cached tiles: padding would change its result")
        loop.attributes["tail"] = StringAttr("pad")


def _adds_products(store: affine.StoreOp, variable: SSAValue) -> bool:
    combine = store.operands[0].owner
    if not isinstance(combine, arith.AddfOp | arith.AddiOp) or combiner_of(combine) is None:
        return False
    for old in combine.operands:
        load = old.owner
        if isinstance(load, affine.LoadOp) and memref_of(load) is memref_of(store) and subscripts(load) == subscripts(store):
            term = split_combine(combine, old)
            product = term.owner if term is not None else None
            return isinstance(product, arith.MulfOp | arith.MuliOp) and all(_is_cached(f, variable) for f in product.operands)
    return False


def _is_cached(value: SSAValue, variable: SSAValue) -> bool:
    """Whether a factor is an element of a tile that the loop walks, perhaps converted."""
    owner = value.owner
    while isinstance(owner, arith.ExtFOp | arith.ExtSIOp | arith.ExtUIOp):
        owner = owner.operands[0].owner
    if not isinstance(owner, affine.LoadOp) or buffer_type(memref_of(owner)).memory_space != WORKGROUP:
        return False
    return any(index.mentions(variable) for index in subscripts(owner))
