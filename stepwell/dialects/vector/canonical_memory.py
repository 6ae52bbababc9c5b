"""What canonicalizes the operations of `vector` that touch memory or tensors, masks around operations, reductions and contractions."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, cast

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DenseArrayBase, MemRefType, TensorType, VectorType, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import arith, vector
from stepwell.dialects.arith.canonical_base import Maker
from stepwell.dialects.layouts import layout_of
from stepwell.dialects.support import is_float
from stepwell.dialects.vector.canonical_base import Replacement, VectorPattern
from stepwell.dialects.vector.fold_transfers import disjoint, is_inside, map_of, mask_is, same_indices, same_place
from stepwell.dialects.vector.shapes import flags_of, is_scalable, shape_of, vector_of
from stepwell.dialects.vector.values import LIMIT, defined_by, dense_of, elements_of, integer_of, mask_around, splat_of

# ---- masks around operations ----------------------------------------------------------------------------------------------------------


class MaskOfNothing(VectorPattern):
    """`mask %m { yield %a }` -> `%a`; `mask %m, %p { yield %a }` -> `select %m, %a, %p`, where %a is a vector."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        ops = list(op.body.block.ops)
        if len(ops) != 1:
            return None
        if op.passthru is None:
            return list(ops[0].operands)
        if not isinstance(op.passthru.type, VectorType) or len(ops[0].operands) != 1:
            return None
        return make.op(arith.SelectOp, [op.mask, ops[0].operands[0], op.passthru], op.passthru.type)


class MaskOfAll(RewritePattern):
    """`mask %true { op }` -> `op`"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        ops = list(op.body.block.ops)
        if len(ops) != 2 or not mask_is(op.mask, True):
            return
        masked = ops[0]
        masked.detach()
        rewriter.insert(masked, InsertPoint.before(op))
        rewriter.replace(op, [], list(masked.results))


# ---- reductions -----------------------------------------------------------------------------------------------------------------------

_INTEGER = {"add": "addi", "mul": "muli", "and": "andi", "or": "ori", "xor": "xori"}
_FLOAT = {"add": "addf", "mul": "mulf"}


@cache
def _arithmetic() -> dict[str, type[Operation]]:
    return {op.name: op for op in arith.Arith.operations}


def combine(make: Maker, kind: str, first: SSAValue, second: SSAValue, flags: FastMathFlagsAttr | None = None) -> SSAValue:
    """Two values by the operation that a combining kind stands for."""
    element = first.type.element_type if isinstance(first.type, VectorType) else first.type
    floats = is_float(element)
    combined: Any = _arithmetic()[f"arith.{(_FLOAT if floats else _INTEGER).get(kind, kind)}"]
    made = combined(first, second)
    if flags is not None and floats:
        made.properties["fastmath"] = flags
    make.made.append(made)
    return made.results[0]


class ReductionOfOne(VectorPattern):
    """`reduction <add>, %v, %acc : vector<1xf32>` -> `addf (extract %v[0]), %acc`; under a mask, `select` between that and %acc."""

    def replaced(self, op: Operation) -> Operation:
        return mask_around(op) or op

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        type = op.vector.type
        if prod(shape_of(type)) != 1 or is_scalable(type):
            return None
        around = mask_around(op)
        if around is not None and around.passthru is not None:
            return None
        position = DenseArrayBase.from_list(i64, [0] * len(shape_of(type)))
        chosen = None
        if around is not None and op.acc is not None:
            chosen = make.op(vector.ExtractOp, [around.mask], around.mask.type.element_type, static_position=position)
        element = make.op(vector.ExtractOp, [op.vector], op.dest.type, static_position=position)
        if op.acc is None:
            return element
        combined = combine(make, op.kind.data, element, op.acc, op.fastmath)
        return combined if chosen is None else make.op(arith.SelectOp, [chosen, combined, op.acc], op.dest.type)


class MultiReductionOfOnes(VectorPattern):
    """`multi_reduction <mul>, %v, %acc [1] : vector<5x1xf32>` -> `mulf %acc, (shape_cast %v)`, where all that is reduced has extent 1.

    Under a mask, `select` between that and %acc.
    """

    def replaced(self, op: Operation) -> Operation:
        return mask_around(op) or op

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        shape, flags, dims = shape_of(op.source.type), flags_of(op.source.type), op.reduction_dims.get_values()
        if not dims or any(shape[dim] != 1 or flags[dim] for dim in dims):
            return None
        around = mask_around(op)
        if around is not None and around.passthru is not None:
            return None
        chosen = None
        if around is not None:
            chosen = self._reshaped(around.mask, op.dest.type, make)
        source = self._reshaped(op.source, op.dest.type, make)
        combined = combine(make, op.kind.data, op.acc, source)
        return combined if chosen is None else make.op(arith.SelectOp, [chosen, combined, op.acc], op.dest.type)

    @staticmethod
    def _reshaped(value: SSAValue, like: Attribute, make: Maker) -> SSAValue:
        element = cast("VectorType[Any]", value.type).element_type
        if isinstance(like, VectorType):
            return make.op(vector.ShapeCastOp, [value], vector_of(element, shape_of(like), flags_of(like)))
        position = DenseArrayBase.from_list(i64, [0] * len(shape_of(value.type)))
        return make.op(vector.ExtractOp, [value], element, static_position=position)


class AddToContraction(RewritePattern):
    """`addf (contract %a, %b, 0), %c` -> `contract %a, %b, %c`: a contraction says nothing about the order of its sums."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        uses = list(op.result.uses)
        if len(uses) != 1 or op.kind.data != "add" or mask_around(op) is not None:
            return
        added, zero = uses[0].operation, dense_of(op.acc)
        if added.name not in ("arith.addf", "arith.addi") or zero is None or any(splat_of(zero) or b"\xff"):
            return
        other = added.operands[1 - uses[0].index]
        contraction = type(op).create(
            operands=[op.lhs, op.rhs, other], result_types=[op.result.type], properties=dict(op.properties), attributes=dict(op.attributes)
        )
        rewriter.replace(added, [contraction], [contraction.results[0]])


