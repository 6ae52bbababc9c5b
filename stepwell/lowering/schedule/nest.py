"""Affine loop nests as the schedule primitives see them: loops by name, bounds and subscripts as sums over values, bodies that can be
moved.

A loop of a kernel carries `loop = "m"` (its name), `iterator = "parallel" | "reduction"`, `stage = "mm"` (the structured op that it came
from) and, once scheduled, `tail`, `vector`, `unroll`. The functions here change loops and accesses in place; none of them knows a
primitive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import AffineMapAttr, DenseArrayBase, IndexType, IntegerAttr, MemRefType, StringAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from stepwell.dialects import affine, memref
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index, indices_of, map_of, minimum

INDEX = IndexType()
PARALLEL = StringAttr("parallel")
REDUCTION = StringAttr("reduction")
ZERO_MAP = AffineMapAttr(AffineMap.constant_map(0))

Access = affine.LoadOp | affine.StoreOp | affine.PrefetchOp


# ---- loops ----------------------------------------------------------------------------------------------------------------------


def loop_name(op: Operation) -> str | None:
    """The name of a loop, None for what is no named loop."""
    name = op.attributes.get("loop")
    return name.data if isinstance(name, StringAttr) else None


def loops_named(func: FuncOp, name: str) -> list[affine.ForOp]:
    """All loops of that name in program order. Raises CompileError when there is none."""
    found = [op for op in func.body.walk() if isinstance(op, affine.ForOp) and loop_name(op) == name]
    if not found:
        known = sorted({n for op in func.body.walk() if (n := loop_name(op))})
        raise CompileError(f"kernel @{func.sym_name.data} has no loop '{name}'", hint=f"its loops are {', '.join(known) or 'none'}")
    return found


def is_parallel(loop: affine.ForOp) -> bool:
    return loop.attributes.get("iterator") == PARALLEL


def induction_variable(loop: affine.ForOp) -> SSAValue:
    return loop.body.block.args[0]


def lower_bound(loop: affine.ForOp) -> list[Index]:
    """The sums whose maximum is the first value of the loop."""
    return indices_of(loop.lowerBoundMap.data, tuple(loop.lowerBoundOperands))


def upper_bound(loop: affine.ForOp) -> list[Index]:
    """The sums whose minimum the loop stays below."""
    return indices_of(loop.upperBoundMap.data, tuple(loop.upperBoundOperands))


def step_of(loop: affine.ForOp) -> int:
    return loop.step.value.data


def constant_extent(loop: affine.ForOp) -> int | None:
    """A constant that the loop never runs beyond (the tile extent of a point loop), None where there is none."""
    constants = [bound.constant for bound in upper_bound(loop) if bound.is_constant]
    return min(constants) if constants else None


@lru_cache(maxsize=64)
def _segments(lower: int, upper: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, [lower, upper, 0])


@lru_cache(maxsize=256)
def index_attr(value: int) -> IntegerAttr[Any]:
    return IntegerAttr.from_index_int_value(value)


def make_loop(
    upper: Sequence[Index], body: Block, attributes: Mapping[str, Attribute], *, lower: Sequence[Index] | None = None, step: int = 1
) -> affine.ForOp:
    """A loop around a block that has the induction variable as its only argument. The block is closed where it is not."""
    lower_map, lower_operands = map_of(lower, symbols=True) if lower is not None else (ZERO_MAP, [])
    upper_map, upper_operands = map_of(minimum(upper), symbols=True)
    if body.last_op is None or not isinstance(body.last_op, affine.YieldOp):
        body.add_op(affine.YieldOp.create())
    return affine.ForOp.create(
        operands=[*lower_operands, *upper_operands],
        properties={
            "lowerBoundMap": lower_map,
            "upperBoundMap": upper_map,
            "step": index_attr(step),
            "operandSegmentSizes": _segments(len(lower_operands), len(upper_operands)),
        },
        attributes=attributes,
        regions=[Region(body)],
    )


def loop_block(name: str | None) -> Block:
    """An empty body whose induction variable is called `name`."""
    block = Block(arg_types=(INDEX,))
    block.args[0].name_hint = name
    return block


def set_upper_bound(loop: affine.ForOp, upper: Sequence[Index]) -> None:
    """Replace the upper bound."""
    upper_map, upper_operands = map_of(minimum(upper), symbols=True)
    lower = tuple(loop.lowerBoundOperands)
    loop.operands = [*lower, *upper_operands]
    loop.properties["upperBoundMap"] = upper_map
    loop.properties["operandSegmentSizes"] = _segments(len(lower), len(upper_operands))


def body_ops(loop: affine.ForOp) -> list[Operation]:
    """The operations of a loop's body without the terminator."""
    return block_ops(loop.body.block)


