"""Latency of every model of the catalogue beside ONNX Runtime: same inputs, same threads, calls interleaved in one process.

    python bench/latency.py                      # all models, 1 and 2 threads
    python bench/latency.py magika --threads 2 --seconds 5
    python bench/latency.py resnet50 --openvino  # beside OpenVINO as well
    python bench/latency.py resnet50 --numerics strict --convolution direct

A ratio above 1 means that Stepwell is faster. `quiet` is the ratio of the 10th percentiles, which neighbours on the machine disturb less.
`agrees` compares every output at rtol 1e-3, atol 1e-4; exit status 1 where one does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np


def measure(name: str, threads: int, arguments: argparse.Namespace) -> tuple[str, bool]:
    """One row of the table, and whether the outputs agree."""
    import models

    import stepwell
    from stepwell.backends.cpu.program import Program
    from stepwell.tools.stepwell.measure import interleave
    from stepwell.tools.stepwell.peers import onnxruntime_run, openvino_run

    path, arrays = models.locate(name), models.inputs(name, 0)
    program = stepwell.compile(
        path,
        inputs={k: (v.shape, v.dtype) for k, v in arrays.items()},
        threads=threads,
        numerics=arguments.numerics,
        convolution=arguments.convolution,
    )
    assert isinstance(program, Program)
    theirs = onnxruntime_run(path, arrays, threads)
    ours = program(arrays)
    worst, agrees = 0.0, True
    for got, want in zip(ours.values(), theirs(), strict=True):
        worst = max(worst, float(np.max(np.abs(got.astype(np.float64) - want.astype(np.float64)), initial=0.0)))
        agrees &= got.shape == want.shape and got.dtype == want.dtype and bool(np.allclose(got, want, rtol=1e-3, atol=1e-4))
    others = {"openvino": openvino_run(path, arrays, threads)} if arguments.openvino else {}
    samples = interleave({"ours": lambda: program(arrays), "theirs": theirs, **others}, arguments.seconds)
    ours_time, theirs_time = np.asarray(samples["ours"]), np.asarray(samples["theirs"])
    count = min(len(ours_time), len(theirs_time))
    low, middle, high = np.percentile(theirs_time[:count] / ours_time[:count], [10, 50, 90])
    quiet = np.percentile(theirs_time, 10) / np.percentile(ours_time, 10)
    row = (
        f"{name:20} {threads:7} {np.median(ours_time) * 1e3:10.3f} {np.median(theirs_time) * 1e3:10.3f} "
        f"{middle:8.2f} {low:6.2f}..{high:<6.2f} {quiet:5.2f} {'yes' if agrees else 'NO':>6} {worst:9.1e}"
    )
    for times in map(np.asarray, (samples[peer] for peer in others)):
        count = min(len(ours_time), len(times))
        low, middle, high = np.percentile(times[:count] / ours_time[:count], [10, 50, 90])
        quiet = np.percentile(times, 10) / np.percentile(ours_time, 10)
        row += f" {middle:8.2f} {low:6.2f}..{high:<6.2f} {quiet:5.2f}"
    return row, agrees


def main() -> int:
    """One fresh process per row, so that no runtime disturbs the next."""
    import models

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(models.MODELS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--openvino", action="store_true", help="measure OpenVINO in the same run, too")
    parser.add_argument("--numerics", default="fast", help="fast or strict")
    parser.add_argument("--convolution", default="auto", help="the algorithm of convolutions where there is a choice")
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads = [int(t) for t in arguments.threads.split(",")]
    if arguments.row:
        row, agrees = measure(arguments.models[0], threads[0], arguments)
        print(row, flush=True)
        return 0 if agrees else 1
    ratios = f"{'10%..90%':>14} {'quiet':>5}"
    columns = f"{'ours ms':>10} {'ORT ms':>10} {'ORT/ours':>8} {ratios} {'agrees':>6} {'max diff':>9}"
    print(f"{'model':20} {'threads':>7} {columns}{f'  OV/ours {ratios}' if arguments.openvino else ''}", flush=True)
    failed = 0
    for name in arguments.models:
        for count in threads:
            row = [sys.executable, __file__, name, "--threads", str(count), "--seconds", str(arguments.seconds), "--row"]
            row += [
                "--numerics",
                arguments.numerics,
                "--convolution",
                arguments.convolution,
                *(["--openvino"] if arguments.openvino else []),
            ]
            finished = subprocess.run(row, check=False, capture_output=True, text=True)
            failed += finished.returncode != 0
            line = finished.stdout.rstrip()
            print(line or f"{name:20} {count:7} failed: {(finished.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
