"""Where derivative rules write their ops: behind a given operation, in the order of the calls, with types inferred and broadcasts undone.

In: SSA values of static shapes. Out: `nn` ops in a block. An op carries the location of the op whose derivative it computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, Tensor
from stepwell.ir.constants import tensor_type
from stepwell.lowering.graph.patterns import Site
from stepwell.lowering.graph.values import element_of, shape_of


class Emitter(Site):
    """A place in a block that moves along: every op is inserted there, behind the one before."""

    def __init__(self, point: InsertPoint) -> None:  # no rewriter watches
        self._point = point
        self.emitted: list[Operation] = []
        self._numbers: dict[tuple[float, Attribute, Block], SSAValue] = {}
        self.location: LocationAttr | None = None
        """Given to everything that is inserted."""

    def go_to(self, point: InsertPoint) -> None:
        """Insert there from now on. Numbers made earlier are used again only in the same block."""
        self._point = point

    @property
    def point(self) -> InsertPoint:
        """Where the next op goes."""
        return self._point

    def insert(self, op: Operation) -> SSAValue:
        """Insert an operation; returns its first result."""
        if self.location is not None:
            op.location = self.location
        before = self._point.insert_before
        if before is None:
            self._point.block.add_op(op)
        else:
            self._point.block.insert_op_before(op, before)
        self.emitted.append(op)
        return op.results[0]

    def emitted_but(self, kept: Iterable[SSAValue | None]) -> list[Operation]:
        """What was inserted and is still there, without the ops that define these values."""
        owners = {value.owner for value in kept if value is not None}
        return [op for op in self.emitted if op.parent is not None and op not in owners]

    # ---- values ---------------------------------------------------------------------------------------------------------------------

    def number(self, value: float, element: Attribute) -> SSAValue:
        """A constant of rank 0, which broadcasts to everything; the same one for the same number."""
        key = (value, element, self._point.block)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self.splat(value, tensor_type((), element))
        return found

    def zeros(self, type: Tensor) -> SSAValue:
        """A tensor of zeros."""
        return self.splat(0, type)

    def add(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a + b."""
        return self.make(nn.AddOp, a, b)

    def sub(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a - b."""
        return self.make(nn.SubOp, a, b)

    def mul(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a b."""
        return self.make(nn.MulOp, a, b)

    def div(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a / b."""
        return self.make(nn.DivOp, a, b)

    def neg(self, a: SSAValue) -> SSAValue:
        """-a."""
        return self.make(nn.NegOp, a)

    def scale(self, a: SSAValue, factor: float) -> SSAValue:
        """A number times a."""
        return a if factor == 1 else self.mul(a, self.number(factor, element_of(a)))

    def shift(self, a: SSAValue, term: float) -> SSAValue:
        """a plus a number."""
        return a if term == 0 else self.add(a, self.number(term, element_of(a)))

    def minus_from(self, term: float, a: SSAValue) -> SSAValue:
        """A number minus a."""
        return self.sub(self.number(term, element_of(a)), a)

    def compare(self, kind: type[NnOp], a: SSAValue, number: float) -> SSAValue:
        """How a compares to a number."""
        return self.make(kind, a, self.number(number, element_of(a)))

    def select(self, condition: SSAValue, a: SSAValue | float, b: SSAValue | float, element: Attribute | None = None) -> SSAValue:
        """a where the condition holds, else b; either may be a number (both: of the given element type)."""
        known = next((element_of(v) for v in (a, b) if isinstance(v, SSAValue)), element)
        assert known is not None
        chosen = [v if isinstance(v, SSAValue) else self.number(v, known) for v in (a, b)]
        return self.make(nn.SelectOp, condition, *chosen)

    def as_number(self, condition: SSAValue, element: Attribute) -> SSAValue:
        """1 where the condition holds, else 0."""
        return self.insert(nn.CastOp.make_to(condition, element))

    def sum_of(self, *terms: SSAValue | None) -> SSAValue | None:
        """The sum of those that are there; None of none."""
        present = [t for t in terms if t is not None]
        if not present:
            return None
        total = present[0]
        for term in present[1:]:
            total = self.add(total, term)
        return total

    # ---- shapes ---------------------------------------------------------------------------------------------------------------------

    def reshape(self, x: SSAValue, shape: Sequence[int]) -> SSAValue:
        """x in another shape."""
        shape = tuple(shape)
        return x if shape_of(x) == shape else self.make(nn.ReshapeOp, x, result_type=tensor_type(shape, element_of(x)))

    def transpose(self, x: SSAValue, permutation: Sequence[int]) -> SSAValue:
        """x with permuted axes."""
        return x if list(permutation) == list(range(len(shape_of(x)))) else self.make(nn.TransposeOp, x, permutation=permutation)

    def broadcast(self, x: SSAValue, shape: Sequence[int]) -> SSAValue:
        """x repeated up to a shape."""
        shape = tuple(shape)
        return x if shape_of(x) == shape else self.make(nn.BroadcastToOp, x, result_type=tensor_type(shape, element_of(x)))

    def total(self, x: SSAValue, axes: Sequence[int], keepdims: bool = True) -> SSAValue:
        """The sum over axes."""
        return self.make(nn.ReduceSumOp, x, axes=list(axes), keepdims=keepdims) if axes else x

    def mean(self, x: SSAValue, axes: Sequence[int]) -> SSAValue:
        """The mean over axes, which stay with extent 1."""
        return self.make(nn.ReduceMeanOp, x, axes=list(axes), keepdims=True)

    def unbroadcast(self, x: SSAValue, shape: Sequence[int]) -> SSAValue:
        """The transpose of broadcasting from `shape`: summed over every axis that was repeated."""
        have, shape = shape_of(x), tuple(shape)
        if have == shape:
            return x
        extra = len(have) - len(shape)
        new = [d for d in range(len(have)) if d < extra]
        repeated = [d for d in range(extra, len(have)) if shape[d - extra] == 1 and have[d] != 1]
        summed = self.total(x, [*new, *repeated], keepdims=not new)
        return self.reshape(summed, shape)

    def part(self, x: SSAValue, axis: int, start: int, end: int, step: int = 1) -> SSAValue:
        """Elements of one axis, as `nn.slice` counts."""
        shape = shape_of(x)
        if (start, end, step) == (0, shape[axis], 1):
            return x
        starts, ends, steps = [0] * len(shape), list(shape), [1] * len(shape)
        starts[axis], ends[axis], steps[axis] = start, end, step
        return self.make(nn.SliceOp, x, starts=starts, ends=ends, steps=steps)

    def padded(self, x: SSAValue, low: Sequence[int], high: Sequence[int], value: float = 0.0) -> SSAValue:
        """x with a number around it."""
        return self.make(nn.PadOp, x, low=list(low), high=list(high), value=float(value)) if any((*low, *high)) else x

    def spread(self, x: SSAValue, starts: Sequence[int], steps: Sequence[int], shape: Sequence[int]) -> SSAValue:
        """The transpose of a strided slice: x at start, start + step, ... of every axis of zeros of this shape. Steps may be negative."""
        have, rank = shape_of(x), len(shape)
        if 0 in have:
            return self.zeros(tensor_type(tuple(shape), element_of(x)))
        flips = [d for d in range(rank) if steps[d] < 0 and have[d] > 1]
        if flips:
            x = self.make(
                nn.SliceOp,
                x,
                starts=[have[d] - 1 if d in flips else 0 for d in range(rank)],
                ends=[-1 if d in flips else have[d] for d in range(rank)],
                steps=[-1 if d in flips else 1 for d in range(rank)],
            )
        low = [starts[d] + (have[d] - 1) * steps[d] if d in flips else starts[d] for d in range(rank)]
        step = [abs(steps[d]) if have[d] > 1 else 1 for d in range(rank)]
        x = self._dilated(x, step)
        reach = shape_of(x)
        high = [shape[d] - low[d] - reach[d] for d in range(rank)]
        beyond = [max(0, -h) for h in high]  # zeros behind the last element that the dilation wrote and the shape lacks
        if any(beyond):
            ends = [r - b for r, b in zip(reach, beyond, strict=True)]
            x = self.make(nn.SliceOp, x, starts=[0] * rank, ends=ends)
        return self.padded(x, low, [max(0, h) for h in high])

    def _dilated(self, x: SSAValue, steps: Sequence[int]) -> SSAValue:
        """step - 1 zeros behind every element: a new axis behind each, padded, and folded in."""
        if all(s == 1 for s in steps):
            return x
        shape = shape_of(x)
        split: list[int] = []
        high: list[int] = []
        for extent, step in zip(shape, steps, strict=True):
            split += [extent, 1] if step != 1 else [extent]
            high += [0, step - 1] if step != 1 else [0]
        x = self.padded(self.reshape(x, split), [0] * len(split), high)
        return self.reshape(x, [extent * step for extent, step in zip(shape, steps, strict=True)])


__all__ = ["Emitter", "element_of", "shape_of"]
