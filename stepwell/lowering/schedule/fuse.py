"""The primitive `fuse`, and the scalars that it leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import affine, arith, memref
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.combiners import unconditional
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import (
    Access,
    accesses,
    block_ops,
    body_ops,
    buffer_type,
    enclosing_loops,
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
    perfect_nest,
    set_subscripts,
    subscripts,
    upper_bound,
)


def fuse(func: FuncOp, *names: str) -> None:
    """Join the nests of all stages over these outer parallel loops.

    Inside, one iteration runs all stages in order. A temporary that is indexed by the joined loops becomes a scalar (or loses these
    dimensions), an element that a reduction accumulates in memory is kept in a scalar until the iteration ends, and values that a stage
    stores for the next one are handed over directly. Loops of a stage that are not named stay inside it; a stage's loops are
    interchanged as needed. Without names nothing is joined, and only the whole-function accumulators become scalars.

    before: ["fuse", "m"]
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %y: memref<?xf32>, %M: index, %K: index) {
      %zero = arith.constant 0.0 : f32
      %t = memref.alloca(%M) : memref<?xf32>
      affine.for %m = 0 to %M {
        affine.store %zero, %t[%m] : memref<?xf32>
      } {loop = "m", iterator = "parallel", stage = "init"}
      affine.for %m = 0 to %M {
        affine.for %k = 0 to %K {
          %a = affine.load %x[%m, %k] : memref<?x?xf32>
          %c = affine.load %t[%m] : memref<?xf32>
          %s = arith.addf %c, %a : f32
          affine.store %s, %t[%m] : memref<?xf32>
        } {loop = "k", iterator = "reduction", stage = "sum"}
      } {loop = "m", iterator = "parallel", stage = "sum"}
      affine.for %m = 0 to %M {
        %s = affine.load %t[%m] : memref<?xf32>
        %n = arith.negf %s : f32
        affine.store %n, %y[%m] : memref<?xf32>
      } {loop = "m", iterator = "parallel", stage = "negate"}
      func.return
    }
    ```
    after:
    ```mlir
    func.func @k(%x: memref<?x?xf32>, %y: memref<?xf32>, %M: index, %K: index) {
      %zero = arith.constant 0.0 : f32
      affine.for %m = 0 to %M {
        %t = memref.alloca() : memref<f32>
        affine.store %zero, %t[] : memref<f32>
        affine.for %k = 0 to %K {
          %a = affine.load %x[%m, %k] : memref<?x?xf32>
          %c = affine.load %t[] : memref<f32>
          %s = arith.addf %c, %a : f32
          affine.store %s, %t[] : memref<f32>
        } {loop = "k", iterator = "reduction", stage = "sum"}
        %s = affine.load %t[] : memref<f32>
        %n = arith.negf %s : f32
        affine.store %n, %y[%m] : memref<?xf32>
      } {loop = "m", iterator = "parallel"}
      func.return
    }
    ```
    Legal: the loops are parallel and of equal bounds in every stage, and what one stage writes another touches in the same iteration only:
    their subscripts hold each joined loop's variable, alone, in the same place.
    """
    entry = func.body.block
    unconditional(func)
    hoist_constants(func)
    nests = [op for op in entry.ops if isinstance(op, affine.ForOp)]
    if not names:
        keep_accumulators(entry, ())
        forward_scalars(entry)
        return
    if not nests:
        raise CompileError(f"kernel @{func.sym_name.data} has no loops to fuse")

    chains = [perfect_nest(nest) for nest in nests]
    chosen = [_named(func, chain, names) for chain in chains]
    check_fusion(func, names, chosen)

    # The joined loops, from the bounds of the first stage.
    blocks = [loop_block(name) for name in names]
    variables = [block.args[0] for block in blocks]
    inner = blocks[-1]
    after = nests[-1].next_op
    assert after is not None
    for chain, loops in zip(chains, chosen, strict=True):
        moved = _without(chain, loops)
        for loop, variable in zip(loops, variables, strict=True):
            induction_variable(loop).replace_all_uses_with(variable)
        for op in moved:
            if op.parent is not None:
                op.detach()
            inner.add_op(op)
    # After the last stage's place: whatever stands between the stages (scalars, extents) comes first.
    _insert_before(_joined(blocks, chosen[0]), after)
    for loops in chosen:
        for loop in loops:
            if loop.parent is entry:
                loop.detach()
            if loop.parent is None:
                loop.erase()
    localise(entry, inner, variables)
    keep_accumulators(inner, variables)
    forward_scalars(inner)


def _named(func: FuncOp, chain: Sequence[affine.ForOp], names: Sequence[str]) -> list[affine.ForOp]:
    """The loops of those names in a stage's nest."""
    by_name = {loop_name(loop): loop for loop in chain}
    missing = [name for name in names if name not in by_name]
    if missing:
        stage = chain[0].attributes.get("stage")
        raise CompileError(
            f"stage {stage} of kernel @{func.sym_name.data} has no loop '{missing[0]}' to fuse",
            hint=f"its loops are {', '.join(str(n) for n in by_name)}",
        )
    return [by_name[name] for name in names]


def check_fusion(func: FuncOp, names: Sequence[str], chosen: Sequence[Sequence[affine.ForOp]]) -> None:
    """Raise CompileError unless the stages may run interleaved, iteration by iteration of these loops."""
    first = chosen[0]
    for loops in chosen:
        for loop, reference in zip(loops, first, strict=True):
            if not is_parallel(loop):
                raise CompileError(f"cannot fuse over '{loop_name(loop)}' in kernel @{func.sym_name.data}: it is a reduction")
            if upper_bound(loop) != upper_bound(reference) or lower_bound(loop) != lower_bound(reference):
                raise CompileError(f"cannot fuse over '{loop_name(loop)}' in kernel @{func.sym_name.data}: extents differ between stages")
    # Which stages touch a memref, and with which variable in which place.
    touched: dict[SSAValue, dict[int, list[Access]]] = {}
    written: set[SSAValue] = set()
    for stage, loops in enumerate(chosen):
        outermost = min(loops, key=lambda loop: sum(1 for _ in enclosing_loops(loop)))
        for op in outermost.walk():
            if isinstance(op, affine.LoadOp | affine.StoreOp):
                touched.setdefault(memref_of(op), {}).setdefault(stage, []).append(op)
                if isinstance(op, affine.StoreOp):
                    written.add(memref_of(op))
            elif isinstance(op, memref.LoadOp) and len(chosen) > 1:
                touched.setdefault(op.memref, {}).setdefault(stage, [])
    for buffer, stages in touched.items():
        if buffer not in written or len(stages) == 1:
            continue
        for place, name in enumerate(names):
            common: set[int] | None = None
            for stage, ops in stages.items():
                variable = induction_variable(chosen[stage][place])
                for op in ops:
                    here = {p for p, index in enumerate(subscripts(op)) if index.as_value is variable}
                    common = here if common is None else common & here
                if not ops:
                    common = set()
            if not common:
                raise CompileError(
                    f"cannot fuse over '{name}' in kernel @{func.sym_name.data}: a stage reads what another iteration of '{name}' writes"
                )


def _without(chain: Sequence[affine.ForOp], chosen: Sequence[affine.ForOp]) -> list[Operation]:
    """The body of a nest with some of its loops taken out; the others keep their order around it."""
    rest = [loop for loop in chain if loop not in chosen]
    if not rest:
        return body_ops(chain[-1])
    if list(chain[: len(chosen)]) == [l for l in chain if l in chosen]:
        return [rest[0]]
    inner: list[Operation] = body_ops(chain[-1])
    for op in inner:
        op.detach()
    for loop in reversed(rest):
        for op in body_ops(loop):
            op.detach()
        last = loop.body.block.last_op
        assert last is not None
        for op in inner:
            loop.body.block.insert_op_before(op, last)
        loop.detach()
        inner = [loop]
    return inner


def _joined(blocks: Sequence[Block], bounds: Sequence[affine.ForOp]) -> affine.ForOp:
    """The joined loops around their blocks, with the bounds of one stage."""
    outermost: affine.ForOp | None = None
    for block, loop in zip(reversed(blocks), reversed(bounds), strict=True):
        if outermost is not None:
            block.add_op(outermost)
        attributes = {key: value for key, value in loop.attributes.items() if key != "stage"}
        outermost = make_loop(upper_bound(loop), block, attributes, lower=lower_bound(loop))
    assert outermost is not None
    return outermost


def _insert_before(op: Operation, anchor: Operation) -> None:
    block = anchor.parent
    assert block is not None
    block.insert_op_before(op, anchor)


# ---- constants ------------------------------------------------------------------------------------------------------------------


def hoist_constants(func: FuncOp) -> None:
    """Constants move to the start of the function, one of each."""
    entry = func.body.block
    known: dict[Any, arith.ConstantOp] = {}
    for op in list(func.body.walk()):
        if not isinstance(op, arith.ConstantOp):
            continue
        op.detach()
        if (same := known.get(op.value)) is not None:
            op.results[0].replace_all_uses_with(same.results[0])
            op.erase()
        else:
            known[op.value] = op
    first = entry.first_op
    assert first is not None
    entry.insert_ops_before(list(known.values()), first)


# ---- temporaries and accumulators -----------------------------------------------------------------------------------------------


def localise(entry: Block, inner: Block, variables: Sequence[SSAValue]) -> None:
    """Temporaries of the function lose the dimensions that are always subscripted by one of the variables (or by one constant), and
    move to where they are used.
    """
    joined = set(variables)
    for op in list(entry.ops):
        if not isinstance(op, memref.AllocaOp):
            continue
        buffer = op.results[0]
        type = buffer_type(buffer)
        users = accesses(buffer)
        if not all(isinstance(user, affine.LoadOp | affine.StoreOp) for user in users):
            continue
        indices = [subscripts(user) for user in users]  # pyright: ignore[reportArgumentType]
        shape = type.get_shape()
        dropped = [
            p
            for p in range(len(shape))
            if indices and (indices[0][p].is_constant or indices[0][p].as_value in joined) and all(i[p] == indices[0][p] for i in indices)
        ]
        if not dropped and shape:
            continue
        kept = [p for p in range(len(shape)) if p not in dropped]
        sizes = iter(op.dynamic_sizes)
        dynamic = {p: next(sizes) for p, extent in enumerate(shape) if extent == DYNAMIC_INDEX}
        if any(p in dynamic for p in kept):
            local = memref.AllocaOp.get(
                type.element_type, shape=[shape[p] for p in kept], dynamic_sizes=[dynamic[p] for p in kept if p in dynamic]
            )
        else:
            local = make_alloca([shape[p] for p in kept], type.element_type)
        local.results[0].name_hint = buffer.name_hint
        first = inner.first_op
        assert first is not None
        inner.insert_op_before(local, first)
        for user, index in zip(users, indices, strict=True):
            set_subscripts(user, [index[p] for p in kept], local.results[0])  # pyright: ignore[reportArgumentType]
        op.detach()
        op.erase()


def keep_accumulators(block: Block, variables: Sequence[SSAValue]) -> None:
    """An element of memory that an inner loop updates again and again, or that one stage writes for the next, is kept in a scalar
    while the block runs.
    """
    found: dict[SSAValue, list[tuple[Access, bool]]] = {}
    elsewhere: set[SSAValue] = set()
    for op in block_ops(block):
        for access in op.walk():
            if isinstance(access, affine.LoadOp | affine.StoreOp):
                found.setdefault(memref_of(access), []).append((access, access is not op))
            elif isinstance(access, memref.LoadOp):
                elsewhere.add(access.memref)
    for buffer, uses in found.items():
        if buffer in elsewhere:
            continue
        type = buffer_type(buffer)
        if not type.get_shape() and isinstance(buffer.owner, memref.AllocaOp):
            continue
        is_updated = any(nested and isinstance(access, affine.StoreOp) for access, nested in uses)
        is_handed_on = bool(uses) and isinstance(uses[0][0], affine.StoreOp) and not uses[0][1]
        if not is_updated and not is_handed_on:
            continue
        if not any(isinstance(access, affine.LoadOp) for access, _ in uses):
            continue
        element = subscripts(uses[0][0])
        if any(subscripts(access) != element for access, _ in uses[1:]) or not _invariant(element, block):
            continue
        scalar = make_alloca((), type.element_type, "acc")
        first, nested = uses[0]
        start = block.first_op
        assert start is not None
        block.insert_op_before(scalar, start)
        if nested or isinstance(first, affine.LoadOp):
            initial = make_load(buffer, element)
            block.insert_ops_after([initial, make_store(initial.results[0], scalar.results[0], ())], scalar)
        for access, _ in uses:
            set_subscripts(access, (), scalar.results[0])
        final = make_load(scalar.results[0], ())
        back = make_store(final.results[0], buffer, element)
        last = block.last_op
        assert last is not None
        block.insert_ops_before([final, back], last)


def _invariant(element: Iterable[Index], block: Block) -> bool:
    """Whether subscripts use only values from outside the loops inside a block."""
    for index in element:
        for value in index.values():
            owner = value.owner
            home = owner if isinstance(owner, Block) else owner.parent
            if home is not block and home is not None and _inside(home, block):
                return False
    return True


def _inside(inner: Block, outer: Block) -> bool:
    parent: Any = inner
    while parent is not None:
        if parent is outer:
            return True
        op = parent.parent_op()
        parent = op.parent if op is not None else None
    return False


def forward_scalars(block: Block) -> None:
    """Loads of scalars read what the block stored before; scalars that nobody loads, and stores that nobody sees, vanish."""
    known: dict[SSAValue, SSAValue] = {}
    unseen: dict[SSAValue, Operation] = {}
    scalars = [op.results[0] for op in block.ops if isinstance(op, memref.AllocaOp) and not op.results[0].type.get_shape()]  # pyright: ignore
    ours = set(scalars)
    for op in block_ops(block):
        if isinstance(op, affine.LoadOp) and op.operands[0] in ours:
            scalar = op.operands[0]
            if scalar in known:
                op.results[0].replace_all_uses_with(known[scalar])
                op.detach()
                op.erase()
            else:
                known[scalar] = op.results[0]
                unseen.pop(scalar, None)
        elif isinstance(op, affine.StoreOp) and op.operands[1] in ours:
            scalar = op.operands[1]
            if (before := unseen.get(scalar)) is not None:
                before.detach()
                before.erase()
            known[scalar] = op.operands[0]
            unseen[scalar] = op
        elif op.regions:
            for access in op.walk():
                if isinstance(access, affine.LoadOp | affine.StoreOp) and (scalar := memref_of(access)) in ours:
                    if isinstance(access, affine.StoreOp):
                        known.pop(scalar, None)
                    unseen.pop(scalar, None)
    for scalar in scalars:
        users = accesses(scalar)
        if all(isinstance(user, affine.StoreOp) for user in users):
            for user in users:
                user.detach()
                user.erase()
            owner = scalar.owner
            assert isinstance(owner, Operation)
            owner.detach()
            owner.erase()
