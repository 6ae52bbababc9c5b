"""The pass `vectorize`: affine loops and point loops become `scf` loops over n-D vector values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, IntegerAttr, StringAttr, i1
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstraintKind

from stepwell.dialects import affine, arith, memref, scf
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.index import Index, index_of, indices_of
from stepwell.lowering.schedule.nest import (
    accesses,
    block_ops,
    buffer_type,
    constant_extent,
    induction_variable,
    loop_name,
    lower_bound,
    memref_of,
    only_loop,
    step_of,
    subscripts,
    upper_bound,
)
from stepwell.lowering.vectors.environment import Environment, constant_value
from stepwell.lowering.vectors.points import PointNest
from stepwell.lowering.vectors.writer import INDEX, Writer, segments


@dataclass(frozen=True)
class Vectorize(Pass):
    """Turn every affine function into vectors and structured control flow.

    before:
    ```mlir
    %acc = memref.alloca() : memref<14x32xf32>
    ...
    affine.for %k = 0 to %K {
      affine.for %mr = 0 to 14 {
        affine.for %nr = 0 to 32 {
          %a = affine.load %A[%m + %mr, %k] : memref<?x?xf32>
          %b = affine.load %B[%n floordiv 32, %k, %nr] : memref<?x?x32xf32>
          %c = affine.load %acc[%mr, %nr] : memref<14x32xf32>
          %p = arith.mulf %a, %b fastmath<contract> : f32
          %s = arith.addf %c, %p fastmath<contract> : f32
          affine.store %s, %acc[%mr, %nr] : memref<14x32xf32>
        } {loop = "nr", iterator = "parallel", vector = 32 : index}
      } {loop = "mr", iterator = "parallel", vector = 14 : index}
    } {loop = "k", iterator = "reduction"}
    ```
    after:
    ```mlir
    %r = scf.for %k = %c0 to %K step %c1 iter_args(%c = %init) -> (vector<14x32xf32>) {
      %a = vector.transfer_read %A[%m, %k], %zero {in_bounds = [true, true]} : memref<?x?xf32>, vector<14x1xf32>
      %b = vector.transfer_read %B[%p, %k, %c0], %zero {in_bounds = [true]} : memref<?x?x32xf32>, vector<32xf32>
      %a2 = vector.broadcast %a : vector<14x1xf32> to vector<14x32xf32>
      %b2 = vector.broadcast %b : vector<32xf32> to vector<14x32xf32>
      %s = vector.fma %a2, %b2, %c : vector<14x32xf32>
      scf.yield %s : vector<14x32xf32>
    }
    ```
    Buffers that are only ever subscripted by point loops (or by nothing) become values. Unroll marks stay on the `scf.for`s.
    """

    name: ClassVar[str] = "vectorize"

    def run(self, op: Operation, ctx: Context) -> None:
        for func in op.walk():
            if isinstance(func, FuncOp) and func.body.blocks and _is_affine(func):
                _Function(func).run()


def _is_affine(func: FuncOp) -> bool:
    return any(isinstance(op, affine.ForOp | affine.ParallelOp | affine.LoadOp | affine.StoreOp) for op in func.body.walk())


def is_point_loop(op: Operation) -> bool:
    return isinstance(op, affine.ForOp) and "vector" in op.attributes


class _Function:
    """One function being rewritten into a new entry block."""

    def __init__(self, func: FuncOp) -> None:
        self.func = func
        self.old = func.body.block
        self.entry = Block(arg_types=self.old.arg_types)
        self.writer = Writer(self.entry)
        self.env = Environment(self.writer)
        for old, new in zip(self.old.args, self.entry.args, strict=True):
            new.name_hint = old.name_hint
            self.env.values[old] = new
        self.overlapped: set[affine.ForOp] = set()
        self.shifts: dict[SSAValue, list[Index]] = {}
        """Induction variable of a tile loop -> how far it may go: the last tile starts at `extent - factor` instead of being short."""
        self.carried: dict[Operation, list[SSAValue]] = {}
        """Loop or condition -> the registers that it changes and that outlive it."""

    def run(self) -> None:
        self._find_overlaps()
        self._find_registers()
        self.convert(self.old.ops)
        self.writer.close()
        self.func.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        self.func.body.add_block(self.entry)

    def fail(self, message: str, hint: str | None = None) -> CompileError:
        return CompileError(f"kernel @{self.func.sym_name.data}: {message}", location=place(self.func), hint=hint)

    # -- what is known before anything is written

    def _find_overlaps(self) -> None:
        """Tiles whose last one is moved back instead of masked."""
        for loop in self.func.body.walk():
            if not isinstance(loop, affine.ForOp) or loop.attributes.get("tail") != StringAttr("overlap"):
                continue
            factor = constant_extent(loop)
            left = [bound for bound in upper_bound(loop) if not bound.is_constant]
            if factor is None or not left:
                continue
            tile = next((v for v, f in left[0].terms.items() if f == -1 and _tile_step(v) == factor), None)
            if not isinstance(tile, SSAValue):
                raise self.fail(f"the tiles of loop '{loop_name(loop)}' cannot overlap: its bound names no loop of step {factor}")
            self.overlapped.add(loop)
            # first + (extent - first - factor): where a full tile that ends at the extent begins.
            self.shifts[tile] = [Index.of(tile) + bound - factor for bound in left]
        for tile in self.shifts:
            self._check_repeatable(tile)

    def _check_repeatable(self, tile: SSAValue) -> None:
        """The rows of the last tile are computed twice: nothing may be read that the tile wrote."""
        body = tile.owner
        assert isinstance(body, Block)
        written: set[SSAValue] = set()
        read: set[SSAValue] = set()
        for op in body.walk():
            if isinstance(op, affine.StoreOp):
                written.add(memref_of(op))
            elif isinstance(op, affine.LoadOp):
                read.add(memref_of(op))
        for buffer in written & read:
            if not isinstance(buffer.owner, memref.AllocaOp):
                raise self.fail(
                    f"the tiles of loop '{tile.name_hint}' cannot overlap: they read and write the same buffer",
                    'use the tail "mask" or "exact"',
                )

    def _find_registers(self) -> None:
        for op in self.func.body.walk():
            if not isinstance(op, memref.AllocaOp):
                continue
            buffer = op.results[0]
            if not _is_register(buffer):
                continue
            self.env.registers[buffer] = None
            home = op.parent
            for user in accesses(buffer):
                if not isinstance(user, affine.StoreOp):
                    continue
                around = user.parent_op()
                while around is not None and around.parent is not None and not _holds(around, home):
                    changed = self.carried.setdefault(around, [])
                    if buffer not in changed:
                        changed.append(buffer)
                    around = around.parent_op()

    # -- operations

    def convert(self, ops: Iterable[Operation]) -> None:
        for op in ops:
            self._convert(op)

    def _convert(self, op: Operation) -> None:
        writer, env = self.writer, self.env
        match op:
            case affine.ForOp() if is_point_loop(op):
                self._points(op)
            case affine.ForOp():
                self._for(op)
            case affine.ParallelOp():
                self._parallel(op)
            case affine.IfOp():
                self._if(op)
            case affine.LoadOp():
                buffer = memref_of(op)
                if buffer in env.registers:
                    env.values[op.results[0]] = env.register(buffer)
                else:
                    self._load(op.results[0], buffer, subscripts(op))
            case affine.StoreOp():
                buffer = memref_of(op)
                if buffer in env.registers:
                    env.registers[buffer] = env.scalar(op.operands[0])
                else:
                    self._store(op.operands[0], buffer, subscripts(op))
            case affine.PrefetchOp():
                indices = [writer.index(env.translate(i)) for i in subscripts(op)]
                properties = {k: v for k, v in op.properties.items() if k != "map"}
                writer.emit(memref.PrefetchOp.create(operands=[env.scalar(memref_of(op)), *indices], properties=properties))
            case affine.ApplyOp():
                (index,) = indices_of(op.map.data, tuple(op.operands))
                env.indices[op.results[0]] = env.translate(index)
            case affine.MinOp() | affine.MaxOp():
                indices = [env.translate(i) for i in indices_of(op.map.data, tuple(op.operands))]
                value = writer.least(indices) if isinstance(op, affine.MinOp) else writer.largest(indices)
                env.indices[op.results[0]] = Index.of(value)
            case arith.ConstantOp():
                constant = constant_value(op).constant
                assert constant is not None
                env.constants[op.results[0]] = constant
            case memref.AllocaOp():
                if op.results[0] not in env.registers:
                    self._buffer(op)
            case affine.YieldOp():
                pass
            case _ if op.regions:
                raise self.fail(f"'{op.name}' cannot be vectorised")
            case _:
                self._clone(op)

    def _clone(self, op: Operation) -> None:
        operands = [self.env.scalar(operand) for operand in op.operands]
        new = type(op).create(
            operands=operands, result_types=op.result_types, properties=op.properties, attributes=op.attributes, location=op.location
        )
        self.writer.emit(new)
        for old, result in zip(op.results, new.results, strict=True):
            result.name_hint = old.name_hint
            self.env.values[old] = result

    def _buffer(self, op: memref.AllocaOp) -> None:
        """A buffer that stays in memory, such as a packed panel: allocated once, at the start of the function."""
        type = buffer_type(op.results[0])
        if DYNAMIC_INDEX in type.get_shape():
            raise self.fail(
                f"a temporary of {type} remains",
                "a stage must write its result into the output, or the schedule must make the temporary a tile",
            )
        new = memref.AllocaOp.create(result_types=[type], properties=op.properties, attributes=op.attributes)
        new.results[0].name_hint = op.results[0].name_hint
        entry = self.writer.scopes[0]
        entry.prologue.append(new)
        self.writer.homes[new.results[0]] = entry
        self.env.values[op.results[0]] = new.results[0]

    def _load(self, result: SSAValue, buffer: SSAValue, index: Sequence[Index]) -> None:
        source = self.env.scalar(buffer)
        operands = [source, *(self.writer.index(self.env.translate(i)) for i in index)]
        value = self.writer.emit(memref.LoadOp.create(operands=operands, result_types=[result.type]))
        value.name_hint = result.name_hint
        self.env.values[result] = value

    def _store(self, value: SSAValue, buffer: SSAValue, index: Sequence[Index]) -> None:
        operands = [self.env.scalar(value), self.env.scalar(buffer)]
        operands += [self.writer.index(self.env.translate(i)) for i in index]
        self.writer.emit(memref.StoreOp.create(operands=operands))

    # -- loops

    def _points(self, loop: affine.ForOp) -> None:
        loops = [loop]
        while (inner := only_loop(loops[-1])) is not None and is_point_loop(inner):
            loops.append(inner)
        try:
            PointNest(self.env, loops, self.overlapped).run()
        except CompileError as error:
            raise self.fail(error.message, error.hint) from None

    def _start(self, loop: Operation, variables: Sequence[SSAValue], body: Block) -> None:
        """Enter a loop's new body: its variables, and tiles that are moved back."""
        self.writer.open(body)
        for old, new in zip(variables, body.args, strict=False):
            new.name_hint = old.name_hint
            self.env.indices[old] = Index.of(new)
        for old in variables:
            if (limits := self.shifts.get(old)) is not None:
                translated = [self.env.translate(limit) for limit in limits]
                moved = self.writer.least([self.env.indices[old], *translated])
                moved.name_hint = old.name_hint
                self.env.indices[old] = Index.of(moved)

    def _for(self, loop: affine.ForOp) -> None:
        writer, env = self.writer, self.env
        lower = writer.largest([env.translate(bound) for bound in lower_bound(loop)])
        bounds = upper_bound(loop)
        if loop.attributes.get("tail") == StringAttr("pad"):
            # What the tiles have beyond the other bounds is zero.
            bounds = [bound for bound in bounds if bound.is_constant]
        upper = writer.least([env.translate(bound) for bound in bounds])
        step = writer.constant_index(step_of(loop))
        carried = self.carried.get(loop, [])
        inits = [env.register(buffer) for buffer in carried]
        body = Block(arg_types=(INDEX, *(init.type for init in inits)))
        self._start(loop, [induction_variable(loop)], body)
        for buffer, argument in zip(carried, body.args[1:], strict=True):
            argument.name_hint = buffer.name_hint
            env.registers[buffer] = argument
        self.convert(loop.body.block.ops)
        writer.emit(scf.YieldOp.create(operands=[env.register(buffer) for buffer in carried]))
        writer.close()
        attributes: dict[str, Attribute] = {}
        if (unroll := loop.attributes.get("unroll")) is not None:
            attributes["unroll"] = unroll
        new = scf.ForOp.create(
            operands=[lower, upper, step, *inits],
            result_types=[init.type for init in inits],
            attributes=attributes,
            regions=[Region(body)],
        )
        writer.emit(new)
        for buffer, result in zip(carried, new.results, strict=True):
            result.name_hint = buffer.name_hint
            env.registers[buffer] = result

    def _parallel(self, loop: affine.ParallelOp) -> None:
        writer, env = self.writer, self.env
        if self.carried.get(loop):
            raise self.fail("a parallel loop accumulates in a register that outlives it")

        def bounds(groups: Sequence[tuple[Any, ...]], map: Any, operands: Sequence[SSAValue]) -> list[list[Index]]:
            return [[env.translate(index_of(expr, operands, map.num_dims)) for expr in group] for group in groups]

        lower = [writer.largest(b) for b in bounds(loop.lower_bounds(), loop.lowerBoundsMap.data, loop.lower_operands)]
        upper = [writer.least(b) for b in bounds(loop.upper_bounds(), loop.upperBoundsMap.data, loop.upper_operands)]
        steps = [writer.constant_index(step.value.data) for step in loop.steps]
        body = Block(arg_types=(INDEX,) * len(steps))
        self._start(loop, loop.body.block.args, body)
        self.convert(loop.body.block.ops)
        writer.emit(scf.ReduceOp.create())
        writer.close()
        new = scf.ParallelOp.create(
            operands=[*lower, *upper, *steps],
            properties={"operandSegmentSizes": segments(len(steps), len(steps), len(steps), 0)},
            regions=[Region(body)],
        )
        writer.emit(new)

    # -- conditions

    def _if(self, op: affine.IfOp) -> None:
        writer, env = self.writer, self.env
        condition = self._condition(op)
        carried = self.carried.get(op, [])
        before = [env.register(buffer) for buffer in carried]
        regions: list[Region] = []
        for region in op.regions:
            if not region.blocks and not carried and not op.results:
                regions.append(Region())
                continue
            body = Block()
            writer.open(body)
            for buffer, value in zip(carried, before, strict=True):
                env.registers[buffer] = value
            yielded: list[SSAValue] = []
            if region.blocks:
                self.convert(block_ops(region.block))
                last = region.block.last_op
                if isinstance(last, affine.YieldOp):
                    yielded = [env.scalar(value) for value in last.operands]
            writer.emit(scf.YieldOp.create(operands=[*yielded, *(env.register(buffer) for buffer in carried)]))
            writer.close()
            regions.append(Region(body))
        new = scf.IfOp.create(operands=[condition], result_types=[*op.result_types, *(value.type for value in before)], regions=regions)
        writer.emit(new)
        for old, result in zip(op.results, new.results, strict=False):
            env.values[old] = result
        for buffer, result in zip(carried, new.results[len(op.results) :], strict=True):
            env.registers[buffer] = result

    def _condition(self, op: affine.IfOp) -> SSAValue:
        """All constraints of an affine set: `expr >= 0` or `expr == 0`."""
        data = op.condition.data
        operands = tuple(op.operands)
        result: SSAValue | None = None
        for constraint in data.constraints:
            index = self.env.translate(index_of(constraint.lhs, operands, data.num_dims))
            right = self.env.translate(index_of(constraint.rhs, operands, data.num_dims))
            index = index - right
            if constraint.kind is AffineConstraintKind.le:
                index = index * -1
            predicate = 0 if constraint.kind is AffineConstraintKind.eq else 5
            # x - y >= 0 is x >= y: the constant and the negative terms go to the right.
            positive = Index({a: f for a, f in index.terms.items() if f > 0}, max(index.constant, 0))
            negative = Index({a: -f for a, f in index.terms.items() if f < 0}, max(-index.constant, 0))
            test = self.writer.emit(
                arith.CmpiOp.create(
                    operands=[self.writer.index(positive), self.writer.index(negative)],
                    result_types=[i1],
                    properties={"predicate": IntegerAttr(predicate, 64)},
                )
            )
            result = test if result is None else self.writer.emit(arith.AndIOp.create(operands=[result, test], result_types=[i1]))
        assert result is not None
        return result


