"""Latency of every model of the catalogue beside ONNX Runtime: same inputs, same threads, calls interleaved in one process.

    python bench/latency.py                      # all models, 1 and 2 threads
    python bench/latency.py magika --threads 2 --seconds 5

A ratio above 1 means that Stepwell is faster. `agrees` compares every output at rtol 1e-3, atol 1e-4; exit status 1 where one does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np


def measure(name: str, threads: int, seconds: float) -> tuple[str, bool]:
    """One row of the table, and whether the outputs agree."""
    import models

    import stepwell
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import onnxruntime_run

    path, arrays = models.locate(name), models.inputs(name, 0)
    program = stepwell.compile(path, inputs={k: (v.shape, v.dtype) for k, v in arrays.items()}, threads=threads)
    theirs = onnxruntime_run(path, arrays, threads)
    ours = program(**arrays)
    worst, agrees = 0.0, True
    for got, want in zip(ours.values(), theirs(), strict=True):
        worst = max(worst, float(np.max(np.abs(got.astype(np.float64) - want.astype(np.float64)), initial=0.0)))
        agrees &= got.shape == want.shape and got.dtype == want.dtype and bool(np.allclose(got, want, rtol=1e-3, atol=1e-4))
    samples = interleave({"ours": lambda: program(**arrays), "theirs": theirs}, seconds)
    ours_time, theirs_time = np.asarray(samples["ours"]), np.asarray(samples["theirs"])
    count = min(len(ours_time), len(theirs_time))
    low, middle, high = np.percentile(theirs_time[:count] / ours_time[:count], [10, 50, 90])
    row = (
        f"{name:20} {threads:7} {np.median(ours_time) * 1e3:10.3f} {np.median(theirs_time) * 1e3:10.3f} "
        f"{middle:8.2f} {low:6.2f}..{high:<6.2f} {'yes' if agrees else 'NO':>6} {worst:9.1e}"
    )
    return row, agrees


def main() -> int:
    """One fresh process per row, so that no runtime disturbs the next."""
    import models

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads = [int(t) for t in arguments.threads.split(",")]
    if arguments.row:
        row, agrees = measure(arguments.models[0], threads[0], arguments.seconds)
        print(row, flush=True)
        return 0 if agrees else 1
    print(
        f"{'model':20} {'threads':>7} {'ours ms':>10} {'ORT ms':>10} {'ORT/ours':>8} {'10%..90%':>14} {'agrees':>6} {'max diff':>9}",
        flush=True,
    )
    failed = 0
    for name in arguments.models:
        for count in threads:
            row = [sys.executable, __file__, name, "--threads", str(count), "--seconds", str(arguments.seconds), "--row"]
            finished = subprocess.run(row, check=False, capture_output=True, text=True)
            failed += finished.returncode != 0
            line = finished.stdout.rstrip()
            print(line or f"{name:20} {count:7} failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
