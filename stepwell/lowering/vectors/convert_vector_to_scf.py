"""`convert-vector-to-scf`: transfers of several dimensions become loops around transfers of one, prints loops around prints of scalars."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, VectorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import memref, vector
from stepwell.dialects.memref.canonical import ALLOCATION_SCOPES
from stepwell.dialects.vector.fold_transfers import map_of, vector_of_transfer
from stepwell.dialects.vector.more import TypeCastOp
from stepwell.dialects.vector.moves import ExtractOp, InsertOp
from stepwell.dialects.vector.shapes import flags_of, shape_of
from stepwell.dialects.vector.values import defined_by, mask_around, position_of
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import PatternsByName
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder, Index
from stepwell.lowering.vectors import transfer_permutations
from stepwell.lowering.vectors.print_loops import print_in_loops
from stepwell.lowering.vectors.rows import without_first
from stepwell.lowering.vectors.scalable_transposes import scaled, write_transposed_rows
from stepwell.lowering.vectors.transfer_loops import Transfer, is_tensor, loop, same_elements
from stepwell.lowering.vectors.transfers_to_loads import is_contiguous


@dataclass(frozen=True)
class ConvertVectorToScf(Pass):
    """Transfers of several dimensions become loops around transfers of one.

    ```mlir
    %v = vector.transfer_read %m[%i, %j], %pad {in_bounds = [true, true]} : memref<?x?xf32>, vector<3x4xf32>
    ```
    becomes
    ```mlir
    %buffer = memref.alloca() : memref<vector<3x4xf32>>
    %rows = vector.type_cast %buffer : memref<vector<3x4xf32>> to memref<3xvector<4xf32>>
    scf.for %r = %c0 to %c3 step %c1 {
      %row = vector.transfer_read %m[%i + %r, %j], %pad {in_bounds = [true]} : memref<?x?xf32>, vector<4xf32>
      memref.store %row, %rows[%r] : memref<3xvector<4xf32>>
    }
    %v = memref.load %buffer[] : memref<vector<3x4xf32>>
    ```
    """

    name: ClassVar = "convert-vector-to-scf"
    anchor: ClassVar = "any"

    full_unroll: bool = False
    """Unroll instead of looping; no buffer is needed then."""
    target_rank: int = 1
    """Transfers of that many dimensions, or fewer, stay."""
    lower_tensors: bool = False
    """Transfers of tensors, too."""
    lower_scalable: bool = False
    """Transposed writes of scalable vectors, row by row."""

    def run(self, op: Operation, ctx: Context) -> None:
        how = Greediness(must_converge=False, unique_constants=True)
        rewrite_greedily(op, PatternsByName(transfer_permutations.PATTERNS), how=how)
        for inner in list(op.walk()):
            if inner.name in ("vector.transfer_read", "vector.transfer_write") and mask_around(inner) is None:
                self._lower(inner)
            elif inner.name == "vector.print":
                print_in_loops(inner)
        if self.target_rank == 1:
            for inner in list(op.walk()):
                if inner.name in ("vector.transfer_read", "vector.transfer_write") and mask_around(inner) is None:
                    element_by_element(inner)
        rewrite_greedily(op, [], how=how)

    def _lower(self, op: Any) -> None:
        if is_tensor(op) and not self.lower_tensors:
            return
        if self.lower_scalable and write_transposed_rows(op):
            return
        type = vector_of_transfer(op)
        if len(shape_of(type)) <= self.target_rank or flags_of(type)[0] or not same_elements(op):
            return
        if not self.full_unroll:
            _InBuffer(op, self.target_rank).lower()
        elif op.name == "vector.transfer_read":
            _unroll_read(op, self.target_rank)
        else:
            _unroll_write(op, self.target_rank)


# ---- loops over a buffer ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A buffer of vectors, and indices into it: the vector that is meant."""

    buffer: SSAValue
    indices: tuple[SSAValue, ...] = ()

    def unpacked(self, build: Builder) -> _Place:
        """The buffer of the vector's rows."""
        type = cast("MemRefType[Any]", self.buffer.type)
        rows = cast("VectorType[Any]", type.element_type)
        made = TypeCastOp.create(
            operands=[self.buffer], result_types=[MemRefType(without_first(rows), [*type.get_shape(), shape_of(rows)[0]])]
        )
        return _Place(build.add(made).results[0], self.indices)

    def row(self, number: SSAValue) -> _Place:
        """One of the rows, of a buffer of rows."""
        return _Place(self.buffer, (*self.indices, number))

    def load(self, build: Builder) -> SSAValue:
        """The vector."""
        return build.add(memref.LoadOp.get(self.buffer, self.indices)).results[0]

    def store(self, build: Builder, value: SSAValue) -> None:
        """Put a vector there."""
        build.add(memref.StoreOp.get(value, self.buffer, self.indices))


