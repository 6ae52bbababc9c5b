"""Peak resident memory above the imports, of loading a model and running it three times: Stepwell cold and warm, ONNX Runtime.

What is merely code is imported before the first reading: every module of the compiler, and LLVM with its targets. The processes that
generate code on behalf of a cold compile are counted apart: the largest of them, its own imports included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = """
import gc, resource, sys
sys.path.insert(0, {bench!r})
import models, numpy
{imports}
def peak(who):
    return resource.getrusage(who).ru_maxrss / 1024
arrays, path = models.inputs({name!r}, 0), models.locate({name!r})
gc.collect()
before = peak(resource.RUSAGE_SELF)
{body}
for _ in range(3):
    run()
print(peak(resource.RUSAGE_SELF) - before, peak(resource.RUSAGE_CHILDREN))
"""
OURS_IMPORTS = """
import importlib, pkgutil, stepwell
for module in pkgutil.walk_packages(stepwell.__path__, "stepwell."):
    if not module.name.startswith(("stepwell.tools", "stepwell.onnx")):
        importlib.import_module(module.name)
from stepwell.backends.cpu import codegen, link
codegen._binding()
link._library()
"""
OURS = """
program = stepwell.compile(path, inputs={{k: (v.shape, v.dtype) for k, v in arrays.items()}}, threads=1)
run = lambda: program(**arrays)
"""
ORT_IMPORTS = "from stepwell.tools.stepwell.peers import onnxruntime_run\nimport onnxruntime"
ORT = "run = onnxruntime_run(path, arrays, 1)"


def _peak(name: str, imports: str, body: str, cache: str) -> tuple[float, float]:
    """Of the process, and of the largest of its children, in MiB."""
    code = SCRIPT.format(bench=str(Path(__file__).parent), name=name, imports=imports, body=body.format())
    environment = {**os.environ, "STEPWELL_CACHE_DIR": cache}
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        print(f"  failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        return float("nan"), float("nan")
    own, children = finished.stdout.split()
    return float(own), float(children)


def main() -> int:
    """A table in MiB."""
    import models

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    arguments = parser.parse_args()
    print(f"{'model':20} {'cold MiB':>9} {'helper MiB':>10} {'warm MiB':>9} {'ORT MiB':>9} {'cold/ORT':>9} {'warm/ORT':>9}")
    for name in arguments.models:
        models.locate(name)  # which writes it, if need be, in a process that is not measured
        with tempfile.TemporaryDirectory() as cache:
            cold, helper = _peak(name, OURS_IMPORTS, OURS, cache)
            warm, _ = _peak(name, OURS_IMPORTS, OURS, cache)
            ort, _ = _peak(name, ORT_IMPORTS, ORT, cache)
        print(f"{name:20} {cold:9.1f} {helper:10.1f} {warm:9.1f} {ort:9.1f} {cold / ort:9.2f} {warm / ort:9.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
