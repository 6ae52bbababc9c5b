"""How long a launch would take at least on a real GPU: what was counted, resource by resource, against published peaks.

A lower bound, not a prediction: nothing waits for anything else, every resource is used without a gap, caches hold what they can. PTX is
not what runs (an assembler merges, drops and adds instructions); `mov`, `cvta` and loads of parameters count as nothing here.

Sources of the peaks. A100: "NVIDIA A100 Tensor Core GPU Architecture" (SXM4, 40 GB). H100: "NVIDIA H100 Tensor Core GPU Architecture"
(SXM5). RTX 4090: "NVIDIA Ada GPU Architecture", appendix A. All dense. Thread instructions per clock and SM: CUDA C++ Programming Guide,
table "Throughput of Native Arithmetic Instructions". Bytes per clock of the L2: 5120 for A100 (published); for the others 64 for each SM
(assumed). The figures were entered without the papers at hand, and no kernel has calibrated them.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepwell.backends.ptx.simulate.traffic import SECTOR, Traffic
from stepwell.ir.diagnostics import CompileError


@dataclass(frozen=True)
class Gpu:
    """Published peaks of a GPU."""

    name: str
    sms: int
    clock: float
    """Hz, boost."""
    memory: float
    """Bytes per second."""
    l2: float
    """Bytes per clock, of the whole GPU."""
    rates: dict[str, float]
    """Thread instructions per clock and SM, by class."""
    tensor: dict[str, float]
    """Multiplications with addition per second of all tensor cores, by the type of A."""


GPUS = {
    "A100": Gpu(
        "A100 SXM4 40 GB", 108, 1.41e9, 1555e9, 5120,
        {"f32": 64, "f64": 32, "half": 256, "integer": 64, "multiply": 64, "special": 16, "convert": 64, "shuffle": 32},
        {"f16": 156e12, "bf16": 156e12, "tf32": 78e12, "s8": 312e12, "u8": 312e12, "f64": 9.75e12},
    ),
    "H100": Gpu(
        "H100 SXM5", 132, 1.83e9, 3352e9, 132 * 64,
        {"f32": 128, "f64": 64, "half": 256, "integer": 64, "multiply": 64, "special": 16, "convert": 64, "shuffle": 32},
        {"f16": 494.7e12, "bf16": 494.7e12, "tf32": 247.4e12, "s8": 989.4e12, "u8": 989.4e12,
         "e4m3": 989.4e12, "e5m2": 989.4e12, "f64": 33.5e12},
    ),
    "RTX 4090": Gpu(
        "GeForce RTX 4090", 128, 2.52e9, 1008e9, 128 * 64,
        {"f32": 128, "f64": 2, "half": 128, "integer": 64, "multiply": 64, "special": 16, "convert": 64, "shuffle": 32},
        {"f16": 82.6e12, "bf16": 82.6e12, "tf32": 41.3e12, "s8": 330.3e12, "u8": 330.3e12, "e4m3": 165.2e12, "e5m2": 165.2e12},
    ),
}  # fmt: skip

ISSUED = 128
"""Thread instructions that an SM of each of these issues in a clock: four warps."""
FREE = {"mov", "cvta", "pragma", "nanosleep"}
SPECIAL = {"rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh"}
ARITHMETIC = {"add", "sub", "mul", "mad", "fma", "min", "max", "neg", "abs", "setp", "set", "div"}
BITS = {
    "and",
    "or",
    "xor",
    "not",
    "shl",
    "shr",
    "shf",
    "lop3",
    "prmt",
    "bfe",
    "bfi",
    "selp",
    "popc",
    "clz",
    "brev",
    "addc",
    "subc",
    "sad",
    "rem",
}


def class_of(instruction: str) -> str | None:
    """Which pipe an instruction needs besides being issued; "free" for what an assembler makes nothing of, None for no other pipe."""
    opcode, *words = instruction.split(".")
    if opcode in FREE or (opcode == "ld" and "param" in words):
        return "free"
    if opcode in SPECIAL:
        return "special"
    if opcode == "cvt":
        return "convert"
    if opcode in ("shfl", "redux", "vote", "match"):
        return "shuffle"
    if opcode not in ARITHMETIC and opcode not in BITS:
        return None
    kind = words[-1] if words else ""
    if opcode in ARITHMETIC and kind in ("f32", "f64"):
        return kind
    if kind in ("f16", "f16x2", "bf16", "bf16x2"):
        return "half"
    return "multiply" if opcode in ("mul", "mad", "madc", "dp4a") else "integer"


@dataclass(frozen=True)
class Line:
    """A resource: what is asked of it, in words, and the seconds that it takes at least."""

    resource: str
    amount: str
    seconds: float


def roofline(traffic: Traffic, gpu: Gpu) -> list[Line]:
    """Every resource that a counted launch needs, the scarcest first."""
    sms = min(gpu.sms, max(traffic.ctas, 1))
    per_second = sms * gpu.clock
    classes: dict[str, int] = {}
    issued = 0
    for name, count in traffic.instructions.items():
        found = class_of(name)
        if found == "free":
            continue
        issued += count
        if found is not None:
            classes[found] = classes.get(found, 0) + count
    lines = [Line("issue", f"{issued:,} thread instructions", issued / (ISSUED * per_second))]
    for name, count in classes.items():
        lines.append(Line(f"{name} pipe", f"{count:,} thread instructions", count / (gpu.rates[name] * per_second)))
    for kind, work in traffic.tensor_work.items():
        if kind not in gpu.tensor:
            raise CompileError(f"the tensor cores of {gpu.name} do not multiply {kind}")
        lines.append(Line(f"tensor cores ({kind})", f"{work:,} multiplications", work / (gpu.tensor[kind] * sms / gpu.sms)))
    moved = traffic.global_sectors * SECTOR + traffic.bulk_bytes
    lines.append(Line("L2 cache", f"{moved:,} bytes", moved / (gpu.l2 * gpu.clock * sms / gpu.sms)))
    once = traffic.distinct_sectors * SECTOR
    lines.append(Line("memory", f"{once:,} bytes, each moved once", once / gpu.memory))
    lines.append(Line("shared memory", f"{traffic.shared_cycles:,} cycles of the banks", traffic.shared_cycles / per_second))
    return sorted((line for line in lines if line.seconds), key=lambda line: -line.seconds)


def gpu_called(name: str) -> Gpu:
    """A GPU of the table. Raises CompileError."""
    for known, gpu in GPUS.items():
        if known.replace(" ", "").lower() == name.replace(" ", "").lower():
            return gpu
    raise CompileError(f"no GPU '{name}' is known", hint=f"there are: {', '.join(GPUS)}")
