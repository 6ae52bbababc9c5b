"""The passes `symbol-dce` and `symbol-privatize`: symbols that nobody can see or names go; those that nobody need see become private."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation, ParametrizedAttribute
from xdsl.irdl import IRDLOperation
from xdsl.traits import SymbolTable

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class SymbolDce(Pass):
    """Erase symbols that are not public and that nothing live refers to.

    before:  func.func private @unused() { ... }   func.func @main() { ... }
    after:   func.func @main() { ... }
    """

    name: ClassVar[str] = "symbol-dce"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        _require_table(op, self.name)
        live = _Live()
        live.table(op, hidden=op.parent_op() is None or visibility(op) == "private" or name_of(op) is None)
        live.spread()
        for symbol in [inner for inner in op.walk() if inner is not op and name_of(inner) is not None]:
            if symbol.parent is not None and symbol not in live.symbols:
                symbol.detach()
                symbol.erase(safe_erase=False)


@dataclass(frozen=True)
class SymbolPrivatize(Pass):
    """Make the symbols of a table private, except those that are named.

    before:  func.func @f()   func.func @main()
    after:   func.func private @f()   func.func @main()     (symbol-privatize{exclude=main})
    """

    name: ClassVar[str] = "symbol-privatize"
    anchor: ClassVar[str] = "any"

    exclude: tuple[str, ...] = ()

    def run(self, op: Operation, ctx: Context) -> None:
        _require_table(op, self.name)
        for symbol in _inside(op):
            if (name := name_of(symbol)) is not None and name not in self.exclude:
                known = isinstance(symbol, IRDLOperation) and "sym_visibility" in symbol.get_irdl_definition().properties
                (symbol.properties if known else symbol.attributes)["sym_visibility"] = StringAttr("private")


def _require_table(op: Operation, name: str) -> None:
    if not op.has_trait(SymbolTable):
        raise CompileError(
            f"'{name}' was scheduled to run under '{op.name}', but it needs an operation with a symbol table", location=place(op)
        )


def _text(op: Operation, name: str) -> str | None:
    found = op.properties.get(name)
    found = op.attributes.get(name) if found is None else found
    return found.data if isinstance(found, StringAttr) else None


def name_of(op: Operation) -> str | None:
    """The symbol that `op` defines."""
    return _text(op, "sym_name")


def visibility(op: Operation) -> str:
    """`public`, `private` or `nested`."""
    return _text(op, "sym_visibility") or "public"


def _inside(table: Operation) -> Iterator[Operation]:
    for region in table.regions:
        for block in region.blocks:
            yield from block.ops


class _Live:
    """The symbols that are needed: found from those that can be seen from outside, along references."""

    def __init__(self) -> None:
        self.symbols: set[Operation] = set()
        self._waiting: list[tuple[Operation, bool]] = []

    def table(self, table: Operation, hidden: bool) -> None:
        """What is needed in a table by itself."""
        for op in _inside(table):
            seen = visibility(op) == "public" or (visibility(op) == "nested" and not hidden)
            if name_of(op) is None or seen:
                self._need(op, hidden)

    def spread(self) -> None:
        """Whatever something needed refers to is needed."""
        while self._waiting:
            op, hidden = self._waiting.pop()
            self._uses(op, hidden)

    def _need(self, op: Operation, hidden: bool) -> None:
        if op not in self.symbols:
            self.symbols.add(op)
            self._waiting.append((op, hidden))

    def _uses(self, op: Operation, hidden: bool) -> None:
        table = op.parent_op()
        while table is not None and not table.has_trait(SymbolTable):
            table = table.parent_op()
        for attribute in (*op.properties.values(), *op.attributes.values()):
            for reference in references_of(attribute):
                self._resolve(table, reference, hidden)
        if op.has_trait(SymbolTable):
            self.table(op, hidden or (name_of(op) is not None and visibility(op) == "private"))
            return
        for inner in _inside(op):
            if name_of(inner) is not None:
                self._need(inner, hidden)
            else:
                self._uses(inner, hidden)

    def _resolve(self, table: Operation | None, reference: SymbolRefAttr, hidden: bool) -> None:
        for name in (reference.root_reference, *reference.nested_references):
            if table is None:
                return
            table = next((op for op in _inside(table) if name_of(op) == name.data), None)
            if table is not None:
                self._need(table, hidden)


def references_of(attribute: Attribute) -> Iterator[SymbolRefAttr]:
    """The symbols that an attribute names, however deep."""
    if isinstance(attribute, SymbolRefAttr):
        yield attribute
    elif isinstance(attribute, ArrayAttr):
        for inner in attribute.data:  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            yield from references_of(inner)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(attribute, DictionaryAttr):
        for inner in attribute.data.values():
            yield from references_of(inner)
    elif isinstance(attribute, ParametrizedAttribute):
        for inner in attribute.parameters:
            yield from references_of(inner)
