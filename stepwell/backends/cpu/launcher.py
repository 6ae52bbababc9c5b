"""A list of kernel calls as a program: a loop in machine code, the same for all programs, calls what a table says.

A program made this way costs no code generation. The table has for each call the address of the kernel, how many groups of eight
arguments it has, and for each argument two numbers: what is added to what. The first names a slot of `bases`, which hold the addresses of a
run (slot 0 is zero, for numbers), the second is a number or an offset in bytes. Kernels take pointers and i64 only, which travel alike; a
kernel that is given more arguments than it takes ignores them, as in C.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.backends.cpu.launches import Call
from stepwell.backends.cpu.link import link
from stepwell.backends.cpu.numpy_address import address_of
from stepwell.backends.cpu.support import support_object

if TYPE_CHECKING:
    from stepwell.ir.constants import Array

GROUP = 8
"""Arguments are counted in groups of so many."""
MOST_ARGUMENTS = 64

_LOOP = """
define void @run_launches(ptr %table, i64 %count, ptr %bases) {{
entry:
  %values = alloca [{most} x i64], align 16
  %none = icmp eq i64 %count, 0
  br i1 %none, label %exit, label %call
call:
  %record = phi ptr [ %table, %entry ], [ %following, %done ]
  %number = phi i64 [ 0, %entry ], [ %next, %done ]
  %kernel = load ptr, ptr %record
  %groupsp = getelementptr i64, ptr %record, i64 1
  %groups = load i64, ptr %groupsp
  %arguments = mul i64 %groups, {group}
  %pairs = getelementptr i64, ptr %record, i64 2
  %words = mul i64 %arguments, 2
  %following = getelementptr i64, ptr %pairs, i64 %words
  br label %argument
argument:
  %i = phi i64 [ 0, %call ], [ %i1, %argument ]
  %double = mul i64 %i, 2
  %slotp = getelementptr i64, ptr %pairs, i64 %double
  %offsetp = getelementptr i64, ptr %slotp, i64 1
  %slot = load i64, ptr %slotp
  %offset = load i64, ptr %offsetp
  %basep = getelementptr i64, ptr %bases, i64 %slot
  %base = load i64, ptr %basep
  %value = add i64 %base, %offset
  %valuep = getelementptr i64, ptr %values, i64 %i
  store i64 %value, ptr %valuep
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %arguments
  br i1 %more, label %argument, label %ready
ready:
  switch i64 %groups, label %done [ {cases} ]
{blocks}
done:
  %next = add i64 %number, 1
  %again = icmp ult i64 %next, %count
  br i1 %again, label %call, label %exit
exit:
  ret void
}}
"""


def launcher_ir() -> str:
    """The loop as LLVM IR."""
    blocks: list[str] = []
    for groups in range(1, MOST_ARGUMENTS // GROUP + 1):
        blocks.append(f"with{groups}:")
        count = groups * GROUP
        for i in range(count):
            blocks.append(f"  %p{groups}_{i} = getelementptr i64, ptr %values, i64 {i}")
            blocks.append(f"  %v{groups}_{i} = load i64, ptr %p{groups}_{i}")
        blocks.append(f"  call void %kernel({', '.join(f'i64 %v{groups}_{i}' for i in range(count))})")
        blocks.append("  br label %done")
    cases = " ".join(f"i64 {groups}, label %with{groups}" for groups in range(1, MOST_ARGUMENTS // GROUP + 1))
    return _LOOP.format(most=MOST_ARGUMENTS, group=GROUP, cases=cases, blocks="\n".join(blocks))


class LinkedKernels:
    """Kernels in memory, with the loop that calls them."""

    def __init__(self, code: Mapping[str, bytes], threads: int) -> None:
        from stepwell.backends.cpu import pool
        from stepwell.backends.cpu.pool_ir import shim_ir

        block = pool.pool_address(threads)
        imports = {"pool_parallel_for": pool.parallel_for_address() if block else pool.NO_POOL}
        objects = [support_object("shim", shim_ir()), support_object("launcher", launcher_ir()), *code.values()]
        self._library = link(objects, ("run_launches", "stepwell_pool", *code), imports)
        ctypes.c_uint64.from_address(self._library["stepwell_pool"]).value = block
        run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self.run = run(self._library["run_launches"])

    def address(self, kernel: str) -> int:
        """Where a kernel begins."""
        return self._library[kernel]


class LaunchedCode:
    """Calls of linked kernels, to be run like the machine code of a `main`: `main(arena, weights, *inputs, *outputs)`.

    `arguments` of the calls name buffers of the arena by the slot behind all others (`arena_slot`), at their place in the arena.
    """

    def __init__(self, kernels: LinkedKernels, calls: Sequence[Call], weights: Any) -> None:
        self._kernels = kernels
        self.weights = weights  # keeps the mapping alive
        self.weights_address = address_of(np.frombuffer(weights, np.uint8)) if len(weights) else 0
        self._count = len(calls)
        self._table = _table(kernels, calls)
        self._address = address_of(self._table)

    def main(self, arena: int, *others: int) -> None:
        """Run. `others` are the weights, the inputs and the outputs."""
        bases = (ctypes.c_int64 * (len(others) + 2))(0, *others, arena)
        self._kernels.run(self._address, self._count, ctypes.addressof(bases))


def arena_slot(inputs: int, outputs: int) -> int:
    """The slot of the arena in a program of so many inputs and outputs."""
    return 2 + inputs + outputs


def _table(kernels: LinkedKernels, calls: Sequence[Call]) -> Array:
    words: list[int] = []
    for call in calls:
        groups = max(1, -(-len(call.arguments) // GROUP))
        words += [kernels.address(call.kernel), groups]
        for pointer in call.arguments:
            words += pointer
        words += [0, 0] * (groups * GROUP - len(call.arguments))
    return np.array(words, np.uint64 if not words or min(words) >= 0 else np.int64).view(np.int64)
