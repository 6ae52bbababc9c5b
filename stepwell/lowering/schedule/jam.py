"""The primitive `jam`."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, OpResult

from stepwell.dialects import affine, arith, memref
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import (
    accesses,
    band,
    block_ops,
    body_ops,
    buffer_type,
    constant_extent,
    induction_variable,
    is_parallel,
    loop_block,
    loop_name,
    lower_bound,
    make_alloca,
    make_load,
    make_loop,
    make_store,
    memref_of,
    replace_operands,
    set_subscripts,
    subscripts,
    upper_bound,
)


def jam(func: FuncOp, *names: str) -> None:
    """Move point loops inside: they are distributed over the statements and the loops of their body, all the way down.

    A scalar of the body becomes a tile with one element per point, as does a value that is computed before a loop and used in or after it.
    What was `for every point, for every k` is then `for every k, for every point`: with the tile in registers, unroll-and-jam.

    before: ["jam", "mr"]
    ```mlir
    func.func @k(%x: memref<8x?xf32>, %y: memref<8xf32>, %K: index) {
      %zero = arith.constant 0.0 : f32
      affine.for %mr = 0 to 8 {
        %acc = memref.alloca() : memref<f32>
        affine.store %zero, %acc[] : memref<f32>
        affine.for %k = 0 to %K {
          %a = affine.load %x[%mr, %k] : memref<8x?xf32>
          %c = affine.load %acc[] : memref<f32>
          %s = arith.addf %c, %a : f32
          affine.store %s, %acc[] : memref<f32>
        } {loop = "k", iterator = "reduction"}
        %s = affine.load %acc[] : memref<f32>
        affine.store %s, %y[%mr] : memref<8xf32>
      } {loop = "mr", iterator = "parallel"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<8x?xf32>, %y: memref<8xf32>, %K: index) {
      %acc = memref.alloca() : memref<8xf32>
      %zero = arith.constant 0.0 : f32
      affine.for %mr = 0 to 8 {
        affine.store %zero, %acc[%mr] : memref<8xf32>
      } {loop = "mr", iterator = "parallel"}
      affine.for %k = 0 to %K {
        affine.for %mr = 0 to 8 {
          %a = affine.load %x[%mr, %k] : memref<8x?xf32>
          %c = affine.load %acc[%mr] : memref<8xf32>
          %s = arith.addf %c, %a : f32
          affine.store %s, %acc[%mr] : memref<8xf32>
        } {loop = "mr", iterator = "parallel"}
      } {loop = "k", iterator = "reduction"}
      affine.for %mr = 0 to 8 {
        %s = affine.load %acc[%mr] : memref<8xf32>
        affine.store %s, %y[%mr] : memref<8xf32>
      } {loop = "mr", iterator = "parallel"}
      func.return
    }
    ```
    Legal: the point loops are parallel, perfectly nested, start at 0 and have a constant extent; no loop inside depends on them, and
    they share no temporary from outside.
    """
    for points in band(func, names):
        for loop in points:
            _check(func, loop)
        _Jam(func, points).run()


def _check(func: FuncOp, loop: affine.ForOp) -> None:
    where = f"loop '{loop_name(loop)}' of kernel @{func.sym_name.data}"
    if not is_parallel(loop):
        raise CompileError(f"cannot jam {where}: it is a reduction")
    if constant_extent(loop) is None or [b.constant for b in lower_bound(loop) if b.is_constant] != [0]:
        raise CompileError(f"cannot jam {where}: it has no constant extent", hint="split it first and jam the point loop")


class _Jam:
    """One place where point loops are distributed over their body."""

    def __init__(self, func: FuncOp, points: Sequence[affine.ForOp]) -> None:
        self.func = func
        self.points = points
        self.variables = [induction_variable(loop) for loop in points]
        self.extents = [constant_extent(loop) or 0 for loop in points]
        self.bounds = [upper_bound(loop) for loop in points]
        self.tiles: list[Operation] = []

    def run(self) -> None:
        body = self.points[-1].body.block
        self._widen_scalars(body)
        self._check_outer_buffers(body)
        self._widen_crossing_values(body)
        ops = body_ops(self.points[-1])
        for op in ops:
            op.detach()
        self._distribute(ops, before=self.points[0])
        block = self.points[0].parent
        assert block is not None
        first = block.first_op
        assert first is not None
        block.insert_ops_before(self.tiles, first)
        self.points[0].detach()
        self.points[0].erase()

    # -- scalars and values become tiles

    def _widen_scalars(self, body: Block) -> None:
        """`alloca() : memref<f32>` inside the points -> `alloca() : memref<14x32xf32>` outside, subscripted by the points."""
        for op in [op for op in body.walk() if isinstance(op, memref.AllocaOp)]:
            buffer = op.results[0]
            type = buffer_type(buffer)
            if op.dynamic_sizes:
                raise CompileError(
                    f"a temporary of kernel @{self.func.sym_name.data} is a whole row ({type}) and cannot become a register tile",
                    hint="let the stage write its result into the output, or compute it again where it is used",
                )
            tile = make_alloca((*self.extents, *type.get_shape()), type.element_type, buffer.name_hint)
            self.tiles.append(tile)
            points = [Index.of(v) for v in self.variables]
            for user in accesses(buffer):
                assert isinstance(user, affine.LoadOp | affine.StoreOp)
                set_subscripts(user, [*points, *subscripts(user)], tile.results[0])
            op.detach()
            op.erase()

    def _check_outer_buffers(self, body: Block) -> None:
        """A temporary from outside that every point uses for itself would be shared once the points run side by side."""
        if not any(op.regions for op in body.ops):
            return
        for op in body.walk():
            if not isinstance(op, affine.StoreOp) or not isinstance(memref_of(op).owner, memref.AllocaOp):
                continue
            chosen = {index.as_value for index in subscripts(op)}
            if any(variable not in chosen for variable in self.variables):
                raise CompileError(
                    f"cannot jam loops {', '.join(str(loop_name(l)) for l in self.points)} of kernel @{self.func.sym_name.data}: "
                    "they share a temporary that stands outside",
                    hint="jam them together with the loops inside, in one step",
                )

    def _widen_crossing_values(self, block: Block) -> None:
        """A value that is used on the other side of a loop's border goes through a tile of its own."""
        run: dict[Operation, int] = {}
        number = 0
        for op in block_ops(block):
            if op.regions:
                number += 1
                for region in op.regions:
                    for inner in region.blocks:
                        self._widen_crossing_values(inner)
                run[op] = number
                number += 1
            else:
                run[op] = number
        for op in list(run):
            if op.regions:
                continue
            for result in op.results:
                self._widen_if_crossing(op, result, run, block)

    def _widen_if_crossing(self, op: Operation, result: OpResult, run: dict[Operation, int], block: Block) -> None:
        outside: dict[tuple[Block, int], list[Operation]] = {}
        for use in result.uses:
            user = use.operation
            if user.parent is block and run.get(user) == run[op] and not user.regions:
                continue
            home = user.parent
            assert home is not None
            outside.setdefault((home, run.get(user, -1)), []).append(user)
        if not outside:
            return
        if isinstance(op, arith.ConstantOp | affine.ApplyOp):
            for users in outside.values():
                for user in users:
                    copy = op.clone()
                    _insert_before(copy, user)
                    replace_operands(user, {result: copy.results[0]})
            return
        tile = make_alloca(self.extents, result.type, result.name_hint)
        self.tiles.append(tile)
        points = [Index.of(v) for v in self.variables]
        for users in outside.values():
            for user in users:
                load = make_load(tile.results[0], points)
                load.results[0].name_hint = result.name_hint
                _insert_before(load, user)
                replace_operands(user, {result: load.results[0]})
        block.insert_op_after(make_store(result, tile.results[0], points), op)

    # -- distribution

    def _distribute(self, ops: Sequence[Operation], before: Operation) -> None:
        """Put operations before an anchor: straight runs inside copies of the point loops, loops and conditions with the points inside
        them.
        """
        block = before.parent
        assert block is not None
        straight: list[Operation] = []

        def flush() -> None:
            if straight:
                block.insert_op_before(self._around(straight), before)
                straight.clear()

        for op in ops:
            if not op.regions:
                straight.append(op)
                continue
            flush()
            self._check_inner(op)
            block.insert_op_before(op, before)
            for region in op.regions:
                for inner in region.blocks:
                    last = inner.last_op
                    assert last is not None
                    inner_ops = block_ops(inner)
                    for inner_op in inner_ops:
                        inner_op.detach()
                    self._distribute(inner_ops, before=last)
        flush()

    def _around(self, ops: Sequence[Operation]) -> affine.ForOp:
        """Copies of the point loops around operations."""
        blocks = [loop_block(v.name_hint) for v in self.variables]
        for op in ops:
            blocks[-1].add_op(op)
        mapping = {v: block.args[0] for v, block in zip(self.variables, blocks, strict=True)}
        for op in ops:
            if any(operand in mapping for operand in op.operands):
                op.operands = [mapping.get(operand, operand) for operand in op.operands]
        loop: affine.ForOp | None = None
        for point, bound, block in zip(reversed(self.points), reversed(self.bounds), reversed(blocks), strict=True):
            if loop is not None:
                block.add_op(loop)
            loop = make_loop(bound, block, point.attributes)
        assert loop is not None
        return loop

    def _check_inner(self, op: Operation) -> None:
        if isinstance(op, affine.IfOp) and op.results:
            raise CompileError(f"cannot jam over an affine.if with results in kernel @{self.func.sym_name.data}")
        if any(operand in self.variables for operand in op.operands):
            raise CompileError(
                f"cannot jam loops {', '.join(str(loop_name(l)) for l in self.points)} of kernel @{self.func.sym_name.data}: "
                f"'{loop_name(op) or op.name}' inside depends on them"
            )


def _insert_before(op: Operation, anchor: Operation) -> None:
    block = anchor.parent
    assert block is not None
    block.insert_op_before(op, anchor)
