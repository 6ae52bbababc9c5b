"""What a text of PTX says, as data: modules of functions and variables, functions of labels and instructions."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SIZES = {
    "pred": 1, "b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "f16": 2, "bf16": 2, "b32": 4, "u32": 4, "s32": 4, "f32": 4,
    "f16x2": 4, "bf16x2": 4, "tf32": 4, "b64": 8, "u64": 8, "s64": 8, "f64": 8, "b128": 16,
}  # fmt: skip
"""Bytes of an element of each fundamental type; `.pred` has no size in memory."""


@dataclass(frozen=True)
class Register:
    """`%r1`, or two names that share an operand: `%r1|%p1`."""

    name: str


@dataclass(frozen=True)
class Immediate:
    """A number. `bits` are those of a float of that many bits (`0f3F800000`), else it is an integer."""

    value: int
    float_bits: int = 0

    def as_float(self) -> float:
        """What a float literal stands for."""
        if self.float_bits == 32:
            return float(struct.unpack("<f", struct.pack("<I", self.value))[0])
        return float(struct.unpack("<d", struct.pack("<Q", self.value))[0]) if self.float_bits == 64 else float(self.value)


@dataclass(frozen=True)
class Symbol:
    """The name of a variable, a parameter, a function or a label, with a number of bytes behind it."""

    name: str
    offset: int = 0


@dataclass(frozen=True)
class Address:
    """`[base+offset]`; `rest` are the coordinates that a tensor copy names beside it."""

    base: Register | Symbol | Immediate
    offset: int = 0
    rest: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class Group:
    """`{%r1, %r2}` in an operand list, or the arguments `(a, b)` of a call."""

    items: tuple[Operand, ...]


@dataclass(frozen=True)
class Pair:
    """`first|second`: two results."""

    first: Operand
    second: Operand


Operand = Register | Immediate | Symbol | Address | Group | Pair


@dataclass(frozen=True)
class Instruction:
    """`@guard opcode operands;`, with `opcode` the part before the first dot and `modifiers` the others."""

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[Operand, ...]
    guard: str | None
    negated: bool
    line: int

    @property
    def name(self) -> str:
        """The opcode with all its modifiers."""
        return ".".join((self.opcode, *self.modifiers))


@dataclass(frozen=True)
class Variable:
    """A variable in a state space. `bytes` is its initial content, empty for none; `size` is 0 for memory whose size the launch says."""

    space: str
    name: str
    align: int
    size: int
    content: bytes = b""
    element: str = "b8"


@dataclass
class Function:
    """A kernel or a device function: parameters, registers by type, variables, and a body of labels and instructions."""

    name: str
    kernel: bool
    parameters: list[Variable] = field(default_factory=list[Variable])
    results: list[Variable] = field(default_factory=list[Variable])
    registers: dict[str, str] = field(default_factory=dict[str, str])
    variables: list[Variable] = field(default_factory=list[Variable])
    body: list[Instruction | str] = field(default_factory=list["Instruction | str"])
    tables: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Targets of `brx.idx`, by the name of the `.branchtargets`."""
    limits: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """`.maxntid`, `.reqntid`, `.minnctapersm`, `.maxnreg`, `.reqnctapercluster` as they are said."""
    line: int = 0


@dataclass
class Module:
    """A text of PTX."""

    version: str
    target: str
    address_size: int
    functions: dict[str, Function]
    variables: list[Variable]
    filename: str = "<ptx>"

    @property
    def kernels(self) -> dict[str, Function]:
        """What can be launched."""
        return {name: function for name, function in self.functions.items() if function.kernel}
