"""Point nests: loops marked `vector` around straight-line code become operations on n-D vectors.

A value of the body depends on some of the nest's loops. Its vector has one dimension for each loop from the first that it depends on to
the innermost: the extent where it depends on the loop, 1 where it does not. In a nest (mr, nr) of 14 x 32 points a value that depends
on mr is a `14x1`, on nr a `32`, on both a `14x32`, on none a scalar; where they meet, the smaller is broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import VectorType
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import affine, arith, memref, vector
from stepwell.dialects import math as math_dialect
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.combiners import Combiner, combiner_of, neutral_value, split_combine
from stepwell.lowering.schedule.index import Division, Index, indices_of
from stepwell.lowering.schedule.nest import (
    body_ops,
    constant_extent,
    element_type,
    induction_variable,
    is_parallel,
    loop_name,
    memref_of,
    subscripts,
    upper_bound,
)
from stepwell.lowering.vectors.contractions import contract, dot_products, fused_products
from stepwell.lowering.vectors.environment import Dims, Environment, Value, constant_value
from stepwell.lowering.vectors.transfers import plan_access
from stepwell.lowering.vectors.writer import (
    INDEX,
    Shape,
    all_in_bounds,
    i64_array,
    minor_identity,
    segments,
    vector_type,
)

NO_FLAGS = FastMathFlagsAttr("none")
REASSOC = FastMathFlagsAttr([FastMathFlag.REASSOC])
_INTEGER_DIVISIONS = frozenset(
    {"arith.divsi", "arith.divui", "arith.remsi", "arith.remui", "arith.floordivsi", "arith.ceildivsi", "arith.ceildivui"}
)
"""Operations that trap where a masked-off element of the divisor is zero."""


class PointNest:
    """One nest of point loops being turned into vector operations."""

    def __init__(self, env: Environment, loops: Sequence[affine.ForOp], overlapped: frozenset[affine.ForOp] | set[affine.ForOp]) -> None:
        self.env = env
        self.writer = env.writer
        self.loops = loops
        self.variables = [induction_variable(loop) for loop in loops]
        self.number = {variable: dim for dim, variable in enumerate(self.variables)}
        self.extents = [constant_extent(loop) or 0 for loop in loops]
        self.limits: list[SSAValue | None] = [self._limit(loop, loop in overlapped) for loop in loops]
        self.values: dict[SSAValue, Value] = {}
        self.sums: dict[SSAValue, Index] = {}
        self.reductions: dict[Operation, tuple[SSAValue, SSAValue, Combiner, Dims]] = {}
        """Combining operation -> accumulator's load, what is added, how, and the dims of the accumulator."""
        self.products: dict[SSAValue, Operation] = {}
        """Products that are folded into a fused multiply-add or a contraction."""
        self.contractions: dict[Operation, Operation] = {}
        """Sums over the innermost loop of a product of widened integers -> that product."""

    def _limit(self, loop: affine.ForOp, full: bool) -> SSAValue | None:
        """How many points there are when the tile is ragged, None when it is always full."""
        rest = [self.env.translate(bound) for bound in upper_bound(loop) if not bound.is_constant]
        return None if full or not rest else self.writer.least(rest)

    # -- shapes

    def shape_of(self, dims: Dims) -> Shape:
        """The canonical shape of a value over these loops."""
        return tuple(self.extents[d] if d in dims else 1 for d in range(dims[0], len(self.extents)))

    def cast(self, ssa: SSAValue, shape: Shape, target: Shape) -> SSAValue:
        """Add or drop extents of 1."""
        if shape == target:
            return ssa
        type = vector_type(target, _vector(ssa).element_type)
        return self.writer.emit(vector.ShapeCastOp.create(operands=[ssa], result_types=[type]))

    def widen(self, value: Value, dims: Dims, element: Attribute) -> SSAValue:
        """The vector of a value over at least these loops; a scalar when there are none."""
        if not dims:
            return self.scalar(value)
        shape = self.shape_of(dims)
        type = vector_type(shape, element)
        if value.constant is not None:
            return self.writer.splat(value.constant.value.data, type)
        assert value.ssa is not None
        if not value.dims:
            return self.writer.emit(vector.BroadcastOp.create(operands=[value.ssa], result_types=[type]))
        assert value.shape is not None
        ssa = self.cast(value.ssa, value.shape, self.shape_of(value.dims))
        if value.dims == dims:
            return ssa
        return self.writer.emit(vector.BroadcastOp.create(operands=[ssa], result_types=[type]))

    def scalar(self, value: Value) -> SSAValue:
        if value.constant is not None:
            return self.writer.scalar(value.constant)
        assert value.ssa is not None
        assert not value.dims
        return value.ssa

    def mask_over(self, dims: Dims, ragged: Sequence[int]) -> SSAValue:
        """The mask of a canonical shape that cuts these dimensions."""
        limits = [self.limits[d] if d in ragged else self.extents[d] if d in dims else 1 for d in range(dims[0], len(self.extents))]
        return self.writer.mask([l if l is not None else 1 for l in limits], self.shape_of(dims))

    # -- the body

    def run(self) -> None:
        ops = body_ops(self.loops[-1])
        self._find_reductions(ops)
        self.products = fused_products(self, ops)
        self.contractions = dot_products(self)
        self.products |= {self.reductions[op][1]: product for op, product in self.contractions.items()}
        for op in ops:
            self._convert(op)

    def _convert(self, op: Operation) -> None:
        match op:
            case affine.LoadOp():
                self.values[op.results[0]] = self._load(memref_of(op), [self._translate(i) for i in subscripts(op)])
            case memref.LoadOp():
                self.values[op.results[0]] = self._load(op.operands[0], [self._as_sum(index) for index in op.operands[1:]])
            case affine.StoreOp():
                self._store(op.operands[0], memref_of(op), [self._translate(i) for i in subscripts(op)])
            case memref.StoreOp():
                self._store(op.operands[0], op.operands[1], [self._as_sum(index) for index in op.operands[2:]])
            case affine.PrefetchOp():
                # The first point's line stands for all.
                indices = [self.writer.index(self._translate(i).without(self.variables)) for i in subscripts(op)]
                properties = {k: v for k, v in op.properties.items() if k != "map"}
                self.writer.emit(memref.PrefetchOp.create(operands=[self.env.scalar(memref_of(op)), *indices], properties=properties))
            case affine.ApplyOp():
                (sum,) = indices_of(op.map.data, tuple(op.operands))
                self.sums[op.results[0]] = self._translate(sum)
            case arith.ConstantOp():
                self.values[op.results[0]] = constant_value(op)
            case _ if op.regions:
                raise CompileError(
                    f"'{op.name}' stands inside the vectorised loops {self.names()}", hint="jam the point loops inside it first"
                )
            case _ if op.results and op.results[0] in self.products:
                pass
            case _ if op in self.reductions:
                self._reduce(op)
            case _:
                self._elementwise(op)

    def names(self) -> str:
        return ", ".join(str(loop_name(loop)) for loop in self.loops)

    def value(self, old: SSAValue) -> Value:
        """What an operand of the body has become."""
        if (found := self.values.get(old)) is not None:
            return found
        if old in self.number or old in self.sums:
            found = self._index_vector(self._as_sum(old))
        elif (constant := self.env.constants.get(old)) is not None:
            found = Value(None, constant=constant)
        else:
            found = Value(self.env.scalar(old))
        self.values[old] = found
        return found

    # -- index arithmetic

    def _translate(self, index: Index) -> Index:
        """A sum over the body's values as a sum over new values and the nest's own variables."""
        return index.replace({v: self._as_sum(v) for v in index.values()})

    def _as_sum(self, old: SSAValue) -> Index:
        """An index operand as a sum over new values and the nest's own variables."""
        if (sum := self.sums.get(old)) is not None:
            return sum
        if old in self.number:
            return Index.of(old)
        if (computed := self.values.get(old)) is not None:
            if computed.dims:
                raise CompileError(
                    f"a subscript that is read from memory differs between the lanes of the vectorised loops {self.names()}",
                    hint="vectorise a loop on which it does not depend",
                )
            return Index.of(self.scalar(computed))
        return self.env.translate(Index.of(old))

    def points_in(self, index: Index) -> list[int]:
        return sorted({self.number[v] for v in index.values() if v in self.number})

    def _index_vector(self, index: Index) -> Value:
        """An index expression used as data."""
        dims = tuple(self.points_in(index))
        if not dims:
            return Value(self.writer.index(index))
        total: SSAValue | None = None
        type = vector_type(self.shape_of(dims), INDEX)
        base = index.without(v for v in self.variables)
        for atom, factor in index.terms.items():
            if isinstance(atom, Division):
                if not self.points_in(Index({atom: 1})):
                    continue
                base = Index({a: f for a, f in base.terms.items() if a != atom}, base.constant)
                inner = self._index_vector(atom.numerator)
                kind = arith.RemUIOp if atom.is_mod else arith.DivUIOp
                divisor = self.writer.splat(atom.divisor, vector_type(self.shape_of(inner.dims), INDEX))
                quotient = self._binary(kind, self.widen(inner, inner.dims, INDEX), divisor)
                if factor != 1:
                    scale = self.writer.splat(factor, vector_type(self.shape_of(inner.dims), INDEX))
                    quotient = self._binary(arith.MuliOp, quotient, scale)
                part = self.widen(Value(quotient, inner.dims, self.shape_of(inner.dims)), dims, INDEX)
            elif (dim := self.number.get(atom)) is not None:
                lanes = self.writer.iota(vector_type(self.shape_of((dim,)), INDEX), factor)
                part = self.widen(Value(lanes, (dim,), self.shape_of((dim,))), dims, INDEX)
            else:
                continue
            total = part if total is None else self._binary(arith.AddiOp, total, part)
        assert total is not None
        if base.terms or base.constant:
            start = self.writer.emit(vector.BroadcastOp.create(operands=[self.writer.index(base)], result_types=[type]))
            total = self._binary(arith.AddiOp, start, total)
        return Value(total, dims, self.shape_of(dims))

    def _binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        properties: dict[str, Attribute] = {}
        if kind in (arith.AddiOp, arith.MuliOp):
            properties["overflowFlags"] = arith.IntegerOverflowAttr("none")
        return self.writer.emit(kind.create(operands=[lhs, rhs], result_types=[lhs.type], properties=properties))

    # -- elementwise

    def _elementwise(self, op: Operation) -> None:
        operands = [self.value(operand) for operand in op.operands]
        dims = tuple(sorted({d for operand in operands for d in operand.dims}))
        types = [operand.type for operand in op.operands]
        if isinstance(op, arith.SelectOp) and not operands[0].dims and dims:
            # A condition that is the same for all lanes stays a scalar.
            new = [self.scalar(operands[0]), *(self.widen(o, dims, t) for o, t in zip(operands[1:], types[1:], strict=True))]
        elif (fused := self._fused(op)) is not None:
            self._multiply_add(op, fused)
            return
        else:
            new = [self.widen(o, dims, t) for o, t in zip(operands, types, strict=True)]
        if op.name in _INTEGER_DIVISIONS and (ragged := [d for d in operands[1].dims if self.limits[d] is not None]):
            one = self.writer.splat(1, _vector(new[1]))
            new[1] = self._select(self.mask_over(dims, ragged), new[1], one)
        result_types = [vector_type(self.shape_of(dims), r.type) if dims else r.type for r in op.results]
        created = type(op).create(operands=new, result_types=result_types, properties=op.properties, attributes=op.attributes)
        self.writer.emit(created)
        for old, result in zip(op.results, created.results, strict=True):
            result.name_hint = old.name_hint
            self.values[old] = Value(result, dims, self.shape_of(dims) if dims else None)

    def _select(self, mask: SSAValue, then: SSAValue, other: SSAValue) -> SSAValue:
        return self.writer.emit(arith.SelectOp.create(operands=[mask, then, other], result_types=[then.type]))

    # -- fused multiply-add

    def _fused(self, op: Operation) -> tuple[Operation, SSAValue] | None:
        if not isinstance(op, arith.AddfOp):
            return None
        for product, other in ((op.operands[0], op.operands[1]), (op.operands[1], op.operands[0])):
            if (owner := self.products.get(product)) is not None:
                return owner, other
        return None

    def _multiply_add(self, op: Operation, fused: tuple[Operation, SSAValue]) -> None:
        product, accumulator = fused
        operands = [self.value(o) for o in (*product.operands, accumulator)]
        dims = tuple(sorted({d for operand in operands for d in operand.dims}))
        element = op.results[0].type
        new = [self.widen(operand, dims, element) for operand in operands]
        if dims:
            created: Operation = vector.FMAOp.create(operands=new, result_types=[new[0].type])
        else:
            created = math_dialect.FmaOp.create(operands=new, result_types=[element], properties={"fastmath": NO_FLAGS})
        self.writer.emit(created)
        created.results[0].name_hint = op.results[0].name_hint
        self.values[op.results[0]] = Value(created.results[0], dims, self.shape_of(dims) if dims else None)

    # -- reductions

    def _find_reductions(self, ops: Sequence[Operation]) -> None:
        """Stores of `combine(load, x)` to an element that some of the nest's reduction loops do not choose."""
        for store in ops:
            if not isinstance(store, affine.StoreOp):
                continue
            element = subscripts(store)
            chosen = {dim for index in element for dim in self.points_in(index)}
            reduced = [d for d, loop in enumerate(self.loops) if d not in chosen and not is_parallel(loop)]
            if not reduced:
                continue
            combine = store.operands[0].owner
            if isinstance(combine, Operation) and (combiner := combiner_of(combine)) is not None:
                for operand in combine.operands:
                    load = operand.owner
                    if isinstance(load, affine.LoadOp) and memref_of(load) is memref_of(store) and subscripts(load) == element:
                        term = split_combine(combine, operand)
                        if term is not None:
                            self.reductions[combine] = (operand, term, combiner, tuple(sorted(chosen)))
                            break
                if combine in self.reductions:
                    continue
            raise CompileError(
                f"the vectorised loops {self.names()} accumulate something that is not one sum, product, maximum or the like",
                hint="vectorise a parallel loop instead",
            )

    def _reduce(self, op: Operation) -> None:
        old, _, _, kept = self.reductions[op]
        if (product := self.contractions.get(op)) is not None:
            if (summed := contract(self, product, self.value(old), kept)) is not None:
                self.values[op.results[0]] = summed
                return
            self._elementwise(product)
        self._reduce_all(op)

    def _reduce_all(self, op: Operation) -> None:
        old, term, combiner, kept = self.reductions[op]
        element = op.results[0].type
        accumulator, value = self.value(old), self.value(term)
        reduced = tuple(d for d, loop in enumerate(self.loops) if d not in kept and not is_parallel(loop))
        dims = tuple(sorted({*value.dims, *kept, *reduced}))
        ssa = self.widen(value, dims, element)
        ragged = [d for d in reduced if self.limits[d] is not None]
        if ragged:
            neutral = self.writer.splat(neutral_value(combiner, element), _vector(ssa))
            ssa = self._select(self.mask_over(dims, ragged), ssa, neutral)
        kind = vector.combining_kind(combiner.kind)
        if len(dims) == 1:
            flags = REASSOC if combiner.kind in ("add", "mul") else NO_FLAGS
            created: Operation = vector.ReductionOp.create(
                operands=[ssa, self.scalar(accumulator)], result_types=[element], properties={"kind": kind, "fastmath": flags}
            )
            self.writer.emit(created)
            self.values[op.results[0]] = Value(created.results[0])
            return
        # Dimensions of extent 1, of loops that the value does not depend on, go as well.
        places = tuple(d - dims[0] for d in range(dims[0], len(self.extents)) if d not in kept)
        rest = tuple(self.extents[d] for d in kept)
        start = self.widen(accumulator, kept, element)
        if kept:
            start = self.cast(start, self.shape_of(kept), rest)
        created = vector.MultiDimReductionOp.create(
            operands=[ssa, start],
            result_types=[vector_type(rest, element) if kept else element],
            properties={"kind": kind, "reduction_dims": i64_array(places)},
        )
        self.writer.emit(created)
        self.values[op.results[0]] = Value(created.results[0], kept, rest if kept else None)

    # -- memory

    def _load(self, buffer: SSAValue, index: list[Index]) -> Value:
        if buffer in self.env.registers:
            return self._load_register(buffer, index)
        source = self.env.scalar(buffer)
        element = element_type(source)
        if not any(self.points_in(i) for i in index):
            operands = [source, *(self.writer.index(i) for i in index)]
            return Value(self.writer.emit(memref.LoadOp.create(operands=operands, result_types=[element])))
        plan = plan_access(self, source, index)
        operands = [plan.source, *plan.indices, self.writer.zero(element)]
        if plan.mask is not None:
            operands.append(plan.mask)
        rank = len(plan.indices)
        read = self.writer.emit(
            vector.TransferReadOp.create(
                operands=operands,
                result_types=[vector_type(plan.shape, element)],
                properties={
                    "permutation_map": minor_identity(rank, len(plan.shape)),
                    "in_bounds": all_in_bounds(len(plan.shape)),
                    "operandSegmentSizes": segments(1, rank, 1, int(plan.mask is not None)),
                },
            )
        )
        read.name_hint = buffer.name_hint
        present = [dim for dim in plan.order if dim is not None]
        if present == sorted(present):
            return Value(read, plan.dims, plan.shape)
        # Read in the order of memory, then brought into the order of the loops.
        shape = tuple(self.extents[d] for d in present)
        read = self.cast(read, plan.shape, shape)
        return Value(self._transpose(read, [present.index(d) for d in plan.dims]), plan.dims, tuple(self.extents[d] for d in plan.dims))

    def _transpose(self, ssa: SSAValue, permutation: list[int]) -> SSAValue:
        shape = _vector(ssa).get_shape()
        type = vector_type(tuple(shape[p] for p in permutation), _vector(ssa).element_type)
        return self.writer.emit(
            vector.TransposeOp.create(operands=[ssa], result_types=[type], properties={"permutation": i64_array(tuple(permutation))})
        )

    def _store(self, old: SSAValue, buffer: SSAValue, index: list[Index]) -> None:
        value = self.value(old)
        if buffer in self.env.registers:
            self._store_register(value, buffer, index)
            return
        target = self.env.scalar(buffer)
        element = element_type(target)
        points = tuple(sorted({dim for i in index for dim in self.points_in(i)}))
        if any(d not in points for d in value.dims):
            raise CompileError(
                f"the vectorised loops {self.names()} write different values to one element",
                hint="vectorise a loop that the store depends on",
            )
        if not points:
            operands = [self.scalar(value), target, *(self.writer.index(i) for i in index)]
            self.writer.emit(memref.StoreOp.create(operands=operands))
            return
        plan = plan_access(self, target, index)
        ssa = self.widen(value, points, element)
        present = [dim for dim in plan.order if dim is not None]
        if present == sorted(present):
            ssa = self.cast(ssa, self.shape_of(points), plan.shape)
        else:
            ssa = self.cast(ssa, self.shape_of(points), tuple(self.extents[d] for d in points))
            ssa = self._transpose(ssa, [points.index(d) for d in present])
            ssa = self.cast(ssa, tuple(self.extents[d] for d in present), plan.shape)
        rank = len(plan.indices)
        operands = [ssa, plan.source, *plan.indices]
        if plan.mask is not None:
            operands.append(plan.mask)
        self.writer.emit(
            vector.TransferWriteOp.create(
                operands=operands,
                properties={
                    "permutation_map": minor_identity(rank, len(plan.shape)),
                    "in_bounds": all_in_bounds(len(plan.shape)),
                    "operandSegmentSizes": segments(1, 1, rank, int(plan.mask is not None)),
                },
            )
        )

    # -- registers

    def _register_dims(self, index: list[Index]) -> Dims:
        return tuple(self.number[i.as_value] for i in index if i.as_value is not None)

    def _load_register(self, buffer: SSAValue, index: list[Index]) -> Value:
        ssa = self.env.register(buffer)
        dims = self._register_dims(index)
        return Value(ssa, dims, tuple(self.extents[d] for d in dims) if dims else None)

    def _store_register(self, value: Value, buffer: SSAValue, index: list[Index]) -> None:
        dims = self._register_dims(index)
        element = element_type(buffer)
        if any(d not in dims for d in value.dims):
            raise CompileError(
                f"the vectorised loops {self.names()} accumulate in a scalar that is not reduced",
                hint="use rfactor, or mark the loop a reduction",
            )
        shape = tuple(self.extents[d] for d in dims)
        if not dims:
            self.env.registers[buffer] = self.scalar(value)
            return
        if value.dims == dims and value.shape == shape:
            assert value.ssa is not None
            ssa = value.ssa
        else:
            ssa = self.cast(self.widen(value, dims, element), self.shape_of(dims), shape)
        private = [d for d in dims if self.limits[d] is not None and "private" in self.loops[d].attributes]
        if private:
            # A lane that stands for no point keeps what it has accumulated.
            limits = [self.limits[d] if d in private else self.extents[d] for d in dims]
            mask = self.writer.mask([l if l is not None else 1 for l in limits], shape)
            ssa = self._select(mask, ssa, self.env.register(buffer))
        self.env.registers[buffer] = ssa


def _vector(value: SSAValue) -> VectorType[Any]:
    return cast(VectorType[Any], value.type)
