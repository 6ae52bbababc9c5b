"""What xDSL's rewriter tells us while a pattern runs: created operations get the location of the one that the pattern matched.

In: a pattern's changes, through the methods of `PatternRewriter`. Out: locations, and the points where operations stood that are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import UNKNOWN_LOC, ArrayAttr, FusedLoc, LocationAttr, NoneAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint


class LocatingRewriter(PatternRewriter):
    """Gives created operations the location of the matched one."""

    location: LocationAttr = UNKNOWN_LOC
    block: Block | None = None
    """Where the matched operation stood."""
    _point: InsertPoint | None = None

    @property
    def insertion_point(self) -> InsertPoint:
        """Before the matched operation, unless the pattern has gone elsewhere; made when somebody asks, for most patterns do not match."""
        if self._point is None:
            assert self._current_operation is not None
            self._point = InsertPoint.before(self._current_operation)
        return self._point

    @insertion_point.setter
    def insertion_point(self, point: InsertPoint) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._point = point

    def apply(self, pattern: RewritePattern, op: Operation) -> bool:
        """Try one pattern on `op`. Whether it changed anything."""
        self.prepare(op)
        pattern.match_and_rewrite(op, self)
        return self.has_done_action

    def prepare(self, op: Operation) -> None:
        """Aim the rewriter at `op`."""
        self._current_operation = op
        self._point = None
        self.has_done_action = False
        self.location = op.location
        self.block = op.parent

    def keep_point(self, op: Operation) -> None:
        """`op` is about to be erased: where it stands is still known."""
        if op is self._current_operation and self._point is None and op.parent is not None:
            self._point = InsertPoint.before(op)

    def handle_operation_replacement(self, op: Operation, new_results: Sequence[SSAValue | None]) -> None:
        """The matched operation has given its location to what was created for it; another one that is replaced too adds its own."""
        if op is not self._current_operation:
            self._fuse(op.location, new_results)

    def _fuse(self, location: LocationAttr, new_results: Sequence[SSAValue | None]) -> None:
        if location is UNKNOWN_LOC or location == self.location:
            return
        for value in new_results:
            if not isinstance(value, OpResult):
                continue
            parts = _parts(value.op.location)
            if parts[0] == self.location and location not in parts:
                value.op.location = FusedLoc((*parts, location), NoneAttr())

    def handle_operation_insertion(self, op: Operation) -> None:
        if op.location is UNKNOWN_LOC:
            op.location = self.location
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    self.handle_operation_insertion(inner)


class WalkRewriter(LocatingRewriter):
    """Remembers what was erased, so that the walk does not visit it."""

    def __init__(self, root: Operation, erased: set[Operation]) -> None:
        super().__init__(InsertPoint(Block()))
        self._erased = erased

    def handle_operation_removal(self, op: Operation) -> None:
        self.keep_point(op)
        self._erased.update(op.walk())


def _parts(location: LocationAttr) -> tuple[Attribute, ...]:
    """The locations that `location` was fused from, or itself."""
    return cast(ArrayAttr[Attribute], location.locations).data if isinstance(location, FusedLoc) else (location,)
