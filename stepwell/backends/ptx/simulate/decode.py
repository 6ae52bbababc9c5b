"""From text to steps: every instruction of a function becomes a closure over register numbers, every straight line of them a `Block`.

`Decoder` is what the rows of `HANDLERS` (arithmetic here, memory and warp-wide instructions in their own files) use to name registers,
immediates and symbols. What is not simulated is refused here, with its line, before anything runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stepwell.backends.ptx.simulate.arithmetic import Meaning, meaning
from stepwell.backends.ptx.simulate.control_flow import weak_topological_order
from stepwell.backends.ptx.simulate.values import NUMPY, PAIRS, POISON, REGISTER_BYTES, STORAGE, Array, constant, reader, variadic, writer
from stepwell.backends.ptx.simulate.wave import CLOCKS, Mask, Wave
from stepwell.backends.ptx.syntax import Address, Function, Immediate, Instruction, Operand, Pair, Register, Symbol
from stepwell.ir.diagnostics import CompileError

Step = Callable[[Wave, Mask], None]
"""What an instruction does to the active threads."""
Read = Callable[[Wave], Any]


@dataclass
class Target:
    """Where an instruction writes: a register and what turns a result into its bits. `slot` is -1 for `_`."""

    slot: int
    write: Callable[[Array], Array] | None

    def put(self, wave: Wave, value: Any, active: Mask) -> None:
        """Writes the active threads' values."""
        if self.slot >= 0:
            wave.put(self.slot, value if self.write is None else self.write(value), active)


@dataclass(frozen=True)
class Rendezvous:
    """A barrier: which one, how many threads it takes (None: all), whether to arrive and to wait, and what is voted on."""

    which: Read
    count: Read | None
    arrives: bool = True
    waits: bool = True
    cluster: bool = False
    reduction: str | None = None
    result: Target | None = None
    vote: Read | None = None


@dataclass
class Block:
    """A straight line of steps, and how it ends. Steps stand with the line of text that each came from."""

    steps: list[tuple[Step, int, int]] = field(default_factory=list[tuple[Step, int, int]])
    """(step, slot of the guard or -1, line); a negated guard is `-2 - slot`."""
    ending: Instruction | None = None
    follow: int = -1
    targets: list[int] = field(default_factory=list[int])
    selector: Read | None = None
    guard: int = -1
    barrier: Rendezvous | None = None
    """The barrier that ends the block."""
    polls: bool = False
    """Whether a thread looks at an mbarrier here."""
    counts: Counter[str] = field(default_factory=Counter[str])


@dataclass
class Program:
    """A kernel that can be run: blocks in the order in which waiting threads are served."""

    name: str
    blocks: list[Block]
    slots: dict[str, int]
    initial: list[Any]
    shared_size: int
    """Static bytes of shared memory; what a launch adds lies behind them."""
    local_size: int
    parameters: dict[str, tuple[int, int]]
    """Offset and size of each parameter in the block of parameters."""
    parameter_size: int
    limits: dict[str, tuple[int, ...]]
    granule: int
    """The narrowest access to shared memory, in bytes: what races are looked for in."""
    filename: str


BRANCHES = {"bra", "brx", "ret", "exit", "trap"}
BARRIERS = {"bar", "barrier"}


