"""Pointwise producers move into the bodies of their consumers, so that a kernel is a short list of generics.

In: kernels of structured ops on tensors. Out: the same kernels where every structured op is a `linalg.generic` or a `linalg.fill`, scalar
constants stand in the bodies that use them, a pointwise op that one consumer reads once per element (or that costs next to nothing) is
part of that consumer, and nothing is computed that nobody reads.

A pointwise consumer is not fused into a reduction: that is the schedule's `fuse`, one level down.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    TensorType,
    i32,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import Rewriter
from xdsl.traits import Pure

from stepwell.dialects import affine, arith, linalg, tensor
from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.passes import Pass
from stepwell.ir.remarks import passed
from stepwell.lowering.structured.extents import Extents
from stepwell.lowering.structured.kernels import (
    INDEX,
    constant_index,
    defining,
    erase_dead,
    insert_before,
    is_permutation,
    is_tensor,
    iterators_of,
    kernels,
    maps_of,
    needs_contents,
)

CHEAP = 2
"""Up to this many additions and the like a producer is computed again in every consumer rather than stored."""

_COST: dict[str, int] = {
    "arith.divf": 4,
    "arith.divsi": 8,
    "arith.divui": 8,
    "arith.remsi": 8,
    "arith.remui": 8,
    "math.sqrt": 4,
    "math.fma": 1,
    "math.absf": 1,
}
_FREE = ("arith.constant", "linalg.index", "linalg.yield", "affine.apply", "arith.index_cast")


@dataclass(frozen=True)
class FusePointwise(Pass):
    """Fuse pointwise producers into their consumers.

    ```mlir
    %s = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]} ins(%x, %b) outs(%e) { addf }
    %y = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%s) outs(%out) { maximumf %s, %zero }
    ```
    becomes
    ```mlir
    %y = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = [...]} ins(%x, %b) outs(%out) { addf; maximumf }
    ```
    """

    name: ClassVar[str] = "linalg-fuse-pointwise"

    def run(self, op: Operation, ctx: Context) -> None:
        for kernel in kernels(op):
            fuse(kernel)


def fuse(kernel: func.FuncOp) -> None:
    """Fuse within one kernel."""
    block = kernel.body.block
    for op in list(block.ops):
        if isinstance(op, LinalgStructuredOperation):
            generic = to_generic(op)
            if isinstance(generic, linalg.GenericOp):
                _inline_constants(generic)
    _ask_arguments(kernel)
    # Last first: a consumer has taken in its whole tree of producers before it is taken in itself, and every op moves once.
    for op in reversed(list(block.ops)):
        if isinstance(op, linalg.GenericOp) and op.parent is not None:
            if not any(r.uses for r in op.results):
                Rewriter.erase_op(op)
                continue
            _skip_overwritten(op)
            producers = 0
            while _fuse_one_producer(op):
                producers += 1
            if producers:
                passed(op, "linalg-fuse-pointwise", Remark=f"{producers} producers are computed where they are used")
            _simplify_body(op)
    erase_dead(block, (linalg.GenericOp, linalg.FillOp))
    erase_dead(block, (tensor.EmptyOp, tensor.DimOp, arith.ConstantOp))


# ---- one form for all structured ops --------------------------------------------------------------------------------------------


def to_generic(op: LinalgStructuredOperation) -> LinalgStructuredOperation:
    """Replace a named op by the generic that says the same; fills stay."""
    if isinstance(op, (linalg.GenericOp, linalg.FillOp)):
        return op
    generic = linalg.GenericOp.create(
        operands=op.operands,
        result_types=op.result_types,
        properties={
            "indexing_maps": op.get_indexing_maps(),
            "iterator_types": op.get_iterator_types(),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(op.inputs), len(op.outputs)]),
        },
        attributes={name: op.attributes[name] for name in ("loops", "stage") if name in op.attributes},
        regions=[op.detach_region(op.body)],
        location=op.location,
    )
    insert_before(op, generic)
    for old, new in zip(op.results, generic.results, strict=True):
        old.replace_all_uses_with(new)
    Rewriter.erase_op(op)
    return generic


def _scalar_of(value: SSAValue) -> arith.ConstantOp | None:
    """A new constant op for the one scalar that a constant holds, None if `value` is no constant or holds several."""
    owner = value.owner
    if not isinstance(owner, arith.ConstantOp):
        return None
    attribute = cast(Attribute, owner.value)
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        payload = cast(DenseIntOrFPElementsAttr[Any], attribute)
        if not is_splat(payload):
            return None
        element = cast(Any, value.type).element_type
        raw = array_of(payload).reshape(-1)[0].item()
        is_integer = isinstance(element, (IntegerType, IndexType))
        scalar: Attribute = cast(Any, IntegerAttr if is_integer else FloatAttr)(raw, element)
        return arith.ConstantOp.create(properties={"value": scalar}, result_types=[element])
    return arith.ConstantOp.create(properties={"value": attribute}, result_types=[value.type])


def _inline_constants(op: linalg.GenericOp) -> None:
    """Constants that the body reads, as inputs or from outside, become constants of the body."""
    body = op.body.block
    for i in reversed(range(len(op.inputs))):
        constant = _scalar_of(op.operands[i])
        if constant is not None:
            body.insert_op_before(constant, cast(Operation, body.first_op))
            body.args[i].replace_all_uses_with(constant.results[0])
            _remove_input(op, i)
    captured: dict[SSAValue, SSAValue] = {}
    for inner in list(body.ops):
        for i, operand in enumerate(inner.operands):
            owner = operand.owner
            if isinstance(owner, arith.ConstantOp) and owner.parent is not body:
                if operand not in captured:
                    constant = owner.clone()
                    body.insert_op_before(constant, cast(Operation, body.first_op))
                    captured[operand] = constant.results[0]
                inner.operands[i] = captured[operand]


def _ask_arguments(kernel: func.FuncOp) -> None:
    """Who asks for an extent of a temporary asks an argument that has the same: so the temporary can go, and the kernel stays generic."""
    block = kernel.body.block
    asked = [op for op in block.ops if isinstance(op, tensor.DimOp) and op.source not in block.args]
    if not asked:
        return
    extents = Extents(kernel)
    known = extents.argument_places()
    for op in asked:
        dim = constant_index(op.index)
        place = None if dim is None else known.get(extents.find((op.source, dim)))
        if place is None:
            continue
        argument, index = place
        number = arith.ConstantOp.create(properties={"value": IntegerAttr(index, INDEX)}, result_types=[INDEX])
        insert_before(op, number)
        op.operands = [cast(SSAValue, argument), number.results[0]]


# ---- legality -------------------------------------------------------------------------------------------------------------------


def body_cost(op: LinalgStructuredOperation) -> int:
    """How much one element of a body costs, in additions."""
    cost = 0
    for inner in op.body.block.ops:
        if inner.name not in _FREE:
            cost += _COST.get(inner.name, 8 if inner.name.startswith("math.") else 1)
    return cost


def _reads_once(map: AffineMap) -> bool:
    """Whether a consumer that reads through `map` reads each element at most once: every loop is one result of its own."""
    dims = [e.position for result in map.results for e in result.dfs() if isinstance(e, AffineDimExpr)]
    return len(dims) == len(set(dims)) == map.num_dims


def _is_invertible(maps: Sequence[AffineMap]) -> bool:
    """Whether every loop is a plain subscript somewhere, so that its extent can be read off a shape."""
    plain = {e.position for map in maps for e in map.results if isinstance(e, AffineDimExpr)}
    return len(plain) == maps[0].num_dims


def _fuse_one_producer(consumer: linalg.GenericOp) -> bool:
    """Fuse one producer into `consumer`; whether there was one. Producers with no other reader come first: they leave nothing behind."""
    _merge_equal_inputs(consumer)
    for only_reader in (True, False):
        for i in range(len(consumer.inputs)):
            producer = defining(consumer.operands[i])
            if isinstance(producer, linalg.FillOp):
                _inline_fill(consumer, i, producer)
                return True
            if not isinstance(producer, linalg.GenericOp):
                continue
            if consumer.operands[i].has_one_use() == only_reader and _is_fusable(producer, consumer, i):
                _inline_producer(consumer, i, producer)
                return True
    return False


def _is_fusable(producer: linalg.GenericOp, consumer: linalg.GenericOp, i: int) -> bool:
    if len(producer.results) != 1 or "reduction" in iterators_of(producer) or not is_permutation(maps_of(producer)[-1]):
        return False
    maps = maps_of(consumer)
    cost = body_cost(producer)
    if not _reads_once(maps[i]):
        if cost > 0:
            return False
    elif cost > CHEAP and not producer.results[0].has_one_use():
        return False
    return _is_invertible([m for k, m in enumerate(maps) if k != i] + _composed_maps(producer, maps[i]))


# ---- rewriting ------------------------------------------------------------------------------------------------------------------


def _producer_loops(producer: linalg.GenericOp, read: AffineMap) -> list[AffineExpr]:
    """Each loop of the producer as an expression of the consumer's loops, where the consumer reads the result at `read`."""
    written = maps_of(producer)[-1]
    loops: list[AffineExpr] = [AffineExpr.constant(0)] * written.num_dims
    for result, expr in zip(written.results, read.results, strict=True):
        loops[cast(AffineDimExpr, result).position] = expr
    return loops


