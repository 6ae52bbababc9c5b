"""Faults planted in kernels that run right: each one is an error of the simulator or a wrong answer, in some order of warps and copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hopper_kernels import KERNELS, TEXT
from test_machine import SCALAR, TENSOR_CORE, run_hgemm, run_sgemm

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.ir.diagnostics import CompileError

ORDERS = [Options(max_steps=20_000), *(Options(seed=seed, max_steps=20_000) for seed in (1, 2, 3))]


def saxpy(text: str, options: Options) -> float:
    machine = Machine()
    x = np.arange(100, dtype=np.float32)
    at, out = machine.upload(x, "x"), machine.upload(x, "y")
    machine.launch(machine.load(text), "saxpy", [1], [128], [100, 2.0, at, out], options=options)
    return float(np.abs(machine.read(out, [100], np.float32) - 3 * x).max())


def reduce(text: str, options: Options) -> float:
    machine = Machine()
    x = np.arange(3000, dtype=np.float32) % 17
    out = machine.upload(np.zeros(1, np.float32))
    machine.launch(machine.load(text), "reduce", [4], [96], [machine.upload(x), out, 3000], options=options)
    return float(abs(machine.read(out, [1], np.float32)[0] - x.sum()))


def histogram(text: str, options: Options) -> float:
    machine = Machine()
    x = np.random.default_rng(3).integers(0, 256, 1000).astype(np.uint8)
    out = machine.upload(np.zeros(256, np.uint32))
    machine.launch(machine.load(text), "histogram", [2], [128], [machine.upload(x), out, 1000], options=options)
    return float(np.abs(machine.read(out, [256], np.uint32).astype(int) - np.bincount(x, minlength=256)).max())


def sgemm(text: str, options: Options) -> float:
    return float(np.abs(run_sgemm(text, options)).max())


RUNS: dict[str, tuple[str, Callable[[str, Options], float]]] = {
    **{name: (TEXT, run) for name, run in KERNELS.items()},
    **{run.__name__: (SCALAR, run) for run in (saxpy, reduce, histogram, sgemm)},
    "hgemm": (TENSOR_CORE, run_hgemm),
}


@dataclass(frozen=True)
class Plant:
    """What matches `pattern` in a kernel (the `which`-th of them, or all) becomes `by`. `seen` is a part of the error."""

    kernel: str
    what: str
    pattern: str
    by: str = ""
    which: int | None = 0
    seen: str = ""


PLANTS = [
    Plant("saxpy", "guard off by one", r"setp\.ge\.s32", "setp.gt.s32", seen="over the end"),
    Plant("saxpy", "wrong predicate", r"setp\.ge\.s32", "setp.lt.s32"),
    Plant("saxpy", "uninitialised register", r"mad\.lo\.s32 [^;]*;", seen="in no allocation"),
    Plant("saxpy", "wrong element size", r"mul\.wide\.s32 ([^;]*), 4;", r"mul.wide.s32 \1, 8;"),
    Plant("reduce", "barrier removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("reduce", "a shuffle's distance", r"mov\.u32 \t(%r\d+), 8;", r"mov.u32 \t\1, 4;"),
    Plant("reduce", "only half of the warp shuffles",
          r"setp\.gt\.u32 \t(%p9), (%r2), 31", r"setp.gt.u32 \t\1, \2, 15", seen="does not take part"),
    Plant("reduce", "atomic becomes a store", r"atom\.global\.add\.f32 \t%f30, ", "st.global.f32 "),
    Plant("reduce", "all lanes store", r"setp\.ne\.s32 \t(%p8), (%r27), 0", r"setp.ne.s32 \t\1, 0, 0", seen="race"),
    Plant("histogram", "first barrier removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("histogram", "second barrier removed", r"bar\.sync[^;]*;", which=1, seen="race"),
    Plant("histogram", "no atomic", r"atom\.shared\.add\.u32 \t(%r22), (\[%r21\]), 1;", r"st.shared.u32 \2, 1;", seen="race"),
    Plant("histogram", "one bin too many", r"setp\.lt\.s32 \t(%p\d), (%r\d+), 256", r"setp.lt.s32 \t\1, \2, 257", None),
    Plant("sgemm", "first barrier removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("sgemm", "second barrier removed", r"bar\.sync[^;]*;", which=1, seen="race"),
    Plant("sgemm", "guard of a row off by one", r"setp\.ge\.s32 \t%p3", "setp.gt.s32 \t%p3"),
    Plant("sgemm", "guard of the result off by one", r"setp\.ge\.s32 \t%p10", "setp.gt.s32 \t%p10"),
    Plant("hgemm", "wait for one group less", r"cp\.async\.wait_group 0", "cp.async.wait_group 1", seen="not waited for"),
    Plant("hgemm", "wait for two groups less", r"cp\.async\.wait_group 1", "cp.async.wait_group 2", seen="not waited for"),
    Plant("hgemm", "no commit", r"cp\.async\.commit_group;", "", None),
    Plant("hgemm", "first barrier removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("hgemm", "second barrier removed", r"bar\.sync[^;]*;", which=1, seen="race"),
    Plant("hgemm", "not transposed", r"\.trans", "", None),
    Plant("ring", "mbarriers not fenced", r"fence\.mbarrier_init[^;]*;", seen="without fence"),
    Plant("ring", "barrier behind the mbarriers removed", r"bar\.sync[^;]*;"),
    Plant("ring", "producer does not wait", r"@p bra DONE;", "bra DONE;", 3),
    Plant("ring", "producer never waits",
          r"(\{\.reg \.pred p;|\.reg \.pred p;)(\s*AGAIN:\s*mbarrier\.try_wait[^;]*%r(?:221|233|245|257|304)\][^;]*;\s*)@p bra",
          r"\1\2bra", None),
    Plant("ring", "consumer does not wait", r"(mbarrier\.try_wait[^;]*\[%r(?:47|94|142)\][^;]*;\s*)@p bra DONE", r"\1bra DONE", None),
    Plant("ring", "expected bytes missing",
          r"mbarrier\.arrive\.expect_tx\.shared::cta\.b64 _, (\[%r\d+\]), %r\d+;", r"mbarrier.arrive.shared::cta.b64 _, \1;", None),
    Plant("ring", "too few bytes expected", r"12288;", "8192;", None),
    Plant("ring", "too many bytes expected", r"12288;", "12304;", None, seen="deadlock"),
    Plant("ring", "no wgmma.fence", r"wgmma\.fence[^;]*;", "", None, seen="without a wgmma.fence"),
    Plant("ring", "no wait for the products", r"wgmma\.wait_group[^;]*;", "", None),
    Plant("ring", "wait for one group less", r"wait_group\.sync\.aligned 0;", "wait_group.sync.aligned 1;", None),
    Plant("ring", "no commit", r"wgmma\.commit_group[^;]*;", "", None),
    Plant("ring", "one arrival too few", r"mbarrier\.arrive\.shared::cta\.b64 _, [^;]*;", "", 0),
    Plant("ring", "no arrivals of consumers", r"mbarrier\.arrive\.shared::cta\.b64 _, [^;]*;", "", None, seen="deadlock"),
    Plant("ring", "all lanes arrive", r"setp\.ne\.s32 \t(%p[59]), (%r3), 0", r"setp.ne.s32 \t\1, 0, 0", None),
    Plant("ring", "wrong box of B", r"\{%r(231|243|255|267|314), %r15\}", r"{%r\1, %r14}", None),
    Plant("ring", "too few stages allocated", r"mbarrier\.init\.shared::cta\.b64 \[%r40\][^;]*;", "", 0, seen="no mbarrier"),
    Plant("transposed", "mbarriers not fenced", r"fence\.proxy\.async[^;]*;", seen="without fence"),
    Plant("transposed", "result not fenced", r"fence\.proxy\.async[^;]*;", which=1, seen="without fence.proxy.async"),
    Plant("transposed", "result without a barrier", r"bar\.sync[^;]*;", which=4, seen="race"),
    Plant("transposed", "no barrier between steps", r"bar\.sync[^;]*;", which=1),
    Plant("transposed", "kernel ends before the copy has read", r"cp\.async\.bulk\.wait_group\.read 0;", seen="kernel ends while"),
    Plant("transposed", "copies out not committed", r"cp\.async\.bulk\.commit_group;", seen="kernel ends while"),
    Plant("transposed", "B not transposed", r"1, 1, 1, 0, 1;", "1, 1, 1, 0, 0;", None),
    Plant("transposed", "a negative scale", r"1, 1, 1, 0, 1;", "1, 1, -1, 0, 1;"),
    Plant("transposed", "last wait relaxed", r"wgmma\.wait_group\.sync\.aligned 0;", "", None),
    Plant("transposed", "coordinates exchanged", r"\{%r37, %r41\}", "{%r41, %r37}"),
    Plant("fragments", "no proxy fence", r"fence\.proxy\.async[^;]*;", seen="without fence.proxy.async"),
    Plant("fragments", "barrier removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("fragments", "no wait", r"wgmma\.wait_group[^;]*;"),
    Plant("fragments", "half of B not written", r"setp\.gt\.s32 \t(%p1), (%r1), 511", r"setp.gt.s32 \t\1, \2, 63"),
    Plant("fragments", "both signs wrong", r"(%rd14), 0, 1, -1, 0;", r"\1, 1, -1, -1, 0;"),
    Plant("fragments", "registers of A exchanged", r"\{%r155,%r156,", "{%r156,%r155,"),
    Plant("bulk", "no mbarrier fence", r"fence\.proxy\.async[^;]*;", seen="without fence"),
    Plant("bulk", "no proxy fence before the copy out", r"fence\.proxy\.async[^;]*;", which=1, seen="without fence.proxy.async"),
    Plant("bulk", "barrier before the copy out removed", r"bar\.sync[^;]*;", which=1, seen="race"),
    Plant("bulk", "wrong parity", r"(mbarrier\.try_wait[^;]*), %r11;", r"\1, 1;", seen="race"),
    Plant("bulk", "half of it copied", r"\], 1024, \[", "], 512, [", seen="deadlock"),
    Plant("bulk", "the copy out is not waited for", r"cp\.async\.bulk\.wait_group 0;", seen="kernel ends while"),
    Plant("cluster_sum", "no barrier of the cluster", r"barrier\.cluster\.[^;]*;", "", None, seen="race"),
    Plant("cluster_sum", "arrives and does not wait", r"barrier\.cluster\.wait[^;]*;", seen="race"),
    Plant("cluster_sum", "barrier of the block removed", r"bar\.sync[^;]*;", seen="race"),
    Plant("cluster_sum", "always block 0", r"(mapa\.shared::cluster\.u32 %r12, %r13, )%r14", r"\g<1>0"),
    Plant("cluster_sum", "a block outside of the cluster",
          r"(mapa\.shared::cluster\.u32 %r12, %r13, )%r14", r"\g<1>2", seen="outside of its cluster"),
    Plant("multicast", "to one block only", r"%rs1;", "1;", 0),
    Plant("multicast", "first barrier of the cluster removed", r"barrier\.cluster\.(?:arrive\.release|wait\.acquire)\.aligned;", "", 0),
    Plant("multicast", "mbarriers not fenced", r"fence\.mbarrier_init[^;]*;", seen="without fence"),
    Plant("counted", "arrives before its copy",
          r"cp\.async\.mbarrier\.arrive\.noinc\.shared::cta\.b64 (\[%r5\]);",
          r"mbarrier.arrive.shared::cta.b64 _, \1;", None, seen="not waited for"),
    Plant("counted", "barrier between rounds removed", r"bar\.sync[^;]*;", which=1, seen="race"),
    Plant("counted", "without .noinc", r"\.noinc", "", None, seen="deadlock"),
    Plant("counted", "wrong parity", r"(mbarrier\.try_wait[^;]*), %r11;", r"\1, 0;"),
    Plant("named", "no arrival of the producer", r"barrier\.cta\.arrive %r18, 64;", seen="deadlock"),
    Plant("named", "producer does not wait", r"barrier\.cta\.sync %r31, 64;", seen="race"),
    Plant("named", "consumer does not wait", r"barrier\.cta\.sync %r16, 64;", seen="race"),
    Plant("named", "number of the barrier not computed yet", r"barrier\.cta\.sync %r16, 64;", "barrier.cta.sync %r19, 64;"),
]  # fmt: skip


def planted(plant: Plant, text: str) -> str:
    """The text with the fault in it."""
    start = text.index(f".entry {plant.kernel}(")
    end = text.find(".visible .entry", start)
    body = text[start : end if end >= 0 else len(text)]
    found = list(re.finditer(plant.pattern, body))
    chosen = found if plant.which is None else found[plant.which : plant.which + 1]
    assert chosen, f"'{plant.what}' matches nothing in {plant.kernel}"
    for match in reversed(chosen):
        body = body[: match.start()] + match.expand(plant.by) + body[match.end() :]
    return text[:start] + body + (text[end:] if end >= 0 else "")


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: f"{p.kernel}: {p.what}")
def test_a_planted_fault_is_found(plant: Plant) -> None:
    text, run = RUNS[plant.kernel]
    changed = planted(plant, text)
    found: list[str] = []
    for options in ORDERS:
        try:
            error = run(changed, options)
        except CompileError as fault:
            found.append(str(fault))
            break
        if not error == 0:
            found.append(f"off by {error}")
            break
    assert found, "survived"
    if plant.seen:
        assert re.search(plant.seen, found[0]), found[0]


def test_there_are_faults_enough() -> None:
    assert len(PLANTS) >= 40
    assert len({plant.kernel for plant in PLANTS}) >= 6
    for text, run in RUNS.values():
        assert all(run(text, options) == 0 for options in ORDERS)
