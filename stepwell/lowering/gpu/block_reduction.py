"""One value of every thread of a block combined into one that all of them have: shuffles in a warp, shared memory between warps."""

from __future__ import annotations

from typing import Any, Protocol

from xdsl.dialects.builtin import IndexType, IntegerType, MemRefType, i1, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import arith, memref, scf
from stepwell.dialects.gpu.rare import OPS
from stepwell.dialects.gpu.rare_types import ATTRIBUTES
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.cache_read import WORKGROUP

WARP = 32
_SHUFFLE = next(kind for kind in OPS if kind.name == "gpu.shuffle")
_XOR: Any = next(kind for kind in ATTRIBUTES if kind.name == "gpu.shuffle_mode")("xor")  # pyright: ignore[reportCallIssue]
_COMBINE: dict[str, tuple[type[Any] | None, type[Any] | None]] = {
    "add": (arith.AddfOp, arith.AddiOp),
    "mul": (arith.MulfOp, arith.MuliOp),
    "maximumf": (arith.MaximumfOp, None),
    "minimumf": (arith.MinimumfOp, None),
    "maxnumf": (arith.MaxnumfOp, None),
    "minnumf": (arith.MinnumfOp, None),
    "maxsi": (None, arith.MaxSIOp),
    "minsi": (None, arith.MinSIOp),
    "maxui": (None, arith.MaxUIOp),
    "minui": (None, arith.MinUIOp),
    "and": (None, arith.AndIOp),
    "or": (None, arith.OrIOp),
    "xor": (None, arith.XOrIOp),
}
"""How two values are combined, by the kind of reduction: floats, integers."""


class Writer(Protocol):
    """Where the operations go."""

    def put(self, op: Operation) -> Any: ...

    def constant(self, value: int, type: Attribute = ...) -> SSAValue: ...


def scratch_type(element: Any, threads: int) -> MemRefType[Any]:
    """The shared memory that a reduction over so many threads needs: one element for each warp."""
    return MemRefType(element, [threads // WARP], memory_space=WORKGROUP)


def combine(w: Writer, kind: str, a: SSAValue, b: SSAValue) -> SSAValue:
    """One step. Raises CompileError for a kind that the type does not have."""
    op = _COMBINE[kind][isinstance(a.type, IntegerType | IndexType)]
    if op is None:
        raise CompileError(f"there is no reduction '{kind}' of {a.type}")
    return w.put(op(a, b))


def reduce_over_threads(
    w: Writer, kind: str, value: SSAValue, thread: SSAValue, threads: int, shared: SSAValue | None, accumulator: SSAValue | None
) -> SSAValue:
    """The combination of all threads' values and of the accumulator, the same in every thread. `threads` is a power of two from a warp on;
    `shared` is memory of `scratch_type`, None for a single warp."""
    if threads % WARP or threads & (threads - 1):
        raise CompileError(f"a reduction over {threads} threads is not made of warps", hint="use 32, 64, 128, 256, 512 or 1024 threads")
    value = _in_warp(w, kind, value, WARP)
    if shared is not None:
        warps = threads // WARP
        lane = w.put(arith.RemUIOp(thread, w.constant(WARP)))
        warp = w.put(arith.DivUIOp(thread, w.constant(WARP)))
        first = w.put(arith.CmpiOp(lane, w.constant(0), "eq"))
        store = memref.StoreOp.create(operands=[value, shared, warp])
        w.put(scf.IfOp(first, [], Region(Block([store, scf.YieldOp()])), Region()))
        mine = w.put(arith.RemUIOp(lane, w.constant(warps)))
        value = w.put(memref.LoadOp.create(operands=[shared, mine], result_types=[value.type]))
        value = _in_warp(w, kind, value, warps)
    return value if accumulator is None else combine(w, kind, accumulator, value)


def _in_warp(w: Writer, kind: str, value: SSAValue, lanes: int) -> SSAValue:
    """Every lane of each group of so many has the group's combination: a butterfly."""
    width = w.constant(WARP, i32)
    distance = lanes // 2
    while distance:
        properties = {"mode": _XOR}
        operands = [value, w.constant(distance, i32), width]
        value = combine(w, kind, value, w.put(_SHUFFLE.create(operands=operands, result_types=[value.type, i1], properties=properties)))
        distance //= 2
    return value
