"""Structured ops become loops.

In: kernels of `linalg` ops on memrefs, each with `loops` and `stage` (from `bufferize-kernels`). Out: one perfect nest of `affine.for`
per op, from 0 to its extent, in the order of its loops; indexing maps stay maps, on `affine.load` and `affine.store`; scalar constants
stand once, at the top of the kernel.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, IntegerAttr, MemRefType, StringAttr, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import Rewriter

from stepwell.dialects import affine, arith, linalg, memref
from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.kernels import (
    INDEX,
    erase_dead,
    insert_before,
    iterators_of,
    kernels,
    location_of,
    loop_names,
    maps_of,
    name_of,
    structured_ops,
)

_ZERO = AffineMapAttr(AffineMap.constant_map(0))
_SYMBOL = AffineMapAttr(AffineMap(0, 1, (AffineExpr.symbol(0),)))
_STEP = IntegerAttr(1, INDEX)


@dataclass(frozen=True)
class ConvertLinalgToAffine(Pass):
    """Make loop nests of structured ops.

    ```mlir
    linalg.generic {indexing_maps = [(m, n) -> (m, n), (m, n) -> (n), (m, n) -> (m, n)], iterator_types = ["parallel", "parallel"]}
        ins(%x, %b : ...) outs(%y : ...) attrs = {loops = ["m", "n"], stage = "add"} { addf }
    ```
    becomes
    ```mlir
    affine.for %m = 0 to %M {
      affine.for %n = 0 to %N {
        %0 = affine.load %x[%m, %n] : ...
        %1 = affine.load %b[%n] : ...
        %2 = arith.addf %0, %1 : f32
        affine.store %2, %y[%m, %n] : ...
      } {loop = "n", iterator = "parallel", stage = "add"}
    } {loop = "m", iterator = "parallel", stage = "add"}
    ```
    """

    name: ClassVar[str] = "convert-linalg-to-affine"

    def run(self, op: Operation, ctx: Context) -> None:
        for kernel in kernels(op):
            ops = structured_ops(kernel)
            if ops:
                _Converter(kernel).convert(ops)


class _Converter:
    def __init__(self, kernel: func.FuncOp) -> None:
        self._kernel = kernel
        self._constants: dict[Hashable, SSAValue] = {}
        for op in reversed(list(kernel.body.block.ops)):
            if isinstance(op, arith.ConstantOp):
                op.result.replace_all_uses_with(self._constant(op))
        self._extents = _loop_extents(kernel)

    def convert(self, ops: Sequence[LinalgStructuredOperation]) -> None:
        for op in ops:
            if op.results:
                raise CompileError(
                    f"@{name_of(self._kernel)}: '{op.name}' stands on tensors", location=location_of(op), hint="run bufferize-kernels"
                )
            self._convert(op)
        erase_dead(self._kernel.body.block, (memref.AllocaOp,))
        erase_dead(self._kernel.body.block, (memref.DimOp, arith.ConstantOp))

    # -- one op

    def _convert(self, op: LinalgStructuredOperation) -> None:
        names = loop_names(op) or [f"d{d}" for d in range(len(iterators_of(op)))]
        stage = op.attributes.get("stage")
        loops: list[affine.ForOp] = []
        for d, (name, iterator) in enumerate(zip(names, iterators_of(op), strict=True)):
            attributes: dict[str, Attribute] = {"loop": StringAttr(name), "iterator": StringAttr(iterator)}
            if stage is not None:
                attributes["stage"] = stage
            loop = _loop(self._bound(op, d), attributes)
            loop.body.block.args[0].name_hint = name
            if loops:
                loops[-1].body.block.insert_op_before(loop, cast(Operation, loops[-1].body.block.last_op))
            loops.append(loop)
        ivs = [loop.body.block.args[0] for loop in loops]
        outermost: Sequence[Operation] = loops[:1]
        insert_before(op, *outermost)
        # An op without loops (rank 0) leaves its statements where it stands.
        self._fill_body(op, ivs, cast(Operation, loops[-1].body.block.last_op) if loops else op)
        Rewriter.erase_op(op)

    def _bound(self, op: LinalgStructuredOperation, loop: int) -> tuple[AffineMapAttr, Sequence[SSAValue]]:
        """The upper bound of a loop: a number or an extent argument."""
        for operand, map in zip(op.operands, maps_of(op), strict=True):
            for i, expr in enumerate(map.results):
                if isinstance(expr, AffineDimExpr) and expr.position == loop:
                    extent = cast(MemRefType[Any], operand.type).get_shape()[i]
                    if extent != DYNAMIC:
                        return AffineMapAttr(AffineMap.constant_map(extent)), ()
        name = (loop_names(op) or [])[loop : loop + 1]
        if not name or name[0] not in self._extents:
            raise CompileError(
                f"@{name_of(self._kernel)}: loop {loop} of '{op.name}' has no extent argument",
                location=location_of(op),
                hint="run bufferize-kernels",
            )
        return _SYMBOL, (self._extents[name[0]],)

    def _fill_body(self, op: LinalgStructuredOperation, ivs: Sequence[SSAValue], before: Operation) -> None:
        body = op.regions[0].block
        for arg, operand, map in zip(list(body.args), op.operands, maps_of(op), strict=True):
            if not arg.uses:
                continue
            value, type = operand, operand.type
            if isinstance(type, MemRefType):
                access, indices = _access(map, ivs)
                load = affine.LoadOp.create(
                    operands=[operand, *indices],
                    properties={"map": access},
                    result_types=[cast(MemRefType[Any], type).element_type],
                )
                insert_before(before, load)
                value = load.results[0]
            arg.replace_all_uses_with(value)
        for inner in list(body.ops):
            if isinstance(inner, linalg.YieldOp):
                for value, operand, map in zip(inner.operands, op.outputs, maps_of(op)[len(op.inputs) :], strict=True):
                    access, indices = _access(map, ivs)
                    insert_before(before, affine.StoreOp.create(operands=[value, operand, *indices], properties={"map": access}))
                Rewriter.erase_op(inner)
            elif isinstance(inner, linalg.IndexOp):
                inner.result.replace_all_uses_with(ivs[inner.dim.value.data])
                Rewriter.erase_op(inner)
            elif isinstance(inner, arith.ConstantOp):
                inner.results[0].replace_all_uses_with(self._constant(inner))
                Rewriter.erase_op(inner)
            else:
                inner.detach()
                insert_before(before, inner)

    def _constant(self, op: arith.ConstantOp) -> SSAValue:
        """The same constant at the top of the kernel."""
        key = cast(Hashable, op.value)
        if key not in self._constants:
            top = op.clone()
            insert_before(cast(Operation, self._kernel.body.block.first_op), top)
            self._constants[key] = top.results[0]
        return self._constants[key]


def _loop_extents(kernel: func.FuncOp) -> dict[str, SSAValue]:
    """The extent argument of each loop name."""
    names = kernel.attributes.get("extents")
    grain = kernel.attributes.get("grain")
    if not isinstance(names, ArrayAttr) or not isinstance(grain, IntegerAttr):
        what = f"kernel @{name_of(kernel)} has no 'extents' and 'grain'"
        raise CompileError(what, location=location_of(kernel), hint="run bufferize-kernels")
    args, loops = kernel.body.block.args, cast(ArrayAttr[StringAttr], names)
    start = cast(IntegerAttr[Any], grain).value.data - len(loops)
    return {name.data: args[start + i] for i, name in enumerate(loops)}


def _loop(bound: tuple[AffineMapAttr, Sequence[SSAValue]], attributes: dict[str, Attribute]) -> affine.ForOp:
    """An empty loop from 0 to a bound."""
    map, operands = bound
    body = Block(arg_types=[INDEX])
    body.add_op(affine.YieldOp.create())
    return affine.ForOp.create(
        operands=operands,
        properties={
            "lowerBoundMap": _ZERO,
            "upperBoundMap": map,
            "step": _STEP,
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [0, len(operands), 0]),
        },
        attributes=attributes,
        regions=[Region(body)],
    )


def _access(map: AffineMap, ivs: Sequence[SSAValue]) -> tuple[AffineMapAttr, list[SSAValue]]:
    """A map over the loop variables that it uses, in order of appearance, as `affine.load` wants it."""
    used: dict[int, int] = {}
    for result in map.results:
        for expr in result.dfs():
            if isinstance(expr, AffineDimExpr):
                used.setdefault(expr.position, len(used))
    dims = [AffineExpr.dimension(used.get(d, 0)) for d in range(map.num_dims)]
    access = AffineMap(len(used), 0, tuple(e.replace_dims_and_symbols(dims, ()) for e in map.results))
    return AffineMapAttr(access), [ivs[d] for d in used]
