"""Which accesses of memory depend on which, exactly: the Omega test on the iterations of both.

In: two accesses in affine loops and a depth. Out: whether an iteration of the second one touches what an earlier iteration of the first has
touched, where the two agree in the loops above the depth and differ in the loop at the depth; one deeper than all common loops: in the same
iteration, the first one standing in front. Different memrefs are taken to be different memory, as upstream.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineConstraintKind, AffineMap

from stepwell.dialects import affine
from stepwell.dialects.affine.canonical import old_operands
from stepwell.dialects.affine.composition import canonical_set, compose_map, constant_int
from stepwell.ir.integer_sets import IntegerSet, Linear, NotLinear, Variable, constant, plus
from stepwell.lowering.affine.loops import enclosing_loops, lower_bound, step_of, upper_bound

READS = (affine.LoadOp, affine.VectorLoadOp)
WRITES = (affine.StoreOp, affine.VectorStoreOp)
ACCESSES = READS + WRITES
Instance = Callable[[SSAValue], Variable]
"""What a loop's variable is called in one of the two iterations."""


def memref_of(access: Operation) -> SSAValue:
    """The memref that is read or written."""
    return access.operands[1] if isinstance(access, WRITES) else access.operands[0]


def is_write(access: Operation) -> bool:
    """Whether memory changes."""
    return isinstance(access, WRITES)


def common_loops(first: Operation, second: Operation) -> list[affine.ForOp]:
    """The affine loops around both."""
    others = enclosing_loops(second)
    return [loop for loop in enclosing_loops(first) if loop in others]


def _instance(tag: str, op: Operation) -> Instance:
    loops = {loop.body.block for loop in enclosing_loops(op)}

    def name(value: SSAValue) -> Variable:
        return (tag, value) if isinstance(value, BlockArgument) and value.block in loops else value

    return name


class Iterations:
    """The pairs of iterations in which two accesses touch the same element. Raises NotLinear where that cannot be said."""

    def __init__(self, first: Operation, second: Operation) -> None:
        self.known = IntegerSet()
        self._names = [_instance("first", first), _instance("second", second)]
        for op, name in zip((first, second), self._names, strict=True):
            self._add_domain(op, name)
        subscripts = [self._subscripts(op, name) for op, name in zip((first, second), self._names, strict=True)]
        for a, b in zip(*subscripts, strict=True):
            self.known.equal(plus(a, b, -1))

    def distance(self, loop: affine.ForOp) -> Linear:
        """By how much the second iteration is behind the first one in a common loop."""
        variable = loop.body.block.args[0]
        return plus({self._names[1](variable): 1}, {self._names[0](variable): 1}, -1)

    def _linears(self, map: AffineMap, operands: Sequence[SSAValue], name: Instance) -> list[Linear]:
        values = [self._value(operand, name) for operand in operands]
        dims, symbols = dict(enumerate(values[: map.num_dims])), dict(enumerate(values[map.num_dims :]))
        return [self.known.linear(expr, dims, symbols) for expr in map.results]

    def _value(self, value: SSAValue, name: Instance) -> Linear:
        number = constant_int(value)
        return {name(value): 1} if number is None else constant(number)

    def _subscripts(self, op: Operation, name: Instance) -> list[Linear]:
        return self._linears(*compose_map(cast(affine.LoadOp, op).map.data, old_operands(op)), name)

    def _add_domain(self, op: Operation, name: Instance) -> None:
        for loop in enclosing_loops(op):
            variable: Linear = {name(loop.body.block.args[0]): 1}
            lower = self._linears(*compose_map(*lower_bound(loop)), name)
            for start in lower:
                self.known.at_least(plus(variable, start, -1))
            for end in self._linears(*compose_map(*upper_bound(loop)), name):
                self.known.at_least(plus(plus(end, constant(-1)), variable, -1))
            if step_of(loop) != 1 and len(lower) == 1:
                times = {self.known.variable(): 1}
                self.known.equal(plus(plus(variable, lower[0], -1), times, -step_of(loop)))
        inner: Operation = op
        while (parent := inner.parent_op()) is not None:
            if isinstance(parent, affine.IfOp) and inner.parent_region() is parent.then_region:
                self._add_condition(parent, name)
            inner = parent

    def _add_condition(self, op: affine.IfOp, name: Instance) -> None:
        set, operands = canonical_set(op.condition.data, op.args)
        map = AffineMap(set.num_dims, set.num_symbols, tuple(c.lhs for c in set.constraints))
        for c, row in zip(set.constraints, self._linears(map, operands, name), strict=True):
            (self.known.equal if c.kind is AffineConstraintKind.eq else self.known.at_least)(row)


def _stands_before(first: Operation, second: Operation) -> bool:
    """Whether an operation comes first in the innermost block around both."""
    above: dict[Block | None, Operation] = {}
    op: Operation | None = first
    while op is not None:
        above[op.parent] = op
        op = op.parent_op()
    op = second
    while op is not None and op.parent not in above:
        op = op.parent_op()
    if op is None:
        return False
    mine = above[op.parent]
    later = mine.next_op
    while later is not None and later is not op:
        later = later.next_op
    return later is op and mine is not op


def dependence(first: Operation, second: Operation, depth: int) -> Iterations | None:
    """The iterations that depend at this depth (1 for the outermost common loop); None where there are none. Raises NotLinear."""
    if memref_of(first) is not memref_of(second) or not (is_write(first) or is_write(second)):
        return None
    loops = common_loops(first, second)
    if depth > len(loops) and not _stands_before(first, second):
        return None
    pairs = Iterations(first, second)
    for loop in loops[: depth - 1]:
        pairs.known.equal(pairs.distance(loop))
    if depth <= len(loops):
        pairs.known.at_least(plus(pairs.distance(loops[depth - 1]), constant(-1)))
    return None if pairs.known.is_empty() else pairs


def depends(first: Operation, second: Operation, depth: int) -> bool:
    """Whether anything depends at this depth, as far as is known."""
    try:
        return dependence(first, second, depth) is not None
    except NotLinear:
        return True
