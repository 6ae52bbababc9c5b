"""`convert-linalg-to-loops`, `-affine-loops`, `-parallel-loops`: structured ops on memrefs in, loops with loads and stores out.

These are upstream's passes for any program; kernels of models go through `convert-linalg-to-affine`, which also keeps what schedules need.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, DenseArrayBase, IndexType, IntegerAttr, MemRefType, TensorType, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith, linalg, memref, scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.linalg.verify import shape_of, sources_of_loops
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily

STRUCTURED = (linalg.LinalgStructuredOperation, linalg.WholeDims)
_ZERO = AffineMapAttr(AffineMap.constant_map(0))
_SYMBOL = AffineMapAttr(AffineMap(0, 1, (AffineExpr.symbol(0),)))
_ONE = IntegerAttr(1, IndexType())


class Nest:
    """Builds the loops of one op; subclasses say of which kind. `self.at` is where the next op goes."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.at = InsertPoint.before(op)
        self.maps: list[AffineMap] = [attribute.data for attribute in op.get_indexing_maps()]

    def add(self, op: Operation) -> Sequence[SSAValue]:
        """Insert at the point."""
        op.location = self.op.location
        Rewriter.insert_op(op, self.at)
        return op.results

    def constant(self, value: int) -> SSAValue:
        """An index."""
        return self.add(arith.ConstantOp(IntegerAttr(value, INDEX)))[0]

    def build(self) -> None:
        """Replace the op."""
        op = self.op
        extents = self._extents()
        kinds = [iterator.data.value for iterator in op.get_iterator_types()]
        ivs = self.loops(extents, kinds)
        self._fill(ivs)
        Rewriter.erase_op(op)

    def _extents(self) -> list[int | SSAValue]:
        """The extent of each loop, from the first operand that has the loop as a subscript."""
        sources = sources_of_loops(self.maps)
        extents: list[int | SSAValue] = [0] * len(sources)
        for loop, (operand, dim) in sorted(sources.items(), key=lambda item: item[1]):  # in upstream's order
            value = self.op.operands[operand]
            size = shape_of(value)[dim]
            if size == DYNAMIC_INDEX:
                position = self.constant(dim)
                extents[loop] = self.add(memref.DimOp.create(operands=[value, position], result_types=[INDEX]))[0]
            else:
                extents[loop] = size
        return extents

    def loops(self, extents: Sequence[int | SSAValue], kinds: Sequence[str]) -> list[SSAValue]:
        """Loops around the point, which moves inside; the variables of all of them."""
        raise NotImplementedError

    def load(self, source: SSAValue, indices: Sequence[SSAValue]) -> SSAValue:
        type = cast("MemRefType[Any]", source.type)
        return self.add(memref.LoadOp.create(operands=[source, *indices], result_types=[type.element_type]))[0]

    def store(self, value: SSAValue, dest: SSAValue, indices: Sequence[SSAValue]) -> None:
        self.add(memref.StoreOp.create(operands=[value, dest, *indices]))

    def _subscripts(self, map: AffineMap, ivs: Sequence[SSAValue]) -> list[SSAValue]:
        return [self._subscript(expr, ivs) for expr in map.results]

    def _subscript(self, expr: AffineExpr, ivs: Sequence[SSAValue]) -> SSAValue:
        if isinstance(expr, AffineDimExpr):
            return ivs[expr.position]
        if isinstance(expr, AffineConstantExpr):
            return self.constant(expr.value)
        used = sorted(expr.used_dims())
        dims = [AffineExpr.dimension(used.index(dim) if dim in used else 0) for dim in range(len(ivs))]
        map = AffineMap(len(used), 0, (expr.replace_dims_and_symbols(dims, ()),))
        return self.add(affine.ApplyOp([ivs[dim] for dim in used], AffineMapAttr(map)))[0]

    def _fill(self, ivs: Sequence[SSAValue]) -> None:
        """The body at the point: loads of what it reads, its ops, stores of what it yields."""
        op = self.op
        body: Block = op.regions[0].block
        for argument, value, map in zip(list(body.args), op.operands, self.maps, strict=True):
            if argument.uses:
                if isinstance(value.type, MemRefType):
                    value = self.load(value, self._subscripts(map, ivs))
                argument.replace_all_uses_with(value)
        for inner in list(body.walk()):
            if isinstance(inner, linalg.IndexOp) and inner.parent_op() is op:
                inner.result.replace_all_uses_with(ivs[inner.dim.value.data])
                Rewriter.erase_op(inner)
        last = cast(Operation, body.last_op)
        yielded = list(last.operands)
        Rewriter.erase_op(last)
        for inner in list(body.ops):
            inner.detach()
            Rewriter.insert_op(inner, self.at)
        for value, dest, map in zip(yielded, op.outputs, self.maps[len(op.inputs) :], strict=True):
            self.store(value, dest, self._subscripts(map, ivs))


