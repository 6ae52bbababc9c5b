"""One-shot analysis: which operands can be overwritten where they stand, decided one after the other, each once.

In: the operations of a function, in tensors. Out: an `Analysis`, whose `out_of_place` are the operands that need a buffer of their own.
An operand is in place unless that would let a read see what was written after the value that it means, or would write to what is constant.

Two relations between values grow with the decisions: *aliases* may share memory, *equivalents* are the same buffer. The idea, the order
(last operation first) and the rules of conflict are upstream's One-Shot Bufferize.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from stepwell.dialects.known_indices import same
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.buffers.effects import LOOPS, REGIONS, Alias, Effect, Place, effect_of, has_tensors, is_elementwise, is_tensor
from stepwell.lowering.buffers.structure import (
    carried,
    exclude_each_other,
    happens_before,
    may_not_run,
    order_counts,
    result_of_carried,
    threads_around,
    threads_of_value,
    yielded_for,
    yields,
)


class Classes:
    """Sets of values that can only be merged."""

    def __init__(self) -> None:
        self._of: dict[SSAValue, set[SSAValue]] = {}

    def of(self, value: SSAValue) -> set[SSAValue]:
        return self._of.setdefault(value, {value})

    def merge(self, a: SSAValue, b: SSAValue) -> None:
        one, two = self.of(a), self.of(b)
        if one is two:
            return
        one |= two
        for value in two:
            self._of[value] = one

    def joined(self, a: SSAValue, b: SSAValue) -> bool:
        return self.of(a) is self.of(b)


class Signature:
    """What a caller must know of a function: per argument, whether it is read and written; per result, which arguments it may be.

    Of a function that nobody has looked into, anything.
    """

    def __init__(self, arguments: int, results: int) -> None:
        self.reads = [True] * arguments
        self.writes = [True] * arguments
        self.equivalent: list[int | None] = [None] * results
        self.aliases: list[list[int]] = [list(range(arguments)) for _ in range(results)]


class Analysis:
    """Decides for the operations inside `root`, usually a function."""

    def __init__(self, root: Operation, signatures: dict[str, Signature], *, arguments_writable: bool, unknown_ops: bool) -> None:
        self._root = root
        self._signatures = signatures
        self._arguments_writable = arguments_writable
        self._unknown_ops = unknown_ops
        self.aliases = Classes()
        self.equivalents = Classes()
        self.out_of_place: dict[Place, None] = {}
        self.undecided: set[Place] = set()

    def run(self) -> None:
        ops = [op for op in self._root.walk() if op is not self._root and has_tensors(op)]
        for op in ops:
            self.undecided.update(self._tensor_places(op))
        if not self._arguments_writable:  # functions stay as they are, and so do calls: they get their tensors as tensors
            ops = [op for op in ops if op.name != "func.call"]
        for op in ops:  # what must be in place says from the start what may be the same memory
            if _must_stay(op):
                for at in self._tensor_places(op):
                    self._decide(at)
        for op in reversed(ops):
            if not _must_stay(op):
                for at in self._tensor_places(op):
                    self._decide(at)
            if op.name in REGIONS:
                self._settle(op)

    def _settle(self, op: Operation) -> None:
        """The branches of a choice are decided: a result is the buffer that all of them yield, if it is one."""
        for result in op.results:
            values = [end.operands[result.index] for end in yields(op)] if is_tensor(result.type) else []
            if values and all(self.equivalents.joined(values[0], value) for value in values[1:]):
                self.equivalents.merge(result, values[0])

    # ---- what operations do

    def _effect(self, op: Operation) -> Effect | None:
        found = effect_of(op)
        if found is None and op.name not in LOOPS and op.name not in REGIONS and op.name != "func.call" and not self._unknown_ops:
            raise CompileError(f"'{op.name}' op was not bufferized: nothing is known of what it does to buffers", location=place(op))
        return found

    @staticmethod
    def _tensor_places(op: Operation) -> Iterator[Place]:
        for index, operand in enumerate(op.operands):
            if is_tensor(operand.type):
                yield Place(op, index)

    def reads(self, at: Place) -> bool:
        op, index = at
        if op.name in LOOPS:
            argument = carried(op, index)
            return argument is None or may_not_run(op) or self.is_read(argument)
        if op.name == "func.call":
            return self._signature(op).reads[index]
        found = self._effect(op)
        return True if found is None else found.reads(op, index)

    def writes(self, at: Place) -> bool:
        op, index = at
        if op.name in LOOPS:
            return carried(op, index) is not None
        if op.name == "func.call":
            return self._signature(op).writes[index]
        found = self._effect(op)
        return True if found is None else found.writes(op, index)

    def aliasing(self, at: Place) -> list[Alias]:
        """The values whose buffer the operand's may be."""
        op, index = at
        if op.name in LOOPS:
            result = result_of_carried(op, index)
            return [] if result is None else [Alias(result, self._stays(op, index))]
        if op.name == "scf.yield" and (around := op.parent_op()) is not None and around.name in REGIONS:
            return [Alias(around.results[index], False)]
        if op.name == "func.call":
            signature = self._signature(op)
            return [
                Alias(result, signature.equivalent[number] == index)
                for number, result in enumerate(op.results)
                if is_tensor(result.type) and (signature.equivalent[number] == index or index in signature.aliases[number])
            ]
        found = self._effect(op)
        if found is None:
            return [Alias(result, False) for result in op.results if is_tensor(result.type)]
        return found.aliases(op, index)

    def sources(self, value: SSAValue) -> list[tuple[Place, bool]]:
        """The operands whose buffer a result may be, and whether it is the same."""
        if not isinstance(value, OpResult):
            return []
        op = value.op
        if op.name in REGIONS:
            return [(Place(end, value.index), True) for end in yields(op)]
        found: list[tuple[Place, bool]] = []
        for at in self._tensor_places(op):
            found += [(at, alias.is_equivalent) for alias in self.aliasing(at) if alias.value is value]
        return found

    def _signature(self, op: Any) -> Signature:
        return self._signatures.get(op.callee.string_value()) or Signature(len(op.operands), len(op.results))

    def _stays(self, op: Operation, index: int) -> bool:
        """Whether a loop gives back the buffer that it was given: the argument and what is yielded for it are one."""
        if op.name == "scf.forall":
            return True
        argument = carried(op, index)
        return argument is not None and all(self.equivalents.joined(argument, value) for value in yielded_for(op, index))

    def is_written_by_definition(self, value: SSAValue) -> bool:
        """Whether a value is a definition: what it holds was written when it came to be."""
        if not isinstance(value, OpResult):
            return True
        op = value.op
        sources = self.sources(value)
        if not sources:
            found = effect_of(op)
            if op.name == "bufferization.alloc_tensor":
                return len(op.operands) > 0 and any(is_tensor(operand.type) for operand in op.operands)
            return found is None or found.defines
        if op.name in REGIONS or op.name in LOOPS:
            return op.name in LOOPS or self._is_written_inside(op, value)
        return any(self.writes(at) for at, _ in sources)

    def _is_written_inside(self, op: Operation, value: OpResult) -> bool:
        return any(self._inside(definition, op) for end in yields(op) for definition in self.definitions(Place(end, value.index)))

    @staticmethod
    def _inside(value: SSAValue, op: Operation) -> bool:
        owner = value.owner
        return op.is_ancestor(owner) and owner is not op

    def has_undefined_contents(self, at: Place) -> bool:
        """Whether nothing was ever written to what the operand means."""
        leaves = self._backwards(at.value, lambda value: not self.sources(value))
        return all(isinstance(leaf, OpResult) and not self.is_written_by_definition(leaf) for leaf in leaves) and not self.definitions(at)

    # ---- following values

    def is_read(self, value: SSAValue) -> bool:
        """Whether somebody reads the value, perhaps through a view of it."""
        pending, seen = [value], {value}
        while pending:
            for use in pending.pop().uses:
                at = Place(use.operation, use.index)
                if self.reads(at):
                    return True
                if not self.writes(at):
                    new = [alias.value for alias in self.aliasing(at) if alias.value not in seen]
                    seen.update(new)
                    pending += new
        return False

    def _backwards(self, value: SSAValue, stop: Callable[[SSAValue], bool]) -> list[SSAValue]:
        """The values that satisfy `stop`, or begin a chain, on the ways back through those operands whose buffer the value may be."""
        found: dict[SSAValue, None] = {}
        pending, seen = [value], {value}
        while pending:
            current = pending.pop()
            sources = [] if stop(current) else self.sources(current)
            if not sources:
                found[current] = None
                continue
            for at, _ in sources:
                if at.value not in seen:
                    seen.add(at.value)
                    pending.append(at.value)
        return list(found)

    def leaves(self, value: SSAValue) -> list[SSAValue]:
        """Where the memory of a value may come from."""
        return self._backwards(value, lambda _: False)

    def definitions(self, at: Place) -> list[SSAValue]:
        """The values that say what the operand holds."""
        return [value for value in self._backwards(at.value, self.is_written_by_definition) if self.is_written_by_definition(value)]

    # ---- decisions

    def _decide(self, at: Place) -> None:
        self.undecided.discard(at)
        if not _must_stay(at.op) and (self._writes_to_constant(at) or self._conflicts(at)):
            self.out_of_place[at] = None
            return
        for alias in self.aliasing(at):
            self.aliases.merge(alias.value, at.value)
            if alias.is_equivalent:
                self.equivalents.merge(alias.value, at.value)

    def force_out_of_place(self, at: Place) -> None:
        self.out_of_place[at] = None

    def is_in_place(self, at: Place) -> bool:
        return at not in self.undecided and at not in self.out_of_place

    def _group(self, at: Place) -> list[SSAValue]:
        """All values that may share memory if the operand is in place."""
        values: dict[SSAValue, None] = dict.fromkeys(self.aliases.of(at.value))
        for alias in self.aliasing(at):
            values |= dict.fromkeys(self.aliases.of(alias.value))
        return list(values)

    def _writes_to(self, group: Iterable[SSAValue]) -> list[Place]:
        return [at for value in group for use in value.uses if self.is_in_place(at := Place(use.operation, use.index)) and self.writes(at)]

    def _writes_to_constant(self, at: Place) -> bool:
        group = self._group(at)
        if all(self.is_writable(value) for value in group):
            return False
        return self.writes(at) or bool(self._writes_to(group))

    def is_writable(self, value: SSAValue) -> bool:
        """Whether the memory that a value begins with may be overwritten."""
        if isinstance(value, OpResult):
            if value.op.name == "bufferization.to_tensor":
                return "writable" in value.op.properties
            if value.op.name == "func.call" and not self._arguments_writable:
                return False  # functions stay as they are: what they give is as little known as what they are given
            found = effect_of(value.op)
            known_op = found is not None or value.op.name in LOOPS or value.op.name in REGIONS or value.op.name == "func.call"
            return known_op and (found is None or found.writable)
        assert isinstance(value, BlockArgument)
        around = value.block.parent_op()
        if around is None or around.name != "func.func":
            return True
        if not self._arguments_writable:
            return False
        attributes: Any = around.properties.get("arg_attrs")
        flag = attributes.data[value.index].data.get("bufferization.writable") if attributes is not None else None
        return flag is None or bool(flag.value.data)

    def _conflicts(self, at: Place) -> bool:
        group = self._group(at)
        writes = self._writes_to(group)
        if self.writes(at):
            writes.append(at)
        if not writes:
            return False
        if any(self._leaves_threads(write) for write in writes):
            return True
        reads = [use_at for value in group for use in value.uses if self._counts_as_read(use_at := Place(use.operation, use.index))]
        return any(self._interferes(read, write, self.definitions(read)) for read in reads for write in writes)

    def _leaves_threads(self, write: Place) -> bool:
        """Whether a thread writes to memory from outside its threads' region, which it would share with the others."""
        region = threads_around(write.op)
        if region is None or write.op.name == "tensor.parallel_insert_slice":
            return False
        return any(threads_of_value(value) is not region for value in self._backwards(write.value, self.is_written_by_definition))

    def _counts_as_read(self, at: Place) -> bool:
        if self.reads(at):
            return True
        return not self.writes(at) and any(self.is_read(alias.value) for alias in self.aliasing(at))

    # ---- conflicts

    def _interferes(self, read: Place, write: Place, definitions: Sequence[SSAValue]) -> bool:
        """Whether `write` may come between a definition of what `read` means and the read."""
        if not definitions:
            return False
        if order_counts(read, write, definitions):
            if happens_before(read.op, write.op) or read == write or exclude_each_other(read.op, write.op):
                return False
            if read.op is write.op and is_elementwise(read.op, read.number, write.number):
                if self.equivalents.joined(read.value, write.value):
                    return False
        if self._subsets_agree(read, write):
            return False
        aliases = self.aliasing(write)
        for definition in definitions:
            if isinstance(definition, OpResult):
                maker = definition.op
                if happens_before(write.op, maker) or (maker is not write.op and maker.is_ancestor(write.op)):
                    continue
            elif isinstance(definition, BlockArgument) and definition.block.find_ancestor_op_in_block(write.op) is None:
                continue
            if len(aliases) == 1 and aliases[0].value is definition:
                continue
            return True
        return False

    def _subsets_agree(self, read: Place, write: Place) -> bool:
        """Reads and writes of `insert_slice(f(extract_slice %t[box])) into %t[box]`: what is inserted stands there already."""
        if _is_insertion(read.op):
            if read.number == 1 and self._is_slice_of(write.value, read.op):
                return True
            if read.number == 0 and write == Place(read.op, 1) and self._is_slice_of(read.value, read.op):
                return True
        if _is_insertion(write.op) and write.number == 1:
            source = write.op.operands[0]
            return self.equivalents.joined(read.value, source) and self._is_slice_of(source, write.op)
        return False

    def _is_slice_of(self, value: SSAValue, insertion: Any) -> bool:
        """Whether the value is, on all ways back, the very slice of the destination into which it is inserted."""

        covers = insertion.name == "tensor.parallel_insert_slice" and not self.reads(Place(insertion, 1))

        def is_that_slice(candidate: SSAValue) -> bool:
            if covers and self.equivalents.joined(candidate, insertion.dest):
                return True
            op: Any = candidate.owner
            if not isinstance(candidate, OpResult) or op.name != "tensor.extract_slice":
                return False
            return (
                self.equivalents.joined(op.source, insertion.dest)
                and same(op.mixed_offsets(), insertion.mixed_offsets())
                and same(op.mixed_sizes(), insertion.mixed_sizes())
                and same(op.mixed_strides(), insertion.mixed_strides())
            )

        return all(is_that_slice(found) for found in self._backwards(value, is_that_slice))


def _is_insertion(op: Operation) -> bool:
    return op.name in ("tensor.insert_slice", "tensor.parallel_insert_slice")


def _must_stay(op: Operation) -> bool:
    """What a terminator passes on is not copied by it."""
    return op.name in ("scf.yield", "scf.condition", "func.return")
