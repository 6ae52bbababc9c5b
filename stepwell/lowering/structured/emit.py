"""How a kernel's `nn` ops become structured ops: the table of lowerings and the emitter that they write with.

In: the ops of a kernel at level 1, in order. Out: `linalg.generic` and `linalg.fill` on tensors; the value that the kernel returns is
made in its destination argument. A lowering is a function of the op and the `Emitter`; it stands in the file of the op's family and is
registered by class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    TensorType,
    f32,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap

from stepwell.dialects import arith, linalg, tensor
from stepwell.dialects.nn.base import Array, NnOp, is_float
from stepwell.ir.constants import dense, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.kernels import location_of
from stepwell.lowering.structured.scalars import INDEX, Scalars, signless, wide

Lowering = Callable[[Any, "Emitter"], None]
_F = TypeVar("_F", bound=Lowering)

LOWERINGS: dict[type[NnOp], Lowering] = {}
"""Every op class that a kernel may hold, with its lowering."""

DECOMPOSED_BEFORE: dict[str, str] = {
    "nn.lstm": "nn-decompose",
    "nn.attention": "nn-decompose",
    "nn.rotary_embedding": "nn-decompose",
    "nn.stop_gradient": "nn-decompose",
    "nn.recompute": "nn-form-kernels",
    "nn.reshape": "nn-form-kernels",
    "nn.concat": "nn-form-kernels",
}
"""Ops that no kernel holds, with the pass that removes them (or leaves them in @main as views)."""


def lowers(*classes: type[NnOp]) -> Callable[[_F], _F]:
    """Register the lowering of some op classes."""

    def register(function: _F) -> _F:
        for op_class in classes:
            LOWERINGS[op_class] = function
        return function

    return register


# ---- maps -----------------------------------------------------------------------------------------------------------------------

Expr = AffineExpr


def dims(count: int, start: int = 0) -> tuple[Expr, ...]:
    """Loops start, start + 1, ..."""
    return tuple(AffineExpr.dimension(i) for i in range(start, start + count))


def loop_of(expr: Expr) -> int:
    """Which loop a subscript that is a loop is."""
    return cast(AffineDimExpr, expr).position


def zero() -> Expr:
    """Subscript 0."""
    return AffineConstantExpr(0)


def broadcast_subscripts(shape: Sequence[int], out: Sequence[int], loops: Sequence[Expr]) -> list[Expr]:
    """How an operand that broadcasts to `out` is read: aligned at the last axis, at 0 where its extent is 1 and the result's is not."""
    offset = len(out) - len(shape)
    return [zero() if n == 1 and out[offset + d] != 1 else loops[offset + d] for d, n in enumerate(shape)]


Body = (
    Callable[[Scalars], SSAValue]
    | Callable[[Scalars, SSAValue], SSAValue]
    | Callable[[Scalars, SSAValue, SSAValue], SSAValue]
    | Callable[[Scalars, SSAValue, SSAValue, SSAValue], SSAValue]
    | Callable[[Scalars, SSAValue, SSAValue, SSAValue, SSAValue], SSAValue]
    | Callable[[Scalars, SSAValue, SSAValue, SSAValue, SSAValue, SSAValue], SSAValue]
    | Callable[[Scalars, SSAValue, SSAValue, SSAValue, SSAValue, SSAValue, SSAValue], SSAValue]
)
"""What a structured op computes: (scalars, elements...) -> element. Spelled out by arity so that lambdas are typed."""