# ---- loads and stores -----------------------------------------------------------------------------------------------------------------


def _access(kind: Any, op: Any, operands: Sequence[SSAValue], types: Sequence[Attribute]) -> Operation:
    alignment = op.properties.get("alignment")
    return kind.create(operands=operands, result_types=types, properties={"alignment": alignment} if alignment is not None else {})


def _is_contiguous(base: Attribute) -> bool:
    """Whether neighbours along the last dimension of a memref are neighbours in memory."""
    if not isinstance(base, MemRefType):
        return False
    try:
        strides, _ = layout_of(base)
    except VerifyException:
        return False
    return not strides or strides[-1] == 1


class MaskedRead(RewritePattern):
    """`maskedload` or `expandload` with a true mask -> `load`; any masked read with a false mask -> what passes through."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if mask_is(op.mask, False):
            rewriter.replace(op, [], [op.pass_thru])
        elif op.name != "vector.gather" and mask_is(op.mask, True) and _loadable(op.base.type, op.result.type):
            rewriter.replace(op, [_access(vector.LoadOp, op, [op.base, *op.indices], [op.result.type])])


def _loadable(base: Any, type: Attribute) -> bool:
    """Whether `load` and `store` take what the masked operations do."""
    return _is_contiguous(base) and not isinstance(base.element_type, VectorType) and len(shape_of(type)) <= base.get_num_dims()


class MaskedWrite(RewritePattern):
    """`maskedstore` or `compressstore` with a true mask -> `store`; any masked write with a false mask does nothing."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if mask_is(op.mask, False):
            rewriter.replace(op, [], [op.base] if op.results else [])
        elif op.name != "vector.scatter" and mask_is(op.mask, True) and _loadable(op.base.type, op.value_to_store.type):
            rewriter.replace(op, [_access(vector.StoreOp, op, [op.value_to_store, op.base, *op.indices], [])])


