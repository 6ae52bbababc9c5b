"""How values of memory slots pass through the regions of `scf` (`stepwell.ir.memory_slots`): loops carry them, choices yield them.

Where no region stores to the slot, every region simply sees the value from outside. Otherwise the operation gets one more result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xdsl.ir import Block, Operation, Region, SSAValue

from stepwell.dialects.scf import YieldOp
from stepwell.ir.memory_slots import Behaviour, RegionOwner, Slot


class _Choice(RegionOwner):
    """`scf.if`, `scf.index_switch`, `scf.execute_region`: a region runs once."""

    def enter(self, op: Any, slot: Slot, held: SSAValue, stores: bool) -> dict[Region, SSAValue]:
        return dict.fromkeys(op.regions, held)

    def leave(self, op: Any, slot: Slot, held: SSAValue, at_end: Mapping[Block, SSAValue]) -> SSAValue:
        for region in op.regions:
            if region.first_block is None:
                region.add_block(Block([YieldOp(held)]))
                continue
            for block in region.blocks:
                if block.last_op is not None and block.last_op.name == "scf.yield":
                    _append(block.last_op, at_end.get(block, held))
        return _with_result(op, slot)


class _For(RegionOwner):
    def enter(self, op: Any, slot: Slot, held: SSAValue, stores: bool) -> dict[Region, SSAValue]:
        if not stores:
            return {op.body: held}
        _append(op, held)
        return {op.body: _argument(op.body.block, slot)}

    def leave(self, op: Any, slot: Slot, held: SSAValue, at_end: Mapping[Block, SSAValue]) -> SSAValue:
        block = op.body.block
        _append(block.last_op, at_end.get(block, held))
        return _with_result(op, slot)


class _While(RegionOwner):
    def enter(self, op: Any, slot: Slot, held: SSAValue, stores: bool) -> dict[Region, SSAValue]:
        if not stores:
            return dict.fromkeys(op.regions, held)
        _append(op, held)
        return {region: _argument(region.block, slot) for region in op.regions}

    def leave(self, op: Any, slot: Slot, held: SSAValue, at_end: Mapping[Block, SSAValue]) -> SSAValue:
        for region in op.regions:
            _append(region.block.last_op, at_end.get(region.block, region.block.args[-1]))
        return _with_result(op, slot)


class _Parallel(RegionOwner):
    """What runs in no order can be read in, but not stored from."""

    def can_promote(self, op: Any, stores: bool) -> bool:
        return not stores

    def enter(self, op: Any, slot: Slot, held: SSAValue, stores: bool) -> dict[Region, SSAValue]:
        return dict.fromkeys(op.regions, held)


def _append(op: Operation, value: SSAValue) -> None:
    op.operands = [*op.operands, value]


def _argument(block: Block, slot: Slot) -> SSAValue:
    argument = block.insert_arg(slot.type, len(block.args))
    owner = slot.pointer.owner
    argument.location = owner.location if isinstance(owner, Operation) else slot.pointer.location  # pyright: ignore
    return argument


def _with_result(op: Operation, slot: Slot) -> SSAValue:
    """The last result of an operation like `op`, with one more result, that takes its place."""
    new = type(op).create(
        operands=op.operands,
        result_types=[*op.result_types, slot.type],
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=[op.detach_region(region) for region in list(op.regions)],
    )
    new.location = op.location
    assert op.parent is not None
    op.parent.insert_op_before(new, op)
    for old, result in zip(op.results, new.results, strict=False):
        result.name_hint = old.name_hint
        old.replace_all_uses_with(result)
    op.detach()
    op.erase()
    return new.results[-1]


SLOTS: dict[str, Behaviour] = {
    **dict.fromkeys(("scf.if", "scf.index_switch", "scf.execute_region"), _Choice()),
    "scf.for": _For(),
    "scf.while": _While(),
    **dict.fromkeys(("scf.forall", "scf.parallel", "scf.reduce"), _Parallel()),
}
