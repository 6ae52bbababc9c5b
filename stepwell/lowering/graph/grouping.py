"""Which operations of a block become one kernel.

A group has at most one *anchor* (a matmul, a convolution, a pool, a reduction, a norm, an operation that moves data), the elementwise
operations that follow it (its epilogue), and cheap elementwise operations before it where it reads each element once (its prologue).
Groups are found from the last operation to the first: an operation joins the group of its users if all of them are in that group, so
nothing is computed twice and no intermediate leaves a group. Each group has one result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, NnOp, ints
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.compare import CompareOp
from stepwell.dialects.nn.pool import PoolOp
from stepwell.dialects.nn.reduce import ReduceOp
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.lowering.graph.values import constant_attribute, element_of, shape_of

ELEMENTWISE = (UnaryOp, BinaryOp, nn.SelectOp, nn.CastOp)
COMPUTING = (nn.MatmulOp, nn.BlockQuantizedMatmulOp, nn.ConvOp)
NORMS = (nn.SoftmaxOp, nn.LogSoftmaxOp, nn.LayerNormOp, nn.RmsNormOp)
WITH_EPILOGUE = (*COMPUTING, *NORMS, PoolOp, ReduceOp, nn.GatherOp, nn.TransposeOp, nn.ResizeOp, nn.BroadcastToOp)
"""Anchors that elementwise operations may follow: each writes every element of its result once."""
WITH_ROW_IN_RESULT = (nn.SoftmaxOp,)
"""Anchors that keep a row of intermediate values where their result will stand."""

CHEAP = (
    *(nn.AddOp, nn.SubOp, nn.MulOp, nn.MaxOp, nn.MinOp, nn.AndOp, nn.OrOp, nn.XorOp, nn.NotOp, CompareOp),
    *(nn.SelectOp, nn.CastOp, nn.NegOp, nn.AbsOp, nn.ReluOp, nn.LeakyReluOp, nn.ClipOp),
)
"""What may be computed again in each pass that a norm makes over its row."""


@dataclass
class Group:
    """The operations of one kernel in program order; the last one's result is the kernel's."""

    ops: list[NnOp]
    anchor: NnOp | None

    @property
    def sink(self) -> NnOp:
        return self.ops[-1]


def is_view(op: Operation) -> bool:
    """Whether an operation moves no data of itself: it stays in the caller."""
    if isinstance(op, nn.SliceOp):
        return all(s == 1 for s in ints(op.steps))
    return isinstance(op, (nn.ReshapeOp, nn.ConcatOp, nn.RecomputeOp)) or (isinstance(op, nn.PadOp) and op.mode.data == "constant")


MOST_MEMBERS = 200
"""Elementwise operations that one kernel computes. A longer chain gains nothing by being one kernel, and later passes recur along it."""


def is_computation(op: Operation) -> bool:
    """Whether an operation belongs into a kernel."""
    return isinstance(op, NnOp) and not isinstance(op, nn.ConstantOp) and not is_view(op)


def form_groups(block: Block, max_operands: int) -> list[Group]:
    """All groups of a block, in the order of their last operations."""
    return list(reversed(_Grouping(block, max_operands).run()))


class _Grouping:
    def __init__(self, block: Block, max_operands: int) -> None:
        self._block = block
        self._max_operands = max_operands
        self._position = {op: i for i, op in enumerate(block.ops)}
        self._grouped: set[Operation] = set()

    def run(self) -> list[Group]:
        groups: list[Group] = []
        for op in reversed(self._position):
            if is_computation(op) and op not in self._grouped:
                group = self._grow(op)  # type: ignore[arg-type]
                self._grouped.update(group.ops)
                groups.append(group)
        return groups

    # ---- growing one group

    def _grow(self, sink: NnOp) -> Group:
        if not isinstance(sink, ELEMENTWISE):
            return self._in_order(self._with_prologue({sink}, sink), sink)
        members: set[Operation] = {sink}
        self._absorb(members, shape_of(sink.results[0]), ELEMENTWISE)
        anchor = self._best_anchor(members, shape_of(sink.results[0]), element_of(sink.results[0]))
        if anchor is None:
            return self._in_order(members, None)
        members.add(anchor)
        self._release_side_chains(members, anchor)
        # What was released may have freed the limit of operands, and the anchor's other users are inside now.
        return self._in_order(self._with_prologue(members, anchor), anchor)

    def _in_order(self, members: set[Operation], anchor: NnOp | None) -> Group:
        return Group(sorted((m for m in members if isinstance(m, NnOp)), key=self._position.__getitem__), anchor)

    def _is_free(self, value: SSAValue, members: set[Operation]) -> NnOp | None:
        """The operation that defines a value, if it is of this block and in no group, and only members use it."""
        owner = value.owner
        if (
            not isinstance(owner, NnOp)
            or owner not in self._position
            or owner in self._grouped
            or owner in members
            or len(owner.results) != 1
        ):
            return None
        return owner if all(use.operation in members for use in value.uses) else None

    def _absorb(self, members: set[Operation], shape: tuple[int, ...], kinds: tuple[type, ...], start: NnOp | None = None) -> None:
        """Add elementwise producers of this shape until none fits, beginning with the operands of `start` or of all members."""
        queue: list[Operation] = [start] if start is not None else list(members)
        while queue and len(members) < MOST_MEMBERS:
            op = queue.pop()
            for operand in op.operands:
                producer = self._is_free(operand, members)
                if producer is None or not isinstance(producer, kinds) or shape_of(operand) != shape or DYNAMIC in shape:
                    continue
                if self._full_operands(members | {producer}, shape) > self._max_operands:
                    continue
                members.add(producer)
                # Its own operands may be free now, and so may those of members that shared one with it.
                queue.append(producer)
                queue.extend(m for m in members if m is not producer and any(o in producer.operands for o in m.operands))

    def _full_operands(self, members: set[Operation], shape: tuple[int, ...]) -> int:
        """How many distinct tensors of full size the members read from outside."""
        outside = {o for m in members for o in m.operands if o.owner not in members and constant_attribute(o) is None}
        return sum(1 for o in outside if shape_of(o) == shape)

    def _best_anchor(self, members: set[Operation], shape: tuple[int, ...], element: Attribute) -> NnOp | None:
        """The anchor to join: the one that computes most, the last one among equals."""
        candidates: set[NnOp] = set()
        for member in members:
            for operand in member.operands:
                producer = self._is_free(operand, members)
                if producer is None or not isinstance(producer, WITH_EPILOGUE) or shape_of(operand) != shape or DYNAMIC in shape:
                    continue
                # The exponentials of a row wait for their sum in the result: it must have their type.
                if isinstance(producer, WITH_ROW_IN_RESULT) and element_of(operand) != element:
                    continue
                candidates.add(producer)
        return max(candidates, key=lambda op: (isinstance(op, COMPUTING), self._position[op]), default=None)

    def _release_side_chains(self, members: set[Operation], anchor: NnOp) -> None:
        """Elementwise members that do not depend on the anchor and follow another one go back to it."""
        after: set[Operation] = {anchor}
        for op in sorted(members, key=self._position.__getitem__):
            if any(o.owner in after for o in op.operands):
                after.add(op)
        released = {op for op in members - after if self._has_home(op, COMPUTING)}
        while True:
            # What only fed a released operation goes with it.
            fed = {op for op in members - after - released if any(use.operation in released for use in op.results[0].uses)}
            if not fed:
                break
            released |= fed
        members -= released

    def _has_home(self, op: Operation, kinds: tuple[type, ...], depth: int = 8) -> bool:
        """Whether an elementwise operation could follow an anchor of its own shape."""
        for operand in op.operands:
            owner = operand.owner
            if not isinstance(owner, NnOp) or owner not in self._position or shape_of(operand) != shape_of(op.results[0]):
                continue
            if isinstance(owner, kinds) and owner not in self._grouped:
                return True
            if depth and isinstance(owner, ELEMENTWISE) and operand.has_one_use() and self._has_home(owner, kinds, depth - 1):
                return True
        return False

    def _with_prologue(self, members: set[Operation], anchor: NnOp) -> set[Operation]:
        """Add elementwise producers of what a reduction, transpose or norm reads, unless they could follow a matmul or convolution."""
        if isinstance(anchor, NORMS):
            kinds: tuple[type, ...] = CHEAP
        elif isinstance(anchor, (ReduceOp, nn.TransposeOp)):
            kinds = ELEMENTWISE
        else:
            return members
        data = anchor.operands[0]
        shape = shape_of(data)
        joined = set(members)
        first = self._is_free(data, joined)
        if first is None or not isinstance(first, kinds) or self._has_home(first, COMPUTING):
            return members
        if self._full_operands({first}, shape) > self._max_operands or DYNAMIC in shape:
            return members
        joined.add(first)
        before = set(joined)
        self._absorb(joined, shape, kinds, start=first)
        homeless = {op for op in joined - before if not self._has_home(op, COMPUTING)}
        return before | self._closed(homeless, before)

    def _closed(self, candidates: set[Operation], base: set[Operation]) -> set[Operation]:
        """The candidates whose users are all in the base or among the candidates."""
        kept = set(candidates)
        while True:
            inside = base | kept
            open_ = {op for op in kept if not all(use.operation in inside for use in op.results[0].uses)}
            if not open_:
                return kept
            kept -= open_


def describe(ops: Sequence[Operation]) -> str:
    """A readable name of a kernel: its operations in order, shortened."""
    names = [op.name.removeprefix("nn.") for op in ops]
    return "_".join(names) if len(names) <= 5 else f"{'_'.join(names[:4])}_and_{len(names) - 4}_more"
