"""LLVM IR text to object code: errors are CompileErrors, the lint sees stack traffic of vector registers in the hot block."""

from __future__ import annotations

import ctypes

import pytest

from stepwell.backends.cpu.codegen import SpillReport, assembly, compile_llvm_ir, spill_report
from stepwell.backends.cpu.link import link
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target

ADD = """
define i64 @add(i64 %a, i64 %b) {
  %c = add i64 %a, %b
  ret i64 %c
}
"""


def test_object_code_runs() -> None:
    code, reports = compile_llvm_ir(ADD, Target.host())
    library = link([code], ["add"], {})
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(library["add"])(40, 2) == 42
    assert reports == []  # no vectors


@pytest.mark.parametrize(
    "broken", [ADD.replace("add i64", "add i65"), ADD.replace("%b)", "%x)"), "define void @f( {", ADD.replace("ret i64 %c", "")]
)
def test_what_llvm_rejects_is_a_compile_error(broken: str) -> None:
    with pytest.raises(CompileError, match="LLVM does not accept"):
        compile_llvm_ir(broken, Target.host())


def test_unknown_target() -> None:
    with pytest.raises(CompileError, match="no target 'vax-dec-vms'"):
        compile_llvm_ir(ADD, Target("vax-dec-vms", "vax"))


def test_optimised_scalar_code() -> None:
    loop = """
    define i64 @sum(i64 %n) {
    entry:
      %slot = alloca i64, align 8
      store i64 0, ptr %slot, align 8
      br label %head
    head:
      %i = phi i64 [ 0, %entry ], [ %next, %head ]
      %old = load i64, ptr %slot, align 8
      %new = add i64 %old, %i
      store i64 %new, ptr %slot, align 8
      %next = add i64 %i, 1
      %more = icmp slt i64 %next, %n
      br i1 %more, label %head, label %exit
    exit:
      %r = load i64, ptr %slot, align 8
      ret i64 %r
    }
    """
    plain, optimised = (assembly(loop, Target.host(), optimise=flag) for flag in (False, True))
    assert "(%rsp)" in plain
    assert "(%rsp)" not in optimised


LISTING = """
\t.globl\tkernel
kernel:
\tpushq\t%rbx
\tvmovups\t%zmm0, -64(%rsp)
.LBB0_1:
\tvmovups\t(%rdi,%rax), %zmm1
\tvfmadd231ps\t%zmm1, %zmm2, %zmm3
\tvmovups\t%zmm3, 64(%rsp)
\tvfmadd231ps\t(%rbp,%r8), %zmm2, %zmm4
\tmovq\t8(%rsp), %rax
\tjne\t.LBB0_1
\tvfmadd231ps\t%zmm1, %zmm2, %zmm3
\tretq
framed:
\tpushq\t%rbp
\tmovq\t%rsp, %rbp
\tvaddps\t-32(%rbp), %ymm1, %ymm1
\tretq
scalar:
\taddq\t%rdi, %rsi
\tretq
"""


def test_spill_report() -> None:
    """The block with most multiply-adds counts. %rbp is an ordinary register unless the function makes it the frame pointer."""
    assert spill_report(LISTING) == [
        SpillReport("kernel", fmas=2, instructions=6, stack_accesses=1, scalar_stack_accesses=1),
        SpillReport("framed", fmas=0, instructions=4, stack_accesses=1, scalar_stack_accesses=0),
    ]
    assert all(report.spills for report in spill_report(LISTING))
    assert not SpillReport("large", fmas=112, instructions=192, stack_accesses=5, scalar_stack_accesses=9).spills
