"""The constants of a program as `memref.global`s, and how buffers are aligned."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    ModuleOp,
    TensorType,
)
from xdsl.ir import Attribute

from stepwell.dialects import arith, memref
from stepwell.ir.payloads import Payload
from stepwell.lowering.loops.memref_types import buffer_type
from stepwell.lowering.structured.kernels import (
    SymbolTable,
    insert_before,
)

ALIGNMENT = 64
"""Of every buffer, in bytes: a cache line, and the widest vector."""


class Globals:
    """The constants of a module as `memref.global`s, equal ones once."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._symbols = SymbolTable(module)
        self._made: dict[tuple[Attribute, Payload], str] = {}

    def name(self, op: arith.ConstantOp) -> str:
        value = cast(DenseIntOrFPElementsAttr[Any], op.value)
        key = (cast(Attribute, value.type), Payload(value.data.data))
        if key not in self._made:
            name = self._symbols.fresh(op.result.name_hint or "cst")
            type = cast(TensorType[Any], op.result.type)
            buffer = buffer_type(type.get_shape(), type.element_type)
            first = self._module.body.block.first_op
            assert first is not None
            insert_before(first, memref.GlobalOp.get(name, buffer, value, constant=True, alignment=ALIGNMENT))
            self._made[key] = name
        return self._made[key]
