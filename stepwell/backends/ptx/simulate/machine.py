"""The machine: loads modules, holds global memory, launches kernels.

A launch runs as many CTAs side by side as make some thousand threads (`LANES`), one block of code at a time, for all threads that wait
at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# Each of these adds the instructions that it decodes.
from stepwell.backends.ptx.simulate import (  # noqa: F401
    access,  # pyright: ignore[reportUnusedImport]
    bulk,  # pyright: ignore[reportUnusedImport]
    copies,  # pyright: ignore[reportUnusedImport]
    matrix,  # pyright: ignore[reportUnusedImport]
    mbarrier,  # pyright: ignore[reportUnusedImport]
    moves,  # pyright: ignore[reportUnusedImport]
    tensor,  # pyright: ignore[reportUnusedImport]
    warps,  # pyright: ignore[reportUnusedImport]
    wgmma,  # pyright: ignore[reportUnusedImport]
)
from stepwell.backends.ptx.simulate.decode import Program, decode
from stepwell.backends.ptx.simulate.globalraces import GlobalRaces
from stepwell.backends.ptx.simulate.inline import flattened
from stepwell.backends.ptx.simulate.memory import Fault, Heap
from stepwell.backends.ptx.simulate.races import Races
from stepwell.backends.ptx.simulate.run import Run
from stepwell.backends.ptx.simulate.traffic import Traffic
from stepwell.backends.ptx.simulate.values import Array
from stepwell.backends.ptx.simulate.wave import WARP, Dimensions, Shape, Wave, special_registers
from stepwell.backends.ptx.syntax import Module
from stepwell.backends.ptx.text import parse
from stepwell.ir.diagnostics import CompileError

LANES = 1 << 13
"""Threads side by side: enough for numpy to be busy, few enough for the caches."""
PARAMETER_BYTES = 1 << 15
MAX_THREADS = 1024
MAX_CLUSTER = 16
WAVE_BYTES = 1 << 28
"""Bytes of shared memory and its shadow that a wave may have."""
MAX_SHARED = 228 * 1024
MAX_STATIC_SHARED = 48 * 1024
STEPS_WITHOUT_END = 20_000_000
"""Blocks that a wave runs before a launch is given up as endless."""

Number = int | float | np.generic


@dataclass
class Options:
    """How a launch is run. `seed` draws a random order of warps; `races` and `traffic` switch on what they are called after."""

    races: bool = True
    traffic: bool = False
    seed: int | None = None
    global_races: bool = False
    """Whether blocks that touch the same words of global memory without atomics are an error."""
    lanes: int = LANES
    max_steps: int = STEPS_WITHOUT_END


class LoadedModule:
    """A module in a machine: its variables have addresses, its kernels are decoded when first launched."""

    def __init__(self, machine: Machine, module: Module) -> None:
        self.machine = machine
        self.module = module
        self.symbols: dict[str, tuple[str, int]] = {}
        self.static_shared = 0
        self.programs: dict[str, Program] = {}
        for variable in module.variables:
            if variable.space in ("global", "const"):
                address = machine.heap.allocate(variable.size, variable.name, variable.align)
                if variable.content or variable.size:
                    content = variable.content.ljust(variable.size, b"\0")
                    machine.heap.write(address, content)
                self.symbols[variable.name] = ("global", address)
            elif variable.space == "shared" and variable.size == 0:
                self.symbols[variable.name] = ("dynamic", variable.align)
            elif variable.space == "shared":
                self.static_shared = -(-self.static_shared // variable.align) * variable.align
                self.symbols[variable.name] = ("shared", self.static_shared)
                self.static_shared += variable.size

    def program(self, name: str) -> Program:
        """A kernel by name, decoded. Raises CompileError where there is none or it cannot be simulated."""
        if name not in self.programs:
            function = self.module.functions.get(name)
            if function is None or not function.kernel:
                known = ", ".join(self.module.kernels) or "none"
                raise CompileError(f"no kernel '{name}'", location=self.module.filename, hint=f"there are: {known}")
            whole = flattened(function, self.module.functions)
            self.programs[name] = decode(whole, self.symbols, self.static_shared, self.machine.parameters, self.module.filename)
        return self.programs[name]


class Machine:
    """A GPU without a GPU."""

    def __init__(self) -> None:
        self.heap = Heap()
        self.parameters = self.heap.allocate(PARAMETER_BYTES, "parameters")

    # memory

    def allocate(self, size: int, name: str = "") -> int:
        """The address of `size` bytes of global memory, filled with 0xFF."""
        return self.heap.allocate(size, name)

    def upload(self, array: Array, name: str = "") -> int:
        """The address of a copy of an array."""
        address = self.heap.allocate(array.nbytes, name)
        self.write(address, array)
        return address

    def write(self, address: int, array: Array) -> None:
        """Copies an array to global memory."""
        self._host(lambda: self.heap.write(address, array))

    def read(self, address: int, shape: Sequence[int], dtype: Any) -> Array:
        """An array out of global memory."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._host(lambda: self.heap.read(address, size)).view(dtype).reshape(shape)

    def free(self, address: int) -> None:
        """Gives an allocation back."""
        self.heap.free(address)

    def _host(self, action: Any) -> Any:
        try:
            return action()
        except Fault as fault:
            raise CompileError(f"the host copies {fault}") from None

    # programs

    def load(self, text: str, filename: str = "<ptx>") -> LoadedModule:
        """A module of PTX. Raises CompileError where the text is not PTX."""
        return LoadedModule(self, parse(text, filename))

    def launch(
        self, module: LoadedModule, name: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Number | bytes],
        shared: int = 0, options: Options | None = None, cluster: Sequence[int] | None = None,
    ) -> Traffic:  # fmt: skip
        """Runs a kernel to its end and gives its counters.

        `arguments` are numbers in the types of the parameters (addresses for pointers), or bytes for a structure; `shared` are the bytes
        of dynamic shared memory, `cluster` the CTAs of a cluster where the kernel does not say. Raises CompileError for a launch that no
        GPU would take, and for what goes wrong while it runs, with the line and the thread.
        """
        program = module.program(name)
        options = options or Options()
        shape = Shape(_three(grid, "grid", 2**31 - 1), _three(block, "block", MAX_THREADS), _cluster(program, cluster))
        check_launch(program, shape, shared)
        function = module.module.functions[name]
        self._pass(program, [p.element for p in function.parameters], arguments)
        traffic = Traffic()
        random = None if options.seed is None else np.random.default_rng(options.seed)
        global_races = GlobalRaces(self.heap) if options.global_races else None
        ctas = shape.grid[0] * shape.grid[1] * shape.grid[2]
        traffic.ctas = ctas
        side_by_side = _side_by_side(program, shape, shared, options)
        with np.errstate(all="ignore"):
            for first in range(0, ctas, side_by_side):
                count = min(side_by_side, ctas - first)
                registers = list(program.initial)
                wave = Wave(self.heap, shape, first, count, program.shared_size + shared, program.local_size, registers, random)
                for register, value in special_registers(wave, program.shared_size + shared, shared).items():
                    if register in program.slots:
                        registers[program.slots[register]] = value
                wave.races = Races(wave, program.granule) if options.races and wave.shared.size else None
                wave.global_races = global_races
                wave.traffic = traffic if options.traffic else None
                Run(program, wave, traffic, random, options.max_steps).run()
        return traffic

    def _pass(self, program: Program, kinds: Sequence[str], arguments: Sequence[Number | bytes]) -> None:
        if len(arguments) != len(program.parameters):
            raise CompileError(f"'{program.name}' takes {len(program.parameters)} arguments, not {len(arguments)}")
        for (name, (offset, size)), kind, argument in zip(program.parameters.items(), kinds, arguments, strict=True):
            content = argument if isinstance(argument, bytes) else _bits(argument, kind, size, name)
            if len(content) != size:
                raise CompileError(f"parameter '{name}' has {size} bytes, not {len(content)}")
            self.heap.write(self.parameters + offset, content)


