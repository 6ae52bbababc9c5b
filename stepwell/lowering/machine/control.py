"""Loops and branches: blocks of the sink, with the pieces of loop-carried and returned values as block arguments."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from xdsl.dialects.builtin import IndexType, MemRefType, i64
from xdsl.ir import Block, Operation, SSAValue

from stepwell.lowering.machine.emit_tables import anchor
from stepwell.lowering.machine.index import Index, constant
from stepwell.lowering.machine.scopes import ScopeKind
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, unsupported


def types_of(w: Walk, op: Operation, values: Sequence[SSAValue]) -> list[str]:
    """LLVM types of all pieces of some values."""
    types: list[str] = []
    for value in values:
        if isinstance(value.type, MemRefType):
            raise unsupported(op, "carries a memref", "carry an index and take a subview inside")
        layout = w.layout(value)
        types.extend(layout.type_of(piece) for piece in range(layout.count))
    return types


def pieces_of(w: Walk, values: Sequence[SSAValue]) -> list[Token]:
    """All pieces of some values, made now."""
    return [w.piece(value, piece) for value in values for piece in range(w.layout(value).count)]


def define(w: Walk, values: Sequence[SSAValue], tokens: Sequence[Token]) -> None:
    """Define values by their pieces, which belong to the current scope."""
    position = 0
    for value in values:
        count = w.layout(value).count
        if isinstance(value.type, IndexType):
            w.frame.indices[value] = w.atom(tokens[position])
        else:
            w.set_result(value, list(tokens[position : position + count]))
        position += count


@anchor("scf.for")
def emit_for(w: Walk, op: Operation) -> None:
    """before: ...; br header(lb, inits)
    header(i, carried...): br i < ub, body, exit
    body: ...; br header(i + step, yielded...)
    exit: the results are the carried values of the header.
    """
    body = op.regions[0].block
    lower, upper, step = op.operands[:3]
    inits, carried = op.operands[3:], body.args[1:]
    if not isinstance(lower.type, IndexType) and lower.type != i64:
        raise unsupported(op, f"counts in {lower.type}", "use index or i64")
    w.force_reads_before(op)
    first = w.piece(lower, 0)
    bound = w.piece(upper, 0)
    header = w.sink.new_block(["i64", *types_of(w, op, carried)])
    w.sink.branch(header, [first, *pieces_of(w, inits)])

    outside = w.scope
    w.sink.start(header)
    scope = w.open_scope(ScopeKind.LOOP, header)
    w.homes[body] = scope
    define(w, body.args, header.args)
    if isinstance(lower.type, IndexType):
        start, stride = w.index_of(lower).known, w.index_of(step).known
        if start is not None and stride is not None:
            w.frame.factors[header.args[0]] = gcd(start, stride)
    condition = w.sink.compare("icmp", "slt", "i64", header.args[0], bound)
    inside, exit = w.sink.new_block(), w.sink.new_block()
    w.sink.conditional_branch(condition, inside, exit)
    w.start(inside)
    terminator = w.run(body, scope)
    yielded = pieces_of(w, terminator.operands)
    step_token = w.piece(step, 0)
    following = w.sink.binary("add", "i64", header.args[0], step_token)
    w.sink.branch(header, [following, *yielded])
    w.close_scope()
    assert w.scope is outside
    w.start(exit)
    define(w, op.results, header.args[1:])


@anchor("scf.while")
def emit_while(w: Walk, op: Operation) -> None:
    """before: ...; br header(inits)
    header(given...): decide; br condition, body, exit
    body: ...; br header(yielded...)
    exit: the results are what the header passed on.
    """
    before, body = op.regions[0].block, op.regions[1].block
    w.force_reads_before(op)
    header = w.sink.new_block(types_of(w, op, before.args))
    w.sink.branch(header, pieces_of(w, op.operands))

    outside = w.scope
    w.sink.start(header)
    scope = w.open_scope(ScopeKind.LOOP, header)
    define(w, before.args, header.args)
    decision = w.run(before, scope)
    condition = w.piece(decision.operands[0], 0)
    passed = pieces_of(w, decision.operands[1:])
    inside, exit = w.sink.new_block(), w.sink.new_block()
    w.sink.conditional_branch(condition, inside, exit)
    w.start(inside)
    w.homes[body] = scope
    define(w, body.args, passed)
    terminator = w.run(body, scope)
    w.sink.branch(header, pieces_of(w, terminator.operands))
    w.close_scope()
    assert w.scope is outside
    w.start(exit)
    define(w, op.results, passed)


@anchor("scf.if")
def emit_if(w: Walk, op: Operation) -> None:
    """before: br condition, then, else
    then: ...; br after(yielded...)
    else: ...; br after(yielded...)
    after(results...):
    """
    w.force_reads_before(op)
    condition = w.piece(op.operands[0], 0)
    has_else = bool(op.regions[1].blocks) and (bool(op.results) or op.regions[1].block.first_op is not op.regions[1].block.last_op)
    then = w.sink.new_block()
    if not has_else:
        after = w.sink.new_block()
        w.sink.conditional_branch(condition, then, after)
        _branch(w, op.regions[0].block, then, after)
    else:
        otherwise = w.sink.new_block()
        w.sink.conditional_branch(condition, then, otherwise)
        after = w.sink.new_block(types_of(w, op, op.results))
        _branch(w, op.regions[0].block, then, after)
        _branch(w, op.regions[1].block, otherwise, after)
    w.start(after)
    define(w, op.results, after.args)


def _branch(w: Walk, body: Block, block: object, after: object) -> None:
    w.sink.start(block)
    scope = w.open_scope(ScopeKind.BRANCH, block)
    terminator = w.run(body, scope)
    w.sink.branch(after, pieces_of(w, terminator.operands))
    w.close_scope()


# ---- parallel loops -------------------------------------------------------------------------------------------------------------


@anchor("scf.parallel")
def emit_parallel(w: Walk, op: Operation) -> None:
    """The outermost one becomes a task for the thread pool; those inside of it are ordinary loops."""
    segments = op.properties["operandSegmentSizes"]
    rank = int(next(iter(segments.iter_values())))  # pyright: ignore
    lower, upper, step = (op.operands[i * rank : (i + 1) * rank] for i in range(3))
    if op.results or len(op.operands) > 3 * rank:
        raise unsupported(op, "with a reduction is not converted", "reduce in an scf.for inside of it")
    if w.frame.outer is None:
        from stepwell.lowering.machine.tasks import emit_task

        emit_task(w, op, lower, upper, step)
    else:
        w.force_reads_before(op)
        loops = [(w.index_of(a), w.index_of(b), w.index_of(s)) for a, b, s in zip(lower, upper, step, strict=True)]
        _nest(w, op.regions[0].block, loops, [])


def _nest(w: Walk, body: Block, loops: list[tuple[Index, Index, Index]], counters: list[Index]) -> None:
    if not loops:
        scope = w.scope
        w.homes[body] = scope
        for argument, counter in zip(body.args, counters, strict=True):
            w.frame.indices[argument] = counter
        w.run(body, scope)
        return
    lower, upper, step = loops[0]
    with_counter = counting_loop(w, w.materialise(lower), w.materialise(upper), step)
    _nest(w, body, loops[1:], [*counters, with_counter.counter])
    with_counter.close()


class counting_loop:
    """A loop that carries nothing but its counter: opened here, closed by `close`."""

    def __init__(self, w: Walk, first: Token, bound: Token, step: Index) -> None:
        self.w = w
        self.step = step
        self.header = w.sink.new_block(["i64"])
        w.sink.branch(self.header, [first])
        w.sink.start(self.header)
        w.open_scope(ScopeKind.LOOP, self.header)
        self.counter = w.atom(self.header.args[0])
        condition = w.sink.compare("icmp", "slt", "i64", self.header.args[0], bound)
        inside, self.exit = w.sink.new_block(), w.sink.new_block()
        w.sink.conditional_branch(condition, inside, self.exit)
        w.start(inside)

    def close(self) -> None:
        """The end of the body."""
        w = self.w
        w.sink.branch(self.header, [w.sink.binary("add", "i64", self.header.args[0], w.materialise(self.step))])
        w.close_scope()
        w.start(self.exit)


def iterations(w: Walk, lower: Index, upper: Index, step: Index) -> Index:
    """How often a loop runs."""
    return w.extreme("smax", [w.ceil_divide(upper.minus(lower), step), constant(0)])
