"""The primitive `prefetch`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

from xdsl.dialects.builtin import AnyFloat, BoolAttr, IntegerAttr, IntegerType, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import affine
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index, map_of
from stepwell.lowering.schedule.nest import (
    buffer_type,
    constant_extent,
    element_type,
    enclosing_loops,
    induction_variable,
    loops_named,
    memref_of,
    step_of,
    subscripts,
)

CACHE_LINE = 64
"""Bytes that one prefetch brings."""
MOST_LINES = 64
"""How many prefetches one step writes at most."""


def prefetch(func: FuncOp, operand: int, name: str, ahead: int) -> None:
    """Ask for the elements of an argument before they are needed.

    An argument that the loop reads: one `affine.prefetch` for every cache line of the points, `ahead` iterations early, first thing in the
    loop's body. An argument that is written after the loop: prefetches for writing before the loop (`ahead` is then 0). `operand` is the
    number of the argument. Prefetches may reach beyond the buffer; they change nothing.

    before: ["prefetch", 0, "k", 8]
    ```mlir
    func.func @k(%b: memref<?x32xf32>, %y: memref<32xf32>, %K: index) {
      affine.for %k = 0 to %K {
        affine.for %nr = 0 to 32 {
          %v = affine.load %b[%k, %nr] : memref<?x32xf32>
          affine.store %v, %y[%nr] : memref<32xf32>
        } {loop = "nr", iterator = "parallel"}
      } {loop = "k", iterator = "reduction"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%b: memref<?x32xf32>, %y: memref<32xf32>, %K: index) {
      affine.for %k = 0 to %K {
        affine.prefetch %b[%k + 8, 0], read, locality<3>, data : memref<?x32xf32>
        affine.prefetch %b[%k + 8, 16], read, locality<3>, data : memref<?x32xf32>
        affine.for %nr = 0 to 32 {
          %v = affine.load %b[%k, %nr] : memref<?x32xf32>
          affine.store %v, %y[%nr] : memref<32xf32>
        } {loop = "nr", iterator = "parallel"}
      } {loop = "k", iterator = "reduction"}
      func.return
    }
    ```
    Legal: always.
    """
    if not 0 <= operand < len(func.args):
        raise CompileError(f"kernel @{func.sym_name.data} has no argument {operand} to prefetch")
    buffer = func.args[operand]
    for loop in loops_named(func, name):
        reads = [op for op in loop.walk() if isinstance(op, affine.LoadOp) and memref_of(op) is buffer]
        if reads:
            replacement = {induction_variable(loop): Index({induction_variable(loop): 1}, ahead * step_of(loop))}
            first = loop.body.block.first_op
            assert first is not None
            _insert(reads[0], loop, replacement, first, is_write=False)
            continue
        block = loop.parent
        assert block is not None
        writes = [op for op in block.walk() if isinstance(op, affine.StoreOp) and memref_of(op) is buffer]
        if not writes:
            raise CompileError(
                f"loop '{name}' of kernel @{func.sym_name.data} neither reads argument {operand} nor is it written beside it"
            )
        _insert(writes[0], loop, {}, loop, is_write=True)


def _insert(
    access: affine.LoadOp | affine.StoreOp, around: affine.ForOp, replacement: dict[SSAValue, Index], before: Operation, *, is_write: bool
) -> None:
    """One prefetch for each cache line that the loops between `around` and the access touch."""
    buffer = memref_of(access)
    index = [i.replace(replacement) for i in subscripts(access)]
    steps: list[tuple[SSAValue, range]] = []
    for variable, values in _loops_between(access, around):
        if not any(i.mentions(variable) for i in index):
            continue
        apart = _distance(buffer, index, variable)
        stride = max(1, CACHE_LINE // apart) if apart is not None and values.step == 1 else values.step
        every = range(0, values.stop, stride)
        # Where there are too many lines to name them all, the first stands for the rest.
        few = len(every) * prod(len(r) for _, r in steps) <= MOST_LINES
        steps.append((variable, every if few else range(1)))
    block = before.parent
    assert block is not None
    for offsets in product(*(r for _, r in steps)):
        at = {v: Index({}, offset) for (v, _), offset in zip(steps, offsets, strict=True)}
        map, operands = map_of([i.replace(at) for i in index])
        op = affine.PrefetchOp.create(
            operands=[buffer, *operands],
            properties={
                "isWrite": BoolAttr.from_bool(is_write),
                "localityHint": IntegerAttr(3, i32),
                "isDataCache": BoolAttr.from_bool(True),
                "map": map,
            },
        )
        block.insert_op_before(op, before)


def _distance(buffer: SSAValue, index: list[Index], variable: SSAValue) -> int | None:
    """Bytes between the elements of neighbouring iterations of a loop, None where that depends on what is known at run time only."""
    distance = 0
    stride = _bytes_of(element_type(buffer))
    for i, extent in zip(reversed(index), reversed(buffer_type(buffer).get_shape()), strict=True):
        factor = i.coefficient(variable)
        if factor is None or factor < 0 or (factor and stride < 0):
            return None
        distance += factor * stride
        stride = stride * extent if extent > 0 and stride > 0 else -1
    return distance or None


def _loops_between(access: Operation, around: affine.ForOp) -> Iterator[tuple[SSAValue, range]]:
    """The loops around an access that stand inside `around`, innermost first, with the values of their variables.

    Where `around` is not around the access (it stands before a write), those inside its block. Of a loop without constant extent: the
    first value.
    """
    home = around.parent
    for loop in enclosing_loops(access):
        if loop is around or not isinstance(loop, affine.ForOp):
            return
        extent = constant_extent(loop)
        yield induction_variable(loop), range(0, extent, step_of(loop)) if extent is not None else range(1)
        if loop.parent is home:
            return


def _bytes_of(element: object) -> int:
    if isinstance(element, IntegerType | AnyFloat):
        return max(1, element.bitwidth // 8)
    return 8
