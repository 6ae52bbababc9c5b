"""The pass `unroll-loops`: executes the unroll marks on `scf.for`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, IntegerAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import affine, arith, scf
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.lowering.schedule.index import Index, indices_of, map_of, minimum, quotient
from stepwell.lowering.vectors.writer import INDEX, index_attr


@dataclass(frozen=True)
class UnrollLoops(Pass):
    """Write the body of a marked loop several times.

    before:
    ```mlir
    %r = scf.for %k = %c0 to %K step %c1 iter_args(%a = %init) -> (f32) {
      %v = memref.load %x[%k] : memref<?xf32>
      %s = arith.addf %a, %v : f32
      scf.yield %s : f32
    } {unroll = 2 : index}
    ```
    after:
    ```mlir
    %main = affine.apply affine_map<(d0) -> ((d0 floordiv 2) * 2)>(%K)
    %q = scf.for %k = %c0 to %main step %c2 iter_args(%a = %init) -> (f32) {
      %v = memref.load %x[%k] : memref<?xf32>
      %s = arith.addf %a, %v : f32
      %k1 = affine.apply affine_map<(d0) -> (d0 + 1)>(%k)
      %v1 = memref.load %x[%k1] : memref<?xf32>
      %s1 = arith.addf %s, %v1 : f32
      scf.yield %s1 : f32
    }
    %r = scf.for %k = %main to %K step %c1 iter_args(%a = %q) -> (f32) { ... the body once ... }
    ```
    `unroll = "full"` leaves no loop and needs constant bounds. A loop whose trip count is a constant multiple of the factor has no
    remainder.
    """

    name: ClassVar[str] = "unroll-loops"

    def run(self, op: Operation, ctx: Context) -> None:
        for func in op.walk():
            if isinstance(func, FuncOp) and func.body.blocks:
                marked = [loop for loop in func.body.walk() if isinstance(loop, scf.ForOp) and "unroll" in loop.attributes]
                # Innermost first: an outer loop then repeats what its inner loops have become.
                for loop in reversed(marked):
                    _unroll(func, loop)


def _unroll(func: FuncOp, loop: scf.ForOp) -> None:
    mark = loop.attributes.pop("unroll")
    lower, upper, step = _constant(loop.lb), _constant(loop.ub), _constant(loop.step)
    if step is None:
        raise CompileError(f"kernel @{func.sym_name.data}: a loop to unroll has a step that is not constant", location=place(loop))
    trips = None if lower is None or upper is None else max(0, -(-(upper - lower) // step))
    unroller = _Unroller(func, loop)
    if mark == StringAttr("full"):
        if trips is None or lower is None:
            raise CompileError(
                f"kernel @{func.sym_name.data}: a loop to unroll fully has bounds that are not constant", location=place(loop)
            )
        unroller.fully(lower, step, trips)
        return
    assert isinstance(mark, IntegerAttr)
    factor: int = mark.value.data
    if factor <= 1:
        return
    if trips is not None and lower is not None and trips <= factor:
        unroller.fully(lower, step, trips)
    else:
        unroller.by(factor, step, trips)


def _constant(value: SSAValue) -> int | None:
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return owner.value.value.data
    return None


class _Unroller:
    """Repeats the body of one loop. Index arithmetic of the copies is composed: `k + 8` in the second copy is one map, `k + 9`."""

    def __init__(self, func: FuncOp, loop: scf.ForOp) -> None:
        self.loop = loop
        self.entry = func.body.block
        self.body = loop.body.block
        self.variable, *self.carried = self.body.args
        *self.ops, self.last = self.body.ops

    def fully(self, lower: int, step: int, trips: int) -> None:
        """The copies take the loop's place."""
        block = self.loop.parent
        assert block is not None
        values: Sequence[SSAValue] = tuple(self.loop.iter_args)
        for trip in range(trips):
            ops, values = self._copy(Index({}, lower + trip * step), values)
            block.insert_ops_before(ops, self.loop)
        for result, value in zip(self.loop.results, values, strict=True):
            result.replace_all_uses_with(value)
        self.loop.detach()
        self.loop.erase(safe_erase=False)

    def by(self, factor: int, step: int, trips: int | None) -> None:
        """A loop over whole groups of copies, and the old loop for what is left."""
        loop, block = self.loop, self.loop.parent
        assert block is not None
        lower, upper = loop.lb, loop.ub
        group = factor * step
        exact = trips is not None and trips % factor == 0
        main = upper
        if not exact:
            start = Index.of(_constant(lower) if _constant(lower) is not None else lower)  # pyright: ignore
            end = Index.of(_constant(upper) if _constant(upper) is not None else upper)  # pyright: ignore
            # A step that does not divide the range leaves a started iteration: it belongs to the remainder.
            middle = start + quotient(end - start, group) * group
            main = self._index(middle, before=loop)

        new = Block(arg_types=self.body.arg_types)
        variable, *carried = new.args
        for old, arg in zip(self.body.args, new.args, strict=True):
            arg.name_hint = old.name_hint
        values: Sequence[SSAValue] = carried
        for number in range(factor):
            ops, values = self._copy(Index({variable: 1}, number * step), values)
            new.add_ops(ops)
        new.add_op(scf.YieldOp.create(operands=values))
        unrolled = scf.ForOp.create(
            operands=[lower, main, self.constant_index(group), *loop.iter_args],
            result_types=loop.result_types,
            attributes=loop.attributes,
            regions=[Region(new)],
        )
        block.insert_op_before(unrolled, loop)
        for old, result in zip(loop.results, unrolled.results, strict=True):
            result.name_hint = old.name_hint
        if exact:
            for old, result in zip(loop.results, unrolled.results, strict=True):
                old.replace_all_uses_with(result)
            loop.detach()
            loop.erase(safe_erase=False)
        else:
            loop.operands = [main, upper, loop.step, *unrolled.results]

    # -- copies

    def _copy(self, at: Index, values: Sequence[SSAValue]) -> tuple[list[Operation], Sequence[SSAValue]]:
        """The body with its variable replaced by a sum; the values that it yields."""
        copier = _Copier(self, {self.variable: at}, dict(zip(self.carried, values, strict=True)))
        for op in self.ops:
            copier.copy(op)
        return copier.out, [copier.value(v) for v in self.last.operands]

    def _index(self, index: Index, before: Operation) -> SSAValue:
        if index.is_constant:
            return self.constant_index(index.constant)
        if (value := index.as_value) is not None:
            return value
        map, operands = map_of([index])
        op = affine.ApplyOp.create(operands=operands, result_types=[INDEX], properties={"map": map})
        block = before.parent
        assert block is not None
        block.insert_op_before(op, before)
        return op.results[0]

    def constant_index(self, value: int) -> SSAValue:
        """An index constant at the start of the function, found or made."""
        for op in self.entry.ops:
            if isinstance(op, arith.ConstantOp) and op.value == index_attr(value):
                return op.results[0]
        op = arith.ConstantOp.create(result_types=[INDEX], properties={"value": index_attr(value)})
        op.results[0].name_hint = f"c{value}" if value >= 0 else None
        first = self.entry.first_op
        assert first is not None
        self.entry.insert_op_before(op, first)
        return op.results[0]