Read = tuple[SSAValue, Sequence[Expr]]
"""An operand of a structured op and the subscripts at which it is read."""


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor value."""
    return cast(TensorType[Any], value.type).get_shape()


def element_of(value: SSAValue) -> Attribute:
    """The element type of a tensor value, the type of a scalar."""
    type = value.type
    return cast(TensorType[Any], type).element_type if isinstance(type, TensorType) else type


class Emitter:
    """Writes the new body of one kernel.

    `value(old)` is what stands for a value of level 1 now; `define(old, new)` says so. `destination(old)` is what the op that makes the
    value writes to: the kernel's argument if the value is returned, else a `tensor.empty`.
    """

    def __init__(self, block: Block, before: Operation, name: str, results: int) -> None:
        self.block = block
        self.name = name
        self.results = results
        self.tables: list[Array] = []
        self.table_arguments: list[SSAValue] = []
        self._before = before
        self._values: dict[SSAValue, SSAValue] = {}
        self._destinations: dict[SSAValue, SSAValue] = {}
        self._constants: dict[tuple[Any, Attribute], SSAValue] = {}
        self.location: Any = None

    # -- values of level 1

    def value(self, old: SSAValue) -> SSAValue:
        """What stands for a value of level 1."""
        return self._values.get(old, old)

    def values(self, op: Operation) -> list[SSAValue]:
        """What stands for the operands of an op."""
        return [self._values.get(o, o) for o in op.operands]

    def define(self, old: SSAValue, new: SSAValue) -> None:
        """`new` stands for `old` from now on."""
        self._values[old] = new
        if new.name_hint is None:
            new.name_hint = old.name_hint

    def returns(self, old: SSAValue, argument: SSAValue) -> None:
        """The kernel returns `old` in this destination argument."""
        self._destinations.setdefault(old, argument)

    def destination(self, old: SSAValue, shape: Sequence[int] | None = None) -> SSAValue:
        """Where a value of level 1 is made; `shape` if it is not the shape that its type says."""
        if old in self._destinations:
            return self._destinations[old]
        type = cast(TensorType[Any], old.type)
        return self.empty(type.get_shape() if shape is None else shape, signless(type.element_type))

    def has_destination(self, old: SSAValue) -> bool:
        """Whether a value is one that the kernel returns."""
        return old in self._destinations

    # -- ops outside bodies

    def insert(self, op: Operation) -> SSAValue:
        """Insert an op at the end of what has been written."""
        if self.location is not None:
            op.location = self.location
        self.block.insert_op_before(op, self._before)
        return op.results[0]

    def constant(self, value: float, type: Attribute) -> SSAValue:
        """A scalar constant, made once."""
        key = (repr(value), type)
        if key not in self._constants:
            scratch = Scalars(Block())
            op = scratch.constant(value, type).owner
            assert isinstance(op, Operation)
            op.detach()
            self._constants[key] = self.insert(op)
        return self._constants[key]

    def empty(self, shape: Sequence[int], element: Attribute) -> SSAValue:
        """`tensor.empty`."""
        return self.insert(tensor.EmptyOp.create(result_types=(tensor_type(tuple(shape), element),)))

    def window(self, extents: Sequence[int]) -> SSAValue:
        """A tensor whose elements nobody reads: it gives loops over a window their extents."""
        return self.empty(extents, f32)

    def filled(self, value: float, out: SSAValue) -> SSAValue:
        """`linalg.fill` of a destination."""
        scalar = self.constant(value, element_of(out))
        body = Block(arg_types=(scalar.type, scalar.type))
        body.add_op(linalg.YieldOp.create(operands=(body.args[0],)))
        return self.insert(
            linalg.FillOp.create(
                operands=(scalar, out),
                result_types=(out.type,),
                properties={"operandSegmentSizes": _segments(1, 1)},
                regions=(Region(body),),
            )
        )

    def dim(self, value: SSAValue, axis: int) -> SSAValue:
        """`tensor.dim`: the extent, which may become dynamic later."""
        return self.insert(tensor.DimOp.create(operands=(value, self.constant(axis, INDEX)), result_types=(INDEX,)))

    def last(self, value: SSAValue, axis: int) -> SSAValue:
        """The last position on an axis."""
        one = self.constant(1, INDEX)
        return self.insert(arith.SubiOp.create(operands=(self.dim(value, axis), one), result_types=(INDEX,)))

    def count(self, value: SSAValue, axes: Sequence[int], element: Attribute, factor: int = 1) -> SSAValue:
        """The product of extents (and a number known now) as a scalar of an element type."""
        product = self.constant(factor, INDEX) if factor != 1 or not axes else None
        for axis in axes:
            extent = self.dim(value, axis)
            product = extent if product is None else self.insert(arith.MuliOp.create(operands=(product, extent), result_types=(INDEX,)))
        assert product is not None
        number = self.insert(arith.IndexCastOp.create(operands=(product,), result_types=(i64,)))
        if is_float(element):
            return self.insert(arith.SIToFPOp.create(operands=(number,), result_types=(element,)))
        if element == i64:
            return number
        return self.insert(arith.TruncIOp.create(operands=(number,), result_types=(element,)))

    def table(self, array: Array) -> SSAValue:
        """A constant table, as one more argument of the kernel."""
        type = tensor_type(tuple(array.shape), dense(array).type.element_type)
        argument = self.block.insert_arg(type, len(self.block.args) - self.results)
        argument.name_hint = "table"
        self.tables.append(array)
        self.table_arguments.append(argument)
        return argument

    # -- structured ops

    def generic(
        self,
        reads: Sequence[Read],
        out: SSAValue,
        subscripts: Sequence[Expr],
        loops: int,
        body: Body,
        *,
        reductions: Sequence[int] = (),
        raw: bool = False,
    ) -> SSAValue:
        """One `linalg.generic` with one result.

        `body(scalars, *elements, accumulator)` gets the elements that `reads` names, f16 and bf16 widened, and what stands in `out`; it
        returns what to store. `loops` is the number of loops, `reductions` are those that reduce; `raw` elements are moved, not computed
        with, and not widened.
        """
        values = [v for v, _ in reads]
        block = Block(arg_types=[*(element_of(v) for v in values), element_of(out)])
        scalars = Scalars(block)
        elements = block.args[:-1] if raw else [scalars.widen(a) for a in block.args[:-1]]
        result = cast(Callable[..., SSAValue], body)(scalars, *elements, block.args[-1])
        block.add_op(linalg.YieldOp.create(operands=(scalars.narrow(result, element_of(out)),)))
        maps = [AffineMapAttr(AffineMap(loops, 0, tuple(s))) for s in (*(s for _, s in reads), subscripts)]
        return self.insert(
            linalg.GenericOp.create(
                operands=(*values, out),
                result_types=(out.type,),
                properties={
                    "indexing_maps": ArrayAttr(maps),
                    "iterator_types": ArrayAttr([linalg.REDUCTION if d in reductions else linalg.PARALLEL for d in range(loops)]),
                    "operandSegmentSizes": _segments(len(values), 1),
                },
                regions=(Region(block),),
            )
        )

    def pointwise(self, inputs: Sequence[SSAValue], out: SSAValue, body: Body, *, raw: bool = False) -> SSAValue:
        """A generic over the shape of `out`; inputs broadcast to it."""
        shape = shape_of(out)
        loops = dims(len(shape))
        reads = [(v, broadcast_subscripts(shape_of(v), shape, loops)) for v in inputs]
        return self.generic(reads, out, loops, len(shape), _without_last(body), raw=raw)

    def index(self, scalars: Scalars, loop: int) -> SSAValue:
        """`linalg.index` in a body."""
        return scalars.add(linalg.IndexOp.create(properties={"dim": IntegerAttr(loop, i64)}, result_types=(INDEX,)))

    def extract(self, scalars: Scalars, source: SSAValue, indices: Sequence[SSAValue], *, raw: bool = False) -> SSAValue:
        """`tensor.extract` in a body, widened unless `raw`."""
        value = scalars.add(tensor.ExtractOp.create(operands=(source, *indices), result_types=(element_of(source),)))
        return value if raw else scalars.widen(value)

    def accumulator(self, old: SSAValue, shape: Sequence[int] | None = None) -> SSAValue:
        """Where a reduction adds up: the destination itself, or f32 beside it where the element type is a half."""
        element = signless(cast(TensorType[Any], old.type).element_type)
        if wide(element) == element:
            return self.destination(old, shape)
        return self.empty(cast(TensorType[Any], old.type).get_shape() if shape is None else shape, wide(element))

    def settle(self, old: SSAValue, value: SSAValue) -> None:
        """`value` stands for `old`: rounded and stored where it belongs, if it is not there already."""
        element = signless(cast(TensorType[Any], old.type).element_type)
        if element_of(value) != element:
            value = self.pointwise([value], self.destination(old, shape_of(value)), lambda s, x: x)
        self.define(old, value)

    def update(self, old: SSAValue, value: SSAValue, reads: Sequence[Read], body: Body) -> SSAValue:
        """`value` changed where it stands: body(scalars, *elements of reads, element). Subscripts count the axes of `value`.

        Where `old` has halves for elements, the result goes to its destination instead, rounded.
        """
        shape = shape_of(value)
        loops = dims(len(shape))
        element = signless(cast(TensorType[Any], old.type).element_type)
        if element_of(value) == element:
            return self.generic(reads, value, loops, len(shape), body)
        return self.generic([*reads, (value, loops)], self.destination(old, shape), loops, len(shape), _without_last(body))

    def unsupported(self, op: NnOp, what: str, hint: str | None = None) -> CompileError:
        """An error that says where it happened."""
        return CompileError(f"@{self.name}: {op.name}: {what}", location=location_of(op), hint=hint)


def _without_last(body: Body) -> Body:
    """The body that is not shown what stands in the destination."""
    function = cast(Callable[..., SSAValue], body)

    def without(s: Scalars, *elements: SSAValue) -> SSAValue:
        return function(s, *elements[:-1])

    return without


@cache
def _segments(inputs: int, outputs: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, [inputs, outputs])