class ScfNest(Nest):
    """Nested `scf.for`."""

    def loops(self, extents: Sequence[int | SSAValue], kinds: Sequence[str]) -> list[SSAValue]:
        bounds = self._bounds(extents)
        return [self._for(*bound) for bound in bounds]

    def _bounds(self, extents: Sequence[int | SSAValue]) -> list[tuple[SSAValue, SSAValue, SSAValue]]:
        """Start, end and step of each loop."""
        if not extents:
            return []
        zero, one = self.constant(0), self.constant(1)
        return [(zero, self.constant(extent) if isinstance(extent, int) else extent, one) for extent in extents]

    def _for(self, start: SSAValue, end: SSAValue, step: SSAValue) -> SSAValue:
        body = Block([scf.YieldOp()], arg_types=[INDEX])
        self.add(scf.ForOp(start, end, step, [], body))
        self.at = InsertPoint.before(cast(Operation, body.last_op))
        return body.args[0]


class ParallelNest(ScfNest):
    """Neighbouring parallel loops become one `scf.parallel`."""

    def loops(self, extents: Sequence[int | SSAValue], kinds: Sequence[str]) -> list[SSAValue]:
        bounds = self._bounds(extents)
        ivs: list[SSAValue] = []
        while len(ivs) < len(bounds):
            first = last = len(ivs)
            while last < len(bounds) and kinds[last] == "parallel":
                last += 1
            if last == first:
                ivs.append(self._for(*bounds[first]))
            else:
                ivs += self._parallel(bounds[first:last])
        return ivs

    def _parallel(self, bounds: Sequence[tuple[SSAValue, SSAValue, SSAValue]]) -> Sequence[SSAValue]:
        body = Block([scf.ReduceOp()], arg_types=[INDEX] * len(bounds))
        starts, ends, steps = zip(*bounds, strict=True)
        self.add(scf.ParallelOp(starts, ends, steps, Region(body)))
        self.at = InsertPoint.before(cast(Operation, body.last_op))
        return body.args


class AffineNest(Nest):
    """Nested `affine.for`, with affine loads and stores."""

    def loops(self, extents: Sequence[int | SSAValue], kinds: Sequence[str]) -> list[SSAValue]:
        return [self._loop(extent) for extent in extents]

    def _loop(self, extent: int | SSAValue) -> SSAValue:
        body = Block([affine.YieldOp.create()], arg_types=[INDEX])
        operands = [] if isinstance(extent, int) else [extent]
        bound = AffineMapAttr(AffineMap.constant_map(extent)) if isinstance(extent, int) else _SYMBOL
        properties: dict[str, Attribute] = {"lowerBoundMap": _ZERO, "upperBoundMap": bound, "step": _ONE}
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [0, len(operands), 0])
        self.add(affine.ForOp.create(operands=operands, properties=properties, regions=[Region(body)]))
        self.at = InsertPoint.before(cast(Operation, body.last_op))
        return body.args[0]

    def load(self, source: SSAValue, indices: Sequence[SSAValue]) -> SSAValue:
        type = cast("MemRefType[Any]", source.type)
        access = AffineMapAttr(AffineMap.identity(len(indices)))
        return self.add(affine.LoadOp.create(operands=[source, *indices], properties={"map": access}, result_types=[type.element_type]))[0]

    def store(self, value: SSAValue, dest: SSAValue, indices: Sequence[SSAValue]) -> None:
        access = AffineMapAttr(AffineMap.identity(len(indices)))
        self.add(affine.StoreOp.create(operands=[value, dest, *indices], properties={"map": access}))


def _convert(root: Operation, nest: Callable[[Any], Nest]) -> None:
    for op in list(root.walk()):
        if isinstance(op, STRUCTURED) and not any(isinstance(value.type, TensorType) for value in op.operands):
            nest(op).build()
    rewrite_greedily(root, [], how=Greediness(unique_constants=True))  # extents that are known, constants that are equal


@dataclass(frozen=True)
class ConvertLinalgToLoops(Pass):
    """Structured ops on memrefs become loops.

    before:  linalg.fill ins(%x : f32) outs(%m : memref<8xf32>)
    after:   scf.for %i = %c0 to %c8 step %c1 { memref.store %x, %m[%i] : memref<8xf32> }
    """

    name: ClassVar[str] = "convert-linalg-to-loops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        _convert(op, ScfNest)


@dataclass(frozen=True)
class ConvertLinalgToAffineLoops(Pass):
    """Structured ops on memrefs become affine loops.

    before:  linalg.fill ins(%x : f32) outs(%m : memref<8xf32>)
    after:   affine.for %i = 0 to 8 { affine.store %x, %m[%i] : memref<8xf32> }
    """

    name: ClassVar[str] = "convert-linalg-to-affine-loops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        _convert(op, AffineNest)


@dataclass(frozen=True)
class ConvertLinalgToParallelLoops(Pass):
    """Structured ops on memrefs become loops, parallel where the op's are.

    before:  linalg.fill ins(%x : f32) outs(%m : memref<8xf32>)
    after:   scf.parallel (%i) = (%c0) to (%c8) step (%c1) { memref.store %x, %m[%i] : memref<8xf32> }
    """

    name: ClassVar[str] = "convert-linalg-to-parallel-loops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        _convert(op, ParallelNest)
