"""The primitive `rfactor`."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import affine, arith, memref
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.combiners import Combiner, combiner_of, neutral_attr, split_combine
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import (
    constant_extent,
    element_type,
    enclosing_loops,
    induction_variable,
    is_parallel,
    loop_block,
    loop_name,
    loops_named,
    make_alloca,
    make_load,
    make_loop,
    make_store,
    memref_of,
    set_subscripts,
    step_of,
    subscripts,
)


def rfactor(func: FuncOp, name: str) -> None:
    """Give every point of a reduction's point loop an accumulator of its own, and combine them after the reduction.

    Loops of that name that are parallel stay as they are. The partial accumulators start at the neutral element, so that points which the
    last, short tile leaves out change nothing.

    before: ["rfactor", "nr"]
    ```mlir
    func.func @k(%x: memref<?xf32>, %y: memref<f32>, %N: index) {
      %zero = arith.constant 0.0 : f32
      %acc = memref.alloca() : memref<f32>
      affine.store %zero, %acc[] : memref<f32>
      affine.for %n = 0 to %N step 8 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
          %v = affine.load %x[%n + %nr] : memref<?xf32>
          %c = affine.load %acc[] : memref<f32>
          %s = arith.addf %c, %v : f32
          affine.store %s, %acc[] : memref<f32>
        } {loop = "nr", iterator = "reduction"}
      } {loop = "n", iterator = "reduction"}
      %r = affine.load %acc[] : memref<f32>
      affine.store %r, %y[] : memref<f32>
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?xf32>, %y: memref<f32>, %N: index) {
      %zero = arith.constant 0.0 : f32
      %acc = memref.alloca() : memref<f32>
      affine.store %zero, %acc[] : memref<f32>
      %acc_nr = memref.alloca() : memref<8xf32>
      %neutral = arith.constant 0.0 : f32
      affine.for %nr0 = 0 to 8 {
        affine.store %neutral, %acc_nr[%nr0] : memref<8xf32>
      } {loop = "nr", iterator = "parallel"}
      affine.for %n = 0 to %N step 8 {
        affine.for %nr = 0 to min affine_map<(d0)[s0] -> (8, s0 - d0)>(%n)[%N] {
          %v = affine.load %x[%n + %nr] : memref<?xf32>
          %c = affine.load %acc_nr[%nr] : memref<8xf32>
          %s = arith.addf %c, %v : f32
          affine.store %s, %acc_nr[%nr] : memref<8xf32>
        } {loop = "nr", iterator = "reduction", private}
      } {loop = "n", iterator = "reduction"}
      affine.for %nr1 = 0 to 8 {
        %p = affine.load %acc_nr[%nr1] : memref<8xf32>
        %c = affine.load %acc[] : memref<f32>
        %s = arith.addf %c, %p : f32
        affine.store %s, %acc[] : memref<f32>
      } {loop = "nr", iterator = "reduction"}
      %r = affine.load %acc[] : memref<f32>
      affine.store %r, %y[] : memref<f32>
      func.return
    }
    ```
    Legal: the accumulator is updated by one associative and commutative operation (a sum, a product, a maximum, ...) of its old value.
    """
    for loop in loops_named(func, name):
        if is_parallel(loop):
            continue
        extent = constant_extent(loop)
        if extent is None:
            raise CompileError(f"loop '{name}' of kernel @{func.sym_name.data} has no constant extent to rfactor", hint="split it first")
        for update in _updates(func, loop):
            _factor(func, loop, extent, update)
        loop.attributes["private"] = UnitAttr()


@dataclass
class _Update:
    """`store(combine(load, x))` on one element of a buffer."""

    load: affine.LoadOp
    combine: Operation
    store: affine.StoreOp
    combiner: Combiner


def _updates(func: FuncOp, loop: affine.ForOp) -> list[_Update]:
    """The accumulations in a loop's body on elements that do not depend on the loop."""
    variable = induction_variable(loop)
    found: list[_Update] = []
    for store in loop.walk():
        if not isinstance(store, affine.StoreOp):
            continue
        buffer, element = memref_of(store), subscripts(store)
        if any(index.mentions(variable) for index in element):
            continue
        combine = store.operands[0].owner
        load = None
        if isinstance(combine, Operation) and (combiner := combiner_of(combine)) is not None:
            for operand in combine.operands:
                owner = operand.owner
                if isinstance(owner, affine.LoadOp) and memref_of(owner) is buffer and subscripts(owner) == element:
                    load = owner
            if load is not None and split_combine(combine, load.results[0]) is not None:
                found.append(_Update(load, combine, store, combiner))
                continue
        raise CompileError(
            f"loop '{loop_name(loop)}' of kernel @{func.sym_name.data} cannot be rfactored: what it accumulates is not one sum, product, "
            "maximum or the like",
            hint="vectorise a parallel loop instead",
        )
    if not found:
        raise CompileError(f"loop '{loop_name(loop)}' of kernel @{func.sym_name.data} accumulates nothing to rfactor")
    return found