def _buffer(build: Builder, type: Any) -> _Place:
    """A buffer of one vector."""
    return _Place(build.add(memref.AllocaOp.get(type, shape=[])).results[0])


class _InBuffer:
    """A transfer through a buffer that holds the vector."""

    def __init__(self, op: Any, target: int) -> None:
        self._op = op
        self._target = target
        self._is_read = op.name == "vector.transfer_read"

    def lower(self) -> None:
        op = self._op
        build = Builder(InsertPoint.before(op), op)
        transfer, allocate = Transfer.of(op), self._scope()
        data = _buffer(allocate, vector_of_transfer(op))
        mask: _Place | None = None
        if transfer.mask is not None:
            mask = _buffer(allocate, transfer.mask.type)
            mask.store(build, transfer.mask)
            transfer = replace(transfer, mask=mask.load(build))
        if not self._is_read:
            data.store(build, op.vector)
        carried = op.source if is_tensor(op) and not self._is_read else None
        result = self._step(transfer, build, data, mask, carried)
        if self._is_read:
            Rewriter.replace_op(op, [], [data.load(build)])
        else:
            Rewriter.replace_op(op, [], [] if result is None else [result])

    def _scope(self) -> Builder:
        """Where memory is allocated that lives as long as what is around."""
        scope: Operation | None = self._op.parent_op()
        while scope is not None and scope.name not in ALLOCATION_SCOPES:
            scope = scope.parent_op()
        block: Block = scope.regions[0].blocks[0] if scope is not None else self._op.parent
        return Builder(InsertPoint.at_start(block), self._op)

    def _step(self, transfer: Transfer, build: Builder, data: _Place, mask: _Place | None, carried: SSAValue | None) -> SSAValue | None:
        """A loop over the first dimension."""
        rows = data.unpacked(build)
        mask_rows = mask.unpacked(build) if mask is not None and transfer.narrows_mask else mask

        def body(inner: Builder, number: SSAValue, state: Sequence[SSAValue]) -> Sequence[SSAValue]:
            def inside(whole: Transfer, build: Builder) -> SSAValue | None:
                rest, row = whole.rest(build, number), rows.row(number)
                value = None if self._is_read else row.load(build)
                lanes = mask_rows
                if lanes is not None and rest.mask is not None:
                    lanes = lanes.row(number) if whole.narrows_mask else lanes
                    rest = replace(rest, mask=lanes.load(build))
                if len(shape_of(rest.type)) > self._target:
                    return self._step(rest, build, row, lanes, state[0] if state else None)
                if value is None:
                    row.store(build, rest.read(build))
                    return None
                return rest.write(build, value, state[0] if state else rest.source)

            def outside(build: Builder) -> SSAValue | None:
                if self._is_read:
                    assert transfer.padding is not None
                    padding = vector.BroadcastOp(transfer.padding, without_first(transfer.type))
                    rows.row(number).store(build, build.add(padding).results[0])
                return state[0] if state else None

            result = transfer.guarded(inner, number, inside, outside, state[0].type if state else None)
            return [] if result is None or not state else [result]

        made = loop(build, shape_of(transfer.type)[0], [] if carried is None else [carried], body)
        return made.results[0] if made.results else None


# ---- unrolled -----------------------------------------------------------------------------------------------------------------------


def _only_user(op: Any) -> Any:
    """The `vector.insert` that is the only one to use a vector, which it inserts."""
    uses = list(op.results[0].uses)
    user = uses[0].operation if len(uses) == 1 else None
    return user if user is not None and user.name == "vector.insert" and uses[0].index == 0 else None


def _row_of_mask(transfer: Transfer, rest: Transfer, build: Builder, number: int) -> Transfer:
    if not transfer.narrows_mask or rest.mask is None:
        return rest
    return replace(rest, mask=build.add(ExtractOp(rest.mask, [number])).result)