def block_ops(block: Block) -> list[Operation]:
    return [op for op in block.ops if not isinstance(op, affine.YieldOp)]


def only_loop(loop: affine.ForOp) -> affine.ForOp | None:
    """The loop that is the whole body of this one, None where the body is something else."""
    first = loop.body.block.first_op
    return first if isinstance(first, affine.ForOp) and isinstance(first.next_op, affine.YieldOp) else None


def perfect_nest(loop: affine.ForOp) -> list[affine.ForOp]:
    """This loop and those perfectly nested in it, outermost first."""
    nest = [loop]
    while (inner := only_loop(nest[-1])) is not None:
        nest.append(inner)
    return nest


def band(func: FuncOp, names: Sequence[str]) -> list[list[affine.ForOp]]:
    """Every place where loops of these names are perfectly nested in this order. Raises CompileError where they are not."""
    found: list[list[affine.ForOp]] = []
    for loop in loops_named(func, names[0]):
        nest = perfect_nest(loop)[: len(names)]
        if [loop_name(l) for l in nest] != list(names):
            raise CompileError(
                f"loops {', '.join(names)} of kernel @{func.sym_name.data} are not perfectly nested in this order",
                hint=f"below '{names[0]}' stand {', '.join(str(loop_name(l)) for l in perfect_nest(loop))}",
            )
        found.append(nest)
    return found


def enclosing_loops(op: Operation) -> Iterator[affine.ForOp | affine.ParallelOp]:
    """The loops around an operation, innermost first."""
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, affine.ForOp | affine.ParallelOp):
            yield parent
        parent = parent.parent_op()


# ---- buffers ----------------------------------------------------------------------------------------------------------------------


def buffer_type(buffer: SSAValue) -> MemRefType[Any]:
    """The type of a value that is a memref."""
    return cast(MemRefType[Any], buffer.type)


def element_type(buffer: SSAValue) -> Attribute:
    """The element type of a memref."""
    return cast(Attribute, buffer_type(buffer).element_type)


# ---- accesses -------------------------------------------------------------------------------------------------------------------


def memref_of(op: Access) -> SSAValue:
    return op.operands[1] if isinstance(op, affine.StoreOp) else op.operands[0]


def subscripts(op: Access) -> list[Index]:
    """What an access subscripts its memref with."""
    return indices_of(op.map.data, op.operands[2 if isinstance(op, affine.StoreOp) else 1 :])


def set_subscripts(op: Access, indices: Sequence[Index], memref_value: SSAValue | None = None) -> None:
    """Replace the subscripts, and the memref if one is given."""
    map, operands = map_of(indices)
    kept = list(op.operands[: 2 if isinstance(op, affine.StoreOp) else 1])
    if memref_value is not None:
        kept[-1] = memref_value
    op.operands = [*kept, *operands]
    op.properties["map"] = map


def make_load(memref_value: SSAValue, indices: Sequence[Index]) -> affine.LoadOp:
    map, operands = map_of(indices)
    return affine.LoadOp.create(operands=[memref_value, *operands], result_types=[element_type(memref_value)], properties={"map": map})


def make_store(value: SSAValue, memref_value: SSAValue, indices: Sequence[Index]) -> affine.StoreOp:
    map, operands = map_of(indices)
    return affine.StoreOp.create(operands=[value, memref_value, *operands], properties={"map": map})


_NO_SEGMENTS = DenseArrayBase.from_list(i32, [0, 0])


def make_alloca(shape: Sequence[int], element: Attribute, name: str | None = None) -> memref.AllocaOp:
    """A buffer of static shape on the stack: a scalar, a register tile, a packed panel."""
    op = memref.AllocaOp.create(result_types=[MemRefType(element, shape)], properties={"operandSegmentSizes": _NO_SEGMENTS})
    op.results[0].name_hint = name
    return op


def accesses(memref_value: SSAValue) -> list[Operation]:
    """The operations that use a memref, in no particular order, each once."""
    return list(dict.fromkeys(use.operation for use in memref_value.uses))


