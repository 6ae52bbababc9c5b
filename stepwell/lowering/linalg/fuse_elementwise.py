"""The pattern that fuses pointwise producers: two `linalg.generic` in, one that computes what both did out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import AffineMapAttr, TensorType
from xdsl.ir import Block, Operation, OpResult, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import affine, linalg
from stepwell.dialects.linalg.canonical_base import maps_of, on_tensors
from stepwell.ir.affine_expressions import replace
from stepwell.lowering.building import inverse_of, is_permutation

Control = Callable[[SSAValue], bool]
"""Whether to fuse the operation that an operand comes from."""


def has_one_use(value: SSAValue) -> bool:
    """Whether the operation that a value comes from has one use in all: fusing it computes nothing twice."""
    return isinstance(value, OpResult) and sum(len(list(result.uses)) for result in value.op.results) == 1


def composed(map: AffineMap, loops: Sequence[int], inner: AffineMap) -> AffineMap:
    """`map` of a producer's loops, as a map of the consumer's: loop number n is the result `loops[n]` of `inner`."""
    exprs = [inner.results[position] for position in loops]
    return AffineMap(inner.num_dims, inner.num_symbols, tuple(replace(result, exprs, ()) for result in map.results))


def is_fusable(consumer: linalg.GenericOp, position: int) -> bool:
    """Whether an operand is made by a pointwise `linalg.generic` that the consumer can compute where it reads."""
    value = consumer.operands[position]
    if not isinstance(value, OpResult):
        return False
    producer = value.op
    if not isinstance(producer, linalg.GenericOp) or not isinstance(value.type, TensorType) or not on_tensors(producer):
        return False
    if producer is consumer or position >= len(consumer.inputs):
        return False
    if any(kind != linalg.PARALLEL for kind in producer.iterator_types):
        return False
    maps, inner = maps_of(consumer), maps_of(producer)
    result = inner[len(producer.inputs) + value.index]
    if len(maps[position].results) != len(producer.iterator_types) or not is_permutation(result):
        return False
    if all(kind == linalg.PARALLEL for kind in consumer.iterator_types):
        return True
    loops = inverse_of([result], result.num_dims)
    assert loops is not None
    remaining = [map for operand, map in zip(consumer.operands, maps, strict=True) if operand is not value]
    remaining += [composed(map, loops, maps[position]) for map in inner[: len(producer.inputs)]]
    covered = {expr.position for map in remaining for expr in map.results if isinstance(expr, AffineDimExpr)}
    return len(covered) == len(consumer.iterator_types)


def preserved_results(producer: linalg.GenericOp, consumer: linalg.GenericOp, position: int) -> list[int]:
    """The results of the producer that somebody else uses, or whose operands say how far the loops go."""
    ignored = {(id(consumer), position)}
    preserved: list[int] = []
    for number, result in enumerate(producer.results):
        place = (id(producer), len(producer.inputs) + number)
        ignored.add(place)
        uses_it = bool(producer.body.block.args[place[1]].uses)
        elsewhere = any(use.operation is not consumer for use in result.uses)
        if uses_it or elsewhere or not _loops_are_known_without(ignored, producer, consumer):
            preserved.append(number)
            ignored.remove(place)
    return preserved


def _loops_are_known_without(ignored: set[tuple[int, int]], producer: linalg.GenericOp, consumer: linalg.GenericOp) -> bool:
    maps = [map for op in (producer, consumer) for position, map in enumerate(maps_of(op)) if (id(op), position) not in ignored]
    if not maps:
        return not producer.iterator_types.data and not consumer.iterator_types.data
    return inverse_of(maps, maps[0].num_dims) is not None


def fuse(consumer: linalg.GenericOp, position: int) -> tuple[linalg.GenericOp, int] | None:
    """The op that computes what both do, not yet inserted, and how many results of the producer it has before the consumer's. None where
    its loops' extents could not be told."""
    value = consumer.operands[position]
    assert isinstance(value, OpResult)
    assert isinstance(value.op, linalg.GenericOp)
    producer = value.op
    preserved = preserved_results(producer, consumer, position)
    maps, inner = maps_of(consumer), maps_of(producer)
    loops = inverse_of([inner[len(producer.inputs) + value.index]], len(producer.iterator_types))
    assert loops is not None
    count = len(producer.inputs)
    moved = [composed(map, loops, maps[position]) for map in inner]
    inputs = [*consumer.inputs[:position], *producer.inputs, *consumer.inputs[position + 1 :]]
    new_maps = [*maps[:position], *moved[:count], *maps[position + 1 : len(consumer.inputs)]]
    outputs = [*(producer.outputs[n] for n in preserved), *consumer.outputs]
    new_maps += [*(moved[count + n] for n in preserved), *maps[len(consumer.inputs) :]]
    if inverse_of(new_maps, len(consumer.iterator_types)) is None:
        return None
    to_producer = composed(AffineMap.identity(len(loops)), loops, maps[position])
    body = _fused_body(consumer, producer, position, value.index, preserved, to_producer)
    fused = linalg.GenericOp(inputs, outputs, body, [AffineMapAttr(map) for map in new_maps], consumer.iterator_types)
    return fused, len(preserved)


