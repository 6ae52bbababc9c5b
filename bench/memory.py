"""Peak resident memory above the imports, of loading a model and running it three times: Stepwell cold (compiling), Stepwell warm, ONNX Runtime."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = """
import resource, sys
sys.path.insert(0, {bench!r})
import models, numpy
{imports}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
arrays, path = models.inputs({name!r}, 0), models.locate({name!r})
before = peak()
{body}
for _ in range(3):
    run()
print(peak() - before)
"""
OURS_IMPORTS = "import stepwell, stepwell.api, stepwell.backends.cpu.compile, stepwell.frontends.onnx.importer, llvmlite.binding"
OURS = "program = stepwell.compile(path, inputs={{k: (v.shape, v.dtype) for k, v in arrays.items()}}, threads=1)\nrun = lambda: program(**arrays)"
ORT_IMPORTS = "from stepwell.tools.stepwell.peers import onnxruntime_run\nimport onnxruntime"
ORT = "run = onnxruntime_run(path, arrays, 1)"


def _peak(name: str, imports: str, body: str, cache: str) -> float:
    code = SCRIPT.format(bench=str(Path(__file__).parent), name=name, imports=imports, body=body.format())
    environment = {**os.environ, "STEPWELL_CACHE_DIR": cache}
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        print(f"  failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        return float("nan")
    return float(finished.stdout.split()[0])


def main() -> int:
    """A table in MiB."""
    import models

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    arguments = parser.parse_args()
    print(f"{'model':20} {'cold MiB':>9} {'warm MiB':>9} {'ORT MiB':>9} {'cold/ORT':>9} {'warm/ORT':>9}")
    for name in arguments.models:
        with tempfile.TemporaryDirectory() as cache:
            cold = _peak(name, OURS_IMPORTS, OURS, cache)
            warm = _peak(name, OURS_IMPORTS, OURS, cache)
            ort = _peak(name, ORT_IMPORTS, ORT, cache)
        print(f"{name:20} {cold:9.1f} {warm:9.1f} {ort:9.1f} {cold / ort:9.2f} {warm / ort:9.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
