"""NVIDIA's assembler, where it is installed: what registers, shared memory and spills the kernels of a PTX text come to, and a cubin.

It is found beside Python's packages (`pip install nvidia-cuda-nvcc`), on the path, or in a CUDA toolkit. No GPU is needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stepwell.ir.diagnostics import CompileError

SECONDS = 600
"""How long the assembler may take."""
_ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\S+)'")
_SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class Resources:
    """What one kernel takes."""

    kernel: str
    registers: int
    shared: int
    """Bytes of shared memory for a block."""
    stack: int
    """Bytes of memory of a thread's own."""
    spills: int
    """Bytes of registers that are stored and loaded again."""


@dataclass(frozen=True)
class Multiprocessor:
    """What the blocks on one multiprocessor share. Source: CUDA C++ Programming Guide, technical specifications by compute capability."""

    warps: int
    blocks: int
    shared: int
    registers: int = 65536

    def occupancy(self, resources: Resources, threads: int) -> float:
        """The part of the warps that run at a time, for blocks of so many threads."""
        warps = -(-threads // 32)
        # Registers are given to warps in pieces of 256, shared memory to blocks in pieces of 128 bytes beside 1 KB of the system's.
        by_registers = self.registers // max(-(-resources.registers * 32 // 256) * 256 * warps, 1)
        by_shared = self.shared // (-(-resources.shared // 128) * 128 + 1024)
        return min(self.warps // warps, self.blocks, by_registers, by_shared) * warps / self.warps


MULTIPROCESSORS = {
    "sm_80": Multiprocessor(64, 32, 164 << 10),
    "sm_86": Multiprocessor(48, 16, 100 << 10),
    "sm_89": Multiprocessor(48, 24, 100 << 10),
    "sm_90a": Multiprocessor(64, 32, 228 << 10),
    "sm_100": Multiprocessor(64, 32, 228 << 10),
}


def find_assembler() -> str | None:
    """Where ptxas is, None where there is none."""
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for path in (*sorted(packages.glob("cu*/bin/ptxas"), reverse=True), *packages.glob("cuda_nvcc/bin/ptxas")):
        return str(path)
    return shutil.which("ptxas") or next((str(p) for p in (Path("/usr/local/cuda/bin/ptxas"),) if p.exists()), None)


def assemble(ptx: str, gpu: str, assembler: str | None = None) -> list[Resources]:
    """The resources of every kernel in a text. Raises CompileError without an assembler, and with its words for what it refuses."""
    assembler = assembler or find_assembler()
    if assembler is None:
        raise CompileError("ptxas is not installed", hint="pip install nvidia-cuda-nvcc, or a CUDA toolkit")
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "kernels.ptx", Path(folder) / "kernels.cubin"
        source.write_text(ptx)
        command = [assembler, "-v", f"-arch={gpu}", "-o", str(result), str(source)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise CompileError(f"ptxas was not ready within {SECONDS} s") from None
    said = done.stdout + done.stderr
    if done.returncode:
        reason = next((line for line in said.splitlines() if "error" in line.lower()), said.strip()[-200:])
        raise CompileError(f"ptxas refuses the code for {gpu}: {reason}")
    return _resources(said)


def _resources(said: str) -> list[Resources]:
    """What `ptxas -v` says, kernel by kernel."""
    found: list[Resources] = []
    marks = list(_ENTRY.finditer(said))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        part = said[mark.end() : following.start() if following else len(said)]
        used, spills, shared = _USED.search(part), _SPILLS.search(part), _SHARED.search(part)
        if used is None or spills is None:
            raise CompileError(f"ptxas says nothing of the registers of kernel {mark.group(1)}")
        stack, stored, loaded = (int(n) for n in spills.groups())
        found.append(Resources(mark.group(1), int(used.group(1)), int(shared.group(1)) if shared else 0, stack, stored + loaded))
    return found
