"""Which type a tensor's buffer will have, before it is there: loops and branches must know what they will yield.

In: a value that is still a tensor, and the buffers made so far. Out: a memref type.
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import MemRefType, UnrankedMemRefType
from xdsl.ir import Attribute, BlockArgument, OpResult, SSAValue

from stepwell.dialects.layouts import expanded_type, groups_of
from stepwell.lowering.buffers.effects import effect_of, is_tensor
from stepwell.lowering.buffers.structure import yields
from stepwell.lowering.buffers.types import collapsed, from_outside, joined, plain, reshaped, sliced


class Prediction:
    """Types by value; `buffers` grows while operations are converted."""

    def __init__(self, buffers: dict[SSAValue, SSAValue], callees: dict[str, Any], unknown: str) -> None:
        self._buffers = buffers
        self._callees = callees
        self._unknown = unknown
        self._open: set[SSAValue] = set()

    def of(self, value: SSAValue) -> Attribute:
        """The type of the value's buffer."""
        if value in self._buffers:
            return self._buffers[value].type
        if isinstance(value.type, (MemRefType, UnrankedMemRefType)):
            return cast("Any", value).type
        if isinstance(value, BlockArgument):
            return self._argument(value)
        assert isinstance(value, OpResult)
        return self._result(value)

    def _argument(self, value: BlockArgument) -> Attribute:
        around: Any = value.block.parent_op()
        if around is None or around.name not in ("scf.for", "scf.while", "scf.forall"):
            return from_outside(value.type, self._unknown)
        if around.name == "scf.for":
            return self._both(value, around.operands[2 + value.index], around.body.block.last_op.operands[value.index - 1])
        if around.name == "scf.while":
            if value.block is around.after_region.block:
                return self.of(around.before_region.block.last_op.operands[value.index + 1])
            return self._both(value, around.operands[value.index], around.after_region.block.last_op.operands[value.index])
        return self.of(around.outputs[value.index - len(value.block.args)])

    def _both(self, value: SSAValue, first: SSAValue, last: SSAValue) -> Attribute:
        """The type that fits what a loop begins with and what it yields."""
        begin = self.of(first)
        if value in self._open:
            return begin
        self._open.add(value)
        try:
            return joined(begin, self.of(last))
        finally:
            self._open.discard(value)

    def _result(self, value: OpResult) -> Attribute:
        op: Any = value.op
        name = op.name
        if name == "scf.for":
            return self._argument(op.body.block.args[value.index + 1])
        if name == "scf.while":
            return self.of(op.before_region.block.last_op.operands[value.index + 1])
        if name == "scf.forall":
            return self.of(op.outputs[value.index])
        if name in ("scf.if", "scf.execute_region", "scf.index_switch"):
            first, *others = [self.of(end.operands[value.index]) for end in yields(op)]
            for other in others:
                first = joined(first, other)
            return first
        if name == "func.call":
            callee = self._callees.get(op.callee.string_value())
            return from_outside(value.type, self._unknown) if callee is None else callee.function_type.outputs.data[value.index]
        if name == "arith.select":
            return joined(self.of(op.operands[1]), self.of(op.operands[2]))
        if name == "bufferization.to_tensor":
            return op.operands[0].type
        if name == "bufferization.alloc_tensor":
            return plain(value.type, op.memory_space)
        if name == "tensor.cast":
            return reshaped(self.of(op.source), value.type)
        if name == "tensor.extract_slice":
            return sliced(cast(Any, self.of(op.source)), op, value.type)
        if name == "tensor.expand_shape":
            return expanded_type(cast(Any, self.of(op.src)), groups_of(op.reassociation), cast(Any, value.type).get_shape())
        if name == "tensor.collapse_shape":
            return collapsed(cast(Any, self.of(op.src)), groups_of(op.reassociation)) or plain(value.type)
        found = effect_of(op)
        if found is None:
            return from_outside(value.type, self._unknown)
        for index, operand in enumerate(op.operands):
            if is_tensor(operand.type) and name != "tensor.reshape":
                for alias in found.aliases(op, index):
                    if alias.value is value and alias.is_equivalent:
                        return self.of(operand)
        return plain(value.type)
