"""Convolution layers of real models beside ONNX Runtime and OpenVINO: same weights, same threads, calls interleaved in one process.

    python bench/convolution.py                              # all groups of layers, 1 and 2 threads
    python bench/convolution.py resnet50 yolov8n_80x80 --threads 2 --seconds 5
    python bench/convolution.py --numerics strict --convolution direct

Layers of a group are chained and end in a global average, so that nobody pays for layouts more than once. A ratio is a peer's median over
ours: above 1 Stepwell is faster. `best` is the ratio to the faster peer, `10%..90%` its spread, `quiet` the ratio of the 10th percentiles,
which neighbours on the machine disturb less. Exit status 1 where outputs disagree.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class Layer:
    """A convolution with `same` padding, a bias and a ReLU."""

    channels: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1


Group = tuple[tuple[int, int, int], list[Layer]]
"""(channels, rows, columns) of the input, and the layers in order."""


def _repeat(channels: int, extent: int, *layers: Layer, times: int = 2) -> Group:
    return (channels, extent, extent), list(layers) * times


def _depthwise(channels: int, extent: int, kernel: int = 3) -> Group:
    return _repeat(channels, extent, Layer(channels, kernel, groups=channels), times=4)


GROUPS: dict[str, Group] = {
    "resnet50_stem": ((3, 224, 224), [Layer(64, 7, 2)]),
    "resnet50_56x56_3x3": _repeat(64, 56, Layer(64), times=4),
    "resnet50_28x28_3x3": _repeat(128, 28, Layer(128), times=4),
    "resnet50_14x14_3x3": _repeat(256, 14, Layer(256), times=4),
    "resnet50_7x7_3x3": _repeat(512, 7, Layer(512), times=4),
    "resnet50_56x56_1x1": _repeat(64, 56, Layer(256, 1), Layer(64, 1)),
    "resnet50_28x28_1x1": _repeat(128, 28, Layer(512, 1), Layer(128, 1)),
    "resnet50_14x14_1x1": _repeat(256, 14, Layer(1024, 1), Layer(256, 1)),
    "resnet50_7x7_1x1": _repeat(512, 7, Layer(2048, 1), Layer(512, 1)),
    "resnet50_strided": ((64, 56, 56), [Layer(128, 3, 2), Layer(256, 3, 2), Layer(512, 3, 2)]),
    "mobilenetv2_stem": ((3, 224, 224), [Layer(32, 3, 2)]),
    "mobilenetv2_112x112_1x1": _repeat(16, 112, Layer(96, 1), Layer(16, 1)),
    "mobilenetv2_112x112_dw": _depthwise(32, 112),
    "mobilenetv2_56x56_dw": _depthwise(144, 56),
    "mobilenetv2_28x28_dw": _depthwise(192, 28),
    "mobilenetv2_14x14_dw": _depthwise(576, 14),
    "mobilenetv2_56x56_block": _repeat(24, 56, Layer(144, 1), Layer(144, 3, groups=144), Layer(24, 1)),
    "mobilenetv2_dw_strided": ((16, 112, 112), [Layer(96, 1), Layer(96, 3, 2, 96), Layer(24, 1)]),
    "yolov8n_stem": ((3, 320, 320), [Layer(16, 3, 2), Layer(32, 3, 2)]),
    "yolov8n_80x80_3x3": _repeat(32, 80, Layer(32), times=4),
    "yolov8n_80x80_3x3_64": _repeat(64, 80, Layer(64), times=4),
    "yolov8n_40x40_3x3": _repeat(64, 40, Layer(64), times=4),
    "yolov8n_20x20_3x3": _repeat(128, 20, Layer(128), times=4),
    "yolov8n_160x160_3x3": _repeat(16, 160, Layer(16), times=4),
    "ppocr_160x160_3x3": _repeat(24, 160, Layer(24), times=4),
    "ppocr_28x28_dw5": _depthwise(240, 28, 5),
    "ppocr_14x14_dw5": _depthwise(672, 14, 5),
    "ppocr_40x40_grouped": _repeat(128, 40, Layer(128, groups=4), times=4),
    "vgg19_stem": ((3, 224, 224), [Layer(64)]),
    "vgg19_224x224_3x3": _repeat(64, 224, Layer(64), times=2),
    "vgg19_56x56_3x3": _repeat(256, 56, Layer(256), times=2),
}


def build(group: Group, seed: int = 0) -> ModelProto:
    """A model of the layers, with He-normal weights."""
    from onnx import TensorProto, helper, numpy_helper

    (channels, rows, columns), layers = group
    rng, nodes, weights, x = np.random.default_rng(seed), list[Any](), list[Any](), "x"
    extent = channels
    for i, layer in enumerate(layers):
        shape = (layer.channels, extent // layer.groups, layer.kernel, layer.kernel)
        scale = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        weights.append(numpy_helper.from_array(rng.standard_normal(shape, np.float32) * scale, f"w{i}"))
        weights.append(numpy_helper.from_array(rng.standard_normal(layer.channels, np.float32) * np.float32(0.1), f"b{i}"))
        attributes: dict[str, Any] = {"strides": [layer.stride] * 2, "pads": [layer.kernel // 2] * 4, "group": layer.groups}
        nodes.append(helper.make_node("Conv", [x, f"w{i}", f"b{i}"], [f"c{i}"], **attributes))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        x, extent = f"r{i}", layer.channels
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["y"]))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, rows, columns])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, extent, 1, 1])
    graph = helper.make_graph(nodes, "layers", [given], [result], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def measure(name: str, threads: int, seconds: float, numerics: str, convolution: str) -> tuple[str, bool]:
    """One row of the table, and whether the outputs agree."""
    import stepwell
    from stepwell.backends.cpu.program import Program
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import onnxruntime_run, openvino_run

    group = GROUPS[name]
    x = np.random.default_rng(1).standard_normal((1, *group[0]), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.onnx"
        path.write_bytes(build(group).SerializeToString())
        program = stepwell.compile(path, inputs={"x": x.shape}, threads=threads, numerics=numerics, convolution=convolution)
        assert isinstance(program, Program)
        peers = {"ort": onnxruntime_run(path, {"x": x}, threads), "openvino": openvino_run(path, {"x": x}, threads)}
        ours = next(iter(program(x=x).values()))
        agrees = all(np.allclose(ours, peer()[0], rtol=1e-3, atol=1e-4) for peer in peers.values())
        samples = interleave({"ours": lambda: program(x=x), **peers}, seconds)
    medians = {runtime: float(np.median(times)) for runtime, times in samples.items()}
    best = min(peers, key=lambda peer: medians[peer])
    count = min(len(samples["ours"]), len(samples[best]))
    low, high = np.percentile(np.asarray(samples[best][:count]) / np.asarray(samples["ours"][:count]), [10, 90])
    quiet = np.percentile(samples[best], 10) / np.percentile(samples["ours"], 10)
    algorithms = sorted({call.algorithm.partition(",")[0] for call in program.report().image.calls if call.algorithm})
    ratios = [medians[peer] / medians["ours"] for peer in ("ort", "openvino", best)]
    row = f"{name:26} {threads:7} {medians['ours'] * 1e3:9.3f} {ratios[0]:6.2f} {ratios[1]:8.2f} {ratios[2]:6.2f} {low:6.2f}..{high:<6.2f}"
    return f"{row} {quiet:5.2f} {'yes' if agrees else 'NO':>6} {' '.join(algorithms)}", agrees


def main() -> int:
    """One fresh process per row, so that no runtime disturbs the next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", help="beginnings of names of groups")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--numerics", default="fast")
    parser.add_argument("--convolution", default="auto")
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads = [int(t) for t in arguments.threads.split(",")]
    if arguments.row:
        row, agrees = measure(arguments.groups[0], threads[0], arguments.seconds, arguments.numerics, arguments.convolution)
        print(row, flush=True)
        return 0 if agrees else 1
    columns = f"{'ours ms':>9} {'ORT':>6} {'OpenVINO':>8} {'best':>6} {'10%..90%':>14} {'quiet':>5} {'agrees':>6} algorithms"
    print(f"{'layers':26} {'threads':>7} {columns}", flush=True)
    failed, found = 0, dict[int, list[tuple[float, float]]]()
    for name in [n for n in GROUPS if not arguments.groups or n.startswith(tuple(arguments.groups))]:
        for count in threads:
            row = [sys.executable, __file__, name, "--threads", str(count), "--seconds", str(arguments.seconds), "--row"]
            row += ["--numerics", arguments.numerics, "--convolution", arguments.convolution]
            finished = subprocess.run(row, check=False, capture_output=True, text=True)
            failed += finished.returncode != 0
            line = finished.stdout.rstrip()
            if line:
                found.setdefault(count, []).append((float(line.split()[5]), float(line.split()[7])))
            print(line or f"{name:26} {count:7} failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)
    for count, ratios in found.items():
        best, quiet = np.exp(np.mean(np.log(ratios), axis=0))
        print(f"{count} threads: geometric mean of `best` {best:.2f}, of `quiet` {quiet:.2f}; lowest {min(ratios)[0]:.2f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
