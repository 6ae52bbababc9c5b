"""All memory of the program is one arena and one block of weights: every buffer gets an offset.

In: `@main` on memrefs, with a `memref.alloc` per intermediate and `memref.get_global` per constant. Out: `@main(%arena, %weights,
inputs..., outputs...)` where both are `memref.view`s at fixed offsets; `stepwell.arena_size`, `stepwell.arena_lower_bound` and
`stepwell.weights_size` on the module, `offset` on each `memref.global`. For programs of any shape (`ScheduleMemory`), large constants and
small ones are two parts of the weights, `stepwell.weights_second_part` is where the second one begins.

Two buffers may share bytes when no call uses one while the other still lives. Placement is greedy: each buffer at the
lowest offset that is free during its life, in the best of three orders (largest first is that of Pisarchyk and Lee 2020, arXiv 2001.03288).
Conflicts are found by vector comparisons, so thousands of buffers take well under a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, MemRefType, i8, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, memref, scf
from stepwell.ir.constants import DYNAMIC, dtype_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.loops.memref_types import buffer_type
from stepwell.lowering.schedule.memory import memory
from stepwell.lowering.structured.control import body_of, branches_of
from stepwell.lowering.structured.kernels import TopConstants, callers, erase_dead, insert_before, location_of, module_of, name_of

ALIGNMENT = 64
PAGE = 4096
PART_ALIGNMENT = 1 << 16
"""Of the parts of the weights: each is mapped from a file of its own."""
LARGE_WEIGHT = 4 << 20
"""Bytes from which on a constant is a weight that is the same for every shape."""
STAGGER = 17 * ALIGNMENT
"""What large buffers keep from a multiple of a page: loads that follow a store to the same address modulo 4096 wait for it, and 17 is
odd, so that 64 neighbours all differ."""

BYTES = buffer_type((DYNAMIC,), i8)
_VIEWS = (memref.CastOp, memref.SubviewOp, memref.CollapseShapeOp, memref.ExpandShapeOp)


@dataclass(frozen=True)
class PlanMemory(Pass):
    """Lay out arena and weights.

    ```mlir
    memref.global "private" constant @w : memref<4xf32> = dense<...> {alignment = 64 : i64}
    func.func @main(%x: memref<4xf32>, %out: memref<4xf32>) {
      %w = memref.get_global @w : memref<4xf32>
      %t = memref.alloc() : memref<4xf32>
      ...
    }
    ```
    becomes
    ```mlir
    builtin.module attributes {stepwell.arena_size = 64 : i64, stepwell.arena_lower_bound = 64 : i64, stepwell.weights_size = 64 : i64} {
      memref.global "private" constant @w : memref<4xf32> = dense<...> {alignment = 64 : i64, offset = 0 : i64}
      func.func @main(%arena: memref<?xi8>, %weights: memref<?xi8>, %x: memref<4xf32>, %out: memref<4xf32>) {
        %w = memref.view %weights[%c0][] : memref<?xi8> to memref<4xf32>
        %t = memref.view %arena[%c0][] : memref<?xi8> to memref<4xf32>
        ...
      }
    }
    ```
    """

    name: ClassVar[str] = "plan-memory"

    def run(self, op: Operation, ctx: Context) -> None:
        module = module_of(op)
        functions = callers(module)
        if len(functions) != 1:
            names = ", ".join(f"@{name_of(f)}" for f in functions) or "none"
            where = location_of(functions[1]) if functions else location_of(module)
            raise CompileError(f"plan-memory wants a module with one function that is no kernel; there are: {names}", location=where)
        main = functions[0]
        offsets, weights_size, second_part = _place_weights(module.body.block, apart=memory() is not None)
        buffers = _find_buffers(main)
        arena_size = place(buffers)
        _rewrite(main, buffers, offsets)
        module.attributes["stepwell.arena_size"] = IntegerAttr(arena_size, i64)
        module.attributes["stepwell.arena_lower_bound"] = IntegerAttr(lower_bound(buffers), i64)
        module.attributes["stepwell.weights_size"] = IntegerAttr(weights_size, i64)
        if second_part:
            module.attributes["stepwell.weights_second_part"] = IntegerAttr(second_part, i64)


def size_in_bytes(type: MemRefType[Any]) -> int:
    """What a row-major buffer of this type takes. An `i1` takes a byte."""
    count = 1
    for extent in type.get_shape():
        if extent == DYNAMIC:
            raise CompileError(f"a buffer of type {type} has no known size", hint="give the model's inputs static shapes")
        count *= extent
    return count * dtype_of(type.element_type).itemsize


def _aligned(size: int, alignment: int = ALIGNMENT) -> int:
    return -(-size // alignment) * alignment


# ---- lives ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Buffer:
    """An allocation, its size in bytes, the positions of its first and last use, and where it is placed."""

    size: int
    first: int
    last: int
    alloc: memref.AllocOp | None = None
    offset: int = 0


def _find_buffers(main: func.FuncOp) -> list[Buffer]:
    """The allocations of a function with their lives. Positions count the ops in the order of the text."""
    buffers: dict[SSAValue, Buffer] = {}
    root: dict[SSAValue, SSAValue] = {}
    home: dict[SSAValue, Block] = {}
    position = 0

    def touch(value: SSAValue, loops: Sequence[tuple[Block, int]]) -> None:
        base = root.get(value)
        if base is None:
            return
        buffer = buffers[base]
        # A buffer from outside of a loop is in use from the loop's begin to its end.
        first = next((start for block, start in loops if not _is_inside(home[base], block)), position)
        buffer.first = min(buffer.first, first)
        buffer.last = max(buffer.last, position)
        for block, _ in loops:
            if not _is_inside(home[base], block):
                spanning.setdefault(block, []).append(buffer)
                break

    spanning: dict[Block, list[Buffer]] = {}

    def walk(block: Block, loops: list[tuple[Block, int]]) -> None:
        nonlocal position
        for op in block.ops:
            position += 1
            if isinstance(op, memref.AllocOp):
                if op.dynamic_sizes:
                    raise CompileError("an allocation of unknown size cannot be planned", location=location_of(op))
                buffers[op.memref] = Buffer(size_in_bytes(cast(MemRefType[Any], op.memref.type)), 1 << 62, -1, op)
                root[op.memref] = op.memref
                home[op.memref] = block
            elif isinstance(op, _VIEWS):
                if op.operands[0] in root:
                    root[op.results[0]] = root[op.operands[0]]
            else:
                for operand in op.operands:
                    touch(operand, loops)
                if isinstance(op, scf.IfOp):
                    for branch in branches_of(op):
                        walk(branch, loops)
                elif isinstance(op, (scf.ForOp, scf.WhileOp)):
                    # What a while decides by are numbers.
                    body = body_of(op)
                    walk(body, [*loops, (body, position)])
                    position += 1
                    for buffer in spanning.get(body, ()):
                        buffer.last = max(buffer.last, position)
                elif op.regions:
                    raise CompileError(f"'{op.name}' has a region that plan-memory does not know", location=location_of(op))

    walk(main.body.block, [])
    return list(buffers.values())


def _is_inside(block: Block, outer: Block) -> bool:
    """Whether a block is `outer` or nested in it."""
    current: Block | None = block
    while current is not None:
        if current is outer:
            return True
        parent = current.parent_op()
        current = parent.parent_block() if parent is not None else None
    return False


# ---- places ---------------------------------------------------------------------------------------------------------------------


_ORDERS: tuple[Callable[[Buffer], tuple[int, int]], ...] = (
    lambda b: (-b.size, b.first),
    lambda b: (-b.size * (b.last - b.first + 1), b.first),
    lambda b: (b.first - b.last, -b.size),
)
"""Largest first; most bytes times positions first; longest lived first. None of them is the best for every model."""


def place(buffers: Sequence[Buffer]) -> int:
    """Give every buffer an offset; the size of the arena. Buffers that no one uses take no room."""
    used = [b for b in buffers if b.last >= 0 and b.size > 0]
    peak, ordered, offsets = min((_place_in_order(sorted(used, key=order)) for order in _ORDERS), key=lambda plan: plan[0])
    for buffer, offset in zip(ordered, offsets, strict=True):
        buffer.offset = offset
    return _aligned(peak)


def _place_in_order(used: list[Buffer]) -> tuple[int, list[Buffer], list[int]]:
    """Each buffer at the lowest offset that is free during its life: the end of the last one, the buffers, their offsets."""
    firsts, lasts, begins, ends = (np.zeros(len(used), np.int64) for _ in range(4))
    for i, buffer in enumerate(used):
        conflicts = np.flatnonzero((firsts[:i] <= buffer.last) & (buffer.first <= lasts[:i]))
        offset = _lowest_gap(begins[conflicts], ends[conflicts], _room(buffer.size))
        firsts[i], lasts[i], begins[i], ends[i] = buffer.first, buffer.last, offset, offset + _room(buffer.size)
    offsets = [int(b) for b in begins]
    return max((o + b.size for o, b in zip(offsets, used, strict=True)), default=0), used, offsets


def _room(size: int) -> int:
    """The bytes that a buffer reserves. A large one is a page multiple and a bit, so that its neighbour begins at another address modulo
    a page."""
    return _aligned(size) if size < 4 * PAGE else _aligned(size - STAGGER, PAGE) + STAGGER


def _lowest_gap(begins: np.ndarray[Any, Any], ends: np.ndarray[Any, Any], room: int) -> int:
    """The lowest offset where `room` bytes are free between the given intervals."""
    if not len(begins):
        return 0
    order = np.argsort(begins, kind="stable")
    begins = begins[order]
    reached = np.maximum.accumulate(np.concatenate(([0], ends[order])))
    fits = np.flatnonzero(begins - reached[:-1] >= room)
    return int(reached[fits[0]]) if len(fits) else int(reached[-1])


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The largest number of bytes that live at one time: no arena can be smaller."""
    events: dict[int, int] = {}
    for buffer in buffers:
        if buffer.last >= 0:
            events[buffer.first] = events.get(buffer.first, 0) + _aligned(buffer.size)
            events[buffer.last + 1] = events.get(buffer.last + 1, 0) - _aligned(buffer.size)
    live = peak = 0
    for time in sorted(events):
        live += events[time]
        peak = max(peak, live)
    return peak


