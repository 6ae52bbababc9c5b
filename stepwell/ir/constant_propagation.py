"""Which values are constants on every path that can be taken: IR in, a constant for each value that has one and the blocks that run out.

Sparse conditional constant propagation (Wegman and Zadeck, "Constant Propagation with Conditional Branches", 1991, section 3.4), along the
edges between blocks, into and out of the regions of structured control flow, and into and out of functions whose calls are all known.
A value is nothing yet, one constant, or `UNKNOWN`; it only ever moves in this order, so the iteration ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr
from xdsl.traits import SymbolTable

from stepwell.ir.rewrite.folding import constant_of, folder_of
from stepwell.ir.rewrite.known_constants import materialize_constant
from stepwell.ir.transforms.branches import forwarded
from stepwell.ir.transforms.region_branches import FLOWS
from stepwell.ir.transforms.symbol_dce import name_of, references_of, visibility

UNKNOWN: Final = None
"""What is known of a value that may be anything."""
State = Attribute | None
CHOICES = frozenset({"scf.if", "scf.index_switch", "affine.if", "scf.execute_region"})
"""Operations that run one of their regions, once, and pass on what it yields."""


class Constants:
    """The analysis of everything inside `root`. `of(value)` is the value's constant, `runs` the blocks that may run."""

    def __init__(self, root: Operation) -> None:
        self.runs: set[Block] = set()
        self._states: dict[SSAValue, State] = {}
        self._taken: set[tuple[Block, int]] = set()
        self._waiting: list[Operation] = []
        self._returned: dict[Operation, list[Operation]] = {}
        self._calls, self._hidden = known_calls(root)
        self._callee = {call: function for function, calls in self._calls.items() for call in calls}
        for region in root.regions:
            self._enter(region, known=False)
        self._spread()

    def of(self, value: SSAValue) -> Attribute | None:
        """The constant that `value` always is, if it is one."""
        return self._states.get(value)

    # ---- states

    def _set(self, value: SSAValue, state: State) -> None:
        if value in self._states:
            old = self._states[value]
            if old is UNKNOWN or old == state:
                return
            state = UNKNOWN  # two different constants
        self._states[value] = state
        self._waiting.extend(use.operation for use in value.uses)

    def _join(self, value: SSAValue, source: SSAValue) -> None:
        """What flows from `source` into `value`."""
        if value.type != source.type:
            self._set(value, UNKNOWN)
        elif source in self._states:
            self._set(value, self._states[source])

    def _run(self, block: Block) -> None:
        if block not in self.runs:
            self.runs.add(block)
            self._waiting.extend(reversed(list(block.ops)))

    def _enter(self, region: Region, *, known: bool) -> None:
        """Run a region from its start; unless they are `known` otherwise, its arguments may be anything."""
        entry = region.first_block
        if entry is None:
            return
        if not known:
            for argument in entry.args:
                self._set(argument, UNKNOWN)
        self._run(entry)

    def _spread(self) -> None:
        while self._waiting:
            op = self._waiting.pop()
            if op.parent in self.runs:
                self._visit(op)

    # ---- operations

    def _visit(self, op: Operation) -> None:
        if op.successors:
            self._branch(op)
        elif op in self._callee:
            self._call(op, self._callee[op])
        elif op.regions:
            self._with_regions(op)
        else:
            self._compute(op)
        self._leave(op)

    def _compute(self, op: Operation) -> None:
        if not op.results:
            return
        if len(op.results) == 1 and (constant := constant_of(op.results[0])) is not None:
            self._set(op.results[0], constant)
            return
        if any(operand not in self._states for operand in op.operands):
            return  # once it is known, this is asked again
        folded = self._fold(op)
        for index, result in enumerate(op.results):
            found = folded[index] if folded is not None else UNKNOWN
            if isinstance(found, SSAValue):
                self._join(result, found)
            else:
                self._set(result, found)

    def _fold(self, op: Operation) -> Sequence[SSAValue | Attribute] | None:
        """What `op` is worth with the constants known for its operands, asked of a copy of it that has them."""
        if isinstance(op, UnregisteredOp) or (fold := folder_of(type(op))) is None:
            return None
        copy = op.clone_without_regions()
        stand_ins: dict[SSAValue, SSAValue] = {}
        made: list[Operation] = []
        for index, operand in enumerate(op.operands):
            constant = self._states.get(operand)
            if constant is not None and constant_of(operand) is None:
                new = materialize_constant(constant, operand.type, op)
                if new is not None:
                    made.append(new)
                    stand_ins[new.results[0]] = operand
                    copy.operands[index] = new.results[0]
        try:
            folded = fold(copy)
            if folded is None or any(isinstance(value, SSAValue) and value.owner is copy for value in folded):
                return None  # it has changed in place, which says nothing about its results
            found: list[SSAValue | Attribute] = []
            for value in folded:
                if isinstance(value, SSAValue):
                    original = stand_ins.get(value, value)
                    constant = self._states.get(original) if original in stand_ins.values() else constant_of(value)
                    found.append(original if constant is None else constant)
                else:
                    found.append(value)
            return found
        finally:
            copy.erase(safe_erase=False)
            for new in made:
                new.erase(safe_erase=False)

    def _branch(self, op: Operation) -> None:
        for result in op.results:
            self._set(result, UNKNOWN)
        passed = forwarded(op)
        block = op.parent
        assert block is not None
        for number in self._successors(op):
            successor = op.successors[number]
            if passed is None or len(passed[number]) != len(successor.args):
                for argument in successor.args:
                    self._set(argument, UNKNOWN)
            else:
                for argument, value in zip(successor.args, passed[number], strict=True):
                    self._join(argument, value)
            self._run(successor)

    def _successors(self, op: Operation) -> Sequence[int]:
        """The successors that may follow."""
        everything = range(len(op.successors))
        if op.name not in ("cf.cond_br", "llvm.cond_br", "cf.switch"):
            return everything
        condition = op.operands[0]
        if condition not in self._states:
            return ()
        constant = self._states[condition]
        if not isinstance(constant, IntegerAttr):
            return everything
        value = constant.value.data
        if op.name != "cf.switch":
            return (0,) if value else (1,)
        cases = op.properties.get("case_values")
        if not isinstance(cases, DenseIntOrFPElementsAttr):
            return (0,)
        numbers = [number for number, case in enumerate(cases.get_values()) if int(case) == value]
        return (numbers[0] + 1,) if numbers else (0,)

    # ---- regions

    def _with_regions(self, op: Operation) -> None:
        if op in self._hidden:
            return  # a function that runs when it is called
        if op.name in CHOICES:
            self._choose(op)
            return
        if op.name == "scf.while":
            self._while(op)
            return
        inputs = FLOWS[op.name](op) if op.name in FLOWS else []
        flowing = {value for value, _ in inputs}
        trips = _trips(op)
        if trips is not None:
            inputs = [(value, _of_trips(value, incoming, trips)) for value, incoming in inputs]
            if not trips:
                inputs = [(value, incoming) for value, incoming in inputs if value.owner is op]
        for value, incoming in inputs:
            for source in incoming:
                self._join(value, source)
        for region in op.regions:
            entry = region.first_block
            if entry is not None:
                for argument in entry.args:
                    if argument not in flowing:
                        self._set(argument, UNKNOWN)
                if trips != 0:
                    self._run(entry)
        for result in op.results:
            if result not in flowing:
                self._set(result, UNKNOWN)

    def _while(self, op: Operation) -> None:
        before, after = op.regions[0].block, op.regions[1].block
        self._join_all(before.args, op.operands)
        self._run(before)
        condition, end = before.last_op, after.last_op
        if condition is not None and condition.operands[0] in self._states:
            constant = self._states[condition.operands[0]]
            goes_on = constant.value.data != 0 if isinstance(constant, IntegerAttr) else None
            if goes_on is not False:
                self._join_all(after.args, condition.operands[1:])
                self._run(after)
            if not goes_on:
                self._join_all(op.results, condition.operands[1:])
        if after in self.runs and end is not None:
            self._join_all(before.args, end.operands)

    def _join_all(self, values: Sequence[SSAValue], sources: Sequence[SSAValue]) -> None:
        for value, source in zip(values, sources, strict=True):
            self._join(value, source)

    def _choose(self, op: Operation) -> None:
        for region in self._chosen(op):
            self._enter(region, known=False)
        if op.results and len(op.regions) > 1 and any(not region.blocks for region in op.regions):
            for result in op.results:
                self._set(result, UNKNOWN)
        for end in _ends(op):
            if end.parent in self.runs:
                self._pass_on(op, end.operands)

    def _pass_on(self, op: Operation, values: Sequence[SSAValue]) -> None:
        for index, result in enumerate(op.results):
            if index < len(values):
                self._join(result, values[index])
            else:
                self._set(result, UNKNOWN)

    def _chosen(self, op: Operation) -> Sequence[Region]:
        regions = op.regions
        if op.name not in ("scf.if", "scf.index_switch"):
            return regions
        condition = op.operands[0]
        if condition not in self._states:
            return ()
        constant = self._states[condition]
        if not isinstance(constant, IntegerAttr):
            return regions
        value = constant.value.data
        if op.name == "scf.if":
            return regions[:1] if value else regions[1:]
        cases: Any = op.properties["cases"]
        numbers = [number for number, case in enumerate(cases.get_values()) if int(case) == value]
        return (regions[numbers[0] + 1],) if numbers else regions[:1]

    def _leave(self, op: Operation) -> None:
        """What ends a block may pass values to the operation around it, and from there to calls."""
        around = op.parent_op()
        if op.parent is None or op.parent.last_op is not op or op.successors or around is None:
            return
        if around.name in FLOWS or around.name in CHOICES:
            self._waiting.append(around)
        elif around in self._calls and op.name == "func.return":
            returns = self._returned.setdefault(around, [])
            if op not in returns:
                returns.append(op)
            self._waiting.extend(self._calls[around])

    def _call(self, op: Operation, function: Any) -> None:
        entry: Block = function.body.blocks[0]
        if function in self._hidden:
            for argument, value in zip(entry.args, op.operands, strict=True):
                self._join(argument, value)
            self._run(entry)
        for end in self._returned.get(function, ()):
            self._pass_on(op, end.operands)


