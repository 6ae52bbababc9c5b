"""Functions that are called, tables of branches, barriers that count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stepwell.backends.ptx.simulate.machine import Machine, Options
from stepwell.ir.diagnostics import CompileError

TEXT = (Path(__file__).parent.parent / "kernels" / "calls.ptx").read_text()
ORDERS = [Options(), Options(seed=1), Options(lanes=32)]


@pytest.mark.parametrize("options", ORDERS)
def test_device_functions(options: Options) -> None:
    machine = Machine()
    x = np.random.default_rng(0).integers(-20, 30, 200).astype(np.int32)
    out = machine.allocate(200 * 16)
    machine.launch(machine.load(TEXT), "calls", [4], [64], [machine.upload(x), out, 200], options=options)
    for i, (value, row) in enumerate(zip(x.tolist(), machine.read(out, [200, 4], np.int32).tolist(), strict=True)):
        low, high = min(value, 10), max(value, 10)
        n = i % 5
        power = value**n + (1 if n > 2 else -1) if i % 3 else 0
        switch = [low * 3, high + 7, low ^ high, i << 3, high // 3, -i, 99][i % 7]
        assert row == [low, high, power, switch]


@pytest.mark.parametrize("options", ORDERS)
def test_barriers_that_count(options: Options) -> None:
    machine = Machine()
    x = np.random.default_rng(1).integers(-9, 7, (2, 96)).astype(np.int32)
    out = machine.allocate(x.nbytes)
    machine.launch(machine.load(TEXT), "counts", [2], [96], [machine.upload(x), out], options=options)
    expected = np.zeros_like(x)
    for block in range(2):
        for t in range(96):
            warp = x[block, t // 32 * 32 : t // 32 * 32 + 32]
            row = x[block]
            expected[block, t] = (row > 0).sum() + 1000 * (row > -9).all() + 2000 * (row == 5).any()
            expected[block, t] += 10000 * (warp == x[block, t]).sum() + 1000000 * (warp & 1).sum()
    np.testing.assert_array_equal(machine.read(out, [2, 96], np.int32), expected)


def test_recursion_is_refused() -> None:
    text = TEXT.replace("_Z5poweriii", "_Z5powerii").replace("_Z5powerii, \n", "_Z6deeperii, \n")
    with pytest.raises(CompileError, match="recursion is not simulated"):
        Machine().load(text).program("calls")


def test_a_table_of_branches() -> None:
    text = """.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out)
{
  .reg .b32 %r<4>; .reg .b64 %a<3>;
  ld.param.u64 %a1, [out]; mov.u32 %r1, %tid.x; mul.wide.u32 %a2, %r1, 4; add.s64 %a1, %a1, %a2; rem.u32 %r2, %r1, 3;
  table: .branchtargets ZERO, ONE, TWO;
  brx.idx %r2, table;
  ZERO: mov.u32 %r3, 5; bra DONE;
  ONE: mov.u32 %r3, 6; bra DONE;
  TWO: mov.u32 %r3, 7;
  DONE: st.global.u32 [%a1], %r3; ret;
}
"""
    machine = Machine()
    out = machine.allocate(128)
    machine.launch(machine.load(text), "k", [1], [32], [out])
    assert machine.read(out, [32], np.uint32).tolist() == [5 + t % 3 for t in range(32)]
