"""What the passes over kernels share: finding kernels and their calls, reading structured ops, retyping values.

A kernel is a private `func.func` that carries the attribute `kernel`. Its last arguments are its destinations, one for each result. A
*structured op* is any `linalg` op that has an iteration space, one indexing map per operand and a scalar body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, IndexType, IntegerAttr, ModuleOp, StringAttr, SymbolRefAttr, TensorType, i64
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineDimExpr, AffineMap
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, linalg
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place

INDEX = IndexType()


# ---- functions and calls --------------------------------------------------------------------------------------------------------


def functions(module: Operation) -> list[func.FuncOp]:
    """The functions with a body that stand in a module, in order."""
    return [op for block in module.regions[0].blocks for op in block.ops if isinstance(op, func.FuncOp) and not op.is_declaration]


def is_kernel(function: func.FuncOp) -> bool:
    """Whether a function is a kernel (it carries `kernel`)."""
    return "kernel" in function.attributes


def kernels(module: Operation) -> list[func.FuncOp]:
    """The kernels of a module, in order."""
    return [f for f in functions(module) if is_kernel(f)]


def callers(module: Operation) -> list[func.FuncOp]:
    """The functions of a module that are no kernels: `@main` and its like."""
    return [f for f in functions(module) if not is_kernel(f)]


def calls_by_callee(module: Operation) -> dict[str, list[func.CallOp]]:
    """Every `func.call` in the functions that are no kernels, by the name of its callee."""
    calls: dict[str, list[func.CallOp]] = {}
    for function in callers(module):
        for op in function.walk():
            if isinstance(op, func.CallOp):
                calls.setdefault(op.callee.root_reference.data, []).append(op)
    return calls


def name_of(function: func.FuncOp) -> str:
    return function.sym_name.data


def location_of(op: Operation) -> str | None:
    """Where an error should say that it happened: the place of the op or of the nearest op around it that has one."""
    return place(op)


def number_of_destinations(kernel: func.FuncOp) -> int:
    return len(kernel.function_type.outputs)


def destinations(kernel: func.FuncOp) -> Sequence[SSAValue]:
    """The arguments that the kernel's results are written to."""
    args = kernel.body.block.args
    return args[len(args) - number_of_destinations(kernel) :]


def destination_index(call: func.CallOp, result: SSAValue) -> int:
    """Which operand of a call on tensors is the destination of one of its results."""
    return len(call.operands) - len(call.results) + call.results.index(cast(Any, result))


class SymbolTable:
    """The symbol names of a module; hands out fresh ones."""

    def __init__(self, module: Operation) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}
        for block in module.regions[0].blocks:
            for op in block.ops:
                name = op.get_attr_or_prop("sym_name")
                if isinstance(name, StringAttr):
                    self._taken.add(name.data)

    def fresh(self, wish: str) -> str:
        """`wish`, or `wish_1`, `wish_2`, ... when it is taken."""
        name = wish
        while name in self._taken:
            self._next[wish] = self._next.get(wish, 0) + 1
            name = f"{wish}_{self._next[wish]}"
        self._taken.add(name)
        return name


def call_with(call: func.CallOp, callee: str, operands: Sequence[SSAValue], result_types: Sequence[Attribute]) -> func.CallOp:
    """A new, unattached call that keeps the old one's attributes and location."""
    return func.CallOp.create(
        operands=operands,
        result_types=result_types,
        properties={**call.properties, "callee": SymbolRefAttr(callee)},
        attributes=call.attributes,
        location=call.location,
    )


def packed_arguments(kernel: func.FuncOp) -> set[int]:
    """The arguments that are laid out in tiles, row-major without gaps (function attribute `packed`)."""
    attribute = kernel.attributes.get("packed")
    numbers = cast(ArrayAttr[IntegerAttr[Any]], attribute) if isinstance(attribute, ArrayAttr) else ()
    return {number.value.data for number in numbers}


def mark_packed(kernel: func.FuncOp, argument: int) -> None:
    """Say that an argument is laid out in tiles."""
    numbers = sorted({*packed_arguments(kernel), argument})
    kernel.attributes["packed"] = ArrayAttr([IntegerAttr(number, i64) for number in numbers])


# ---- the schedule attribute -----------------------------------------------------------------------------------------------------


def schedule_of(function: func.FuncOp) -> list[ArrayAttr[Attribute]]:
    """The steps of a kernel's schedule; none when it has no schedule."""
    schedule = function.attributes.get("schedule")
    if schedule is None:
        return []
    if not isinstance(schedule, ArrayAttr):
        where = location_of(function)
        raise CompileError(
            f"schedule of @{name_of(function)} is not an array", location=where, hint='write [["split", "m", 14, "mr"], ...]'
        )
    steps: list[ArrayAttr[Attribute]] = []
    for step in cast(ArrayAttr[Attribute], schedule):
        parts = cast(ArrayAttr[Attribute], step).data if isinstance(step, ArrayAttr) else ()
        if not parts or not isinstance(parts[0], StringAttr):
            where = location_of(function)
            raise CompileError(
                f"schedule of @{name_of(function)}: {step} is not a step", location=where, hint='a step is ["name", argument, ...]'
            )
        steps.append(cast(ArrayAttr[Attribute], step))
    return steps


