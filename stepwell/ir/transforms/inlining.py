"""The pass `inline`: calls of known functions become the bodies of these functions.

Functions are visited from the callees up to the callers, so that what is inlined has been simplified before. Functions that call each
other in a circle are not inlined into each other. A function is simplified and searched for calls again as long as something was inlined
into it, `max-iterations` times at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC, CallSiteLoc, LocationAttr, UnregisteredOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.traits import IsTerminator, SymbolTable

from stepwell.ir.analysis import analysis
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.manager.pass_manager import parse_pipeline, run_inside_pass
from stepwell.ir.manager.pipeline_text import PipelineText
from stepwell.ir.passes import Pass, count
from stepwell.ir.remarks import missed, passed
from stepwell.ir.transforms.symbol_dce import name_of, references_of, visibility

NO_LIMIT = 2**32 - 1
ONE_BLOCK = frozenset({"scf.for", "scf.if", "scf.while", "scf.parallel", "scf.forall", "scf.index_switch", "scf.reduce", "builtin.module"})
"""Operations whose regions have one block, so that nothing with several can be inlined into them; all of `affine` and `linalg` as well."""


@dataclass(frozen=True)
class Inline(Pass):
    """Put the bodies of functions in the place of their calls, and erase private functions that nothing names any more.

    before:  func.func private @g(%x) { %r = arith.addi %x, %x   return %r }   func.func @f(%a) { %0 = call @g(%a)   return %0 }
    after:   func.func @f(%a) { %0 = arith.addi %a, %a   return %0 }
    """

    name: ClassVar[str] = "inline"
    anchor: ClassVar[str] = "any"
    statistics = {"num-inlined": "Number of calls inlined", "num-erased": "Number of functions erased"}

    default_pipeline: PipelineText = PipelineText("canonicalize")  # noqa: RUF009  # a string
    op_pipelines: tuple[PipelineText, ...] = ()
    max_iterations: int = 4
    inlining_threshold: int = NO_LIMIT

    def run(self, op: Operation, ctx: Context) -> None:
        if not op.has_trait(SymbolTable, value_if_unregistered=False):
            message = f"'inline' was scheduled to run under '{op.name}', but it needs an operation with a symbol table"
            raise CompileError(message, location=place(op))
        told: set[Operation] = set()
        for circle in analysis(CallGraph, op).circles:
            for _ in range(self.max_iterations):
                for function in circle:
                    self._simplify(function, ctx)
                inlined = sum(self._inline_into(function, circle, told) for function in circle)
                count("num-inlined", inlined)
                if not inlined:
                    break
        count("num-erased", _erase_unused(op))

    def _simplify(self, function: Operation, ctx: Context) -> None:
        pipelines = {manager.anchor: manager for manager in (parse_pipeline(text) for text in self.op_pipelines)}
        manager = pipelines.get(function.name)
        if manager is not None:
            run_inside_pass(manager, function, ctx)
        elif self.default_pipeline:
            text = self.default_pipeline
            run_inside_pass(text if "(" in text.partition("{")[0].partition(",")[0] else f"any({text})", function, ctx)

    def _inline_into(self, function: Any, circle: list[Operation], told: set[Operation]) -> int:
        """`told` are the calls of which it is known, and was said, why they stay."""
        inlined = 0
        for call in [op for op in function.body.walk() if op.name == "func.call"]:
            callee = _callee(call)
            if callee is None:
                continue
            obstacle = "functions that call each other in a circle" if callee in circle else self._obstacle(call, callee, function)
            if obstacle is not None:
                if call not in told:
                    told.add(call)
                    missed(call, "inline", Callee=callee.sym_name.data, Reason=obstacle)
                continue
            passed(call, "inline", Callee=callee.sym_name.data)
            _inline(call, callee)
            inlined += 1
        return inlined

    def _obstacle(self, call: Operation, callee: Any, caller: Any) -> str | None:
        """Why a call stays; None where it is inlined."""
        body: Region = callee.body
        if "no_inline" in call.attributes or "no_inline" in callee.attributes or call.has_trait(IsTerminator):
            return "no_inline"
        if body.is_ancestor(call) or any(_callee(inner) is callee for inner in _calls_in(body)):
            return "the function calls itself"
        around = call.parent_op()
        assert around is not None
        if body.first_block is not body.last_block and (around.name in ONE_BLOCK or around.name.startswith(("affine.", "linalg."))):
            return f"'{around.name}' holds one block, the function has several"
        if isinstance(around, UnregisteredOp) or not all(_may_be_moved(op) for op in body.walk()):
            return "what stands in the function or around the call may not be moved"
        if self.inlining_threshold == NO_LIMIT:
            return None
        size = sum(1 for _ in caller.body.walk())
        fits = self.inlining_threshold > 0 and sum(1 for _ in body.walk()) * 100 // size <= self.inlining_threshold
        return None if fits else "the function is larger than the threshold allows"


def _may_be_moved(op: Operation) -> bool:
    """Whether it is known that `op` means the same in another function."""
    if op.name == "func.return":
        return op.parent_op() is not None and cast(Operation, op.parent_op()).name == "func.func"
    return not isinstance(op, UnregisteredOp)


# ---- the call graph -----------------------------------------------------------------------------------------------------------------


def _callee(call: Operation) -> Any:
    """The function with a body that a call names."""
    if call.name != "func.call":
        return None
    found = SymbolTable.lookup_symbol(call, cast("Any", call.properties["callee"]))
    return found if found is not None and found.name == "func.func" and found.regions[0].blocks else None


def _calls_in(region: Region) -> Iterator[Operation]:
    return (op for op in region.walk() if op.name == "func.call")


class CallGraph:
    """Which functions inside an operation call each other."""

    def __init__(self, op: Operation) -> None:
        self.circles = _bottom_up(op)
        """Functions that call each other in a circle, together; every circle after those that it calls."""


def _bottom_up(root: Operation) -> list[list[Operation]]:
    """The functions inside `root` in circles of calls, callees first.

    Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), section 4, without recursion.
    """
    functions = [op for op in root.walk() if op.name == "func.func" and op.regions[0].blocks]
    callees = {function: [c for call in _calls_in(function.regions[0]) if (c := _callee(call)) is not None] for function in functions}
    number: dict[Operation, int] = {}
    low: dict[Operation, int] = {}
    stack: list[Operation] = []
    on_stack: set[Operation] = set()
    circles: list[list[Operation]] = []
    for start in functions:
        if start in number:
            continue
        pending: list[tuple[Operation, Iterator[Operation]]] = []

        def enter(function: Operation, pending: list[tuple[Operation, Iterator[Operation]]] = pending) -> None:
            number[function] = low[function] = len(number)
            stack.append(function)
            on_stack.add(function)
            pending.append((function, iter(callees[function])))

        enter(start)
        while pending:
            function, rest = pending[-1]
            following = next(rest, None)
            if following is not None:
                if following not in callees:
                    continue  # it stands outside of `root`
                if following not in number:
                    enter(following)
                elif following in on_stack:
                    low[function] = min(low[function], number[following])
                continue
            pending.pop()
            if pending:
                low[pending[-1][0]] = min(low[pending[-1][0]], low[function])
            if low[function] == number[function]:
                circle: list[Operation] = []
                while not circle or circle[-1] is not function:
                    circle.append(stack.pop())
                    on_stack.discard(circle[-1])
                circles.append(circle[::-1])
    return circles


def _erase_unused(root: Operation) -> int:
    """Erase private functions that nothing names, and then those that only these named."""
    erased = 0
    while True:
        named: set[str] = set()
        functions: list[Operation] = []
        for op in root.walk():
            if op.name == "func.func" and visibility(op) == "private":
                functions.append(op)
            for attribute in (*op.properties.values(), *op.attributes.values()):
                named.update(part.data for r in references_of(attribute) for part in (r.root_reference, *r.nested_references))
        dead = [function for function in functions if name_of(function) not in named and function.regions[0].blocks]
        if not dead:
            return erased
        for function in dead:
            function.detach()
            function.erase(safe_erase=False)
        erased += len(dead)


# ---- one call -----------------------------------------------------------------------------------------------------------------------


def _inline(call: Operation, callee: Any) -> None:
    """Put a copy of the body of `callee` in the place of `call`."""
    copy = Region()
    callee.body.clone_into(copy)
    _say_where(copy, call.location)
    before = call.parent
    assert before is not None
    entry = copy.blocks[0]
    for argument, operand in zip(entry.args, call.operands, strict=True):
        argument.replace_all_uses_with(operand)
    if len(copy.blocks) == 1:
        end = entry.last_op
        assert end is not None
        for result, value in zip(call.results, end.operands, strict=True):
            result.replace_all_uses_with(value)
        end.detach()
        end.erase()
        for op in list(entry.ops):
            op.detach()
            before.insert_op_before(op, call)
    else:
        _inline_blocks(call, before, copy)
    call.detach()
    call.erase()


def _inline_blocks(call: Operation, before: Block, copy: Region) -> None:
    """`before` goes on with the first of the blocks; what returned branches to what stands behind the call."""
    from xdsl.dialects.cf import BranchOp

    after = before.split_before(call, arg_types=[result.type for result in call.results])
    for result, argument in zip(call.results, after.args, strict=True):
        argument.location = call.location
        result.replace_all_uses_with(argument)
    call.detach()
    before.add_op(call)
    for block in copy.blocks:
        end = block.last_op
        if end is not None and end.name == "func.return":
            values: list[SSAValue] = list(end.operands)
            end.detach()
            end.erase()
            branch = BranchOp(after, *values)
            branch.location = end.location
            block.add_op(branch)
    blocks = list(copy.blocks)
    region = before.parent
    assert region is not None
    for block in blocks:
        copy.detach_block(block)
    region.insert_block_after(blocks[1:], before)
    for op in list(blocks[0].ops):
        op.detach()
        before.insert_op_before(op, call)


def _say_where(copy: Region, caller: LocationAttr) -> None:
    """Everything that was inlined came from where it stood, by way of the call."""
    made: dict[LocationAttr, LocationAttr] = {}

    def of(callee: LocationAttr | None) -> LocationAttr:
        callee = callee or UNKNOWN_LOC
        if callee not in made:
            made[callee] = CallSiteLoc(callee, caller)
        return made[callee]

    for block in copy.blocks:
        for argument in block.args:
            argument.location = of(argument.location)
    for op in copy.walk():
        op.location = of(op.location)
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    argument.location = of(argument.location)
