"""The pass `remove-dead-values`: what no effect and no result of the program is computed from goes, across blocks, regions and functions.

Arguments and results of private functions go with what is passed for them. What flows into a region for nothing becomes `ub.poison`;
the canonical forms of the operation around it, tried afterwards, then drop it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FunctionType
from xdsl.dialects.ub import PoisonAttr, PoisonOp, UnreachableOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint
from xdsl.traits import IsTerminator, RecursiveMemoryEffect, get_effects

from stepwell.ir.analysis import analysis
from stepwell.ir.constant_propagation import known_calls
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import CanonicalPatternsOf
from stepwell.ir.rewrite.rewriting import rewrite_greedily
from stepwell.ir.transforms.branches import BRANCHES, edges_to, erase_arguments, forwarded
from stepwell.ir.transforms.liveness import REGION_EDGES, Liveness


@dataclass(frozen=True)
class RemoveDeadValues(Pass):
    """Remove what is not live.

    before:  func.func private @f(%x, %y) { return %y, %x }   func.func @g(%a, %b) { %0:2 = call @f(%a, %b)   return %0#0 }
    after:   func.func private @f(%y) { return %y }   func.func @g(%a, %b) { %0 = call @f(%b)   return %0 }
    """

    name: ClassVar[str] = "remove-dead-values"
    anchor: ClassVar[str] = "any"

    canonicalize: bool = True

    def run(self, op: Operation, ctx: Context) -> None:
        cleanup = _Cleanup(op)
        cleanup.gather()
        cleanup.carry_out()
        if self.canonicalize:
            rewrite_greedily(op, CanonicalPatternsOf((), REGION_EDGES), fold=False)


@dataclass
class _Function:
    op: Any
    calls: list[Operation]
    arguments: list[int]
    results: list[int]
    """The numbers of what goes."""


@dataclass
class _Cleanup:
    """What is to be removed, gathered from the inside out; then removed, uses first."""

    root: Operation
    ops: list[Operation] = field(default_factory=list[Operation])
    functions: list[_Function] = field(default_factory=list[_Function])
    operands: dict[Operation, set[int]] = field(default_factory=dict[Operation, set[int]])
    """What is passed for nothing, to be replaced by poison."""
    blocks: dict[Block, set[int]] = field(default_factory=dict[Block, set[int]])
    poison: list[PoisonOp] = field(default_factory=list[PoisonOp])

    def __post_init__(self) -> None:
        self._liveness = analysis(Liveness, self.root)
        self._dead: set[SSAValue] = set()
        self._calls, self._hidden = known_calls(self.root)

    def _is_live(self, value: SSAValue) -> bool:
        return value not in self._dead and self._liveness.is_live(value)

    # ---- what goes

    def gather(self) -> None:
        for op in reversed(list(self.root.walk(reverse=True))):
            if op is self.root:
                continue
            if op.name == "func.func":
                self._function(op)
            elif op.name in REGION_EDGES:
                self._with_regions(op)
            elif op.name in BRANCHES:
                self._branch(op)
            elif not op.has_trait(IsTerminator, value_if_unregistered=False) and op.name not in ("func.call", "llvm.call"):
                self._simple(op)

    def _erase(self, op: Operation) -> None:
        self.ops.append(op)
        self._dead.update(op.results)

    def _simple(self, op: Operation) -> None:
        if any(not self._is_live(operand) for operand in op.operands):
            self._erase(op)  # nothing that runs and does something has such an operand
        elif _does_nothing(op) and not any(map(self._is_live, op.results)):
            self._erase(op)

    def _function(self, function: Any) -> None:
        if function not in self._hidden:
            return
        calls = self._calls[function]
        arguments = [argument.index for argument in function.body.blocks[0].args if not self._is_live(argument)]
        results = [
            index
            for index in range(len(function.function_type.outputs.data))
            if not any(self._is_live(call.results[index]) for call in calls)
        ]
        self._dead.update(function.body.blocks[0].args[index] for index in arguments)
        self._dead.update(call.results[index] for call in calls for index in results)
        self.functions.append(_Function(function, calls, arguments, results))

    def _with_regions(self, op: Operation) -> None:
        if _does_nothing(op) and not any(map(self._is_live, op.results)):
            self._erase(op)
            return
        for edge in REGION_EDGES[op.name](op):
            if not self._is_live(edge.op.operands[edge.number]) or not any(map(self._is_live, edge.into)):
                self.operands.setdefault(edge.op, set()).add(edge.number)

    def _branch(self, branch: Operation) -> None:
        passed = forwarded(branch)
        assert passed is not None
        head = len(branch.operands) - sum(map(len, passed))
        if any(not self._is_live(operand) for operand in branch.operands[:head]):
            self._erase(branch)
            return
        for block in branch.successors:
            if block not in self.blocks and all(edge.branch.name in BRANCHES for edge in edges_to(block)):
                self.blocks[block] = {argument.index for argument in block.args if not self._is_live(argument)}
                self._dead.update(block.args[index] for index in self.blocks[block])

    # ---- removing it

    def _poison_for(self, value: SSAValue, at: InsertPoint) -> SSAValue:
        made = PoisonOp.create(properties={"value": PoisonAttr()}, result_types=[value.type])
        self.poison.append(made)
        Builder(at).insert(made)
        return made.results[0]

    def carry_out(self) -> None:
        for op, indices in self.operands.items():
            for index in sorted(indices):
                op.operands[index] = self._poison_for(op.operands[index], InsertPoint.before(op))
        for block, indices in self.blocks.items():
            self._forget(block, indices)
            erase_arguments(block, indices)
        for function in self.functions:
            self._shrink(function)
        for op in self.ops:
            self._remove(op)
        for made in self.poison:
            if made.parent is not None and made.results[0].first_use is None:
                made.detach()
                made.erase()

    def _forget(self, block: Block, indices: set[int]) -> None:
        for index in indices:
            if block.args[index].first_use is not None:
                block.args[index].replace_all_uses_with(self._poison_for(block.args[index], InsertPoint.at_start(block)))

    def _shrink(self, function: _Function) -> None:
        op, arguments, results = function.op, set(function.arguments), set(function.results)
        entry: Block = op.body.blocks[0]
        self._forget(entry, arguments)
        for argument in [entry.args[index] for index in arguments]:
            entry.erase_arg(argument)
        type: FunctionType = op.function_type
        op.properties["function_type"] = FunctionType.from_lists(
            _without(type.inputs.data, arguments), _without(type.outputs.data, results)
        )
        for name, gone in (("arg_attrs", arguments), ("res_attrs", results)):
            if name in op.properties:
                op.properties[name] = ArrayAttr(_without(op.properties[name].data, gone))
        for block in op.body.blocks:
            if block.last_op is not None and block.last_op.name == "func.return":
                block.last_op.operands = _without(block.last_op.operands, results)
        for call in function.calls:
            self._shrink_call(call, arguments, results)

    def _shrink_call(self, call: Operation, arguments: set[int], results: set[int]) -> None:
        new = call.create(
            operands=_without(call.operands, arguments),
            result_types=_without(call.result_types, results),
            properties=dict(call.properties),
            attributes=dict(call.attributes),
        )
        new.location = call.location
        for name, gone in (("arg_attrs", arguments), ("res_attrs", results)):
            if name in new.properties:
                new.properties[name] = ArrayAttr(_without(cast(Any, new.properties[name]).data, gone))
        Builder(InsertPoint.before(call)).insert(new)
        for old, result in zip(_without(call.results, results), new.results, strict=True):
            result.name_hint = old.name_hint
            old.replace_all_uses_with(result)
        self._replace_results(call)
        call.detach()
        call.erase()

    def _replace_results(self, op: Operation) -> None:
        for result in op.results:
            if result.first_use is not None:
                result.replace_all_uses_with(self._poison_for(result, InsertPoint.before(op)))

    def _remove(self, op: Operation) -> None:
        if op.has_trait(IsTerminator, value_if_unregistered=False):
            Builder(InsertPoint.before(op)).insert(UnreachableOp())
        self._replace_results(op)
        op.detach()
        op.erase()


def _does_nothing(op: Operation) -> bool:
    """Whether nothing but its results comes of an operation. Branches between its own blocks are no effect."""
    if op.has_trait(RecursiveMemoryEffect, value_if_unregistered=False):
        return all(_does_nothing(inner) for region in op.regions for block in region.blocks for inner in block.ops)
    return op.name in BRANCHES or get_effects(op) == set()


def _without(items: Any, gone: set[int]) -> list[Any]:
    return [item for index, item in enumerate(items) if index not in gone]
