"""Blocks that control flow never reaches: finding them, erasing them."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.ir import Block, Operation, Region


def reachable_blocks(region: Region) -> set[Block]:
    """The blocks of a region that can be reached from its first."""
    entry = region.first_block
    found: set[Block] = set()
    waiting = [entry] if entry is not None else []
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            if block.last_op is not None:
                waiting.extend(block.last_op.successors)
    return found


def is_unreachable(block: Block) -> bool:
    """Whether control flow never reaches `block` inside its region."""
    return block.parent is not None and block.parent.first_block is not block and block not in reachable_blocks(block.parent)


def erase_unreachable(ops: Iterable[Operation]) -> bool:
    """Erase the unreachable blocks of the regions of `ops`; `ops` may come to hold operations that are gone. Whether there were any."""
    changed = False
    for op in ops:
        for region in op.regions:
            if region.first_block is not region.last_block:
                changed |= _erase_in(region)
    return changed


def _erase_in(region: Region) -> bool:
    reachable = reachable_blocks(region)
    dead = [block for block in region.blocks if block not in reachable]
    for block in dead:
        region.erase_block(block, safe_erase=False)  # what uses its values is in a dead block as well
    return bool(dead)
