"""f32 matmul, one thread, compiled from an ONNX MatMul with constant weights, beside the machine's FMA peak, numpy and ONNX Runtime.

The peak is measured in the same process, in turn with the others: independent chains of fused multiply-adds on registers. GF/s are medians.

    python bench/matmul.py [MxNxK ...]
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import stepwell
from stepwell.backends.cpu.codegen import compile_llvm_ir
from stepwell.backends.cpu.link import link
from stepwell.lowering.machine.target import Target
from stepwell.tools.stepwell.measure import interleave

CHAINS, STEPS = 20, 100_000
SHAPES = [(1024, 1024, 1024), (512, 512, 512), (128, 3072, 768), (49, 1000, 2048), (1, 4096, 1024)]


def fma_peak() -> tuple[Callable[[], None], float]:
    """A function that does nothing but fused multiply-adds, and how many GFLOP one call is."""
    target = Target.host()
    lanes = target.lanes
    vector = f"<{lanes} x float>"
    phis = "\n".join(f"  %a{i} = phi {vector} [ splat (float {float(i + 1)}), %entry ], [ %b{i}, %loop ]" for i in range(CHAINS))
    steps = "\n".join(
        f"  %b{i} = call {vector} @llvm.fma.v{lanes}f32({vector} %a{i}, {vector} splat (float 0.5), {vector} splat (float 1.0))"
        for i in range(CHAINS)
    )
    sums = [f"  %s0 = fadd {vector} %b0, %b1"] + [f"  %s{i} = fadd {vector} %s{i - 1}, %b{i + 1}" for i in range(1, CHAINS - 1)]
    text = f"""
declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})
define void @peak(ptr %out) "target-cpu"="{target.cpu}" "target-features"="{target.feature_string}" {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{steps}
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, {STEPS}
  br i1 %more, label %loop, label %done
done:
{chr(10).join(sums)}
  store {vector} %s{CHAINS - 2}, ptr %out, align 4
  ret void
}}
"""
    code, _ = compile_llvm_ir(text, target)
    library = link([code], ["peak"], {})
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(library["peak"])
    out = np.zeros(64, np.float32)

    def run(keep: object = library) -> None:
        function(out.ctypes.data)

    return run, 2 * lanes * CHAINS * STEPS / 1e9


def matmul_model(m: int, n: int, k: int) -> tuple[bytes, np.ndarray]:
    """An ONNX model of one MatMul with weights of its own."""
    weights = np.random.default_rng(0).standard_normal((k, n)).astype(np.float32)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [m, k])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [m, n])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "matmul", [x], [y], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(), weights


def main() -> int:
    """A row for each shape."""
    shapes = [tuple(int(e) for e in text.split("x")) for text in sys.argv[1:]] or SHAPES
    peak, peak_work = fma_peak()
    print(f"{'M x N x K':>18} {'peak GF/s':>10} {'ours':>8} {'of peak':>8} {'numpy':>8} {'ORT':>8} {'ours/ORT':>9} {'error':>9}")
    for m, n, k in shapes:
        model, weights = matmul_model(m, n, k)
        program = stepwell.compile(model, threads=1)
        x = np.random.default_rng(1).standard_normal((m, k)).astype(np.float32)
        error = float(np.max(np.abs(next(iter(program(x=x).values())) - x.astype(np.float64) @ weights)))
        runs: dict[str, Callable[[], object]] = {
            "peak": peak,
            "ours": lambda program=program, x=x: program(x=x),
            "numpy": lambda x=x, weights=weights: x @ weights,
        }
        try:
            import onnxruntime as ort

            options = ort.SessionOptions()
            options.intra_op_num_threads = 1
            session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            runs["ort"] = lambda session=session, x=x: session.run(None, {"x": x})
        except ImportError:
            pass
        samples = interleave(runs, 4.0)
        work = 2 * m * n * k / 1e9
        speed = {name: (peak_work if name == "peak" else work) / float(np.median(times)) for name, times in samples.items()}
        ort_speed = speed.get("ort", float("nan"))
        print(
            f"{f'{m} x {n} x {k}':>18} {speed['peak']:10.1f} {speed['ours']:8.1f} {speed['ours'] / speed['peak']:8.2f} "
            f"{speed['numpy']:8.1f} {ort_speed:8.1f} {speed['ours'] / ort_speed:9.2f} {error:9.1e}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