def _composed_maps(producer: linalg.GenericOp, read: AffineMap) -> list[AffineMap]:
    """The maps of the producer's inputs, and of its destination where its body reads that, over the consumer's loops."""
    loops = _producer_loops(producer, read)
    maps = maps_of(producer)
    count = len(maps) if producer.body.block.args[-1].uses else len(maps) - 1
    return [m.replace_dims_and_symbols(loops, (), read.num_dims, 0) for m in maps[:count]]


def _inline_producer(consumer: linalg.GenericOp, i: int, producer: linalg.GenericOp) -> None:
    read = maps_of(consumer)[i]
    loops = _producer_loops(producer, read)
    maps = _composed_maps(producer, read)
    is_last = producer.results[0].has_one_use()

    body = consumer.body.block
    moved = producer.body if is_last else producer.body.clone()
    block = moved.block
    first = cast(Operation, body.first_op)
    for arg, value, map in zip(list(block.args), producer.operands, maps, strict=False):
        arg.replace_all_uses_with(_add_input(consumer, value, map))
    i_arg = body.args[i]
    for op in list(block.ops):
        op.detach()
        if isinstance(op, linalg.YieldOp):
            i_arg.name_hint = None
            i_arg.replace_all_uses_with(op.operands[0])
            op.drop_all_references()
            continue
        body.insert_op_before(op, first)
        if isinstance(op, linalg.IndexOp):
            _replace_index(op, loops[op.dim.value.data], read.num_dims)
    _remove_input(consumer, i)
    if is_last:
        Rewriter.erase_op(producer)


