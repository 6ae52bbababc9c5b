"""The matmul kernel alone, on one thread, beside the peak of the processor (a loop of fused multiply-adds), in turn in one process.

    python bench/matmul_kernel.py               # 512^3 and a few others, tile 14x32
    python bench/matmul_kernel.py --tile 6x64 --unroll 2

The kernel goes down the stairs as any other: affine loops, schedule, vectors, machine. B is packed ahead, as weights are.
"""

from __future__ import annotations

import argparse
import ctypes
import time
from typing import Any

import numpy as np

from stepwell.backends.cpu.codegen import compile_llvm_ir
from stepwell.backends.cpu.link import LinkedLibrary, link
from stepwell.ir.registry import find_pass, make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.lowering.machine.convert_kernels_to_llvm import emit_llvm_ir
from stepwell.lowering.machine.target import Target

SHAPES = [(512, 512, 512), (504, 512, 512), (128, 3072, 768), (196, 768, 768), (49, 1000, 2048), (128, 64, 64)]

KERNEL = """
func.func private @k(%A: memref<?x?xf32, strided<[?, 1], offset: ?>>, %B: memref<?x?xNRxf32, strided<[?, NR, 1], offset: ?>>,
    %C: memref<?x?xf32, strided<[?, 1], offset: ?>>, %M: index, %N: index, %K: index, %grain: index)
    attributes {kernel, grain = 6 : i64, schedule = SCHEDULE} {
  %zero = arith.constant 0.0 : f32
  affine.for %m = 0 to %M { affine.for %n = 0 to %N {
    affine.store %zero, %C[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
  } {loop = "n", iterator = "parallel", stage = "init"} } {loop = "m", iterator = "parallel", stage = "init"}
  affine.for %m = 0 to %M { affine.for %n = 0 to %N { affine.for %k = 0 to %K {
    %a = affine.load %A[%m, %k] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    %b = affine.load %B[%n floordiv NR, %k, %n mod NR] : memref<?x?xNRxf32, strided<[?, NR, 1], offset: ?>>
    %c = affine.load %C[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    %p = arith.mulf %a, %b fastmath<contract> : f32
    %s = arith.addf %c, %p fastmath<contract> : f32
    affine.store %s, %C[%m, %n] : memref<?x?xf32, strided<[?, 1], offset: ?>>
  } {loop = "k", iterator = "reduction", stage = "mm"} } {loop = "n", iterator = "parallel", stage = "mm"}
  } {loop = "m", iterator = "parallel", stage = "mm"}
  func.return
}
"""
SCHEDULE = """[["fuse", "m", "n"], ["split", "m", MR, "mr", "overlap"], ["split", "n", NR, "nr"], ["reorder", ORDER, "mr", "nr"],
  ["jam", "mr", "nr"], ["vectorize", "mr", "nr"], ["prefetch", 1, "k", 8], ["unroll", "k", TIMES]]"""

ACCUMULATORS = 16


def peak_ir(target: Target) -> str:
    """A loop of independent fused multiply-adds: what the processor can do at best."""
    vector = f"<{target.lanes} x float>"
    fma = f"@llvm.fma.v{target.lanes}f32"
    phis = "\n".join(f"  %c{i} = phi {vector} [ zeroinitializer, %entry ], [ %d{i}, %loop ]" for i in range(ACCUMULATORS))
    steps = "\n".join(f"  %d{i} = call {vector} {fma}({vector} %x, {vector} %x, {vector} %c{i})" for i in range(ACCUMULATORS))
    stores = "\n".join(
        f"  %p{i} = getelementptr {vector}, ptr %out, i64 {i}\n  store {vector} %d{i}, ptr %p{i}, align 4" for i in range(ACCUMULATORS)
    )
    return f"""
declare {vector} {fma}({vector}, {vector}, {vector})
define void @peak(ptr %out, i64 %n) #0 {{
entry:
  %x = load {vector}, ptr %out, align 4
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{steps}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %exit
exit:
{stores}
  ret void
}}
attributes #0 = {{ nounwind "target-cpu"="{target.cpu}" "target-features"="{target.feature_string}" }}
"""


