"""The pass `outline-gpu-kernels`: parallel loops of kernels become functions of a `gpu.module`, and what is around them launches these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, FunctionType, IndexType, IntegerAttr, ModuleOp, StringAttr, SymbolRefAttr, UnitAttr, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.func import ReturnOp as FuncReturnOp
from xdsl.dialects.gpu import DimensionAttr, DimensionEnum
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import arith, scf
from stepwell.dialects.gpu.functions import GPUFuncOp, GPUModuleOp, ReturnOp
from stepwell.dialects.gpu.rare import OPS
from stepwell.dialects.gpu.threads import DIMENSION_OPS
from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.bind import threads_of

INDEX = IndexType()
MODULE = "kernels"
THREADS = 256
_LAUNCH_FUNC = next(kind for kind in OPS if kind.name == "gpu.launch_func")
_DIMENSION = {kind.name: kind for kind in DIMENSION_OPS}


@dataclass(frozen=True)
class OutlineGpuKernels(Pass):
    """Every parallel loop of a kernel is launched: a thread runs one iteration, the last dimension fastest.

    before:
    ```mlir
    func.func private @relu(%x: memref<?xf32>, %y: memref<?xf32>, %N: index, %grain: index) attributes {kernel} {
      scf.parallel (%n) = (%c0) to (%N) step (%c1) { ... }
    ```
    after:
    ```mlir
    gpu.module @kernels {
      gpu.func @relu(%x: memref<?xf32>, %y: memref<?xf32>, %N: index, %grain: index) kernel {
        %block = gpu.block_id x
        %thread = gpu.thread_id x
        %n = ... %block * 256 + %thread
        %inside = arith.cmpi ult, %n, %N : index
        scf.if %inside { ... }
        gpu.return
    func.func private @relu(%x: memref<?xf32>, %y: memref<?xf32>, %N: index, %grain: index) attributes {kernel} {
      %blocks = ...
      gpu.launch_func @kernels::@relu blocks in (%blocks, %c1, %c1) threads in (%c256, %c1, %c1) args(...)
    ```
    A kernel that does something outside of parallel loops, or hands something from one to the next in memory of its own, is run by a single
    thread. `threads` is the number of threads of a block. Of a kernel that is bound to threads (`threads` on the function) a block runs an
    iteration, or the whole kernel: `distribute-vectors` shares that out.
    """

    name: ClassVar[str] = "outline-gpu-kernels"
    threads: int = THREADS

    def run(self, op: Operation, ctx: Context) -> None:
        assert isinstance(op, ModuleOp)
        device = Block()
        for function in [f for f in op.ops if isinstance(f, FuncOp) and "kernel" in f.attributes and f.body.blocks]:
            _outline(function, device, self.threads)
        if device.ops:
            module = GPUModuleOp.create(properties={"sym_name": StringAttr(MODULE)}, regions=[Region(device)])
            op.body.block.add_op(module)
            op.attributes["gpu.container_module"] = UnitAttr()


def _outline(function: FuncOp, device: Block, threads: int) -> None:
    """Moves what a kernel does into functions of the device; the kernel launches them."""
    body = function.body.block
    loops = [op for op in body.ops if isinstance(op, scf.ParallelOp)]
    only_loops = all(isinstance(op, scf.ParallelOp | FuncReturnOp) or is_free(op) for op in body.ops)
    name = function.sym_name.data
    host = Block(arg_types=body.arg_types)
    bound = function.attributes.get("threads")
    if bound is not None:
        threads = prod(count for count, _ in threads_of(bound))
    if only_loops and loops and not any(_is_shared(op, loops) for op in body.ops):
        for number, loop in enumerate(loops):
            kernel = f"{name}_{number}" if len(loops) > 1 else name
            device.add_op(_device_function(kernel, body, loop, bound))
            blocks = _block_count(body, host, loop, threads if bound is None else 1)
            _launch(host, kernel, blocks, threads)
    else:
        device.add_op(_device_function(name, body, None, bound))
        one = arith.ConstantOp(IntegerAttr(1, INDEX))
        host.add_op(one)
        _launch(host, name, one.result, 1 if bound is None else threads)
    host.add_op(FuncReturnOp())
    for argument, old in zip(host.args, body.args, strict=True):
        argument.name_hint = old.name_hint
    region = function.detach_region(function.body)
    region.drop_all_references()
    function.add_region(Region(host))


def _is_shared(op: Operation, loops: Sequence[Operation]) -> bool:
    """Whether an op makes memory that more than one of the loops uses: threads have none in common that outlives a launch."""
    if op.name != "memref.alloca":
        return False
    users = {loop for loop in loops for inner in loop.walk() if op.results[0] in inner.operands}
    return len(users) > 1


def is_free(op: Operation) -> bool:
    """Whether an op may be computed anywhere: it only depends on its operands, or makes memory of a thread's own."""
    return op.name == "memref.alloca" or (not op.regions and op.name not in ("memref.store", "memref.load") and is_pure(op))


