"""Copies where the analysis found that an operand cannot be overwritten: as tensors, by `bufferization.alloc_tensor`.

before:  %r = tensor.insert %f into %t[%i]                              (and %t is read later)
after:   %c = bufferization.alloc_tensor() copy(%t)   %r = tensor.insert %f into %c[%i]

In: a function and its `Analysis`. Out: the function, in which every operation may overwrite its destination.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, TensorType
from xdsl.ir import Operation, OpResult, SSAValue

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp
from stepwell.dialects.bufferization import AllocTensorOp
from stepwell.dialects.tensor import DimOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.buffers.analysis import Analysis
from stepwell.lowering.buffers.effects import Place, is_tensor


def insert_copies(analysis: Analysis) -> None:
    """Give the operands that are out of place tensors of their own."""
    for at in list(analysis.out_of_place):
        aliases = analysis.aliasing(at)
        copied = not _may_omit_copy(analysis, at)
        if len(aliases) == 1 and not analysis.writes(at) and len(analysis.sources(aliases[0].value)) == 1:
            _copy_result(aliases[0].value, copied=copied)  # the result may be smaller than the operand
        else:
            _set_operand(at, _allocation(at.value, at.op, copied=copied))


def _may_omit_copy(analysis: Analysis, at: Place) -> bool:
    if analysis.has_undefined_contents(at):
        return True
    reads = analysis.reads(at)
    if analysis.writes(at) and not reads:
        return True
    return not reads and not any(analysis.is_read(alias.value) for alias in analysis.aliasing(at))


def _set_operand(at: Place, value: SSAValue) -> None:
    at.op.operands[at.number] = value


def _copy_result(value: SSAValue, *, copied: bool) -> None:
    assert isinstance(value, OpResult)
    uses = [Place(use.operation, use.index) for use in value.uses]
    following = value.op.next_op
    assert following is not None
    replacement = _allocation(value, following, copied=copied)
    for use in uses:
        _set_operand(use, replacement)


def _allocation(value: SSAValue, before: Operation, *, copied: bool) -> SSAValue:
    """A new tensor of the shape of `value`, with its contents or without."""
    block = before.parent
    assert block is not None
    sizes: list[SSAValue] = []
    type: Any = value.type
    if not copied:
        if type.name != TensorType.name:
            raise CompileError("cannot allocate a tensor of unknown rank", location=place(before))
        for dim, extent in enumerate(type.get_shape()):
            if extent == DYNAMIC_INDEX:
                number = ConstantOp(IntegerAttr(dim, INDEX))
                size = DimOp(value, number.result)
                block.insert_ops_before([number, size], before)
                sizes.append(size.result)
    made = AllocTensorOp(value.type, sizes, value if copied else None)
    made.location = before.location
    block.insert_op_before(made, before)
    return made.tensor


def copy_yields(analysis: Analysis, root: Operation, *, allowed: bool) -> None:
    """A loop gives back the buffers that it was given, or new ones; what it yields besides is copied, where that is `allowed`."""
    for loop in [op for op in root.walk() if op.name in ("scf.for", "scf.while")]:
        regions: Any = loop
        if loop.name == "scf.for":
            ends = [(regions.body.block.last_op, 0, regions.body.block.args[1:])]
        else:
            before, after = regions.before_region.block, regions.after_region.block
            ends = [(before.last_op, 1, before.args), (after.last_op, 0, after.args)]
        for end, first, arguments in ends:
            taken: set[SSAValue] = set()  # what is new can be given away once
            for argument, number in zip(arguments, range(first, len(end.operands)), strict=False):
                value = end.operands[number]
                if not is_tensor(value.type) or analysis.equivalents.joined(argument, value):
                    continue
                leaves = analysis.leaves(value)
                if _are_new(leaves, loop) and taken.isdisjoint(leaves):
                    taken.update(leaves)
                    continue
                if not allowed:
                    what = "iter bbArg" if loop.name == "scf.for" else "block arg"
                    raise CompileError(
                        f"Yield operand #{number - first} is not equivalent to the corresponding {what}",
                        location=place(end),
                        hint="allow-return-allocs-from-loops",
                    )
                end.operands[number] = _allocation(value, end, copied=True)


def _are_new(leaves: Sequence[SSAValue], loop: Operation) -> bool:
    """Whether these can only be allocations of this turn of the loop."""
    return all(isinstance(leaf, OpResult) and leaf.op.name in ALLOCATING and loop.is_ancestor(leaf.op) for leaf in leaves)


ALLOCATING = ("bufferization.alloc_tensor", "tensor.empty", "tensor.from_elements", "tensor.generate", "tensor.pad", "tensor.splat")