def _unroll_read(op: Any, target: int) -> None:
    build = Builder(InsertPoint.before(op), op)
    user = _only_user(op)
    position: list[Index] = list(position_of(user)) if user is not None else []
    if user is not None:
        build = Builder(InsertPoint.before(user), op)
        start = user.dest
    else:
        start = build.add(vector.BroadcastOp(op.padding, op.result.type)).results[0]

    def step(transfer: Transfer, build: Builder, value: SSAValue, position: list[Index]) -> SSAValue:
        for number in range(shape_of(transfer.type)[0]):

            def inside(whole: Transfer, build: Builder, number: int = number, value: SSAValue = value) -> SSAValue:
                rest = _row_of_mask(whole, whole.rest(build, number), build, number)
                place = [*position, number]
                if len(shape_of(rest.type)) > target:
                    return step(rest, build, value, place)
                read = rest.read(build)
                if not shape_of(read.type):
                    read = build.add(ExtractOp(read, [])).result
                return build.add(InsertOp(read, value, place)).result

            found = transfer.guarded(build, number, inside, lambda _, value=value: value, value.type)
            assert found is not None
            value = found
        return value

    result = step(Transfer.of(op), build, start, position)
    if user is not None:
        Rewriter.replace_op(user, [], [result])
        Rewriter.erase_op(op)
    else:
        Rewriter.replace_op(op, [], [result])


def _unroll_write(op: Any, target: int) -> None:
    build = Builder(InsertPoint.before(op), op)
    extraction = defined_by(op.vector, "vector.extract")
    data = op.vector if extraction is None else extraction.source
    position: list[Index] = [] if extraction is None else list(position_of(extraction))
    carried = op.source.type if is_tensor(op) else None

    def step(transfer: Transfer, build: Builder, source: SSAValue, position: list[Index]) -> SSAValue:
        for number in range(shape_of(transfer.type)[0]):

            def inside(whole: Transfer, build: Builder, number: int = number, source: SSAValue = source) -> SSAValue | None:
                rest, place = whole.rest(build, number), [*position, number]
                if len(shape_of(rest.type)) > target:
                    found = step(_row_of_mask(whole, rest, build, number), build, source, place)
                    return found if carried is not None else None
                row = build.add(ExtractOp(data, place)).result
                if not isinstance(row.type, VectorType):
                    row = build.add(vector.BroadcastOp(row, VectorType(row.type, []))).results[0]
                return _row_of_mask(whole, rest, build, number).write(build, row, source)

            def outside(_: Builder, source: SSAValue = source) -> SSAValue | None:
                return source if carried is not None else None

            found = transfer.guarded(build, number, inside, outside, carried)
            source = found if found is not None and carried is not None else source
        return source

    result = step(Transfer.of(op), build, op.source, position)
    Rewriter.replace_op(op, [], [result] if carried is not None else [])


# ---- one dimension ------------------------------------------------------------------------------------------------------------------


def element_by_element(op: Any) -> None:
    """A transfer of one dimension that is no vector load or store: because of its map, or because elements have gaps between them."""
    type, source = vector_of_transfer(op), op.source.type
    if not isinstance(source, MemRefType) or len(shape_of(type)) != 1 or not map_of(op).results:
        return
    if map_of(op).is_minor_identity() and is_contiguous(cast("MemRefType[Any]", source)):
        return
    if isinstance(cast(Any, source).element_type, VectorType):
        return
    build, transfer = Builder(InsertPoint.before(op), op), Transfer.of(op)
    end: Index = shape_of(type)[0]
    if flags_of(type)[0]:
        end = scaled(build, shape_of(type)[0])
    is_read = op.name == "vector.transfer_read"
    inits = [build.add(vector.BroadcastOp(op.padding, type)).results[0]] if is_read else []

    def body(inner: Builder, number: SSAValue, state: Sequence[SSAValue]) -> Sequence[SSAValue]:
        indices = [inner.index(index) for index in transfer.moved(inner, number)]

        def inside(_: Transfer, build: Builder) -> SSAValue | None:
            if is_read:
                value = build.add(memref.LoadOp.get(op.source, indices)).results[0]
                return build.add(InsertOp(value, state[0], [number])).result
            value = build.add(ExtractOp(op.vector, [number])).result
            build.add(memref.StoreOp.get(value, op.source, indices))
            return None

        result = transfer.guarded(inner, number, inside, lambda _: state[0] if state else None, type if is_read else None)
        return [] if result is None else [result]

    made = loop(build, end, inits, body)
    Rewriter.replace_op(op, [], list(made.results))
