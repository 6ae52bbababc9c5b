"""Which dimensions of a kernel have the same extent, for every shape that the kernel is ever called with.

In: a kernel at level 2. Out: classes of *places*, a place being a dimension of a tensor value or a loop of a structured op. Two places
are in one class when an indexing map reads one at the plain loop of the other, when they are the same dimension of an op's destination
and result, or when their loops bear the same name. Dimensions that are read at an expression (`oh * 2 + kh`, `n floordiv 32`) stay on
their own.
"""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from stepwell.dialects import tensor
from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.kernels import (
    constant_index,
    defining,
    destinations,
    is_tensor,
    location_of,
    loop_names,
    maps_of,
    name_of,
    shape_of,
    structured_ops,
)

Place = tuple[SSAValue | Operation, int]


class Extents:
    """Union-find over the places of one kernel."""

    def __init__(self, kernel: func.FuncOp) -> None:
        self._parent: dict[Place, Place] = {}
        self._kernel = kernel
        named: dict[str, Place] = {}
        for op in kernel.body.block.ops:
            if isinstance(op, tensor.EmptyOp):
                self._union_sizes(op)
            elif isinstance(op, tensor.CastOp):
                for i in range(len(shape_of(op.source))):
                    self._union((op.source, i), (op.dest, i))
        for op in structured_ops(kernel):
            for operand, map in zip(op.operands, maps_of(op), strict=True):
                for i, expr in enumerate(map.results):
                    if isinstance(expr, AffineDimExpr):
                        self._union((operand, i), (op, expr.position))
            for result, destination in zip(op.results, op.outputs, strict=False):
                for i in range(len(shape_of(result))):
                    self._union((result, i), (destination, i))
            for i, name in enumerate(loop_names(op) or ()):
                self._union(named.setdefault(name, (op, i)), (op, i))
        self.names: dict[str, Place] = {name: self.find(place) for name, place in named.items()}
        """The class of each named loop."""

    def _union_sizes(self, op: tensor.EmptyOp) -> None:
        """`tensor.empty(%m)` where `%m = tensor.dim %x, 0`: the same extent."""
        sizes = iter(op.dynamic_sizes)
        for i, extent in enumerate(shape_of(op.tensor)):
            source = defining(next(sizes)) if extent == DYNAMIC else None
            if isinstance(source, tensor.DimOp) and (dim := constant_index(source.index)) is not None:
                self._union((op.tensor, i), (source.source, dim))

    def find(self, place: Place) -> Place:
        """The place that stands for the class of `place`."""
        parent = self._parent.get(place, place)
        if parent == place:
            return place
        root = self.find(parent)
        self._parent[place] = root
        return root

    def _union(self, a: Place, b: Place) -> None:
        a, b = self.find(a), self.find(b)
        if a == b:
            return
        # The earlier of the two stands for both, so that classes come in the order in which the kernel mentions them.
        self._parent[b] = a

    def static_extents(self) -> dict[Place, int]:
        """The extent of each class that some tensor type states. Raises CompileError where two types disagree."""
        extents: dict[Place, int] = {}
        block = self._kernel.body.block
        values = [*block.args, *(r for op in block.ops for r in op.results)]
        for value in values:
            if not is_tensor(value):
                continue
            for i, extent in enumerate(shape_of(value)):
                if extent != DYNAMIC and extents.setdefault(self.find((value, i)), extent) != extent:
                    raise CompileError(
                        f"@{name_of(self._kernel)} runs one loop over extents {extents[self.find((value, i))]} and {extent}",
                        location=location_of(self._kernel),
                        hint="give loops of different extents different names",
                    )
        return extents

    def argument_places(self) -> dict[Place, Place]:
        """For each class that an argument knows: the argument's place. Destinations are asked first (they are never packed), then inputs
        in order."""
        out = list(destinations(self._kernel))
        args = self._kernel.body.block.args
        places: dict[Place, Place] = {}
        for arg in [*out, *(a for a in args if a not in out)]:
            for i in range(len(shape_of(arg))):
                places.setdefault(self.find((arg, i)), (arg, i))
        return places
