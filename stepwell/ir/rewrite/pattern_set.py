"""Patterns, indexed by the class of operation that they can match.

A pattern says what it matches in the annotation of `match_and_rewrite`: one op class, a union of them, a base class, or `Operation` for
all. The index is filled on demand: the first op of a class pays for the search, the others for one dictionary lookup.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from xdsl.ir import Operation
from xdsl.pattern_rewriter import RewritePattern
from xdsl.traits import HasCanonicalizationPatternsTrait

from stepwell.ir.registry import resolve


def pattern_name(pattern: RewritePattern) -> str:
    """How a pattern is called in messages."""
    return type(pattern).__name__


def matched_classes(pattern: RewritePattern) -> tuple[type, ...]:
    """The classes in the annotation of `match_and_rewrite`."""
    method = type(pattern).match_and_rewrite
    function = inspect.getclosurevars(method).nonlocals.get("func", method)  # what `op_type_rewrite_pattern` hides
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise TypeError(f"pattern {pattern_name(pattern)}: its annotation must be importable at run time: {error}") from error
    annotation = parameters[1].annotation
    alternatives = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return tuple(_plain_class(alternative) for alternative in alternatives)


def _plain_class(annotation: Any) -> type:
    if annotation is inspect.Parameter.empty:
        return Operation
    found = get_origin(annotation) or annotation
    if not isinstance(found, type):
        raise TypeError(f"cannot index a pattern by {annotation!r}")
    return found


class PatternSet:
    """The patterns that may match an op, found by its class, in the order in which they were given."""

    def __init__(self, patterns: Iterable[RewritePattern]) -> None:
        self._patterns = [(pattern, matched_classes(pattern)) for pattern in patterns]
        self._by_class: dict[type[Operation], tuple[RewritePattern, ...]] = {}

    def of(self, op: Operation) -> tuple[RewritePattern, ...]:
        """The patterns to try on `op`."""
        kind = type(op)
        found = self._by_class.get(kind)
        if found is None:
            found = self._by_class[kind] = self._search(kind)
        return found

    def _search(self, kind: type[Operation]) -> tuple[RewritePattern, ...]:
        return tuple(pattern for pattern, classes in self._patterns if issubclass(kind, classes))


class PatternsByName(PatternSet):
    """Patterns from a table: operation -> what is tried on it, in that order."""

    def __init__(self, table: Mapping[str, Sequence[RewritePattern]]) -> None:
        super().__init__(())
        self._table = table

    def _search(self, kind: type[Operation]) -> tuple[RewritePattern, ...]:
        return tuple(self._table.get(getattr(kind, "name", ""), ()))


class CanonicalPatterns(PatternSet):
    """Besides the patterns given, those that op classes name themselves as their canonicalization, or that the table of their dialect
    (`stepwell.dialects.CANONICAL`) names instead. `dialects`, `enabled` and `disabled` hold names of those to choose from, if any."""

    def __init__(
        self,
        patterns: Iterable[RewritePattern],
        dialects: Collection[str] = (),
        enabled: Collection[str] = (),
        disabled: Collection[str] = (),
    ) -> None:
        super().__init__(patterns)
        self._dialects = dialects
        self._enabled = enabled
        self._disabled = disabled

    def _search(self, kind: type[Operation]) -> tuple[RewritePattern, ...]:
        found = (*super()._search(kind), *self._own(kind))
        return tuple(pattern for pattern in found if self._may(pattern_name(pattern)))

    def _may(self, name: str) -> bool:
        return name not in self._disabled and (not self._enabled or name in self._enabled)

    def _own(self, kind: type[Operation]) -> Iterable[RewritePattern]:
        name = getattr(kind, "name", "")
        dialect = name.partition(".")[0]
        if self._dialects and dialect not in self._dialects:
            return ()
        reference = resolve("stepwell.dialects:CANONICAL").get(dialect)
        if reference is not None and (own := resolve(reference).get(name)) is not None:
            return own
        return (pattern for trait in kind.get_traits_of_type(HasCanonicalizationPatternsTrait) for pattern in trait.get_patterns(kind))


class CanonicalPatternsOf(CanonicalPatterns):
    """Besides the patterns given, the canonical ones of the operations of these names."""

    def __init__(self, patterns: Iterable[RewritePattern], names: Collection[str]) -> None:
        super().__init__(patterns)
        self._names = names

    def _own(self, kind: type[Operation]) -> Iterable[RewritePattern]:
        return super()._own(kind) if getattr(kind, "name", "") in self._names else ()
