"""One matrix product, three schedules: `mlopt` walks examples/matmul.mlir down the stairs with each of them, and the results are timed.

python examples/schedule_a_kernel.py
"""

from __future__ import annotations

import ctypes
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stepwell.backends.cpu.codegen import compile_llvm_ir
from stepwell.backends.cpu.link import link
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir
from stepwell.lowering.machine.target import Target
from stepwell.tools.mlopt.__main__ import main as mlopt

SCHEDULES = {
    "plain loops": '[["fuse", "m", "n"]]',
    "rows of 32 lanes": '[["fuse", "m", "n"], ["split", "n", 32, "lane"], ["jam", "lane"], ["vectorize", "lane"], ["unroll", "k", 4]]',
    "tiles of 6 x 32": """[["fuse", "m", "n"], ["split", "m", 6, "row", "exact"], ["split", "n", 32, "lane", "exact"],
        ["reorder", "n", "m", "row", "lane"], ["jam", "row", "lane"], ["vectorize", "row", "lane"], ["unroll", "k", 4]]""",
}
M, N, K = 240, 256, 320


def walk(schedule: str, folder: Path) -> str:
    """The kernel as vectors, by way of `mlopt`."""
    source, result = folder / "matmul.mlir", folder / "vectors.mlir"
    text = (Path(__file__).parent / "matmul.mlir").read_text(encoding="utf-8")
    source.write_text(re.sub(r"schedule = \[.*\]\]", lambda _: f"schedule = {schedule}", text), encoding="utf-8")
    assert mlopt([str(source), "--apply-schedule", "--stepwell-to-vector", "-o", str(result)]) == 0
    return result.read_text(encoding="utf-8")


def native(text: str) -> Callable[[Any, Any, Any], None]:
    """Vectors to machine code in this process. A memref is passed as its pointer and the stride that its type leaves open."""
    target = Target.host()
    module = parse_module(text, make_context(), name="vectors.mlir")
    code, _ = compile_llvm_ir(emit_llvm_ir(module, target), target)
    library = link([code], ["matmul"], {})
    matrix, index = (ctypes.c_void_p, ctypes.c_int64), ctypes.c_int64
    function = ctypes.CFUNCTYPE(None, *matrix, *matrix, *matrix, index, index, index)(library["matmul"])

    def call(a: Any, b: Any, c: Any) -> None:
        function(a.ctypes.data, K, b.ctypes.data, N, c.ctypes.data, N, M, N, K)

    call.library = library  # type: ignore[attr-defined]  # the code lives as long as this
    return call


def milliseconds(call: Callable[[], Any]) -> float:
    """The best of many runs."""
    best, deadline = np.inf, time.perf_counter() + 0.2
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


rng = np.random.default_rng(0)
a, b = rng.standard_normal((M, K), np.float32), rng.standard_normal((K, N), np.float32)
print(f"{'schedule':20} {'lines of IR':>12} {'ms':>8} {'GFLOP/s':>8}   largest difference from numpy")
with tempfile.TemporaryDirectory() as folder:
    for name, schedule in SCHEDULES.items():
        text = walk(schedule, Path(folder))
        kernel, c = native(text), np.full((M, N), np.nan, np.float32)
        spent = milliseconds(lambda kernel=kernel, c=c: kernel(a, b, c))
        difference = np.abs(c - a @ b).max()
        print(f"{name:20} {len(text.splitlines()):12} {spent:8.3f} {2e-6 * M * N * K / spent:8.1f}   {difference:.1e}")
        assert difference < 1e-3
