"""What a call costs beyond its work: a model that adds two vectors of 16 floats, beside ONNX Runtime, interleaved in one process."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

import stepwell
from stepwell.tools.stepwell.measure import interleave
from stepwell.tools.stepwell.peers import onnxruntime_run


def main() -> int:
    """Print medians in microseconds."""
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [16])  # noqa: E731
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "tiny", [value("a"), value("b")], [value("c")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    arrays = {"a": np.arange(16, dtype=np.float32), "b": np.ones(16, np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.onnx"
        onnx.save(model, path)
        program = stepwell.compile(path, threads=1)
        theirs = onnxruntime_run(path, arrays, 1)
        samples = interleave({"stepwell": lambda: program(**arrays), "onnxruntime": theirs}, 3.0)
    for name, times in samples.items():
        print(f"{name:12} {np.median(times) * 1e6:7.2f} us median, {np.percentile(times, 90) * 1e6:7.2f} us 90%")
    return 0


if __name__ == "__main__":
    sys.exit(main())
