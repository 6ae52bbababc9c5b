"""Constants: `nn.constant`, and how the dialect makes one from a folded attribute.

In: a dense attribute of any element type, unsigned and bf16 included. Out: a tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import base, irdl_op_definition, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike

from stepwell.dialects.nn.base import TENSOR, Array, Attributes, NnOp, Tensor
from stepwell.ir.constants import array_of, dense
from stepwell.ir.diagnostics import CompileError

Dense = DenseIntOrFPElementsAttr[Any]


@irdl_op_definition
class ConstantOp(NnOp, HasFolderInterface):
    """A constant tensor. A splat is stored as one element whatever its shape.

    ```mlir
    %c = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
    ```
    """

    name = "nn.constant"
    value: Dense = prop_def(base(DenseIntOrFPElementsAttr))
    y = result_def(TENSOR)
    traits = traits_def(ConstantLike())

    @classmethod
    def infer(cls, operand_types: Sequence[Tensor], attributes: Attributes) -> tuple[Tensor, ...]:
        """The type of the value."""
        value = attributes["value"]
        type = cast(Dense, value).type if isinstance(value, DenseIntOrFPElementsAttr) else None
        if not isinstance(type, TensorType):
            raise CompileError("nn.constant: the value is not a dense tensor")
        return (type,)

    @classmethod
    def from_array(cls, array: Array) -> ConstantOp:
        """A constant with the elements of an array (a splat if they are all equal)."""
        value = dense(array)
        return cls.create(result_types=(value.type,), properties={"value": value})

    def evaluate(self, *arrays: Array) -> tuple[Array, ...]:
        """The elements, as a read-only view."""
        return (array_of(self.value),)

    def fold(self) -> Sequence[SSAValue | Attribute]:
        """The value."""
        return (self.value,)

    def drop_all_references(self) -> None:
        """Also lets go of the payload: an erased operation may live on in a cycle for as long as a compilation takes."""
        super().drop_all_references()
        self.properties.pop("value", None)

    def print(self, printer: Printer) -> None:
        """Print the custom form."""
        printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_attribute(self.value)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        """Parse the custom form."""
        attributes = parser.parse_optional_attr_dict()
        attribute = parser.parse_attribute()
        if not isinstance(attribute, DenseIntOrFPElementsAttr):
            parser.raise_error("nn.constant needs dense<...> : tensor<...>")
        value = cast(Dense, attribute)
        return cls.create(result_types=(value.type,), properties={"value": value}, attributes=attributes)


class NnConstants(ConstantMaterializationInterface):
    """Folded `nn` ops become `nn.constant`."""

    def materialize_constant(self, value: Attribute, type: Attribute) -> Operation | None:
        """`nn.constant value`, if the value is dense and of that type."""
        if not isinstance(value, DenseIntOrFPElementsAttr):
            return None
        constant = cast(Dense, value)
        return ConstantOp.create(result_types=(type,), properties={"value": constant}) if constant.type == type else None