def _trips(op: Any) -> int | None:
    """How often an `affine.for` with constant bounds runs its body."""
    if op.name != "affine.for" or op.lowerBoundOperands or op.upperBoundOperands:
        return None
    bounds = [bound.data.results for bound in (op.lowerBoundMap, op.upperBoundMap)]
    if any(len(results) != 1 or not isinstance(results[0], AffineConstantExpr) for results in bounds):
        return None
    lower, upper = (results[0].value for results in bounds)
    return max(0, -(-(upper - lower) // op.step.value.data))


def _of_trips(value: SSAValue, incoming: tuple[SSAValue, ...], trips: int) -> tuple[SSAValue, ...]:
    """Of the initial value and the yielded one, what flows into an input of a loop that runs so often."""
    if isinstance(value.owner, Operation):
        return incoming[1:] if trips else incoming[:1]
    return incoming if trips > 1 else incoming[:1]


def _ends(op: Operation) -> Iterator[Operation]:
    for region in op.regions:
        for block in region.blocks:
            if block.last_op is not None and not block.last_op.successors:
                yield block.last_op


def known_calls(root: Operation) -> tuple[dict[Operation, list[Operation]], set[Operation]]:
    """The functions inside `root` with the calls of them, and those of the functions that nothing but these calls can run."""
    known: dict[Operation, list[Operation]] = {}
    hidden: set[Operation] = set()
    for table in root.walk():
        if table.has_trait(SymbolTable, value_if_unregistered=False):
            alone = table.parent_op() is None or visibility(table) == "private"
            _known_calls_of(table, alone, known, hidden)
    return known, hidden


def _known_calls_of(table: Operation, alone: bool, known: dict[Operation, list[Operation]], hidden: set[Operation]) -> None:
    functions: dict[str, Operation] = {}
    for op in (op for region in table.regions for block in region.blocks for op in block.ops):
        name = name_of(op)
        if name is not None and op.name == "func.func" and op.regions[0].blocks:
            functions[name] = op
            known[op] = []
            if visibility(op) == "private" or (visibility(op) == "nested" and alone):
                hidden.add(op)
    for op in table.walk():
        callee = op.properties.get("callee") if op.name == "func.call" else None
        for attribute in (*op.properties.values(), *op.attributes.values()):
            for reference in references_of(attribute):
                function = functions.get(reference.root_reference.data)
                if function is None:
                    continue
                if attribute is callee:
                    known[function].append(op)
                else:
                    hidden.discard(function)