class IndexedToMasked(RewritePattern):
    """`gather %base[%i] [0, 1, 2, ...]` -> `maskedload %base[%i]`, and so for `scatter`."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if not _is_contiguous(op.base.type) or not _counts_up(op.indices) or mask_around(op) is not None:
            return
        if op.name == "vector.gather":
            operands = [op.base, *op.offsets, op.mask, op.pass_thru]
            rewriter.replace(op, [_access(vector.MaskedLoadOp, op, operands, [op.result.type])])
        else:
            operands = [op.base, *op.offsets, op.mask, op.value_to_store]
            rewriter.replace(op, [_access(vector.MaskedStoreOp, op, operands, [])])


def _counts_up(indices: SSAValue) -> bool:
    """Whether a vector is 0, 1, 2, ..."""
    shape = shape_of(indices.type)
    if len(shape) != 1:
        return False
    if defined_by(indices, "vector.step") is not None:
        return True
    dense = dense_of(indices)
    if dense is None or is_scalable(indices.type) or shape[0] > LIMIT:
        return False
    element = cast("VectorType[Any]", indices.type).element_type
    return all(element.unpack(item, 1)[0] == number for number, item in enumerate(elements_of(dense)))


# ---- transfers ------------------------------------------------------------------------------------------------------------------------


class ReadOfWritten(VectorPattern):
    """`transfer_read(transfer_write %v, ...)` of the same elements in another order, or repeated -> `transpose(broadcast %v)`."""

    def rewritten(self, op: Any, make: Maker) -> Replacement:
        write = defined_by(op.source, "vector.transfer_write")
        if write is None or not isinstance(op.source.type, TensorType) or op.mask is not None or write.mask is not None:
            return None
        if mask_around(op) is not None or op.result.type.element_type != write.vector.type.element_type:
            return None
        if not is_inside(op) or not is_inside(write) or not same_indices(op, write):
            return None
        reads, writes = _walked(op, op.result.type), _walked(write, write.vector.type)
        if any(reads.get(dim, (1, False)) != writes.get(dim, (1, False)) for dim in {*reads, *writes}) or len(reads) < len(writes):
            return None
        places = {expr.position: number for number, expr in enumerate(map_of(write).results) if isinstance(expr, AffineDimExpr)}
        extents = list(zip(shape_of(op.result.type), flags_of(op.result.type), strict=True))
        exprs = map_of(op).results
        held = [places.get(expr.position) if isinstance(expr, AffineDimExpr) else None for expr in exprs]
        if len(exprs) != len(extents) or sorted(place for place in held if place is not None) != list(range(len(places))):
            return None
        repeated = [number for number, place in enumerate(held) if place is None]
        order = [repeated.index(number) if place is None else len(repeated) + place for number, place in enumerate(held)]
        value: SSAValue = write.vector
        if repeated:
            shape = [*(extents[number] for number in repeated), *zip(shape_of(value.type), flags_of(value.type), strict=True)]
            wide = vector_of(op.result.type.element_type, [size for size, _ in shape], [flag for _, flag in shape])
            value = make.op(vector.BroadcastOp, [value], wide)
        if order != sorted(order):
            value = make.op(vector.TransposeOp, [value], op.result.type, permutation=DenseArrayBase.from_list(i64, order))
        return value


def _walked(op: Any, type: Attribute) -> dict[int, tuple[int, bool]]:
    """How far a transfer goes along each dimension of its source."""
    sides = zip(map_of(op).results, shape_of(type), flags_of(type), strict=False)
    return {expr.position: (size, flag) for expr, size, flag in sides if isinstance(expr, AffineDimExpr)}


class WriteOverWritten(RewritePattern):
    """`transfer_write %b, (transfer_write %a, %t [i]) [i]` -> `transfer_write %b, %t [i]`, also with writes beside it in between."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if not isinstance(op.source.type, TensorType) or mask_around(op) is not None:
            return
        last, before = op, defined_by(op.source, "vector.transfer_write")
        while before is not None and before is not op:
            if same_place(before, op):
                last.operands[1] = before.source
                rewriter.notify_op_modified(last)
                return
            if not disjoint(before, op) or len(list(before.result.uses)) != 1:
                return
            last, before = before, defined_by(before.source, "vector.transfer_write")