def is_pure(op: Operation) -> bool:
    """Whether an op has no effect."""
    from xdsl.traits import is_side_effect_free

    return is_side_effect_free(op)


# ---- the device ------------------------------------------------------------------------------------------------------------------------


def _device_function(name: str, body: Block, loop: scf.ParallelOp | None, bound: Attribute | None) -> Operation:
    """`gpu.func`: the body of a parallel loop for the iteration that the thread has, or without a loop the whole kernel for one thread.
    Of a kernel that is bound to threads, for the iteration that the block has, or the whole kernel for one block."""
    block = Block(arg_types=body.arg_types)
    mapping: dict[SSAValue, SSAValue] = {}
    for argument, old in zip(block.args, body.args, strict=True):
        argument.name_hint = old.name_hint
        mapping[old] = argument
    for op in body.ops:
        if is_free(op) or (loop is None and not isinstance(op, FuncReturnOp)):
            block.add_op(op.clone(mapping))
    if loop is not None and bound is not None:
        _iteration(block, loop, mapping)
    elif loop is not None:
        _guarded_iteration(block, loop, mapping)
    else:
        for inner in [op for op in block.walk() if isinstance(op, scf.ParallelOp)]:
            _one_after_the_other(inner)
    block.add_op(ReturnOp.create())
    _drop_unused(block)
    return GPUFuncOp.create(
        properties={"function_type": FunctionType.from_lists(body.arg_types, []), "kernel": UnitAttr()},
        attributes={"sym_name": StringAttr(name)} | ({} if bound is None else {"threads": bound}),
        regions=[Region(block)],
    )


def _guarded_iteration(block: Block, loop: scf.ParallelOp, mapping: dict[SSAValue, SSAValue]) -> None:
    made = _Builder(block)
    bounds = [(mapping.get(a, a), mapping.get(b, b), mapping.get(c, c)) for a, b, c in _bounds(loop)]
    counts = [_trips(made, *bound) for bound in bounds]
    thread = made.add(made.multiply(made.ask("block_id"), made.ask("block_dim")), made.ask("thread_id"))
    total = counts[0]
    for count in counts[1:]:
        total = made.multiply(total, count)
    inside = made.put(arith.CmpiOp(thread, total, "ult"))
    inner = Block()
    _body_for(_Builder(inner), loop, thread, bounds, counts, mapping)
    inner.add_op(scf.YieldOp())
    block.add_op(scf.IfOp(inside, [], Region(inner), Region()))


def _iteration(block: Block, loop: scf.ParallelOp, mapping: dict[SSAValue, SSAValue]) -> None:
    """The iteration that has the block's number: there are exactly as many blocks."""
    made = _Builder(block)
    bounds = [(mapping.get(a, a), mapping.get(b, b), mapping.get(c, c)) for a, b, c in _bounds(loop)]
    counts = [_trips(made, *bound) for bound in bounds]
    _body_for(made, loop, made.ask("block_id"), bounds, counts, mapping)


def _body_for(
    made: _Builder,
    loop: scf.ParallelOp,
    number: SSAValue,
    bounds: Sequence[tuple[SSAValue, SSAValue, SSAValue]],
    counts: Sequence[SSAValue],
    mapping: dict[SSAValue, SSAValue],
) -> None:
    """The body of a loop for the iteration of that number."""
    rest = number
    for position in reversed(range(len(bounds))):
        lower, _, step = bounds[position]
        at = rest if position == 0 else made.put(arith.RemUIOp(rest, counts[position]))
        if position:
            rest = made.put(arith.DivUIOp(rest, counts[position]))
        value = made.add(lower, made.multiply(at, step))
        value.name_hint = loop.body.block.args[position].name_hint
        mapping[loop.body.block.args[position]] = value
    for op in loop.body.block.ops:
        if op is not loop.body.block.last_op:
            made.block.add_op(op.clone(mapping))


def _bounds(loop: scf.ParallelOp) -> list[tuple[SSAValue, SSAValue, SSAValue]]:
    return list(zip(loop.lowerBound, loop.upperBound, loop.step, strict=True))


