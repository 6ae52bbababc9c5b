"""Memrefs as the emitter knows them, and the addresses of their elements.

A memref is a base pointer and a list of (index, stride) products that have not been added up yet; views of views stay so. An address is
built from the outside in: products of outer loops first (so they are hoisted), then a base for each group of five rows, then what changes
in the innermost loop, then the row within its group, and last a constant displacement. With dynamic strides that keeps the number of
pointers in registers small: `[group + row_stride * {0..4} + displacement]` is one x86 operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import gcd

from xdsl.ir import SSAValue

from stepwell.lowering.machine.index import ZERO, Index, IndexArithmetic
from stepwell.lowering.machine.layout import Element
from stepwell.lowering.machine.sink import Token

ROWS_IN_GROUP = 5
"""Rows that share one pointer. Measured: with 1 pointer per row, or one for all rows, LLVM's register allocator spills; 3 and 5 do not."""

Stride = Token | int
"""In elements; an int where it is known."""


@dataclass(frozen=True, eq=False)
class View:
    """A memref: the address of [i, j] is base + sum of `products` + i * strides[0] + j * strides[1], counted in elements."""

    base: Token
    element: Element
    strides: tuple[Stride, ...]
    sizes: tuple[Index | None, ...]
    """Extents where they are known. A kernel's own are not: they are not part of its interface."""
    root: SSAValue
    """What the memory belongs to: an argument, an allocation, a global."""
    products: tuple[tuple[Index, Stride], ...] = ()
    alignment: int = 0
    """Of the base, in bytes; 0: that of an element."""


@dataclass(eq=False)
class Access:
    """The elements of a view around one position. `pointer` gives the address of the element at constant distances from it."""

    view: View
    strides: tuple[Stride, ...]
    displacement: int = 0
    products: list[tuple[int, Token, Stride]] = field(default_factory=list[tuple[int, Token, Stride]])
    """(coefficient, index value, stride)"""
    multiples: dict[Token, int] = field(default_factory=dict[Token, int])
    """Constant multiples of dynamic strides."""
    rows: frozenset[Token] = frozenset()
    """Dynamic strides of dimensions whose distance differs from piece to piece."""


class AddressArithmetic(IndexArithmetic):
    """The part of the walk that makes pointers."""

    def access(self, view: View, indices: Sequence[Index], row_dims: Sequence[int] = ()) -> Access:
        """Prepare addresses around [indices]; along `row_dims` there will be many."""
        access = Access(view, view.strides)
        for index, stride in (*view.products, *zip(indices, view.strides, strict=True)):
            if isinstance(stride, int):
                if stride:
                    access.displacement += index.constant * stride
                    access.products.extend((c * stride, token, 1) for token, c in index.terms)
            else:
                access.products.extend((c, token, stride) for token, c in index.terms)
                if index.constant:
                    access.multiples[stride] = access.multiples.get(stride, 0) + index.constant
        depths = self.frame.depths
        access.products.sort(key=lambda p: max(depths.get(p[1], 0), depths.get(p[2], 0)))
        access.rows = frozenset(s for s in (view.strides[d] for d in row_dims) if not isinstance(s, int))
        return access

    def pointer(self, access: Access, distances: Sequence[tuple[int, int]] = ()) -> Token:
        """The address of the element at the given (dimension, distance)s from the position of the access."""
        displacement = access.displacement
        multiples = access.multiples
        copied = False
        for dim, distance in distances:
            if not distance:
                continue
            stride = access.strides[dim]
            if isinstance(stride, int):
                displacement += distance * stride
            else:
                if not copied:
                    multiples, copied = dict(multiples), True
                multiples[stride] = multiples.get(stride, 0) + distance

        element = access.view.element.memory
        depths = self.frame.depths
        loop = self.scope.enclosing_loop_depth()
        pointer = access.view.base
        position = 0
        for coefficient, token, stride in access.products:
            if max(depths.get(token, 0), depths.get(stride, 0)) >= loop:
                break
            pointer = self.step(element, pointer, self._product(token, coefficient, stride))
            position += 1
        within: list[Token] = []
        for stride, multiple in multiples.items():
            if stride in access.rows or not access.rows:
                group, row = divmod(multiple, ROWS_IN_GROUP)
                if row:
                    within.append(self.scaled(stride, row))
                multiple = group * ROWS_IN_GROUP
            if multiple:
                pointer = self.step(element, pointer, self.scaled(stride, multiple))
        for coefficient, token, stride in access.products[position:]:
            pointer = self.step(element, pointer, self._product(token, coefficient, stride))
        for offset in within:
            pointer = self.step(element, pointer, offset)
        return self.step(element, pointer, displacement) if displacement else pointer

    def alignment(self, access: Access, distances: Sequence[tuple[int, int]]) -> int:
        """What is known to divide the address of an element, in bytes."""
        size = access.view.element.size
        known = access.view.alignment
        if not known or access.multiples:
            return size
        elements = access.displacement
        for dim, distance in distances:
            stride = access.strides[dim]
            if not isinstance(stride, int):
                return size
            elements += distance * stride
        known = gcd(known, elements * size)
        for coefficient, token, stride in access.products:
            if not isinstance(stride, int):
                return size
            known = gcd(known, coefficient * stride * self.frame.factors.get(token, 1) * size)
        return known

    def _product(self, token: Token, coefficient: int, stride: Stride) -> Token:
        scaled = self.scaled(token, coefficient)
        return scaled if stride == 1 else self.scalar("mul", scaled, stride)

    def step(self, element: str, pointer: Token, index: Token | int) -> Token:
        """pointer + index elements."""
        operands = (pointer,) if isinstance(index, int) else (pointer, index)
        return self.pure(("address", element, pointer, index), operands, lambda: self.sink.address(element, pointer, index))

    # ---- views of views

    def subview(self, view: View, offsets: Sequence[Index], sizes: Sequence[Index], steps: Sequence[Index], kept: Sequence[int]) -> View:
        """The view that starts at `offsets` and goes in `steps`; only the dims in `kept` remain."""
        products = tuple((offset, stride) for offset, stride in zip(offsets, view.strides, strict=True) if offset != ZERO)
        strides = tuple(self.stride_times(view.strides[d], steps[d]) for d in kept)
        return replace(view, products=view.products + products, strides=strides, sizes=tuple(sizes[d] for d in kept))

    def stride_times(self, stride: Stride, step: Index) -> Stride:
        """stride * step."""
        known = step.known
        if known is not None:
            return stride * known if isinstance(stride, int) else self.scaled(stride, known)
        if isinstance(stride, int):
            return self.materialise(step.times(stride))
        return self.scalar("mul", self.materialise(step), stride)

    def start_of(self, view: View) -> Token:
        """The pointer to element [0, ...] of a view."""
        return self.pointer(self.access(view, [ZERO] * len(view.strides)))