class _Copier:
    """One copy of a body. Index values are sums; they become operations where something else than index arithmetic uses them."""

    def __init__(self, unroller: _Unroller, indices: dict[SSAValue, Index], values: dict[SSAValue, SSAValue]) -> None:
        self.unroller = unroller
        self.indices = indices
        self.values = values
        self.written: dict[Index, SSAValue] = {}
        self.out: list[Operation] = []

    def value(self, old: SSAValue) -> SSAValue:
        if (new := self.values.get(old)) is not None:
            return new
        if (index := self.indices.get(old)) is None:
            return old
        if index.is_constant:
            return self.unroller.constant_index(index.constant)
        if (value := index.as_value) is not None:
            return value
        if (value := self.written.get(index)) is None:
            value = self._emit_affine(affine.ApplyOp, [index])
            self.written[index] = value
        return value

    def _emit_affine(self, kind: type[Operation], indices: list[Index]) -> SSAValue:
        map, operands = map_of(indices)
        op = kind.create(operands=operands, result_types=[INDEX], properties={"map": map})
        self.out.append(op)
        return op.results[0]

    def _sum(self, old: SSAValue) -> Index:
        if (index := self.indices.get(old)) is not None:
            return index
        new = self.values.get(old, old)
        constant = _constant(new) if isinstance(new.type, IndexType) else None
        return Index.of(new) if constant is None else Index({}, constant)

    def copy(self, op: Operation) -> None:
        if isinstance(op, affine.ApplyOp | affine.MinOp | affine.MaxOp):
            sums = indices_of(op.map.data, tuple(op.operands))
            sums = [s.replace({v: self._sum(v) for v in s.values()}) for s in sums]
            if isinstance(op, affine.ApplyOp):
                self.indices[op.results[0]] = sums[0]
            else:
                kept = minimum(sums) if isinstance(op, affine.MinOp) else sums
                self.indices[op.results[0]] = kept[0] if len(kept) == 1 else Index.of(self._emit_affine(type(op), kept))
            return
        operands = [self.value(operand) for operand in op.operands]
        regions = [self._region(region) for region in op.regions]
        attributes: dict[str, Attribute] = dict(op.attributes)
        new = type(op).create(
            operands=operands,
            result_types=op.result_types,
            properties=op.properties,
            attributes=attributes,
            location=op.location,
            regions=regions,
        )
        for old, result in zip(op.results, new.results, strict=True):
            result.name_hint = old.name_hint
            self.values[old] = result
        self.out.append(new)

    def _region(self, region: Region) -> Region:
        if not region.blocks:
            return Region()
        old = region.block
        block = Block(arg_types=old.arg_types)
        for arg, new in zip(old.args, block.args, strict=True):
            new.name_hint = arg.name_hint
            self.values[arg] = new
        # Sums that are written inside the region may not be reused outside it.
        outside, written = self.out, self.written
        self.out, self.written = [], dict(written)
        for op in old.ops:
            self.copy(op)
        block.add_ops(self.out)
        self.out, self.written = outside, written
        return Region(block)
