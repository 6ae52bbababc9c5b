"""LLVM IR text in, object code out; and the lint that finds kernels whose hot block keeps vectors on the stack.

Vectorised kernels come unrolled and scheduled: no IR passes are run on them, since code generation alone is as fast at run time and takes
half the compile time. LLVM's loop strength reduction is off: it would replace the few row pointers of a kernel by many, and spill.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stepwell.ir.diagnostics import CompileError

if TYPE_CHECKING:
    from stepwell.lowering.machine.target import Target

DEFAULT_LEVEL = 2
"""Of LLVM's code generation. 0 would be quicker and make code several times slower; 3 is no better than 2."""

_lock = threading.Lock()
"""LLVM's options belong to the process."""


@dataclass(frozen=True)
class SpillReport:
    """The hottest block of one function: the one with the most fused multiply-adds, else with the most vector arithmetic."""

    function: str
    fmas: int
    instructions: int
    stack_accesses: int
    """Of vector registers, in that block."""
    scalar_stack_accesses: int

    @property
    def tolerated(self) -> int:
        """Stack accesses that cost nothing to speak of."""
        return self.fmas // 16

    @property
    def spills(self) -> bool:
        """Whether the block should be rejected: its tile does not fit the registers."""
        return self.stack_accesses > self.tolerated


def compile_llvm_ir(text: str, target: Target, *, level: int = DEFAULT_LEVEL, optimise: bool = False) -> tuple[bytes, list[SpillReport]]:
    """Relocatable object code and the spill report of each function. `optimise` runs LLVM's passes first: for scalar code only.

    The machine code is made once, as assembly, and that is assembled: what was linted is what runs. Raises CompileError.
    """
    listing = assembly(text, target, level=level, optimise=optimise)
    return assemble(listing, target), spill_report(listing)


def assembly(text: str, target: Target, *, level: int = DEFAULT_LEVEL, optimise: bool = False) -> str:
    """The assembly that LLVM makes of a module. Raises CompileError where LLVM does not accept it."""
    llvm = _binding()
    with _lock:
        module = _parsed(text)
        machine = _machine(target, level)
        if optimise:
            _optimise(llvm, module, machine)
        llvm.set_option("stepwell", "-disable-lsr=true")
        llvm.set_option("stepwell", "-enable-misched=false")
        try:
            return machine.emit_assembly(module)
        except RuntimeError as error:
            raise CompileError(f"LLVM cannot generate code: {error}") from error
        finally:
            llvm.set_option("stepwell", "-disable-lsr=false")
            llvm.set_option("stepwell", "-enable-misched=true")


def assemble(listing: str, target: Target) -> bytes:
    """Object code of an assembly listing."""
    quoted = listing.replace("\\", "\\5C").replace('"', "\\22")
    lines = "\n".join(f'module asm "{line}"' for line in quoted.splitlines())
    with _lock:
        module = _parsed(f'target triple = "{target.triple}"\n{lines}\n')
        try:
            return _machine(target, DEFAULT_LEVEL).emit_object(module)
        except RuntimeError as error:
            raise CompileError(f"LLVM cannot assemble its own output: {error}") from error


def _parsed(text: str) -> Any:
    llvm = _binding()
    try:
        module = llvm.parse_assembly(text, llvm.create_context())
        module.verify()
    except RuntimeError as error:
        raise CompileError(
            f"LLVM does not accept the generated code: {str(error).strip()}", hint="this is a fault of the compiler"
        ) from error
    return module


def prepare() -> None:
    """Load LLVM now, not with the first module."""
    _binding()


@lru_cache(maxsize=1)
def _binding() -> Any:
    """llvmlite, ready to generate code for the processor it runs on."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    return llvm


@lru_cache(maxsize=8)
def _machine(target: Target, level: int) -> Any:
    llvm = _binding()
    try:
        found = llvm.Target.from_triple(target.triple)
    except RuntimeError as error:
        raise CompileError(f"LLVM has no target '{target.triple}'") from error
    return found.create_target_machine(cpu=target.cpu, features=target.feature_string, opt=level, reloc="pic", codemodel="small")


def _optimise(llvm: Any, module: Any, machine: Any) -> None:
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


# ---- the lint -------------------------------------------------------------------------------------------------------------------

_LABEL = re.compile(r"^([\w.$@]+):")
_STACK_POINTER = re.compile(r"\(%rsp[,)]")
_FRAME_POINTER = re.compile(r"\(%r[sb]p[,)]")
_SETS_FRAME = re.compile(r"^\tmovq\t%rsp, %rbp", re.MULTILINE)
_VECTOR = re.compile(r"%[xyz]mm\d")
_FMA = re.compile(r"^\tv(fn?m(add|sub)|pdp|dpbf16)")


def spill_report(listing: str) -> list[SpillReport]:
    """The hottest block of every function of an x86 listing. Functions without vector arithmetic are left out."""
    best: dict[str, tuple[tuple[int, int], SpillReport]] = {}
    framed: set[str] = set()
    for function, block in _blocks(listing):
        if any(_SETS_FRAME.match(line) for line in block[:8]):
            framed.add(function)
        vector = [line for line in block if _VECTOR.search(line)]
        arithmetic = sum(1 for line in vector if not line.startswith(("\tvmov", "\tmov")))
        if not arithmetic:
            continue
        fmas = sum(1 for line in vector if _FMA.match(line))
        on_stack = _FRAME_POINTER if function in framed else _STACK_POINTER  # %rbp is an ordinary register otherwise
        wide = sum(1 for line in vector if on_stack.search(line))
        scalar = sum(1 for line in block if on_stack.search(line)) - wide
        rank = (fmas, arithmetic)
        if function not in best or rank > best[function][0]:
            best[function] = (rank, SpillReport(function, fmas, len(block), wide, scalar))
    return [report for _, report in best.values()]


def _blocks(listing: str) -> list[tuple[str, list[str]]]:
    """(function, instructions) of every basic block."""
    blocks: list[tuple[str, list[str]]] = []
    function = ""
    current: list[str] = []
    for line in listing.splitlines():
        label = _LABEL.match(line)
        if label is not None:
            name = label.group(1)
            if not name.startswith(".L"):
                function = name
            current = []
            blocks.append((function, current))
        elif line.startswith("\t") and not line.startswith(("\t.", "\t#")):
            current.append(line)
            if line.startswith(("\tj", "\tret")):  # a block ends without a label where the next one is only fallen into
                current = []
                blocks.append((function, current))
    return blocks
