"""What a thread of a GPU asks, and how the threads of a block wait for each other: intrinsics of NVPTX."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.gpu import DimensionAttr
from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.emit_tables import anchor, index
from stepwell.lowering.machine.index import Index
from stepwell.lowering.machine.walk import Walk, attribute

REGISTERS = {"gpu.thread_id": "tid", "gpu.block_id": "ctaid", "gpu.block_dim": "ntid", "gpu.grid_dim": "nctaid"}
"""The special register of PTX behind each op."""


@index(*REGISTERS)
def index_of_register(w: Walk, op: Operation, result: SSAValue) -> Index:
    dimension = cast(DimensionAttr, attribute(op, "dimension")).data.value
    return _read(w, f"{REGISTERS[op.name]}.{dimension}")


@index("gpu.lane_id")
def index_of_lane(w: Walk, op: Operation, result: SSAValue) -> Index:
    return _read(w, "laneid")


def _read(w: Walk, register: str) -> Index:
    value: Any = w.sink.intrinsic(f"llvm.nvvm.read.ptx.sreg.{register}", "i32", (), ())
    return w.atom(w.sink.cast("zext", "i32", value, "i64"))


@anchor("gpu.barrier")
def emit_barrier(w: Walk, op: Operation) -> None:
    """All reads before the barrier are made before it."""
    w.force_reads(None)
    w.sink.intrinsic("llvm.nvvm.barrier.cta.sync.aligned.all", "void", ("i32",), (w.sink.integer("i32", 0),))