class Decoder:
    """Names of one function: registers and immediates have slots, symbols have addresses."""

    def __init__(self, function: Function, symbols: Mapping[str, tuple[str, int]], filename: str) -> None:
        self.function = function
        self.symbols = dict(symbols)
        self.filename = filename
        self.widths: dict[int, int] = {}
        self.slots: dict[str, int] = {}
        self.initial: list[Any] = []
        self.immediates: dict[tuple[Any, int], int] = {}
        self.granule = 16
        for name, kind in function.registers.items():
            self.slots[name] = self._slot(POISON[REGISTER_BYTES[kind]], REGISTER_BYTES[kind])
        self.carry = self._slot(np.bool_(False), 0)

    def _slot(self, value: Any, width: int) -> int:
        self.initial.append(value)
        self.widths[len(self.initial) - 1] = width
        return len(self.initial) - 1

    def width_of(self, operand: Operand) -> int | None:
        """Bytes of a register operand."""
        return self.widths[self.slots[operand.name]] if isinstance(operand, Register) and operand.name in self.slots else None

    def slot(self, operand: Operand, kind: str) -> int:
        """The slot of a register, of a special register, or of a constant of `kind`."""
        if isinstance(operand, Immediate):
            value = constant(operand.value, operand.float_bits, operand.as_float(), kind)
            key = (value.tobytes(), REGISTER_BYTES[kind])
            if key not in self.immediates:
                self.immediates[key] = self._slot(value, REGISTER_BYTES[kind])
            return self.immediates[key]
        if isinstance(operand, Symbol):
            return self.slot(Immediate(self.address_of(operand)), kind if kind != "pred" else "b64")
        if not isinstance(operand, Register):
            raise CompileError("expected a register or a number")
        if operand.name not in self.slots:
            if operand.name in CLOCKS:
                raise CompileError(f"{operand.name} can be read by 'mov' only")
            if operand.name not in SPECIAL_WIDTHS:
                raise CompileError(f"unknown register '{operand.name}'")
            self.slots[operand.name] = self._slot(None, SPECIAL_WIDTHS[operand.name])
        return self.slots[operand.name]

    def address_of(self, symbol: Symbol) -> int:
        """What a name stands for in an address."""
        if symbol.name not in self.symbols:
            raise CompileError(f"unknown name '{symbol.name}'")
        return self.symbols[symbol.name][1] + symbol.offset

    def source(self, operand: Operand, kind: str) -> Read:
        """What reads an operand as `kind`."""
        negated = isinstance(operand, Pair) and operand.first == Symbol("!")
        slot = self.slot(operand.second if isinstance(operand, Pair) and negated else operand, kind)
        if negated:
            return lambda wave: ~wave.registers[slot]
        try:
            convert = reader(self.widths[slot], kind)
        except ValueError as error:
            raise CompileError(str(error)) from error
        if convert is None:
            return lambda wave: wave.registers[slot]
        return lambda wave: convert(wave.registers[slot])

    def target(self, operand: Operand, kind: str) -> Target:
        """Where a result of `kind` goes."""
        if operand == Register("_"):
            return Target(-1, None)
        if not isinstance(operand, Register) or operand.name not in self.function.registers:
            raise CompileError("a result needs a register")
        slot = self.slots[operand.name]
        try:
            return Target(slot, writer(self.widths[slot], kind))
        except ValueError as error:
            raise CompileError(str(error)) from error

    def address(self, operand: Operand) -> Read:
        """What computes an address: base and offset, in the width of the base."""
        if not isinstance(operand, Address):
            raise CompileError("expected an address in brackets")
        base = operand.base
        if not isinstance(base, Register):
            place = base.value if isinstance(base, Immediate) else self.address_of(base)
            fixed = np.uint64(place + operand.offset)
            return lambda wave: fixed
        slot = self.slot(base, "b64")
        width = self.widths[slot]
        if width not in (4, 8):
            raise CompileError(f"'{base.name}' is too small for an address")
        if not operand.offset:
            return lambda wave: wave.registers[slot]
        offset = STORAGE[width](operand.offset & ((1 << 8 * width) - 1))
        return lambda wave: wave.registers[slot] + offset


Handler = Callable[[Decoder, Instruction], Step]
HANDLERS: dict[str, Handler] = {}
"""What decodes each opcode that is no plain arithmetic; files of this room add their own."""

SPECIAL_WIDTHS = {
    **{f"%{name}.{axis}": 4 for name in ("tid", "ntid", "ctaid", "nctaid") for axis in "xyz"},
    **{f"%{name}.{axis}": 4 for name in ("clusterid", "nclusterid", "cluster_ctaid", "cluster_nctaid") for axis in "xyz"},
    **{name: 4 for name in ("%laneid", "%warpid", "%nwarpid", "%smid", "%nsmid", "%total_smem_size", "%dynamic_smem_size", "%envreg0")},
    **{f"%lanemask_{which}": 4 for which in ("eq", "lt", "le", "gt", "ge")}, "%cluster_ctarank": 4, "%cluster_nctarank": 4,
    "%gridid": 8, "%is_explicit_cluster": 0,
}  # fmt: skip


# ---- arithmetic --------------------------------------------------------------------------------------------------------------------------


