"""Every kernel of `@main` is told where to write, so that concatenations, paddings, loops and results cost no copy where that is possible.

In: `@main` on static tensors with `tensor.empty` as the destination of each call. Out: `@main` in *destination form*, whose every tensor
has one place:

- the destination of a call is a `tensor.empty`, or a view of one: of a concatenation's, a padded tensor's, a result's buffer-to-be;
- `tensor.insert_slice` inserts what was computed in that very slice: it says that a part is ready, and moves nothing;
- `tensor.pad` is gone: its border is filled by `linalg.fill`, its interior computed in place;
- what a loop carries is overwritten in place, and the function returns tensors that stand each in a `tensor.empty` of its own;
- the branches of an `scf.if` write their results into one place, which is made in front of it;
- the operands of kernels have an innermost stride of 1, and a `tensor.collapse_shape` joins contiguous dimensions only;
- data that must move is moved by `linalg.copy`, `linalg.fill` and `linalg.pack`, which `outline-copies` turns into kernels.

What a destination holds before a call is undefined; a kernel writes all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, linalg, scf, tensor
from stepwell.ir.constants import DYNAMIC, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.control import body_of, branches_of, carried_by
from stepwell.lowering.structured.kernels import (
    callers,
    destination_index,
    erase_dead,
    insert_before,
    insert_copy,
    is_tensor,
    location_of,
    name_of,
    shape_of,
)
from stepwell.lowering.structured.places import Base, Place
from stepwell.lowering.structured.static_layouts import Slice, contiguous, insert, slice_of
from stepwell.lowering.structured.view_layouts import make_readable

_VIEWS = (tensor.CollapseShapeOp, tensor.ExpandShapeOp, tensor.ExtractSliceOp)
_RESHAPES = (tensor.CollapseShapeOp, tensor.ExpandShapeOp)


@dataclass(frozen=True)
class PlanViews(Pass):
    """Bring the functions that call kernels into destination form.

    ```mlir
    %a = func.call @f(%x, %e0) : ... -> tensor<4x8xf32>
    %b = func.call @g(%x, %e1) : ... -> tensor<4x8xf32>
    %e = tensor.empty() : tensor<8x8xf32>
    %1 = tensor.insert_slice %a into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
    %2 = tensor.insert_slice %b into %1[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
    ```
    becomes
    ```mlir
    %e = tensor.empty() : tensor<8x8xf32>
    %d0 = tensor.extract_slice %e[0, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
    %a = func.call @f(%x, %d0) : ... -> tensor<4x8xf32>
    %d1 = tensor.extract_slice %e[4, 0] [4, 8] [1, 1] : tensor<8x8xf32> to tensor<4x8xf32>
    %b = func.call @g(%x, %d1) : ... -> tensor<4x8xf32>
    %1 = tensor.insert_slice %a into %e[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
    %2 = tensor.insert_slice %b into %1[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
    ```
    """

    name: ClassVar[str] = "plan-views"

    def run(self, op: Operation, ctx: Context) -> None:
        for function in callers(op):
            _require_static(function)
            block = function.body.block
            _Planner(block).plan_results()
            make_readable(block, {arg: contiguous(shape_of(arg)) for arg in block.args})
            _erase_dead(block)


def _require_static(function: func.FuncOp) -> None:
    for op in function.walk():
        for value in op.results:
            if DYNAMIC in shape_of(value):
                raise CompileError(
                    f"@{name_of(function)}: '{op.name}' has a result of type {value.type}, whose extents are not known",
                    location=location_of(op),
                    hint="give the model's inputs static shapes",
                )


# ---- where each value is written ------------------------------------------------------------------------------------------------


class _Planner:
    """Plans one block. Walks it backwards: the uses of a value say where it should be written before its definition is met."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._ops = list(block.ops)
        self._position = {op: i for i, op in enumerate(self._ops)}
        self._places: dict[SSAValue, Place] = {}
        """The place that a value is to be written to, agreed with its definition."""

    def plan_results(self) -> None:
        """Plan the body of a function: each result gets a buffer of its own."""
        last = self._ops[-1]
        for i, value in enumerate(last.operands):
            if is_tensor(value):
                self._write(last, i, self._new_place(value))
        self._walk()

    def plan_branch(self, places: Mapping[int, Place]) -> None:
        """Plan a branch: what it yields is written to these places, which are there already."""
        last = self._ops[-1]
        for i, place in places.items():
            if last.operands[i] is not place.base.value:
                self._write(last, i, place)
        self._walk()

    def plan_loop_body(self, carried: Sequence[tuple[SSAValue, int]]) -> None:
        """Plan a loop's body: what it yields is written over what it carries. `carried`: the arguments and which of the yielded values
        takes their place."""
        last = self._ops[-1]
        tensors = [(arg, i) for arg, i in carried if is_tensor(arg)]
        roots = {arg for arg, _ in tensors}
        # What is carried from one variable to another is saved before either is overwritten.
        for arg, i in tensors:
            value = last.operands[i]
            if value is not arg and self._root_of(value) in roots:
                last.operands[i] = insert_copy(last, value, self._new_place(value).make(last))
        for arg, i in tensors:
            value = last.operands[i]
            if value is arg:
                continue
            place = Place.of_value(arg, self._block)
            if not self._may_overwrite(arg, value) or not self._claim(value, place):
                last.operands[i] = insert_copy(last, value, place.make(last))
        self._walk()

    def _walk(self) -> None:
        for op in reversed(self._ops):
            if isinstance(op, func.CallOp):
                self._plan_call(op)
            elif isinstance(op, tensor.InsertSliceOp):
                self._plan_insert(op)
            elif isinstance(op, tensor.PadOp):
                self._plan_pad(op)
            elif isinstance(op, linalg.PackOp):
                self._plan_pack(op)
            elif isinstance(op, tensor.InsertOp):
                self._plan_store(op)
            elif isinstance(op, (scf.ForOp, scf.WhileOp)):
                self._plan_loop(op)
            elif isinstance(op, scf.IfOp):
                self._plan_if(op)

    def _new_place(self, value: SSAValue) -> Place:
        type = cast(TensorType[Any], value.type)
        return Place(Base(self._block, type), contiguous(type.get_shape()))

    # -- agreeing on a place

    def _write(self, user: Operation, i: int, place: Place) -> bool:
        """See to it that operand `i` of `user` stands in `place`; False when that takes a copy in front of `user`."""
        value = user.operands[i]
        if isinstance(value.owner, tensor.EmptyOp):
            user.operands[i] = place.make(user)
            return True
        if self._claim(value, place):
            return True
        user.operands[i] = insert_copy(user, value, place.make(user))
        return False

    def _claim(self, value: SSAValue, place: Place) -> bool:
        """Agree with the definition of `value` that it writes to `place`; False when it cannot, or writes elsewhere already."""
        op = value.owner
        if not isinstance(op, Operation) or op.parent is not self._block or value in self._places:
            return False
        if isinstance(op, _RESHAPES):
            inverse = place.before_reshape(op)
            if inverse is None or not self._claim(op.operands[0], inverse):
                return False
            self._places[value] = place
            return True
        if not place.layout.is_readable or not self._is_known_before(place, op):
            return False
        if isinstance(op, func.CallOp):
            destination = op.operands[destination_index(op, value)]
            if not isinstance(destination.owner, tensor.EmptyOp):
                return False
        elif isinstance(op, tensor.InsertOp):
            if not isinstance(op.dest.owner, tensor.EmptyOp):
                return False
        elif not isinstance(op, (tensor.InsertSliceOp, tensor.PadOp, linalg.PackOp, scf.ForOp, scf.WhileOp, scf.IfOp)):
            return False
        self._places[value] = place
        return True

    def _is_known_before(self, place: Place, op: Operation) -> bool:
        """Whether the offsets of a place are computed before `op`."""
        for value in place.offsets():
            owner = value.owner
            if isinstance(owner, Operation) and owner.parent is self._block and self._position[owner] >= self._position[op]:
                return False
        return True

    # -- what writes

    def _plan_call(self, op: func.CallOp) -> None:
        for result in op.results:
            i = destination_index(op, result)
            destination = op.operands[i]
            if (place := self._places.get(result)) is not None:
                op.operands[i] = place.make(op)
            elif isinstance(destination.owner, tensor.EmptyOp) and not destination.has_one_use():
                op.operands[i] = self._new_place(result).make(op)

    def _plan_insert(self, op: tensor.InsertSliceOp) -> None:
        box = slice_of(op)
        if box is None:
            raise CompileError("'tensor.insert_slice' needs static sizes and strides", location=location_of(op))
        place = self._places.get(op.result) or self._new_place(op.result)
        if place.is_disjoint is None:
            place.is_disjoint = self._is_chain_disjoint(op)
        dest = op.dest
        is_only_reader = isinstance(dest.owner, tensor.EmptyOp) or self._is_read_elsewhere(dest, op, [box])
        if dest is place.base.value and not place.views:
            in_place = True
        elif is_only_reader:
            in_place = self._write(op, 1, place)
        else:
            op.operands[1] = insert_copy(op, dest, place.make(op))
            in_place = False
        # The slice may be written before the rest only where nobody else writes there or reads what was there.
        is_early = in_place and is_only_reader and place.is_disjoint
        if not (is_early and self._claim(op.source, place.slice(box))):
            part = Place.of_value(op.dest, self._block, place.layout).slice(box)
            op.operands[0] = insert_copy(op, op.source, part.make(op))

    def _is_chain_disjoint(self, op: tensor.InsertSliceOp) -> bool:
        """Whether the slices of a chain of insertions share no element, and the chain begins with undefined or carried contents."""
        boxes: list[Slice] = []
        current: Operation | Block = op
        value: SSAValue = op.result
        while isinstance(current, tensor.InsertSliceOp) and current.parent is self._block:
            box = slice_of(current)
            if box is None or not all(box.is_disjoint(other) for other in boxes):
                return False
            boxes.append(box)
            value = current.dest
            if not self._is_read_elsewhere(value, current, boxes):
                return False
            current = value.owner
        return isinstance(current, tensor.EmptyOp) or isinstance(value, BlockArgument)

    def _is_read_elsewhere(self, value: SSAValue, writer: Operation, boxes: Sequence[Slice]) -> bool:
        """Whether all but `writer` that uses a value reads slices of it, in this block, that share nothing with these boxes."""
        for use in value.uses:
            user = use.operation
            if user is writer:
                continue
            box = slice_of(user) if isinstance(user, tensor.ExtractSliceOp) and user.parent is self._block else None
            if box is None or not all(box.is_disjoint(other) for other in boxes):
                return False
        return True

    def _plan_pad(self, op: tensor.PadOp) -> None:
        place = self._places.get(op.result) or self._new_place(op.result)
        value = _padding_value(op)
        low, high = op.static_low.get_values(), op.static_high.get_values()
        shape, padded = shape_of(op.source), shape_of(op.result)
        ones = (1,) * len(shape)
        interior = Slice(tuple(map(int, low)), shape, ones, shape)

        current = place.make(op)
        for box in _border(shape, padded, low, high):
            part = Place.of_value(current, self._block, place.layout).slice(box)
            fill = linalg.FillOp([value], [part.make(op)], [tensor_type(box.shape, cast(Any, value.type))])
            done = insert(fill.results[0], current, box)
            insert_before(op, fill, done)
            current = done.result
        source = op.source
        if not self._claim(source, place.slice(interior)):
            source = insert_copy(op, source, Place.of_value(current, self._block, place.layout).slice(interior).make(op))
        done = insert(source, current, interior)
        insert_before(op, done)
        done.result.name_hint = op.result.name_hint
        op.result.replace_all_uses_with(done.result)
        Rewriter.erase_op(op)

    def _plan_pack(self, op: linalg.PackOp) -> None:
        if (place := self._places.get(op.results[0])) is not None:
            op.operands[1] = place.make(op)

    def _plan_store(self, op: tensor.InsertOp) -> None:
        """A number into a tensor of rank 0 that holds nothing yet."""
        if not isinstance(op.dest.owner, tensor.EmptyOp) or op.indices:
            raise CompileError("'tensor.insert' outside of a kernel makes a tensor of rank 0", location=location_of(op))
        op.operands[1] = (self._places.get(op.result) or self._new_place(op.result)).make(op)

    def _plan_if(self, op: scf.IfOp) -> None:
        places: dict[int, Place] = {}
        for i, result in enumerate(op.results):
            if is_tensor(result):
                place = self._places.get(result) or self._new_place(result)
                places[i] = Place.of_value(place.make(op), self._block, place.layout)
        for block in branches_of(op):
            _Planner(block).plan_branch(places)

    def _plan_loop(self, op: scf.ForOp | scf.WhileOp) -> None:
        carried = carried_by(op)
        for each in carried:
            init = op.operands[each.init]
            if not is_tensor(init):
                continue
            place = self._places.get(each.result) or self._new_place(each.result)
            if isinstance(init.owner, tensor.EmptyOp) or init.has_one_use():
                self._write(op, each.init, place)
            else:
                op.operands[each.init] = insert_copy(op, init, place.make(op))
        _Planner(body_of(op)).plan_loop_body([(each.argument, each.yielded) for each in carried])

    # -- what a loop carries

    def _root_of(self, value: SSAValue) -> SSAValue:
        """What a value is a view of."""
        while isinstance(value.owner, _VIEWS):
            value = value.owner.operands[0]
        return value

    def _may_overwrite(self, arg: SSAValue, value: SSAValue) -> bool:
        """Whether all reads of the carried `arg` are over when the computation of its successor `value` begins to write."""
        while isinstance(value.owner, _RESHAPES):
            value = value.owner.operands[0]
        writer = value.owner
        if not isinstance(writer, Operation) or writer.parent is not self._block:
            return False
        own: Operation | None = None
        if isinstance(writer, scf.IfOp):
            # It reads where it writes: what counts is the order in each branch.
            i, own = writer.results.index(cast(Any, value)), writer
            yielded = [(block, cast(Operation, block.last_op).operands[i]) for block in branches_of(writer)]
            if not all(v is arg or _Planner(block)._may_overwrite(arg, v) for block, v in yielded):
                return False
        elif isinstance(writer, tensor.InsertSliceOp):
            while isinstance(writer.dest.owner, tensor.InsertSliceOp):
                writer = writer.dest.owner
            if writer.dest is not arg:
                return False
            own = writer
        elif not isinstance(writer, func.CallOp):
            return False
        return all(self._position.get(user, len(self._ops)) < self._position[writer] for user in self._readers(arg) if user is not own)

    def _readers(self, value: SSAValue) -> Iterator[Operation]:
        """The ops of this block that read, or hold what reads, a value or a view of it."""
        for use in value.uses:
            user = self._block.find_ancestor_op_in_block(use.operation)
            if user is not None:
                yield user
            if isinstance(use.operation, _VIEWS):
                yield from self._readers(use.operation.results[0])


