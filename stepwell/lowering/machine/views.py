"""Ops that make a memref of a memref, or of nothing: none of them moves data."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from xdsl.dialects.builtin import DenseArrayBase, MemRefType, SymbolRefAttr
from xdsl.ir import Operation

from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.text.narrow import as_memref
from stepwell.lowering.machine.addresses import Stride, View
from stepwell.lowering.machine.emit_tables import view
from stepwell.lowering.machine.index import ZERO, Index, constant
from stepwell.lowering.machine.layout import element_of
from stepwell.lowering.machine.walk import Walk, attribute, unsupported


def memref_type(op: Operation, result: int = 0) -> MemRefType[Any]:
    """The memref type of a result."""
    type = as_memref(op.results[result].type)
    assert type is not None
    return type


def strides_of(type: MemRefType[Any]) -> list[int | None]:
    """Strides in elements, None where dynamic. Raises CompileError for layouts that are not strided."""
    strides = type.get_strides()
    if strides is None:
        raise CompileError(f"memref type {type} has no strides", hint="use a strided layout")
    return list(strides)


def static_strides(op: Operation, type: MemRefType[Any]) -> tuple[Stride, ...]:
    """Strides that must all be known."""
    strides = strides_of(type)
    if any(s is None for s in strides):
        raise unsupported(op, f"makes a memref of type {type}, whose strides are unknown")
    return tuple(s for s in strides if s is not None)


def static_sizes(type: MemRefType[Any]) -> tuple[Index | None, ...]:
    """Extents, None where dynamic."""
    return tuple(None if s == DYNAMIC else constant(s) for s in type.get_shape())


def _mixed(w: Walk, op: Operation, name: str, dynamic: list[Index]) -> list[Index]:
    """A list given by a static array in which DYNAMIC stands for the next dynamic operand."""
    held = attribute(op, name)
    assert isinstance(held, DenseArrayBase)
    return [dynamic.pop(0) if value == DYNAMIC else constant(int(value)) for value in held.iter_values()]


def _offsets_sizes_strides(w: Walk, op: Operation) -> tuple[list[Index], list[Index], list[Index]]:
    dynamic = [w.index_of(operand) for operand in op.operands[1:]]
    return tuple(_mixed(w, op, f"static_{which}", dynamic) for which in ("offsets", "sizes", "strides"))  # pyright: ignore[reportReturnType]


@view("memref.subview")
def view_subview(w: Walk, op: Operation) -> View:
    offsets, sizes, steps = _offsets_sizes_strides(w, op)
    return w.subview(w.view_of(op.operands[0]), offsets, sizes, steps, _kept_dims(op, sizes))


def _kept_dims(op: Operation, sizes: list[Index]) -> list[int]:
    """Which dims of the source remain: as many dims of size 1 are dropped as the result type has fewer."""
    shape = memref_type(op).get_shape()
    kept: list[int] = []
    droppable = len(sizes) - len(shape)
    for dim, size in enumerate(sizes):
        wanted = shape[len(kept)] if len(kept) < len(shape) else None
        if droppable and size.known == 1 and wanted != 1:
            droppable -= 1
            continue
        kept.append(dim)
    if len(kept) > len(shape):  # more unit dims than the result has: the first ones go
        surplus = len(kept) - len(shape)
        dropped = [d for d in kept if sizes[d].known == 1][:surplus]
        kept = [d for d in kept if d not in dropped]
    return kept


@view("memref.reinterpret_cast")
def view_reinterpret_cast(w: Walk, op: Operation) -> View:
    offsets, sizes, steps = _offsets_sizes_strides(w, op)
    source = w.view_of(op.operands[0])
    strides = tuple(step.known if step.known is not None else w.materialise(step) for step in steps)
    # The offset counts from the start of the allocation, which is all that is known of a memref without an offset of its own.
    return replace(source, strides=strides, sizes=tuple(sizes), products=((offsets[0], 1),) if offsets[0] != ZERO else ())


@view("memref.cast", "memref.memory_space_cast", "memref.assume_alignment")
def view_cast(w: Walk, op: Operation) -> View:
    source = w.view_of(op.operands[0])
    known = tuple(size if size is not None else mine for size, mine in zip(source.sizes, static_sizes(memref_type(op)), strict=True))
    return replace(source, sizes=known)


@view("memref.view")
def view_bytes(w: Walk, op: Operation) -> View:
    source = w.view_of(op.operands[0])
    type = memref_type(op)
    shift = w.index_of(op.operands[1])
    base = w.pointer(w.access(source, [shift]))
    if len(op.operands) > 2 and any(s is None for s in strides_of(type)):
        raise unsupported(op, "with dynamic inner extents is not converted")
    sizes = [w.index_of(operand) for operand in op.operands[2:]]
    known = tuple(sizes.pop(0) if size is None else size for size in static_sizes(type))
    return View(base, element_of(type.element_type), static_strides(op, type), known, source.root)


@view("memref.alloca")
def view_alloca(w: Walk, op: Operation) -> View:
    type = memref_type(op)
    shape = type.get_shape()
    if DYNAMIC in shape:
        raise unsupported(op, f"of type {type} has an extent that is not known at compile time", "give it a static bound")
    element = element_of(type.element_type)
    strides = static_strides(op, type)
    count = prod(shape) if not shape else max(1, 1 + sum((s - 1) * t for s, t in zip(shape, strides, strict=True) if isinstance(t, int)))
    base = w.sink.stack(element.memory, count, 64 if count > 1 else element.size)
    return View(base, element, strides, static_sizes(type), op.results[0])


@view("memref.get_global")
def view_get_global(w: Walk, op: Operation) -> View:
    name = attribute(op, "name")
    assert isinstance(name, SymbolRefAttr)
    type = memref_type(op)
    element = element_of(type.element_type)
    w.use_global(op, name.root_reference.data, prod(type.get_shape()) * element.size)
    return View(w.sink.symbol(name.root_reference.data), element, static_strides(op, type), static_sizes(type), op.results[0])


@view("memref.expand_shape", "memref.collapse_shape")
def view_reshape(w: Walk, op: Operation) -> View:
    """Only the strides change: those of an expanded dim follow from the inner ones, that of a collapsed group is its innermost."""
    source = w.view_of(op.operands[0])
    type = memref_type(op)
    groups = [[int(d.value.data) for d in group] for group in _reassociation(op)]
    sizes = list(static_sizes(type))
    if op.name == "memref.collapse_shape":
        source_type = as_memref(op.operands[0].type)
        assert source_type is not None
        shape = source_type.get_shape()
        strides = tuple(_collapsed_stride(source, group, list(shape)) for group in groups)
        return replace(source, strides=strides, sizes=tuple(sizes))
    if not groups:
        return replace(source, strides=tuple(1 for _ in sizes), sizes=tuple(sizes))
    strides_out: list[Stride] = [1] * len(sizes)
    dynamic = [w.index_of(operand) for operand in op.operands[1:]]
    for dim, size in enumerate(sizes):
        if size is None and dynamic:
            sizes[dim] = dynamic.pop(0)
    for source_dim, group in enumerate(groups):
        stride = source.strides[source_dim]
        for dim in reversed(group):
            strides_out[dim] = stride
            size = sizes[dim]
            if dim != group[0]:
                if size is None:
                    raise unsupported(op, f"expands into extent {dim}, which is not known")
                stride = w.stride_times(stride, size)
    return replace(source, strides=tuple(strides_out), sizes=tuple(sizes))


def _collapsed_stride(source: View, group: list[int], shape: list[int]) -> Stride:
    for dim in reversed(group):
        if shape[dim] != 1:
            return source.strides[dim]
    return source.strides[group[-1]] if group else 1


def _reassociation(op: Operation) -> Any:
    held: Any = attribute(op, "reassociation")
    return held.data


@view("memref.transpose")
def view_transpose(w: Walk, op: Operation) -> View:
    held: Any = attribute(op, "permutation")
    source = w.view_of(op.operands[0])
    order: list[int] = [expression.position for expression in held.data.results]
    return replace(source, strides=tuple(source.strides[d] for d in order), sizes=tuple(source.sizes[d] for d in order))