def plain(decoder: Decoder, instruction: Instruction, found: Meaning) -> Step:
    """The step of an instruction that computes registers from registers."""
    operands = list(instruction.operands)
    targets = [operands.pop(0)]
    if isinstance(targets[0], Pair):
        targets = [targets[0].first, targets[0].second]
    results, kinds = found.results, found.operands
    hidden = instruction.opcode in ("addc", "subc", "madc")
    sources = [decoder.source(operand, kind) for operand, kind in zip(operands, kinds, strict=False)]
    if len(operands) + hidden != len(kinds):
        raise CompileError(f"'{instruction.name}' takes {len(kinds) - hidden} operands, not {len(operands)}")
    if hidden:
        carry = decoder.carry
        sources.append(lambda wave: wave.registers[carry])
    places = [decoder.target(operand, kind) for operand, kind in zip(targets, results, strict=False)]
    if "cc" in instruction.modifiers:
        places = [places[0], Target(decoder.carry, None)]
    function = found.function
    try:
        with np.errstate(all="ignore"):
            function(*(np.zeros((1, 2) if kind in PAIRS else 1, NUMPY[PAIRS.get(kind, kind)]) for kind in kinds))
    except TypeError:
        raise CompileError(f"there is no '{instruction.name}'") from None
    if len(results) > 1:
        return _many(function, sources, places)
    slot, write = places[0].slot, places[0].write
    if write is not None:
        inner = function
        function = variadic(lambda *values: write(inner(*values)))
    if len(sources) == 1:
        (one,) = sources
        return lambda wave, active: wave.put(slot, function(one(wave)), active)
    if len(sources) == 2:
        first, second = sources
        return lambda wave, active: wave.put(slot, function(first(wave), second(wave)), active)
    return lambda wave, active: wave.put(slot, function(*(read(wave) for read in sources)), active)


def _many(function: Callable[..., Any], sources: list[Read], places: list[Target]) -> Step:
    def step(wave: Wave, active: Mask) -> None:
        values = function(*(read(wave) for read in sources))
        for place, value in zip(places, values, strict=False):
            place.put(wave, value, active)

    return step


# ---- functions -------------------------------------------------------------------------------------------------------------------------


