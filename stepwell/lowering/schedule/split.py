"""The primitive `split`."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import (
    induction_variable,
    loop_block,
    loops_named,
    lower_bound,
    make_loop,
    replace_value,
    step_of,
    take_body,
    upper_bound,
)

TAILS = ("mask", "overlap", "exact")


def split(func: FuncOp, name: str, factor: int, inner: str, tail: str = "mask") -> None:
    """Cut a loop into tiles of `factor` iterations and a point loop over one tile.

    The last tile is short when the extent is no multiple: the point loop's bound is a minimum. `tail` says how the vectoriser meets it:
    "mask" (lanes beyond the bound are switched off), "overlap" (the last tile moves back to extent - factor: the extent must be at least
    `factor` and repeated stores must be harmless), "exact" (the extent is a multiple of `factor`: a fact, no minimum is written).

    before: ["split", "m", 14, "mr"]
    ```mlir
    func.func @k(%x: memref<?xf32>, %y: memref<?xf32>, %M: index) {
      affine.for %m = 0 to %M {
        %v = affine.load %x[%m] : memref<?xf32>
        affine.store %v, %y[%m] : memref<?xf32>
      } {loop = "m", iterator = "parallel"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %y: memref<?xf32>, %M: index) {
      affine.for %m = 0 to %M step 14 {
        affine.for %mr = 0 to min affine_map<(d0)[s0] -> (14, s0 - d0)>(%m)[%M] {
          %v = affine.load %x[%m + %mr] : memref<?xf32>
          affine.store %v, %y[%m + %mr] : memref<?xf32>
        } {loop = "mr", iterator = "parallel"}
      } {loop = "m", iterator = "parallel"}
      func.return
    }
    ```
    Legal: always; the order of iterations is kept.
    """
    if factor < 1:
        raise CompileError(f"cannot split loop '{name}' in tiles of {factor}")
    if tail not in TAILS:
        raise CompileError(f"split of loop '{name}' has an unknown tail '{tail}'", hint=f"one of {', '.join(TAILS)}")
    for loop in loops_named(func, name):
        if step_of(loop) != 1:
            raise CompileError(f"loop '{name}' was split before", hint="split its point loop instead")
        lower, upper = lower_bound(loop), upper_bound(loop)
        if len(lower) != 1:
            raise CompileError(f"loop '{name}' has a lower bound of several expressions and cannot be split")
        variable = induction_variable(loop)

        outer_body = loop_block(name)
        # What was marked was the whole loop, which is no more.
        attributes = {k: v for k, v in loop.attributes.items() if k in ("loop", "iterator", "stage")}
        outer = make_loop(upper, outer_body, attributes, lower=lower, step=factor)
        block = loop.parent
        assert block is not None
        block.insert_op_before(outer, loop)

        tile = outer_body.args[0]
        left = [Index({}, factor)] if tail == "exact" else [Index({}, factor), *(bound - Index.of(tile) for bound in upper)]
        attributes |= {"loop": StringAttr(inner)}
        if tail == "overlap":
            attributes["tail"] = StringAttr("overlap")
        # The point loop gets a variable of its own: what is known about the old one must hold until every use is rewritten.
        body = loop_block(inner)
        take_body(loop, body)
        outer_body.insert_ops_before([make_loop(left, body, attributes)], outer_body.last_op)  # pyright: ignore[reportArgumentType]
        replace_value(variable, Index({tile: 1, body.args[0]: 1}))
        loop.detach()
        loop.erase()