def _factor(func: FuncOp, loop: affine.ForOp, extent: int, update: _Update) -> None:
    buffer = memref_of(update.store)
    element = subscripts(update.store)
    kind = element_type(buffer)

    # The outermost reduction loop of this accumulation; parallel point loops between stay around what is added.
    points: list[affine.ForOp] = []
    outermost: affine.ForOp = loop
    for around in enclosing_loops(update.store):
        if not isinstance(around, affine.ForOp):
            break
        if any(index.mentions(induction_variable(around)) for index in element):
            if constant_extent(around) is None or (outermost is not loop and not _inside(around, outermost)):
                break
            points.insert(0, around)
            continue
        if is_parallel(around):
            break
        if _initialised_in(update, around):
            break
        outermost = around
    points = [p for p in points if _inside(p, outermost)]
    if any(step_of(p) != 1 for p in points):
        raise CompileError(
            f"loop '{loop_name(loop)}' of kernel @{func.sym_name.data} cannot be rfactored: the loops that choose its accumulator "
            "are split",
            hint="rfactor before splitting them again",
        )

    name = buffer.name_hint or "acc"
    tile_shape = [constant_extent(p) or 0 for p in points]
    private = make_alloca([*tile_shape, extent], kind, f"{name}_{loop_name(loop)}")
    lanes = private.results[0]
    neutral = arith.ConstantOp.create(result_types=[kind], properties={"value": neutral_attr(update.combiner, kind)})
    block = outermost.parent
    assert block is not None
    variables = [Index.of(induction_variable(p)) for p in points]
    here = Index.of(induction_variable(loop))

    # Start: every private accumulator is neutral.
    bodies, nest = _nest(points, loop, extent, parallel=True)
    inner = bodies[-1]
    inner.insert_op_before(make_store(neutral.results[0], lanes, [Index.of(b.args[0]) for b in bodies]), inner.last_op)  # pyright: ignore
    block.insert_ops_before([private, neutral, nest], outermost)

    # During: the update touches its own accumulator.
    set_subscripts(update.load, [*variables, here], lanes)
    set_subscripts(update.store, [*variables, here], lanes)

    # End: they are combined into the one that was asked for.
    bodies, nest = _nest(points, loop, extent, parallel=False)
    inner = bodies[-1]
    mine = [Index.of(b.args[0]) for b in bodies]
    renamed: dict[SSAValue, Index] = {induction_variable(p): Index.of(b.args[0]) for p, b in zip(points, bodies, strict=False)}
    target = [index.replace(renamed) for index in element]
    partial, old = make_load(lanes, mine), make_load(buffer, target)
    combined = type(update.combine).create(
        operands=[old.results[0], partial.results[0]],
        result_types=[kind],
        properties=update.combine.properties,
        attributes=update.combine.attributes,
    )
    last = inner.last_op
    assert last is not None
    inner.insert_ops_before([partial, old, combined, make_store(combined.results[0], buffer, target)], last)
    block.insert_op_after(nest, outermost)


def _inside(inner: Operation, outer: Operation) -> bool:
    return any(loop is outer for loop in enclosing_loops(inner))


def _initialised_in(update: _Update, loop: affine.ForOp) -> bool:
    """Whether the accumulator lives inside the loop, or is set there before it is updated: then the reduction starts there."""
    buffer, block = memref_of(update.store), loop.body.block
    owner = buffer.owner
    if isinstance(owner, memref.AllocaOp) and owner.parent is block:
        return True
    return any(isinstance(op, affine.StoreOp) and op is not update.store and memref_of(op) is buffer for op in block.ops)


def _nest(points: list[affine.ForOp], loop: affine.ForOp, extent: int, *, parallel: bool) -> tuple[list[Block], affine.ForOp]:
    """A fresh nest of the point loops and the private one, full tiles."""
    bodies: list[Block] = [loop_block(loop_name(l)) for l in (*points, loop)]
    op: affine.ForOp | None = None
    for source, body in zip(reversed([*points, loop]), reversed(bodies), strict=True):
        if op is not None:
            body.add_op(op)
        attributes = {k: v for k, v in source.attributes.items() if k in ("loop", "iterator", "stage", "vector")}
        if source is loop:
            attributes["iterator"] = StringAttr("parallel" if parallel else "reduction")
        upper = [Index({}, extent if source is loop else constant_extent(source) or 0)]
        op = make_loop(upper, body, attributes)
    assert op is not None
    return bodies, op
