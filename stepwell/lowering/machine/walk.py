"""The last conversion: one walk over a function at level 4, with a table of pieces for every n-D value.

Most ops emit nothing when the walk meets them. A piece of their result is emitted when another piece asks for it. What asks are the
*anchors*, which are emitted in program order, row by row: accumulations (`vector.fma`), stores, prefetches, reductions, and the boundaries
of loops and branches. So a 14x32 tile flows through registers a row at a time, and LLVM's scheduler finds loads next to their uses.

Reads from memory wait too. Before a write to memory that they may share, they are made (`force_reads`).

How each op is emitted stands in the `pieces_*` and `anchors_*` modules, which fill the tables of `emit_tables`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from xdsl.dialects.builtin import FileLineColLoc, IndexType, MemRefType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.addresses import AddressArithmetic, View
from stepwell.lowering.machine.emit_tables import ANCHORS, INDICES, PIECES, READS, VIEWS
from stepwell.lowering.machine.index import Index
from stepwell.lowering.machine.layout import Layout, Layouts, vector_text
from stepwell.lowering.machine.scopes import Scope, ScopeKind, Table
from stepwell.lowering.machine.sink import Sink, Token
from stepwell.lowering.machine.target import Target
from stepwell.lowering.machine.writes import Writes

MINIMUM_RECURSION_LIMIT = 20_000
"""Asking for a piece asks for its operands' pieces: as deep as the longest chain of ops."""


def unsupported(op: Operation, why: str, hint: str | None = None) -> CompileError:
    """The error for an op that cannot be emitted."""
    location = op.location
    where = f"{location.filename.data}:{location.line.data}:{location.column.data}" if isinstance(location, FileLineColLoc) else None
    return CompileError(f"'{op.name}' {why}", location=where, hint=hint)


def attribute(op: Operation, name: str) -> Attribute | None:
    """A property or attribute of an op."""
    found = op.properties.get(name)
    return op.attributes.get(name) if found is None else found