# ---- substitution ---------------------------------------------------------------------------------------------------------------


def replace_value(value: SSAValue, replacement: Index) -> None:
    """Every use of an index value becomes the sum. Uses that are not affine read an `affine.apply` at the start of their block."""
    users = list(dict.fromkeys(use.operation for use in value.uses))
    replacements = {value: replacement}
    applied: dict[Block, SSAValue] = {}
    for op in users:
        if rewrite_indices(op, replacements):
            continue
        new = replacement.as_value
        if new is None:
            block = op.parent
            assert block is not None
            if block not in applied:
                map, operands = map_of([replacement])
                apply = affine.ApplyOp.create(operands=operands, result_types=[INDEX], properties={"map": map})
                apply.results[0].name_hint = value.name_hint
                _insert_first(block, apply)
                applied[block] = apply.results[0]
            new = applied[block]
        op.operands = [new if operand is value else operand for operand in op.operands]


def _insert_first(block: Block, op: Operation) -> None:
    first = block.first_op
    if first is None:
        block.add_op(op)
    else:
        block.insert_op_before(op, first)


def rewrite_indices(op: Operation, replacements: Mapping[SSAValue, Index]) -> bool:
    """Replace values inside the affine part of an operation: subscripts, bounds, conditions. False when it has none."""
    match op:
        case affine.LoadOp() | affine.StoreOp() | affine.PrefetchOp():
            set_subscripts(op, [index.replace(replacements) for index in subscripts(op)])
        case affine.ForOp():
            lower = [index.replace(replacements) for index in lower_bound(op)]
            upper = [index.replace(replacements) for index in upper_bound(op)]
            lower_map, lower_operands = map_of(lower, symbols=True)
            op.operands = [*lower_operands, *op.upperBoundOperands]
            op.properties["lowerBoundMap"] = lower_map
            op.properties["operandSegmentSizes"] = _segments(len(lower_operands), len(op.operands) - len(lower_operands))
            set_upper_bound(op, upper)
        case affine.ApplyOp() | affine.MinOp() | affine.MaxOp():
            map, operands = map_of([i.replace(replacements) for i in indices_of(op.map.data, tuple(op.operands))])
            op.operands = operands
            op.properties["map"] = map
        case affine.IfOp():
            replace_in_condition(op, replacements)
        case _:
            return False
    return True


def replace_in_condition(op: affine.IfOp, replacements: Mapping[SSAValue, Index]) -> None:
    from xdsl.dialects.builtin import AffineSetAttr
    from xdsl.ir.affine import AffineConstraintExpr, AffineExpr, AffineSet

    condition = op.condition.data
    as_map = AffineMap(condition.num_dims, condition.num_symbols, tuple(c.lhs for c in condition.constraints))
    map, operands = map_of([i.replace(replacements) for i in indices_of(as_map, tuple(op.operands))], symbols=True)
    zero = AffineExpr.constant(0)
    constraints = tuple(
        AffineConstraintExpr(c.kind, lhs, zero, canonicalize=False) for c, lhs in zip(condition.constraints, map.data.results, strict=True)
    )
    op.operands = operands
    op.properties["condition"] = AffineSetAttr(AffineSet(map.data.num_dims, map.data.num_symbols, constraints))


# ---- moving code ----------------------------------------------------------------------------------------------------------------


def move_before(ops: Sequence[Operation], anchor: Operation) -> None:
    """Detach operations and put them, in order, before another."""
    block = anchor.parent
    assert block is not None
    for op in ops:
        op.detach()
        block.insert_op_before(op, anchor)


def take_body(loop: affine.ForOp, into: Block) -> None:
    """Move the body of a loop, without its terminator, to the end of a block. Uses of the loop's variable stay as they are."""
    for op in body_ops(loop):
        op.detach()
        into.add_op(op)


def replace_operands(op: Operation, mapping: Mapping[SSAValue, SSAValue]) -> None:
    """Exchange operands of an operation and of everything inside it for other values of the same type."""
    if any(operand in mapping for operand in op.operands):
        op.operands = [mapping.get(operand, operand) for operand in op.operands]
    for region in op.regions:
        for block in region.blocks:
            for inner in block.ops:
                replace_operands(inner, mapping)


@dataclass(frozen=True)
class Step:
    """One step of a schedule: a primitive's name and its arguments (integers, strings, lists of such)."""

    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return "[" + ", ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in (self.name, *self.arguments)) + "]"
