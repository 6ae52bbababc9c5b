"""Reads and writes of memory: vector transfers, masked, strided and gathered; scalars; prefetch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from stepwell.ir.text.narrow import as_memref
from stepwell.lowering.machine.addresses import Access, View
from stepwell.lowering.machine.emit_tables import anchor, read
from stepwell.lowering.machine.index import Index, constant
from stepwell.lowering.machine.layout import Layout, vector_text
from stepwell.lowering.machine.masks import bounded_piece, bounds_of, mask_piece, row_position
from stepwell.lowering.machine.pieces_arith import constant_splat, mangled, number
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported


@dataclass(eq=False)
class Transfer:
    """Where the pieces of a vector lie in memory: `dims[v]` is the memref's dimension along which vector dimension v goes (None: none, the
    element is repeated)."""

    view: View
    access: Access
    layout: Layout
    dims: tuple[int | None, ...]
    mask: SSAValue | None
    bounds: list[Index] | None
    """Of the mask and of the memref, per vector dimension, where the mask is given by bounds."""

    @property
    def last_stride(self) -> Any:
        last = self.dims[-1] if self.dims else None
        return 0 if last is None else self.view.strides[last]

    def distances(self, piece: int) -> list[tuple[int, int]]:
        """(dimension, distance) from the start of the transfer to the first element of a piece."""
        row, chunk = divmod(piece, self.layout.chunks)
        position = [*row_position(self.layout, row), chunk * self.layout.lanes]
        return [(dim, at) for dim, at in zip(self.dims, position, strict=False) if dim is not None]


def _transfer(w: Walk, op: Operation, memref: SSAValue, indices: Sequence[SSAValue], vector: SSAValue, mask: SSAValue | None) -> Transfer:
    """What a transfer op says, worked out once."""
    known = w.frame.accesses.get(op)
    if known is not None:
        return known
    view, layout = w.view_of(memref), w.layout(vector)
    rank, vector_rank = len(view.strides), len(layout.shape)
    held = attribute(op, "permutation_map")
    if isinstance(held, AffineMapAttr):
        dims = tuple(e.position if isinstance(e, AffineDimExpr) else None for e in held.data.results)
    else:
        dims = tuple(range(rank - vector_rank, rank))
    start = [w.index_of(i) for i in indices]
    bounds = _bounds(w, op, view, start, layout, dims, mask)
    access = w.access(view, start, [d for d, extent in zip(dims, layout.shape, strict=True) if d is not None and extent > 1])
    transfer = Transfer(view, access, layout, dims, None if bounds is not None else mask, bounds)
    w.frame.accesses[op] = transfer
    return transfer


def _bounds(
    w: Walk, op: Operation, view: View, start: list[Index], layout: Layout, dims: tuple[int | None, ...], mask: SSAValue | None
) -> list[Index] | None:
    """Bounds per vector dimension from the mask and from dimensions that are not `in_bounds`; None if there is nothing to check, or if the
    mask is not given by bounds."""
    bounds: list[Index] | None = None
    if mask is not None:
        # The mask has the memref's order of dimensions, without those that are repeated.
        of_mask = bounds_of(w, mask)
        order = sorted(d for d in dims if d is not None)
        if of_mask is not None:
            bounds = [constant(e) if d is None else of_mask[order.index(d)] for d, e in zip(dims, layout.shape, strict=True)]
        elif [d for d in dims if d is not None] != order or None in dims:
            raise unsupported(op, "permutes or repeats dimensions under a mask that is not vector.create_mask")
    held = attribute(op, "in_bounds")
    if held is None and not op.name.startswith("vector.transfer"):
        return bounds
    in_bounds = [bool(b.value.data) for b in held.data] if isinstance(held, ArrayAttr) else [False] * len(dims)  # pyright: ignore
    for v, (dim, extent) in enumerate(zip(dims, layout.shape, strict=True)):
        if dim is None or (v < len(in_bounds) and in_bounds[v]):
            continue
        size = view.sizes[dim]
        if size is None:
            raise unsupported(op, f"may leave dimension {dim}, whose extent is not known", "mask it and say in_bounds")
        room = size.minus(start[dim])
        if room.known is not None and room.known >= extent:
            continue
        if mask is not None and bounds is None:
            raise unsupported(op, "may leave the memref under a mask that is not vector.create_mask", "say in_bounds")
        bounds = bounds if bounds is not None else [constant(e) for e in layout.shape]
        bounds[v] = w.extreme("smin", [bounds[v], room])
    return bounds


def _mask(w: Walk, transfer: Transfer, piece: int) -> Token | None:
    if transfer.bounds is not None:
        return bounded_piece(w, transfer.layout, transfer.bounds, piece)
    return None if transfer.mask is None else mask_piece(w, transfer.mask, piece)


# ---- from and to memory: i1 is a byte -------------------------------------------------------------------------------------------


def _loaded(w: Walk, layout: Layout, lanes: int, value: Token) -> Token:
    if layout.element.bits != 1:
        return value
    type = vector_text(lanes, "i8")
    return w.sink.compare("icmp", "ne", type, value, w.sink.splat(lanes, "i8", 0))


def _to_store(w: Walk, layout: Layout, lanes: int, value: Token) -> Token:
    if layout.element.bits != 1:
        return value
    return w.sink.cast("zext", vector_text(lanes, "i1"), value, vector_text(lanes, "i8"))


def _spare(w: Walk, layout: Layout, content: float | None = None) -> Token:
    """A place on the stack that a scalar access goes to when its mask is off; `content` is what is read there."""
    element = layout.element
    root = w.frame.scope
    key = ("spare", element.memory, repr(content))
    token = root.memo.get(key)
    if token is None:
        token = root.memo[key] = w.sink.stack(element.memory, 1, element.size)
        if content is not None:
            value = w.sink.splat(0, element.memory, number(content, element))
            w.at(root, lambda: w.sink.store(element.memory, value, token, element.size))
    return token


# ---- reads ----------------------------------------------------------------------------------------------------------------------


def _read_piece(w: Walk, transfer: Transfer, piece: int, padding: SSAValue | None, passthrough: SSAValue | None = None) -> Token:
    """One piece; where the mask is off, the padding (a scalar) or the piece of `passthrough`."""
    layout = transfer.layout
    lanes, element, size = layout.lanes_of(piece), layout.element.memory, layout.element.size
    mask = _mask(w, transfer, piece)

    def otherwise() -> Token:
        if passthrough is not None:
            return _to_store(w, layout, lanes, w.piece(passthrough, piece))
        assert padding is not None
        known = constant_splat(padding)
        if known is not None:
            return w.sink.splat(lanes, element, number(known, layout.element))
        scalar = w.piece(padding, 0)
        return _to_store(w, layout, lanes, w.splat_of(scalar, lanes, layout.element.llvm) if lanes else scalar)

    if not lanes:
        distances = transfer.distances(piece)
        pointer = w.pointer(transfer.access, distances)
        if mask is None:
            value = w.sink.load(element, pointer, w.alignment(transfer.access, distances))
        else:
            value = _masked_scalar(w, layout, pointer, transfer.view.base, mask, padding, otherwise)
        return _loaded(w, layout, lanes, value)

    type = vector_text(lanes, element)
    stride = transfer.last_stride
    pointer = w.pointer(transfer.access, transfer.distances(piece))
    if stride == 0:
        splat = w.splat_of(w.sink.load(element, pointer, size), lanes, element)
        return _loaded(w, layout, lanes, splat if mask is None else w.sink.select(vector_text(lanes, "i1"), mask, type, splat, otherwise()))
    if stride != 1:
        pointers = _strided(w, element, pointer, stride, lanes)
        fill = w.sink.poison(type) if mask is None else otherwise()
        return _loaded(w, layout, lanes, gather(w, layout, lanes, pointers, mask, fill))
    if mask is None:
        return _loaded(w, layout, lanes, w.sink.load(type, pointer, size))
    name = f"llvm.masked.load.{mangled(element, lanes)}.p0"
    value = w.sink.intrinsic(name, type, (f"ptr align {size}", vector_text(lanes, "i1"), type), (pointer, mask, otherwise()))
    return _loaded(w, layout, lanes, value)


def _masked_scalar(
    w: Walk, layout: Layout, pointer: Token, base: Token, mask: Token, padding: SSAValue | None, otherwise: Callable[[], Token]
) -> Token:
    # Without a branch: read a spare place instead, which holds the padding if that is a constant.
    element = layout.element
    if w.target.is_gpu:
        # A GPU's stack is in another address space: the first element of the memref stands in.
        safe = w.sink.select("i1", mask, "ptr", pointer, base)
        return w.sink.select("i1", mask, element.memory, w.sink.load(element.memory, safe, element.size), otherwise())
    content = constant_splat(padding) if padding is not None else None
    safe = w.sink.select("i1", mask, "ptr", pointer, _spare(w, layout, content))
    value = w.sink.load(element.memory, safe, element.size)
    return value if content is not None else w.sink.select("i1", mask, element.memory, value, otherwise())


def _strided(w: Walk, element: str, pointer: Token, stride: Any, lanes: int) -> Token:
    """Pointers at equal distances."""
    type = vector_text(lanes, "i64")
    if isinstance(stride, int):
        steps = w.sink.vector("i64", [i * stride for i in range(lanes)])
    else:

        def emit() -> Token:
            return w.sink.binary("mul", type, w.splat_of(stride, lanes, "i64"), w.sink.vector("i64", range(lanes)))

        steps = w.pure(("steps", stride, lanes), (stride,), emit)
    return w.sink.addresses(element, pointer, type, steps, lanes)


def gather(w: Walk, layout: Layout, lanes: int, pointers: Token, mask: Token | None, fill: Token) -> Token:
    """Elements from a vector of pointers."""
    element = layout.element.memory
    type, i1 = vector_text(lanes, element), vector_text(lanes, "i1")
    name = f"llvm.masked.gather.{mangled(element, lanes)}.v{lanes}p0"
    mask = w.sink.splat(lanes, "i1", 1) if mask is None else mask
    return w.sink.intrinsic(name, type, (f"{vector_text(lanes, 'ptr')} align {layout.element.size}", i1, type), (pointers, mask, fill))


def scatter(w: Walk, layout: Layout, lanes: int, value: Token, pointers: Token, mask: Token | None) -> None:
    """Elements to a vector of pointers."""
    element = layout.element.memory
    type, i1 = vector_text(lanes, element), vector_text(lanes, "i1")
    name = f"llvm.masked.scatter.{mangled(element, lanes)}.v{lanes}p0"
    mask = w.sink.splat(lanes, "i1", 1) if mask is None else mask
    w.sink.intrinsic(name, "void", (type, f"{vector_text(lanes, 'ptr')} align {layout.element.size}", i1), (value, pointers, mask))


def _rank(memref: SSAValue) -> int:
    type = as_memref(memref.type)
    assert type is not None
    return type.get_num_dims()


@read("vector.transfer_read", memref=0)
def emit_transfer_read(w: Walk, op: Operation, piece: int) -> Token:
    return _read_piece(w, _read_transfer(w, op), piece, op.operands[1 + _rank(op.operands[0])])


def _read_transfer(w: Walk, op: Operation) -> Transfer:
    memref = op.operands[0]
    rank = _rank(memref)
    mask = op.operands[rank + 2] if len(op.operands) > rank + 2 else None
    return _transfer(w, op, memref, op.operands[1 : 1 + rank], op.results[0], mask)


def unit_stride_read(w: Walk, value: SSAValue, first: int, rows: int) -> Token | None:
    """So many whole rows of a transfer_read in one register, where memory has no gaps between them; None for everything else."""
    op = value.owner
    if not isinstance(op, Operation) or op.name != "vector.transfer_read" or any(w.frame.tables.get(value) or ()):
        return None
    transfer = _read_transfer(w, op)
    layout, strides = transfer.layout, transfer.view.strides
    width = layout.shape[-1]
    if len(layout.shape) != 2 or transfer.mask is not None or transfer.bounds is not None or layout.chunks != 1:
        return None
    if transfer.last_stride != 1 or transfer.dims[0] is None or strides[transfer.dims[0]] != width:
        return None
    pointer = w.pointer(transfer.access, transfer.distances(first))
    return w.sink.load(vector_text(rows * width, layout.element.memory), pointer, layout.element.size)


@read("vector.load", memref=0)
def emit_vector_load(w: Walk, op: Operation, piece: int) -> Token:
    return _read_piece(w, _transfer(w, op, op.operands[0], op.operands[1:], op.results[0], None), piece, None)


@read("vector.maskedload", memref=0)
def emit_masked_load(w: Walk, op: Operation, piece: int) -> Token:
    rank = _rank(op.operands[0])
    mask, passthrough = op.operands[rank + 1 :]
    transfer = _transfer(w, op, op.operands[0], op.operands[1 : 1 + rank], op.results[0], mask)
    return _read_piece(w, transfer, piece, None, passthrough)


@read("vector.gather", memref=0)
def emit_gather(w: Walk, op: Operation, piece: int) -> Token:
    memref, rank, layout = op.operands[0], _rank(op.operands[0]), w.layout(op.results[0])
    offsets, mask, passthrough = op.operands[rank + 1 :]
    lanes = layout.lanes_of(piece)
    if not lanes:
        raise unsupported(op, "of scalars is not converted", "gather along the last dimension")
    pointers = _gather_pointers(w, memref, op.operands[1 : 1 + rank], offsets, piece)
    fill = _to_store(w, layout, lanes, w.piece(passthrough, piece))
    return _loaded(w, layout, lanes, gather(w, layout, lanes, pointers, mask_piece(w, mask, piece), fill))


def _gather_pointers(w: Walk, memref: SSAValue, indices: Sequence[SSAValue], offsets: SSAValue, piece: int) -> Token:
    view, layout = w.view_of(memref), w.layout(offsets)
    lanes = layout.lanes_of(piece)
    base = w.pointer(w.access(view, [w.index_of(i) for i in indices]))
    steps, type = w.piece(offsets, piece), layout.type_of(piece)
    stride = view.strides[-1] if view.strides else 1
    if stride != 1:
        wide = vector_text(lanes, "i64")
        steps = steps if layout.element.bits == 64 else w.sink.cast("sext", type, steps, wide)
        factor = w.sink.splat(lanes, "i64", stride) if isinstance(stride, int) else w.splat_of(stride, lanes, "i64")
        steps, type = w.sink.binary("mul", wide, steps, factor), wide
    return w.sink.addresses(view.element.memory, base, type, steps, lanes)


# ---- writes ---------------------------------------------------------------------------------------------------------------------


def _write(w: Walk, op: Operation, transfer: Transfer, memref: SSAValue, vector: SSAValue) -> None:
    """All pieces in order. A read of the same place is made piece by piece, ahead of each write."""
    own: list[SSAValue] = []

    def same_place(reading: Operation) -> bool:
        if reading.operands[0] is not memref:
            return False
        result = reading.results[0]
        other = w.frame.accesses.get(reading)
        if other is None and reading.name == "vector.transfer_read":
            other = _read_transfer(w, reading)
        same = (
            isinstance(other, Transfer)
            and other.layout.shape == transfer.layout.shape
            and other.dims == transfer.dims
            and other.access.displacement == transfer.access.displacement
            and other.access.multiples == transfer.access.multiples
            and other.access.products == transfer.access.products
        )
        if same:
            own.append(result)
        return same

    w.force_reads(w.writes.root(memref), same_place)
    for piece in range(transfer.layout.count):
        for value in own:
            w.piece(value, piece)
        _write_piece(w, transfer, piece, w.piece(vector, piece))


def _store_if(w: Walk, mask: Token, type: str, value: Token, pointer: Token, size: int) -> None:
    """A store behind a branch, which a GPU predicates."""
    then, after = w.sink.new_block(), w.sink.new_block()
    w.sink.conditional_branch(mask, then, after)
    w.sink.start(then)
    w.sink.store(type, value, pointer, size)
    w.sink.branch(after)
    w.start(after)


def _write_piece(w: Walk, transfer: Transfer, piece: int, value: Token) -> None:
    layout = transfer.layout
    lanes, element, size = layout.lanes_of(piece), layout.element.memory, layout.element.size
    mask = _mask(w, transfer, piece)
    value = _to_store(w, layout, lanes, value)
    pointer = w.pointer(transfer.access, transfer.distances(piece))
    type = vector_text(lanes, element)
    if not lanes:
        if mask is not None and w.target.is_gpu:
            _store_if(w, mask, type, value, pointer, size)
            return
        if mask is not None:
            pointer = w.sink.select("i1", mask, "ptr", pointer, _spare(w, layout))
        w.sink.store(type, value, pointer, size)
    elif transfer.last_stride != 1:
        scatter(w, layout, lanes, value, _strided(w, element, pointer, transfer.last_stride, lanes), mask)
    elif mask is None:
        w.sink.store(type, value, pointer, size)
    else:
        name = f"llvm.masked.store.{mangled(element, lanes)}.p0"
        w.sink.intrinsic(name, "void", (type, f"ptr align {size}", vector_text(lanes, "i1")), (value, pointer, mask))


@anchor("vector.transfer_write", writes=1)
def emit_transfer_write(w: Walk, op: Operation) -> None:
    vector, memref = op.operands[:2]
    rank = _rank(memref)
    mask = op.operands[rank + 2] if len(op.operands) > rank + 2 else None
    _write(w, op, _transfer(w, op, memref, op.operands[2 : 2 + rank], vector, mask), memref, vector)


@anchor("vector.store", writes=1)
def emit_vector_store(w: Walk, op: Operation) -> None:
    vector, memref = op.operands[:2]
    _write(w, op, _transfer(w, op, memref, op.operands[2:], vector, None), memref, vector)


@anchor("vector.maskedstore", writes=0)
def emit_masked_store(w: Walk, op: Operation) -> None:
    memref, rank = op.operands[0], _rank(op.operands[0])
    mask, vector = op.operands[rank + 1 :]
    _write(w, op, _transfer(w, op, memref, op.operands[1 : 1 + rank], vector, mask), memref, vector)


@anchor("vector.scatter", writes=0)
def emit_scatter(w: Walk, op: Operation) -> None:
    memref, rank = op.operands[0], _rank(op.operands[0])
    offsets, mask, vector = op.operands[rank + 1 :]
    layout = w.layout(vector)
    w.force_reads(w.writes.root(memref))
    for piece in range(layout.count):
        lanes = layout.lanes_of(piece)
        if not lanes:
            raise unsupported(op, "of scalars is not converted", "scatter along the last dimension")
        pointers = _gather_pointers(w, memref, op.operands[1 : 1 + rank], offsets, piece)
        value = _to_store(w, layout, lanes, w.piece(vector, piece))
        scatter(w, layout, lanes, value, pointers, mask_piece(w, mask, piece))


# ---- scalars and prefetch -------------------------------------------------------------------------------------------------------


@anchor("memref.load")
def emit_load(w: Walk, op: Operation) -> None:
    view, layout = w.view_of(op.operands[0]), w.layout(op.results[0])
    pointer = w.pointer(w.access(view, [w.index_of(i) for i in op.operands[1:]]))
    value = _loaded(w, layout, 0, w.sink.load(layout.element.memory, pointer, layout.element.size))
    w.set_scalar(op.results[0], value)


@anchor("memref.store", writes=1)
def emit_store(w: Walk, op: Operation) -> None:
    value, memref = op.operands[:2]
    layout = w.layout(value)
    w.force_reads(w.writes.root(memref))
    token = _to_store(w, layout, 0, w.piece(value, 0))
    pointer = w.pointer(w.access(w.view_of(memref), [w.index_of(i) for i in op.operands[2:]]))
    w.sink.store(layout.element.memory, token, pointer, layout.element.size)


@anchor("memref.prefetch")
def emit_prefetch(w: Walk, op: Operation) -> None:
    pointer = w.pointer(w.access(w.view_of(op.operands[0]), [w.index_of(i) for i in op.operands[1:]]))
    write, locality, data = (_integer(op, name) for name in ("isWrite", "localityHint", "isDataCache"))
    constants = [w.sink.integer("i32", n) for n in (write, locality, data)]
    w.sink.intrinsic("llvm.prefetch.p0", "void", ("ptr", "i32", "i32", "i32"), (pointer, *constants))


def _integer(op: Operation, name: str) -> int:
    held = attribute(op, name)
    assert isinstance(held, IntegerAttr)
    return abs(held.value.data)
