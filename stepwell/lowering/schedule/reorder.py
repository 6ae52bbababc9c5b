"""The primitives `reorder` and `sink`."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation

from stepwell.dialects import affine
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.nest import (
    body_ops,
    induction_variable,
    is_parallel,
    loop_name,
    loops_named,
    lower_bound,
    perfect_nest,
    upper_bound,
)


def reorder(func: FuncOp, *names: str) -> None:
    """Interchange perfectly nested loops: those named take, in the given order, the places that they hold together.

    Loops between them that are not named keep their place. All nests of the kernel that hold these loops are reordered.

    before: ["reorder", "n", "m"]
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %M: index, %N: index) {
      %one = arith.constant 1.0 : f32
      affine.for %m = 0 to %M {
        affine.for %n = 0 to %N {
          affine.store %one, %x[%m, %n] : memref<?x?xf32>
        } {loop = "n", iterator = "parallel"}
      } {loop = "m", iterator = "parallel"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %M: index, %N: index) {
      %one = arith.constant 1.0 : f32
      affine.for %n = 0 to %N {
        affine.for %m = 0 to %M {
          affine.store %one, %x[%m, %n] : memref<?x?xf32>
        } {loop = "m", iterator = "parallel"}
      } {loop = "n", iterator = "parallel"}
      func.return
    }
    ```
    Legal: parallel loops may change places with any loop, reductions with each other (the order of a sum is not promised); no loop moves
    outside one that its bounds depend on.
    """
    done: set[affine.ForOp] = set()
    for loop in loops_named(func, names[0]):
        if loop in done:
            continue
        nest = _nest_around(loop, names)
        if nest is None:
            raise CompileError(f"loops {', '.join(names)} of kernel @{func.sym_name.data} are not perfectly nested")
        done.update(nest)
        _interchange(func, nest, names)


def sink(func: FuncOp, name: str) -> None:
    """Move a loop inside of all loops that are perfectly nested in it: a short reduction becomes the innermost dimension of vectors.

    before: ["sink", "kr"]
    ```mlir
    func.func @k(%x: memref<?x4xi32>, %y: memref<16xi32>, %K: index) {
      affine.for %kr = 0 to 4 {
        affine.for %nr = 0 to 16 {
          %v = affine.load %x[%nr, %kr] : memref<?x4xi32>
          %c = affine.load %y[%nr] : memref<16xi32>
          %s = arith.addi %c, %v : i32
          affine.store %s, %y[%nr] : memref<16xi32>
        } {loop = "nr", iterator = "parallel"}
      } {loop = "kr", iterator = "reduction"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?x4xi32>, %y: memref<16xi32>, %K: index) {
      affine.for %nr = 0 to 16 {
        affine.for %kr = 0 to 4 {
          %v = affine.load %x[%nr, %kr] : memref<?x4xi32>
          %c = affine.load %y[%nr] : memref<16xi32>
          %s = arith.addi %c, %v : i32
          affine.store %s, %y[%nr] : memref<16xi32>
        } {loop = "kr", iterator = "reduction"}
      } {loop = "nr", iterator = "parallel"}
      func.return
    }
    ```
    Legal: as `reorder`.
    """
    for loop in loops_named(func, name):
        nest = perfect_nest(loop)
        nest = nest[nest.index(loop) :]
        _rearrange(func, nest, [*nest[1:], loop])


def _nest_around(loop: affine.ForOp, names: tuple[str, ...]) -> list[affine.ForOp] | None:
    """The smallest perfect nest that holds this loop and all the names."""
    wanted = set(names)
    nest = perfect_nest(loop)
    while not wanted <= {loop_name(l) for l in nest}:
        parent = nest[0].parent_op()
        if not isinstance(parent, affine.ForOp) or len(body_ops(parent)) != 1:
            return None
        nest.insert(0, parent)
    while loop_name(nest[-1]) not in wanted:
        nest.pop()
    while loop_name(nest[0]) not in wanted:
        nest.pop(0)
    return nest


def _interchange(func: FuncOp, nest: list[affine.ForOp], names: tuple[str, ...]) -> None:
    by_name = {loop_name(loop): loop for loop in nest}
    order = iter(names)
    _rearrange(func, nest, [by_name[next(order)] if loop_name(loop) in names else loop for loop in nest])


def _rearrange(func: FuncOp, nest: list[affine.ForOp], target: list[affine.ForOp]) -> None:
    """Nest the loops of a perfect nest in another order."""
    if target == nest:
        return
    _check(func, nest, target)

    block: Block | None = nest[0].parent
    assert block is not None
    after = nest[0].next_op
    body = body_ops(nest[-1])
    for op in body:
        op.detach()
    for loop in reversed(nest):
        loop.detach()
    # Innermost first: each loop swallows what stands inside it.
    inner: list[Operation] = body
    for loop in reversed(target):
        last = loop.body.block.last_op
        assert last is not None
        loop.body.block.insert_ops_before(inner, last)
        inner = [loop]
    if after is None:
        block.add_op(target[0])
    else:
        block.insert_op_before(target[0], after)


def _check(func: FuncOp, nest: list[affine.ForOp], target: list[affine.ForOp]) -> None:
    for place, loop in enumerate(target):
        outside = {induction_variable(other) for other in target[place + 1 :]}
        for bound in (*lower_bound(loop), *upper_bound(loop)):
            if any(value in outside for value in bound.values()):
                raise CompileError(
                    f"cannot reorder kernel @{func.sym_name.data}: the bounds of '{loop_name(loop)}' depend on a loop that would stand "
                    "inside it"
                )
    reductions = [loop for loop in nest if not is_parallel(loop)]
    stages = {loop.attributes.get("stage") for loop in reductions}
    if len(stages) > 1:
        raise CompileError(f"cannot reorder kernel @{func.sym_name.data}: reductions of different stages are nested in each other")