def _fused_body(
    consumer: linalg.GenericOp, producer: linalg.GenericOp, position: int, result: int, preserved: Sequence[int], loops: AffineMap
) -> Region:
    """The producer's body, then the consumer's with what the producer yields for the operand."""
    first, second = producer.body.block, consumer.body.block
    block = Block()
    known: dict[SSAValue, SSAValue] = {}
    ins, count = len(consumer.inputs), len(producer.inputs)
    arguments = [*second.args[:position], *first.args[:count], *second.args[position + 1 : ins]]
    arguments += [*(first.args[count + n] for n in preserved), *second.args[ins:]]
    for argument in arguments:
        new = block.insert_arg(argument.type, len(block.args))
        new.name_hint = argument.name_hint
        known[argument] = new
    _add_indices(block, first, loops, known)
    for op in list(first.ops)[:-1]:
        if not (isinstance(op, linalg.IndexOp)):
            block.add_op(op.clone(known))
    yielded = _operands(first.last_op, known)
    known[second.args[position]] = yielded[result]
    for op in list(second.ops)[:-1]:
        block.add_op(op.clone(known))
    block.add_op(linalg.YieldOp(*(yielded[n] for n in preserved), *_operands(second.last_op, known)))
    return Region(block)


def _operands(op: Operation | None, known: dict[SSAValue, SSAValue]) -> list[SSAValue]:
    assert op is not None
    return [known.get(value, value) for value in op.operands]


def _add_indices(block: Block, first: Block, loops: AffineMap, known: dict[SSAValue, SSAValue]) -> None:
    """What the producer's loop counters are, in terms of the consumer's."""
    indices = [op for op in first.ops if isinstance(op, linalg.IndexOp)]
    if not indices:
        return
    counters = [linalg.IndexOp(n) for n in range(loops.num_dims)]
    block.add_ops(counters)
    for op in indices:
        map = AffineMap(loops.num_dims, 0, (loops.results[op.dim.value.data],))
        apply = affine.ApplyOp([counter.result for counter in counters], AffineMapAttr(map))
        block.add_op(apply)
        known[op.result] = apply.result


class FuseElementwiseOps(RewritePattern):
    """before:  %0 = linalg.generic ins(%a) outs(%e) { addf }   %1 = linalg.generic ins(%0, %b) outs(%f) { mulf }
    after:   %1 = linalg.generic ins(%a, %b) outs(%f) { addf   mulf }"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        for position in range(len(op.operands)):
            if not is_fusable(op, position) or not self._control(op.operands[position]):
                continue
            found = fuse(op, position)
            if found is None:
                return
            fused, count = found
            rewriter.insert(fused, InsertPoint.before(op))
            rewriter.replace(op, [], fused.results[count:])
            return
