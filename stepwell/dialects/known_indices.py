"""Indices of which some are known: integers where they are, values where they are not (see `mixed` of `support`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue

from stepwell.ir.rewrite.folding import constant_of

Index = int | SSAValue


def known(value: Index) -> int | None:
    """The integer that an index is, if it is known."""
    if isinstance(value, int):
        return value
    constant = constant_of(value)
    return constant.value.data if isinstance(constant, IntegerAttr) else None


def same(a: Sequence[Index], b: Sequence[Index]) -> bool:
    """Whether two lists of indices are equal, one by one."""
    if len(a) != len(b):
        return False
    return all(x is y or (known(x) is not None and known(x) == known(y)) for x, y in zip(a, b, strict=True))


def with_constants(values: Sequence[Index], allowed: Callable[[int], bool] = lambda _: True) -> list[Index]:
    """Values that are constants as numbers, if such a number may stand there."""
    found: list[Index] = []
    for value in values:
        number = None if isinstance(value, int) else known(value)
        found.append(number if number is not None and allowed(number) else value)
    return found
