"""The pass `duplicate-function-elimination`: of functions that do the same, the first one stays and is called instead of the others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation

from stepwell.ir.passes import Pass
from stepwell.ir.transforms.cse import region_key


@dataclass(frozen=True)
class DuplicateFunctionElimination(Pass):
    """Erase functions whose attributes and operations are those of another one.

    before:  func.func @f(%x) { return %x }   func.func @g(%x) { return %x }   func.call @g(%a)
    after:   func.func @f(%x) { return %x }   func.call @f(%a)
    """

    name: ClassVar[str] = "duplicate-function-elimination"

    def run(self, op: Operation, ctx: Context) -> None:
        first: dict[Hashable, Any] = {}
        instead: dict[str, StringAttr] = {}
        for function in [inner for inner in op.walk() if inner.name == "func.func"]:
            kept = first.setdefault(_key(function), function)
            if kept is not function:
                instead[function.properties["sym_name"].data] = kept.properties["sym_name"]  # pyright: ignore
                function.detach()
                function.erase()
        if instead:
            for inner in op.walk():
                for held in (inner.properties, inner.attributes):
                    for name, attribute in list(held.items()):
                        held[name] = _renamed(attribute, instead)


def _key(function: Operation) -> Hashable:
    """Equal for functions that do the same; a declaration is like no other."""
    if function.regions[0].first_block is None:
        return function
    properties = frozenset((name, value) for name, value in function.properties.items() if name != "sym_name")
    return properties, frozenset(function.attributes.items()), region_key(function.regions[0], {})


def _renamed(attribute: Attribute, instead: Mapping[str, StringAttr]) -> Attribute:
    """The attribute with other names for the symbols in it."""
    if isinstance(attribute, SymbolRefAttr):
        new = instead.get(attribute.root_reference.data)
        return attribute if new is None else SymbolRefAttr(new, attribute.nested_references)
    if isinstance(attribute, ArrayAttr):
        return ArrayAttr([_renamed(item, instead) for item in attribute.data])  # pyright: ignore
    if isinstance(attribute, DictionaryAttr):
        return DictionaryAttr({name: _renamed(item, instead) for name, item in attribute.data.items()})
    return attribute
