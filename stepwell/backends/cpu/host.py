"""What this machine is and has: what distinguishes its CPU from another's, and how much memory this process may still take."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from stepwell.backends.cpu.cache import digest
from stepwell.ir.diagnostics import CompileError

_ALWAYS_THERE = 32 << 20


@cache
def host_fingerprint() -> str:
    """Architecture, CPU model and instruction set extensions: code compiled for one must not be loaded on another.

    LLVM is not asked: that would import it.
    """
    lines = [platform.machine(), platform.system()]
    try:
        for line in Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines():
            if line.partition(":")[0].strip() in ("model name", "flags", "Features", "CPU part", "isa"):
                lines.append(line)
    except OSError:
        lines.append(platform.processor())
    return digest(*lines)


# ---- memory -------------------------------------------------------------------------------------------------------------------------


def available_memory() -> float:
    """Bytes that this process can still take without swapping others out or being killed; infinite where the system does not say."""
    return min(_system_memory(), _cgroup_memory(), _address_space())


def check_memory(needed: Mapping[str, int]) -> None:
    """Raise CompileError if a program that needs so much for each of these purposes cannot run here."""
    total = sum(needed.values())
    if total < _ALWAYS_THERE:
        return  # asking the system takes half a millisecond
    available = available_memory()
    if total > available:
        parts = ", ".join(f"{purpose} {amount_of_memory(size)}" for purpose, size in needed.items() if size)
        raise CompileError(
            f"the program needs {amount_of_memory(total)} of memory ({parts}), {amount_of_memory(available)} are available",
            hint="compile for smaller shapes",
        )


def amount_of_memory(size: float) -> str:
    """`3.2 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def _system_memory() -> float:
    found = _fields(Path("/proc/meminfo"))
    return 1024 * (found["MemAvailable:"] + found.get("SwapFree:", 0)) if "MemAvailable:" in found else math.inf


def _cgroup_memory() -> float:
    """The tightest of the limits of the cgroups around this process, less what is used of it; file pages can be given back."""
    left = math.inf
    for folder, names in _cgroups():
        try:
            limit, used = ((folder / name).read_text().strip() for name in names)
        except OSError:
            continue
        if limit.isdigit() and used.isdigit():
            kept = _fields(folder / "memory.stat")
            left = min(left, int(limit) - int(used) + kept.get("inactive_file", 0) + kept.get("active_file", 0))
    return max(0.0, left)


def _cgroups() -> Iterator[tuple[Path, tuple[str, str]]]:
    """The folders of this process's cgroup and those around it, with the names of the files of limit and use, in both versions."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        lines = []
    for _, controllers, own in lines:
        if controllers == "":
            top, names = root, ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            top, names = root / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        folder = top / own.lstrip("/")
        for group in (folder, *folder.parents):
            if group.is_relative_to(top):
                yield group, names


def _address_space() -> float:
    """What `ulimit -v` leaves."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return math.inf
        return max(0.0, limit - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize())
    except (ImportError, OSError, ValueError):
        return math.inf


def _fields(path: Path) -> dict[str, int]:
    """A file of lines `name number ...`; empty if it cannot be read."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
