"""How the kernels of `hopper.cu` are run, and how far each one's result is from numpy's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.backends.ptx.simulate.tensor import encode_tensor_map

Array = np.ndarray[Any, np.dtype[Any]]
TEXT = (Path(__file__).parent.parent / "kernels" / "hopper.ptx").read_text()


def small(rng: np.random.Generator, *shape: int) -> Array:
    return rng.integers(-4, 5, shape).astype(ml_dtypes.bfloat16)


def wide(x: Array) -> Array:
    return x.astype(np.float32)


def ring(text: str, options: Options, depth: int = 448) -> float:
    machine, rng = Machine(), np.random.default_rng(0)
    module = machine.load(text, "hopper.ptx")
    a, b = small(rng, 128, depth), small(rng, 96, depth)
    out = machine.allocate(128 * 96 * 4, "C")
    maps = [
        encode_tensor_map("bf16", machine.upload(x, name), (depth, x.shape[0]), (2 * depth,), (64, rows), swizzle=128)
        for x, name, rows in ((a, "A", 64), (b, "B", 32))
    ]
    machine.launch(module, "ring", [3, 2], [160], [*maps, out, 96, depth], shared=3 * (64 + 32) * 128, options=options)
    return float(np.abs(machine.read(out, [128, 96], np.float32) - wide(a) @ wide(b).T).max())


def transposed(text: str, options: Options, depth: int = 256) -> float:
    machine, rng = Machine(), np.random.default_rng(1)
    module = machine.load(text, "hopper.ptx")
    a, b = small(rng, 64, depth), small(rng, depth, 32)
    out = machine.allocate(60 * 32 * 4, "C")
    maps = [
        encode_tensor_map("bf16", machine.upload(a), (depth, 64), (2 * depth,), (64, 64), swizzle=128),
        encode_tensor_map("bf16", machine.upload(b), (32, depth), (64,), (32, 64), swizzle=64),
        encode_tensor_map("f32", out, (32, 60), (128,), (32, 64)),
    ]
    machine.launch(module, "transposed", [1], [128], [*maps, depth], options=options)
    return float(np.abs(machine.read(out, [60, 32], np.float32) - (wide(a) @ wide(b))[:60]).max())


def fragments(text: str, options: Options) -> float:
    machine, rng = Machine(), np.random.default_rng(2)
    module = machine.load(text, "hopper.ptx")
    a, b = small(rng, 64, 16), small(rng, 32, 16)
    out = machine.allocate(64 * 32 * 4, "C")
    machine.launch(module, "fragments", [1], [128], [machine.upload(a), machine.upload(b), out], options=options)
    return float(np.abs(machine.read(out, [64, 32], np.float32) + wide(a) @ wide(b).T).max())


def bulk(text: str, options: Options) -> float:
    machine = Machine()
    module = machine.load(text, "hopper.ptx")
    x = np.arange(3 * 256, dtype=np.float32)
    out = machine.allocate(x.nbytes, "y")
    machine.launch(module, "bulk", [3], [256], [machine.upload(x, "x"), out], options=options)
    return float(np.abs(machine.read(out, x.shape, np.float32) - 2 * x).max())


def cluster_sum(text: str, options: Options) -> float:
    machine = Machine()
    module = machine.load(text, "hopper.ptx")
    x = np.arange(6 * 128, dtype=np.float32) % 13
    out = machine.allocate(x.nbytes)
    machine.launch(module, "cluster_sum", [6], [128], [machine.upload(x), out], options=options)
    expected = np.repeat(x.reshape(3, 256).sum(1), 256)
    return float(np.abs(machine.read(out, x.shape, np.float32) - expected).max())


def multicast(text: str, options: Options) -> float:
    machine = Machine()
    module = machine.load(text, "hopper.ptx")
    x = np.random.default_rng(3).standard_normal((30, 32)).astype(np.float32)
    tensor = encode_tensor_map("f32", machine.upload(x), (32, 30), (128,), (32, 8))
    out = machine.allocate(4 * 16 * 32 * 4)
    machine.launch(module, "multicast", [4], [128], [tensor, out], options=options)
    expected = np.vstack([x, np.zeros((2, 32), np.float32)]).reshape(2, 1, 16, 32)
    return float(np.abs(machine.read(out, [2, 2, 16, 32], np.float32) - expected).max())


def counted(text: str, options: Options) -> float:
    machine = Machine()
    module = machine.load(text, "hopper.ptx")
    x = np.arange(3 * 2 * 128, dtype=np.float32)
    out = machine.allocate(x.nbytes)
    machine.launch(module, "counted", [2], [128], [machine.upload(x), out], options=options)
    return float(np.abs(machine.read(out, [6, 128], np.float32) - x.reshape(6, 128)[:, ::-1]).max())


def named(text: str, options: Options) -> float:
    machine = Machine()
    module = machine.load(text, "hopper.ptx")
    x = np.arange(7 * 32, dtype=np.float32)
    out = machine.allocate(x.nbytes)
    machine.launch(module, "named", [1], [64], [machine.upload(x), out, 7], options=options)
    return float(np.abs(machine.read(out, [7, 32], np.float32) - x.reshape(7, 32)[:, ::-1]).max())


KERNELS = {f.__name__: f for f in (ring, transposed, fragments, bulk, cluster_sum, multicast, counted, named)}