def build(mr: int, nr: int, unroll: int, order: str, target: Target) -> tuple[LinkedLibrary, list[Any]]:
    """Compile the kernel and the peak loop."""
    schedule = SCHEDULE.replace("MR", str(mr)).replace("NR", str(nr)).replace("TIMES", str(unroll)).replace("ORDER", order)
    context = make_context()
    module = parse_module(KERNEL.replace("NR", str(nr)).replace("SCHEDULE", schedule), context)
    for name in ("apply-schedule", "vectorize", "unroll-loops", "expand-math"):
        find_pass(name)().run(module, context)
    code, reports = compile_llvm_ir(emit_llvm_ir(module, target), target)
    peak, _ = compile_llvm_ir(peak_ir(target), target)
    return link([code, peak], ["k", "peak"], {}), reports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tile", default="14x32")
    parser.add_argument("--unroll", type=int, default=4)
    parser.add_argument("--order", choices=["mn", "nm"], default="nm", help="which of the two loops over tiles is outside")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each shape")
    arguments = parser.parse_args()
    mr, nr = map(int, arguments.tile.split("x"))
    target = Target.host()
    order = ", ".join(f'"{loop}"' for loop in arguments.order)
    library, reports = build(mr, nr, arguments.unroll, order, target)
    hot = next(report for report in reports if report.function == "k")
    stack = f"{hot.stack_accesses} vector and {hot.scalar_stack_accesses} other stack accesses"
    print(f"hot block: {hot.fmas} fma in {hot.instructions} instructions, {stack}")

    word, pointer = ctypes.c_int64, ctypes.c_void_p
    kernel = ctypes.CFUNCTYPE(None, pointer, word, pointer, word, pointer, word, word, word, word, word)(library["k"])
    peak = ctypes.CFUNCTYPE(None, pointer, word)(library["peak"])
    scratch = np.zeros(ACCUMULATORS * target.lanes, np.float32)
    peak_steps = 20_000
    peak_flops = 2 * ACCUMULATORS * target.lanes * peak_steps
    print(f"{'M x N x K':>16} {'GF/s min':>9} {'p10':>7} {'of peak':>8} {'peak':>7} {'numpy':>7} {'error':>8}")
    rng = np.random.default_rng(0)
    for m, n, k in SHAPES:
        if m < mr:
            continue
        a, b, c = rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32), np.full((m, n), np.nan, np.float32)
        panels = np.pad(b, ((0, 8), (0, -n % nr))).reshape(k + 8, -1, nr).transpose(1, 0, 2).copy()
        run = lambda: kernel(a.ctypes.data, k, panels.ctypes.data, panels.strides[0] // 4, c.ctypes.data, n, m, n, k, 1)  # noqa: E731
        run()
        want = a.astype(np.float64) @ b
        error = np.max(np.abs(c - want)) / np.max(np.abs(want))
        times: dict[str, list[float]] = {"ours": [], "peak": [], "numpy": []}
        end = time.perf_counter() + arguments.seconds
        while time.perf_counter() < end:
            for name, function in (("ours", run), ("peak", lambda: peak(scratch.ctypes.data, peak_steps)), ("numpy", lambda: a @ b)):
                start = time.perf_counter()
                function()
                times[name].append(time.perf_counter() - start)
            scratch[:] = 0
        flops = 2.0 * m * n * k
        ours, best = np.array(times["ours"]), peak_flops / min(times["peak"]) / 1e9
        gflops = flops / ours.min() / 1e9
        tenth = flops / np.percentile(ours, 10) / 1e9
        print(
            f"{m:>5} x {n:>4} x {k:>4} {gflops:9.1f} {tenth:7.1f} {gflops / best:8.2f} {best:7.1f} "
            f"{flops / min(times['numpy']) / 1e9:7.1f} {error:8.1e}"
        )


if __name__ == "__main__":
    main()