def _padding_value(op: tensor.PadOp) -> SSAValue:
    """The constant that a pad yields, as a value in front of the pad."""
    last = op.region.block.last_op
    constant = last.operands[0].owner if last is not None and last.operands else None
    if op.low or op.high or not isinstance(constant, arith.ConstantOp):
        raise CompileError("'tensor.pad' needs static widths and a constant to pad with", location=location_of(op))
    if constant.parent is op.parent:
        return constant.result
    outer = constant.clone()
    insert_before(op, outer)
    return outer.result


def _border(shape: tuple[int, ...], padded: tuple[int, ...], low: Any, high: Any) -> Iterator[Slice]:
    """Boxes that cover the border of a padded tensor once: of each dimension the ends, as wide as possible in the later dimensions."""
    ones = (1,) * len(shape)
    for d in range(len(shape)):
        for start, width in ((0, int(low[d])), (int(low[d]) + shape[d], int(high[d]))):
            if width > 0:
                sizes = (*shape[:d], width, *padded[d + 1 :])
                yield Slice((*map(int, low[:d]), start, *(0,) * (len(shape) - d - 1)), sizes, ones, sizes)


def _erase_dead(block: Block) -> None:
    for op in block.ops:
        for region in op.regions:
            for inner in region.blocks:
                _erase_dead(inner)
    erase_dead(block, (*_VIEWS, tensor.EmptyOp, arith.ConstantOp))
