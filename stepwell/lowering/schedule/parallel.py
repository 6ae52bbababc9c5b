"""The primitive `parallel`."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Region

from stepwell.dialects import affine
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import map_of
from stepwell.lowering.schedule.nest import (
    band,
    enclosing_loops,
    induction_variable,
    is_parallel,
    loop_block,
    loop_name,
    lower_bound,
    step_of,
    take_body,
    upper_bound,
)


def parallel(func: FuncOp, *names: str) -> None:
    """The outermost loops become one `affine.parallel`, whose iterations are dealt out to threads in order, outermost index slowest.

    before: ["parallel", "m"]
    ```mlir
    func.func @k(%x: memref<?xf32>, %M: index) {
      %one = arith.constant 1.0 : f32
      affine.for %m = 0 to %M {
        affine.store %one, %x[%m] : memref<?xf32>
      } {loop = "m", iterator = "parallel"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %M: index) {
      %one = arith.constant 1.0 : f32
      affine.parallel (%m) = (0) to (symbol(%M)) {
        affine.store %one, %x[%m] : memref<?xf32>
      } {loops = ["m"]}
      func.return
    }
    ```
    Legal: the loops are parallel, outermost, perfectly nested, and the bounds of none depend on another.
    """
    for nest in band(func, names):
        variables = [induction_variable(loop) for loop in nest]
        for loop in nest:
            if not is_parallel(loop):
                raise CompileError(f"loop '{loop_name(loop)}' of kernel @{func.sym_name.data} is a reduction and cannot run in parallel")
            if any(bound.mentions(v) for bound in (*lower_bound(loop), *upper_bound(loop)) for v in variables):
                raise CompileError(f"parallel loops of kernel @{func.sym_name.data} depend on each other's bounds", hint="name fewer loops")
        if any(True for _ in enclosing_loops(nest[0])):
            raise CompileError(f"loop '{names[0]}' of kernel @{func.sym_name.data} is not outermost and cannot run in parallel")

        lower = [lower_bound(loop) for loop in nest]
        upper = [upper_bound(loop) for loop in nest]
        lower_map, lower_operands = map_of([bound for bounds in lower for bound in bounds], symbols=True)
        upper_map, upper_operands = map_of([bound for bounds in upper for bound in bounds], symbols=True)

        body = loop_block(names[0])
        for name in names[1:]:
            argument = body.insert_arg(body.args[0].type, len(body.args))
            argument.name_hint = name
        take_body(nest[-1], body)
        for variable, argument in zip(variables, body.args, strict=True):
            variable.replace_all_uses_with(argument)
        op = affine.ParallelOp.get(
            lower_map.data,
            lower_operands,
            upper_map.data,
            upper_operands,
            [step_of(loop) for loop in nest],
            Region(body),
            lower_groups=[len(bounds) for bounds in lower],
            upper_groups=[len(bounds) for bounds in upper],
            attributes={"loops": ArrayAttr(StringAttr(name) for name in names)},
        )
        block = nest[0].parent
        assert block is not None
        block.insert_op_before(op, nest[0])
        nest[0].detach()
        nest[0].erase()
