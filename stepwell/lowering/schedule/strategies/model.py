"""A kernel at level 2 as the strategies see it: stages with named loops, their extents, how each operand is subscripted.

In: a kernel of `linalg` ops on static tensors. Out: a `KernelModel`. Loops of different stages that run over the same thing bear the
same name, found through the tensors that one stage writes and another reads (first) and through shared operands (then).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap

from stepwell.dialects import arith, linalg, tensor
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.combiners import Combiner, combiner_of, split_combine
from stepwell.lowering.structured.kernels import destinations, iterators_of, maps_of, name_of, shape_of, structured_ops

# ---- subscripts -----------------------------------------------------------------------------------------------------------------


def mentions(expr: AffineExpr, dim: int) -> bool:
    """Whether a loop occurs in a subscript."""
    if isinstance(expr, AffineDimExpr):
        return expr.position == dim
    return isinstance(expr, AffineBinaryOpExpr) and (mentions(expr.lhs, dim) or mentions(expr.rhs, dim))


def coefficient(expr: AffineExpr, dim: int) -> int | None:
    """The factor of a loop in a subscript; 0 where it does not occur, None where it occurs inside a division."""
    if isinstance(expr, AffineDimExpr):
        return int(expr.position == dim)
    if not isinstance(expr, AffineBinaryOpExpr):
        return 0
    if expr.kind is AffineBinaryOpKind.Add:
        left, right = coefficient(expr.lhs, dim), coefficient(expr.rhs, dim)
        return None if left is None or right is None else left + right
    if expr.kind is AffineBinaryOpKind.Mul and isinstance(expr.rhs, AffineConstantExpr):
        inner = coefficient(expr.lhs, dim)
        return None if inner is None else inner * expr.rhs.value
    return None if mentions(expr, dim) else 0


def _is_division(expr: AffineExpr, dim: int, kind: AffineBinaryOpKind) -> bool:
    return (
        isinstance(expr, AffineBinaryOpExpr)
        and expr.kind is kind
        and isinstance(expr.lhs, AffineDimExpr)
        and expr.lhs.position == dim
        and isinstance(expr.rhs, AffineConstantExpr)
    )


def _tile_of(results: Sequence[AffineExpr], dim: int) -> int | None:
    """The tile of a loop that subscripts a packed operand: once divided by the tile, once modulo the tile, and nowhere else."""
    walking = [expr for expr in results if mentions(expr, dim)]
    if len(walking) != 2:
        return None
    first, second = walking
    if not (_is_division(first, dim, AffineBinaryOpKind.FloorDiv) and _is_division(second, dim, AffineBinaryOpKind.Mod)):
        return None
    assert isinstance(first, AffineBinaryOpExpr)
    assert isinstance(second, AffineBinaryOpExpr)
    return first.rhs.value if first.rhs == second.rhs and isinstance(first.rhs, AffineConstantExpr) else None


@dataclass(frozen=True)
class Access:
    """How an operand's subscripts depend on one loop."""

    place: int
    """Which dimension of the operand the loop walks."""
    step: int
    rank: int
    tile: int = 0
    """Where the walk jumps after so many iterations (a packed operand: `n floordiv 32, ..., n mod 32`), else 0. Lanes must divide it."""

    @property
    def is_unit(self) -> bool:
        """Whether neighbouring iterations touch neighbouring elements."""
        return self.place == self.rank - 1 and self.step == 1


