"""Trees of containers: what parameters, batches and results of functions are. A leaf is whatever is no container.

In: dicts, lists, tuples, named tuples, None (a tree without leaves) and registered classes. Out: the list of leaves and a structure, which
is hashable and puts other leaves in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from stepwell.ir.diagnostics import CompileError

Split = Callable[[Any], tuple[Sequence[Any], Hashable, Sequence[str]]]
"""A node -> (children, what else the node consists of, how each child is reached from it, as text)."""
Join = Callable[[Hashable, Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Tree:
    """The structure of a tree: of a leaf (`kind` is None), or of a container of a kind with children."""

    kind: type | None
    rest: Hashable
    children: tuple[Tree, ...]
    leaves: int


LEAF = Tree(None, None, (), 1)

_REGISTERED: dict[type, tuple[Split, Join]] = {}


def register(kind: type, split: Split, join: Join) -> None:
    """Make a class a container. `split` takes an instance apart, `join` puts one together."""
    _REGISTERED[kind] = split, join


def flatten(tree: Any) -> tuple[list[Any], Tree]:
    """The leaves from left to right (of dicts in the order of their keys), and the structure."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves)


def _flatten(tree: Any, leaves: list[Any]) -> Tree:
    apart = _split(tree)
    if apart is None:
        leaves.append(tree)
        return LEAF
    children, rest, _ = apart
    below = tuple([_flatten(child, leaves) for child in children])
    return Tree(_class_of(tree), rest, below, sum([child.leaves for child in below]))


def _class_of(value: Any) -> type:
    return value.__class__


def _split(tree: Any) -> tuple[Sequence[Any], Hashable, Sequence[str]] | None:
    kind = _class_of(tree)
    registered = _REGISTERED.get(kind)
    if registered is not None:
        return registered[0](tree)
    if kind is dict:
        table = cast("dict[Any, Any]", tree)
        try:
            keys = sorted(table)
        except TypeError:
            raise CompileError(f"a dict with keys that have no order cannot be a tree: {list(table)[:4]}") from None
        return [table[key] for key in keys], tuple(keys), [f"[{key!r}]" for key in keys]
    if tree is None:
        return (), None, ()
    if kind is list or kind is tuple:
        return cast("Sequence[Any]", tree), None, [f"[{i}]" for i in range(len(cast("Sequence[Any]", tree)))]
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return cast("Sequence[Any]", tree), None, [f".{name}" for name in cast(Any, kind)._fields]
    return None


def unflatten(structure: Tree, leaves: Sequence[Any]) -> Any:
    """The tree of this structure with these leaves."""
    return _unflatten(structure, iter(leaves))


def _unflatten(structure: Tree, leaves: Iterator[Any]) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    children = [_unflatten(child, leaves) for child in structure.children]
    if kind in _REGISTERED:
        return _REGISTERED[kind][1](structure.rest, children)
    if kind is dict:
        return dict(zip(cast("tuple[Any, ...]", structure.rest), children, strict=True))
    if kind is type(None):
        return None
    if kind is list:
        return children
    return tuple(children) if kind is tuple else cast(Any, kind)(*children)


def paths(tree: Any, name: str = "") -> Iterator[str]:
    """How each leaf is reached, as Python text: `params['w'][0]`."""
    apart = _split(tree)
    if apart is None:
        yield name
        return
    for child, step in zip(apart[0], apart[2], strict=True):
        yield from paths(child, name + step)


def tree_map(function: Callable[..., Any], tree: Any, *more: Any) -> Any:
    """The tree of what a function makes of each leaf, and of the leaves in the same places of further trees."""
    leaves, structure = flatten(tree)
    others: list[list[Any]] = []
    for other in more:
        found, same = flatten(other)
        if same != structure:
            raise CompileError("tree_map: the trees differ in structure", hint=f"{structure.leaves} leaves against {same.leaves}")
        others.append(found)
    return unflatten(structure, [function(*each) for each in zip(leaves, *others, strict=True)])
