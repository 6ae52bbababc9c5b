"""Finding things by name: dialects, passes, pipelines. Nothing is imported before it is used.

Every room keeps a table name -> "module:object" in its `__init__.py`. This module merges the tables and adds what xDSL ships; where both
have an entry of the same name, ours stands. The tables are reached by name only, so that `ir` imports no other room.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.ir import Attribute, Dialect, Operation, TypeAttribute

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.ir.text import late_formats as late_formats  # for every dialect that is found here

if TYPE_CHECKING:
    from xdsl.passes import ModulePass

DIALECT_TABLE = "stepwell.dialects:DIALECTS"
RARE_TABLE = "stepwell.dialects:RARE"
ROOMS = (
    "autodiff",
    "graph",
    "structured",
    "linalg",
    "affine",
    "scf",
    "transform",
    "buffers",
    "loops",
    "schedule",
    "vectors",
    "machine",
    "gpu",
)
PASS_TABLES = ("stepwell.ir:PASSES", *(f"stepwell.lowering.{room}:PASSES" for room in ROOMS))
PIPELINE_TABLE = "stepwell.lowering.pipelines:PIPELINES"


LOADED_DIALECTS: dict[str, Callable[[], Dialect]] = {}
LOADED_PASSES: dict[str, type[Pass]] = {}
LOADED_PIPELINES: dict[str, str] = {}
"""What modules of the user have brought (`stepwell.ir.user_modules`); it stands before everything else."""


def resolve(reference: str) -> Any:
    """The object that a table entry "module:object" names."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known names, or None where nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(n) for n in near)}?" if near else None


# ---- dialects -------------------------------------------------------------------------------------------------------------------


class LazyContext(Context):
    """A context whose dialects may have a rare part: ops and attributes that are defined when the parser meets a name that the common part
    lacks. Compiling a model does not pay for them."""

    def clone(self) -> LazyContext:
        copy = super().clone()
        return LazyContext(**{f.name: getattr(copy, f.name) for f in fields(copy)})

    def _load_rare(self, name: str) -> bool:
        """Load the rare part of the dialect of `name`. Whether there was something new."""
        dialect = name.partition(".")[0]
        reference = resolve(RARE_TABLE).get(dialect)
        if reference is None or dialect not in self._loaded_dialects:
            return False
        ops, attributes = resolve(reference)
        if not ops or ops[0].name in self._loaded_ops:
            return False
        for op in ops:
            self._loaded_ops[op.name] = op
        for attribute in attributes:
            self.load_attr_or_type(attribute)
        return True

    def _get_known_op(self, name: str) -> type[Operation] | None:
        found = super()._get_known_op(name)
        return super()._get_known_op(name) if found is None and self._load_rare(name) else found

    def get_optional_attr(self, name: str) -> type[Attribute] | None:
        self._load_rare_for(name, self._loaded_attrs)
        return super().get_optional_attr(name)

    def get_optional_type(self, name: str) -> type[TypeAttribute] | None:
        self._load_rare_for(name, self._loaded_types)
        return super().get_optional_type(name)

    def _load_rare_for(self, name: str, loaded: Mapping[str, object]) -> None:
        if name not in loaded:
            self.get_optional_dialect(name.partition(".")[0])
            if name not in loaded:
                self._load_rare(name)


def make_context(*, allow_unregistered: bool = False) -> Context:
    """A context that knows every dialect and has loaded `builtin` only; the others load when the parser meets their name."""
    context = LazyContext(allow_unregistered)
    for name, factory in all_dialects().items():
        context.register_dialect(name, factory)
    context.load_registered_dialect("builtin")
    return context


def all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Dialect factories by name, sorted; ours take the place of xDSL's of the same name."""
    factories: dict[str, Callable[[], Dialect]] = dict(get_all_dialects())
    del factories["test"]  # of xDSL's own tests; with `--allow-unregistered-dialect` its operations are read like all others
    for name, reference in resolve(DIALECT_TABLE).items():
        factories[name] = lambda reference=reference: resolve(reference)
    factories.update(LOADED_DIALECTS)
    return dict(sorted(factories.items()))


# ---- passes ---------------------------------------------------------------------------------------------------------------------


@cache
def _own_passes() -> Mapping[str, str]:
    merged: dict[str, str] = {}
    for table in PASS_TABLES:
        for name, reference in resolve(table).items():
            if merged.setdefault(name, reference) != reference:
                raise CompileError(f"pass '{name}' stands in two tables: {merged[name]} and {reference}")
    return merged


@cache
def _xdsl_passes() -> Mapping[str, Callable[[], type[ModulePass]]]:
    from xdsl.transforms import get_all_passes

    return get_all_passes()


def all_passes() -> dict[str, str]:
    """Where each pass comes from, by name, sorted: "module:class" for ours, "xdsl" for those that xDSL ships and we do not replace."""
    loaded = {name: f"{found.__module__}:{found.__qualname__}" for name, found in LOADED_PASSES.items()}
    return dict(sorted({**dict.fromkeys(_xdsl_passes(), "xdsl"), **_own_passes(), **loaded}.items()))


def is_own_pass(name: str) -> bool:
    """Whether `name` is a pass of ours."""
    return name in _own_passes() or name in LOADED_PASSES


def find_pass(name: str) -> type[Pass]:
    """The pass class of that name. xDSL's own passes are wrapped to look like ours. Raises CompileError for an unknown name."""
    return LOADED_PASSES.get(name) or _find_pass(name)


@cache
def _find_pass(name: str) -> type[Pass]:
    if reference := _own_passes().get(name):
        found = resolve(reference)
        if found.name != name:
            raise CompileError(f"table entry '{name}' names {reference}, which calls itself '{found.name}'")
        return found
    if factory := _xdsl_passes().get(name):
        from stepwell.ir.manager.xdsl_passes import adapt

        return adapt(factory())
    raise CompileError(f"'{name}' does not refer to a registered pass", hint=did_you_mean(name, all_passes()))


# ---- pipelines ------------------------------------------------------------------------------------------------------------------


def all_pipelines() -> Mapping[str, str]:
    """The named pipelines: name -> textual pipeline."""
    pipelines: Mapping[str, str] = resolve(PIPELINE_TABLE)
    return {**pipelines, **LOADED_PIPELINES} if LOADED_PIPELINES else pipelines
