"""Which tensors of a kernel share a buffer.

In: a kernel at level 2. Out: *chains*. A chain is the history of one buffer's contents: a fill or a generic that overwrites all of its
destination begins one, generics that read what stands in their destination (accumulations, updates) continue it. A returned chain lives
in the kernel's destination argument. Any other is a temporary, unless its last reader writes a chain of the same shape element by element
where it reads: then both share that chain's buffer (softmax's exponentials stand in the output until they are divided).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, TensorType, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineMap

from stepwell.dialects import linalg, tensor
from stepwell.dialects.linalg import IteratorTypeAttr
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.extents import Extents, Place
from stepwell.lowering.structured.kernels import (
    defining,
    destinations,
    insert_before,
    is_permutation,
    is_tensor,
    iterators_of,
    location_of,
    maps_of,
    name_of,
    needs_contents,
    shape_of,
    structured_ops,
)


@dataclass(eq=False)
class Chain:
    """The values that one buffer holds one after another; `first` and `last` are the positions of its first write and last read."""

    values: list[SSAValue]
    first: int
    last: int
    returned_in: SSAValue | None = None
    shares: Chain | None = None
    """The chain whose buffer this one lives in."""

    @property
    def buffer(self) -> Chain:
        """The chain that owns the buffer."""
        return self.shares.buffer if self.shares else self


@dataclass
class _Read:
    """One read of a chain: at which position, through which map (None for a read that no map describes), by which op."""

    position: int
    map: AffineMap | None
    op: Operation


@dataclass
class Chains:
    """The chains of one kernel, by value."""

    of: dict[SSAValue, Chain] = field(default_factory=dict[SSAValue, Chain])

    def all(self) -> list[Chain]:
        return list(dict.fromkeys(self.of.values()))


# ---- one history per buffer -----------------------------------------------------------------------------------------------------


def separate_histories(kernel: func.FuncOp) -> None:
    """Rewrite a kernel so that what an op updates in place is read by nobody else at the same time or later.

    A pointwise update of a value that is needed later becomes a pointwise op with one more input; a fill that begins two accumulations is
    done twice; any other value is copied.
    """
    block = kernel.body.block
    positions = {op: i for i, op in enumerate(block.ops)}
    for op in structured_ops(kernel):
        for k in range(len(op.outputs)):
            value = op.outputs[k]
            if not needs_contents(op, k):
                continue
            others = [
                use
                for use in value.uses
                if not (use.operation is op and use.index == len(op.inputs) + k) and positions[_top(use.operation, block)] >= positions[op]
            ]
            if not others:
                continue
            source = defining(value)
            if isinstance(source, linalg.FillOp):
                again = source.clone()
                insert_before(op, again)
                positions[again] = positions[op]
                op.operands[len(op.inputs) + k] = again.results[0]
            elif isinstance(op, linalg.GenericOp) and "reduction" not in iterators_of(op):
                _read_as_input(op, k)
            else:
                copy = _copy_of(value)
                insert_before(op, copy)
                positions[copy] = positions[op]
                op.operands[len(op.inputs) + k] = copy.results[0]


def _top(op: Operation, block: Block) -> Operation:
    top = block.find_ancestor_op_in_block(op)
    assert top is not None
    return top


def _read_as_input(op: linalg.GenericOp, k: int) -> None:
    inputs, outputs = len(op.inputs), len(op.outputs)
    value = op.outputs[k]
    maps = maps_of(op)
    old = op.body.block.args[inputs + k]
    new = op.body.block.insert_arg(old.type, inputs)
    old.replace_all_uses_with(new)
    op.operands = [*op.operands[:inputs], value, *op.operands[inputs:]]
    maps.insert(inputs, maps[inputs + k])
    op.properties["indexing_maps"] = ArrayAttr([AffineMapAttr(m) for m in maps])
    op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [inputs + 1, outputs])


def _copy_of(value: SSAValue) -> linalg.GenericOp:
    type = cast(TensorType[Any], value.type)
    body = Block(arg_types=[type.element_type, type.element_type])
    body.add_op(linalg.YieldOp(body.args[0]))
    identity = AffineMapAttr(AffineMap.identity(type.get_num_dims()))
    return linalg.GenericOp.create(
        operands=[value, value],
        result_types=[type],
        properties={
            "indexing_maps": ArrayAttr([identity, identity]),
            "iterator_types": ArrayAttr([IteratorTypeAttr.parallel()] * type.get_num_dims()),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, 1]),
        },
        regions=[Region(body)],
    )


# ---- who shares -----------------------------------------------------------------------------------------------------------------


def find_chains(kernel: func.FuncOp, extents: Extents) -> Chains:
    """The chains of a kernel whose histories are separate, buffers shared where that is safe."""
    block = kernel.body.block
    chains = Chains()
    end = len(block.ops)
    for position, op in enumerate(block.ops):
        if not isinstance(op, LinalgStructuredOperation):
            continue
        for k, result in enumerate(op.results):
            previous = op.outputs[k]
            chain = chains.of.get(previous) if needs_contents(op, k) else None
            if chain is not None:
                chain.values.append(result)
                chain.last = position
            elif op.regions[0].block.args[len(op.inputs) + k].uses:
                raise CompileError(
                    f"@{name_of(kernel)}: '{op.name}' reads its destination before anything was written there", location=location_of(op)
                )
            else:
                chain = Chain([result], position, position)
            chains.of[result] = chain

    reads: dict[Chain, list[_Read]] = {chain: [] for chain in chains.all()}
    for position, op in enumerate(block.ops):
        for read_chain, read in _reads(op, position, chains):
            reads[read_chain].append(read)
            read_chain.last = max(read_chain.last, position)

    _return_chains(kernel, chains, end)
    for chain in sorted(chains.all(), key=lambda c: -c.last):
        if chain.returned_in is None:
            _share(chain, reads[chain], chains, extents)
    return chains


def _reads(op: Operation, position: int, chains: Chains) -> Iterator[tuple[Chain, _Read]]:
    if isinstance(op, tensor.DimOp):
        return
    if isinstance(op, LinalgStructuredOperation):
        for value, map in zip(op.inputs, maps_of(op), strict=False):
            if value in chains.of:
                yield chains.of[value], _Read(position, map, op)
    for inner in op.walk():
        if inner is not op or not isinstance(op, LinalgStructuredOperation):
            for value in inner.operands:
                if value in chains.of:
                    yield chains.of[value], _Read(position, None, op)


def _return_chains(kernel: func.FuncOp, chains: Chains, end: int) -> None:
    last = kernel.body.block.last_op
    assert isinstance(last, func.ReturnOp)
    for value, argument in zip(last.operands, destinations(kernel), strict=True):
        chain = chains.of.get(value)
        if chain is None or chain.returned_in is not None or chain.values[-1] is not value:
            raise CompileError(
                f"@{name_of(kernel)} does not compute each of its results once, in a destination of its own",
                location=location_of(kernel),
                hint="the last op of a kernel writes outs(%out)",
            )
        chain.returned_in = argument
        chain.last = end


def _share(chain: Chain, reads: list[_Read], chains: Chains, extents: Extents) -> None:
    """Let a temporary live in the buffer that its last reader writes, if nothing else needs that buffer meanwhile."""
    final = [read for read in reads if read.position == chain.last]
    if not final:
        return
    reader = final[0].op
    if not isinstance(reader, linalg.GenericOp) or "reduction" in iterators_of(reader):
        return
    for result, written in zip(reader.results, maps_of(reader)[len(reader.inputs) :], strict=True):
        target = chains.of[result]
        ones = [i for i, e in enumerate(written.results) if isinstance(e, AffineConstantExpr)]
        rest = AffineMap(written.num_dims, 0, tuple(e for i, e in enumerate(written.results) if i not in ones))
        if target.first != chain.last or not is_permutation(rest) or any(read.map != written for read in final):
            continue
        if ones and not _subscripts_only_zero(chain, reads, ones):
            continue
        if not _same_shape(chain.values[0], result, extents, ones) or _is_taken(target.buffer, chain, chains):
            continue
        chain.shares = target
        return


def _is_taken(buffer: Chain, chain: Chain, chains: Chains) -> bool:
    """Whether another chain of that buffer lives while `chain` does. Touching at the last read of one and the first write of the next is
    allowed."""
    return any(
        other is not chain and other.buffer is buffer and other.first < chain.last and chain.first <= other.last for other in chains.all()
    )


def _subscripts_only_zero(chain: Chain, reads: list[_Read], ones: Sequence[int]) -> bool:
    """Whether no loop runs over these dimensions: a loop over a temporary's extent of 1 would not find it in the other buffer."""
    maps = [read.map for read in reads]
    for value in chain.values:
        owner = value.owner
        if not isinstance(owner, LinalgStructuredOperation):
            return False
        maps.append(maps_of(owner)[len(owner.inputs) + owner.results.index(value)])
    return all(map is not None and isinstance(map.results[i], AffineConstantExpr) for map in maps for i in ones)


def _same_shape(a: SSAValue, b: SSAValue, extents: Extents, ones: Sequence[int]) -> bool:
    """Whether two tensors have the same extents. `ones` are dimensions of `b` where only subscript 0 is written: their extent is 1."""
    if len(shape_of(a)) != len(shape_of(b)) or any(shape_of(a)[i] != 1 for i in ones):
        return False
    places_a: list[Place] = [extents.find((a, i)) for i in range(len(shape_of(a))) if i not in ones]
    places_b: list[Place] = [extents.find((b, i)) for i in range(len(shape_of(b))) if i not in ones]
    return places_a == places_b and is_tensor(a) and cast(Any, a.type).element_type == cast(Any, b.type).element_type
