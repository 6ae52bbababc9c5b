"""Kernels that nvcc compiled run right in the machine, whatever the order of warps, and planted faults are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.backends.ptx.simulate.machine import LoadedModule, Machine, Options
from stepwell.ir.diagnostics import CompileError

Array = np.ndarray[Any, np.dtype[Any]]
KERNELS = Path(__file__).parent.parent / "kernels"
SCALAR = (KERNELS / "scalar.ptx").read_text()
TENSOR_CORE = (KERNELS / "tensor_core.ptx").read_text()
ORDERS = [Options(), Options(seed=1), Options(seed=2, lanes=64), Options(races=False)]


def loaded(text: str) -> tuple[Machine, LoadedModule]:
    machine = Machine()
    return machine, machine.load(text, "k.ptx")


def kernel(instructions: str) -> str:
    registers = ".reg .b32 %r<9>; .reg .b64 %a<9>; .reg .pred %p<4>;"
    return (
        f".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 out)\n{{\n"
        f"{registers}\n.shared .align 16 .b8 s[256];\n"
        f"ld.param.u64 %a1, [out];\nmov.u32 %r1, %tid.x;\nmul.wide.u32 %a2, %r1, 4;\nadd.s64 %a1, %a1, %a2;\n{instructions}\nret;\n}}\n"
    )


@pytest.mark.parametrize("options", ORDERS)
def test_saxpy(options: Options) -> None:
    machine, module = loaded(SCALAR)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1000)).astype(np.float32)
    out = machine.upload(y)
    machine.launch(module, "saxpy", [8], [128], [1000, 2.0, machine.upload(x), out], options=options)
    np.testing.assert_array_equal(machine.read(out, [1000], np.float32), np.float32(2) * x + y)


@pytest.mark.parametrize("options", ORDERS)
def test_reduction_by_shuffles_and_atomics(options: Options) -> None:
    machine, module = loaded(SCALAR)
    x = np.arange(3000, dtype=np.float32) % 17
    out = machine.upload(np.zeros(1, np.float32))
    machine.launch(module, "reduce", [4], [96], [machine.upload(x), out, 3000], options=options)
    assert machine.read(out, [1], np.float32)[0] == x.sum()


def run_sgemm(text: str, options: Options) -> Array:
    machine, module = loaded(text)
    rng = np.random.default_rng(1)
    a, b = rng.integers(-4, 5, (40, 25)).astype(np.float32), rng.integers(-4, 5, (25, 35)).astype(np.float32)
    out = machine.allocate(40 * 35 * 4, "C")
    machine.launch(module, "sgemm", [3, 3], [16, 16], [machine.upload(a, "A"), machine.upload(b, "B"), out, 40, 35, 25], options=options)
    return machine.read(out, [40, 35], np.float32) - a @ b


@pytest.mark.parametrize("options", ORDERS)
def test_tiled_matmul(options: Options) -> None:
    assert not run_sgemm(SCALAR, options).any()


def test_integers_and_divergence() -> None:
    machine, module = loaded(SCALAR)
    x = np.random.default_rng(2).integers(-(2**31), 2**31, 100).astype(np.int32)
    out, steps = machine.allocate(100 * 64), machine.allocate(400)
    machine.launch(module, "integers", [1], [128], [machine.upload(x), out, 100])
    found = machine.read(out, [100, 8], np.int64)
    for value, row in zip(x.tolist(), found.tolist(), strict=True):
        quotient = abs(value) // 7 * (1 if value >= 0 else -1)
        bits = value & 0xFFFFFFFF
        assert row[0] == quotient
        assert row[1] == value - 7 * quotient
        assert row[2] == bits.bit_count() + 64 * (32 - bits.bit_length())
        assert row[4] == value * 0x12345678 >> 32
        assert row[5] == value * value
    starts = np.arange(1, 101, dtype=np.uint32)
    machine.launch(module, "collatz", [1], [128], [machine.upload(starts), steps, 100])

    def collatz(n: int) -> int:
        return 0 if n == 1 else 1 + collatz(3 * n + 1 if n % 2 else n // 2)

    assert machine.read(steps, [100], np.uint32).tolist() == [collatz(n) for n in range(1, 101)]


def test_histogram_by_atomics_of_shared_memory() -> None:
    machine, module = loaded(SCALAR)
    x = np.random.default_rng(3).integers(0, 256, 5000).astype(np.uint8)
    out = machine.upload(np.zeros(256, np.uint32))
    machine.launch(module, "histogram", [4], [128], [machine.upload(x), out, 5000])
    np.testing.assert_array_equal(machine.read(out, [256], np.uint32), np.bincount(x, minlength=256))


def run_hgemm(text: str, options: Options) -> float:
    machine, module = loaded(text)
    rng = np.random.default_rng(4)
    a, b = rng.integers(-8, 9, (128, 96)).astype(np.float16), rng.integers(-8, 9, (96, 64)).astype(np.float16)
    out = machine.allocate(128 * 64 * 4, "C")
    machine.launch(module, "hgemm", [2], [128], [machine.upload(a, "A"), machine.upload(b, "B"), out, 96], options=options)
    return float(np.abs(machine.read(out, [128, 64], np.float32) - a.astype(np.float32) @ b.astype(np.float32)).max())


@pytest.mark.parametrize("options", ORDERS)
def test_tensor_cores(options: Options) -> None:
    assert run_hgemm(TENSOR_CORE, options) == 0


# ---- planted faults --------------------------------------------------------------------------------------------------------------------


def without(text: str, pattern: str, which: int, start: str = "") -> str:
    """The text without one instruction, the `which`-th that matches behind `start`."""
    found = [m for m in re.finditer(pattern + r"[^;]*;", text) if m.start() >= text.find(start)][which]
    return text[: found.start()] + text[found.end() :]


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_barrier_is_a_race(which: int) -> None:
    with pytest.raises(CompileError, match=r"k\.ptx:\d+:1: error: race: byte \d+ of shared memory .* thread \(\d+, \d+, 0\) of block"):
        run_sgemm(without(SCALAR, r"bar\.sync", which, "entry sgemm"), Options())
    with pytest.raises(CompileError, match="race"):
        run_hgemm(without(TENSOR_CORE, r"bar\.sync", which), Options())


@pytest.mark.parametrize("change", [("wait_group 1", "wait_group 2"), ("wait_group 0", "wait_group 1")])
def test_a_lax_wait_shows(change: tuple[str, str]) -> None:
    text = TENSOR_CORE.replace(*change)
    with pytest.raises(CompileError, match="is being written by a copy that was not waited for"):
        run_hgemm(text, Options())
    assert not run_hgemm(text, Options(races=False)) == 0


def test_a_guard_off_by_one() -> None:
    machine, module = loaded(SCALAR.replace("setp.ge.s32 \t%p1, %r1, %r2;", "setp.gt.s32 \t%p1, %r1, %r2;", 1))
    x = machine.upload(np.zeros(100, np.float32), "x")
    with pytest.raises(CompileError, match=r"4 bytes at 0x\w+, 4 bytes over the end of 'x' \(400 bytes\): thread \(100, 0, 0\)"):
        machine.launch(module, "saxpy", [1], [128], [100, 2.0, x, x])


@pytest.mark.parametrize(
    ("instructions", "message"),
    [
        ("st.global.u32 [%a3], %r1;", "in no allocation"),
        ("st.shared.u32 [%r1+1], %r1;", "not aligned"),
        ("st.shared.u32 [%r1+256], %r1;", "of shared memory, of which there are 256"),
        ("st.shared.u32 [s], %r1;", "race: byte 0 of shared memory is written by"),
        ("setp.eq.u32 %p1, %r1, 3; @%p1 bra $E; bar.sync 0, 64; $E:", "deadlock at barrier 0: 32 of 64"),
        ("setp.eq.u32 %p1, %r1, 3; @%p1 bra $E; shfl.sync.idx.b32 %r2, %r1, 0, 31, -1; $E:", "waits for lane 3"),
        ("trap;", "the kernel traps"),
        ("bar.sync 16;", "no barrier 16"),
        ("$L: bra $L;", "does not end"),
        ("frob.u32 %r1, %r2;", "k.ptx:12:1: error: the instruction 'frob.u32' is not simulated"),
        ("mov.u32 %r77, 1;", "needs a register"),
        ("bra $NOWHERE;", "unknown label"),
        ("ld.global.u32 %r1, [nobody];", "unknown name 'nobody'"),
        ("mma.sync.aligned.m16n8k17.row.col.f32.f16.f16.f32 {%r1},{%r1},{%r1},{%r1};", "there is no"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(instructions: str, message: str) -> None:
    machine, module = loaded(kernel(instructions))
    with pytest.raises(CompileError, match=message):
        machine.launch(module, "k", [1], [32], [machine.allocate(128)], options=Options(max_steps=1000))


@pytest.mark.parametrize(
    ("launch", "message"),
    [
        (lambda m, f: m.launch(f, "nothing", [1], [32], []), "no kernel 'nothing'"),
        (lambda m, f: m.launch(f, "k", [1], [32], []), "takes 1 arguments, not 0"),
        (lambda m, f: m.launch(f, "k", [1], [2048], [0]), "from 1 to 1024"),
        (lambda m, f: m.launch(f, "k", [0], [32], [0]), "a grid has"),
        (lambda m, f: m.launch(f, "k", [1], [32], [1 << 70]), "does not fit"),
        (lambda m, f: m.launch(f, "k", [1], [32], [0], shared=1 << 20), "bytes of shared memory"),
    ],
)
def test_wrong_launches(launch: Callable[[Machine, LoadedModule], Any], message: str) -> None:
    machine, module = loaded(kernel(""))
    with pytest.raises(CompileError, match=message):
        launch(machine, module)


def test_traffic_counts_conflicts_and_sectors() -> None:
    machine, module = loaded(
        kernel("shl.b32 %r2, %r1, 7; and.b32 %r2, %r2, 255; shl.b32 %r2, %r1, 3; ld.shared.u32 %r3, [%r2]; st.global.u32 [%a1], %r3;")
    )
    counted = machine.launch(module, "k", [1], [32], [machine.allocate(128)], options=Options(traffic=True))
    assert (counted.shared_requests, counted.bank_conflicts) == (1, 1)
    assert (counted.global_requests, counted.global_sectors, counted.sectors_against_ideal) == (1, 4, 1.0)
    assert counted.instructions["ld.shared.u32"] == 32