def step_name(step: ArrayAttr[Attribute]) -> str:
    return cast(StringAttr, step.data[0]).data


def drop_steps(function: func.FuncOp, name: str) -> None:
    """Remove the steps of that name from the schedule: they have been executed."""
    steps = schedule_of(function)
    kept = [step for step in steps if step_name(step) != name]
    if len(kept) != len(steps):
        function.attributes["schedule"] = ArrayAttr(kept)


# ---- structured ops -------------------------------------------------------------------------------------------------------------


def structured_ops(function: func.FuncOp) -> list[LinalgStructuredOperation]:
    """The structured ops of a kernel, in order."""
    return [op for op in function.body.block.ops if isinstance(op, LinalgStructuredOperation)]


def maps_of(op: LinalgStructuredOperation) -> list[AffineMap]:
    """One indexing map per operand, inputs first."""
    return [attr.data for attr in op.get_indexing_maps()]


def iterators_of(op: LinalgStructuredOperation) -> list[str]:
    """For each loop, "parallel" or "reduction"."""
    return [str(attr.data.value) for attr in op.get_iterator_types()]


def is_permutation(map: AffineMap) -> bool:
    """Whether the results are all the dimensions, each once."""
    return len(map.results) == map.num_dims and len({e.position for e in map.results if isinstance(e, AffineDimExpr)}) == map.num_dims


def needs_contents(op: LinalgStructuredOperation, k: int) -> bool:
    """Whether an op needs what stands in its destination number `k`: it reads it, or leaves some of it (the padding of a last panel)."""
    if not isinstance(op, linalg.GenericOp):
        return False
    written = maps_of(op)[len(op.inputs) + k].results
    return bool(op.body.block.args[len(op.inputs) + k].uses) or any(isinstance(e, AffineBinaryOpExpr) for e in written)


def loop_names(op: Operation) -> list[str] | None:
    """The names that `loops` gives to the dimensions of a structured op."""
    names = op.attributes.get("loops")
    return [cast(StringAttr, n).data for n in cast(ArrayAttr[Attribute], names)] if isinstance(names, ArrayAttr) else None


# ---- values ---------------------------------------------------------------------------------------------------------------------


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor value; the empty shape for a scalar."""
    type = value.type
    return type.get_shape() if isinstance(type, TensorType) else ()


def is_tensor(value: SSAValue) -> bool:
    return isinstance(value.type, TensorType)


def retype(value: SSAValue, type: Attribute) -> SSAValue:
    """Give a value another type. Returns the value that stands in its place."""
    return value if value.type == type else Rewriter.replace_value_with_new_type(value, type)


def index_constant(value: int) -> arith.ConstantOp:
    """`arith.constant value : index`, named as MLIR names it."""
    op = arith.ConstantOp.create(properties={"value": IntegerAttr(value, INDEX)}, result_types=[INDEX])
    op.results[0].name_hint = f"c{value}" if value >= 0 else None
    return op


class TopConstants:
    """Index constants at the top of a block, each made once."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._made: dict[int, SSAValue] = {}

    def __call__(self, value: int) -> SSAValue:
        if value not in self._made:
            op = index_constant(value)
            first = self._block.first_op
            if first is None:
                self._block.add_op(op)
            else:
                self._block.insert_op_before(op, first)
            self._made[value] = op.results[0]
        return self._made[value]


def constant_index(value: SSAValue) -> int | None:
    """The integer that an `arith.constant` of type index stands for, None for any other value."""
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return cast(IntegerAttr[Any], owner.value).value.data
    return None


def users(value: SSAValue) -> Iterator[Operation]:
    return (use.operation for use in value.uses)


def erase_dead(block: Block, erasable: Iterable[type[Operation]]) -> None:
    """Erase the ops of these classes whose results nobody uses, last first."""
    classes = tuple(erasable)
    for op in reversed(list(block.ops)):
        if isinstance(op, classes) and op.results and not any(r.uses for r in op.results):
            Rewriter.erase_op(op)


def insert_before(op: Operation, *new: Operation) -> None:
    """Insert ops before `op`, in order."""
    block = op.parent
    assert block is not None
    for n in new:
        block.insert_op_before(n, op)


def insert_copy(before: Operation, source: SSAValue, dest: SSAValue) -> SSAValue:
    """Insert a `linalg.copy` of `source` into `dest`; the copy."""
    op = linalg.CopyOp([source], [dest], [dest.type])
    op.location = before.location
    insert_before(before, op)
    return op.results[0]


def defining(value: SSAValue) -> Operation | None:
    """The op that makes a value, None for a block argument."""
    return value.op if isinstance(value, OpResult) else None


def module_of(op: Operation) -> ModuleOp:
    if not isinstance(op, ModuleOp):
        raise CompileError(f"this pass runs on a module, not on '{op.name}'")
    return op
