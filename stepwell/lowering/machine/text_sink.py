"""The fast sink: LLVM IR as lines of text. About a microsecond for an instruction."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.lowering.machine.sink import (
    Block,
    Parameter,
    Sink,
    Token,
    float_literal,
    function_attributes,
    scalar_literal,
    splat_literal,
    text_of_function,
    text_of_module,
    vector_literal,
)
from stepwell.lowering.machine.target import Target


class TextBlock:
    """Lines of one block, and its terminator apart, so that lines can be added to a block that has been left."""

    __slots__ = ("args", "function", "incoming", "lines", "terminator", "types")

    def __init__(self, function: TextFunction, types: Sequence[str], args: list[Token]) -> None:
        self.function = function
        self.types = types
        self.args = args
        self.lines: list[str] = []
        self.terminator: tuple[str, tuple[TextBlock, ...]] = ("", ())
        self.incoming: list[tuple[TextBlock, Sequence[Token]]] = []


class TextFunction:
    """A function under construction."""

    __slots__ = ("blocks", "convention", "internal", "name", "next_value", "parameters", "result", "stack", "threads")

    def __init__(
        self, name: str, parameters: list[tuple[str, str]], result: str, internal: bool, convention: str, threads: int = 0
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.result = result
        self.internal = internal
        self.convention = convention
        self.threads = threads
        self.blocks: list[TextBlock] = []
        self.stack: list[str] = []
        self.next_value = 0

    def render(self) -> str:
        """The text, with blocks named in the order in which they are first mentioned."""
        names: dict[TextBlock, str] = {}

        def label(block: TextBlock) -> str:
            return names.setdefault(block, f"b{len(names)}")

        bodies: list[tuple[TextBlock, str]] = []
        for block in self.blocks:
            label(block)
            text, targets = block.terminator
            bodies.append((block, text.format(*(label(t) for t in targets))))
        position = {block: i for i, block in enumerate(self.blocks)}
        lines: list[str] = []
        for block, terminator in bodies:
            lines.append(f"{names[block]}:")
            if block is self.blocks[0]:
                lines.extend(self.stack)
            incoming = sorted(block.incoming, key=lambda edge: position[edge[0]])
            for i, (arg, type) in enumerate(zip(block.args, block.types, strict=True)):
                sources = ", ".join(f"[ {args[i]}, %{names[source]} ]" for source, args in incoming)
                lines.append(f"  {arg} = phi {type} {sources}")
            lines.extend(block.lines)
            lines.append(terminator)
        return text_of_function(
            self.name, self.parameters, self.result, lines, internal=self.internal, convention=self.convention, threads=self.threads
        )


class LlvmTextSink(Sink):
    """Builds the text of a module. See `Sink`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.functions: list[TextFunction] = []
        self.declarations: dict[str, str] = {}
        self.data: dict[str, str] = {}

    def text(self) -> str:
        """The module."""
        defined = {function.name for function in self.functions}
        return text_of_module(
            self.target.triple,
            function_attributes(self.target.cpu, self.target.feature_string),
            list(self.data.values()),
            [function.render() for function in self.functions],
            ["\n".join(line for name, line in sorted(self.declarations.items()) if name not in defined)],
        )

    # ---- functions and blocks

    def function(
        self, name: str, parameters: Sequence[Parameter], result: str, *, internal: bool, convention: str = "", threads: int = 0
    ) -> tuple[Block, list[Token]]:
        named = [(" ".join((p.type, *p.attributes)), f"%a{i}") for i, p in enumerate(parameters)]
        function = TextFunction(name, named, result, internal, convention, threads)
        self.functions.append(function)
        entry = TextBlock(function, (), [])
        function.blocks.append(entry)
        self.move_to(entry)
        return entry, [name for _, name in named]

    def declare(self, name: str, parameters: Sequence[str], result: str) -> None:
        if name not in self.declarations:
            self.declarations[name] = f"declare {result} @{name}({', '.join(parameters)})"

    def declare_data(self, name: str, size: int, data: bytes | None) -> None:
        self.data[name] = data_text(name, size, data)

    def shared(self, name: str, element: str, count: int, align: int) -> Token:
        self.data[name] = f"@{name} = internal addrspace(3) global [{count} x {element}] poison, align {align}"
        return f"addrspacecast (ptr addrspace(3) @{name} to ptr)"

    def new_block(self, types: Sequence[str] = ()) -> Block:
        function = self.block.function
        first = function.next_value
        function.next_value = first + len(types)
        return TextBlock(function, types, [f"%v{first + i}" for i in range(len(types))])

    def start(self, block: Block) -> None:
        block.function.blocks.append(block)
        self.move_to(block)

    def move_to(self, block: Block) -> None:
        self.block = block
        self._lines = block.lines
        self._function = block.function

    def branch(self, target: Block, args: Sequence[Token] = ()) -> None:
        target.incoming.append((self.block, args))
        self.block.terminator = ("  br label %{}", (target,))

    def conditional_branch(self, condition: Token, then: Block, otherwise: Block, otherwise_args: Sequence[Token] = ()) -> None:
        then.incoming.append((self.block, ()))
        otherwise.incoming.append((self.block, otherwise_args))
        self.block.terminator = (f"  br i1 {condition}, label %{{}}, label %{{}}", (then, otherwise))

    def ret(self, type: str = "void", value: Token = None) -> None:
        self.block.terminator = ("  ret void" if value is None else f"  ret {type} {value}", ())

    # ---- constants

    def integer(self, type: str, value: int) -> Token:
        return str(value) if type != "i1" else ("true" if value else "false")

    def float(self, type: str, value: float) -> Token:
        return float_literal(type, value)

    def splat(self, lanes: int, type: str, value: float) -> Token:
        return splat_literal(type, value) if lanes else scalar_literal(type, value)

    def vector(self, type: str, values: Sequence[float]) -> Token:
        return vector_literal(type, values)

    def poison(self, type: str) -> Token:
        return "poison"

    def symbol(self, name: str) -> Token:
        return f"@{name}"

    # ---- instructions

    def _value(self, text: str) -> Token:
        function = self._function
        n = function.next_value
        function.next_value = n + 1
        name = f"%v{n}"
        self._lines.append(f"  {name} = {text}")
        return name

    def binary(self, opcode: str, type: str, a: Token, b: Token) -> Token:
        return self._value(f"{opcode} {type} {a}, {b}")

    def negate(self, type: str, a: Token) -> Token:
        return self._value(f"fneg {type} {a}")

    def cast(self, opcode: str, source: str, a: Token, result: str) -> Token:
        return self._value(f"{opcode} {source} {a} to {result}")

    def compare(self, opcode: str, predicate: str, type: str, a: Token, b: Token) -> Token:
        return self._value(f"{opcode} {predicate} {type} {a}, {b}")

    def select(self, condition_type: str, condition: Token, type: str, a: Token, b: Token) -> Token:
        return self._value(f"select {condition_type} {condition}, {type} {a}, {type} {b}")

    def intrinsic(self, name: str, result: str, types: Sequence[str], args: Sequence[Token], flags: str = "") -> Token:
        if name not in self.declarations:
            self.declare(name, [t.partition(" align ")[0] for t in types], result)
        text = f"call {flags + ' ' if flags else ''}{result} @{name}({', '.join([f'{t} {a}' for t, a in zip(types, args, strict=True)])})"
        if result != "void":
            return self._value(text)
        self._lines.append("  " + text)

    def call(self, name: str, result: str, types: Sequence[str], args: Sequence[Token]) -> Token:
        return self.intrinsic(name, result, types, args)

    def load(self, type: str, pointer: Token, align: int) -> Token:
        return self._value(f"load {type}, ptr {pointer}, align {align}")

    def store(self, type: str, value: Token, pointer: Token, align: int) -> None:
        self._lines.append(f"  store {type} {value}, ptr {pointer}, align {align}")

    def address(self, element: str, pointer: Token, index: Token | int) -> Token:
        return self._value(f"getelementptr {element}, ptr {pointer}, i64 {index}")

    def addresses(self, element: str, pointer: Token, type: str, indices: Token, lanes: int) -> Token:
        return self._value(f"getelementptr {element}, ptr {pointer}, {type} {indices}")

    def stack(self, element: str, count: int, align: int) -> Token:
        function = self._function
        name = f"%v{function.next_value}"
        function.next_value += 1
        function.stack.append(f"  {name} = alloca {element}, i64 {count}, align {align}")
        return name

    def insert(self, type: str, vector: Token, element: str, value: Token, lane: int) -> Token:
        return self._value(f"insertelement {type} {vector}, {element} {value}, i64 {lane}")

    def extract(self, type: str, vector: Token, lane: int) -> Token:
        return self._value(f"extractelement {type} {vector}, i64 {lane}")

    def extract_at(self, type: str, vector: Token, lane: Token) -> Token:
        return self._value(f"extractelement {type} {vector}, i64 {lane}")

    def shuffle(self, type: str, a: Token, b: Token, lanes: Sequence[int]) -> Token:
        return self._value(f"shufflevector {type} {a}, {type} {b}, {shuffle_mask(tuple(lanes))}")


_MASKS: dict[tuple[int, ...], str] = {}


def shuffle_mask(lanes: tuple[int, ...]) -> str:
    """The third operand of a shufflevector."""
    text = _MASKS.get(lanes)
    if text is None:
        if not any(lanes):
            body = "zeroinitializer"
        else:
            body = f"<{', '.join('i32 poison' if lane < 0 else f'i32 {lane}' for lane in lanes)}>"
        text = _MASKS[lanes] = f"<{len(lanes)} x i32> {body}"
    return text


def data_text(name: str, size: int, data: bytes | None) -> str:
    """A constant of `size` bytes, external if `data` is None."""
    if data is None:
        return f"@{name} = external constant [{size} x i8], align 64"
    text = "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\{b:02X}" for b in data)
    return f'@{name} = private constant [{size} x i8] c"{text}", align 64'
