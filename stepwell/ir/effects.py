"""Whether an operation would be missed if nobody used its results. In: an operation; out: yes or no, with the first effect that counts.

xDSL's `result_only_effects` answers the same, after it has gathered all effects of everything inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from xdsl.ir import Operation, SSAValue
from xdsl.traits import (
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    MemoryFreeEffect,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoMemoryEffect,
    RecursiveMemoryEffect,
    SymbolOpInterface,
)


@cache
def _effects_of(kind: type[Operation]) -> Sequence[MemoryEffect | None] | None:
    """What tells the effects of operations of a class, `None` for those of what is inside; nothing where they are unknown."""
    traits = kind.get_traits_of_type(MemoryEffect)
    if not traits:
        return None
    return tuple(None if type(trait) is RecursiveMemoryEffect else trait for trait in traits if not isinstance(trait, NoMemoryEffect))


@cache
def _effects_to_ask(kind: type[Operation]) -> Sequence[MemoryEffect | None] | None:
    """Those of `_effects_of` that differ between operations of the class, but for reading; nothing where all of them write or free."""
    effects = _effects_of(kind)
    if effects is None or any(type(effect) in (MemoryWriteEffect, MemoryFreeEffect) for effect in effects):
        return None
    return tuple(effect for effect in effects if type(effect) is not MemoryReadEffect)


@cache
def is_pure_kind(kind: type[Operation]) -> bool:
    """Whether no operation of the class has effects, whatever its regions and operands are."""
    return _effects_of(kind) == ()


@cache
def may_be_dead(kind: type[Operation]) -> bool:
    """Whether an operation of the class can be erased because nothing uses it."""
    stays = kind.get_trait(IsTerminator) is not None or kind.get_trait(SymbolOpInterface) is not None
    return _effects_to_ask(kind) is not None and not stays


def is_dead(op: Operation) -> bool:
    """Whether nothing uses `op` and nothing would notice its absence."""
    kind = type(op)
    if not may_be_dead(kind):
        return False
    for result in op.results:
        if result.first_use is not None:
            return False
    return is_pure_kind(kind) or has_only_result_effects(op)


def has_only_result_effects(op: Operation) -> bool:
    """Whether nothing but users of its results would notice that `op` is gone: it may read, and allocate what it defines itself."""
    return _only_results(op, op)


def _only_results(op: Operation, root: Operation) -> bool:
    effects = _effects_to_ask(type(op))
    if effects is None:
        return False
    for effect in effects:
        if effect is None:
            for region in op.regions:
                for block in region.blocks:
                    inner = block.first_op
                    while inner is not None:
                        if not _only_results(inner, root):
                            return False
                        inner = inner._next_op  # pyright: ignore[reportPrivateUsage]  # the property takes longer than all the rest
            continue
        found = effect.get_effects(op)
        if found is None:
            return False
        for each in found:
            if each.kind is MemoryEffectKind.READ:
                continue
            value = each.value
            if each.kind is MemoryEffectKind.ALLOC and value is None and op.results:
                continue  # xDSL does not say which value: the result
            if each.kind is not MemoryEffectKind.ALLOC or not isinstance(value, SSAValue) or not root.is_ancestor(value.owner):
                return False
    return True
