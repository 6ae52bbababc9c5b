"""What a thread of a GPU asks, and how the threads of a block wait for each other: intrinsics of NVPTX."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.gpu import DimensionAttr
from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.emit_tables import anchor, index
from stepwell.lowering.machine.index import Index
from stepwell.lowering.machine.walk import Walk, attribute, unsupported

REGISTERS = {"gpu.thread_id": "tid", "gpu.block_id": "ctaid", "gpu.block_dim": "ntid", "gpu.grid_dim": "nctaid"}
"""The special register of PTX behind each op."""
WARP = 32


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


_SHUFFLES = {"xor": "bfly", "down": "down", "up": "up", "idx": "idx"}


@anchor("gpu.shuffle")
def emit_shuffle(w: Walk, op: Operation) -> None:
    """A value of another lane, in one or two words of 32 bits. All lanes of a warp take part; that the result is valid is not asked."""
    mode: Any = attribute(op, "mode")
    width = constant_of(op.operands[2])
    if width != WARP:
        raise unsupported(op, "in groups smaller than a warp is not converted", f"give it a width of {WARP}")
    if op.results[1].uses:
        raise unsupported(op, "is asked whether its result is valid")
    element = w.layout(op.operands[0]).element
    value, offset = w.piece(op.operands[0], 0), w.piece(op.operands[1], 0)
    kind = _SHUFFLES[mode.data]
    limit = w.sink.integer("i32", 0 if kind == "up" else WARP - 1)

    def word(part: Any, type: str) -> Any:
        name = f"llvm.nvvm.shfl.sync.{kind}.{'f32' if type == 'float' else 'i32'}"
        return w.sink.intrinsic(name, type, ("i32", type, "i32", "i32"), (w.sink.integer("i32", -1), part, offset, limit))

    if element.llvm in ("float", "i32"):
        w.set_scalar(op.results[0], word(value, element.llvm))
        return
    whole = f"i{element.bits}"
    bits = w.sink.cast("bitcast", element.llvm, value, whole) if element.is_float else value
    if element.bits <= 32:
        result = w.sink.cast("trunc", "i32", word(w.sink.cast("zext", whole, bits, "i32"), "i32"), whole)
    else:
        shift = w.sink.integer("i64", 32)
        low = word(w.sink.cast("trunc", "i64", bits, "i32"), "i32")
        high = word(w.sink.cast("trunc", "i64", w.sink.binary("lshr", "i64", bits, shift), "i32"), "i32")
        upper = w.sink.binary("shl", "i64", w.sink.cast("zext", "i32", high, "i64"), shift)
        result = w.sink.binary("or", "i64", upper, w.sink.cast("zext", "i32", low, "i64"))
    w.set_scalar(op.results[0], w.sink.cast("bitcast", whole, result, element.llvm) if element.is_float else result)


def constant_of(value: SSAValue) -> int | None:
    """The number that a constant is."""
    owner = value.owner
    held: Any = attribute(owner, "value") if isinstance(owner, Operation) and owner.name == "arith.constant" else None
    return None if held is None else int(held.value.data)
