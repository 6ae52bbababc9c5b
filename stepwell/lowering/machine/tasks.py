"""A parallel loop becomes a task: a function of its own that runs a range of the flattened iterations, called by the thread pool.

`@k` puts what the task uses into a record on its stack and calls `stepwell_parallel_for(@k_task, record, iterations, grain)`;
`@k_task(ptr record, i64 begin, i64 end)` loads from the record.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.control import counting_loop, iterations
from stepwell.lowering.machine.index import Index, constant
from stepwell.lowering.machine.scopes import Frame, Scope, ScopeKind
from stepwell.lowering.machine.sink import Parameter
from stepwell.lowering.machine.walk import Walk

PARALLEL_FOR = "stepwell_parallel_for"


def emit_task(w: Walk, op: Operation, lower: Sequence[SSAValue], upper: Sequence[SSAValue], step: Sequence[SSAValue]) -> None:
    """Emit the task, then the call where the loop stands."""
    w.force_reads_before(op)
    _force_captured_reads(w, op)
    starts, steps = [w.index_of(v) for v in lower], [w.index_of(v) for v in step]
    counts = [iterations(w, a, w.index_of(b), s) for a, b, s in zip(starts, upper, steps, strict=True)]
    total = counts[0]
    for count in counts[1:]:
        total = w.multiply(total, count)

    name = f"{w.kernel}_task{w.tasks or ''}"
    w.tasks += 1
    outer_frame, outer_scope = w.frame, w.scope
    frame = Frame(outer_frame, outer_scope)
    entry, (record, begin, end) = w.sink.function(
        name, [Parameter("ptr", ("noalias", "readonly")), Parameter("i64"), Parameter("i64")], "void", internal=True
    )
    frame.record = record
    frame.scope = Scope(ScopeKind.FUNCTION, 0, frame, None, entry)
    w.frame, w.scope = frame, frame.scope
    loop = counting_loop(w, begin, end, constant(1))
    body = op.regions[0].block
    w.homes[body] = w.scope
    # The last dimension runs fastest.
    rest = loop.counter
    for position in range(len(starts) - 1, -1, -1):
        at = rest
        if position:
            count = w.capture_index(counts[position])
            at, rest = w.modulo_unsigned(rest, count), w.divide_unsigned(rest, count)
        start, stride = w.capture_index(starts[position]), w.capture_index(steps[position])
        w.frame.indices[body.args[position]] = start.plus(w.multiply(at, stride))
    w.run(body, w.scope)
    loop.close()
    w.sink.ret()

    w.frame, w.scope = outer_frame, outer_scope
    w.sink.move_to(outer_scope.block)
    filled = w.sink.stack("i64", max(1, -(-frame.record_size // 8)), 64)
    for token, (_, type, offset) in frame.captured.items():
        place = w.sink.address("i8", filled, offset) if offset else filled
        w.sink.store(type, token, place, 8)
    arguments = [w.sink.symbol(name), filled, w.materialise(total), w.materialise(_grain(w, op))]
    w.sink.call(PARALLEL_FOR, "void", ("ptr", "ptr", "i64", "i64"), arguments)


def _force_captured_reads(w: Walk, op: Operation) -> None:
    """Reads before the loop that are used inside are made before it."""
    for pending in w.frame.pending:
        result = pending.results[0]
        if any(_is_inside(use.operation, op) for use in result.uses):
            for piece in range(w.layout(result).count):
                w.piece(result, piece)


def _is_inside(op: Operation, ancestor: Operation) -> bool:
    parent: Operation | None = op
    while parent is not None:
        if parent is ancestor:
            return True
        parent = parent.parent_op()
    return False


def _grain(w: Walk, op: Operation) -> Index:
    """Iterations for one call of the task: the kernel's argument that its attribute `grain` names; 1 without."""
    function = op.parent_op()
    while function is not None and not isinstance(function, FuncOp):
        function = function.parent_op()
    if function is None or not isinstance(held := function.attributes.get("grain"), IntegerAttr):
        return constant(1)
    return w.index_of(function.body.block.args[held.value.data])
