"""The base of layers: an object whose attributes are parameters, layers, containers of these, and settings."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

import numpy as np

from stepwell.frontends.trace.pytree import register
from stepwell.frontends.trace.tracer import Tracer


class Module:
    """A tree: its children are the attributes that hold arrays, modules, or lists, tuples and dicts of these; all others are settings,
    which belong to the structure and must be hashable. A derivative by a module is a module of derivatives."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls, _split, lambda rest, children: _join(cls, rest, children))

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not _is_child(v))
        return f"{type(self).__name__}({settings})"


def _is_child(value: Any) -> bool:
    if isinstance(value, (np.ndarray, Tracer, Module)):
        return True
    if isinstance(value, dict):
        return any(_is_child(v) for v in cast("dict[Any, Any]", value).values())
    return isinstance(value, (list, tuple)) and any(_is_child(v) for v in cast("Sequence[Any]", value))


def _split(module: Any) -> tuple[Sequence[Any], Hashable, Sequence[str]]:
    table = cast("dict[str, Any]", module.__dict__)
    names = [name for name, value in table.items() if _is_child(value)]
    settings = tuple((name, value) for name, value in table.items() if name not in names)
    return [table[name] for name in names], (tuple(names), settings), [f".{name}" for name in names]


def _join(cls: type, rest: Hashable, children: Sequence[Any]) -> Any:
    names, settings = cast("tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]", rest)
    module = cast(Module, object.__new__(cls))
    module.__dict__.update(settings)
    module.__dict__.update(zip(names, children, strict=True))
    return module
