"""What a primitive refuses, and what it says."""

from __future__ import annotations

import pytest
from test_primitives import kernel
from xdsl.parser import Parser

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.lowering.schedule.primitives import apply_step, steps_of

ROWS = """
func.func @k(%x: memref<?x?xf32>, %y: memref<?xf32>, %M: index, %N: index) {
  %zero = arith.constant 0.0 : f32
  affine.for %m = 0 to %M {
    affine.store %zero, %y[%m] : memref<?xf32>
  } {loop = "m", iterator = "parallel", stage = "init"}
  affine.for %m = 0 to %M {
    affine.for %n = 0 to %N {
      %a = affine.load %x[%m, %n] : memref<?x?xf32>
      %c = affine.load %y[%m] : memref<?xf32>
      %s = arith.addf %c, %a : f32
      affine.store %s, %y[%m] : memref<?xf32>
    } {loop = "n", iterator = "reduction", stage = "sum"}
  } {loop = "m", iterator = "parallel", stage = "sum"}
  func.return
}
"""

SHIFTED = """
func.func @k(%x: memref<?xf32>, %y: memref<?xf32>, %t: memref<?xf32>, %M: index) {
  affine.for %m = 0 to %M {
    %a = affine.load %x[%m] : memref<?xf32>
    affine.store %a, %t[%m] : memref<?xf32>
  } {loop = "m", iterator = "parallel", stage = "a"}
  affine.for %m = 0 to %M {
    %a = affine.load %t[%m + 1] : memref<?xf32>
    affine.store %a, %y[%m] : memref<?xf32>
  } {loop = "m", iterator = "parallel", stage = "b"}
  func.return
}
"""

DIFFERENCE = ROWS.replace("arith.addf", "arith.subf")


@pytest.mark.parametrize(
    ("source", "steps", "message"),
    [
        (ROWS, [["split", "q", 4, "qr"]], "has no loop 'q'.*its loops are m, n"),
        (ROWS, [["split", "m", 0, "mr"]], "cannot split loop 'm' in tiles of 0"),
        (ROWS, [["split", "m", 4, "mr", "peel"]], "unknown tail 'peel'.*one of mask, overlap, exact"),
        (ROWS, [["split", "m", 4, "mr"], ["split", "m", 8, "ms"]], "loop 'm' was split before"),
        (ROWS, [["fuse", "m", "n"]], "has no loop 'n' to fuse"),
        (SHIFTED, [["fuse", "m"]], "reads what another iteration of 'm' writes"),
        (ROWS, [["jam", "m"]], "cannot jam loop 'm' .* it has no constant extent"),
        (ROWS, [["split", "n", 4, "nr"], ["jam", "nr"]], "cannot jam loop 'nr' .* it is a reduction"),
        (ROWS, [["parallel", "n"]], "loop 'n' of kernel @k is a reduction and cannot run in parallel"),
        (ROWS, [["fuse", "m"], ["split", "m", 4, "mr"], ["parallel", "mr"]], "loop 'mr' of kernel @k is not outermost"),
        (ROWS, [["fuse", "m"], ["split", "m", 4, "mr"], ["parallel", "m", "mr"]], "depend on each other's bounds"),
        (ROWS, [["vectorize", "n"]], "loop 'n' of kernel @k has no constant extent to make a vector of"),
        (ROWS, [["unroll", "n", "full"]], "cannot be unrolled fully: its extent is not constant"),
        (ROWS, [["unroll", "n", 0]], "cannot be unrolled by 0"),
        (ROWS, [["prefetch", 7, "n", 8]], "has no argument 7 to prefetch"),
        (ROWS, [["fuse", "m"], ["split", "m", 4, "mr"], ["reorder", "mr", "m"]], "bounds of 'mr' depend on a loop that would stand inside"),
        (ROWS, [["fuse", "m"], ["rfactor", "n"]], "has no constant extent to rfactor"),
        (DIFFERENCE, [["fuse", "m"], ["split", "n", 4, "nr"], ["rfactor", "nr"]], "is not one sum, product, maximum or the like"),
        (ROWS, [["melt", "n"]], r'unknown schedule step \["melt", "n"\].*one of fuse, split'),
        (ROWS, [["unroll", "n"]], r'step \["unroll", "n"\] has the wrong arguments'),
    ],
)  # fmt: skip
def test_refused(source: str, steps: list[list[object]], message: str) -> None:
    func = kernel(source)
    text = str(steps).replace("'", '"')
    *legal, last = steps_of(Parser(make_context(), text).parse_attribute())
    for step in legal:
        apply_step(func, step)
    with pytest.raises(CompileError, match=message):
        apply_step(func, last)


@pytest.mark.parametrize("schedule", ['"split"', '["split"]', "[[4]]", '[["split", unit]]'])
def test_no_schedule(schedule: str) -> None:
    with pytest.raises(CompileError, match="a schedule"):
        steps_of(Parser(make_context(), schedule).parse_attribute())
