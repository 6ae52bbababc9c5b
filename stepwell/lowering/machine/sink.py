"""Where the last conversion writes its instructions: one interface, two implementations.

`LlvmTextSink` appends lines of LLVM IR text, `LlvmDialectSink` builds ops of the `llvm` dialect; both give the same program, which a test
holds. Types are LLVM's, as text (`float`, `<16 x i1>`, `ptr`). Values are opaque tokens: strings for one sink, SSA values for the other.
Blocks take arguments, as in MLIR; the text sink turns them into phis.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Token = Any
"""An LLVM value, of the sink's own kind; hashable."""

Block = Any
"""A basic block, of the sink's own kind, with `args: list[Token]`."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function: its LLVM type and attributes such as `noalias`."""

    type: str
    attributes: tuple[str, ...] = ()


class Sink(ABC):
    """An instruction builder with a current block. Every method that makes a value names it by a counter of the function, so that both
    sinks name values alike."""

    block: Block
    """Where instructions are appended: before the terminator, if the block has one already."""

    # ---- functions and blocks

    @abstractmethod
    def function(
        self, name: str, parameters: Sequence[Parameter], result: str, *, internal: bool, convention: str = "", threads: int = 0
    ) -> tuple[Block, list[Token]]:
        """Begin a function: its entry block and parameters. The entry block becomes the current one. `convention` is LLVM's calling
        convention where it is not C's (`ptx_kernel`), `threads` the most that a GPU's kernel is started with in a block (0: not known)."""

    @abstractmethod
    def declare(self, name: str, parameters: Sequence[str], result: str) -> None:
        """Declare a function that is defined elsewhere (once is enough, more is harmless)."""

    @abstractmethod
    def declare_data(self, name: str, size: int, data: bytes | None) -> None:
        """Declare (or, with `data`, define privately) a constant of `size` bytes."""

    @abstractmethod
    def shared(self, name: str, element: str, count: int, align: int) -> Token:
        """The address (of any address space) of memory that the threads of a GPU's block share."""

    @abstractmethod
    def new_block(self, types: Sequence[str] = ()) -> Block:
        """A block of the current function that takes arguments of these types; it stands nowhere until `start`."""

    @abstractmethod
    def start(self, block: Block) -> None:
        """Put a new block after all others of its function and make it the current one."""

    @abstractmethod
    def move_to(self, block: Block) -> None:
        """Make a block the current one, to append to it."""

    @abstractmethod
    def branch(self, target: Block, args: Sequence[Token] = ()) -> None: ...

    @abstractmethod
    def conditional_branch(self, condition: Token, then: Block, otherwise: Block, otherwise_args: Sequence[Token] = ()) -> None: ...

    @abstractmethod
    def ret(self, type: str = "void", value: Token = None) -> None: ...

    # ---- constants: they have no name and stand nowhere

    @abstractmethod
    def integer(self, type: str, value: int) -> Token: ...

    @abstractmethod
    def float(self, type: str, value: float) -> Token:
        """A constant of type half, float or double."""

    @abstractmethod
    def splat(self, lanes: int, type: str, value: float) -> Token:
        """A vector constant of equal elements (0 lanes: a scalar)."""

    @abstractmethod
    def vector(self, type: str, values: Sequence[float]) -> Token:
        """A vector constant; `type` is that of an element."""

    @abstractmethod
    def poison(self, type: str) -> Token: ...

    @abstractmethod
    def symbol(self, name: str) -> Token:
        """The address of a function or a global."""

    # ---- instructions

    @abstractmethod
    def binary(self, opcode: str, type: str, a: Token, b: Token) -> Token:
        """`add`, `fmul`, `shl`, ..."""

    @abstractmethod
    def negate(self, type: str, a: Token) -> Token: ...

    @abstractmethod
    def cast(self, opcode: str, source: str, a: Token, result: str) -> Token:
        """`zext`, `fptosi`, `bitcast`, ..."""

    @abstractmethod
    def compare(self, opcode: str, predicate: str, type: str, a: Token, b: Token) -> Token:
        """`icmp` or `fcmp`."""

    @abstractmethod
    def select(self, condition_type: str, condition: Token, type: str, a: Token, b: Token) -> Token: ...

    @abstractmethod
    def intrinsic(self, name: str, result: str, types: Sequence[str], args: Sequence[Token], flags: str = "") -> Token:
        """A call of an LLVM intrinsic. `result` may be `void`. `flags` are fast-math flags. A pointer's type may say its alignment
        (`ptr align 4`), and must for masked accesses."""

    @abstractmethod
    def call(self, name: str, result: str, types: Sequence[str], args: Sequence[Token]) -> Token: ...

    @abstractmethod
    def load(self, type: str, pointer: Token, align: int) -> Token: ...

    @abstractmethod
    def store(self, type: str, value: Token, pointer: Token, align: int) -> None: ...

    @abstractmethod
    def address(self, element: str, pointer: Token, index: Token | int) -> Token:
        """`getelementptr element, ptr pointer, i64 index`."""

    @abstractmethod
    def addresses(self, element: str, pointer: Token, type: str, indices: Token, lanes: int) -> Token:
        """A vector of pointers: `getelementptr element, ptr pointer, <lanes x i64> indices`."""

    @abstractmethod
    def stack(self, element: str, count: int, align: int) -> Token:
        """Memory on the stack, made at the entry of the function."""

    @abstractmethod
    def insert(self, type: str, vector: Token, element: str, value: Token, lane: int) -> Token: ...

    @abstractmethod
    def extract(self, type: str, vector: Token, lane: int) -> Token: ...

    @abstractmethod
    def extract_at(self, type: str, vector: Token, lane: Token) -> Token:
        """Extract at a lane known only at run time (an i64)."""

    @abstractmethod
    def shuffle(self, type: str, a: Token, b: Token, lanes: Sequence[int]) -> Token:
        """`shufflevector`; -1 is a lane that nobody reads."""