def decode(function: Function, symbols: Mapping[str, tuple[str, int]], static_shared: int, parameters_at: int, filename: str) -> Program:
    """A kernel as a program. `symbols` are the variables of the module by name: their state space and address, or for memory whose size a
    launch says ("dynamic") its alignment. The module itself has `static_shared` bytes of shared memory; parameters lie at `parameters_at`.

    Raises CompileError, naming the line, for what is not simulated.
    """
    parameters, parameter_size = _lay_out([(p.name, p.align, p.size) for p in function.parameters])
    local, local_size = _lay_out([(v.name, v.align, v.size) for v in function.variables if v.space in ("local", "param")])
    known = dict(symbols)
    shared, shared_size = _lay_out([(v.name, v.align, v.size) for v in function.variables if v.space == "shared" and v.size], static_shared)
    known.update({name: ("shared", offset) for name, (offset, _) in shared.items()})
    known.update({name: ("local", offset) for name, (offset, _) in local.items()})
    known.update({name: ("param", parameters_at + offset) for name, (offset, _) in parameters.items()})
    for name, (space, align) in list(known.items()):
        if space == "dynamic":
            shared_size = -(-shared_size // align) * align
            known[name] = ("shared", shared_size)
    decoder = Decoder(function, known, filename)
    blocks = _blocks(decoder, function)
    return Program(
        function.name, blocks, decoder.slots, decoder.initial, shared_size, local_size, parameters, parameter_size,
        function.limits, decoder.granule, filename,
    )  # fmt: skip


def _lay_out(things: list[tuple[str, int, int]], start: int = 0) -> tuple[dict[str, tuple[int, int]], int]:
    """Offsets of things of (name, alignment, size) one behind the other, and where they end."""
    found: dict[str, tuple[int, int]] = {}
    for name, align, size in things:
        start = -(-start // align) * align
        found[name] = (start, size)
        start += size
    return found, start


def _blocks(decoder: Decoder, function: Function) -> list[Block]:
    """The body as blocks, numbered in the order of service."""
    blocks = [Block()]
    labels: dict[str, int] = {}
    for item in function.body:
        if isinstance(item, str):
            if blocks[-1].steps or blocks[-1].ending is not None or item in labels:
                blocks.append(Block())
            labels[item] = len(blocks) - 1
            continue
        if blocks[-1].ending is not None:
            blocks.append(Block())
        block = blocks[-1]
        block.counts[item.name] += 1
        try:
            guard = -1 if item.guard is None else decoder.slot(Register(item.guard), "pred")
            guard = -2 - guard if item.negated else guard
            if item.opcode in BRANCHES or (item.opcode in BARRIERS and item.modifiers[:1] != ("warp",)):
                block.ending, block.guard = item, guard
                _ending(decoder, block, item)
            else:
                block.steps.append((step_of(decoder, item), guard, item.line))
                block.polls |= item.opcode == "mbarrier" and item.modifiers[:1] in (("test_wait",), ("try_wait",))
        except CompileError as error:
            if error.location is None:
                error.location = f"{decoder.filename}:{item.line}:1"
            raise
        except (ValueError, LookupError, TypeError, StopIteration) as error:
            # What decodes an instruction takes its operands and modifiers apart as the ISA says that they stand.
            reason = f"{type(error).__name__}: {error}"  # should it be a fault of ours, the report shows it
            raise CompileError(f"'{item.name}' is not written so ({reason})", location=f"{decoder.filename}:{item.line}:1") from error
    return _in_order(decoder, function, blocks, labels)


def step_of(decoder: Decoder, instruction: Instruction) -> Step:
    """The step of one instruction. Raises CompileError for an opcode or a form that is not simulated."""
    handler = HANDLERS.get(instruction.opcode)
    if handler is not None:
        return handler(decoder, instruction)
    found = meaning(instruction.opcode, instruction.modifiers, len(instruction.operands))
    if found is None:
        raise CompileError(f"the instruction '{instruction.name}' is not simulated")
    return plain(decoder, instruction, found)


def _ending(decoder: Decoder, block: Block, item: Instruction) -> None:
    if item.opcode in BARRIERS:
        block.barrier = _rendezvous(decoder, item)
    elif item.opcode == "brx":
        block.selector = decoder.source(item.operands[0], "u32")


def _rendezvous(decoder: Decoder, item: Instruction) -> Rendezvous:
    words, operands = item.modifiers, list(item.operands)
    if "cluster" in words:
        zero = decoder.source(Immediate(0), "u32")
        return Rendezvous(zero, None, "arrive" in words, "wait" in words, cluster=True)
    reduction = next((word for word in words if word in ("popc", "and", "or")), None) if "red" in words else None
    if not operands or ("red" in words and reduction is None):
        raise CompileError(f"'{item.name}' is not simulated")
    result = vote = None
    if reduction is not None:
        result = decoder.target(operands.pop(0), "u32" if reduction == "popc" else "pred")
        vote = decoder.source(operands.pop(), "pred")
    which = decoder.source(operands[0], "u32")
    count = decoder.source(operands[1], "u32") if len(operands) > 1 else None
    return Rendezvous(which, count, waits="arrive" not in words, reduction=reduction, result=result, vote=vote)


def _in_order(decoder: Decoder, function: Function, blocks: list[Block], labels: Mapping[str, int]) -> list[Block]:
    def place(name: str, line: int) -> int:
        if name not in labels:
            raise CompileError(f"unknown label '{name}'", location=f"{decoder.filename}:{line}:1")
        return labels[name]

    for number, block in enumerate(blocks):
        item = block.ending
        block.follow = number + 1 if number + 1 < len(blocks) else -1
        if item is None:
            continue
        if item.opcode == "bra":
            target = item.operands[0]
            block.targets = [place(target.name if isinstance(target, Symbol | Register) else "?", item.line)]
        elif item.opcode == "brx":
            table = item.operands[1]
            names = function.tables.get(table.name, []) if isinstance(table, Symbol | Register) else []
            block.targets = [place(name, item.line) for name in names]
        if item.opcode in ("bra", "brx", "ret", "exit", "trap") and item.guard is None:
            block.follow = -1
    successors = {n: [t for t in (*b.targets, b.follow) if t >= 0] for n, b in enumerate(blocks)}
    order = weak_topological_order(successors, 0)
    position = {old: new for new, old in enumerate(order)}
    for number in order:
        block = blocks[number]
        block.follow = position.get(block.follow, -1)
        block.targets = [position[t] for t in block.targets]
    return [blocks[number] for number in order]