def _trips(made: _Builder, lower: SSAValue, upper: SSAValue, step: SSAValue) -> SSAValue:
    """How many iterations."""
    return made.ceiling(made.subtract(upper, lower), step)


def _one_after_the_other(loop: scf.ParallelOp) -> None:
    """A parallel loop that one thread runs: nested loops."""
    inner = loop.body.block
    assert inner.last_op is not None
    inner.last_op.detach()
    inner.add_op(scf.YieldOp())
    bounds = _bounds(loop)
    outermost: scf.ForOp | None = None
    block = loop.parent
    assert block is not None
    region = Region(Block(arg_types=[INDEX]))
    current = region.block
    indices: list[SSAValue] = [current.args[0]]
    for lower, upper, step in bounds[1:]:
        further = Region(Block(arg_types=[INDEX]))
        current.add_op(scf.ForOp(lower, upper, step, [], further))
        current.add_op(scf.YieldOp())
        current = further.block
        indices.append(current.args[0])
    for argument, index in zip(list(inner.args), indices, strict=True):
        argument.replace_all_uses_with(index)
    for op in list(inner.ops):
        op.detach()
        current.add_op(op)
    lower, upper, step = bounds[0]
    outermost = scf.ForOp(lower, upper, step, [], region)
    block.insert_op_before(outermost, loop)
    loop.detach()
    loop.erase()


def _drop_unused(block: Block) -> None:
    for op in reversed(list(block.ops)):
        if op.results and is_free(op) and not any(result.uses for result in op.results):
            op.detach()
            op.erase()


# ---- the host --------------------------------------------------------------------------------------------------------------------------


def _block_count(body: Block, host: Block, loop: scf.ParallelOp, threads: int) -> SSAValue:
    """Computes, in the host's function, how many blocks of so many threads the iterations of a loop fill."""
    mapping: dict[SSAValue, SSAValue] = dict(zip(body.args, host.args, strict=True))
    needed = [value for bound in _bounds(loop) for value in bound]
    for op in _before(needed, body):
        host.add_op(op.clone(mapping))
    made = _Builder(host)
    total: SSAValue | None = None
    for bound in _bounds(loop):
        count = _trips(made, *(mapping[value] for value in bound))
        total = count if total is None else made.multiply(total, count)
    assert total is not None
    return made.ceiling(total, made.constant(threads))


def _before(values: Sequence[SSAValue], body: Block) -> list[Operation]:
    """The ops of the block that the values come from, in order."""
    wanted: set[Operation] = set()
    pending = list(values)
    while pending:
        owner = pending.pop().owner
        if isinstance(owner, Operation) and owner not in wanted:
            wanted.add(owner)
            pending.extend(owner.operands)
    return [op for op in body.ops if op in wanted]


def _launch(host: Block, name: str, blocks: SSAValue, threads: int) -> None:
    made = _Builder(host)
    one, width = made.constant(1), made.constant(threads)
    arguments = list(host.args)
    # No tokens; three sizes of the grid and of the block; no clusters, no dynamic shared memory; arguments; no stream.
    sizes = DenseArrayBase.from_list(i32, [0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, len(arguments), 0])
    host.add_op(
        _LAUNCH_FUNC.create(
            operands=[blocks, one, one, width, one, one, *arguments],
            properties={"kernel": SymbolRefAttr(MODULE, [name]), "operandSegmentSizes": sizes},
        )
    )


class _Builder:
    """Index arithmetic at the end of a block; what is known to change nothing is left out."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def put(self, op: Any) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def ask(self, what: str) -> SSAValue:
        x = {"dimension": DimensionAttr(DimensionEnum.X)}
        return self.put(_DIMENSION[f"gpu.{what}"].create(result_types=[INDEX], properties=x))

    def constant(self, value: int) -> SSAValue:
        return self.put(arith.ConstantOp(IntegerAttr(value, INDEX)))

    def add(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return b if _known(a) == 0 else a if _known(b) == 0 else self.put(arith.AddiOp(a, b))

    def subtract(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return a if _known(b) == 0 else self.put(arith.SubiOp(a, b))

    def multiply(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return b if _known(a) == 1 else a if _known(b) == 1 else self.put(arith.MuliOp(a, b))

    def ceiling(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return a if _known(b) == 1 else self.put(arith.CeilDivUIOp(a, b))


def _known(value: SSAValue) -> int | None:
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(held := owner.value, IntegerAttr):
        return int(held.value.data)
    return None
