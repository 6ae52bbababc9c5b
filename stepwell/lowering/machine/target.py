"""What the last conversion must know of the processor: its name, its features, and how wide a vector register is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True)
class Target:
    """A processor to generate code for. `vector_bytes` is the width of one piece of an n-D vector value.

    `features` are LLVM's, with sign: `("+avx512f", "-sse4a")`. The attributes of every function come from here.
    """

    triple: str
    cpu: str
    features: tuple[str, ...] = field(default=())
    vector_bytes: int = 16

    @property
    def lanes(self) -> int:
        """Elements in one piece, for every element type: as many as 4-byte elements fill a register, so that masks, indices and data of
        one value are cut alike."""
        return self.vector_bytes // 4

    def has(self, feature: str) -> bool:
        """Whether a feature is present, by LLVM's name (`avx512f`, `fma`, `f16c`)."""
        return f"+{feature}" in self.features

    @property
    def is_x86(self) -> bool:
        return self.triple.startswith(("x86_64", "i686"))

    @property
    def is_gpu(self) -> bool:
        return self.triple.startswith("nvptx")

    @property
    def has_fma(self) -> bool:
        """Whether a fused multiply-add is one instruction (otherwise LLVM would call libm for it)."""
        return not self.is_x86 or self.has("fma") or self.has("avx512f")

    @property
    def has_dot4(self) -> bool:
        """Whether one instruction adds four products of an unsigned and a signed byte to each lane."""
        return self.is_x86 and (self.has("avxvnni") or (self.has("avx512vnni") and self.has("avx512vl")))

    @property
    def has_half_conversion(self) -> bool:
        """Whether f16 <-> f32 is one instruction (otherwise LLVM would call a helper that is not there)."""
        return not self.is_x86 or self.has("f16c") or self.has("avx512f")

    @property
    def feature_string(self) -> str:
        """The value of `"target-features"`. On AVX-512, LLVM halves the vectors of many processors unless told not to."""
        wide = ("-prefer-256-bit",) if self.vector_bytes == 64 and self.is_x86 else ()
        return ",".join((*(f for f in self.features if f != "+prefer-256-bit"), *wide))

    @staticmethod
    @lru_cache(maxsize=1)
    def host() -> Target:
        """The processor that this process runs on."""
        import llvmlite.binding as llvm

        features: dict[str, bool] = dict(llvm.get_host_cpu_features())
        signed = tuple(sorted(f"{'+' if on else '-'}{name}" for name, on in features.items() if name))
        return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), signed, _vector_bytes(llvm.get_process_triple(), features))


def _vector_bytes(triple: str, features: dict[str, bool]) -> int:
    if triple.startswith("x86_64"):
        if features.get("avx512f") and features.get("avx512vl") and features.get("avx512bw") and features.get("avx512dq"):
            return 64
        if features.get("avx2"):
            return 32
    return 16