@dataclass(eq=False)
class Stage:
    """One structured op."""

    op: Any
    iterators: list[str]
    maps: list[AffineMap]
    extents: list[int]
    names: list[str] = field(default_factory=list[str])

    @property
    def operands(self) -> list[SSAValue]:
        return list(self.op.operands)

    @property
    def inputs(self) -> int:
        return len(self.op.inputs)

    @property
    def body(self) -> Any:
        return self.op.regions[0].block

    @property
    def out_map(self) -> AffineMap:
        return self.maps[-1]

    @property
    def volume(self) -> int:
        return prod(self.extents)

    @property
    def loops(self) -> range:
        return range(len(self.iterators))

    @property
    def reductions(self) -> list[int]:
        return [d for d in self.loops if self.iterators[d] == "reduction"]

    @property
    def parallels(self) -> list[int]:
        return [d for d in self.loops if self.iterators[d] == "parallel"]

    def loop(self, name: str) -> int | None:
        """The number of the loop of that name."""
        return self.names.index(name) if name in self.names else None

    def access(self, operand: int, dim: int) -> Access | None:
        """How an operand walks along a loop: None where it does not. Raises LookupError where the walk is not along one dimension in
        steps.
        """
        found: Access | None = None
        results = self.maps[operand].results
        if (tile := _tile_of(results, dim)) is not None:
            (place,) = (p for p, expr in enumerate(results) if _is_division(expr, dim, AffineBinaryOpKind.Mod))
            return Access(place, 1, len(results), tile)
        for place, expr in enumerate(results):
            step = coefficient(expr, dim)
            if step is None or step < 0 or (step and found is not None):
                raise LookupError(f"loop {dim} is not a plain subscript of operand {operand}")
            if step:
                found = Access(place, step, len(results))
        return found

    @cached_property
    def body_cost(self) -> int:
        """How many operations one iteration runs, transcendental ones counted as twenty."""
        return sum(20 if op.name.startswith("math.") and op.name not in _CHEAP_MATH else 1 for op in self.body.ops if op.name not in _FREE)

    def is_read(self, operand: int) -> bool:
        """Whether the body reads an operand; one that it does not read only gives loops their extents."""
        return bool(self.body.args[operand].uses)

    @cached_property
    def accumulation(self) -> tuple[Combiner, Operation] | None:
        """How a reduction combines: the operation of `acc = acc op x`, also under `acc = c ? acc op x : acc`."""
        accumulator = self.body.args[-1]
        value = self.body.last_op.operands[0]
        owner = value.owner
        if isinstance(owner, arith.SelectOp):
            _, then, other = owner.operands
            if other is accumulator:
                owner = then.owner
            elif then is accumulator:
                owner = other.owner
        if not isinstance(owner, Operation) or (combiner := combiner_of(owner)) is None or split_combine(owner, accumulator) is None:
            return None
        return combiner, owner

    @cached_property
    def product(self) -> tuple[int, int] | None:
        """The two inputs whose product is summed, None when the stage is no contraction."""
        if not self.reductions or self.accumulation is None or self.accumulation[0].kind != "add":
            return None
        term = split_combine(self.accumulation[1], self.body.args[-1])
        owner = term.owner if term is not None else None
        if not isinstance(owner, arith.MulfOp | arith.MuliOp) or not isinstance(self.op, linalg.GenericOp):
            return None
        factors = [self._input_of(operand) for operand in owner.operands]
        left, right = factors
        return None if left is None or right is None or left == right else (left, right)

    def _input_of(self, value: SSAValue) -> int | None:
        """The input that a value is, through conversions and through arithmetic with inputs that walk along fewer loops (a weight and its
        scale)."""
        found: set[int] = set()
        pending = [value]
        while pending:
            value = pending.pop()
            owner = value.owner
            if owner is self.body:
                found.add(self.body.args.index(value))
            elif isinstance(owner, Operation) and owner.dialect_name() == "arith":
                pending.extend(owner.operands)
            elif not isinstance(owner, linalg.IndexOp):
                return None
        if not found or max(found) >= self.inputs:
            return None
        loops = {index: {d for d in self.loops if any(mentions(e, d) for e in self.maps[index].results)} for index in found}
        main = max(found, key=lambda index: len(loops[index]))
        return main if all(loops[index] <= loops[main] for index in found) else None

    # -- lanes

    def can_be_lanes(self, dim: int) -> bool:
        """Whether the iterations of a loop can run side by side as the lanes of vectors."""
        if self.iterators[dim] == "reduction" and self.accumulation is None:
            return False
        try:
            for operand in range(len(self.maps)):
                self.access(operand, dim)
        except LookupError:
            return False
        dependent = {arg for arg, map in zip(self.body.args, self.maps, strict=True) if any(mentions(e, dim) for e in map.results)}
        for op in self.body.ops:
            if isinstance(op, linalg.IndexOp):
                if op.dim.value.data == dim:
                    dependent.add(op.results[0])
                continue
            if isinstance(op, tensor.ExtractOp):
                walked = [i for i in op.operands[1:] if i in dependent]
                if len(walked) > 1 or any(not isinstance(i.owner, linalg.IndexOp) for i in walked):
                    return False
                dependent.update(op.results if walked else ())
            elif any(operand in dependent for operand in op.operands):
                dependent.update(op.results)
        return True

    def strided_accesses(self, dim: int) -> int:
        """How many accesses of one iteration would have to collect their lanes one by one."""
        count = 0
        for operand in range(len(self.maps)):
            access = self.access(operand, dim)
            count += access is not None and not access.is_unit and (operand >= self.inputs or self.is_read(operand))
        for op in self.body.ops:
            if isinstance(op, tensor.ExtractOp):
                for place, index in enumerate(op.operands[1:]):
                    own = isinstance(index.owner, linalg.IndexOp) and index.owner.dim.value.data == dim
                    count += own and place != len(op.operands) - 2
        return count


