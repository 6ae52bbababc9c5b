"""The parts of a row: operands, results and attributes with their kinds, and the rules in MLIR's words that follow from them."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
)

from stepwell.ir.rules import Kind, Rule, attribute, fail, number_of_operands, number_of_results, shown

INDEX = IndexType()
FIXED: dict[str, Attribute] = {"i1": i1, "i8": i8, "i16": i16, "i32": i32, "i64": i64, "index": INDEX, "f32": f32, "f64": f64}
"""Kinds of one type: where the format does not say the type, it is this."""
KINDS: dict[str, Kind] = {"any": Kind("any type", lambda _: True)}
"""Kinds of types by the name that rows use. Dialects add theirs."""

Custom = tuple[Callable[[Any, Any], None], Callable[[Any, Any], None]]
"""A part of a format written by hand: how it is read into the attributes and values, how it is printed."""


@dataclass(frozen=True)
class Part:
    """An operand, a result or an attribute of a row: `name? : kind`."""

    name: str
    many: str
    kind: str


def parts(text: str) -> list[Part]:
    """`a: i32, b?: any, c*` as parts. Commas inside of parentheses belong to the kind."""
    found: list[Part] = []
    for piece in re.findall(r"(?:[^,(]|\([^)]*\))+", text):
        name, _, kind = piece.strip().partition(":")
        name = name.strip()
        many = name[-1] if name and name[-1] in "?*" else ""
        if name:
            found.append(Part(name.rstrip("?*"), many, kind.strip() or "any"))
    return found


_RESERVED = frozenset({"name", "parent", "operands", "results", "regions", "successors", "attributes", "properties", "next_op", "prev_op"})


def field_name(name: str) -> str:
    return f"{name}_" if name in _RESERVED or hasattr(IRDLOperation, name) else name


def is_optional(part: Part) -> bool:
    return part.many == "?" or part.kind == "unit" or "=" in part.kind


def rules_of_row(row: dict[str, list[Part]]) -> list[Rule]:
    found: list[Rule] = []
    for what, key, number in (("operand", "ins", number_of_operands), ("result", "outs", number_of_results)):
        values = row[key]
        if all(not part.many for part in values):
            if len(values) < 4 or what == "result":
                found.append(number(len(values)))
    for part in row["attrs"]:
        summary, has = _constraint(part)
        found.append(attribute(part.name, summary, has, optional=is_optional(part)))
    for what, key in (("operand", "ins"), ("result", "outs")):
        if any(part.kind != "any" and part.kind[0] != "=" for part in row[key]):
            found.append(_kinds(what, row[key]))
    return found


def _kinds(what: str, values: list[Part]) -> Rule:
    first, last = 0, len(values)
    many = next((index for index, part in enumerate(values) if part.many), None)
    if many is not None:
        last = many + 1 if values[many].many == "*" and many == len(values) - 1 else many

    def rule(op: Operation) -> None:
        held = op.operands if what == "operand" else op.results
        for index, value in enumerate(held):
            part = values[min(index, last - 1)] if last > first and (index < last or values[last - 1].many == "*") else None
            if part is None or part.kind == "any" or part.kind[0] == "=" or "(" in part.kind:
                continue
            kind = kind_of(part.kind)
            if not kind.has(value.type):
                prefix = "variadic of " if part.many == "*" else ""
                fail(f"{what} #{index} must be {prefix}{kind.summary}, but got '{shown(value.type)}'")

    return rule


_FIXED_SUMMARY = {"index": "index", "f32": "32-bit float", "f64": "64-bit float"}


@cache
def kind_of(name: str) -> Kind:
    """The kind of that name."""
    fixed = FIXED.get(name)
    if fixed is not None:
        return Kind(_FIXED_SUMMARY.get(name, f"{name[1:]}-bit signless integer"), lambda type: type == fixed)
    return KINDS[name]


def _constraint(part: Part) -> tuple[str, Callable[[Attribute], bool]]:
    kind = part.kind.partition("=")[0]
    if kind == "unit":
        return "unit attribute", lambda a: isinstance(a, UnitAttr)
    if kind in FIXED and kind[0] == "i" and kind != "index":
        wanted = FIXED[kind]
        summary = "1-bit signless integer attribute" if kind == "i1" else f"{kind[1:]}-bit signless integer attribute"
        return summary, lambda a: isinstance(a, IntegerAttr) and cast("Any", a).type == wanted
    if kind == "str":
        return "string attribute", lambda a: isinstance(a, StringAttr)
    if kind.startswith("ienum"):
        return "valid enumerant", lambda a: isinstance(a, IntegerAttr)
    return "any attribute", lambda _: True


class RowOperation(IRDLOperation):
    """The base of all operations that are rows of tables. Without a format it is printed generically."""

    ROW: ClassVar[dict[str, list[Part]]]
    FORMAT: ClassVar[str | None]
    CUSTOM: ClassVar[dict[str, Custom]]
    INFER: ClassVar[Callable[[dict[str, list[SSAValue]]], Attribute] | None]
    RESULT_WORDS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What the printer calls results where there are several kinds: names, and how many of each there may be."""


@cache
def attribute_names(cls: type[RowOperation]) -> frozenset[str]:
    return frozenset(part.name for part in cls.ROW["attrs"])


def enumerants(kind: str) -> list[str]:
    """The cases of `ienum(a b c)`; `_` stands for a number without a name."""
    return kind[kind.index("(") + 1 : kind.index(")")].split()


def default_of(part: Part) -> Attribute | None:
    """The value of an attribute that nobody gave: `i32=4`, `i1=false`, `ienum(...)=0`."""
    kind, _, text = part.kind.rpartition("=")
    if not text or text == "?":
        return None
    if kind in ("i1", "i8", "i16", "i32", "i64"):
        number = int(text == "true") if text in ("true", "false") else int(text)
        return IntegerAttr(number, cast(Any, FIXED[kind]))
    if kind.startswith("ienum"):
        return IntegerAttr(int(text), i64)
    return None


FIXED_TYPES: dict[str, Attribute] = {}
"""Kinds of dialects that stand for one type."""
