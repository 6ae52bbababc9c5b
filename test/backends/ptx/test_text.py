"""Reading PTX: what a text says, and where it is wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from stepwell.backends.ptx.syntax import Address, Group, Immediate, Pair, Register, Symbol
from stepwell.backends.ptx.text import parse
from stepwell.ir.diagnostics import CompileError

HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n"
KERNELS = Path(__file__).parent / "kernels"


def body(text: str) -> str:
    return f"{HEAD}.visible .entry k(.param .u64 p)\n{{\n{text}\n}}\n"


def test_a_kernel_is_read() -> None:
    module = parse(
        HEAD
        + """.global .align 4 .b8 table[4] = {1, 2, 3, 4};
.extern .shared .align 16 .b8 dynamic[];
.visible .entry k(.param .align 8 .b8 p[16], .param .f32 q) .maxntid 128, 1, 1
{
  .reg .pred %p<2>;
  .reg .b32 %r<4>;
  .shared .align 4 .b8 s[64];
  @!%p1 shfl.sync.bfly.b32 %r1|%p1, %r2, 0x10, 31, -1;
  $L: ld.shared.v2.u32 {%r1, %r2}, [s+8];
  mov.f32 %r3, 0f3F800000; // one
  st.global.u32 [%r1 + -4], %r3;
}
"""
    )
    kernel = module.kernels["k"]
    assert [(v.name, v.size, v.content) for v in module.variables] == [("table", 4, b"\1\2\3\4"), ("dynamic", 0, b"")]
    assert [(p.name, p.size) for p in kernel.parameters] == [("p", 16), ("q", 4)]
    assert kernel.limits == {"maxntid": (128, 1, 1)}
    assert kernel.registers["%p1"] == "pred"
    assert len(kernel.registers) == 6
    shuffle, label, load, move, store = kernel.body
    assert not isinstance(shuffle, str)
    assert (shuffle.name, shuffle.guard, shuffle.negated) == ("shfl.sync.bfly.b32", "%p1", True)
    assert shuffle.operands == (Pair(Register("%r1"), Register("%p1")), Register("%r2"), Immediate(16), Immediate(31), Immediate(-1))
    assert label == "$L"
    assert not isinstance(load, str)
    assert load.operands == (Group((Register("%r1"), Register("%r2"))), Address(Symbol("s"), 8))
    assert not isinstance(move, str)
    assert isinstance(move.operands[1], Immediate)
    assert move.operands[1].as_float() == 1.0
    assert not isinstance(store, str)
    assert store.operands[0] == Address(Register("%r1"), -4)


def test_what_a_block_declares_is_known_in_it_only() -> None:
    kernel = parse(body(".reg .b32 t; mov.u32 t, 1; { .reg .b32 t; mov.u32 t, 2; } mov.u32 t, 3;")).kernels["k"]
    names = [item.operands[0] for item in kernel.body if not isinstance(item, str)]
    assert names[0] == names[2] == Register("t")
    assert names[1] != names[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"begins with \.version"),
        (HEAD + "¿", r"<ptx>:4:1: error: unexpected character"),
        (HEAD + ".visible .entry k(", "unexpected end of text|expected"),
        (body("mov.u32 %r1, ;"), "expected an operand"),
        (body("mov.u32 %r1 %r2;"), "expected ','"),
        (body(".reg .b33 %r;"), "unknown type '.b33'"),
        (body(".reg .b32 %r<99999999>;"), "cannot have 99999999 registers"),
        (body(".shared .b8 s[99999999999];"), "'s' is too large"),
        (HEAD + ".frobnicate;", "unknown directive"),
        (body("ld.u32 %r1, [%r2"), "expected"),
    ],
)
def test_a_wrong_text_is_one_error_with_its_place(text: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        parse(text)


def test_every_beginning_of_a_text_is_read_or_refused() -> None:
    text = (KERNELS / "scalar.ptx").read_text()[:6000]
    for length in range(0, len(text), 97):
        with suppress(CompileError):
            parse(text[:length])
