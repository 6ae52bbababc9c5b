"""What a block owns: for each buffer whether it has to be freed, which buffers are alive at the start and the end of a block.

An ownership is an `i1` that says it, `UNKNOWN` where several disagree, or nothing yet. It belongs to a buffer in a block: what a block has
freed, the next one does not own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from xdsl.builder import Builder
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import BoolAttr, IntegerAttr, LocationAttr, MemRefType, UnrankedMemRefType, i1
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, SSAValue

from stepwell.dialects.bufferization import CloneOp
from stepwell.dialects.memref import ExtractStridedMetaDataOp, ReinterpretCastOp
from stepwell.dialects.memref.more import OwnershipDeallocOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place, place_of
from stepwell.ir.rewrite.folding import constant_of


class Unknown:
    """Several ownerships that are not the same."""


UNKNOWN: Final = Unknown()
Ownership = SSAValue | Unknown | None


def is_buffer(value: SSAValue) -> bool:
    """Whether a value is a memref."""
    return isinstance(value.type, MemRefType | UnrankedMemRefType)


def boolean(value: bool, at: Builder, location: LocationAttr) -> SSAValue:
    """A constant."""
    made = ConstantOp(BoolAttr.from_bool(value))
    made.location = location
    return at.insert(made).result


def _combined(a: Ownership, b: Ownership) -> Ownership:
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return UNKNOWN
    one, two = constant_of(a), constant_of(b)
    same = a is b or (isinstance(one, IntegerAttr) and one == two)
    return a if same else UNKNOWN


class State:
    """The ownerships inside a function while its deallocations are inserted."""

    def __init__(self, root: Operation) -> None:
        self._owned: dict[tuple[SSAValue, Block], Ownership] = {}
        self.to_free: dict[Block, list[SSAValue]] = {}
        self._new: dict[SSAValue, SSAValue] = {}
        self._live_in, self._live_out = _liveness(root)
        self._order: dict[SSAValue, int] = {}
        for op in root.walk():
            for value in (*op.results, *(a for region in op.regions for block in region.blocks for a in block.args)):
                self._order[value] = len(self._order)

    # ---- ownership

    def own(self, buffer: SSAValue, ownership: Ownership, block: Block | None = None) -> None:
        """What is known of a buffer in a block, by default in its own, is this too."""
        key = (buffer, block or block_of(buffer))
        self._owned[key] = _combined(self._owned.get(key), ownership)

    def reset(self, buffers: Sequence[SSAValue], block: Block) -> None:
        """Nothing is known of the buffers any more."""
        for buffer in buffers:
            self._owned.pop((buffer, block), None)

    def ownership(self, buffer: SSAValue, block: Block) -> Ownership:
        """What is known of a buffer in a block."""
        return self._owned.get((buffer, block))

    def free_later(self, buffer: SSAValue, block: Block) -> None:
        """The end of `block` frees the buffer, if it is owned then."""
        self.to_free.setdefault(block, []).append(buffer)

    def uniquely_owned(self, buffer: SSAValue, block: Block, at: Builder) -> tuple[SSAValue, SSAValue]:
        """The buffer and whether it is owned; a clone of it, which is, where that is not known."""
        known = self.ownership(buffer, block)
        if isinstance(known, SSAValue):
            return buffer, known
        clone = CloneOp(buffer)
        clone.location = location_of(buffer)
        at.insert(clone)
        true = boolean(True, at, clone.location)
        self.own(clone.output, true)
        self.free_later(clone.output, block_of(clone.output))
        return clone.output, true

    def replaced(self, old: Sequence[SSAValue], new: Sequence[SSAValue]) -> None:
        """Values have been replaced by others."""
        for a, b in zip(old, new, strict=False):
            self._new[a] = b
            self._order[b] = self._order.get(a, len(self._order))

    # ---- which are alive

    def _alive(self, values: set[SSAValue]) -> list[SSAValue]:
        current: dict[SSAValue, None] = {}
        for value in values:
            while value in self._new:
                value = self._new[value]
            if is_buffer(value):
                current[value] = None
        return sorted(current, key=self._place)

    def _place(self, value: SSAValue) -> tuple[int, int, int]:
        order = self._order.get(value, len(self._order))
        return (0, value.index, order) if isinstance(value, BlockArgument) else (1, order, cast(OpResult, value).index)

    def alive_at_start(self, block: Block) -> list[SSAValue]:
        """The buffers from outside that a block, or what follows it, uses."""
        return self._alive(self._live_in.get(block, set()))

    def to_retain(self, block: Block, target: Block | None, passed: Sequence[SSAValue]) -> list[SSAValue]:
        """The buffers that the end of a block must not free: those passed on, those that `target` uses."""
        alive = self._live_out.get(block, set())
        if target is not None:
            alive = alive & self._live_in.get(target, set())
        return [*(value for value in passed if is_buffer(value)), *self._alive(alive)]

    # ---- freeing

    def conditions(self, op: Operation, at: Builder) -> tuple[list[SSAValue], list[SSAValue]]:
        """What the end of `op`'s block may have to free, and whether it has."""
        block = op.parent
        assert block is not None
        buffers: list[SSAValue] = []
        owned: list[SSAValue] = []
        for buffer in self.to_free.get(block, ()):
            known = self.ownership(buffer, block)
            if not isinstance(known, SSAValue):
                raise CompileError("MemRef value does not have valid ownership", location=place_of(location_of(buffer)) or place(op))
            base = buffer
            if isinstance(buffer.type, UnrankedMemRefType):
                element: Attribute = cast(Any, buffer).type.element_type
                ranked = MemRefType(element, [])
                view = ReinterpretCastOp.get(buffer, 0, [], [], ranked)
                view.location = op.location
                base = at.insert(view).results[0]
            metadata = ExtractStridedMetaDataOp(base)
            metadata.location = op.location
            buffers.append(at.insert(metadata).results[0])
            owned.append(known)
        return buffers, owned

    def insert_dealloc(
        self, op: Operation, at: Builder, buffers: Sequence[SSAValue], owned: Sequence[SSAValue], retained: Sequence[SSAValue]
    ) -> OwnershipDeallocOp:
        """Free `buffers` in front of `op`; what is retained is owned as the operation says."""
        block = op.parent
        assert block is not None
        made = OwnershipDeallocOp(operands=[buffers, owned, retained], result_types=[[i1] * len(retained)])
        made.location = op.location
        at.insert(made)
        self.reset(retained, block)
        for buffer, condition in zip(retained, made.results, strict=True):
            self.own(buffer, condition, block)
        return made

    def end_block(self, op: Operation, passed: Sequence[SSAValue], at: Builder) -> list[SSAValue]:
        """Free what a block owns in front of its end `op`, which hands `passed` to the operation around: whether each buffer is owned."""
        block = op.parent
        assert block is not None
        buffers, owned = self.conditions(op, at)
        retained = self.to_retain(block, None, passed)
        if not buffers and not retained:
            return []
        made = self.insert_dealloc(op, at, buffers, owned, retained)
        return list(made.results[: sum(map(is_buffer, passed))])