class SliceOfWritten(RewritePattern):
    """`insert_slice (extract_slice (transfer_write %v, %t) [0] [%n]) into %d [%i] [%n]` ->
    `insert_slice (transfer_write %v, (extract_slice %d [%i] [%n])) into %d [%i] [%n]`: nothing of %t is left."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        uses = list(op.result.uses) if op.result is not None else []
        taken: Any = uses[0].operation if len(uses) == 1 else None
        uses = list(taken.result.uses) if taken is not None and taken.name == "tensor.extract_slice" else []
        put: Any = uses[0].operation if len(uses) == 1 else None
        if (
            taken is None
            or put is None
            or put.name != "tensor.insert_slice"
            or put.source is not taken.result
            or not self._fits(op, taken, put)
        ):
            return
        operands = [put.dest, *list(put.operands)[2:]]
        properties = {name: value for name, value in put.properties.items() if name != "operandSegmentSizes"}
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(
            taken.properties["operandSegmentSizes"].elt_type, [1, *put.properties["operandSegmentSizes"].get_values()[2:]]
        )
        slice_ = type(taken).create(operands=operands, result_types=[taken.result.type], properties=properties)
        extents = taken.result.type.get_shape()
        bounds = [
            extents[cast(AffineDimExpr, expr).position] >= size
            for expr, size in zip(map_of(op).results, shape_of(op.vector.type), strict=True)
        ]
        write = type(op).create(
            operands=[op.vector, slice_.results[0], *op.indices],
            result_types=[taken.result.type],
            properties={**op.properties, "in_bounds": ArrayAttr(BoolAttr.from_bool(flag) for flag in bounds)},
        )
        rewriter.insert([slice_, write], InsertPoint.before(put))
        put.operands[0] = write.results[0]
        rewriter.notify_op_modified(put)
        rewriter.erase(taken)
        rewriter.erase(op)

    @staticmethod
    def _fits(op: Any, taken: Any, put: Any) -> bool:
        """Whether all of the written tensor is written, and the slice taken from its origin is the slice put."""
        shape, map = op.source.type.get_shape(), map_of(op)
        whole = all(isinstance(expr, AffineDimExpr) for expr in map.results) and len(map.results) == len(shape)
        sizes = (
            {cast(AffineDimExpr, expr).position: size for expr, size in zip(map.results, shape_of(op.vector.type), strict=False)}
            if whole
            else {}
        )
        return (
            whole
            and op.mask is None
            and not is_scalable(op.vector.type)
            and [sizes.get(dim) for dim in range(len(shape))] == list(shape)
            and all(integer_of(index) == 0 for index in op.indices)
            and all(offset == 0 for offset in taken.static_offsets.get_values())
            and all(stride == 1 for stride in (*taken.static_strides.get_values(), *put.static_strides.get_values()))
            and len(taken.result.type.get_shape()) == len(shape) == len(put.dest.type.get_shape())
            and taken.static_sizes == put.static_sizes
            and list(taken.sizes) == list(put.sizes)
        )


PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "vector.mask": (MaskOfNothing(), MaskOfAll()),
    "vector.reduction": (ReductionOfOne(),),
    "vector.multi_reduction": (MultiReductionOfOnes(),),
    "vector.contract": (AddToContraction(),),
    "vector.maskedload": (MaskedRead(),),
    "vector.expandload": (MaskedRead(),),
    "vector.gather": (MaskedRead(), IndexedToMasked()),
    "vector.maskedstore": (MaskedWrite(),),
    "vector.compressstore": (MaskedWrite(),),
    "vector.scatter": (MaskedWrite(), IndexedToMasked()),
    "vector.transfer_read": (ReadOfWritten(),),
    "vector.transfer_write": (WriteOverWritten(), SliceOfWritten()),
}