def _bits(value: Number, kind: str, size: int, name: str) -> bytes:
    if isinstance(value, np.generic):
        raw = value.tobytes()
        return raw if len(raw) == size else _bits(value.item(), kind, size, name)
    if isinstance(value, float):
        if size not in (2, 4, 8):
            raise CompileError(f"parameter '{name}' has {size} bytes and is no number")
        return np.asarray(value, f"f{size}").tobytes()
    if kind in ("f32", "f64"):
        return _bits(float(value), kind, size, name)
    if not -(1 << 8 * size - 1) <= value < 1 << 8 * size:
        raise CompileError(f"{value} does not fit parameter '{name}' of {size} bytes")
    return (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _three(sizes: Sequence[int], what: str, limit: int) -> Dimensions:
    x, y, z, *_ = (*sizes, 1, 1, 1)
    whole = (x, y, z)
    if not 1 <= len(sizes) <= 3 or any(not 1 <= size <= limit for size in whole):
        raise CompileError(f"a {what} has one to three sizes from 1 to {limit}, not {tuple(sizes)}")
    return whole


def _cluster(program: Program, given: Sequence[int] | None) -> Dimensions:
    required = program.limits.get("reqnctapercluster")
    found = _three(given if given is not None else required or (1, 1, 1), "cluster", MAX_CLUSTER)
    if required is not None and found != (*required, 1, 1)[:3]:
        raise CompileError(f"'{program.name}' requires clusters of {(*required, 1, 1)[:3]}, not {found}")
    return found


def _side_by_side(program: Program, shape: Shape, shared: int, options: Options) -> int:
    """How many CTAs a wave takes: whole clusters, and no more than their shared memory (and its shadow) has room for."""
    padded = -(-shape.block[0] * shape.block[1] * shape.block[2] // WARP) * WARP
    size = program.shared_size + shared
    shadow = size * shape.cluster_size * padded // WARP * 4 // program.granule if options.races else 0
    fitting = min(options.lanes // padded, WAVE_BYTES // (size + shadow + 1))
    return max(1, fitting // shape.cluster_size) * shape.cluster_size


def check_launch(program: Program, shape: Shape, shared: int) -> None:
    """Raises CompileError for a launch that is over a limit of the machine or of the kernel."""
    block = shape.block
    if any(whole % part for whole, part in zip(shape.grid, shape.cluster, strict=True)) or shape.cluster_size > MAX_CLUSTER:
        raise CompileError(
            f"a grid of {shape.grid} blocks is not made of clusters of {shape.cluster}", hint=f"at most {MAX_CLUSTER} blocks"
        )
    threads = block[0] * block[1] * block[2]
    if threads > MAX_THREADS:
        raise CompileError(f"a block has at most {MAX_THREADS} threads, not {threads}")
    required = program.limits.get("reqntid")
    if required is not None and (*required, 1, 1)[:3] != block:
        raise CompileError(f"'{program.name}' requires blocks of {(*required, 1, 1)[:3]}, not {block}")
    allowed = program.limits.get("maxntid")
    if allowed is not None and threads > int(np.prod(allowed)):
        raise CompileError(f"'{program.name}' allows {int(np.prod(allowed))} threads in a block, not {threads}")
    if program.shared_size > MAX_STATIC_SHARED:
        raise CompileError(f"'{program.name}' has {program.shared_size} bytes of static shared memory", hint=f"at most {MAX_STATIC_SHARED}")
    if shared < 0 or program.shared_size + shared > MAX_SHARED:
        raise CompileError(
            f"'{program.name}' would have {program.shared_size + shared} bytes of shared memory", hint=f"at most {MAX_SHARED}"
        )
