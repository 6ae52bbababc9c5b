"""The pass `distribute-vectors`: n-D vectors of a block become small vectors of its threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AffineMapAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.dialects.gpu import DimensionAttr, DimensionEnum
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr

from stepwell.dialects import arith, scf, vector
from stepwell.dialects.gpu.functions import GPUFuncOp
from stepwell.dialects.gpu.threads import DIMENSION_OPS
from stepwell.ir.constants import array_of, dense
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.text.narrow import as_dense, as_memref, as_vector
from stepwell.lowering.gpu.block_reduction import reduce_over_threads, scratch_type
from stepwell.lowering.gpu.thread_layout import Chunks, Spread, ThreadLayout, copying_spreads
from stepwell.lowering.schedule.bind import threads_of
from stepwell.lowering.schedule.cache_read import WORKGROUP

INDEX = IndexType()
_THREAD_ID = next(kind for kind in DIMENSION_OPS if kind.name == "gpu.thread_id")
Dealing = tuple[int, ...] | None
"""How a vector is shared out: for each dimension which of the kernel's dimensions of threads walk it (-1: none, its extent is 1), or None
for what is copied: side by side along the last dimension."""
Key = tuple[SSAValue, Dealing]


@dataclass(frozen=True)
class DistributeVectors(Pass):
    """Every thread of a block gets its elements of the block's vectors, as the kernel's `threads` say.

    before:
    ```mlir
    gpu.func @k(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) kernel attributes {threads = [[32, 4]]} {
      %v = vector.transfer_read %x[%n], %zero {in_bounds = [true]} : memref<?xf32>, vector<128xf32>
      vector.transfer_write %v, %y[%n] {in_bounds = [true]} : vector<128xf32>, memref<?xf32>
    ```
    after:
    ```mlir
    gpu.func @k(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
      %thread = gpu.thread_id x
      %place = arith.muli %thread, %c4 : index
      %at = arith.addi %n, %place : index
      %v = vector.transfer_read %x[%at], %zero {in_bounds = [true]} : memref<?xf32>, vector<4xf32>
      vector.transfer_write %v, %y[%at] {in_bounds = [true]} : vector<4xf32>, memref<?xf32>
    ```
    Scalars are the same in all threads; what stores one is done by the first. A reduction goes through shuffles and, where there is more
    than one warp, shared memory. What is copied into shared memory is shared out side by side instead. Buffers of the workgroup become
    attributions of the function. Where threads must wait for each other, `insert-gpu-barriers` says.
    """

    name: ClassVar[str] = "distribute-vectors"

    def run(self, op: Operation, ctx: Context) -> None:
        for function in [f for f in op.walk() if isinstance(f, GPUFuncOp) and "threads" in f.attributes]:
            _Distribution(function).run()


def _shape(value: SSAValue) -> tuple[int, ...] | None:
    """The shape of a vector, None for anything else."""
    type = as_vector(value.type)
    return None if type is None else tuple(type.get_shape())


def _is_shared(buffer: SSAValue) -> bool:
    type = as_memref(buffer.type)
    return type is not None and type.memory_space == WORKGROUP


@dataclass(frozen=True)
class _Part:
    """One of the small vectors of a vector."""

    number: int
    chunks: Chunks
    layout: ThreadLayout
    type: VectorType[Any]
    dealing: Dealing


class _Distribution:
    """One function being rewritten into a new block."""

    def __init__(self, function: GPUFuncOp) -> None:
        self.function = function
        self.old = function.body.block
        self.block = Block(arg_types=self.old.arg_types)
        self.entry = self.block
        self.scalars: dict[SSAValue, SSAValue] = {}
        for old, new in zip(self.old.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
            self.scalars[old] = new
        self.vectors: dict[Key, list[SSAValue]] = {}
        self.needs: dict[Operation, dict[Dealing, None]] = {}
        self.sums: dict[tuple[Block, SSAValue, SSAValue | None, int], SSAValue] = {}
        self.constants: dict[tuple[int, Attribute], SSAValue] = {}
        self.layouts: dict[tuple[tuple[int, ...], Dealing], ThreadLayout] = {}
        self.shared: list[SSAValue] = list(self.block.args[len(function.function_type.inputs) :])
        bound = threads_of(function.attributes["threads"])
        self.threads = prod(count for count, _ in bound)
        self.thread = self.put(_THREAD_ID.create(result_types=[INDEX], properties={"dimension": DimensionAttr(DimensionEnum.X)}))
        self.thread.name_hint = "thread"
        self.spreads = self._placed([Spread(count, width) for count, width in bound])

    def run(self) -> None:
        for op in self.old.walk():
            self._find_needs(op)
        self._convert_block(self.old)
        self.function.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        self.function.body.add_block(self.entry)
        self.function.properties["workgroup_attributions"] = IntegerAttr(len(self.shared), i64)
        if not self.shared:
            del self.function.properties["workgroup_attributions"]
        del self.function.attributes["threads"]
        self.function.attributes["known_block_size"] = DenseArrayBase.from_list(i32, [self.threads, 1, 1])

    def fail(self, op: Operation, why: str) -> CompileError:
        message = f"kernel @{self.function.sym_name.data}: '{op.name}' {why}"
        return CompileError(message, location=place(op) or place(self.function), hint="bind its loops to threads in another way")

    # ---- who needs a vector in which layout

    def _find_needs(self, op: Operation) -> None:
        if op.name == "vector.transfer_write":
            for operand in op.operands:
                self._need(operand, None if _is_shared(op.operands[1]) else self.usual(operand))
        elif op.name in ("vector.reduction", "scf.yield") or op.regions:
            for operand in op.operands:
                self._need(operand, self.usual(operand))

    def usual(self, value: SSAValue) -> Dealing:
        """Dimensions are counted from the last one: a value of fewer dimensions is the same for all of the missing ones."""
        shape = _shape(value) or ()
        first = len(self.spreads) - len(shape)
        return tuple(-1 if extent == 1 else first + dimension for dimension, extent in enumerate(shape))

    def _need(self, value: SSAValue, dealing: Dealing) -> None:
        owner, shape = value.owner, _shape(value)
        if shape is None:
            return
        if isinstance(owner, Block) or owner.regions:
            if dealing != self.usual(value):
                raise CompileError(f"kernel @{self.function.sym_name.data}: a vector that a loop carries is needed by other threads inside")
            return
        known = self.needs.setdefault(owner, {})
        if dealing in known:
            return
        known[dealing] = None
        for operand in owner.operands:
            self._need(operand, self.operand_dealing(owner, operand, dealing))

    def operand_dealing(self, op: Operation, operand: SSAValue, dealing: Dealing) -> Dealing:
        """How an operand must be shared out for a result that is shared out like this."""
        shape = _shape(operand)
        if dealing is None or shape is None:
            return dealing
        if op.name == "vector.shape_cast":
            walked = [d for d in dealing if d >= 0]
            return tuple(-1 if extent == 1 else walked.pop(0) for extent in shape)
        tail = dealing[len(dealing) - len(shape) :]
        return tuple(-1 if extent == 1 else d for extent, d in zip(shape, tail, strict=True))

    # ---- writing

    def put(self, op: Operation) -> Any:
        self.block.add_op(op)
        return op.results[0] if op.results else None

    def constant(self, value: int, type: Attribute = INDEX) -> SSAValue:
        """An integer constant, made once at the start of the function."""
        known = self.constants.get((value, type))
        if known is None:
            number: IntegerAttr[Any] = IntegerAttr(value, cast(Any, type))
            op = arith.ConstantOp(number)
            first = self.entry.first_op
            if first is None:
                self.entry.add_op(op)
            else:
                self.entry.insert_op_before(op, first)
            known = self.constants[(value, type)] = op.result
        return known

    def sum(self, index: SSAValue, own: SSAValue | None, constant: int) -> SSAValue:
        """index + own + constant, made once in a block."""
        key = (self.block, index, own, constant)
        known = self.sums.get(key)
        if known is None:
            known = index if own is None else self.put(arith.AddiOp(index, own))
            if constant:
                known = self.put(arith.AddiOp(known, self.constant(constant)))
            self.sums[key] = known
        return known

    def _placed(self, spreads: Sequence[Spread]) -> list[Spread]:
        """The same with the thread's places computed, the last dimension fastest."""
        rest: SSAValue = self.thread
        placed: list[Spread] = []
        for position, spread in reversed(list(enumerate(spreads))):
            at = rest
            if position:
                count = self.constant(spread.threads)
                at, rest = self.put(arith.RemUIOp(rest, count)), self.put(arith.DivUIOp(rest, count))
            begin = at if spread.width == 1 else self.put(arith.MuliOp(at, self.constant(spread.width)))
            placed.insert(0, replace(spread, place=None if spread.threads == 1 else begin))
        return placed

    def layout_of(self, value: SSAValue, dealing: Dealing) -> ThreadLayout:
        """How a vector is shared out."""
        shape = _shape(value)
        assert shape is not None
        known = self.layouts.get((shape, dealing))
        if known is None:
            if dealing is None:
                spreads: list[Spread | None] = [*self._copying(shape)]
            elif min(dealing, default=0) < -1 or len(shape) > len(self.spreads):
                raise CompileError(f"a vector of {'x'.join(map(str, shape))} has more dimensions than the threads of its kernel")
            else:
                spreads = [None if d < 0 else self.spreads[d] for d in dealing]
            known = self.layouts[(shape, dealing)] = ThreadLayout(shape, tuple(spreads))
        return known

    def _copying(self, shape: tuple[int, ...]) -> list[Spread]:
        here, self.block = self.block, Block()
        spreads = self._placed(copying_spreads(shape, self.threads))
        made, self.block = list(self.block.ops), here
        anchor = self.thread.owner
        assert isinstance(anchor, Operation)
        for op in reversed(made):
            op.detach()
            self.entry.insert_op_after(op, anchor)
        return spreads

    def local_type(self, value: SSAValue, dealing: Dealing) -> VectorType[Any]:
        type = as_vector(value.type)
        assert type is not None
        return VectorType(type.element_type, self.layout_of(value, dealing).local_shape)

    # ---- operations

    def _convert_block(self, block: Block) -> None:
        for op in block.ops:
            if op.name in ("vector.transfer_write", "vector.reduction"):
                self._write(op) if op.name == "vector.transfer_write" else self._reduce(op)
            elif op.name == "memref.alloca":
                self._allocate(op)
            elif op.name == "memref.store":
                self._store(op)
            elif op.regions:
                self._regions(op)
            elif any(_shape(result) is not None for result in op.results):
                for dealing in self.needs.get(op, ()):
                    self.vectors[(op.results[0], dealing)] = self._vector(op, dealing)
            else:
                self._scalar(op)

    def _scalar(self, op: Operation) -> None:
        if any(_shape(operand) is not None for operand in op.operands) and op.name != "scf.yield":
            raise self.fail(op, "makes a scalar of vectors, which threads cannot do on their own")
        operands = [new for operand in op.operands for new in self.of(operand)]
        self._clone(op, operands)

    def of(self, value: SSAValue) -> list[SSAValue]:
        """A scalar, or all small vectors."""
        return self.vectors[(value, self.usual(value))] if _shape(value) is not None else [self.scalars[value]]

    def _clone(self, op: Operation, operands: Sequence[SSAValue]) -> None:
        new = type(op).create(
            operands=operands, result_types=op.result_types, properties=op.properties, attributes=op.attributes, location=op.location
        )
        self.put(new)
        for old, result in zip(op.results, new.results, strict=True):
            result.name_hint = old.name_hint
            self.scalars[old] = result

    def _allocate(self, op: Operation) -> None:
        if not _is_shared(op.results[0]):
            if any(use.operation.name.startswith("vector.") for use in op.results[0].uses):
                raise self.fail(op, "of a vector that stays in memory would have to be shared")
            self._clone(op, [])
            return
        self.scalars[op.results[0]] = self.shared_buffer(op.results[0].type, op.results[0].name_hint)

    def shared_buffer(self, type: Attribute, name: str | None) -> SSAValue:
        """A further attribution of the function."""
        made = self.entry.insert_arg(type, len(self.function.function_type.inputs) + len(self.shared))
        made.name_hint = name
        self.shared.append(made)
        return made

    def _store(self, op: Operation) -> None:
        operands = [self.scalars[operand] for operand in op.operands]
        target = op.operands[1].owner
        if isinstance(target, Operation) and target.name == "memref.alloca" and not _is_shared(op.operands[1]):
            self._clone(op, operands)  # every thread has one of its own
            return
        first = self.put(arith.CmpiOp(self.thread, self.constant(0), "eq"))
        inner = Block([type(op).create(operands=operands, properties=op.properties, attributes=op.attributes), scf.YieldOp()])
        self.put(scf.IfOp(first, [], Region(inner), Region()))

    def _regions(self, op: Operation) -> None:
        """Loops and branches: what they carry and give are small vectors."""
        regions: list[Region] = []
        outer = self.block
        for region in op.regions:
            if not region.blocks:
                regions.append(Region())
                continue
            old = region.block
            types = [type for argument in old.args for type in self._types(argument)]
            self.block = Block(arg_types=types)
            self._define(old.args, self.block.args)
            self._convert_block(old)
            regions.append(Region(self.block))
            self.block = outer
        operands = [new for operand in op.operands for new in self.of(operand)]
        results = [type for result in op.results for type in self._types(result)]
        new = type(op).create(operands=operands, result_types=results, properties=op.properties, attributes=op.attributes, regions=regions)
        self.put(new)
        self._define(op.results, new.results)

    def _types(self, value: SSAValue) -> list[Attribute]:
        if _shape(value) is None:
            return [value.type]
        return [self.local_type(value, self.usual(value))] * len(self.layout_of(value, self.usual(value)).chunks)

    def _define(self, old: Sequence[SSAValue], new: Sequence[SSAValue]) -> None:
        rest = list(new)
        for value in old:
            count = len(self._types(value))
            mine, rest = rest[:count], rest[count:]
            for part in mine:
                part.name_hint = value.name_hint
            if _shape(value) is None:
                self.scalars[value] = mine[0]
            else:
                self.vectors[(value, self.usual(value))] = mine

    # ---- vectors

    def _vector(self, op: Operation, dealing: Dealing) -> list[SSAValue]:
        result = op.results[0]
        layout, type_ = self.layout_of(result, dealing), self.local_type(result, dealing)
        make = {
            "vector.transfer_read": self._read,
            "vector.create_mask": self._mask,
            "vector.broadcast": self._broadcast,
            "vector.shape_cast": self._shape_cast,
            "arith.constant": self._constant,
        }.get(op.name, self._elementwise)
        made = [make(op, _Part(number, chunks, layout, type_, dealing)) for number, chunks in enumerate(layout.chunks)]
        for part in made:
            part.name_hint = part.name_hint or result.name_hint
        return made

    def _elementwise(self, op: Operation, part: _Part) -> SSAValue:
        if op.dialect_name() not in ("arith", "math") and op.name != "vector.fma":
            raise self.fail(op, "moves elements from thread to thread")
        if any(_shape(operand) not in (None, part.layout.shape) for operand in op.operands) or len(op.results) != 1:
            raise self.fail(op, "is not elementwise")
        operands = [self.scalars[v] if _shape(v) is None else self.vectors[(v, part.dealing)][part.number] for v in op.operands]
        return self.put(type(op).create(operands=operands, result_types=[part.type], properties=op.properties, attributes=op.attributes))

    def _constant(self, op: Operation, part: _Part) -> SSAValue:
        held = as_dense(op.properties["value"])
        assert held is not None
        values = array_of(held)
        flat = values.reshape(-1)
        local = part.layout.local_shape
        if (flat == flat[0]).all() or (flat != flat).all():
            return self.put(arith.ConstantOp(dense(flat[:1].repeat(prod(local)).reshape(local), part.type)))
        walked = [d for d, extent in enumerate(values.shape) if extent != 1]
        step = int(flat[1] - flat[0])
        if len(walked) != 1 or any(int(v) != i * step for i, v in enumerate(flat)):
            raise self.fail(op, "of different elements is not 0, 1, 2, ...")
        first, constant = part.layout.offset(walked[0], part.chunks[walked[0]])
        begin = self.constant(constant) if first is None else self.sum(first, None, constant)
        scaled = begin if step == 1 else self.put(arith.MuliOp(begin, self.constant(step)))
        element: Any = part.type.element_type
        converted = scaled if isinstance(element, IndexType) else self.put(arith.IndexCastOp(scaled, element))
        spread = self.put(vector.BroadcastOp.create(operands=[converted], result_types=[part.type]))
        own = self.put(arith.ConstantOp(dense(flat[: prod(local)].reshape(local), part.type)))
        return self.put(arith.AddiOp(spread, own))

    def _mask(self, op: Operation, part: _Part) -> SSAValue:
        bounds: list[SSAValue] = []
        for dimension, operand in enumerate(op.operands):
            owner = operand.owner
            known = owner.value if isinstance(owner, arith.ConstantOp) else None
            if isinstance(known, IntegerAttr) and known.value.data >= part.layout.shape[dimension]:
                bounds.append(self.constant(part.layout.local_shape[dimension]))
                continue
            first, constant = part.layout.offset(dimension, part.chunks[dimension])
            bound = self.scalars[operand]
            if first is not None:
                bound = self.put(arith.SubiOp(bound, self.sum(first, None, constant)))
            elif constant:
                bound = self.put(arith.SubiOp(bound, self.constant(constant)))
            bounds.append(bound)
        return self.put(vector.CreateMaskOp.create(operands=bounds, result_types=[part.type]))

    def _broadcast(self, op: Operation, part: _Part) -> SSAValue:
        source = op.operands[0]
        shape = _shape(source)
        if shape is None:
            return self.put(vector.BroadcastOp.create(operands=[self.scalars[source]], result_types=[part.type]))
        dealing = self.operand_dealing(op, source, part.dealing)
        tail = part.chunks[len(part.chunks) - len(shape) :]
        own = tuple(0 if extent == 1 else chunk for extent, chunk in zip(shape, tail, strict=True))
        number = self.layout_of(source, dealing).chunks.index(own)
        return self.put(vector.BroadcastOp.create(operands=[self.vectors[(source, dealing)][number]], result_types=[part.type]))

    def _shape_cast(self, op: Operation, part: _Part) -> SSAValue:
        source = op.operands[0]
        if [e for e in _shape(source) or () if e != 1] != [e for e in part.layout.shape if e != 1]:
            raise self.fail(op, "joins or divides dimensions")
        own = self.vectors[(source, self.operand_dealing(op, source, part.dealing))][part.number]
        return self.put(vector.ShapeCastOp.create(operands=[own], result_types=[part.type]))

    # ---- memory

    def _indices(self, op: Operation, indices: Sequence[SSAValue], part: _Part) -> list[SSAValue]:
        """Where a small vector begins in memory."""
        moved = [self.scalars[index] for index in indices]
        held = op.properties.get("permutation_map")
        rank = len(part.layout.shape)
        places = list(range(len(moved) - rank, len(moved)))
        if isinstance(held, AffineMapAttr):
            places = [expr.position if isinstance(expr, AffineDimExpr) else -1 for expr in held.data.results]
        for dimension, at in enumerate(places):
            if at >= 0:
                moved[at] = self.sum(moved[at], *part.layout.offset(dimension, part.chunks[dimension]))
        return moved

    def _read(self, op: Operation, part: _Part) -> SSAValue:
        rank = len(op.operands[0].type.get_shape())  # pyright: ignore
        indices = self._indices(op, op.operands[1 : 1 + rank], part)
        operands = [self.scalars[op.operands[0]], *indices, self.scalars[op.operands[1 + rank]]]
        operands += [self.vectors[(mask, part.dealing)][part.number] for mask in op.operands[2 + rank :]]
        return self.put(type(op).create(operands=operands, result_types=[part.type], properties=op.properties, attributes=op.attributes))

    def _write(self, op: Operation) -> None:
        value, buffer = op.operands[:2]
        dealing = None if _is_shared(buffer) else self.usual(value)
        layout = self.layout_of(value, dealing)
        rank = len(buffer.type.get_shape())  # pyright: ignore
        for number, chunks in enumerate(layout.chunks):
            part = _Part(number, chunks, layout, self.local_type(value, dealing), dealing)
            indices = self._indices(op, op.operands[2 : 2 + rank], part)
            operands = [self.vectors[(value, dealing)][number], self.scalars[buffer], *indices]
            operands += [self.vectors[(mask, dealing)][number] for mask in op.operands[2 + rank :]]
            self.put(type(op).create(operands=operands, properties=op.properties, attributes=op.attributes))

    def _reduce(self, op: Operation) -> None:
        """The parts of a thread, then the threads, then the accumulator."""
        if len(self.spreads) != 1:
            raise self.fail(op, "combines threads of more than one dimension")
        kind: Any = op.properties["kind"]
        parts = self.of(op.operands[0])
        total: SSAValue | None = None
        for part in parts:
            operands = [part] if total is None else [part, total]
            total = self.put(type(op).create(operands=operands, result_types=op.result_types, properties=op.properties))
        assert total is not None
        shared = self.shared_buffer(scratch_type(total.type, self.threads), "partial") if self.threads > 32 else None
        name = str(kind.data.value if hasattr(kind.data, "value") else kind.data)
        accumulator = self.scalars[op.operands[1]] if len(op.operands) > 1 else None
        self.scalars[op.results[0]] = reduce_over_threads(self, name, total, self.thread, self.threads, shared, accumulator)