def _replace_index(op: linalg.IndexOp, expr: AffineExpr, num_dims: int) -> None:
    """`linalg.index` of a producer's loop, said in the consumer's loops."""
    if isinstance(expr, AffineDimExpr):
        new: Operation = linalg.IndexOp(expr.position)
    elif isinstance(expr, AffineConstantExpr):
        new = arith.ConstantOp.create(properties={"value": IntegerAttr(expr.value, INDEX)}, result_types=[INDEX])
    else:
        used = sorted({e.position for e in expr.dfs() if isinstance(e, AffineDimExpr)})
        indices = [linalg.IndexOp(d) for d in used]
        insert_before(op, *indices)
        compact: list[AffineExpr] = [AffineExpr.constant(0)] * num_dims
        for k, d in enumerate(used):
            compact[d] = AffineExpr.dimension(k)
        map = AffineMap(len(used), 0, (expr.replace_dims_and_symbols(compact, ()),))
        new = affine.ApplyOp([x.result for x in indices], AffineMapAttr(map))
    insert_before(op, new)
    op.result.replace_all_uses_with(new.results[0])
    Rewriter.erase_op(op)


def _inline_fill(consumer: linalg.GenericOp, i: int, fill: linalg.FillOp) -> None:
    """An input that is one value everywhere."""
    body = consumer.body.block
    value = fill.inputs[0]
    constant = _scalar_of(value)
    if constant is not None:
        body.insert_op_before(constant, cast(Operation, body.first_op))
        value = constant.results[0]
    body.args[i].replace_all_uses_with(value)
    _remove_input(consumer, i)


