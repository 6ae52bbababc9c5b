"""PTX as text: lines of assembly in, a module of functions and variables out.

The syntax is that of the PTX ISA (version 9.0, chapters 4 and 5): directives, declarations with `<n>` and array bounds, scoped blocks,
labels, instructions with a guard. Opcodes are not judged here: an instruction is a name with dots and operands. What cannot be read is a
`CompileError` with its place; nothing of the text is ever executed.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import NoReturn

from stepwell.backends.ptx.syntax import (
    SIZES,
    Address,
    Function,
    Group,
    Immediate,
    Instruction,
    Module,
    Operand,
    Pair,
    Register,
    Symbol,
    Variable,
)
from stepwell.ir.diagnostics import CompileError

MAX_REGISTERS = 1 << 16
"""Registers that a function may declare."""
MAX_VARIABLE = 1 << 30
"""Bytes that a variable may have."""

# ---- words -----------------------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
  |(?P<number>0[fF][0-9a-fA-F]{8}|0[dD][0-9a-fA-F]{16}|-?0[xX][0-9a-fA-F]+U?|-?0[bB][01]+U?|-?\d+\.\d+(?:[eE][-+]?\d+)?|-?\d+U?)
  |(?P<word>[.]?[%$_A-Za-z][\w$]*(?:(?:\.|::)[\w$]+)*)
  |(?P<string>"[^"\n]*")
  |(?P<mark>[{}()\[\]<>,;:@!|=+\-*?&^~])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str, filename: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise CompileError(f"unexpected character {text[position]!r} in PTX", location=_place(text, filename, position))
        if match.lastgroup is not None:
            found.append(_Token(match.lastgroup, match.group(), position))
        position = match.end()
    found.append(_Token("end", "end of text", len(text)))
    return found


def _place(text: str, filename: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"{filename}:{line}:{at - text.rfind(chr(10), 0, at)}"


# ---- the parser ------------------------------------------------------------------------------------------------------------------------

LINKING = {".visible", ".extern", ".weak", ".common"}
SPACES = {".global", ".shared", ".const", ".local", ".param"}
LIMITS = {".maxntid", ".reqntid", ".minnctapersm", ".maxnreg", ".maxnctapersm", ".reqnctapercluster", ".maxclusterrank", ".explicitcluster"}
SKIPPED = {".noreturn", ".blocksareclusters", ".abi_preserve", ".abi_preserve_control"}


def parse(text: str, filename: str = "<ptx>") -> Module:
    """Reads a module. Raises CompileError, with `file:line:col`, where the text is not PTX."""
    return _Parser(text, filename).module()


class _Parser:
    def __init__(self, text: str, filename: str) -> None:
        self.text = text
        self.filename = filename
        self.tokens = _tokens(text, filename)
        self.index = 0
        self.scopes: list[dict[str, str]] = []
        self.registers_known: dict[str, str] = {}
        self.scope_count = 0
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]

    # words

    def peek(self) -> str:
        return self.tokens[self.index].text

    def take(self) -> str:
        token = self.tokens[self.index]
        if token.kind == "end":
            self.fail("unexpected end of text")
        self.index += 1
        return token.text

    def accept(self, text: str) -> bool:
        if self.peek() != text or self.tokens[self.index].kind == "end":
            return False
        self.index += 1
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected '{text}', found '{self.peek()}'")

    def fail(self, message: str) -> NoReturn:
        raise CompileError(message, location=_place(self.text, self.filename, self.tokens[self.index].at))

    def word(self, what: str) -> str:
        if self.tokens[self.index].kind != "word":
            self.fail(f"expected {what}, found '{self.peek()}'")
        return self.take()

    def line(self) -> int:
        return bisect_right(self.lines, self.tokens[self.index].at)

    def integer(self) -> int:
        token = self.tokens[self.index]
        value = number(token.text) if token.kind == "number" else None
        if value is None or value.float_bits:
            self.fail(f"expected an integer, found '{token.text}'")
        self.index += 1
        return value.value

    # module

    def module(self) -> Module:
        module = Module("", "", 64, {}, [], self.filename)
        while self.tokens[self.index].kind != "end":
            word = self.peek()
            if word == ".version":
                self.take()
                module.version = self.take()
            elif word == ".target":
                self.take()
                module.target = self.word("a target")
                while self.accept(","):
                    self.word("a target")
            elif word == ".address_size":
                self.take()
                module.address_size = self.integer()
            elif word in (".file", ".section"):
                self.skip_debug()
            elif word in LINKING:
                self.take()
            elif word in (".entry", ".func"):
                function = self.function()
                if function.name not in module.functions or function.body:
                    module.functions[function.name] = function
            elif word in SPACES:
                module.variables.extend(self.variables())
            elif word == ".pragma":
                self.skip_to(";")
            elif word == ".alias":
                self.fail("aliases of functions are not supported")
            else:
                self.fail(f"unknown directive '{word}'")
        if not module.version or not module.target:
            self.fail("a module begins with .version and .target")
        return module

    def skip_to(self, mark: str) -> None:
        while not self.accept(mark):
            self.take()

    def skip_debug(self) -> None:
        if self.take() == ".section":
            self.word("a section")
            self.expect("{")
            self.skip_to("}")
            return
        line = self.line()
        while self.tokens[self.index].kind != "end" and self.line() == line:
            self.take()

    # functions

    def function(self) -> Function:
        line = self.line()
        kernel = self.take() == ".entry"
        results = self.parameters() if not kernel and self.peek() == "(" else []
        function = Function(self.word("a name"), kernel, results=results, line=line)
        self.scopes, self.scope_count, self.registers_known = [{}], 0, function.registers
        if self.peek() == "(":
            function.parameters = self.parameters()
        while (word := self.peek()) in LIMITS or word in SKIPPED or word == ".pragma":
            self.take()
            if word == ".pragma":
                self.skip_to(";")
            elif word in LIMITS and self.tokens[self.index].kind == "number":
                numbers = [self.integer()]
                while self.accept(","):
                    numbers.append(self.integer())
                function.limits[word[1:]] = tuple(numbers)
        for parameter in (*function.parameters, *results):
            if parameter.space == "reg":
                function.registers[parameter.name] = parameter.element
        if self.accept(";"):
            return function
        self.expect("{")
        self.block(function)
        return function

    def parameters(self) -> list[Variable]:
        self.expect("(")
        found: list[Variable] = []
        while not self.accept(")"):
            if found:
                self.expect(",")
            space = self.word("'.param' or '.reg'")
            if space not in (".param", ".reg"):
                self.fail(f"expected '.param' or '.reg', found '{space}'")
            found.append(self.variable(space[1:])[0])
        return found

    def block(self, function: Function) -> None:
        """The body behind `{`, to its `}`; what a nested block declares is known in it only, under a name of its own."""
        while not self.accept("}"):
            word = self.peek()
            if self.accept("{"):
                self.scopes.append({})
                self.labels_ahead()
                self.block(function)
                self.scopes.pop()
            elif word == ".reg":
                self.registers(function)
            elif word in SPACES:
                for variable in self.variables():
                    function.variables.append(self.declare(variable))
            elif word == ".loc":
                line = self.line()
                while self.line() == line and self.peek() != "}":
                    self.take()
            elif word in (".pragma", ".calltargets", ".callprototype"):
                self.skip_to(";")
            elif self.tokens[self.index].kind == "word" and self.tokens[self.index + 1].text == ":":
                self.label(function)
            else:
                function.body.append(self.instruction())

    def labels_ahead(self) -> None:
        """Labels of a nested block are known in all of it, and nowhere else."""
        depth, index = 1, self.index
        while depth and self.tokens[index].kind != "end":
            token = self.tokens[index]
            depth += (token.text == "{") - (token.text == "}")
            if (
                depth == 1
                and token.kind == "word"
                and self.tokens[index + 1].text == ":"
                and self.tokens[index - 1].text in (";", "{", "}", ":")
            ):
                self.scope_count += 1
                self.scopes[-1][token.text] = f"{token.text}@{self.scope_count}"
            index += 1

    def declare(self, variable: Variable) -> Variable:
        if len(self.scopes) == 1:
            self.scopes[0][variable.name] = variable.name
            return variable
        self.scope_count += 1
        name = f"{variable.name}@{self.scope_count}"
        self.scopes[-1][variable.name] = name
        return Variable(variable.space, name, variable.align, variable.size, variable.content, variable.element)

    def resolve(self, name: str) -> str:
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), name)

    def registers(self, function: Function) -> None:
        self.take()
        kind = self.word("a type")
        if kind in (".v2", ".v4"):
            self.fail("vectors as registers are not supported")
        if kind[1:] not in SIZES:
            self.fail(f"unknown type '{kind}' of a register")
        while True:
            name = self.word("a register")
            names = [name]
            if self.accept("<"):
                count = self.integer()
                if not 0 <= count <= MAX_REGISTERS:
                    self.fail(f"a function cannot have {count} registers")
                names = [f"{name}{i}" for i in range(count)]
                self.expect(">")
            for one in names:
                if len(self.scopes) > 1:
                    self.scope_count += 1
                    self.scopes[-1][one] = f"{one}@{self.scope_count}"
                function.registers[self.resolve(one)] = kind[1:]
            if len(function.registers) > MAX_REGISTERS:
                self.fail(f"a function cannot have more than {MAX_REGISTERS} registers")
            if not self.accept(","):
                break
        self.expect(";")

    def label(self, function: Function) -> None:
        name = self.resolve(self.take())
        self.expect(":")
        if self.peek() == ".branchtargets":
            self.take()
            targets = [self.word("a label")]
            while self.accept(","):
                targets.append(self.word("a label"))
            self.expect(";")
            function.tables[name] = targets
        elif self.peek() in (".callprototype", ".calltargets"):
            self.skip_to(";")
        else:
            function.body.append(name)

    # variables

    def variables(self) -> list[Variable]:
        found = self.variable(self.take()[1:])
        self.expect(";")
        return found

    def variable(self, space: str) -> list[Variable]:
        align, element, vector = 0, "", 1
        while self.peek().startswith("."):
            word = self.take()
            if word == ".align":
                align = self.integer()
            elif word in (".v2", ".v4"):
                vector = int(word[2])
            elif word[1:] in SIZES:
                element = word[1:]
            elif word == ".ptr":
                if self.peek() in SPACES:
                    self.take()
            elif word not in (".attribute", ".managed", ".texref", ".samplerref", ".surfref"):
                self.fail(f"unknown attribute '{word}' of a variable")
            else:
                self.fail(f"'{word}' is not supported")
        if not element:
            self.fail("a variable needs a type")
        found: list[Variable] = []
        while True:
            name = self.word("a name")
            count, open_ended = 1, False
            while self.accept("["):
                if self.accept("]"):
                    open_ended = True
                    continue
                count *= self.integer()
                self.expect("]")
            size = SIZES[element] * vector * count
            if size > MAX_VARIABLE or count < 0:
                self.fail(f"'{name}' is too large")
            content = self.initial(element) if self.accept("=") else b""
            if open_ended:
                size = len(content)
            if len(content) > size:
                self.fail(f"'{name}' has more initial values than elements")
            found.append(Variable(space, name, align or SIZES[element] * vector, size, content, element))
            if space in ("param", "reg") or not self.accept(","):
                return found

    def initial(self, element: str) -> bytes:
        if self.accept("{"):
            parts: list[bytes] = []
            while not self.accept("}"):
                if parts:
                    self.expect(",")
                parts.append(self.initial(element))
            return b"".join(parts)
        if self.tokens[self.index].kind != "number":
            self.fail("only numbers can be initial values")
        value = number(self.take())
        bits = value.value
        if element == "f32" and value.float_bits == 64:
            return struct.pack("<f", value.as_float())
        return (bits & (1 << 8 * SIZES[element]) - 1).to_bytes(SIZES[element], "little")

    # instructions

    def instruction(self) -> Instruction:
        line = self.line()
        guard, negated = None, False
        if self.accept("@"):
            negated = self.accept("!")
            guard = self.resolve(self.word("a predicate"))
        opcode, *modifiers = self.word("an instruction").split(".")
        if not opcode or opcode[0] in "%$":
            self.fail("expected an instruction")
        operands: list[Operand] = []
        while not self.accept(";"):
            if operands:
                self.expect(",")
            operands.append(self.operand())
        return Instruction(opcode, tuple(modifiers), tuple(operands), guard, negated, line)

    def operand(self) -> Operand:
        first = self.primary()
        if self.accept("|"):
            return Pair(first, self.primary())
        return first

    def primary(self) -> Operand:
        if self.accept("["):
            return self.address()
        for opening, closing in (("{", "}"), ("(", ")")):
            if self.accept(opening):
                items: list[Operand] = []
                while not self.accept(closing):
                    if items:
                        self.expect(",")
                    items.append(self.operand())
                return Group(tuple(items))
        if self.accept("!"):
            return Pair(Symbol("!"), self.primary())
        if self.tokens[self.index].kind == "number":
            return number(self.take())
        if self.accept("-"):
            if self.tokens[self.index].kind != "number":
                self.fail(f"expected a number, found '{self.peek()}'")
            value = number(self.take())
            return Immediate(-value.value)
        name = self.word("an operand")
        if name == "WARP_SZ":
            return Immediate(32)
        name = self.resolve(name)
        if name.startswith("%") or name == "_" or name in self.registers_known:
            return Register(name)
        return Symbol(name, self.offset())

    def address(self) -> Address:
        base = self.primary()
        if not isinstance(base, Register | Symbol | Immediate):
            self.fail("expected an address")
        offset = self.offset()
        if isinstance(base, Symbol):
            base, offset = Symbol(base.name), offset + base.offset
        rest: list[Operand] = []
        while self.accept(","):
            rest.append(self.operand())
        self.expect("]")
        return Address(base, offset, tuple(rest))

    def offset(self) -> int:
        total = 0
        while True:
            if self.accept("+"):
                total += self.integer()
            elif self.tokens[self.index].kind == "number" and self.peek().startswith("-"):
                total += self.integer()
            elif self.accept("-"):
                total -= self.integer()
            else:
                return total


def number(text: str) -> Immediate:
    """A literal of PTX: integers in three bases, `0f` and `0d` floats by their bits, decimal floats (of 64 bits)."""
    if text[:2] in ("0f", "0F"):
        return Immediate(int(text[2:], 16), 32)
    if text[:2] in ("0d", "0D"):
        return Immediate(int(text[2:], 16), 64)
    if "." in text:
        return Immediate(struct.unpack("<Q", struct.pack("<d", float(text)))[0], 64)
    digits = text.rstrip("U")
    try:
        return Immediate(int(digits, 8 if digits.lstrip("-")[:1] == "0" and digits.lstrip("-").isdigit() else 0))
    except ValueError:
        raise CompileError(f"'{text}' is no number") from None
