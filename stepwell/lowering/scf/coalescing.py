"""Perfect nests of `scf.for` become one loop over all their points."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, IntegerAttr, IntegerType, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith, scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, ceildiv, dim, mul, negated, symbol
from stepwell.lowering.building import Builder, Index, number

_NONE = arith.IntegerOverflowAttr("none")


def perfect_nest(loop: scf.ForOp) -> list[scf.ForOp]:
    """A loop, the only one in it, the only one in that, and so on."""
    nest = [loop]
    while isinstance(inner := nest[-1].body.block.first_op, scf.ForOp) and inner.next_op is nest[-1].body.block.last_op:
        nest.append(inner)
    return nest


def coalesce_nest(loop: scf.ForOp) -> bool:
    """Make one loop of the loops of a perfect nest, or of parts of it. Whether anything was."""
    nest = perfect_nest(loop)
    above = [_known_above(nest, n) for n in range(len(nest))]
    chain = [0] * len(nest)
    for n in range(1, len(nest)):
        chain[n] = chain[n - 1] if _hands_on(nest[n - 1], nest[n]) else n
    done = False
    end = len(nest)
    while end > 1:
        start = next((s for s in range(end - 1) if max(above[s:end]) <= s and chain[end - 1] <= s), end - 1)
        if start < end - 1:
            done |= coalesce(nest[start:end])
            end = start
        else:
            end -= 1
    return done


def _known_above(nest: Sequence[scf.ForOp], position: int) -> int:
    bounds = list(nest[position].operands[:3])
    for outer in range(position):
        if not any(nest[outer].body.is_ancestor(value.owner) for value in bounds):
            return outer
    return position


def _hands_on(outer: scf.ForOp, inner: scf.ForOp) -> bool:
    """Whether the inner loop goes on with what the outer one carries."""
    end = cast(Operation, outer.body.block.last_op)
    carried = tuple(outer.body.block.args[1:])
    return tuple(inner.iter_args) == carried and tuple(end.operands) == tuple(inner.results)


def _integer(value: int, type: Attribute, build: Builder) -> SSAValue:
    return build.constant(IntegerAttr(value, cast(IntegerType, type)), type)


def _arith(kind: type[Operation], a: SSAValue, b: SSAValue, build: Builder) -> SSAValue:
    properties = {"overflowFlags": _NONE} if kind in (arith.AddiOp, arith.SubiOp, arith.MuliOp) else {}
    return build.add(kind.create(operands=[a, b], result_types=[a.type], properties=properties)).results[0]


def _normalize(loop: scf.ForOp, before: Builder, inside: Builder) -> None:
    """Let a loop count from 0 by 1; its variable is computed where `inside` stands."""
    lower, upper, step = loop.operands[:3]
    variable = loop.body.block.args[0]
    first, width = number(lower), number(step)
    if isinstance(lower.type, IndexType):
        operands: list[Index] = [value if (known := number(value)) is None else known for value in (lower, upper, step)]
        extent = before.apply(ceildiv(add(symbol(1), negated(symbol(0))), symbol(2)), (), operands)
        size, zero, one = before.index(extent), before.index(0), before.index(1)
        if first != 0 or width != 1:
            new = inside.apply(add(mul(dim(0), symbol(1)), symbol(0)), [variable], [operands[0], operands[2]])
            _replace_but(variable, inside.index(new))
    else:
        type = lower.type
        size = upper if first == 0 else _arith(arith.SubiOp, upper, lower, before)
        size = size if width == 1 else _arith(arith.CeilDivSIOp, size, step, before)
        zero, one = (_integer(value, type, before) for value in (0, 1))
        scaled: SSAValue = variable if width == 1 else _arith(arith.MuliOp, variable, step, inside)
        _replace_but(variable, scaled if first == 0 else _arith(arith.AddiOp, scaled, lower, inside))
    loop.operands[0], loop.operands[1], loop.operands[2] = zero, size, one


def _replace_but(variable: SSAValue, new: SSAValue) -> None:
    """Replace a variable, but not in what computes the new value from it."""
    if new is variable:
        return
    makers: set[Operation] = set()
    pending = [new]
    while pending:
        owner = pending.pop().owner
        if isinstance(owner, Operation) and owner not in makers and not owner.regions:
            makers.add(owner)
            pending += [value for value in owner.operands if value is not variable]
    for use in list(variable.uses):
        if use.operation not in makers:
            use.operation.operands[use.index] = new


def coalesce(nest: Sequence[scf.ForOp]) -> bool:
    """One loop over all points. Whether it could be: no step is 0."""
    if any(number(loop.step) == 0 for loop in nest):
        return False
    outer, inner = nest[0], nest[-1]
    before = Builder(outer)
    for loop in nest:
        _normalize(loop, before, Builder(InsertPoint.at_start(inner.body.block), loop))
    extents = [loop.ub for loop in nest]
    variable = outer.body.block.args[0]
    inside = Builder(InsertPoint.at_start(outer.body.block), outer)
    if isinstance(variable.type, IndexType):
        total: Index = 1
        for extent in extents:
            known = number(extent)
            total = before.apply(mul(symbol(0), symbol(1)), (), [total, extent if known is None else known])
        outer.operands[1] = before.index(total)
        split = inside.add(_delinearize(variable, extents))
        variables = list(split.results)
        made = {split}
    else:
        outer.operands[1] = _integer_product(extents, before)
        variables, made = _delinearized_integers(variable, extents, inside)
    for use in list(variable.uses):
        if use.operation not in made:
            use.operation.operands[use.index] = variables[0]
    for around, loop, new in zip(reversed(nest[:-1]), reversed(nest[1:]), reversed(variables[1:]), strict=True):
        _inline(around, loop, new)
    return True


def _delinearize(value: SSAValue, extents: Sequence[SSAValue]) -> Operation:
    numbers = [number(extent) for extent in extents]
    dynamic = [extent for extent, known in zip(extents, numbers, strict=True) if known is None]
    static = [DYNAMIC_INDEX if known is None else known for known in numbers]
    return affine.DelinearizeIndexOp.create(
        operands=[value, *dynamic],
        result_types=[INDEX] * len(extents),
        properties={"static_basis": DenseArrayBase.from_list(i64, static)},
    )


def _integer_product(extents: Sequence[SSAValue], build: Builder) -> SSAValue:
    factors = [extent for extent in extents if number(extent) != 1]
    if not factors:
        type = extents[0].type
        return _integer(1, type, build)
    total = factors[0]
    for factor in factors[1:]:
        total = _arith(arith.MuliOp, total, factor, build)
    return total


def _delinearized_integers(value: SSAValue, extents: Sequence[SSAValue], build: Builder) -> tuple[list[SSAValue], set[Operation]]:
    found: list[SSAValue] = []
    made: set[Operation] = set()
    rest = value
    for position in reversed(range(len(extents))):
        part = rest if position == 0 else _arith(arith.RemSIOp, rest, extents[position], build)
        found.append(part)
        if position:
            rest = _arith(arith.DivSIOp, rest, extents[position], build)
            made |= {cast(Operation, part.owner), cast(Operation, rest.owner)}
    return found[::-1], made


def _inline(outer: scf.ForOp, inner: scf.ForOp, variable: SSAValue) -> None:
    """The inner body takes the place of the inner loop, and goes on with what the outer loop carries."""
    end = cast(Operation, inner.body.block.last_op)
    arguments = [variable, *outer.body.block.args[1:]]
    block = inner.body.block
    results = [arguments[block.args.index(v)] if v in block.args else v for v in end.operands]  # pyright: ignore[reportArgumentType]
    end.detach()
    end.erase()
    Rewriter.inline_block(block, InsertPoint.before(inner), arguments)
    Rewriter.replace_op(inner, [], results)
