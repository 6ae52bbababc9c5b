"""Folding: what an operation is worth when its operands are known.

A dialect says how its operations fold either by xDSL's `fold` or, for operations that are not its own to define, by a table
`FOLDS: dict[name of operation, folder]`, which `stepwell.dialects.FOLDS` names. A folder gets the operation and gives one value or
attribute for each result; `None` where it does not fold; the operation's own results where it has only changed itself in place.

`stepwell.ir.rewrite.known_constants` makes the constants that come of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.traits import Commutative, ConstantLike, HasFolder

from stepwell.ir.registry import resolve

Folded = Sequence[SSAValue | Attribute] | None
Folder = Callable[[Any], Folded]


COMMUTATIVE = frozenset(
    {
        *(f"arith.{name}" for name in "maximumf minimumf maxnumf minnumf maxsi maxui minsi minui".split()),
        *(f"arith.{name}" for name in "addui_extended mulsi_extended mului_extended addf mulf".split()),
        *(f"index.{name}" for name in "add mul and or xor maxs maxu mins minu".split()),
    }
)
"""Operations whose operands may change places, besides those that say so themselves."""


@cache
def commutes(kind: type[Operation]) -> bool:
    """Whether the order of the operands makes no difference."""
    return kind.get_trait(Commutative) is not None or getattr(kind, "name", "") in COMMUTATIVE


@cache
def folder_of(kind: type[Operation]) -> Folder | None:
    """How operations of that class fold; constants do not."""
    if kind.get_trait(ConstantLike) is not None:
        return None
    own = _own_folder(kind)
    if not commutes(kind):
        return own
    return _constants_to_the_right if own is None else lambda op: _first(own, op)


def _own_folder(kind: type[Operation]) -> Folder | None:
    name = getattr(kind, "name", "")
    reference = resolve("stepwell.dialects:FOLDS").get(name.partition(".")[0])
    folder: Folder | None = resolve(reference).get(name) if reference else None
    if folder is not None:
        return folder
    trait = kind.get_trait(HasFolder)
    return trait.fold if trait is not None else None


def _first(own: Folder, op: Operation) -> Folded:
    folded = own(op)
    return _constants_to_the_right(op) if folded is None else folded


def _constants_to_the_right(op: Operation) -> Folded:
    """`c + x` -> `x + c` where the order makes no difference."""
    operands = op._operands  # pyright: ignore[reportPrivateUsage]  # the property builds a view
    if len(operands) == 2:
        lhs, rhs = operands
        if constant_of(lhs) is None or constant_of(rhs) is not None:
            return None
        op.operands = (rhs, lhs)
        return op.results
    ordered = sorted(operands, key=lambda value: constant_of(value) is not None)  # stable
    if all(a is b for a, b in zip(ordered, operands, strict=True)):
        return None
    op.operands = ordered
    return op.results


class _ConstantKinds(dict[type[Operation], bool]):
    """Whether operations of a class are constants, found out once: asked for every operand of everything that folds."""

    def __missing__(self, kind: type[Operation]) -> bool:
        found = self[kind] = kind.get_trait(ConstantLike) is not None
        return found


_CONSTANT_KINDS = _ConstantKinds()


def is_constant(kind: type[Operation]) -> bool:
    """Whether operations of that class are constants."""
    return _CONSTANT_KINDS[kind]


def constant_of(value: SSAValue) -> Attribute | None:
    """The attribute of a value that is a constant."""
    if value.__class__ is not OpResult:  # `isinstance` asks abstract classes at length
        return None
    op = cast("OpResult", value).op
    if not _CONSTANT_KINDS[op.__class__]:
        return None
    found = op.properties.get("value")  # an attribute of 0 is falsy
    return op.attributes.get("value") if found is None else found