def _skip_overwritten(op: linalg.GenericOp) -> None:
    """A destination that is overwritten needs no contents: neither a fill nor anything else that was written there."""
    inputs = len(op.inputs)
    for k in range(len(op.outputs)):
        if needs_contents(op, k):
            continue
        value = op.operands[inputs + k]
        while isinstance(owner := value.owner, (linalg.FillOp, linalg.GenericOp)):
            value = owner.outputs[owner.results.index(value)]
        op.operands[inputs + k] = value


def _add_input(op: linalg.GenericOp, value: SSAValue, map: AffineMap) -> BlockArgument:
    """The body argument of input `value` read through `map`, a new input unless there is such a one."""
    maps = maps_of(op)
    inputs = len(op.inputs)
    for k in range(inputs):
        if op.operands[k] is value and maps[k] == map:
            return op.body.block.args[k]
    element = cast(TensorType[Any], value.type).get_element_type() if is_tensor(value) else value.type
    arg = op.body.block.insert_arg(element, inputs)
    _set_operands(op, [*op.operands[:inputs], value], op.operands[inputs:], [*maps[:inputs], map, *maps[inputs:]])
    return arg


def _remove_input(op: linalg.GenericOp, i: int) -> None:
    maps = maps_of(op)
    inputs = len(op.inputs)
    op.body.block.erase_arg(op.body.block.args[i])
    ins = [v for k, v in enumerate(op.operands[:inputs]) if k != i]
    _set_operands(op, ins, op.operands[inputs:], maps[:i] + maps[i + 1 :])


def _merge_equal_inputs(op: linalg.GenericOp) -> None:
    """The same value read twice through the same map is read once."""
    maps = maps_of(op)
    seen: dict[tuple[SSAValue, AffineMap], int] = {}
    for i in range(len(op.inputs)):
        first = seen.setdefault((op.operands[i], maps[i]), i)
        if first != i:
            op.body.block.args[i].replace_all_uses_with(op.body.block.args[first])
            _remove_input(op, i)
            return _merge_equal_inputs(op)


def _set_operands(op: linalg.GenericOp, ins: Sequence[SSAValue], outs: Sequence[SSAValue], maps: Sequence[AffineMap]) -> None:
    outs = list(outs)
    op.operands = [*ins, *outs]
    op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(ins), len(outs)])
    op.properties["indexing_maps"] = ArrayAttr([AffineMapAttr(m) for m in maps])


def _simplify_body(op: linalg.GenericOp) -> None:
    """Equal ops of a body become one; ops and inputs that nothing reads go."""
    block: Block = op.body.block
    seen: dict[Hashable, Operation] = {}
    for inner in list(block.ops):
        if not inner.results or inner.regions or not (inner.has_trait(Pure) or isinstance(inner, linalg.IndexOp)):
            continue
        key = (
            type(inner),
            tuple(inner.operands),
            tuple(inner.properties.items()),
            tuple(inner.attributes.items()),
            tuple(inner.result_types),
        )
        first = seen.setdefault(key, inner)
        if first is not inner:
            for old, new in zip(inner.results, first.results, strict=True):
                old.replace_all_uses_with(new)
            Rewriter.erase_op(inner)
    for inner in reversed(list(block.ops)):
        if inner.results and not inner.regions and not any(r.uses for r in inner.results):
            Rewriter.erase_op(inner)
    for i in reversed(range(len(op.inputs))):
        maps = maps_of(op)
        if not block.args[i].uses and _is_invertible(maps[:i] + maps[i + 1 :]):
            _remove_input(op, i)
