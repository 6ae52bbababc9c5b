"""The pass `ownership-based-buffer-deallocation`: `bufferization.dealloc` at the end of every block, ownership beside every buffer that
is passed on.

A function owns none of its arguments, and whoever calls it owns what it returns. What a region is given it does not own; what it yields
is owned as the `i1` says that it yields too. Blocks are visited from the inside out, in the order of dominance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.arith import AndIOp, SelectOp, XOrIOp
from xdsl.dialects.builtin import DenseArrayBase, FunctionType, StringAttr, UnregisteredOp, i1, i32
from xdsl.dialects.cf import AssertOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.traits import IsTerminator, NoTerminator, SymbolTable

from stepwell.dialects.bufferization import CloneOp
from stepwell.dialects.scf import IfOp, YieldOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.dominance import reverse_postorder
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.transforms.branches import BRANCHES, forwarded, set_forwarded
from stepwell.ir.transforms.liveness import REGION_EDGES
from stepwell.lowering.buffers.deallocation.ownership import State, block_of, boolean, is_buffer, location_of

ALLOCATES = frozenset(("memref.alloc", "memref.realloc", "bufferization.clone", "gpu.alloc"))
"""Operations whose results somebody must free."""
ON_STACK = frozenset(("memref.alloca",))
FREES = frozenset(("memref.dealloc", "memref.realloc", "gpu.dealloc"))
CALLS = frozenset(("func.call", "func.call_indirect"))
MANUAL = "bufferization.manual_deallocation"
"""The attribute of allocations and deallocations that are none of our business."""
REGION_OPS = frozenset((*REGION_EDGES, "scf.forall", "scf.parallel", "affine.parallel", "gpu.launch"))
"""Operations of which it is known how control and values flow through their regions."""
CARRIED: dict[str, Callable[[Any], int]] = {
    "scf.for": lambda op: 3,
    "scf.while": lambda op: 0,
    "affine.for": lambda op: len(op.operands) - len(op.results),
}
"""Where the operands begin that an operation passes into its regions."""


@dataclass(frozen=True)
class OwnershipBasedBufferDeallocation(Pass):
    """Insert deallocations.

    before:  %a = memref.alloc() : memref<2xf32>   use(%a)   return
    after:   %a = memref.alloc() : memref<2xf32>   use(%a)   bufferization.dealloc (%a : memref<2xf32>) if (%true)   return
    """

    name: ClassVar[str] = "ownership-based-buffer-deallocation"
    anchor: ClassVar[str] = "any"

    private_function_dynamic_ownership: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        for function in [inner for inner in op.walk() if inner.name == "func.func" and inner.regions[0].blocks]:
            _Deallocation(function, self.private_function_dynamic_ownership).run()


class _Deallocation:
    """Inserts the deallocations of one function."""

    def __init__(self, function: Any, dynamic: bool) -> None:
        self._function = function
        self._dynamic = dynamic
        self._state = State(function)

    def run(self) -> None:
        _refuse_loops_of_blocks(self._function)
        self._region(self._function.body)
        self._update_signature()

    def _region(self, region: Any) -> None:
        if region.first_block is None:
            return
        for block in reverse_postorder(region.first_block):
            for op in list(block.ops):
                for inner in op.regions:
                    self._region(inner)
            self._block(block)

    def _block(self, block: Block) -> None:
        at = Builder(InsertPoint.at_start(block))
        state, region, around = self._state, block.parent, block.parent_op()
        assert region is not None
        for buffer in state.alive_at_start(block):
            home = block_of(buffer)
            if home.parent is region:
                state.own(buffer, state.ownership(buffer, home), block)
                state.free_later(buffer, block)
            else:
                state.own(buffer, boolean(False, at, location_of(buffer)), block)
        for argument in list(block.args):
            if not is_buffer(argument):
                continue
            if around is self._function and block is region.first_block:
                state.own(argument, boolean(False, at, argument.location))
            else:
                owned = block.insert_arg(i1, len(block.args))
                owned.location = argument.location
                state.own(argument, owned)
            state.free_later(argument, block)
        for op in list(block.ops):
            self._remaining(self._operation(op))

    # ---- operations

    def _operation(self, op: Any) -> Operation:
        """Handle one operation. What stands in its place."""
        at = Builder(InsertPoint.before(op))
        if op.name == "cf.cond_br":
            self._conditional_branch(op, at)
        elif op.name == "arith.select":
            pass
        elif op.name in ("scf.forall.in_parallel", "scf.in_parallel"):
            if any(block.first_op is not None for region in op.regions for block in region.blocks):
                _refuse(op, "only supported when nested region is empty")
            self._state.end_block(op, [], at)
        elif op.name == "scf.reduce.return":
            if any(map(is_buffer, op.operands)):
                _refuse(op, "only supported when operand is not a MemRef")
            self._state.end_block(op, [], at)
        else:
            _check(op)
            self._effects(op)
            if op.name in REGION_OPS:
                return self._with_regions(op)
            if op.name in CALLS:
                return self._call(op, at)
            if op.name in BRANCHES:
                self._branch(op, at)
            elif op.has_trait(IsTerminator, value_if_unregistered=False):
                self._end(op, at)
        return op

    def _effects(self, op: Operation) -> None:
        state, block = self._state, op.parent
        assert block is not None
        if op.name in FREES and any(map(is_buffer, op.operands)):
            if MANUAL not in op.attributes:
                _refuse(op, "memory free side-effect on MemRef value not supported!")
            self._assert_not_owned(op, op.operands[0])
        for result in op.results:
            if not is_buffer(result) or op.name not in ALLOCATES | ON_STACK:
                continue
            at = Builder(InsertPoint.at_start(block))
            if op.name in ON_STACK or MANUAL in op.attributes:
                state.reset([result], block)
                state.own(result, boolean(False, at, op.location))
            else:
                state.own(result, boolean(True, at, op.location))
                state.free_later(result, block)

    def _assert_not_owned(self, op: Operation, buffer: SSAValue) -> None:
        block = op.parent
        assert block is not None
        owned = self._state.ownership(buffer, block)
        if isinstance(owned, SSAValue):
            at = Builder(InsertPoint.before(op))
            inverted = XOrIOp(owned, boolean(True, at, op.location))
            assertion = AssertOp(inverted.result, StringAttr("expected that the block does not have ownership"))
            for made in (inverted, assertion):
                made.location = op.location
                at.insert(made)

    def _with_regions(self, op: Any) -> Operation:
        """No region owns what it is given; who owns the results, more results say."""
        block = op.parent
        at = Builder(InsertPoint.at_start(block))
        false = boolean(False, at, op.location)
        first = CARRIED.get(op.name, lambda op: len(op.operands))(op)
        given = sum(map(is_buffer, op.operands[first:]))
        operands = [*op.operands, *[false] * given]
        if given and "operandSegmentSizes" in op.properties:
            *sizes, last = op.properties["operandSegmentSizes"].get_values()
            op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [*sizes, last + given])
        if not given and not any(map(is_buffer, op.results)):
            return op
        return self._own_results(op, operands)

    def _own_results(self, op: Operation, operands: list[SSAValue]) -> Operation:
        """The operation once more, with these operands and an ownership for each buffer among its results."""
        buffers = [result.index for result in op.results if is_buffer(result)]
        new = op.create(
            operands=operands,
            result_types=[*op.result_types, *[i1] * len(buffers)],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
            regions=[op.detach_region(region) for region in list(op.regions)],
        )
        new.location = op.location
        assert op.parent is not None
        op.parent.insert_op_before(new, op)
        self._state.replaced(op.results, new.results)
        for number, old in enumerate(op.results):
            new.results[number].name_hint = old.name_hint
            old.replace_all_uses_with(new.results[number])
        block = op.parent
        op.detach()
        op.erase()
        for number, index in enumerate(buffers, len(new.results) - len(buffers)):
            self._state.own(new.results[index], new.results[number])
            self._state.free_later(new.results[index], block)
        return new

    def _call(self, op: Any, at: Builder) -> Operation:
        callee = SymbolTable.lookup_symbol(op, op.callee) if op.name == "func.call" else None
        if self._dynamic and _is_private(callee):
            return self._own_results(op, list(op.operands))
        true = boolean(True, at, op.location)
        for result in op.results:
            if is_buffer(result):
                self._state.own(result, true)
                self._state.free_later(result, op.parent)
        return op

    def _remaining(self, op: Operation) -> None:
        """A result that nobody has spoken of may be any of the buffers that the operation was given."""
        block = op.parent
        assert block is not None
        for result in op.results:
            if not is_buffer(result) or self._state.ownership(result, block) is not None:
                continue
            for operand in op.operands:
                if is_buffer(operand):
                    self._state.own(result, self._state.ownership(operand, block_of(operand)), block)
            if self._state.ownership(result, block) is None:
                self._state.own(result, boolean(False, Builder(InsertPoint.before(op)), op.location))

    # ---- ends of blocks

    def _branch(self, op: Operation, at: Builder) -> None:
        if len(op.successors) != 1:
            _refuse(op, "BranchOpInterface operations with multiple successors are not supported yet")
        passed = forwarded(op)
        assert passed is not None
        assert op.parent is not None
        buffers, owned = self._state.conditions(op, at)
        retained = self._state.to_retain(op.parent, op.successors[0], passed[0])
        made = self._state.insert_dealloc(op, at, buffers, owned, retained)
        set_forwarded(op, [[*passed[0], *made.results[: sum(map(is_buffer, passed[0]))]]])

    def _conditional_branch(self, op: Any, at: Builder) -> None:
        """Both ways free before the branch, each under the condition that it is taken."""
        state, block = self._state, op.parent
        buffers, owned = state.conditions(op, at)
        passed = forwarded(op)
        assert passed is not None

        def then(condition: SSAValue) -> SSAValue:
            return _insert(AndIOp(condition, op.cond), op, at)

        def otherwise(condition: SSAValue) -> SSAValue:
            negation = _insert(XOrIOp(boolean(True, at, op.location), op.cond), op, at)
            return _insert(AndIOp(condition, negation), op, at)

        ownerships: list[dict[SSAValue, SSAValue]] = []
        for values, target, modified in zip(passed, op.successors, (then, otherwise), strict=True):
            retained = state.to_retain(block, target, values)
            made = state.insert_dealloc(op, at, buffers, [modified(condition) for condition in owned], retained)
            ownership = dict(zip(retained, made.results, strict=True))
            values.extend([ownership[value] for value in values if is_buffer(value)])
            ownerships.append(cast("dict[SSAValue, SSAValue]", ownership))
        set_forwarded(op, passed)
        taken, left = ownerships
        for buffer in left:
            if buffer in taken:
                state.reset([buffer], block)
                state.own(buffer, _insert(SelectOp(op.cond, taken[buffer], left[buffer]), op, at), block)

    def _end(self, op: Operation, at: Builder) -> None:
        """What ends a block without a successor hands its operands to the operation around."""
        around = op.parent_op()
        keeps_promise = around is not None and around.name == "func.func" and not (self._dynamic and _is_private(around))
        if keeps_promise:
            for index, value in enumerate(op.operands):
                if is_buffer(value):
                    op.operands[index] = self._surely_owned(value, op, at)
        passed = list(op.operands[1:]) if op.name == "scf.condition" else list(op.operands)
        owned = self._state.end_block(op, passed, at)
        if not keeps_promise and owned:
            op.operands = [*op.operands, *owned]

    def _surely_owned(self, buffer: SSAValue, op: Operation, at: Builder) -> SSAValue:
        """A buffer that the block owns: this one, or a clone of it where it does not."""
        block = op.parent
        assert block is not None
        buffer, owned = self._unique(buffer, block, at)
        if (known := constant_of(owned)) is not None and bool(cast(Any, known).value.data):
            return buffer
        clone = CloneOp(buffer)
        chosen = IfOp(owned, [buffer.type], Region(Block([YieldOp(buffer)])), Region(Block([clone, YieldOp(clone.output)])))
        for made in chosen.walk():
            made.location = location_of(buffer)
        at.insert(chosen)
        result = chosen.results[0]
        self._state.own(result, boolean(True, at, chosen.location))
        self._state.free_later(result, block)
        return result

    def _unique(self, buffer: SSAValue, block: Block, at: Builder) -> tuple[SSAValue, SSAValue]:
        """The buffer with its ownership; of a choice between two, the choice between theirs."""
        maker = buffer.owner
        if isinstance(maker, SelectOp) and maker.parent is block:
            owned = [self._state.ownership(value, block) for value in (maker.lhs, maker.rhs)]
            if all(isinstance(one, SSAValue) for one in owned):
                lhs, rhs = cast("list[SSAValue]", owned)
                return buffer, _insert(SelectOp(maker.cond, lhs, rhs), maker, at)
        return self._state.uniquely_owned(buffer, block, at)

    def _update_signature(self) -> None:
        ends = [block.last_op for block in self._function.body.blocks if block.last_op is not None and not block.last_op.successors]
        returned = [[value.type for value in end.operands] for end in ends if end.name == "func.return"]
        if any(types != returned[0] for types in returned):
            _refuse(self._function, "there are multiple return operations with different operand types")
        if returned:
            inputs = self._function.function_type.inputs.data
            self._function.properties["function_type"] = FunctionType.from_lists(inputs, returned[0])


def _insert(made: Any, like: Operation, at: Builder) -> SSAValue:
    made.location = like.location
    return at.insert(made).results[0]


def _is_private(function: Any) -> bool:
    visibility = function.properties.get("sym_visibility") if function is not None else None
    return visibility is not None and visibility.data == "private" and bool(cast(Any, function).regions[0].blocks)


# ---- what cannot be handled --------------------------------------------------------------------------------------------------------------


def _refuse(op: Operation, message: str) -> None:
    raise CompileError(message, location=place(op))


def _check(op: Operation) -> None:
    """Raises CompileError for an operation of which it is not known what happens to its buffers."""
    at_start = [a for region in op.regions if region.first_block is not None for a in region.first_block.args]
    unknown = isinstance(op, UnregisteredOp)
    if not unknown and op.name not in ALLOCATES | FREES | {"bufferization.dealloc"}:
        if not any(map(is_buffer, (*op.operands, *op.results, *at_start))):
            return
    if op.name == "bufferization.dealloc":
        _refuse(op, "No deallocation operations must be present when running this pass!")
    if unknown:
        _refuse(op, "ops with unknown memory side effects are not supported")
    count = len(op.regions)
    if ((count == 1 and op.results) or count > 1) and op.name not in REGION_OPS:
        _refuse(op, "All operations with attached regions need to implement the RegionBranchOpInterface.")
    if op.has_trait(NoTerminator):
        _refuse(op, "NoTerminator trait is not supported")
    if len(op.successors) > 1:
        _refuse(op, "Terminators with more than one successor are not supported!")


def _refuse_loops_of_blocks(function: Operation) -> None:
    """Raises CompileError where a branch leads back."""
    for op in function.walk():
        for region in op.regions:
            if region.first_block is None:
                continue
            done: set[Block] = set()
            path: dict[Block, None] = {}
            pending: list[tuple[Block, bool]] = [(region.first_block, False)]
            while pending:
                block, leaving = pending.pop()
                if leaving:
                    path.pop(block)
                    done.add(block)
                elif block in path:
                    _refuse(function, "Only structured control-flow loops are supported.")
                elif block not in done:
                    path[block] = None
                    pending.append((block, True))
                    last = block.last_op
                    pending.extend((successor, False) for successor in (last.successors if last is not None else ()))