_FREE = frozenset({"arith.constant", "linalg.index", "linalg.yield", "affine.apply", "arith.index_cast", "arith.extf", "arith.truncf"})
_CHEAP_MATH = frozenset({"math.absf", "math.absi", "math.fma", "math.floor", "math.ceil", "math.roundeven", "math.copysign", "math.trunc"})


# ---- kernels --------------------------------------------------------------------------------------------------------------------


class KernelModel:
    """The stages of a kernel, with one name for each thing that loops run over."""

    def __init__(self, func: FuncOp, stages: list[Stage] | None = None) -> None:
        self.func = func
        self.stages = [_stage(func, op) for op in structured_ops(func)] if stages is None else stages
        if not self.stages:
            raise CompileError(f"kernel @{name_of(func)} holds no structured op to schedule")
        if stages is None:
            _name_loops(self)
        self.extents: dict[str, int] = {}
        for stage in self.stages:
            for name, extent in zip(stage.names, stage.extents, strict=True):
                self.extents[name] = extent

    @cached_property
    def main(self) -> Stage:
        """The stage that does most of the work."""
        return max(self.stages, key=lambda s: (s.volume * (s.body_cost + 1), bool(s.reductions)))

    @cached_property
    def arguments(self) -> list[SSAValue]:
        return list(self.func.body.block.args)

    @cached_property
    def outputs(self) -> set[SSAValue]:
        return set(destinations(self.func))

    def argument_number(self, value: SSAValue) -> int | None:
        return self.arguments.index(value) if value in self.arguments else None

    @cached_property
    def common(self) -> list[str]:
        """The loops that are parallel in every stage, in the order of the main stage's result."""
        shared = [
            name
            for name in self.main.names
            if all((d := stage.loop(name)) is not None and stage.iterators[d] == "parallel" for stage in self.stages)
        ]
        order = [e.position for e in self.main.out_map.results if isinstance(e, AffineDimExpr)]
        rank = {self.main.names[d]: place for place, d in enumerate(order)}
        return sorted(shared, key=lambda name: rank.get(name, len(rank)))

    def separate(self) -> list[KernelModel] | None:
        """A model for each stage, with names of its own; None unless the stages only write one after the other into the same place."""
        made = {result for stage in self.stages for result in stage.op.results}
        if any(stage.reductions or any(v in made for v in stage.operands[: stage.inputs]) for stage in self.stages):
            return None
        if any(stage.body.args[-1].uses for stage in self.stages[1:]):
            return None
        for number, stage in enumerate(self.stages):
            stage.names = [f"{name}_{number}" for name in stage.names]
        return [KernelModel(self.func, [stage]) for stage in self.stages]

    def stages_over(self, name: str) -> Iterator[tuple[Stage, int]]:
        """The stages that have a loop of that name, with its number."""
        for stage in self.stages:
            if (d := stage.loop(name)) is not None:
                yield stage, d

    @cached_property
    def flops(self) -> int:
        """Operations of one call."""
        return sum(stage.volume * (2 if stage.product else stage.body_cost) for stage in self.stages)

    @cached_property
    def bytes(self) -> int:
        """Bytes of all arguments."""
        return sum(prod(shape_of(arg)) * element_bytes(element_of(arg)) for arg in self.arguments if isinstance(arg.type, TensorType))


