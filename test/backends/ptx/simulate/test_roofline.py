"""The least time of a launch, against what can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hopper_kernels import TEXT, small

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.backends.ptx.simulate.roofline import GPUS, gpu_called, roofline
from stepwell.backends.ptx.simulate.tensor import encode_tensor_map
from stepwell.ir.diagnostics import CompileError

SCALAR = (Path(__file__).parent.parent / "kernels" / "scalar.ptx").read_text()


def test_a_large_saxpy_is_bound_by_memory() -> None:
    machine, count = Machine(), 1 << 20
    x, y = machine.upload(np.ones(count, np.float32)), machine.upload(np.ones(count, np.float32))
    traffic = machine.launch(machine.load(SCALAR), "saxpy", [count // 256], [256], [count, 2.0, x, y], options=Options(traffic=True))
    lines = roofline(traffic, GPUS["A100"])
    # Each of the two arrays is counted once, though y is read and written.
    assert lines[0].resource == "memory"
    assert lines[0].seconds == pytest.approx(2 * 4 * count / 1555e9, rel=1e-3)
    cached = next(line for line in lines if line.resource == "L2 cache")
    assert cached.amount == f"{3 * 4 * count:,} bytes"


def test_tensor_work_and_boxes_are_counted() -> None:
    machine, rng, depth = Machine(), np.random.default_rng(0), 256
    maps = [
        encode_tensor_map("bf16", machine.upload(small(rng, rows, depth)), (depth, rows), (2 * depth,), (64, box), swizzle=128)
        for rows, box in ((128, 64), (96, 32))
    ]
    out = machine.allocate(128 * 96 * 4)
    traffic = machine.launch(
        machine.load(TEXT), "ring", [3, 2], [160], [*maps, out, 96, depth], shared=3 * 96 * 128, options=Options(traffic=True)
    )
    assert traffic.tensor_work == {"bf16": 128 * 96 * depth}
    assert traffic.bulk_bytes == 6 * (64 + 32) * depth * 2
    assert traffic.distinct_sectors * 32 == pytest.approx((128 + 96) * depth * 2 + 128 * 96 * 4 + 256, abs=512)
    found = {line.resource: line.seconds for line in roofline(traffic, GPUS["H100"])}
    assert found["tensor cores (bf16)"] == pytest.approx(128 * 96 * depth / (494.7e12 * 6 / 132))


def test_unknown_gpus_and_types() -> None:
    assert gpu_called("rtx4090") is GPUS["RTX 4090"]
    with pytest.raises(CompileError, match="no GPU 'Voodoo'"):
        gpu_called("Voodoo")
