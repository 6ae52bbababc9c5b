"""Time to readiness. Cold: `stepwell.compile` with an empty cache, from the .onnx file to a program that can be called, beside
`iree-compile` (and, apart, the import to MLIR that it needs). Warm: `stepwell.compile` with a filled cache beside
`onnxruntime.InferenceSession`. Each measurement is a fresh process that has already imported its runtime; alternatives alternate. A row
in which a measurement fails has `nan` for it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
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

IREE_MODEL = """
import sys
sys.path.insert(0, {bench!r})
import models, onnx
model, arrays = onnx.load(str(models.locate({name!r}))), models.inputs({name!r}, 0)
for value in model.graph.input:
    if value.name in arrays:
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        for extent in arrays[value.name].shape:
            shape.dim.add().dim_value = extent
onnx.save(onnx.shape_inference.infer_shapes(model), {out!r})
"""


def _iree(name: str) -> tuple[float, float]:
    """Seconds for the import of a model of static shapes to MLIR, and for `iree-compile` for this machine's CPU."""
    compiler = shutil.which("iree-compile", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if compiler is None:
        print("  iree-compile is not there: pip install 'iree-base-compiler[onnx]'", file=sys.stderr)
        return float("nan"), float("nan")
    with tempfile.TemporaryDirectory() as folder:
        model, module = f"{folder}/m.onnx", f"{folder}/m.mlir"
        target = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host"]
        steps = [
            [sys.executable, "-c", IREE_MODEL.format(bench=str(Path(__file__).parent), name=name, out=model)],
            [sys.executable, "-m", "iree.compiler.tools.import_onnx", model, "-o", module, "--opset-version", "17"],
            [compiler, module, *target, "-o", f"{folder}/m.vmfb"],
        ]
        seconds: list[float] = []
        for step in steps:
            start = time.perf_counter()
            finished = subprocess.run(step, capture_output=True, text=True, check=False)
            seconds.append(time.perf_counter() - start)
            if finished.returncode != 0:
                print(f"  failed: {(finished.stderr.strip().splitlines() or ['?'])[0]}", file=sys.stderr)
                return float("nan"), float("nan")
    return seconds[1], seconds[2]


COLD_RUNS = 3


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
    parser.add_argument("--iree", action="store_true", help="also compile with IREE")
    arguments = parser.parse_args()
    head = f"{'model':20} {'cold s':>8} {'iree s':>8} {'cold/iree':>9} {'+import s':>9} {'warm ms':>9} {'ORT ms':>9} {'warm/ORT':>9}"
    print(head)
    failed = False
    for name in arguments.models:
        cold: list[float] = []
        iree: list[tuple[float, float]] = []
        warm: list[float] = []
        ort: list[float] = []
        with tempfile.TemporaryDirectory() as cache:
            for i in range(COLD_RUNS + 1):
                shutil.rmtree(cache, ignore_errors=True)
                measured = _time(OURS, name, cache) or np.nan
                cold += [measured] if i else []  # the first one reads files from disk
                if arguments.iree and i:
                    iree.append(_iree(name))
            for _ in range(arguments.runs):
                warm.append(_time(OURS, name, cache, from_cache=True) or np.nan)
                ort.append(_time(ORT, name, cache) or np.nan)
        imported, compiled = (float(np.median([pair[k] for pair in iree])) if iree else np.nan for k in (0, 1))
        c, w, o = (float(np.median(x)) for x in (cold, warm, ort))
        numbers = f"{c:8.2f} {compiled:8.2f} {c / compiled:9.2f} {imported:9.2f} {w * 1e3:9.1f} {o * 1e3:9.1f} {w / o:9.2f}"
        print(f"{name:20} {numbers}", flush=True)
        failed |= bool(np.isnan([*cold, *warm, *ort, *(x for pair in iree for x in pair)]).any())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