def element_of(value: SSAValue) -> Attribute:
    type: Attribute = value.type
    return cast(TensorType[Any], type).element_type if isinstance(type, TensorType) else type


def element_bytes(element: Attribute) -> int:
    """Bytes of an element in memory."""
    if isinstance(element, IndexType):
        return 8
    if isinstance(element, IntegerType):
        return max(1, cast(IntegerType[Any, Any], element).width.data // 8)
    return cast(AnyFloat, element).bitwidth // 8


def _stage(func: FuncOp, op: Any) -> Stage:
    maps, iterators = maps_of(op), iterators_of(op)
    extents = [0] * len(iterators)
    known: set[int] = set()
    for operand, map in zip(op.operands, maps, strict=True):
        shape = shape_of(operand)
        for place, expr in enumerate(map.results):
            if isinstance(expr, AffineDimExpr):
                if shape[place] < 0:
                    raise CompileError(
                        f"kernel @{name_of(func)} has dynamic extents when it is scheduled",
                        hint="run choose-schedule before generalize-extents",
                    )
                extents[expr.position] = shape[place]
                known.add(expr.position)
    if len(known) != len(iterators):
        raise CompileError(f"kernel @{name_of(func)}: a loop of '{op.name}' has no extent that an operand tells")
    return Stage(op, iterators, maps, extents)


# ---- names ----------------------------------------------------------------------------------------------------------------------

_Loop = tuple[int, int]
"""(stage, loop)"""


def _name_loops(model: KernelModel) -> None:
    """Join loops that subscript the same dimension of the same tensor, unless that would give two loops of one stage one name."""
    parent: dict[_Loop, _Loop] = {}

    def find(loop: _Loop) -> _Loop:
        while loop in parent:
            loop = parent[loop]
        return loop

    members: dict[_Loop, set[int]] = {}
    for s, stage in enumerate(model.stages):
        for d in stage.loops:
            members[(s, d)] = {s}

    def join(a: _Loop, b: _Loop) -> None:
        a, b = find(a), find(b)
        if a == b or members[a] & members[b]:
            return
        if model.stages[a[0]].extents[a[1]] != model.stages[b[0]].extents[b[1]]:
            return
        parent[b] = a
        members[a] |= members[b]

    # Which loop of which stage is the plain subscript of a dimension; results stand for their destinations.
    made: dict[tuple[SSAValue, int], _Loop] = {}
    shared: dict[tuple[SSAValue, int], _Loop] = {}
    for s, stage in enumerate(model.stages):
        for operand, map in zip(stage.operands, stage.maps, strict=True):
            for place, expr in enumerate(map.results):
                if isinstance(expr, AffineDimExpr) and (known := made.get((operand, place))) is not None:
                    join(known, (s, expr.position))
        for result, map in zip(stage.op.results, stage.maps[stage.inputs :], strict=True):
            for place, expr in enumerate(map.results):
                if isinstance(expr, AffineDimExpr):
                    made[(result, place)] = (s, expr.position)
    for s, stage in enumerate(model.stages):
        for operand, map in zip(stage.operands, stage.maps, strict=True):
            for place, expr in enumerate(map.results):
                if isinstance(expr, AffineDimExpr):
                    join(shared.setdefault((operand, place), (s, expr.position)), (s, expr.position))

    # Names count through the main stage first, so that they read d0, d1, ... there.
    names: dict[_Loop, str] = {}
    weight = [stage.volume * (stage.body_cost + 1) for stage in model.stages]
    for s in sorted(range(len(model.stages)), key=lambda s: -weight[s]):
        for d in model.stages[s].loops:
            names.setdefault(find((s, d)), f"d{len(names)}")
    for s, stage in enumerate(model.stages):
        stage.names = [names[find((s, d))] for d in stage.loops]


def rename(model: KernelModel, new: dict[str, str]) -> None:
    """Give loops better names."""
    for stage in model.stages:
        stage.names = [new.get(name, name) for name in stage.names]
    model.extents = {new.get(name, name): extent for name, extent in model.extents.items()}
    model.__dict__.pop("common", None)