def _place_weights(block: Block, *, apart: bool) -> tuple[dict[str, int], int, int]:
    """Offsets of the globals, in order; their total size, and where the second part of it begins. With `apart`, large ones come first: they
    are the same for every shape, where small ones (a mask, positions) need not be."""
    globals_ = [(op, size_in_bytes(cast(MemRefType[Any], op.type))) for op in block.ops if isinstance(op, memref.GlobalOp)]
    split = len(globals_)
    if apart:
        globals_.sort(key=lambda each: each[1] < LARGE_WEIGHT)
        split = sum(size >= LARGE_WEIGHT for _, size in globals_)
    offsets: dict[str, int] = {}
    end = second = 0
    for position, (op, size) in enumerate(globals_):
        if position == split and position:
            second = end = _aligned(end, PART_ALIGNMENT)
        op.attributes["offset"] = IntegerAttr(end, i64)
        offsets[op.sym_name.data] = end
        end = _aligned(end + size)
    return offsets, end, second


# ---- rewriting ------------------------------------------------------------------------------------------------------------------


def _rewrite(main: func.FuncOp, buffers: Sequence[Buffer], weights: dict[str, int]) -> None:
    block = main.body.block
    arena, blob = block.insert_arg(BYTES, 0), block.insert_arg(BYTES, 1)
    arena.name_hint, blob.name_hint = "arena", "weights"
    constants = TopConstants(block)

    def view(op: Operation, base: SSAValue, offset: int) -> None:
        result = op.results[0]
        if result.uses:
            new = memref.ViewOp.create(operands=[base, constants(offset)], result_types=[result.type], location=op.location)
            insert_before(op, new)
            result.replace_all_uses_with(new.results[0])
            new.results[0].name_hint = result.name_hint
        Rewriter.erase_op(op)

    for op in list(main.walk()):
        if isinstance(op, memref.GetGlobalOp):
            name = op.name_.root_reference.data
            if name not in weights:
                raise CompileError(f"@{name_of(main)}: there is no global @{name}", location=location_of(op))
            view(op, blob, weights[name])
    for buffer in buffers:
        if buffer.alloc is not None:
            view(buffer.alloc, arena, buffer.offset)
    erase_dead(block, (arith.ConstantOp,))
    arguments = main.properties.get("arg_attrs")
    if arguments is not None:
        empty: list[Attribute] = [DictionaryAttr({}), DictionaryAttr({})]
        main.properties["arg_attrs"] = ArrayAttr([*empty, *cast(ArrayAttr[Attribute], arguments)])
    main.update_function_type()
