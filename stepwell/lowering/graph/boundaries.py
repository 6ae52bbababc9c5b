"""Where the dimensions of a value cannot be merged, because its elements are (or should be) part of a larger buffer.

A slice is a window into what it is cut from. What flows into a padding or a concatenation is best computed in place, inside the larger
buffer. In both cases neighbouring dimensions are merged for free only where no cut axis lies at or behind the seam: [H, W, C] inside a
padded image is [H, W * C], never [H * W * C].
"""

from __future__ import annotations

from math import prod

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, ints, number
from stepwell.lowering.graph.values import constant_attribute, shape_of

Positions = frozenset[int]
"""Dimensions i that must not be merged with dimension i - 1."""

NONE: Positions = frozenset()


class Boundaries:
    """Answers for one block, remembered."""

    def __init__(self, *, placed: bool = True) -> None:
        self._placed = placed
        self._known: dict[SSAValue, Positions] = {}

    def of(self, value: SSAValue) -> Positions:
        """The boundaries of a value that a kernel reads or writes."""
        if value not in self._known:
            self._known[value] = self._cut_from(value) | (self._placed_in(value) if self._placed else NONE)
        return self._known[value]

    def _cut_from(self, value: SSAValue) -> Positions:
        """As a part of what it is sliced from."""
        owner = value.owner
        if isinstance(owner, nn.SliceOp) and all(s == 1 for s in ints(owner.steps)):
            cut = {d for d, (a, b) in enumerate(zip(shape_of(owner.x), shape_of(value), strict=True)) if a != b}
            return frozenset(cut) | self.of(owner.x)
        if isinstance(owner, nn.ReshapeOp):
            return _through_reshape(self.of(owner.x), shape_of(owner.x), shape_of(value))
        return NONE

    def _placed_in(self, value: SSAValue) -> Positions:
        """As a part of what it flows into."""
        if not isinstance(value.owner, Operation) or constant_attribute(value) is not None:
            return NONE
        found: set[int] = set()
        for use in value.uses:
            op = use.operation
            if isinstance(op, nn.PadOp) and op.mode.data == "constant":
                found |= {d for d, (low, high) in enumerate(zip(ints(op.low), ints(op.high), strict=True)) if low or high}
                found |= self._placed_in(op.y)
            elif isinstance(op, nn.ConcatOp):
                found |= {number(op.axis)} | self._placed_in(op.y)
            elif isinstance(op, nn.ReshapeOp):
                found |= _through_reshape(self._placed_in(op.y), shape_of(op.y), shape_of(value))
        return frozenset(found)


def _through_reshape(positions: Positions, before: tuple[int, ...], after: tuple[int, ...]) -> Positions:
    """The same seams in another shape: a seam is known by the number of elements behind it. Seams that vanish force a copy anyway."""
    if not positions or DYNAMIC in before or DYNAMIC in after:
        return NONE
    behind = {prod(before[p:]) for p in positions}
    return frozenset(p for p in range(len(after)) if prod(after[p:]) in behind)
