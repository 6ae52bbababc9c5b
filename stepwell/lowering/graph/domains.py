"""Iteration spaces of kernels, with as few dimensions as their operands allow.

A kernel walks over a *domain*, a shape. Each of its tensors is a *view* of the domain: dimension i of the tensor runs along dimension
`dims[i]` of the domain, or along none (private: the reduction of a matmul, the table of a gather; or an extent of 1 that is broadcast).
Neighbouring dimensions of the domain that every view treats alike become one, and dimensions of extent 1 vanish, so that a kernel serves
all shapes that mean the same loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

Groups = tuple[tuple[int, ...], ...]
"""The dimensions of a domain, merged: each group is a run of dimensions; an empty group is a dimension of extent 1."""


@dataclass(frozen=True)
class View:
    """How a tensor lies in a domain: for each of its dimensions the domain's dimension, or None."""

    dims: tuple[int | None, ...]
    boundaries: frozenset[int] = frozenset()
    """Dimensions i of the tensor that cannot be merged with dimension i - 1 without a copy (the tensor is part of a larger buffer)."""


def broadcast_view(shape: Sequence[int], domain: Sequence[int], boundaries: frozenset[int] = frozenset()) -> View:
    """The view of a tensor that numpy broadcasting aligns with the end of the domain."""
    first = len(domain) - len(shape)
    return View(tuple(None if extent == 1 else first + i for i, extent in enumerate(shape)), boundaries)


def merge(domain: Sequence[int], views: Iterable[View], cuts: Iterable[int] = (), keep: Iterable[int] = ()) -> Groups:
    """The coarsest groups that all views allow.

    `cuts` are domain dimensions that must begin a group; dimensions in `keep` do not vanish even if their extent is 1.
    """
    kept = set(keep)
    dims = [d for d, extent in enumerate(domain) if extent != 1 or d in kept]
    separated = _separated(domain, views, dims) | {next((d for d in dims if d >= cut), -1) for cut in cuts}
    groups: list[list[int]] = []
    for d in dims:
        if groups and d not in separated:
            groups[-1].append(d)
        else:
            groups.append([d])
    return tuple(tuple(g) for g in groups)


def _separated(domain: Sequence[int], views: Iterable[View], dims: Sequence[int]) -> set[int]:
    """The dimensions that some view separates from the one before."""
    separated: set[int] = set()
    for view in views:
        covered = {d for d in view.dims if d is not None}
        for before, d in pairwise(dims):
            both = domain[before] != 1 and domain[d] != 1
            if both and (before in covered) != (d in covered):
                separated.add(d)
        # In the tensor, merged dimensions must be neighbours in the same order, and no boundary may stand between.
        position = {d: i for i, d in enumerate(view.dims) if d is not None}
        for before, d in pairwise(dims):
            if before in position and d in position:
                first, last = position[before], position[d]
                between = [view.dims[i] for i in range(first + 1, last)]
                out_of_order = first > last or any(x is not None and domain[x] != 1 for x in between)
                if out_of_order or any(first < b <= last for b in view.boundaries):
                    separated.add(d)
    return separated


def group_extents(domain: Sequence[int], groups: Groups) -> tuple[int, ...]:
    """The shape of the merged domain."""
    return tuple(prod(domain[d] for d in group) for group in groups)


def merged_shape(view: View, domain: Sequence[int], groups: Groups) -> tuple[int, ...]:
    """The shape of a broadcast view in the merged domain: 1 along groups that it does not cover, leading ones dropped."""
    covered = {d for d in view.dims if d is not None}
    shape = [prod(domain[d] for d in group) if any(d in covered for d in group) else 1 for group in groups]
    while shape and shape[0] == 1:
        shape.pop(0)
    return tuple(shape)


def group_of(groups: Groups, dim: int) -> int | None:
    """The number of the group that holds a dimension, or None where it vanished."""
    return next((i for i, group in enumerate(groups) if dim in group), None)


def suffix(shape: Sequence[int], position: int) -> int:
    """The number of elements under one index of the dimensions before `position`: what a boundary is called when the shape changes."""
    return prod(shape[position:])
