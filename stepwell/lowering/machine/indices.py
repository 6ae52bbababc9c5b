"""Index arithmetic: ops whose index result is a linear form of others."""

from __future__ import annotations

from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.emit_tables import PIECES, index
from stepwell.lowering.machine.index import Index, constant
from stepwell.lowering.machine.walk import Walk, attribute, unsupported


def _by_piece(w: Walk, op: Operation) -> Index:
    return w.atom(PIECES[op.name](w, op, 0))


@index("arith.constant")
def index_constant(w: Walk, op: Operation, result: SSAValue) -> Index:
    held = attribute(op, "value")
    assert isinstance(held, IntegerAttr)
    return constant(held.value.data)


@index("arith.addi")
def index_add(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.index_of(op.operands[0]).plus(w.index_of(op.operands[1]))


@index("arith.subi")
def index_subtract(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.index_of(op.operands[0]).minus(w.index_of(op.operands[1]))


@index("arith.muli")
def index_multiply(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.multiply(w.index_of(op.operands[0]), w.index_of(op.operands[1]))


@index("arith.minsi", "arith.maxsi")
def index_extreme(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.extreme("smin" if op.name == "arith.minsi" else "smax", [w.index_of(o) for o in op.operands])


@index("arith.floordivsi", "arith.ceildivsi")
def index_divide(w: Walk, op: Operation, result: SSAValue) -> Index:
    a, b = (w.index_of(o) for o in op.operands)
    if b.known is None or b.known <= 0:
        return _by_piece(w, op)
    return w.floor_divide(a, b) if op.name == "arith.floordivsi" else w.ceil_divide(a, b)


@index("arith.select")
def index_select(w: Walk, op: Operation, result: SSAValue) -> Index:
    a, b = w.index_of(op.operands[1]), w.index_of(op.operands[2])
    return a if a == b else _by_piece(w, op)


@index("affine.apply")
def index_apply(w: Walk, op: Operation, result: SSAValue) -> Index:
    return _map_results(w, op)[0]


@index("affine.min")
def index_min(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.extreme("smin", _map_results(w, op))


@index("affine.max")
def index_max(w: Walk, op: Operation, result: SSAValue) -> Index:
    return w.extreme("smax", _map_results(w, op))


def _map_results(w: Walk, op: Operation) -> list[Index]:
    held = attribute(op, "map")
    assert isinstance(held, AffineMapAttr)
    operands = [w.index_of(o) for o in op.operands]
    dims, symbols = operands[: held.data.num_dims], operands[held.data.num_dims :]
    return [w.affine(expression, dims, symbols) for expression in held.data.results]


@index("memref.dim")
def index_dim(w: Walk, op: Operation, result: SSAValue) -> Index:
    view, dim = w.view_of(op.operands[0]), w.index_of(op.operands[1]).known
    if dim is None:
        raise unsupported(op, "needs a constant dimension")
    size = view.sizes[dim]
    if size is None:
        raise unsupported(op, f"asks for extent {dim}, which is not part of a kernel's interface", "pass the extent as an index argument")
    return size