class Walk(AddressArithmetic):
    """Emits functions into a sink. State: the frame (function), the scope in it, and what is known of every value."""

    def __init__(self, sink: Sink, target: Target) -> None:
        self.sink = sink
        self.target = target
        self.layouts = Layouts(target.lanes)
        self.homes: dict[Block, Scope] = {}
        """The scope of every source block that is being emitted."""
        self.writes = Writes()
        self.kernel = ""
        self.tasks = 0
        if sys.getrecursionlimit() < MINIMUM_RECURSION_LIMIT:
            sys.setrecursionlimit(MINIMUM_RECURSION_LIMIT)

    # ---- values

    def layout(self, value: SSAValue) -> Layout:
        """How a vector or scalar value is cut into pieces."""
        return self.layouts.of(value.type)

    def piece(self, value: SSAValue, piece: int) -> Token:
        """One piece of a value, made now if need be."""
        table = self.frame.tables.get(value)
        if table is None:
            table = self._open(value)
        token = table[piece]
        if token is None:
            token = self._pull(value, table, piece)
        return token

    def scalar_of(self, value: SSAValue) -> Token:
        """A scalar value (its only piece)."""
        return self.piece(value, 0)

    def _open(self, value: SSAValue) -> Table:
        """The table of a value that is met for the first time in this frame."""
        if isinstance(value.type, IndexType):
            return [self.materialise(self.index_of(value))]  # not remembered: the sum lives where `pure` puts it
        table: Table = [None] * self.layout(value).count
        self.frame.tables[value] = table
        return table

    def _pull(self, value: SSAValue, table: Table, piece: int) -> Token:
        block = _block_of(value)
        home = self.homes.get(block)
        op = value.owner
        if home is None:
            raise CompileError(f"a value of type {value.type} is used outside of its region")
        if home.frame is not self.frame and (not isinstance(op, Operation) or op.name not in PIECES or op.name in READS):
            return self.capture_piece(value, piece)
        if not isinstance(op, Operation):
            raise CompileError("a block argument is used before its block")
        emit = PIECES.get(op.name)
        if emit is None:
            raise unsupported(op, "has no pieces: the last conversion does not know it", _hint_for(op.name))
        # Out of loops, as far as the op's own scope. Out of a branch never: what it costs may be what the branch saves.
        scope = self.scope
        while scope is not home and scope.kind is ScopeKind.LOOP and scope.parent is not None:
            scope = scope.parent
        if scope is self.scope:
            token = emit(self, op, piece)
        else:
            token = self.at(scope, lambda: emit(self, op, piece))
        if table[piece] is None:
            table[piece] = token
        if scope is not home:
            scope.borrowed.append((table, piece))
        return token

    def set_piece(self, value: SSAValue, piece: int, token: Token) -> None:
        """Remember a piece that was made together with another one."""
        table = self.frame.tables.get(value)
        if table is None:
            table = self._open(value)
        if table[piece] is None:
            table[piece] = token
            home = self.homes[_block_of(value)]
            if home is not self.scope:
                self.scope.borrowed.append((table, piece))

    def set_result(self, value: SSAValue, table: Table) -> None:
        """Define a value by all of its pieces."""
        self.frame.tables[value] = table

    def set_scalar(self, value: SSAValue, token: Token) -> None:
        """Define a scalar value, in the current scope."""
        if isinstance(value.type, IndexType):
            self.frame.indices[value] = self.atom(token)
        else:
            self.frame.tables[value] = [token]

    def index_of(self, value: SSAValue) -> Index:
        """An index value as a linear form."""
        known = self.frame.indices.get(value)
        if known is not None:
            return known
        home = self.homes.get(_block_of(value))
        if home is not None and home.frame is not self.frame:
            index = self.capture_index(self.in_outer_frame(lambda: self.index_of(value)))
        else:
            op = value.owner
            if isinstance(op, Operation) and (compute := INDICES.get(op.name)) is not None:
                index = compute(self, op, value)
            elif isinstance(op, Operation) and (emit := PIECES.get(op.name)) is not None:
                index = self.atom(emit(self, op, 0))
            elif isinstance(op, Operation):
                raise unsupported(op, "is not known as an index", _hint_for(op.name))
            else:
                raise CompileError("an index argument is used before its block")
        self.frame.indices[value] = index
        return index

    def view_of(self, value: SSAValue) -> View:
        """A memref value."""
        known = self.frame.views.get(value)
        if known is not None:
            return known
        home = self.homes.get(_block_of(value))
        op = value.owner
        if home is not None and home.frame is not self.frame:
            view = self.capture_view(self.in_outer_frame(lambda: self.view_of(value)))
        elif isinstance(op, Operation) and (make := VIEWS.get(op.name)) is not None:
            view = make(self, op)
        else:
            raise CompileError(f"a memref of type {value.type} comes from where the last conversion cannot follow it")
        self.frame.views[value] = view
        return view

    # ---- a task and the function around it

    def in_outer_frame(self, make: Callable[[], Any]) -> Any:
        """Make something in the outer function of a task, at the place of the parallel loop."""
        frame, scope = self.frame, self.scope
        assert frame.outer is not None
        assert frame.outer_scope is not None
        self.frame, self.scope = frame.outer, frame.outer_scope
        self.sink.move_to(self.scope.block)
        result = make()
        self.frame, self.scope = frame, scope
        self.sink.move_to(scope.block)
        return result

    def capture(self, token: Token, type: str, size: int) -> Token:
        """The value of the outer function, passed to the task through its record."""
        frame = self.frame
        known = frame.captured.get(token)
        if known is not None:
            return known[0]
        offset = -(-frame.record_size // size) * size
        frame.record_size = offset + size

        def load() -> Token:
            place = self.sink.address("i8", frame.record, offset) if offset else frame.record
            return self.sink.load(type, place, min(size, 64))

        inside = load() if self.scope is frame.scope else self.at(frame.scope, load)
        frame.depths[inside] = 0
        frame.captured[token] = (inside, type, offset)
        return inside

    def capture_index(self, index: Index) -> Index:
        return Index(tuple((self.capture(token, "i64", 8), c) for token, c in index.terms), index.constant)

    def capture_view(self, view: View) -> View:
        """A memref of the outer function."""

        def capture_stride(stride: Any) -> Any:
            return stride if isinstance(stride, int) else self.capture(stride, "i64", 8)

        return View(
            self.capture(view.base, "ptr", 8),
            view.element,
            tuple(capture_stride(s) for s in view.strides),
            tuple(None if size is None else self.capture_index(size) for size in view.sizes),
            view.root,
            tuple((self.capture_index(index), capture_stride(stride)) for index, stride in view.products),
        )

    def capture_piece(self, value: SSAValue, piece: int) -> Token:
        layout = self.layout(value)
        lanes, element = layout.lanes_of(piece), layout.element
        token = self.in_outer_frame(lambda: self.piece(value, piece))
        if element.bits == 1:
            raise CompileError("a parallel loop uses a mask or condition made outside of it", hint="make it inside")
        size = max(8, 1 << ((max(lanes, 1) * element.size) - 1).bit_length())
        return self.capture(token, vector_text(lanes, element.llvm), size)

    # ---- ops in program order

    def run(self, block: Block, scope: Scope) -> Operation:
        """Emit the ops of a block into a scope, up to its terminator, which is returned."""
        self.homes[block] = scope
        terminator = block.last_op
        if terminator is None:
            raise CompileError("a block without a terminator")
        for op in block.ops:
            if op is terminator:
                break
            name = op.name
            anchor = ANCHORS.get(name)
            if anchor is not None:
                anchor(self, op)
            elif name in READS:
                self.frame.pending.append(op)
            elif name in VIEWS:
                self.view_of(op.results[0])
            elif name in INDICES or name in PIECES:
                for result in op.results:
                    if isinstance(result.type, IndexType):
                        self.index_of(result)
            else:
                raise unsupported(op, "cannot be converted to machine level", _hint_for(name))
        return terminator

    def open_scope(self, kind: ScopeKind, block: Any) -> Scope:
        """Enter a loop or a branch whose code begins in `block` (already current)."""
        self.scope = Scope(kind, self.scope.depth + 1, self.frame, self.scope, block)
        return self.scope

    def close_scope(self) -> None:
        """Leave it: forget what was made there for outer values."""
        scope = self.scope
        for table, piece in scope.borrowed:
            table[piece] = None
        self.frame.pending = [op for op in self.frame.pending if self.homes[_parent(op)] is not scope]
        assert scope.parent is not None
        self.scope = scope.parent

    def start(self, block: Any) -> None:
        """Start a block of the sink as the end of the current scope."""
        self.sink.start(block)
        self.scope.block = block

    # ---- reads and writes

    def force_reads(self, root: SSAValue | None, own: Callable[[Operation], bool] | None = None) -> None:
        """Make the reads that a write to `root` (None: to anything) could change. Reads for which `own` holds are left to the caller."""
        pending = self.frame.pending
        if not pending:
            return
        for op in tuple(pending):
            if own is not None and own(op):
                continue
            result = op.results[0]
            table = self.frame.tables.get(result)
            if table is not None and None not in table:
                continue
            if not result.has_one_use() and result.first_use is None:
                continue
            if root is None or self.may_alias(root, self.writes.root(op.operands[READS[op.name]])):
                for piece in range(self.layout(result).count):
                    self.piece(result, piece)

    def force_reads_before(self, op: Operation) -> None:
        """Make the reads that the writes inside of a loop or branch could change."""
        if self.frame.pending:
            for root in self.writes.written(op):
                self.force_reads(root)

    def may_alias(self, a: SSAValue, b: SSAValue) -> bool:
        """Whether two roots may be the same memory: kernels' arguments never are, nor are allocations."""
        return a is b

    def use_global(self, op: Operation, name: str, size: int) -> None:
        """Declare the global that an op names."""
        from stepwell.lowering.machine.functions import use_global

        use_global(self, op, name, size)

    # ---- small instructions that many ops need

    def splat_of(self, scalar: Token, lanes: int, element: str) -> Token:
        """A vector of equal elements."""
        type = vector_text(lanes, element)
        first = self.sink.insert(type, self.sink.poison(type), element, scalar, 0)
        return self.sink.shuffle(type, first, self.sink.poison(type), (0,) * lanes)

    def elements(self, value: SSAValue) -> Iterable[tuple[int, int]]:
        """(piece, lane) of every element, in row-major order."""
        layout = self.layout(value)
        for piece in range(layout.count):
            for lane in range(max(layout.lanes_of(piece), 1)):
                yield piece, lane

    def element(self, value: SSAValue, flat: int) -> Token:
        """One element of a vector value as a scalar."""
        layout = self.layout(value)
        width = layout.shape[-1] if layout.shape else 1
        row, column = divmod(flat, width)
        if not layout.lanes:
            return self.piece(value, flat)
        chunk, lane = divmod(column, layout.lanes)
        piece = row * layout.chunks + chunk
        return self.sink.extract(layout.type_of(piece), self.piece(value, piece), lane)

    def assemble(self, layout: Layout, piece: int, element: Callable[[int], Token]) -> Token:
        """A piece from its elements, given by flat index."""
        row, chunk = divmod(piece, layout.chunks)
        lanes = layout.lanes_of(piece)
        if not lanes:
            return element(piece)
        type = layout.type_of(piece)
        first = row * layout.shape[-1] + chunk * layout.lanes
        vector = self.sink.poison(type)
        for lane in range(lanes):
            vector = self.sink.insert(type, vector, layout.element.llvm, element(first + lane), lane)
        return vector


def _block_of(value: SSAValue) -> Block:
    owner = value.owner
    return _parent(owner) if isinstance(owner, Operation) else owner


def _parent(op: Operation) -> Block:
    assert op.parent is not None
    return op.parent


def _hint_for(name: str) -> str | None:
    if name.startswith("math."):
        return "run expand-math first"
    if name.startswith("affine."):
        return "run vectorize first: loops of level 4 are scf"
    if name in ("memref.alloc", "memref.dealloc"):
        return "run plan-memory first"
    if name.startswith(("nn.", "linalg.", "tensor.", "bufferization.")):
        return "this is IR of a higher level: lower it first"
    return None


def is_memref(value: SSAValue) -> bool:
    """Whether a value is a memref."""
    return isinstance(value.type, MemRefType)
