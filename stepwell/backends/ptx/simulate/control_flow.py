"""The order in which waiting threads are served: a weak topological order of the blocks (Bourdoncle, "Efficient chaotic iteration
strategies with widenings", 1993). Threads at the earliest block go first, so that all that entered a loop have left it before any goes
on behind it, however the text is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def weak_topological_order(successors: Mapping[int, Sequence[int]], entry: int) -> list[int]:
    """Blocks reachable from `entry`; those of a loop stand together, its head first."""
    return _ordered(successors, [entry], set(successors))


def _ordered(successors: Mapping[int, Sequence[int]], entries: Sequence[int], allowed: set[int]) -> list[int]:
    """As above, over the `allowed` blocks that are reachable from any of `entries`."""
    order: list[int] = []
    for component in _components(successors, entries, allowed):
        head = component[0]
        order.append(head)
        if len(component) > 1:
            order += _ordered(successors, successors[head], set(component) - {head})
    return order


def _components(successors: Mapping[int, Sequence[int]], entries: Sequence[int], allowed: set[int]) -> list[list[int]]:
    """Strongly connected components in topological order, the block that was reached first in front (Tarjan 1972, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    waiting: set[int] = set()
    found: list[list[int]] = []
    for entry in reversed(entries):
        if entry not in allowed or entry in number:
            continue
        walk: list[tuple[int, Iterator[int]]] = [(entry, iter(successors[entry]))]
        number[entry] = low[entry] = len(number)
        stack.append(entry)
        waiting.add(entry)
        while walk:
            vertex, followers = walk[-1]
            for follower in followers:
                if follower not in allowed:
                    continue
                if follower not in number:
                    number[follower] = low[follower] = len(number)
                    stack.append(follower)
                    waiting.add(follower)
                    walk.append((follower, iter(successors[follower])))
                    break
                if follower in waiting:
                    low[vertex] = min(low[vertex], number[follower])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[vertex])
                if low[vertex] == number[vertex]:
                    place = stack.index(vertex)
                    found.append(stack[place:])
                    waiting.difference_update(stack[place:])
                    del stack[place:]
    found.reverse()
    return found
