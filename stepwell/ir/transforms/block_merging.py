"""Blocks of a region that do the same become one; arguments of a block that are always the same value become that value.

Two blocks do the same when their operations are equal one by one, go to the same blocks, and use the same values or values of their own
that correspond. Other values that differ become arguments of the block that stays, where every branch to these blocks can pass them.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from xdsl.dialects.builtin import UnregisteredOp
from xdsl.ir import Block, Operation, Region, SSAValue

from stepwell.ir.transforms.branches import edges_to, erase_arguments, forwarded, incoming, set_forwarded

Place = tuple[int, int]
"""Which operation of a block, which of its operands."""


def merge_identical_blocks(region: Region) -> bool:
    """Merge what can be merged among the blocks of `region`, except the first. Whether anything changed."""
    groups: dict[tuple[Block, ...], list[Block]] = {}
    for block in list(region.blocks)[1:]:
        if block.last_op is not None:
            groups.setdefault(tuple(block.last_op.successors), []).append(block)
    changed = False
    for blocks in groups.values():
        if len(blocks) > 1:
            for cluster in _clusters(blocks):
                changed |= cluster.merge()
    return changed


def drop_redundant_arguments(region: Region) -> bool:
    """Replace arguments of blocks, except the first, by the value that every branch passes. Whether anything changed."""
    changed = False
    for block in list(region.blocks)[1:]:
        redundant: set[int] = set()
        for argument in block.args:
            values = incoming(argument)
            if values and all(value is values[0] for value in values) and values[0] is not argument:
                argument.replace_all_uses_with(values[0])
                redundant.add(argument.index)
        if redundant:
            erase_arguments(block, redundant)
            changed = True
    return changed


# ---- what is the same ---------------------------------------------------------------------------------------------------------------


def _shape(block: Block) -> Hashable:
    """What must be equal of two blocks, without their operands."""
    return tuple(block.arg_types), tuple(_op_shape(op) for op in block.ops)


def _op_shape(op: Operation) -> Hashable:
    name = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
    attributes = frozenset(op.attributes.items()), frozenset(op.properties.items())
    return name, attributes, tuple(v.type for v in op.operands), tuple(r.type for r in op.results), tuple(op.successors)


def _may_be_merged(block: Block) -> bool:
    """Regions are not compared; of an argument that is used outside it would not be known whose it is."""
    if any(region.first_block is not None for op in block.ops for region in op.regions):
        return False
    return all(use.operation.parent is block for argument in block.args for use in argument.uses)


def _numbers(block: Block) -> dict[SSAValue, int]:
    """The values that a block defines, numbered."""
    values = [*block.args, *(result for op in block.ops for result in op.results)]
    return {value: number for number, value in enumerate(values)}


def _used_outside(block: Block, op: Operation) -> bool:
    return any(use.operation.parent is not block for result in op.results for use in result.uses)


@dataclass
class _Cluster:
    """A block and others that do the same."""

    leader: Block
    shape: Hashable
    others: list[Block] = field(default_factory=lambda: [])
    differing: dict[Place, None] = field(default_factory=lambda: {})

    def __post_init__(self) -> None:
        self._numbers = _numbers(self.leader)

    def take(self, block: Block, shape: Hashable) -> bool:
        """Take in `block` if it does the same."""
        if shape != self.shape:
            return False
        numbers = _numbers(block)
        differing: list[Place] = []
        for index, (mine, other) in enumerate(zip(self.leader.ops, block.ops, strict=True)):
            for position, (a, b) in enumerate(zip(mine.operands, other.operands, strict=True)):
                if a is b:
                    continue
                inner, other_inner = self._numbers.get(a), numbers.get(b)
                if inner != other_inner:
                    return False
                if inner is None:
                    differing.append((index, position))
            if _used_outside(self.leader, mine) or _used_outside(block, other):
                return False
        self.others.append(block)
        self.differing.update(dict.fromkeys(differing))
        return True

    def merge(self) -> bool:
        blocks = [self.leader, *self.others]
        if not self.others or (self.differing and not all(_takes_more(block) for block in blocks)):
            return False
        if self.differing:
            self._pass_what_differs(blocks)
        for block in self.others:
            for branch, number in list(edges_to(block)):
                branch.successors[number] = self.leader
            region = block.parent
            assert region is not None
            region.erase_block(block, safe_erase=False)
        return True

    def _pass_what_differs(self, blocks: list[Block]) -> None:
        columns: dict[tuple[SSAValue, ...], list[Place]] = {}
        for place in sorted(self.differing):
            columns.setdefault(tuple(_operand(block, place) for block in blocks), []).append(place)
        kept: list[tuple[SSAValue, ...]] = []
        ops = list(self.leader.ops)
        for values, places in columns.items():
            argument = self.leader.insert_arg(values[0].type, len(self.leader.args))
            for index, position in places:
                ops[index].operands[position] = argument
            kept.append(values)
        for row, block in enumerate(blocks):
            for branch, number in list(edges_to(block)):
                passed = forwarded(branch)
                assert passed is not None
                passed[number] = [*passed[number], *(values[row] for values in kept)]
                set_forwarded(branch, passed)


def _operand(block: Block, place: Place) -> SSAValue:
    index, position = place
    for number, op in enumerate(block.ops):
        if number == index:
            return op.operands[position]
    raise IndexError(place)


def _takes_more(block: Block) -> bool:
    """Whether every branch to it can pass more, and none of the values comes from a block that is merged away."""
    edges = list(edges_to(block))
    return bool(edges) and all(forwarded(edge.branch) is not None for edge in edges)


def _clusters(blocks: list[Block]) -> list[_Cluster]:
    clusters: list[_Cluster] = []
    for block in blocks:
        if not _may_be_merged(block):
            continue
        shape = _shape(block)
        if not any(cluster.take(block, shape) for cluster in clusters):
            clusters.append(_Cluster(block, shape))
    return clusters
