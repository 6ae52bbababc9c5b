"""Where the elements of a value really stand: the book that `nn-to-channels-last` keeps.

A value v of the graph is *stored* as another value s with a permutation p: v.shape[i] == s.shape[p[i]], that is v = transpose(s, p). A
transpose of the graph changes only p, and nothing is moved until an operation asks for a storage that is not there. What it asks for is
then made once.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.values import aligned, constant_array, element_of, shape_of, splat_value

Permutation = tuple[int, ...]


def identity(rank: int) -> Permutation:
    """0, 1, ..., rank - 1."""
    return tuple(range(rank))


def inverse(permutation: Sequence[int]) -> Permutation:
    """q with q[p[i]] = i."""
    result = [0] * len(permutation)
    for i, p in enumerate(permutation):
        result[p] = i
    return tuple(result)


def stored_shape(shape: Sequence[int], permutation: Sequence[int]) -> tuple[int, ...]:
    """The shape of s for a value of this shape."""
    return tuple(shape[i] for i in inverse(permutation))


def order(shape: Sequence[int], permutation: Sequence[int]) -> tuple[int, ...]:
    """The dimensions of v in the order of s, without those of extent 1: two storages of the same order are the same bytes."""
    return tuple(i for i in inverse(permutation) if shape[i] != 1)


class Layouts:
    """The storage of every value of one block; operations that make further ones go before `self.at`."""

    def __init__(self) -> None:
        self.at: Operation | None = None
        self._stored: dict[SSAValue, tuple[SSAValue, Permutation]] = {}
        self._made: dict[tuple[SSAValue, tuple[int, ...], tuple[int, ...]], SSAValue] = {}

    def stored(self, value: SSAValue) -> tuple[SSAValue, Permutation]:
        """(s, p) of a value."""
        return self._stored.get(value) or (value, identity(len(shape_of(value))))

    def permutation(self, value: SSAValue) -> Permutation:
        """The p of a value."""
        return self.stored(value)[1]

    def store(self, value: SSAValue, s: SSAValue, permutation: Permutation) -> None:
        """Say how a value is stored."""
        self._stored[value] = (s, permutation)
        s.name_hint = s.name_hint or value.name_hint

    def differs(self, value: SSAValue) -> bool:
        """Whether a value is stored with its dimensions in another order, be they of extent 1."""
        permutation = self.permutation(value)
        return permutation != identity(len(permutation))

    def is_moved(self, value: SSAValue) -> bool:
        """Whether the elements stand in another order than the value says."""
        shape, (_, permutation) = shape_of(value), self.stored(value)
        return order(shape, permutation) != order(shape, identity(len(shape)))

    def insert(self, op: Operation) -> SSAValue:
        """Insert before the operation at hand, with its location."""
        assert self.at is not None
        block = self.at.parent_block()
        assert block is not None
        op.location = self.at.location
        block.insert_op_before(op, self.at)
        return op.results[0]

    def get(self, value: SSAValue, wanted: Permutation | None = None) -> SSAValue:
        """The value stored in a wanted order (its own by default): what is there, a reshape, a new constant, or a transpose."""
        shape = shape_of(value)
        wanted = wanted or identity(len(shape))
        s, have = self.stored(value)
        if have == wanted:
            return s
        if order(shape, have) == order(shape, wanted):
            return self._reshaped(s, stored_shape(shape, wanted))
        key = value, order(shape, wanted), stored_shape(shape, wanted)
        if key not in self._made:
            self._made[key] = self._transposed(value, s, have, wanted)
        return self._made[key]

    def _reshaped(self, s: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        if shape_of(s) == shape:
            return s
        key = s, (), shape
        if key not in self._made:
            type = tensor_type(shape, element_of(s))
            array = constant_array(s)
            if array is None:
                self._made[key] = self.insert(nn.ReshapeOp.make(s, result_type=type))
            else:
                self._made[key] = self.insert(nn.ConstantOp.from_array(array.reshape(shape)))
        return self._made[key]

    def _transposed(self, value: SSAValue, s: SSAValue, have: Permutation, wanted: Permutation) -> SSAValue:
        permutation = [0] * len(have)
        for i, p in enumerate(wanted):
            permutation[p] = have[i]
        array = constant_array(s)
        if array is not None:
            return self.insert(nn.ConstantOp.from_array(array.transpose(permutation)))
        made = self.insert(nn.TransposeOp.make(s, permutation=permutation))
        made.name_hint = value.name_hint
        return made

    def broadcast(self, value: SSAValue, wanted: Permutation) -> SSAValue:
        """An operand that is broadcast against values stored so: its dimensions are those of the end."""
        rank, shape = len(wanted), shape_of(value)
        if splat_value(value) is not None and all(d == 1 for d in shape):
            return value
        if len(shape) == rank:
            return self.get(value, wanted)
        if all(d == 1 for d in shape):
            return self.get(value)
        widened = self._reshaped(self.get(value), aligned(shape, rank))
        return self.get(widened, wanted)

    def reshape(self, value: SSAValue, shape: tuple[int, ...]) -> tuple[SSAValue, Permutation]:
        """(s, p) of a value in another shape: without moving anything where the merged or split dimensions are neighbours in s."""
        before = shape_of(value)
        s, permutation = self.stored(value)
        if DYNAMIC not in before and DYNAMIC not in shape and 0 not in shape:
            if not self.is_moved(value):
                return self._reshaped(s, shape), identity(len(shape))
            groups = _matching_groups(before, shape)
            result = _reshaped_order(shape, groups, order(before, permutation))
            if result is None:
                # What is merged or split must be neighbours; the rest stays as it is stored.
                permutation = _with_neighbours(before, groups, order(before, permutation))
                s = self.get(value, permutation)
                result = _reshaped_order(shape, groups, order(before, permutation))
            assert result is not None
            return self._reshaped(s, stored_shape(shape, result)), result
        return self.insert(nn.ReshapeOp.make(self.get(value), result_type=tensor_type(shape, element_of(value)))), identity(len(shape))


Matching = list[tuple[list[int], list[int]]]
"""Runs of dimensions before and after a reshape that hold the same number of elements."""


def _reshaped_order(after: Sequence[int], groups: Matching, storage: Sequence[int]) -> Permutation | None:
    """How a reshape looks in storage: the permutation of the result, or None where it mixes dimensions that are not neighbours there."""
    position = {dim: i for i, dim in enumerate(storage)}
    placed: list[tuple[int, list[int]]] = []
    for old, new in groups:
        at = [position[d] for d in old]
        if at != list(range(at[0], at[0] + len(at))):
            return None
        placed.append((at[0], new))
    return _with_units(after, [d for _, new in sorted(placed) for d in new])


def _with_neighbours(before: Sequence[int], groups: Matching, storage: Sequence[int]) -> Permutation:
    """The storage nearest to this one in which the dimensions of each run are neighbours: what is innermost stays innermost."""
    position = {dim: i for i, dim in enumerate(storage)}
    runs = sorted((old for old, _ in groups), key=lambda old: max(position[d] for d in old))
    return _with_units(before, [d for old in runs for d in old])


def _with_units(shape: Sequence[int], dims: list[int]) -> Permutation:
    """The permutation of a storage order, each dimension of extent 1 behind the one that it follows."""
    for d, extent in enumerate(shape):
        if extent == 1:
            dims.insert(dims.index(d - 1) + 1 if d - 1 in dims else 0, d)
    return inverse(dims)


def _matching_groups(before: Sequence[int], after: Sequence[int]) -> Matching:
    """The smallest runs of dimensions (without those of extent 1) that hold the same number of elements on both sides."""
    old, new = ([d for d, n in enumerate(s) if n != 1] for s in (before, after))
    groups: Matching = []
    i = j = 0
    while i < len(old) and j < len(new):
        left, right = [old[i]], [new[j]]
        a, b = before[old[i]], after[new[j]]
        i, j = i + 1, j + 1
        while a != b:
            if a < b:
                left.append(old[i])
                a, i = a * before[old[i]], i + 1
            else:
                right.append(new[j])
                b, j = b * after[new[j]], j + 1
        groups.append((left, right))
    return groups
