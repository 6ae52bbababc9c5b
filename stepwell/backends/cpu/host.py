"""What distinguishes this machine's CPU from another, cheaply: code compiled for one must not be loaded on the other."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

from stepwell.backends.cpu.cache import digest


@cache
def host_fingerprint() -> str:
    """Architecture, CPU model and instruction set extensions. LLVM is not asked: that would import it."""
    lines = [platform.machine(), platform.system()]
    try:
        for line in Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines():
            if line.partition(":")[0].strip() in ("model name", "flags", "Features", "CPU part", "isa"):
                lines.append(line)
    except OSError:
        lines.append(platform.processor())
    return digest(*lines)
