"""Time to readiness. Cold: compile with an empty cache, beside `iree-compile` where it is installed. Warm: `stepwell.compile` with a filled
cache beside `onnxruntime.InferenceSession`. Each measurement is a fresh process that has already imported its runtime; alternatives
alternate. A row in which a measurement fails has `nan` for it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

OURS = """
import sys, time
sys.path.insert(0, {bench!r})
import models, stepwell, numpy
arrays = models.inputs({name!r}, 0)
shapes = {{k: (v.shape, v.dtype) for k, v in arrays.items()}}
path = models.locate({name!r})
import stepwell.api
start = time.perf_counter()
program = stepwell.compile(path, inputs=shapes)
print(time.perf_counter() - start, program.from_cache)
"""

ORT = """
import sys, time
sys.path.insert(0, {bench!r})
import models, onnxruntime
path = models.locate({name!r})
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
start = time.perf_counter()
onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
print(time.perf_counter() - start, False)
"""

IREE = """
import sys, time
sys.path.insert(0, {bench!r})
import models, subprocess, tempfile, os
import onnx
path, out = models.locate({name!r}), tempfile.mkdtemp()
model = onnx.load(str(path))
arrays = models.inputs({name!r}, 0)
weights = {{i.name for i in model.graph.initializer}}
for value in model.graph.input:
    if value.name in arrays:
        for dim, extent in zip(value.type.tensor_type.shape.dim, arrays[value.name].shape):
            dim.dim_value = extent
onnx.save(onnx.shape_inference.infer_shapes(model), out + "/m.onnx")
start = time.perf_counter()
from iree.compiler.tools import import_onnx
subprocess.run([sys.executable, "-m", "iree.compiler.tools.import_onnx", out + "/m.onnx", "-o", out + "/m.mlir",
                "--opset-version", "17"], check=True)
subprocess.run([sys.executable, "-m", "iree.compiler.tools.scripts.iree_compile", out + "/m.mlir", "--iree-hal-target-device=local",
                "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host", "-o", out + "/m.vmfb"], check=True)
print(time.perf_counter() - start, False)
"""


def _time(script: str, name: str, cache: str, from_cache: bool = False) -> float | None:
    """Seconds; None where the script fails, or the program came from elsewhere than it should have."""
    environment = {**os.environ, "STEPWELL_CACHE_DIR": cache}
    code = script.format(bench=str(Path(__file__).parent), name=name)
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        print(f"  failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        return None
    seconds, cached = finished.stdout.split()
    if cached != str(from_cache):
        print(f"  failed: the program of {name} {'was not' if from_cache else 'was'} taken from the cache", file=sys.stderr)
        return None
    return float(seconds)


def main() -> int:
    """A table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["open_nsfw", "magika", "ppocr_rec"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--iree", action="store_true", help="also run iree-compile (minutes)")
    arguments = parser.parse_args()
    print(f"{'model':20} {'cold s':>8} {'iree s':>8} {'cold/iree':>9} {'warm ms':>9} {'ORT ms':>9} {'warm/ORT':>9}")
    failed = False
    for name in arguments.models:
        cold: list[float] = []
        iree: list[float] = []
        warm: list[float] = []
        ort: list[float] = []
        with tempfile.TemporaryDirectory() as cache:
            for _ in range(2):
                shutil.rmtree(cache, ignore_errors=True)
                cold.append(_time(OURS, name, cache) or np.nan)
                if arguments.iree:
                    iree.append(_time(IREE, name, cache) or np.nan)
            for _ in range(arguments.runs):
                warm.append(_time(OURS, name, cache, from_cache=True) or np.nan)
                ort.append(_time(ORT, name, cache) or np.nan)
        c, i, w, o = (float(np.median(x)) if x else np.nan for x in (cold, iree, warm, ort))
        print(f"{name:20} {c:8.2f} {i:8.2f} {c / i:9.2f} {w * 1e3:9.1f} {o * 1e3:9.1f} {w / o:9.2f}", flush=True)
        failed |= bool(np.isnan([*cold, *warm, *ort, *iree]).any())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
