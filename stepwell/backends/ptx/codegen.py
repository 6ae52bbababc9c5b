"""LLVM IR of GPU kernels to PTX, by LLVM's NVPTX backend in a process of its own: what LLVM cannot select ends that one only."""

from __future__ import annotations

import subprocess
import sys

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target

TRIPLE = "nvptx64-nvidia-cuda"
PTX_VERSIONS = {
    "sm_80": 70, "sm_86": 71, "sm_89": 78, "sm_90": 78, "sm_90a": 80, "sm_100": 86, "sm_100a": 86, "sm_120": 87,
}  # fmt: skip
"""The GPUs that code is made for, and the lowest version of PTX that knows each: a driver refuses text that is newer than itself."""
SECONDS = 300
"""How long code generation may take."""


def gpu_target(cpu: str) -> Target:
    """A GPU by its architecture's name. Raises CompileError for one that is not known."""
    if cpu not in PTX_VERSIONS:
        raise CompileError(f"unknown GPU '{cpu}'", hint=f"one of {', '.join(PTX_VERSIONS)}")
    return Target(TRIPLE, cpu, (f"+ptx{PTX_VERSIONS[cpu]}",), vector_bytes=4)


def compile_ptx(ir: str, target: Target) -> str:
    """PTX text of a module of LLVM IR. Raises CompileError with LLVM's own words where it cannot be made."""
    command = [sys.executable, "-m", "stepwell.backends.ptx.codegen_child", target.cpu, ",".join(target.features)]
    try:
        done = subprocess.run(command, input=ir, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CompileError(f"PTX was not ready within {SECONDS} s", hint="compile for smaller shapes") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in said if "error" in line.lower() or "cannot" in line.lower()), said[-1] if said else "no message")
        raise CompileError(f"LLVM cannot make PTX for {target.cpu}: {reason.strip()[:300]}")
    return done.stdout
