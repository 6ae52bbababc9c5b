"""What operations on tensors will do to buffers: which operands they read or overwrite, and which results will be an operand's buffer.

In: an operation and the number of an operand. Out: booleans, and `Alias`es. An alias is *equivalent* where the result will be the very same
buffer, otherwise it is a part of it or perhaps another one. Nothing here looks at uses: that is the analysis.

An operation that is not known here is a `CompileError`: nothing can be said about what it would do to memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType, UnrankedTensorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects.known_indices import known


class Alias(NamedTuple):
    """A value whose buffer is, or may be, an operand's."""

    value: SSAValue
    is_equivalent: bool


class Place(NamedTuple):
    """One operand of an operation."""

    op: Operation
    number: int

    @property
    def value(self) -> SSAValue:
        return self.op.operands[self.number]


def is_tensor(type: Attribute) -> bool:
    """Whether values of the type become buffers."""
    return isinstance(type, (TensorType, UnrankedTensorType))


def has_tensors(op: Operation) -> bool:
    """Whether an operation takes or gives tensors."""
    return any(is_tensor(value.type) for value in op.operands) or any(is_tensor(value.type) for value in op.results)


@dataclass(frozen=True)
class Effect:
    """What happens to the buffers of one kind of operation."""

    reads: Callable[[Any, int], bool] = lambda op, index: False
    writes: Callable[[Any, int], bool] = lambda op, index: False
    aliases: Callable[[Any, int], list[Alias]] = lambda op, index: []
    defines: bool = True
    """Whether a result without an operand for a buffer has contents."""
    writable: bool = True
    """Whether such a result may be overwritten."""


def _all(op: Any, index: int) -> bool:
    return True


def _same_buffer(op: Any, index: int) -> list[Alias]:
    return [Alias(op.results[0], True)] if index == 0 else []


def _part_of_buffer(op: Any, index: int) -> list[Alias]:
    return [Alias(op.results[0], False)] if index == 0 else []


def _destination(dest: int) -> Callable[[Any, int], list[Alias]]:
    return lambda op, index: [Alias(op.results[0], True)] if index == dest else []


def _is(dest: int) -> Callable[[Any, int], bool]:
    return lambda op, index: index == dest


def _insert_reads(op: Any, index: int) -> bool:
    """An insertion reads its source, and of its destination what it leaves: nothing, where it covers all."""
    if index == 0:
        return True
    shape = op.dest.type.get_shape()
    covers = (
        DYNAMIC_INDEX not in shape
        and all(known(offset) == 0 for offset in op.mixed_offsets())
        and all(known(stride) == 1 for stride in op.mixed_strides())
        and all(known(size) == extent for size, extent in zip(op.mixed_sizes(), shape, strict=True))
    )
    return not covers


# ---- linalg -------------------------------------------------------------------------------------------------------------------------


def inputs_of(op: Any) -> int:
    """How many operands of a structured operation come before its outputs."""
    return len(op.operands) - len(op.outputs)


def _structured_reads(op: Any, index: int) -> bool:
    """Whether the body looks at the operand's element."""
    if not op.regions or not op.regions[0].blocks:
        return index < inputs_of(op) or op.name not in ("linalg.fill", "linalg.copy", "linalg.transpose", "linalg.broadcast")
    block = op.regions[0].block
    if len(block.args) <= index:
        return index < inputs_of(op)
    return block.args[index].first_use is not None


def _structured_aliases(op: Any, index: int) -> list[Alias]:
    output = index - inputs_of(op)
    return [Alias(op.results[output], True)] if 0 <= output < len(op.results) else []


STRUCTURED = Effect(
    reads=_structured_reads,
    writes=lambda op, index: index >= inputs_of(op),
    aliases=_structured_aliases,
)


def is_elementwise(op: Any, a: int, b: int) -> bool:
    """Whether at every point the operation reads and writes these two operands at the same subscripts: it may do so in one buffer."""
    if op.dialect_name() != "linalg" or not hasattr(op, "get_indexing_maps"):
        return False
    if any(getattr(kind.data, "value", kind.data) != "parallel" for kind in op.get_iterator_types()):
        return False
    maps = list(op.get_indexing_maps())
    return max(a, b) < len(maps) and maps[a] == maps[b]


# ---- the table ------------------------------------------------------------------------------------------------------------------------

_SHAPE_ONLY = Effect()
_VIEW = Effect(aliases=_same_buffer)
_READS = Effect(reads=_all)

EFFECTS: dict[str, Effect] = {
    "arith.constant": Effect(writable=False),
    "arith.select": Effect(aliases=lambda op, index: [Alias(op.results[0], False)] if index else []),
    "bufferization.alloc_tensor": Effect(reads=_all, defines=False),
    "bufferization.dealloc_tensor": _SHAPE_ONLY,
    "bufferization.materialize_in_destination": Effect(
        reads=_is(0), writes=_is(1), aliases=lambda op, index: [Alias(op.results[0], True)] if index == 1 and op.results else []
    ),
    "bufferization.to_buffer": Effect(reads=_all, writes=lambda op, index: op.read_only is None),
    "bufferization.to_tensor": _SHAPE_ONLY,
    "func.return": _READS,
    "scf.condition": _READS,
    "scf.yield": _READS,
    "tensor.cast": _VIEW,
    "tensor.collapse_shape": Effect(reads=_all, aliases=_same_buffer),  # it may have to be copied
    "tensor.dim": _SHAPE_ONLY,
    "tensor.empty": Effect(defines=False),
    "tensor.expand_shape": _VIEW,
    "tensor.extract": _READS,
    "tensor.extract_slice": Effect(aliases=_part_of_buffer),
    "tensor.from_elements": _SHAPE_ONLY,
    "tensor.generate": _SHAPE_ONLY,
    "tensor.insert": Effect(reads=_is(1), writes=_is(1), aliases=_destination(1)),
    "tensor.insert_slice": Effect(reads=_insert_reads, writes=_is(1), aliases=_destination(1)),
    "tensor.pad": _READS,
    "tensor.parallel_insert_slice": Effect(reads=_insert_reads, writes=_is(1)),
    "tensor.rank": _SHAPE_ONLY,
    "tensor.reshape": Effect(reads=_all, aliases=_same_buffer),  # it may have to be copied
    "tensor.splat": _SHAPE_ONLY,
    "vector.gather": _READS,
    "vector.transfer_read": _READS,
    "vector.transfer_write": Effect(reads=_is(1), writes=_is(1), aliases=_destination(1)),
}
LOOPS = ("scf.for", "scf.while", "scf.forall")
"""Operations whose operands are carried into a region that runs repeatedly; the analysis knows them."""
REGIONS = ("scf.if", "scf.execute_region", "scf.index_switch")
"""Operations whose results are what their regions yield."""


def effect_of(op: Operation) -> Effect | None:
    """What is known of the operation, None where nothing is."""
    found = EFFECTS.get(op.name)
    if found is None and op.dialect_name() == "linalg" and hasattr(op, "outputs"):
        return STRUCTURED
    return found
