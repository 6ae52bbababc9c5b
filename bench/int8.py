"""Integer products, one thread: MatMulInteger and QLinearConv beside ONNX Runtime and beside our own f32 of the same shape.

Every row is measured in turn with its peers in one process; figures are ratios of p10 and of medians (above 1: we are faster).

    python bench/int8.py [MxNxK ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import stepwell
from stepwell.tools.stepwell.measure import interleave

SHAPES = [(512, 512, 512), (128, 768, 768), (128, 3072, 768), (1024, 1024, 1024), (1, 3072, 768), (12, 1152, 384)]
CONVOLUTIONS = [(56, 64, 64, 3), (28, 128, 128, 3), (14, 256, 256, 3), (56, 64, 256, 1)]
"""Extent of the square image, channels in and out, extent of the window."""
SECONDS = 3.0

Inputs = dict[str, np.ndarray]
Made = tuple[bytes, Inputs]


def _model(nodes: list[Any], inputs: Inputs, constants: dict[str, np.ndarray], result: int, shape: list[int]) -> Made:
    of = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        nodes,
        "int8",
        [helper.make_tensor_value_info(name, of(x.dtype), x.shape) for name, x in inputs.items()],
        [helper.make_tensor_value_info("y", result, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(), inputs


def matmul_integer(m: int, n: int, k: int) -> Made:
    """Bytes times constant bytes, with a zero point, in i32."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (m, k)).astype(np.uint8)
    constants = {"w": rng.integers(-127, 128, (k, n)).astype(np.int8), "z": np.array(117, np.uint8)}
    return _model([helper.make_node("MatMulInteger", ["x", "w", "z"], ["y"])], {"x": x}, constants, TensorProto.INT32, [m, n])


def matmul(m: int, n: int, k: int) -> Made:
    """The same shape in f32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((m, k)).astype(np.float32)
    constants = {"w": rng.standard_normal((k, n)).astype(np.float32)}
    return _model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": x}, constants, TensorProto.FLOAT, [m, n])


def qlinear_matmul(m: int, n: int, k: int) -> Made:
    """With the result rounded to bytes again."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (m, k)).astype(np.uint8)
    constants = {
        **{"xs": np.float32(0.02), "xz": np.array(117, np.uint8)},
        **{"w": rng.integers(-127, 128, (k, n)).astype(np.int8), "ws": np.float32(0.01), "wz": np.array(0, np.int8)},
        **{"ys": np.float32(0.4), "yz": np.array(120, np.uint8)},
    }
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    constants = {name: np.asarray(value) for name, value in constants.items()}
    return _model([helper.make_node("QLinearMatMul", names, ["y"])], {"x": x}, constants, TensorProto.UINT8, [m, n])


def qlinear_conv(extent: int, channels: int, outputs: int, window: int) -> Made:
    """A convolution of bytes with a scale for each output channel."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (1, channels, extent, extent)).astype(np.uint8)
    constants = {
        **{"xs": np.float32(0.02), "xz": np.array(117, np.uint8)},
        "w": rng.integers(-127, 128, (outputs, channels, window, window)).astype(np.int8),
        **{"ws": rng.uniform(0.005, 0.02, outputs).astype(np.float32), "wz": np.zeros(outputs, np.int8)},
        **{"ys": np.float32(0.8), "yz": np.array(120, np.uint8)},
    }
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    constants = {name: np.asarray(value) for name, value in constants.items()}
    node = helper.make_node("QLinearConv", names, ["y"], pads=[window // 2] * 4)
    return _model([node], {"x": x}, constants, TensorProto.UINT8, [1, outputs, extent, extent])


def conv(extent: int, channels: int, outputs: int, window: int) -> Made:
    """The same convolution in f32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, channels, extent, extent)).astype(np.float32)
    constants = {"w": rng.standard_normal((outputs, channels, window, window)).astype(np.float32)}
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[window // 2] * 4)
    return _model([node], {"x": x}, constants, TensorProto.FLOAT, [1, outputs, extent, extent])


def row(title: str, made: Made, in_f32: Made) -> None:
    """Measure one shape; the results of both compilers are compared."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    model, inputs = made
    ours, floats = (stepwell.compile(m, threads=1) for m, _ in (made, in_f32))
    session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    mine, theirs = next(iter(ours(**inputs).values())), session.run(None, inputs)[0]
    unlike = int(np.max(np.abs(mine.astype(np.int64) - theirs.astype(np.int64))))
    runs: dict[str, Callable[[], object]] = {
        "int8": lambda: ours(**inputs),
        "f32": lambda: floats(**in_f32[1]),
        "ort": lambda: session.run(None, inputs),
    }
    samples = interleave(runs, SECONDS)
    p10 = {name: float(np.percentile(times, 10)) for name, times in samples.items()}
    median = {name: float(np.median(times)) for name, times in samples.items()}
    print(
        f"{title:>34} {p10['f32'] / p10['int8']:8.2f} {median['f32'] / median['int8']:8.2f} "
        f"{p10['ort'] / p10['int8']:8.2f} {median['ort'] / median['int8']:8.2f} {unlike:7}",
        flush=True,
    )


def main() -> int:
    """A row for each shape."""
    shapes = [tuple(int(e) for e in text.split("x")) for text in sys.argv[1:]]
    print(f"{'':>34} {'f32 p10':>8} {'median':>8} {'ORT p10':>8} {'median':>8} {'differ':>7}")
    for m, n, k in shapes or SHAPES:
        for what in (matmul_integer, qlinear_matmul):
            row(f"{what.__name__} {m} x {n} x {k}", what(m, n, k), matmul(m, n, k))
    for extent, channels, outputs, window in [] if shapes else CONVOLUTIONS:
        title = f"qlinear_conv {extent}^2 {channels} -> {outputs} {window}x{window}"
        row(title, qlinear_conv(extent, channels, outputs, window), conv(extent, channels, outputs, window))
    return 0


if __name__ == "__main__":
    sys.exit(main())