def _tile_step(value: Any) -> int | None:
    """The step of the loop whose variable this is."""
    loop = value.block.parent_op() if isinstance(value, BlockArgument) else None
    if isinstance(loop, affine.ForOp):
        return step_of(loop)
    if isinstance(loop, affine.ParallelOp):
        steps = [step.value.data for step in cast(ArrayAttr[IntegerAttr[Any]], loop.steps)]
        return steps[cast(BlockArgument[Any], value).index]
    return None


def _holds(op: Operation, block: Block | None) -> bool:
    """Whether a block is one of the operation's own."""
    return any(block is b for region in op.regions for b in region.blocks)


def _is_register(buffer: SSAValue) -> bool:
    """Whether a buffer is only ever subscripted, in full, by point loops of its extents."""
    shape = buffer_type(buffer).get_shape()
    if DYNAMIC_INDEX in shape:
        return False
    for user in accesses(buffer):
        if not isinstance(user, affine.LoadOp | affine.StoreOp) or (isinstance(user, affine.StoreOp) and user.operands[0] is buffer):
            return False
        places: list[int] = []
        for extent, index in zip(shape, subscripts(user), strict=True):
            value = index.as_value
            loop = value.owner.parent_op() if value is not None and isinstance(value.owner, Block) else None
            if not isinstance(loop, affine.ForOp) or not is_point_loop(loop) or constant_extent(loop) != extent:
                return False
            places.append(_depth(loop))
        # Outer loops choose outer dimensions: the vector lies as the nest does.
        if places != sorted(set(places)):
            return False
    return True


def _depth(op: Operation) -> int:
    depth = 0
    parent = op.parent_op()
    while parent is not None:
        depth += 1
        parent = parent.parent_op()
    return depth