# ---- literals, shared with the printer of the llvm dialect ----------------------------------------------------------------------


def float_literal(type: str, value: float) -> str:
    """How LLVM writes a floating-point constant exactly: the bits of the double that equals it (half: its own bits)."""
    if type == "half":
        return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"
    if type == "float":
        value = struct.unpack("<f", struct.pack("<f", value))[0]
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def scalar_literal(type: str, value: float) -> str:
    """A constant of a scalar type."""
    if type == "i1":
        return "true" if value else "false"
    return str(int(value)) if type[0] == "i" else float_literal(type, value)


def vector_literal(type: str, values: Sequence[float]) -> str:
    """A vector constant; `type` is that of an element."""
    literals = [scalar_literal(type, v) for v in values]
    if literals.count(literals[0]) == len(literals):
        return splat_literal(type, values[0])
    return f"<{', '.join(f'{type} {literal}' for literal in literals)}>"


def splat_literal(type: str, value: float) -> str:
    """A vector constant of equal elements."""
    return f"splat ({type} {scalar_literal(type, value)})"


def text_of_function(
    name: str,
    parameters: Sequence[tuple[str, str]],
    result: str,
    blocks: Sequence[str],
    *,
    internal: bool,
    convention: str = "",
    threads: int = 0,
) -> str:
    """The text of a definition; `parameters` are (type and attributes, name)."""
    words = " ".join(word for word in ("define", "internal" if internal else "", convention, result) if word)
    bound = f' "nvvm.maxntid"="{threads}"' if threads else ""
    head = f"{words} @{name}({', '.join(f'{t} {n}' for t, n in parameters)}) #0{bound} {{"
    return "\n".join((head, *blocks, "}"))


def text_of_module(triple: str, attributes: str, data: Sequence[str], functions: Sequence[str], declarations: Sequence[str]) -> str:
    """The text of a module: target, constants, functions, declarations, attributes."""
    parts = [f'target triple = "{triple}"', *data, *functions, *declarations, f"attributes #0 = {{ {attributes} }}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def function_attributes(cpu: str, features: str) -> str:
    """The attributes of every function."""
    return f'nounwind "target-cpu"="{cpu}" "target-features"="{features}"'
