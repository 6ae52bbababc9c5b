"""The pass `lower-affine`: `affine` in, `scf`, `arith`, `memref` and `vector` out. One walk, outside before inside."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, IntegerType, VectorType, i1, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstraintKind
from xdsl.rewriter import Rewriter

from stepwell.dialects import affine, arith, memref, scf
from stepwell.dialects.affine.indices import DmaStartOp
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.lowering.loops.affine_expansion import NSW, NSW_NUW, Arithmetic


@dataclass(frozen=True)
class LowerAffine(Pass):
    """Loops, conditions, accesses and index arithmetic of `affine` as those that know nothing of maps.

    before:  affine.for %i = 0 to 8 { %v = affine.load %m[%i floordiv 2] : memref<4xf32> ... }
    after:   scf.for %i = %c0 to %c8 step %c1 { %q = ... arith.divsi ...  %v = memref.load %m[%q] : memref<4xf32> ... }
    """

    name = "lower-affine"
    anchor = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        del ctx
        for inner in list(op.walk()):
            rule = RULES.get(inner.name)
            if rule is not None and inner is not op and inner.parent is not None:
                rule(inner)


def _replace(op: Operation, new: Operation) -> None:
    new.location = op.location
    for name, attribute in op.attributes.items():
        new.attributes.setdefault(name, attribute)
    Rewriter.replace_op(op, new)


def _replace_by(op: Operation, values: Sequence[SSAValue]) -> None:
    Rewriter.replace_op(op, [], list(values))


# ---- index arithmetic -----------------------------------------------------------------------------------------------------------------


def _apply(op: affine.ApplyOp) -> None:
    _replace_by(op, Arithmetic(op).results(op.map.data, op.mapOperands))


def _extremum(op: affine.Extremum) -> None:
    emit = Arithmetic(op)
    kind = arith.MinSIOp if isinstance(op, affine.MinOp) else arith.MaxSIOp
    _replace_by(op, [emit.extremum(emit.results(op.map.data, op.arguments), kind)])


def _fixed(emit: Arithmetic, number: int, type: Attribute) -> SSAValue:
    """A number as a constant, of a vector where the indices are vectors."""
    value: Attribute = IntegerAttr(number, INDEX)
    if isinstance(type, VectorType):
        value = DenseIntOrFPElementsAttr.from_list(cast("Any", type), [number])
    return emit.insert(arith.ConstantOp.create(properties={"value": value}, result_types=[type]))


def _spread(emit: Arithmetic, value: SSAValue, type: Attribute) -> SSAValue:
    """An extent, in every lane where the indices are vectors."""
    if not isinstance(type, VectorType):
        return value
    from stepwell.dialects.vector import BroadcastOp

    return emit.insert(BroadcastOp.create(operands=[value], result_types=[type]))


def _strides(emit: Arithmetic, basis: Sequence[int | SSAValue], type: Attribute, flags: Attribute) -> list[SSAValue]:
    """What each subscript but the last counts for: products of the extents behind it, the largest first."""
    strides: list[SSAValue] = []
    number = 1
    value: SSAValue | None = None
    for extent in reversed(basis):
        if isinstance(extent, int):
            number *= extent
        else:
            spread = _spread(emit, extent, type)
            value = spread if value is None else emit.binary(arith.MuliOp, value, spread, flags)
        if value is None:
            strides.append(_fixed(emit, number, type))
        else:
            strides.append(value if number == 1 else emit.binary(arith.MuliOp, value, _fixed(emit, number, type), flags))
    return strides[::-1]


def expand_delinearize(op: affine.DelinearizeIndexOp) -> None:
    """Subscripts by division and remainder."""
    emit = Arithmetic(op)
    index: SSAValue = op.linear_index
    if len(op.results) == 1:
        _replace_by(op, [index])
        return
    basis = op.basis()
    strides = _strides(emit, basis[1:] if len(basis) == len(op.results) else basis, index.type, NSW_NUW)
    zero = _fixed(emit, 0, index.type)
    values = [emit.binary(arith.FloorDivSIOp, index, strides[0])]
    for number, stride in enumerate(strides):
        remainder = emit.binary(arith.RemSIOp, index, stride)
        negative = emit.compare(remainder, zero, "slt")
        rest = emit.select(negative, emit.add(remainder, stride, NSW), remainder)
        last = number + 1 == len(strides)
        values.append(rest if last else emit.binary(arith.DivSIOp, rest, strides[number + 1]))
    _replace_by(op, values)


def _depth(value: SSAValue) -> int:
    """How many operations are around the place where a value is known."""
    owner = value.owner
    block = owner if isinstance(owner, Block) else owner.parent
    depth = 0
    while block is not None and (parent := block.parent_op()) is not None:
        depth, block = depth + 1, parent.parent
    return depth


def expand_linearize(op: affine.LinearizeIndexOp) -> None:
    """An index by multiplication and addition; what is known first is added first, so that it can leave the loops."""
    emit = Arithmetic(op)
    indices = list(op.multi_index)
    type = op.linear_index.type
    if not indices:
        _replace_by(op, [_fixed(emit, 0, type)])
        return
    basis = op.basis()
    basis = basis[1:] if len(basis) == len(indices) else basis
    strides = _strides(emit, basis, type, NSW if op.disjoint is None else NSW_NUW)
    terms: list[tuple[int, SSAValue]] = []
    for number, (index, stride) in enumerate(zip(indices, strides, strict=False)):
        depth = max(_depth(v) for v in (index, *(extent for extent in basis[number:] if isinstance(extent, SSAValue))))
        terms.append((depth, emit.binary(arith.MuliOp, index, stride, NSW)))
    terms.append((_depth(indices[-1]), indices[-1]))
    terms.sort(key=lambda term: term[0])
    value = terms[0][1]
    for _, term in terms[1:]:
        value = emit.add(value, term, NSW)
    _replace_by(op, [value])


@dataclass(frozen=True)
class ExpandIndexOps(Pass):
    """`affine.delinearize_index` and `affine.linearize_index` as arithmetic.

    before:  %0:2 = affine.delinearize_index %i into (4, 8) : index, index
    after:   %0 = arith.floordivsi %i, %c8 : index   %1 = arith.remsi %i, %c8 ...
    """

    name = "affine-expand-index-ops"
    anchor = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        del ctx
        for inner in list(op.walk()):
            if isinstance(inner, affine.DelinearizeIndexOp):
                expand_delinearize(inner)
            elif isinstance(inner, affine.LinearizeIndexOp):
                expand_linearize(inner)


# ---- accesses ---------------------------------------------------------------------------------------------------------------------------


def _load(op: affine.LoadOp) -> None:
    indices = Arithmetic(op).results(op.map.data, op.indices)
    _replace(op, memref.LoadOp.create(operands=[op.memref, *indices], result_types=op.result_types))


def _store(op: affine.StoreOp) -> None:
    indices = Arithmetic(op).results(op.map.data, op.indices)
    _replace(op, memref.StoreOp.create(operands=[op.value, op.memref, *indices]))


def _prefetch(op: affine.PrefetchOp) -> None:
    indices = Arithmetic(op).results(op.map.data, op.indices)
    properties = {name: value for name, value in op.properties.items() if name != "map"}
    _replace(op, memref.PrefetchOp.create(operands=[op.memref, *indices], properties=properties))


def _vector_load(op: affine.VectorLoadOp) -> None:
    from stepwell.dialects.vector import LoadOp

    indices = Arithmetic(op).results(op.map.data, op.indices)
    _replace(op, LoadOp.create(operands=[op.memref, *indices], result_types=op.result_types))


def _vector_store(op: affine.VectorStoreOp) -> None:
    from stepwell.dialects.vector import StoreOp

    indices = Arithmetic(op).results(op.map.data, op.indices)
    _replace(op, StoreOp.create(operands=[op.value, op.memref, *indices]))


def _dma(op: Operation) -> None:
    from stepwell.dialects.memref import dma as memref_dma

    emit = Arithmetic(op)
    rest = list(op.operands)
    parts: list[list[SSAValue]] = []
    names = DmaStartOp.MAPS if op.name == DmaStartOp.name else ("tag_map",)
    for name in names:
        map = cast("Any", op.properties[name]).data
        count = 1 + map.num_dims + map.num_symbols
        parts.append([rest[0], *emit.results(map, rest[1:count])])
        rest = rest[count:]
    if len(parts) == 1:
        _replace(op, memref_dma.DmaWaitOp.create(operands=[*parts[0], *rest]))
    else:
        _replace(op, memref_dma.DmaStartOp.create(operands=[*parts[0], *parts[1], rest[0], *parts[2], *rest[1:]]))


# ---- loops and conditions ---------------------------------------------------------------------------------------------------------


def _for(op: affine.ForOp) -> None:
    emit = Arithmetic(op)
    lower = emit.extremum(emit.results(op.lowerBoundMap.data, op.lowerBoundOperands), arith.MaxSIOp)
    upper = emit.extremum(emit.results(op.upperBoundMap.data, op.upperBoundOperands), arith.MinSIOp)
    step = emit.constant(op.step.value.data)
    body = op.detach_region(op.body)
    _replace(op, scf.ForOp.create(operands=[lower, upper, step, *op.inits], result_types=op.result_types, regions=[body]))


def _if(op: affine.IfOp) -> None:
    emit = Arithmetic(op)
    condition = op.condition.data
    zero = emit.constant(0)
    dims, symbols = op.args[: condition.num_dims], op.args[condition.num_dims :]
    met: SSAValue | None = None
    for constraint in condition.constraints:
        value = emit.expression(constraint.lhs, dims, symbols)
        held = emit.compare(value, zero, "eq" if constraint.kind is AffineConstraintKind.eq else "sge")
        met = held if met is None else emit.binary(arith.AndIOp, met, held)
    if met is None:
        met = emit.insert(arith.ConstantOp.create(properties={"value": IntegerAttr(1, i1)}, result_types=[i1]))
    regions = [op.detach_region(region) for region in list(op.regions)]
    _replace(op, scf.IfOp.create(operands=[met], result_types=op.result_types, regions=regions))


def _parallel(op: affine.ParallelOp) -> None:
    from stepwell.dialects.affine.canonical import FOLDS

    FOLDS[op.name](op)  # as upstream's conversion, which folds before it lowers: constants become part of the bounds
    emit = Arithmetic(op)
    lower: list[SSAValue] = []
    upper: list[SSAValue] = []
    lower_map, upper_map = op.lowerBoundsMap.data, op.upperBoundsMap.data
    for low, high in zip(op.lower_bounds(), op.upper_bounds(), strict=True):
        operands, dims = op.lower_operands, lower_map.num_dims
        lower.append(emit.extremum([emit.expression(e, operands[:dims], operands[dims:]) for e in low], arith.MaxSIOp))
        operands, dims = op.upper_operands, upper_map.num_dims
        upper.append(emit.extremum([emit.expression(e, operands[:dims], operands[dims:]) for e in high], arith.MinSIOp))
    steps = [emit.constant(step.value.data) for step in op.steps]
    kinds = [affine.REDUCTIONS[cast("IntegerAttr[Any]", kind).value.data] for kind in op.reductions]
    inits = [_neutral(emit, kind, type) for kind, type in zip(kinds, op.result_types, strict=True)]
    body = op.detach_region(op.body)
    end = body.block.last_op
    assert end is not None
    Rewriter.replace_op(end, _reduction(end, kinds), [])
    sizes = [len(lower), len(upper), len(steps), len(inits)]
    new = scf.ParallelOp.create(
        operands=[*lower, *upper, *steps, *inits],
        result_types=op.result_types,
        properties={"operandSegmentSizes": DenseArrayBase.from_list(i32, sizes)},
        regions=[body],
    )
    _replace(op, new)


COMBINERS: dict[str, type[Operation]] = {
    "addf": arith.AddfOp,
    "addi": arith.AddiOp,
    "andi": arith.AndIOp,
    "maximumf": arith.MaximumfOp,
    "maxnumf": arith.MaxnumfOp,
    "maxs": arith.MaxSIOp,
    "maxu": arith.MaxUIOp,
    "minimumf": arith.MinimumfOp,
    "minnumf": arith.MinnumfOp,
    "mins": arith.MinSIOp,
    "minu": arith.MinUIOp,
    "mulf": arith.MulfOp,
    "muli": arith.MuliOp,
    "ori": arith.OrIOp,
    "xori": arith.XOrIOp,
}
FLOAT_NEUTRALS = {
    "addf": 0.0,
    "mulf": 1.0,
    "maximumf": float("-inf"),
    "minimumf": float("inf"),
    "maxnumf": float("nan"),
    "minnumf": float("nan"),
}


def _neutral(emit: Arithmetic, kind: str, type: Attribute) -> SSAValue:
    """What changes nothing in a reduction."""
    if kind not in COMBINERS:
        raise CompileError(f"'affine.parallel' op a reduction by '{kind}' has no neutral value", location=place(emit.before))
    value: Attribute
    if isinstance(type, IntegerType):
        bits = type.width.data
        numbers = {"muli": 1, "andi": -1, "minu": -1, "maxs": -(1 << (bits - 1)), "mins": (1 << (bits - 1)) - 1}
        value = IntegerAttr(numbers.get(kind, 0), type)
    else:
        value = FloatAttr(FLOAT_NEUTRALS[kind], cast("Any", type))
    return emit.insert(arith.ConstantOp.create(properties={"value": value}, result_types=[type]))


def _reduction(end: Operation, kinds: Sequence[str]) -> Operation:
    """The `scf.reduce` in the place of an `affine.yield`."""
    regions: list[Region] = []
    for kind, value in zip(kinds, end.operands, strict=True):
        block = Block(arg_types=[value.type, value.type])
        combined = COMBINERS[kind](*block.args)  # pyright: ignore[reportCallIssue]
        block.add_ops([combined, scf.ReduceReturnOp.create(operands=[combined.results[0]])])
        regions.append(Region(block))
    return scf.ReduceOp.create(operands=list(end.operands), regions=regions)


def _yield(op: affine.YieldOp) -> None:
    _replace(op, scf.YieldOp.create(operands=list(op.operands)))


RULES: dict[str, Callable[[Any], None]] = {
    "affine.apply": _apply,
    "affine.delinearize_index": expand_delinearize,
    "affine.dma_start": _dma,
    "affine.dma_wait": _dma,
    "affine.for": _for,
    "affine.if": _if,
    "affine.linearize_index": expand_linearize,
    "affine.load": _load,
    "affine.max": _extremum,
    "affine.min": _extremum,
    "affine.parallel": _parallel,
    "affine.prefetch": _prefetch,
    "affine.store": _store,
    "affine.vector_load": _vector_load,
    "affine.vector_store": _vector_store,
    "affine.yield": _yield,
}
