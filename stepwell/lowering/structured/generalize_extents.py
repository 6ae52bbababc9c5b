"""Kernels forget the extents that they were made for.

In: kernels on static shapes (packed, scheduled or not), called from `@main` with static tensors. Out: extents of arguments are `?`,
except those of tiles (`n mod 32`) and of loops that the schedule names in `["static", "kh", ...]`; temporaries get their sizes from
`tensor.dim` of an argument; `@main` casts what it passes and what it gets.

Extents that no argument knows stay static: they are a fact about the kernel (the window of a pool, say), not about its operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr
from xdsl.rewriter import Rewriter

from stepwell.dialects import linalg, tensor
from stepwell.ir.constants import DYNAMIC, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.extents import Extents, Place
from stepwell.lowering.structured.kernels import (
    TopConstants,
    call_with,
    calls_by_callee,
    drop_steps,
    insert_before,
    is_tensor,
    kernels,
    location_of,
    maps_of,
    name_of,
    retype,
    schedule_of,
    shape_of,
    step_name,
    structured_ops,
)

STEP = "static"
_GENERAL = (linalg.GenericOp, linalg.FillOp, tensor.EmptyOp, tensor.DimOp, func.ReturnOp)


@dataclass(frozen=True)
class GeneralizeExtents(Pass):
    """Make kernels shape-generic.

    ```mlir
    %r = func.call @relu(%x, %e) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    func.func private @relu(%x: tensor<4x8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} { ... }
    ```
    becomes
    ```mlir
    %xc = tensor.cast %x : tensor<4x8xf32> to tensor<?x?xf32>
    %ec = tensor.cast %e : tensor<4x8xf32> to tensor<?x?xf32>
    %rc = func.call @relu(%xc, %ec) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
    %r = tensor.cast %rc : tensor<?x?xf32> to tensor<4x8xf32>
    func.func private @relu(%x: tensor<?x?xf32>, %out: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {kernel} { ... }
    ```
    """

    name: ClassVar[str] = "generalize-extents"

    def run(self, op: Operation, ctx: Context) -> None:
        generalized = [kernel for kernel in kernels(op) if _generalize(kernel)]
        if not generalized:
            return
        calls = calls_by_callee(op)
        for kernel in generalized:
            for call in calls.get(name_of(kernel), ()):
                _cast_call(call, kernel)


def _generalize(kernel: func.FuncOp) -> bool:
    """Generalise one kernel; False where it holds ops that compute shapes in other ways (a reshape), which keep it as it is."""
    block = kernel.body.block
    for op in block.ops:
        if isinstance(op, _GENERAL):
            continue
        if any(is_tensor(v) for v in (*op.operands, *op.results)):
            return False

    extents = Extents(kernel)
    extents.static_extents()
    known = extents.argument_places()
    fixed = _fixed(kernel, extents)

    def generic_shape(value: SSAValue) -> tuple[int, ...]:
        places = [extents.find((value, i)) for i in range(len(shape_of(value)))]
        return tuple(DYNAMIC if p in known and p not in fixed else e for p, e in zip(places, shape_of(value), strict=True))

    sources = {place: known[place] for place in known if place not in fixed}
    wanted: dict[SSAValue, tuple[int, ...]] = {}
    for value in [*block.args, *(r for op in block.ops for r in op.results)]:
        if is_tensor(value) and generic_shape(value) != shape_of(value):
            wanted[value] = generic_shape(value)
    if wanted:
        _size_temporaries(kernel, extents, sources, wanted)
        for value, shape in wanted.items():
            if not isinstance(value.owner, tensor.EmptyOp):
                retype(value, tensor_type(shape, cast(TensorType[Any], value.type).element_type))
        kernel.update_function_type()
    drop_steps(kernel, STEP)
    return bool(wanted)


def _fixed(kernel: func.FuncOp, extents: Extents) -> set[Place]:
    """The classes whose extent is part of the kernel: loops that the schedule calls static, and tiles."""
    fixed: set[Place] = set()
    for step in schedule_of(kernel):
        if step_name(step) != STEP:
            continue
        for name in step.data[1:]:
            place = extents.names.get(name.data) if isinstance(name, StringAttr) else None
            if place is None:
                known = ", ".join(extents.names) or "none"
                what = f"schedule of @{name_of(kernel)}: {step} names no loop"
                raise CompileError(what, location=location_of(kernel), hint=f"the loops are: {known}")
            fixed.add(place)
    for op in structured_ops(kernel):
        for operand, map in zip(op.operands, maps_of(op), strict=True):
            for i, expr in enumerate(map.results):
                if not isinstance(expr, AffineBinaryOpExpr) or expr.kind is not AffineBinaryOpKind.Mod:
                    continue
                if isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value == shape_of(operand)[i]:
                    fixed.add(extents.find((operand, i)))
    return fixed


def _size_temporaries(kernel: func.FuncOp, extents: Extents, sources: dict[Place, Place], wanted: dict[SSAValue, tuple[int, ...]]) -> None:
    """Give each `tensor.empty` its sizes: one `tensor.dim` per class at the top of the kernel."""
    block = kernel.body.block
    constants = TopConstants(block)
    sizes: dict[Place, SSAValue] = {}

    def size_of(place: Place) -> SSAValue:
        if place not in sizes:
            value, i = sources[place]
            assert isinstance(value, SSAValue)
            index = constants(i)
            dim = tensor.DimOp.create(operands=[value, index], result_types=[index.type])
            block.insert_op_after(dim, cast(Operation, index.owner))
            sizes[place] = dim.results[0]
        return sizes[place]

    for op in list(block.ops):
        if isinstance(op, tensor.EmptyOp) and op.tensor in wanted:
            shape = wanted[op.tensor]
            old_sizes = iter(op.dynamic_sizes)
            operands: list[SSAValue] = []
            for i, (old, new) in enumerate(zip(shape_of(op.tensor), shape, strict=True)):
                kept = next(old_sizes) if old == DYNAMIC else None
                if new == DYNAMIC:
                    operands.append(kept or size_of(extents.find((op.tensor, i))))
            empty = tensor.EmptyOp.create(
                operands=operands,
                result_types=[tensor_type(shape, cast(TensorType[Any], op.tensor.type).element_type)],
                location=op.location,
            )
            insert_before(op, empty)
            op.tensor.replace_all_uses_with(empty.tensor)
            Rewriter.erase_op(op)


# ---- calls ----------------------------------------------------------------------------------------------------------------------


def _cast_call(call: func.CallOp, kernel: func.FuncOp) -> None:
    types: Sequence[Attribute] = list(kernel.function_type.inputs)
    operands: list[SSAValue] = []
    for value, type in zip(call.operands, types, strict=True):
        if value.type != type:
            cast_op = tensor.CastOp.create(operands=[value], result_types=[type])
            insert_before(call, cast_op)
            value = cast_op.dest
        operands.append(value)
    new = call_with(call, name_of(kernel), operands, list(kernel.function_type.outputs))
    insert_before(call, new)
    for old, result in zip(call.results, new.results, strict=True):
        hint = old.name_hint
        if old.type != result.type:
            back = tensor.CastOp.create(operands=[result], result_types=[old.type])
            insert_before(call, back)
            result = back.dest
        old.replace_all_uses_with(result)
        result.name_hint = hint
    Rewriter.erase_op(call)