def block_of(value: SSAValue) -> Block:
    """The block in which a value is defined."""
    block = value.owner if isinstance(value.owner, Block) else value.owner.parent
    assert block is not None
    return block


def location_of(value: SSAValue) -> LocationAttr:
    """Where a value comes from."""
    return value.location if isinstance(value, BlockArgument) else cast(Operation, value.owner).location


def _liveness(root: Operation) -> tuple[dict[Block, set[SSAValue]], dict[Block, set[SSAValue]]]:
    """The values from outside that each block or its successors use, and those that a block's successors use."""
    blocks = [block for op in root.walk() for region in op.regions for block in region.blocks]
    used: dict[Block, set[SSAValue]] = {}
    defined: dict[Block, set[SSAValue]] = {}
    for block in blocks:
        inside = [inner for op in block.ops for inner in op.walk()]
        own: set[SSAValue] = {*block.args, *(result for op in inside for result in op.results)}
        own |= {a for op in inside for region in op.regions for b in region.blocks for a in b.args}
        defined[block] = own
        used[block] = {value for op in inside for value in op.operands} - own
    live_in = {block: set(values) for block, values in used.items()}
    live_out: dict[Block, set[SSAValue]] = {block: set() for block in blocks}
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            last = block.last_op
            out: set[SSAValue] = set()
            for successor in last.successors if last is not None else ():
                out |= live_in[successor]
            if out != live_out[block]:
                live_out[block] = out
                live_in[block] = used[block] | (out - defined[block])
                changed = True
    return live_in, live_out
