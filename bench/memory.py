"""Peak resident memory above the imports, of loading a model and running it three times: Stepwell cold and warm, ONNX Runtime.

What is merely code is loaded before the first reading: every module of the compiler, LLVM with its targets, and ONNX with its table of
operators. The processes that generate code on behalf of a cold compile are counted apart: the most that all of them took at one time, their
own interpreter and imports included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = """
import gc, resource, sys
sys.path.insert(0, {bench!r})
import models, numpy
{imports}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
arrays, path = models.inputs({name!r}, 0), models.locate({name!r})
gc.collect()
before = peak()
{body}
for _ in range(3):
    run()
print(peak() - before)
"""
OURS_IMPORTS = """
import importlib, onnx.defs, pkgutil, stepwell
onnx.defs.has("Add")
for module in pkgutil.walk_packages(stepwell.__path__, "stepwell."):
    if not module.name.startswith(("stepwell.tools", "stepwell.onnx")):
        importlib.import_module(module.name)
from stepwell.backends.cpu import codegen, link
codegen.prepare()
link._library()
"""
OURS = """
program = stepwell.compile(path, inputs={{k: (v.shape, v.dtype) for k, v in arrays.items()}}, threads=1)
run = lambda: program(**arrays)
"""
ORT_IMPORTS = "from stepwell.tools.stepwell.peers import onnxruntime_run\nimport onnxruntime"
ORT = "run = onnxruntime_run(path, arrays, 1)"


def _peak(name: str, imports: str, body: str, cache: str) -> tuple[float, float]:
    """Of the process above its imports, and of the processes that it starts, in MiB."""
    code = SCRIPT.format(bench=str(Path(__file__).parent), name=name, imports=imports, body=body.format())
    environment = {**os.environ, "STEPWELL_CACHE_DIR": cache}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    helpers = 0.0
    while process.poll() is None:
        helpers = max(helpers, sum(_resident(child) for child in _children(process.pid)))
        time.sleep(0.01)
    out, errors = process.communicate()
    if process.returncode != 0:
        print(f"  failed: {(errors.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        return float("nan"), float("nan")
    return float(out), helpers


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> float:
    """What a process has in memory now; files that it shares with others are counted in full."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def main() -> int:
    """A table in MiB."""
    import models

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    arguments = parser.parse_args()
    print(f"{'model':20} {'cold MiB':>9} {'others MiB':>10} {'warm MiB':>9} {'ORT MiB':>9} {'cold/ORT':>9} {'warm/ORT':>9}")
    for name in arguments.models:
        models.locate(name)  # which writes it, if need be, in a process that is not measured
        with tempfile.TemporaryDirectory() as cache:
            cold, others = _peak(name, OURS_IMPORTS, OURS, cache)
            warm, _ = _peak(name, OURS_IMPORTS, OURS, cache)
            ort, _ = _peak(name, ORT_IMPORTS, ORT, cache)
        print(f"{name:20} {cold:9.1f} {others:10.1f} {warm:9.1f} {ort:9.1f} {cold / ort:9.2f} {warm / ort:9.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
