"""A stage as imported, taken apart: what it says, and the numbers in it.

Two shapes of one model mostly give the same operations on other extents. `numbers_of` lists every integer of a module (extents of types,
attributes, small integer constants) in a fixed order, and digests the rest; the bytes of constants are part of the rest.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, DenseIntOrFPElementsAttr, IntegerAttr, IntegerType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, SSAValue

from stepwell.ir.constants import array_of, is_splat

SMALL = 64
"""Elements of an integer constant that are taken for numbers."""


def numbers_of(module: ModuleOp) -> tuple[str, tuple[int, ...]]:
    """(what tells the module from others, its numbers)."""
    described = _Description()
    for op in module.ops:
        if isinstance(op, FuncOp):
            for name in sorted(op.attributes):
                described.attribute(name, op.attributes[name])
            for block in op.body.blocks:
                described.block(block)
    return blake2b("\n".join(described.parts).encode(), digest_size=16).hexdigest(), tuple(described.numbers)


class _Description:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.numbers: list[int] = []
        self._values: dict[SSAValue, int] = {}

    def block(self, block: Block) -> None:
        self.parts.append("^")
        for argument in block.args:
            self._define(argument)
        for op in block.ops:
            self.parts.append(f"{op.name} {[self._values[operand] for operand in op.operands]}")
            for attributes in (op.properties, op.attributes):
                for name in sorted(attributes):
                    self.attribute(name, attributes[name])
            for result in op.results:
                self._define(result)
            for region in op.regions:
                for inner in region.blocks:
                    self.block(inner)
                self.parts.append("}")

    def _define(self, value: SSAValue) -> None:
        self._values[value] = len(self._values)
        self.attribute(":", value.type)

    def attribute(self, name: str, attribute: Any) -> None:
        if isinstance(attribute, TensorType):
            tensor = cast("TensorType[Any]", attribute)
            shape = tensor.get_shape()
            self.parts.append(f"{name} tensor {len(shape)} {_text(tensor.element_type)} {tensor.encoding}")
            self.numbers += shape
        elif isinstance(attribute, IntegerAttr):
            integer = cast("IntegerAttr[Any]", attribute)
            self.parts.append(f"{name} {_text(integer.type)}")
            self.numbers.append(integer.value.data)
        elif isinstance(attribute, DenseArrayBase):
            array = cast("DenseArrayBase[Any]", attribute)
            values = array.get_values()
            self.parts.append(f"{name} {_text(array.elt_type)} {len(values)}")
            if isinstance(array.elt_type, IntegerType):
                self.numbers += values
            else:
                self.parts.append(str(values))
        elif isinstance(attribute, ArrayAttr):
            entries = cast("ArrayAttr[Attribute]", attribute)
            self.parts.append(f"{name} [{len(entries)}")
            for entry in entries:
                self.attribute("", entry)
        elif isinstance(attribute, DenseIntOrFPElementsAttr):
            self._dense(name, cast("DenseIntOrFPElementsAttr[Any]", attribute))
        else:
            self.parts.append(f"{name} {_text(attribute)}")

    def _dense(self, name: str, value: DenseIntOrFPElementsAttr[Any]) -> None:
        self.attribute(name, cast("Attribute", value.type))
        payload = value.data.data
        if is_splat(value):
            self.parts.append(f"splat {payload.hex()}")
        elif isinstance(value.get_element_type(), IntegerType) and len(array := array_of(value).reshape(-1)) <= SMALL:
            self.parts.append(f"{len(array)} integers")
            self.numbers += [int(element) for element in array]
        else:
            self.parts.append(f"{len(payload)} {hash(payload)}")  # 64 bits, of this process


@lru_cache(1 << 12)
def _text(attribute: Attribute) -> str:
    return str(attribute)
