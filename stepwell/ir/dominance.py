"""Which block of a region comes before which on every path."""

from __future__ import annotations

from collections import defaultdict

from xdsl.ir import Block

Tree = dict[Block, list[Block]]


def dominator_tree(entry: Block) -> Tree:
    """The blocks reachable from `entry`, each with the blocks that it immediately dominates.

    The iteration of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001), section 3.
    """
    order = reverse_postorder(entry)
    number = {block: index for index, block in enumerate(order)}
    predecessors: defaultdict[Block, list[Block]] = defaultdict(list)
    for block in order:
        for successor in _successors(block):
            predecessors[successor].append(block)

    parent: dict[Block, Block] = {entry: entry}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            known = [p for p in predecessors[block] if p in parent]
            nearest = known[0]
            for other in known[1:]:
                nearest = _common_ancestor(nearest, other, parent, number)
            if parent.get(block) is not nearest:
                parent[block] = nearest
                changed = True

    tree: Tree = {block: [] for block in order}
    for block in order[1:]:
        tree[parent[block]].append(block)
    return tree


def _common_ancestor(a: Block, b: Block, parent: dict[Block, Block], number: dict[Block, int]) -> Block:
    while a is not b:
        while number[a] > number[b]:
            a = parent[a]
        while number[b] > number[a]:
            b = parent[b]
    return a


def _successors(block: Block) -> tuple[Block, ...]:
    last = block.last_op
    return tuple(last.successors) if last is not None else ()


def reverse_postorder(entry: Block) -> list[Block]:
    """The blocks reachable from `entry`, each before those that it leads to, except around loops."""
    order: list[Block] = []
    seen = {entry}
    pending = [(entry, iter(_successors(entry)))]
    while pending:
        block, successors = pending[-1]
        for successor in successors:
            if successor not in seen:
                seen.add(successor)
                pending.append((successor, iter(_successors(successor))))
                break
        else:
            order.append(block)
            pending.pop()
    order.reverse()
    return order
