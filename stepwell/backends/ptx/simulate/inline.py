"""Calls of device functions become their bodies (PTX ISA 9.0, section 7.1): registers, labels and variables get names of their own for each
call, parameters in `.param` space become memory of the thread. Recursion and calls through pointers are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stepwell.backends.ptx.syntax import Address, Function, Group, Instruction, Operand, Pair, Register, Symbol, Variable
from stepwell.ir.diagnostics import CompileError

MAX_DEPTH = 32
MAX_BODY = 1 << 20
"""Instructions that a kernel may have with all that it calls."""


def flattened(function: Function, functions: Mapping[str, Function]) -> Function:
    """The kernel without calls. Raises CompileError, with its line, for a call that cannot be inlined."""
    whole = Function(
        function.name, function.kernel, function.parameters, function.results, dict(function.registers), list(function.variables),
        [], dict(function.tables), function.limits, function.line,
    )  # fmt: skip
    _Inliner(whole, functions).body(function.body, {}, "", [function.name])
    inside = {variable.name for variable in whole.variables if variable.space == "param"}
    whole.body = [_in_local_memory(item, inside) if isinstance(item, Instruction) else item for item in whole.body]
    return whole


def _in_local_memory(item: Instruction, names: set[str]) -> Instruction:
    """A parameter of a call is memory of the thread."""
    if item.opcode not in ("ld", "st") or "param" not in item.modifiers:
        return item
    at = next((o.base for o in item.operands if isinstance(o, Address)), None)
    if not isinstance(at, Symbol) or at.name not in names:
        return item
    return replace(item, modifiers=tuple("local" if word == "param" else word for word in item.modifiers))


class _Inliner:
    def __init__(self, whole: Function, functions: Mapping[str, Function]) -> None:
        self.whole, self.functions = whole, functions
        self.calls = 0

    def body(self, items: list[Instruction | str], names: Mapping[str, str], end: str, path: list[str]) -> None:
        """Adds instructions with their names replaced; `ret` goes to `end` where that is a label."""
        for item in items:
            if len(self.whole.body) > MAX_BODY:
                raise CompileError(f"'{self.whole.name}' has more than {MAX_BODY} instructions with all that it calls")
            if isinstance(item, str):
                self.whole.body.append(names.get(item, item))
                continue
            renamed = replace(
                item,
                operands=tuple(_renamed(operand, names) for operand in item.operands),
                guard=None if item.guard is None else names.get(item.guard, item.guard),
            )
            if item.opcode == "call":
                self.call(renamed, path)
            elif item.opcode == "ret" and end:
                self.whole.body.append(replace(renamed, opcode="bra", modifiers=(), operands=(Symbol(end),)))
            else:
                self.whole.body.append(renamed)

    def call(self, item: Instruction, path: list[str]) -> None:
        """Adds the body of a callee between its arguments and its results."""
        groups = [operand.items for operand in item.operands if isinstance(operand, Group)]
        nothing: tuple[Operand, ...] = ()
        results = groups.pop(0) if item.operands and isinstance(item.operands[0], Group) else nothing
        arguments = groups[0] if groups else nothing
        name = next((operand.name for operand in item.operands if isinstance(operand, Symbol | Register)), "")
        callee = self.functions.get(name)
        if callee is None or callee.kernel or not callee.body:
            raise CompileError(f"'{name}' is no function of this module", hint="calls through pointers are not simulated")
        if name in path or len(path) > MAX_DEPTH:
            raise CompileError(f"'{name}' calls itself: recursion is not simulated")
        if len(arguments) != len(callee.parameters) or len(results) != len(callee.results):
            raise CompileError(f"'{name}' takes {len(callee.parameters)} arguments and gives {len(callee.results)} results")
        self.calls += 1
        mark = f"@{name}{self.calls}"
        labels = [label for label in callee.body if isinstance(label, str)]
        owned = (*callee.registers, *labels, *callee.tables, *(variable.name for variable in callee.variables))
        names = {old: old + mark for old in owned}
        self.whole.registers.update({old + mark: kind for old, kind in callee.registers.items()})
        self.whole.variables += [replace(variable, name=variable.name + mark) for variable in callee.variables]
        self.whole.tables.update({table + mark: [names.get(t, t) for t in targets] for table, targets in callee.tables.items()})
        skip, end = f"skip{mark}", f"end{mark}"
        if item.guard is not None:
            self.whole.body.append(Instruction("bra", (), (Symbol(skip),), item.guard, not item.negated, item.line))
        for parameter, given in zip((*callee.parameters, *callee.results), (*arguments, *results), strict=True):
            if parameter.space == "param" and isinstance(given, Symbol | Register):
                names[parameter.name] = given.name
        self._move(zip(callee.parameters, arguments, strict=True), names, item, into=True)
        self.body(callee.body, names, end, [*path, name])
        self.whole.body.append(end)
        self._move(zip(callee.results, results, strict=True), names, item, into=False)
        self.whole.body.append(skip)

    def _move(self, pairs: Iterable[tuple[Variable, Operand]], names: Mapping[str, str], item: Instruction, into: bool) -> None:
        """Parameters that are registers are copied."""
        for parameter, given in pairs:
            if parameter.space == "reg":
                inner = Register(names[parameter.name])
                operands = (inner, given) if into else (given, inner)
                kind = parameter.element.replace("f", "b").replace("bb", "b") if parameter.element != "pred" else "pred"
                self.whole.body.append(Instruction("mov", (kind,), operands, None, False, item.line))


def _renamed(operand: Operand, names: Mapping[str, str]) -> Operand:
    if isinstance(operand, Register):
        return Register(names.get(operand.name, operand.name))
    if isinstance(operand, Symbol):
        return Symbol(names.get(operand.name, operand.name), operand.offset)
    if isinstance(operand, Address):
        base = _renamed(operand.base, names)
        assert isinstance(base, Register | Symbol) or base == operand.base
        return replace(operand, base=base, rest=tuple(_renamed(part, names) for part in operand.rest))
    if isinstance(operand, Group):
        return Group(tuple(_renamed(part, names) for part in operand.items))
    if isinstance(operand, Pair):
        return Pair(_renamed(operand.first, names), _renamed(operand.second, names))
    return operand
